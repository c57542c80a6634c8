//! Receipts and reports: what the sender and the operator read about a file. Without content of the file.

use std::borrow::Cow;

use contract::{Code, Column, Contract, Kind, NotRun, RuleIndex, Severity, Status, Violation};
use ledger::{Entry, FileId, FileVersion, LoadId, Order, Outcome, State};
use serde::Serialize;

use crate::budget::grouped;
use crate::{Counts, FaultCode, FileFault, Position, RejectsForm, Summary, Verdict, reason, rejects_form};

/// The version of the layout of receipt and report; raised when a field changes its meaning or goes.
pub const FORMAT_VERSION: u32 = 1;

/// The names of a file version and its load, as the ledger has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileFacts {
    /// The public name of the file version.
    pub file_id: String,
    /// The name of the load.
    pub load: String,
    /// Who sent it.
    pub partner: String,
    /// The feed.
    pub feed: String,
    /// The object's key.
    pub key: String,
    /// The object's version id.
    pub version: String,
    /// The order of this version among those of its key, as pinned by the claim.
    pub order: String,
}

impl FileFacts {
    /// Makes the names of a load of a file version, from partner and feed of its key.
    #[must_use]
    pub fn new(load: &LoadId, (partner, feed): (&str, &str), file: &FileVersion, order: &Order) -> Self {
        Self {
            file_id: load.file().to_string(),
            load: load.to_string(),
            partner: partner.to_owned(),
            feed: feed.to_owned(),
            key: file.key.clone(),
            version: file.version.clone(),
            order: order.to_string(),
        }
    }
}

/// The outcome of one file version, for its sender. Holds no content.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Which file.
    #[serde(flatten)]
    pub file: FileFacts,
    /// The file id that this file corrects, when its sender named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrects: Option<String>,
    /// The file id of the file that is loaded in this one's place: the first with the same content, or a newer version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// Key of the receipt before this one, which lists what this one does not repeat: rules, violations and warnings of
    /// a load that was visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier: Option<String>,
    /// The terminal state, as the ledger has it.
    pub state: State,
    /// What was decided about the content; see [`Verdict::told`].
    pub verdict: Option<Verdict>,
    /// Why the file is quarantined as a whole.
    pub fault: Option<ReceiptFault>,
    /// Where a quarantined file's bytes are: the copy in the quarantine or, of an archived object, the version in the
    /// inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<ObjectPlace>,
    /// The form in which a sender who only uses S3 gets the rejected records back; none where the contract keeps
    /// them, or none were rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejects_returned: Option<RejectsForm>,
    /// The form of the rejected records that are kept, in which they can be corrected and sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejects_form: Option<RejectsForm>,
    /// Records that are loaded: none of a quarantined file, whatever was read of it.
    pub loaded: u64,
    /// Records by fate, as read; none when the file was not read.
    pub counts: Option<Counts>,
    /// SHA-256 of the stored bytes, lower-case hexadecimal; none when they were not read or the check took none.
    pub sha256: Option<String>,
    /// Stored bytes; none when they were not read.
    pub bytes: Option<u64>,
    /// The contract under which it was checked.
    pub contract: Option<ReceiptContract>,
    /// The rules that were broken, in the contract's order.
    pub rules: Vec<RuleTotal>,
    /// The records that the contract leaves out, by condition; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<DroppedRecords>,
    /// The first violations of the file, at most 100.
    pub violations: Vec<ReceiptViolation>,
    /// What the contract says that is not run on arrival.
    pub not_run: Vec<NotRun>,
    /// What the sender should know though it rejected nothing.
    pub warnings: Vec<String>,
}

/// A bucket by its part in the system. Its name is the operator's: the sender of a file has no use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PlaceBucket {
    /// Where files land.
    Inbox,
    /// Where quarantined files are kept.
    Quarantine,
}

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectPlace {
    /// Its bucket.
    pub bucket: PlaceBucket,
    /// Its key.
    pub key: String,
    /// Its version id, where one is meant and not the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Which contract a file was checked under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptContract {
    /// The document's id; none in a receipt made from the ledger, which does not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The document's version.
    pub version: String,
    /// SHA-256 of the document, lower-case hexadecimal.
    pub hash: String,
}

/// Why a file is quarantined as a whole, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptFault {
    /// The stable code.
    pub code: FaultCode,
    /// The 1-based line, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The 1-based column of the header, where one is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// What is wrong and what is expected, as one sentence.
    pub message: String,
    /// What to do next.
    pub advice: Cow<'static, str>,
}

/// How often a rule was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleTotal {
    /// The rule's id.
    pub rule: String,
    /// Its reason code.
    pub code: Code,
    /// What breaking it does.
    pub severity: Severity,
    /// The column it is about, when it is about one.
    pub column: Option<String>,
    /// How often.
    pub count: u64,
    /// What was expected.
    pub expected: String,
}

