use proptest::prelude::*;

use super::*;
use crate::column::Reading;
use crate::{Cell, Column, Decimal, Kind, RuleIndex, Value};

fn spelling(decimal: u8, group: Option<char>) -> Spelling {
    Spelling { decimal, group, ..Spelling::default() }
}

fn column(kind: Kind, spelling: Spelling) -> Column {
    Column { spelling: Some(std::sync::Arc::new(spelling)), ..Column::new("c", kind, RuleIndex(0)) }
}

fn number(spelling: Spelling) -> Column {
    column(Kind::Number { precision_scale: None }, spelling)
}

/// A cell as it is stored, or what is wrong with it.
fn stored(column: &Column, text: &str) -> Result<String, Found> {
    let cell = Cell::Text(text.as_bytes());
    column.read(cell).map(|_| match column.value(cell) {
        Value::Number(digits) => digits.into_owned(),
        Value::Boolean(value) => value.to_string(),
        _ => "neither".to_owned(),
    })
}

fn flaw(flaw: NumberFlaw, at: u32) -> Result<String, Found> {
    Err(Found::NotANumber { flaw, at })
}

#[test]
fn a_decimal_comma_is_read_and_a_point_is_never_misread() {
    let one = number(spelling(b',', None));
    for (text, expected) in
        [("12,50", "12.5"), ("-0,05", "-0.05"), ("7", "7"), ("1,5e3", "1500"), ("007,0", "7")]
    {
        assert_eq!(stored(&one, text).as_deref(), Ok(expected), "{text}");
    }
    assert_eq!(stored(&one, "12.50"), flaw(NumberFlaw::Point, 3));
    assert_eq!(stored(&one, "1,234,5"), flaw(NumberFlaw::SecondDecimal, 6));
    assert_eq!(stored(&one, "12,"), flaw(NumberFlaw::Ends, 4));
    assert_eq!(stored(&one, ",5"), flaw(NumberFlaw::Character, 1));
    assert_eq!(stored(&one, "1,5e"), flaw(NumberFlaw::Ends, 5));
    assert_eq!(stored(&one, " 1,5"), flaw(NumberFlaw::Blank, 1));
}

#[test]
fn groups_are_of_three_digits_and_may_be_left_out() {
    let german = number(spelling(b',', Some('.')));
    for (text, expected) in [
        ("4.159,78", "4159.78"),
        ("4159,78", "4159.78"),
        ("-1.234.567", "-1234567"),
        ("1.234", "1234"),
        ("0,5", "0.5"),
    ] {
        assert_eq!(stored(&german, text).as_deref(), Ok(expected), "{text}");
    }
    for (text, at) in [("1.2.3", 4), ("12.50", 6), ("1234.567", 5), ("1.23,5", 5), ("1.2345", 7), ("1.", 3)] {
        assert_eq!(stored(&german, text), flaw(NumberFlaw::Group, at), "{text}");
    }
    assert_eq!(stored(&german, "1,234,5"), flaw(NumberFlaw::SecondDecimal, 6));
    assert_eq!(stored(&german, "1,234.5"), flaw(NumberFlaw::Point, 6));
    let american = number(spelling(b'.', Some(',')));
    assert_eq!(stored(&american, "1,234.50").as_deref(), Ok("1234.5"));
    assert_eq!(stored(&american, "12,50"), flaw(NumberFlaw::Group, 6));
    // The Indian grouping is not read.
    assert_eq!(stored(&american, "12,34,567.00"), flaw(NumberFlaw::Group, 6));
    let french = number(spelling(b',', Some('\u{202f}')));
    assert_eq!(stored(&french, "1\u{202f}234\u{202f}567,8").as_deref(), Ok("1234567.8"));
    assert_eq!(stored(&french, "1\u{202f}234x"), flaw(NumberFlaw::Letter, 6), "positions count characters");
    assert_eq!(stored(&french, "1 234"), flaw(NumberFlaw::Blank, 2), "another blank is another character");
}

