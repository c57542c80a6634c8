//! The audit trail: what commands leave in it, and how it is listed.

use std::fmt::Write as _;

use store::{ActRecord, ActResult, WriteAudit as _};

use super::fakes::FakeFailure;
use super::harness::{BAD, Harness, NOON_MS};
use super::*;
use crate::report::Style;

const HOOK: &str = "https://hooks.example.org/T0/B1/secret";

/// Notes of each kind, as commands leave them.
const LINES: [&str; 13] = [
    "add north --feeds labs,charges --expires-days 365 --requests-per-day 500",
    "add north --rate 7",
    "add north --rate 7",
    "rotate north --reason planned",
    "revoke north aaaaaaaaaaaa",
    "revoke north zzzzzzzzzzzz",
    "webhook north --url https://hooks.example.org/T0/B1/secret",
    "webhook north --rotate",
    "webhook north --remove",
    "role north arn:aws:iam::210987654321:role/sender --feeds labs --scopes read",
    "role north arn:aws:iam::210987654321:role/sender --remove",
    "suspend north --reason leaked",
    "suspend north",
];

/// The trail of these commands, each a minute after the one before.
async fn trail(lines: &[&str]) -> (PartnerHarness, Vec<ActRecord>) {
    let mut setup = PartnerHarness::new();
    for (minute, line) in (0..).zip(lines) {
        let at = NOON_MS + minute * 60_000;
        // The randomness of an act's id goes on, as that of a new process would.
        let skipped = host(at);
        for _ in 0..minute {
            let _used: [u8; 16] = (skipped.random)();
        }
        setup.operator.auditor = Auditor::new(setup.fake.clone(), skipped);
        setup.run(line).await.ok();
    }
    let acts = setup.fake.state().acts.clone();
    (setup, acts)
}

async fn listed(acts: &[ActRecord]) -> Harness {
    let harness = Harness::new();
    for record in acts {
        harness.memory.note(record).await.expect("noted");
    }
    harness.now.store(NOON_MS + 3_600_000, std::sync::atomic::Ordering::SeqCst);
    harness
}

