use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::memory::SignedAnswer;

use super::harness::{AuthorizerContext, GOOD, Harness, Reply, contract};

const UPLOADS: &str = "/v1/feeds/visits/uploads";
const MIB: usize = 1024 * 1024;

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

async fn open(harness: &Harness, body: &Value) -> Reply {
    harness.ask("POST", UPLOADS).json(body).reply().await
}

/// Returns a feed that takes files of any size.
fn large() -> Harness {
    let harness = Harness::new();
    let unlimited = contract("visits", &[("id", "integer")], "").replace("3000000", "5000000000000");
    harness.memory.publish_contract("visits", unlimited);
    harness
}

/// Carries a signed request out.
fn put(harness: &Harness, signed: &Value, body: &[u8]) -> SignedAnswer {
    let headers = signed["headers"].as_object().expect("headers").iter();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.clone(), value.as_str().expect("a value").to_owned())).collect();
    let url = signed["url"].as_str().expect("an address");
    harness.memory.send_signed(signed["method"].as_str().expect("a method"), url, &headers, body.to_vec())
}

fn path(reply: &Reply, more: &str) -> String {
    format!("/v1/uploads/{}{more}", reply.body["upload"].as_str().expect("an upload"))
}

async fn state(harness: &Harness, reply: &Reply) -> Reply {
    harness.ask("GET", &path(reply, "")).reply().await
}

#[tokio::test]
async fn a_signed_put_takes_exactly_the_promised_bytes_once() {
    let harness = Harness::with_feeds();
    let promise = open(&harness, &json!({ "name": "day.csv", "bytes": GOOD.len(), "sha256": sha256(GOOD.as_bytes()), "contentType": "text/csv" })).await;
    assert_eq!(promise.status, 201);
    let signed = &promise.body["put"];
    assert_eq!((&signed["expiresSeconds"], &signed["headers"]["if-none-match"]), (&json!(900), &json!("*")));
    assert_eq!(signed["headers"]["content-length"], GOOD.len().to_string());
    assert_eq!(state(&harness, &promise).await.body["state"], "OPEN");
    assert_eq!(put(&harness, signed, b"id,name\n9,Eve\n2,Bob\n!").status, 403, "another length");
    assert_eq!(put(&harness, signed, "id,name\n1,Eve\n2,Bob\n".as_bytes()).status, 400, "other bytes");
    assert_eq!(put(&harness, signed, GOOD.as_bytes()).status, 200);
    assert_eq!(put(&harness, signed, GOOD.as_bytes()).status, 412, "once");
    let landed = state(&harness, &promise).await;
    assert_eq!(landed.body["state"], "LANDED");
    let file = landed.body["status"].as_str().expect("a link").trim_start_matches("/api").to_owned();
    assert_eq!(harness.ask("GET", &file).reply().await.body["state"], "RECEIVED");
    harness.process().await;
    assert_eq!(harness.ask("GET", &file).reply().await.body["state"], "COMPLETE");
    assert_eq!(state(&harness, &promise).await.text, landed.text);
}

#[tokio::test]
async fn what_cannot_be_promised_is_rejected() {
    let harness = Harness::with_feeds();
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
        assert_eq!(open(&harness, &body).await.code(), expected, "{body}");
    }
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert_eq!(open(&harness, &json!({ "bytes": deep })).await.code(), (400, "invalid-body"));
}

/// Sends every part of two; their numbers, tags and checksums.
async fn send_parts(harness: &Harness, promise: &Reply, content: &[u8]) -> Value {
    let cut: Vec<&[u8]> = content.chunks(8 * MIB).collect();
    let wanted = |(place, part): (usize, &&[u8])| json!({ "number": place + 1, "bytes": part.len(), "sha256": sha256(part) });
    let wanted: Vec<Value> = cut.iter().enumerate().map(wanted).collect();
    let signed =
        harness.ask("POST", &path(promise, "/parts")).json(&json!({ "parts": wanted })).reply().await;
    assert_eq!(signed.status, 200, "{}", signed.text);
    let sent = signed.body["parts"].as_array().expect("parts").iter().zip(&cut).map(|(signed, part)| {
        let etag = put(harness, signed, part).etag.expect("stored");
        json!({ "number": signed["number"], "etag": etag, "sha256": sha256(part) })
    });
    json!({ "parts": sent.collect::<Vec<_>>() })
}

#[tokio::test]
async fn parts_become_one_file_and_completing_again_finds_it() {
    let harness = large();
    let content = format!("id,name\n{}", "1,Ann\n".repeat(9 * MIB / 6)).into_bytes();
    let promise = open(&harness, &json!({ "name": "year.csv", "bytes": content.len(), "parts": true })).await;
    assert_eq!((&promise.body["partBytes"], &promise.body["parts"]), (&json!(8 * MIB), &json!(2)));
    let parts = send_parts(&harness, &promise, &content).await;
    let complete =
        async |parts: &Value| harness.ask("POST", &path(&promise, "/complete")).json(parts).reply().await;
    let mut wrong = parts.clone();
    wrong["parts"][1]["sha256"] = json!("0".repeat(64));
    assert_eq!(complete(&wrong).await.code(), (422, "parts-rejected"));
    for mistake in [
        json!({ "parts": [] }),
        json!({ "parts": [parts["parts"][1], parts["parts"][0]] }),
        json!({ "parts": [parts["parts"][0]] }),
    ] {
        assert_eq!(complete(&mistake).await.code(), (422, "parts-rejected"));
    }
    let done = complete(&parts).await;
    assert_eq!((done.status, &done.body["name"]), (202, &json!("year.csv")));
    assert!(harness.memory.inbox_versions()[0].bytes == content);
    assert_eq!(complete(&parts).await.text, done.text);
    assert_eq!(state(&harness, &promise).await.body["id"], done.body["id"]);
    assert_eq!(harness.ask("DELETE", &path(&promise, "")).reply().await.code(), (409, "upload-closed"));
    let again = json!({ "parts": [{ "number": 1, "bytes": 8 * MIB, "sha256": "0".repeat(64) }] });
    assert_eq!(
        harness.ask("POST", &path(&promise, "/parts")).json(&again).reply().await.code(),
        (409, "upload-closed")
    );
    assert_eq!(harness.memory.inbox_versions().len(), 1);
}

