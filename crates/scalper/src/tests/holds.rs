//! Held feeds: their files wait, and wherever a command is killed, each ends once.

use std::sync::atomic::Ordering;

use clap::Parser as _;
use store::memory::{INBOX, When};
use store::{
    ActDetail, ActReason, ActWord, DetailName, DetailValue, Hold, HoldFeeds as _, ReadHolds as _, State, Verb,
};

use super::TERMINAL;
use super::harness::{BAD, CONTRACT, GOOD, Harness, MIXED};
use crate::arguments::{Arguments, Command, HoldArguments, ReleaseArguments};
use crate::audited::Audited;
use crate::error::CommandError;
use crate::hold::{HoldReport, ReleaseReport};
use crate::interrupt::Interrupt;

pub(super) const FEED: &str = "north/charges";

fn holding(feed: &str) -> HoldArguments {
    let words = ["scalper", "hold", feed, "--reason", "contract corrected"];
    match Arguments::try_parse_from(words).map(|arguments| arguments.command) {
        Ok(Command::Hold(arguments)) => arguments,
        other => panic!("{other:?}"),
    }
}

pub(super) fn releasing(words: &[&str]) -> ReleaseArguments {
    let words = ["scalper", "release"].iter().chain(words);
    match Arguments::try_parse_from(words).map(|arguments| arguments.command) {
        Ok(Command::Release(arguments)) => arguments,
        other => panic!("{other:?}"),
    }
}

async fn hold(harness: &Harness, feed: &str) -> Result<HoldReport, CommandError> {
    harness.view.hold_feed(&holding(feed), &harness.auditor).await?.finished()
}

/// Runs the command; the processor works while it pauses, and time passes.
pub(super) async fn release(harness: &Harness, words: &[&str]) -> Result<ReleaseReport, CommandError> {
    let pause = async || {
        harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
        harness.work().await;
    };
    harness
        .view
        .release_feed(&releasing(words), &harness.auditor, pause, |_| (), Interrupt::never())
        .await?
        .finished()
}

/// Three versions of a name that is used once, a file with a rejected record, a bad one, and files of another feed.
const FILES: [(&str, &str); 6] = [
    ("north/charges/once.csv", GOOD),
    ("north/charges/once.csv", MIXED),
    ("north/charges/mixed.csv", MIXED),
    ("north/charges/once.csv", GOOD),
    ("north/charges/bad.csv", BAD),
    ("north/labs/a.csv", GOOD),
];

/// A stack whose files arrive, with the feed held or not.
pub(super) async fn stack(is_held: bool) -> Harness {
    let harness = Harness::new();
    harness.partner("north", true).await;
    let reject = CONTRACT.replace("FEED", "charges").replace("supersede", "reject");
    harness.memory.publish_contract("charges", reject);
    if is_held {
        harness.hold(FEED).await;
    }
    for (minutes, (key, text)) in (1..).zip(FILES) {
        harness.send(key, text, 60 - minutes).await;
    }
    harness
}

pub(super) async fn waiting(harness: &Harness) -> usize {
    harness.memory.held_files("north", "charges", 100).await.expect("no fault").files.len()
}

#[tokio::test]
async fn files_of_a_held_feed_wait_and_are_processed_in_their_order_when_it_is_released() {
    let harness = stack(true).await;
    assert_eq!(waiting(&harness).await, 5);
    let entries = harness.memory.entries();
    let loaded = entries.iter().filter(|entry| entry.state == State::Complete);
    assert_eq!(loaded.map(|entry| entry.feed.as_str()).collect::<Vec<_>>(), ["labs"], "another feed's");
    let status = harness.text("status").await;
    let files = harness.text("files --state held").await;
    let waits = entries.iter().find(|entry| entry.file.key.ends_with("bad.csv")).expect("an entry");
    let show = harness.text(&format!("show {}", waits.load.file())).await;
    let dry = release(&harness, &[FEED, "--dry-run"]).await.expect("no fault");
    assert_eq!(waiting(&harness).await, 5, "nothing is changed");

    let report = release(&harness, &[FEED, "--reason", "ready"]).await.expect("no fault");
    assert_eq!((report.sent, report.undecided, report.exit_code()), (5, 0, 1), "one is quarantined");
    assert_eq!(harness.memory.state(), stack(false).await.memory.state());
    insta::assert_snapshot!(format!(
        "{status}\n{files}\n{show}\n{}\n{}\n{}",
        dry.to_text(&harness.view.stack, TERMINAL),
        report.to_text(&harness.view.stack, TERMINAL),
        report.to_json()
    ));
    assert!(!harness.text("status").await.contains("is held"));
    let again = release(&harness, &[FEED]).await.expect("no fault");
    assert_eq!((again.sent, again.exit_code()), (0, 0));
}

