//! The decision on each record: row or reject, and what is counted on the way.

use std::sync::Arc;

use contract::{Contract, Duplicates, Found, RuleIndex, Severity, Structure, Violation};
use ledger::LineSum;
use ledger::dynamodb::PARTITION_KEY_BYTES;
use siphasher::sip128::SipHasher13;

use crate::budget;
use crate::gates::{self, Tally};
use crate::item_size;
use crate::key_set::{KeyHash, KeySet, WORD_MAX};
use crate::prepare::Preparer;
use crate::row::{TupleOf, write_tuple};
use crate::row_rules;
use crate::summary::{FIRST_VIOLATIONS, RecordSet};
use crate::{Counts, FaultCode, FileFault, Item, Position, Record, Reject, Row, Sink};

/// Maximum bytes of a primary key. The partition key of a row also holds partner and feed, at most 128 bytes with what
/// stands between them; half of the partition key is left to the values.
pub(crate) const KEY_BYTES: usize = PARTITION_KEY_BYTES / 2;

/// What a record that another record of its key rejects is remembered as, once all earlier ones are rejected.
const ALL_REJECTED: u32 = WORD_MAX;

/// The record that a key belongs to, as far as the file was read.
#[derive(Clone, Copy)]
struct KeyHolder {
    /// Its number, or [`ALL_REJECTED`].
    record: u32,
    /// Its length as sent.
    bytes: u32,
}

/// Decides record by record. Nothing is allocated for a record once the buffers have grown.
pub(crate) struct Records {
    contract: Arc<Contract>,
    hasher: SipHasher13,
    /// The header's labels, once they were read.
    pub(crate) labels: Vec<String>,
    pub(crate) counts: Counts,
    /// The lines of the rejects; under `rejectAll` and `keepLast` right only in the second pass.
    pub(crate) rejected_lines: LineSum,
    pub(crate) by_rule: Vec<u64>,
    /// Records that each condition of `dropIf` leaves out.
    pub(crate) dropped: Vec<u64>,
    pub(crate) first: Vec<(Position, Violation)>,
    pub(crate) tallies: Vec<Tally>,
    /// Bytes of all rejected records, as sent.
    pub(crate) rejected_bytes: u64,
    /// Rejects that were given to the sink, and their bytes.
    pub(crate) rejects_kept: u64,
    kept_bytes: u64,
    /// Whether a reject was left out, after which all are.
    overflowed: bool,
    pub(crate) fault: Option<FileFault>,
    /// Records that another record of their key rejects (`rejectAll`, `keepLast`).
    pub(crate) rejected: RecordSet,
    /// Whether `rejected` is complete, because a first pass found it.
    again: bool,
    primary: KeySet,
    /// `rejectAll` and `keepLast`: the record that holds each key of `primary`, whose word is a place here, from 1.
    holders: Vec<KeyHolder>,
    unique: Vec<KeySet>,
    item_bytes: usize,
    preparer: Preparer,
    violations: Vec<Violation>,
    tuple: Vec<u8>,
    hashes: Vec<Option<KeyHash>>,
}

impl Records {
    pub(crate) fn new(contract: Arc<Contract>, seed: [u8; 16], first_pass: Option<RecordSet>) -> Self {
        Self {
            hasher: SipHasher13::new_with_key(&seed),
            labels: Vec::new(),
            counts: Counts::default(),
            rejected_lines: LineSum::default(),
            by_rule: vec![0; contract.rules.len()],
            dropped: vec![0; contract.drop_if.len()],
            first: Vec::new(),
            tallies: contract.gates.iter().map(|_| Tally::default()).collect(),
            rejected_bytes: 0,
            rejects_kept: 0,
            kept_bytes: 0,
            overflowed: false,
            fault: None,
            again: first_pass.is_some(),
            rejected: first_pass.unwrap_or_default(),
            primary: KeySet::default(),
            holders: Vec::new(),
            unique: contract.unique.iter().map(|_| KeySet::default()).collect(),
            item_bytes: item_size::fixed_bytes(&contract),
            preparer: Preparer::default(),
            violations: Vec::new(),
            tuple: Vec::new(),
            hashes: Vec::new(),
            contract,
        }
    }

    /// Decides on one item and tells the sink. After a fault nothing more is decided.
    pub(crate) fn take(&mut self, item: Item<'_>, sink: &mut impl Sink) {
        if self.fault.is_some() {
            return;
        }
        self.violations.clear();
        match item {
            Item::Broken { position, raw, text, cells, violation } => {
                self.violations.push(violation);
                self.count(position, true);
                self.reject(position, raw, text, cells, sink);
            }
            Item::Record(record) => {
                let mut preparer = std::mem::take(&mut self.preparer);
                self.take_record(&record, &mut preparer, sink);
                self.preparer = preparer;
            }
        }
    }

