//! The result of a preview over many files, and its sentences.

use std::collections::BTreeMap;

use serde::Serialize;
use telemetry::Used;

use super::{FilePreview, RuleCount};
use crate::reading::plain;

/// Rules that one sentence lists.
const MOST_RULES: usize = 8;

/// What many files become.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewTotals {
    /// Files that were tried.
    pub files: u64,
    /// Those of which rows would be loaded.
    pub accepted: u64,
    /// Those that would be quarantined and were not.
    pub newly_quarantined: u64,
    /// Those that would be loaded and were quarantined.
    pub newly_accepted: u64,
    /// Those whose version is no longer in the inbox.
    pub gone: u64,
    /// Records that were rejected before.
    pub rejected_before: u64,
    /// Records that were rejected and become rows.
    pub rescued: u64,
    /// Files with such records.
    pub rescued_files: u64,
    /// Records that were rejected and still are.
    pub remaining: u64,
    /// Records that break a rule and did not before.
    pub newly_rejected: u64,
    /// Records that the contract leaves out and did not before.
    pub newly_dropped: u64,
    /// Records that were left out and become rows.
    pub newly_loaded: u64,
    /// Whether all numbers of records are exact.
    pub exact: bool,
    /// Rules that are broken after, by how many times.
    pub rules: BTreeMap<String, u64>,
    /// Rules that are broken more often than before, by how many times.
    pub more_by_rule: BTreeMap<String, u64>,
    /// Rows that a load writes.
    pub written_rows: u64,
    /// DynamoDB write units that a load costs.
    pub write_units: u64,
}

impl PreviewTotals {
    /// Adds up files.
    #[must_use]
    pub fn of<'p>(files: impl IntoIterator<Item = &'p FilePreview>) -> Self {
        let mut totals = Self { exact: true, ..Self::default() };
        files.into_iter().for_each(|file| totals.add(file));
        totals
    }

    /// Adds a file.
    pub fn add(&mut self, file: &FilePreview) {
        let (before, after) = (&file.before, &file.after);
        self.files += 1;
        self.accepted += u64::from(after.is_loaded());
        self.newly_quarantined += u64::from(before.is_loaded() && !after.is_loaded() && !file.gone);
        self.newly_accepted += u64::from(!before.is_loaded() && after.is_loaded());
        self.gone += u64::from(file.gone);
        self.rejected_before += before.counts.rejects;
        self.rescued += file.rescued;
        self.rescued_files += u64::from(file.rescued > 0);
        self.remaining += before.counts.rejects.saturating_sub(file.rescued + file.dropped_rejects);
        self.newly_rejected += file.newly_rejected;
        self.newly_dropped += file.newly_dropped;
        self.newly_loaded += file.newly_loaded;
        self.exact &= file.exact;
        add_rules(&mut self.rules, after.rules.as_deref());
        add_rules(&mut self.more_by_rule, file.more_by_rule.as_deref());
        self.written_rows += file.written_rows;
        self.write_units += file.write_units;
    }

    /// Returns the estimate of the write units at list price, in thousandths of a micro-dollar.
    #[must_use]
    pub fn nano_dollars(&self) -> u64 {
        Used { write_tenths: self.write_units.saturating_mul(10), ..Used::default() }.nano_dollars()
    }

    /// Returns what a contract makes of files: `would accept 11 of 12 files; rejects 4 more records: rule
    /// `dose.maximum``.
    #[must_use]
    pub fn acceptance(&self) -> String {
        let Self { files, accepted, newly_rejected, rescued, newly_quarantined, newly_accepted, .. } = self;
        let mut parts = vec![format!("would accept {accepted} of {}", counted(*files, "file"))];
        if *newly_rejected > 0 {
            let rules = match listed(&self.more_by_rule) {
                rules if rules.is_empty() => String::new(),
                // One rule's number is that of the records.
                _ if self.more_by_rule.len() == 1 => format!(": rule {}", names(&self.more_by_rule)),
                rules => format!(": rules {rules}"),
            };
            parts.push(format!("rejects {newly_rejected} more {}{rules}", noun(*newly_rejected, "record")));
        }
        if self.newly_dropped > 0 {
            let more = noun(self.newly_dropped, "record");
            parts.push(format!("leaves out {} more {more} (`dropIf`)", self.newly_dropped));
        }
        if self.newly_loaded > 0 {
            let were = if self.newly_loaded == 1 { "was" } else { "were" };
            parts.push(format!("loads {} that {were} left out before", counted(self.newly_loaded, "record")));
        }
        if *rescued > 0 {
            let were = if *rescued == 1 { "was" } else { "were" };
            parts.push(format!("accepts {} that {were} rejected before", counted(*rescued, "record")));
        }
        if *newly_quarantined > 0 {
            let are = if *newly_quarantined == 1 { "is" } else { "are" };
            parts
                .push(format!("quarantines {} that {are} accepted now", counted(*newly_quarantined, "file")));
        }
        if *newly_accepted > 0 {
            let are = if *newly_accepted == 1 { "is" } else { "are" };
            parts.push(format!("loads {} that {are} quarantined now", counted(*newly_accepted, "file")));
        }
        if parts.len() == 1 {
            parts.push("no record is decided otherwise than now".to_owned());
        }
        parts.join("; ")
    }

    /// Returns what a load of files again makes of their rejects: `rescues 412 of 430 rejected records in 9 files; 18
    /// remain: `study_date.type` 15, `modality.enum` 3`.
    #[must_use]
    pub fn rescue(&self) -> String {
        let Self { rejected_before, rescued, rescued_files, remaining, .. } = self;
        let about = if self.exact { "" } else { "about " };
        let rejected = counted(*rejected_before, "rejected record");
        let rescues =
            format!("rescues {about}{rescued} of {rejected} in {}", counted(*rescued_files, "file"));
        if *remaining == 0 {
            return rescues;
        }
        let remain = if *remaining == 1 { "remains" } else { "remain" };
        match listed(&self.rules) {
            rules if rules.is_empty() => format!("{rescues}; {remaining} {remain}"),
            rules => format!("{rescues}; {remaining} {remain}: {rules}"),
        }
    }

    /// Returns what a load costs: `writes 12345 rows: 24730 write units, about $0.0155 at list price`.
    #[must_use]
    pub fn cost(&self) -> String {
        let Self { written_rows, write_units, .. } = self;
        format!(
            "writes {}: {}, about {} at list price",
            counted(*written_rows, "row"),
            counted(*write_units, "write unit"),
            dollars(self.nano_dollars())
        )
    }
}

