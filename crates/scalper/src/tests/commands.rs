//! Every command that is printed can be pasted: it parses, and what it names is there.

use clap::Parser as _;
use store::memory::INBOX;

use super::TERMINAL;
use super::harness::{BAD, GOOD, Harness, MIXED};
use crate::arguments::{Arguments, Command, ReleaseArguments, RetractArguments};
use crate::error::CommandError;
use crate::interrupt::Interrupt;

/// The words of a line as bash reads them: blanks, backslashes, single quotes and `$'…'` with octal escapes.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut open = false;
    let mut letters = line.chars().peekable();
    let mut push = |letter: char, open: &mut bool| {
        if !*open {
            words.push(Vec::new());
            *open = true;
        }
        let mut buffer = [0; 4];
        words.last_mut().expect("a word").extend(letter.encode_utf8(&mut buffer).bytes());
    };
    while let Some(letter) = letters.next() {
        match letter {
            ' ' => open = false,
            '\\' => push(letters.next().expect("a letter"), &mut open),
            '\'' => letters
                .by_ref()
                .take_while(|letter| *letter != '\'')
                .for_each(|letter| push(letter, &mut open)),
            '$' if letters.peek() == Some(&'\'') => {
                letters.next();
                let mut text = Vec::new();
                while let Some(letter) = letters.next().filter(|letter| *letter != '\'') {
                    if letter != '\\' {
                        text.extend(letter.to_string().bytes());
                    } else if letters.peek().is_some_and(char::is_ascii_digit) {
                        let digits: String = letters.by_ref().take(3).collect();
                        text.push(u8::from_str_radix(&digits, 8).expect("octal"));
                    } else {
                        text.extend(letters.next().expect("a letter").to_string().bytes());
                    }
                }
                String::from_utf8(text).expect("UTF-8").chars().for_each(|letter| push(letter, &mut open));
            }
            letter => push(letter, &mut open),
        }
    }
    words.into_iter().map(|word| String::from_utf8(word).expect("UTF-8")).collect()
}

/// The commands of a text: lines of their own.
fn commands(text: &str) -> Vec<String> {
    let lines =
        text.lines().map(str::trim).filter(|line| line.starts_with("scalper ") || line.starts_with("aws "));
    lines.map(str::to_owned).collect()
}

fn after<'w>(words: &'w [String], option: &str) -> &'w str {
    let at = words.iter().position(|word| word == option).unwrap_or_else(|| panic!("{option} in {words:?}"));
    &words[at + 1]
}

/// A command on this stack, run or at least resolved.
async fn works(harness: &Harness, stack: &str, line: &str) {
    let words = words(line);
    match words.iter().map(String::as_str).take(3).collect::<Vec<_>>()[..] {
        ["scalper", ..] => {
            let arguments =
                Arguments::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(arguments.stack.as_deref().unwrap_or("silent-scalper"), stack, "{line}");
            let ended = match arguments.command {
                Command::Read(command) => harness.view.run(command).await.map(drop),
                Command::Ack(arguments) => {
                    harness.view.acknowledge(&arguments, &harness.auditor).await.map(drop)
                }
                Command::Redrive(arguments) => {
                    harness.view.redrive(&arguments, &harness.auditor, |_| ()).await.map(drop)
                }
                Command::Retract(arguments) => {
                    let arguments = RetractArguments { dry_run: true, ..arguments };
                    harness.view.retract(&arguments, &harness.auditor).await.map(drop)
                }
                Command::Replay(arguments) => {
                    harness.view.plan_replay(&arguments, None::<Vec<u8>>).await.map(drop)
                }
                Command::Backfill(arguments) => harness.view.survey(&arguments).await.map(drop),
                Command::Release(arguments) => {
                    let arguments = ReleaseArguments { dry_run: true, ..arguments };
                    let release = harness.view.release_feed(
                        &arguments,
                        &harness.auditor,
                        async || (),
                        |_| (),
                        Interrupt::never(),
                    );
                    release.await.map(drop)
                }
                Command::Hold(arguments) => {
                    harness.view.hold_feed(&arguments, &harness.auditor).await.map(drop)
                }
                Command::Partner(_) | Command::Doctor | Command::Contract(_) | Command::Generate(_) => Ok(()),
            };
            // A file whose records are asked for has some.
            assert!(
                !matches!(ended, Err(ref failure) if !matches!(failure, CommandError::NoReceipt { .. })),
                "{line}: {ended:?}"
            );
        }
        // The next step after a broken contract: the corrected document lies in the operator's folder.
        ["aws", "s3", "cp"] if line.contains(".odcs.yaml") => {
            let publish = format!("labs.odcs.yaml s3://{stack}-contracts-123456789012-eu-central-1/");
            assert!(line.ends_with(&publish), "{line}");
            assert_eq!(after(&words, "--region"), "eu-central-1");
        }
        ["aws", "s3", "cp"] => {
            let address = words.iter().find_map(|word| word.strip_prefix("s3://")).expect("an address");
            let (bucket, key) = address.split_once('/').expect("a key");
            assert_eq!(bucket, format!("{stack}-quarantine-123456789012-eu-central-1"), "{line}");
            assert!(harness.memory.quarantine().contains_key(key), "{line}");
            assert_eq!(after(&words, "--region"), "eu-central-1");
        }
        ["aws", "s3api", "get-object" | "restore-object"] => {
            let (key, version) = (after(&words, "--key"), after(&words, "--version-id"));
            assert_eq!(after(&words, "--bucket"), INBOX, "the twin's inbox");
            let versions = harness.memory.inbox_versions();
            let is_it =
                |found: &store::memory::InboxVersion| found.file.key == key && found.file.version == version;
            assert!(versions.iter().any(is_it), "{line}");
        }
        _ => panic!("a command that nothing checks: {line}"),
    }
}

