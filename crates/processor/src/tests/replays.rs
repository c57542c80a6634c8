//! Replays: another load of a file that was decided takes the place of the old one, in one moment or not at all.

use ledger::{FileId, ReplayRequest, ReplayResult, Worse};
use serde_json::Value;
use store::{FileVersion, Operation, State, memory::When};

use super::harness::*;

const KEY: &str = "north/visits/a.csv";

/// One rejected record quarantines the file.
const STRICT: [(&str, &str); 1] = [("onError", "abort")];

/// Publishes a contract under which names have at most this number of characters; returns its hash.
fn names_of(harness: &Harness, characters: u32, settings: &[(&str, &str)]) -> String {
    let text =
        contract("csv", "active", settings).replace("maxLength: 5", &format!("maxLength: {characters}"));
    harness.memory.publish_contract("visits", text.clone());
    hex::encode(contract::compile(&text).expect("a contract").0.identity.hash)
}

/// A good file that a contract quarantined which allows names of two characters only.
async fn too_strictly_checked(harness: &Harness) -> FileVersion {
    names_of(harness, 2, &STRICT);
    let file = harness.land(KEY, GOOD);
    harness.until_terminal(&[&file]).await;
    file
}

/// The request of an operator who sees the file as it is now.
fn ask(harness: &Harness, file: &FileVersion, hash: &str, worse: Worse) -> String {
    ReplayRequest::new("r1", &harness.entry(file), hash, worse).message()
}

/// Delivers a request again and again, an hour apart, as the queue does.
async fn until_done(harness: &Harness, request: &str) {
    for _ in 0..12 {
        if harness.invoke(&[request.to_owned()]).await.is_empty() && harness.memory.take_sent().is_empty() {
            return;
        }
        if harness.memory.is_dead() {
            harness.memory.revive();
        }
        harness.wait(3_600_000);
    }
    panic!("not done after twelve deliveries: {}", harness.memory.state());
}

fn small_steps() -> Harness {
    let harness = Harness::with(|settings| {
        settings.rows_at_once = 1;
        settings.rows_per_checkpoint = 1;
        settings.small_file_bytes = 0;
    });
    harness.memory.chunks_of(16);
    harness.memory.parts_of(128);
    harness
}

fn result(harness: &Harness, file: &FileVersion) -> Option<(ReplayResult, Option<String>)> {
    harness.entry(file).replayed.map(|ended| (ended.result, ended.fault))
}

/// The visible rows: those of loads that the ledger calls complete.
fn visible(harness: &Harness) -> Vec<String> {
    let loads: Vec<_> =
        harness.memory.entries().into_iter().filter(|entry| entry.state == State::Complete).collect();
    let is_visible = |sort: &str| loads.iter().any(|entry| sort.ends_with(entry.load.as_str()));
    harness.memory.rows().into_iter().filter(|row| is_visible(&row.sort)).map(|row| row.partition).collect()
}

#[tokio::test]
async fn a_quarantined_file_is_rescued_by_a_corrected_contract() {
    let harness = Harness::new();
    let file = too_strictly_checked(&harness).await;
    let before = harness.entry(&file);
    assert_eq!((before.state, before.open, visible(&harness).len()), (State::Quarantined, true, 0));

    let hash = names_of(&harness, 5, &STRICT);
    until_done(&harness, &ask(&harness, &file, &hash, Worse::Keep)).await;
    let after = harness.entry(&file);
    assert_eq!((after.state, after.open, after.generation), (State::Complete, false, 1));
    assert_ne!(after.load, before.load);
    assert_eq!(after.order, before.order, "the order stays that of the first claim");
    assert_eq!(visible(&harness).len(), 3);
    let outcome = after.outcome.expect("outcome");
    assert_eq!(outcome.contract_hash, hash);
    let receipt: Value =
        serde_json::from_slice(&harness.object(&outcome.receipt).expect("receipt")).expect("JSON");
    assert_eq!((&receipt["state"], &receipt["loaded"]), (&"COMPLETE".into(), &3.into()));
    let told = harness.memory.published();
    let last: Value = serde_json::from_str(&told.last().expect("an event").body).expect("JSON");
    assert_eq!(
        (told.len(), &last["state"], &last["load"]),
        (2, &"COMPLETE".into(), &after.load.as_str().into())
    );
}

