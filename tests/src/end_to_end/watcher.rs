//! A lost event, the heartbeat, a file that did not come: what the watcher sees and fixes.
//!
//! The watcher's "now" is the scheduled time of its event, so that a test looks back from any moment and waits for
//! none.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use serde_json::{Value, json};

use super::files::{contract_with, csv};
use super::harness::{ACCOUNT, Harness};
use super::http;

const KEY: &str = "north/scans/Nord + S\u{fc}d (1).csv";
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// A contract that expects a file each day.
const DAILY: &str = "{property: onSameName, value: append, vendor: ingest}\n      \
    - {property: expect, value: {schedule: \"0 6 * * *\", timezone: UTC, grace: 1h}, vendor: ingest}";

/// Returns the instant this number of seconds after a file landed, as events have it.
async fn after(harness: &Harness, key: &str, seconds: u64) -> String {
    let head = harness.s3.head_object().bucket(&harness.names.inbox).key(key).send().await.expect("the file");
    let landed = head.last_modified.expect("when it landed");
    let instant = DateTime::from_secs(landed.secs() + i64::try_from(seconds).expect("seconds"));
    instant.fmt(DateTimeFormat::DateTime).expect("an instant")
}

/// Says when a file landed: the bucket says that it did just now, whatever its event says.
async fn landed_at(harness: &Harness, file: &str, time: &str) {
    let order = format!("{}/00000000", time.replace('Z', ".000Z"));
    harness
        .dynamodb
        .update_item()
        .table_name(&harness.names.ledger)
        .key("pk", AttributeValue::S(format!("file#{file}")))
        .update_expression("SET #order = :order")
        .expression_attribute_names("#order", "order")
        .expression_attribute_values(":order", AttributeValue::S(order))
        .send()
        .await
        .expect("write the order");
}

