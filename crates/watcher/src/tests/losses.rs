//! What was lost is found and sent again, and nothing else is.

use ledger::{Claim, Claimed, Fence, FileId, FileVersion, LoadId, State};
use proptest::prelude::*;
use store::{HoldFeeds as _, WriteLedger as _};

use super::harness::*;
use super::holds::hold_of;
use crate::reconciliation::{BUSY, MOST_SENDS, MOST_SENDS_WHILE_BUSY, YOUNGEST_MS, YOUNGEST_WHILE_BUSY_MS};

const KEY: &str = "north/visits/a.csv";
const GOOD: &str = "id,name\n1,Ann\n";

fn visits(harness: &Harness) {
    harness.memory.publish_contract("visits", contract(""));
}

#[tokio::test]
async fn files_whose_events_were_lost_end_as_if_they_had_not_been() {
    let harness = Harness::new();
    visits(&harness);
    let expected = [
        (KEY, GOOD, State::Complete),
        ("north/visits/Nord + Süd (1) 50%.csv", GOOD, State::Complete),
        ("north/visits/x.csv", "id\nx,y\n", State::Quarantined),
        ("north/nowhere/x.csv", GOOD, State::Quarantined),
        ("lost.csv", GOOD, State::Quarantined),
        ("north/visits/", "", State::Ignored),
        ("north/visits/.DS_Store", "x", State::Ignored),
    ];
    let files = expected.map(|(key, bytes, _)| harness.memory.land("inbox", key, bytes));
    let older = harness.memory.land("inbox", KEY, GOOD);
    let unversioned = harness.memory.land_unversioned("inbox", "north/visits/u.csv", GOOD);
    let deleted = harness.memory.land("inbox", "north/visits/gone.csv", GOOD);
    harness.memory.delete(&deleted);
    harness.run(BEGIN_MS).await.expect("well");
    assert_eq!(harness.gauge("FilesResent"), Some(9));
    assert_eq!(harness.process_sent().await.len(), 9);
    for (file, (key, _, state)) in files.iter().zip(expected) {
        assert_eq!(harness.state(file), Some(state), "{key}");
    }
    assert_eq!(harness.state(&older), Some(State::Complete));
    assert_eq!((harness.state(&unversioned), harness.state(&deleted)), (Some(State::Complete), None));
    harness.run(BEGIN_MS + HOUR_MS).await.expect("well");
    assert_eq!((harness.gauge("FilesResent"), harness.memory.take_sent()), (Some(0), Vec::new()));
}

#[tokio::test]
async fn a_version_whose_event_may_still_be_on_its_way_is_left_alone() {
    let harness = Harness::new();
    visits(&harness);
    let file = harness.memory.land("inbox", KEY, GOOD);
    harness.memory.made_at(&file, BEGIN_MS - YOUNGEST_MS);
    harness.run(BEGIN_MS).await.expect("well");
    assert_eq!(harness.gauge("FilesResent"), Some(0));
    harness.run(BEGIN_MS + HOUR_MS).await.expect("well");
    assert_eq!(harness.gauge("FilesResent"), Some(1));
}

#[tokio::test]
async fn one_run_sends_a_thousand_and_the_next_ones_go_on_where_it_got_to() {
    let harness = Harness::new();
    harness.memory.pages_of(300);
    for number in 0..2_300 {
        harness.memory.land("inbox", &format!("north/visits/{number:05}.csv"), "x");
    }
    let mut seen = std::collections::BTreeSet::new();
    for (run, sent) in [MOST_SENDS, MOST_SENDS, 300].into_iter().enumerate() {
        harness.run(BEGIN_MS + run as u64 * 5 * MINUTE_MS).await.expect("well");
        let bodies = harness.memory.take_sent();
        assert_eq!((bodies.len(), harness.gauge("FilesResent")), (sent, Some(sent as u64)), "run {run}");
        seen.extend(bodies);
    }
    assert_eq!(seen.len(), 2_300, "each once");
    harness.run(BEGIN_MS + 20 * MINUTE_MS).await.expect("well");
    assert!(harness.memory.take_sent().is_empty(), "the next round begins an hour after the last");
}

#[tokio::test]
async fn while_the_queue_is_busy_a_version_is_sent_when_it_is_old() {
    let harness = Harness::new();
    let young = harness.memory.land("inbox", "north/visits/young.csv", GOOD);
    harness.memory.made_at(&young, BEGIN_MS - YOUNGEST_WHILE_BUSY_MS);
    let old = harness.memory.land("inbox", "north/visits/old.csv", GOOD);
    harness.memory.made_at(&old, BEGIN_MS - YOUNGEST_WHILE_BUSY_MS - 1);
    harness.memory.set_backlog(BUSY);
    harness.run(BEGIN_MS).await.expect("well");
    let sent = harness.memory.take_sent().concat();
    assert!(sent.contains("old.csv") && !sent.contains("young.csv"), "{sent}");
    assert!(
        harness.memory.reconciled().is_some_and(|cursor| cursor.place.is_none()),
        "the round is at its end"
    );
    harness.memory.set_backlog(BUSY - 1);
    harness.run(BEGIN_MS + HOUR_MS).await.expect("well");
    assert_eq!(harness.memory.take_sent().len(), 2, "a queue with fewer messages is not busy");
}

