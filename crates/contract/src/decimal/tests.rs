use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
}

fn found(text: &str) -> Option<Found> {
    Decimal::read(text.as_bytes()).err()
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap()
}

/// The slow model: sign, digits and power of ten as text, by the words of the documentation alone.
fn model(negative: bool, whole: &str, fraction: &str, power: i64) -> Result<(bool, String, i64), ()> {
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0').trim_end_matches('0');
    if digits.is_empty() {
        return Ok((false, String::new(), 0));
    }
    let trailing = length(&all) - length(all.trim_end_matches('0'));
    let exponent = power - length(fraction) + trailing;
    let first = exponent + length(digits) - 1;
    if digits.len() > 38 || !(-130..=125).contains(&first) {
        return Err(());
    }
    Ok((negative, digits.to_owned(), exponent))
}

/// Both numbers written out to 170 places on either side of the point: the order of texts is the order of values.
fn written_out(number: Decimal) -> String {
    let digits = number.coefficient().unsigned_abs().to_string();
    let zeros = usize::try_from(i32::from(number.exponent()) + 170).unwrap();
    format!("{:0>340}", format!("{digits}{}", "0".repeat(zeros)))
}

/// The remainder of a long text of digits by a divisor, digit by digit.
fn long_remainder(digits: &str, divisor: u128) -> u128 {
    digits.bytes().fold(0, |rest, digit| (rest * 10 + u128::from(digit - b'0')) % divisor)
}

#[test]
fn text_that_other_parsers_take_for_numbers_is_rejected() {
    // P17, P19, P23.
    for (text, at) in [
        ("", 1),
        ("-", 2),
        ("+5", 1),
        (" 5", 1),
        ("5 ", 2),
        ("\u{a0}5", 1),
        ("1_000", 2),
        ("1,5", 2),
        ("1.234,56", 6),
        ("1.2.3", 4),
        ("0x10", 2),
        ("nan", 1),
        ("NaN", 1),
        ("inf", 1),
        ("-Infinity", 2),
        (".5", 1),
        ("5.", 3),
        ("1e", 3),
        ("1e+", 4),
        ("e5", 1),
        ("#N/A", 1),
        ("NULL", 1),
        ("--1", 2),
        ("\u{661}", 1),
    ] {
        assert!(matches!(found(text), Some(Found::NotANumber { at: place, .. }) if place == at), "{text}");
    }
}

#[test]
fn numbers_beyond_the_store_are_rejected_and_never_rounded() {
    // D5, D6, P17.
    for text in ["1e999", "-1e999", "1e126", "1e99999999999999999999999999"] {
        assert_eq!(found(text), Some(Found::TooHuge), "{text}");
    }
    for text in ["1e-131", "-1e-131", "1e-99999999999999999999999999"] {
        assert_eq!(found(text), Some(Found::TooTiny), "{text}");
    }
    let digits = |digits| Some(Found::SignificantDigits { digits, most: 38 });
    assert_eq!(found(&"9".repeat(39)), digits(39));
    assert_eq!(found(&format!("1.{}1", "0".repeat(50))), digits(52));
    let largest = format!("{}e87", "9".repeat(38));
    assert_eq!(decimal(&largest).exponent(), 87);
    assert_eq!(decimal("1e-130").exponent(), -130);
    assert_eq!(decimal("0e999"), Decimal::ZERO);
}

#[test]
fn large_integers_and_decimals_keep_every_digit() {
    // P20, D24.
    for text in
        ["9007199254740993", "12345678901234567890123", "-9223372036854775809", "0.1", "0.30000000000000004"]
    {
        assert_eq!(decimal(text).to_string(), text);
    }
    assert_eq!(decimal("-0"), Decimal::ZERO);
    assert_eq!(decimal("-0.00").to_string(), "0");
}

#[test]
fn the_canonical_text_has_no_needless_digits() {
    // D10.
    for (text, canonical) in [
        ("007.50", "7.5"),
        ("1200", "1200"),
        ("1.23E+05", "123000"),
        ("-0.050", "-0.05"),
        ("1e37", "10000000000000000000000000000000000000"),
        ("1e38", "1E38"),
        ("-15e-101", "-1.5E-100"),
        ("100000.00001", "100000.00001"),
    ] {
        assert_eq!(decimal(text).to_string(), canonical);
    }
}

#[test]
fn precision_and_scale_are_counted_as_sql_counts_them() {
    for (text, precision, scale) in
        [("0", 0, 0), ("0.05", 2, 2), ("1200", 4, 0), ("12.340", 4, 2), ("123.4", 4, 1), ("1e-3", 3, 3)]
    {
        let number = decimal(text);
        assert_eq!((number.precision(), number.scale()), (precision, scale), "{text}");
        assert_eq!(number.is_integer(), scale == 0);
    }
}

#[test]
fn multiples_are_exact() {
    for (number, step, expected) in [
        ("0.3", "0.1", true),
        ("0.35", "0.1", false),
        ("1e100", "3", false),
        ("3e100", "3", true),
        ("1e100", "7e99", false),
        ("1e125", "0.0000000000000000000000000000000000000016", true),
        ("0", "5", true),
        ("5", "0", false),
        ("-15", "5", true),
        ("10", "4", false),
        ("100", "4", true),
    ] {
        assert_eq!(decimal(number).is_multiple_of(&decimal(step)), expected, "{number} of {step}");
    }
}

