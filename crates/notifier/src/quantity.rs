//! What an alarm compares, in words: the metric's name, its unit, the values, and the threshold.
//!
//! Name and unit are the metric's definition in `telemetry`. A metric that is not defined there, of an alarm that an
//! operator made, keeps CloudWatch's name and has no unit.

use std::borrow::Cow;

use store::{MetricMeasure, MetricQuery};
use telemetry::{MetricDefinition, MetricUnit, definition};

use crate::alarm::plain;

/// The longest name of a metric, in characters: CloudWatch's own limit.
const NAME_CHARACTERS: usize = 255;

/// What an alarm compares with what.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The metric's name in words.
    pub name: Cow<'static, str>,
    unit: Option<MetricUnit>,
    /// Seconds of a period over which values are summed; `None` for a gauge, a maximum or a percentile.
    summed_seconds: Option<u32>,
    limit: Option<Limit>,
}

/// A threshold and the side of it that is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    side: Side,
    threshold: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// A metric that an alarm reads.
pub(crate) struct Term<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) statistic: Option<&'a str>,
}

impl Limit {
    /// Makes the limit of a comparison as CloudWatch calls it; `None` for a band, which has no threshold.
    pub(crate) fn new(comparison: &str, threshold: Option<f64>) -> Option<Self> {
        let side = match comparison {
            "GreaterThanThreshold" => Side::Above,
            "GreaterThanOrEqualToThreshold" => Side::AtLeast,
            "LessThanThreshold" => Side::Below,
            "LessThanOrEqualToThreshold" => Side::AtMost,
            _ => return None,
        };
        let threshold = threshold.filter(|threshold| threshold.is_finite())?;
        Some(Self { side, threshold })
    }

    fn words(self, unit: Option<MetricUnit>) -> String {
        let threshold = whole(self.threshold, unit);
        match self.side {
            Side::Above => format!("alarm above {threshold}"),
            Side::AtLeast => format!("alarm at {threshold} or more"),
            Side::Below => format!("alarm below {threshold}"),
            Side::AtMost => format!("alarm at {threshold} or less"),
        }
    }
}

impl Quantity {
    /// Makes the quantity of an alarm that reads these metrics; `None` when it reads none.
    pub(crate) fn new(terms: &[Term<'_>], period_seconds: Option<u32>, limit: Option<Limit>) -> Option<Self> {
        let first = terms.first()?;
        let known: Option<Vec<MetricDefinition>> =
            terms.iter().map(|term| definition(term.namespace, term.name)).collect();
        let (name, unit) = match known.as_deref() {
            Some([one]) => (Cow::Borrowed(one.words), Some(one.unit)),
            Some([one, ..]) => (joined(known.iter().flatten().map(|one| one.words)), Some(one.unit)),
            Some([]) | None => (joined(terms.iter().map(|term| term.name)), None),
        };
        let is_sum = |term: &Term<'_>| term.statistic.is_some_and(|known| known.eq_ignore_ascii_case("sum"));
        let summed_seconds = period_seconds.filter(|_| terms.iter().all(is_sum));
        let percentile = first.statistic.and_then(|known| known.strip_prefix('p'));
        let name = match percentile.filter(|digits| digits.parse::<f64>().is_ok()) {
            Some(digits) => Cow::Owned(format!("{name}, {digits}th percentile")),
            None => name,
        };
        Some(Self { name, unit, summed_seconds, limit })
    }

    /// Makes the quantity of queries that say everything.
    pub(crate) fn of<'q>(
        queries: &'q [MetricQuery],
        period_seconds: Option<u32>,
        limit: Option<Limit>,
    ) -> Option<Self> {
        let term = |query: &'q MetricQuery| match &query.measure {
            MetricMeasure::Metric { namespace, name, statistic, .. } => {
                Some(Term { namespace, name, statistic: Some(statistic) })
            }
            MetricMeasure::Expression(_) => None,
        };
        let terms: Vec<Term<'q>> = queries.iter().filter_map(term).collect();
        Self::new(&terms, period_seconds, limit)
    }

    /// Returns one value with its unit.
    #[must_use]
    pub fn value(&self, value: f64) -> String {
        with_unit(value, self.unit)
    }

    /// Returns a value with the threshold, for example `10 in 5 minutes (alarm above 5)`.
    #[must_use]
    pub fn reading(&self, value: Option<f64>) -> String {
        let Some(value) = value else {
            return self.remarked("no data".to_owned(), None);
        };
        let period = self.summed_seconds.map(|seconds| format!(" in {}", period(seconds)));
        let said = format!("{}{}", self.value(value), period.unwrap_or_default());
        self.remarked(said, gloss(value, self.unit))
    }

    fn remarked(&self, said: String, gloss: Option<String>) -> String {
        let limit = self.limit.map(|limit| limit.words(self.unit));
        let remarks: Vec<String> = gloss.into_iter().chain(limit).collect();
        if remarks.is_empty() { said } else { format!("{said} ({})", remarks.join("; ")) }
    }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> Cow<'static, str> {
    Cow::Owned(plain(&names.collect::<Vec<_>>().join(" and "), NAME_CHARACTERS))
}

