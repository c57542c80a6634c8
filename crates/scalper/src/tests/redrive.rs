//! Dead letters that are sent again: which ones, in which order of effects, and wherever the command dies.

use std::fmt::Write as _;

use ledger::{ReplayRequest, Worse};
use runtime::encode_key;
use serde_json::{Value, json};
use store::memory::{INBOX, When};
use store::{ActResult, FileId, FileVersion, Redrive as _, RedrivenQueue, StackQueue, WatchedQueue};

use super::TERMINAL;
use super::harness::{BAD, GOOD, Harness};
use crate::arguments::{Arguments, Command};
use crate::error::CommandError;
use crate::redrive::RedriveReport;
use clap::Parser as _;

const LETTERS: WatchedQueue = WatchedQueue::InboxDeadLetters;

/// A notification of S3.
fn notification(file: &FileVersion) -> String {
    json!({ "Records": [{ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": file.bucket }, "object": {
            "key": encode_key(&file.key), "versionId": file.version, "eTag": file.etag } } }] })
    .to_string()
}

/// A letter of each kind, buried under the name of what becomes of it.
async fn buried() -> Harness {
    let harness = Harness::new();
    let never = harness.memory.land(INBOX, "north/labs/never claimed.csv", GOOD);
    let stuck = harness.claimed("south/charges/stuck.csv", 200, 1).await;
    harness.send("north/labs/good.csv", GOOD, 60).await;
    harness.send("north/labs/bad.csv", BAD, 60).await;
    let entry = |name: &str| {
        let entries = harness.memory.entries();
        entries.into_iter().find(|entry| entry.file.key.ends_with(name)).expect("an entry")
    };
    let stuck = harness.memory.entries().into_iter().find(|entry| FileId::of(&entry.file) == stuck);
    let asked = ReplayRequest::new("request", &entry("bad.csv"), "", Worse::Keep);
    let changed = ReplayRequest { state: store::State::Retracted, ..asked.clone() };
    let keyless = json!({ "Records": [{ "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": INBOX }, "object": { "key": "north/labs/unversioned.csv" } } }] });
    for (id, body) in [
        ("sent-1", notification(&never)),
        ("sent-2", notification(&stuck.expect("claimed").file)),
        ("removed-1", notification(&entry("good.csv").file)),
        ("removed-2", notification(&entry("bad.csv").file)),
        ("sent-3", asked.message()),
        ("removed-3", changed.message()),
        ("sent-4", keyless.to_string()),
        ("left-1", "a text of somebody else \u{1b}[31m".to_owned()),
    ] {
        harness.memory.bury(LETTERS, id, &body);
    }
    harness
}

async fn redrive(harness: &Harness, words: &[&str]) -> (Result<RedriveReport, CommandError>, String) {
    let words = ["scalper", "redrive"].iter().chain(words);
    let arguments = Arguments::try_parse_from(words).expect("a command");
    let Command::Redrive(arguments) = arguments.command else { panic!("redrive") };
    let mut text = String::new();
    let emit = |letter: &crate::redrive::LetterView| text.push_str(&letter.to_text(TERMINAL));
    let report = harness.view.redrive(&arguments, &harness.auditor, emit).await;
    if let Ok(report) = &report {
        text.push_str(&report.summary(TERMINAL));
    }
    (report, text)
}

async fn done(harness: &Harness, words: &[&str]) -> Value {
    let (report, _) = redrive(harness, words).await;
    let report = report.unwrap_or_else(|failure| panic!("{words:?}: {failure}"));
    serde_json::from_str(&report.to_json()).expect("JSON")
}

fn results(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let letters = report["letters"].as_array().expect("letters").iter();
    letters.map(|letter| (text(&letter["letter"]), text(&letter["result"]))).collect()
}

/// What is left of all letters once they were handled: those that nobody can read stay.
fn assert_handled(harness: &Harness, case: &str) {
    let left = harness.memory.visible_letters(RedrivenQueue::Inbox);
    assert!(left.len() == 1 && left[0].starts_with("a text of somebody else"), "{case}: {left:?}");
}

