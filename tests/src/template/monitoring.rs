//! What `Monitoring` leaves out: alarms and metrics are billed each month, whatever is processed. What they cost is in
//! `infra/cost`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use telemetry::{FeedWatchRecord, FileRecord, Label, Metrics, Monitoring, WatchRecord};

use super::alarms::metric_alarms;
use super::expanded::{ExpandedTemplate, scalar};
use crate::repository::text;

static BASIC: LazyLock<ExpandedTemplate> = LazyLock::new(|| ExpandedTemplate::expand(&[]));

/// Alarms, metrics and dashboards of the always-free tier. <https://aws.amazon.com/cloudwatch/pricing/>
const FREE: usize = 10;

#[test]
fn basic_is_the_default_and_fits_the_always_free_tier() {
    let nested = BASIC.alarms();
    assert_eq!(nested.parameters["Monitoring"], "Basic");
    let alarms = metric_alarms(&nested);
    assert_eq!(alarms.len(), FREE, "{:?}", alarms.iter().map(|alarm| &alarm.name).collect::<Vec<_>>());
    // One that joins others costs as much as five, one that computes as much as the metrics that it reads.
    assert_eq!(nested.of_kind("AWS::CloudWatch::CompositeAlarm").count(), 0);
    assert!(alarms.iter().all(|alarm| alarm.metrics.len() == 1));
    assert_eq!(
        BASIC.of_kind("AWS::CloudFormation::Stack").filter(|nested| nested.id == "Dashboards").count(),
        0
    );
    for function in BASIC.of_kind("AWS::Lambda::Function") {
        let variables = function.at("/Environment/Variables");
        assert_eq!(
            (&variables["MONITORING"], &variables["PARTNER_METRICS"]),
            (&"Basic".into(), &"false".into())
        );
        // Two stacks of one stage do not feed each other's alarms.
        assert_eq!(variables["METRIC_NAMESPACE"], "SilentScalper/under-test");
    }
}

#[test]
fn basic_still_tells_of_everything_that_loses_or_stops_files() {
    let nested = BASIC.alarms();
    let names: BTreeSet<String> = metric_alarms(&nested).into_iter().map(|alarm| alarm.name).collect();
    let expected = [
        "files-quarantined",
        "reject-ratio",
        "file-missing",
        "inbox-dead-letters",
        "webhooks-dead-letters",
        "loads-stuck",
        "heartbeat-missing",
        "api-errors",
        "access-errors",
        "notifier-errors",
    ];
    assert_eq!(names, expected.map(|name| format!("under-test-{name}")).into());
    for alarm in nested.of_kind("AWS::CloudWatch::Alarm") {
        let description = scalar(alarm.at("/AlarmDescription"));
        assert!(!description.contains("Incident:"), "{}: no composite alarm would close it", alarm.id);
    }
}

#[test]
fn off_has_no_alarm_no_dashboard_and_no_metric() {
    let off = ExpandedTemplate::expand(&[("Monitoring", "Off")]);
    let nested: Vec<&str> =
        off.of_kind("AWS::CloudFormation::Stack").map(|nested| nested.id.as_str()).collect();
    assert_eq!(nested, ["Checks"]);
    for function in off.of_kind("AWS::Lambda::Function") {
        assert_eq!(function.at("/Environment/Variables/MONITORING"), "Off", "{}", function.id);
    }
}

#[test]
fn the_price_of_an_idle_stack_counts_the_metrics_that_it_writes() {
    let heartbeat = FileRecord {
        partner: Label::new("heartbeat"),
        feed: Label::new("heartbeat"),
        is_heartbeat: true,
        state: Some(ledger::State::Complete),
        records: 3,
        queue_age: Some(1),
        ..FileRecord::default()
    };
    let run = WatchRecord {
        contracts_broken: Some(0),
        stuck: Some(0),
        dead_letters: Some(0),
        heartbeat_age: Some(1),
        ..WatchRecord::default()
    };
    let feed = FeedWatchRecord { feed: Label::new("labs"), ..FeedWatchRecord::default() };
    let mut written = Map::new();
    for (name, monitoring) in
        [("Off", Monitoring::Off), ("Basic", Monitoring::Basic), ("Full", Monitoring::Full)]
    {
        let metrics = Metrics { namespace: "n".to_owned(), monitoring, partner_metrics: false };
        let mut records = Map::new();
        for (record, line) in [
            ("heartbeat_file", heartbeat.metric(&metrics, 1)),
            ("watcher_run", run.metric(&metrics, 1)),
            ("feed", feed.metric(&metrics, 1)),
        ] {
            let published = published(&line);
            if !published.is_empty() {
                records.insert(record.to_owned(), Value::Object(published));
            }
        }
        written.insert(name.to_owned(), Value::Object(records));
    }
    let counted: Value = serde_json::from_str(&text("infra/cost/idle_metrics.json")).expect("JSON");
    assert_eq!(counted, Value::Object(written));
}

/// Returns the metrics of a line, each with its sets of dimensions.
fn published(line: &str) -> Map<String, Value> {
    let line: Value = serde_json::from_str(line).expect("a record is JSON");
    let mut found = Map::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
        for metric in directive["Metrics"].as_array().into_iter().flatten() {
            found.insert(scalar(&metric["Name"]), json!(directive["Dimensions"]));
        }
    }
    found
}
