//! Objects of another bucket: wherever the command is killed, each is copied once and ends once.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::task::Poll;

use clap::Parser as _;
use runtime::notification::{self, NotificationAuthor};
use store::memory::{INBOX, Memory, When};
use store::{
    ActResult, ActWord, DetailName, DetailValue, FileId, FileVersion, ListedVersion, StackQueue, State, Verb,
};

use super::TERMINAL;
use super::harness::{BAD, GOOD, Harness, MIXED, NOON_MS};
use crate::arguments::{Arguments, BackfillArguments, Command};
use crate::audited::Audited;
use crate::backfill::{BackfillReport, NotCopied};
use crate::error::CommandError;
use crate::interrupt::Interrupt;

const LINE: &str = "scalper backfill s3://archive/2025/ --to north/labs --yes --reason moved";

fn arguments(line: &str) -> BackfillArguments {
    match Arguments::try_parse_from(line.split(' ')).map(|arguments| arguments.command) {
        Ok(Command::Backfill(arguments)) => arguments,
        other => panic!("{other:?}"),
    }
}

/// A stack whose inbox has nothing, and a bucket with objects of every kind.
async fn stack() -> Harness {
    let harness = Harness::new();
    harness.partner("north", true).await;
    for (key, text) in [
        ("2024/old.csv", GOOD),
        ("2025/", ""),
        ("2025/01/.DS_Store", "x"),
        ("2025/01/day ü+.csv", GOOD),
        ("2025/02/day.csv", MIXED),
        ("2025/bad.csv", BAD),
        (format!("2025/{}.csv", "x".repeat(1_000)).as_str(), "id,name\n5,Eve\n"),
        ("2025/large.csv", "x"),
        ("2025/zz.csv", "id,name\n7,Gil\n"),
    ] {
        harness.memory.land("archive", key, text);
    }
    harness.memory.claims_bytes("archive", "2025/large.csv", (5 << 30) + 1);
    harness
}

/// Announces the copies that the ledger does not know, as S3 does, and lets the processor work.
async fn announce(harness: &Harness) {
    let known: BTreeSet<FileId> =
        harness.memory.entries().iter().map(|entry| FileId::of(&entry.file)).collect();
    for version in harness.memory.inbox_versions() {
        let file = FileVersion { etag: None, ..version.file };
        if !known.contains(&FileId::of(&file)) {
            let listed = ListedVersion { file, last_modified_ms: NOON_MS, bytes: version.bytes.len() as u64 };
            let body = notification::write(&listed, NotificationAuthor::Reconciliation);
            harness.memory.return_message(StackQueue::Inbox, &body);
        }
    }
    harness.work().await;
}

async fn run(harness: &Harness) -> Result<BackfillReport, CommandError> {
    run_until(harness, LINE, async || announce(harness).await, Interrupt::never()).await
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

/// The keys of the inbox, each with its content; a key with two versions stands twice.
fn inbox(memory: &Memory) -> Vec<(String, Vec<u8>)> {
    memory.inbox_versions().into_iter().map(|version| (version.file.key, version.bytes.to_vec())).collect()
}

#[tokio::test]
async fn objects_of_another_bucket_are_copied_once_and_processed_as_new_files() {
    let harness = stack().await;
    let survey = harness.view.survey(&arguments(&format!("{LINE} --concurrency 2"))).await;
    let survey = survey.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        inbox(&harness.memory).is_empty() && harness.memory.take_sent().is_empty(),
        "a survey copies nothing"
    );
    let report = run(&harness).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(harness.memory.take_sent().is_empty(), "S3 announces the copies");
    assert_eq!((report.sent, report.undecided, report.exit_code()), (5, 0, 1));
    insta::assert_snapshot!(format!(
        "{}\n{}\n{}\n---\n{}",
        survey.to_text(TERMINAL),
        survey.question(),
        report.to_text(&harness.view.stack, TERMINAL),
        report.to_json()
    ));
    let keys: Vec<String> = inbox(&harness.memory).into_iter().map(|(key, _)| key).collect();
    let long = keys.iter().find(|key| !key.contains("2025/")).expect("a digest");
    assert_eq!(long.len(), "north/labs/archive/".len() + 26);
    let expected = ["2025/01/day ü+.csv", "2025/02/day.csv", "2025/bad.csv", "2025/zz.csv"];
    let found: Vec<&str> = keys
        .iter()
        .filter(|key| *key != long)
        .filter_map(|key| key.strip_prefix("north/labs/archive/"))
        .collect();
    assert_eq!(found, expected);

    let acts = harness.memory.audited();
    let act = acts.last().expect("noted");
    let (partner, feed) = (act.act.subject.partner.as_ref(), act.act.subject.feed.as_ref());
    assert_eq!((act.act.verb, partner.map(ActWord::as_str)), (Verb::Backfill, Some("north")));
    assert_eq!(feed.map(ActWord::as_str), Some("labs"));

    let state = harness.memory.state();
    let again = run(&harness).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(again.survey.is_done());
    assert_eq!((again.sent, again.survey.decided_before), (0, 5));
    assert_eq!((harness.memory.state(), harness.memory.audited().len()), (state, acts.len()));
}