#[test]
fn integers_have_the_separators_too() {
    let one = column(Kind::Integer, spelling(b',', Some('.')));
    assert_eq!(stored(&one, "4.159").as_deref(), Ok("4159"));
    assert_eq!(stored(&one, "4.159,00").as_deref(), Ok("4159"));
    assert_eq!(stored(&one, "4,5"), Err(Found::Fraction));
    let digits = "9".repeat(70);
    assert!(matches!(stored(&one, &digits), Err(Found::SignificantDigits { digits: 70, .. })));
}

#[test]
fn json_numbers_are_json_whatever_the_separators() {
    let one = number(spelling(b',', Some('.')));
    assert!(
        matches!(one.read(Cell::Number(b"1.5")), Ok(Reading::Number(value)) if value.to_string() == "1.5")
    );
}

#[test]
fn without_separators_a_comma_has_a_hint() {
    let one = Column { spelling: None, ..number(Spelling::default()) };
    for (text, expected) in [
        ("12,50", flaw(NumberFlaw::DecimalComma, 3)),
        ("-1,234", flaw(NumberFlaw::DecimalComma, 3)),
        ("1,234.50", flaw(NumberFlaw::GroupComma, 2)),
        ("1,234,567", flaw(NumberFlaw::GroupComma, 2)),
        ("4.159,78", flaw(NumberFlaw::PointAndComma, 6)),
        ("1.2.3", flaw(NumberFlaw::SecondDecimal, 4)),
        (",5", flaw(NumberFlaw::Character, 1)),
        ("5 ", flaw(NumberFlaw::Blank, 2)),
        ("1x", flaw(NumberFlaw::Letter, 2)),
    ] {
        assert_eq!(stored(&one, text), expected, "{text}");
    }
}

#[test]
fn a_contract_lists_the_words_of_booleans() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let listed =
        Spelling { true_words: words(&["Y", "ja"]), false_words: words(&["N"]), ..Spelling::default() };
    let one = column(Kind::Boolean, listed);
    for (text, expected) in [("Y", "true"), ("y", "true"), ("JA", "true"), ("N", "false")] {
        assert_eq!(stored(&one, text).as_deref(), Ok(expected), "{text}");
    }
    assert_eq!(
        stored(&one, "true"),
        Err(Found::NotABoolean { usual: false }),
        "the list replaces the default"
    );
    assert_eq!(stored(&one, "f"), Err(Found::NotABoolean { usual: true }));
    assert_eq!(boolean(b"T"), Err(Found::NotABoolean { usual: true }));
    assert_eq!((boolean(b"True"), boolean(b"0")), (Ok(true), Ok(false)));
}

proptest! {
    #[test]
    fn a_number_in_any_spelling_is_the_number_written_out(
        negative: bool, whole in "[1-9][0-9]{0,14}", fraction in "[0-9]{0,6}", grouped: bool,
        (decimal, group) in prop::sample::select(vec![(b',', '.'), (b'.', ','), (b',', '\u{a0}'), (b'.', '\'')]),
    ) {
        let sign = if negative { "-" } else { "" };
        let mut written = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if grouped && place > 0 && (whole.len() - place).is_multiple_of(3) {
                written.push(group);
            }
            written.push(digit);
        }
        let tail = |point: char| if fraction.is_empty() { String::new() } else { format!("{point}{fraction}") };
        let text = format!("{sign}{written}{}", tail(char::from(decimal)));
        let plain = format!("{sign}{whole}{}", tail('.'));
        let expected = Decimal::parse(plain.as_bytes()).unwrap().to_string();
        prop_assert_eq!(stored(&number(spelling(decimal, Some(group))), &text), Ok(expected));
    }

    #[test]
    fn no_text_panics_and_what_is_read_has_the_digits_of_the_text(
        text in "\\PC{0,80}|[-0-9., e+]{0,80}", decimal in prop::sample::select(vec![b',', b'.']),
        group in prop::sample::select(vec![None, Some(' '), Some('\''), Some('\u{2019}')]),
    ) {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let spelling = spelling(decimal, group);
        let copied = spelling.number(text.as_bytes(), |plain| Ok(String::from_utf8_lossy(plain).into_owned()));
        if let Ok(plain) = copied {
            prop_assert_eq!(digits(&plain), digits(&text));
            prop_assert!(plain.len() <= text.len());
        }
    }
}
