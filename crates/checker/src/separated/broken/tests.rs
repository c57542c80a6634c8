//! No line of a cell becomes a record, whatever is wrong with the quotes of the cell.

use contract::{Dialect, Format, Structure};
use proptest::prelude::*;

use crate::fixture::{self, DIALECT, Owned};
use crate::reader::Reader;
use crate::{FaultCode, FileFault};

const WIDTH: usize = 3;

fn read(text: &str) -> (Vec<Owned>, Result<Reader, FileFault>) {
    fixture::read(fixture::separated(&["a", "b", "c"]), [["a,b,c\n", text].concat().as_bytes()])
}

/// Each row as its cells, each reject as its bytes, and the fault.
fn shown(text: &str) -> Vec<String> {
    let (items, end) = read(text);
    let item = |item: &Owned| match item.broken {
        None => item.texts().join("|"),
        Some(_) => format!("!{}", String::from_utf8_lossy(&item.raw)),
    };
    let mut shown: Vec<String> = items.iter().map(item).collect();
    shown.extend(end.err().map(|fault| format!("{:?}@{}", fault.code, fault.line.unwrap_or_default())));
    shown
}

#[test]
fn blanks_behind_the_quote_that_closes_a_cell_of_several_lines_cost_one_record() {
    for blank in [" ", "\t", "  "] {
        let record = format!("1,2,\"x\nl,e,ak\nz\"{blank}");
        let text = format!("7,8,9\n{record}\n4,5,6\n");
        assert_eq!(shown(&text), ["7|8|9", &format!("!{record}"), "4|5|6"], "{blank:?}");
    }
}

#[test]
fn quotes_behind_backslashes_are_text_of_a_broken_cell() {
    for cell in ["x \\\"b\\\"\nl,e,ak\nz", "\\\"b\\\"\nl,e,ak\n\\\"z\\\" y", "x \\\"b\\\",\nl,e,ak\nz"] {
        let record = format!("1,2,\"{cell}\"");
        let text = format!("7,8,9\n{record}\n4,5,6\n");
        assert_eq!(shown(&text), ["7|8|9", &format!("!{record}"), "4|5|6"], "{cell}");
    }
    assert_eq!(shown("1,\"a \\\"b\\\" c\",3\n4,5,6\n")[1..], ["4|5|6"], "on one line");
}

#[test]
fn a_broken_cell_longer_than_a_record_may_be_gives_no_line_of_it() {
    let lines = "l,e,ak\n".repeat(40);
    let text = format!("a,b,c\n1,2,\"x \"b\" \n{lines}\"\n4,5,6\n");
    let mut contract = fixture::separated(&["a", "b", "c"]);
    contract.limits.record_bytes = 64;
    let (items, end) = fixture::read(contract, [text.as_bytes()]);
    assert!(items.iter().all(|item| item.broken.is_some()), "no row");
    assert_eq!(
        end.err().map(|fault| (fault.code, fault.line)),
        Some((FaultCode::UnterminatedQuote, Some(2)))
    );
}

#[test]
fn a_quote_that_is_not_doubled_costs_its_record_on_one_line() {
    for record in [
        "\"B3\",\"Mi\"d\",\"p\"",
        "1, \"x, y\",z",
        "1,\"5\" disk\",z",
        "1,\"5\" disk,z",
        "1,5\" disk,z",
        "\"1\",5\" disk,z",
        "1,\"see \"the thing\", or not\",z",
        "1,\"\"Adler\" Hotel\",z",
        "1,\"Hotel \"Adler\"\",z",
        "1,\"12\"\",z",
        "1,\"a \"b\" c\",\"d \"e\" f\"",
        "1, \"x y,z",
        "1,x\"y\"z,\"z\"",
    ] {
        let text = format!("7,\"8\",9\n{record}\n4,\"five\",6\n\"7\",\"\",\"9\"\n");
        assert_eq!(shown(&text), ["7|8|9", &format!("!{record}"), "4|five|6", "7|~|9"], "{record}");
    }
}

#[test]
fn the_lines_of_a_broken_cell_are_one_reject_with_the_record() {
    for record in [
        "1,\"He said \"yes\", then\n4,5,6\nnothing\",z",
        "1,\"a \"q\" b\n4,\"five\",6\n7,8,9\nc\",x",
        "1,\"He \"said\n4,5,6\nthat\", ok\n7,8,9\n end\",x",
        "1,\"a \"q\" b \"\"hi\"\", c\n4,5,6\n\",x",
        "\"1\",\"a \"q\" b\n\"4\",\"five\",\"6\"\n7,8,9\nc\",\"x\"",
        "1,\"\"a\", b \"c\n4,5,6\nd\"\",2",
        "1,\"a\", b, c, d\n4,5,6\ne\",x",
    ] {
        let text = format!("7,\"8\",9\n{record}\n4,\"five\",6\n\"7\",\"\",\"9\"\n");
        assert_eq!(shown(&text), ["7|8|9", &format!("!{record}"), "4|five|6", "7|~|9"], "{record}");
    }
}

