//! Files that are in the inbox already: wherever the command is killed, each ends once.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::task::Poll;

use clap::Parser as _;
use runtime::HOUR_MS;
use store::memory::{INBOX, When};
use store::{ActDetail, ActReason, ActResult, ActWord, DetailName, DetailValue, FileId, State, Verb};

use super::TERMINAL;
use super::harness::{BAD, CONTRACT, GOOD, Harness, MIXED, NOON_MS};
use crate::arguments::{Arguments, BackfillArguments, Command};
use crate::audited::Audited;
use crate::backfill::BackfillReport;
use crate::error::CommandError;
use crate::interrupt::Interrupt;

const LINE: &str =
    "scalper backfill s3://silent-scalper-inbox-123456789012-eu-central-1/north/ --yes --reason test";

fn arguments(line: &str) -> BackfillArguments {
    match Arguments::try_parse_from(line.split(' ')).map(|arguments| arguments.command) {
        Ok(Command::Backfill(arguments)) => arguments,
        other => panic!("{other:?}"),
    }
}

/// Runs the command; the processor works while it pauses, and time passes.
async fn run(harness: &Harness) -> Result<BackfillReport, CommandError> {
    run_line(harness, LINE, async || harness.work().await).await
}

async fn run_line(
    harness: &Harness,
    line: &str,
    pause: impl AsyncFnMut(),
) -> Result<BackfillReport, CommandError> {
    run_until(harness, line, pause, Interrupt::never()).await
}

async fn run_until(
    harness: &Harness,
    line: &str,
    mut pause: impl AsyncFnMut(),
    interrupt: Interrupt<'_>,
) -> Result<BackfillReport, CommandError> {
    let arguments = arguments(line);
    let survey = harness.view.survey(&arguments).await?;
    let pause = async || {
        harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
        pause().await;
    };
    harness.view.backfill(&arguments, survey, &harness.auditor, pause, |_| (), interrupt).await?.finished()
}

/// A stack with files that were never announced: two versions of a name, a good file, one that is quarantined, one with
/// a rejected record, one under a wrong key; one that is decided already; and one of another partner.
async fn stack() -> Harness {
    let harness = Harness::new();
    let reject = CONTRACT.replace("FEED", "charges").replace("supersede", "reject");
    harness.memory.publish_contract("charges", reject);
    harness.send("north/labs/before.csv", GOOD, 5).await;
    for (key, text) in [
        ("north/labs/a.csv", GOOD),
        ("north/labs/a.csv", MIXED),
        ("north/labs/bad.csv", BAD),
        ("north/labs/mixed.csv", MIXED),
        ("north/charges/once.csv", GOOD),
        ("north/charges/once.csv", GOOD),
        ("north/charges/once.csv", MIXED),
        ("north/no-feed.csv", GOOD),
        ("south/labs/a.csv", GOOD),
    ] {
        harness.memory.land(INBOX, key, text);
    }
    harness
}

fn count(report: &BackfillReport, state: State) -> u64 {
    report.states.get(state.as_str()).copied().unwrap_or_default()
}

#[tokio::test]
async fn files_that_were_never_announced_are_processed_and_others_are_not() {
    let harness = stack().await;
    let report = run(&harness).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((report.survey.files, report.survey.decided_before, report.survey.to_send), (9, 1, 8));
    assert_eq!((report.sent, report.undecided, report.exit_code()), (8, 0, 1));
    // The name of `charges` is used once, by its oldest version; of `labs` the newest is visible.
    assert_eq!((count(&report, State::Quarantined), count(&report, State::Complete)), (4, 4));
    let entries = harness.memory.entries();
    assert!(entries.iter().all(|entry| !entry.file.key.starts_with("south/")), "another partner's");
    assert_eq!(entries.len(), 9);
    insta::assert_snapshot!(format!(
        "{}\n{}",
        report.to_text(&harness.view.stack, TERMINAL),
        report.to_json()
    ));

    let acts = harness.memory.audited();
    let act = &acts.last().expect("noted").act;
    assert_eq!(
        (act.verb, act.subject.partner.as_ref().map(ActWord::as_str)),
        (Verb::Backfill, Some("north"))
    );
    assert_eq!(act.reason.as_ref().map(ActReason::as_str), Some("test"));
    let details = acts.last().and_then(|record| record.end.clone()).expect("ended").details;
    assert_eq!(details, [ActDetail::new(DetailName::Files, DetailValue::Count(8))]);

    let again = run(&harness).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(harness.memory.audited().len(), acts.len(), "what changes nothing is not noted");
    assert!(again.survey.is_done());
    assert_eq!((again.sent, again.exit_code()), (0, 0), "all are decided");
}

