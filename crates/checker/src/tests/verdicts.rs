//! Files of which nothing can be loaded.

use contract::{Contract, Duplicates, EmptyFile, Format, OnError, OnSameName};
use super::contracts::with_policy;
use super::{COLUMNS, contract, pass, passes};
use crate::{Counts, FaultCode, Summary, Verdict};

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
            assert_eq!(summary.counts, Counts { records: 3, rows: 0, rejects: 3, warnings: 0 });
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
