//! What CloudWatch makes of an alarm and its datapoints: M of N, missing data, metric math, composite rules.
//!
//! After "Using Amazon CloudWatch alarms" of the User Guide ("Evaluating an alarm", "Configuring how CloudWatch alarms
//! treat missing data", "Combining alarms") and "Using math expressions". Each series holds one value for each period,
//! already under its statistic, and `None` where there was no data.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use store::AlarmState;

use super::expanded::{Resource, scalar};
use crate::tidy::regex;

/// CloudWatch looks at more periods than it evaluates: five for three of three, in the guide's own example.
const MORE_PERIODS: usize = 2;

/// A metric alarm as the template has it.
#[derive(Clone, Debug)]
pub(super) struct AlarmDefinition {
    pub(super) name: String,
    pub(super) threshold: f64,
    pub(super) periods: usize,
    pub(super) datapoints: usize,
    pub(super) missing: String,
    pub(super) metrics: Vec<AlarmMetric>,
    /// How the metrics are computed together; the metric itself when there is one.
    pub(super) expression: String,
}

/// A metric that an alarm reads.
#[derive(Clone, Debug)]
pub(super) struct AlarmMetric {
    /// Its name in the expression.
    pub(super) id: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) statistic: String,
    /// Seconds.
    pub(super) period: u32,
}

impl AlarmDefinition {
    pub(super) fn read(resource: &Resource) -> Self {
        let name = scalar(resource.at("/AlarmName"));
        let number = |pointer: &str| -> f64 {
            scalar(resource.at(pointer)).parse().unwrap_or_else(|_| panic!("{name}: {pointer} is no number"))
        };
        let count = |pointer: &str| -> usize {
            scalar(resource.at(pointer)).parse().unwrap_or_else(|_| panic!("{name}: {pointer} is no count"))
        };
        let comparison = resource.at("/ComparisonOperator");
        assert_eq!(comparison, "GreaterThanThreshold", "{name}: the only comparison that is known here");
        let (metrics, expression) = match resource.at("/Metrics") {
            Value::Null => {
                let body = &resource.body["Properties"];
                let statistic = ["Statistic", "ExtendedStatistic"].map(|name| &body[name]);
                let statistic = statistic.into_iter().find(|value| !value.is_null()).expect("a statistic");
                (vec![AlarmMetric::read("it", body, statistic, &body["Period"])], "it".to_owned())
            }
            metrics => several(metrics),
        };
        Self {
            threshold: number("/Threshold"),
            periods: count("/EvaluationPeriods"),
            datapoints: count("/DatapointsToAlarm"),
            missing: scalar(resource.at("/TreatMissingData")),
            metrics,
            expression,
            name,
        }
    }

    /// Returns the state after these periods, oldest first, each with the value of each metric by its id.
    pub(super) fn state(&self, before: AlarmState, periods: &[BTreeMap<String, f64>]) -> AlarmState {
        let recent = periods.iter().rev().take(self.periods + MORE_PERIODS);
        let values: Vec<Option<f64>> = recent.map(|values| compute(&self.expression, values)).collect();
        let known: Vec<bool> =
            values.iter().flatten().take(self.periods).map(|value| *value > self.threshold).collect();
        let breaching = known.iter().filter(|breaches| **breaches).count();
        let absent = self.periods - known.len();
        if breaching >= self.datapoints {
            return AlarmState::Alarm;
        }
        match self.missing.as_str() {
            "breaching" if breaching + absent >= self.datapoints => AlarmState::Alarm,
            "ignore" if absent > 0 => before,
            "missing" if known.is_empty() => AlarmState::InsufficientData,
            "breaching" | "notBreaching" | "ignore" | "missing" => AlarmState::Ok,
            other => panic!("{}: missing data are {other}", self.name),
        }
    }
}

impl AlarmMetric {
    fn read(id: &str, body: &Value, statistic: &Value, period: &Value) -> Self {
        let dimensions = body["Dimensions"].as_array().into_iter().flatten();
        Self {
            id: id.to_owned(),
            namespace: scalar(&body["Namespace"]),
            name: scalar(&body["MetricName"]),
            dimensions: dimensions.map(|pair| (scalar(&pair["Name"]), scalar(&pair["Value"]))).collect(),
            statistic: scalar(statistic),
            period: scalar(period).parse().expect("seconds"),
        }
    }
}

fn several(metrics: &Value) -> (Vec<AlarmMetric>, String) {
    let mut read = Vec::new();
    let mut expressions = Vec::new();
    for metric in metrics.as_array().expect("metrics") {
        if metric["MetricStat"].is_null() {
            assert_eq!(metric["ReturnData"], true, "{metric}");
            expressions.push(scalar(&metric["Expression"]));
        } else {
            assert_eq!(metric["ReturnData"], false, "{metric}");
            let stat = &metric["MetricStat"];
            read.push(AlarmMetric::read(
                &scalar(&metric["Id"]),
                &stat["Metric"],
                &stat["Stat"],
                &stat["Period"],
            ));
        }
    }
    assert_eq!(expressions.len(), 1, "one expression is compared: {expressions:?}");
    (read, expressions.remove(0))
}

/// Returns whether a composite alarm's rule holds while these alarms are in ALARM. Rules here are `ALARM("…")` with
/// `OR`.
pub(super) fn rule_holds(rule: &str, in_alarm: &BTreeSet<String>) -> bool {
    alarms_of(rule).iter().any(|name| in_alarm.contains(name))
}

