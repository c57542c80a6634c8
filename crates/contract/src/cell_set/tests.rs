use proptest::prelude::*;

use super::*;
use crate::{Pattern, TemporalKind};

fn set(texts: &[&str], kind: &Kind) -> CellSet {
    CellSet::new(texts.iter().map(|text| (*text).to_owned()).collect(), kind).unwrap()
}

fn contains(set: &CellSet, kind: &Kind, text: &[u8]) -> bool {
    kind.read(Cell::Text(text)).is_ok_and(|reading| set.has(&reading, text))
}

#[test]
fn text_is_compared_byte_for_byte() {
    // P41: neither blanks nor characters without width are dropped.
    let members = set(&["A", "B", "unknown"], &Kind::String);
    assert!(contains(&members, &Kind::String, b"unknown"));
    for text in ["a", "A ", " A", "A\u{a0}", "A\u{200b}", ""] {
        assert!(!contains(&members, &Kind::String, text.as_bytes()), "{text:?}");
    }
}

#[test]
fn numbers_are_compared_by_value() {
    let kind = Kind::Number { precision_scale: None };
    let members = set(&["1", "2.50"], &kind);
    for (text, expected) in
        [("1.0", true), ("01", true), ("2.5", true), ("25e-1", true), ("1.01", false), ("x", false)]
    {
        assert_eq!(contains(&members, &kind, text.as_bytes()), expected, "{text}");
    }
    let members = set(&["100"], &Kind::Integer);
    assert!(contains(&members, &Kind::Integer, b"00100"));
    assert!(contains(&members, &Kind::Integer, b"100.0"), "a zero fraction");
    assert!(!contains(&members, &Kind::Integer, b"100.5"), "not an integer");
}

#[test]
fn booleans_and_dates_are_compared_by_what_they_mean() {
    let members = set(&["true"], &Kind::Boolean);
    assert!(contains(&members, &Kind::Boolean, b"TRUE") && contains(&members, &Kind::Boolean, b"1"));
    assert!(!contains(&members, &Kind::Boolean, b"0"));
    let kind = Kind::Timestamp { pattern: Pattern::iso(TemporalKind::Timestamp), default_zone: None };
    let members = set(&["2026-01-05T12:00:00Z"], &kind);
    assert!(contains(&members, &kind, b"2026-01-05T13:00:00.000+01:00"));
    assert!(!contains(&members, &kind, b"2026-01-05T13:00:00Z"));
}

#[test]
fn a_value_of_another_type_is_named_by_its_index() {
    let error = CellSet::new(vec!["1".to_owned(), "no".to_owned()], &Kind::Integer).unwrap_err();
    assert_eq!(error, "value 1 of the list, \"no\", is not of the property's type");
    assert!(CellSet::new(vec!["[]".to_owned()], &Kind::Array(None)).is_err());
    assert!(!contains(&CellSet::default(), &Kind::String, b""));
}

proptest! {
    #[test]
    fn sets_of_any_size_hold_their_members_and_no_others(texts in prop::collection::vec("[ab]{0,4}", 0..40), probe in "[ab]{0,4}") {
        let members = CellSet::new(texts.clone(), &Kind::String).unwrap();
        prop_assert_eq!(contains(&members, &Kind::String, probe.as_bytes()), texts.contains(&probe));
        prop_assert!(texts.iter().all(|text| contains(&members, &Kind::String, text.as_bytes())));
    }

    #[test]
    fn sets_of_numbers_of_any_size_hold_their_values(numbers in prop::collection::vec(-50_i64..50, 0..40), probe in -50_i64..50) {
        let members = CellSet::new(numbers.iter().map(|number| format!("{number}.0")).collect(), &Kind::Number { precision_scale: None }).unwrap();
        let text = format!("{probe}");
        prop_assert_eq!(contains(&members, &Kind::Number { precision_scale: None }, text.as_bytes()), numbers.contains(&probe));
    }
}