#[tokio::test]
async fn completing_again_is_enough_after_a_failure_at_any_call_of_it() {
    use store::memory::When;
    let content = vec![b'a'; 9 * MIB];
    let opened = async || {
        let harness = large();
        let promise = open(&harness, &json!({ "bytes": content.len(), "parts": true })).await;
        let parts = send_parts(&harness, &promise, &content).await;
        (harness, promise, parts)
    };
    let (harness, promise, parts) = opened().await;
    let before = harness.memory.calls().len();
    harness.ask("POST", &path(&promise, "/complete")).json(&parts).reply().await;
    for call in before + 1..=harness.memory.calls().len() {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let (harness, promise, parts) = opened().await;
            harness.memory.die_at(call, when);
            let complete =
                async || harness.ask("POST", &path(&promise, "/complete")).json(&parts).reply().await;
            let first = complete().await.status;
            assert!([202, 503].contains(&first), "call {call} {when:?}");
            harness.memory.revive();
            assert_eq!(complete().await.status, 202, "call {call} {when:?}");
            assert_eq!(harness.memory.inbox_versions().len(), 1, "call {call} {when:?}");
        }
    }
}

#[tokio::test]
async fn only_parts_of_the_plan_are_signed() {
    let harness = large();
    let promise = open(&harness, &json!({ "bytes": 9 * MIB, "parts": true })).await;
    let sum = "0".repeat(64);
    let part = |number: u64, bytes: usize| json!({ "number": number, "bytes": bytes, "sha256": sum });
    let many: Vec<Value> = (0..101).map(|_| part(1, 8 * MIB)).collect();
    for (parts, expected) in [
        (json!([part(1, 8 * MIB), part(2, MIB)]), (200, "")),
        (json!([part(1, MIB)]), (422, "parts-rejected")),
        (json!([part(2, 8 * MIB)]), (422, "parts-rejected")),
        (json!([part(0, 8 * MIB)]), (422, "parts-rejected")),
        (json!([part(3, MIB)]), (422, "parts-rejected")),
        (json!([part(70_000, MIB)]), (400, "invalid-body")),
        (json!([{ "number": 1, "bytes": 8 * MIB, "sha256": "x" }]), (400, "invalid-body")),
        (json!([]), (400, "invalid-body")),
        (json!(many), (400, "invalid-body")),
    ] {
        let reply =
            harness.ask("POST", &path(&promise, "/parts")).json(&json!({ "parts": parts })).reply().await;
        assert_eq!(reply.code(), expected, "{parts}");
    }
    let single = open(&harness, &json!({ "bytes": 1, "sha256": sum })).await;
    let body = json!({ "parts": [part(1, 1)] });
    assert_eq!(
        harness.ask("POST", &path(&single, "/parts")).json(&body).reply().await.code(),
        (409, "upload-closed")
    );
}

#[tokio::test]
async fn an_upload_is_given_up_or_expires() {
    let harness = large();
    let parts = open(&harness, &json!({ "bytes": 9 * MIB, "parts": true })).await;
    let single = open(&harness, &json!({ "bytes": 1, "sha256": sha256(b"x") })).await;
    assert_eq!(harness.memory.open_multiparts(), 1);
    for _ in 0..2 {
        assert_eq!(harness.ask("DELETE", &path(&parts, "")).reply().await.status, 204);
    }
    assert_eq!(
        (harness.memory.open_multiparts(), &state(&harness, &parts).await.body["state"]),
        (0, &json!("ABORTED"))
    );
    assert_eq!(
        harness.ask("POST", &path(&parts, "/complete")).json(&json!({ "parts": [] })).reply().await.code(),
        (409, "upload-closed")
    );
    harness.wait(899_999);
    assert_eq!(state(&harness, &single).await.body["state"], "OPEN");
    harness.wait(1);
    assert_eq!(state(&harness, &single).await.body["state"], "EXPIRED");
}

#[tokio::test]
async fn a_put_under_a_name_that_is_taken_replaces_only_what_was_seen() {
    let harness = Harness::with_feeds();
    harness.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    let wish =
        |body: &str| json!({ "name": "day.csv", "bytes": body.len(), "sha256": sha256(body.as_bytes()) });
    let one = open(&harness, &wish("id,name\n7,Gil\n")).await;
    let other = open(&harness, &wish("id,name\n8,Hal\n")).await;
    assert!(one.body["put"]["headers"]["if-match"].is_string());
    assert_eq!(put(&harness, &one.body["put"], b"id,name\n7,Gil\n").status, 200);
    assert_eq!(put(&harness, &other.body["put"], b"id,name\n8,Hal\n").status, 412);
}

#[tokio::test]
async fn above_five_gigabytes_an_upload_comes_in_parts_without_being_asked() {
    let harness = large();
    let reply = open(&harness, &json!({ "bytes": 6_000_000_000_u64, "sha256": "0".repeat(64) })).await;
    assert!(reply.body["put"].is_null() && reply.body["parts"].is_u64());
    let words = AuthorizerContext::of("north").with("scopes", "read");
    assert_eq!(harness.ask_as(&words, "GET", &path(&reply, "")).reply().await.status, 200);
}
