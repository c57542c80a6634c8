//! Hazards P4, P14, P16 and P24 to P28, and the properties of both readers.

use contract::{Format, UnknownColumn};
use proptest::prelude::*;

use crate::fixture::{self, Owned, outline};
use crate::reader::Reader;
use crate::{FaultCode, FileFault, SlotKind};

const COLUMNS: [&str; 3] = ["id", "name", "x y"];

fn document(path: &[&str]) -> Format {
    Format::Json { record_path: path.iter().map(|token| (*token).to_owned()).collect() }
}

fn shown((items, end): (Vec<Owned>, Result<Reader, FileFault>)) -> Vec<String> {
    let mut lines = outline(&items);
    if let Err(fault) = end {
        lines.push(format!("{:?}@{}", fault.code, fault.line.unwrap_or_default()));
    }
    lines
}

fn lines(text: &str) -> Vec<String> {
    shown(fixture::read(fixture::contract(Format::JsonLines, &COLUMNS), [text.as_bytes()]))
}

fn whole(path: &[&str], text: &str) -> Vec<String> {
    shown(fixture::read(fixture::contract(document(path), &COLUMNS), [text.as_bytes()]))
}

#[test]
fn fields_go_to_their_columns_in_any_order() {
    let text = "{\"id\":1,\"name\":\"a\",\"x y\":true}\n{ \"name\" : \"b\" , \"id\" : null }\r\n\n  \n{\"x y\":\"c\"}";
    assert_eq!(lines(text), ["1|a|true", "~|b|~", "~|~|c"]);
}

