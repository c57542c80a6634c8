//! The outbox ends right: whatever the order of deliveries (`orders`), and wherever a delivery fails (`failures`).

mod failures;
mod harness;
mod orders;

use std::collections::BTreeSet;

use harness::{Harness, KEY, RECEIPT, VALUE};
use ledger::State;
use serde_json::{Value, json};
use store::S3Principals as _;

#[tokio::test]
async fn a_partner_with_s3_principals_finds_the_receipt_that_the_ledger_names() {
    let harness = Harness::with_reader().await;
    let file = harness.decided(KEY, State::Complete, None).await;
    assert!(harness.deliver(&[&file]).await.is_empty());
    let (mark, body) = harness.receipt().expect("a receipt");
    assert_eq!((mark.file, body["state"].clone()), (file.id.clone(), json!("COMPLETE")));
    assert_eq!(body, harness.receipt_in_quarantine(&file), "the bytes of the API's receipt");
    assert_eq!(harness.counted("OutboxWritten"), 1);

    assert!(harness.deliver(&[&file, &file]).await.is_empty());
    assert_eq!(harness.counted("OutboxWritten"), 1, "delivered again, nothing is written again");
}

#[tokio::test]
async fn a_partner_without_s3_principals_gets_nothing_and_costs_one_read() {
    let harness = Harness::default();
    let file = harness.decided(KEY, State::Complete, None).await;
    let calls = harness.memory.calls().len();
    assert!(harness.deliver(&[&file]).await.is_empty());
    harness.memory.put_s3_principals("north", &BTreeSet::new()).await.expect("kept");
    assert!(harness.deliver(&[&file]).await.is_empty());
    assert!(harness.memory.outbox_receipts().is_empty());
    assert_eq!(harness.memory.calls().len(), calls + 3);
}

#[tokio::test]
async fn rejects_are_returned_only_where_the_receipt_says_so_and_the_receipt_names_them() {
    for (returned, ending) in [(None, ""), (Some("csv"), "rejects.csv"), (Some("ndjson"), "rejects.ndjson")] {
        let harness = Harness::with_reader().await;
        let file = harness.decided(KEY, State::Complete, returned).await;
        assert!(harness.deliver(&[&file]).await.is_empty());
        let (_, body) = harness.receipt().expect("a receipt");
        let rejects = harness.memory.outbox_rejects();
        if returned.is_none() {
            assert!(rejects.is_empty() && body.get("rejects").is_none(), "{body}");
            continue;
        }
        let key = format!("{KEY}.{}.{ending}", file.load);
        assert_eq!(body["rejects"], key.as_str());
        assert_eq!(rejects.keys().collect::<Vec<_>>(), [&key]);
        assert!(rejects[&key].bytes.starts_with(VALUE.as_bytes()));
        assert!(!body.to_string().contains(VALUE), "no value in a receipt");
    }
}

#[tokio::test]
async fn a_form_of_rejects_that_only_a_newer_processor_knows_leaves_a_receipt_without_them() {
    let harness = Harness::with_reader().await;
    let file = harness.decided(KEY, State::Complete, Some("parquet")).await;
    assert!(harness.deliver(&[&file]).await.is_empty());
    let (_, body) = harness.receipt().expect("a receipt");
    assert_eq!(body, harness.receipt_in_quarantine(&file));
    assert!(harness.memory.outbox_rejects().is_empty());
    assert_eq!((harness.counted("OutboxWritten"), harness.counted("OutboxFailed")), (1, 0));
}

#[tokio::test]
async fn rejects_that_are_not_there_leave_a_receipt_without_them() {
    let harness = Harness::with_reader().await;
    let file = harness.decided(KEY, State::Complete, Some("csv")).await;
    harness.memory.expire(&format!("{}rejects.csv", file.folder()));
    assert!(harness.deliver(&[&file]).await.is_empty());
    let (_, body) = harness.receipt().expect("a receipt");
    assert_eq!(body.get("rejects"), None);
}

#[tokio::test]
async fn what_has_no_receipt_or_no_place_is_done_and_what_is_no_announcement_is_given_back() {
    let harness = Harness::with_reader().await;
    let ignored = harness.decided_as(KEY, "", State::Ignored, None).await;
    let expired = harness.decided(KEY, State::Complete, None).await;
    harness.memory.expire(&expired.receipt);
    let long = format!("north/visits/{}", "x".repeat(1_005));
    let long = harness.decided(&long, State::Complete, None).await;
    let mut foreign = harness.decided("south/visits/day.csv", State::Complete, None).await;
    foreign.partner = "north".to_owned();
    assert!(harness.deliver(&[&ignored, &expired, &long, &foreign]).await.is_empty());
    assert!(harness.memory.outbox_receipts().is_empty());

    let event = json!({ "Records": [{ "messageId": "m", "receiptHandle": "m", "body": "{}" }] });
    let response = harness.writer().handle(&event, harness::DEADLINE_MS).await.expect("a batch");
    assert_eq!(response.batch_item_failures.len(), 1);
    assert_eq!(harness.memory.deferred(), [("m".to_owned(), 10)]);
    assert_eq!(harness.counted("ForeignMessages"), 1);
}

#[tokio::test]
async fn two_names_have_two_receipts() {
    let harness = Harness::with_reader().await;
    let other = "north/visits/day.csv.receipt.json";
    let files = [
        harness.decided(KEY, State::Complete, None).await,
        harness.decided(other, State::Quarantined, None).await,
    ];
    assert!(harness.deliver(&[&files[0], &files[1]]).await.is_empty());
    let keys: Vec<String> = harness.memory.outbox_receipts().into_keys().collect();
    assert_eq!(keys, [RECEIPT.to_owned(), format!("{other}.receipt.json")]);
}

#[tokio::test]
async fn a_receipt_that_is_not_a_json_object_ends_among_the_dead_letters_soon() {
    for body in ["[1", "[]", "7"] {
        let harness = Harness::with_reader().await;
        let file = harness.decided(KEY, State::Complete, None).await;
        harness.memory.keep(&file.receipt, body);
        for receive_count in 1..=12 {
            assert_eq!(harness.deliver_at(receive_count, &[&file]).await, ["0"]);
        }
        assert_eq!(harness.counted("OutboxFailed"), 12);
        assert_eq!(harness.receipt().map(|(_, body): (_, Value)| body), None);
        let pauses: Vec<u32> = harness.memory.deferred().into_iter().map(|(_, seconds)| seconds).collect();
        assert_eq!(pauses, [10; 12], "it cannot change");
    }
}
