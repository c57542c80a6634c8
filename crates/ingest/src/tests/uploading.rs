use host::hexadecimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::memory::SignedAnswer;

use super::bench::{Bench, GOOD, Told, Words, contract};

const UPLOADS: &str = "/v1/feeds/visits/uploads";
const MIB: usize = 1024 * 1024;

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

async fn open(bench: &Bench, body: &Value) -> Told {
    bench.ask("POST", UPLOADS).json(body).told().await
}

/// A feed that takes files of any size.
fn large() -> Bench {
    let bench = Bench::new();
    let unlimited = contract("visits", &[("id", "integer")], "").replace("3000000", "5000000000000");
    bench.memory.publish_contract("visits", unlimited);
    bench
}

/// Carries a signed request out.
fn put(bench: &Bench, signed: &Value, body: &[u8]) -> SignedAnswer {
    let headers = signed["headers"].as_object().expect("headers").iter();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.clone(), value.as_str().expect("a value").to_owned())).collect();
    let url = signed["url"].as_str().expect("an address");
    bench.memory.send_signed(signed["method"].as_str().expect("a method"), url, &headers, body.to_vec())
}

fn path(told: &Told, more: &str) -> String {
    format!("/v1/uploads/{}{more}", told.body["upload"].as_str().expect("an upload"))
}

async fn state(bench: &Bench, told: &Told) -> Told {
    bench.ask("GET", &path(told, "")).told().await
}

#[tokio::test]
async fn a_signed_put_takes_exactly_the_promised_bytes_once() {
    let bench = Bench::with_feeds();
    let promise = open(&bench, &json!({ "name": "day.csv", "bytes": GOOD.len(), "sha256": sha256(GOOD.as_bytes()), "contentType": "text/csv" })).await;
    assert_eq!(promise.status, 201);
    let signed = &promise.body["put"];
    assert_eq!((&signed["expiresSeconds"], &signed["headers"]["if-none-match"]), (&json!(900), &json!("*")));
    assert_eq!(signed["headers"]["content-length"], GOOD.len().to_string());
    assert_eq!(state(&bench, &promise).await.body["state"], "OPEN");
    assert_eq!(put(&bench, signed, b"id,name\n9,Eve\n2,Bob\n!").status, 403, "another length");
    assert_eq!(put(&bench, signed, "id,name\n1,Eve\n2,Bob\n".as_bytes()).status, 400, "other bytes");
    assert_eq!(put(&bench, signed, GOOD.as_bytes()).status, 200);
    assert_eq!(put(&bench, signed, GOOD.as_bytes()).status, 412, "once");
    let landed = state(&bench, &promise).await;
    assert_eq!(landed.body["state"], "LANDED");
    let file = landed.body["status"].as_str().expect("a link").trim_start_matches("/api").to_owned();
    assert_eq!(bench.ask("GET", &file).told().await.body["state"], "RECEIVED");
    bench.process().await;
    assert_eq!(bench.ask("GET", &file).told().await.body["state"], "COMPLETE");
    assert_eq!(state(&bench, &promise).await.text, landed.text);
}

#[tokio::test]
async fn what_cannot_be_promised_is_refused() {
    let bench = Bench::with_feeds();
    let sum = "0".repeat(64);
    for (body, expected) in [
        (json!({ "bytes": 3_000_001, "sha256": sum }), (413, "too-large")),
        (json!({ "bytes": 6_000_000_000_000_000_u64, "sha256": sum }), (413, "too-large")),
        (json!({ "bytes": 1 }), (400, "invalid-body")),
        (json!({ "bytes": 1, "sha256": "x" }), (400, "invalid-body")),
        (json!({ "bytes": 0, "parts": true }), (400, "invalid-body")),
        (json!({ "bytes": 1, "sha256": sum, "partner": "south" }), (400, "invalid-body")),
        (json!({ "bytes": 1, "sha256": sum, "key": "south/visits/x" }), (400, "invalid-body")),
        (json!({ "bytes": -1, "sha256": sum }), (400, "invalid-body")),
        (json!([]), (400, "invalid-body")),
        (json!({ "bytes": 1, "sha256": sum, "name": "a/../b" }), (400, "invalid-name")),
        (json!({ "bytes": 1, "sha256": sum, "contentType": "text/csv\r\nx: y" }), (400, "invalid-header")),
        (json!({ "bytes": 1, "sha256": sum, "corrects": "x" }), (422, "unknown-correction")),
    ] {
        assert_eq!(open(&bench, &body).await.code(), expected, "{body}");
    }
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert_eq!(open(&bench, &json!({ "bytes": deep })).await.code(), (400, "invalid-body"));
}

