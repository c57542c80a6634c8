//! What replays leave in the audit trail: an act for each file, wherever they fail or are killed.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::task::Poll;

use clap::Parser as _;
use store::memory::When;
use store::{Act, ActDetail, ActEnd, ActResult, DetailName, DetailValue, FileId, Operation, State, Verb};

use super::TERMINAL;
use super::commands::words;
use super::harness::{Harness, MIXED};
use super::ways_back::{names_of, replay, replay_until, visible};
use crate::arguments::{Arguments, Command};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::replay::ReplayEnd;

const KEYS: [&str; 3] = ["north/labs/a.csv", "north/labs/b.csv", "south/labs/c.csv"];

/// A stack with quarantined files that the contract in force would load.
async fn quarantined() -> (Harness, Vec<FileId>) {
    let harness = Harness::new();
    names_of(&harness, 2);
    let mut files = Vec::new();
    for key in KEYS {
        files.push(harness.send(key, MIXED, 9).await);
    }
    names_of(&harness, 5);
    harness.now.fetch_add(60_001, Ordering::SeqCst);
    (harness, files)
}

/// The ends of all acts, each with its beginning.
fn ended(harness: &Harness) -> Vec<(Act, ActEnd)> {
    let acts = harness.memory.audited();
    let ended: Vec<_> = acts.iter().filter_map(|act| Some((act.act.clone(), act.end.clone()?))).collect();
    assert_eq!(acts.len(), 2 * ended.len(), "an act without an end");
    ended
}

#[tokio::test]
async fn each_file_of_a_replay_is_found_by_its_id_and_by_its_partner() {
    let (harness, files) = quarantined().await;
    replay(&harness, &["--open"]).await.expect("replayed");
    for (line, found) in [
        ("audit --verb replay".to_owned(), 3),
        ("audit --partner north".to_owned(), 2),
        ("audit --partner south".to_owned(), 1),
        ("audit --feed labs".to_owned(), 3),
        (format!("audit --file {}", files[0]), 1),
        (format!("audit --file {}", KEYS[2]), 1),
    ] {
        let acts = harness.json(&line).await;
        assert_eq!(acts["acts"].as_array().map(Vec::len), Some(found), "{line}: {acts}");
    }
    let change = ActDetail::change(
        DetailName::State,
        Some(DetailValue::State(State::Quarantined)),
        DetailValue::State(State::Complete),
    );
    let expected = vec![ActDetail::new(DetailName::Files, DetailValue::Count(1)), change.expect("a change")];
    for (act, end) in ended(&harness) {
        assert_eq!((act.verb, end.result, &end.details), (Verb::Replay, ActResult::Done, &expected));
        assert_eq!(act.reason.as_ref().map(store::ActReason::as_str), Some("corrected"));
    }
}

#[tokio::test]
async fn what_another_operator_replayed_is_not_this_commands_act() {
    let (harness, _) = quarantined().await;
    let mut first = true;
    let pause = async || {
        if std::mem::take(&mut first) {
            // The requests of this command come after those of the other one.
            let late = harness.memory.take_sent();
            let (_, other) = replay(&harness, &["--open"]).await.expect("replayed");
            assert!(other.is_good());
            for body in late {
                harness.deliver(&body).await;
            }
        }
    };
    let (_, report) =
        replay_until(&harness, &["--open"], pause, Interrupt::never()).await.expect("nothing to do");
    assert!(report.is_good() && report.files.iter().all(|file| file.end == ReplayEnd::Decided));
    let acts = ended(&harness);
    let of = |result| acts.iter().filter(|(_, end)| end.result == result).count();
    assert_eq!((of(ActResult::Done), of(ActResult::Nothing)), (3, 3));
    assert!(acts.iter().all(|(_, end)| end.result == ActResult::Done || end.details.is_empty()));
}

#[tokio::test]
async fn a_replay_that_keeps_a_file_or_is_never_decided_says_so() {
    let harness = Harness::new();
    names_of(&harness, 11);
    harness.send(KEYS[0], MIXED, 9).await;
    names_of(&harness, 2);
    harness.now.fetch_add(60_001, Ordering::SeqCst);
    let (_, kept) = replay(&harness, &["--state", "complete"]).await.expect("replayed");
    assert_eq!(kept.files[0].end, ReplayEnd::Kept);
    let [(_, end)] = &ended(&harness)[..] else { panic!("one act") };
    assert_eq!((end.result, end.details.len()), (ActResult::Nothing, 0));

    let (harness, _) = quarantined().await;
    let pause = async || {
        harness.now.fetch_add(60 * 60_000, Ordering::SeqCst);
    };
    let (_, report) = replay_until(&harness, &["--open"], pause, Interrupt::never()).await.expect("ended");
    assert!(report.files.iter().all(|file| file.end == ReplayEnd::Waiting));
    for (_, end) in ended(&harness) {
        let error = end.error.as_ref().map(|error| error.as_str().to_owned());
        assert_eq!((end.result, error.as_deref()), (ActResult::Failed, Some("NotDecided")));
    }
}

