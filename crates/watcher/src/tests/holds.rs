//! Files that wait because their feed is held: left alone, and sent when a release left them behind.

use ledger::{FileVersion, Hold, State};
use store::HoldFeeds as _;

use super::harness::*;
use crate::reconciliation::MOST_SENDS;

pub(super) fn hold_of(partner: &str, feed: &str) -> Hold {
    Hold {
        partner: partner.to_owned(),
        feed: feed.to_owned(),
        since_ms: 1,
        by: store::Arn::parse("arn:aws:iam::123456789012:user/ann").expect("an ARN"),
        reason: "a test".to_owned(),
    }
}

/// Returns a stack that holds a feed of a registered partner, whose contract expects a file each day at six.
async fn held() -> Harness {
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(&daily("")));
    harness.register("north", "visits", 1, true).await;
    harness.memory.put_hold(&hold_of("north", "visits")).await.expect("no planned fault");
    harness
}

async fn waits(harness: &Harness, name: &str, made_ms: u64) -> FileVersion {
    let file = harness.memory.land("inbox", &format!("north/visits/{name}.csv"), "id,name\n1,Ann\n");
    harness.memory.made_at(&file, made_ms);
    assert!(harness.deliver(&event_of(&file, made_ms)).await, "its message is acknowledged");
    assert_eq!(harness.state(&file), Some(State::Held));
    file
}

#[tokio::test]
async fn a_file_of_a_held_feed_has_arrived_and_is_neither_sent_again_nor_stuck() {
    let harness = held().await;
    waits(&harness, "a", BEGIN_MS).await;
    for hours in 2..20 {
        harness.run(BEGIN_MS + hours * HOUR_MS).await.expect("well");
        assert_eq!(harness.gauge("FilesResent"), Some(0), "after {hours} hours");
        assert_eq!(harness.gauge("LoadsStuck"), Some(0), "after {hours} hours");
        assert_eq!(harness.feed("visits"), Some([0; 4]), "after {hours} hours");
    }
    assert!(harness.memory.take_sent().is_empty());
}

#[tokio::test]
async fn what_a_release_left_is_sent_within_the_bounds_of_a_run_and_once() {
    let harness = held().await;
    harness.memory.pages_of(300);
    for number in 0..1_100 {
        waits(&harness, &format!("{number:04}"), BEGIN_MS - HOUR_MS).await;
    }
    let other = hold_of("north", "labs");
    harness.memory.put_hold(&other).await.expect("no planned fault");
    // The hold has ended, and the command died before it sent a file.
    harness.memory.end_hold(&hold_of("north", "visits")).await.expect("no planned fault");
    let (mut asked, mut processed) = (0, 0);
    for (run, sent) in [MOST_SENDS, 100, 0].into_iter().enumerate() {
        let before = harness.memory.calls().len();
        harness.run(BEGIN_MS + run as u64 * 5 * MINUTE_MS).await.expect("well");
        assert_eq!(harness.gauge("FilesResent"), Some(sent as u64), "run {run}");
        let calls = &harness.memory.calls()[before..];
        asked += calls.iter().filter(|call| **call == store::Operation::ReadHold).count();
        processed += harness.process_sent().await.len();
    }
    assert_eq!(asked, 2, "once in each run that meets a file that waits");
    assert_eq!(processed, 1_100);
    let loaded = harness.memory.entries().iter().filter(|entry| entry.state == State::Complete).count();
    assert_eq!(loaded, 1_100);
    harness.run(BEGIN_MS + 2 * HOUR_MS).await.expect("well");
    assert!(harness.memory.take_sent().is_empty());
}

#[tokio::test]
async fn what_is_sent_while_the_feed_is_held_again_waits_again() {
    let harness = held().await;
    let file = waits(&harness, "a", BEGIN_MS - HOUR_MS).await;
    harness.memory.end_hold(&hold_of("north", "visits")).await.expect("no planned fault");
    harness.run(BEGIN_MS).await.expect("well");
    let again = Hold { since_ms: BEGIN_MS, ..hold_of("north", "visits") };
    harness.memory.put_hold(&again).await.expect("no planned fault");
    assert_eq!(harness.process_sent().await.len(), 1);
    assert_eq!(harness.state(&file), Some(State::Held));
    harness.memory.end_hold(&again).await.expect("no planned fault");
    harness.run(BEGIN_MS + HOUR_MS).await.expect("well");
    harness.process_sent().await;
    assert_eq!(harness.state(&file), Some(State::Complete));
}
