use proptest::prelude::*;

use super::*;
use crate::{Pattern, RuleIndex, TemporalKind};

fn column(kind: Kind) -> Column {
    Column { null_tokens: vec![b"NULL".to_vec()], ..Column::new("c", kind, RuleIndex(0)) }
}

/// The variant and its content as one text.
fn stored(kind: Kind, cell: Cell<'_>) -> String {
    match column(kind).value(cell) {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("S {text}"),
        Value::Number(digits) => format!("N {digits}"),
        Value::Boolean(value) => format!("B {value}"),
        Value::Document(source) => format!("D {source}"),
    }
}

fn decimal() -> Kind {
    Kind::Number { precision_scale: None }
}

#[test]
fn text_is_stored_as_sent() {
    // D10, P18, P37, P41: leading zeros, blanks, characters without width and control characters stay.
    for text in ["007.50", "01234", " A ", "A\u{a0}\u{200b}", "\u{1b}[31m\u{202e}", "+49 30 1"] {
        assert_eq!(stored(Kind::String, Cell::Text(text.as_bytes())), format!("S {text}"));
    }
    assert_eq!(stored(Kind::String, Cell::String(b"")), "S ");
    assert_eq!(stored(Kind::String, Cell::Text(b"NULL")), "null");
    assert_eq!(stored(Kind::String, Cell::Absent), "null");
}

#[test]
fn numbers_are_stored_exactly_and_canonically() {
    // D24, P20.
    for (text, expected) in [
        ("0.30000000000000004", "N 0.30000000000000004"),
        ("12345678901234567890123", "N 12345678901234567890123"),
        ("007.50", "N 7.5"),
        ("-0", "N 0"),
        ("-0.0", "N 0"),
        ("1e3", "N 1000"),
        ("1200", "N 1200"),
        ("0.050", "N 0.05"),
        ("1e-130", "N 1E-130"),
    ] {
        assert_eq!(stored(decimal(), Cell::Text(text.as_bytes())), expected);
        assert_eq!(stored(decimal(), Cell::Number(text.as_bytes())), expected);
    }
    assert_eq!(stored(Kind::Integer, Cell::Text(b"-0042")), "N -42");
}

#[test]
fn dates_and_times_are_stored_in_one_form() {
    let date = |source| Kind::Date(Pattern::compile(source, TemporalKind::Date).unwrap());
    assert_eq!(stored(date("dd.MM.yyyy"), Cell::Text(b"05.01.2026")), "S 2026-01-05");
    assert_eq!(stored(date("yyyy-MM-dd"), Cell::String(b"2026-01-05")), "S 2026-01-05");
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let pattern = Pattern::compile("yyyy-MM-dd HH:mm", TemporalKind::Timestamp).unwrap();
    let timestamp = Kind::Timestamp { pattern, default_zone: Some(zone) };
    assert_eq!(stored(timestamp, Cell::Text(b"2026-01-05 09:30")), "S 2026-01-05T08:30:00Z");
    let time = Kind::Time(Pattern::compile("H:mm", TemporalKind::Time).unwrap());
    assert_eq!(stored(time, Cell::Text(b"9:30")), "S 09:30:00");
}

#[test]
fn booleans_and_documents_keep_their_type() {
    assert_eq!(stored(Kind::Boolean, Cell::Text(b"TRUE")), "B true");
    assert_eq!(stored(Kind::Boolean, Cell::Text(b"0")), "B false");
    assert_eq!(stored(Kind::Boolean, Cell::Boolean(true)), "B true");
    assert_eq!(stored(Kind::Object(vec![]), Cell::Object(b"{\"a\": 1.0}")), "D {\"a\": 1.0}");
    assert_eq!(stored(Kind::Array(None), Cell::Text(b"[1]")), "D [1]");
}

#[test]
fn a_cell_of_another_type_is_stored_as_what_it_is() {
    assert_eq!(stored(Kind::Integer, Cell::Text(b"n/a")), "S n/a");
    assert_eq!(stored(Kind::Integer, Cell::Text(b"1.5")), "S 1.5");
    assert_eq!(stored(Kind::Integer, Cell::String(b"5")), "S 5");
    assert_eq!(stored(Kind::String, Cell::Number(b"1e999")), "S 1e999");
    assert_eq!(stored(Kind::Boolean, Cell::Text(b"yes")), "S yes");
    assert_eq!(stored(Kind::Date(Pattern::iso(TemporalKind::Date)), Cell::Text(b"soon")), "S soon");
    assert_eq!(stored(Kind::Array(None), Cell::Text(b"[1")), "S [1");
}

proptest! {
    #[test]
    fn a_number_that_is_stored_as_sent_is_already_canonical(text in "-?[0-9]{1,4}(\\.[0-9]{0,4})?|-?[0-9]{30,40}(\\.[0-9]{0,9})?") {
        if let (true, Some(number)) = (is_canonical(text.as_bytes()), Decimal::parse(text.as_bytes())) {
            prop_assert_eq!(number.to_string(), text);
        }
    }

    #[test]
    fn a_canonical_number_is_borrowed(whole in 0_u64..=u64::MAX, negative: bool) {
        let text = if negative && whole > 0 { format!("-{whole}") } else { whole.to_string() };
        prop_assert!(is_canonical(text.as_bytes()));
    }
}
