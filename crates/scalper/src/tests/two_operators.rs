//! Two operators who retract files of one name at the same time: each act says what it made, and no other one.

use ledger::{Reversal, StateChange, receipt_key};
use store::memory::Memory;
use store::{ActEnd, ActResult, FileId, Operation, ReverseLoads as _, Reversed, State};

use super::TERMINAL;
use super::harness::{GOOD, Harness, MIXED, NOON_MS};
use super::ways_back::{retract, settle, state, visible};
use crate::error::CommandError;
use crate::retract::RetractResult;

const KEY: &str = "north/labs/day.csv";

/// Changes the state of a file by one transaction, as another operator does a second later.
async fn change(memory: &Memory, file: &FileId, to: State) {
    let entries = memory.entries();
    let entry = entries.iter().find(|entry| FileId::of(&entry.file) == *file).expect("an entry");
    let change = StateChange {
        file: file.clone(),
        load: entry.load.clone(),
        from: entry.state,
        to,
        receipt: receipt_key(&entry.partner, &entry.feed, &entry.load, to, None),
        other: None,
    };
    let reversal = Reversal {
        changes: vec![change],
        key: entry.file.key.clone(),
        head: None,
        content: None,
        dead: Vec::new(),
        at_ms: NOON_MS + 1_000,
    };
    assert_eq!(memory.reverse(&reversal).await.expect("no fault"), Reversed::Done);
}

/// The numbers of the calls of a retraction that look at the file first, and that change it.
async fn calls_of_a_retraction() -> (usize, usize) {
    let harness = Harness::new();
    harness.send(KEY, GOOD, 5).await;
    let begun = harness.memory.calls().len();
    retract(&harness, &[KEY]).await.expect("retracted");
    let calls = harness.memory.calls();
    let of = |operation| (begun..calls.len()).find(|call| calls[*call] == operation).expect("a call") + 1;
    (of(Operation::WriteAudit) + 1, of(Operation::Reverse))
}

/// Has another operator hide the file before each call that would, and show it before each look. Changes are counted
/// as calls.
fn contest(memory: &Memory, file: FileId, reverse: usize, distance: usize) {
    memory.before(reverse, move |memory| async move {
        change(&memory, &file, State::Retracted).await;
        let look = reverse + 2;
        memory.before(look, move |memory| async move {
            change(&memory, &file, State::Complete).await;
            contest(&memory, file, look + 1 + distance, distance);
        });
    });
}

/// Has another operator show the file before each look.
fn take_back(memory: &Memory, file: FileId, look: usize, distance: usize) {
    memory.before(look, move |memory| async move {
        change(&memory, &file, State::Complete).await;
        // The transaction and the notification follow.
        take_back(&memory, file, look + 1 + distance + 2, distance);
    });
}

fn last_end(harness: &Harness) -> ActEnd {
    harness.memory.audited().last().and_then(|record| record.end.clone()).expect("an end")
}

#[tokio::test]
async fn a_file_that_another_operator_retracts_at_once_is_that_ones_act() {
    let (_, reverse) = calls_of_a_retraction().await;
    let harness = Harness::new();
    let file = harness.send(KEY, GOOD, 5).await;
    let other = file.clone();
    harness.memory.before(reverse, |memory| async move { change(&memory, &other, State::Retracted).await });
    let report = retract(&harness, &[KEY]).await.expect("retracted");
    assert_eq!(report.result, RetractResult::AlreadyRetracted);
    assert!(report.to_text(TERMINAL).contains("was retracted before"));
    let end = last_end(&harness);
    assert_eq!((end.result, end.details.len()), (ActResult::Nothing, 0));
    settle(&harness).await;
    assert_eq!((state(&harness, &file), visible(&harness)), (State::Retracted, 0));
}

