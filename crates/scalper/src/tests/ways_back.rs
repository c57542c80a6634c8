//! Replays and retractions, through the real processor.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::task::Poll;

use clap::Parser as _;
use serde_json::Value;
use store::memory::When;
use store::{ActResult, FileId, State, Verb};

use super::TERMINAL;
use super::harness::{BAD, CONTRACT, GOOD, Harness, MIXED};
use crate::arguments::{Arguments, Command, ReplayArguments};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::replay::{ReplayEnd, ReplayReport};
use crate::retract::{RetractReport, RetractResult};

const KEY: &str = "north/labs/day.csv";

pub(super) async fn retract(harness: &Harness, words: &[&str]) -> Result<RetractReport, CommandError> {
    let words = ["scalper", "retract"].iter().chain(words).chain(&["--reason", "wrong-day"]);
    let arguments = Arguments::try_parse_from(words).expect("a command");
    let Command::Retract(arguments) = arguments.command else { panic!("retract") };
    harness.view.retract(&arguments, &harness.auditor).await
}

fn replaying(words: &[&str]) -> ReplayArguments {
    let words = ["scalper", "replay"].iter().chain(words).chain(&["--reason", "corrected"]);
    let arguments = Arguments::try_parse_from(words).expect("a command");
    let Command::Replay(arguments) = arguments.command else { panic!("replay") };
    arguments
}

/// Gives what was sent to the processor, until nothing is sent any more.
pub(super) async fn settle(harness: &Harness) {
    loop {
        let sent = harness.memory.take_sent();
        if sent.is_empty() {
            return;
        }
        for body in sent {
            harness.deliver(&body).await;
        }
    }
}

/// Plans a replay and carries it out, the processor working between two looks.
pub(super) async fn replay(
    harness: &Harness,
    words: &[&str],
) -> Result<(String, ReplayReport), CommandError> {
    replay_until(harness, words, async || settle(harness).await, Interrupt::never()).await
}

pub(super) async fn replay_until(
    harness: &Harness,
    words: &[&str],
    pause: impl AsyncFnMut(),
    interrupt: Interrupt<'_>,
) -> Result<(String, ReplayReport), CommandError> {
    let arguments = replaying(words);
    let plan = harness.view.plan_replay(&arguments, None::<Vec<u8>>).await?;
    let text = plan.to_text(TERMINAL);
    let audited =
        harness.view.replay(plan, &arguments, &harness.auditor, pause, |_, _| (), interrupt).await?;
    Ok((text, audited.finished()?))
}

pub(super) fn state(harness: &Harness, file: &FileId) -> State {
    let entries = harness.memory.entries();
    let entry = entries.iter().find(|entry| FileId::of(&entry.file) == *file);
    entry.expect("an entry").state
}

/// The visible rows.
pub(super) fn visible(harness: &Harness) -> usize {
    let entries = harness.memory.entries();
    let shown: Vec<_> = entries.iter().filter(|entry| entry.state == State::Complete).collect();
    let rows = harness.memory.rows();
    rows.iter().filter(|row| shown.iter().any(|entry| row.sort.ends_with(entry.load.as_str()))).count()
}

/// Publishes a contract whose names may have this number of characters.
pub(super) fn names_of(harness: &Harness, characters: u32) {
    let contract =
        CONTRACT.replace("FEED", "labs").replace("maxLength: 5", &format!("maxLength: {characters}"));
    harness.memory.publish_contract("labs", contract);
}

