//! Files of which nothing can be loaded, and the bound of what is kept of rejects.

use std::io::Write;
use std::sync::Arc;

use contract::{Contract, Duplicates, EmptyFile, Format, OnError, OnSameName};
use flate2::{Compression, write::GzEncoder};
use ledger::State;
use proptest::prelude::*;

use super::contracts::with_policy;
use super::{COLUMNS, contract, pass, passes, run};
use crate::budget::{KEPT_BYTES, grouped};
use crate::{ContentHash, Counts, FaultCode, FileCheck, FileFacts, Summary, Verdict, receipt, report};

fn code(summary: &Summary) -> Option<FaultCode> {
    summary.fault.as_ref().map(|fault| fault.code)
}

fn json(lines: bool, contract: Contract) -> Contract {
    let format = if lines { Format::JsonLines } else { Format::Json { record_path: Vec::new() } };
    Contract { format, ..contract }
}

#[test]
fn a_file_of_which_nothing_can_be_loaded_is_rejected_whatever_on_error_says() {
    let all = [OnError::Continue, OnError::SkipFile(100), OnError::SkipFilePercent(100.0), OnError::Abort];
    for on_error in all {
        let policy = || with_policy(|policy| policy.on_error = on_error);
        for (contract, file) in [
            (policy(), format!("{COLUMNS},1,x\n,2,x\nq\n")),
            (json(true, policy()), "{\"id\":1}\n{\nnull\n".to_owned()),
            (json(false, policy()), "[{\"id\":1},{\"id\":null},7]".to_owned()),
        ] {
            let (kept, summary) = pass(contract, file.as_bytes());
            assert_eq!(summary.counts, Counts { records: 3, rows: 0, rejects: 3, dropped: 0, warnings: 0 });
            assert_eq!((summary.verdict, code(&summary)), (Verdict::Rejected, Some(FaultCode::ErrorBudget)));
            let message = summary.fault.map(|fault| fault.message());
            let expected = "no record can be loaded: all 3 were rejected; at least one must be good";
            assert_eq!(message.as_deref(), Some(expected));
            assert_eq!(kept.rejects.len(), 3, "the rejects are kept");
        }
    }
    let (_, summary) = pass(contract(), format!("{COLUMNS},1,x\n").as_bytes());
    let found = summary.fault.map(|fault| fault.found);
    assert_eq!(found.as_deref(), Some("no record can be loaded: the only one was rejected"));
}

#[test]
fn one_good_record_is_enough_under_continue() {
    let (_, summary) = pass(contract(), format!("{COLUMNS},1,x\n,2,x\na,3,x\n").as_bytes());
    assert_eq!((summary.verdict, code(&summary)), (Verdict::Partial, None));
}

#[test]
fn records_that_reject_each_other_leave_nothing_to_load() {
    let all = with_policy(|policy| policy.duplicates = Duplicates::RejectAll);
    let [(_, first), (_, second)] = passes(all, format!("{COLUMNS}a,1,x\na,2,x\n").as_bytes());
    assert_eq!((first.counts.rows, code(&first)), (0, Some(FaultCode::ErrorBudget)));
    assert_eq!(first.fault, second.fault);
}

#[test]
fn a_newer_version_without_records_is_rejected_unless_the_contract_accepts_it() {
    for (empty_file, rejected) in
        [(EmptyFile::RejectZeroBytes, true), (EmptyFile::Reject, true), (EmptyFile::Accept, false)]
    {
        let policy = || {
            with_policy(|policy| {
                policy.on_same_name = OnSameName::Supersede;
                policy.empty_file = empty_file;
            })
        };
        for (contract, file) in [
            (policy(), COLUMNS),
            (policy(), COLUMNS.trim_end()),
            (policy(), "id,count,note\n\n\n"),
            (policy(), ""),
            (json(true, policy()), "\n\n"),
            (json(false, policy()), "[]"),
            (json(false, policy()), " [ \n ] "),
        ] {
            let (_, summary) = pass(contract, file.as_bytes());
            assert_eq!(code(&summary) == Some(FaultCode::Empty), rejected, "{empty_file:?} {file:?}");
            assert_eq!(summary.verdict == Verdict::Rejected, rejected);
        }
    }
}

