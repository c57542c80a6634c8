//! Files of a held feed wait in the deployed stack, and a release that is killed again and again loses none.

use std::process::{Child, Stdio};

use super::files::csv;
use super::harness::{Harness, PATIENCE};
use super::tables::LedgerItem;

/// Releases that are killed.
const KILLS: usize = 20;
/// Files, each with three records.
const FILES: u32 = 22;

fn key(number: u32) -> String {
    format!("north/scans/day {number}.csv")
}

/// Begins the release, one file at a time.
fn begin(harness: &Harness) -> Child {
    let mut command = harness.command(&[], "release north/scans --reason ready --concurrency 1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("run scalper, which `make build` makes")
}

/// Waits until this number of files is in a state.
async fn until(harness: &Harness, files: usize, is_wanted: impl Fn(&LedgerItem) -> bool) {
    let wait = async {
        loop {
            let entries = harness.ledger().await.into_iter().map(LedgerItem);
            let ours = entries.filter(|entry| entry.text("pk").starts_with("file#") && is_wanted(entry));
            if ours.count() >= files {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "{files} files were waited for; the emulator said:\n{}", harness.emulator.log());
}

fn waits(entry: &LedgerItem) -> bool {
    entry.text("state") == "HELD"
}

fn is_complete(entry: &LedgerItem) -> bool {
    entry.text("state") == "COMPLETE"
}

#[tokio::test]
async fn files_of_a_held_feed_wait_and_a_release_that_is_killed_again_and_again_loses_none() {
    let harness = Harness::open().await;
    harness.scalper("partner add north");
    let held = harness.scalper("hold north/scans --reason correcting");
    assert_eq!((&held["before"], &held["feed"]), (&false.into(), &"scans".into()), "{held}");
    for number in 0..FILES {
        harness.land(&key(number), csv(number * 3, 3)).await;
    }
    until(&harness, FILES as usize, waits).await;
    harness.settle().await;
    assert!(harness.records().await.is_empty(), "nothing is loaded");
    let status = harness.scalper("status");
    assert_eq!(status["held"][0]["waiting"]["files"], FILES, "{status}");
    assert_eq!(status["held"][0]["reason"], "correcting", "{status}");
    for decided in 1..=KILLS {
        let mut child = begin(&harness);
        until(&harness, decided, is_complete).await;
        child.kill().expect("kill it");
        child.wait().expect("it ended");
    }
    let report = harness.scalper("release north/scans --reason ready");
    assert_eq!(
        (&report["undecided"], &report["heldAgain"]),
        (&0.into(), &serde_json::Value::Null),
        "{report}"
    );
    until(&harness, FILES as usize, is_complete).await;
    let again = harness.scalper("release north/scans");
    assert_eq!((&again["waiting"], &again["sent"]), (&0.into(), &0.into()), "{again}");
    assert_eq!(harness.records().await.len(), FILES as usize * 3, "rows of one load of each file");
    let after = harness.process("north/scans/after.csv", csv(1_000, 1)).await;
    assert_eq!(after.state(), "COMPLETE", "the feed is not held any more");
}
