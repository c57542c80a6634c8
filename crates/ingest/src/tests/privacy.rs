use serde_json::{Value, json};
use store::memory::When;
use telemetry::RecordedLines;

use super::harness::{AuthorizerContext, Harness};

/// A value that is planted in bodies, names, keys, headers, queries and paths of every request below.
const PLANTED: &str = "Qx7MRN00412zz";

/// Requests that go wrong in every way that a route has, each with the planted value in it.
fn requests() -> Vec<(&'static str, String, Value)> {
    let file = format!("id,name\n{PLANTED},{PLANTED}\n1,{PLANTED}\n");
    let sum = "0".repeat(64);
    vec![
        ("POST", "/v1/feeds/visits/check".to_owned(), json!(file)),
        ("POST", format!("/v1/feeds/visits/files?name={PLANTED}/x"), json!(file)),
        ("POST", format!("/v1/feeds/visits/files?{PLANTED}=1"), json!(file)),
        ("POST", format!("/v1/feeds/visits/files?corrects={PLANTED}"), json!(file)),
        ("POST", format!("/v1/feeds/{PLANTED}/files"), json!(file)),
        ("POST", "/v1/feeds/visits/uploads".to_owned(), json!({ PLANTED: PLANTED })),
        ("POST", "/v1/feeds/visits/uploads".to_owned(), json!({ "bytes": PLANTED, "sha256": sum })),
        ("POST", "/v1/feeds/visits/uploads".to_owned(), json!({ "bytes": 1, "sha256": PLANTED })),
        (
            "POST",
            "/v1/feeds/visits/uploads".to_owned(),
            json!({ "bytes": 1, "sha256": sum, "contentType": PLANTED }),
        ),
        ("GET", format!("/v1/files/{PLANTED}"), Value::Null),
        ("GET", format!("/v1/files?cursor={PLANTED}"), Value::Null),
        ("GET", format!("/v1/files?state={PLANTED}"), Value::Null),
        ("GET", format!("/v1/files?from={PLANTED}"), Value::Null),
        ("GET", format!("/v1/uploads/{PLANTED}"), Value::Null),
        ("GET", format!("/v1/records/visits/{PLANTED}"), Value::Null),
        ("GET", format!("/v1/records/visits/{PLANTED}/{PLANTED}"), Value::Null),
        ("GET", format!("/v1/{PLANTED}"), Value::Null),
        (PLANTED, "/v1/files".to_owned(), Value::Null),
    ]
}

#[tokio::test]
async fn no_value_no_key_and_no_cause_is_in_any_problem_log_or_metric() {
    let lines = RecordedLines::begin();
    let mut metrics = String::new();
    for broken in [false, true] {
        for (method, path, body) in requests() {
            let harness = Harness::with_feeds();
            if broken {
                harness.memory.die_at(2, When::BeforeEffect);
            }
            let ask =
                harness.ask(method, &path).header("idempotency-key", PLANTED).header("content-type", PLANTED);
            let ask = match &body {
                Value::Null => ask,
                Value::String(text) => ask.header("content-type", "text/csv").body(text.as_bytes()),
                body => ask.json(body),
            };
            let reply = ask.reply().await;
            let sent = reply.status == 202;
            assert!(sent || !reply.text.contains(PLANTED), "{method} {path}: {}", reply.text);
            metrics += &harness.metrics.lock().expect("lines").join("\n");
        }
    }
    let logs = lines.end();
    assert!(logs.contains("request answered") && metrics.contains("RequestDuration"));
    for (what, text) in [("log", &logs), ("metric", &metrics)] {
        for secret in [PLANTED, "ssk_planted_key", "192.0.2.1"] {
            assert!(!text.contains(secret), "{secret} is in a {what}");
        }
    }
}

#[tokio::test]
async fn each_request_is_one_metric_line_with_operation_and_class() {
    let harness = Harness::with_feeds();
    harness.ask("GET", "/v1/files").reply().await;
    harness.ask("GET", "/v1/nothing").reply().await;
    harness.ask_as(&AuthorizerContext::of("north").with("scopes", ""), "GET", "/v1/files").reply().await;
    let lines = harness.metrics.lock().expect("lines").clone();
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let reply: Vec<_> = lines
        .iter()
        .map(|line| (&line["operation"], &line["statusClass"], &line["code"], &line["partner"]))
        .collect();
    let north = json!("north");
    assert_eq!(
        reply,
        [
            (&json!("listFiles"), &json!("2xx"), &json!(""), &north),
            (&json!("unknown"), &json!("4xx"), &json!("not-found"), &north),
            (&json!("listFiles"), &json!("4xx"), &json!("forbidden"), &north),
        ]
    );
}

#[tokio::test]
async fn a_service_that_fails_is_answered_as_unavailable() {
    for (method, path, _) in requests() {
        let harness = Harness::with_feeds();
        harness.memory.die_at(1, When::BeforeEffect);
        let reply = harness.ask(method, &path).reply().await;
        assert_eq!(
            (reply.code(), reply.header("retry-after")),
            ((503, "unavailable"), Some("5")),
            "{method} {path}"
        );
    }
}
