//! The function against a store in memory, with the processor behind its queue.

mod bench;
mod contracts;
mod crashes;
mod feeds;
mod idle;
mod losses;

use bench::{BEGIN_MS, Bench, HOUR_MS, MINUTE_MS, event_of};
use serde_json::json;
use store::memory::When;
use store::watch::WatchedQueue;
use store::{FileId, Operation, State};

use crate::Failed;
use crate::event::UnknownEvent;

#[tokio::test]
async fn the_heartbeat_is_dropped_once_an_hour_and_its_age_is_that_of_the_newest_that_was_loaded() {
    let bench = Bench::with_heartbeat();
    bench.run(BEGIN_MS).await.expect("well");
    assert_eq!(bench.gauge("HeartbeatAge"), None, "none is loaded yet");
    bench.run(BEGIN_MS + MINUTE_MS).await.expect("well");
    let dropped = bench.memory.inbox_versions();
    let [heartbeat] = &dropped[..] else { panic!("one file, and not {}", dropped.len()) };
    assert_eq!(heartbeat.file.key, "heartbeat/heartbeat/2026-11-21T06.csv");
    bench.arrive_as_it_is(&heartbeat.file, BEGIN_MS).await;
    assert_eq!(bench.state(&heartbeat.file), Some(State::Complete));
    bench.run(BEGIN_MS + 5 * MINUTE_MS).await.expect("well");
    assert_eq!(bench.gauge("HeartbeatAge"), Some(300));
    bench.run(BEGIN_MS + HOUR_MS).await.expect("well");
    assert_eq!((bench.gauge("HeartbeatAge"), bench.memory.inbox_versions().len()), (Some(3_600), 2));
}

#[tokio::test]
async fn a_heartbeat_that_is_refused_or_has_other_rows_is_no_sign_of_life() {
    let bench = Bench::with_heartbeat();
    for content in ["line,hour\nx,y\n", "line,hour\n1,2026-11-21T06\n"] {
        bench.memory.publish_contract("heartbeat", include_str!("heartbeat.odcs.yaml"));
        let file = bench.memory.land("inbox", "heartbeat/heartbeat/2026-11-21T05.csv", content);
        bench.arrive_as_it_is(&file, BEGIN_MS).await;
    }
    bench.run(BEGIN_MS).await.expect("well");
    assert_eq!(bench.gauge("HeartbeatAge"), None);
}

#[tokio::test]
async fn a_stack_without_a_heartbeat_drops_none() {
    let bench = Bench::new();
    bench.run(BEGIN_MS).await.expect("well");
    assert!(bench.memory.inbox_versions().is_empty());
    assert_eq!((bench.gauge("Watches"), bench.gauge("HeartbeatAge")), (Some(1), None));
}

#[tokio::test]
async fn dead_letters_are_counted_named_and_left_where_they_are() {
    let bench = Bench::new();
    bench.run(BEGIN_MS).await.expect("well");
    assert_eq!(bench.gauge("DeadLetterFiles"), Some(0));
    let file = bench.memory.land("inbox", "north/visits/Jane Doe.csv", "x");
    for number in 0..12 {
        let event = event_of(&file, BEGIN_MS);
        bench.memory.bury(WatchedQueue::InboxDeadLetters, &number.to_string(), &event);
    }
    let load = "r5g61a45bnmyhnp8sgqw0ymkjv";
    let announcement = json!({"fileId": load, "partner": "north", "feed": "visits", "state": "COMPLETE"});
    bench.memory.bury(WatchedQueue::WebhookDeadLetters, "w", &announcement.to_string());
    bench.memory.bury(WatchedQueue::WebhookDeadLetters, "x", "no announcement");
    bench.run(BEGIN_MS + MINUTE_MS).await.expect("well");
    assert_eq!(bench.gauge("DeadLetterFiles"), Some(14));
    let line = bench.last_with("DeadLetterFiles");
    let mut named = [FileId::of(&file).as_str().to_owned(), load.to_owned()];
    named.sort();
    assert_eq!(line["deadFiles"], json!(named));
    assert!(!bench.all_lines().contains("Jane"), "no key leaves the ledger");
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
        let bench = Bench::with_heartbeat();
        bench.run(BEGIN_MS).await.expect("well");
        let calls = bench.memory.calls();
        let call = calls.iter().position(|call| *call == operation).expect("it is called") + 1;
        let bench = Bench::with_heartbeat();
        bench.memory.fail_at(call, When::BeforeEffect);
        let ended = bench.run(BEGIN_MS).await;
        assert_eq!(ended, Err(Failed::Parts(vec![part])), "{operation:?}");
        assert_eq!(bench.gauge("Watches"), Some(0));
        for metric in ["LoadsStuck", "DeadLetterFiles"] {
            assert_eq!(bench.gauge(metric).is_none(), metric == gauge, "{operation:?}: {metric}");
        }
    }
}

#[tokio::test]
async fn a_run_with_little_time_begins_no_page_that_it_could_not_end() {
    let bench = Bench::new();
    bench.memory.land("inbox", "north/visits/a.csv", "x");
    bench.run_until(BEGIN_MS, bench.now_ms() + 20_000).await.expect("well");
    assert!(bench.memory.take_sent().is_empty() && bench.memory.reconciled().is_none());
    bench.run_until(BEGIN_MS, bench.now_ms() + 30_000).await.expect("well");
    assert_eq!(bench.memory.take_sent().len(), 1);
}

#[tokio::test]
async fn an_event_of_somebody_else_is_refused() {
    let bench = Bench::with_heartbeat();
    let ended = bench.watcher.handle(&json!({"Records": []}), bench.now_ms() + 60_000).await;
    assert_eq!(ended, Err(Failed::Event(UnknownEvent)));
    assert!(bench.memory.calls().is_empty());
}
