//! Decisions that need the contract and two numbers.

use crate::{Contract, Gate, Must, OnError, Rule, RuleIndex};

impl Contract {
    /// Returns the rule at this place of the table. Every index of a compiled contract is in the table.
    #[must_use]
    pub fn rule(&self, index: RuleIndex) -> &Rule {
        &self.rules[usize::from(index.0)]
    }

    /// Returns the name of a column, as the contract gives it.
    #[must_use]
    pub fn column_name(&self, index: u16) -> &str {
        &self.columns[usize::from(index)].name
    }
}

impl OnError {
    /// Returns whether this number of rejected records, of all that were read, quarantines the file.
    ///
    /// Snowflake's semantics (SQL reference, COPY INTO, `ON_ERROR`): `SKIP_FILE_<n>` skips when the number of bad
    /// rows "is equal to or exceeds" n; `SKIP_FILE_<n>%` when the share "exceeds" n percent.
    #[must_use]
    pub fn quarantines(self, rejects: u64, records: u64) -> bool {
        match self {
            Self::Continue => false,
            Self::Abort => rejects > 0,
            Self::SkipFile(most) => rejects >= most.max(1),
            Self::SkipFilePercent(most) => share(rejects, records) > most,
        }
    }
}

impl Gate {
    /// Returns whether the measured value passes; a share in percent when [`Gate::percent`] says so.
    #[must_use]
    pub fn passes(&self, value: f64) -> bool {
        #[expect(clippy::float_cmp, reason = "counts are whole numbers, and the standard says equal")]
        match self.must {
            Must::Be(at) => value == at,
            Must::NotBe(at) => value != at,
            Must::BeGreaterThan(at) => value > at,
            Must::BeGreaterOrEqualTo(at) => value >= at,
            Must::BeLessThan(at) => value < at,
            Must::BeLessOrEqualTo(at) => value <= at,
            Must::BeBetween(from, to) => from <= value && value <= to,
            Must::NotBeBetween(from, to) => value < from || to < value,
        }
    }

    /// Returns the value to compare: the count itself, or its share of all records in percent (0 of 0 is 0).
    #[must_use]
    pub fn measure(&self, count: u64, records: u64) -> f64 {
        if self.percent { share(count, records) } else { number(count) }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { number(part) * 100.0 / number(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "a file has fewer than 2^53 records")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metric;

    #[test]
    fn the_words_of_snowflake_mean_what_they_mean_there() {
        assert!(!OnError::Continue.quarantines(1_000, 1_000));
        assert!(!OnError::Abort.quarantines(0, 10));
        assert!(OnError::Abort.quarantines(1, 1_000_000));
        assert!(!OnError::SkipFile(10).quarantines(9, 1_000));
        assert!(OnError::SkipFile(10).quarantines(10, 1_000));
        assert!(
            !OnError::SkipFilePercent(10.0).quarantines(10, 100),
            "exactly ten percent does not exceed ten"
        );
        assert!(OnError::SkipFilePercent(10.0).quarantines(11, 100));
        assert!(!OnError::SkipFilePercent(10.0).quarantines(0, 0));
        assert!(OnError::SkipFilePercent(0.0).quarantines(1, 1_000_000));
    }

    #[test]
    fn a_gate_compares_a_count_or_a_share() {
        let passes = |must, value| {
            Gate { rule: RuleIndex(0), metric: Metric::RowCount, percent: false, must }.passes(value)
        };
        assert!(passes(Must::Be(0.0), 0.0) && !passes(Must::Be(0.0), 1.0));
        assert!(passes(Must::NotBe(0.0), 1.0) && !passes(Must::NotBe(0.0), 0.0));
        assert!(passes(Must::BeGreaterThan(1.0), 2.0) && !passes(Must::BeGreaterThan(1.0), 1.0));
        assert!(passes(Must::BeGreaterOrEqualTo(1.0), 1.0) && !passes(Must::BeGreaterOrEqualTo(1.0), 0.0));
        assert!(passes(Must::BeLessThan(1.0), 0.0) && !passes(Must::BeLessThan(1.0), 1.0));
        assert!(passes(Must::BeLessOrEqualTo(1.0), 1.0) && !passes(Must::BeLessOrEqualTo(1.0), 2.0));
        assert!(passes(Must::BeBetween(1.0, 3.0), 1.0) && passes(Must::BeBetween(1.0, 3.0), 3.0));
        assert!(!passes(Must::BeBetween(1.0, 3.0), 4.0) && !passes(Must::BeBetween(1.0, 3.0), 0.0));
        assert!(passes(Must::NotBeBetween(1.0, 3.0), 0.0) && !passes(Must::NotBeBetween(1.0, 3.0), 3.0));

        let gate =
            Gate { rule: RuleIndex(0), metric: Metric::RowCount, percent: true, must: Must::BeLessThan(5.0) };
        assert!(gate.passes(gate.measure(4, 100)) && !gate.passes(gate.measure(5, 100)));
        assert!(gate.passes(gate.measure(0, 0)));
    }
}
