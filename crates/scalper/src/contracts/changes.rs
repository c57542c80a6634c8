//! `contract diff`: what a newer contract changes, and whom it breaks.

use contract::{Affected, ContractChange, diff};
use serde::Serialize;

use super::document::FoundContract;
use crate::reading::plain;
use crate::report::{Mark, Style, paragraph};

/// What a newer contract changes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangesReport {
    /// The older contract.
    pub older: ContractName,
    /// The newer one.
    pub newer: ContractName,
    /// Whether a change breaks somebody.
    pub breaking: bool,
    /// The changes.
    pub changes: Vec<ContractChange>,
}

/// A contract by its name and its own version.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractName {
    /// Its path, or its feed and object version.
    pub name: String,
    /// The document's `version`.
    pub version: String,
}

impl ContractName {
    fn of(found: &FoundContract) -> Self {
        Self { name: found.name.clone(), version: plain(&found.contract.identity.version).into_owned() }
    }
}

impl ChangesReport {
    /// Compares two contracts.
    #[must_use]
    pub fn of(older: &FoundContract, newer: &FoundContract) -> Self {
        let changes = diff(&older.contract, &newer.contract);
        Self {
            breaking: changes.iter().any(ContractChange::is_breaking),
            older: ContractName::of(older),
            newer: ContractName::of(newer),
            changes,
        }
    }

    /// Returns whether a change breaks somebody.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.breaking
    }

    /// Renders the changes: what breaks first.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let Self { older, newer, changes, .. } = self;
        let name = |one: &ContractName| format!("{} (version {})", one.name, one.version);
        let mut text = paragraph("", &format!("{} → {}", name(older), name(newer)), style);
        if changes.is_empty() {
            return text + "no rule changes\n";
        }
        let (breaking, other): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.is_breaking());
        for change in &breaking {
            text += &described(change, style);
        }
        for change in &other {
            text += &described(change, style);
        }
        text + &format!("{} breaking, {} not breaking\n", breaking.len(), other.len())
    }
}

fn described(change: &ContractChange, style: Style) -> String {
    let ContractChange { what, before, after, breaks, why } = change;
    let whom = match breaks.as_slice() {
        [] => "ok",
        [Affected::Senders] => "BREAKS senders",
        [Affected::Readers] => "BREAKS readers",
        _ => "BREAKS senders and readers",
    };
    let values = match (before, after) {
        (Some(before), Some(after)) => format!("{} → {}", plain(before), plain(after)),
        (None, Some(after)) => format!("new: {}", plain(after)),
        (Some(before), None) => format!("removed: {}", plain(before)),
        (None, None) => String::new(),
    };
    let mark = if breaks.is_empty() { Mark::None } else { Mark::Wrong };
    let head = paragraph(&format!("{whom}  "), &plain(what), style);
    let head: String = head.lines().map(|line| style.mark(line, mark) + "\n").collect();
    format!("{head}{}{}", paragraph("    ", &values, style), paragraph("    ", why, style))
}