#[test]
fn numbers_from_integers_are_normalised() {
    assert_eq!(Decimal::new(1_200, -2), Decimal::parse(b"12"));
    assert_eq!(Decimal::new(i128::MAX, 0), None);
    assert_eq!(
        Decimal::new(-(10_i128.pow(38) - 1), 0),
        Decimal::parse(format!("-{}", "9".repeat(38)).as_bytes())
    );
    assert_eq!(Decimal::new(1, 126), None);
    assert_eq!(Decimal::from(i64::MIN).to_string(), i64::MIN.to_string());
    assert_eq!(Decimal::from(u64::MAX).to_string(), u64::MAX.to_string());
    assert_eq!(decimal("9223372036854775807").to_i64(), Some(i64::MAX));
    assert_eq!(decimal("9223372036854775808").to_i64(), None);
    assert_eq!(decimal("1e19").to_i64(), None);
    assert_eq!(decimal("0.5").to_i64(), None);
}

prop_compose! {
    fn any_decimal()(digits in 1_u32..=38, seed in any::<u128>(), negative: bool, first in -130_i32..=125) -> Decimal {
        let coefficient = i128::try_from(seed % 10_u128.pow(digits)).unwrap();
        let coefficient = if negative { -coefficient } else { coefficient };
        let length = coefficient.unsigned_abs().checked_ilog10().map_or(0, |log| i32::try_from(log).unwrap());
        Decimal::new(coefficient, first - length).unwrap()
    }
}

proptest! {
    #[test]
    fn reading_agrees_with_the_slow_model(
        negative: bool,
        whole in "0{0,3}[0-9]{1,45}|0{1,3}|[0-9]{1,9}",
        fraction in prop::option::of("0{0,30}[0-9]{1,40}|[0-9]{1,9}"),
        power in prop::option::of(-200_i64..200),
        sign in "\\+?",
    ) {
        let mut text = format!("{}{whole}", if negative { "-" } else { "" });
        if let Some(fraction) = &fraction {
            text = format!("{text}.{fraction}");
        }
        if let Some(power) = power {
            text = if power < 0 { format!("{text}E{power}") } else { format!("{text}e{sign}{power}") };
        }
        let expected = model(negative, &whole, fraction.as_deref().unwrap_or(""), power.unwrap_or(0));
        let actual = Decimal::read(text.as_bytes()).map_err(|found| {
            assert!(matches!(found, Found::SignificantDigits { .. } | Found::TooHuge | Found::TooTiny), "{text}");
        });
        let actual = actual.map(|number| {
            let digits = number.coefficient().unsigned_abs().to_string();
            let digits = if digits == "0" { String::new() } else { digits };
            (number.coefficient() < 0, digits, i64::from(number.exponent()))
        });
        prop_assert_eq!(actual, expected);
    }

    #[test]
    fn no_bytes_panic_and_a_bad_character_lies_within_or_just_after_the_text(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'0'), Just(b'1'), Just(b'.'), Just(b'e')], 0..60)
    ) {
        if let Err(Found::NotANumber { at, .. }) = Decimal::read(&bytes) {
            prop_assert!(at >= 1 && at as usize <= bytes.len() + 1);
        }
    }

    #[test]
    fn the_canonical_text_reads_as_the_same_number(number in any_decimal()) {
        prop_assert_eq!(decimal(&number.to_string()), number);
    }

    #[test]
    fn the_order_is_the_order_of_the_numbers_written_out(one in any_decimal(), two in any_decimal(), near: bool) {
        let two = if near { Decimal::new(two.coefficient(), one.exponent().into()).unwrap_or(two) } else { two };
        let expected = match (one.coefficient().signum(), two.coefficient().signum()) {
            (first, second) if first != second => first.cmp(&second),
            (-1, _) => written_out(two).cmp(&written_out(one)),
            _ => written_out(one).cmp(&written_out(two)),
        };
        prop_assert_eq!(one.cmp(&two), expected);
        prop_assert_eq!(one == two, expected == Ordering::Equal);
    }

    #[test]
    fn the_order_of_small_numbers_is_that_of_their_digits(
        one in -20_000_i64..20_000,
        two in prop_oneof![-200_i64..200, any::<i64>()],
        places in 0_u32..9,
    ) {
        let number = |digits: i64, places: u32| Decimal::new(digits.into(), -places.cast_signed()).unwrap();
        let expected = i128::from(one).cmp(&(i128::from(two) * 10_i128.pow(places)));
        prop_assert_eq!(number(one, places).cmp(&number(two, 0)), expected);
        prop_assert_eq!(number(two, 0).cmp(&number(one, places)), expected.reverse());
    }

    #[test]
    fn multiples_agree_with_long_division(one in any_decimal(), step in 1_u64..100_000, power in -170_i32..20) {
        let step = Decimal::new(step.into(), power);
        prop_assume!(step.is_some());
        let step = step.unwrap();
        let lowest = i32::from(one.exponent().min(step.exponent()));
        let zeros = |number: Decimal| "0".repeat(usize::try_from(i32::from(number.exponent()) - lowest).unwrap());
        let divisor: Option<u128> = format!("{}{}", step.coefficient(), zeros(step)).parse().ok();
        prop_assume!(divisor.is_some_and(|divisor| divisor < 10_u128.pow(36)));
        let digits = format!("{}{}", one.coefficient().unsigned_abs(), zeros(one));
        prop_assert_eq!(one.is_multiple_of(&step), long_remainder(&digits, divisor.unwrap()) == 0);
    }
}