#[tokio::test]
async fn a_preview_says_what_a_replay_rescues_and_the_replay_does_it() {
    let harness = Harness::new();
    names_of(&harness, 2);
    let file = harness.send(KEY, MIXED, 5).await;
    assert_eq!((state(&harness, &file), visible(&harness)), (State::Quarantined, 0));
    names_of(&harness, 5);
    harness.now.fetch_add(60_001, std::sync::atomic::Ordering::SeqCst);
    let before = harness.memory.state();
    let arguments = replaying(&["--open", "--dry-run"]);
    let plan = harness.view.plan_replay(&arguments, None::<Vec<u8>>).await.expect("a plan");
    assert_eq!(harness.memory.state(), before, "a preview reads only");
    let (rescued, left) = (plan.totals.rescued, plan.totals.remaining);
    let (text, report) = replay(&harness, &["--open"]).await.expect("replayed");
    insta::assert_snapshot!("replay", format!("{text}\n---\n{}", report.to_text(TERMINAL)));
    let [ended] = &report.files[..] else { panic!("one file") };
    assert_eq!((ended.end, ended.state), (ReplayEnd::Decided, State::Complete));
    assert_eq!((rescued, left), (2, ended.counts.rejects));
    assert_eq!(visible(&harness), 2);
    let acts = harness.memory.audited();
    let last = acts.last().and_then(|act| act.end.clone()).expect("noted");
    assert_eq!(last.result, ActResult::Done);
    // What is done is left out.
    let (text, report) = replay(&harness, &["--open"]).await.expect("nothing to do");
    assert!(text.contains("no file to replay") && report.files.is_empty(), "{text}");
    let (text, _) = replay(&harness, &[KEY]).await.expect("nothing to do");
    assert!(text.replace('\n', " ").contains("it was decided under the contract in force"), "{text}");
}

#[tokio::test]
async fn a_stricter_contract_is_shown_before_and_takes_no_rows_away_unasked() {
    let harness = Harness::new();
    names_of(&harness, 5);
    let file = harness.send(KEY, GOOD, 5).await;
    names_of(&harness, 2);
    harness.now.fetch_add(60_001, std::sync::atomic::Ordering::SeqCst);
    let (text, report) = replay(&harness, &["--state", "complete"]).await.expect("replayed");
    insta::assert_snapshot!("replay_kept", format!("{text}\n---\n{}", report.to_text(TERMINAL)));
    assert_eq!((report.files[0].end, report.is_good()), (ReplayEnd::Kept, false));
    assert_eq!((state(&harness, &file), visible(&harness)), (State::Complete, 2));
    let (_, report) = replay(&harness, &[file.as_str(), "--quarantine"]).await.expect("replayed");
    assert_eq!(report.files[0].end, ReplayEnd::Decided);
    assert_eq!((state(&harness, &file), visible(&harness)), (State::Quarantined, 0));
}

#[tokio::test]
async fn an_interrupted_replay_notes_what_was_asked_and_is_finished_by_the_next() {
    let quarantined = async || {
        let harness = Harness::new();
        names_of(&harness, 2);
        for number in 0..5 {
            harness.send(&format!("north/labs/{number}.csv"), MIXED, 9).await;
        }
        names_of(&harness, 5);
        harness.now.fetch_add(60_001, Ordering::SeqCst);
        harness
    };
    for looks in 0..4_usize {
        let harness = quarantined().await;
        let seen = Cell::new(0);
        let signal = poll_fn(|_| if seen.get() < looks { Poll::Pending } else { Poll::Ready(()) });
        // The interrupt comes after a look, and what is asked for then is under way.
        let pause = async || {
            seen.set(seen.get() + 1);
            if seen.get() < looks {
                settle(&harness).await;
            }
        };
        let words = ["--open", "--concurrency", "2"];
        let (_, report) = replay_until(&harness, &words, pause, Interrupt::new(signal)).await.expect("ended");
        assert_eq!((report.interrupted, report.exit_code()), (true, 130));
        let asked = (looks * 2).min(5);
        assert_eq!((report.files.len(), report.not_asked), (asked, 5 - asked), "{looks} looks");
        let under_way = report.files.iter().filter(|file| file.end == ReplayEnd::Asked).count();
        assert_eq!(under_way, asked.min(if looks == 3 { 1 } else { 2 }), "{looks} looks");
        let acts = harness.memory.audited();
        let results: Vec<_> = acts.iter().filter_map(|act| Some(act.end.as_ref()?.result)).collect();
        assert_eq!(acts.len(), 2 * results.len(), "{looks} looks: an act without an end");
        let of = |wanted| results.iter().filter(|result| **result == wanted).count();
        assert_eq!(
            (of(ActResult::Interrupted), of(ActResult::Done), results.len()),
            (under_way, asked - under_way, asked),
            "{looks} looks"
        );
        if looks == 2 {
            insta::assert_snapshot!("replay_interrupted", report.to_text(TERMINAL));
        }
        let (_, report) = replay(&harness, &["--open"]).await.expect("replayed");
        settle(&harness).await;
        assert!(report.is_good(), "{looks} looks");
        assert_eq!(visible(&harness), 10, "{looks} looks");
    }
}