#[tokio::test]
async fn a_replay_sees_a_contract_that_was_published_a_moment_ago() {
    let harness = Harness::new();
    names_of(&harness, 5, &STRICT);
    let (good, file) = (harness.land("north/visits/good.csv", GOOD), harness.land(KEY, MIXED));
    harness.until_terminal(&[&good, &file]).await;
    assert_eq!(harness.state(&file), State::Quarantined);
    let text = contract("csv", "active", &[]);
    let hash = hex::encode(contract::compile(&text).expect("a contract").0.identity.hash);
    harness.memory.publish_contract("visits", text);
    // No time passes: the contract before is still kept by the sandbox.
    until_done(&harness, &ask(&harness, &file, &hash, Worse::Keep)).await;
    assert_eq!((harness.state(&file), harness.entry(&file).generation), (State::Complete, 1));
}

#[tokio::test]
async fn what_is_visible_is_one_load_or_the_other_at_every_call() {
    let begin = || async {
        let harness = small_steps();
        names_of(&harness, 5, &[]);
        let file = harness.land(KEY, MIXED);
        harness.until_terminal(&[&file]).await;
        let hash = names_of(&harness, 11, &[]);
        harness.wait(60_001);
        let request = ask(&harness, &file, &hash, Worse::Keep);
        (harness, request)
    };
    let (clean, request) = begin().await;
    let first = clean.memory.calls().len();
    let before = visible(&clean);
    until_done(&clean, &request).await;
    let (after, calls) = (visible(&clean), clean.memory.calls().len());
    assert_eq!((before.len(), after.len()), (2, 3));
    for call in first + 1..=calls {
        let (harness, request) = begin().await;
        let memory = harness.memory.clone();
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = std::sync::Arc::clone(&seen);
        harness.memory.before(call, move |_| async move {
            let harness = Harness::on(memory, |_| ());
            *noted.lock().expect("rows") = visible(&harness);
        });
        until_done(&harness, &request).await;
        let seen = seen.lock().expect("rows").clone();
        assert!(seen == before || seen == after, "before call {call}: {seen:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_delivered_twice_or_late_does_nothing() {
    let harness = Harness::new();
    let file = too_strictly_checked(&harness).await;
    let hash = names_of(&harness, 5, &STRICT);
    let request = ask(&harness, &file, &hash, Worse::Keep);
    until_done(&harness, &request).await;
    let (state, calls) = (harness.memory.state(), harness.memory.calls().len());
    until_done(&harness, &request).await;
    assert_eq!(harness.memory.state(), state);
    assert_eq!(harness.memory.calls()[calls..], [Operation::ReadLedger], "one read, no write");
    let unknown = harness.land("north/visits/b.csv", GOOD);
    let of_unknown = request.replace(&file.version, &unknown.version).replace(KEY, &unknown.key);
    until_done(&harness, &of_unknown).await;
    assert_eq!(harness.memory.state(), state, "a file that the ledger does not know is not replayed");
}

#[tokio::test]
async fn two_operators_who_ask_at_once_replay_once() {
    let harness = small_steps();
    let file = too_strictly_checked(&harness).await;
    let hash = names_of(&harness, 5, &STRICT);
    harness.wait(60_001);
    let entry = harness.entry(&file);
    let requests = ["r1", "r2"].map(|id| ReplayRequest::new(id, &entry, &hash, Worse::Keep).message());
    let first = harness.memory.calls().len();
    let clean_calls = {
        until_done(&harness, &requests[0]).await;
        harness.memory.calls().len() - first
    };
    let expected = visible(&harness);
    for call in 1..=clean_calls {
        let harness = small_steps();
        let same = too_strictly_checked(&harness).await;
        names_of(&harness, 5, &STRICT);
        harness.wait(60_001);
        let (memory, second) = (harness.memory.clone(), requests[1].clone());
        let begun = harness.memory.calls().len();
        harness.memory.before(begun + call, move |_| async move {
            let other = Harness::on(memory, |_| ());
            // Held, or done: either is an answer.
            drop(other.invoke(&[second]).await);
        });
        until_done(&harness, &requests[0]).await;
        until_done(&harness, &requests[1]).await;
        assert_eq!(
            (visible(&harness), harness.entry(&same).generation),
            (expected.clone(), 1),
            "call {call}"
        );
    }
}

#[tokio::test]
async fn a_loaded_file_stays_loaded_when_its_replay_would_quarantine_it() {
    let harness = Harness::new();
    names_of(&harness, 5, &[]);
    let file = harness.land(KEY, GOOD);
    harness.until_terminal(&[&file]).await;
    let before = harness.entry(&file);
    let hash = names_of(&harness, 2, &STRICT);
    harness.wait(60_001);
    until_done(&harness, &ask(&harness, &file, &hash, Worse::Keep)).await;
    assert_eq!(result(&harness, &file), Some((ReplayResult::Kept, Some("ERROR_BUDGET".to_owned()))));
    let kept = harness.entry(&file);
    assert_eq!((kept.state, &kept.load, &kept.outcome), (State::Complete, &before.load, &before.outcome));
    assert_eq!(visible(&harness).len(), 3);

    until_done(&harness, &ask(&harness, &file, &hash, Worse::Quarantine)).await;
    let after = harness.entry(&file);
    assert_eq!((after.state, after.open, visible(&harness).len()), (State::Quarantined, true, 0));
    assert!(harness.object("/original").is_some(), "its bytes are kept");
}

#[tokio::test]
async fn a_version_that_is_deleted_leaves_the_file_as_it_was() {
    for characters in [5, 2] {
        let harness = Harness::new();
        names_of(&harness, characters, &STRICT);
        let file = harness.land(KEY, GOOD);
        harness.until_terminal(&[&file]).await;
        let before = harness.entry(&file);
        let hash = names_of(&harness, 7, &STRICT);
        harness.wait(60_001);
        harness.memory.delete(&file);
        until_done(&harness, &ask(&harness, &file, &hash, Worse::Keep)).await;
        let after = harness.entry(&file);
        assert_eq!((after.state, after.outcome), (before.state, before.outcome));
        assert_eq!(result(&harness, &file), Some((ReplayResult::Gone, None)));
    }
}

#[tokio::test]
async fn another_contract_than_the_one_asked_for_is_not_used() {
    let harness = Harness::new();
    let hash = names_of(&harness, 2, &STRICT);
    let file = harness.land(KEY, GOOD);
    harness.until_terminal(&[&file]).await;
    names_of(&harness, 5, &STRICT);
    harness.wait(60_001);
    until_done(&harness, &ask(&harness, &file, &hash, Worse::Keep)).await;
    assert_eq!(harness.state(&file), State::Quarantined);
    assert_eq!(result(&harness, &file), Some((ReplayResult::ContractChanged, None)));
}

#[tokio::test]
async fn a_newer_version_that_arrives_during_a_replay_is_the_visible_one() {
    let settings = [("onSameName", "supersede")];
    let begin = || async {
        let harness = small_steps();
        names_of(&harness, 5, &settings);
        let older = harness.land(KEY, MIXED);
        harness.until_terminal(&[&older]).await;
        let hash = names_of(&harness, 11, &settings);
        harness.wait(60_001);
        let request = ask(&harness, &older, &hash, Worse::Keep);
        let newer = harness.land(KEY, GOOD);
        (harness, request, older, newer)
    };
    let (clean, request, ..) = begin().await;
    let first = clean.memory.calls().len();
    until_done(&clean, &request).await;
    let calls = clean.memory.calls().len();
    for call in first + 1..=calls {
        let (harness, request, older, newer) = begin().await;
        let (memory, arriving) = (harness.memory.clone(), newer.clone());
        harness.memory.before(call, move |_| async move {
            Harness::on(memory, |_| ()).until_terminal(&[&arriving]).await;
        });
        until_done(&harness, &request).await;
        harness.until_terminal(&[&newer]).await;
        let states = [harness.state(&older), harness.state(&newer)];
        assert_eq!(states, [State::Superseded, State::Complete], "call {call}");
        assert_eq!(visible(&harness).len(), 3, "call {call}");
    }
}

#[tokio::test]
async fn an_older_version_is_visible_when_the_newer_one_is_retracted_while_it_is_processed() {
    let begin = || async {
        let harness = small_steps();
        names_of(&harness, 11, &[("onSameName", "supersede")]);
        let (older, newer) = (harness.land(KEY, MIXED), harness.land(KEY, GOOD));
        harness.until_terminal(&[&newer]).await;
        (harness, older, newer)
    };
    let (clean, older, _) = begin().await;
    let first = clean.memory.calls().len();
    clean.until_terminal(&[&older]).await;
    assert_eq!(clean.state(&older), State::Superseded);
    let calls = clean.memory.calls();
    let decided = calls.iter().rposition(|call| *call == Operation::Commit).expect("a commit") + 1;
    assert!(decided > first);
    for call in first + 1..=decided {
        let (harness, older, newer) = begin().await;
        let retracted = FileId::of(&newer);
        harness.memory.before(call, move |memory| async move { memory.retract(&retracted) });
        harness.until_terminal(&[&older]).await;
        let states = [harness.state(&older), harness.state(&newer)];
        assert_eq!(states, [State::Complete, State::Retracted], "call {call}");
        let entry = harness.entry(&older);
        assert!(entry.loaded && !visible(&harness).is_empty(), "call {call}");
        let head = store::ReadLedger::head(&harness.memory, KEY).await.expect("a head");
        assert_eq!(head.map(|head| head.load), Some(entry.load), "call {call}");
    }
}

#[tokio::test]
async fn an_older_version_is_announced_also_when_its_successor_died_and_was_replayed() {
    let harness = Harness::new();
    let settings = [("onSameName", "supersede")];
    names_of(&harness, 5, &settings);
    let older = harness.land(KEY, GOOD);
    harness.until_terminal(&[&older]).await;
    let newer = harness.land(KEY, MIXED);
    let commit = {
        let clean = Harness::new();
        names_of(&clean, 5, &settings);
        let files = [clean.land(KEY, GOOD), clean.land(KEY, MIXED)];
        clean.until_terminal(&[&files[0]]).await;
        clean.until_terminal(&[&files[1]]).await;
        clean.memory.calls().iter().rposition(|call| *call == Operation::Commit).expect("a commit") + 1
    };
    // The process dies between its commit and the first announcement.
    harness.memory.die_at(commit, When::AfterEffect);
    assert_eq!(harness.deliver(&[&newer]).await, ["m0"]);
    harness.memory.revive();
    assert_eq!((harness.state(&older), harness.entry(&older).announced), (State::Superseded, false));
    let hash = names_of(&harness, 7, &settings);
    harness.wait(3_600_000);
    until_done(&harness, &ask(&harness, &newer, &hash, Worse::Keep)).await;
    assert!(harness.entry(&older).announced && harness.entry(&newer).announced);
}

#[tokio::test]
async fn a_replay_is_no_arrival_in_the_metrics() {
    let harness = Harness::new();
    let file = too_strictly_checked(&harness).await;
    let hash = names_of(&harness, 5, &STRICT);
    harness.metrics.lock().expect("lines").clear();
    until_done(&harness, &ask(&harness, &file, &hash, Worse::Keep)).await;
    let lines = harness.metrics.lock().expect("lines").clone();
    let [line] = &lines[..] else { panic!("one record, found {lines:?}") };
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["replay"], &line["state"]), (&true.into(), &"COMPLETE".into()));
    let published = line["_aws"]["CloudWatchMetrics"].as_array().expect("metrics");
    let names = published.iter().flat_map(|set| set["Metrics"].as_array().expect("names"));
    assert!(names.map(|metric| &metric["Name"]).all(|name| name == "CostMicroDollars"), "{line}");
}

