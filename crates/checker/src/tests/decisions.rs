//! Rows, rejects, counts, verdicts and faults.

use std::sync::Arc;

use contract::{Check, Contract, EmptyFile, Found, Metric, Must, OnError, RuleIndex, Structure};
use ledger::State;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::contracts::{rule, with_gate, with_policy, with_unique_count};
use super::{COLUMNS, contract, pass, passes, run};
use crate::{
    ContentHash, Counts, FaultCode, FileCheck, FileFacts, Summary, Verdict, reason, receipt, report,
    write_reject_line,
};

fn file(records: &str) -> Vec<u8> {
    format!("{COLUMNS}{records}").into_bytes()
}

fn fault(summary: &Summary) -> Option<FaultCode> {
    summary.fault.as_ref().map(|fault| fault.code)
}

fn broken(summary: &Summary, rule: RuleIndex) -> u64 {
    summary.by_rule[usize::from(rule.0)]
}

#[test]
fn a_good_file_is_accepted_whole() {
    let (kept, summary) = pass(contract(), &file("a,1,x\nb,2,\n"));
    assert_eq!(kept.rows, [(1, Some("a".to_owned())), (2, Some("b".to_owned()))]);
    assert_eq!(summary.counts, Counts { records: 2, rows: 2, rejects: 0, dropped: 0, warnings: 0 });
    assert_eq!((summary.verdict, fault(&summary)), (Verdict::Accepted, None));
}

#[test]
fn bad_records_are_rejected_and_the_good_ones_loaded() {
    let (kept, summary) = pass(contract(), &file("a,1,x\n,two,x\nb,2\nc,3,x\n"));
    let rejected: Vec<_> = kept.rejects.iter().map(|(record, _)| *record).collect();
    assert_eq!(rejected, [2, 3]);
    let rules: Vec<_> = kept.rejects[0].1.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [rule("id.required"), rule("count.type")]);
    assert_eq!(kept.labels, ["id", "count", "note"]);
    assert_eq!(summary.verdict, Verdict::Partial);
    assert_eq!(broken(&summary, Structure::TooFewCells.index()), 1);
    assert_eq!(summary.first.len(), 3);
    assert_eq!(summary.first[0].0.line, 3);
}

#[test]
fn a_warning_is_counted_and_the_record_loaded() {
    let (kept, summary) = pass(contract(), &file("a,1,too long\n"));
    assert_eq!(kept.rows.len(), 1);
    assert_eq!(summary.counts.warnings, 1);
    assert_eq!(broken(&summary, rule("note.maxLength")), 1);
    assert_eq!(summary.verdict, Verdict::Accepted);
}

#[test]
fn a_null_key_is_named_once_whether_or_not_it_is_required() {
    let (kept, _) = pass(contract(), &file(",1,x\n"));
    assert_eq!(kept.rejects[0].1.len(), 1);
    let mut without_required = contract();
    without_required.columns[0].required = None;
    let (kept, _) = pass(without_required, &file(",1,x\n"));
    assert_eq!(kept.rejects[0].1[0].rule, Structure::PrimaryKey.index());
    assert_eq!(kept.rejects[0].1[0].found, Found::Null);
}

#[test]
fn a_key_above_1024_bytes_is_rejected() {
    let long = "k".repeat(1025);
    let (kept, _) = pass(contract(), &file(&format!("{long},1,x\n{},2,x\n", "k".repeat(1024))));
    assert_eq!(kept.rejects[0].1[0].rule, Structure::KeyBytes.index());
    assert_eq!(kept.rejects[0].1[0].found, Found::Bytes(1025));
    assert_eq!(kept.rows.len(), 1);
}

#[test]
fn a_record_that_no_item_can_hold_is_rejected() {
    let fits = "n".repeat(395 * 1024);
    let exceeds = "n".repeat(396 * 1024);
    let (kept, summary) = pass(contract(), &file(&format!("a,1,{fits}\nb,2,{exceeds}\n")));
    assert_eq!(kept.rows.len(), 1);
    assert_eq!(broken(&summary, Structure::ItemBytes.index()), 1);
}