/// Sends every part of two; their numbers, tags and checksums.
async fn send_parts(bench: &Bench, promise: &Told, content: &[u8]) -> Value {
    let cut: Vec<&[u8]> = content.chunks(8 * MIB).collect();
    let wanted = |(place, part): (usize, &&[u8])| json!({ "number": place + 1, "bytes": part.len(), "sha256": sha256(part) });
    let wanted: Vec<Value> = cut.iter().enumerate().map(wanted).collect();
    let signed = bench.ask("POST", &path(promise, "/parts")).json(&json!({ "parts": wanted })).told().await;
    assert_eq!(signed.status, 200, "{}", signed.text);
    let sent = signed.body["parts"].as_array().expect("parts").iter().zip(&cut).map(|(signed, part)| {
        let etag = put(bench, signed, part).etag.expect("stored");
        json!({ "number": signed["number"], "etag": etag, "sha256": sha256(part) })
    });
    json!({ "parts": sent.collect::<Vec<_>>() })
}

#[tokio::test]
async fn parts_become_one_file_and_completing_again_finds_it() {
    let bench = large();
    let content = format!("id,name\n{}", "1,Ann\n".repeat(9 * MIB / 6)).into_bytes();
    let promise = open(&bench, &json!({ "name": "year.csv", "bytes": content.len(), "parts": true })).await;
    assert_eq!((&promise.body["partBytes"], &promise.body["parts"]), (&json!(8 * MIB), &json!(2)));
    let parts = send_parts(&bench, &promise, &content).await;
    let complete =
        async |parts: &Value| bench.ask("POST", &path(&promise, "/complete")).json(parts).told().await;
    let mut wrong = parts.clone();
    wrong["parts"][1]["sha256"] = json!("0".repeat(64));
    assert_eq!(complete(&wrong).await.code(), (422, "parts-refused"));
    for mistake in [
        json!({ "parts": [] }),
        json!({ "parts": [parts["parts"][1], parts["parts"][0]] }),
        json!({ "parts": [parts["parts"][0]] }),
    ] {
        assert_eq!(complete(&mistake).await.code(), (422, "parts-refused"));
    }
    let done = complete(&parts).await;
    assert_eq!((done.status, &done.body["name"]), (202, &json!("year.csv")));
    assert!(bench.memory.inbox_versions()[0].bytes == content);
    assert_eq!(complete(&parts).await.text, done.text);
    assert_eq!(state(&bench, &promise).await.body["id"], done.body["id"]);
    assert_eq!(bench.ask("DELETE", &path(&promise, "")).told().await.code(), (409, "upload-closed"));
    let again = json!({ "parts": [{ "number": 1, "bytes": 8 * MIB, "sha256": "0".repeat(64) }] });
    assert_eq!(
        bench.ask("POST", &path(&promise, "/parts")).json(&again).told().await.code(),
        (409, "upload-closed")
    );
    assert_eq!(bench.memory.inbox_versions().len(), 1);
}

#[tokio::test]
async fn a_failure_at_any_call_of_completing_is_mended_by_completing_again() {
    use store::memory::When;
    let content = vec![b'a'; 9 * MIB];
    let opened = async || {
        let bench = large();
        let promise = open(&bench, &json!({ "bytes": content.len(), "parts": true })).await;
        let parts = send_parts(&bench, &promise, &content).await;
        (bench, promise, parts)
    };
    let (bench, promise, parts) = opened().await;
    let before = bench.memory.calls().len();
    bench.ask("POST", &path(&promise, "/complete")).json(&parts).told().await;
    for call in before + 1..=bench.memory.calls().len() {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let (bench, promise, parts) = opened().await;
            bench.memory.die_at(call, when);
            let complete = async || bench.ask("POST", &path(&promise, "/complete")).json(&parts).told().await;
            let first = complete().await.status;
            assert!([202, 503].contains(&first), "call {call} {when:?}");
            bench.memory.revive();
            assert_eq!(complete().await.status, 202, "call {call} {when:?}");
            assert_eq!(bench.memory.inbox_versions().len(), 1, "call {call} {when:?}");
        }
    }
}

