//! Files that are in the inbox and were never announced, and a command that is killed.

use std::process::{Child, Stdio};

use super::files::csv;
use super::harness::{Harness, PATIENCE};
use super::tables::LedgerItem;

/// Files, each with three records.
const FILES: u32 = 12;

fn key(number: u32) -> String {
    format!("north/scans/archive/day {number}.csv")
}

fn line(harness: &Harness) -> String {
    format!("backfill s3://{}/north/scans/archive/ --yes --reason moved", harness.names.inbox)
}

/// Begins the command.
fn begin(harness: &Harness) -> Child {
    let mut command = harness.command(&[], &line(harness));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("run scalper, which `make build` makes")
}

/// Waits until this number of files is decided.
async fn decided(harness: &Harness, files: usize) {
    let wait = async {
        loop {
            let entries = harness.ledger().await.into_iter().map(LedgerItem);
            let ours = entries.filter(|entry| entry.text("pk").starts_with("file#") && entry.is_terminal());
            if ours.count() >= files {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "{files} files were not decided; the emulator said:\n{}", harness.emulator.log());
}

#[tokio::test]
async fn a_backfill_that_is_killed_again_and_again_processes_each_file_once() {
    let harness = Harness::open().await;
    harness.silence().await;
    for number in 0..FILES {
        harness.land(&key(number), csv(number * 3, 3)).await;
    }
    for files in [1, 5] {
        let mut child = begin(&harness);
        decided(&harness, files).await;
        child.kill().expect("kill it");
        child.wait().expect("it ended");
    }
    let report = harness.scalper(&line(&harness));
    assert_eq!(report["files"], FILES, "{report}");
    decided(&harness, FILES as usize).await;
    // Not until the queue is empty: a message that was sent twice comes back when the lease of the other has ended.
    let again = harness.scalper(&line(&harness));
    assert_eq!((&again["decidedBefore"], &again["toSend"]), (&FILES.into(), &0.into()), "{again}");
    assert_eq!(harness.records().await.len(), FILES as usize * 3, "rows of one load of each file");
}