#[tokio::test]
async fn every_file_ends_once_wherever_the_command_is_killed() {
    let clean = stack().await;
    let before = clean.memory.calls().len();
    run(&clean).await.unwrap_or_else(|failure| panic!("{failure}"));
    let (state, calls) = (clean.memory.state(), clean.memory.calls().len());
    assert!(calls - before > 50, "{calls}");
    for call in before + 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let harness = stack().await;
            harness.memory.die_at(call, when);
            let first = run(&harness).await;
            assert!(first.is_err(), "call {call} {when:?}: a dead process ends nothing");
            harness.memory.revive();
            // What was under way has its lease.
            harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
            run(&harness).await.unwrap_or_else(|failure| panic!("call {call} {when:?}: {failure}"));
            harness.work().await;
            assert_eq!(harness.memory.state(), state, "call {call} {when:?}");
        }
    }
}

#[tokio::test]
async fn a_failure_of_any_call_ends_as_if_it_had_not_been() {
    let clean = stack().await;
    let before = clean.memory.calls().len();
    run(&clean).await.unwrap_or_else(|failure| panic!("{failure}"));
    let (state, calls) = (clean.memory.state(), clean.memory.calls().len());
    for call in before + 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let harness = stack().await;
            harness.memory.fail_at(call, when);
            if run(&harness).await.is_err() {
                run(&harness).await.unwrap_or_else(|failure| panic!("call {call} {when:?}: {failure}"));
            }
            harness.work().await;
            assert_eq!(harness.memory.state(), state, "call {call} {when:?}");
        }
    }
}

async fn both_work(harness: &Harness) {
    harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
    harness.work().await;
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn two_operators_at_once_process_each_file_once() {
    let clean = stack().await;
    run(&clean).await.unwrap_or_else(|failure| panic!("{failure}"));
    let harness = stack().await;
    // Both survey before either sends.
    let arguments = arguments(LINE);
    let surveys = (harness.view.survey(&arguments).await, harness.view.survey(&arguments).await);
    let (Ok(one), Ok(other)) = surveys else { panic!("no survey") };
    let auditor = &harness.auditor;
    let (one, other) = tokio::join!(
        harness.view.backfill(
            &arguments,
            one,
            auditor,
            async || both_work(&harness).await,
            |_| (),
            Interrupt::never()
        ),
        harness.view.backfill(
            &arguments,
            other,
            auditor,
            async || both_work(&harness).await,
            |_| (),
            Interrupt::never()
        )
    );
    for report in [one, other] {
        let report = report.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(report.undecided, 0);
    }
    assert_eq!(harness.memory.state(), clean.memory.state());
}

#[tokio::test]
async fn few_files_are_under_way_at_a_time_and_one_version_of_each_key() {
    let harness = Harness::new();
    for number in 0..250 {
        harness.memory.land(INBOX, &format!("north/labs/{}.csv", number % 125), GOOD);
    }
    harness.memory.pages_of(40);
    let mut most = 0;
    let line = format!("{LINE} --concurrency 7");
    let report = run_line(&harness, &line, async || {
        let waiting = harness.memory.take_sent();
        most = most.max(waiting.len());
        let mut keys: Vec<_> =
            waiting.iter().flat_map(|body| runtime::notification::read(body)).map(|file| file.key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), waiting.len(), "versions of one key at once");
        harness.take(waiting).await;
    })
    .await
    .unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((most, report.sent, report.exit_code()), (7, 250, 0));
}

#[tokio::test]
async fn a_file_that_nothing_decides_is_given_up_and_the_next_is_sent() {
    let harness = Harness::new();
    let files =
        ["a", "b", "c"].map(|name| harness.memory.land(INBOX, &format!("north/labs/{name}.csv"), GOOD));
    let line = format!("{LINE} --concurrency 1");
    let stuck = FileId::of(&files[0]);
    let report = run_line(&harness, &line, async || {
        let mut bodies = harness.memory.take_sent();
        bodies.retain(|body| runtime::notification::read(body).iter().all(|file| FileId::of(file) != stuck));
        harness.take(bodies).await;
    })
    .await
    .unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((report.undecided, count(&report, State::Complete), report.exit_code()), (1, 2, 1));
    let text = report.to_text(&harness.view.stack, TERMINAL);
    assert!(text.contains("not decided in 90 minutes  1\n") && text.contains("  scalper status\n"), "{text}");
}

#[tokio::test]
async fn a_survey_changes_nothing_and_says_what_it_costs() {
    let harness = stack().await;
    let state = harness.memory.state();
    let survey = harness.view.survey(&arguments(&format!("{LINE} --dry-run"))).await;
    let survey = survey.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(harness.memory.state(), state);
    assert!(harness.memory.take_sent().is_empty());
    assert_eq!(survey.question(), "process 8 files? [y/N] ");
    insta::assert_snapshot!(format!("{}\n{}", survey.to_text(TERMINAL), survey.to_json()));
}

