use ledger::State;
use serde_json::Value;

use super::{FileRecord, Occurrence, ProcessingStep};
use crate::{LINE_BYTES, Label, Metrics, Used};

fn record() -> FileRecord {
    let mut record = FileRecord {
        partner: Label::new("north"),
        feed: Label::new("visits"),
        state: Some(State::Complete),
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
    record.spend(ProcessingStep::Check, 20);
    record.spend(ProcessingStep::Load, 30);
    record.spend(ProcessingStep::Check, 20);
    record
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).expect("the line is JSON")
}

#[test]
fn a_file_is_one_line_in_the_embedded_metric_format() {
    let line = record().metric(&Metrics::all("SilentScalper"), 1_700_000_000_000);
    assert!(!line.contains('\n'));
    let root = parse(&line);
    assert_eq!(root["_aws"]["Timestamp"], 1_700_000_000_000_u64);
    for directive in root["_aws"]["CloudWatchMetrics"].as_array().expect("directives") {
        assert_eq!(directive["Namespace"], "SilentScalper");
        let metrics = directive["Metrics"].as_array().expect("metrics");
        assert!(metrics.len() <= 100, "the format takes at most 100 metrics");
        for metric in metrics {
            let name = metric["Name"].as_str().expect("name");
            assert!(root[name].is_number(), "{name} has no value");
        }
    }
    assert_eq!(root["Rows"], 9);
    assert_eq!(root["Duration"], 70);
    assert_eq!(root["stepMilliseconds"]["check"], 40);
    assert_eq!(root["checkedBytesPerSecond"], 10_000);
    assert_eq!(
        (&root["RecordsPerSecond"], &root["BytesPerSecond"]),
        (&Value::from(142), &Value::from(5_714))
    );
    assert_eq!((&root["RejectPercent"], &root["Retries"]), (&Value::from(10), &Value::from(1)));
}

#[test]
fn a_file_says_what_it_used_and_what_that_costs() {
    let used = Used { write_tenths: 50, object_writes: 1, object_reads: 1, ..Used::default() };
    let root = parse(&FileRecord { used, ..record() }.metric(&Metrics::all("n"), 1));
    // Micro-dollars: five write units of 0.625, 5 for the PUT, 0.4 for the GET.
    assert_eq!(root["CostMicroDollars"], 8.525);
    assert_eq!(
        (&root["used"]["writeTenths"], &root["used"]["objectReads"]),
        (&Value::from(50), &Value::from(1))
    );
}

#[test]
fn a_file_of_which_no_record_was_read_has_no_percentage_and_no_speed() {
    let unread = FileRecord { records: 0, rows: 0, rejects: 0, state: Some(State::Quarantined), ..record() };
    let root = parse(&unread.metric(&Metrics::all("n"), 1));
    for name in ["RejectPercent", "RecordsPerSecond", "BytesPerSecond"] {
        assert!(root.get(name).is_none(), "{name}");
    }
    assert_eq!(root["Retries"], 1);
}

#[test]
fn only_partner_feed_and_state_are_dimensions() {
    let root = parse(&record().metric(&Metrics::all("n"), 1));
    let directives = root["_aws"]["CloudWatchMetrics"].as_array().expect("directives").iter();
    let sets = directives.flat_map(|one| one["Dimensions"].as_array().expect("dimensions"));
    for set in sets {
        for name in set.as_array().expect("a set") {
            let name = name.as_str().expect("a name");
            assert!(["partner", "feed", "state"].contains(&name), "{name}");
            assert!(root[name].is_string());
        }
    }
}

#[test]
fn a_quarantined_file_counts_no_rows() {
    let rejected = FileRecord { state: Some(State::Quarantined), fault: Some("HEADER"), ..record() };
    let root = parse(&rejected.metric(&Metrics::all("n"), 1));
    assert_eq!((&root["Rows"], &root["FilesQuarantined"]), (&Value::from(0), &Value::from(1)));
    assert_eq!(root["fault"], "HEADER");
}

#[test]
fn a_line_that_would_be_cut_loses_its_details_and_keeps_its_metrics() {
    let many = FileRecord { violations: vec![("type-error", 1); 10], ..record() };
    assert!(many.metric(&Metrics::all("n"), 1).len() <= LINE_BYTES);
    let shortest = record().metric(&Metrics::all(""), 1);
    let times = shortest.matches("\"Namespace\"").count();
    let namespace = "n".repeat((LINE_BYTES - shortest.len()) / times + 1);
    let line = record().metric(&Metrics::all(&namespace), 1);
    assert!(line.len() <= LINE_BYTES);
    let root = parse(&line);
    assert_eq!(root["Rows"], 9);
    assert!(root.get("stepMilliseconds").is_none());
}

#[test]
fn every_occurrence_counts_one_under_its_own_name() {
    let mut seen = std::collections::BTreeSet::new();
    for occurrence in Occurrence::ALL {
        let root = parse(&occurrence.metric(&Metrics::all("n"), 1));
        assert_eq!(root[occurrence.definition().name], 1);
        assert!(seen.insert(occurrence.definition().name));
    }
}
