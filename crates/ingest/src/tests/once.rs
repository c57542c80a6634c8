//! A signed PUT lands once, whatever is current under its name.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::memory::{INBOX, When};

use super::harness::{AuthorizerContext, GOOD, Harness, Reply, contract};

const UPLOADS: &str = "/v1/feeds/visits/uploads";
const OTHER: &str = "id,name\n3,Cid\n4,Dan\n";

fn wish(bytes: &str) -> Value {
    let sha256 = hex::encode(Sha256::digest(bytes.as_bytes()));
    json!({ "name": "day.csv", "bytes": bytes.len(), "sha256": sha256 })
}

async fn open(harness: &Harness, wish: &Value) -> Reply {
    harness.ask("POST", UPLOADS).json(wish).reply().await
}

/// Carries a promise out; the status.
fn put(harness: &Harness, promise: &Reply, bytes: &str) -> u16 {
    let signed = &promise.body["put"];
    let headers = signed["headers"].as_object().expect("headers").iter();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.clone(), value.as_str().expect("a value").to_owned())).collect();
    let url = signed["url"].as_str().expect("an address");
    harness.memory.send_signed("PUT", url, &headers, bytes.to_owned()).status
}

fn spent(harness: &Harness) -> usize {
    harness.memory.calls().iter().filter(|call| **call == store::Operation::Spend).count()
}

#[tokio::test]
async fn bytes_that_are_current_are_already_there_and_nothing_is_signed_or_charged() {
    let harness = Harness::with_feeds();
    let promise = open(&harness, &wish(GOOD)).await;
    assert_eq!(put(&harness, &promise, GOOD), 200);
    let before = spent(&harness);
    for decided in [false, true] {
        let there = open(&harness, &wish(GOOD)).await;
        assert_eq!(there.status, 200, "{}", there.text);
        assert_eq!(there.body.get("put"), None);
        assert_eq!(there.body["sha256"], wish(GOOD)["sha256"]);
        let file = there.body["id"].as_str().expect("an id").to_owned();
        assert_eq!(there.body["status"], format!("/api/v1/files/{file}"));
        assert_eq!(there.body["receipt"], format!("/api/v1/files/{file}/receipt"));
        assert_eq!(there.header("location"), there.body["status"].as_str());
        assert_eq!(there.body["state"], if decided { "COMPLETE" } else { "RECEIVED" });
        // Its address answers at once.
        let status = harness.ask("GET", &format!("/v1/files/{file}")).reply().await;
        assert_eq!((status.status, &status.body["state"]), (200, &there.body["state"]));
        harness.process().await;
    }
    // Two requests were counted twice each, and no bytes.
    assert_eq!(spent(&harness) - before, 4);
    assert_eq!(harness.memory.inbox_versions().len(), 1);
}

#[tokio::test]
async fn of_all_promises_under_a_name_one_lands_and_only_once() {
    let harness = Harness::with_feeds();
    for bytes in [GOOD, OTHER, GOOD] {
        let promises = [open(&harness, &wish(bytes)).await, open(&harness, &wish(bytes)).await];
        let landed = harness.memory.inbox_versions().len();
        let mut answers: Vec<u16> = Vec::new();
        for _ in 0..4 {
            answers.extend(promises.iter().map(|promise| put(&harness, promise, bytes)));
        }
        assert_eq!(answers, [200, 412, 412, 412, 412, 412, 412, 412]);
        assert_eq!(harness.memory.inbox_versions().len(), landed + 1);
        harness.process().await;
    }
}

#[tokio::test]
async fn an_object_that_came_by_s3_is_compared_as_soon_as_it_was_read() {
    let harness = Harness::with_feeds();
    harness.memory.land(INBOX, "north/visits/day.csv", GOOD);
    let wait = open(&harness, &wish(GOOD)).await;
    assert_eq!(wait.code(), (409, "same-bytes"));
    assert!(wait.header("retry-after").is_some(), "{}", wait.text);
    // Other lengths are other bytes.
    let other = open(&harness, &wish("id,name\n")).await;
    assert_eq!(other.status, 201, "{}", other.text);
    harness.process().await;
    let there = open(&harness, &wish(GOOD)).await;
    assert_eq!((there.status, &there.body["state"]), (200, &json!("COMPLETE")));
    let promise = open(&harness, &wish(OTHER)).await;
    assert_eq!((put(&harness, &promise, OTHER), put(&harness, &promise, OTHER)), (200, 412));
}

#[tokio::test]
async fn bytes_that_were_quarantined_can_be_sent_again_where_once_can_be_held() {
    let harness = Harness::with_feeds();
    harness.memory.publish_contract("visits", contract("visits", &[("number", "integer")], ""));
    harness.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    harness.process().await;
    let rejected = open(&harness, &wish(GOOD)).await;
    assert_eq!(rejected.code(), (409, "same-bytes"));
    assert!(
        rejected.text.contains("parts: true") && rejected.header("retry-after").is_none(),
        "{}",
        rejected.text
    );
    let mut parts = wish(GOOD);
    parts["parts"] = json!(true);
    assert_eq!(open(&harness, &parts).await.status, 201);
    harness.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    assert_eq!(harness.memory.inbox_versions().len(), 2);
}

#[tokio::test]
async fn a_correction_is_another_file_than_the_same_bytes_without_one() {
    let harness = Harness::with_feeds();
    let earlier = harness.send("/v1/feeds/visits/files?name=week.csv", OTHER).await;
    harness.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    harness.process().await;
    let mut correction = wish(GOOD);
    correction["corrects"] = json!(earlier);
    assert_eq!(open(&harness, &correction).await.code(), (409, "same-bytes"));
}

#[tokio::test]
async fn bytes_of_another_partner_are_never_revealed() {
    let harness = Harness::with_feeds();
    harness.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    let south = AuthorizerContext::of("south");
    assert_eq!(harness.ask_as(&south, "POST", UPLOADS).json(&wish(GOOD)).reply().await.status, 201);
}

#[tokio::test]
async fn a_promise_that_is_asked_for_again_after_its_bytes_landed_is_answered_with_the_file() {
    let harness = Harness::with_feeds();
    let ask =
        async || harness.ask("POST", UPLOADS).header("idempotency-key", "k").json(&wish(GOOD)).reply().await;
    let promise = ask().await;
    assert_eq!(put(&harness, &promise, GOOD), 200);
    let again = ask().await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    // When others came after them, the promise is over.
    harness.send("/v1/feeds/visits/files?name=day.csv", OTHER).await;
    assert_eq!(ask().await.code(), (409, "upload-closed"));
}

#[tokio::test]
async fn a_failure_at_any_call_never_signs_a_second_put_of_current_bytes() {
    let made = async || {
        let harness = Harness::with_feeds();
        harness.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
        harness
    };
    let whole = made().await;
    let before = whole.memory.calls().len();
    assert_eq!(open(&whole, &wish(GOOD)).await.status, 200);
    for call in before + 1..=whole.memory.calls().len() {
        let harness = made().await;
        harness.memory.fail_at(call, When::BeforeEffect);
        let first = open(&harness, &wish(GOOD)).await.status;
        assert!([200, 503].contains(&first), "call {call}: {first}");
        assert_eq!(open(&harness, &wish(GOOD)).await.status, 200, "call {call}");
    }
}