#[tokio::test]
async fn each_object_is_copied_and_decided_once_wherever_the_command_is_killed_or_a_call_fails() {
    let clean = stack().await;
    let before = clean.memory.calls().len();
    run(&clean).await.unwrap_or_else(|failure| panic!("{failure}"));
    let (state, calls) = (clean.memory.state(), clean.memory.calls().len());
    assert!(calls - before > 50, "{calls}");
    for call in before + 1..=calls {
        for (when, deadly) in [
            (When::BeforeEffect, true),
            (When::AfterEffect, true),
            (When::BeforeEffect, false),
            (When::AfterEffect, false),
        ] {
            let case = format!("call {call} {when:?}, deadly: {deadly}");
            let harness = stack().await;
            if deadly {
                harness.memory.die_at(call, when);
            } else {
                harness.memory.fail_at(call, when);
            }
            let first = run(&harness).await;
            assert!(first.is_err() || !deadly, "{case}: a dead process ends nothing");
            harness.memory.revive();
            harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
            run(&harness).await.unwrap_or_else(|failure| panic!("{case}: {failure}"));
            announce(&harness).await;
            assert_eq!(inbox(&harness.memory), inbox(&clean.memory), "{case}");
            assert_eq!(harness.memory.state(), state, "{case}");
        }
    }
}

