//! Clean-up: rows that nobody sees are deleted after a while, and no others.

use ledger::{CleanUpRequest, DeadLoad, FileId, ReplayRequest, Reversal, StateChange, Worse};
use store::{
    FileVersion, ItemValue, Operation, RecordItem, ReverseLoads as _, Reversed, State, memory::When,
};

use super::harness::*;

const KEY: &str = "north/visits/a.csv";
const NEWER: &str = "id,name\n1,Ann\n2,Bob\n7,Gus\n";
const SUPERSEDE: (&str, &str) = ("onSameName", "supersede");

/// How many rows are visible, and how many nobody sees.
fn count(harness: &Harness) -> (usize, usize) {
    let entries = harness.memory.entries();
    let complete = entries.iter().filter(|entry| entry.state == State::Complete);
    let loads: Vec<&str> = complete.map(|entry| entry.load.as_str()).collect();
    let rows = harness.memory.rows();
    let is_visible = |row: &&RecordItem| {
        let is_load = |(name, value): &(String, ItemValue)| {
            name == "_load" && matches!(value, ItemValue::Text(load) if loads.contains(&load.as_str()))
        };
        row.attributes.iter().any(is_load)
    };
    let visible = rows.iter().filter(is_visible).count();
    (visible, rows.len() - visible)
}

fn message(dead: &DeadLoad) -> String {
    CleanUpRequest { load: dead.load.clone(), since_ms: dead.since_ms }.message()
}

/// What the watcher asks for.
fn asked(harness: &Harness) -> Vec<String> {
    harness.memory.dead().iter().map(message).collect()
}

/// Delivers messages, and those that are sent on the way, until none comes back.
async fn until_done(harness: &Harness, messages: &[String]) {
    let mut pending = messages.to_vec();
    for _ in 0..60 {
        let failed = harness.invoke(&pending).await;
        harness.memory.revive();
        let mut next: Vec<String> = harness.memory.take_sent();
        if !failed.is_empty() {
            next.extend(pending);
        }
        if next.is_empty() {
            return;
        }
        pending = next;
        harness.wait(3_600_000);
    }
    panic!("not done after sixty deliveries: {}", harness.memory.state());
}

/// Hides a load as an operator does.
fn hiding(harness: &Harness, file: &FileVersion) -> Reversal {
    let entry = harness.entry(file);
    let change = StateChange {
        file: FileId::of(file),
        load: entry.load.clone(),
        from: entry.state,
        to: State::Retracted,
        receipt: "retracted.json".into(),
        other: None,
    };
    let dead = DeadLoad::of(&entry, harness.now_ms()).into_iter().collect();
    Reversal { changes: vec![change], key: file.key.clone(), head: None, content: None, dead, at_ms: 7 }
}

fn showing(harness: &Harness, file: &FileVersion) -> Reversal {
    let mut reversal = hiding(harness, file);
    for change in &mut reversal.changes {
        (change.from, change.to) = (State::Retracted, State::Complete);
    }
    Reversal { dead: Vec::new(), ..reversal }
}

async fn retract(harness: &Harness, file: &FileVersion) {
    let reversed = harness.memory.reverse(&hiding(harness, file)).await;
    assert_eq!(reversed.expect("no fault"), Reversed::Done);
}

fn small_steps() -> Harness {
    let harness = Harness::with(|settings| {
        settings.rows_at_once = 1;
        settings.rows_per_checkpoint = 1;
        settings.rows_per_clean_up = 2;
        settings.small_file_bytes = 0;
    });
    harness.memory.chunks_of(8);
    harness
}

/// A version that a newer one replaced.
async fn superseded(harness: &Harness) -> (FileVersion, FileVersion) {
    visits(harness, &[SUPERSEDE]);
    let (older, newer) = (harness.land(KEY, GOOD), harness.land(KEY, NEWER));
    harness.until_terminal(&[&older]).await;
    harness.until_terminal(&[&newer]).await;
    assert_eq!((harness.state(&older), harness.state(&newer)), (State::Superseded, State::Complete));
    (older, newer)
}