#[test]
fn a_header_or_an_empty_array_alone_is_a_load_of_no_rows_where_both_versions_stay() {
    for (contract, file) in [(contract(), COLUMNS), (json(false, contract()), "[]")] {
        let (_, summary) = pass(contract, file.as_bytes());
        assert_eq!((summary.verdict, code(&summary)), (Verdict::Accepted, None));
    }
}

#[test]
fn a_file_of_blanks_is_empty_in_every_format() {
    for file in ["", "\n", "\r\n\r\n", "\u{feff}", "\u{feff}\n"] {
        for contract in [contract(), json(true, contract()), json(false, contract())] {
            let fault = pass(contract, file.as_bytes()).1.fault.expect("a fault");
            assert_eq!((fault.code, fault.found.as_str()), (FaultCode::Empty, "a file without content"));
        }
        for format in [None, Some(true), Some(false)] {
            let accepting = with_policy(|policy| policy.empty_file = EmptyFile::Accept);
            let contract = match format {
                None => accepting,
                Some(lines) => json(lines, accepting),
            };
            assert_eq!(code(&pass(contract, file.as_bytes()).1), None, "{file:?}");
        }
    }
}

fn limited(rejects: u64, duplicates: Duplicates) -> Contract {
    let mut contract = with_policy(|policy| policy.duplicates = duplicates);
    contract.limits.rejects = rejects;
    contract
}

fn told(contract: &Contract, summary: &Summary) -> (Vec<String>, Option<u64>) {
    let facts = FileFacts::default();
    let receipt = receipt(&facts, Some(contract), Some(summary), State::Quarantined, None);
    let report = report(receipt, Some(contract), Some(summary));
    (report.receipt.warnings, report.rejects_kept)
}

