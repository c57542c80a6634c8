//! The commands on contracts, over a stack in memory, and what they print.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Error, ErrorKind};

use clap::Parser as _;
use store::memory::When;
use store::{ContractText, Operation, ReadContracts as _};

use super::TERMINAL;
use super::harness::{CONTRACT, GOOD, Harness, MIXED};
use crate::arguments::{Arguments, Command, ContractCommand};
use crate::contracts::{ContractAnswer, Documents, run_offline};
use crate::error::CommandError;

/// 2026-11-20T08:00:00Z.
const MORNING_MS: u64 = 1_795_161_600_000;

fn labs() -> String {
    CONTRACT.replace("FEED", "labs")
}

/// Local files by their paths.
fn documents() -> Documents {
    let labs = labs();
    let files = BTreeMap::from([
        (
            "labs.odcs.yaml",
            labs.replace("version: 1.2.0", "version: 1.3.0").replace("maxLength: 5", "maxLength: 12"),
        ),
        (
            "strict/labs.odcs.yaml",
            labs.replace("version: 1.2.0", "version: 1.4.0").replace("maxLength: 5", "maxLength: 2"),
        ),
        ("same/labs.odcs.yaml", labs.clone()),
        ("old.yaml", labs.clone()),
        (
            "new.yaml",
            labs.replace("maxLength: 5", "maxLength: 4")
                .replace("onSameName, value: supersede", "onSameName, value: append"),
        ),
        (
            "broken.odcs.yaml",
            labs.replace("logicalType: integer", "logicalType: intger")
                .replace("status: active", "status: actve")
                .replace("kind: DataContract", "kind: DataContact"),
        ),
        ("orders.odcs.yaml", labs.replace("id: labs", "id: orders").replace("name: labs", "name: orders")),
        ("anything.txt/x", labs),
    ]);
    Documents::from(move |path: &str| {
        files.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| Error::from(ErrorKind::NotFound))
    })
}

fn command(words: &[&str]) -> ContractCommand {
    let arguments =
        Arguments::try_parse_from(["scalper", "contract"].iter().chain(words)).expect("a command");
    let Command::Contract(command) = arguments.command else { panic!("contract") };
    command
}

async fn run(harness: &Harness, line: &str) -> Result<ContractAnswer, CommandError> {
    let words: Vec<&str> = line.split(' ').collect();
    let command = command(&words);
    let mut input = labs().into_bytes();
    let mut input = input.as_mut_slice() as &[u8];
    if let Some(answer) = run_offline(&command, &documents(), &mut input)? {
        return Ok(answer);
    }
    harness.view.contract_command(&command, &documents(), &mut input, &mut ()).await
}

async fn transcript(harness: &Harness, lines: &[&str], json: bool) -> String {
    let mut text = String::new();
    for line in lines {
        let answer = match run(harness, line).await {
            Ok(answer) => {
                let shown = if json { answer.to_json() + "\n" } else { answer.to_text(TERMINAL) };
                format!("{shown}[exit code {}]\n", answer.exit_code())
            }
            Err(failure) => format!("scalper: {failure}\n[exit code {}]\n", failure.exit_code()),
        };
        writeln!(text, "$ scalper contract {line}\n{answer}").expect("written");
    }
    assert!(!text.contains("Constantine"), "a value of a file");
    text
}

/// A feed with three files, of which one has a rejected record, and three versions of its contract; the newest has an
/// error.
async fn stack() -> Harness {
    let harness = Harness::new();
    harness.partner("north", true).await;
    harness.memory.published_at("labs", MORNING_MS);
    harness.send("north/labs/monday.csv", GOOD, 300).await;
    harness.send("north/labs/tuesday.csv", MIXED, 200).await;
    harness.send("south/labs/wednesday.csv", "id,name\n1,Cid\n2,Dan\n3,Eve\n", 100).await;
    harness.memory.publish_contract("labs", labs().replace("version: 1.2.0", "version: 1.2.1"));
    harness.memory.published_at("labs", MORNING_MS + 60_000);
    harness.memory.publish_contract("charges", "kind: DataContract");
    harness.memory.published_at("charges", MORNING_MS);
    harness
}

