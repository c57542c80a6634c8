//! Commands that are killed at twenty different requests each, and repeated: each ends as a run that was not killed.

use std::fs;

use aws_sdk_s3::types::ObjectVersion;
use serde_json::Value;

use super::files::{contract, contract_with, csv};
use super::harness::{Harness, PATIENCE};
use super::severed::{Ended, KillPoint, KillingProxy, spread};
use super::tables::LedgerItem;
use crate::repository::root;

/// How often each command is killed.
const KILLS: usize = 20;

const KEY: &str = "north/scans/day.csv";

/// Runs a command to its end, and returns how many requests it makes.
fn clean(harness: &Harness, proxy: &KillingProxy, line: &str) -> usize {
    match proxy.run(harness.command(&[], line), None) {
        Ended::ByItself(status) => assert!(status.success(), "scalper {line}: {status}"),
        Ended::Killed => unreachable!("no request was named"),
    }
    proxy.requests()
}

/// Runs a command, which is killed, and repeats it to its end. Returns whether it was killed.
fn killed_and_repeated(harness: &Harness, proxy: &KillingProxy, line: &str, point: KillPoint) -> bool {
    let ended = proxy.run(harness.command(&[], line), Some(point));
    if let Ended::ByItself(status) = &ended {
        assert!(status.success(), "scalper {line}: {status} at {point:?}");
    }
    clean(harness, proxy, line);
    matches!(ended, Ended::Killed)
}

/// Waits until the entries are as expected.
async fn until(harness: &Harness, what: &str, expected: impl Fn(&[LedgerItem]) -> bool) -> Vec<LedgerItem> {
    let wait = async {
        loop {
            let entries: Vec<_> = harness.ledger().await.into_iter().map(LedgerItem).collect();
            if expected(&entries) {
                return entries;
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("{what}; the emulator said:\n{}", harness.emulator.log()))
}

fn entry<'e>(entries: &'e [LedgerItem], file: &str) -> &'e LedgerItem {
    let own = entries.iter().find(|entry| entry.text("pk") == format!("file#{file}"));
    own.unwrap_or_else(|| panic!("no entry of {file}"))
}

fn is_announced(entry: &LedgerItem) -> bool {
    entry.0["announced"]["BOOL"] == true
}

/// Returns the number of rows of the load that an entry names.
async fn visible_rows(harness: &Harness, entry: &LedgerItem) -> usize {
    let load = entry.text("load");
    harness.records().await.iter().filter(|row| row["_load"]["S"] == load).count()
}

/// Every act of this verb, and how many of them have no end.
fn acts(harness: &Harness, verb: &str) -> (usize, usize) {
    let acts = harness.scalper(&format!("audit --verb {verb} --limit 1000"));
    let acts = acts["acts"].as_array().expect("acts").clone();
    (acts.len(), acts.iter().filter(|act| act["result"].is_null()).count())
}

#[tokio::test]
async fn a_replay_that_is_killed_at_twenty_requests_ends_as_one_replay() {
    let harness = Harness::open().await;
    let proxy = KillingProxy::start(&harness.emulator.endpoint);
    let file = harness.process(KEY, csv(0, 3)).await.file().to_owned();
    let line = format!("replay {file} --yes --reason fixed");
    let version = |number: usize| format!("version: 1.0.{number}");
    harness.publish(&contract_with("version: 1.0.0", &version(100))).await;
    let requests = clean(&harness, &proxy, &line);
    let (noted, _) = acts(&harness, "replay");
    let mut killed = 0;
    for (number, point) in spread(KILLS, requests).into_iter().enumerate() {
        harness.publish(&contract_with("version: 1.0.0", &version(number + 1))).await;
        killed += usize::from(killed_and_repeated(&harness, &proxy, &line, point));
        let replayed = |entries: &[LedgerItem]| {
            let entry = entry(entries, &file);
            let decided = entry.0["outcome"]["M"]["contract_version"]["S"] == format!("1.0.{}", number + 1);
            decided && entry.0["replay"].is_null() && is_announced(entry)
        };
        let entries = until(&harness, &format!("not replayed after {point:?}"), replayed).await;
        let entry = entry(&entries, &file);
        let generation = (number + 2).to_string();
        assert_eq!((entry.state(), entry.counts()), ("COMPLETE", [3, 3, 0]), "{point:?}");
        assert_eq!(entry.0["generation"]["N"], generation, "{point:?}: replayed once");
        assert_eq!(visible_rows(&harness, entry).await, 3, "{point:?}");
    }
    // How often it looks whether the replay has ended differs, so that the last points may lie behind its end.
    assert!(killed >= KILLS / 2, "{killed} of {KILLS}");
    let (all, unended) = acts(&harness, "replay");
    assert!(all >= noted + KILLS && unended > 0, "{all} acts, {unended} without an end");
    harness.settle().await;
}