/// The same, in small steps; and what the watcher asks for.
async fn superseded_in_steps() -> (Harness, Vec<String>) {
    let harness = small_steps();
    superseded(&harness).await;
    let request = asked(&harness);
    (harness, request)
}

#[tokio::test]
async fn the_rows_of_a_superseded_version_are_deleted_and_those_of_its_successor_stay() {
    let harness = Harness::new();
    let (older, _) = superseded(&harness).await;
    assert_eq!(count(&harness), (3, 3));
    let dead = harness.memory.dead();
    assert_eq!(
        dead.iter().map(|dead| (&dead.load, dead.rows)).collect::<Vec<_>>(),
        [(&harness.entry(&older).load, 3)]
    );

    until_done(&harness, &asked(&harness)).await;
    assert_eq!(count(&harness), (3, 0));
    assert!(harness.memory.dead().is_empty() && !harness.entry(&older).loaded);
    let request = message(&dead[0]);
    let before = harness.memory.calls().len();
    until_done(&harness, &[request]).await;
    assert_eq!(harness.memory.calls()[before..], [Operation::ReadDead], "a late delivery does nothing more");
}

#[tokio::test]
async fn the_rows_of_a_retracted_load_are_deleted_and_it_is_not_shown_again() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land(KEY, MIXED);
    harness.until_terminal(&[&file]).await;
    retract(&harness, &file).await;
    assert_eq!(count(&harness), (0, 2));
    until_done(&harness, &asked(&harness)).await;
    assert_eq!(count(&harness), (0, 0));
    let shown = harness.memory.reverse(&showing(&harness, &file)).await;
    assert_eq!(shown.expect("no fault"), Reversed::Changed);
}

#[tokio::test]
async fn a_load_that_is_shown_again_before_its_time_keeps_its_rows() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land(KEY, GOOD);
    harness.until_terminal(&[&file]).await;
    retract(&harness, &file).await;
    let asked = asked(&harness);
    let shown = harness.memory.reverse(&showing(&harness, &file)).await;
    assert_eq!(shown.expect("no fault"), Reversed::Done);
    until_done(&harness, &asked).await;
    assert_eq!((count(&harness), harness.entry(&file).loaded), ((3, 0), true));
    assert!(harness.memory.dead().is_empty(), "nobody asks for it again");
    // Hidden once more, later: another request, and the earlier one does nothing.
    harness.wait(1_000);
    retract(&harness, &file).await;
    until_done(&harness, &asked).await;
    assert_eq!(count(&harness), (0, 3));
    until_done(&harness, &self::asked(&harness)).await;
    assert_eq!(count(&harness), (0, 0));
}

#[tokio::test]
async fn the_rows_of_a_load_that_a_replay_replaced_are_deleted() {
    for (settings, worse, now, visible) in [
        (vec![], Worse::Keep, 11, 3),
        (vec![SUPERSEDE], Worse::Keep, 11, 3),
        (vec![("onError", "abort")], Worse::Quarantine, 1, 0),
    ] {
        let harness = Harness::new();
        visits(&harness, &settings);
        let file = harness.land(KEY, GOOD);
        harness.until_terminal(&[&file]).await;
        let text = contract("csv", "active", &settings).replace("maxLength: 5", &format!("maxLength: {now}"));
        harness.memory.publish_contract("visits", text.clone());
        let hash = hex::encode(contract::compile(&text).expect("a contract").0.identity.hash);
        harness.wait(60_001);
        let request = ReplayRequest::new("r1", &harness.entry(&file), &hash, worse).message();
        until_done(&harness, &[request]).await;
        assert_eq!(count(&harness), (visible, 3), "{settings:?}");
        // The contract of the old load is not in force any more.
        until_done(&harness, &asked(&harness)).await;
        assert_eq!(count(&harness), (visible, 0), "{settings:?}");
        assert_eq!(harness.entry(&file).loaded, visible > 0);
    }
}

