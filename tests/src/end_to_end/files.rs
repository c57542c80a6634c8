//! What the tests drop: the contract of `fixtures/scans` and records that follow it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::repository::text;

/// The header of every CSV here.
pub(super) const HEADER: &str = "accession,patient,modality,scanned_on,dose,note\n";

/// Returns the contract as it stands: CSV, bad records rejected, good ones loaded, every version of a name kept.
pub(super) fn contract() -> String {
    text("tests/fixtures/scans/contract.odcs.yaml")
}

/// Returns the contract with one part replaced; the part must be there.
pub(super) fn contract_with(part: &str, by: &str) -> String {
    let contract = contract();
    assert!(contract.contains(part), "the contract has no `{part}`");
    contract.replace(part, by)
}

/// Good rows, numbered from `first`.
pub(super) fn csv(first: u32, rows: u32) -> String {
    let lines = (first..first + rows).map(|number| {
        let modality = ["CT", "MR", "US"][number as usize % 3];
        format!("AB{number:06},Patient {number},{modality},2026-03-{:02},{number}.25,\"seen, and \"\"well\"\"\"\n", number % 28 + 1)
    });
    HEADER.to_owned() + &lines.collect::<String>()
}

/// Returns the same rows as one JSON object each.
pub(super) fn json_records(first: u32, rows: u32) -> Vec<String> {
    let record = |number: u32| {
        format!(
            r#"{{"accession":"AB{number:06}","patient":"Patient {number}","modality":"CT","scanned_on":"2026-03-05","dose":{number}.25,"note":null}}"#
        )
    };
    (first..first + rows).map(record).collect()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compress");
    encoder.finish().expect("compress")
}

/// Returns the text of an object whose name says that it is compressed.
pub(super) fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(bytes), &mut text)
        .expect("gzip of UTF-8");
    text
}