#[tokio::test]
async fn a_feed_is_held_once_and_both_acts_are_noted() {
    let harness = stack(false).await;
    let first = hold(&harness, FEED).await.expect("no fault");
    harness.now.fetch_add(60_000, Ordering::SeqCst);
    let second = hold(&harness, FEED).await.expect("no fault");
    assert_eq!((first.before, second.before, &first.hold), (false, true, &second.hold));
    harness.now.fetch_add(60_000, Ordering::SeqCst);
    let unknown = hold(&harness, "north/chargse").await.expect("no fault");
    assert!(unknown.no_contract && !first.no_contract);
    insta::assert_snapshot!(format!(
        "{}\n{}\n{}\n{}",
        first.to_text(TERMINAL),
        second.to_text(TERMINAL),
        unknown.to_text(TERMINAL),
        first.to_json()
    ));
    harness.now.fetch_add(60_000, Ordering::SeqCst);
    release(&harness, &[FEED, "--reason", "ready"]).await.expect("no fault");
    let nothing = harness.memory.audited().len();
    release(&harness, &[FEED]).await.expect("no fault");
    let acts = harness.memory.audited();
    assert_eq!(acts.len(), nothing, "what changes nothing is not noted");
    let noted: Vec<_> = acts
        .iter()
        .filter(|record| record.end.is_some())
        .map(|record| {
            let act = &record.act;
            let subject =
                [&act.subject.partner, &act.subject.feed].map(|word| word.as_ref().map(ActWord::as_str));
            assert_eq!(subject[0], Some("north"));
            let details = record.end.as_ref().expect("ended").details.clone();
            (act.verb, act.reason.as_ref().map(ActReason::as_str), details)
        })
        .collect();
    let word = |word: &str| vec![ActDetail::new(DetailName::Hold, DetailValue::word(word))];
    assert_eq!(
        noted,
        [
            (Verb::Hold, Some("contract corrected"), word("held")),
            (Verb::Hold, Some("contract corrected"), Vec::new()),
            (Verb::Hold, Some("contract corrected"), word("held")),
            (Verb::Release, Some("ready"), word("released")),
        ]
    );
}

#[tokio::test]
async fn every_file_ends_once_wherever_a_release_fails_or_is_killed() {
    let clean = stack(true).await;
    let before = clean.memory.calls().len();
    release(&clean, &[FEED]).await.expect("no fault");
    let (state, calls) = (clean.memory.state(), clean.memory.calls().len());
    assert!(calls - before > 50, "{calls}");
    for call in before + 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let harness = stack(true).await;
                if deadly {
                    harness.memory.die_at(call, when);
                } else {
                    harness.memory.fail_at(call, when);
                }
                let first = release(&harness, &[FEED]).await;
                assert!(first.is_err() || !deadly, "call {call} {when:?}: a dead process ends nothing");
                harness.memory.revive();
                harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
                if first.is_err() {
                    let again = release(&harness, &[FEED]).await;
                    again.unwrap_or_else(|failure| panic!("call {call} {when:?}: {failure}"));
                }
                harness.work().await;
                assert_eq!(harness.memory.state(), state, "call {call} {when:?} {deadly}");
            }
        }
    }
}