#[test]
fn more_rejects_than_the_contract_allows_reject_the_file_and_the_first_are_kept() {
    let file = format!("{COLUMNS}a,1,x\n{}b,2,x\n", "q\n".repeat(7));
    let [(first, summary), (second, again)] = passes(limited(5, Duplicates::RejectRepeats), file.as_bytes());
    assert_eq!(summary.counts, Counts { records: 9, rows: 2, rejects: 7, dropped: 0, warnings: 0 });
    assert_eq!((summary.verdict, code(&summary)), (Verdict::Rejected, Some(FaultCode::ErrorBudget)));
    assert_eq!(first.rejects.iter().map(|(record, _)| *record).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    assert_eq!((&first, &summary), (&second, &again));
    let message = summary.fault.as_ref().map(crate::FileFault::message);
    assert_eq!(
        message.as_deref(),
        Some(
            "more than 5 records were rejected; the first 5 are kept as rejects, and the original file has all of them"
        )
    );
    let (warnings, kept) = told(&limited(5, Duplicates::RejectRepeats), &summary);
    assert_eq!(kept, Some(5));
    assert_eq!(
        warnings,
        ["7 records were rejected; the first 5 are kept as rejects, and the original file has all of them"]
    );
}

#[test]
fn as_many_rejects_as_the_contract_allows_are_all_kept() {
    let file = format!("{COLUMNS}a,1,x\n{}", "q\n".repeat(5));
    let (kept, summary) = pass(limited(5, Duplicates::RejectRepeats), file.as_bytes());
    assert_eq!((summary.verdict, kept.rejects.len()), (Verdict::Partial, 5));
    assert_eq!(told(&contract(), &summary), (Vec::new(), Some(5)));
}

/// Counts what it is given.
#[derive(Default)]
struct Counted {
    rows: u64,
    rejects: u64,
    bytes: u64,
}

impl crate::Sink for Counted {
    fn row(&mut self, _: crate::Row<'_>) {
        self.rows += 1;
    }

    fn reject(&mut self, reject: crate::Reject<'_>) {
        self.rejects += 1;
        self.bytes += reject.raw.len() as u64;
    }
}

fn checked(contract: Contract, file: &[u8]) -> (Counted, Summary) {
    let mut counted = Counted::default();
    let mut check = FileCheck::new(Arc::new(contract), [0; 16], ContentHash::Skipped);
    let summary = run(&mut check, file, 1 << 20, &mut counted);
    (counted, summary)
}

#[test]
fn of_a_hundred_thousand_short_lines_the_counts_are_exact_and_the_rejects_bounded() {
    let lines = 150_000;
    let file = format!("id,count,day,note\na,1,2,x\n{}", "q\n".repeat(lines));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(file.as_bytes()).expect("memory");
    let compressed = encoder.finish().expect("memory");
    for bytes in [file.as_bytes(), &compressed] {
        let (counted, summary) = checked(contract(), bytes);
        assert_eq!(
            summary.counts,
            Counts { records: 150_001, rows: 1, rejects: 150_000, dropped: 0, warnings: 0 }
        );
        assert_eq!((counted.rows, counted.rejects, counted.bytes), (1, 100_000, 100_000));
        let found = summary.fault.map(|fault| fault.found);
        assert_eq!(found.as_deref(), Some("more than 100,000 records were rejected"));
        assert_eq!(summary.first.len(), 100);
    }
}

#[test]
fn few_large_rejects_are_bounded_by_their_bytes() {
    let cell = "n".repeat(1_000_000);
    let file = format!("{COLUMNS}a,1,x\n{}", format!("b,bad,{cell}\n").repeat(68));
    let (counted, summary) = checked(contract(), file.as_bytes());
    assert!(counted.bytes <= KEPT_BYTES && counted.rejects == 67, "{}", counted.rejects);
    assert_eq!((summary.counts.rejects, summary.rejects_kept), (68, 67));
    assert_eq!(code(&summary), Some(FaultCode::ErrorBudget));
    let found = summary.fault.map(|fault| fault.found);
    assert_eq!(found.as_deref(), Some("more than 64 MiB of records were rejected"));
}

#[test]
fn rejects_that_a_later_record_decides_count_with_their_bytes() {
    for duplicates in [Duplicates::KeepLast, Duplicates::RejectAll] {
        // Each key twice: the first of each pair is long, and is rejected only when the second is read.
        let cell = "n".repeat(300_000);
        let records: String =
            (0..240).fold(String::new(), |text, key| format!("{text}{key},1,{cell}\n{key},2,x\n"));
        let file = format!("{COLUMNS}good,1,x\n{records}");
        let contract = Arc::new(limited(100_000, duplicates));
        let first = run(
            &mut FileCheck::new(Arc::clone(&contract), [0; 16], ContentHash::Skipped),
            file.as_bytes(),
            1 << 16,
            &mut (),
        );
        let mut counted = Counted::default();
        let second =
            run(&mut FileCheck::again(contract, [0; 16], &first), file.as_bytes(), 99_999, &mut counted);
        assert_eq!(code(&first), Some(FaultCode::ErrorBudget), "{duplicates:?}");
        assert_eq!((first.counts, &first.fault), (second.counts, &second.fault));
        assert!(counted.bytes <= KEPT_BYTES && counted.rejects < second.counts.rejects);
        assert_eq!(counted.rejects, second.rejects_kept);
    }
}

#[test]
fn numbers_are_grouped_by_three_digits() {
    for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(grouped(number), text);
    }
}

proptest! {
    #[test]
    fn both_passes_agree_on_what_is_kept(
        keys in prop::collection::vec(("[abc]{0,1}", prop_oneof![Just("1"), Just("bad")]), 0..40),
        most in 1_u64..12,
        duplicates in prop_oneof![
            Just(Duplicates::RejectRepeats), Just(Duplicates::KeepLast), Just(Duplicates::RejectAll),
        ],
    ) {
        let records = keys.iter().fold(String::new(), |text, (key, count)| format!("{text}{key},{count},x\n"));
        let file = format!("{COLUMNS}{records}");
        let [(_, first), (kept, second)] = passes(limited(most, duplicates), file.as_bytes());
        prop_assert_eq!(first.counts, second.counts);
        prop_assert_eq!((first.verdict, &first.fault), (second.verdict, &second.fault));
        prop_assert_eq!(kept.rejects.len() as u64, second.counts.rejects.min(most));
        prop_assert_eq!(second.rejects_kept, kept.rejects.len() as u64);
        prop_assert!(second.verdict == Verdict::Rejected || second.counts.rejects <= most);
        let [_, (again, third)] = passes(limited(most, duplicates), file.as_bytes());
        prop_assert_eq!((kept, second), (again, third));
    }
}
