//! Hazards P1 and P3 to P16, and the properties of the reader.

use contract::{Dialect, Format, HeaderMatch, MissingColumn, Structure, UnknownColumn};
use proptest::prelude::*;

use crate::FaultCode;
use crate::fixture::{self, DIALECT, LIMITS, Owned, outline};

fn read(text: &[u8]) -> Vec<String> {
    let (items, end) = fixture::read(fixture::separated(&["a", "b"]), [text]);
    let mut lines = outline(&items);
    if let Err(fault) = end {
        lines.push(format!("{:?}@{}", fault.code, fault.line.unwrap_or_default()));
    }
    lines
}

fn read_as(dialect: Dialect, text: &[u8]) -> Vec<String> {
    outline(&fixture::read(fixture::contract(Format::Separated(dialect), &["a", "b"]), [text]).0)
}

#[test]
fn every_line_end_ends_a_line_and_the_last_row_needs_none() {
    let (items, _) = fixture::read(fixture::separated(&["a", "b"]), [&b"a,b\r\n1,2\r3,4\n\n\r\n\r5,6"[..]]);
    assert_eq!(outline(&items), ["1|2", "3|4", "5|6"]);
    let lines: Vec<u64> = items.iter().map(|item| item.line).collect();
    assert_eq!(lines, [2, 3, 7]);
    let offsets: Vec<u64> = items.iter().map(|item| item.offset).collect();
    assert_eq!(offsets, [5, 9, 17]);
}

#[test]
fn newlines_inside_quotes_count_as_lines_and_not_as_records() {
    let (items, _) = fixture::read(fixture::separated(&["a", "b"]), [&b"a,b\n\"x\r\ny\nz\",2\n3,4\n"[..]]);
    assert_eq!(outline(&items), ["x\r\ny\nz|2", "3|4"]);
    assert_eq!(items.iter().map(|item| (item.record, item.line)).collect::<Vec<_>>(), [(1, 2), (2, 5)]);
}

#[test]
fn empty_cells_are_null_quoted_or_not() {
    assert_eq!(read(b"a,b\n,\"\"\n"), ["~|~"]);
}

#[test]
fn doubled_quotes_are_one_quote() {
    assert_eq!(read(b"a,b\n\"say \"\"hi\"\"\",x\n\"\"\"\",\"y\"\n"), ["say \"hi\"|x", "\"|y"]);
}

#[test]
fn a_quote_inside_an_unquoted_cell_costs_its_line() {
    assert_eq!(read(b"a,b\n1,2\nx\"y,3\n4,5\n"), ["1|2", "Quoting@3", "4|5"]);
}

#[test]
fn text_behind_a_closing_quote_costs_its_line() {
    assert_eq!(read(b"a,b\n\"a\"b,1\n4,5\n"), ["AfterQuote@2", "4|5"]);
}

#[test]
fn an_unclosed_quote_at_the_end_quarantines_the_file_with_its_line() {
    assert_eq!(read(b"a,b\n1,2\n\"x\ny\",\"open\nrest"), ["1|2", "UnterminatedQuote@4"]);
}

#[test]
fn a_quoted_cell_may_have_any_number_of_lines() {
    for end in ["\n", "\r\n", "\r"] {
        let report = "Finding 7, normal".to_owned() + end;
        let text = ["a,b", "A1,\""].join(end) + end + &report.repeat(1_500) + "\"" + end + "A2,ok";
        let (items, fault) = fixture::read(fixture::separated(&["a", "b"]), text.as_bytes().chunks(999));
        assert!(fault.is_ok());
        assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [2, 1_504]);
        assert_eq!(items[0].texts()[1], end.to_owned() + &report.repeat(1_500));
        assert_eq!(items[1].texts(), ["A2", "ok"]);
    }
}

#[test]
fn excel_s_first_line_sets_the_delimiter_of_its_file() {
    assert_eq!(read(b"sep=;\r\na;b\r\n1,5;2\r\n"), ["1,5|2"]);
    assert_eq!(read(b"\"SEP=|\"\nb|a\n2|1\nx\n"), ["1|2", "TooFewCells@4"]);
    assert_eq!(read(b"sep=,\na,b\n1,2"), ["1|2"]);
    assert_eq!(read(b"sep=;\na,b\n1,2"), ["Header@2"]);
    let positional = Dialect { header: false, ..DIALECT };
    assert_eq!(read_as(positional, b"sep=;\n1;2\n"), ["1|2"]);
    let skipping = Dialect { skip_rows: 2, ..DIALECT };
    assert_eq!(read_as(skipping, b"sep=;\nmade by x\na;b\n1;2\n"), ["1|2"]);
    assert_eq!(read(b"a,b\nsep=;\n"), ["TooFewCells@2"]);
}