/// Records that one condition of the contract leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DroppedRecords {
    /// The condition, as the contract says it.
    pub condition: String,
    /// How many records make it true.
    pub records: u64,
}

/// One broken rule at one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptViolation {
    /// 1-based line on which the record begins; left out when a first pass could not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// 1-based number of the record.
    pub record: u64,
    /// 0-based offset of the record in the decoded text; left out together with the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte_offset: Option<u64>,
    /// The column.
    pub column: Option<String>,
    /// The rule's id.
    pub rule: String,
    /// Its reason code.
    pub code: Code,
    /// What was found and expected.
    pub reason: String,
}

/// The quarantine's `report.<state>.json`: the receipt, and what an operator asks next. Holds no content.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The receipt of the sender.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// Each rule on the file as a whole, measured.
    pub gates: Vec<ReportGate>,
    /// Bytes of text after decompression and decoding; none when the file was not read.
    pub decoded_bytes: Option<u64>,
    /// Columns or fields that the contract does not name; none when the file was not read.
    pub unknown_columns: Option<u32>,
    /// Rejected records that are kept next to the report; none when the file was not read.
    pub rejects_kept: Option<u64>,
}

/// A rule on the file as a whole, measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportGate {
    /// The rule's id.
    pub rule: String,
    /// What breaking it does.
    pub severity: Severity,
    /// What was expected.
    pub expected: String,
    /// The records that count.
    pub records: u64,
    /// What was compared: that number, or its share of all records in percent.
    pub measured: f64,
    /// Whether the rule holds.
    pub passed: bool,
}

/// Writes the receipt of a file. `fault` is for a file that was quarantined before it was read (no contract,
/// archived, …); else the summary's own fault is shown. `corrects`, `other` and `original` are empty; the caller
/// fills them.
#[must_use]
pub fn receipt(
    facts: &FileFacts,
    contract: Option<&Contract>,
    summary: Option<&Summary>,
    state: State,
    fault: Option<&FileFault>,
) -> Receipt {
    let checked = contract.zip(summary);
    let rejects =
        checked.filter(|(_, summary)| summary.rejects_kept > 0).map(|(contract, _)| rejects_form(contract));
    Receipt {
        format_version: FORMAT_VERSION,
        file: facts.clone(),
        corrects: None,
        other: None,
        earlier: None,
        state,
        verdict: Verdict::of(state, summary.map(|summary| &summary.counts)),
        fault: fault.or_else(|| summary?.fault.as_ref()).map(receipt_fault),
        original: None,
        rejects_returned: rejects.filter(|_| contract.is_some_and(|contract| contract.policy.return_rejects)),
        rejects_form: rejects,
        loaded: summary.filter(|_| state == State::Complete).map_or(0, |summary| summary.counts.rows),
        counts: summary.map(|summary| summary.counts),
        sha256: summary.and_then(|summary| summary.sha256).map(hex::encode),
        bytes: summary.map(|summary| summary.bytes),
        contract: contract.map(receipt_contract),
        rules: checked.map(|(contract, summary)| rule_totals(contract, summary)).unwrap_or_default(),
        dropped: checked.map(|(contract, summary)| dropped(contract, summary)).unwrap_or_default(),
        violations: checked
            .map(|(contract, summary)| {
                summary
                    .first
                    .iter()
                    .map(|(position, broken)| violation(contract, *position, broken))
                    .collect()
            })
            .unwrap_or_default(),
        not_run: contract.map(|contract| contract.not_run.clone()).unwrap_or_default(),
        warnings: warnings(contract, summary),
    }
}

/// Writes the receipt of a load that was visible and whose state changed since: it was superseded or retracted. It is
/// made of what the ledger keeps, and names the receipt that was written when the file was loaded.
#[must_use]
pub fn later_receipt(entry: &Entry, outcome: &Outcome, state: State, other: Option<&FileId>) -> Receipt {
    let facts = FileFacts::new(&entry.load, (&entry.partner, &entry.feed), &entry.file, &entry.order);
    Receipt {
        other: other.map(FileId::to_string),
        corrects: outcome.corrects.as_ref().map(FileId::to_string),
        earlier: Some(outcome.receipt.clone()),
        verdict: Verdict::of(state, Some(&outcome.counts)),
        counts: Some(outcome.counts),
        sha256: Some(outcome.sha256.clone()),
        bytes: Some(outcome.bytes),
        contract: Some(ReceiptContract {
            id: None,
            version: outcome.contract_version.clone(),
            hash: outcome.contract_hash.clone(),
        }),
        ..receipt(&facts, None, None, state, None)
    }
}