#[tokio::test]
async fn a_hold_that_fails_or_is_killed_anywhere_is_there_or_is_made_by_the_next() {
    let clean = stack(false).await;
    let before = clean.memory.calls().len();
    hold(&clean, FEED).await.expect("no fault");
    let (state, calls) = (clean.memory.state(), clean.memory.calls().len());
    for call in before + 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let harness = stack(false).await;
            harness.memory.die_at(call, when);
            assert!(hold(&harness, FEED).await.is_err(), "call {call} {when:?}");
            harness.memory.revive();
            let is_held = harness.memory.hold("north", "charges").await.expect("no fault").is_some();
            assert!(
                !is_held || !harness.memory.audited().is_empty(),
                "call {call} {when:?}: without a trace"
            );
            harness.now.fetch_add(1_000, Ordering::SeqCst);
            let again = hold(&harness, FEED).await.expect("no fault");
            assert_eq!(again.before, is_held, "call {call} {when:?}");
            assert_eq!(harness.memory.state(), state, "call {call} {when:?}");
        }
    }
}

/// Another operator holds the feed again before each call of a release: what was not decided by then waits again, and
/// the next release ends as if there had been one.
#[tokio::test]
async fn a_hold_at_any_call_of_a_release_loses_no_file() {
    let clean = stack(true).await;
    let before = clean.memory.calls().len();
    release(&clean, &[FEED]).await.expect("no fault");
    let (state, calls) = (clean.memory.state(), clean.memory.calls().len());
    let (mut again, mut contested, mut all_left) = (0, 0, 0);
    for call in before + 1..=calls {
        let harness = stack(true).await;
        harness.memory.before(call, |memory| async move {
            let second = Hold {
                partner: "north".to_owned(),
                feed: "charges".to_owned(),
                since_ms: 7,
                by: store::Arn::parse("arn:aws:iam::123456789012:user/bob").expect("an ARN"),
                reason: "not yet".to_owned(),
            };
            memory.put_hold(&second).await.expect("no fault");
        });
        match release(&harness, &[FEED]).await {
            Ok(report) => {
                again += usize::from(report.held_again.is_some());
                let acts = harness.memory.audited();
                let noted = acts.last().and_then(|act| act.end.as_ref()).expect("an end");
                let left = ActDetail::new(DetailName::FilesLeft, DetailValue::Count(report.left));
                assert_eq!(noted.details.contains(&left), report.left > 0, "call {call}: {noted:?}");
                all_left += usize::from(report.left == 5);
            }
            Err(failure) => {
                assert!(matches!(failure, CommandError::HeldAgain { .. }), "{failure}");
                contested += 1;
            }
        }
        harness.work().await;
        release(&harness, &[FEED]).await.unwrap_or_else(|failure| panic!("call {call}: {failure}"));
        assert_eq!(waiting(&harness).await, 0, "call {call}");
        assert_eq!(harness.memory.state(), state, "call {call}");
    }
    assert!(again > 10 && all_left > 0, "{again} held again, of which {all_left} before a file was decided");
    assert_eq!(contested, 0, "the hold that was seen is the one that ends");
}

#[tokio::test]
async fn a_hold_that_took_the_place_of_the_one_that_was_seen_stays() {
    let harness = stack(true).await;
    let seen = harness.memory.hold("north", "charges").await.expect("no fault").expect("held");
    let second = Hold { since_ms: seen.since_ms + 1, ..seen.clone() };
    // Released and held again by others between the look and the end of the hold.
    let end = harness.memory.calls().len() + 4;
    let other = second.clone();
    harness.memory.before(end, |memory| async move {
        memory.end_hold(&seen).await.expect("no fault");
        memory.put_hold(&other).await.expect("no fault");
    });
    let failure = release(&harness, &[FEED]).await.expect_err("it is another hold");
    assert!(matches!(failure, CommandError::HeldAgain { .. }), "{failure}");
    assert_eq!(harness.memory.hold("north", "charges").await.expect("no fault"), Some(second));
    assert_eq!(waiting(&harness).await, 5);
}

#[tokio::test]
async fn two_releases_at_once_process_each_file_once() {
    let clean = stack(true).await;
    release(&clean, &[FEED]).await.expect("no fault");
    let harness = stack(true).await;
    let arguments = releasing(&[FEED]);
    let pause = async || {
        harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
        harness.work().await;
        tokio::task::yield_now().await;
    };
    let (one, other) = tokio::join!(
        harness.view.release_feed(&arguments, &harness.auditor, pause, |_| (), Interrupt::never()),
        harness.view.release_feed(&arguments, &harness.auditor, pause, |_| (), Interrupt::never())
    );
    for report in [one, other] {
        let report = report.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((report.undecided, &report.held_again), (0, &None));
    }
    assert_eq!(harness.memory.state(), clean.memory.state());
}