#[test]
fn a_quote_that_is_never_closed_rejects_the_file_with_its_line() {
    assert_eq!(shown("1,2,3\n4,\"five,6\n7,8,9\n"), ["1|2|3", "UnterminatedQuote@3"]);
    assert_eq!(shown("1,2,3\n4,\"five,6\n7,\"8\",9\n"), ["1|2|3", "UnterminatedQuote@3"]);
    assert_eq!(shown("1,\"x\ny\",\"open\nrest"), ["UnterminatedQuote@3"]);
}

#[test]
fn doubled_quotes_of_later_records_close_no_cell() {
    let good = "4,\"nodule \"\"A\"\", stable\",6".to_owned();
    for record in ["1,\"R1\"x,z", "1,\"5\" disk,z", "1, \"x y,z"] {
        let found = shown(&format!("{record}\n7,8,9\n{good}\n7,8,9\n"));
        assert_eq!(found, [&format!("!{record}"), "7|8|9", "4|nodule \"A\", stable|6", "7|8|9"], "{record}");
    }
}

#[test]
fn a_short_or_long_record_of_quoted_cells_costs_itself() {
    for record in ["1,\"a\"", "1,\"a\",b,c", "\"1\"", "1,\"a\nb\",c,d"] {
        let text = format!("{record}\n4,\"five\",6\n7,8,\"9\nx\"\n");
        assert_eq!(shown(&text), [&format!("!{record}"), "4|five|6", "7|8|9\nx"], "{record}");
    }
}

#[test]
fn the_rule_is_the_same_for_other_quotes_delimiters_and_line_ends() {
    let dialect = Dialect { delimiter: b';', quote: Some(b'\''), ..DIALECT };
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a;b", "1;'it 'is' so", "2;3", "'", "4;5", ""].join(end);
        let contract = fixture::contract(Format::Separated(dialect.clone()), &["a", "b"]);
        let (items, _) = fixture::read(contract, [text.as_bytes()]);
        let lines: Vec<u64> = items.iter().map(|item| item.line).collect();
        assert_eq!((items[0].broken, lines), (Some(Structure::AfterQuote), vec![2, 5]), "{end:?}");
    }
    let escaped = Dialect { escape: Some(b'\\'), double_quote: false, ..DIALECT };
    let contract = fixture::contract(Format::Separated(escaped), &["a", "b"]);
    let (items, _) = fixture::read(contract, [&b"a,b\n1,\"a \\\"x\\\", \"q\" b\n2,3\n\\\", c\"\n4,5\n"[..]]);
    assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [2, 5]);
}

#[test]
fn a_record_beyond_the_size_limit_never_gives_back_a_line_of_its_cells() {
    let text = format!("a,b\n1,\"report\n{}\"\n4,5\n", "2,3\n".repeat(100));
    for size in [1, 7, 64, 10_000] {
        let (items, end) = fixture::read(contract_with_limit(64), text.as_bytes().chunks(size));
        assert!(end.is_ok());
        let shown: Vec<_> = items.iter().map(|item| (item.line, item.broken, item.raw.len())).collect();
        assert_eq!(shown, [(2, Some(Structure::RecordBytes), 64), (104, None, 3)], "{size}");
    }
    let never = format!("a,b\n1,\"report\n{}", "2,3\n".repeat(100));
    let (_, end) = fixture::read(contract_with_limit(64), [never.as_bytes()]);
    let fault = end.err().expect("a fault");
    assert_eq!((fault.code, fault.line), (FaultCode::UnterminatedQuote, Some(2)));
}

fn contract_with_limit(bytes: u32) -> contract::Contract {
    let mut small = fixture::separated(&["a", "b"]);
    small.limits.record_bytes = bytes;
    small
}

/// How much work the searches of a file did, for each byte of it.
fn work(text: &str, limit: u32) -> (u64, Option<FaultCode>) {
    let mut contract = fixture::separated(&["a", "b", "c"]);
    contract.limits.record_bytes = limit;
    let mut reader = super::super::Separated::new(std::sync::Arc::new(contract), &DIALECT);
    let text = ["a,b,c\n", text].concat();
    let ended = reader.push(text.as_bytes(), &mut |_| {}).and_then(|()| reader.finish(&mut |_| {}));
    (reader.searches.work() / text.len() as u64, ended.err().map(|fault| fault.code))
}

#[test]
fn the_work_grows_with_the_file_and_not_with_its_square() {
    let lines = 20_000;
    let families: [(&str, String); 6] = [
        ("stray quotes", "1,\"5\" disk,x\n".repeat(lines)),
        ("stray quotes in two columns", "1,\"5\" disk,x\n\"5\" disk,1,x\n".repeat(lines)),
        ("stray quotes and good ones", "1,\"5\" disk,x\n1,\"y\",\"z\"\n".repeat(lines)),
        ("single words in quotes", "1,\"see \"big,x\n".repeat(lines)),
        ("never the right width", "1,\"a\"b,\",,,,,,,,x\n".repeat(lines)),
        ("short records", "1,\"a\"\n".repeat(lines)),
    ];
    for (name, text) in families {
        let (work, fault) = work(&text, 1 << 20);
        assert!(work <= 16, "{name}: {work} times the file");
        assert!(matches!(fault, None | Some(FaultCode::UnterminatedQuote)), "{name}");
    }
}