#[tokio::test]
async fn a_retracted_file_is_hidden_announced_and_comes_back() {
    let harness = Harness::new();
    let file = harness.send(KEY, GOOD, 5).await;
    let told = harness.memory.published().len();
    let dry = retract(&harness, &[KEY, "--dry-run"]).await.expect("a plan");
    assert_eq!((state(&harness, &file), dry.dry_run), (State::Complete, true));
    let report = retract(&harness, &[KEY]).await.expect("retracted");
    settle(&harness).await;
    assert_eq!((state(&harness, &file), visible(&harness)), (State::Retracted, 0));
    let said = harness.json(&format!("receipt {file}")).await;
    assert_eq!((&said["state"], &said["loaded"]), (&Value::from("RETRACTED"), &Value::from(0)));
    let again = retract(&harness, &[KEY]).await.expect("again");
    assert_eq!(again.result, RetractResult::AlreadyRetracted);
    let undone = retract(&harness, &[file.as_str(), "--undo"]).await.expect("undone");
    settle(&harness).await;
    assert_eq!((state(&harness, &file), visible(&harness)), (State::Complete, 2));
    let states: Vec<String> = harness.memory.published()[told..]
        .iter()
        .map(|one| serde_json::from_str::<Value>(&one.body).expect("JSON")["state"].to_string())
        .collect();
    assert_eq!(states, ["\"RETRACTED\"", "\"COMPLETE\""]);
    let texts = [dry, report, again, undone].map(|report| report.to_text(TERMINAL));
    insta::assert_snapshot!("retract", texts.join("---\n"));
    let verbs: Vec<Verb> = harness.memory.audited().iter().map(|act| act.act.verb).collect();
    assert!(verbs.contains(&Verb::Retract) && verbs.contains(&Verb::RetractUndo), "{verbs:?}");
}

#[tokio::test]
async fn the_version_before_is_visible_again_until_the_retraction_is_taken_back() {
    let harness = Harness::new();
    let older = harness.send(KEY, GOOD, 9).await;
    let newer = harness.send(KEY, MIXED, 5).await;
    assert_eq!((state(&harness, &older), state(&harness, &newer)), (State::Superseded, State::Complete));
    let report = retract(&harness, &[newer.as_str()]).await.expect("retracted");
    settle(&harness).await;
    assert_eq!((state(&harness, &older), state(&harness, &newer)), (State::Complete, State::Retracted));
    let undone = retract(&harness, &[newer.as_str(), "--undo"]).await.expect("undone");
    settle(&harness).await;
    assert_eq!((state(&harness, &older), state(&harness, &newer)), (State::Superseded, State::Complete));
    insta::assert_snapshot!(
        "retract_version",
        [report, undone].map(|report| report.to_text(TERMINAL)).join("---\n")
    );
    // An older one that is retracted while it is superseded does not come back.
    retract(&harness, &[older.as_str()]).await.expect("retracted");
    retract(&harness, &[newer.as_str()]).await.expect("retracted");
    settle(&harness).await;
    assert_eq!((state(&harness, &older), visible(&harness)), (State::Retracted, 0));
}

#[tokio::test]
async fn a_version_before_that_was_never_loaded_is_loaded_when_the_newer_one_is_retracted() {
    let harness = Harness::new();
    let older = harness.memory.land(store::memory::INBOX, KEY, GOOD);
    let newer = harness.send(KEY, MIXED, 5).await;
    harness.follow(&older, 9).await;
    let older = FileId::of(&older);
    assert_eq!((state(&harness, &older), state(&harness, &newer)), (State::Superseded, State::Complete));
    let report = retract(&harness, &[newer.as_str()]).await.expect("retracted");
    assert!(report.loads_again);
    settle(&harness).await;
    assert_eq!((state(&harness, &older), visible(&harness)), (State::Complete, 2));
}