#[test]
fn a_delimiter_at_the_end_of_lines_is_no_cell() {
    assert_eq!(read(b"a,b\n1,2,\n3,,\n"), ["1|2", "3|~"]);
    assert_eq!(read(b"a,b,\n1,2\n3,4\n"), ["1|2", "3|4"]);
    assert_eq!(read(b"a,b,\n1,2,\n3,4,\n"), ["1|2", "3|4"]);
    assert_eq!(read(b"a,b\n1,2,\"\"\n"), ["1|2"]);
    let positional = Dialect { header: false, ..DIALECT };
    assert_eq!(read_as(positional, b"1,2,\r\n3,4,"), ["1|2", "3|4"]);
    let semicolon = Dialect { delimiter: b';', ..DIALECT };
    assert_eq!(read_as(semicolon, b"b;a;\n1;2;\n"), ["2|1"]);
}

#[test]
fn what_is_more_or_less_than_a_delimiter_at_the_end_is_a_ragged_record() {
    assert_eq!(read(b"a,b\n1,2,3\n1,2\n"), ["TooManyCells@2", "1|2"]);
    assert_eq!(
        read(b"a,b\n1,2,\n3,4,\n1,2\n1,2,3\n1,2,,\n"),
        ["1|2", "3|4", "TooFewCells@4", "TooManyCells@5", "TooManyCells@6"]
    );
    assert_eq!(read(b"a,b\n1,2\n1,2,\n"), ["1|2", "TooManyCells@3"]);
    assert_eq!(read(b"a,b,\n1,2,3\n1\n"), ["TooManyCells@2", "TooFewCells@3"]);
}

#[test]
fn a_first_record_that_alone_ends_in_a_delimiter_decides_nothing() {
    assert_eq!(read(b"a,b\nSmith,John,\n1,2\n3,4\n"), ["Smith|John", "Header@3"]);
    assert_eq!(read(b"a,b\n1,2,\n3,4,\n5,6\n7,8,\n"), ["1|2", "3|4", "TooFewCells@4", "7|8"]);
}

#[test]
fn a_delimiter_at_the_end_of_the_header_is_no_unknown_column() {
    let mut strict = fixture::separated(&["a", "b"]);
    strict.policy.unknown_column = UnknownColumn::Reject;
    let (items, end) = fixture::read(strict, [&b"a,b,\n1,2,\n"[..]]);
    assert_eq!(outline(&items), ["1|2"]);
    assert_eq!(end.map(|reader| reader.unknown_columns()).ok(), Some(0));
}

#[test]
fn a_header_among_the_records_is_rejected_and_the_marks_of_joined_files_are_dropped() {
    assert_eq!(
        read("a,b\n1,2\na,b\n3,4\n\u{feff}a,b\n\u{feff}5,6\n\u{1a}".as_bytes()),
        ["1|2", "RepeatedHeader@3", "3|4", "RepeatedHeader@5", "5|6"]
    );
    assert_eq!(read(b"a,b\n1,2\x1a\x1a"), ["1|2"]);
    assert_eq!(read(b"a,b\n1,2\n\x1a3,4\n"), ["1|2", "\u{1a}3|4"]);
}

#[test]
fn a_synonym_names_its_column_and_two_names_of_one_column_are_a_duplicate() {
    let contract = || {
        let mut contract = fixture::separated(&["a", "b"]);
        contract.columns[0].synonyms = vec!["MRN".to_owned(), "chart number".to_owned()];
        contract
    };
    assert_eq!(outline(&fixture::read(contract(), [&b"b,MRN\n1,2\n"[..]]).0), ["2|1"]);
    let (_, end) = fixture::read(contract(), [&b"b,MRN\n1,2\n"[..]]);
    assert_eq!(end.map(|reader| reader.labels().to_vec()).ok(), Some(vec!["b".to_owned(), "MRN".to_owned()]));
    for header in ["a,b,MRN\n", "MRN,b,chart number\n"] {
        let fault = fault_of(contract(), header.as_bytes());
        assert_eq!((fault.code, fault.column), (FaultCode::DuplicateColumn, Some(3)));
        assert_eq!(fault.found, "`a` in column 1 and again in column 3");
    }
    let mut loose = contract();
    loose.format = Format::Separated(Dialect { header_match: HeaderMatch::Loose, ..DIALECT });
    assert_eq!(outline(&fixture::read(loose, [&b"b,Chart  Number\n1,2\n"[..]]).0), ["2|1"]);
}