#[tokio::test]
async fn text() {
    let harness = buried().await;
    let mut text = String::new();
    for words in [&["--dry-run"][..], &["--reason", "the key is enabled again"], &[]] {
        writeln!(text, "$ scalper redrive {}", words.join(" ")).expect("written");
        writeln!(text, "{}", redrive(&harness, words).await.1).expect("written");
    }
    for line in text.lines().filter(|line| !line.starts_with('$')) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_letter_is_sent_when_its_file_is_not_decided_and_removed_when_it_is() {
    let harness = buried().await;
    let entries = harness.memory.entries();
    for (letter, result) in results(&done(&harness, &["--dry-run"]).await) {
        let would = match letter.split('-').next().expect("a kind") {
            "sent" => "wouldBeSent",
            "removed" => "wouldBeRemoved",
            _ => "left",
        };
        assert_eq!(result, would, "{letter}");
    }
    assert!(harness.memory.take_sent().is_empty(), "a dry run sends nothing");
    assert!(harness.memory.audited().is_empty(), "and is not noted");
    assert_eq!(harness.memory.visible_letters(RedrivenQueue::Inbox).len(), 8, "and hides nothing");

    let found = results(&done(&harness, &["--reason", "fixed"]).await);
    assert_eq!(found.len(), 8);
    for (letter, result) in found {
        assert_eq!(letter.split('-').next(), Some(result.as_str()), "{letter}");
    }
    assert_eq!(harness.memory.take_sent().len(), 4);
    assert_handled(&harness, "all at once");
    assert!(harness.memory.entries() == entries, "the ledger is only read");
    let acts = harness.memory.audited();
    assert_eq!(acts.len(), 2 * 7);
    assert!(acts.iter().all(|record| record.act.reason.as_ref().is_some_and(|why| why.as_str() == "fixed")));
}

#[tokio::test]
async fn a_letter_of_a_decided_file_whose_outcome_was_not_published_is_sent() {
    let harness = Harness::new();
    let file = harness.memory.land(INBOX, "north/labs/a.csv", GOOD);
    let body = notification(&file);
    // The processor dies before the outcome is published.
    let calls = harness.memory.calls().len();
    let whole = Harness::new();
    let twin = whole.memory.land(INBOX, "north/labs/a.csv", GOOD);
    whole.deliver(&notification(&twin)).await;
    let announce = whole.memory.calls().iter().position(|call| *call == store::Operation::Announce);
    harness.memory.die_at(calls + announce.expect("it is published") + 1, When::BeforeEffect);
    harness.deliver(&body).await;
    harness.memory.revive();
    assert_eq!(harness.memory.entries()[0].state, store::State::Complete);
    harness.memory.bury(LETTERS, "l", &body);
    let (_, text) = redrive(&harness, &["--dry-run"]).await;
    assert!(text.contains("would be processed again") && text.contains("outcome not published"), "{text}");
    done(&harness, &[]).await;
    assert_eq!(harness.memory.take_sent(), std::slice::from_ref(&body));
    harness.deliver(&body).await;
    assert_eq!(harness.memory.published().len(), 1);
    harness.memory.bury(LETTERS, "l", &body);
    assert_eq!(results(&done(&harness, &[]).await), [("l".to_owned(), "removed".to_owned())]);
}

#[tokio::test]
async fn a_file_whose_letter_was_sent_again_is_processed() {
    let harness = buried().await;
    done(&harness, &["--file", "north/labs/never claimed.csv"]).await;
    let sent = harness.memory.take_sent();
    assert_eq!(sent.len(), 1);
    harness.deliver(&sent[0]).await;
    harness.deliver(&sent[0]).await;
    let entries = harness.memory.entries();
    let entry = entries.iter().find(|entry| entry.file.key.ends_with("never claimed.csv"));
    assert_eq!(entry.map(|entry| entry.state), Some(store::State::Complete));
}

#[tokio::test]
async fn letters_are_chosen_by_file_and_bounded_in_number() {
    let harness = buried().await;
    let key = "north/labs/never claimed.csv";
    let file = harness.memory.inbox_versions().into_iter().find(|version| version.file.key == key);
    let id = FileId::of(&file.expect("landed").file);
    let address = format!("s3://{INBOX}/{key}");
    for word in [key, id.as_str(), address.as_str()] {
        let found = done(&harness, &["--dry-run", "--file", word]).await;
        assert_eq!(results(&found), [("sent-1".to_owned(), "wouldBeSent".to_owned())], "{word}");
    }
    let some = done(&harness, &["--dry-run", "--file", key, "--file", "north/labs/other.csv"]).await;
    assert_eq!(some["missing"], json!(["north/labs/other.csv"]));
    let (none, _) = redrive(&harness, &["--file", "north/labs/other.csv"]).await;
    let none = none.err().expect("not found");
    assert!(matches!(none, CommandError::NoSuchLetter { .. }) && none.exit_code() == 3, "{none}");
    assert_eq!(harness.memory.visible_letters(RedrivenQueue::Inbox).len(), 8);

    let two = done(&harness, &["--limit", "2"]).await;
    assert_eq!((results(&two).len(), &two["more"]), (2, &json!(true)));
    assert_eq!(harness.memory.visible_letters(RedrivenQueue::Inbox).len(), 6, "the others are put back");
    let rest = done(&harness, &[]).await;
    assert_eq!((results(&rest).len(), &rest["more"]), (6, &json!(false)));
    assert_eq!(done(&Harness::new(), &[]).await["letters"], json!([]));
}

#[tokio::test]
async fn a_command_that_dies_anywhere_loses_no_letter_and_is_finished_by_the_next() {
    for when in [When::BeforeEffect, When::AfterEffect] {
        for call in 1.. {
            let harness = buried().await;
            let wanted: Vec<String> = harness.memory.visible_letters(RedrivenQueue::Inbox);
            harness.memory.die_at(harness.memory.calls().len() + call, when);
            let (died, _) = redrive(&harness, &[]).await;
            let case = format!("died at call {call}, {when:?}");
            let finished = died.is_ok();
            harness.memory.revive();
            harness.memory.letters_reappear();
            let early = harness.memory.take_sent();
            let visible = harness.memory.visible_letters(RedrivenQueue::Inbox);
            let traces = harness.memory.audited().iter().filter(|record| record.end.is_none()).count();
            assert!(traces >= early.len(), "{case}: sent without a trace");
            assert!(traces >= wanted.len() - visible.len(), "{case}: removed without a trace");
            if finished {
                assert!(call > 25, "{case}");
                assert_handled(&harness, &case);
                break;
            }
            done(&harness, &[]).await;
            let sent: Vec<String> = early.into_iter().chain(harness.memory.take_sent()).collect();
            assert_handled(&harness, &case);
            for body in wanted.iter().filter(|body| !body.starts_with("a text")) {
                let times = sent.iter().filter(|sent| *sent == body).count();
                // Four ask for something; each of them is sent, and twice when the command died after it.
                assert!(times <= 2, "{case}: sent {times} times");
            }
            let distinct: std::collections::BTreeSet<&String> = sent.iter().collect();
            assert_eq!(distinct.len(), 4, "{case}");
            let unsuccessful = |record: &store::ActRecord| {
                record.end.as_ref().is_some_and(|end| end.result == ActResult::Failed)
            };
            assert!(
                !harness.memory.audited().iter().any(unsuccessful),
                "{case}: a dead process notes nothing"
            );
        }
    }
}

#[tokio::test]
async fn a_failed_call_is_noted_with_its_name_and_everything_else_is_put_back() {
    let harness = buried().await;
    // The first letter: taken, read, who it is, its note; then it is sent.
    harness.memory.fail_at(harness.memory.calls().len() + 5, When::BeforeEffect);
    let (failed, _) = redrive(&harness, &[]).await;
    assert!(matches!(failed.err(), Some(CommandError::NotRedriven(_))));
    let last = harness.memory.audited().pop().and_then(|record| record.end).expect("an end");
    assert_eq!(last.error.as_ref().map(store::ActWord::as_str), Some("NotRedriven"));
    assert_eq!(harness.memory.visible_letters(RedrivenQueue::Inbox).len(), 8, "nothing is hidden");
}

#[tokio::test]
async fn of_two_operators_at_once_each_handles_other_letters() {
    let harness = buried().await;
    let taken = harness.memory.take_letters(RedrivenQueue::Inbox, 300).await.expect("taken");
    assert_eq!(taken.len(), 8);
    assert_eq!(done(&harness, &[]).await["letters"], json!([]), "hidden from the other one");
    for letter in &taken {
        harness.memory.put_back(RedrivenQueue::Inbox, letter).await.expect("put back");
    }
    assert_eq!(results(&done(&harness, &[]).await).len(), 8);
}

#[tokio::test]
async fn a_thousand_letters_of_decided_files_change_none_of_them() {
    let harness = Harness::new();
    let good = harness.send("north/labs/good.csv", GOOD, 60).await;
    let file = harness.memory.entries().remove(0).file;
    let before = harness.memory.state();
    for number in 0..1_000 {
        harness.memory.bury(LETTERS, &format!("{number}"), &notification(&file));
    }
    let report = done(&harness, &["--limit", "1000", "--file", good.as_str()]).await;
    assert!(results(&report).iter().all(|(_, result)| result == "removed"));
    assert_eq!((results(&report).len(), &report["more"]), (1_000, &json!(false)));
    assert!(harness.memory.take_sent().is_empty());
    assert_eq!(harness.memory.state(), before);
}

#[tokio::test]
async fn outcomes_go_back_to_the_queue_of_webhooks() {
    let harness = Harness::new();
    let file = harness.send("north/labs/good.csv", GOOD, 60).await;
    let outcome = json!({ "version": 1, "fileId": file, "partner": "north", "feed": "labs" }).to_string();
    harness.memory.bury(WatchedQueue::WebhookDeadLetters, "w", &outcome);
    let (_, text) = redrive(&harness, &["--queue", "webhooks", "--dry-run"]).await;
    assert!(text.starts_with(&format!("{file} would be posted again\n    COMPLETE, sent ")), "{text}");
    done(&harness, &["--queue", "webhooks", "--file", file.as_str()]).await;
    assert_eq!(harness.memory.take_sent_to(StackQueue::Webhooks), [outcome]);
    assert!(harness.memory.visible_letters(RedrivenQueue::Webhooks).is_empty());
    let act = harness.memory.audited().pop().expect("an act").act;
    assert_eq!(act.subject.partner.as_ref().map(store::ActWord::as_str), Some("north"));
    assert!(Arguments::try_parse_from(["scalper", "redrive", "--queue", "other"]).is_err());
}