#[tokio::test]
async fn rows_without_a_primary_key_and_rows_with_versions_of_their_own_are_found_again() {
    let keyless = contract("csv", "active", &[SUPERSEDE])
        .replace("        primaryKey: true\n        primaryKeyPosition: 1\n", "");
    let name = "logicalType: string\n        logicalTypeOptions:\n          maxLength: 5\n";
    let versioned = contract("csv", "active", &[SUPERSEDE, ("versionFrom", "name")])
        .replace(name, "logicalType: integer\n        required: true\n");
    let (first, second) = ("id,name\n1,7\nx,8\n2,9\n", "id,name\n1,8\n");
    let ndjson = contract("ndjson", "active", &[SUPERSEDE]);
    let last = contract("csv", "active", &[SUPERSEDE, ("duplicates", "keepLast")]);
    let repeated = "id,name\n1,Ann\n2,Bob\n1,Cid\n";
    let lines = "{\"id\":1,\"name\":\"Ann\"}\n{\"id\":\"x\"}\n{\"id\":2,\"name\":\"Bob\"}\n";
    for (text, older, newer) in [
        (keyless, MIXED, NEWER),
        (versioned, first, second),
        (last, repeated, second),
        (ndjson, lines, lines),
    ] {
        let harness = Harness::new();
        harness.memory.publish_contract("visits", text);
        for bytes in [older, newer] {
            let file = harness.land(KEY, bytes);
            harness.until_terminal(&[&file]).await;
        }
        let (visible, dead) = count(&harness);
        assert!(visible > 0 && dead == 2, "{visible} {dead}");
        until_done(&harness, &asked(&harness)).await;
        assert_eq!(count(&harness), (visible, 0));
    }
}

#[tokio::test]
async fn rows_whose_keys_cannot_be_found_again_stay_and_nobody_asks_for_them_any_more() {
    let harness = Harness::new();
    let (older, _) = superseded(&harness).await;
    harness.memory.delete(&older);
    until_done(&harness, &asked(&harness)).await;
    assert_eq!((count(&harness), harness.memory.dead().len()), ((3, 3), 0));
}

#[tokio::test]
async fn a_file_of_which_fewer_rows_are_read_than_were_written_is_reported_and_not_asked_for_again() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land(KEY, GOOD);
    harness.until_terminal(&[&file]).await;
    let mut hide = hiding(&harness, &file);
    hide.dead[0].rows += 1;
    assert_eq!(harness.memory.reverse(&hide).await.expect("no fault"), Reversed::Done);
    until_done(&harness, &asked(&harness)).await;
    assert_eq!((count(&harness), harness.memory.dead().len()), ((0, 0), 0));
}

#[tokio::test]
async fn a_long_clean_up_goes_on_by_fresh_messages() {
    const ROWS: usize = 20_000;
    let harness = Harness::with(|settings| settings.rows_per_clean_up = 5_000);
    visits(&harness, &[SUPERSEDE]);
    let lines = (0..ROWS).map(|row| format!("{row},Ann\n")).collect::<Vec<_>>().concat();
    for bytes in [format!("id,name\n{lines}"), NEWER.to_owned()] {
        let file = harness.land(KEY, bytes);
        harness.until_terminal(&[&file]).await;
    }
    let request = asked(&harness);
    let mut left = count(&harness).1;
    assert_eq!(left, ROWS);
    let mut deliveries = 0;
    while left > 0 {
        assert!(harness.invoke(&request).await.is_empty(), "acknowledged: a fresh message goes on");
        let (visible, dead) = count(&harness);
        assert!(visible == 3 && dead < left, "{visible} visible, {dead} of {left} left");
        let sent: Vec<String> = harness.memory.take_sent();
        assert!(sent.is_empty() || sent == request, "{sent:?}");
        assert!(dead == 0 || !sent.is_empty(), "what is left goes on");
        (left, deliveries) = (dead, deliveries + 1);
    }
    assert!((2..=4).contains(&deliveries), "{deliveries}");
    until_done(&harness, &request).await;
    assert!(harness.memory.dead().is_empty());
}

