//! What readers see, as snapshots.

use std::fmt::Write as _;

use store::memory::INBOX;
use store::{Depth, Error, FileId, Operation, StackQueue};

use super::harness::{BAD, CONTRACT, GOOD, Harness};
use super::{COLOURS, TERMINAL};
use crate::error::CommandError;

async fn transcript(harness: &Harness, lines: &[&str], json: bool) -> String {
    let mut text = String::new();
    for line in lines {
        let answer = match harness.run(line).await {
            Ok(answer) if json => answer.to_json() + "\n",
            Ok(answer) => answer.to_text(TERMINAL),
            Err(failure) if json => format!("{}\n", failure.to_json(None)),
            Err(failure) => format!("scalper: {failure}\n[exit code {}]\n", failure.exit_code()),
        };
        writeln!(text, "$ scalper {line}\n{answer}").expect("written");
    }
    text
}

async fn with_dead_letters() -> Harness {
    let harness = Harness::of_every_kind().await;
    harness.memory.set_depth(StackQueue::InboxDeadLetters, Some(Depth { waiting: 3, in_flight: 0 }));
    harness.memory.set_depth(StackQueue::Webhooks, None);
    harness
}

const LINES: [&str; 8] = [
    "status",
    "files --partner north",
    "files --partner south --state quarantined",
    "show north/labs/tuesday.csv",
    "show south/charges/stuck.csv",
    "show south/charges/running.csv",
    "rejects north/labs/tuesday.csv",
    "receipt north/labs/tuesday.csv",
];

#[tokio::test]
async fn text() {
    let harness = with_dead_letters().await;
    insta::assert_snapshot!(transcript(&harness, &LINES, false).await);
}

#[tokio::test]
async fn json() {
    let harness = with_dead_letters().await;
    insta::assert_snapshot!(transcript(&harness, &LINES, true).await);
}

#[tokio::test]
async fn stories() {
    let harness = Harness::new();
    let rejected = harness.send("north/labs/day.csv", BAD, 60).await;
    let first = harness.send("north/labs/day.csv", GOOD, 30).await;
    harness.send("north/labs/day.csv", GOOD, 10).await;
    harness.send("north/visits/day.csv", GOOD, 10).await;
    harness.send("north/labs/.DS_Store", "x", 5).await;
    let misplaced = harness.send("day.csv", GOOD, 5).await;
    let gone = harness.memory.land(INBOX, "north/labs/gone.csv", GOOD);
    harness.memory.delete(&gone);
    harness.follow(&gone, 4).await;
    let archived = harness.memory.land(INBOX, "north/labs/it's archived.csv", GOOD);
    harness.memory.archive(&archived);
    harness.follow(&archived, 3).await;
    let archived = FileId::of(&archived);
    let mut lines: Vec<String> =
        [&rejected, &first, &misplaced, &archived].map(|file| format!("show {file}")).into();
    lines.extend(
        ["show north/labs/day.csv", "show north/visits/day.csv", "show north/labs/gone.csv"]
            .map(str::to_owned),
    );
    lines.push(format!("rejects {first}"));
    lines.push("status".to_owned());
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(transcript(&harness, &lines, false).await);
}

