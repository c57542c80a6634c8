//! The values that an alarm compared lately, from CloudWatch.

use store::{Measured, Query, Span};

use crate::alarm::{Change, short};
use crate::deliver::Unanswered;

/// The most values that are told, and so the periods that are asked for: an hour of five minutes each.
const PERIODS: u32 = 12;

/// What an alarm compares, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The metrics and the expression over them.
    pub queries: Vec<Query>,
    /// Seconds of a period.
    pub period_seconds: u32,
}

/// Recent values, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// In words; `None` for a period without data between others.
    pub values: Vec<Option<String>>,
    /// Seconds of a period.
    pub period_seconds: u32,
}

/// Reads the values until now (milliseconds since the epoch); `None` when there is nothing to ask, or no answer.
pub(crate) async fn of<D: Measured>(
    desk: &D,
    change: &Change,
    now_ms: u64,
) -> Result<Option<Recent>, Unanswered> {
    let Some(Compared { queries, period_seconds }) = &change.compared else { return Ok(None) };
    let period_ms = u64::from(*period_seconds) * 1_000;
    // The period that has begun counts too. Whole periods, so that CloudWatch cuts them as the alarm does.
    let until_ms = (now_ms / period_ms).saturating_add(1).saturating_mul(period_ms);
    let from_ms = until_ms.saturating_sub(period_ms * u64::from(PERIODS));
    let span = Span { from_ms, until_ms, period_seconds: *period_seconds };
    let found = Unanswered::within(desk.measured(queries, span)).await?;
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(None) };
    let slots = (last.at_ms.saturating_sub(first.at_ms) / period_ms).min(u64::from(PERIODS));
    let value = |slot: u64| {
        let at_ms = first.at_ms + slot * period_ms;
        found.iter().find(|one| one.at_ms / period_ms == at_ms / period_ms).map(|one| short(one.value))
    };
    Ok(Some(Recent { values: (0..=slots).map(value).collect(), period_seconds: *period_seconds }))
}

impl Recent {
    /// One line.
    pub(crate) fn line(&self) -> String {
        let shown: Vec<&str> = self.values.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
        let gaps = if self.values.contains(&None) { ", - is no data" } else { "" };
        format!("{} ({}, newest last{gaps})", shown.join(", "), each(self.period_seconds))
    }
}

/// The length of a period in words.
pub(crate) fn each(seconds: u32) -> String {
    match (seconds / 3_600, seconds / 60, seconds) {
        (hours, _, _) if hours > 0 && seconds.is_multiple_of(3_600) => format!("{hours} h each"),
        (_, minutes, _) if minutes > 0 && seconds.is_multiple_of(60) => format!("{minutes} min each"),
        _ => format!("{seconds} s each"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_long_each_value_is_and_where_there_is_none() {
        let line = |values: &[Option<&str>], period_seconds| {
            let values = values.iter().map(|value| value.map(str::to_owned)).collect();
            Recent { values, period_seconds }.line()
        };
        assert_eq!(line(&[Some("0"), Some("2"), Some("14.5")], 300), "0, 2, 14.5 (5 min each, newest last)");
        assert_eq!(
            line(&[Some("1"), None, Some("3")], 60),
            "1, -, 3 (1 min each, newest last, - is no data)"
        );
        assert_eq!(line(&[Some("1")], 7_200), "1 (2 h each, newest last)");
        assert_eq!(line(&[Some("1")], 10), "1 (10 s each, newest last)");
    }
}