/// Invokes the watcher as its schedule does at this time.
pub(super) fn watch(harness: &Harness, time: &str) {
    let event = json!({"version": "0", "id": "0", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": ACCOUNT, "time": time, "region": "us-east-1", "resources": [], "detail": {}});
    let path = format!("/2015-03-31/functions/{}/invocations", harness.names.watcher);
    let owner = http::owner_of(ACCOUNT, "lambda");
    let headers = [("authorization", owner.as_str()), ("content-type", "application/json")];
    let answer =
        http::send(&harness.emulator.endpoint, "POST", &path, &headers, event.to_string().as_bytes());
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let logs = || harness.logs_of(&harness.names.watcher_logs);
    assert!(answer.status == 200 && body.trim() == "null", "{}: {body}\n{}", answer.status, logs());
}

/// Returns a metric of the watcher's last line that has it.
fn gauge(harness: &Harness, metric: &str) -> Option<u64> {
    let logs = harness.logs_of(&harness.names.watcher_logs);
    let lines = logs.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| !line["_aws"].is_null()).find_map(|line| line[metric].as_u64())
}

#[tokio::test]
async fn a_file_whose_event_was_lost_is_loaded_after_the_next_watch_and_only_once() {
    let harness = Harness::open().await;
    harness.silence().await;
    let version = harness.land(KEY, csv(0, 7)).await;
    watch(&harness, &after(&harness, KEY, 5 * MINUTE).await);
    assert_eq!(gauge(&harness, "FilesResent"), Some(0), "its event may still come");
    watch(&harness, &after(&harness, KEY, 2 * HOUR).await);
    assert_eq!(gauge(&harness, "FilesResent"), Some(1));
    let entry = harness.outcome(KEY, &version).await;
    assert_eq!((entry.state(), entry.counts()), ("COMPLETE", [7, 7, 0]));
    harness.settle().await;
    // The event that was only late: the same file, and not a second one.
    harness.deliver(&harness.event(KEY, &version, "0055AED6DCD90281E5")).await;
    harness.settle().await;
    watch(&harness, &after(&harness, KEY, 4 * HOUR).await);
    assert_eq!((gauge(&harness, "FilesResent"), gauge(&harness, "LoadsStuck")), (Some(0), Some(0)));
    assert_eq!((harness.records().await.len(), harness.announcements().len()), (7, 1));
    let logs = harness.logs_of(&harness.names.watcher_logs);
    assert!(logs.contains("watched") && !logs.contains("Nord"), "no key is logged: {logs}");
}

/// Returns sixteen full hours, beginning this number of days after a file landed.
async fn round(harness: &Harness, key: &str, days: u64) -> Vec<String> {
    let head = harness.s3.head_object().bucket(&harness.names.inbox).key(key).send().await.expect("the file");
    let landed = u64::try_from(head.last_modified.expect("when it landed").secs()).expect("after 1970");
    let hours = (0..16).map(|hour| (landed + days * DAY).div_ceil(HOUR) * HOUR + hour * HOUR);
    let instants = hours.map(|secs| DateTime::from_secs(i64::try_from(secs).expect("seconds")));
    instants.map(|instant| instant.fmt(DateTimeFormat::DateTime).expect("an instant")).collect()
}

#[tokio::test]
async fn the_rows_of_a_retracted_load_are_deleted_after_a_week_and_no_others() {
    let harness = Harness::open().await;
    let (kept, taken) = ("north/scans/kept.csv", "north/scans/taken.csv");
    harness.process(kept, csv(0, 3)).await;
    let entry = harness.process(taken, csv(3, 5)).await;
    harness.scalper(&format!("retract {} --reason wrong", entry.file()));
    for (days, rows) in [(5, 8), (8, 3)] {
        for time in round(&harness, taken, days).await {
            watch(&harness, &time);
        }
        harness.settle().await;
        assert_eq!(harness.records().await.len(), rows, "after {days} days");
    }
    let undo = format!("retract {} --undo --reason right", entry.file());
    let undone = harness.command(&[], &undo).output().expect("run scalper, which `make build` makes");
    let said = String::from_utf8_lossy(&undone.stderr).into_owned();
    assert!(!undone.status.success() && said.contains("were deleted") && said.contains("replay"), "{said}");
    let log = harness.logs_of(&harness.names.watcher_logs);
    assert!(log.contains("the clean-up of dead loads was asked for"), "{log}");
}

#[tokio::test]
async fn the_heartbeat_goes_the_whole_way_and_its_age_is_told() {
    let harness = Harness::open_with(&["Heartbeat=On".to_owned()]).await;
    harness.land("north/scans/clock.csv", csv(0, 1)).await;
    let now = after(&harness, "north/scans/clock.csv", 0).await;
    watch(&harness, &now);
    assert_eq!(gauge(&harness, "HeartbeatAge"), None, "none is loaded yet");
    let hour: String = now.chars().take(13).collect();
    let key = format!("heartbeat/heartbeat/{hour}.csv");
    let head =
        harness.s3.head_object().bucket(&harness.names.inbox).key(&key).send().await.expect("the heartbeat");
    let entry = harness.outcome(&key, &head.version_id.expect("a version")).await;
    assert_eq!((entry.state(), entry.counts()), ("COMPLETE", [3, 3, 0]));
    watch(&harness, &after(&harness, &key, 5 * MINUTE).await);
    let age = gauge(&harness, "HeartbeatAge").expect("an age");
    // The event's time and the object's own differ by a second at most.
    assert!((5 * MINUTE - 1..=5 * MINUTE + 1).contains(&age), "{age}");
    let list = harness.s3.list_object_versions().bucket(&harness.names.inbox).prefix(&key).send().await;
    assert_eq!(list.expect("a listing").versions().len(), 1, "one for an hour");
}

#[tokio::test]
async fn a_missing_file_is_told_until_it_comes() {
    let harness = Harness::open().await;
    harness.publish(&contract_with("{property: onSameName, value: append, vendor: ingest}", DAILY)).await;
    harness.silence().await;
    let first = harness.land("north/scans/first.csv", csv(0, 3)).await;
    let load = async |key: &str, version: &str| {
        harness.deliver(&harness.event(key, version, "0055AED6DCD90281E5")).await;
        let entry = harness.outcome(key, version).await;
        assert_eq!(entry.state(), "COMPLETE");
        entry
    };
    load("north/scans/first.csv", &first).await;
    let days_later = after(&harness, "north/scans/first.csv", 2 * DAY).await;
    watch(&harness, &days_later);
    assert_eq!(gauge(&harness, "FilesMissing"), Some(1));
    let second = harness.land("north/scans/second.csv", csv(9, 3)).await;
    let entry = load("north/scans/second.csv", &second).await;
    let time = after(&harness, "north/scans/first.csv", 2 * DAY - MINUTE).await;
    landed_at(&harness, entry.file(), &time).await;
    watch(&harness, &days_later);
    assert_eq!(gauge(&harness, "FilesMissing"), Some(0), "it came");
    harness.settle().await;
}
