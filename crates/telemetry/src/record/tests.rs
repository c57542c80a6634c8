use serde_json::Value;

use super::{FileRecord, Occurrence, Step};
use crate::{LINE_BYTES, Label};

fn record() -> FileRecord {
    let mut record = FileRecord {
        partner: Label::new("north"),
        feed: Label::new("visits"),
        state: "COMPLETE",
        file: Label::new("abc"),
        load: Label::new("abc-def"),
        records: 10,
        rows: 9,
        rejects: 1,
        violations: vec![("type-error", 1)],
        bytes: 100,
        decoded_bytes: 400,
        queue_age: Some(70),
        receive_count: 2,
        ..FileRecord::default()
    };
    record.spend(Step::Check, 20);
    record.spend(Step::Load, 30);
    record.spend(Step::Check, 20);
    record
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).expect("the line is JSON")
}

#[test]
fn a_file_is_one_line_in_the_embedded_metric_format() {
    let line = record().metric("SilentScalper", 1_700_000_000_000);
    assert!(!line.contains('\n'));
    let root = parse(&line);
    assert_eq!(root["_aws"]["Timestamp"], 1_700_000_000_000_u64);
    let directive = &root["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "SilentScalper");
    let metrics = directive["Metrics"].as_array().expect("metrics");
    assert!(metrics.len() <= 100, "the format takes at most 100 metrics");
    for metric in metrics {
        let name = metric["Name"].as_str().expect("name");
        assert!(root[name].is_number(), "{name} has no value");
    }
    assert_eq!(root["Rows"], 9);
    assert_eq!(root["Duration"], 70);
    assert_eq!(root["stepMilliseconds"]["check"], 40);
    assert_eq!(root["checkedBytesPerSecond"], 10_000);
}

#[test]
fn only_partner_feed_and_state_are_dimensions() {
    let root = parse(&record().metric("n", 1));
    let sets = root["_aws"]["CloudWatchMetrics"][0]["Dimensions"].as_array().expect("dimensions").clone();
    for set in sets {
        for name in set.as_array().expect("a set") {
            let name = name.as_str().expect("a name");
            assert!(["partner", "feed", "state"].contains(&name), "{name}");
            assert!(root[name].is_string());
        }
    }
}

#[test]
fn a_refused_file_counts_no_rows() {
    let refused = FileRecord { state: "QUARANTINED", fault: Some("HEADER"), ..record() };
    let root = parse(&refused.metric("n", 1));
    assert_eq!((&root["Rows"], &root["FilesQuarantined"]), (&Value::from(0), &Value::from(1)));
    assert_eq!(root["fault"], "HEADER");
}

#[test]
fn a_line_that_would_be_cut_loses_its_details_and_keeps_its_metrics() {
    let many = FileRecord { violations: vec![("type-error", 1); 10], ..record() };
    assert!(many.metric("n", 1).len() <= LINE_BYTES);
    let namespace = "n".repeat(LINE_BYTES - record().metric("", 1).len() + 1);
    let line = record().metric(&namespace, 1);
    assert!(line.len() <= LINE_BYTES);
    let root = parse(&line);
    assert_eq!(root["Rows"], 9);
    assert!(root.get("stepMilliseconds").is_none());
}

#[test]
fn every_occurrence_counts_one_under_its_own_name() {
    let all = [
        Occurrence::RedundantDelivery,
        Occurrence::LeaseHeld,
        Occurrence::OlderVersionAwaited,
        Occurrence::FenceLost,
        Occurrence::Handover,
        Occurrence::RetryableError,
        Occurrence::AccessError,
        Occurrence::ForeignMessage,
        Occurrence::Panic,
    ];
    let mut seen = std::collections::BTreeSet::new();
    for occurrence in all {
        let root = parse(&occurrence.metric("n", 1));
        assert_eq!(root[occurrence.metric_name()], 1);
        assert!(seen.insert(occurrence.metric_name()));
    }
}
