//! What `Monitoring` leaves out: alarms and metrics are billed each month, whatever is processed. What they cost is in
//! `infra/cost`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::alarms::metric_alarms;
use super::expanded::{Stack, scalar};

static BASIC: LazyLock<Stack> = LazyLock::new(|| Stack::expand(&[]));

/// Alarms, metrics and dashboards of the always-free tier. <https://aws.amazon.com/cloudwatch/pricing/>
const FREE: usize = 10;

#[test]
fn basic_is_the_default_and_fits_the_always_free_tier() {
    let nested = BASIC.nested("Alarms");
    assert_eq!(nested.parameters["Monitoring"], "Basic");
    let alarms = metric_alarms(&nested);
    assert_eq!(alarms.len(), FREE, "{:?}", alarms.iter().map(|alarm| &alarm.name).collect::<Vec<_>>());
    // One that joins others costs as much as five, one that computes as much as the metrics that it reads.
    assert_eq!(nested.of_kind("AWS::CloudWatch::CompositeAlarm").count(), 0);
    assert!(alarms.iter().all(|alarm| alarm.metrics.len() == 1));
    assert_eq!(BASIC.of_kind("AWS::CloudFormation::Stack").filter(|nested| nested.id == "Dashboards").count(), 0);
    for function in BASIC.of_kind("AWS::Lambda::Function") {
        let variables = function.at("/Environment/Variables");
        assert_eq!((&variables["MONITORING"], &variables["PARTNER_METRICS"]), (&"Basic".into(), &"false".into()));
        // Two stacks of one stage do not feed each other's alarms.
        assert_eq!(variables["METRIC_NAMESPACE"], "SilentScalper/under-test");
    }
}

#[test]
fn basic_still_tells_of_everything_that_loses_or_stops_files() {
    let nested = BASIC.nested("Alarms");
    let names: BTreeSet<String> = metric_alarms(&nested).into_iter().map(|alarm| alarm.name).collect();
    let expected = [
        "files-quarantined",
        "reject-ratio",
        "file-missing",
        "inbox-dead-letters",
        "webhooks-dead-letters",
        "loads-stuck",
        "canary-missing",
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
    let off = Stack::expand(&[("Monitoring", "Off")]);
    let nested: Vec<&str> = off.of_kind("AWS::CloudFormation::Stack").map(|nested| nested.id.as_str()).collect();
    assert_eq!(nested, ["Checks"]);
    for function in off.of_kind("AWS::Lambda::Function") {
        assert_eq!(function.at("/Environment/Variables/MONITORING"), "Off", "{}", function.id);
    }
}
