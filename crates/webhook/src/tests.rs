//! The function against receivers on this machine.

mod failures;
mod harness;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use harness::{
    BEGIN_MS, FILE, Harness, OLD_SECRET, SECRET, WebhookReceiver, announcement, batch, header, ids, message,
    posted,
};

use runtime::SqsBatchResponse;
use store::memory::Memory;
use telemetry::RecordedLines;

use super::*;

/// A deadline that nothing comes near.
const DEADLINE_MS: u64 = BEGIN_MS + 10_000_000;
/// HMAC-SHA256 over id, time and body of [`posted`] to `north` at [`BEGIN_MS`] under either secret, computed with
/// Python's `hmac`.
const SIGNATURE: &str = "v1,Rtblj2qwwW3tAYH9CJA48ZcaTQX7Dx/V8z8lv53XEOE=";
const OLD_SIGNATURE: &str = "v1,vM/eDssdiroOOyJJ88aMVEiyRV2X/vgwF5HVx9VHeXM=";

/// Handles a batch while receivers answer.
async fn handle(
    sender: &WebhookSender<Memory, Memory>,
    messages: &[serde_json::Value],
    receivers: impl Future,
) -> SqsBatchResponse {
    let event = batch(messages);
    tokio::select! {
        response = sender.handle(&event, DEADLINE_MS) => response.unwrap(),
        _ = receivers => panic!("a receiver ended"),
    }
}

/// Delivers one announcement for `north` to a receiver that answers so.
async fn deliver_to(harness: &Arc<Harness>, receiver: &WebhookReceiver, answer: &str) -> SqsBatchResponse {
    harness.set("north", &receiver.url()).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    handle(&sender, &[message("m", 1, &announcement("north"))], receiver.serve(answer)).await
}

#[tokio::test]
async fn an_outcome_is_posted_with_the_name_that_is_known_and_signed() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    let response = deliver_to(&harness, &receiver, "200 OK").await;
    assert_eq!(serde_json::to_string(&response).unwrap(), r#"{"batchItemFailures":[]}"#);
    let [request] = &receiver.said()[..] else { panic!("one post") };
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(&format!("\r\n\r\n{}", posted("north"))), "{request}");
    assert_eq!(header(request, "webhook-id"), format!("{FILE}-ce8hmn7mrjtx6-COMPLETE"));
    assert_eq!(header(request, "webhook-timestamp"), "1700000000");
    assert_eq!(header(request, "webhook-signature"), SIGNATURE);
    assert_eq!(header(request, "content-type"), "application/json");
    assert_eq!((harness.counted("WebhooksDelivered"), harness.deferred().len()), (1, 0));
}

#[tokio::test]
async fn a_file_is_named_to_its_own_partner_only_and_its_receipt_is_an_address_of_the_api() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    for partner in ["north", "south"] {
        harness.set(partner, &receiver.url()).await;
    }
    let file = harness.claimed("north/visits/day 1.csv").await;
    let sender = harness.sender(AddressPolicy::Loopback);
    for partner in ["north", "south"] {
        let announced = announcement(partner).replace(FILE, &file);
        let receipt = r#","receipt":{"bucket":"operators-bucket","key":"_receipts/north/x.json"}}"#;
        let announced = announced.trim_end_matches('}').to_owned() + receipt;
        handle(&sender, &[message("m", 1, &announced)], receiver.serve("200 OK")).await;
    }
    let posted = receiver.said();
    let bodies: Vec<serde_json::Value> = posted
        .iter()
        .map(|request| serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap())
        .collect();
    assert_eq!(bodies[0]["name"], "day 1.csv");
    assert_eq!(bodies[0]["receipt"], format!("{}/v1/files/{file}/receipt", harness::API));
    assert_eq!(bodies[1]["name"], serde_json::Value::Null, "another partner's file has no name here");
    assert!(!posted.concat().contains("operators-bucket"), "{posted:?}");
}

#[tokio::test]
async fn without_the_ledger_nothing_is_posted_until_it_answers() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    harness.set("north", &receiver.url()).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    let messages = [message("m", 1, &announcement("north"))];
    harness.memory.fail_at(harness.memory.calls().len() + 2, store::memory::When::BeforeEffect);
    let response = handle(&sender, &messages, std::future::pending::<()>()).await;
    assert_eq!((ids(&response), harness.counted("RetryableErrors")), (vec!["m"], 1));
    let response = handle(&sender, &messages, receiver.serve("200 OK")).await;
    assert_eq!((ids(&response).len(), receiver.said().len()), (0, 1));
}