#[test]
fn the_error_budget_quarantines_the_file() {
    let records = file("a,1,x\nb,two,x\n");
    for (on_error, rejected) in [
        (OnError::Continue, false),
        (OnError::Abort, true),
        (OnError::SkipFile(1), true),
        (OnError::SkipFile(2), false),
        (OnError::SkipFilePercent(49.0), true),
        (OnError::SkipFilePercent(50.0), false),
    ] {
        let (_, summary) = pass(with_policy(|policy| policy.on_error = on_error), &records);
        assert_eq!(fault(&summary) == Some(FaultCode::ErrorBudget), rejected, "{on_error:?}");
        assert_eq!(summary.counts.rejects, 1);
        if rejected {
            assert_eq!(summary.verdict, Verdict::Rejected);
            assert_eq!(
                summary.fault.map(|fault| fault.found).as_deref(),
                Some("1 of 2 records was rejected")
            );
        }
    }
}

#[test]
fn an_empty_file_is_what_the_contract_says() {
    for (policy, no_bytes, header_only) in [
        (EmptyFile::RejectZeroBytes, Some(FaultCode::Empty), None),
        (EmptyFile::Reject, Some(FaultCode::Empty), Some(FaultCode::Empty)),
        (EmptyFile::Accept, None, None),
    ] {
        let contract = || with_policy(|choices| choices.empty_file = policy);
        assert_eq!(fault(&pass(contract(), b"").1), no_bytes, "{policy:?}");
        assert_eq!(fault(&pass(contract(), COLUMNS.as_bytes()).1), header_only, "{policy:?}");
    }
}

#[test]
fn gates_measure_all_records_and_name_their_rule() {
    let records = file("a,1,x\nb,,toolong\nc,1,toolong\nd,,\n");
    let invalid = || Metric::InvalidValues(2, vec![Check::MaxLength(5)]);
    for (metric, percent, measured) in [
        (Metric::RowCount, false, 4.0),
        (Metric::NullValues(1), false, 2.0),
        (Metric::NullValues(1), true, 50.0),
        (invalid(), false, 2.0),
        (Metric::DuplicateValues(vec![1]), false, 1.0),
        (Metric::DuplicateValues(vec![1]), true, 25.0),
    ] {
        let name = format!("{metric:?}");
        let (_, good) = pass(with_gate(metric.clone(), percent, Must::Be(measured)), &records);
        assert_eq!((good.verdict, good.gates[0].passed), (Verdict::Accepted, true), "{name}");
        let (_, bad) = pass(with_gate(metric, percent, Must::BeLessThan(measured)), &records);
        assert_eq!(fault(&bad), Some(FaultCode::Gate), "{name}");
        let unit = if percent { " percent" } else { "" };
        assert_eq!(bad.fault.map(|fault| fault.found), Some(format!("gate: {measured}{unit}")));
        assert_eq!(bad.by_rule[usize::from(rule("gate").0)], 1);
    }
}

#[test]
fn after_a_fault_bytes_are_hashed_and_nothing_is_decided() {
    let bytes = b"not,the,right,header\na,1,x\nb,2,x\n";
    let (kept, summary) = pass(contract(), bytes);
    assert_eq!(kept.rows, []);
    assert_eq!(summary.verdict, Verdict::Rejected);
    assert_eq!(summary.bytes, bytes.len() as u64);
    assert_eq!(summary.sha256, Some(Sha256::digest(bytes).into()));
}

