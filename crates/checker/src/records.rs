//! The decision on each record: row or reject, and what is counted on the way.

use std::sync::Arc;

use contract::{Contract, Duplicates, Found, RuleIndex, Severity, Structure, Violation};
use siphasher::sip128::SipHasher13;

use crate::gates::{self, Tally};
use crate::item_size;
use crate::key_set::{KeyHash, KeySet, WORD_MAX};
use crate::row::write_tuple;
use crate::summary::{FIRST_VIOLATIONS, RecordSet};
use crate::{Counts, FaultCode, FileFault, Item, Position, Record, Reject, Row, Sink};

/// The most bytes of a primary key: DynamoDB takes 2,048 bytes of partition key, of which partner and feed take a part.
const KEY_BYTES: usize = 1024;

/// What a record that another record of its key refuses is remembered as, once all earlier ones are refused.
const ALL_REFUSED: u32 = WORD_MAX;

/// Decides record by record. Nothing is allocated for a record once the buffers have grown.
pub(crate) struct Records {
    contract: Arc<Contract>,
    hasher: SipHasher13,
    /// The header's labels, once they were read.
    pub(crate) labels: Vec<String>,
    pub(crate) counts: Counts,
    pub(crate) by_rule: Vec<u64>,
    pub(crate) first: Vec<(Position, Violation)>,
    pub(crate) tallies: Vec<Tally>,
    pub(crate) fault: Option<FileFault>,
    /// Records that another record of their key refuses (`rejectAll`, `keepLast`).
    pub(crate) refused: RecordSet,
    /// Whether `refused` is complete, because a first pass found it.
    again: bool,
    primary: KeySet,
    unique: Vec<KeySet>,
    item_bytes: usize,
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
            by_rule: vec![0; contract.rules.len()],
            first: Vec::new(),
            tallies: contract.gates.iter().map(|_| Tally::default()).collect(),
            fault: None,
            again: first_pass.is_some(),
            refused: first_pass.unwrap_or_default(),
            primary: KeySet::default(),
            unique: contract.unique.iter().map(|_| KeySet::default()).collect(),
            item_bytes: item_size::fixed_bytes(&contract),
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
                sink.reject(self.reject(position, raw, text, cells));
            }
            Item::Record(record) => {
                self.check(&record);
                if self.fault.is_some() {
                    return;
                }
                let refused = self.fails();
                self.count(record.position, refused);
                if refused {
                    let cells = if record.cells.is_empty() { record.slots } else { record.cells };
                    sink.reject(self.reject(record.position, record.raw, record.text, cells));
                } else {
                    sink.row(Row { contract: &self.contract, record });
                }
            }
        }
    }

    fn reject<'a>(
        &'a self,
        position: Position,
        raw: &'a [u8],
        text: &'a [u8],
        cells: &'a [crate::Slot],
    ) -> Reject<'a> {
        let Self { contract, labels, violations, .. } = self;
        Reject { contract, labels, position, raw, text, cells, violations }
    }

    fn check(&mut self, record: &Record<'_>) {
        let Self { contract, violations, tallies, hasher, tuple, .. } = self;
        gates::measure(contract, tallies, record, hasher, tuple);
        for (index, column) in (0_u16..).zip(&contract.columns) {
            column.check(index, record.cell(usize::from(index)), violations);
        }
        let in_column_order = self.violations.len();
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

    /// Compares the record with the earlier ones. Only a record that breaks no rule takes its keys: what is refused
    /// for another reason stands in nobody's way. A record that only `rejectAll` or `keepLast` refuses does take its
    /// unique values, since that can be known only later.
    fn check_repeats(&mut self, record: &Record<'_>) {
        let Self { contract, violations, tuple, hasher, unique, hashes, .. } = self;
        hashes.clear();
        for (rule, set) in contract.unique.iter().zip(unique.iter()) {
            let hash: Option<KeyHash> =
                write_tuple(contract, record, &rule.columns, tuple).then(|| hasher.hash(tuple).into());
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
            self.take_key(key, record.position);
        }
    }

    /// The hash of the primary key, after the checks that need no later record.
    fn primary_key(&mut self, record: &Record<'_>) -> Option<KeyHash> {
        let Self { contract, violations, tuple, .. } = self;
        let columns = &contract.primary_key;
        if columns.is_empty() || !write_tuple(contract, record, columns, tuple) {
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

    fn take_key(&mut self, key: KeyHash, position: Position) {
        let duplicates = self.contract.policy.duplicates;
        if duplicates == Duplicates::RejectRepeats {
            self.primary.set(key, word(position.line));
            return;
        }
        if self.again {
            if self.refused.contains(position.record) {
                self.violations.push(self.shared_key());
            }
            return;
        }
        let record = word(position.record);
        if record == WORD_MAX {
            self.fault = Some(too_many_records(position));
            return;
        }
        let earlier = self.primary.get(key);
        if let Some(earlier) = earlier
            && earlier != ALL_REFUSED
        {
            self.refuse_earlier(earlier);
        }
        if duplicates == Duplicates::RejectAll && earlier.is_some() {
            self.refused.insert(record);
            self.violations.push(self.shared_key());
            self.primary.set(key, ALL_REFUSED);
        } else {
            self.primary.set(key, record);
        }
    }

    /// Takes back the decision on an earlier record. Its row was given to the sink: the first pass is provisional.
    fn refuse_earlier(&mut self, record: u32) {
        let violation = self.shared_key();
        self.refused.insert(record);
        self.counts.rows -= 1;
        self.counts.rejects += 1;
        self.count_violation(Position { record: record.into(), line: 0, offset: 0 }, violation);
    }

    fn shared_key(&self) -> Violation {
        Violation {
            rule: Structure::PrimaryKey.index(),
            column: only(&self.contract.primary_key),
            found: Found::Unspecified,
        }
    }

    fn fails(&self) -> bool {
        self.violations.iter().any(|violation| self.severity(violation.rule) == Severity::Fail)
    }

    fn severity(&self, rule: RuleIndex) -> Severity {
        self.contract.rule(rule).severity
    }

    fn count(&mut self, position: Position, refused: bool) {
        self.counts.records += 1;
        self.counts.rows += u64::from(!refused);
        self.counts.rejects += u64::from(refused);
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

/// The column of a rule on one column.
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
