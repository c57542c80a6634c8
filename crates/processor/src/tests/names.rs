//! Feeds whose names are taken once.

use store::{FileVersion, State, memory::When};

use super::harness::*;

const KEY: &str = "north/visits/a.csv";
const BAD: &str = "id\n1\n";
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn once() -> Harness {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "reject")]);
    harness
}

fn ends(harness: &Harness, files: &[FileVersion]) -> Vec<String> {
    let end = |file| harness.fault(file).unwrap_or_else(|| harness.state(file).as_str().to_owned());
    files.iter().map(end).collect()
}

#[tokio::test]
async fn a_name_belongs_to_its_oldest_good_version_in_whatever_order_they_are_delivered() {
    for (contents, expected) in [
        ([GOOD, GOOD, MIXED], ["COMPLETE", "SAME_NAME", "SAME_NAME"]),
        ([BAD, GOOD, MIXED], ["MISSING_COLUMN", "COMPLETE", "SAME_NAME"]),
        ([BAD, BAD, GOOD], ["MISSING_COLUMN", "MISSING_COLUMN", "COMPLETE"]),
        ([GOOD, BAD, GOOD], ["COMPLETE", "SAME_NAME", "SAME_NAME"]),
    ] {
        let mut states = Vec::new();
        for order in ORDERS {
            let harness = once();
            let files = contents.map(|bytes| harness.land(KEY, bytes));
            harness.until_terminal(&order.map(|place| &files[place])).await;
            assert_eq!(ends(&harness, &files), expected, "{order:?}");
            states.push(harness.memory.state());
        }
        assert!(states.iter().all(|state| *state == states[0]), "every order ends in the same store");
    }
}

#[tokio::test]
async fn a_death_anywhere_leaves_the_name_with_the_older_version() {
    let begin = || {
        let harness = once();
        let files = [GOOD, MIXED].map(|bytes| harness.land(KEY, bytes));
        (harness, files)
    };
    let (clean, files) = begin();
    clean.until_terminal(&[&files[1], &files[0]]).await;
    for call in 1..=clean.memory.calls().len() {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let (harness, files) = begin();
            harness.memory.die_at(call, when);
            harness.until_terminal(&[&files[1], &files[0]]).await;
            assert_eq!(harness.memory.state(), clean.memory.state(), "{call} {when:?}");
        }
    }
}

#[tokio::test]
async fn a_version_waits_for_an_older_one_without_reading_anything_or_dying_of_it() {
    let harness = once();
    let [older, newer] = [BAD, GOOD].map(|bytes| harness.land(KEY, bytes));
    for count in 1..=5 {
        assert_eq!(harness.deliver(&[&newer]).await, ["m0"]);
        assert_eq!(harness.counted("OlderVersionsAwaited"), count);
        assert_eq!(harness.state(&newer), State::Processing);
        let (_, seconds) = harness.memory.deferred().pop().expect("deferred");
        assert!((30..=37).contains(&seconds), "{seconds}");
        harness.wait(u64::from(seconds) * 1_000);
    }
    assert!(!harness.memory.calls().contains(&store::Operation::ReadObject));
    harness.until_terminal(&[&older]).await;
    harness.until_terminal(&[&newer]).await;
    assert_eq!(ends(&harness, &[older, newer]), ["MISSING_COLUMN", "COMPLETE"]);
}

#[tokio::test]
async fn a_name_stays_taken_when_the_version_that_took_it_is_deleted() {
    let harness = once();
    let first = harness.land(KEY, GOOD);
    harness.until_terminal(&[&first]).await;
    harness.memory.delete(&first);
    let second = harness.land(KEY, MIXED);
    harness.until_terminal(&[&second]).await;
    assert_eq!(ends(&harness, &[first, second]), ["COMPLETE", "SAME_NAME"]);
}

#[tokio::test]
async fn a_name_stays_taken_in_a_bucket_without_versions() {
    let harness = once();
    let first = harness.memory.land_unversioned(INBOX, KEY, GOOD);
    harness.until_terminal(&[&first]).await;
    let second = harness.memory.land_unversioned(INBOX, KEY, MIXED);
    harness.until_terminal(&[&second]).await;
    assert_eq!(ends(&harness, &[first, second]), ["COMPLETE", "SAME_NAME"]);
}

#[tokio::test]
async fn a_name_is_free_again_when_its_load_was_taken_back() {
    let harness = once();
    let first = harness.land(KEY, GOOD);
    harness.until_terminal(&[&first]).await;
    harness.memory.retract(&store::FileId::of(&first));
    let files = [MIXED, GOOD].map(|bytes| harness.land(KEY, bytes));
    harness.until_terminal(&[&files[1], &files[0]]).await;
    assert_eq!(ends(&harness, &files), ["COMPLETE", "SAME_NAME"]);
    assert_eq!(harness.state(&first), State::Retracted);
}

#[tokio::test]
async fn loads_from_before_a_name_could_be_used_only_once_hold_it() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let first = harness.land(KEY, GOOD);
    harness.until_terminal(&[&first]).await;
    visits(&harness, &[("onSameName", "reject")]);
    harness.wait(120_000);
    let second = harness.land(KEY, MIXED);
    harness.until_terminal(&[&second]).await;
    assert_eq!(ends(&harness, &[first, second]), ["COMPLETE", "SAME_NAME"]);
}

#[tokio::test]
async fn of_two_rivals_one_takes_the_name_at_every_moment() {
    let clean = once();
    let alone = clean.land(KEY, GOOD);
    clean.until_terminal(&[&alone]).await;
    for call in 2..=clean.memory.calls().len() {
        let harness = once();
        let older = harness.land(KEY, GOOD);
        let newer = harness.land(KEY, MIXED);
        let (memory, deleted, rival) = (harness.memory.clone(), older.clone(), newer.clone());
        // The older one is deleted while it is worked on, so that the newer one does not see it.
        harness.memory.before(call, move |_| async move {
            memory.delete(&deleted);
            let other = Harness::on(memory, |_| ());
            other.until_terminal(&[&rival]).await;
        });
        harness.until_terminal(&[&older]).await;
        let ends = ends(&harness, &[older, newer]);
        let one = [["GONE", "COMPLETE"], ["COMPLETE", "SAME_NAME"]];
        assert!(one.iter().any(|one| ends == *one), "before call {call}: {ends:?}");
    }
}