#[tokio::test]
async fn only_parts_of_the_plan_are_signed() {
    let bench = large();
    let promise = open(&bench, &json!({ "bytes": 9 * MIB, "parts": true })).await;
    let sum = "0".repeat(64);
    let part = |number: u64, bytes: usize| json!({ "number": number, "bytes": bytes, "sha256": sum });
    let many: Vec<Value> = (0..101).map(|_| part(1, 8 * MIB)).collect();
    for (parts, expected) in [
        (json!([part(1, 8 * MIB), part(2, MIB)]), (200, "")),
        (json!([part(1, MIB)]), (422, "parts-refused")),
        (json!([part(2, 8 * MIB)]), (422, "parts-refused")),
        (json!([part(0, 8 * MIB)]), (422, "parts-refused")),
        (json!([part(3, MIB)]), (422, "parts-refused")),
        (json!([part(70_000, MIB)]), (400, "invalid-body")),
        (json!([{ "number": 1, "bytes": 8 * MIB, "sha256": "x" }]), (400, "invalid-body")),
        (json!([]), (400, "invalid-body")),
        (json!(many), (400, "invalid-body")),
    ] {
        let told = bench.ask("POST", &path(&promise, "/parts")).json(&json!({ "parts": parts })).told().await;
        assert_eq!(told.code(), expected, "{parts}");
    }
    let single = open(&bench, &json!({ "bytes": 1, "sha256": sum })).await;
    let body = json!({ "parts": [part(1, 1)] });
    assert_eq!(
        bench.ask("POST", &path(&single, "/parts")).json(&body).told().await.code(),
        (409, "upload-closed")
    );
}

#[tokio::test]
async fn an_upload_is_given_up_or_expires() {
    let bench = large();
    let parts = open(&bench, &json!({ "bytes": 9 * MIB, "parts": true })).await;
    let single = open(&bench, &json!({ "bytes": 1, "sha256": sha256(b"x") })).await;
    assert_eq!(bench.memory.open_multiparts(), 1);
    for _ in 0..2 {
        assert_eq!(bench.ask("DELETE", &path(&parts, "")).told().await.status, 204);
    }
    assert_eq!(
        (bench.memory.open_multiparts(), &state(&bench, &parts).await.body["state"]),
        (0, &json!("ABORTED"))
    );
    assert_eq!(
        bench.ask("POST", &path(&parts, "/complete")).json(&json!({ "parts": [] })).told().await.code(),
        (409, "upload-closed")
    );
    bench.wait(899_999);
    assert_eq!(state(&bench, &single).await.body["state"], "OPEN");
    bench.wait(1);
    assert_eq!(state(&bench, &single).await.body["state"], "EXPIRED");
}

#[tokio::test]
async fn a_put_under_a_name_that_is_taken_replaces_only_what_was_seen() {
    let bench = Bench::with_feeds();
    bench.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    let wish =
        |body: &str| json!({ "name": "day.csv", "bytes": body.len(), "sha256": sha256(body.as_bytes()) });
    let one = open(&bench, &wish("id,name\n7,Gil\n")).await;
    let other = open(&bench, &wish("id,name\n8,Hal\n")).await;
    assert!(one.body["put"]["headers"]["if-match"].is_string());
    assert_eq!(put(&bench, &one.body["put"], b"id,name\n7,Gil\n").status, 200);
    assert_eq!(put(&bench, &other.body["put"], b"id,name\n8,Hal\n").status, 412);
}

#[tokio::test]
async fn above_five_gigabytes_an_upload_comes_in_parts_without_being_asked() {
    let bench = large();
    let told = open(&bench, &json!({ "bytes": 6_000_000_000_u64, "sha256": "0".repeat(64) })).await;
    assert!(told.body["put"].is_null() && told.body["parts"].is_u64());
    let words = Words::of("north").with("scopes", "read");
    assert_eq!(bench.ask_as(&words, "GET", &path(&told, "")).told().await.status, 200);
}
