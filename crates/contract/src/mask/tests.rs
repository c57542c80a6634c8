use proptest::prelude::*;

use super::*;
use crate::{Pattern, RuleIndex, TemporalKind};

fn column(kind: Kind, mask: Mask) -> Column {
    Column { mask, null_tokens: vec![b"n/a".to_vec()], ..Column::new("c", kind, RuleIndex(0)) }
}

/// What a row has of a CSV cell.
fn stored(kind: Kind, mask: Mask, text: &str) -> String {
    match column(kind, mask).stored(Cell::Text(text.as_bytes())) {
        None => "no attribute".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Text(text)) => text.into_owned(),
        Some(Value::Number(digits)) => format!("number {digits}"),
        Some(Value::Boolean(value)) => format!("boolean {value}"),
        Some(Value::Document(text)) => format!("document {text}"),
    }
}

fn date(format: &str) -> Kind {
    Kind::Date(Pattern::compile(format, TemporalKind::Date).expect("a pattern"))
}

fn timestamp() -> Kind {
    let pattern = Pattern::compile("dd.MM.yyyy HH:mm:ss.SSSXXX", TemporalKind::Timestamp).expect("a pattern");
    Kind::Timestamp { pattern, default_zone: None }
}

#[test]
fn each_mask_keeps_what_it_says() {
    for (mask, text, expected) in [
        (Mask::None, "MRN123456", "MRN123456"),
        (Mask::Drop, "MRN123456", "no attribute"),
        (Mask::Redact, "MRN123456", "***"),
        (Mask::Last4, "MRN123456", "***3456"),
        (Mask::Last4, "12345678", "***5678"),
        (Mask::Last4, "1234567", "***"),
        (Mask::Last4, "Jörg Müßig", "***üßig"),
        (Mask::Truncate(3), "10115", "101"),
        (Mask::Truncate(3), "Übung", "Übu"),
        (Mask::Truncate(3), "10", "10"),
    ] {
        assert_eq!(stored(Kind::String, mask, text), expected, "{mask:?} of {text}");
    }
    assert_eq!(stored(Kind::Integer, Mask::Last4, "0012345678"), "***5678");
    assert_eq!(stored(Kind::Integer, Mask::Truncate(2), "007123"), "71");
    assert_eq!(stored(Kind::Boolean, Mask::Redact, "true"), "***");
}

#[test]
fn dates_are_truncated_to_the_first_instant_of_a_unit() {
    let sent = "17.11.2026 09:30:15.250+01:00";
    for (unit, expected) in [
        (DateUnit::Year, "2026-01-01T00:00:00.000Z"),
        (DateUnit::Month, "2026-11-01T00:00:00.000Z"),
        (DateUnit::Day, "2026-11-17T00:00:00.000Z"),
    ] {
        assert_eq!(stored(timestamp(), Mask::TruncateDate(unit), sent), expected);
    }
    for (unit, expected) in
        [(DateUnit::Year, "1957-01-01"), (DateUnit::Month, "1957-03-01"), (DateUnit::Day, "1957-03-09")]
    {
        assert_eq!(stored(date("dd.MM.yyyy"), Mask::TruncateDate(unit), "09.03.1957"), expected);
        assert_eq!(stored(date("yyyy-MM-dd"), Mask::TruncateDate(unit), "1957-03-09"), expected);
    }
}

#[test]
fn what_a_rule_that_only_warns_let_pass_is_not_stored_in_clear() {
    let year = Mask::TruncateDate(DateUnit::Year);
    assert_eq!(stored(date("yyyy-MM-dd"), year, "9 March 1957, Anna Berg"), "***");
    assert_eq!(stored(timestamp(), year, "Anna"), "***");
    assert_eq!(stored(Kind::Integer, Mask::Last4, "Anna Berg"), "***Berg");
}

#[test]
fn null_stays_null_behind_every_mask() {
    for mask in [Mask::Redact, Mask::Last4, Mask::Truncate(1), Mask::TruncateDate(DateUnit::Year)] {
        assert_eq!(stored(Kind::String, mask, ""), "null");
        assert_eq!(stored(Kind::String, mask, "n/a"), "null");
        assert!(column(Kind::String, mask).stored(Cell::Absent) == Some(Value::Null));
    }
}

#[test]
fn objects_and_arrays_are_hidden_whole() {
    let sent = Cell::Object(br#"{"name":"Anna"}"#);
    let redacted = column(Kind::Object(Vec::new()), Mask::Redact);
    assert!(redacted.stored(sent) == Some(Value::Text(Cow::Borrowed(REDACTED))));
    assert!(column(Kind::Array(None), Mask::Drop).stored(Cell::Array(b"[1]")).is_none());
}

proptest! {
    #[test]
    fn no_more_than_half_of_a_value_is_shown_by_its_end(text in "\\PC{0,24}") {
        prop_assume!(!text.is_empty() && text != "n/a");
        let kept = stored(Kind::String, Mask::Last4, &text);
        let shown = kept.strip_prefix(REDACTED).expect("begins with stars");
        prop_assert!(text.ends_with(shown));
        prop_assert!(2 * shown.chars().count() <= text.chars().count());
    }

    #[test]
    fn a_date_keeps_nothing_below_its_unit(year in 1_i32..=9999, month in 1_u8..=12, day in 1_u8..=28) {
        let sent = format!("{year:04}-{month:02}-{day:02}");
        let kind = || date("yyyy-MM-dd");
        prop_assert_eq!(stored(kind(), Mask::TruncateDate(DateUnit::Year), &sent), format!("{year:04}-01-01"));
        prop_assert_eq!(
            stored(kind(), Mask::TruncateDate(DateUnit::Month), &sent),
            format!("{year:04}-{month:02}-01")
        );
    }

    #[test]
    fn no_cell_panics_behind_a_mask(text in any::<String>(), characters in 0_u32..9) {
        for mask in [Mask::Last4, Mask::Truncate(characters), Mask::TruncateDate(DateUnit::Day)] {
            for kind in [Kind::String, Kind::Integer, Kind::Boolean, date("d.M.yy"), timestamp()] {
                let cells = [Cell::Text(text.as_bytes()), Cell::String(text.as_bytes()), Cell::Boolean(true)];
                let column = column(kind, mask);
                for cell in cells {
                    prop_assert!(column.stored(cell).is_some());
                }
            }
        }
    }
}
