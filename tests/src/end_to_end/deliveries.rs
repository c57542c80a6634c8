//! The same event again, late, out of order, after the ledger was lost: the outcome is that of the bucket.

use super::files::{contract_with, csv};
use super::harness::Harness;
use super::tables::wipe;

const KEY: &str = "north/scans/day.csv";

#[tokio::test]
async fn the_same_event_three_times_changes_nothing() {
    let harness = Harness::open().await;
    harness.silence().await;
    let version = harness.land(KEY, csv(0, 50) + "AB1,Bad,CT,,,\n").await;
    let event = harness.event(KEY, &version, "0055AED6DCD90281E5");
    harness.deliver(&event).await;
    assert_eq!(harness.outcome(KEY, &version).await.counts(), [51, 50, 1]);
    harness.settle().await;
    let before = (harness.ledger().await, harness.records().await);
    for _ in 0..2 {
        harness.deliver(&event).await;
        harness.settle().await;
    }
    assert_eq!((harness.ledger().await, harness.records().await), before);
    let announced = harness.announcements().len();
    assert_eq!(announced, 1, "a redelivery announces nothing again");
}

#[tokio::test]
async fn an_older_version_that_arrives_late_is_superseded_and_stays_below() {
    let harness = Harness::open().await;
    harness.publish(&contract_with("value: append", "value: supersede")).await;
    harness.silence().await;
    let older = harness.land(KEY, csv(0, 10)).await;
    let newer = harness.land(KEY, csv(0, 7)).await;
    harness.deliver(&harness.event(KEY, &newer, "0055AED6DCD90281E6")).await;
    assert_eq!(harness.outcome(KEY, &newer).await.state(), "COMPLETE");
    harness.deliver(&harness.event(KEY, &older, "0055AED6DCD90281E5")).await;
    assert_eq!(harness.outcome(KEY, &older).await.state(), "SUPERSEDED");
    let newest = harness.entry(KEY, &newer).await.expect("an entry");
    assert_eq!(newest.state(), "COMPLETE", "the newer version stays visible");
    let heads: Vec<_> = harness
        .ledger()
        .await
        .into_iter()
        .filter(|item| item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("head#")))
        .collect();
    assert_eq!(heads.len(), 1);
    assert_eq!(heads[0]["version"]["S"], newer);
    harness.settle().await;
}

#[tokio::test]
async fn a_newer_version_supersedes_the_older_in_the_usual_order_too() {
    let harness = Harness::open().await;
    harness.publish(&contract_with("value: append", "value: supersede")).await;
    let older = harness.land(KEY, csv(0, 10)).await;
    assert_eq!(harness.outcome(KEY, &older).await.state(), "COMPLETE");
    assert_eq!(harness.process(KEY, csv(0, 7)).await.state(), "COMPLETE");
    let superseded = harness.entry(KEY, &older).await.expect("an entry");
    assert_eq!(superseded.state(), "SUPERSEDED");
    assert_eq!(harness.receipt(&superseded).await["state"], "SUPERSEDED");
    let announced = harness.announcements().into_iter().filter(|heard| heard["fileId"] == superseded.file());
    let states: Vec<_> = announced.map(|heard| heard["state"].clone()).collect();
    assert_eq!(states, ["COMPLETE", "SUPERSEDED"], "its sender is notified of both");
    harness.settle().await;
}

#[tokio::test]
async fn a_name_that_is_taken_once_stays_taken_when_its_file_is_deleted() {
    let harness = Harness::open().await;
    harness.publish(&contract_with("value: append", "value: reject")).await;
    let first = harness.land(KEY, csv(0, 10)).await;
    assert_eq!(harness.outcome(KEY, &first).await.state(), "COMPLETE");
    let delete = harness.s3.delete_object().bucket(&harness.names.inbox).key(KEY).version_id(&first);
    delete.send().await.expect("delete the version");
    let second = harness.process(KEY, csv(0, 7)).await;
    assert_eq!((second.state(), second.fault()), ("QUARANTINED", "SAME_NAME"));
    harness.settle().await;
}

#[tokio::test]
async fn a_name_that_is_used_daily_keeps_every_day() {
    let harness = Harness::open().await;
    let first = harness.land(KEY, csv(0, 10)).await;
    assert_eq!(harness.outcome(KEY, &first).await.state(), "COMPLETE");
    let second = harness.process(KEY, csv(5, 10)).await;
    assert_eq!(second.state(), "COMPLETE");
    assert_eq!(
        harness.entry(KEY, &first).await.expect("an entry").state(),
        "COMPLETE",
        "the first day stays"
    );
    assert_eq!(harness.records().await.len(), 20, "five keys have two versions");
    harness.settle().await;
}

#[tokio::test]
async fn a_lost_ledger_and_every_event_again_leave_the_records_byte_equal() {
    let harness = Harness::open().await;
    harness.silence().await;
    let mut events = Vec::new();
    for (index, key) in
        ["north/scans/a.csv", "north/scans/b.csv", "south/scans/a.csv"].into_iter().enumerate()
    {
        let version = harness.land(key, csv(100 * u32::try_from(index).expect("small"), 30)).await;
        let event = harness.event(key, &version, &format!("0055AED6DCD90281E{index}"));
        harness.deliver(&event).await;
        assert_eq!(harness.outcome(key, &version).await.state(), "COMPLETE");
        events.push(event);
    }
    harness.settle().await;
    let before = harness.records().await;
    assert_eq!(before.len(), 90);
    wipe(&harness.dynamodb, &harness.names.ledger).await;
    for event in &events {
        harness.deliver(event).await;
    }
    harness.settle().await;
    assert_eq!(harness.ledger().await.len(), 3, "every file has its entry again");
    assert_eq!(harness.records().await, before);
}