#[test]
fn a_hash_that_was_not_asked_for_changes_nothing_else_in_either_pass() {
    let contract = Arc::new(contract());
    let bytes = file("a,1,x\na,2,x\nb,bad,x\n");
    let checked = |mut check: FileCheck| run(&mut check, &bytes, 7, &mut ());
    let [with, without] = [ContentHash::Sha256, ContentHash::Skipped]
        .map(|asked| checked(FileCheck::new(Arc::clone(&contract), [3; 16], asked)));
    assert_eq!((with.sha256, without.sha256), (Some(Sha256::digest(&bytes).into()), None));
    assert_eq!(Summary { sha256: None, ..with.clone() }, without);
    assert_eq!(
        receipt(&FileFacts::default(), Some(&contract), Some(&without), State::Complete, None).sha256,
        None
    );
    for first in [with, without] {
        assert_eq!(checked(FileCheck::again(Arc::clone(&contract), [3; 16], &first)), first);
    }
}

#[test]
fn finishing_twice_gives_the_same_summary() {
    let mut check = FileCheck::new(
        Arc::new(with_gate(Metric::RowCount, false, Must::Be(0.0))),
        [0; 16],
        ContentHash::Sha256,
    );
    let first = run(&mut check, &file("a,1,x\n"), 9, &mut ());
    assert_eq!(run(&mut check, b"", 9, &mut ()), first);
}

#[test]
fn only_the_first_hundred_violations_are_kept() {
    let records: String = (0..150).fold(String::new(), |text, record| format!("{text}{record},bad,x\n"));
    let (_, summary) = pass(contract(), &file(&records));
    assert_eq!(summary.first.len(), 100);
    assert_eq!(summary.first[99].0.record, 100);
    assert_eq!(broken(&summary, rule("count.type")), 150);
}

/// What renders a reject, without its content.
struct ReasonTexts<'a>(&'a Contract, String);

impl crate::Sink for ReasonTexts<'_> {
    fn row(&mut self, _: crate::Row<'_>) {}
    fn reject(&mut self, reject: crate::Reject<'_>) {
        for violation in reject.violations {
            self.1.push_str(&reason(self.0, violation));
        }
        let mut line = Vec::new();
        write_reject_line(&reject, &mut line);
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        let parsed: serde_json::Value = serde_json::from_slice(&line).expect("one JSON object");
        assert_eq!(parsed["raw"].as_str().map(str::as_bytes), Some(reject.raw));
    }
}

fn cells() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "zqx[0-9]{1,3}", "[0-9]{1,2}", "zqx[a-z]{0,9}"]
}

fn records() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::collection::vec(cells(), 2..5), 0..40).prop_map(|records| {
        records.iter().fold(String::new(), |text, cells| format!("{text}{}\n", cells.join(",")))
    })
}

proptest! {
    #[test]
    fn every_record_is_a_row_or_a_reject_and_both_passes_agree(records in records()) {
        let [(kept, first), (again, second)] = passes(with_unique_count(), &file(&records));
        prop_assert_eq!(first.counts.records, first.counts.rows + first.counts.rejects);
        prop_assert_eq!(first.counts.rows, kept.rows.len() as u64);
        prop_assert_eq!(first.counts.rejects, kept.rejects.len() as u64);
        prop_assert_eq!(kept, again);
        prop_assert_eq!(first, second);
    }

    #[test]
    fn no_diagnostic_holds_a_cell(records in records()) {
        let contract = with_unique_count();
        let mut reasons = ReasonTexts(&contract, String::new());
        let mut check = FileCheck::new(Arc::new(with_unique_count()), [1; 16], ContentHash::Skipped);
        let summary = run(&mut check, &file(&records), 11, &mut reasons);
        let facts = FileFacts::default();
        let receipt = receipt(&facts, Some(&contract), Some(&summary), State::Complete, None);
        let report = report(receipt, Some(&contract), Some(&summary));
        let told = format!(
            "{}{summary:?}{report:?}{}",
            reasons.1,
            serde_json::to_string(&report).expect("a report is JSON"),
        );
        prop_assert!(!told.contains("zqx"), "a marker reached a diagnostic");
    }
}