#[tokio::test]
async fn a_queue_that_is_always_busy_gets_every_lost_file_a_hundred_at_a_time() {
    let harness = Harness::new();
    harness.memory.pages_of(30);
    for number in 0..250 {
        harness.memory.land("inbox", &format!("north/visits/{number:05}.csv"), "x");
    }
    harness.memory.set_backlog(50_000);
    let mut seen = std::collections::BTreeSet::new();
    for (run, sent) in [MOST_SENDS_WHILE_BUSY, MOST_SENDS_WHILE_BUSY, 50, 0].into_iter().enumerate() {
        harness.run(BEGIN_MS + run as u64 * 5 * MINUTE_MS).await.expect("well");
        let bodies = harness.memory.take_sent();
        assert_eq!((bodies.len(), harness.gauge("FilesResent")), (sent, Some(sent as u64)), "run {run}");
        seen.extend(bodies);
    }
    assert_eq!(seen.len(), 250, "each once in a round");
}

/// Claims a version and returns it, with the lease that the claim got.
async fn claimed(harness: &Harness, key: &str, made_ms: u64, lease_until_ms: u64) -> (FileVersion, Fence) {
    let file = harness.memory.land("inbox", key, GOOD);
    harness.memory.made_at(&file, made_ms);
    let id = FileId::of(&file);
    let claim = Claim {
        file: file.clone(),
        partner: "north".to_owned(),
        feed: "visits".to_owned(),
        load: LoadId::new(&id, &[0; 32], 1, 0),
        owner: key.to_owned(),
        order: ledger::Order::of_event(made_ms),
        now_ms: made_ms,
        lease_until_ms,
    };
    let Ok(Claimed::Mine(entry)) = harness.memory.claim(&claim).await else { panic!("a new file") };
    (file, Fence::of(&entry))
}

#[tokio::test]
async fn a_load_that_somebody_works_on_or_that_waits_for_its_own_message_is_left_alone() {
    let harness = Harness::new();
    claimed(&harness, "north/visits/live.csv", BEGIN_MS - HOUR_MS, BEGIN_MS + 1).await;
    let (_, released) = claimed(&harness, "north/visits/waits.csv", BEGIN_MS - HOUR_MS, BEGIN_MS).await;
    let (_, given_up) =
        claimed(&harness, "north/visits/given-up.csv", BEGIN_MS - 2 * HOUR_MS, BEGIN_MS).await;
    for fence in [&released, &given_up] {
        harness.memory.release(fence).await.expect("no planned fault");
    }
    claimed(&harness, "north/visits/died.csv", BEGIN_MS - HOUR_MS, BEGIN_MS - MINUTE_MS).await;
    harness.run(BEGIN_MS).await.expect("well");
    let sent = harness.memory.take_sent().concat();
    assert!(
        sent.contains("died") && sent.contains("given-up") && harness.gauge("FilesResent") == Some(2),
        "{sent}"
    );
}

#[tokio::test]
async fn a_load_is_stuck_when_its_lease_ended_a_quarter_of_an_hour_ago() {
    let harness = Harness::new();
    let (file, _) = claimed(&harness, KEY, BEGIN_MS - HOUR_MS, BEGIN_MS).await;
    let (_, released) = claimed(&harness, "north/visits/b.csv", BEGIN_MS - HOUR_MS, BEGIN_MS).await;
    harness.memory.release(&released).await.expect("no planned fault");
    for (minutes, stuck) in [(0, 0), (15, 0), (16, 1), (30, 1), (31, 2)] {
        harness.run(BEGIN_MS + minutes * MINUTE_MS).await.expect("well");
        assert_eq!(harness.gauge("LoadsStuck"), Some(stuck), "after {minutes} minutes");
    }
    let named = harness.last_with("LoadsStuck")["stuckFiles"].to_string();
    assert!(named.contains(FileId::of(&file).as_str()) && !named.contains("visits"), "{named}");
    visits(&harness);
    harness.run(BEGIN_MS + 2 * HOUR_MS).await.expect("well");
    harness.process_sent().await;
    harness.run(BEGIN_MS + 2 * HOUR_MS + MINUTE_MS).await.expect("well");
    assert_eq!(harness.gauge("LoadsStuck"), Some(0), "they were sent again and are loaded");
}

#[tokio::test]
async fn a_decided_file_that_was_never_announced_is_announced() {
    let harness = Harness::new();
    visits(&harness);
    let file = harness.memory.land("inbox", KEY, GOOD);
    let event = event_of(&file, BEGIN_MS - HOUR_MS);
    // The death of the processor at the announcement, its last call but one.
    assert!(harness.deliver(&event).await);
    let calls = harness.memory.calls().len();
    let harness = Harness::new();
    visits(&harness);
    let file = harness.memory.land("inbox", KEY, GOOD);
    harness.memory.die_at(calls - 1, store::memory::When::BeforeEffect);
    assert!(!harness.deliver(&event).await);
    harness.memory.revive();
    assert_eq!((harness.state(&file), harness.memory.published().len()), (Some(State::Complete), 0));
    harness.run(BEGIN_MS).await.expect("well");
    assert_eq!(harness.process_sent().await.len(), 1);
    assert_eq!(harness.memory.published().len(), 1);
    harness.run(BEGIN_MS + HOUR_MS).await.expect("well");
    assert_eq!(harness.gauge("FilesResent"), Some(0));
}

