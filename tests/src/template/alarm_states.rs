//! Every alarm, driven to ALARM and back by datapoints.

use std::collections::{BTreeMap, BTreeSet};

use super::ALARMS;
use super::alarms::metric_alarms;
use store::AlarmState;

use super::cloudwatch::{AlarmDefinition, rule_holds};
use super::expanded::scalar;

/// What is measured in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Good,
    Bad,
    Silent,
}

/// Returns the values of an alarm's metrics that are at its threshold, or just over it.
fn values(alarm: &AlarmDefinition, period: Period) -> BTreeMap<String, f64> {
    let value = |id: &str| {
        let bad = if period == Period::Bad { 1.0 } else { 0.0 };
        match (period, id) {
            // Only one side is throttled; the others have no datapoint.
            (Period::Silent, _)
            | (
                _,
                "reads" | "openreads" | "openwrites" | "deadreads" | "deadwrites" | "feedwrites"
                | "filewrites",
            ) => None,
            (_, "it") => Some(alarm.threshold + bad),
            (_, "writes") => Some(bad),
            (_, other) => panic!("{}: no series is known for {other}", alarm.name),
        }
    };
    alarm.metrics.iter().filter_map(|metric| Some((metric.id.clone(), value(&metric.id)?))).collect()
}

/// Returns the state after each of these periods.
fn states(alarm: &AlarmDefinition, periods: &[Period]) -> Vec<AlarmState> {
    let values: Vec<_> = periods.iter().map(|period| values(alarm, *period)).collect();
    let mut state = AlarmState::InsufficientData;
    (1..=values.len())
        .map(|now| {
            state = alarm.state(state, &values[..now]);
            state
        })
        .collect()
}

/// Returns the periods of each part, one after the other.
fn series(parts: &[(Period, usize)]) -> Vec<Period> {
    parts.iter().flat_map(|(period, count)| std::iter::repeat_n(*period, *count)).collect()
}

fn all() -> Vec<AlarmDefinition> {
    let alarms = metric_alarms(&ALARMS[0]);
    assert!(alarms.len() > 20, "{}", alarms.len());
    alarms
}

#[test]
fn every_alarm_goes_off_after_its_datapoints_and_recovers() {
    for alarm in all() {
        let before = alarm.periods;
        let periods =
            series(&[(Period::Good, before), (Period::Bad, alarm.periods), (Period::Good, alarm.periods)]);
        let states = states(&alarm, &periods);
        let (good, rest) = states.split_at(before);
        let (bad, after) = rest.split_at(alarm.periods);
        assert_eq!(good.last(), Some(&AlarmState::Ok), "{}: a value at the threshold", alarm.name);
        let gone_off = bad.iter().position(|state| *state == AlarmState::Alarm).map(|place| place + 1);
        assert_eq!(gone_off, Some(alarm.datapoints), "{}", alarm.name);
        assert_eq!(after.last(), Some(&AlarmState::Ok), "{}", alarm.name);
    }
}

#[test]
fn what_happens_less_often_than_an_alarm_asks_for_makes_no_noise() {
    for alarm in all().into_iter().filter(|alarm| alarm.datapoints > 1) {
        let flapping = series(&[(Period::Good, 5), (Period::Bad, alarm.datapoints - 1), (Period::Good, 5)]);
        assert!(!states(&alarm, &flapping).contains(&AlarmState::Alarm), "{}", alarm.name);
    }
}

#[test]
fn without_data_an_alarm_ends_unless_its_cause_stays() {
    for alarm in all() {
        let periods = series(&[(Period::Bad, alarm.periods), (Period::Silent, alarm.periods + 3)]);
        let gauges = ["-reject-ratio-", "-file-missing-", "-volume-low-", "-volume-high-"];
        let stays = gauges.iter().any(|part| alarm.name.contains(part))
            || ["-dead-letters", "-heartbeat-missing", "-contracts-broken"]
                .iter()
                .any(|end| alarm.name.ends_with(end));
        let expected = if stays { AlarmState::Alarm } else { AlarmState::Ok };
        assert_eq!(states(&alarm, &periods).last(), Some(&expected), "{}", alarm.name);
    }
}

