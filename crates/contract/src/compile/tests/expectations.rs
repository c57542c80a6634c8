//! When files must come, by `expect` and by the service levels.

use super::*;
use crate::{Due, Expectation};

/// A contract with these settings of its schema object and these service levels, each a list in flow style.
fn with(settings: &str, levels: &str) -> String {
    format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\n\
         servers: [{{ server: inbox, type: s3, location: s3://inbox/a/b/, format: ndjson }}]\n\
         schema:\n  - name: feed\n    customProperties: [{settings}]\n    properties: [{{ name: a, logicalType: string, primaryKey: true }}]\n\
         slaProperties:\n{levels}"
    )
}

fn expect(value: &str) -> String {
    format!("{{ property: expect, vendor: ingest, value: {value} }}")
}

fn expectation(source: &str) -> Option<Expectation> {
    compiled(source).0.expectation
}

fn at(instant: &str) -> u64 {
    instant.parse::<jiff::Timestamp>().unwrap().as_millisecond().try_into().unwrap()
}

/// Saturday noon.
const NOW: &str = "2026-11-21T12:00:00Z";

#[test]
fn an_expectation_has_schedule_zone_grace_and_rows() {
    let expectation = expectation(SCAN_REPORTS).unwrap();
    assert_eq!(expectation.rows, (Some(10), Some(20_000)));
    let last = expectation.last_due_after(None, at(NOW)).unwrap();
    assert_eq!((last.due_ms, last.deadline_ms), (at("2026-11-20T05:00:00Z"), at("2026-11-20T07:00:00Z")));
    let next = expectation.next_due_after(None, at(NOW)).unwrap();
    assert_eq!((next.due_ms, next.deadline_ms), (at("2026-11-23T05:00:00Z"), at("2026-11-23T07:00:00Z")));
}

#[test]
fn an_expectation_without_zone_and_grace_is_in_utc_and_to_the_minute() {
    let expectation = expectation(&with(&expect("{ schedule: 0 6 * * * }"), "")).unwrap();
    let next = expectation.next_due_after(None, at(NOW)).unwrap();
    assert_eq!((next.due_ms, next.deadline_ms), (at("2026-11-22T06:00:00Z"), at("2026-11-22T06:00:00Z")));
    assert_eq!(expectation.rows, (None, None));
}

#[test]
fn a_contract_that_says_nothing_expects_nothing() {
    assert!(expectation(&with("", "")).is_none());
    assert!(expectation(&with("", "  - { property: latency, value: 4, unit: h }\n")).is_none());
    assert!(expectation(&with("", "  - { property: retention, value: 1, unit: d }\n")).is_none());
}

#[test]
fn a_frequency_is_the_longest_time_between_two_files() {
    for (value, unit, hours) in [
        (1, "d", 24),
        (36, "hours", 36),
        (90, "min", 1),
        (1, "Week", 168),
        (2, "mo", 2 * 31 * 24),
        (1, "yr", 366 * 24),
    ] {
        let levels = format!("  - {{ property: fy, value: {value}, unit: {unit} }}\n");
        let expectation = expectation(&with("", &levels)).unwrap();
        let newest = at(NOW);
        let Due { opens_ms, due_ms, deadline_ms } = expectation.next_due_after(Some(newest), newest).unwrap();
        assert_eq!((opens_ms, (due_ms - newest) / 3_600_000), (newest, hours), "{value} {unit}");
        assert_eq!(deadline_ms, due_ms);
    }
}

#[test]
fn a_latency_is_the_grace_of_the_frequency_or_the_schedule() {
    let levels =
        "  - { property: Latency, value: 3, unit: h }\n  - { property: frequency, value: 1, unit: d }\n";
    let due = expectation(&with("", levels)).unwrap().next_due_after(Some(0), 0).unwrap();
    assert_eq!((due.due_ms, due.deadline_ms), (24 * 3_600_000, 27 * 3_600_000));

    let levels = "  - { property: freshness, value: 3, unit: h, scheduler: cron, schedule: 30 4 * * mon }\n";
    let due = expectation(&with("", levels)).unwrap().next_due_after(None, at(NOW)).unwrap();
    assert_eq!((due.due_ms, due.deadline_ms), (at("2026-11-23T04:30:00Z"), at("2026-11-23T07:30:00Z")));
}

#[test]
fn the_expectation_holds_whatever_the_service_levels_say() {
    let levels = "  - { property: frequency, value: 1, unit: h, scheduler: cron, schedule: 0 7 * * * }\n";
    let source = with(&expect("{ schedule: 0 6 * * * }"), levels);
    let (contract, warnings) = compiled(&source);
    let due = contract.expectation.unwrap().next_due_after(None, at(NOW)).unwrap();
    assert_eq!(due.due_ms, at("2026-11-22T06:00:00Z"));
    assert_eq!(warnings.len(), 2, "the schedule and the frequency");
    assert_eq!(contract.not_run.len(), 1);
}

#[test]
fn service_levels_that_say_the_same_are_no_warning() {
    let levels =
        "  - { property: frequency, value: 1, unit: d }\n  - { property: latency, value: 2, unit: h }\n";
    for schedule in ["0 6 * * *", "0 6 * * 1-5"] {
        let source = with(&expect(&format!("{{ schedule: {schedule}, grace: 2h }}")), levels);
        assert!(compiled(&source).1.is_empty(), "{schedule}");
    }
}

/// Each case: what it is, the value of `expect`, the service levels.
const CASES: [(&str, &str, &str); 17] = [
    (
        "the example of the standard",
        "",
        "  - { property: latency, value: 4, unit: d, scheduler: cron, schedule: 0 30 * * * }\n",
    ),
    ("a latency alone", "", "  - { property: latency, value: 4, unit: h }\n"),
    (
        "a latency beside an expectation",
        "{ schedule: 0 6 * * * }",
        "  - { property: latency, value: 4, unit: h }\n",
    ),
    (
        "a latency and a frequency beside another expectation",
        "{ schedule: 0 6 * * * }",
        "  - { property: latency, value: 4, unit: h }\n  - { property: frequency, value: 1, unit: h }\n",
    ),
    (
        "a schedule beside another expectation",
        "{ schedule: 0 6 * * *, grace: 4h }",
        "  - { property: latency, value: 4, unit: h, scheduler: cron, schedule: 0 7 * * * }\n",
    ),
    (
        "a frequency beside a schedule",
        "",
        "  - { property: frequency, value: 1, unit: d }\n  - { property: latency, value: 4, unit: h, scheduler: cron, schedule: 0 7 * * * }\n",
    ),
    (
        "two frequencies",
        "",
        "  - { property: frequency, value: 1, unit: d, element: a }\n  - { property: frequency, value: 2, unit: d, element: b }\n",
    ),
    (
        "other service levels",
        "",
        "  - { property: retention, value: 3, unit: y }\n  - { property: timeOfAvailability, value: 09:00-08:00 }\n",
    ),
    ("a frequency without a unit", "", "  - { property: frequency, value: 1 }\n"),
    ("a frequency without a value", "", "  - { property: frequency, unit: d }\n"),
    ("a frequency of nothing", "", "  - { property: frequency, value: 0, unit: d }\n"),
    ("a frequency in words", "", "  - { property: frequency, value: daily }\n"),
    ("a unit of two meanings", "", "  - { property: frequency, value: 1, unit: m }\n"),
    ("a unit that nobody knows", "", "  - { property: frequency, value: 1, unit: fortnight }\n"),
    ("a frequency of years", "", "  - { property: frequency, value: 2, unit: y }\n"),
    (
        "another scheduler",
        "",
        "  - { property: frequency, value: 1, unit: d, scheduler: airflow, schedule: daily }\n",
    ),
    ("a grace longer than the time between two files", "{ schedule: \"0 6,7 * * *\", grace: 1h }", ""),
];

#[test]
fn what_is_not_run_of_the_service_levels_is_listed_with_its_reason() {
    let mut page = String::new();
    for (title, value, levels) in CASES {
        let settings = if value.is_empty() { String::new() } else { expect(value) };
        let source = with(&settings, levels);
        let (contract, warnings) = compiled(&source);
        let expects = if contract.expectation.is_some() { "expects files" } else { "expects nothing" };
        page.extend(["# ", title, ": ", expects, "\n"]);
        for item in &contract.not_run {
            page.extend(["not run: ", &item.what, " at ", &item.path, ": ", &item.why, "\n"]);
        }
        for warning in warnings {
            page.push_str(&warning.render("feed.odcs.yaml", &source));
        }
        page.push('\n');
    }
    insta::assert_snapshot!("service_levels", page);
}
