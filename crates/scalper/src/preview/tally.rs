//! What a reading counts of the rows that a check gives: which records they are, and what they cost to write.

use checker::{Position, RecordSet, Reject, Row, Sink};
use contract::Contract;
use ledger::{Entry, LoadId};

/// Bytes of a write unit.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>
const UNIT_BYTES: usize = 1_024;

/// Shards whose number has one digit.
const SHORT_SHARDS: u32 = 10;

/// Records by number, one bit for each: 125 KB for a million.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordBits(Vec<u64>);

impl RecordBits {
    pub(super) fn insert(&mut self, record: u64) {
        let Ok(word) = usize::try_from(record / 64) else { return };
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (record % 64);
        }
    }

    /// Returns all records up to `last`.
    pub(super) fn up_to(last: u64) -> Self {
        let mut all = Self::default();
        (1..=last).for_each(|record| all.insert(record));
        all
    }

    /// Takes records out, of which the greatest is at most `last`.
    pub(super) fn remove_all(&mut self, records: &RecordSet, last: u64) {
        if records.is_empty() {
            return;
        }
        for record in (1..=last).filter(|record| records.contains(*record)) {
            if let Some(bits) = usize::try_from(record / 64).ok().and_then(|word| self.0.get_mut(word)) {
                *bits &= !(1 << (record % 64));
            }
        }
    }

    /// Returns the records of both sets.
    pub(super) fn with(&self, other: &Self) -> Self {
        let (longer, shorter) = if self.0.len() < other.0.len() { (other, self) } else { (self, other) };
        let mut all = longer.clone();
        for (bits, others) in all.0.iter_mut().zip(&shorter.0) {
            *bits |= others;
        }
        all
    }

    /// Returns how many of the records up to `last` are in this set and not in `other`.
    pub(super) fn without(&self, other: &Self, last: u64) -> u64 {
        let words = self.0.iter().zip(0_u64..).map(|(bits, word)| {
            let others = usize::try_from(word).ok().and_then(|word| other.0.get(word)).copied();
            let within = match last.checked_sub(word * 64) {
                None => 0,
                Some(up_to) if up_to >= 63 => u64::MAX,
                Some(up_to) => (1 << (up_to + 1)) - 1,
            };
            u64::from((bits & !others.unwrap_or_default() & within).count_ones())
        });
        words.sum()
    }
}

/// Counts the rows of one file.
pub(super) struct RowTally<'a> {
    entry: &'a Entry,
    load: LoadId,
    order: String,
    shards: u32,
    /// The records that are rows.
    pub(super) rows: RecordBits,
    /// The records that the contract leaves out.
    pub(super) dropped: RecordBits,
    /// Write units of the rows.
    pub(super) units: u64,
    /// Whether an item fills its last unit, so that a longer name would take one more.
    full: bool,
}

impl<'a> RowTally<'a> {
    /// Counts for one shard.
    pub(super) fn new(entry: &'a Entry, contract: &Contract) -> Self {
        Self::sharded(entry, contract, 1)
    }

    /// Counts for as many shards as a load of this number of rows has.
    pub(super) fn of_rows(entry: &'a Entry, contract: &Contract, rows: u64) -> Self {
        Self::sharded(entry, contract, store::shards(rows))
    }

    fn sharded(entry: &'a Entry, contract: &Contract, shards: u32) -> Self {
        Self {
            // The names of all loads are of one length, which is all that an item's size takes of them.
            load: LoadId::new(&entry.load.file(), &contract.identity.hash, 0, 0),
            order: entry.order.as_str().to_owned(),
            entry,
            shards,
            rows: RecordBits::default(),
            dropped: RecordBits::default(),
            units: 0,
            full: false,
        }
    }

    /// Returns whether the units are those of a load of this number of rows.
    pub(super) fn is_exact_for(&self, contract: &Contract, rows: u64) -> bool {
        !contract.primary_key.is_empty() || !self.full || store::shards(rows) <= SHORT_SHARDS
    }
}

impl Sink for RowTally<'_> {
    fn row(&mut self, row: Row<'_>) {
        let Self { entry, load, order, shards, .. } = self;
        let bytes = store::row_bytes(&entry.partner, &entry.feed, load, order, &row, *shards);
        self.rows.insert(row.record.position.record);
        self.units += bytes.div_ceil(UNIT_BYTES) as u64;
        self.full |= bytes.is_multiple_of(UNIT_BYTES);
    }

    fn reject(&mut self, _: Reject<'_>) {}

    fn dropped(&mut self, position: Position) {
        self.dropped.insert(position.record);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_are_a_set_of_numbers(
            one in prop::collection::btree_set(1_u64..300, 0..80),
            other in prop::collection::btree_set(1_u64..300, 0..80),
            last in 0_u64..320,
        ) {
            let bits = |records: &BTreeSet<u64>| {
                let mut bits = RecordBits::default();
                for record in records {
                    bits.insert(*record);
                }
                bits
            };
            let expected = one.difference(&other).filter(|record| **record <= last).count() as u64;
            prop_assert_eq!(bits(&one).without(&bits(&other), last), expected);
            let both = bits(&one).with(&bits(&other));
            let expected = one.union(&other).filter(|record| **record <= last).count() as u64;
            prop_assert_eq!(both.without(&RecordBits::default(), last), expected);
        }
    }
}