#[test]
fn ragged_rows_are_rejected_one_by_one() {
    assert_eq!(read(b"a,b\n1\n1,2,3\n4,5\n"), ["TooFewCells@2", "TooManyCells@3", "4|5"]);
}

#[test]
fn nul_and_invalid_text_cost_their_record() {
    assert_eq!(read(b"a,b\nx\0,1\n\xff,2\n\xc3\xa9,3\n"), ["Nul@2", "Encoding@3", "é|3"]);
}

#[test]
fn a_file_in_another_encoding_is_quarantined_as_a_whole() {
    let text = [&b"a,b\n"[..], &b"\xe9,1\n".repeat(50)].concat();
    let lines = read(&text);
    assert_eq!(lines.len(), 21);
    assert_eq!(lines.last().map(String::as_str), Some("Encoding@21"));
}

#[test]
fn a_few_invalid_records_among_many_do_not_quarantine_the_file() {
    let text = [&b"a,b\n"[..], &[&b"1,2\n".repeat(20)[..], b"\xe9,1\n"].concat().repeat(30)].concat();
    assert_eq!(read(&text).iter().filter(|line| line.starts_with("Encoding")).count(), 30);
}

#[test]
fn columns_are_found_by_name_in_any_order_beside_unknown_ones() {
    let (items, end) = fixture::read(fixture::separated(&["a", "b"]), [&b"x,b,a\n1,2,3\n"[..]]);
    assert_eq!(outline(&items), ["3|2"]);
    let reader = end.unwrap_or_else(|fault| panic!("{fault:?}"));
    assert_eq!(reader.labels(), ["x", "b", "a"]);
    assert_eq!(reader.unknown_columns(), 1);
}

fn fault_of(contract: contract::Contract, text: &[u8]) -> crate::FileFault {
    fixture::read(contract, [text]).1.err().expect("a fault")
}

#[test]
fn a_header_with_a_label_twice_is_rejected() {
    let fault = fault_of(fixture::separated(&["a", "b"]), b"a,b,a\n1,2,3\n");
    assert_eq!((fault.code, fault.column), (FaultCode::DuplicateColumn, Some(3)));
}

#[test]
fn a_header_without_a_column_is_rejected_unless_it_may_be_null() {
    let fault = fault_of(fixture::separated(&["a", "b"]), b"a\n1\n");
    assert_eq!(fault.code, FaultCode::MissingColumn);
    let mut lenient = fixture::separated(&["a", "b"]);
    lenient.policy.missing_column = MissingColumn::Null;
    assert_eq!(outline(&fixture::read(lenient, [&b"a\n1\n"[..]]).0), ["1|~"]);
    let mut required = fixture::separated(&["a", "b"]);
    required.policy.missing_column = MissingColumn::Null;
    required.columns[1].required = Some(contract::RuleIndex(0));
    assert_eq!(fault_of(required, b"a\n1\n").code, FaultCode::MissingColumn);
}

#[test]
fn an_unknown_column_is_rejected_when_the_contract_says_so() {
    let mut strict = fixture::separated(&["a", "b"]);
    strict.policy.unknown_column = UnknownColumn::Reject;
    let fault = fault_of(strict, b"a,secret,b\n");
    assert_eq!((fault.code, fault.column), (FaultCode::UnknownColumn, Some(2)));
    assert!(!format!("{fault:?}").contains("secret"));
}

#[test]
fn a_file_without_header_is_quarantined_and_its_first_row_not_shown() {
    let fault = fault_of(fixture::separated(&["a", "b"]), b"4711,Miller\n");
    assert_eq!((fault.code, fault.line), (FaultCode::Header, Some(1)));
    assert!(!format!("{fault:?}").contains("Miller"));
}

#[test]
fn another_delimiter_is_named_as_the_reason() {
    let fault = fault_of(fixture::separated(&["a", "b"]), b"a;b\n1;2\n");
    assert_eq!(fault.code, FaultCode::Header);
    assert!(fault.found.contains("semicolon"), "{}", fault.found);
}

