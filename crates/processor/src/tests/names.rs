//! Feeds whose names are taken once.

use store::{FileVersion, State, memory::When};

use super::bench::*;

const KEY: &str = "north/visits/a.csv";
const BAD: &str = "id\n1\n";
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn once() -> Bench {
    let bench = Bench::new();
    visits(&bench, &[("onSameName", "reject")]);
    bench
}

fn ends(bench: &Bench, files: &[FileVersion]) -> Vec<String> {
    let end = |file| bench.fault(file).unwrap_or_else(|| bench.state(file).as_str().to_owned());
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
            let bench = once();
            let files = contents.map(|bytes| bench.land(KEY, bytes));
            bench.until_terminal(&order.map(|place| &files[place])).await;
            assert_eq!(ends(&bench, &files), expected, "{order:?}");
            states.push(bench.memory.state());
        }
        assert!(states.iter().all(|state| *state == states[0]), "every order ends in the same store");
    }
}

#[tokio::test]
async fn a_death_anywhere_leaves_the_name_with_the_older_version() {
    let begin = || {
        let bench = once();
        let files = [GOOD, MIXED].map(|bytes| bench.land(KEY, bytes));
        (bench, files)
    };
    let (clean, files) = begin();
    clean.until_terminal(&[&files[1], &files[0]]).await;
    for call in 1..=clean.memory.calls().len() {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let (bench, files) = begin();
            bench.memory.die_at(call, when);
            bench.until_terminal(&[&files[1], &files[0]]).await;
            assert_eq!(bench.memory.state(), clean.memory.state(), "{call} {when:?}");
        }
    }
}

#[tokio::test]
async fn a_version_waits_for_an_older_one_without_reading_anything_or_dying_of_it() {
    let bench = once();
    let [older, newer] = [BAD, GOOD].map(|bytes| bench.land(KEY, bytes));
    for count in 1..=5 {
        assert_eq!(bench.deliver(&[&newer]).await, ["m0"]);
        assert_eq!(bench.counted("OlderVersionsAwaited"), count);
        assert_eq!(bench.state(&newer), State::Processing);
        let (_, seconds) = bench.memory.deferred().pop().expect("deferred");
        assert!((30..=37).contains(&seconds), "{seconds}");
        bench.wait(u64::from(seconds) * 1_000);
    }
    assert!(!bench.memory.calls().contains(&store::Operation::ReadObject));
    bench.until_terminal(&[&older]).await;
    bench.until_terminal(&[&newer]).await;
    assert_eq!(ends(&bench, &[older, newer]), ["MISSING_COLUMN", "COMPLETE"]);
}

#[tokio::test]
async fn a_name_stays_taken_when_the_version_that_took_it_is_deleted() {
    let bench = once();
    let first = bench.land(KEY, GOOD);
    bench.until_terminal(&[&first]).await;
    bench.memory.delete(&first);
    let second = bench.land(KEY, MIXED);
    bench.until_terminal(&[&second]).await;
    assert_eq!(ends(&bench, &[first, second]), ["COMPLETE", "SAME_NAME"]);
}

#[tokio::test]
async fn a_name_stays_taken_in_a_bucket_without_versions() {
    let bench = once();
    let first = bench.memory.land_unversioned(INBOX, KEY, GOOD);
    bench.until_terminal(&[&first]).await;
    let second = bench.memory.land_unversioned(INBOX, KEY, MIXED);
    bench.until_terminal(&[&second]).await;
    assert_eq!(ends(&bench, &[first, second]), ["COMPLETE", "SAME_NAME"]);
}

#[tokio::test]
async fn a_name_is_free_again_when_its_load_was_taken_back() {
    let bench = once();
    let first = bench.land(KEY, GOOD);
    bench.until_terminal(&[&first]).await;
    bench.memory.retract(&store::FileId::of(&first));
    let files = [MIXED, GOOD].map(|bytes| bench.land(KEY, bytes));
    bench.until_terminal(&[&files[1], &files[0]]).await;
    assert_eq!(ends(&bench, &files), ["COMPLETE", "SAME_NAME"]);
    assert_eq!(bench.state(&first), State::Retracted);
}

#[tokio::test]
async fn loads_from_before_a_name_could_be_used_only_once_hold_it() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let first = bench.land(KEY, GOOD);
    bench.until_terminal(&[&first]).await;
    visits(&bench, &[("onSameName", "reject")]);
    bench.wait(120_000);
    let second = bench.land(KEY, MIXED);
    bench.until_terminal(&[&second]).await;
    assert_eq!(ends(&bench, &[first, second]), ["COMPLETE", "SAME_NAME"]);
}

#[tokio::test]
async fn of_two_rivals_one_takes_the_name_at_every_moment() {
    let clean = once();
    let alone = clean.land(KEY, GOOD);
    clean.until_terminal(&[&alone]).await;
    for call in 2..=clean.memory.calls().len() {
        let bench = once();
        let older = bench.land(KEY, GOOD);
        let newer = bench.land(KEY, MIXED);
        let (memory, deleted, rival) = (bench.memory.clone(), older.clone(), newer.clone());
        // The older one is deleted while it is worked on, so that the newer one does not see it.
        bench.memory.before(call, move |_| async move {
            memory.delete(&deleted);
            let other = Bench::on(memory, |_| ());
            other.until_terminal(&[&rival]).await;
        });
        bench.until_terminal(&[&older]).await;
        let ends = ends(&bench, &[older, newer]);
        let one = [["GONE", "COMPLETE"], ["COMPLETE", "SAME_NAME"]];
        assert!(one.iter().any(|one| ends == *one), "before call {call}: {ends:?}");
    }
}
