//! A failure before or after any call of a run, of one call or of the whole process, changes nothing in the end.

use std::collections::BTreeSet;

use store::memory::When;
use store::watch::WatchedQueue;

use super::bench::*;

/// A stack with something for each part to find, in pages of two.
async fn scene() -> Bench {
    let bench = Bench::with_heartbeat();
    bench.memory.pages_of(2);
    bench.memory.publish_contract("visits", contract(&daily("")));
    bench.memory.publish_contract("labs", contract(""));
    bench.memory.publish_contract("labs", "kind: DataContact");
    bench.register("south", "visits", 1, true).await;
    bench.arrive("north/visits", 3, BEGIN_MS - DAY_MS).await;
    for number in 0..5 {
        bench.memory.land("inbox", &format!("north/visits/lost-{number}.csv"), "id,name\n1,Ann\n");
    }
    bench.memory.bury(WatchedQueue::InboxDeadLetters, "m", "{}");
    bench
}

/// Two runs, what was sent, and what all of it came to.
async fn end(bench: &Bench) -> (BTreeSet<String>, Vec<String>, String, bool) {
    for run in 0..2 {
        let now_ms = BEGIN_MS + HOUR_MS + run * 5 * MINUTE_MS;
        // The first may fail.
        drop(bench.run(now_ms).await);
        bench.memory.revive();
        let versions = bench.memory.inbox_versions().into_iter().map(|version| version.file);
        for heartbeat in versions.filter(|file| file.key.starts_with("heartbeat/")) {
            bench.memory.made_at(&heartbeat, now_ms);
        }
    }
    let keys = bench.memory.inbox_versions().into_iter().map(|version| version.file.key).collect();
    let sent = bench.process_sent().await;
    let is_through = bench.memory.reconciled().is_some_and(|cursor| cursor.place.is_none());
    (sent, keys, bench.memory.state(), is_through)
}

#[tokio::test]
async fn a_failure_anywhere_is_made_good_by_the_next_run() {
    let clean = scene().await;
    let before = clean.memory.calls().len();
    clean.run(BEGIN_MS + HOUR_MS).await.expect("well");
    let calls = clean.memory.calls().len() - before;
    let expected = end(&scene().await).await;
    assert_eq!((expected.0.len(), expected.3), (5, true), "five lost files");
    assert!(expected.1.iter().any(|key| key.starts_with("heartbeat/")), "{:?}", expected.1);
    assert!(calls > 20, "{calls}");
    for call in 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let bench = scene().await;
                if deadly {
                    bench.memory.die_at(before + call, when);
                } else {
                    bench.memory.fail_at(before + call, when);
                }
                assert_eq!(end(&bench).await, expected, "{call} {when:?} {deadly}");
            }
        }
    }
}
