//! A failure before or after any effect, of one call or of the whole process, changes nothing in the end.

use std::collections::BTreeSet;

use serde_json::Value;
use store::{FileVersion, Operation, State, memory::When};

use super::harness::*;

/// A scene: contract settings, and the versions that land, delivered one after the other.
type Scene = (&'static str, &'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);

const KEY: &str = "north/visits/a.csv";

/// Of a partner that is looked for in the table.
const OTHER: &str = "south/visits/a.csv";

/// Of a partner that is not registered.
const UNREGISTERED: &str = "doe-jane-1970/visits/a.csv";

/// Lies in an archive storage class, in a feed without a contract.
const ARCHIVED: &str = "north/nowhere/archived.csv";

const SCENES: [Scene; 14] = [
    ("good", &[], &[(KEY, GOOD)]),
    ("partial", &[], &[(KEY, MIXED)]),
    ("rejected", &[("onError", "abort")], &[(KEY, MIXED)]),
    ("unreadable", &[], &[(KEY, "id\n1\n")]),
    ("no feed", &[], &[("north/nowhere/a.csv", GOOD)]),
    ("no partner", &[], &[("a.csv", GOOD)]),
    ("snapshots", &[("onSameName", "supersede")], &[(KEY, GOOD), (KEY, MIXED)]),
    ("archived", &[], &[(ARCHIVED, GOOD)]),
    ("registered", &[], &[(OTHER, MIXED)]),
    ("suspended", &[], &[(OTHER, GOOD)]),
    ("unregistered", &[], &[(UNREGISTERED, MIXED)]),
    ("broken contract", &[], &[(KEY, GOOD)]),
    ("once", &[("onSameName", "reject")], &[(KEY, GOOD), (KEY, MIXED)]),
    ("same bytes", &[("dedupeContent", "true")], &[(KEY, GOOD), ("north/visits/b.csv", GOOD)]),
];

fn begin(scene: &Scene, small: u64) -> (Harness, Vec<FileVersion>) {
    let harness = Harness::with(|settings| {
        settings.rows_at_once = 1;
        settings.rows_per_checkpoint = 1;
        settings.small_file_bytes = small;
    });
    // Few bytes at a time, so that rows are written and remembered in several steps.
    harness.memory.chunks_of(16);
    // Rejects go in parts.
    harness.memory.parts_of(128);
    visits(&harness, scene.1);
    match scene.0 {
        "registered" => harness.memory.register("south", true),
        "suspended" => harness.memory.register("south", false),
        "broken contract" => drop(harness.memory.publish_contract("visits", "kind: DataContact")),
        _ => {}
    }
    let files: Vec<_> = scene.2.iter().map(|(key, bytes)| harness.land(key, bytes)).collect();
    files.iter().filter(|file| file.key == ARCHIVED).for_each(|file| harness.memory.archive(file));
    (harness, files)
}

async fn run(harness: &Harness, files: &[FileVersion]) {
    for file in files {
        harness.until_terminal(&[file]).await;
    }
}

#[tokio::test]
async fn a_failure_anywhere_ends_as_if_it_had_not_been() {
    let mut attempts = 0;
    for scene in &SCENES {
        // Read twice from the inbox, and once where the first reading keeps the bytes.
        let kept = if scene.0 == "partial" { u64::MAX } else { 0 };
        for small in BTreeSet::from([0, kept]) {
            let (clean, files) = begin(scene, small);
            run(&clean, &files).await;
            let (expected, calls) = (clean.memory.state(), clean.memory.calls().len());
            for call in 1..=calls {
                for when in [When::BeforeEffect, When::AfterEffect] {
                    for deadly in [false, true] {
                        let (harness, files) = begin(scene, small);
                        if deadly {
                            harness.memory.die_at(call, when);
                        } else {
                            harness.memory.fail_at(call, when);
                        }
                        run(&harness, &files).await;
                        assert_eq!(harness.memory.state(), expected, "{} {call} {when:?} {deadly}", scene.0);
                        let given_up = deadly || harness.memory.calls()[call - 1] == Operation::AbortUpload;
                        assert!(
                            given_up || harness.memory.open_uploads() == 0,
                            "{} {call} {when:?}",
                            scene.0
                        );
                        attempts += 1;
                    }
                }
            }
        }
    }
    assert!(attempts > 500, "{attempts}");
}

#[tokio::test]
async fn two_failures_anywhere_end_as_if_they_had_not_been() {
    let scene = &SCENES[1];
    let (clean, files) = begin(scene, 0);
    run(&clean, &files).await;
    let (expected, calls) = (clean.memory.state(), clean.memory.calls().len());
    for first in 1..=calls {
        for gap in 1..=calls {
            let (harness, files) = begin(scene, 0);
            harness.memory.fail_at(first, When::AfterEffect);
            harness.deliver(&[&files[0]]).await;
            harness.wait(3_600_000);
            let begun = harness.memory.calls().len();
            harness.memory.die_at(begun + gap, When::AfterEffect);
            harness.deliver(&[&files[0]]).await;
            harness.memory.revive();
            harness.wait(3_600_000);
            run(&harness, &files).await;
            assert_eq!(harness.memory.state(), expected, "{first} and {gap} calls later");
        }
    }
}

/// Here the end depends on the schedule in one thing: whether a version was visible before it was superseded.
#[tokio::test]
async fn two_deaths_anywhere_leave_the_newest_version_visible_and_every_sender_told() {
    let scene = SCENES.iter().find(|scene| scene.0 == "snapshots").expect("the scene");
    let (clean, files) = begin(scene, u64::MAX);
    run(&clean, &files).await;
    let calls = clean.memory.calls().len();
    for first in 1..=calls {
        for gap in (1..=calls).step_by(3) {
            let (harness, files) = begin(scene, u64::MAX);
            for call in [first, gap] {
                harness.memory.die_at(harness.memory.calls().len() + call, When::AfterEffect);
                harness.deliver(&[&files[0], &files[1]]).await;
                harness.memory.revive();
                harness.wait(3_600_000);
            }
            harness.until_terminal(&[&files[0], &files[1]]).await;
            let states = [harness.state(&files[0]), harness.state(&files[1])];
            assert_eq!(states, [State::Superseded, State::Complete], "{first} and {gap} calls later");
            for file in &files {
                told_of_its_end(&harness, file);
            }
        }
    }
}

/// What was published last says the state and names the receipt that the ledger names.
fn told_of_its_end(harness: &Harness, file: &FileVersion) {
    let entry = harness.entry(file);
    let outcome = entry.outcome.expect("outcome");
    let published = harness.memory.published();
    let told = published.iter().map(|one| serde_json::from_str::<Value>(&one.body).expect("JSON"));
    let last = told.rev().find(|event| event["load"] == entry.load.as_str()).expect("announced");
    assert!(entry.announced);
    assert_eq!(
        (last["state"].as_str(), last["receipt"]["key"].as_str()),
        (Some(entry.state.as_str()), Some(outcome.receipt.as_str()))
    );
    let receipt = harness.object(&outcome.receipt).expect("receipt");
    let receipt: Value = serde_json::from_slice(&receipt).expect("JSON");
    assert_eq!(receipt["state"], entry.state.as_str());
}