#[tokio::test]
async fn text() {
    let harness = stack().await;
    let lines = [
        "lint labs.odcs.yaml broken.odcs.yaml missing.odcs.yaml",
        "lint -",
        "diff old.yaml new.yaml",
        "diff labs@1.2.0 labs",
        "diff labs labs.odcs.yaml",
        "diff labs strict/labs.odcs.yaml",
        "list",
        "history labs",
        "history charges",
        "show labs@1.2.0",
        "show labs --compiled",
        "push labs.odcs.yaml --dry-run",
        "push strict/labs.odcs.yaml",
        "push broken.odcs.yaml --feed labs",
        "push strict/labs.odcs.yaml --files 1 --dry-run",
        "push orders.odcs.yaml --dry-run",
        "push labs.odcs.yaml --feed charges --files 0 --dry-run",
        "rollback labs --dry-run",
    ];
    insta::assert_snapshot!(transcript(&harness, &lines, false).await);
}

#[tokio::test]
async fn everything_that_is_done_to_a_record_is_shown() {
    let harness = stack().await;
    let settings = "    quality:\n      - {metric: rowCount, mustBeGreaterThan: 0}\n      - {engine: cel, name: order, severity: warn, implementation: 'id > 0'}\n    properties:";
    let drops =
        "      - {property: dropIf, value: \"name == 'TEST'\", vendor: ingest}\n      - {property: onError";
    let name = "maxLength: 5}, classification: phi, customProperties: [{property: transform, value: [trim, {map: {x: X}}], vendor: ingest}, {property: mask, value: {truncate: 1}, vendor: ingest}]}";
    let document = super::harness::CONTRACT
        .replace("FEED", "full")
        .replace("    properties:", settings)
        .replace("      - {property: onError", drops)
        .replace("maxLength: 5}}", name);
    harness.memory.publish_contract("full", document);
    insta::assert_snapshot!(transcript(&harness, &["show full --compiled"], false).await);
}

#[tokio::test]
async fn json() {
    let harness = stack().await;
    let lines = [
        "lint broken.odcs.yaml",
        "diff old.yaml new.yaml",
        "list",
        "history labs",
        "show labs --compiled",
        "push strict/labs.odcs.yaml --dry-run",
    ];
    insta::assert_snapshot!(transcript(&harness, &lines, true).await);
}

#[tokio::test]
async fn mistakes() {
    let harness = stack().await;
    let lines = [
        "diff old.yaml broken.odcs.yaml",
        "diff old.yaml missing.yaml",
        "diff labs@9 labs",
        "diff labs lbas",
        "show orders",
        "show charges --compiled",
        "history Labs",
        "push anything.txt/x",
        "push labs.odcs.yaml --feed Labs",
        "rollback charges",
        "rollback labs --to 0.0.1",
    ];
    let mut text = transcript(&harness, &lines, false).await;
    for failure in [
        CommandError::NotConfirmed,
        CommandError::NotWanted,
        CommandError::ContractContested { feed: "labs".to_owned() },
        CommandError::NotPublished(store::Error::new(Operation::PublishContract, "AccessDenied")),
    ] {
        writeln!(text, "scalper: {failure}\n[exit code {}]", failure.exit_code()).expect("written");
    }
    insta::assert_snapshot!(text);
}

async fn plan(harness: &Harness, line: &str) -> Box<crate::contracts::PublishPlan> {
    match run(harness, line).await {
        Ok(ContractAnswer::Plan(plan)) => plan,
        Ok(_) => panic!("a plan"),
        Err(failure) => panic!("{line}: {failure}"),
    }
}

async fn newest(harness: &Harness) -> String {
    let object = harness.memory.contract("labs").await.expect("read").expect("a contract");
    match object.text {
        ContractText::Whole(bytes) => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        ContractText::TooLong(_) => panic!("short"),
    }
}

