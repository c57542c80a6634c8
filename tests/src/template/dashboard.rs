//! The dashboard: each metric on it is written with the dimensions that it asks for, its first row is about files, and
//! nothing is written that nobody looks at.

use std::collections::BTreeSet;

use serde_json::Value;

use super::alarms::{watched, written};
use super::expanded::{Stack, scalar};
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
    ("WebhooksUnwanted", "a partner's own choice, told to it by `scalper partner webhook`"),
];

fn widgets(stack: &Stack) -> Vec<Value> {
    let nested = stack.nested("Dashboards");
    let body = scalar(nested.resource("Dashboard").at("/DashboardBody"));
    let body: Value = serde_json::from_str(&body).expect("the body is JSON");
    body["widgets"].as_array().expect("widgets").clone()
}

/// The metrics of our own on a widget, each with the dimensions that it asks for.
fn ours(stack: &Stack, widget: &Value) -> Vec<(String, BTreeSet<String>)> {
    let search = regex(r#"^SEARCH\('\{([^,}]+)((?:,\w+)*)\} MetricName="(\w+)"', '(Sum|Maximum)', \d+\)$"#);
    let namespace = "SilentScalper/under-test";
    let mut ours = Vec::new();
    for metric in widget["properties"]["metrics"].as_array().expect("metrics") {
        if let Some(expression) = metric[0]["expression"].as_str() {
            let found = search.captures(expression).unwrap_or_else(|| panic!("{expression}"));
            assert_eq!(&found[1], namespace);
            ours.push((found[3].to_owned(), found[2].split(',').skip(1).map(str::to_owned).collect()));
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
fn every_metric_of_the_dashboard_is_written_and_files_come_first() {
    let written = written();
    with_every_choice(|stack| {
        for widget in widgets(stack) {
            let ours = ours(stack, &widget);
            for (name, asked) in &ours {
                assert!(written.get(name).is_some_and(|sets| sets.contains(asked)), "{name} by {asked:?}");
            }
            if widget["y"] == 0 {
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
