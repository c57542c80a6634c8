//! What stays of a rejected record, and which files are empty.

use contract::{Contract, EmptyFile};

use super::{contract, pass, run};
use crate::{ContentHash, FaultCode, FileCheck, FileForm, Reject, RejectFile, Row, Sink, write_reject_line};

/// Both reject files.
#[derive(Default)]
struct KeptRejects {
    table: Option<RejectFile>,
    cells: Vec<u8>,
    lines: Vec<u8>,
}

impl Sink for KeptRejects {
    fn row(&mut self, _: Row<'_>) {}

    fn reject(&mut self, reject: Reject<'_>) {
        let form = FileForm::declared(reject.contract);
        let table = self.table.get_or_insert_with(|| RejectFile::new(reject.contract, &form, "f"));
        table.write(&reject, &mut self.cells);
        write_reject_line(&reject, &mut self.lines);
    }
}

/// The first three cells and `_record` of each line of `rejects.csv`, and each `raw` of `rejects.ndjson`.
fn rejects(contract: Contract, file: &str) -> (Vec<Vec<String>>, Vec<String>) {
    let mut rejects = KeptRejects::default();
    run(
        &mut FileCheck::new(contract.into(), [3; 16], ContentHash::Skipped),
        file.as_bytes(),
        11,
        &mut rejects,
    );
    let mut reader = csv::Reader::from_reader(rejects.cells.as_slice());
    let cells = reader.records().map(|record| {
        let record = record.expect("a table");
        record.iter().take(3).chain(record.get(7)).map(str::to_owned).collect()
    });
    let lines = serde_json::Deserializer::from_slice(&rejects.lines).into_iter::<serde_json::Value>();
    let raw = lines.map(|line| line.expect("JSON")["raw"].as_str().expect("text").to_owned());
    (cells.collect(), raw.collect())
}

#[test]
fn a_record_with_a_stray_quote_is_kept_whole_in_both_reject_files() {
    let records =
        ["\"B3\",\"Mi\"d\",\"p\"", "1, \"x, y\",z", "2,\"say \"yes\"\n3,4,5\nplease\",z", "6,5\" disk,z"];
    let file = format!("id,count,note\n{}\n7,8,9\n", records.join("\n"));
    let (cells, raw) = rejects(contract(), &file);
    assert_eq!(raw, records);
    assert_eq!(cells, records.map(|record| ["", "", "", record]));
}

#[test]
fn a_ragged_record_is_kept_whole_and_a_delimiter_at_the_end_of_another_is_none() {
    let (cells, raw) = rejects(contract(), "id,count,note\na,x,\"1, 2\",\nb,2\nc,3,\"4\",\"5, 6\"\n");
    assert_eq!(cells, [["a", "x", "1, 2", ""], ["", "", "", raw[1].as_str()], ["", "", "", raw[2].as_str()]]);
    assert_eq!(raw, ["a,x,\"1, 2\",", "b,2", "c,3,\"4\",\"5, 6\""]);
}

#[test]
fn a_record_above_the_size_limit_is_kept_up_to_the_limit() {
    let mut small = contract();
    small.limits.record_bytes = 32;
    let (cells, raw) = rejects(small, &format!("id,count,note\na,1,\"{}\"\nb,2,c\n", "text\n".repeat(20)));
    assert_eq!(raw, [format!("a,1,\"{}text\nte", "text\n".repeat(4))]);
    assert_eq!(cells, [["", "", "", &format!("{} ...", raw[0])]]);
}

#[test]
fn a_file_without_header_and_record_is_empty() {
    let marks = ["", "\u{feff}", "\n", "\r\n\r\n", "\r", " \n\t\n", "\u{feff}\n", "\u{1a}", "\n\u{1a}"];
    for text in marks {
        for chosen in [EmptyFile::RejectZeroBytes, EmptyFile::Reject, EmptyFile::Accept] {
            let formats = ["csv", "headerless", "ndjson", "json"];
            for format in formats {
                let mut contract = formatted(format);
                contract.policy.empty_file = chosen;
                let (_, summary) = pass(contract, text.as_bytes());
                let fault = (chosen != EmptyFile::Accept).then_some(FaultCode::Empty);
                let blank_record = format == "headerless" && text == " \n\t\n";
                if !blank_record {
                    assert_eq!(summary.fault.map(|fault| fault.code), fault, "{text:?} as {format}");
                }
            }
        }
    }
}

#[test]
fn comments_and_skipped_lines_are_no_content_and_a_header_is() {
    let mut commented = formatted("csv");
    if let contract::Format::Separated(dialect) = &mut commented.format {
        (dialect.comment, dialect.skip_rows) = (Some(b'#'), 1);
    }
    let (_, summary) = pass(commented, b"made by x\n# nothing today\n\n#");
    assert_eq!(summary.fault.map(|fault| fault.code), Some(FaultCode::Empty));
    let (_, summary) = pass(formatted("csv"), b"sep=,\n");
    assert_eq!(summary.fault.map(|fault| fault.code), Some(FaultCode::Empty));
    for (format, text) in [("csv", "id,count,note\n"), ("json", "[]"), ("json", "[\n]\u{1a}")] {
        assert_eq!(pass(formatted(format), text.as_bytes()).1.fault, None, "{text:?}");
        let mut strict = formatted(format);
        strict.policy.empty_file = EmptyFile::Reject;
        let (_, summary) = pass(strict, text.as_bytes());
        assert_eq!(summary.fault.map(|fault| fault.code), Some(FaultCode::Empty), "{text:?}");
    }
}

#[test]
fn the_encoding_and_compression_of_a_file_change_nothing_of_its_records() {
    let report = "Finding 7, normal\r\n".repeat(1_500);
    let text = format!("sep=;\r\nid;count;note;\r\nA1;1;\"{report}\";\r\nA2;2;ok;\r\n\u{1a}");
    let wide: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, text.as_bytes()).expect("memory");
    for file in [text.into_bytes(), wide, packed.finish().expect("memory")] {
        let (kept, summary) = pass(contract(), &file);
        let keys: Vec<_> = kept.rows.into_iter().map(|(_, key)| key.unwrap_or_default()).collect();
        assert_eq!((keys, summary.fault), (vec!["A1".to_owned(), "A2".to_owned()], None));
    }
}

fn formatted(name: &str) -> Contract {
    let mut contract = contract();
    match (name, &mut contract.format) {
        ("headerless", contract::Format::Separated(dialect)) => dialect.header = false,
        ("ndjson", format) => *format = contract::Format::JsonLines,
        ("json", format) => *format = contract::Format::Json { record_path: Vec::new() },
        _ => {}
    }
    contract
}
