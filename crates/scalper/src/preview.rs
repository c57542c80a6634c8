//! What a stored version of a file becomes under a contract, without writing anything: `contract push` and
//! `replay --dry-run` print it.
//!
//! The pinned version is streamed through the check that the processor runs, so that its numbers are those that a load
//! gives. What depends on other files is left to the load: whether another version of the name is newer, and whether
//! the content was loaded before. Nothing here holds or shows a value of a file: rules and counts only.

mod earlier;
mod progress;
mod reading;
mod shown;
mod tally;
mod totals;

use std::sync::Arc;

use checker::{Counts, FaultCode, Summary, Verdict};
use contract::{Contract, Severity};
use ledger::{Entry, FileId, State};
use serde::Serialize;

pub use earlier::EarlierContracts;
pub use progress::Progress;
pub use reading::preview;
pub use shown::changed_files;
pub use totals::PreviewTotals;
pub(crate) use totals::{counted, dollars};

/// Write units that a load costs besides its rows: claim, decision and what is noted of its announcement, with their
/// index.
pub const UNITS_OF_FILE: u64 = 5;

/// Write units that a load costs besides, when it takes the place of another: that one is noted as dead, with its
/// index, and a transaction costs twice what its writes cost.
pub const UNITS_OF_HIDING: u64 = 4;

/// A file that is tried under a contract.
pub struct PreviewCase<'a> {
    /// What the ledger says of it.
    pub entry: &'a Entry,
    /// The contract under which it is tried.
    pub contract: &'a Arc<Contract>,
    /// What the result is compared with.
    pub before: Before<'a>,
}

/// What a preview is compared with.
#[derive(Clone, Copy)]
pub enum Before<'a> {
    /// The ledger's decision. The contract of that decision tells which records were rejected; without it only their
    /// number is known.
    Ledger(Option<&'a Arc<Contract>>),
    /// What the file is under another contract, which is checked in the same reading.
    Contract(&'a Arc<Contract>),
}

/// A rule and how many times records broke it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// The rule's id, as receipts name it.
    pub rule: String,
    /// How many times.
    pub count: u64,
}

/// What is decided about the content of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentResult {
    /// The verdict; none of a file that is gone, or of which nothing was decided.
    pub verdict: Option<Verdict>,
    /// Why the file is quarantined as a whole.
    pub fault: Option<String>,
    /// Records by fate; 0 of a file that was not read.
    #[serde(flatten)]
    pub counts: Counts,
    /// Rules of severity fail that records broke; none where only the ledger's numbers are known.
    pub rules: Option<Vec<RuleCount>>,
}

/// What a file becomes, compared with what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilePreview {
    /// Which file.
    pub file: FileId,
    /// Its key.
    pub key: String,
    /// Its state in the ledger now.
    pub state: State,
    /// Whether the version is no longer in the inbox.
    pub gone: bool,
    /// What it is compared with.
    pub before: ContentResult,
    /// What it becomes.
    pub after: ContentResult,
    /// Records that were rejected and become rows.
    pub rescued: u64,
    /// Records that break a rule and did not before.
    pub newly_rejected: u64,
    /// Records that the contract leaves out and did not before.
    pub newly_dropped: u64,
    /// Those of them that were rejected before.
    pub dropped_rejects: u64,
    /// Records that were left out and become rows.
    pub newly_loaded: u64,
    /// Whether these numbers are exact. They are net numbers where the contract of the earlier decision is not there
    /// any more.
    pub exact: bool,
    /// Rules that more records break than before, and by how many; none where the earlier ones are not known.
    pub more_by_rule: Option<Vec<RuleCount>>,
    /// Rows that are visible now.
    pub visible_rows: u64,
    /// Rows that a load writes.
    pub written_rows: u64,
    /// DynamoDB write units that a load costs.
    pub write_units: u64,
}

impl ContentResult {
    /// Makes the result of a file that is quarantined before it is read.
    fn unread(fault: FaultCode) -> Self {
        let fault = Some(fault.as_str().to_owned());
        Self { verdict: Some(Verdict::Rejected), fault, rules: Some(Vec::new()), ..Self::default() }
    }

    /// Makes the result of a check.
    fn of_summary(contract: &Contract, summary: &Summary) -> Self {
        let of_gate = |id: &str| contract.gates.iter().any(|gate| contract.rule(gate.rule).id == id);
        let broken = contract
            .rules
            .iter()
            .zip(&summary.by_rule)
            .filter(|(rule, count)| **count > 0 && rule.severity == Severity::Fail && !of_gate(&rule.id));
        Self {
            verdict: Some(summary.verdict),
            fault: summary.fault.as_ref().map(|fault| fault.code.as_str().to_owned()),
            counts: summary.counts,
            rules: Some(
                broken.map(|(rule, count)| RuleCount { rule: rule.id.clone(), count: *count }).collect(),
            ),
        }
    }

    /// Makes the result that the ledger has.
    fn of_entry(entry: &Entry) -> Self {
        let outcome = entry.outcome.as_ref().filter(|_| entry.state.is_terminal());
        let counts = outcome.map(|outcome| outcome.counts);
        Self {
            verdict: Verdict::of(entry.state, counts.as_ref()),
            fault: outcome.and_then(|outcome| outcome.fault.clone()),
            // Records of which none was rejected broke no rule.
            rules: counts.filter(|counts| counts.rejects == 0).map(|_| Vec::new()),
            counts: counts.unwrap_or_default(),
        }
    }

    /// Returns whether rows are loaded.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Accepted | Verdict::Partial))
    }

    /// Returns how many more times than `before` each rule is broken, where it is more.
    fn more_than(&self, before: &Self) -> Option<Vec<RuleCount>> {
        let (after, before) = (self.rules.as_ref()?, before.rules.as_ref()?);
        let earlier =
            |rule: &str| before.iter().find(|known| known.rule == rule).map_or(0, |known| known.count);
        let more = after.iter().map(|now| RuleCount {
            rule: now.rule.clone(),
            count: now.count.saturating_sub(earlier(&now.rule)),
        });
        Some(more.filter(|more| more.count > 0).collect())
    }
}

impl FilePreview {
    /// Returns the rejects that stay: of records that were rejected before and still are.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.after.counts.rejects.saturating_sub(self.newly_rejected)
    }

    /// Returns whether anything is different from before.
    #[must_use]
    pub fn changes(&self) -> bool {
        let Self { before, after, .. } = self;
        (before.verdict, &before.fault, before.counts.rejects)
            != (after.verdict, &after.fault, after.counts.rejects)
            || self.rescued > 0
            || self.newly_rejected > 0
            || self.newly_dropped > 0
            || self.newly_loaded > 0
    }
}