#[tokio::test]
async fn only_files_that_were_last_modified_in_the_range_are_processed() {
    let harness = Harness::new();
    // 2026-11-20T12:00:00Z is now; each file is an hour older than the one before.
    let files: Vec<_> = (0..4_u64)
        .map(|hours| {
            let file = harness.memory.land(INBOX, &format!("north/labs/{hours}.csv"), GOOD);
            harness.memory.made_at(&file, NOON_MS - hours * HOUR_MS);
            FileId::of(&file)
        })
        .collect();
    for (words, expected) in [
        ("--since 90m --until 30m", &files[1..2]),
        ("--since 2026-11-20T09:00:00Z --until 2026-11-20T10:00:00+00:00", &files[3..]),
        ("--since 2026-11-20T11:00:00Z", &files[..1]),
        ("--until 11h", &[]),
        ("--until 2026-11-20T13:00:00Z", &files[2..3]),
    ] {
        let before: Vec<_> = harness.memory.entries().iter().map(|entry| FileId::of(&entry.file)).collect();
        harness.now.store(NOON_MS, Ordering::SeqCst);
        let line = format!("{LINE} {words}");
        match run_line(&harness, &line, async || harness.work().await).await {
            Ok(report) => assert_eq!(report.sent, expected.len() as u64, "{words}"),
            Err(failure) => {
                assert!(expected.is_empty(), "{words}: {failure}");
                assert_eq!(failure.exit_code(), 3, "{words}");
                assert!(failure.to_string().contains("--since and --until"), "{failure}");
            }
        }
        let entries = harness.memory.entries();
        let mut new: Vec<_> = entries.iter().map(|entry| FileId::of(&entry.file)).collect();
        new.retain(|file| !before.contains(file));
        assert_eq!(new, expected, "{words}");
    }
    let survey = harness.view.survey(&arguments(&format!("{LINE} --since 90m"))).await;
    let text = survey.unwrap_or_else(|failure| panic!("{failure}")).to_text(TERMINAL).replace('\n', " ");
    assert!(text.contains("last modified since 2026-11-20T"), "{text}");
    let failure =
        harness.view.survey(&arguments(&format!("{LINE} --since yesterday"))).await.expect_err("no time");
    assert_eq!(failure.exit_code(), 2, "{failure}");
}

#[tokio::test]
async fn what_can_not_be_backfilled_is_said() {
    let harness = stack().await;
    let survey = async |place: &str| {
        let line = format!("scalper backfill {place} --reason test");
        harness.view.survey(&arguments(&line)).await.map(|survey| survey.files)
    };
    let inbox = "s3://silent-scalper-inbox-123456789012-eu-central-1";
    let other = survey("s3://archive/north/").await.expect_err("another bucket");
    assert_eq!(other.exit_code(), 2);
    assert!(other.to_string().contains(&format!("{inbox}/")), "{other}");
    let nothing = survey(&format!("{inbox}/east/")).await.expect_err("no such prefix");
    assert_eq!((nothing.exit_code(), nothing.to_string().contains("east/")), (3, true));
    for place in [inbox.to_owned(), format!("{inbox}/")] {
        assert_eq!(survey(&place).await.ok(), Some(10), "{place}");
    }
    for line in [
        "scalper backfill north/ --reason test",
        "scalper backfill s3:// --reason test",
        "scalper backfill s3://b/p",
        "scalper backfill s3://b/p --reason test --concurrency 0",
        "scalper backfill s3://b/p --reason test --concurrency 101",
    ] {
        let parsed = Arguments::try_parse_from(line.split(' '));
        assert_eq!(parsed.err().map(|error| error.exit_code()), Some(2), "{line}");
    }
}

#[tokio::test]
async fn an_interrupted_command_notes_what_was_sent_and_is_finished_by_the_next() {
    let clean = stack().await;
    run(&clean).await.unwrap_or_else(|failure| panic!("{failure}"));
    let line = format!("{LINE} --concurrency 2");
    for looks in 0_u64.. {
        let harness = stack().await;
        let seen = Cell::new(0);
        let signal = poll_fn(|_| if seen.get() < looks { Poll::Pending } else { Poll::Ready(()) });
        let pause = async || {
            seen.set(seen.get() + 1);
            harness.work().await;
        };
        let report = run_until(&harness, &line, pause, Interrupt::new(signal)).await;
        let report = report.unwrap_or_else(|failure| panic!("{failure}"));
        let end = harness.memory.audited().last().and_then(|record| record.end.clone()).expect("an end");
        if !report.interrupted {
            assert!(looks > 3, "{looks} looks");
            assert_eq!(end.result, ActResult::Done);
            break;
        }
        assert_eq!((report.exit_code(), end.result), (130, ActResult::Interrupted), "{looks} looks");
        let counts = [(DetailName::Files, report.sent), (DetailName::FilesLeft, 8 - report.sent)];
        let counts = counts.into_iter().filter(|(_, files)| *files > 0);
        let counts: Vec<_> =
            counts.map(|(name, files)| ActDetail::new(name, DetailValue::Count(files))).collect();
        assert_eq!(end.details, counts, "{looks} looks");
        if looks == 1 {
            insta::assert_snapshot!(report.to_text(&harness.view.stack, TERMINAL));
        }
        run(&harness).await.unwrap_or_else(|failure| panic!("{looks} looks: {failure}"));
        assert_eq!(harness.memory.state(), clean.memory.state(), "{looks} looks");
    }
}