/// Returns a value with its unit.
fn with_unit(value: f64, unit: Option<MetricUnit>) -> String {
    let number = number(value);
    let one = number == "1";
    let word = match unit {
        None | Some(MetricUnit::Count) => return number,
        Some(MetricUnit::Percent) => "%",
        Some(MetricUnit::Bytes) if one => "byte",
        Some(MetricUnit::Bytes) => "bytes",
        Some(MetricUnit::Seconds) if one => "second",
        Some(MetricUnit::Seconds) => "seconds",
        Some(MetricUnit::Milliseconds) if one => "millisecond",
        Some(MetricUnit::Milliseconds) => "milliseconds",
        Some(MetricUnit::CountPerSecond) => "a second",
        Some(MetricUnit::BytesPerSecond) => "bytes a second",
        Some(MetricUnit::MicroDollars) => "micro-dollars",
    };
    format!("{number} {word}")
}

/// Returns a threshold: its longer form where it has one.
fn whole(value: f64, unit: Option<MetricUnit>) -> String {
    gloss(value, unit).unwrap_or_else(|| with_unit(value, unit))
}

/// Returns a time that is long in larger units, for example `20 min 40 s`.
fn gloss(value: f64, unit: Option<MetricUnit>) -> Option<String> {
    let seconds = match unit? {
        MetricUnit::Seconds if value >= 60.0 => value,
        MetricUnit::Milliseconds if value >= 1_000.0 => value / 1_000.0,
        _ => return None,
    };
    if seconds < 60.0 {
        return Some(format!("{} s", number((seconds * 10.0).round() / 10.0)));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 60; a float beyond 64 bits becomes the largest"
    )]
    let seconds = seconds as u64;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "min"), (seconds, "s")];
    let shown: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    Some(shown.join(" "))
}

/// Returns a number with at most three digits after the point, in groups of three.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let fraction = fraction.trim_end_matches('0');
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if grouped == "0" && fraction.is_empty() { "" } else { sign };
    format!("{sign}{grouped}{point}{fraction}")
}

/// Returns the length of a period in words.
pub(crate) fn period(seconds: u32) -> String {
    let words = |count: u32, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match seconds {
        0 => words(0, "second"),
        _ if seconds.is_multiple_of(3_600) => words(seconds / 3_600, "hour"),
        _ if seconds.is_multiple_of(60) => words(seconds / 60, "minute"),
        _ => words(seconds, "second"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantity(namespace: &str, name: &str, statistic: &str, threshold: f64) -> Quantity {
        let term = Term { namespace, name, statistic: Some(statistic) };
        let limit = Limit::new("GreaterThanThreshold", Some(threshold));
        Quantity::new(&[term], Some(300), limit).expect("one metric")
    }

    #[test]
    fn a_reading_has_name_value_unit_and_threshold() {
        for (namespace, metric, statistic, threshold, value, expected) in [
            ("N", "FilesQuarantined", "SUM", 5.0, 10.0, "files quarantined: 10 in 5 minutes (alarm above 5)"),
            ("N", "RejectPercent", "Maximum", 5.0, 12.0, "share of rejected records: 12 % (alarm above 5 %)"),
            (
                "AWS/SQS",
                "ApproximateAgeOfOldestMessage",
                "Maximum",
                1_800.0,
                1_240.0,
                "age of the oldest message: 1,240 seconds (20 min 40 s; alarm above 30 min)",
            ),
            (
                "N",
                "Duration",
                "p95",
                120_000.0,
                125_400.0,
                "time from claim to outcome, 95th percentile: 125,400 milliseconds (2 min 5 s; alarm above 2 min)",
            ),
            (
                "AWS/Lambda",
                "Duration",
                "Maximum",
                22_500.0,
                23_412.0,
                "longest invocation: 23,412 milliseconds (23.4 s; alarm above 22.5 s)",
            ),
            ("Own", "Depth", "Average", 0.5, 0.75, "Depth: 0.75 (alarm above 0.5)"),
        ] {
            let quantity = quantity(namespace, metric, statistic, threshold);
            assert_eq!(format!("{}: {}", quantity.name, quantity.reading(Some(value))), expected);
        }
    }

    #[test]
    fn a_metric_of_aws_and_one_of_the_stack_may_have_one_name() {
        assert_eq!(quantity("AWS/Lambda", "Duration", "Maximum", 1.0).name, "longest invocation");
        assert_eq!(quantity("N", "Duration", "Maximum", 1.0).name, "time from claim to outcome");
    }

    #[test]
    fn an_expression_is_named_by_its_metrics() {
        let term = |name| Term { namespace: "AWS/DynamoDB", name, statistic: Some("Sum") };
        let limit = Limit::new("LessThanOrEqualToThreshold", Some(1.0));
        let terms = [term("ReadThrottleEvents"), term("WriteThrottleEvents")];
        let both = Quantity::new(&terms, Some(60), limit).expect("two metrics");
        assert_eq!(both.name, "throttled reads and throttled writes");
        assert_eq!(both.reading(Some(3.0)), "3 in 1 minute (alarm at 1 or less)");
        assert_eq!(both.reading(None), "no data (alarm at 1 or less)");
        assert_eq!(Quantity::new(&[], None, limit), None);
    }

    #[test]
    fn numbers_have_groups_and_at_most_three_digits_after_the_point() {
        let numbers = [0.0, -0.0001, 999.0, 1_000.0, 1_234_567.25, -12_345.0, 2.0 / 3.0].map(number);
        assert_eq!(numbers, ["0", "0", "999", "1,000", "1,234,567.25", "-12,345", "0.667"]);
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value: f64, threshold: f64, name: String) {
            for unit in ["Duration", "HeartbeatAge", "RejectPercent", name.as_str()] {
                let reading = quantity("N", unit, "Maximum", threshold).reading(Some(value));
                prop_assert!(!reading.is_empty());
            }
        }
    }
}
