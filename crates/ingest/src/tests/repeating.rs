use serde_json::{Value, json};
use store::memory::When;

use super::harness::{AuthorizerContext, GOOD, Harness, Reply};

const FILES: &str = "/v1/feeds/visits/files?name=day.csv";

async fn send(harness: &Harness, key: &str, body: &str) -> Reply {
    harness.ask("POST", FILES).header("idempotency-key", key).body(body.as_bytes()).reply().await
}

async fn open(harness: &Harness, body: &Value) -> Reply {
    harness.ask("POST", "/v1/feeds/visits/uploads").header("Idempotency-Key", "k").json(body).reply().await
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_makes_one_file() {
    let harness = Harness::with_feeds();
    let first = send(&harness, "k1", GOOD).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, None));
    let again = send(&harness, "k1", GOOD).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, Some("true")));
    assert_eq!(
        (first.text, first.headers["location"].clone()),
        (again.text, again.headers["location"].clone())
    );
    assert_eq!(harness.memory.inbox_versions().len(), 1);
    assert_eq!(send(&harness, "k2", GOOD).await.status, 202);
    assert_eq!(harness.memory.inbox_versions().len(), 2, "another key is another request");
}

#[tokio::test]
async fn the_same_key_with_another_request_is_rejected() {
    let harness = Harness::with_feeds();
    assert_eq!(send(&harness, "k1", GOOD).await.status, 202);
    assert_eq!(send(&harness, "k1", "id,name\n").await.code(), (422, "idempotency-key-reused"));
    let other = harness.ask("POST", "/v1/feeds/visits/files?name=other.csv").header("idempotency-key", "k1");
    assert_eq!(other.body(GOOD.as_bytes()).reply().await.code(), (422, "idempotency-key-reused"));
    assert_eq!(harness.memory.inbox_versions().len(), 1);
}

#[tokio::test]
async fn keys_of_two_partners_have_nothing_to_do_with_each_other() {
    let harness = Harness::with_feeds();
    send(&harness, "k1", GOOD).await;
    let south =
        harness.ask_as(&AuthorizerContext::of("south"), "POST", FILES).header("idempotency-key", "k1");
    let reply = south.body(b"id,name\n7,Gil\n").reply().await;
    assert_eq!((reply.status, reply.header("idempotency-replayed")), (202, None));
}

#[tokio::test]
async fn a_request_that_is_being_carried_out_is_not_carried_out_twice() {
    let harness = Harness::with_feeds();
    // The process dies when the file has landed (call 6: requests, contract, begin, look, bytes, put).
    harness.memory.die_at(6, When::AfterEffect);
    assert_eq!(send(&harness, "k1", GOOD).await.code(), (503, "unavailable"));
    harness.memory.revive();
    let running = send(&harness, "k1", GOOD).await;
    assert_eq!(running.code(), (409, "request-running"));
    assert!(running.header("retry-after").is_some());
    assert_eq!(send(&harness, "k1", "id,name\n").await.code(), (422, "idempotency-key-reused"));
    harness.wait(30_000);
    assert_eq!(send(&harness, "k1", GOOD).await.status, 202);
    assert_eq!(harness.memory.inbox_versions().len(), 1, "it found its own bytes");
}

#[tokio::test]
async fn a_rejected_request_can_be_corrected_and_sent_again() {
    let harness = Harness::with_feeds();
    let few = AuthorizerContext::of("north").with("bytesPerDay", "5");
    let ask = |words: &AuthorizerContext, body: &'static str| {
        harness.ask_as(words, "POST", FILES).header("idempotency-key", "k1").body(body.as_bytes())
    };
    assert_eq!(ask(&few, GOOD).reply().await.status, 429);
    assert_eq!(ask(&few, "id,n").reply().await.status, 202);
}

/// Sends until it is taken, as a client does: half a minute apart.
async fn until_taken(harness: &Harness, send: impl AsyncFn(&Harness) -> Reply) -> Reply {
    for _ in 0..4 {
        let reply = send(harness).await;
        match reply.status {
            200..=299 => return reply,
            503 | 409 => harness.wait(30_000),
            _ => panic!("{}", reply.text),
        }
        harness.memory.revive();
    }
    panic!("not taken after four attempts")
}

#[tokio::test]
async fn a_failure_or_death_before_or_after_any_call_makes_one_file_and_one_answer() {
    let whole = Harness::with_feeds();
    let answer = send(&whole, "k1", GOOD).await;
    let calls = whole.memory.calls().len();
    assert!(calls >= 8, "{calls}");
    for call in 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let harness = Harness::with_feeds();
                if deadly {
                    harness.memory.die_at(call, when);
                } else {
                    harness.memory.fail_at(call, when);
                }
                let reply =
                    until_taken(&harness, async |harness: &Harness| send(harness, "k1", GOOD).await).await;
                let place = format!("call {call} {when:?} deadly {deadly}");
                assert_eq!(harness.memory.inbox_versions().len(), 1, "{place}");
                harness.memory.revive();
                harness.wait(30_000);
                let again = send(&harness, "k1", GOOD).await;
                assert_eq!((again.status, &again.body["id"]), (202, &reply.body["id"]), "{place}");
                assert_eq!(reply.body["sha256"], answer.body["sha256"], "{place}");
                assert_eq!(harness.memory.inbox_versions().len(), 1, "{place}");
            }
        }
    }
}

#[tokio::test]
async fn an_upload_that_is_asked_for_twice_is_one_upload_with_a_fresh_address() {
    let harness = Harness::with_feeds();
    let body = json!({ "bytes": GOOD.len(), "sha256": "0".repeat(64), "name": "day.csv" });
    let first = open(&harness, &body).await;
    harness.wait(60_000);
    let again = open(&harness, &body).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(
        (&first.body["upload"], &first.body["expiresAt"]),
        (&again.body["upload"], &again.body["expiresAt"])
    );
    assert_eq!(
        (&first.body["put"]["expiresSeconds"], &again.body["put"]["expiresSeconds"]),
        (&json!(900), &json!(840))
    );
    assert_eq!(
        open(&harness, &json!({ "bytes": 1, "sha256": "0".repeat(64) })).await.code(),
        (422, "idempotency-key-reused")
    );
    harness.wait(840_000);
    assert_eq!(open(&harness, &body).await.code(), (409, "upload-closed"), "no address outlives the promise");
}

#[tokio::test]
async fn a_failure_before_or_after_any_call_promises_one_upload() {
    let body = json!({ "bytes": 20, "name": "day.csv", "parts": true });
    let whole = Harness::with_feeds();
    assert_eq!(open(&whole, &body).await.status, 201);
    for call in 1..=whole.memory.calls().len() {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let harness = Harness::with_feeds();
            harness.memory.die_at(call, when);
            let reply = until_taken(&harness, async |harness: &Harness| open(harness, &body).await).await;
            harness.memory.revive();
            harness.wait(30_000);
            assert_eq!(
                open(&harness, &body).await.body["upload"],
                reply.body["upload"],
                "call {call} {when:?}"
            );
            let path = format!("/v1/uploads/{}", reply.body["upload"].as_str().expect("an upload"));
            assert_eq!(harness.ask("GET", &path).reply().await.body["state"], "OPEN");
        }
    }
}