#[test]
fn a_stack_without_files_is_quiet_and_only_a_watcher_that_does_not_run_is_reported() {
    for alarm in all() {
        let alarmed = states(&alarm, &series(&[(Period::Silent, 10)])).contains(&AlarmState::Alarm);
        assert_eq!(alarmed, alarm.name.ends_with("-heartbeat-missing"), "{}", alarm.name);
    }
}

#[test]
fn a_run_of_the_watcher_that_is_left_out_is_no_missing_heartbeat() {
    let alarms = all();
    let heartbeat =
        alarms.iter().find(|alarm| alarm.name.ends_with("-heartbeat-missing")).expect("the heartbeat");
    let gaps = series(&[
        (Period::Good, 3),
        (Period::Silent, 1),
        (Period::Good, 1),
        (Period::Silent, 2),
        (Period::Good, 1),
    ]);
    assert!(!states(heartbeat, &gaps).contains(&AlarmState::Alarm));
    let silent = series(&[(Period::Good, 3), (Period::Silent, 5), (Period::Good, 1)]);
    let states = states(heartbeat, &silent);
    assert!(states.contains(&AlarmState::Alarm) && states.last() == Some(&AlarmState::Ok), "{states:?}");
}

#[test]
fn a_stack_without_a_heartbeat_does_not_miss_one() {
    let stack =
        super::expanded::ExpandedTemplate::expand(&[("Heartbeat", "Off"), ("Monitoring", "Full")]).alarms();
    let alarms = metric_alarms(&stack);
    assert!(!alarms.iter().any(|alarm| alarm.name.contains("heartbeat")) && alarms.len() > 20);
    let processing = scalar(stack.resource("Processing").at("/AlarmRule"));
    assert!(
        !processing.contains("heartbeat") && processing.contains("under-test-loads-stuck"),
        "{processing}"
    );
}

#[test]
fn one_bad_file_is_not_made_good_by_good_files_beside_it() {
    let alarms = all();
    let ratio = alarms.iter().find(|alarm| alarm.name.ends_with("-reject-ratio-charges")).expect("the ratio");
    assert_eq!(
        (ratio.metrics[0].name.as_str(), ratio.metrics[0].statistic.as_str()),
        ("RejectPercent", "Maximum")
    );
    for (files, expected) in [
        (&[0.0, 5.0][..], AlarmState::Ok),
        (&[0.0, 6.0, 0.0], AlarmState::Alarm),
        (&[100.0], AlarmState::Alarm),
        // No records were read, or no file came.
        (&[], AlarmState::InsufficientData),
    ] {
        let worst = files.iter().copied().reduce(f64::max);
        let period = worst.map(|worst| ("it".to_owned(), worst)).into_iter().collect();
        assert_eq!(ratio.state(AlarmState::InsufficientData, &[period]), expected, "{files:?}");
    }
}

#[test]
fn each_alarm_of_an_incident_sets_off_its_composite_alarm() {
    let nested = &ALARMS[0];
    for composite in nested.of_kind("AWS::CloudWatch::CompositeAlarm") {
        let rule = scalar(composite.at("/AlarmRule"));
        let name = scalar(composite.at("/AlarmName"));
        assert!(!rule_holds(&rule, &BTreeSet::new()), "{name}");
        for alarm in nested.of_kind("AWS::CloudWatch::Alarm") {
            let part = scalar(alarm.at("/AlarmDescription")).ends_with(&format!("\nIncident: {name}"));
            let in_alarm = BTreeSet::from([scalar(alarm.at("/AlarmName"))]);
            assert_eq!(rule_holds(&rule, &in_alarm), part, "{name}: {}", alarm.id);
        }
    }
}
