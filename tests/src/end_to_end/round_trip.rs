//! Rejects that partners correct with a small script and send back, by S3 and by the API.

use std::process::Command;

use serde_json::{Value, json};

use super::api::text;
use super::emulator::python;
use super::files::{contract_with, json_records};
use super::harness::Harness;
use super::outbox::S3Partner;

const ON_ERROR: &str = "{property: onError, value: continue, vendor: ingest}";

/// Corrects the dates of a table: file, encoding and delimiter are what the partner uses anyway.
const CORRECT_TABLE: &str = "
import csv, sys
source, target = sys.argv[1:]
with open(source, encoding='cp1252', newline='') as file:
    reader = csv.DictReader(file, delimiter=';')
    rows = list(reader)
with open(target, 'w', encoding='cp1252', newline='') as file:
    writer = csv.DictWriter(file, reader.fieldnames, delimiter=';')
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, 'scanned_on': '2026-03-09'})
";

/// Corrects the modality of JSON lines.
const CORRECT_LINES: &str = "
import json, sys
source, target = sys.argv[1:]
with open(source) as lines, open(target, 'w') as file:
    for line in lines:
        print(json.dumps({**json.loads(line), 'modality': 'MR'}), file=file)
";

/// Runs a partner's script over a file.
fn run(script: &str, rejects: &[u8]) -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!("round-trip-{}-{}", std::process::id(), script.len()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let [source, target] = ["rejects", "corrected"].map(|name| folder.join(name));
    std::fs::write(&source, rejects).expect("write the rejects");
    let python = Command::new(python()).args(["-c", script]).args([&source, &target]).output();
    let output = python.expect("start Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let corrected = std::fs::read(&target).expect("the corrected file");
    std::fs::remove_dir_all(&folder).expect("remove the folder");
    corrected
}

/// Files that wait for a correction.
async fn open_files(harness: &Harness) -> Vec<Value> {
    let entries = harness.ledger().await;
    entries.into_iter().filter_map(|item| item.get("open_for").map(|_| item["key"]["S"].clone())).collect()
}

#[tokio::test]
async fn corrected_rejects_come_back_by_s3_and_by_the_api_and_nothing_is_open() {
    let harness = Harness::open_with(&["Outbox=On".to_owned()]).await;
    let returned = format!("{ON_ERROR}\n      - {{property: returnRejects, value: true, vendor: ingest}}");
    let dialect = "format: csv\n    delimiter: \";\"\n    encoding: windows-1252";
    let tables = contract_with(ON_ERROR, &returned).replace("format: csv", dialect);
    harness.publish(&tables).await;
    harness.publish_feed("lines", &contract_with("format: csv", "format: json")).await;
    let north = S3Partner::add(&harness, "north");
    let west = harness.add_partner("west");

    let header = "accession;patient;modality;scanned_on;dose;note\r\n";
    let record =
        "AB000001;Zoë Müller;CT;soon;1.5;=1+1\r\nAB000002;\"Smith; Ann\";MR;later;2.5;\"two\r\nlines\"\r\n";
    let latin = |character| u8::try_from(character).expect("a character of Latin-1");
    let table: Vec<u8> = format!("{header}{record}").chars().map(latin).collect();
    let first = north.send(&harness, "scans/day.csv", table).await;
    assert_eq!((first.state(), first.fault()), ("QUARANTINED", "ERROR_BUDGET"));
    let document = json_records(0, 3).join(",\n").replace("\"CT\"", "\"XX\"");
    let sent = west.file("/v1/feeds/lines/files?name=day.json", format!("[{document}]").as_bytes());
    let file = text(&sent.json(), "id");
    assert_eq!(west.decided(&file)["state"], "QUARANTINED");
    assert_eq!(open_files(&harness).await.len(), 2);

    let receipt = north.receipt(&harness, "scans/day.csv").await;
    let rejects = north.read(&harness, receipt["rejects"].as_str().expect("rejects")).await;
    let back = north.send(&harness, "scans/day corrected.csv", run(CORRECT_TABLE, &rejects)).await;
    assert_eq!((back.state(), back.counts()), ("COMPLETE", [2, 2, 0]), "{}", back.fault());
    let receipt = north.receipt(&harness, "scans/day corrected.csv").await;
    assert_eq!(receipt["corrects"], json!(first.file()));

    let signed = west.get(&format!("/v1/files/{file}/rejects")).json();
    assert_eq!(signed["fileName"], json!(format!("{file}-rejects.ndjson")));
    let rejects = west.signed(&signed, b"");
    assert_eq!(rejects.header("content-type"), "application/x-ndjson; charset=utf-8");
    let corrected = run(CORRECT_LINES, &rejects.body);
    let sent = west.file(&format!("/v1/feeds/lines/files?corrects={file}"), &corrected);
    let status = west.decided(&text(&sent.json(), "id"));
    assert_eq!((&status["state"], &status["loaded"]), (&json!("COMPLETE"), &json!(3)), "{status}");

    assert_eq!(open_files(&harness).await, Vec::<Value>::new());
    let records = harness.records().await;
    let patients: Vec<_> = records.iter().filter_map(|record| record["patient"]["S"].as_str()).collect();
    assert_eq!(records.len(), 5);
    assert!(patients.contains(&"Zoë Müller") && patients.contains(&"Smith; Ann"), "{patients:?}");
    let notes: Vec<_> = records.iter().filter_map(|record| record.get("note")?["S"].as_str()).collect();
    assert!(notes.contains(&"=1+1") && notes.contains(&"two\r\nlines"), "{notes:?}");
    harness.settle().await;
}