#[tokio::test]
async fn a_replay_of_all_files_that_was_interrupted_goes_on_with_those_that_are_left() {
    let (harness, _) = quarantined().await;
    replay(&harness, &["--open"]).await.expect("replayed");
    let pressed = Cell::new(false);
    let signal = poll_fn(|_| if pressed.get() { Poll::Ready(()) } else { Poll::Pending });
    let pause = async || {
        harness.work().await;
        pressed.set(true);
    };
    let words = ["--state", "complete", "--again", "--quarantine", "--concurrency", "1", "--yes"];
    let (_, report) = replay_until(&harness, &words, pause, Interrupt::new(signal)).await.expect("ended");
    assert_eq!((report.files.len(), report.not_asked), (1, 2));
    let command = report.go_on.clone().expect("a command");
    assert!(report.to_text(TERMINAL).ends_with(&format!("\n    {command}\n")));
    insta::assert_snapshot!("replay_again_interrupted", report.to_text(TERMINAL));
    let printed = words_of(&command);
    let (_, rest) =
        replay(&harness, &printed.iter().map(String::as_str).collect::<Vec<_>>()).await.expect("ended");
    let files: BTreeSet<_> = rest.files.iter().chain(&report.files).map(|file| file.file.clone()).collect();
    assert_eq!((rest.files.len(), rest.go_on, files.len()), (2, None, 3), "each file once");
}

/// The words of a printed replay before its reason, which the harness adds.
fn words_of(command: &str) -> Vec<String> {
    let words = words(command);
    let arguments = Arguments::try_parse_from(&words).expect("a command");
    let Command::Replay(arguments) = arguments.command else { panic!("replay") };
    assert!(arguments.again && arguments.quarantine && arguments.yes && arguments.concurrency == 1);
    let reason = arguments.reason.expect("a reason");
    let end = words.iter().position(|word| word == "--reason").expect("a reason");
    assert_eq!(words[end + 1..], [reason.as_str().to_owned()]);
    words[2..end].to_vec()
}

/// Runs a replay of two files at a time and gives the files that were sent to the processor.
async fn run(harness: &Harness) -> (Result<(), CommandError>, BTreeSet<FileId>) {
    let mut sent = BTreeSet::new();
    let named = |bodies: &[String]| -> Vec<FileId> {
        bodies
            .iter()
            .flat_map(|body| runtime::notification::read(body))
            .map(|file| FileId::of(&file))
            .collect()
    };
    let pause = async || {
        harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
        let bodies = harness.memory.take_sent();
        // A dead process reads nothing, and the processor goes on without it.
        sent.extend(named(&bodies));
        if !harness.memory.is_dead() {
            harness.take(bodies).await;
        }
    };
    let words = ["--open", "--concurrency", "2"];
    let ended = replay_until(harness, &words, pause, Interrupt::never()).await.map(|_| ());
    let left = harness.memory.take_sent();
    sent.extend(named(&left));
    for body in left {
        harness.memory.return_message(store::StackQueue::Inbox, &body);
    }
    (ended, sent)
}

#[tokio::test]
async fn no_file_is_sent_without_its_act_wherever_a_replay_fails_or_is_killed() {
    let (clean, _) = quarantined().await;
    let before = clean.memory.calls().len();
    let (ended, sent) = run(&clean).await;
    ended.expect("no fault");
    assert_eq!((sent.len(), visible(&clean)), (3, 6));
    let calls = clean.memory.calls();
    assert!(calls.len() - before > 30, "{} calls", calls.len() - before);
    for call in before + 1..=calls.len() {
        let operation = calls[call - 1];
        // The processor makes none of these.
        let is_own =
            matches!(operation, Operation::IdentifyCaller | Operation::WriteAudit | Operation::SendMessages);
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let case = format!("call {call} {operation:?} {when:?} deadly {deadly}");
                let (harness, _) = quarantined().await;
                if deadly {
                    harness.memory.die_at(call, when);
                } else {
                    harness.memory.fail_at(call, when);
                }
                let (ended, sent) = run(&harness).await;
                assert!(ended.is_err() || !deadly, "{case}: a dead process ends nothing");
                harness.memory.revive();
                let acts = harness.memory.audited();
                let begun: BTreeSet<FileId> =
                    acts.iter().filter_map(|record| record.act.subject.file.clone()).collect();
                assert!(sent.is_subset(&begun), "{case}: {sent:?} without a trace, {begun:?}");
                if !deadly {
                    let ends = acts.iter().filter(|record| record.end.is_some()).count();
                    let open = acts.len() - 2 * ends;
                    let of_trail = usize::from(operation == Operation::WriteAudit);
                    assert!(open <= of_trail, "{case}: {open} acts without an end");
                    assert!(ended.is_err() || !is_own, "{case}: a failure is said");
                }
                let (again, _) = run(&harness).await;
                again.unwrap_or_else(|failure| panic!("{case}: {failure}"));
                assert_eq!(visible(&harness), 6, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_is_named_twice_is_replayed_once() {
    let (harness, files) = quarantined().await;
    let id = files[0].to_string();
    let (text, report) = replay(&harness, &[&id, KEYS[0], &id]).await.expect("replayed");
    assert_eq!((report.files.len(), report.is_good()), (1, true), "{text}");
    assert_eq!(ended(&harness).len(), 1);
}
