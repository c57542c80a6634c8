use super::*;
use crate::{Acknowledgement, FileVersion, LoadId, Order, Rank, Replay, Replayed};

fn id(version: &str) -> FileId {
    FileId::of(&version_of(version))
}

fn version_of(version: &str) -> FileVersion {
    FileVersion {
        bucket: "inbox".into(),
        key: "north/visits/a.csv".into(),
        version: version.into(),
        etag: None,
    }
}

fn outcome(state: State, rows: u64) -> Outcome {
    Outcome {
        counts: Counts { records: 3, rows, rejects: 3 - rows, dropped: 0, warnings: 0 },
        sha256: "ab".repeat(32),
        contract_version: "1.2.0".into(),
        ..Outcome::new(state)
    }
}

fn landed() -> Entry {
    Entry {
        file: version_of("v1"),
        partner: "north".into(),
        feed: "visits".into(),
        state: State::Processing,
        fence: 1,
        owner: "o".into(),
        lease_until_ms: 0,
        deaths: 0,
        counted_fence: 0,
        order: Order::new(Rank { instant_ms: 1_000, ..Rank::default() }),
        load: LoadId::new(&id("v1"), &[0; 32], 1, 0),
        rows_written: 0,
        outcome: None,
        announced: false,
        open: false,
        acknowledged: None,
        generation: 0,
        loaded: false,
        replay: None,
        replayed: None,
        past: PastOfFile::default(),
    }
}

fn replay(entry: &mut Entry, outcome: &Outcome, at_ms: u64) {
    let generation = entry.generation + 1;
    let load = LoadId::new(&id("v1"), &[1; 32], 1, generation);
    entry.replay = Some(Replay { load, generation, request: "r".into(), opens: false });
    entry.decide(outcome, at_ms);
}

fn move_to(entry: &mut Entry, to: State, other: Option<FileId>, at_ms: u64) {
    entry.state = to;
    entry.past.moves.push(StateMove { at_ms, to, other: other.clone() });
    let outcome = entry.outcome.as_mut().expect("an outcome");
    (outcome.state, outcome.other) = (to, other);
}

fn shown(entry: &Entry) -> Vec<String> {
    let one = |event: FileEvent| {
        let state = event.state.map_or("-", State::as_str);
        let at = event.at_ms.map_or("?".to_owned(), |at| at.to_string());
        let other = if event.other.is_some() { " other" } else { "" };
        format!("{at} {} {state}{other}", event.kind.as_str())
    };
    entry.history().0.into_iter().map(one).collect()
}

#[test]
fn a_file_that_was_quarantined_replayed_and_replaced_has_each_event() {
    let mut entry = landed();
    assert_eq!(shown(&entry), ["1000 received -"]);
    entry.decide(&Outcome { fault: Some("ERROR_BUDGET".into()), ..outcome(State::Quarantined, 1) }, 2_000);
    replay(&mut entry, &outcome(State::Complete, 3), 3_000);
    move_to(&mut entry, State::Superseded, Some(id("v2")), 4_000);
    move_to(&mut entry, State::Complete, None, 5_000);
    move_to(&mut entry, State::Retracted, None, 6_000);
    move_to(&mut entry, State::Superseded, Some(id("v2")), 7_000);
    assert_eq!(
        shown(&entry),
        [
            "1000 received -",
            "2000 decided QUARANTINED",
            "3000 replayed COMPLETE",
            "4000 superseded SUPERSEDED other",
            "5000 restored COMPLETE",
            "6000 retracted RETRACTED",
            "7000 restored SUPERSEDED other",
        ]
    );
    let (events, whole) = entry.history();
    assert!(whole);
    let first = &events[1];
    assert_eq!((first.generation, first.fault.as_deref()), (Some(0), Some("ERROR_BUDGET")));
    assert_eq!(first.counts.map(|counts| counts.rejects), Some(2));
    let second = &events[2];
    assert_eq!((second.generation, second.contract_version.as_deref()), (Some(1), Some("1.2.0")));
    assert_eq!((second.counts.map(|counts| counts.rows), second.fault.as_deref()), (Some(3), None));
}

