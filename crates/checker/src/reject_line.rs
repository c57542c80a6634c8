//! One rejected record as one line of `rejects.ndjson`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::{Code, Contract, Severity, Violation};
use serde::Serialize;

use crate::{Reject, reason};

/// How many characters of a record that is not UTF-8 are shown next to its bytes.
const PREVIEW_CHARACTERS: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectLine<'a> {
    line: u64,
    record: u64,
    byte_offset: u64,
    violations: Vec<ListedViolation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<String>,
}

#[derive(Serialize)]
struct ListedViolation<'a> {
    column: Option<&'a str>,
    rule: &'a str,
    code: Code,
    severity: Severity,
    reason: String,
    expected: &'a str,
}

/// Appends one rejected record as one line of JSON: its position, what it broke, and the record as sent with all
/// its lines (up to the record size limit when it is above that), as `raw` or,
/// when it is not UTF-8, as `rawBase64` with a preview. Holds content: for the quarantine only.
pub fn write_reject_line(reject: &Reject<'_>, out: &mut Vec<u8>) {
    let raw = std::str::from_utf8(reject.raw).ok();
    let line = RejectLine {
        line: reject.position.line,
        record: reject.position.record,
        byte_offset: reject.position.offset,
        violations: reject.violations.iter().map(|violation| broken(reject.contract, violation)).collect(),
        raw,
        raw_base64: raw.is_none().then(|| STANDARD.encode(reject.raw)),
        preview: raw.is_none().then(|| preview(reject.raw)),
    };
    let before = out.len();
    match serde_json::to_writer(&mut *out, &line) {
        Ok(()) => out.push(b'\n'),
        // Text and numbers into memory cannot fail; half a line would spoil the file.
        Err(_) => out.truncate(before),
    }
}

fn broken<'a>(contract: &'a Contract, violation: &Violation) -> ListedViolation<'a> {
    let rule = contract.rule(violation.rule);
    ListedViolation {
        column: violation.column.map(|column| contract.column_name(column)),
        rule: &rule.id,
        code: rule.code,
        severity: rule.severity,
        reason: reason(contract, violation),
        expected: &rule.expected,
    }
}

fn preview(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).chars().take(PREVIEW_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use contract::{Found, Structure};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::Position;
    use crate::tests::contract;

    fn line_of(raw: &[u8]) -> Value {
        let contract = contract();
        let found = Found::Cells { cells: 4, columns: 3 };
        let violations = [Violation { rule: Structure::TooManyCells.index(), column: None, found }];
        let position = Position { record: 4, line: 9, offset: 80 };
        let reject = Reject {
            contract: &contract,
            labels: &[],
            position,
            raw,
            text: &[],
            cells: &[],
            violations: &violations,
        };
        let mut line = Vec::new();
        write_reject_line(&reject, &mut line);
        assert_eq!(line.pop(), Some(b'\n'));
        serde_json::from_slice(&line).expect("one line of JSON")
    }

    #[test]
    fn a_record_that_is_not_utf_8_keeps_its_bytes_and_shows_what_is_legible() {
        let line = line_of(b"1,M\xfcller\r\n");
        assert_eq!(line["rawBase64"], "MSxN/GxsZXINCg==");
        assert_eq!(line["preview"], "1,M\u{fffd}ller\r\n");
        assert_eq!(line.get("raw"), None);
        assert_eq!((&line["line"], &line["byteOffset"]), (&Value::from(9), &Value::from(80)));
    }

    #[test]
    fn a_preview_is_short_and_the_bytes_beside_it_are_all_of_them() {
        let line = line_of(&[0xff; 1_000]);
        assert_eq!(line["preview"].as_str().map(|text| text.chars().count()), Some(PREVIEW_CHARACTERS));
        let bytes = line["rawBase64"].as_str().and_then(|text| STANDARD.decode(text).ok());
        assert_eq!(bytes, Some(vec![0xff; 1_000]));
    }

    proptest! {
        #[test]
        fn every_record_reads_back_byte_for_byte(raw: Vec<u8>) {
            let line = line_of(&raw);
            let text = line["raw"].as_str().map(|text| text.as_bytes().to_vec());
            let bytes = line["rawBase64"].as_str().and_then(|text| STANDARD.decode(text).ok());
            prop_assert_eq!(text.or(bytes), Some(raw));
        }
    }
}
