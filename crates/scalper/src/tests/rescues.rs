//! What `contract push` offers when a version rescues stored files, and the replay that it begins.

use std::sync::atomic::Ordering;

use clap::Parser as _;
use store::memory::When;
use store::{ActResult, FileId, State, Verb};

use super::TERMINAL;
use super::commands::words;
use super::harness::{CONTRACT, GOOD, Harness, MIXED};
use crate::arguments::{Arguments, Command, ContractCommand};
use crate::contracts::{ContractAnswer, Documents, PublishPlan, PublishReport, RescuedFiles};
use crate::error::CommandError;
use crate::interrupt::Interrupt;

fn of_names(characters: u32) -> String {
    CONTRACT.replace("FEED", "labs").replace("maxLength: 5", &format!("maxLength: {characters}"))
}

/// Plans a contract whose names may have this number of characters, as `contract push` does.
async fn planned(harness: &Harness, characters: u32, words: &[&str]) -> Box<PublishPlan> {
    let line = ["scalper", "contract", "push", "labs.odcs.yaml", "--yes"];
    let arguments = Arguments::try_parse_from(line.iter().chain(words)).expect("a command");
    let Command::Contract(command) = arguments.command else { panic!("contract") };
    let documents = Documents::from(move |_: &str| Ok(of_names(characters).into_bytes()));
    let input = &mut std::io::empty();
    let answer = harness.view.contract_command(&command, &documents, input, &mut ()).await.expect("a plan");
    let ContractAnswer::Plan(plan) = answer else { panic!("a plan") };
    plan
}

/// Publishes a contract whose names may have this number of characters, as `contract push` does.
async fn push(harness: &Harness, characters: u32, words: &[&str]) -> PublishReport {
    let plan = planned(harness, characters, words).await;
    let published = harness.view.publish_noted(&plan, Verb::ContractPush, &harness.auditor).await;
    let published = published.expect("published");
    harness.now.fetch_add(60_001, Ordering::SeqCst);
    let json: serde_json::Value =
        serde_json::from_str(&published.to_json(&plan, &harness.view.stack, None)).expect("JSON");
    let commands = published.replay_commands(&harness.view.stack);
    assert_eq!(json["replayCommands"], serde_json::json!(commands));
    // Without files there is no preview.
    let rescued = json["plan"]["preview"]["rescues"]["files"].as_array().cloned().unwrap_or_default();
    assert_eq!(serde_json::json!(rescued), serde_json::json!(published.rescues.files));
    published
}

/// A stack with a contract that is too strict: names have at most this number of characters.
async fn strict(stack: &str, characters: u32) -> Harness {
    let harness = Harness::of_stack(stack);
    harness.partner("north", true).await;
    harness.memory.publish_contract("labs", of_names(characters));
    harness
}

/// Replays what a published version rescues, as the command does after its question.
async fn replay(harness: &Harness, published: &PublishReport) -> crate::replay::ReplayReport {
    let arguments = published.replay();
    let plan = harness.view.plan_replay(&arguments, None::<Vec<u8>>).await.expect("a plan");
    let pause = async || harness.work().await;
    let never = Interrupt::never();
    let audited = harness.view.replay(plan, &arguments, &harness.auditor, pause, |_, _| (), never).await;
    audited.and_then(crate::audited::Audited::finished).expect("replayed")
}

#[tokio::test]
async fn a_version_that_rescues_files_offers_their_replay_which_is_an_act_of_its_own() {
    for stack in ["silent-scalper", "scalper-test"] {
        let harness = strict(stack, 2).await;
        // Quarantined; quarantined and acknowledged; quarantined and followed by a good one.
        let quarantined = harness.send("north/labs/a.csv", MIXED, 30).await;
        harness.send("north/labs/done.csv", MIXED, 29).await;
        harness.ack(&["north/labs/done.csv", "--reason", "a test file"]).await.expect("acknowledged");
        harness.send("north/labs/again.csv", MIXED, 28).await;
        harness.send("north/labs/again.csv", "id,name\n1,A\n", 27).await;
        // One of three names is too long.
        let partial = harness.send("north/labs/partial.csv", "id,name\n1,A\n2,B\n3,Ann\n", 26).await;
        let published = push(&harness, 5, &["--reason", "names up to 5"]).await;
        let mut files = published.rescues.files.clone();
        files.sort();
        let mut expected = [quarantined.clone(), partial.clone()];
        expected.sort();
        assert_eq!(files, expected);
        assert_eq!(published.rescues.question(), "replay these 2 files now? [y/N] ");
        let offer = published.offer(&harness.view.stack, TERMINAL);
        if stack == "silent-scalper" {
            insta::assert_snapshot!(offer);
        }

        // The printed command means the same files.
        let commands = published.replay_commands(&harness.view.stack);
        let [command] = commands.as_slice() else { panic!("one command: {commands:?}") };
        let arguments = Arguments::try_parse_from(words(command)).expect("a command");
        assert_eq!(arguments.stack.as_deref().unwrap_or("silent-scalper"), stack);
        let Command::Replay(printed) = arguments.command else { panic!("replay") };
        let begun = published.replay();
        assert_eq!((&printed.files, &printed.reason), (&begun.files, &begun.reason));

        let report = replay(&harness, &published).await;
        assert!(report.is_good());
        assert_eq!(report.files.len(), 2);
        let entries = harness.memory.entries();
        for file in [&quarantined, &partial] {
            let entry = entries.iter().find(|entry| FileId::of(&entry.file) == *file).expect("an entry");
            assert_eq!(entry.state, State::Complete);
        }
        let acts = harness.memory.audited();
        let ended = acts.iter().rev().filter_map(|act| Some((act.act.verb, act.end.as_ref()?.result)));
        let last: Vec<_> = ended.take(3).collect();
        let replayed = (Verb::Replay, ActResult::Done);
        assert_eq!(last, [replayed, replayed, (Verb::ContractPush, ActResult::Done)]);
        for file in [&quarantined, &partial] {
            let found = harness.json(&format!("audit --file {file} --verb replay")).await;
            assert_eq!(found["acts"].as_array().map(Vec::len), Some(1), "{found}");
        }
        assert!(push(&harness, 12, &[]).await.rescues.records > 0, "Constantine has 11 letters");
    }
}