#[tokio::test]
async fn of_two_runs_at_a_time_one_goes_on() {
    let harness = Harness::new();
    harness.memory.pages_of(1);
    for name in ["a", "b", "c"] {
        harness.memory.land("inbox", name, "x");
    }
    let calls = |harness: &Harness| {
        harness.memory.calls().iter().position(|call| *call == store::Operation::WriteCursor)
    };
    harness.run(BEGIN_MS).await.expect("well");
    let first = calls(&harness).expect("a cursor") + 1;
    let rival = Harness::new();
    rival.memory.pages_of(1);
    for name in ["a", "b", "c"] {
        rival.memory.land("inbox", name, "x");
    }
    rival.memory.before(first, |memory| async move {
        use store::{Cursor, Reconciliation};
        let ended = Cursor { revision: 1, begun_ms: BEGIN_MS, place: None };
        assert!(memory.put_cursor(&ended, None).await.expect("no planned fault"));
    });
    rival.run(BEGIN_MS).await.expect("well");
    assert_eq!(rival.memory.take_sent().len(), 1, "it sent one page and let the other go on");
}

/// What a sender may have done, and what may have become of it.
#[derive(Clone, Copy, Debug)]
enum Past {
    /// Its event never came.
    Lost,
    /// It was processed.
    Processed,
    /// It was claimed by somebody who died.
    Died,
    /// It was deleted.
    Deleted,
    /// The processor died at its n-th call.
    Broken(usize),
    /// Its feed was held, and the release was interrupted.
    Waited,
}

fn past() -> impl Strategy<Value = Past> {
    prop_oneof![
        Just(Past::Lost),
        Just(Past::Processed),
        Just(Past::Died),
        Just(Past::Deleted),
        Just(Past::Waited),
        (1_usize..14).prop_map(Past::Broken)
    ]
}

async fn make(harness: &Harness, name: usize, past: Past) {
    let key =
        ["north/visits/a.csv", "north/visits/b.csv", "south/visits/", "bad", "south/nowhere/x"][name % 5];
    if let Past::Died = past {
        claimed(harness, key, BEGIN_MS - HOUR_MS, BEGIN_MS - MINUTE_MS).await;
        return;
    }
    let file = harness.memory.land("inbox", key, GOOD);
    harness.memory.made_at(&file, BEGIN_MS - HOUR_MS);
    let event = event_of(&file, BEGIN_MS - HOUR_MS);
    match past {
        Past::Processed => drop(harness.deliver(&event).await),
        Past::Deleted => harness.memory.delete(&file),
        Past::Broken(call) => {
            let calls = harness.memory.calls().len();
            harness.memory.die_at(calls + call, store::memory::When::AfterEffect);
            harness.deliver(&event).await;
            harness.memory.revive();
        }
        Past::Waited => {
            let hold = hold_of("north", "visits");
            harness.memory.put_hold(&hold).await.expect("no planned fault");
            harness.deliver(&event).await;
            harness.memory.end_hold(&hold).await.expect("no planned fault");
        }
        Past::Lost | Past::Died => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever the bucket and the ledger were, and however busy the queue is, every version that is there becomes
    /// terminal and is announced, and then nothing is sent any more.
    #[test]
    fn nothing_is_lost_for_good(
        pasts in prop::collection::vec((0_usize..5, past()), 1..12),
        page in 1_usize..5,
        busy: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let harness = Harness::new();
            visits(&harness);
            harness.register("north", "visits", 1, true).await;
            harness.memory.pages_of(page);
            for (name, past) in pasts {
                make(&harness, name, past).await;
            }
            let (hours, most) = if busy { (16, MOST_SENDS_WHILE_BUSY) } else { (8, MOST_SENDS) };
            harness.memory.set_backlog(if busy { 2 * BUSY } else { 0 });
            for hour in 0..hours {
                harness.run(BEGIN_MS + hour * HOUR_MS).await.expect("well");
                prop_assert!(harness.gauge("FilesResent").is_some_and(|sent| sent <= most as u64));
                harness.process_sent().await;
            }
            for version in harness.memory.inbox_versions() {
                let entry = harness.entry(&version.file);
                let entry = entry.ok_or_else(|| TestCaseError::fail("a version without an entry"))?;
                prop_assert!(entry.state.is_terminal());
                prop_assert!(entry.announced || entry.state == State::Ignored);
            }
            harness.run(BEGIN_MS + hours * HOUR_MS).await.expect("well");
            prop_assert!(harness.memory.take_sent().is_empty());
            Ok(())
        })?;
    }
}
