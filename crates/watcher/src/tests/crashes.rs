//! A failure before or after any call of a run, of one call or of the whole process, changes nothing in the end.

use std::collections::BTreeSet;

use store::WatchedQueue;
use store::memory::When;

use super::harness::*;
use super::holds::hold_of;
use store::HoldFeeds as _;

/// Returns a stack with something for each part to find, in pages of two.
async fn scene() -> Harness {
    let harness = Harness::with_heartbeat();
    harness.memory.pages_of(2);
    harness.memory.publish_contract("visits", contract(&daily("")));
    harness.memory.publish_contract("labs", contract(""));
    harness.memory.publish_contract("labs", "kind: DataContact");
    harness.register("south", "visits", 1, true).await;
    harness.arrive("north/visits", 3, BEGIN_MS - DAY_MS).await;
    for number in 0..5 {
        harness.memory.land("inbox", &format!("north/visits/lost-{number}.csv"), "id,name\n1,Ann\n");
    }
    // One waits, and one was left behind by a release.
    for feed in ["labs", "visits"] {
        harness.memory.put_hold(&hold_of("south", feed)).await.expect("no planned fault");
        let file = harness.memory.land("inbox", &format!("south/{feed}/waits.csv"), "id,name\n1,Ann\n");
        harness.arrive_as_it_is(&file, BEGIN_MS - DAY_MS).await;
    }
    harness.memory.end_hold(&hold_of("south", "visits")).await.expect("no planned fault");
    harness.memory.bury(WatchedQueue::InboxDeadLetters, "m", "{}");
    harness
}

/// Two runs, what was sent, and what all of it came to.
async fn end(harness: &Harness) -> (BTreeSet<String>, Vec<String>, String, bool) {
    for run in 0..2 {
        let now_ms = BEGIN_MS + HOUR_MS + run * 5 * MINUTE_MS;
        // The first may fail.
        drop(harness.run(now_ms).await);
        harness.memory.revive();
        let versions = harness.memory.inbox_versions().into_iter().map(|version| version.file);
        for heartbeat in versions.filter(|file| file.key.starts_with("heartbeat/")) {
            harness.memory.made_at(&heartbeat, now_ms);
        }
    }
    let keys = harness.memory.inbox_versions().into_iter().map(|version| version.file.key).collect();
    let sent = harness.process_sent().await;
    let is_through = harness.memory.reconciled().is_some_and(|cursor| cursor.place.is_none());
    (sent, keys, harness.memory.state(), is_through)
}

#[tokio::test]
async fn a_failure_anywhere_is_made_good_by_the_next_run() {
    let clean = scene().await;
    let before = clean.memory.calls().len();
    clean.run(BEGIN_MS + HOUR_MS).await.expect("well");
    let calls = clean.memory.calls().len() - before;
    let expected = end(&scene().await).await;
    assert_eq!((expected.0.len(), expected.3), (6, true), "five lost files and one that was left behind");
    assert!(expected.1.iter().any(|key| key.starts_with("heartbeat/")), "{:?}", expected.1);
    assert!(calls > 20, "{calls}");
    for call in 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let harness = scene().await;
                if deadly {
                    harness.memory.die_at(before + call, when);
                } else {
                    harness.memory.fail_at(before + call, when);
                }
                assert_eq!(end(&harness).await, expected, "{call} {when:?} {deadly}");
            }
        }
    }
}