#[tokio::test]
async fn few_files_are_under_way_at_a_time_the_oldest_first_and_one_version_of_each_key() {
    let harness = Harness::new();
    harness.partner("north", true).await;
    harness.hold("north/labs").await;
    for number in 0..120 {
        harness.send(&format!("north/labs/{}.csv", number % 60), GOOD, 200 - number).await;
    }
    let (mut most, mut first) = (0, Vec::new());
    let pause = async || {
        harness.now.fetch_add(1_000, Ordering::SeqCst);
        let sent = harness.memory.take_sent();
        most = most.max(sent.len());
        let mut keys: Vec<_> =
            sent.iter().flat_map(|body| runtime::notification::read(body)).map(|file| file.key).collect();
        first.extend(keys.clone());
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), sent.len(), "versions of one key at once");
        harness.take(sent).await;
    };
    let arguments = releasing(&["north/labs", "--concurrency", "7"]);
    let report =
        harness.view.release_feed(&arguments, &harness.auditor, pause, |_| (), Interrupt::never()).await;
    let report = report.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((most, report.sent, report.exit_code()), (7, 120, 0));
    let expected: Vec<_> = (0..60).map(|number| format!("north/labs/{number}.csv")).collect();
    assert_eq!(first[..60], expected);
}

#[tokio::test]
async fn a_file_that_nothing_decides_is_given_up_and_the_others_are_sent() {
    let harness = stack(true).await;
    let pause = async || {
        harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
        let mut bodies = harness.memory.take_sent();
        bodies.retain(|body| !body.contains("bad.csv"));
        harness.take(bodies).await;
    };
    let arguments = releasing(&[FEED, "--concurrency", "1"]);
    let report =
        harness.view.release_feed(&arguments, &harness.auditor, pause, |_| (), Interrupt::never()).await;
    let report = report.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((report.undecided, report.sent, report.exit_code()), (1, 5, 1));
    let text = report.to_text(&harness.view.stack, TERMINAL);
    assert!(text.contains("not decided in 90 minutes") && text.contains("  scalper status\n"), "{text}");
    let status = harness.text("status").await;
    assert!(status.contains("north/charges is released, and 1 file waits"), "{status}");
}

#[tokio::test]
async fn acts_on_files_of_a_held_feed_are_carried_out_or_say_why_not() {
    let harness = stack(false).await;
    harness.hold(FEED).await;
    let late = harness.send("north/charges/late.csv", GOOD, 1).await;
    let waits = harness.run(&format!("receipt {late}")).await.err().expect("no receipt yet");
    assert!(matches!(waits, CommandError::NotDecided { .. }), "{waits}");
    let line = format!("{late} --reason test");
    let words: Vec<&str> = line.split(' ').collect();
    let ack = harness.ack(&words).await.err().expect("not quarantined");
    assert!(ack.to_string().contains("is HELD, not quarantined"), "{ack}");
    let Ok(Arguments { command: Command::Retract(arguments), .. }) =
        Arguments::try_parse_from(["scalper", "retract"].iter().chain(&words))
    else {
        panic!("retract")
    };
    let retract = harness.view.retract(&arguments, &harness.auditor).await.err().expect("nothing loaded");
    assert!(retract.to_string().contains("is HELD: no rows of it were loaded"), "{retract}");
    // What was loaded before is retracted, and is replayed, while newer files wait.
    let key = "north/charges/mixed.csv";
    let Ok(Arguments { command: Command::Retract(arguments), .. }) =
        Arguments::try_parse_from(["scalper", "retract", key, "--reason", "test"])
    else {
        panic!("retract")
    };
    harness.view.retract(&arguments, &harness.auditor).await.expect("retracted");
    harness.work().await;
    let Ok(Arguments { command: Command::Replay(arguments), .. }) =
        Arguments::try_parse_from(["scalper", "replay", key, "--again", "--reason", "test"])
    else {
        panic!("replay")
    };
    let plan = harness.view.plan_replay(&arguments, None::<Vec<u8>>).await.expect("no fault");
    let pause = async || harness.work().await;
    let replayed =
        harness.view.replay(plan, &arguments, &harness.auditor, pause, |_, _| (), Interrupt::never()).await;
    replayed.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
    let state = |key: &str| {
        let entries = harness.memory.entries();
        entries.iter().find(|entry| entry.file.key == key).expect("an entry").state
    };
    assert_eq!((state(key), state("north/charges/late.csv")), (State::Complete, State::Held));
    release(&harness, &[FEED]).await.expect("no fault");
    assert_eq!(state("north/charges/late.csv"), State::Complete);
}

