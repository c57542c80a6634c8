//! A signed PUT lands once, whatever is current under its name.

use host::hexadecimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::memory::{INBOX, When};

use super::bench::{Bench, GOOD, Told, Words, contract};

const UPLOADS: &str = "/v1/feeds/visits/uploads";
const OTHER: &str = "id,name\n3,Cid\n4,Dan\n";

fn wish(bytes: &str) -> Value {
    let sha256 = hexadecimal(&Sha256::digest(bytes.as_bytes()));
    json!({ "name": "day.csv", "bytes": bytes.len(), "sha256": sha256 })
}

async fn open(bench: &Bench, wish: &Value) -> Told {
    bench.ask("POST", UPLOADS).json(wish).told().await
}

/// Carries a promise out; the status.
fn put(bench: &Bench, promise: &Told, bytes: &str) -> u16 {
    let signed = &promise.body["put"];
    let headers = signed["headers"].as_object().expect("headers").iter();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.clone(), value.as_str().expect("a value").to_owned())).collect();
    let url = signed["url"].as_str().expect("an address");
    bench.memory.send_signed("PUT", url, &headers, bytes.to_owned()).status
}

fn spent(bench: &Bench) -> usize {
    bench.memory.calls().iter().filter(|call| **call == store::Operation::Spend).count()
}

#[tokio::test]
async fn bytes_that_are_current_are_already_there_and_nothing_is_signed_or_charged() {
    let bench = Bench::with_feeds();
    let promise = open(&bench, &wish(GOOD)).await;
    assert_eq!(put(&bench, &promise, GOOD), 200);
    let before = spent(&bench);
    for decided in [false, true] {
        let there = open(&bench, &wish(GOOD)).await;
        assert_eq!(there.status, 200, "{}", there.text);
        assert_eq!(there.body.get("put"), None);
        assert_eq!(there.body["sha256"], wish(GOOD)["sha256"]);
        let file = there.body["id"].as_str().expect("an id").to_owned();
        assert_eq!(there.body["status"], format!("/api/v1/files/{file}"));
        assert_eq!(there.body["receipt"], format!("/api/v1/files/{file}/receipt"));
        assert_eq!(there.header("location"), there.body["status"].as_str());
        assert_eq!(there.body["state"], if decided { "COMPLETE" } else { "RECEIVED" });
        // Its address answers at once.
        let status = bench.ask("GET", &format!("/v1/files/{file}")).told().await;
        assert_eq!((status.status, &status.body["state"]), (200, &there.body["state"]));
        bench.process().await;
    }
    // Two requests were counted twice each, and no bytes.
    assert_eq!(spent(&bench) - before, 4);
    assert_eq!(bench.memory.inbox_versions().len(), 1);
}

#[tokio::test]
async fn of_all_promises_under_a_name_one_lands_and_only_once() {
    let bench = Bench::with_feeds();
    for bytes in [GOOD, OTHER, GOOD] {
        let promises = [open(&bench, &wish(bytes)).await, open(&bench, &wish(bytes)).await];
        let landed = bench.memory.inbox_versions().len();
        let mut answers: Vec<u16> = Vec::new();
        for _ in 0..4 {
            answers.extend(promises.iter().map(|promise| put(&bench, promise, bytes)));
        }
        assert_eq!(answers, [200, 412, 412, 412, 412, 412, 412, 412]);
        assert_eq!(bench.memory.inbox_versions().len(), landed + 1);
        bench.process().await;
    }
}

#[tokio::test]
async fn an_object_that_came_by_s3_is_compared_as_soon_as_it_was_read() {
    let bench = Bench::with_feeds();
    bench.memory.land(INBOX, "north/visits/day.csv", GOOD);
    let wait = open(&bench, &wish(GOOD)).await;
    assert_eq!(wait.code(), (409, "same-bytes"));
    assert!(wait.header("retry-after").is_some(), "{}", wait.text);
    // Other lengths are other bytes.
    let other = open(&bench, &wish("id,name\n")).await;
    assert_eq!(other.status, 201, "{}", other.text);
    bench.process().await;
    let there = open(&bench, &wish(GOOD)).await;
    assert_eq!((there.status, &there.body["state"]), (200, &json!("COMPLETE")));
    let promise = open(&bench, &wish(OTHER)).await;
    assert_eq!((put(&bench, &promise, OTHER), put(&bench, &promise, OTHER)), (200, 412));
}

#[tokio::test]
async fn bytes_that_were_quarantined_can_be_sent_again_where_once_can_be_held() {
    let bench = Bench::with_feeds();
    bench.memory.publish_contract("visits", contract("visits", &[("number", "integer")], ""));
    bench.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    bench.process().await;
    let refused = open(&bench, &wish(GOOD)).await;
    assert_eq!(refused.code(), (409, "same-bytes"));
    assert!(
        refused.text.contains("parts: true") && refused.header("retry-after").is_none(),
        "{}",
        refused.text
    );
    let mut parts = wish(GOOD);
    parts["parts"] = json!(true);
    assert_eq!(open(&bench, &parts).await.status, 201);
    bench.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    assert_eq!(bench.memory.inbox_versions().len(), 2);
}

#[tokio::test]
async fn a_correction_is_another_file_than_the_same_bytes_without_one() {
    let bench = Bench::with_feeds();
    let earlier = bench.send("/v1/feeds/visits/files?name=week.csv", OTHER).await;
    bench.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    bench.process().await;
    let mut correction = wish(GOOD);
    correction["corrects"] = json!(earlier);
    assert_eq!(open(&bench, &correction).await.code(), (409, "same-bytes"));
}

#[tokio::test]
async fn nobody_learns_of_the_bytes_of_another_partner() {
    let bench = Bench::with_feeds();
    bench.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
    let south = Words::of("south");
    assert_eq!(bench.ask_as(&south, "POST", UPLOADS).json(&wish(GOOD)).told().await.status, 201);
}

#[tokio::test]
async fn a_promise_that_is_asked_for_again_after_its_bytes_landed_is_answered_with_the_file() {
    let bench = Bench::with_feeds();
    let ask =
        async || bench.ask("POST", UPLOADS).header("idempotency-key", "k").json(&wish(GOOD)).told().await;
    let promise = ask().await;
    assert_eq!(put(&bench, &promise, GOOD), 200);
    let again = ask().await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    // When others came after them, the promise is over.
    bench.send("/v1/feeds/visits/files?name=day.csv", OTHER).await;
    assert_eq!(ask().await.code(), (409, "upload-closed"));
}

#[tokio::test]
async fn a_failure_at_any_call_never_signs_a_second_put_of_current_bytes() {
    let made = async || {
        let bench = Bench::with_feeds();
        bench.send("/v1/feeds/visits/files?name=day.csv", GOOD).await;
        bench
    };
    let whole = made().await;
    let before = whole.memory.calls().len();
    assert_eq!(open(&whole, &wish(GOOD)).await.status, 200);
    for call in before + 1..=whole.memory.calls().len() {
        let bench = made().await;
        bench.memory.fail_at(call, When::BeforeEffect);
        let first = open(&bench, &wish(GOOD)).await.status;
        assert!([200, 503].contains(&first), "call {call}: {first}");
        assert_eq!(open(&bench, &wish(GOOD)).await.status, 200, "call {call}");
    }
}