#[tokio::test]
async fn during_a_rotation_both_secrets_sign() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    harness.set_with("north", &receiver.url(), SECRET, Some(OLD_SECRET)).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    handle(&sender, &[message("m", 1, &announcement("north"))], receiver.serve("204 No Content")).await;
    assert_eq!(header(&receiver.said()[0], "webhook-signature"), format!("{SIGNATURE} {OLD_SIGNATURE}"));
}

#[tokio::test]
async fn a_second_attempt_has_the_same_id_and_its_own_time() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    deliver_to(&harness, &receiver, "503 Service Unavailable").await;
    harness.elapsed.store(10_000, Ordering::Relaxed);
    deliver_to(&harness, &receiver, "200 OK").await;
    let said = receiver.said();
    let [first, second] = &said[..] else { panic!("two posts") };
    assert_eq!(header(first, "webhook-id"), header(second, "webhook-id"));
    assert_eq!(header(second, "webhook-timestamp"), "1700000010");
    assert_ne!(header(first, "webhook-signature"), header(second, "webhook-signature"));
}

#[tokio::test]
async fn success_and_gone_are_the_end_and_everything_else_comes_back() {
    for (answer, ends, metric) in [
        ("200 OK", true, "WebhooksDelivered"),
        ("202 Accepted", true, "WebhooksDelivered"),
        ("299 Odd", true, "WebhooksDelivered"),
        ("410 Gone", true, "WebhooksUnwanted"),
        ("400 Bad Request", false, "WebhooksFailed"),
        ("404 Not Found", false, "WebhooksFailed"),
        ("429 Too Many Requests", false, "WebhooksFailed"),
        ("500 Internal Server Error", false, "WebhooksFailed"),
        ("HTTP", false, "WebhooksFailed"),
    ] {
        let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
        let response = deliver_to(&harness, &receiver, answer).await;
        assert_eq!(ids(&response).is_empty(), ends, "{answer}");
        assert_eq!((harness.counted(metric), receiver.said().len()), (1, 1), "{answer}");
        assert_eq!(harness.deferred().len(), usize::from(!ends), "{answer}");
    }
}

#[tokio::test]
async fn a_file_without_a_receiver_is_done_with() {
    let harness = Arc::<Harness>::default();
    let sender = harness.sender(AddressPolicy::Public);
    let messages = [message("a", 1, &announcement("north")), message("b", 1, &announcement(""))];
    let response = handle(&sender, &messages, std::future::pending::<()>()).await;
    assert_eq!(ids(&response), [""; 0]);
    assert!(harness.metrics.lock().unwrap().is_empty() && harness.deferred().is_empty());
}

#[tokio::test]
async fn a_slow_receiver_delays_no_other_in_its_batch() {
    let (harness, slow, quick) =
        (Arc::<Harness>::default(), WebhookReceiver::new().await, WebhookReceiver::new().await);
    harness.set("slow", &slow.url()).await;
    harness.set("quick", &quick.url()).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    let mut messages: Vec<_> =
        (0..5).map(|index| message(&format!("slow-{index}"), 1, &announcement("slow"))).collect();
    messages.extend((0..5).map(|index| message(&format!("quick-{index}"), 1, &announcement("quick"))));
    // The slow one does not answer before the quick one has received everything.
    let receivers = async {
        for _ in 0..5 {
            quick.take("200 OK").await;
        }
        slow.serve("200 OK").await
    };
    let response = handle(&sender, &messages, receivers).await;
    assert_eq!(ids(&response), [""; 0]);
    assert_eq!((slow.said().len(), quick.said().len(), harness.counted("WebhooksDelivered")), (5, 5, 10));
}

#[tokio::test]
async fn no_address_secret_or_body_is_logged_counted_or_answered() {
    for answer in ["200 OK", "302 Found\r\nlocation: https://elsewhere.example/secret", "500 Secret"] {
        let lines = RecordedLines::begin();
        let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
        let response = deliver_to(&harness, &receiver, answer).await;
        let logged = lines.end();
        let seen = format!("{logged} {response:?} {:?}", harness.metrics.lock().unwrap());
        for kept in [SECRET, "127.0.0.1", "/hook", "elsewhere", "Secret", "visits", "v1,"] {
            assert!(!seen.contains(kept), "{kept} in {seen}");
        }
        assert!(logged.contains("north") && logged.contains(FILE) && logged.contains("answer"), "{logged}");
    }
}