#[tokio::test]
async fn a_retraction_and_its_end_that_are_killed_at_twenty_requests_each_are_whole() {
    let harness = Harness::open().await;
    let proxy = KillingProxy::start(&harness.emulator.endpoint);
    harness.publish(&contract_with("value: append", "value: supersede")).await;
    let older = harness.process(KEY, csv(0, 3)).await.file().to_owned();
    let newer = harness.process(KEY, csv(0, 5)).await.file().to_owned();
    let retract = format!("retract {newer} --reason mistake");
    let undo = format!("retract {newer} --undo --reason right");
    let (hiding, showing) = (clean(&harness, &proxy, &retract), clean(&harness, &proxy, &undo));
    let mut killed = 0;
    for (hide, show) in spread(KILLS, hiding).into_iter().zip(spread(KILLS, showing)) {
        killed += usize::from(killed_and_repeated(&harness, &proxy, &retract, hide));
        are(&harness, (&older, "COMPLETE"), (&newer, "RETRACTED"), hide).await;
        killed += usize::from(killed_and_repeated(&harness, &proxy, &undo, show));
        are(&harness, (&older, "SUPERSEDED"), (&newer, "COMPLETE"), show).await;
    }
    assert_eq!(killed, 2 * KILLS, "each run makes the same requests");
    for verb in ["retract", "retract-undo"] {
        let (all, unended) = acts(&harness, verb);
        // The first run, and each that repeats a killed one, has an end.
        assert!(all - unended > KILLS && unended > 0, "{verb}: {all} acts, {unended} without an end");
    }
    harness.settle().await;
}

/// Waits until both versions are announced, and compares their states. All of it or nothing: the name's head goes with
/// the version that is visible.
async fn are(harness: &Harness, older: (&str, &str), newer: (&str, &str), point: KillPoint) {
    let announced =
        |entries: &[LedgerItem]| [older, newer].iter().all(|(file, _)| is_announced(entry(entries, file)));
    let entries = until(harness, &format!("not announced after {point:?}"), announced).await;
    for (file, state) in [older, newer] {
        assert_eq!(entry(&entries, file).state(), state, "{point:?}");
    }
    let visible = if newer.1 == "COMPLETE" { newer.0 } else { older.0 };
    let head = entries.iter().find(|item| item.text("pk").starts_with("head#")).expect("a head");
    assert_eq!(head.text("file"), visible, "{point:?}");
    let receipt = harness.receipt(entry(&entries, newer.0)).await;
    assert_eq!(receipt["state"], newer.1, "{point:?}");
}

#[tokio::test]
async fn a_contract_push_that_is_killed_at_twenty_requests_publishes_once() {
    let harness = Harness::open().await;
    let proxy = KillingProxy::start(&harness.emulator.endpoint);
    harness.process(KEY, csv(0, 3)).await;
    let folder = root().join(format!(".local/tests/killed-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("scans.odcs.yaml");
    let line = format!("contract push {} --yes --reason stricter", path.display());
    let write = |number: usize| {
        let document = contract().replace("version: 1.0.0", &format!("version: 1.0.{number}"));
        fs::write(&path, &document).expect("write the contract");
        document
    };
    write(100);
    let requests = clean(&harness, &proxy, &line);
    let before = versions(&harness).await.len();
    let mut killed = 0;
    for (number, point) in spread(KILLS, requests).into_iter().enumerate() {
        let document = write(number + 1);
        killed += usize::from(killed_and_repeated(&harness, &proxy, &line, point));
        assert_eq!(versions(&harness).await.len(), before + number + 1, "{point:?}: published once");
        let get =
            harness.s3.get_object().bucket(&harness.names.contracts).key("scans.odcs.yaml").send().await;
        let bytes = get.expect("the contract").body.collect().await.expect("its bytes").to_vec();
        assert!(bytes == document.as_bytes(), "{point:?}: another document is in force");
    }
    assert_eq!(killed, KILLS, "each run makes the same requests");
    let (all, unended) = acts(&harness, "contract-push");
    assert!(all > KILLS && unended > 0, "{all} acts, {unended} without an end");
    let shown: Value = harness.scalper("contract show scans");
    assert_eq!(shown["version"], format!("1.0.{KILLS}"), "{shown}");
    fs::remove_dir_all(&folder).expect("remove the folder");
}

async fn versions(harness: &Harness) -> Vec<ObjectVersion> {
    let list = harness.s3.list_object_versions().bucket(&harness.names.contracts).prefix("scans.odcs.yaml");
    list.send().await.expect("versions").versions.unwrap_or_default()
}
