//! Good files of every format become rows, each value as it was sent.

use serde_json::json;

use super::files::{HEADER, contract_with, csv, gzip, json_records};
use super::harness::Harness;

#[tokio::test]
async fn a_good_file_becomes_rows_with_every_value_as_sent() {
    let harness = Harness::open().await;
    let precise = "AB000001,Jane,MR,2026-02-28,12345678901234567.12345678901234567890,0042\n";
    let entry = harness.process("north/scans/day.csv", format!("{HEADER}{precise}")).await;
    assert_eq!((entry.state(), entry.counts()), ("COMPLETE", [1, 1, 0]));
    let records = harness.records().await;
    let record = &records[0];
    assert_eq!(record["pk"], json!({"S": "north/scans#AB000001"}));
    assert_eq!(record["note"], json!({"S": "0042"}), "leading zeros are kept");
    assert_eq!(record["dose"], json!({"N": "12345678901234567.1234567890123456789"}), "no digit is rounded");
    assert_eq!(record["scanned_on"], json!({"S": "2026-02-28"}));
    assert!(record["_load"]["S"].as_str().is_some_and(|load| load.starts_with(entry.file())));
    harness.settle().await;
}

#[tokio::test]
async fn one_percent_of_bad_rows_is_rejected_with_position_and_reason_and_the_rest_is_loaded() {
    let harness = Harness::open().await;
    let good = csv(0, 297);
    let bad =
        "AB1,Short Key,CT,2026-03-01,1,x\nAB900001,Ann,XX,2026-03-01,1,x\nAB900002,Bob,CT,2026-02-30,-1,x\n";
    let entry = harness.process("north/scans/day.csv", format!("{good}{bad}")).await;
    assert_eq!((entry.state(), entry.counts()), ("COMPLETE", [300, 297, 3]));
    assert_eq!(harness.records().await.len(), 297);

    let folder = entry.quarantine().to_owned();
    let rejects = super::files::gunzip(&harness.quarantined(&format!("{folder}/rejects.ndjson.gz")).await);
    assert_eq!(rejects.lines().count(), 3);
    let sheet =
        String::from_utf8(harness.quarantined(&format!("{folder}/rejects.csv")).await).expect("UTF-8");
    let mut lines = sheet.lines();
    assert_eq!(
        lines.next().map(str::trim_end),
        Some("accession,patient,modality,scanned_on,dose,note,_line,_column,_rule,_reason,_record,_file")
    );
    let rows: Vec<&str> = lines.collect();
    for (row, [line, rule]) in
        rows.iter().zip([["299", "accession.pattern"], ["300", "modality.enum"], ["301", "scanned_on."]])
    {
        assert!(row.contains(&format!(",{line},")) && row.contains(rule), "{row}");
    }
    assert!(harness.quarantine_names(&folder).await.contains(&"report.complete.json".to_owned()));
    let receipt = harness.receipt(&entry).await;
    assert!(receipt.to_string().contains("accession.pattern"), "{receipt}");
    harness.settle().await;
}

#[tokio::test]
async fn compressed_json_lines_and_a_json_array_load_the_same_rows() {
    let harness = Harness::open().await;
    harness.publish(&contract_with("format: csv", "format: ndjson")).await;
    let lines = json_records(0, 40).join("\n") + "\n";
    let first = harness.process("north/scans/day.ndjson.gz", gzip(lines.as_bytes())).await;
    assert_eq!((first.state(), first.counts()), ("COMPLETE", [40, 40, 0]));
    harness.settle().await;

    let other = Harness::open().await;
    other.publish(&contract_with("format: csv", "format: json")).await;
    let array = format!("[{}]", json_records(0, 40).join(","));
    let second = other.process("north/scans/day.json", array).await;
    assert_eq!((second.state(), second.counts()), ("COMPLETE", [40, 40, 0]));
    let values = |records: Vec<serde_json::Value>| -> Vec<_> {
        records
            .into_iter()
            .map(|record| (record["pk"].clone(), record["dose"].clone(), record["patient"].clone()))
            .collect()
    };
    assert_eq!(values(harness.records().await), values(other.records().await));
    other.settle().await;
}

#[tokio::test]
async fn an_announcement_names_the_file_its_state_and_its_receipt() {
    let harness = Harness::open().await;
    harness.scalper("partner add north");
    let entry = harness.process("north/scans/day.csv", csv(0, 3)).await;
    let announcement = harness.announcement(entry.file()).expect("an announcement");
    for (name, value) in
        [("partner", "north"), ("feed", "scans"), ("state", "COMPLETE"), ("verdict", "accepted")]
    {
        assert_eq!(announcement[name], value, "{announcement}");
    }
    assert_eq!(announcement["receipt"]["bucket"], harness.names.quarantine, "{announcement}");
    assert_eq!(announcement["receipt"]["key"], entry.receipt(), "{announcement}");
    let receipt = harness.receipt(&entry).await;
    assert_eq!(receipt["state"], "COMPLETE", "{receipt}");
    assert_eq!(receipt["counts"]["rows"], 3, "{receipt}");
    harness.settle().await;
}