/// What a reader says about a text.
fn outline_of(text: &str, forgets: bool) -> (Vec<String>, Option<(FaultCode, Option<u64>)>) {
    let mut contract = fixture::separated(&["a", "b", "c"]);
    contract.limits.record_bytes = 1_000;
    let mut reader = super::super::Separated::new(std::sync::Arc::new(contract), &DIALECT);
    reader.searches.forgets = forgets;
    let mut items = Vec::new();
    let mut take = |item: crate::Item<'_>| items.push(Owned::of(item));
    let ended = reader.push(text.as_bytes(), &mut take).and_then(|()| reader.finish(&mut take));
    (fixture::outline(&items), ended.err().map(|fault| (fault.code, fault.line)))
}

/// A cell as a writer makes it.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9]{1,6}",
        1 => Just(String::new()),
        3 => "[a-z,\n ]{0,12}".prop_map(|text| format!("\"{text}\"")),
        1 => "[a-z]{1,4}( \"\"[a-z]{1,4}\"\"[a-z, ]{0,4}){1,2}".prop_map(|text| format!("\"{text}\"")),
    ]
}

fn record() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(cell(), WIDTH)
}

/// Text of a cell in which quotes come in pairs and lines look like records.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z]{1,5} ",
        "[a-z]{1,3}, ",
        Just("\n".to_owned()),
        Just("\n1,2,3\n".to_owned()),
        Just("\n4,\"five, six\",7\n".to_owned()),
        Just("\n\"8\",\"\",\"9\"\n".to_owned()),
        "(\"[a-z]{1,5}\"|\"[a-z]{1,3}\n[a-z],[a-z],[a-z]\n[a-z]{1,3}\")[ ,.]{1,2}"
            .prop_map(|text| format!(" {text}")),
        Just("(\"so\") ".to_owned()),
        Just("it\"s 5\" wide ".to_owned()),
    ];
    let first = "[a-z]{1,4} \"[a-z]{1,5}\" ";
    (first, prop::collection::vec(part, 0..8), "[a-z.]{1,4}")
        .prop_map(|(first, parts, last)| first + &parts.concat() + &last)
}

proptest! {
    #[test]
    fn no_line_of_a_broken_cell_is_a_row_and_no_good_record_is_lost(
        before in prop::collection::vec(record(), 0..4),
        after in prop::collection::vec(record(), 0..6),
        mut beside in record(),
        text in text(),
        place in 0..WIDTH,
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        block in 1_usize..40,
    ) {
        beside[place] = format!("\"{text}\"");
        let broken = beside.join(",").replace('\n', end);
        let line = |record: &Vec<String>| record.join(",").replace('\n', end);
        let lines: Vec<String> = before.iter().map(line).chain([broken.clone()]).chain(after.iter().map(line)).collect();
        let file = format!("a,b,c{end}{}{end}", lines.join(end));
        let (items, ended) = fixture::read(fixture::separated(&["a", "b", "c"]), file.as_bytes().chunks(block));
        prop_assert!(ended.is_ok(), "{:?}", ended.err());
        let raw: Vec<&str> = items.iter().map(|item| std::str::from_utf8(&item.raw).expect("text")).collect();
        prop_assert_eq!(raw, lines.iter().map(String::as_str).collect::<Vec<_>>());
        let rejected: Vec<usize> = (0..items.len()).filter(|place| items[*place].broken.is_some()).collect();
        prop_assert_eq!(rejected, [before.len()]);
    }

    #[test]
    fn what_is_remembered_of_searches_changes_no_outcome(lines in prop::collection::vec(prop_oneof![
        4 => Just("1,\"5\" disk,x"),
        2 => Just("7,\"y\",\"z\""),
        2 => Just("7,8,9"),
        1 => Just("\"5\" disk,1,x"),
        1 => Just("1,\"see \"big,x"),
        1 => Just("1,\"a\"b,\",,,,x"),
        1 => Just("1,\"a\""),
        1 => Just("1,2,\"say \"\"x\"\"\""),
        1 => Just("so\",x"),
    ], 1..300)) {
        let text = format!("a,b,c\n{}\n", lines.join("\n"));
        prop_assert_eq!(outline_of(&text, false), outline_of(&text, true));
    }

    #[test]
    fn good_records_are_read_whatever_the_lines_of_their_cells(
        records in prop::collection::vec(record(), 1..6), lines in 0_usize..3_000, block in 100_usize..5_000,
    ) {
        let report = format!("r,\"{}\",x", "1,2,3\n".repeat(lines));
        let written: Vec<String> = records.iter().map(|record| record.join(",")).chain([report]).collect();
        let file = format!("a,b,c\n{}\n", written.join("\n"));
        let (items, ended) = fixture::read(fixture::separated(&["a", "b", "c"]), file.as_bytes().chunks(block));
        prop_assert!(ended.is_ok());
        prop_assert!(items.iter().all(|item| item.broken.is_none()));
        prop_assert_eq!(items.iter().map(|item| item.raw.clone()).collect::<Vec<_>>(), written.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>());
    }
}