#[tokio::test]
async fn a_version_that_rescues_nothing_offers_nothing() {
    let harness = strict("silent-scalper", 5).await;
    harness.send("north/labs/good.csv", GOOD, 30).await;
    harness.send("north/labs/partial.csv", MIXED, 29).await;
    for (characters, words) in [(6, &[][..]), (2, &[]), (12, &["--files", "0"])] {
        let published = push(&harness, characters, words).await;
        assert!(published.rescues.is_empty(), "{characters} letters");
        assert_eq!(published.offer(&harness.view.stack, TERMINAL), "");
        assert!(published.replay_commands(&harness.view.stack).is_empty());
    }
}

#[tokio::test]
async fn of_many_files_the_command_names_their_feed() {
    let harness = strict("silent-scalper", 2).await;
    for number in 0..21 {
        harness.send(&format!("north/labs/{number}.csv"), GOOD, 60 - number).await;
    }
    harness.send("north/labs/partial.csv", "id,name\n1,A\n2,B\n3,Ann\n", 26).await;
    let published = push(&harness, 5, &["--files", "100"]).await;
    let reason = published.replay().reason.expect("a reason");
    assert!(reason.as_str().starts_with("version ") && reason.as_str().ends_with(" of contract labs"));
    let commands = published.replay_commands(&harness.view.stack);
    assert_eq!(commands.len(), 2);
    let mut found = Vec::new();
    for command in commands {
        let arguments = Arguments::try_parse_from(words(&command)).expect("a command");
        let Command::Replay(arguments) = arguments.command else { panic!("replay") };
        let plan = harness.view.plan_replay(&arguments, None::<Vec<u8>>).await.expect("a plan");
        found.push(plan.files());
    }
    assert_eq!(found, [21, 1]);
    assert!(replay(&harness, &published).await.is_good());
}

#[tokio::test]
async fn what_was_published_is_shown_also_where_the_replay_fails() {
    let harness = strict("silent-scalper", 2).await;
    harness.send("north/labs/a.csv", MIXED, 30).await;
    let plan = planned(&harness, 5, &["--replay"]).await;
    let published = harness.view.publish_noted(&plan, Verb::ContractPush, &harness.auditor).await;
    let published = published.expect("published");
    let arguments = published.replay();
    let replay = harness.view.plan_replay(&arguments, None::<Vec<u8>>).await.expect("a plan");
    let begun = harness.memory.calls().len();
    harness.memory.fail_at(begun + 2, When::BeforeEffect);
    let never = Interrupt::never();
    let failed =
        harness.view.replay(replay, &arguments, &harness.auditor, async || (), |_, _| (), never).await;
    assert!(matches!(&failed, Err(CommandError::NotAsked(_))), "{:?}", &harness.memory.calls()[begun..]);
    let ended = published.end(&plan, &harness.view.stack, failed.map(Some));
    assert_eq!(ended.code.err().map(|failure| failure.name()).as_deref(), Some("NotAsked"));
    let json: serde_json::Value = serde_json::from_str(&ended.json).expect("JSON");
    assert_eq!(json["published"]["objectVersion"], serde_json::json!(published.object_version));
    assert!(json["replay"].is_null() && json["replayCommands"][0].is_string(), "{json}");
}

