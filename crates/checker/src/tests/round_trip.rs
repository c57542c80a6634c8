//! Rejects that come back: uncorrected they are the same records with the same violations, corrected they are rows.

use std::sync::Arc;

use contract::{Contract, Dialect, Format, Structure, TextEncoding, UnknownColumn, reject_label};
use encoding_rs::{BIG5, Encoding, ISO_8859_2, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use proptest::prelude::*;

use super::{contract as base, run};
use crate::record::cell_text;
use crate::{ContentHash, FaultCode, FileCheck, Reject, RejectFile, Row, Sink, Summary};

const FILE: &str = "r78c69kajr602vj4sbw2tybqa0";
const OTHER: &str = "s78c69kajr602vj4sbw2tybqa0";

/// A rejected record without what depends on its place: the rules that it broke, and its cells or its text.
type Rejected = (Vec<String>, Vec<String>);

/// Writes rejects to a file and keeps them, and the rows.
struct Returning {
    file: Option<RejectFile>,
    bytes: Vec<u8>,
    rejects: Vec<Rejected>,
    rows: Vec<Vec<String>>,
}

/// Rules under which a record is compared by its text.
const BY_TEXT: [Structure; 10] = [
    Structure::Quoting,
    Structure::AfterQuote,
    Structure::UnterminatedQuote,
    Structure::TooFewCells,
    Structure::TooManyCells,
    Structure::RepeatedHeader,
    Structure::RecordBytes,
    Structure::Json,
    Structure::Truncated,
    Structure::NotAnObject,
];

impl Sink for Returning {
    fn row(&mut self, row: Row<'_>) {
        let record = row.record;
        let text = |slot| String::from_utf8_lossy(cell_text(record.text, slot)).into_owned();
        self.rows.push(record.slots.iter().map(|slot| text(*slot)).collect());
    }

    fn reject(&mut self, reject: Reject<'_>) {
        let rules = reject.violations.iter().map(|broken| {
            let id = reject.contract.rule(broken.rule).id.clone();
            // What follows a record decides between some rules: a last line was cut, a quote is closed on a later line.
            match id.as_str() {
                "record.truncated" => "record.json".to_owned(),
                "record.afterQuote" | "record.unterminatedQuote" => "record.quoting".to_owned(),
                _ => id,
            }
        });
        let is_whole = reject
            .violations
            .iter()
            .any(|broken| BY_TEXT.iter().any(|structure| structure.index() == broken.rule));
        let columns =
            if reject.labels.is_empty() { reject.contract.columns.len() } else { reject.labels.len() };
        let cells =
            reject.cells.iter().take(columns).map(|slot| text_of_bytes(cell_text(reject.text, *slot)));
        let is_cut = reject.violations.iter().any(|broken| broken.rule == Structure::RecordBytes.index());
        let shown = if is_cut {
            reject.raw.get(..20).into_iter().map(text_of_bytes).collect()
        } else if is_whole {
            vec![text_of_bytes(reject.raw)]
        } else {
            cells.collect()
        };
        self.rejects.push((rules.collect(), shown));
        if let Some(file) = &mut self.file {
            file.write(&reject, &mut self.bytes);
        }
    }
}

/// Both passes over a file; the second writes the rejects.
fn returned(contract: &Arc<Contract>, file: &[u8]) -> (Returning, Summary) {
    let piece = 1 + file.len() / 7;
    let mut check = FileCheck::new(Arc::clone(contract), [3; 16], ContentHash::Skipped);
    let first = run(&mut check, file, piece, &mut ());
    let writer = RejectFile::new(contract, &first.form, FILE);
    let mut kept = Returning { file: Some(writer), bytes: Vec::new(), rejects: Vec::new(), rows: Vec::new() };
    let second = run(&mut FileCheck::again(Arc::clone(contract), [3; 16], &first), file, 13, &mut kept);
    assert_eq!((second.counts, second.form), (first.counts, first.form));
    (kept, second)
}

/// Sends rejects back as they are. Returns what they were.
fn assert_same_again(contract: &Arc<Contract>, file: &[u8]) -> Returning {
    let (sent, first) = returned(contract, file);
    if sent.rejects.is_empty() {
        assert!(sent.bytes.is_empty());
        return sent;
    }
    let shown = || String::from_utf8_lossy(&sent.bytes).into_owned();
    let (again, summary) = returned(contract, &sent.bytes);
    assert_eq!(again.rejects, sent.rejects, "{:?} became {:?}", String::from_utf8_lossy(file), shown());
    assert_eq!(again.rows, Vec::<Vec<String>>::new(), "{}", shown());
    assert_eq!(summary.counts.records, summary.counts.rejects);
    assert!(summary.fault.is_some(), "{}", shown());
    if contract.format.has_text_cells() {
        assert_eq!(summary.unknown_columns, first.unknown_columns);
    }
    sent
}

/// The contract of the columns `id` (required), `count` (integer) and `note`, without a key.
fn feed(format: Format, encoding: Option<&'static Encoding>) -> Contract {
    let encoding = encoding.map(TextEncoding);
    Contract { format, encoding, primary_key: Vec::new(), ..base() }
}

fn encode(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    match encoding {
        _ if encoding == UTF_16LE => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ if encoding == UTF_16BE => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => encoding.encode(text).0.into_owned(),
    }
}

/// How a file is encoded, and what its contract declares.
#[derive(Clone, Copy, Debug)]
struct Encoded {
    is: &'static Encoding,
    declared: Option<&'static Encoding>,
    mark: bool,
}

impl Encoded {
    fn write(self, text: &str) -> Vec<u8> {
        encode(self.is, &format!("{}{text}", if self.mark { "\u{feff}" } else { "" }))
    }
}

fn encodings() -> impl Strategy<Value = Encoded> {
    let of = |is, declared, mark| Encoded { is, declared, mark };
    prop::sample::select(vec![
        of(UTF_8, None, false),
        of(UTF_8, None, true),
        of(UTF_8, Some(WINDOWS_1252), true),
        of(WINDOWS_1252, Some(WINDOWS_1252), false),
        of(ISO_8859_2, Some(ISO_8859_2), false),
        of(UTF_16LE, None, true),
        of(UTF_16BE, None, true),
        of(UTF_16LE, Some(UTF_16LE), false),
        of(SHIFT_JIS, Some(SHIFT_JIS), false),
        of(BIG5, Some(BIG5), false),
    ])
}

prop_compose! {
    fn dialects()(
        header in prop::bool::weighted(0.7),
        delimiter in prop::sample::select(b",;\t|".to_vec()),
        quote in prop::sample::select(vec![Some(b'"'), Some(b'"'), Some(b'\''), None]),
        escape in prop::sample::select(vec![None, None, Some(b'\\')]),
        double_quote in prop::bool::weighted(0.8),
        comment in prop::sample::select(vec![None, Some(b'#')]),
        trim: bool,
        skip_rows in prop::sample::select(vec![0, 0, 1, 3]),
    ) -> Dialect {
        Dialect { header, delimiter, quote, escape, double_quote, comment, trim, skip_rows, ..Dialect::default() }
    }
}

/// Text of a file: skipped lines, a header unless there is none, and lines as broken as they may be.
fn text_of(dialect: &Dialect, lines: &[String], end: &str, sep: Option<char>) -> String {
    let delimiter = sep.unwrap_or(char::from(dialect.delimiter)).to_string();
    let mut all: Vec<String> = sep.map(|sep| format!("sep={sep}")).into_iter().collect();
    while all.len() < dialect.skip_rows as usize {
        all.push("made by x".to_owned());
    }
    if dialect.header {
        all.push(["note", "id", "more", "count"].join(&delimiter));
    }
    all.extend(lines.iter().map(|line| line.replace('&', &delimiter)));
    all.join(end)
}

/// A line with `&` for the delimiter. Most have the right number of cells.
fn lines(columns: usize) -> impl Strategy<Value = Vec<String>> {
    let cell = prop_oneof![
        4 => "[a-e0-9#=@%+. é-]{0,5}",
        1 => "\"([a-c\\\\\n&]|\"\"){0,5}\"",
        1 => "'([a-c\\\\&]|''){0,5}'",
        1 => "[a-c\"'\\\\ #\u{feff}]{0,4}",
    ];
    let number = prop::sample::select(vec![columns, columns, columns, columns, columns + 1, columns - 1, 1]);
    let line = number
        .prop_flat_map(move |number| prop::collection::vec(cell.clone(), number))
        .prop_map(|cells| cells.join("&"));
    prop::collection::vec(line, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn rejects_of_a_separated_feed_come_back_the_same(
        dialect in dialects(),
        encoded in encodings(),
        (with_header, without) in (lines(4), lines(3)),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        sep in prop::sample::select(vec![None, None, None, Some(';'), Some('|')]),
        ends_in_delimiter in prop::bool::weighted(0.2),
        record_bytes in prop::sample::select(vec![64_u32, 1 << 20]),
    ) {
        let mut lines = if dialect.header { with_header } else { without };
        if ends_in_delimiter {
            for line in &mut lines {
                line.push('&');
            }
        }
        let file = encoded.write(&text_of(&dialect, &lines, end, sep));
        let mut contract = feed(Format::Separated(dialect), encoded.declared);
        contract.limits.record_bytes = record_bytes;
        assert_same_again(&Arc::new(contract), &file);
    }

    #[test]
    fn rejects_of_a_json_feed_come_back_the_same(
        is_document: bool,
        encoded in encodings(),
        records in prop::collection::vec(prop_oneof![
            3 => r#"\{"id":("[a-cé]{0,3}"|null|1|\[1,2\]),"count":("x"|1|-5|\{"a":"b"\}),"more" ?: ?"[a-c]{0,3}"\}"#,
            1 => r#"\{"id":"a","i\\u0064":"b"\}|\{\}|\{"else":[1]\}|\[1\]|"text"|7|\{"id":"\\u0000"\}"#,
            1 => r#"\{"id":"[a-c"\\]{0,4}",?\}"#,
        ], 1..8),
        record_bytes in prop::sample::select(vec![32_u32, 1 << 20]),
    ) {
        let text = if is_document {
            // The document must hold together, whatever its records are.
            let sound: Vec<_> = records.iter().filter(|record| contract::json::check_names(record.as_bytes(), 9).is_ok()).cloned().collect();
            format!("[\n{}\n]", sound.join(",\r\n").replace("\",\"", "\",\n \""))
        } else {
            records.join("\n") + "\n"
        };
        let format = if is_document { Format::Json { record_path: Vec::new() } } else { Format::JsonLines };
        let mut contract = feed(format, encoded.declared);
        contract.limits.record_bytes = record_bytes;
        assert_same_again(&Arc::new(contract), &encoded.write(&text));
    }

    #[test]
    fn corrected_rejects_are_rows_with_the_cells_that_came(
        dialect in dialects(),
        encoded in encodings(),
        notes in prop::collection::vec("[a-e0-9#=@%+é\"'\\\\,;|\n-][a-e0-9#=@%+é\"'\\\\,;| \n-]{0,4}[a-e=+]", 1..8),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        let lacks = encoded.is.encode("é").2;
        let known = |note: &String| if lacks { note.replace('é', "") } else { note.clone() };
        let fitted = |note: &String| fitting(&known(note), &dialect).trim().to_owned();
        let notes: Vec<String> = notes.iter().map(fitted).collect();
        let labels = ["id", "count", "note"].map(str::to_owned).to_vec();
        let mut lines = if dialect.header { vec![labels] } else { Vec::new() };
        lines.extend(notes.iter().map(|note| vec!["A1".to_owned(), "WRONG".to_owned(), note.clone()]));
        let written: Vec<String> = lines.iter().map(|cells| line_of(cells, &dialect)).collect();
        let skipped = "made by x\n".repeat(dialect.skip_rows as usize).replace('\n', end);
        let file = encoded.write(&(skipped + &written.join(end)));
        let contract = Arc::new(feed(Format::Separated(dialect), encoded.declared));
        let sent = assert_same_again(&contract, &file);
        prop_assert_eq!(sent.rejects.len(), notes.len());
        // The text is found and replaced as its bytes, whatever the encoding.
        let is = if encoded.is.is_single_byte() || [UTF_16LE, UTF_16BE].contains(&encoded.is) { encoded.is } else { UTF_8 };
        let (wrong, right) = (encode(is, "WRONG"), encode(is, "00042"));
        let mut corrected = sent.bytes.clone();
        while let Some(at) = memchr::memmem::find(&corrected, &wrong) {
            corrected.splice(at..at + wrong.len(), right.iter().copied());
        }
        let (again, summary) = returned(&contract, &corrected);
        let rows: Vec<_> = notes.into_iter().map(|note| vec!["A1".to_owned(), "00042".to_owned(), note]).collect();
        prop_assert_eq!((summary.fault, again.rejects), (None, Vec::new()));
        prop_assert_eq!(again.rows, rows);
        prop_assert_eq!(summary.corrects.map(|file| file.to_string()), Some(FILE.to_owned()));
    }
}

/// Returns the text without what the dialect cannot write.
fn fitting(text: &str, dialect: &Dialect) -> String {
    let can_quote = dialect.quote.is_some();
    let can_escape = dialect.double_quote || dialect.escape.is_some();
    text.chars()
        .filter(|character| {
            let byte = u8::try_from(*character).unwrap_or(b'x');
            let is_special = byte == dialect.delimiter || byte == b'\n';
            let is_quote = Some(byte) == dialect.quote;
            (can_quote || !is_special) && (can_escape || !is_quote)
        })
        .collect()
}

/// Writes a line with each cell in quotes, where there are any.
fn line_of(cells: &[String], dialect: &Dialect) -> String {
    let cell = |cell: &String| {
        let Some(quote) = dialect.quote.map(char::from) else { return cell.clone() };
        let escape = dialect.escape.map(char::from);
        let mut text = quote.to_string();
        for character in cell.chars() {
            match escape {
                Some(escape) if character == quote || character == escape => text.push(escape),
                None if character == quote => text.push(quote),
                _ => {}
            }
            text.push(character);
        }
        text.push(quote);
        text
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(&char::from(dialect.delimiter).to_string())
}

fn text(contract: Contract, file: &str) -> String {
    let (sent, _) = returned(&Arc::new(contract), file.as_bytes());
    String::from_utf8(sent.bytes).expect("UTF-8")
}

#[test]
fn a_table_has_the_dialect_of_its_feed() {
    let semicolons = Dialect { delimiter: b';', skip_rows: 1, ..Dialect::default() };
    let file = "export\r\nnote;count;id\r\n\"a;b\";x;1\r\n=1+1;3;\r\n1;2\r\n";
    insta::assert_snapshot!(text(feed(Format::Separated(semicolons), None), file).replace('\r', "␍"));
    let positional = Dialect { header: false, quote: None, ..Dialect::default() };
    insta::assert_snapshot!(text(feed(Format::Separated(positional), None), "1,x,%\n2,3\n"));
}

#[test]
fn objects_have_their_own_members_as_they_came() {
    let file = "{\"id\": \"a\", \"count\": 1e400, \"else\": {\"x\":[1, 2]}}\n{\"id\":\"b\"\n{\"count\":1}\n";
    insta::assert_snapshot!(text(feed(Format::JsonLines, None), file));
    let pretty = "{\"data\":[{\n  \"id\": null,\n  \"count\": 1\n}]}";
    insta::assert_snapshot!(text(feed(Format::Json { record_path: vec!["data".to_owned()] }, None), pretty));
}

fn corrected(contract: Contract, file: &str) -> (Option<(FaultCode, String)>, Option<String>, usize) {
    let (sent, summary) = returned(&Arc::new(contract), file.as_bytes());
    let fault = summary.fault.map(|fault| (fault.code, fault.found));
    (fault, summary.corrects.map(|file| file.to_string()), sent.rows.len())
}

#[test]
fn all_records_of_a_file_name_the_file_that_they_correct() {
    let strict = |format| {
        let mut contract = feed(format, None);
        contract.policy.unknown_column = UnknownColumn::Reject;
        contract
    };
    let csv = || strict(Format::Separated(Dialect::default()));
    let lines = || strict(Format::JsonLines);
    let document = || strict(Format::Json { record_path: vec!["data".to_owned()] });
    let good = format!("_file,id,_line,count,note\n{FILE},a,9,1,x\n{FILE},b,,2,\n");
    assert_eq!(corrected(csv(), &good), (None, Some(FILE.to_owned()), 2));
    let no_file = "id,_line,count,note,_rule\na,9,1,x,y\n";
    assert_eq!(corrected(csv(), no_file), (None, None, 1));
    let fault =
        |file: &str, contract| corrected(contract, file).0.map(|(code, found)| (code.as_str(), found));
    let told = |found: &str| Some(("CORRECTION", found.to_owned()));
    let two = "two different file ids in `_file`";
    assert_eq!(fault(&format!("id,count,note,_file\na,1,x,{FILE}\nb,1,x,{OTHER}\n"), csv()), told(two));
    let none = "a `_file` that is not a file id";
    assert_eq!(fault(&format!("id,count,note,_file\na,1,x,{FILE}\nb,1,x,\n"), csv()), told(none));
    assert_eq!(fault("id,count,note,_file\na,1,x,scan.csv\n", csv()), told(none));

    let object = |id: &str, file: &str| format!("{{\"_file\":\"{file}\",\"id\":\"{id}\",\"_line\":3}}\n");
    let good = object("a", FILE) + &object("b", FILE);
    assert_eq!(corrected(lines(), &good), (None, Some(FILE.to_owned()), 2));
    assert_eq!(corrected(document(), &good), (None, Some(FILE.to_owned()), 2));
    let array = format!("{{\"data\":[{},{}]}}", object("a", FILE).trim(), object("b", FILE).trim());
    assert_eq!(corrected(document(), &array), (None, Some(FILE.to_owned()), 2));
    let contracts: [&dyn Fn() -> Contract; 2] = [&lines, &document];
    for contract in contracts {
        assert_eq!(fault(&(object("a", FILE) + &object("b", OTHER)), contract()), told(two));
        let mixed = told("records with and without `_file`");
        assert_eq!(fault(&(object("a", FILE) + "{\"id\":\"b\"}\n"), contract()), mixed);
        assert_eq!(fault("{\"_file\":7,\"id\":\"b\"}\n", contract()), told(none));
    }
    assert_eq!(
        fault(&("{\"id\":\"b\"}\n".to_owned() + &object("a", FILE)), lines()),
        told("records with and without `_file`")
    );
}

#[test]
fn a_column_that_is_not_of_the_rejects_is_as_unknown_as_ever() {
    let mut strict = feed(Format::Separated(Dialect::default()), None);
    strict.policy.unknown_column = UnknownColumn::Reject;
    let (fault, ..) = corrected(strict, &format!("id,count,note,_file,_other\na,1,x,{FILE},y\n"));
    assert_eq!(fault.map(|(code, _)| code), Some(FaultCode::UnknownColumn));
    let lenient = feed(Format::Separated(Dialect::default()), None);
    let (_, summary) =
        returned(&Arc::new(lenient), format!("id,count,note,_file,_other\na,1,x,{FILE},y\n").as_bytes());
    assert_eq!((summary.fault, summary.unknown_columns), (None, 1));
    assert_eq!(reject_label::ALL.len(), 6);
}

#[test]
fn a_record_at_the_size_limit_comes_back_within_it() {
    let mut small = feed(Format::Separated(Dialect::default()), None);
    small.limits.record_bytes = 40;
    let full = format!("a,x,{}", "n".repeat(36));
    let over = format!("a,x,{}", "n".repeat(37));
    let (sent, _) = returned(&Arc::new(small), format!("id,count,note\n{full}\n{over}\n").as_bytes());
    let rules: Vec<_> = sent.rejects.iter().map(|(rules, _)| rules.join(" ")).collect();
    assert_eq!(rules, ["count.type note.maxLength", "record.bytes"]);
    let mut small = feed(Format::Separated(Dialect::default()), None);
    small.limits.record_bytes = 40;
    assert_same_again(&Arc::new(small), format!("id,count,note\n{full}\n{over}\n").as_bytes());
}

fn text_of_bytes(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
