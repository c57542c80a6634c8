//! What a newer contract changes, and whom it breaks.
//!
//! A change breaks *senders* when a file or record that the older contract accepts can be rejected by the newer one,
//! and *readers* when rows are stored under another key or with another type. Where that cannot be told from the two
//! contracts, it breaks. Records are compared one by one, with the fields that the older contract names: of two
//! records with one key, a looser rule can let the first one take the key.

mod checks;
mod columns;
mod file;
mod row_rules;

use serde::Serialize;

use crate::Contract;

/// Who has to act on a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Affected {
    /// A file or record that was accepted can be rejected.
    Senders,
    /// Rows have another key or type.
    Readers,
}

/// One difference of two contracts. Holds text of the contracts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContractChange {
    /// What changes: a rule's id, a column, or a setting.
    pub what: String,
    /// What the older contract says; none where it says nothing.
    pub before: Option<String>,
    /// What the newer contract says; none where it says nothing.
    pub after: Option<String>,
    /// Whom it breaks; empty: nobody.
    pub breaks: Vec<Affected>,
    /// Why it does, or why it does not: one sentence without a full stop.
    pub why: String,
}

impl ContractChange {
    /// Returns whether somebody has to act.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        !self.breaks.is_empty()
    }
}

/// Returns what a newer contract changes, in the order of file, columns, keys, rules on records and rules on the file.
/// Nothing: both accept the same and store it alike.
#[must_use]
pub fn diff(older: &Contract, newer: &Contract) -> Vec<ContractChange> {
    let mut changes = Changes::default();
    file::compare(older, newer, &mut changes);
    columns::compare(older, newer, &mut changes);
    file::compare_keys(older, newer, &mut changes);
    row_rules::compare(older, newer, &mut changes);
    file::compare_gates(older, newer, &mut changes);
    changes.list
}

/// The changes that were found so far.
#[derive(Default)]
struct Changes {
    list: Vec<ContractChange>,
}

/// What two contracts say of one thing.
struct BeforeAfter<'a> {
    what: &'a str,
    before: Option<String>,
    after: Option<String>,
}

impl<'a> BeforeAfter<'a> {
    #[expect(clippy::needless_pass_by_value, reason = "what is compared is a text, a number or a word")]
    fn of(what: &'a str, before: impl ToString, after: impl ToString) -> Self {
        Self { what, before: Some(before.to_string()), after: Some(after.to_string()) }
    }
}

impl Changes {
    fn add(&mut self, said: BeforeAfter<'_>, breaks: &[Affected], why: &str) {
        let BeforeAfter { what, before, after } = said;
        let (what, breaks, why) = (what.to_owned(), breaks.to_vec(), why.to_owned());
        self.list.push(ContractChange { what, before, after, breaks, why });
    }

    /// Adds a change that breaks senders where it is stricter.
    fn strict(&mut self, said: BeforeAfter<'_>, stricter: bool, why_stricter: &str, why_not: &str) {
        let breaks: &[Affected] = if stricter { &[Affected::Senders] } else { &[] };
        self.add(said, breaks, if stricter { why_stricter } else { why_not });
    }
}

#[cfg(test)]
mod tests;