fn add_rules(sums: &mut BTreeMap<String, u64>, rules: Option<&[RuleCount]>) {
    for RuleCount { rule, count } in rules.unwrap_or_default() {
        *sums.entry(rule.clone()).or_default() += count;
    }
}

/// Returns rules with their counts, the most broken first: `` `study_date.type` 15, `modality.enum` 3``.
pub(crate) fn listed(rules: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<_> = rules.iter().collect();
    sorted.sort_by(|one, other| (other.1, one.0).cmp(&(one.1, other.0)));
    let mut shown: Vec<String> =
        sorted.iter().take(MOST_RULES).map(|(rule, count)| format!("`{}` {count}", plain(rule))).collect();
    if let Some(more) = sorted.len().checked_sub(MOST_RULES).filter(|more| *more > 0) {
        shown.push(format!("and {}", counted(more as u64, "more rule")));
    }
    shown.join(", ")
}

fn names(rules: &BTreeMap<String, u64>) -> String {
    rules.keys().map(|rule| format!("`{}`", plain(rule))).collect::<Vec<_>>().join(", ")
}

/// Returns a sum of dollars with four decimals, or what it is less than.
pub(crate) fn dollars(nano: u64) -> String {
    /// Nano-dollars of the last decimal.
    const STEP: u64 = 100_000;
    let steps = nano.div_ceil(STEP);
    match nano {
        0 => "$0".to_owned(),
        1..STEP => "$0.0001".to_owned(),
        _ => format!("${}.{:04}", steps / 10_000, steps % 10_000),
    }
}

pub(crate) fn counted(number: u64, word: &str) -> String {
    format!("{number} {}", noun(number, word))
}

fn noun(number: u64, word: &str) -> String {
    if number == 1 { word.to_owned() } else { format!("{word}s") }
}
