//! The dashboard: its first row has the state of every alarm, its second is about files, each graph has the
//! thresholds of the alarms on its metrics, each metric is written with the dimensions that it asks for, and every
//! metric that is written has a place.

use std::collections::BTreeSet;

use serde_json::Value;
use telemetry::MetricUnit;

use super::alarms::{metric_alarms, watched, written};
use super::cloudwatch::AlarmDefinition;
use super::expanded::{ExpandedTemplate, list, scalar};
use super::{CHOICES, with_every_choice};
use crate::tidy::regex;

/// What is written though neither the dashboard nor an alarm has it, and why.
const UNSEEN: [(&str, &str); 4] = [
    (
        "RedundantDeliveries",
        "a queue delivers twice by design; asked for when costs of a quiet day are looked into",
    ),
    ("LeasesHeld", "a delivery beside the one that works; asked for when retries are many"),
    ("OlderVersionsAwaited", "a name's versions wait for each other; asked for when retries are many"),
    ("WebhooksUnwanted", "a partner's own choice, shown to it by `scalper partner webhook`"),
];

/// Where the row about files begins, in rows of the grid.
const FILES_ROW: u64 = 5;
/// The most feeds whose alarms are shown.
const FEEDS: usize = 12;
/// The most ARNs of an alarm widget, and the most metrics of a dashboard in the always-free tier.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>
const ARNS: usize = 100;
const METRICS: usize = 50;
/// Characters of a title that a browser window of common width shows in six of the 24 columns.
const TITLE_CHARACTERS: u64 = 40;

fn widgets(stack: &ExpandedTemplate) -> Vec<Value> {
    let nested = stack.nested("Dashboards");
    let body = scalar(nested.resource("Dashboard").at("/DashboardBody"));
    let body: Value = serde_json::from_str(&body).expect("the body is JSON");
    body["widgets"].as_array().expect("widgets").clone()
}

/// Metric math over other metrics of the widget.
fn is_math(metric: &Value) -> bool {
    metric[0]["expression"].as_str().is_some_and(|expression| !expression.starts_with("SEARCH("))
}

/// A search as it stands on the dashboard: its namespace, dimensions, metrics and statistic.
struct MetricSearch {
    namespace: String,
    dimensions: BTreeSet<String>,
    names: Vec<String>,
    statistic: String,
}

impl MetricSearch {
    /// Reads the expression of a metric; `None` for a metric that is no search.
    fn read(metric: &Value) -> Option<Self> {
        let expression = metric[0]["expression"].as_str().filter(|_| !is_math(metric))?;
        let search = regex(
            r#"^SEARCH\('\{([^,}]+)((?:,\w+)*)\} MetricName=\(?("\w+"(?: OR "\w+")*)\)?', '(Sum|Maximum)', \d+\)$"#,
        );
        let found = search.captures(expression).unwrap_or_else(|| panic!("{expression}"));
        Some(Self {
            namespace: found[1].to_owned(),
            dimensions: found[2].split(',').skip(1).map(str::to_owned).collect(),
            names: found[3].split(" OR ").map(|name| name.trim_matches('"').to_owned()).collect(),
            statistic: found[4].to_owned(),
        })
    }
}

/// Returns the metrics of the stack's functions on a widget, each with the dimensions that it asks for.
fn ours(stack: &ExpandedTemplate, widget: &Value) -> Vec<(String, BTreeSet<String>)> {
    let namespace = "SilentScalper/under-test";
    let mut ours = Vec::new();
    let metrics = widget["properties"]["metrics"].as_array().into_iter().flatten();
    for metric in metrics.filter(|metric| !is_math(metric)) {
        if let Some(search) = MetricSearch::read(metric) {
            assert_eq!(search.namespace, namespace);
            ours.extend(search.names.into_iter().map(|name| (name, search.dimensions.clone())));
        } else if metric[0] == namespace {
            ours.push((scalar(&metric[1]), BTreeSet::new()));
        } else {
            assert_eq!(
                (scalar(&metric[0]), scalar(&metric[2])),
                ("AWS/SQS".to_owned(), "QueueName".to_owned())
            );
            let queue = scalar(&metric[3]);
            assert!(stack.resource_behind(&queue).is_some(), "{queue}");
        }
    }
    ours
}

#[test]
fn every_metric_of_the_dashboard_is_written_and_files_come_below_the_alarms() {
    let written = written();
    with_every_choice(|stack| {
        for widget in widgets(stack) {
            let ours = ours(stack, &widget);
            for (name, asked) in &ours {
                assert!(written.get(name).is_some_and(|sets| sets.contains(asked)), "{name} by {asked:?}");
            }
            if widget["y"] == 0 {
                assert_eq!(widget["type"], "alarm", "{widget}");
            }
            if widget["y"] == FILES_ROW {
                let about_files = |name: &str| {
                    name.starts_with("Files") || ["Rows", "Rejects", "RejectPercent"].contains(&name)
                };
                assert!(ours.iter().all(|(name, _)| about_files(name)), "{ours:?}");
            }
        }
    });
}