#[tokio::test]
async fn acknowledgements() {
    let harness = Harness::new();
    harness.send("shop/orders.csv", GOOD, 60).await;
    harness.send("north/labs/day.csv", GOOD, 30).await;
    let mut text = transcript(&harness, &["status"], false).await;
    for words in [
        &["shop/orders.csv", "--reason", "sent again under shop/orders/", "--dry-run"][..],
        &["shop/orders.csv", "--reason", "sent again under shop/orders/"],
        &["shop/orders.csv", "--reason", "another reason"],
        &["north/labs/day.csv", "--reason", "x"],
        &["north/labs/none.csv", "--reason", "x"],
    ] {
        let answer = match harness.ack(words).await {
            Ok(report) => report.to_text(TERMINAL),
            Err(failure) => format!("scalper: {failure}\n[exit code {}]\n", failure.exit_code()),
        };
        writeln!(text, "$ scalper ack {}\n{answer}", words.join(" ")).expect("written");
    }
    text.push_str(&transcript(&harness, &["show shop/orders.csv", "status"], false).await);
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_broken_contract() {
    let harness = Harness::new();
    harness.send("north/labs/day.csv", GOOD, 30).await;
    let wrong_type = CONTRACT.replace("FEED", "labs").replace("logicalType: integer", "logicalType: whole");
    harness.memory.publish_contract("labs", wrong_type);
    harness.memory.publish_contract("visits", vec![0xff_u8]);
    insta::assert_snapshot!(transcript(&harness, &["status"], false).await);
}

/// What `clap` says to words that it does not understand, with the word that may have been meant.
#[test]
fn mistyped_words() {
    let mut text = String::new();
    for line in [
        "scalper statsu",
        "scalper partner ad north",
        "scalper files --stat quarantined",
        "scalper files --state quarantine",
        "scalper files --limit 5000",
        "scalper tail --lines many",
        "scalper rejects",
        "scalper completions bahs",
        "scalper partner add north --bytes-per-day lots",
        "scalper partner webhook north",
        "scalper ack north/labs/day.csv",
    ] {
        let error = <crate::arguments::Arguments as clap::Parser>::try_parse_from(line.split(' '));
        let error = error.expect_err("not a command");
        write!(text, "$ {line}\n{error}[exit code {}]\n\n", error.exit_code()).expect("written");
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn mistakes() {
    let harness = with_dead_letters().await;
    let lines = [
        "files",
        "files --partner North",
        "files --partner north --feed Labs",
        "files --partner north --feed lbas",
        "files --partner north --since yesterday",
        "files --partner nroth",
        "files --partner north --since 1m",
        "status --partner nroth",
        "show day.csv",
        "show north/labs/other.csv",
        "show 00000000000000000000000000",
        "receipt south/charges/stuck.csv",
        "rejects north/charges/week.csv",
        "rejects north/charges/week.csv --values",
        "rejects south/charges/stuck.csv",
    ];
    let mut text = transcript(&harness, &lines, false).await;
    text.push_str(&transcript(&Harness::new(), &["files", "status"], false).await);
    for failure in [
        CommandError::NoSuchStack { stack: "scalper-test".to_owned() },
        CommandError::RecordsGone { place: "s3://quarantine/north/rejects.csv".to_owned() },
        CommandError::NoReceipt { file: "00000000000000000000000000".to_owned(), state: "IGNORED" },
        CommandError::RecordsAreNoJson,
        CommandError::LettersNotRead(Error::new(Operation::TakeLetters, "AccessDenied")),
        CommandError::NotRedriven(Error::new(Operation::SendMessages, "timeout")),
        CommandError::NotPutBack(Error::new(Operation::PutBack, "timeout")),
        CommandError::NoSuchLetter { files: "north/labs/day.csv".to_owned() },
        CommandError::NotIdentified(Error::new(Operation::IdentifyCaller, "timeout")),
        CommandError::NotTraced(Error::new(Operation::WriteAudit, "AccessDeniedException")),
        CommandError::NotCompleted(Error::new(Operation::WriteAudit, "timeout")),
        CommandError::TrailNotRead(Error::new(Operation::ReadAudit, "ResourceNotFoundException")),
        CommandError::NotQuarantined {
            file: "00000000000000000000000000".to_owned(),
            state: "COMPLETE",
            show: "scalper show 00000000000000000000000000".to_owned(),
        },
        CommandError::NotNoted(Error::new(Operation::Acknowledge, "AccessDeniedException")),
        CommandError::NotOpened { path: "rejects.csv".to_owned(), kind: "entity already exists".to_owned() },
        CommandError::NotWritten { kind: "broken pipe".to_owned() },
        CommandError::Read(Error::new(Operation::ListFiles, "AccessDeniedException")),
    ] {
        writeln!(text, "scalper: {failure}\n[exit code {}]\n", failure.exit_code()).expect("written");
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn colours_mark_what_is_wrong() {
    let harness = Harness::of_every_kind().await;
    let text = harness.answer("status").await.to_text(COLOURS);
    assert!(text.contains("\u{1b}[31mNOT_DECIDED  1 file of south/charges"), "{text}");
    assert!(text.contains("\u{1b}[33m- north/labs"), "{text}");
    assert!(text.contains("\u{1b}[1mfeed"), "{text}");
}

#[test]
fn help() {
    let mut command = <crate::arguments::Arguments as clap::CommandFactory>::command();
    command.build();
    let mut text = String::new();
    for name in ["status", "files", "show", "ack", "rejects", "receipt", "tail", "audit", "redrive"] {
        let command = command.find_subcommand_mut(name).expect("the command");
        write!(text, "--- {name}\n{}\n", command.render_long_help()).expect("written");
    }
    insta::assert_snapshot!(text);
}