async fn both_work(harness: &Harness) {
    harness.now.fetch_add(20 * 60_000, Ordering::SeqCst);
    announce(harness).await;
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn two_operators_at_once_copy_each_object_once() {
    let clean = stack().await;
    run(&clean).await.unwrap_or_else(|failure| panic!("{failure}"));
    let harness = stack().await;
    let arguments = arguments(LINE);
    let surveys = (harness.view.survey(&arguments).await, harness.view.survey(&arguments).await);
    let (Ok(one), Ok(other)) = surveys else { panic!("no survey") };
    let (view, auditor) = (&harness.view, &harness.auditor);
    let never = Interrupt::never;
    let (one, other) = tokio::join!(
        view.backfill(&arguments, one, auditor, async || both_work(&harness).await, |_| (), never()),
        view.backfill(&arguments, other, auditor, async || both_work(&harness).await, |_| (), never())
    );
    for report in [one, other] {
        let report = report.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(report.undecided, 0);
    }
    assert_eq!(inbox(&harness.memory), inbox(&clean.memory));
    assert_eq!(harness.memory.state(), clean.memory.state());
}

#[tokio::test]
async fn an_interrupted_copy_notes_what_was_copied_and_is_finished_by_the_next() {
    let clean = stack().await;
    run(&clean).await.unwrap_or_else(|failure| panic!("{failure}"));
    for looks in 0..3_usize {
        let harness = stack().await;
        let seen = Cell::new(0);
        let signal = poll_fn(|_| if seen.get() < looks { Poll::Pending } else { Poll::Ready(()) });
        let pause = async || {
            seen.set(seen.get() + 1);
            announce(&harness).await;
        };
        let line = format!("{LINE} --concurrency 2");
        let report = run_until(&harness, &line, pause, Interrupt::new(signal)).await;
        let report = report.unwrap_or_else(|failure| panic!("{failure}"));
        let end = harness.memory.audited().last().and_then(|record| record.end.clone()).expect("an end");
        assert_eq!((report.exit_code(), end.result), (130, ActResult::Interrupted), "{looks} looks");
        let copied = (looks as u64 * 2).min(5);
        assert_eq!((report.sent, inbox(&harness.memory).len() as u64), (copied, copied), "{looks} looks");
        let left = end.details.iter().find(|detail| detail.name == DetailName::FilesLeft);
        assert_eq!(left.and_then(|detail| detail.after.clone()), Some(DetailValue::Count(5 - copied)));
        run(&harness).await.unwrap_or_else(|failure| panic!("{looks} looks: {failure}"));
        assert_eq!(harness.memory.state(), clean.memory.state(), "{looks} looks");
    }
}

#[tokio::test]
async fn what_was_replaced_or_archived_is_left_out_and_said() {
    let harness = stack().await;
    run(&harness).await.unwrap_or_else(|failure| panic!("{failure}"));
    let archived = harness.memory.land("archive", "2025/cold.csv", GOOD);
    harness.memory.archive(&archived);
    harness.memory.land("archive", "2025/zz.csv", "id,name\n8,Hal\n9,Ida\n");
    harness.memory.land("archive", "2025/new.csv", "id,name\n6,Flo\n");
    let report = run(&harness).await.unwrap_or_else(|failure| panic!("{failure}"));
    let expected = NotCopied { no_files: 2, too_large: 1, changed: 1, archived: 1 };
    assert_eq!(report.survey.not_copied, Some(expected));
    assert_eq!((report.sent, report.exit_code()), (1, 1));
    assert_eq!(report.states.get(State::Complete.as_str()), Some(&1));
    let text = report.to_text(&harness.view.stack, TERMINAL).replace('\n', " ");
    assert!(text.contains("left out 1 object: in an archive storage class; restore them first"), "{text}");

    // A name of the copy that something else has, found only by the copy.
    let harness = stack().await;
    let survey = harness.view.survey(&arguments(LINE)).await.expect("a survey");
    let taken = "north/labs/archive/2025/02/day.csv";
    // After the walk has looked: the second copy finds the name taken.
    let first = harness.memory.calls().len();
    let calls =
        |operation| harness.memory.calls().iter().skip(first).filter(|call| **call == operation).count();
    let progress = |report: &BackfillReport| {
        if report.sent == 1 && calls(store::Operation::CopyIn) == 1 {
            harness.memory.land(INBOX, taken, "id,name\n1,Zoe\n");
        }
    };
    let pause = async || announce(&harness).await;
    let line = arguments(LINE);
    let done =
        harness.view.backfill(&line, survey, &harness.auditor, pause, progress, Interrupt::never()).await;
    let report = done.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(report.survey.not_copied.map(|not_copied| not_copied.changed), Some(1));
    let of_name = inbox(&harness.memory).into_iter().filter(|(key, _)| key == taken);
    assert_eq!(of_name.map(|(_, bytes)| bytes).collect::<Vec<_>>(), [b"id,name\n1,Zoe\n".to_vec()]);
}

#[tokio::test]
async fn pages_of_any_length_give_the_same() {
    let clean = stack().await;
    run(&clean).await.unwrap_or_else(|failure| panic!("{failure}"));
    for page in [1, 2, 3] {
        let harness = stack().await;
        harness.memory.pages_of(page);
        run(&harness).await.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(harness.memory.state(), clean.memory.state(), "pages of {page}");
        let again = run(&harness).await.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((again.sent, again.survey.decided_before), (0, 5), "pages of {page}");
    }
}

#[tokio::test]
async fn what_can_not_be_copied_is_said() {
    let harness = stack().await;
    let inbox = "s3://silent-scalper-inbox-123456789012-eu-central-1";
    for (words, code, said) in [
        (format!("{inbox}/north/ --to north/labs"), 2, "leave --to out"),
        ("s3://archive/2025/ --to nroth/labs".to_owned(), 3, "north"),
        ("s3://archive/2025/ --to north/lbas".to_owned(), 3, "did you mean `labs`?"),
        ("s3://archive/2023/ --to north/labs".to_owned(), 3, "s3://archive/2023/"),
        ("s3://archive/2025/ --to north/labs --since 2026-01-01".to_owned(), 3, "--since and --until"),
        ("s3://archive/2025/".to_owned(), 2, "--to <partner>/<feed>"),
    ] {
        let line = format!("scalper backfill {words} --reason moved");
        let failure = harness.view.survey(&arguments(&line)).await.err().unwrap_or_else(|| panic!("{words}"));
        assert_eq!(failure.exit_code(), code, "{words}: {failure}");
        assert!(failure.to_string().contains(said), "{words}: {failure}");
    }
    for target in
        ["north", "north/", "/labs", "North/labs", "north/labs/", "north/labs/x", "heartbeat/heartbeat"]
    {
        let line = format!("{LINE} --to {target}");
        assert!(
            Arguments::try_parse_from(line.replacen(" --to north/labs", "", 1).split(' ')).is_err(),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_feed_without_a_contract_is_rejected_unless_there_are_more_than_are_listed() {
    let harness = stack().await;
    let line = LINE.replace("north/labs", "north/zebra");
    let failure = harness.view.survey(&arguments(&line)).await.expect_err("no contract");
    assert!(matches!(failure, CommandError::NoContract { .. }), "{failure}");
    for number in 0..store::MOST_FEEDS {
        harness.memory.publish_contract(&format!("feed-{number}"), GOOD);
    }
    let survey = harness.view.survey(&arguments(&line)).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(survey.to_send, 5, "its contract may be among those that are not listed");
}
