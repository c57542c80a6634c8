//! The dashboard: each metric on it is written, and its first row is about files.

use std::collections::BTreeSet;

use serde_json::Value;

use super::alarms::written;
use super::expanded::scalar;
use super::with_every_choice;
use crate::tidy::regex;

#[test]
fn every_metric_of_the_dashboard_is_written_and_files_come_first() {
    let written = written();
    let search = regex(r#"^SEARCH\('\{([^,}]+)((?:,\w+)*)\} MetricName="(\w+)"', '(?:Sum|Maximum)', \d+\)$"#);
    with_every_choice(|stack| {
        let namespace = format!("SilentScalper/{}", stack.parameters["Stage"]);
        let nested = stack.nested("Dashboards");
        let body = scalar(nested.resource("Dashboard").at("/DashboardBody"));
        let body: Value = serde_json::from_str(&body).expect("the body is JSON");
        for widget in body["widgets"].as_array().expect("widgets") {
            let mut ours = Vec::new();
            for metric in widget["properties"]["metrics"].as_array().expect("metrics") {
                if let Some(expression) = metric[0]["expression"].as_str() {
                    let found = search.captures(expression).unwrap_or_else(|| panic!("{expression}"));
                    assert_eq!(found[1], namespace);
                    let asked = found[2].split(',').skip(1).map(str::to_owned).collect::<BTreeSet<_>>();
                    assert!(written[&found[3]].contains(&asked), "{expression}");
                    ours.push(found[3].to_owned());
                } else if metric[0] == namespace.as_str() {
                    let name = scalar(&metric[1]);
                    assert!(written.get(&name).is_some_and(|sets| sets.contains(&BTreeSet::new())), "{name}");
                    ours.push(name);
                } else {
                    assert_eq!(
                        (scalar(&metric[0]), scalar(&metric[2])),
                        ("AWS/SQS".to_owned(), "QueueName".to_owned())
                    );
                    let queue = scalar(&metric[3]);
                    assert!(stack.resource_behind(&queue).is_some(), "{queue}");
                }
            }
            if widget["y"] == 0 {
                let about_files =
                    |name: &String| name.starts_with("Files") || name == "Rows" || name == "Rejects";
                assert!(ours.iter().all(about_files), "{ours:?}");
            }
        }
    });
}