#[test]
fn a_header_of_too_many_columns_is_rejected() {
    let text = vec![b','; 5_000];
    assert_eq!(fault_of(fixture::separated(&["a", "b"]), &text).code, FaultCode::TooManyColumns);
}

#[test]
fn a_label_that_differs_in_looks_only_is_named_by_the_contract_s_word() {
    let said = |columns: &[&str], header: &str| {
        let fault = fault_of(fixture::separated(columns), header.as_bytes());
        (fault.code, fault.column, fault.found, fault.expected)
    };
    let (code, column, found, expected) = said(&["id", "name"], "id, Name\n1,2\n");
    assert_eq!((code, column), (FaultCode::MissingColumn, Some(2)));
    assert_eq!(
        found,
        "a header without 1 of the contract's columns: `name`; column 2 matches `name` except for blanks and letter case"
    );
    assert_eq!(
        expected,
        "the columns `id`, `name`, or `headerMatch: loose` in the contract, which ignores such differences"
    );
    let (code, column, found, _) = said(&["id", "name"], "ID,na\u{200b}me\n");
    assert_eq!((code, column), (FaultCode::Header, Some(1)));
    assert_eq!(
        found,
        "2 columns, none of which the contract names; column 1 matches `id` except for letter case; column 2 matches \
         `name` except for invisible characters"
    );
    let many: Vec<String> = (0..9).map(|number| format!("c{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (.., found, _) = said(&many, &many.join(",").to_uppercase());
    assert!(found.ends_with("`c4` except for letter case; and 4 more"), "{found}");
    let mut lenient = fixture::separated(&["id", "name"]);
    lenient.policy.missing_column = MissingColumn::Null;
    assert_eq!(fault_of(lenient, b"id,NAME\n").code, FaultCode::MissingColumn);
    let mut synonym = fixture::separated(&["id", "b"]);
    synonym.columns[0].synonyms = vec!["M\u{fc}nze".to_owned()];
    let fault = fault_of(synonym, "Mu\u{308}nze ,b\n".as_bytes());
    assert!(fault.found.ends_with(
        "column 1 matches `M\u{fc}nze` except for blanks and the encoding of accents (NFC and NFD)"
    ));
}

#[test]
fn a_loose_header_ignores_case_and_blanks() {
    let loose = Dialect { header_match: HeaderMatch::Loose, ..DIALECT };
    assert_eq!(read_as(loose.clone(), b" B ,A\n1,2\n"), ["2|1"]);
    assert_eq!(read_as(loose, "B\u{a0},\u{200b}A\n1,2\n".as_bytes()), ["2|1"]);
}

#[test]
fn a_dialect_is_obeyed() {
    let positional = Dialect { header: false, ..DIALECT };
    assert_eq!(read_as(positional, b"1,2\n"), ["1|2"]);
    let odd = Dialect { delimiter: b';', quote: Some(b'\''), comment: Some(b'#'), skip_rows: 2, ..DIALECT };
    assert_eq!(read_as(odd, b"made by x\n\"\n#c\na;b\n# 'd\n'1;1';2\n"), ["1;1|2"]);
    let unquoted = Dialect { quote: None, ..DIALECT };
    assert_eq!(read_as(unquoted, b"a,b\n\"1,2\"\n"), ["\"1|2\""]);
    let trimmed = Dialect { trim: true, ..DIALECT };
    assert_eq!(read_as(trimmed, b"a,b\n 1\t, \" 2 \" \n  ,3\n"), ["1| 2 ", "~|3"]);
    let escaped = Dialect { escape: Some(b'\\'), double_quote: false, ..DIALECT };
    assert_eq!(read_as(escaped, b"a,b\n\"x\\\"y\",\"\\n\\\\\"\n"), ["x\"y|\\n\\"]);
}

#[test]
fn a_record_above_the_limit_is_cut_and_the_next_line_read() {
    let mut small = fixture::separated(&["a", "b"]);
    small.limits.record_bytes = 32;
    let text = [&b"a,b\n1,"[..], &[b'x'; 100], b"\n3,4\n"].concat();
    let (items, _) = fixture::read(small, [&text[..]]);
    assert_eq!(outline(&items), ["RecordBytes@2", "3|4"]);
    assert_eq!(items[0].raw.len(), 32);
    assert_eq!(items[1].line, 3);
}

#[test]
fn a_line_without_end_quarantines_the_file() {
    let mut small = fixture::separated(&["a", "b"]);
    small.limits.record_bytes = 32;
    let text = [&b"a,b\n1,"[..], &[b'x'; 1_000]].concat();
    assert_eq!(fault_of(small, &text).code, FaultCode::LineTooLong);
}

#[test]
fn a_formula_stays_as_it_is() {
    assert_eq!(read(b"a,b\n=1+1,@x\n"), ["=1+1|@x"]);
}

#[test]
fn a_header_alone_or_nothing_gives_no_records() {
    assert_eq!(read(b"a,b"), Vec::<String>::new());
    assert_eq!(read(b""), Vec::<String>::new());
}

/// Everything that is observable about a run.
fn run<'a>(limit: u32, blocks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Owned>, Option<crate::FileFault>) {
    let mut contract = fixture::separated(&["a", "b"]);
    contract.limits = contract::Limits { record_bytes: limit, ..LIMITS };
    let (items, end) = fixture::read(contract, blocks);
    (items, end.err())
}

/// Text that is nearly a CSV file.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(&b","[..]),
        Just(&b"\""[..]),
        Just(&b"\n"[..]),
        Just(&b"\r\n"[..]),
        Just(&b"\r"[..]),
        Just(&b"x"[..]),
        Just(&b"long text, "[..]),
        Just(&b"\"q\"\"q\""[..]),
        Just(&b"1,2\n"[..]),
        Just(&b"\xff"[..]),
        Just(&b"\0"[..]),
        Just(&b"\xc3\xa4"[..]),
        Just(&b" \"q\" "[..]),
        Just(&b"\n1,\"5\" disk\n"[..]),
        Just(&b"\xef\xbb\xbf"[..]),
        Just(&b"\x1a"[..]),
    ];
    let header = prop::sample::select(vec![&b"a,b\n"[..], b"a,b,\n", b"sep=,\r\na,b\r"]);
    (header, prop::collection::vec(token, 0..60))
        .prop_map(|(header, tokens)| [header, &tokens.concat()].concat())
}

