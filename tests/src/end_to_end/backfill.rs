//! Files that are in the inbox and were never announced, and a command that is killed or interrupted.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

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

/// Returns the newest act of this command in the audit trail.
fn newest_act(harness: &Harness) -> Value {
    harness.scalper("audit --verb backfill --limit 1")["acts"][0].clone()
}

#[tokio::test]
async fn ctrl_c_notes_the_end_of_a_backfill_and_a_killed_one_has_none() {
    let harness = Harness::open().await;
    harness.silence().await;
    for number in 0..FILES {
        harness.land(&key(number), csv(number * 3, 3)).await;
    }
    let slow = format!("{} --concurrency 1", line(&harness));
    let begin_slow = || {
        let mut command = harness.command(&["--json"], &slow);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("run scalper, which `make build` makes")
    };
    let mut killed = begin_slow();
    decided(&harness, 1).await;
    killed.kill().expect("kill it");
    killed.wait().expect("it ended");
    assert_eq!(newest_act(&harness)["result"], Value::Null);
    let shown = harness.command(&[], "audit --verb backfill").output().expect("run scalper");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("no end noted"), "{shown}");

    let interrupted = begin_slow();
    decided(&harness, 3).await;
    let sent = Command::new("kill").args(["-INT", &interrupted.id().to_string()]).status();
    assert!(sent.expect("run kill").success());
    let output = interrupted.wait_with_output().expect("it ended");
    assert_eq!(output.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["interrupted"], true, "{report}");
    let act = newest_act(&harness);
    assert_eq!(act["result"], "interrupted", "{act}");
    let count = |name: &str| {
        let changes = act["changes"].as_array().expect("changes");
        let change = changes.iter().find(|change| change["name"] == name);
        change.and_then(|change| change["after"].as_str()?.parse::<u64>().ok()).unwrap_or_default()
    };
    assert_eq!(count("files"), report["sent"].as_u64().expect("a number"), "{act}");
    assert_eq!(Some(count("files") + count("filesLeft")), report["toSend"].as_u64(), "{act}");
    assert!(count("filesLeft") > 0, "{act}");

    harness.scalper(&line(&harness));
    assert_eq!(newest_act(&harness)["result"], "done");
    assert_eq!(harness.records().await.len(), FILES as usize * 3, "rows of one load of each file");
}