/// What a scene lands and replays: the contract before and after, and the bytes.
type ReplayScene = (&'static str, (u32, &'static [(&'static str, &'static str)]), u32, &'static str, Worse);

const SCENES: [ReplayScene; 7] = [
    ("rescued", (2, &STRICT), 11, MIXED, Worse::Keep),
    ("partial again", (3, &[]), 5, MIXED, Worse::Keep),
    ("quarantined again", (2, &STRICT), 1, MIXED, Worse::Keep),
    ("kept", (5, &[]), 1, GOOD, Worse::Keep),
    ("taken", (5, &[]), 1, GOOD, Worse::Quarantine),
    ("supersedes", (3, &[("onSameName", "supersede")]), 5, MIXED, Worse::Keep),
    ("taken once", (3, &[("dedupeContent", "true")]), 5, MIXED, Worse::Keep),
];

async fn scene(scene: &ReplayScene) -> (Harness, FileVersion, String) {
    let (_, (before, settings), after, bytes, worse) = scene;
    let harness = small_steps();
    names_of(&harness, *before, settings);
    let file = harness.land(KEY, bytes);
    harness.until_terminal(&[&file]).await;
    let hash = names_of(&harness, *after, settings);
    harness.wait(60_001);
    let request = ask(&harness, &file, &hash, *worse);
    (harness, file, request)
}