#[tokio::test]
async fn a_replay_says_before_that_a_retracted_file_would_be_visible_again() {
    for (newer, policy, shown) in
        [(false, "supersede", 1), (true, "supersede", 0), (true, "reject", 0), (true, "append", 1)]
    {
        let case = format!("{policy}, with a newer version: {newer}");
        let harness = Harness::new();
        let publish = |policy| {
            let contract =
                CONTRACT.replace("FEED", "labs").replace("value: supersede", &format!("value: {policy}"));
            harness.memory.publish_contract("labs", contract);
            harness.now.fetch_add(60_001, Ordering::SeqCst);
        };
        publish(if policy == "append" { "append" } else { "supersede" });
        let file = harness.send(KEY, GOOD, 9).await;
        let others = if newer {
            harness.send(KEY, "id,name\n3,Eve\n", 5).await;
            1
        } else {
            0
        };
        retract(&harness, &[file.as_str()]).await.expect("retracted");
        settle(&harness).await;
        publish(policy);
        let rows = visible(&harness);
        assert_eq!(rows, others, "{case}");
        let arguments = replaying(&[file.as_str(), "--dry-run"]);
        let plan = harness.view.plan_replay(&arguments, None::<Vec<u8>>).await.expect("a plan");
        assert_eq!(plan.shown_again, shown, "{case}");
        let text = plan.to_text(TERMINAL);
        assert_eq!(text.contains("1 retracted file would be visible again\n"), shown == 1, "{text}");
        replay(&harness, &[file.as_str()]).await.expect("replayed");
        assert_eq!(visible(&harness), rows + 2 * shown, "{case}: as the preview said");
    }
}

#[tokio::test]
async fn what_was_not_loaded_cannot_be_retracted() {
    let harness = Harness::new();
    let file = harness.send(KEY, BAD, 5).await;
    let failed = retract(&harness, &[file.as_str()]).await;
    assert!(matches!(failed, Err(CommandError::NothingLoaded { .. })));
    let undone = retract(&harness, &[file.as_str(), "--undo"]).await;
    assert!(matches!(undone, Err(CommandError::NothingLoaded { .. })));
}

/// Runs commands one after the other, the last one to its death at this call and once more. Gives how many calls the
/// last one made.
async fn scene(harness: &Harness, fault: Option<(usize, When)>, commands: &[&[&str]]) -> usize {
    let (last, first) = commands.split_last().expect("a command");
    for words in first {
        retract(harness, words).await.expect("it works");
        settle(harness).await;
    }
    let begun = harness.memory.calls().len();
    if let Some((call, when)) = fault {
        harness.memory.die_at(begun + call, when);
    }
    let ended = retract(harness, last).await;
    let calls = harness.memory.calls().len() - begun;
    assert!(ended.is_ok() || fault.is_some(), "{last:?}");
    if harness.memory.is_dead() {
        harness.memory.revive();
        retract(harness, last).await.unwrap_or_else(|failure| panic!("{last:?} again: {failure}"));
    }
    settle(harness).await;
    calls
}

#[tokio::test]
async fn a_retraction_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    let begin = || async {
        let harness = Harness::new();
        harness.send(KEY, GOOD, 9).await;
        let newer = harness.send(KEY, MIXED, 5).await;
        (harness, newer)
    };
    let (_, newer) = begin().await;
    let (hide, undo) = ([newer.as_str()], [newer.as_str(), "--undo"]);
    for commands in [&[&hide[..]][..], &[&hide[..], &undo[..]][..]] {
        let (clean, _) = begin().await;
        let calls = scene(&clean, None, commands).await;
        let expected = clean.memory.state();
        assert!(calls > 6, "{calls} calls");
        for call in 1..=calls {
            for when in [When::BeforeEffect, When::AfterEffect] {
                let (harness, _) = begin().await;
                scene(&harness, Some((call, when)), commands).await;
                assert_eq!(harness.memory.state(), expected, "{commands:?} call {call} {when:?}");
            }
        }
    }
}