#[tokio::test]
async fn a_failure_anywhere_in_a_clean_up_ends_as_if_it_had_not_been() {
    let (clean, request) = superseded_in_steps().await;
    let first = clean.memory.calls().len();
    until_done(&clean, &request).await;
    let (expected, calls) = (clean.memory.state(), clean.memory.calls().len());
    assert_eq!(count(&clean), (3, 0));
    assert!(calls - first >= 12, "{:?}", &clean.memory.calls()[first..]);
    for call in first + 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let (harness, request) = superseded_in_steps().await;
                if deadly {
                    harness.memory.die_at(call, when);
                } else {
                    harness.memory.fail_at(call, when);
                }
                until_done(&harness, &request).await;
                assert_eq!(harness.memory.state(), expected, "call {call} {when:?} {deadly}");
            }
        }
    }
}

#[tokio::test]
async fn an_operator_who_shows_a_load_during_its_clean_up_finds_all_of_it_or_is_told_that_it_is_gone() {
    let scene = async || {
        let harness = small_steps();
        visits(&harness, &[]);
        let file = harness.land(KEY, GOOD);
        harness.until_terminal(&[&file]).await;
        retract(&harness, &file).await;
        let request = asked(&harness);
        (harness, file, request)
    };
    let (clean, _, request) = scene().await;
    let first = clean.memory.calls().len();
    until_done(&clean, &request).await;
    let calls = clean.memory.calls().len();
    let mut ends = [0; 2];
    for call in first + 1..=calls {
        let (harness, file, request) = scene().await;
        let show = showing(&harness, &file);
        harness.memory.before(call, move |memory| async move {
            drop(memory.reverse(&show).await.expect("no fault"));
        });
        until_done(&harness, &request).await;
        let is_shown = harness.state(&file) == State::Complete;
        assert_eq!(count(&harness), if is_shown { (3, 0) } else { (0, 0) }, "call {call}");
        ends[usize::from(is_shown)] += 1;
    }
    assert!(ends[0] > 3 && ends[1] > 1, "{ends:?}");
}

#[tokio::test]
async fn two_deliveries_at_once_delete_the_same_rows() {
    let (clean, request) = superseded_in_steps().await;
    let first = clean.memory.calls().len();
    until_done(&clean, &request).await;
    let (expected, calls) = (clean.memory.state(), clean.memory.calls().len());
    for call in first + 1..=calls {
        let (harness, request) = superseded_in_steps().await;
        let other = request.clone();
        harness.memory.before(call, move |memory| async move {
            let second = Harness::on(memory, |settings| settings.small_file_bytes = 0);
            second.invoke(&other).await;
        });
        until_done(&harness, &request).await;
        assert_eq!(harness.memory.state(), expected, "call {call}");
    }
}

#[tokio::test]
async fn rows_that_were_written_before_another_version_was_visible_are_deleted_too() {
    let scene = async || {
        let harness = small_steps();
        visits(&harness, &[SUPERSEDE]);
        let (older, newer) = (harness.land(KEY, GOOD), harness.land(KEY, NEWER));
        (harness, older, newer)
    };
    let (clean, older, _) = scene().await;
    clean.until_terminal(&[&older]).await;
    let calls = clean.memory.calls();
    let committed = calls.iter().position(|call| *call == Operation::Commit).expect("a commit") + 1;
    let mut lost = 0;
    for call in 1..=committed {
        let (harness, older, newer) = scene().await;
        let file = newer.clone();
        harness.memory.before(call, move |memory| async move {
            let second = Harness::on(memory, |_| ());
            second.until_terminal(&[&file]).await;
        });
        harness.until_terminal(&[&older]).await;
        assert_eq!((harness.state(&older), count(&harness).0), (State::Superseded, 3), "call {call}");
        lost += usize::from(count(&harness).1 > 0);
        let asked = asked(&harness);
        if !asked.is_empty() {
            until_done(&harness, &asked).await;
        }
        assert_eq!(count(&harness), (3, 0), "call {call}");
    }
    assert!(lost > 2, "{lost}");
}