async fn every_kind(stack: &str) -> Harness {
    let harness = Harness::of_stack(stack);
    harness.partner("north", true).await;
    for (key, bytes) in [
        ("north/labs/it's $(x) `y` \"z\".csv", BAD),
        ("north/labs/mixed ü.csv", MIXED),
        ("north/labs/good.csv", GOOD),
        ("north/labs/good.csv", GOOD),
        ("north/visits/a.csv", GOOD),
        ("shop/orders.csv", GOOD),
        ("ACME/Or ders/\u{1b}[31m'\u{202e}\n.csv", GOOD),
        ("-rf.csv", GOOD),
        ("north/labs/.DS_Store", "x"),
    ] {
        harness.send(key, bytes, 200).await;
    }
    let gone = harness.memory.land(INBOX, "north/labs/gone.csv", GOOD);
    harness.memory.delete(&gone);
    harness.follow(&gone, 4).await;
    let archived = harness.memory.land(INBOX, "north/labs/it's archived.csv", GOOD);
    harness.memory.archive(&archived);
    harness.follow(&archived, 3).await;
    harness.claimed("south/charges/stuck.csv", 200, 1).await;
    harness.hold("north/charges").await;
    harness.send("north/charges/waits.csv", GOOD, 2).await;
    harness.memory.publish_contract("labs", "kind: DataContract");
    harness
        .memory
        .set_depth(store::StackQueue::InboxDeadLetters, Some(store::Depth { waiting: 1, in_flight: 0 }));
    harness
}

#[tokio::test]
async fn every_printed_command_works_when_it_is_pasted() {
    for stack in ["silent-scalper", "scalper-test"] {
        let harness = every_kind(stack).await;
        let mut lines = vec!["status".to_owned(), "files".to_owned()];
        for entry in harness.memory.entries() {
            let file = store::FileId::of(&entry.file);
            lines.extend(["show", "rejects"].map(|command| format!("{command} {file}")));
        }
        let mut printed = 0;
        for line in lines {
            let Ok(answer) = harness.run(&line).await else { continue };
            for command in commands(&answer.to_text(TERMINAL)) {
                works(&harness, stack, &command).await;
                printed += 1;
            }
        }
        assert!(printed > 40, "{printed}");
    }
}

#[test]
fn a_line_is_read_as_a_shell_reads_it() {
    let line = r"aws 'a b' c\'d $'e\012\'\342\200\256'";
    assert_eq!(words(line), ["aws", "a b", "c'd", "e\n'\u{202e}"]);
}
