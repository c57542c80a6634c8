//! The function against a store in memory, with the processor behind its queue.

mod clean_up;
mod contracts;
mod crashes;
mod feeds;
mod harness;
mod holds;
mod idle;
mod losses;
mod notification;

use harness::{BEGIN_MS, HOUR_MS, Harness, MINUTE_MS, event_of};
use ledger::{FileId, State};
use serde_json::json;
use store::memory::When;
use store::{Operation, WatchedQueue};

use crate::WatchError;
use crate::event::UnknownEvent;

#[tokio::test]
async fn the_heartbeat_is_dropped_once_an_hour_and_its_age_is_that_of_the_newest_that_was_loaded() {
    let harness = Harness::with_heartbeat();
    harness.run(BEGIN_MS).await.expect("well");
    assert_eq!(harness.gauge("HeartbeatAge"), None, "none is loaded yet");
    harness.run(BEGIN_MS + MINUTE_MS).await.expect("well");
    let dropped = harness.memory.inbox_versions();
    let [heartbeat] = &dropped[..] else { panic!("one file, and not {}", dropped.len()) };
    assert_eq!(heartbeat.file.key, "heartbeat/heartbeat/2026-11-21T06.csv");
    harness.arrive_as_it_is(&heartbeat.file, BEGIN_MS).await;
    assert_eq!(harness.state(&heartbeat.file), Some(State::Complete));
    harness.run(BEGIN_MS + 5 * MINUTE_MS).await.expect("well");
    assert_eq!(harness.gauge("HeartbeatAge"), Some(300));
    harness.run(BEGIN_MS + HOUR_MS).await.expect("well");
    assert_eq!((harness.gauge("HeartbeatAge"), harness.memory.inbox_versions().len()), (Some(3_600), 2));
}

#[tokio::test]
async fn a_heartbeat_that_is_rejected_or_has_other_rows_is_no_sign_of_life() {
    let harness = Harness::with_heartbeat();
    for content in ["line,hour\nx,y\n", "line,hour\n1,2026-11-21T06\n"] {
        harness.memory.publish_contract("heartbeat", include_str!("heartbeat.odcs.yaml"));
        let file = harness.memory.land("inbox", "heartbeat/heartbeat/2026-11-21T05.csv", content);
        harness.arrive_as_it_is(&file, BEGIN_MS).await;
    }
    harness.run(BEGIN_MS).await.expect("well");
    assert_eq!(harness.gauge("HeartbeatAge"), None);
}

#[tokio::test]
async fn a_stack_without_a_heartbeat_drops_none() {
    let harness = Harness::new();
    harness.run(BEGIN_MS).await.expect("well");
    assert!(harness.memory.inbox_versions().is_empty());
    assert_eq!((harness.gauge("Watches"), harness.gauge("HeartbeatAge")), (Some(1), None));
}

#[tokio::test]
async fn dead_letters_are_counted_named_and_left_where_they_are() {
    let harness = Harness::new();
    harness.run(BEGIN_MS).await.expect("well");
    assert_eq!(harness.gauge("DeadLetterFiles"), Some(0));
    let file = harness.memory.land("inbox", "north/visits/Jane Doe.csv", "x");
    for number in 0..12 {
        let event = event_of(&file, BEGIN_MS);
        harness.memory.bury(WatchedQueue::InboxDeadLetters, &number.to_string(), &event);
    }
    let load = "r5g61a45bnmyhnp8sgqw0ymkjv";
    let announcement = json!({"fileId": load, "partner": "north", "feed": "visits", "state": "COMPLETE"});
    harness.memory.bury(WatchedQueue::WebhookDeadLetters, "w", &announcement.to_string());
    harness.memory.bury(WatchedQueue::WebhookDeadLetters, "x", "no announcement");
    harness.run(BEGIN_MS + MINUTE_MS).await.expect("well");
    assert_eq!(harness.gauge("DeadLetterFiles"), Some(14));
    let line = harness.last_with("DeadLetterFiles");
    let mut named = [FileId::of(&file).as_str().to_owned(), load.to_owned()];
    named.sort();
    assert_eq!(line["deadFiles"], json!(named));
    assert!(!harness.all_lines().contains("Jane"), "no key leaves the ledger");
}

#[tokio::test]
async fn a_part_that_fails_says_nothing_fails_the_run_and_stops_no_other() {
    let parts = [
        (Operation::ReadPartner, "senders", "LoadsStuck"),
        (Operation::ReadQueue, "dead letters", "DeadLetterFiles"),
        (Operation::ReadCursor, "reconciliation", ""),
        (Operation::ListContracts, "expected files", ""),
        (Operation::ListFiles, "heartbeat", "HeartbeatAge"),
    ];
    for (operation, part, gauge) in parts {
        let harness = Harness::with_heartbeat();
        harness.run(BEGIN_MS).await.expect("well");
        let calls = harness.memory.calls();
        let call = calls.iter().position(|call| *call == operation).expect("it is called") + 1;
        let harness = Harness::with_heartbeat();
        harness.memory.fail_at(call, When::BeforeEffect);
        let ended = harness.run(BEGIN_MS).await;
        assert_eq!(ended, Err(WatchError::Parts(vec![part])), "{operation:?}");
        assert_eq!(harness.gauge("Watches"), Some(0));
        for metric in ["LoadsStuck", "DeadLetterFiles"] {
            assert_eq!(harness.gauge(metric).is_none(), metric == gauge, "{operation:?}: {metric}");
        }
    }
}

#[tokio::test]
async fn a_run_with_little_time_begins_no_page_that_it_could_not_end() {
    let harness = Harness::new();
    harness.memory.land("inbox", "north/visits/a.csv", "x");
    harness.run_until(BEGIN_MS, harness.now_ms() + 20_000).await.expect("well");
    assert!(harness.memory.take_sent().is_empty() && harness.memory.reconciled().is_none());
    harness.run_until(BEGIN_MS, harness.now_ms() + 30_000).await.expect("well");
    assert_eq!(harness.memory.take_sent().len(), 1);
}

#[tokio::test]
async fn an_event_of_somebody_else_is_rejected() {
    let harness = Harness::with_heartbeat();
    let ended = harness.watcher.handle(&json!({"Records": []}), harness.now_ms() + 60_000).await;
    assert_eq!(ended, Err(WatchError::Event(UnknownEvent)));
    assert!(harness.memory.calls().is_empty());
}