#[tokio::test]
async fn a_push_that_ended_before_its_replay_replays_what_is_left_when_it_is_repeated() {
    let harness = strict("silent-scalper", 2).await;
    let one = harness.send("north/labs/a.csv", MIXED, 30).await;
    let other = harness.send("north/labs/b.csv", MIXED, 29).await;
    let partial = harness.send("north/labs/partial.csv", "id,name\n1,A\n2,B\n3,Ann\n", 26).await;
    let words = ["--replay", "--reason", "names up to 5"];
    let published = push(&harness, 5, &words).await;
    // It is killed, and one file was replayed.
    let first =
        PublishReport { rescues: RescuedFiles { files: vec![one], ..RescuedFiles::default() }, ..published };
    assert!(replay(&harness, &first).await.is_good());
    assert!(planned(&harness, 5, &[]).await.left_to_replay().is_none(), "not asked for");
    let plan = planned(&harness, 5, &words).await;
    assert!(plan.unchanged && !plan.is_ready());
    let left = plan.left_to_replay().expect("two files");
    assert_eq!(left.object_version, first.object_version);
    let mut files = left.rescues.files.clone();
    files.sort();
    let mut expected = [other, partial];
    expected.sort();
    assert_eq!((files.as_slice(), left.rescues.records), (expected.as_slice(), 1));
    let report = replay(&harness, &left).await;
    assert!(report.is_good() && report.files.len() == 2);
    let ended = left.end(&plan, &harness.view.stack, Ok(None));
    let json: serde_json::Value = serde_json::from_str(&ended.json).expect("JSON");
    assert!(json["published"].is_null() && json["plan"]["unchanged"] == true, "{json}");
    let nothing = planned(&harness, 5, &words).await;
    assert!(nothing.unchanged && nothing.left_to_replay().is_none());
}

#[tokio::test]
async fn a_file_that_the_older_version_decided_is_not_offered_when_that_is_published_again() {
    let harness = strict("silent-scalper", 2).await;
    harness.send("north/labs/first.csv", "id,name\n1,A\n2,B\n3,C\n4,Al\n5,Ann\n", 26).await;
    // Decided under the first text, which is published again after a stricter one.
    assert!(push(&harness, 1, &[]).await.rescues.is_empty());
    let later = harness.send("north/labs/later.csv", "id,name\n1,A\n2,B\n3,C\n4,Al\n", 20).await;
    let plan = planned(&harness, 2, &[]).await;
    let totals = &plan.preview.as_ref().expect("a preview").totals;
    assert_eq!((totals.rescued_files, totals.rescued), (2, 2), "compared with the stricter one");
    let published = push(&harness, 2, &[]).await;
    assert_eq!((published.rescues.files.as_slice(), published.rescues.records), ([later].as_slice(), 1));
}

#[test]
fn a_replay_is_asked_for_by_its_own_word() {
    for (words, replay) in [
        (&["--yes"][..], Some(false)),
        (&["--replay"], Some(true)),
        (&["--yes", "--replay"], Some(true)),
        (&["--dry-run", "--replay"], None),
    ] {
        let line = ["scalper", "contract", "push", "labs.odcs.yaml"];
        let parsed = Arguments::try_parse_from(line.iter().chain(words)).ok();
        let found = parsed.map(|arguments| match arguments.command {
            Command::Contract(ContractCommand::Push(push)) => push.publish.replay,
            _ => panic!("push"),
        });
        assert_eq!(found, replay, "{words:?}");
    }
}

#[tokio::test]
async fn a_version_that_leaves_fewer_records_out_says_so_and_offers_to_load_them() {
    let harness = strict("silent-scalper", 5).await;
    let on_error = "      - {property: onError,";
    let drops = "      - {property: dropIf, value: \"name.startsWith('A')\", vendor: ingest}\n";
    let narrower = of_names(5).replace(on_error, &format!("{drops}{on_error}"));
    assert_ne!(narrower, of_names(5));
    harness.memory.publish_contract("labs", narrower);
    harness.now.fetch_add(60_001, Ordering::SeqCst);
    let file = harness.send("north/labs/a.csv", "id,name\n1,Ann\n2,Bob\n3,Abe\n", 9).await;
    assert_eq!(harness.memory.rows().len(), 1);
    let published = push(&harness, 5, &[]).await;
    assert_eq!(published.rescues.files, [file]);
    let previewed = harness.view.plan_replay(&published.replay(), None::<Vec<u8>>).await.expect("a plan");
    let shown = previewed.to_text(TERMINAL);
    assert!(shown.contains("loads 2 records that are left out now"), "{shown}");
    insta::assert_snapshot!("offer_of_left_out", published.offer(&harness.view.stack, TERMINAL));
    assert!(replay(&harness, &published).await.is_good());
    let visible: u64 =
        harness.memory.entries().iter().filter_map(|entry| Some(entry.outcome.as_ref()?.counts.rows)).sum();
    assert_eq!(visible, 3);
}
