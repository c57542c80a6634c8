use contract::{Metric, Must};

use contract::Format;

use super::*;
use crate::tests::contracts::with_gate;
use crate::tests::{COLUMNS, contract, pass};

fn facts() -> FileFacts {
    FileFacts {
        file_id: "file".to_owned(),
        load: "file-load".to_owned(),
        partner: "north".to_owned(),
        feed: "visits".to_owned(),
        key: "north/visits/monday.csv".to_owned(),
        version: "v1".to_owned(),
        order: "2026-01-05T00:00:00Z/01".to_owned(),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("receipts are JSON")
}

#[test]
fn a_partial_load_says_what_was_rejected_and_why() {
    let file = format!("{COLUMNS}a,1,x\n,two,too long\na,3,x\n");
    let (_, summary) = pass(contract(), file.as_bytes());
    let receipt = receipt(&facts(), Some(&contract()), Some(&summary), State::Complete, None);
    insta::assert_snapshot!(json(&receipt));
}

#[test]
fn rejects_are_returned_where_the_contract_says_so_and_some_are_kept() {
    let returned = |format: Option<Format>, return_rejects: bool, rows: &str| {
        let (_, summary) = pass(contract(), format!("{COLUMNS}{rows}").as_bytes());
        let mut contract = contract();
        contract.format = format.unwrap_or(contract.format);
        contract.policy.return_rejects = return_rejects;
        receipt(&facts(), Some(&contract), Some(&summary), State::Complete, None).rejects_returned
    };
    let bad = "a,1,x\n,two,x\n";
    assert_eq!(returned(None, false, bad), None);
    assert_eq!(returned(None, true, bad), Some(RejectsForm::Csv));
    assert_eq!(returned(Some(Format::JsonLines), true, bad), Some(RejectsForm::Ndjson));
    assert_eq!(returned(None, true, "a,1,x\n"), None, "no record was rejected");
}

#[test]
fn a_quarantined_file_has_its_fault_and_its_gates_in_the_report() {
    let mut gated = with_gate(Metric::NullValues(1), true, Must::BeLessThan(40.0));
    gated.identity.status = Status::Deprecated;
    let file = format!("{COLUMNS}a,1,x\nb,,x\n");
    let (_, mut summary) =
        pass(with_gate(Metric::NullValues(1), true, Must::BeLessThan(40.0)), file.as_bytes());
    summary.unknown_columns = 2;
    let report = report(
        receipt(&facts(), Some(&gated), Some(&summary), State::Quarantined, None),
        Some(&gated),
        Some(&summary),
    );
    insta::assert_snapshot!(json(&report));
}

#[test]
fn a_file_that_was_never_read_still_has_a_receipt() {
    let fault = FileFault::new(FaultCode::NoContract, "no visits.odcs.yaml", "a contract for the feed");
    let receipt = receipt(&facts(), None, None, State::Quarantined, Some(&fault));
    insta::assert_snapshot!(json(&receipt));
}