#[tokio::test]
async fn an_interrupted_release_says_how_to_go_on_and_the_next_one_does() {
    let harness = stack(true).await;
    let arguments = releasing(&[FEED, "--concurrency", "1"]);
    let (press, pressed) = tokio::sync::oneshot::channel::<()>();
    let mut press = Some(press);
    let pause = async || {
        drop(press.take());
        std::future::pending::<()>().await;
    };
    let interrupt = Interrupt::new(async move { drop(pressed.await) });
    let audited = harness.view.release_feed(&arguments, &harness.auditor, pause, |_| (), interrupt).await;
    let report = audited.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((report.sent, report.under_way, report.exit_code()), (1, 1, 130));
    let acts = harness.memory.audited();
    let noted = acts.last().and_then(|act| act.end.as_ref()).expect("an end");
    let left = ActDetail::new(DetailName::FilesLeft, DetailValue::Count(4));
    assert!(noted.details.contains(&left), "{noted:?}");
    let text = report.to_text(&harness.view.stack, TERMINAL);
    assert!(text.contains("interrupted") && text.contains("  scalper release north/charges\n"), "{text}");
    harness.work().await;
    let rest = release(&harness, &[FEED]).await.expect("no fault");
    assert_eq!((rest.sent, rest.interrupted), (4, false));
    assert_eq!(waiting(&harness).await, 0);
}

#[tokio::test]
async fn a_backfill_of_a_held_feed_lets_its_files_wait() {
    let harness = stack(true).await;
    harness.memory.land(INBOX, "north/charges/old.csv", GOOD);
    let place = "s3://silent-scalper-inbox-123456789012-eu-central-1/north/charges/";
    let Ok(Arguments { command: Command::Backfill(arguments), .. }) =
        Arguments::try_parse_from(["scalper", "backfill", place, "--yes", "--reason", "test"])
    else {
        panic!("backfill")
    };
    let survey = harness.view.survey(&arguments).await.expect("no fault");
    let pause = async || harness.work().await;
    let report =
        harness.view.backfill(&arguments, survey, &harness.auditor, pause, |_| (), Interrupt::never()).await;
    let report = report.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((report.undecided, report.states.get("HELD")), (0, Some(&6)));
    assert_eq!(waiting(&harness).await, 6);
}

#[tokio::test]
async fn what_can_not_be_held_is_said() {
    let harness = stack(false).await;
    let failure = hold(&harness, "nroth/charges").await.expect_err("not registered");
    assert_eq!((failure.exit_code(), failure.to_string().contains("did you mean `north`?")), (3, true));
    let failure = release(&harness, &["south/charges"]).await.expect_err("not registered");
    assert_eq!(failure.exit_code(), 3);
    assert_eq!(harness.memory.audited().len(), 0);
    for line in [
        "scalper hold north --reason test",
        "scalper hold north/ --reason test",
        "scalper hold north/charges/a.csv --reason test",
        "scalper hold North/charges --reason test",
        "scalper hold heartbeat/heartbeat --reason test",
        "scalper hold north/charges",
        "scalper release north",
        "scalper release north/charges --concurrency 0",
    ] {
        let parsed = Arguments::try_parse_from(line.split(' '));
        assert_eq!(parsed.err().map(|error| error.exit_code()), Some(2), "{line}");
    }
}
