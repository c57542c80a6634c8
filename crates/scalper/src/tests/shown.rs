//! What users read, as snapshots.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use store::{Error, Operation};

use super::*;

async fn transcript(setup: &PartnerHarness, lines: &[&str], json: bool) -> String {
    let mut text = String::new();
    for line in lines {
        let answer = match setup.run(line).await {
            Ok(report) if json => report.to_json() + "\n",
            Ok(report) => report.to_text(TERMINAL),
            Err(failure) if json => format!("{}\n", failure.to_json(None)),
            Err(failure) => format!("scalper: {failure}\n[exit code {}]\n", failure.exit_code()),
        };
        writeln!(text, "$ scalper partner {line}\n{answer}").expect("written");
    }
    text
}

const LINES: [&str; 18] = [
    "list",
    "add north-clinic --feeds labs,charges --expires-days 365",
    "add north-clinic",
    "rotate north-clinic --scopes submit",
    "rotate north-clinic",
    "revoke north-clinic aaaaaaaaaaaa",
    "revoke north-clinic zzzzzzzzzzzz",
    "webhook north-clinic --url https://hooks.example.org/outcomes",
    "webhook north-clinic --url https://hooks.example.org/outcomes/2",
    "webhook north-clinic --rotate",
    "list north-clinic",
    "role north-clinic arn:aws:iam::123456789012:role/sender",
    "role north-clinic arn:aws:iam::123456789012:role/sender --remove",
    "suspend north-clinic",
    "list",
    "resume north-clinic",
    "webhook north-clinic --remove",
    "list south-clinic",
];

#[tokio::test]
async fn text() {
    insta::assert_snapshot!(transcript(&PartnerHarness::new(), &LINES, false).await);
}

#[tokio::test]
async fn json() {
    insta::assert_snapshot!(transcript(&PartnerHarness::new(), &LINES, true).await);
}

#[tokio::test]
async fn mistakes() {
    let setup = PartnerHarness::new();
    setup.json("add south").await;
    setup.json("role south arn:aws:iam::123456789012:role/sender").await;
    setup.json("add north").await;
    let lines = [
        "add North",
        "add north --feeds Labs",
        "add north --feeds ,",
        "add north --scopes admin",
        "role north sender",
        "role north arn:aws:iam::123456789012:role/sender",
        "role north arn:aws:iam::123456789012:role/other --remove",
        "webhook north --url http://hooks.example.org/",
        "webhook north --url https://10.0.0.1/",
        "webhook north --rotate",
    ];
    let mut text = transcript(&setup, &lines, false).await;
    for failure in [
        CommandError::NotAStack { stack: "a_b".to_owned() },
        CommandError::NoCredential { partner: "north".to_owned() },
        CommandError::NoRegion,
        CommandError::NoCredentials,
        CommandError::CredentialsRejected { problem: "the SSO session has expired".to_owned() },
        CommandError::NoRandomness,
        CommandError::NotShown,
        CommandError::Table(Error::new(Operation::ReadLedger, "ResourceNotFoundException")),
        CommandError::Gateway(crate::gateway::GatewayError {
            doing: "looking for the API of the stack",
            code: "found 0 named silent-scalper-partners, expected one".to_owned(),
        }),
    ] {
        writeln!(text, "scalper: {failure}\n[exit code {}]\n", failure.exit_code()).expect("written");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn help() {
    let mut command = Arguments::command();
    let mut text = command.render_long_help().to_string();
    command.build();
    let partner = command.find_subcommand_mut("partner").expect("the command");
    text.push_str(&partner.render_long_help().to_string());
    let names: Vec<String> = partner.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        let command = partner.find_subcommand_mut(name).expect("the command");
        write!(text, "\n--- {name}\n{}", command.render_long_help()).expect("written");
    }
    let doctor = command.find_subcommand_mut("doctor").expect("the command");
    write!(text, "\n--- doctor\n{}", doctor.render_long_help()).expect("written");
    insta::assert_snapshot!(text);
}

/// The commands below this one, with the words that lead to each.
fn commands(command: &clap::Command, path: &str) -> Vec<(String, clap::Command)> {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    below
        .flat_map(|below| {
            let path = format!("{path} {}", below.get_name());
            let mut found = commands(below, &path);
            found.push((path, below.clone()));
            found
        })
        .collect()
}

#[test]
fn the_help_of_every_command_has_examples_that_are_commands() {
    let mut all = Arguments::command();
    all.build();
    let found = commands(&all, "scalper");
    assert!(found.len() > 18, "{}", found.len());
    for (path, mut command) in found {
        let help = command.render_long_help().to_string();
        let examples = help.lines().map(str::trim_start).filter(|line| line.starts_with(&path));
        let examples: Vec<_> = examples.collect();
        assert!(!examples.is_empty(), "{path}: {help}");
        for example in examples {
            // A note stands two blanks or more behind the command; a shell sees no more than the command before `|`
            // or `>`.
            let command = example.split("  ").next().unwrap_or(example);
            let command = command.split(['|', '>']).next().unwrap_or(command);
            let parsed = Arguments::try_parse_from(super::commands::words(command));
            assert!(parsed.is_ok(), "{example}: {parsed:?}");
        }
    }
}

#[test]
fn headings_of_help_are_coloured_and_plain_text_of_it_is_not() {
    let mut command = Arguments::command();
    let help = command.render_help();
    assert!(help.ansi().to_string().contains("\u{1b}[1m\u{1b}[32mExamples:\u{1b}[0m"), "{}", help.ansi());
    assert!(!help.to_string().contains('\u{1b}'));
}

#[tokio::test]
async fn headings_are_bold_only_where_colours_are_wanted() {
    let setup = PartnerHarness::new();
    let report = setup.run("add north").await.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.to_text(COLOURS).contains("\u{1b}[1mpartner"));
    assert!(!report.to_text(TERMINAL).contains('\u{1b}'));
    assert!(report.has_secret());
}

#[tokio::test]
async fn a_secret_is_in_the_answer_that_makes_it_and_in_no_other() {
    let setup = PartnerHarness::new();
    let (_, secret) = setup.credential("add north").await;
    let webhook = setup.json("webhook north --url https://hooks.example.org/").await;
    let webhook = webhook["secret"].as_str().expect("a secret").to_owned();
    let hash = CredentialHash::of(&secret);
    for line in
        ["list", "list north", "add north", "suspend north", "webhook north --url https://b.example.org/"]
    {
        let report = setup.run(line).await.unwrap_or_else(|failure| panic!("{line}: {failure}"));
        assert!(!report.has_secret());
        for text in [report.to_text(TERMINAL), report.to_json()] {
            assert!(
                !text.contains(&secret) && !text.contains(&webhook) && !text.contains(hash.as_str()),
                "{line}"
            );
        }
    }
}