#[test]
fn every_metric_that_is_written_is_on_the_dashboard_or_in_an_alarm_or_has_a_reason() {
    let stack = &CHOICES[0];
    let shown = widgets(stack).into_iter().flat_map(|widget| ours(stack, &widget)).map(|(name, _)| name);
    let seen: BTreeSet<String> = shown.chain(watched()).collect();
    let unseen: BTreeSet<String> = UNSEEN.map(|(name, _)| name.to_owned()).into();
    let written: BTreeSet<String> = written().into_keys().collect();
    assert_eq!(written.difference(&seen).cloned().collect::<BTreeSet<_>>(), unseen);
}

#[test]
fn widgets_lie_side_by_side_within_the_24_columns() {
    let place = |widget: &Value, name: &str| widget[name].as_u64().expect("a number");
    let mut taken = BTreeSet::new();
    for widget in widgets(&CHOICES[0]) {
        let (left, top) = (place(&widget, "x"), place(&widget, "y"));
        let (right, bottom) = (left + place(&widget, "width"), top + place(&widget, "height"));
        assert!(right <= 24, "{widget}");
        for cell in (left..right).flat_map(|x| (top..bottom).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "two widgets at {cell:?}");
        }
    }
}

/// Returns the names of the alarms in the widgets of states.
fn states_shown(stack: &ExpandedTemplate) -> Vec<String> {
    let mut names = Vec::new();
    for widget in widgets(stack).iter().filter(|widget| widget["type"] == "alarm") {
        let arns = list(&widget["properties"]["alarms"]);
        assert!((1..=ARNS).contains(&arns.len()), "{} alarms", arns.len());
        names.extend(arns.into_iter().map(|arn| {
            let name = arn.strip_prefix("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:");
            name.unwrap_or_else(|| panic!("{arn}")).to_owned()
        }));
    }
    names
}

/// The names of all alarms of a stack.
fn all_alarms(stack: &ExpandedTemplate) -> Vec<String> {
    let nested = stack.alarms();
    let kinds = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"];
    let alarms = kinds.iter().flat_map(|kind| nested.of_kind(kind));
    alarms.map(|alarm| scalar(alarm.at("/AlarmName"))).collect()
}

#[test]
fn the_first_row_has_the_state_of_every_alarm_that_exists() {
    let many: Vec<String> = (0..=FEEDS).map(|number| format!("feed-{number}")).collect();
    let (most, more) = (many[..FEEDS].join(","), many.join(","));
    for parameters in [
        &[][..],
        &[("Heartbeat", "Off")],
        &[super::OUTBOX],
        &[("AlarmFeeds", "visits")],
        &[("AlarmFeeds", most.as_str())],
        &[("AlarmFeeds", more.as_str())],
    ] {
        let parameters: Vec<(&str, &str)> = parameters.iter().copied().chain([super::FULL]).collect();
        let stack = ExpandedTemplate::expand(&parameters);
        let shown = states_shown(&stack);
        let beyond = format!("-{}", many[FEEDS]);
        let exists = all_alarms(&stack).into_iter().filter(|name| !name.ends_with(&beyond));
        let (set, exists): (BTreeSet<_>, BTreeSet<_>) = (shown.iter().cloned().collect(), exists.collect());
        assert_eq!(set, exists, "{parameters:?}");
        assert_eq!(set.len(), shown.len(), "an alarm is shown twice");
    }
}

/// Returns a line of a graph: its axis, its label and its value.
fn lines(widget: &Value) -> Vec<(String, String, f64)> {
    let lines = widget["properties"]["annotations"]["horizontal"].as_array().into_iter().flatten();
    let line = |line: &Value| {
        let axis = line["yAxis"].as_str().unwrap_or("left").to_owned();
        (axis, scalar(&line["label"]), line["value"].as_f64().expect("a number"))
    };
    lines.map(line).collect()
}

/// A metric in a graph.
struct Graphed {
    namespace: String,
    names: Vec<String>,
    /// Its queue; empty for a metric without one.
    queue: String,
    statistic: String,
    axis: String,
    label: String,
}

impl Graphed {
    /// Reads a metric of a widget; `None` for metric math.
    fn read(widget: &Value, metric: &Value) -> Option<Self> {
        let options = metric.as_array()?.last().filter(|last| last.is_object());
        let option =
            |name: &str| options.map(|options| scalar(&options[name])).filter(|text| !text.is_empty());
        let axis = option("yAxis").unwrap_or_else(|| "left".to_owned());
        if is_math(metric) {
            return None;
        }
        if let Some(MetricSearch { namespace, names, statistic, .. }) = MetricSearch::read(metric) {
            let label = option("label").unwrap_or_default();
            return Some(Self { namespace, names, queue: String::new(), statistic, axis, label });
        }
        let queue = scalar(&metric[3]);
        let own = queue.trim_start_matches("under-test-").to_owned();
        Some(Self {
            namespace: scalar(&metric[0]),
            names: vec![scalar(&metric[1])],
            statistic: option("stat").unwrap_or_else(|| scalar(&widget["properties"]["stat"])),
            axis,
            label: option("label").unwrap_or(own),
            queue,
        })
    }

