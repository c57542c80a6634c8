//! A failure before or after any effect, of one call or of the whole process, changes nothing in the end.

use std::collections::BTreeSet;

use serde_json::Value;
use store::{FileVersion, Operation, State, memory::When};

use super::bench::*;

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

fn begin(scene: &Scene, small: u64) -> (Bench, Vec<FileVersion>) {
    let bench = Bench::with(|settings| {
        settings.rows_at_once = 1;
        settings.rows_per_checkpoint = 1;
        settings.small_file_bytes = small;
    });
    // Few bytes at a time, so that rows are written and remembered in several steps.
    bench.memory.chunks_of(16);
    // Rejects go in parts.
    bench.memory.parts_of(128);
    visits(&bench, scene.1);
    match scene.0 {
        "registered" => bench.memory.register("south", true),
        "suspended" => bench.memory.register("south", false),
        "broken contract" => drop(bench.memory.publish_contract("visits", "kind: DataContact")),
        _ => {}
    }
    let files: Vec<_> = scene.2.iter().map(|(key, bytes)| bench.land(key, bytes)).collect();
    files.iter().filter(|file| file.key == ARCHIVED).for_each(|file| bench.memory.archive(file));
    (bench, files)
}

async fn run(bench: &Bench, files: &[FileVersion]) {
    for file in files {
        bench.until_terminal(&[file]).await;
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
                        let (bench, files) = begin(scene, small);
                        if deadly {
                            bench.memory.die_at(call, when);
                        } else {
                            bench.memory.fail_at(call, when);
                        }
                        run(&bench, &files).await;
                        assert_eq!(bench.memory.state(), expected, "{} {call} {when:?} {deadly}", scene.0);
                        let given_up = deadly || bench.memory.calls()[call - 1] == Operation::AbortUpload;
                        assert!(given_up || bench.memory.open_uploads() == 0, "{} {call} {when:?}", scene.0);
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
            let (bench, files) = begin(scene, 0);
            bench.memory.fail_at(first, When::AfterEffect);
            bench.deliver(&[&files[0]]).await;
            bench.wait(3_600_000);
            let begun = bench.memory.calls().len();
            bench.memory.die_at(begun + gap, When::AfterEffect);
            bench.deliver(&[&files[0]]).await;
            bench.memory.revive();
            bench.wait(3_600_000);
            run(&bench, &files).await;
            assert_eq!(bench.memory.state(), expected, "{first} and {gap} calls later");
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
            let (bench, files) = begin(scene, u64::MAX);
            for call in [first, gap] {
                bench.memory.die_at(bench.memory.calls().len() + call, When::AfterEffect);
                bench.deliver(&[&files[0], &files[1]]).await;
                bench.memory.revive();
                bench.wait(3_600_000);
            }
            bench.until_terminal(&[&files[0], &files[1]]).await;
            let states = [bench.state(&files[0]), bench.state(&files[1])];
            assert_eq!(states, [State::Superseded, State::Complete], "{first} and {gap} calls later");
            for file in &files {
                told_of_its_end(&bench, file);
            }
        }
    }
}

/// What was published last says the state and names the receipt that the ledger names.
fn told_of_its_end(bench: &Bench, file: &FileVersion) {
    let entry = bench.entry(file);
    let outcome = entry.outcome.expect("outcome");
    let published = bench.memory.published();
    let told = published.iter().map(|one| serde_json::from_str::<Value>(&one.body).expect("JSON"));
    let last = told.rev().find(|event| event["load"] == entry.load.as_str()).expect("announced");
    assert!(entry.announced);
    assert_eq!(
        (last["state"].as_str(), last["receipt"]["key"].as_str()),
        (Some(entry.state.as_str()), Some(outcome.receipt.as_str()))
    );
    let receipt = bench.object(&outcome.receipt).expect("receipt");
    let receipt: Value = serde_json::from_slice(&receipt).expect("JSON");
    assert_eq!(receipt["state"], entry.state.as_str());
}
