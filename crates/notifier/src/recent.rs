//! The values that an alarm compared lately, from CloudWatch.

use store::{MetricQuery, PeriodRange, ReadMetrics};

use crate::alarm::AlarmChange;
use crate::deliver::LookupError;
use crate::quantity::{Quantity, period};

/// Maximum number of values in a message, one for each period of five minutes: an hour.
const PERIODS: u32 = 12;

/// What an alarm compares, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The metrics and the expression over them.
    pub queries: Vec<MetricQuery>,
    /// Seconds of a period.
    pub period_seconds: u32,
}

/// Recent values, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Recent {
    /// `None` for a period without data between others.
    pub values: Vec<Option<f64>>,
    /// Seconds of a period.
    pub period_seconds: u32,
}

/// Reads the values until now (milliseconds since the epoch); `None` when there is nothing to ask, or no answer.
pub(crate) async fn of<D: ReadMetrics>(
    metrics: &D,
    change: &AlarmChange,
    now_ms: u64,
) -> Result<Option<Recent>, LookupError> {
    let Some(Compared { queries, period_seconds }) = &change.compared else { return Ok(None) };
    let period_ms = u64::from(*period_seconds) * 1_000;
    // The period that has begun counts too. Whole periods, so that CloudWatch cuts them as the alarm does.
    let until_ms = (now_ms / period_ms).saturating_add(1).saturating_mul(period_ms);
    let from_ms = until_ms.saturating_sub(period_ms * u64::from(PERIODS));
    let span = PeriodRange { from_ms, until_ms, period_seconds: *period_seconds };
    let found = LookupError::within(metrics.measured(queries, span)).await?;
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(None) };
    let slots = (last.at_ms.saturating_sub(first.at_ms) / period_ms).min(u64::from(PERIODS));
    let value = |slot: u64| {
        let at_ms = first.at_ms + slot * period_ms;
        found.iter().find(|one| one.at_ms / period_ms == at_ms / period_ms).map(|one| one.value)
    };
    Ok(Some(Recent { values: (0..=slots).map(value).collect(), period_seconds: *period_seconds }))
}

impl Recent {
    /// Returns the newest value.
    pub(crate) fn newest(&self) -> Option<f64> {
        self.values.iter().rev().find_map(|value| *value)
    }

    /// Returns one line; `None` for a single value, which is no history.
    pub(crate) fn line(&self, quantity: &Quantity) -> Option<String> {
        let shown = self.values.iter().map(|value| match value {
            Some(value) => quantity.value(*value),
            None => "no data".to_owned(),
        });
        let shown: Vec<String> = shown.collect();
        let each = period(self.period_seconds);
        (shown.len() > 1).then(|| format!("{} ({each} each, newest last)", shown.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Term;

    #[test]
    fn a_line_says_how_long_each_value_is_and_where_there_is_none() {
        let term = Term { namespace: "N", name: "RejectPercent", statistic: Some("Maximum") };
        let quantity = Quantity::new(&[term], Some(300), None).expect("a metric");
        let line = |values: &[Option<f64>], period_seconds| {
            Recent { values: values.to_vec(), period_seconds }.line(&quantity)
        };
        assert_eq!(
            line(&[Some(0.0), None, Some(14.5)], 300).as_deref(),
            Some("0 %; no data; 14.5 % (5 minutes each, newest last)")
        );
        assert_eq!(
            line(&[Some(1.0), Some(2.0)], 7_200).as_deref(),
            Some("1 %; 2 % (2 hours each, newest last)")
        );
        assert_eq!(line(&[Some(1.0)], 60), None);
    }
}