    /// Returns whether an alarm compares this metric under the same statistic.
    fn is_compared_by(&self, alarm: &AlarmDefinition) -> bool {
        let [compared] = alarm.metrics.as_slice() else { return false };
        let queue = compared.dimensions.get("QueueName");
        compared.namespace == self.namespace
            && self.names.contains(&compared.name)
            && compared.statistic == self.statistic
            && queue.is_none_or(|queue| *queue == self.queue)
    }
}

#[test]
fn each_graph_has_the_threshold_of_every_alarm_on_its_metrics() {
    with_every_choice(|stack| {
        let alarms = metric_alarms(&stack.alarms());
        let graphs = widgets(stack).into_iter().filter(|widget| widget["properties"]["view"] == "timeSeries");
        for widget in graphs {
            let drawn = lines(&widget);
            let mut expected = BTreeSet::new();
            let metrics = widget["properties"]["metrics"].as_array().expect("metrics");
            for metric in metrics.iter().filter_map(|metric| Graphed::read(&widget, metric)) {
                for alarm in alarms.iter().filter(|alarm| metric.is_compared_by(alarm)) {
                    let (axis, text, _) = drawn
                        .iter()
                        .find(|(axis, text, value)| {
                            *axis == metric.axis
                                && (value - alarm.threshold).abs() < 1e-9
                                && text.contains(&metric.label)
                        })
                        .unwrap_or_else(|| {
                            panic!("{} has no line at {}: {widget}", alarm.name, alarm.threshold)
                        });
                    assert!(text.starts_with("alarm above "), "{text}");
                    expected.insert((axis, text));
                }
            }
            let drawn: BTreeSet<_> = drawn.iter().map(|(axis, text, _)| (axis, text)).collect();
            assert_eq!(drawn, expected, "a line of no alarm: {widget}");
        }
    });
}

#[test]
fn the_lines_of_a_dashboard_follow_the_parameters() {
    let parameters =
        [super::FULL, ("RejectPercent", "7"), ("SlowMilliseconds", "65000"), ("MostDenied", "12")];
    let stack = ExpandedTemplate::expand(&parameters);
    let values: BTreeSet<String> =
        widgets(&stack).iter().flat_map(lines).map(|(_, text, value)| format!("{value} {text}")).collect();
    for line in [
        "7 alarm above 7 %",
        "65000 alarm above 65000 ms: from claim to outcome",
        "12 alarm above 12: callers denied",
    ] {
        assert!(values.contains(line), "{line}: {values:?}");
    }
}

#[test]
fn a_title_is_short_enough_to_be_shown_whole() {
    for widget in widgets(&CHOICES[0]) {
        let title = scalar(&widget["properties"]["title"]);
        let most = TITLE_CHARACTERS * widget["width"].as_u64().expect("a width") / 6;
        let length = title.chars().count() as u64;
        assert!((10..=most).contains(&length), "{title}: {length} characters of at most {most}");
    }
}

#[test]
fn costs_are_shown_in_dollars() {
    let micro = telemetry::metric_names::COST_MICRO_DOLLARS;
    assert_eq!(micro.unit, MetricUnit::MicroDollars);
    let shown: Vec<Value> = widgets(&CHOICES[0])
        .into_iter()
        .filter(|widget| widget["properties"]["title"].as_str().is_some_and(|title| title.contains("Cost")))
        .collect();
    let [cost] = shown.as_slice() else { panic!("one widget: {shown:?}") };
    let [hidden, dollars] = cost["properties"]["metrics"].as_array().expect("metrics").as_slice() else {
        panic!("the metric and what is computed of it: {cost}")
    };
    assert_eq!((&hidden[1], &hidden[2]["id"]), (&micro.name.into(), &"m1".into()));
    assert_eq!(hidden[2]["visible"], false);
    assert_eq!(
        (&dollars[0]["expression"], &dollars[0]["label"]),
        (&"m1/1000000".into(), &"US dollars".into())
    );
}

#[test]
fn the_dashboard_stays_within_the_always_free_tier() {
    let metrics = widgets(&CHOICES[0]).into_iter().flat_map(|widget| {
        let metrics = widget["properties"]["metrics"].as_array().cloned();
        metrics.unwrap_or_default().into_iter().filter(|metric| !is_math(metric))
    });
    let count = metrics.count();
    assert!((1..=METRICS).contains(&count), "{count} metrics");
}