proptest! {
    #[test]
    fn the_items_do_not_depend_on_the_blocks(text in nearly(), size in 1_usize..20, limit in 8_u32..80) {
        prop_assert_eq!(run(limit, text.chunks(size)), run(limit, [&text[..]]));
    }

    #[test]
    fn every_border_between_two_blocks_gives_the_same_items(text in nearly()) {
        let whole = run(1 << 20, [&text[..]]);
        for at in 0..text.len() {
            let (left, right) = text.split_at(at);
            prop_assert_eq!(&run(1 << 20, [left, right]), &whole);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(text in prop::collection::vec(any::<u8>(), 0..300), limit in 1_u32..100) {
        let (items, _) = run(limit, [&[&b"a,b\n"[..], &text].concat()[..]]);
        for (index, item) in items.iter().enumerate() {
            prop_assert_eq!(item.record, index as u64 + 1);
        }
    }

    #[test]
    fn lines_and_offsets_are_those_of_the_text(text in nearly()) {
        for item in run(1 << 20, [&text[..]]).0 {
            let offset = usize::try_from(item.offset).expect("small");
            prop_assert!(text[offset..].starts_with(&item.raw));
            prop_assert_eq!(item.line, crate::reader::line_ends(&text[..offset]) + 1);
            prop_assert!(item.broken != Some(Structure::Json));
        }
    }

    #[test]
    fn what_the_csv_crate_writes_is_read_back(
        rows in prop::collection::vec(("[ -~\n\r\u{e4}]{0,12}", "[ -~\n\r\u{20ac}]{0,12}"), 0..20),
        always in any::<bool>(),
    ) {
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new().quote_style(style).from_writer(Vec::new());
        writer.write_record(["a", "b"]).expect("memory");
        for (a, b) in &rows {
            writer.write_record([a, b]).expect("memory");
        }
        let text = writer.into_inner().expect("memory");
        let (items, fault) = run(1 << 20, [&text[..]]);
        prop_assert_eq!(fault, None);
        let shown = |cell: &String| if cell.is_empty() { "~".to_owned() } else { cell.clone() };
        let expected: Vec<Vec<String>> = rows.iter().map(|(a, b)| vec![shown(a), shown(b)]).collect();
        prop_assert_eq!(items.iter().map(Owned::texts).collect::<Vec<_>>(), expected);
    }
}