    fn take_record(&mut self, sent: &Record<'_>, preparer: &mut Preparer, sink: &mut impl Sink) {
        let made = preparer.prepare(&self.contract, sent);
        if let Ok(record) = &made
            && let Some(condition) = row_rules::left_out_by(&self.contract, record)
        {
            self.counts.records += 1;
            self.counts.dropped += 1;
            if let Some(count) = self.dropped.get_mut(condition) {
                *count += 1;
            }
            sink.dropped(sent.position);
            return;
        }
        match &made {
            Ok(record) => self.check(record),
            Err(violations) => self.violations.extend_from_slice(violations),
        }
        if self.fault.is_some() {
            return;
        }
        let rejected = self.fails();
        self.count(sent.position, rejected);
        match made {
            Ok(record) if !rejected => sink.row(Row { contract: &self.contract, record }),
            _ => {
                let cells = if sent.cells.is_empty() { sent.slots } else { sent.cells };
                self.reject(sent.position, sent.raw, sent.text, cells, sink);
            }
        }
    }

    /// Gives a reject to the sink unless enough are kept.
    fn reject(
        &mut self,
        position: Position,
        raw: &[u8],
        text: &[u8],
        cells: &[crate::Slot],
        sink: &mut impl Sink,
    ) {
        let bytes = raw.len() as u64;
        self.rejected_bytes += bytes;
        self.overflowed |= !budget::keeps(&self.contract, self.rejects_kept, self.kept_bytes, bytes);
        if self.overflowed {
            return;
        }
        self.rejects_kept += 1;
        self.kept_bytes += bytes;
        let Self { contract, labels, violations, .. } = self;
        sink.reject(Reject { contract, labels, position, raw, text, cells, violations });
    }

    fn check(&mut self, record: &Record<'_>) {
        let Self { contract, violations, tallies, hasher, tuple, .. } = self;
        gates::measure(contract, tallies, record, hasher, tuple);
        for (index, column) in (0_u16..).zip(&contract.columns) {
            column.check(index, record.cell(usize::from(index)), violations);
        }
        let in_column_order = violations.len();
        row_rules::check(contract, record, violations);
        self.check_key_is_not_null(record);
        if !self.fails() {
            self.check_item(record);
        }
        if !self.fails() {
            self.check_repeats(record);
        }
        if self.violations.len() > in_column_order {
            self.violations.sort_by_key(|violation| violation.column.map_or(u32::MAX, u32::from));
        }
    }

    fn check_key_is_not_null(&mut self, record: &Record<'_>) {
        let Self { contract, violations, .. } = self;
        for index in &contract.primary_key {
            let named = violations.iter().any(|violation| violation.column == Some(*index));
            let place = usize::from(*index);
            let null = contract.columns.get(place).is_some_and(|column| column.is_null(record.cell(place)));
            if null && !named {
                violations.push(Violation {
                    rule: Structure::PrimaryKey.index(),
                    column: Some(*index),
                    found: Found::Null,
                });
            }
        }
    }

    fn check_item(&mut self, record: &Record<'_>) {
        if let Some(bytes) = item_size::oversize(&self.contract, record, self.item_bytes) {
            self.violations.push(Violation {
                rule: Structure::ItemBytes.index(),
                column: None,
                found: Found::Bytes(bytes as u64),
            });
        }
    }

    /// Compares the record with the earlier ones. Only a record that breaks no rule takes its keys: what is rejected
    /// for another reason stands in nobody's way. A record that only `rejectAll` or `keepLast` rejects does take its
    /// unique values, since that can be known only later.
    fn check_repeats(&mut self, record: &Record<'_>) {
        let Self { contract, violations, tuple, hasher, unique, hashes, .. } = self;
        hashes.clear();
        for (rule, set) in contract.unique.iter().zip(unique.iter()) {
            let hash: Option<KeyHash> = write_tuple(contract, record, &rule.columns, TupleOf::Sent, tuple)
                .then(|| hasher.hash(tuple).into());
            if let Some(line) = hash.and_then(|hash| set.get(hash)) {
                violations.push(repeat(rule.rule, &rule.columns, line));
            }
            hashes.push(hash);
        }
        let key = self.primary_key(record);
        if self.fails() {
            return;
        }
        let line = word(record.position.line);
        for (set, hash) in self.unique.iter_mut().zip(&self.hashes) {
            if let Some(hash) = hash
                && set.get(*hash).is_none()
            {
                set.set(*hash, line);
            }
        }
        if let Some(key) = key {
            self.take_key(key, record);
        }
    }

