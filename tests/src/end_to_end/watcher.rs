//! A lost event, the heartbeat, a file that did not come: what the watcher sees and mends.
//!
//! The watcher's "now" is the scheduled time of its event, so that a test looks back from any moment and waits for none.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use serde_json::{Value, json};

use super::files::{contract_with, csv};
use super::http;
use super::stage::{ACCOUNT, Stage};

const KEY: &str = "north/scans/Nord + S\u{fc}d (1).csv";
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// A contract that expects a file each day.
const DAILY: &str = "{property: onSameName, value: append, vendor: ingest}\n      \
    - {property: expect, value: {schedule: \"0 6 * * *\", timezone: UTC, grace: 1h}, vendor: ingest}";

/// An instant so many seconds after a file landed, as events have it.
async fn after(stage: &Stage, key: &str, seconds: u64) -> String {
    let head = stage.s3.head_object().bucket(&stage.names.inbox).key(key).send().await.expect("the file");
    let landed = head.last_modified.expect("when it landed");
    let instant = DateTime::from_secs(landed.secs() + i64::try_from(seconds).expect("seconds"));
    instant.fmt(DateTimeFormat::DateTime).expect("an instant")
}

/// Says when a file landed: the bucket says that it did just now, whatever its event says.
async fn landed_at(stage: &Stage, file: &str, time: &str) {
    let order = format!("{}/00000000", time.replace('Z', ".000Z"));
    stage
        .dynamodb
        .update_item()
        .table_name(&stage.names.ledger)
        .key("pk", AttributeValue::S(format!("file#{file}")))
        .update_expression("SET #order = :order")
        .expression_attribute_names("#order", "order")
        .expression_attribute_values(":order", AttributeValue::S(order))
        .send()
        .await
        .expect("write the order");
}

/// Invokes the watcher as its schedule does at this time.
pub(super) fn watch(stage: &Stage, time: &str) {
    let event = json!({"version": "0", "id": "0", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": ACCOUNT, "time": time, "region": "us-east-1", "resources": [], "detail": {}});
    let path = format!("/2015-03-31/functions/{}/invocations", stage.names.watcher);
    let owner = http::owner_of(ACCOUNT, "lambda");
    let headers = [("authorization", owner.as_str()), ("content-type", "application/json")];
    let answer = http::send(&stage.emulator.endpoint, "POST", &path, &headers, event.to_string().as_bytes());
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let logs = || stage.logs_of(&stage.names.watcher_logs);
    assert!(answer.status == 200 && body.trim() == "null", "{}: {body}\n{}", answer.status, logs());
}

/// A metric of the watcher's last line that has it.
fn gauge(stage: &Stage, metric: &str) -> Option<u64> {
    let logs = stage.logs_of(&stage.names.watcher_logs);
    let lines = logs.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| !line["_aws"].is_null()).find_map(|line| line[metric].as_u64())
}

#[tokio::test]
async fn a_file_whose_event_was_lost_is_loaded_after_the_next_watch_and_only_once() {
    let stage = Stage::open().await;
    stage.silence().await;
    let version = stage.land(KEY, csv(0, 7)).await;
    watch(&stage, &after(&stage, KEY, 5 * MINUTE).await);
    assert_eq!(gauge(&stage, "FilesResent"), Some(0), "its event may still come");
    watch(&stage, &after(&stage, KEY, 2 * HOUR).await);
    assert_eq!(gauge(&stage, "FilesResent"), Some(1));
    let entry = stage.outcome(KEY, &version).await;
    assert_eq!((entry.state(), entry.counts()), ("COMPLETE", [7, 7, 0]));
    stage.settle().await;
    // The event that was only late: the same file, and not a second one.
    stage.deliver(&stage.event(KEY, &version, "0055AED6DCD90281E5")).await;
    stage.settle().await;
    watch(&stage, &after(&stage, KEY, 4 * HOUR).await);
    assert_eq!((gauge(&stage, "FilesResent"), gauge(&stage, "LoadsStuck")), (Some(0), Some(0)));
    assert_eq!((stage.records().await.len(), stage.announcements().len()), (7, 1));
    let logs = stage.logs_of(&stage.names.watcher_logs);
    assert!(logs.contains("watched") && !logs.contains("Nord"), "no key is logged: {logs}");
}

#[tokio::test]
async fn the_heartbeat_goes_the_whole_way_and_its_age_is_told() {
    let stage = Stage::open_with(&["Heartbeat=On".to_owned()]).await;
    stage.land("north/scans/clock.csv", csv(0, 1)).await;
    let now = after(&stage, "north/scans/clock.csv", 0).await;
    watch(&stage, &now);
    assert_eq!(gauge(&stage, "HeartbeatAge"), None, "none is loaded yet");
    let hour: String = now.chars().take(13).collect();
    let key = format!("heartbeat/heartbeat/{hour}.csv");
    let head =
        stage.s3.head_object().bucket(&stage.names.inbox).key(&key).send().await.expect("the heartbeat");
    let entry = stage.outcome(&key, &head.version_id.expect("a version")).await;
    assert_eq!((entry.state(), entry.counts()), ("COMPLETE", [3, 3, 0]));
    watch(&stage, &after(&stage, &key, 5 * MINUTE).await);
    let age = gauge(&stage, "HeartbeatAge").expect("an age");
    // The event's time and the object's own differ by a second at most.
    assert!((5 * MINUTE - 1..=5 * MINUTE + 1).contains(&age), "{age}");
    let list = stage.s3.list_object_versions().bucket(&stage.names.inbox).prefix(&key).send().await;
    assert_eq!(list.expect("a listing").versions().len(), 1, "one for an hour");
}

#[tokio::test]
async fn a_missing_file_is_told_until_it_comes() {
    let stage = Stage::open().await;
    stage.publish(&contract_with("{property: onSameName, value: append, vendor: ingest}", DAILY)).await;
    stage.silence().await;
    let first = stage.land("north/scans/first.csv", csv(0, 3)).await;
    let load = async |key: &str, version: &str| {
        stage.deliver(&stage.event(key, version, "0055AED6DCD90281E5")).await;
        let entry = stage.outcome(key, version).await;
        assert_eq!(entry.state(), "COMPLETE");
        entry
    };
    load("north/scans/first.csv", &first).await;
    let days_later = after(&stage, "north/scans/first.csv", 2 * DAY).await;
    watch(&stage, &days_later);
    assert_eq!(gauge(&stage, "FilesMissing"), Some(1));
    let second = stage.land("north/scans/second.csv", csv(9, 3)).await;
    let entry = load("north/scans/second.csv", &second).await;
    let time = after(&stage, "north/scans/first.csv", 2 * DAY - MINUTE).await;
    landed_at(&stage, entry.file(), &time).await;
    watch(&stage, &days_later);
    assert_eq!(gauge(&stage, "FilesMissing"), Some(0), "it came");
    stage.settle().await;
}
