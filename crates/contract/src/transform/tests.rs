use proptest::prelude::*;

use super::*;
use crate::{RuleIndex, Spelling, TemporalKind};

fn column(kind: Kind, transform: Vec<Transform>) -> Column {
    Column { transform, null_tokens: vec![b"n/a".to_vec()], ..Column::new("c", kind, RuleIndex(0)) }
}

fn shown(made: Result<Transformed<'_>, Untransformed>) -> String {
    match made {
        Ok(Transformed::Sent(_)) => "as sent".to_owned(),
        Ok(Transformed::Null) => "null".to_owned(),
        Ok(Transformed::Text(text)) => format!("text {text}"),
        Ok(Transformed::Number(digits)) => format!("number {digits}"),
        Err(error) => format!("{error:?}"),
    }
}

/// What a transform makes of a CSV cell.
fn made(kind: Kind, transform: Vec<Transform>, text: &str) -> String {
    shown(column(kind, transform).transformed(Cell::Text(text.as_bytes())))
}

fn text(step: Transform, text: &str) -> String {
    made(Kind::String, vec![step], text)
}

fn map(words: &[(&str, &str)]) -> Transform {
    Transform::Map(words.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect())
}

fn replace(pattern: &str, with: &str) -> Transform {
    Transform::Replace { pattern: Regex::new(pattern).expect("a pattern"), with: with.to_owned() }
}

fn split(by: &str, take: i32) -> Transform {
    Transform::Split { by: by.to_owned(), take }
}

fn multiply(factor: &str) -> Transform {
    Transform::Multiply(Decimal::parse(factor.as_bytes()).expect("a number"))
}

fn decimal() -> Kind {
    Kind::Number { precision_scale: None }
}

#[test]
fn each_step_makes_what_it_says() {
    assert_eq!(text(Transform::Trim, "\u{a0} a b\t"), "text a b");
    assert_eq!(text(Transform::Upper, "straße é"), "text STRASSE É");
    assert_eq!(text(Transform::Lower, "ÀB"), "text àb");
    assert_eq!(text(map(&[("m", "M"), ("f", "F")]), "m"), "text M");
    assert_eq!(text(map(&[("m", "M")]), "M "), "text M ");
    assert_eq!(text(replace("[^0-9]", ""), "+49 30-12"), "text 493012");
    assert_eq!(text(replace("([0-9]+) *(mm|cm)", "$2:${1}"), "5 mm, 7cm"), "text mm:5, cm:7");
    assert_eq!(text(replace("x", "y"), "abc"), "text abc");
    assert_eq!(text(replace("^", "$$"), "5"), "text $5");
    assert_eq!(text(split("^", 1), "BERG^ANNA"), "text BERG");
    assert_eq!(text(split("^", -1), "BERG^ANNA^M"), "text M");
    assert_eq!(text(split("^", 3), "BERG^ANNA"), "null");
    assert_eq!(text(split("^", i32::MIN), "BERG^ANNA"), "null");
    assert_eq!(text(Transform::Default("U".to_owned()), ""), "text U");
    assert_eq!(text(Transform::Default("U".to_owned()), "M"), "as sent");
}

#[test]
fn steps_run_in_their_order_and_each_sees_the_one_before() {
    let steps = || vec![Transform::Trim, map(&[("m", "M")]), Transform::Default("U".to_owned())];
    assert_eq!(made(Kind::String, steps(), " m "), "text M");
    // Behind `trim` the text is a null token.
    assert_eq!(made(Kind::String, steps(), " n/a "), "text U");
    assert_eq!(made(Kind::String, vec![split("^", 9), Transform::Default("U".to_owned())], "a^b"), "text U");
    assert_eq!(made(Kind::String, vec![Transform::Default(" u ".to_owned()), Transform::Trim], ""), "text u");
}

#[test]
fn null_stays_null() {
    for step in [Transform::Trim, Transform::Upper, replace("^", "x"), split("a", 1), multiply("2")] {
        assert_eq!(made(decimal(), vec![step], "n/a"), "as sent");
    }
    assert_eq!(shown(column(Kind::String, vec![replace("^", "x")]).transformed(Cell::Null)), "as sent");
}

#[test]
fn products_are_exact() {
    for (factor, number, expected) in [
        ("2.54", "70.5", "number 179.07"),
        ("0.001", "12345678901234567890123456789012345678", "number 12345678901234567890123456789012345.678"),
        ("25", "4", "number 100"),
        ("3", "-007", "number -21"),
        ("2", "0", "number 0"),
        ("1e10", "1", "number 10000000000"),
        // Without the trailing zeros the product has 38 digits.
        ("5", "19999999999999999999999999999999999998", "number 99999999999999999999999999999999999990"),
        ("2.5", "seven", "as sent"),
    ] {
        assert_eq!(made(decimal(), vec![multiply(factor)], number), expected, "{number} × {factor}");
    }
    let most = "99999999999999999999999999999999999999";
    let product = Found::SignificantDigits { digits: 39, most: 38 };
    assert_eq!(made(decimal(), vec![multiply("3")], most), format!("{:?}", Untransformed::Product(product)));
    // The digits that the type allows are those of the product.
    let narrow = Kind::Number { precision_scale: Some((4, 1)) };
    assert_eq!(made(narrow, vec![multiply("10")], "1.25"), "number 12.5");
}