#[tokio::test]
async fn a_retraction_that_never_settles_says_whether_it_changed_something() {
    let (look, reverse) = calls_of_a_retraction().await;
    let harness = Harness::new();
    let file = harness.send(KEY, GOOD, 5).await;
    contest(&harness.memory, file.clone(), reverse, reverse - look);
    let failed = retract(&harness, &[KEY]).await.err().expect("contested");
    assert!(matches!(failed, CommandError::Contested { .. }), "{failed}");
    assert!(failed.to_string().contains("nothing was changed"), "{failed}");
    assert_eq!(last_end(&harness).error.as_ref().map(store::ActWord::as_str), Some("Contested"));

    let harness = Harness::new();
    let file = harness.send(KEY, GOOD, 5).await;
    take_back(&harness.memory, file.clone(), reverse + 2, reverse - look);
    let failed = retract(&harness, &[KEY]).await.err().expect("not settled");
    assert!(matches!(failed, CommandError::NotSettled { .. }), "{failed}");
    assert_eq!((failed.exit_code(), failed.to_string().contains("run the command again")), (1, true));
    assert_eq!(last_end(&harness).error.as_ref().map(store::ActWord::as_str), Some("NotSettled"));
}

/// Sends this number of versions of the name, the oldest first.
async fn versions(harness: &Harness, number: u64) -> Vec<FileId> {
    let mut files = Vec::new();
    for version in 0..number {
        files.push(harness.send(KEY, if version == 0 { MIXED } else { GOOD }, 30 - version).await);
    }
    files
}

#[tokio::test]
async fn what_a_retraction_left_hidden_is_shown_and_the_text_says_which_version() {
    let mut texts = Vec::new();
    // Which of the versions before the retracted one is asked for, and which of them is visible then.
    for (number, asked, result) in
        [(2, 0, RetractResult::Shown), (3, 0, RetractResult::ShownAsSuperseded), (3, 1, RetractResult::Shown)]
    {
        let harness = Harness::new();
        let files = versions(&harness, number).await;
        change(&harness.memory, files.last().expect("a version"), State::Retracted).await;
        assert_eq!(visible(&harness), 0);
        let report = retract(&harness, &[files[asked].as_str(), "--undo"]).await.expect("shown");
        settle(&harness).await;
        let newest_left = &files[files.len() - 2];
        assert_eq!((report.result, state(&harness, newest_left)), (result, State::Complete));
        assert_eq!(report.other.is_some(), result == RetractResult::ShownAsSuperseded);
        texts.push(report.to_text(TERMINAL));
    }
    insta::assert_snapshot!(texts.join("---\n"));
}

#[tokio::test]
async fn a_file_whose_successor_is_retracted_meanwhile_is_said_to_be_visible() {
    let begin = async || {
        let harness = Harness::new();
        let files = versions(&harness, 2).await;
        retract(&harness, &[files[0].as_str()]).await.expect("retracted");
        settle(&harness).await;
        (harness, files)
    };
    let (clean, files) = begin().await;
    let calls_before = clean.memory.calls().len();
    let report = retract(&clean, &[files[0].as_str(), "--undo"]).await.expect("shown");
    assert_eq!(report.result, RetractResult::ShownAsSuperseded);
    let calls = clean.memory.calls();
    let reverse =
        (calls_before..calls.len()).find(|call| calls[*call] == Operation::Reverse).expect("a call") + 1;

    let (harness, files) = begin().await;
    let newer = files[1].clone();
    harness.memory.before(reverse, |memory| async move { change(&memory, &newer, State::Retracted).await });
    let report = retract(&harness, &[files[0].as_str(), "--undo"]).await.expect("shown");
    settle(&harness).await;
    assert_eq!((report.result, report.other.is_none()), (RetractResult::Shown, true));
    assert_eq!((state(&harness, &files[0]), visible(&harness)), (State::Complete, 2));
    let end = last_end(&harness);
    assert_eq!((end.result, end.details.len() > 2), (ActResult::Done, true), "both changes are noted");
}