/// Returns the alarms that a rule names.
pub(super) fn alarms_of(rule: &str) -> Vec<String> {
    let name = regex(r#"^ALARM\("([^"]+)"\)$"#);
    let part = |part: &str| {
        name.captures(part.trim()).unwrap_or_else(|| panic!("a rule that is not known here: {part}"))[1]
            .to_owned()
    };
    rule.split(" OR ").map(part).collect()
}

/// Returns the value of an expression; `None` where a metric without a value, or a division by nothing, leaves none.
fn compute(expression: &str, values: &BTreeMap<String, f64>) -> Option<f64> {
    let tokens: Vec<String> = regex(r"[A-Za-z_][A-Za-z0-9_]*|[0-9.]+|[-+*/(),]")
        .find_iter(expression)
        .map(|token| token.as_str().to_owned())
        .collect();
    let mut left = tokens.as_slice();
    let value = sum(&mut left, values);
    assert!(left.is_empty(), "{expression}: {left:?} is not understood");
    value
}

fn sum(tokens: &mut &[String], values: &BTreeMap<String, f64>) -> Option<f64> {
    let mut value = product(tokens, values);
    while let Some(sign) = take(tokens, &["+", "-"]) {
        let next = product(tokens, values);
        value = value.zip(next).map(|(one, other)| if sign == "+" { one + other } else { one - other });
    }
    value
}

fn product(tokens: &mut &[String], values: &BTreeMap<String, f64>) -> Option<f64> {
    let mut value = term(tokens, values);
    while let Some(sign) = take(tokens, &["*", "/"]) {
        let next = term(tokens, values);
        value = value.zip(next).and_then(|(one, other)| match sign.as_str() {
            "*" => Some(one * other),
            _ => (other != 0.0).then(|| one / other),
        });
    }
    value
}

fn term(tokens: &mut &[String], values: &BTreeMap<String, f64>) -> Option<f64> {
    let (first, rest) = tokens.split_first().expect("a term");
    *tokens = rest;
    match first.as_str() {
        "(" => {
            let value = sum(tokens, values);
            take(tokens, &[")"]).expect("a closing bracket");
            value
        }
        // Where a metric has no value in a period, this one.
        "FILL" => {
            take(tokens, &["("]).expect("arguments");
            let value = sum(tokens, values);
            take(tokens, &[","]).expect("two arguments");
            let instead = sum(tokens, values);
            take(tokens, &[")"]).expect("a closing bracket");
            value.or(instead)
        }
        word => word.parse().ok().or_else(|| values.get(word).copied()),
    }
}

fn take(tokens: &mut &[String], wanted: &[&str]) -> Option<String> {
    let (first, rest) = tokens.split_first().filter(|(first, _)| wanted.contains(&first.as_str()))?;
    *tokens = rest;
    Some(first.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(datapoints: usize, periods: usize, missing: &str) -> AlarmDefinition {
        AlarmDefinition {
            name: "a".to_owned(),
            threshold: 0.0,
            periods,
            datapoints,
            missing: missing.to_owned(),
            metrics: Vec::new(),
            expression: "it".to_owned(),
        }
    }

    /// `x` breaches, `o` does not, `-` is no datapoint.
    fn state(alarm: &AlarmDefinition, before: AlarmState, series: &str) -> AlarmState {
        let value = |letter: char| match letter {
            'x' => BTreeMap::from([("it".to_owned(), 1.0)]),
            'o' => BTreeMap::from([("it".to_owned(), 0.0)]),
            _ => BTreeMap::new(),
        };
        alarm.state(before, &series.chars().map(value).collect::<Vec<_>>())
    }

    #[test]
    fn the_table_of_the_guide_for_three_of_three_is_reproduced() {
        use AlarmState::{Alarm, InsufficientData, Ok};
        // "How alarm state is evaluated when data is missing": series, then missing, ignore, breaching, notBreaching.
        for (series, expected) in [
            ("o-x-x", [Ok, Ok, Ok, Ok]),
            ("----o", [Ok, Ok, Ok, Ok]),
            ("-----", [InsufficientData, InsufficientData, Alarm, Ok]),
            ("oxxx-", [Alarm; 4]),
            ("o-x--", [Ok, Ok, Ok, Ok]),
        ] {
            for (treatment, expected) in
                ["missing", "ignore", "breaching", "notBreaching"].into_iter().zip(expected)
            {
                let alarm = alarm(3, 3, treatment);
                // "Retain current state" is written as the state before.
                let before = if treatment == "ignore" { expected } else { InsufficientData };
                assert_eq!(state(&alarm, before, series), expected, "{series} {treatment}");
            }
        }
    }

    #[test]
    fn datapoints_that_breach_need_not_follow_one_another() {
        let two_of_three = alarm(2, 3, "notBreaching");
        for (series, expected) in [
            ("ooxo", AlarmState::Ok),
            ("oxox", AlarmState::Alarm),
            ("xxoo", AlarmState::Ok),
            ("x---", AlarmState::Ok),
        ] {
            assert_eq!(state(&two_of_three, AlarmState::Ok, series), expected, "{series}");
        }
    }

    #[test]
    fn an_expression_without_a_value_is_a_missing_datapoint() {
        let values = BTreeMap::from([("a".to_owned(), 3.0), ("zero".to_owned(), 0.0)]);
        for (expression, expected) in [
            ("100 * a / (a + 3)", Some(50.0)),
            ("FILL(b, 2) + a - 1", Some(4.0)),
            ("a / zero", None),
            ("a + b", None),
        ] {
            assert_eq!(compute(expression, &values), expected, "{expression}");
        }
    }
}