#[test]
fn kinds_and_source_digits_are_kept() {
    let text = r#"{"id":-12.3400E+05,"name":{"k":[1, 2]},"x y":[ ]}"#;
    let (items, _) = fixture::read(fixture::contract(Format::JsonLines, &COLUMNS), [text.as_bytes()]);
    let kinds: Vec<SlotKind> = items[0].slots.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [SlotKind::Number, SlotKind::Object, SlotKind::Array]);
    assert_eq!(items[0].texts(), ["-12.3400E+05", r#"{"k":[1, 2]}"#, "[ ]"]);
}

#[test]
fn escapes_are_resolved_also_in_names() {
    let text = r#"{"i\u0064":"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00","name":"plain"}"#;
    assert_eq!(lines(text), ["\"\\/\u{8}\u{c}\n\r\tä😀|plain|~"]);
}

#[test]
fn what_is_not_json_costs_its_line() {
    for bad in [
        "{",
        "{}x",
        "{\"id\":01}",
        "{\"id\":+1}",
        "{\"id\":.5}",
        "{\"id\":1.}",
        "{\"id\":1e}",
        "{\"id\":NaN}",
        "{\"id\":tru}",
        "{\"id\" 1}",
        "{\"id\":1,}",
        "{,}",
        "{id:1}",
        "{\"id\":[1,]}",
        "{\"id\":'a'}",
        "{\"id\":\"\t\"}",
        r#"{"id":"\x"}"#,
        r#"{"id":"\ud800"}"#,
        r#"{"id":"\udc00"}"#,
        r#"{"id":"\ud800\u0041"}"#,
        r#"{"id":"\u00g0"}"#,
        "{\"id\":\"open}",
        "{\"id\":{\"a\":1]}",
        "\u{a0}{}",
        "{\"id\":-}",
    ] {
        let text = format!("{{}}\n{bad}\n{{\"id\":2}}\n");
        assert_eq!(lines(&text), ["UnknownField@1", "Json@2", "2|~|~"], "{bad}");
    }
}

#[test]
fn a_last_line_that_was_cut_says_so() {
    assert_eq!(lines("{\"id\":1}\n{\"id\":2"), ["1|~|~", "Truncated@2"]);
    assert_eq!(lines("{\"id\":1}\n{\"id\":2\n"), ["1|~|~", "Json@2"]);
}

#[test]
fn a_record_that_is_no_object_is_rejected() {
    assert_eq!(
        lines("{}\n[1]\n\"a\"\n1\nnull\n"),
        ["UnknownField@1", "NotAnObject@2", "NotAnObject@3", "NotAnObject@4", "NotAnObject@5"]
    );
}

#[test]
fn a_field_twice_is_rejected_at_any_depth() {
    for bad in [
        r#"{"id":1,"id":2}"#,
        r#"{"id":1,"i\u0064":2}"#,
        r#"{"u":1,"id":1,"u":2}"#,
        r#"{"id":{"a":1,"b":{"c":1,"c":2}}}"#,
        r#"{"id":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"a":1}}"#,
    ] {
        assert_eq!(lines(&format!("{bad}\n")), ["DuplicateField@1"], "{bad}");
    }
    assert_eq!(lines(r#"{"id":{"a":{"a":1}},"u":{"id":1}}"#), [r#"{"a":{"a":1}}|~|~"#]);
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!("{{\"id\":{}{}}}\n", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(lines(&nested(31)).len(), 1);
    assert!(!lines(&nested(31))[0].starts_with("Depth"));
    assert_eq!(lines(&nested(32)), ["Depth@1"]);
    assert_eq!(lines(&nested(100_000)), ["Depth@1"]);
}

#[test]
fn nul_characters_are_rejected() {
    assert_eq!(
        lines("{\"id\":\"\\u0000\"}\n{\"u\":[\"\\u0000\"]}\n{\"id\":\"\0\"}\n"),
        ["Nul@1", "Nul@2", "Nul@3"]
    );
}

#[test]
fn a_record_without_any_field_of_the_contract_is_not_a_row() {
    assert_eq!(
        lines("{\"error\":\"bad gateway\"}\n{}\n{\"id\":null}\n")[..2],
        ["UnknownField@1", "UnknownField@2"]
    );
}

#[test]
fn unknown_fields_are_counted_or_rejected() {
    let text = "{\"id\":1,\"u\":{\"v\":1},\"w\":2}\n";
    let (_, end) = fixture::read(fixture::contract(Format::JsonLines, &COLUMNS), [text.as_bytes()]);
    assert_eq!(end.map(|reader| reader.unknown_columns()).ok(), Some(2));
    let mut strict = fixture::contract(Format::JsonLines, &COLUMNS);
    strict.policy.unknown_column = UnknownColumn::Reject;
    assert_eq!(shown(fixture::read(strict, [text.as_bytes()])), ["UnknownField@1"]);
}

#[test]
fn a_synonym_names_its_column_and_two_names_in_one_record_are_a_field_twice() {
    let contract = |format| {
        let mut contract = fixture::contract(format, &COLUMNS);
        contract.columns[0].synonyms = vec!["MRN".to_owned(), "chart no".to_owned()];
        contract
    };
    let text = "{\"name\":\"a\",\"MRN\":1}\n{\"chart no\":2}\n{\"id\":3}\n{\"MRN\":4,\"id\":4}\n{\"id\":5,\"chart no\":5}\n{\"MRN\":6,\"name\":\"b\"}\n";
    let expected = ["1|a|~", "2|~|~", "3|~|~", "DuplicateField@4", "DuplicateField@5", "6|b|~"];
    assert_eq!(shown(fixture::read(contract(Format::JsonLines), [text.as_bytes()])), expected);
    let array = format!("[{}]", text.trim_end().replace('\n', ",\n"));
    assert_eq!(shown(fixture::read(contract(document(&[])), [array.as_bytes()])), expected);
    let (_, end) = fixture::read(contract(Format::JsonLines), [text.as_bytes()]);
    assert_eq!(end.map(|reader| reader.unknown_columns()).ok(), Some(0));
}

#[test]
fn the_marks_of_joined_files_and_of_dos_are_dropped() {
    assert_eq!(lines("{\"id\":1}\n\u{feff}{\"id\":2}\n\u{1a}"), ["1|~|~", "2|~|~"]);
    assert_eq!(lines("{\"id\":1}\u{1a}"), ["1|~|~"]);
    assert_eq!(whole(&[], "[{\"id\":1}]\r\n\u{1a}"), ["1|~|~"]);
    assert_eq!(whole(&[], "[{\"id\":1}\u{1a}"), ["1|~|~", "Truncated@1"]);
}

#[test]
fn a_source_path_reaches_into_objects_and_arrays() {
    let mut contract = fixture::contract(Format::JsonLines, &COLUMNS);
    let path = |tokens: &[&str]| Some(tokens.iter().map(|token| (*token).to_owned()).collect());
    contract.columns[0].source_path = path(&["p", "id"]);
    contract.columns[1].source_path = path(&["p", "names", "1", "a"]);
    contract.columns[2].source_path = path(&["p"]);
    let text =
        "{\"p\":{\"names\":[0,{\"b\":1,\"a\":\"\\u0041\"}],\"id\":7}}\n{\"p\":{\"names\":[]}}\n{\"p\":3}\n";
    let expected =
        ["7|A|{\"names\":[0,{\"b\":1,\"a\":\"\\u0041\"}],\"id\":7}", "~|~|{\"names\":[]}", "~|~|3"];
    assert_eq!(shown(fixture::read(contract, [text.as_bytes()])), expected);
}

#[test]
fn a_document_where_lines_were_promised_is_one_fault() {
    assert_eq!(lines("[\n{\"id\":1}\n]\n"), ["Json@1"]);
    assert_eq!(lines("[{\"id\":1}]\n"), ["Json@1"]);
    assert_eq!(lines("\n{\n\"id\":1\n}\n"), ["Json@2"]);
}

#[test]
fn a_line_above_the_limit_is_cut_and_one_without_end_quarantines_the_file() {
    let mut small = fixture::contract(Format::JsonLines, &COLUMNS);
    small.limits.record_bytes = 16;
    let text = format!("{{\"name\":\"{}\"}}\n{{\"id\":1}}\n", "x".repeat(100));
    assert_eq!(shown(fixture::read(small, [text.as_bytes()])), ["RecordBytes@1", "1|~|~"]);
    let mut small = fixture::contract(Format::JsonLines, &COLUMNS);
    small.limits.record_bytes = 16;
    let text = "x".repeat(1_000);
    assert_eq!(shown(fixture::read(small, [text.as_bytes()])), ["RecordBytes@1", "LineTooLong@1"]);
}

#[test]
fn an_array_gives_its_elements_with_their_lines() {
    let text = "\n[ {\"id\":1},\r\n{\"id\":2\n},\r{\"id\":3}]\n";
    assert_eq!(whole(&[], text), ["1|~|~", "2|~|~", "3|~|~"]);
    let (items, _) = fixture::read(fixture::contract(document(&[]), &COLUMNS), text.as_bytes().chunks(1));
    assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [2, 3, 5]);
}

#[test]
fn one_object_is_one_record_and_an_empty_array_is_none() {
    assert_eq!(whole(&[], "{\"id\":1}"), ["1|~|~"]);
    assert_eq!(whole(&[], " [ ] "), Vec::<String>::new());
    assert_eq!(whole(&[], ""), Vec::<String>::new());
}

#[test]
fn records_are_found_at_the_record_path() {
    let text = r#"{"meta":{"data":[1]},"data":{"n":2,"items":[{"id":1},{"id":2}],"k":"]"},"z":null}"#;
    assert_eq!(whole(&["data", "items"], text), ["1|~|~", "2|~|~"]);
    assert_eq!(whole(&["meta", "items"], text), ["RecordPath@1"]);
    assert_eq!(whole(&["data", "n"], text), ["RecordPath@1"]);
    assert_eq!(whole(&["data"], r#"{"data":{"id":5}}"#), ["5|~|~"]);
    assert_eq!(whole(&["data"], r#"{"data":[],"data":[]}"#), ["Json@1"]);
}

#[test]
fn a_broken_element_that_ends_costs_one_record() {
    assert_eq!(
        whole(&[], "[{\"id\":01},\n{\"id\":[1}},\n5,{\"id\":2}]"),
        ["Json@1", "Json@2", "NotAnObject@3", "2|~|~"]
    );
}

#[test]
fn a_document_that_goes_wrong_between_records_is_rejected_at_the_line() {
    assert_eq!(whole(&[], "[{}\n{}]"), ["UnknownField@1", "Json@2"]);
    assert_eq!(whole(&[], "[{},\n]"), ["UnknownField@1", "Json@2"]);
    assert_eq!(whole(&[], "[{}]\n[]"), ["UnknownField@1", "Json@2"]);
    assert_eq!(whole(&[], "{}\n{}"), ["UnknownField@1", "Json@2"]);
    assert_eq!(whole(&[], "id,name\n"), ["Json@1"]);
    assert_eq!(whole(&[], "7"), ["Json@1"]);
}

#[test]
fn a_document_cut_anywhere_is_truncated() {
    let text = r#"{"data":[{"id":1},{"id":2}]}"#;
    for end in 1..text.len() {
        let (_, fault) =
            fixture::read(fixture::contract(document(&["data"]), &COLUMNS), [&text.as_bytes()[..end]]);
        assert_eq!(fault.err().map(|fault| fault.code), Some(FaultCode::Truncated), "cut at {end}");
    }
}

#[test]
fn an_element_above_the_limit_is_cut_and_the_next_read() {
    let mut small = fixture::contract(document(&[]), &COLUMNS);
    small.limits.record_bytes = 16;
    let text = format!("[{{\"name\":\"{}]\"}},{{\"id\":1}}]", "x".repeat(100));
    assert_eq!(shown(fixture::read(small, [text.as_bytes()])), ["RecordBytes@1", "1|~|~"]);
}

/// Text that is nearly JSON.
fn nearly(separator: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"id\"",
        "\"name\"",
        "\"u\"",
        "1",
        "-0.5e3",
        "01",
        "true",
        "null",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\"a\\n\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"",
        "\\",
        "{\"id\":1}",
        "{\"id\":{\"a\":[1,{}]},\"name\":\"x\"}",
        "ä",
        "\0",
        "{\"id\":\"a long enough text\"}",
        "[{\"id\":2},",
        "\u{7f}",
    ]);
    prop::collection::vec(token, 0..30).prop_map(move |tokens| tokens.join(separator).into_bytes())
}

/// Everything that is observable about a run.
fn run<'a>(
    format: Format,
    limit: u32,
    blocks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Owned>, Option<FileFault>, Option<u32>) {
    let mut contract = fixture::contract(format, &COLUMNS);
    contract.limits.record_bytes = limit;
    let (items, end) = fixture::read(contract, blocks);
    let unknown = end.as_ref().ok().map(Reader::unknown_columns);
    (items, end.err(), unknown)
}

proptest! {
    #[test]
    fn the_items_do_not_depend_on_the_blocks(
        text in nearly(""), size in 1_usize..12, limit in 4_u32..60, array in any::<bool>(), path in any::<bool>(),
    ) {
        let text = if array { [b"[{\"id\":1},", &text[..]].concat() } else { text };
        let path: &[&str] = if path { &["id"] } else { &[] };
        for format in [Format::JsonLines, document(path)] {
            prop_assert_eq!(run(format.clone(), limit, text.chunks(size)), run(format.clone(), limit, [&text[..]]));
            prop_assert_eq!(run(format.clone(), 999, text.chunks(size)), run(format, 999, [&text[..]]));
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(text in prop::collection::vec(any::<u8>(), 0..200), limit in 1_u32..50) {
        for format in [Format::JsonLines, document(&[]), document(&["id", "name"])] {
            run(format.clone(), limit, [&text[..]]);
            run(format, limit, [&[b"[{\"id\":", &text[..]].concat()[..]]);
        }
    }

    #[test]
    fn a_line_is_json_exactly_when_serde_json_says_so(text in nearly("")) {
        let line: Vec<u8> = text.into_iter().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
        let blank = line.iter().all(|byte| matches!(byte, b' '));
        let text = [b"{}\n", &line[..], b"\n"].concat();
        let (items, fault, _) = run(Format::JsonLines, 1 << 20, [&text[..]]);
        prop_assert_eq!(fault, None);
        prop_assert_eq!(items.len(), 2 - usize::from(blank));
        if let Some(item) = items.get(1) {
            let malformed = matches!(item.broken, Some(contract::Structure::Json | contract::Structure::Nul));
            prop_assert_eq!(malformed, serde_json::from_slice::<serde_json::Value>(&line).is_err());
        }
    }

    #[test]
    fn strings_and_numbers_come_back_as_serde_json_writes_them(
        rows in prop::collection::vec(("\\PC{0,20}|[\"\\\\\n\t/\u{1}-\u{20}]{0,9}", any::<i64>()), 0..9),
        pretty in any::<bool>(),
    ) {
        let values: Vec<serde_json::Value> =
            rows.iter().map(|(name, id)| serde_json::json!({"name": name, "id": id})).collect();
        let text = if pretty { serde_json::to_vec_pretty(&values) } else { serde_json::to_vec(&values) };
        let (items, fault, _) = run(document(&[]), 1 << 20, [&text.expect("memory")[..]]);
        prop_assert_eq!(fault, None);
        prop_assert_eq!(items.len(), rows.len());
        for (item, (name, id)) in items.iter().zip(&rows) {
            prop_assert_eq!(item.texts(), vec![id.to_string(), name.clone(), "~".to_owned()]);
        }
    }
}
