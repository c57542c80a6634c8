//! What is published of every kind of record, in every level.

use std::collections::BTreeSet;

use ledger::State;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    AccessRecord, BASIC_METRICS, DeliveryRecord, DeliveryResult, FeedWatchRecord, FileRecord, Label,
    NoticeRecord, NoticeResult, Occurrence, RequestRecord, WatchRecord,
};

/// A metric and the values of its dimensions.
type PublishedMetric = (String, Vec<(String, String)>);

/// A record of any kind.
#[derive(Clone, Debug)]
enum AnyRecord {
    File(Box<FileRecord>),
    Watch(WatchRecord),
    Feed(FeedWatchRecord),
    Delivery(DeliveryRecord),
    Notice(NoticeRecord),
    Access(AccessRecord),
    Request(RequestRecord),
    Occurrence(Occurrence),
}

impl AnyRecord {
    /// Its line.
    fn line(&self, metrics: &Metrics) -> Value {
        let line = match self {
            Self::File(record) => record.metric(metrics, 1),
            Self::Watch(record) => record.metric(metrics, 1),
            Self::Feed(record) => record.metric(metrics, 1),
            Self::Delivery(record) => record.metric(metrics, 1),
            Self::Notice(record) => record.metric(metrics, 1),
            Self::Access(record) => record.metric(metrics, 1),
            Self::Request(record) => record.metric(metrics, 1),
            Self::Occurrence(occurrence) => occurrence.metric(metrics, 1),
        };
        parse(&line)
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).expect("the line is JSON")
}

/// Returns every metric of a line under every set of dimensions, as CloudWatch reads it.
fn published(line: &Value) -> Vec<PublishedMetric> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut found = Vec::new();
    for directive in list(&line["_aws"]["CloudWatchMetrics"]) {
        for set in list(&directive["Dimensions"]) {
            let values: Vec<(String, String)> =
                list(&set).iter().map(|name| (text(name), text(&line[text(name)]))).collect();
            let metrics = list(&directive["Metrics"]);
            found.extend(metrics.iter().map(|metric| (text(&metric["Name"]), values.clone())));
        }
    }
    found
}

fn all_of(metrics: &Metrics, records: &[AnyRecord]) -> BTreeSet<PublishedMetric> {
    records.iter().flat_map(|record| published(&record.line(metrics))).collect()
}

/// Returns a label that may be empty.
fn label() -> impl Strategy<Value = Label> {
    prop_oneof![Just(""), Just("north"), Just("labs"), Just("unknown")].prop_map(Label::new)
}

/// Returns a text of this repository that a record without a value may lack.
fn word(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words)
}

fn file() -> impl Strategy<Value = FileRecord> {
    let states = prop::option::of(prop::sample::select(State::ALL.to_vec()));
    (label(), label(), states, 0_u64..3, 0_u64..3, prop::option::of(0_u64..9)).prop_map(
        |(partner, feed, state, records, rejects, queue_age)| FileRecord {
            partner,
            feed,
            state,
            records,
            rejects,
            queue_age,
            ..FileRecord::default()
        },
    )
}

fn watch() -> impl Strategy<Value = WatchRecord> {
    let gauge = || prop::option::of(0_u64..5);
    (gauge(), gauge(), gauge(), 0_u64..2).prop_map(|(stuck, dead_letters, heartbeat_age, failed)| {
        WatchRecord { stuck, dead_letters, heartbeat_age, failed, ..WatchRecord::default() }
    })
}

fn delivery() -> impl Strategy<Value = DeliveryRecord> {
    (label(), prop::option::of(Just(State::Complete))).prop_map(|(partner, state)| DeliveryRecord {
        partner,
        file: Label::default(),
        state,
        delivery: DeliveryResult::Failed,
        answer: "5xx",
        duration: 1,
        receive_count: 1,
    })
}

fn notice() -> impl Strategy<Value = NoticeRecord> {
    word(&["mail", "none", ""]).prop_map(|channel| NoticeRecord {
        incident: Label::default(),
        alarm: Label::default(),
        channel,
        notice: NoticeResult::Sent,
        reason: "",
    })
}

fn record() -> impl Strategy<Value = AnyRecord> {
    let decisions = word(&["allow", "deny", "unauthorized", "failed", ""]);
    prop_oneof![
        file().prop_map(|one| AnyRecord::File(Box::new(one))),
        watch().prop_map(AnyRecord::Watch),
        (label(), prop::collection::vec(label(), 0..3)).prop_map(|(feed, missing)| {
            AnyRecord::Feed(FeedWatchRecord { feed, missing, ..FeedWatchRecord::default() })
        }),
        delivery().prop_map(AnyRecord::Delivery),
        notice().prop_map(AnyRecord::Notice),
        (decisions, word(&["key", "none", ""])).prop_map(|(decision, kind)| {
            AnyRecord::Access(AccessRecord { decision, kind, ..AccessRecord::default() })
        }),
        (word(&["sendFile", ""]), 100_u16..600).prop_map(|(operation, status)| {
            AnyRecord::Request(RequestRecord { operation, status, ..RequestRecord::default() })
        }),
        prop::sample::select(&Occurrence::ALL[..]).prop_map(AnyRecord::Occurrence),
    ]
}

/// Returns every level, with and without metrics of partners.
fn levels() -> Vec<Metrics> {
    let each = [Monitoring::Off, Monitoring::Basic, Monitoring::Full].into_iter();
    each.flat_map(|monitoring| {
        [false, true].map(|partner_metrics| Metrics { monitoring, partner_metrics, ..Metrics::all("n") })
    })
    .collect()
}

