//! What is known when a file was read.

use contract::{RuleIndex, Violation};

use ledger::{FileId, LineSum};

use crate::form::FileForm;
use crate::{Counts, FileFault, Position, Verdict};

/// How many violations a summary keeps.
pub(crate) const FIRST_VIOLATIONS: usize = 100;

/// What is known when a file was read. Holds no content.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Records by fate; of a file with a fault, the records before it.
    pub counts: Counts,
    /// What becomes of the file.
    pub verdict: Verdict,
    /// Why the file is quarantined as a whole.
    pub fault: Option<FileFault>,
    /// SHA-256 of the stored bytes: of all that were pushed, those after a fault included. None: it was not asked for
    /// ([`crate::ContentHash::Skipped`]).
    pub sha256: Option<[u8; 32]>,
    /// Stored bytes.
    pub bytes: u64,
    /// Bytes of text after decompression and decoding to UTF-8.
    pub decoded_bytes: u64,
    /// Violations by rule, indexed like [`contract::Contract::rules`].
    pub by_rule: Vec<u64>,
    /// Records that each condition of `dropIf` leaves out, indexed like [`contract::Contract::drop_if`].
    pub dropped: Vec<u64>,
    /// At most 100 violations, the first of the file. Under `rejectAll` and `keepLast` the first pass does not know the
    /// line of a record that a later one rejects: its line and offset are 0 there, and right in the second pass.
    pub first: Vec<(Position, Violation)>,
    /// Each rule on the file as a whole, indexed like [`contract::Contract::gates`]; empty after a fault in the bytes.
    pub gates: Vec<GateResult>,
    /// Columns of the header that the contract does not name.
    pub unknown_columns: u32,
    /// Rejects that were given to the sink: the first of the file, up to the contract's `maxRejects` and to 64 MiB.
    /// Under `rejectAll` and `keepLast` right only in the second pass.
    pub rejects_kept: u64,
    /// The file of which this one holds corrected rejects, as its records say.
    pub corrects: Option<FileId>,
    /// Of corrected rejects the lines on which their records were, in that file.
    pub returned_lines: LineSum,
    /// The lines of the rejects. Under `rejectAll` and `keepLast` right only in the second pass.
    pub rejected_lines: LineSum,
    /// The form in which the file came.
    pub form: FileForm,
    /// Under `rejectAll` and `keepLast`, the records that another record of the same key rejects: what the second
    /// pass needs from the first.
    pub rejected: RecordSet,
}

/// A rule on the file as a whole, measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateResult {
    /// The rule.
    pub rule: RuleIndex,
    /// The records that count.
    pub records: u64,
    /// What was compared: that number, or its share of all records in percent.
    pub measured: f64,
    /// Whether the rule holds.
    pub passed: bool,
}

/// A set of record numbers, one bit for each record up to the greatest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordSet(Vec<u64>);

impl RecordSet {
    /// Returns whether the record is in it.
    #[must_use]
    pub fn contains(&self, record: u64) -> bool {
        usize::try_from(record / 64)
            .ok()
            .and_then(|word| self.0.get(word))
            .is_some_and(|bits| bits & (1 << (record % 64)) != 0)
    }

    /// Returns whether it holds no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&mut self, record: u32) {
        let word = (record / 64) as usize;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (record % 64);
        }
    }
}