/// Makes the report that an operator reads in the quarantine: a file's receipt with what only the check knows.
#[must_use]
pub fn report(receipt: Receipt, contract: Option<&Contract>, summary: Option<&Summary>) -> Report {
    let checked = contract.zip(summary);
    Report {
        receipt,
        gates: checked.map(|(contract, summary)| gates(contract, summary)).unwrap_or_default(),
        decoded_bytes: summary.map(|summary| summary.decoded_bytes),
        unknown_columns: summary.map(|summary| summary.unknown_columns),
        rejects_kept: summary.map(|summary| summary.rejects_kept),
    }
}

fn receipt_fault(fault: &FileFault) -> ReceiptFault {
    ReceiptFault {
        code: fault.code,
        line: fault.line,
        column: fault.column,
        found: fault.found.clone(),
        expected: fault.expected.clone(),
        message: fault.message(),
        advice: fault.advice.clone(),
    }
}

fn receipt_contract(contract: &Contract) -> ReceiptContract {
    ReceiptContract {
        id: Some(contract.identity.id.clone()),
        version: contract.identity.version.clone(),
        hash: hex::encode(contract.identity.hash),
    }
}

fn rule_totals(contract: &Contract, summary: &Summary) -> Vec<RuleTotal> {
    let broken = (0..=u16::MAX).map(RuleIndex).zip(&contract.rules).zip(&summary.by_rule);
    broken
        .filter(|(_, count)| **count > 0)
        .map(|((index, rule), count)| RuleTotal {
            rule: rule.id.clone(),
            code: rule.code,
            severity: rule.severity,
            column: rule_column(contract, index).map(str::to_owned),
            count: *count,
            expected: rule.expected.clone(),
        })
        .collect()
}

/// Returns the top-level column that a rule is about.
fn rule_column(contract: &Contract, rule: RuleIndex) -> Option<&str> {
    if let Some(column) = contract.columns.iter().find(|column| is_about(rule, column)) {
        return Some(&column.name);
    }
    let tuple = contract.unique.iter().find(|unique| unique.rule == rule)?;
    match tuple.columns.as_slice() {
        [column] => Some(contract.column_name(*column)),
        _ => None,
    }
}

fn is_about(rule: RuleIndex, column: &Column) -> bool {
    let own = column.type_rule == rule
        || column.required == Some(rule)
        || column.checks.iter().any(|(check, _)| *check == rule);
    own || match &column.kind {
        Kind::Object(members) => members.iter().any(|member| is_about(rule, member)),
        Kind::Array(item) | Kind::Map(item) => item.as_deref().is_some_and(|item| is_about(rule, item)),
        _ => false,
    }
}

fn violation(contract: &Contract, position: Position, violation: &Violation) -> ReceiptViolation {
    let rule = contract.rule(violation.rule);
    let known = position.line > 0;
    ReceiptViolation {
        line: known.then_some(position.line),
        record: position.record,
        byte_offset: known.then_some(position.offset),
        column: violation.column.map(|column| contract.column_name(column).to_owned()),
        rule: rule.id.clone(),
        code: rule.code,
        reason: reason(contract, violation),
    }
}

fn warnings(contract: Option<&Contract>, summary: Option<&Summary>) -> Vec<String> {
    let mut warnings = Vec::new();
    if contract.is_some_and(|contract| contract.identity.status == Status::Deprecated) {
        warnings.push("the contract is deprecated: ask its owner for the one that follows".to_owned());
    }
    if let Some(summary) = summary {
        let Summary { counts: Counts { rejects, .. }, rejects_kept, .. } = summary;
        if rejects_kept < rejects {
            let (all, kept) = (grouped(*rejects), grouped(*rejects_kept));
            warnings.push(format!(
                "{all} records were rejected; the first {kept} are kept as rejects, and the original file has all of them"
            ));
        }
        match summary.unknown_columns {
            0 => {}
            1 => warnings.push("1 column is not in the contract and was not loaded".to_owned()),
            count => warnings.push(format!("{count} columns are not in the contract and were not loaded")),
        }
    }
    warnings
}

fn dropped(contract: &Contract, summary: &Summary) -> Vec<DroppedRecords> {
    let all = contract.drop_if.iter().zip(&summary.dropped).filter(|(_, records)| **records > 0);
    all.map(|(condition, records)| DroppedRecords {
        condition: condition.source().to_owned(),
        records: *records,
    })
    .collect()
}

fn gates(contract: &Contract, summary: &Summary) -> Vec<ReportGate> {
    let gate = |gate: &crate::GateResult| {
        let rule = contract.rule(gate.rule);
        ReportGate {
            rule: rule.id.clone(),
            severity: rule.severity,
            expected: rule.expected.clone(),
            records: gate.records,
            measured: gate.measured,
            passed: gate.passed,
        }
    };
    summary.gates.iter().map(gate).collect()
}

#[cfg(test)]
mod tests;