proptest! {
    #[test]
    fn basic_publishes_six_names_at_most_and_no_dimension(record in record()) {
        for (name, dimensions) in published(&record.line(&Metrics::basic("n"))) {
            prop_assert!(BASIC_METRICS.contains(&name.as_str()) && dimensions.is_empty(), "{name} {dimensions:?}");
        }
    }

    /// An empty value would be dropped, and the metric counted twice where a smaller set has it too.
    #[test]
    fn no_dimension_is_empty_and_nothing_is_published_twice(record in record()) {
        for metrics in levels() {
            let all = published(&record.line(&metrics));
            prop_assert!(all.iter().flat_map(|(_, set)| set).all(|(_, value)| !value.is_empty()), "{all:?}");
            let distinct: BTreeSet<&PublishedMetric> = all.iter().collect();
            prop_assert_eq!(distinct.len(), all.len());
        }
    }

    #[test]
    fn a_partner_is_a_dimension_only_where_the_stack_says_so(record in record()) {
        for metrics in levels() {
            let all = published(&record.line(&metrics));
            let names_partner = all.iter().flat_map(|(_, set)| set).any(|(name, _)| name == "partner");
            prop_assert!(!names_partner || (metrics.partner_metrics && metrics.monitoring == Monitoring::Full));
        }
    }

    #[test]
    fn every_level_writes_the_same_members(record in record()) {
        let members = |metrics: &Metrics| {
            let mut line = record.line(metrics);
            line.as_object_mut().expect("an object").remove("_aws");
            line
        };
        for metrics in levels() {
            prop_assert_eq!(members(&metrics), members(&Metrics::all("n")));
            let directive = record.line(&metrics)["_aws"]["CloudWatchMetrics"].clone();
            // A directive without metrics or sets would be rejected.
            for directive in directive.as_array().into_iter().flatten() {
                prop_assert!(["Dimensions", "Metrics"].iter().all(|part| directive[part] != Value::Array(vec![])));
            }
            prop_assert!(directive.is_null() || directive != Value::Array(vec![]));
            prop_assert!(metrics.monitoring != Monitoring::Off || directive.is_null());
        }
    }
}

#[test]
fn basic_has_the_share_of_rejects_of_loaded_files_only() {
    let names = |state| -> BTreeSet<String> {
        let file = FileRecord { state: Some(state), records: 2, rejects: 1, ..FileRecord::default() };
        published(&parse(&file.metric(&Metrics::basic("n"), 1))).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(State::Complete), ["FilesQuarantined", "RejectPercent"].map(str::to_owned).into());
    assert_eq!(names(State::Quarantined), ["FilesQuarantined"].map(str::to_owned).into());
}

#[test]
fn a_line_without_a_metric_of_basic_is_an_ordinary_log_line() {
    let line = |metrics: &Metrics| parse(&Occurrence::Panic.metric(metrics, 1));
    assert_eq!(line(&Metrics::basic("n")), serde_json::json!({"Panics": 1}));
    assert!(line(&Metrics::all("n"))["_aws"].is_object());
}

/// Returns the heartbeat file of an hour.
fn heartbeat() -> FileRecord {
    FileRecord {
        partner: Label::new("heartbeat"),
        feed: Label::new("heartbeat"),
        state: Some(State::Complete),
        records: 3,
        rows: 3,
        queue_age: Some(1),
        is_heartbeat: true,
        ..FileRecord::default()
    }
}

/// What an idle hour writes: the heartbeat file, and twelve runs of the watcher with this number of contracts.
fn idle_hour(feeds: usize) -> Vec<AnyRecord> {
    let mut records = vec![AnyRecord::File(Box::new(heartbeat()))];
    let (stuck, dead_letters, heartbeat_age) = (Some(0), Some(0), Some(300));
    for _ in 0..12 {
        records.push(AnyRecord::Watch(WatchRecord {
            stuck,
            dead_letters,
            heartbeat_age,
            ..WatchRecord::default()
        }));
        records.extend((0..feeds).map(|feed| {
            let feed = Label::new(&format!("feed-{feed}"));
            AnyRecord::Feed(FeedWatchRecord { feed, ..FeedWatchRecord::default() })
        }));
    }
    records
}

#[test]
fn an_idle_hour_publishes_at_most_three_metrics_in_basic() {
    let count = |metrics: &Metrics, feeds| all_of(metrics, &idle_hour(feeds)).len();
    let (off, basic) = (Metrics { monitoring: Monitoring::Off, ..Metrics::all("n") }, Metrics::basic("n"));
    let full = Metrics { partner_metrics: false, ..Metrics::all("n") };
    for (feeds, most) in [(0, 2), (1, 3), (4, 3), (500, 3)] {
        assert_eq!((count(&off, feeds), count(&basic, feeds)), (0, most), "{feeds} feeds");
    }
    // Two of the heartbeat file, five of the watcher, five of all feeds together and five of each.
    assert_eq!([0, 1, 4].map(|feeds| count(&full, feeds)), [7, 17, 32]);
}

#[test]
fn the_heartbeat_file_publishes_two_metrics_in_full_and_none_below() {
    for metrics in levels() {
        let all = published(&parse(&heartbeat().metric(&metrics, 1)));
        let most = if metrics.monitoring == Monitoring::Full { 2 } else { 0 };
        assert_eq!(all.len(), most, "{metrics:?}: {all:?}");
        assert!(all.iter().all(|(_, dimensions)| dimensions.is_empty()));
    }
}
