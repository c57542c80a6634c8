//! `dropIf`: records that the contract leaves out.

use std::sync::Arc;

use contract::Contract;
use ledger::State;
use proptest::prelude::*;

use super::{KeptCalls, run};
use crate::{ContentHash, Counts, FaultCode, FileCheck, FileFacts, Summary, Verdict, receipt};

fn contract(settings: &[(&str, &str)]) -> Contract {
    let settings: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{{ property: {name}, vendor: ingest, value: {value} }}"))
        .collect();
    let source = format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\n\
         servers:\n  - {{ server: inbox, type: s3, location: s3://inbox/a/b/, format: csv }}\n\
         schema:\n  - name: feed\n    customProperties: [{}]\n    quality: [{{ metric: rowCount, mustBeLessThan: 4, severity: warning }}]\n    properties:\n      - {{ name: id, logicalType: string, primaryKey: true }}\n      - {{ name: n, logicalType: integer, logicalTypeOptions: {{ maximum: 5 }} }}\n",
        settings.join(", ")
    );
    match contract::compile(&source) {
        Ok((contract, _)) => contract,
        Err(findings) => panic!("{}", contract::render_findings(&findings, "feed", &source)),
    }
}

fn checked(contract: Contract, file: &str) -> (Arc<Contract>, KeptCalls, Summary) {
    let contract = Arc::new(contract);
    let mut calls = KeptCalls::default();
    let mut check = FileCheck::new(Arc::clone(&contract), [3; 16], ContentHash::Skipped);
    let summary = run(&mut check, file.as_bytes(), 9, &mut calls);
    (contract, calls, summary)
}

const TESTS: (&str, &str) = ("dropIf", r#"["id.startsWith('TEST')", "n < 0"]"#);

#[test]
fn a_record_that_makes_a_condition_true_is_neither_loaded_nor_rejected_and_is_counted() {
    let (contract, calls, summary) =
        checked(contract(&[TESTS]), "id,n\na,1\nTEST1,9\nb,9\nTEST2,-1\nc,-3\nd,x\ne,\n,2\nTEST1,x\n");
    let expected = Counts { records: 9, rows: 2, rejects: 3, dropped: 4, warnings: 0 };
    assert_eq!((summary.counts, summary.dropped.as_slice()), (expected, [3, 1].as_slice()));
    assert_eq!(summary.verdict, Verdict::Partial);
    let rows: Vec<u64> = calls.rows.iter().map(|(record, _)| *record).collect();
    let rejects: Vec<u64> = calls.rejects.iter().map(|(record, _)| *record).collect();
    // A null and a value of another type make no condition true: the record's own rules say what is wrong.
    assert_eq!((rows, rejects), (vec![1, 7], vec![3, 6, 8]));
    let told = receipt(&FileFacts::default(), Some(&contract), Some(&summary), State::Complete, None);
    let told = serde_json::to_value(told).expect("JSON");
    assert_eq!(told["counts"]["dropped"], 4);
    assert_eq!(
        told["dropped"],
        serde_json::json!([
            { "condition": "id.startsWith('TEST')", "records": 3 }, { "condition": "n < 0", "records": 1 }
        ])
    );
}

#[test]
fn a_file_without_such_records_says_nothing_of_them() {
    let (contract, _, summary) = checked(contract(&[TESTS]), "id,n\na,1\n");
    let told = receipt(&FileFacts::default(), Some(&contract), Some(&summary), State::Complete, None);
    let told = serde_json::to_value(told).expect("JSON");
    assert!(told.get("dropped").is_none() && told["counts"].get("dropped").is_none(), "{told}");
}

#[test]
fn a_record_that_is_left_out_takes_no_key_and_no_part_in_a_share() {
    let file = "id,n\nTEST1,1\na,-1\na,1\na,-2\nb,9\n";
    let (_, calls, summary) = checked(contract(&[TESTS, ("onError", "skip_file_50%")]), file);
    assert_eq!((summary.counts.rows, summary.counts.rejects, summary.counts.dropped), (1, 1, 3));
    assert!(summary.fault.is_none(), "one of two is half: {:?}", summary.fault);
    assert_eq!(calls.rows, [(3, Some("a".to_owned()))]);
    let (_, _, summary) = checked(contract(&[TESTS, ("onError", "skip_file_49%")]), file);
    assert_eq!(summary.fault.as_ref().map(|fault| fault.found.as_str()), Some("1 of 2 records was rejected"));
    for (policy, row) in [("keepLast", 6), ("rejectAll", 5)] {
        let file = "id,n\na,1\na,-1\nb,1\nTEST,1\nc,1\na,2\na,-1\n";
        let contract = Arc::new(contract(&[TESTS, ("duplicates", policy)]));
        let mut first = KeptCalls::default();
        let summary = run(
            &mut FileCheck::new(Arc::clone(&contract), [3; 16], ContentHash::Skipped),
            file.as_bytes(),
            9,
            &mut first,
        );
        let mut second = KeptCalls::default();
        let again = run(&mut FileCheck::again(contract, [3; 16], &summary), file.as_bytes(), 9, &mut second);
        assert_eq!((summary.counts, &summary.dropped), (again.counts, &again.dropped), "{policy}");
        assert_eq!(again.counts.dropped, 3, "{policy}");
        assert_eq!(second.rows.last().map(|(record, _)| *record), Some(row), "{policy}");
    }
}

#[test]
fn a_file_of_which_every_record_is_left_out_is_one_without_records() {
    let file = "id,n\nTEST1,1\nTEST2,2\n";
    let (_, _, summary) = checked(contract(&[TESTS]), file);
    assert_eq!((summary.verdict, summary.counts.rows, summary.counts.dropped), (Verdict::Accepted, 0, 2));
    for (setting, found) in [
        (("emptyFile", "reject"), "no records but 2 that `dropIf` leaves out"),
        (
            ("onSameName", "supersede"),
            "no records but 2 that `dropIf` leaves out, which would replace those of an earlier version",
        ),
    ] {
        let (_, _, summary) = checked(contract(&[TESTS, setting]), file);
        let fault = summary.fault.expect("a fault");
        assert_eq!((fault.code, fault.found.as_str()), (FaultCode::Empty, found));
    }
    let (_, _, summary) =
        checked(contract(&[TESTS, ("emptyFile", "accept"), ("onSameName", "supersede")]), file);
    assert_eq!(summary.verdict, Verdict::Accepted);
}

#[test]
fn the_number_of_rows_of_a_gate_is_that_of_loaded_records() {
    let (_, _, summary) = checked(contract(&[TESTS]), "id,n\na,1\nb,1\nc,1\nTEST1,1\nTEST2,1\n");
    assert!(summary.gates.iter().all(|gate| gate.passed && gate.records == 3), "{:?}", summary.gates);
}

proptest! {
    #[test]
    fn every_record_has_one_fate(records in prop::collection::vec(("(TEST)?[ab]", "[-x]?[0-9]?"), 0..12)) {
        let lines: Vec<String> = records.iter().map(|(id, n)| format!("{id},{n}\n")).collect();
        let (_, calls, summary) = checked(contract(&[TESTS]), &format!("id,n\n{}", lines.concat()));
        let Counts { records: read, rows, rejects, dropped, .. } = summary.counts;
        prop_assert_eq!(read, records.len() as u64);
        prop_assert_eq!(read, rows + rejects + dropped);
        prop_assert_eq!((rows, rejects), (calls.rows.len() as u64, calls.rejects.len() as u64));
        prop_assert_eq!(dropped, summary.dropped.iter().sum::<u64>());
        let tests = records.iter().filter(|(id, _)| id.starts_with("TEST")).count() as u64;
        prop_assert!(dropped >= tests);
    }
}