#[test]
fn a_product_reads_the_numbers_of_the_dialect() {
    let spelling = Spelling { decimal: b',', group: Some('.'), ..Spelling::default() };
    let mut column = column(decimal(), vec![multiply("2")]);
    column.spelling = Some(std::sync::Arc::new(spelling));
    assert_eq!(shown(column.transformed(Cell::Text(b"1.234,5"))), "number 2469");
    let product = column.transformed(Cell::Text(b"1,25")).expect("a product");
    assert!(column.value(product.cell()) == crate::Value::Number("2.5".into()));
}

#[test]
fn dates_are_read_by_the_first_pattern_that_fits() {
    let patterns = |kind: TemporalKind, sources: &[&str]| {
        Transform::Dates(
            sources.iter().map(|source| Pattern::compile(source, kind).expect("a pattern")).collect(),
        )
    };
    let date = || Kind::Date(Pattern::iso(TemporalKind::Date));
    let step = || vec![patterns(TemporalKind::Date, &["dd.MM.yyyy", "yyyyMMdd"])];
    assert_eq!(made(date(), step(), "09.03.1957"), "text 1957-03-09");
    assert_eq!(made(date(), step(), "19570309"), "text 1957-03-09");
    assert_eq!(made(date(), step(), "1957-03-09"), "text 1957-03-09");
    assert_eq!(made(date(), step(), "31.02.1957"), "text 31.02.1957");
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    let timestamp =
        Kind::Timestamp { pattern: Pattern::iso(TemporalKind::Timestamp), default_zone: Some(zone) };
    let step = vec![patterns(TemporalKind::Timestamp, &["yyyyMMddHHmmss"])];
    assert_eq!(made(timestamp, step, "20260704120000"), "text 2026-07-04T10:00:00Z");
}

#[test]
fn a_cell_of_json_is_read_as_text_behind_a_step() {
    let mapped = column(Kind::Boolean, vec![map(&[("1", "true"), ("true", "false")])]);
    for (cell, expected) in [
        (Cell::Number(b"1"), "text true"),
        (Cell::Boolean(true), "text false"),
        (Cell::String(b"J"), "text J"),
    ] {
        assert_eq!(shown(mapped.transformed(cell)), expected);
    }
    for cell in [Cell::Object(b"{}"), Cell::Array(b"[]")] {
        assert_eq!(shown(mapped.transformed(cell)), "as sent");
    }
}

#[test]
fn a_result_that_no_row_can_hold_is_an_error() {
    let long = "a".repeat(1 << 20);
    let too_long = |step| matches!(column(Kind::String, vec![step]).transformed(Cell::Text(long.as_bytes())), Err(Untransformed::TooLong(bytes)) if bytes > ITEM_BYTES);
    assert!(too_long(Transform::Upper));
    assert!(too_long(replace("a", &"b".repeat(1_000))));
    assert!(too_long(replace("", &"b".repeat(1_000))));
    assert_eq!(text(split("a", 1), &long), "text ");
}

proptest! {
    #[test]
    fn no_text_panics_a_step(cell in any::<String>(), by in "\\PC{1,2}", take in any::<i32>(), factor in 1_i64..) {
        let steps = vec![
            Transform::Trim,
            Transform::Upper,
            replace("(?i)[a-z]+|.", "<$0>"),
            split(&by, take),
            Transform::Lower,
            Transform::Multiply(Decimal::from(factor)),
            Transform::Default("x".to_owned()),
        ];
        for kind in [Kind::String, Kind::Integer, decimal(), Kind::Boolean] {
            let column = column(kind, steps.clone());
            for sent in [Cell::Text(cell.as_bytes()), Cell::String(cell.as_bytes()), Cell::Number(cell.as_bytes())] {
                let made = column.transformed(sent);
                prop_assert!(made.is_err() || std::str::from_utf8(crate::column::source(made.unwrap_or(Transformed::Null).cell())).is_ok());
            }
        }
    }

    #[test]
    fn a_product_divided_again_is_the_number(number in any::<i64>(), factor in prop::sample::select(vec![2_i64, 4, 5, 8, 10, 25, 125])) {
        let product = Decimal::from(number).times(Decimal::from(factor)).expect("fits");
        let inverse = Decimal::new(i128::from(1_000 / factor), -3).expect("a power of two and five");
        prop_assert_eq!(product.times(inverse), Some(Decimal::from(number)));
    }
}
