//! Dead loads: when the processor is asked to delete their rows.

use store::State;

use super::harness::*;
use crate::clean_up::MOST_LOADS;
use crate::reconciliation::BUSY;

/// A feed in which one version of a name replaces another, with this many names of two versions each.
async fn scene(names: u64) -> Harness {
    let harness = Harness::new();
    harness
        .memory
        .publish_contract("visits", contract("{property: onSameName, value: supersede, vendor: ingest}"));
    for name in 0..names {
        for (version, rows) in [(0, "1,Ann\n"), (1, "2,Bob\n3,Cid\n")] {
            let key = format!("north/visits/{name}.csv");
            let file = harness.memory.land("inbox", &key, format!("id,name\n{rows}"));
            harness.arrive_as_it_is(&file, BEGIN_MS - DAY_MS + name * 2_000 + version * 1_000).await;
        }
    }
    harness
}

/// One round: sixteen hours, from this time on. What the processor was asked for in each hour.
async fn round(harness: &Harness, from_ms: u64) -> Vec<usize> {
    let mut asked = Vec::new();
    for hour in 0..16 {
        let mut sent = 0;
        for run in 0..12 {
            harness.run(from_ms + hour * HOUR_MS + run * 5 * MINUTE_MS).await.expect("well");
            sent += harness.process_sent().await.iter().filter(|body| body.contains("cleanUp")).count();
        }
        asked.push(sent);
    }
    asked
}

#[tokio::test]
async fn rows_that_nobody_sees_are_deleted_when_their_time_is_over_and_not_before() {
    let harness = scene(20).await;
    assert_eq!((harness.memory.rows().len(), harness.memory.dead().len()), (60, 20));
    let early = round(&harness, BEGIN_MS + 5 * DAY_MS).await;
    assert_eq!(
        (early.iter().sum::<usize>(), harness.memory.rows().len()),
        (0, 60),
        "seven days are not over"
    );
    let asked = round(&harness, BEGIN_MS + 8 * DAY_MS).await;
    assert_eq!((asked.iter().sum::<usize>(), harness.memory.rows().len()), (20, 40));
    assert!(asked.iter().filter(|loads| **loads > 0).count() > 4, "spread over the hours: {asked:?}");
    let entries = harness.memory.entries();
    assert!(entries.iter().all(|entry| entry.loaded == (entry.state == State::Complete)));
    assert_eq!(
        round(&harness, BEGIN_MS + 9 * DAY_MS).await.iter().sum::<usize>(),
        0,
        "nothing is left to do"
    );
}

#[tokio::test]
async fn nothing_is_deleted_while_new_files_wait_or_where_the_stack_keeps_rows() {
    let harness = scene(4).await;
    harness.memory.set_backlog(1_000);
    assert_eq!(round(&harness, BEGIN_MS + 8 * DAY_MS).await.iter().sum::<usize>(), 0);
    harness.memory.set_backlog(0);
    let keeps = Harness::on(harness.memory.clone(), 0);
    assert_eq!(round(&keeps, BEGIN_MS + 9 * DAY_MS).await.iter().sum::<usize>(), 0);
    assert_eq!(harness.memory.rows().len(), 12);
    assert_eq!(round(&harness, BEGIN_MS + 10 * DAY_MS).await.iter().sum::<usize>(), 4);
    assert!(u64::from(MOST_LOADS) < BUSY, "what is asked for does not make the queue busy");
    assert_eq!(harness.memory.rows().len(), 8);
}