    /// Returns the hash of the primary key, after the checks that need no later record.
    fn primary_key(&mut self, record: &Record<'_>) -> Option<KeyHash> {
        let Self { contract, violations, tuple, .. } = self;
        let columns = &contract.primary_key;
        if columns.is_empty() || !write_tuple(contract, record, columns, TupleOf::Stored, tuple) {
            return None;
        }
        if !(1..=KEY_BYTES).contains(&tuple.len()) {
            violations.push(Violation {
                rule: Structure::KeyBytes.index(),
                column: only(columns),
                found: Found::Bytes(tuple.len() as u64),
            });
        }
        let key = self.hasher.hash(tuple).into();
        if contract.policy.duplicates == Duplicates::RejectRepeats
            && let Some(line) = self.primary.get(key)
        {
            violations.push(repeat(Structure::PrimaryKey.index(), columns, line));
        }
        Some(key)
    }

    fn take_key(&mut self, key: KeyHash, record: &Record<'_>) {
        let position = record.position;
        let duplicates = self.contract.policy.duplicates;
        if duplicates == Duplicates::RejectRepeats {
            self.primary.set(key, word(position.line));
            return;
        }
        if self.again {
            if self.rejected.contains(position.record) {
                self.violations.push(self.shared_key());
            }
            return;
        }
        let number = word(position.record);
        if number == WORD_MAX {
            self.fault = Some(too_many_records(position));
            return;
        }
        let bytes = u32::try_from(record.raw.len()).unwrap_or(u32::MAX);
        let place = self.primary.get(key).and_then(|place| (place as usize).checked_sub(1));
        let Some(holder) = place.and_then(|place| self.holders.get_mut(place)) else {
            self.holders.push(KeyHolder { record: number, bytes });
            self.primary.set(key, word(self.holders.len() as u64));
            return;
        };
        let all = duplicates == Duplicates::RejectAll;
        let next = KeyHolder { record: if all { ALL_REJECTED } else { number }, bytes };
        let earlier = std::mem::replace(holder, next);
        if earlier.record != ALL_REJECTED {
            self.reject_earlier(earlier);
        }
        if all {
            self.rejected.insert(number);
            self.violations.push(self.shared_key());
        }
    }

    /// Takes back the decision on an earlier record. Its row was given to the sink: the first pass is provisional.
    fn reject_earlier(&mut self, KeyHolder { record, bytes }: KeyHolder) {
        let violation = self.shared_key();
        self.rejected.insert(record);
        self.counts.rows -= 1;
        self.counts.rejects += 1;
        self.rejected_bytes += u64::from(bytes);
        self.count_violation(Position { record: record.into(), line: 0, offset: 0 }, violation);
    }

    fn shared_key(&self) -> Violation {
        let found = match self.contract.policy.duplicates {
            Duplicates::KeepLast => Found::LaterRecord,
            Duplicates::RejectAll | Duplicates::RejectRepeats => Found::OtherRecord,
        };
        Violation { rule: Structure::PrimaryKey.index(), column: only(&self.contract.primary_key), found }
    }

    fn fails(&self) -> bool {
        self.violations.iter().any(|violation| self.severity(violation.rule) == Severity::Fail)
    }

    fn severity(&self, rule: RuleIndex) -> Severity {
        self.contract.rule(rule).severity
    }

    fn count(&mut self, position: Position, rejected: bool) {
        self.counts.records += 1;
        self.counts.rows += u64::from(!rejected);
        self.counts.rejects += u64::from(rejected);
        if rejected {
            self.rejected_lines.add(position.line);
        }
        for place in 0..self.violations.len() {
            if let Some(violation) = self.violations.get(place).copied() {
                self.count_violation(position, violation);
            }
        }
    }

    fn count_violation(&mut self, position: Position, violation: Violation) {
        if let Some(count) = self.by_rule.get_mut(usize::from(violation.rule.0)) {
            *count += 1;
        }
        self.counts.warnings += u64::from(self.severity(violation.rule) == Severity::Warn);
        let full = self.first.len() >= FIRST_VIOLATIONS;
        if full && self.first.last().is_some_and(|(last, _)| last.record <= position.record) {
            return;
        }
        let at = self.first.partition_point(|(known, _)| known.record <= position.record);
        self.first.insert(at, (position, violation));
        self.first.truncate(FIRST_VIOLATIONS);
    }
}

fn repeat(rule: RuleIndex, columns: &[u16], line: u32) -> Violation {
    let line = if line == WORD_MAX { 0 } else { line };
    Violation { rule, column: only(columns), found: Found::LineOfFirst(line.into()) }
}

/// Returns the column of a rule on one column.
fn only(columns: &[u16]) -> Option<u16> {
    match columns {
        [column] => Some(*column),
        _ => None,
    }
}

fn word(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(WORD_MAX).min(WORD_MAX)
}

fn too_many_records(position: Position) -> FileFault {
    FileFault::new(FaultCode::TooLarge, format!("more than {} records", WORD_MAX - 1), "fewer records")
        .at_line(position.line)
        .with_advice(
            "split the file, or ask the feed's owner to set `duplicates: rejectRepeats` in the contract",
        )
}
