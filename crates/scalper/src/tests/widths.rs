//! Sentences fit a terminal, whatever names are in them.

use clap::Parser as _;

use super::TERMINAL;
use super::harness::{CONTRACT, GOOD, Harness};
use crate::arguments::{Arguments, Command};
use crate::contracts::{ContractAnswer, Documents};
use crate::hold::ReleaseReport;
use crate::reading::HoldView;
use crate::report::WIDTH;

fn assert_fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= WIDTH, "{} characters: {line}", line.chars().count());
    }
}

#[tokio::test]
async fn what_a_push_says_before_fits_a_terminal() {
    let feed = "a-feed-of-which-the-name-is-as-long-as-most-are-not-in-practice";
    let column = "a_column_with_a_name_that_is_rather_long_ok";
    let document = move |length: &str| {
        let contract = CONTRACT
            .replace("s3://inbox/", "s3://inbox/north/FEED/")
            .replace("FEED", feed)
            .replace("name: name,", &format!("name: {column},"));
        contract.replace("maxLength: 5", length)
    };
    let harness = Harness::new();
    harness.memory.publish_contract(feed, document("maxLength: 5"));
    harness.send(&format!("north/{feed}/a.csv"), GOOD, 5).await;
    for (length, said) in [
        ("maxLength: 5", "nothing to publish"),
        ("maxLength: 2, minLength: 1", "BREAKS senders"),
        ("maxLength: 9", "(--dry-run)"),
        ("maxLength: many", "correct the errors first"),
    ] {
        let line = ["scalper", "contract", "push", "new.odcs.yaml", "--feed", feed, "--dry-run"];
        let Ok(Arguments { command: Command::Contract(command), .. }) = Arguments::try_parse_from(line)
        else {
            panic!("contract")
        };
        let documents = Documents::from(move |_: &str| Ok(document(length).into_bytes()));
        let input = &mut std::io::empty();
        let answer = harness.view.contract_command(&command, &documents, input, &mut ()).await;
        let answer = answer.unwrap_or_else(|failure| panic!("{failure}"));
        let ContractAnswer::Plan(plan) = &answer else { panic!("a plan") };
        let text = answer.to_text(TERMINAL);
        assert!(text.replace('\n', " ").contains(said), "{text}");
        // Findings show the document's own lines.
        let findings = text.find("nothing was published").filter(|_| plan.has_errors()).unwrap_or(0);
        assert_fits(text.get(findings..).unwrap_or_default());
    }
}

#[test]
fn what_a_release_says_of_another_hold_fits_a_terminal() {
    let hold = HoldView {
        by: "arn:aws:sts::123456789012:assumed-role/operators-of-the-stack/ann.of.the.data.team".to_owned(),
        reason: "the contract is being corrected, and the partner sends the files of last week again"
            .to_owned(),
        ..HoldView::default()
    };
    let report = ReleaseReport {
        feed: "north/labs".to_owned(),
        hold: Some(hold.clone()),
        held_again: Some(hold),
        ..ReleaseReport::default()
    };
    let stack = crate::names::Stack::parse("silent-scalper").expect("a name");
    let text = report.to_text(&stack, TERMINAL);
    assert!(
        text.contains("it is held again") && text.ends_with(":\n  scalper release north/labs\n"),
        "{text}"
    );
    assert_fits(&text);
}