#[tokio::test]
async fn text() {
    let (_, acts) = trail(&LINES).await;
    let harness = listed(&acts).await;
    harness.send("north/labs/a.csv", BAD, 60).await;
    harness.ack(&["north/labs/a.csv", "--reason", "sent again"]).await.expect("acknowledged");
    // A command that is still running.
    let begun = acts.iter().rev().find(|record| record.end.is_none()).expect("a beginning");
    let mut running = begun.clone();
    (running.act.id, running.act.at_ms) = (store::ActId::of([0xff; 16]), NOON_MS + 3_500_000);
    harness.memory.note(&running).await.expect("noted");
    let mut text = String::new();
    for line in ["audit", "audit --verb partner-revoke --limit 1", "audit --since 1m"] {
        let shown = harness.text(line).await;
        for line in shown.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        writeln!(text, "$ scalper {line}\n{shown}").expect("written");
    }
    let piped = harness.answer("audit --verb partner-role").await.to_text(Style::PLAIN);
    write!(text, "$ scalper audit --verb partner-role | cat\n{piped}").expect("written");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn json() {
    let (_, acts) = trail(&LINES[..2]).await;
    let harness = listed(&acts).await;
    insta::assert_snapshot!(harness.answer("audit").await.to_json());
}

#[tokio::test]
async fn acts_are_found_by_who_what_when_and_on_what() {
    let (_, acts) = trail(&LINES).await;
    let harness = listed(&acts).await;
    let file = harness.send("south/labs/a.csv", BAD, 60).await;
    harness.ack(&[file.as_str(), "--reason", "a test file"]).await.expect("acknowledged");
    for (line, found) in [
        ("audit".to_owned(), 14),
        ("audit --limit 3".to_owned(), 3),
        ("audit --by ann".to_owned(), 14),
        ("audit --by bob".to_owned(), 0),
        ("audit --partner north".to_owned(), 13),
        ("audit --partner south".to_owned(), 1),
        ("audit --feed labs".to_owned(), 1),
        (format!("audit --file {file}"), 1),
        ("audit --file south/labs/a.csv".to_owned(), 1),
        ("audit --verb partner-suspend --partner north".to_owned(), 2),
        ("audit --until 2026-11-20T12:02:00Z".to_owned(), 2),
        ("audit --since 2026-11-20T12:11:00Z".to_owned(), 3),
        ("audit --since 2026-11-21".to_owned(), 0),
    ] {
        let acts = harness.json(&line).await;
        assert_eq!(acts["acts"].as_array().map(Vec::len), Some(found), "{line}: {acts}");
        assert_eq!(acts["more"], line.contains("--limit"), "{line}");
    }
    for line in ["audit --since yesterday", "audit --until x", "audit --partner North", "audit --feed ../x"] {
        let failure = harness.run(line).await.err().unwrap_or_else(|| panic!("{line}"));
        assert_eq!(failure.exit_code(), 2, "{line}: {failure}");
    }
    assert!(Arguments::try_parse_from(["scalper", "audit", "--verb", "teleport"]).is_err());
}

#[tokio::test]
async fn every_command_that_changes_something_is_noted_before_and_after() {
    let (setup, acts) = trail(&LINES).await;
    assert_eq!(acts.len(), 2 * LINES.len());
    for (line, pair) in LINES.iter().zip(acts.chunks(2)) {
        let [begun, ended] = pair else { panic!("{line}: two notes") };
        assert_eq!((begun.act.clone(), &begun.end), (ended.act.clone(), &None), "{line}");
        let verb = format!("partner-{}", line.split(' ').next().expect("a verb"));
        assert_eq!(begun.act.verb.as_str(), verb, "{line}");
        let said = line.split_once("--reason ").map(|(_, reason)| reason);
        assert_eq!(begun.act.reason.as_ref().map(store::ActReason::as_str), said, "{line}");
        let end = ended.end.as_ref().expect("an end");
        let expected = match *line {
            "revoke north zzzzzzzzzzzz" => ActResult::Failed,
            "suspend north" => ActResult::Nothing,
            "add north --rate 7" if end.details.is_empty() => ActResult::Nothing,
            _ => ActResult::Done,
        };
        assert_eq!(end.result, expected, "{line}");
        assert_eq!(end.error.is_some(), expected == ActResult::Failed, "{line}");
    }
    for line in ["list", "list north", "s3 north"] {
        drop(setup.run(line).await);
    }
    assert_eq!(setup.fake.state().acts.len(), acts.len(), "a command that reads is not noted");
}

#[tokio::test]
async fn no_secret_and_no_address_is_in_the_trail() {
    let (setup, acts) = trail(&LINES).await;
    let harness = listed(&acts).await;
    let mut shown = harness.answer("audit").await.to_json();
    shown.push_str(&harness.answer("audit").await.to_text(Style::PLAIN));
    assert!(shown.contains("north") && shown.contains("leaked"));
    let state = setup.fake.state();
    let hashes: Vec<String> = state.credentials.keys().map(|hash| hash.as_str().to_owned()).collect();
    for secret in hashes.iter().map(String::as_str).chain([HOOK, "hooks.example.org", "ssk_", "whsec_"]) {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn without_the_trail_nothing_is_changed() {
    let setup = PartnerHarness::new();
    setup.json("add north").await;
    let before = setup.fake.state().effects();
    for line in ["suspend north", "rotate north", "webhook north --url https://hooks.example.org/in"] {
        {
            let mut fake = setup.fake.state();
            fake.fault = Some((fake.calls + 1, FakeFailure::BeforeEffect));
        }
        let failure = setup.failure(line).await;
        setup.fake.state().fault = None;
        assert!(matches!(failure, CommandError::NotTraced(_)), "{failure}");
        assert!(setup.fake.state().effects() == before, "{line}");
    }
}

#[tokio::test]
async fn an_answer_is_given_also_where_its_result_could_not_be_noted() {
    let setup = PartnerHarness::new();
    setup.json("add north").await;
    let calls = {
        let before = setup.fake.state().calls;
        setup.json("rotate north").await;
        setup.fake.state().calls - before
    };
    let rotated = setup.json("list north").await["credentials"][1]["id"].as_str().expect("an id").to_owned();
    setup.json(&format!("revoke north {rotated}")).await;
    {
        let mut fake = setup.fake.state();
        // One credential more is read and one key less is there; the last call is the note.
        fake.fault = Some((fake.calls + calls, FakeFailure::BeforeEffect));
    }
    let arguments = Arguments::try_parse_from(["scalper", "partner", "rotate", "north"]).expect("a command");
    let Command::Partner(command) = arguments.command else { panic!("a partner command") };
    let Audited { report, noted } = setup.operator.run(command).await.expect("carried out");
    setup.fake.state().fault = None;
    assert!(report.has_secret(), "the secret is shown");
    let failure = noted.expect_err("not noted");
    assert!(matches!(failure, CommandError::NotCompleted(_)), "{failure}");
    assert_eq!(failure.exit_code(), 1);
}

#[tokio::test]
async fn an_act_that_was_interrupted_is_listed_without_a_result() {
    let setup = PartnerHarness::new();
    setup.json("add north").await;
    {
        let mut fake = setup.fake.state();
        fake.fault = Some((fake.calls + 3, FakeFailure::AfterEffect));
    }
    assert!(setup.run("suspend north --reason leaked").await.is_err());
    setup.fake.state().fault = None;
    assert!(!setup.fake.state().partners["north"].active, "the effect is there");
    let acts = setup.fake.state().acts.clone();
    let harness = listed(&acts).await;
    harness.now.store(NOW_MS, std::sync::atomic::Ordering::SeqCst);
    let shown = harness.json("audit --verb partner-suspend").await;
    assert_eq!((&shown["acts"][0]["result"], &shown["acts"][0]["reason"]), (&Value::Null, &json!("leaked")));
    assert!(harness.text("audit --verb partner-suspend").await.contains("north  no end noted"));
}