#[tokio::test]
async fn a_plan_writes_nothing_and_is_published_once() {
    let harness = stack().await;
    let before = harness.memory.state();
    let pushed = plan(&harness, "push labs.odcs.yaml --yes --reason longer").await;
    assert!(pushed.is_ready());
    assert_eq!(harness.memory.state(), before);
    assert!(newest(&harness).await.contains("1.2.1"));
    let report = harness.view.publish(&pushed).await.expect("published");
    assert_eq!((report.feed.as_str(), report.reason.as_deref()), ("labs", Some("longer")));
    assert!(newest(&harness).await.contains("1.3.0"));
    insta::assert_snapshot!(report.to_text(TERMINAL));
    let again = harness.view.publish(&pushed).await;
    assert!(
        matches!(again, Err(CommandError::ContractContested { .. })),
        "another version is the newest now"
    );
    let unchanged = plan(&harness, "push labs.odcs.yaml").await;
    assert!(unchanged.unchanged && !unchanged.is_ready());
}

#[tokio::test]
async fn of_two_operators_one_is_told() {
    let harness = stack().await;
    let (one, other) =
        (plan(&harness, "push labs.odcs.yaml").await, plan(&harness, "push strict/labs.odcs.yaml").await);
    assert!(harness.view.publish(&one).await.is_ok());
    let late = harness.view.publish(&other).await;
    assert!(matches!(late, Err(CommandError::ContractContested { ref feed }) if feed == "labs"));
    assert!(newest(&harness).await.contains("1.3.0"));
}

#[tokio::test]
async fn a_rollback_publishes_the_text_before_the_one_in_force() {
    let harness = stack().await;
    // A newer version with errors changes nothing of what is in force.
    harness.memory.publish_contract("labs", "kind: DataContract");
    let back = plan(&harness, "rollback labs --yes").await;
    harness.view.publish(&back).await.expect("published");
    assert_eq!(newest(&harness).await, labs());
    let named = plan(&harness, "rollback labs --to 1.2.1 --yes").await;
    harness.view.publish(&named).await.expect("published");
    assert!(newest(&harness).await.contains("1.2.1"));
    assert_eq!(
        harness.memory.contract_versions("labs").await.expect("listed").len(),
        5,
        "nothing is deleted"
    );
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_a_rejected_call_publishes_nothing() {
    for (when, published) in [(When::AfterEffect, true), (When::BeforeEffect, false)] {
        let harness = stack().await;
        let pushed = plan(&harness, "push labs.odcs.yaml --yes").await;
        harness.memory.fail_at(harness.memory.calls().len() + 1, when);
        let result = harness.view.publish(&pushed).await;
        assert_eq!(result.is_ok(), published, "{when:?}");
        assert_eq!(newest(&harness).await.contains("1.3.0"), published, "{when:?}");
    }
}

#[test]
fn what_needs_no_stack_looks_for_none() {
    for (words, offline) in [
        (&["lint", "labs.odcs.yaml"][..], true),
        (&["diff", "old.yaml", "new.yaml"], true),
        (&["diff", "labs", "new.yaml"], false),
        (&["list"], false),
        (&["push", "labs.odcs.yaml"], false),
    ] {
        let found = run_offline(&command(words), &documents(), &mut std::io::empty());
        assert_eq!(found.expect("read").is_some(), offline, "{words:?}");
    }
}

#[test]
fn help() {
    use clap::CommandFactory as _;
    let mut text = String::new();
    let mut root = Arguments::command();
    root.build();
    let contract = root.find_subcommand_mut("contract").expect("a command");
    writeln!(text, "{}", contract.render_long_help()).expect("written");
    for command in contract.get_subcommands_mut() {
        writeln!(text, "{}", command.render_long_help()).expect("written");
    }
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "help fits 80 columns");
    insta::assert_snapshot!(text);
}