#[test]
fn a_load_that_replaced_a_retracted_one_is_superseded_and_not_restored() {
    let mut entry = landed();
    entry.decide(&outcome(State::Complete, 3), 2_000);
    move_to(&mut entry, State::Retracted, None, 3_000);
    replay(&mut entry, &outcome(State::Complete, 3), 4_000);
    move_to(&mut entry, State::Superseded, Some(id("v2")), 5_000);
    assert_eq!(
        shown(&entry),
        [
            "1000 received -",
            "2000 decided COMPLETE",
            "3000 retracted RETRACTED",
            "4000 replayed COMPLETE",
            "5000 superseded SUPERSEDED other",
        ]
    );
}

#[test]
fn a_move_of_a_later_load_says_nothing_of_an_earlier_decision() {
    let mut entry = landed();
    entry.decide(&Outcome { other: Some(id("v2")), ..outcome(State::Superseded, 3) }, 2_000);
    replay(&mut entry, &outcome(State::Complete, 3), 3_000);
    move_to(&mut entry, State::Superseded, Some(id("v2")), 3_000);
    replay(&mut entry, &Outcome { other: Some(id("v2")), ..outcome(State::Superseded, 3) }, 4_000);
    assert_eq!(
        shown(&entry),
        [
            "1000 received -",
            "2000 decided SUPERSEDED other",
            "3000 replayed COMPLETE",
            "3000 superseded SUPERSEDED other",
            "4000 replayed SUPERSEDED other",
        ]
    );
}

#[test]
fn a_clock_that_is_behind_changes_nothing_of_the_first_decision() {
    let mut entry = landed();
    entry.decide(&outcome(State::Complete, 3), 2_000);
    move_to(&mut entry, State::Superseded, Some(id("v2")), 1_999);
    let decided = entry.history().0.into_iter().find(|event| event.kind == FileEventKind::Decided);
    assert_eq!(decided.and_then(|event| event.state), Some(State::Complete));
}

#[test]
fn a_version_that_was_late_was_decided_as_superseded() {
    let mut entry = landed();
    entry.decide(&Outcome { other: Some(id("v2")), ..outcome(State::Superseded, 3) }, 2_000);
    assert_eq!(shown(&entry), ["1000 received -", "2000 decided SUPERSEDED other"]);
}

#[test]
fn what_left_the_file_as_it_was_closed_it_or_was_said_of_it_is_shown() {
    let mut entry = landed();
    entry.decide(&outcome(State::Quarantined, 0), 2_000);
    let said = Acknowledgement { at_ms: 5_000, by: "ann".into(), reason: "a test file".into() };
    entry.acknowledged = Some(said);
    entry.past.closed = Some(ClosedBy { file: id("v2"), at_ms: 4_000 });
    let ended = Replayed { request: "r".into(), result: ReplayResult::Gone, fault: None };
    (entry.replayed, entry.past.kept_ms) = (Some(ended), 3_000);
    assert_eq!(
        shown(&entry),
        [
            "1000 received -",
            "2000 decided QUARANTINED",
            "3000 kept -",
            "4000 resolved - other",
            "5000 acknowledged -"
        ]
    );
}

#[test]
fn an_entry_of_an_earlier_release_has_the_events_that_it_knows() {
    let mut entry = landed();
    entry.decide(&outcome(State::Complete, 3), 0);
    (entry.generation, entry.past.decided_ms) = (2, 0);
    assert_eq!(shown(&entry), ["1000 received -", "? replayed COMPLETE"]);
    assert!(!entry.history().1, "earlier loads are not known");
}

#[test]
fn the_newest_outcomes_are_kept() {
    let mut entry = landed();
    entry.decide(&outcome(State::Complete, 3), 2_000);
    for number in 1..=20 {
        replay(&mut entry, &outcome(State::Complete, 3), 2_000 + number);
    }
    let kept: Vec<u32> = entry.past.outcomes.iter().map(|past| past.generation).collect();
    assert_eq!(kept, (10..20).collect::<Vec<_>>());
    assert!(!entry.history().1);
}