#[tokio::test]
async fn a_failure_anywhere_in_a_replay_ends_as_if_it_had_not_been() {
    let mut attempts = 0;
    for which in &SCENES {
        let (clean, _, request) = scene(which).await;
        let first = clean.memory.calls().len();
        until_done(&clean, &request).await;
        let (expected, calls) = (clean.memory.state(), clean.memory.calls().len());
        for call in first + 1..=calls {
            for when in [When::BeforeEffect, When::AfterEffect] {
                for deadly in [false, true] {
                    let (harness, _, request) = scene(which).await;
                    if deadly {
                        harness.memory.die_at(call, when);
                    } else {
                        harness.memory.fail_at(call, when);
                    }
                    until_done(&harness, &request).await;
                    assert_eq!(harness.memory.state(), expected, "{} {call} {when:?} {deadly}", which.0);
                    attempts += 1;
                }
            }
        }
    }
    assert!(attempts > 300, "{attempts}");
}

#[tokio::test]
async fn a_replay_whose_processes_die_three_times_leaves_a_loaded_file_as_it_was() {
    let folder = Folder::new();
    let memory = store::memory::Memory::new();
    let harness = Harness::journalling(memory.clone(), &folder);
    names_of(&harness, 5, &[]);
    let file = harness.land(KEY, GOOD);
    harness.until_terminal(&[&file]).await;
    let hash = names_of(&harness, 7, &[]);
    harness.wait(60_001);
    let request = ask(&harness, &file, &hash, Worse::Keep);
    for _ in 0..3 {
        assert!(harness.killed_with(&request, 7).await, "it died");
        harness.wait(3_600_000);
    }
    until_done(&harness, &request).await;
    assert_eq!(result(&harness, &file), Some((ReplayResult::Kept, Some("POISON".to_owned()))));
    assert_eq!((harness.state(&file), visible(&harness).len()), (State::Complete, 3));
    assert_eq!(FileId::of(&file), harness.entry(&file).load.file());
}

#[tokio::test]
async fn a_release_between_two_attempts_loads_under_the_newer_contract_or_not_at_all() {
    let harness = small_steps();
    let file = too_strictly_checked(&harness).await;
    let hash = names_of(&harness, 5, &STRICT);
    harness.wait(60_001);
    let request = ask(&harness, &file, &hash, Worse::Keep);
    let begun = harness.memory.calls().len();
    // Rows are written when another contract is published and the process dies.
    harness.memory.die_at(begun + 9, When::AfterEffect);
    assert_eq!(harness.invoke(std::slice::from_ref(&request)).await, ["m0"]);
    harness.memory.revive();
    harness.wait(3_600_000);
    let newer = names_of(&harness, 6, &STRICT);
    until_done(&harness, &request).await;
    assert_eq!(result(&harness, &file), Some((ReplayResult::ContractChanged, None)));
    assert_eq!((harness.state(&file), visible(&harness).len()), (State::Quarantined, 0));
    until_done(&harness, &ask(&harness, &file, &newer, Worse::Keep)).await;
    assert_eq!((harness.state(&file), visible(&harness).len()), (State::Complete, 3));
}
