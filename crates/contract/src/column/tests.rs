use proptest::prelude::*;

use super::*;
use crate::{
    CellSet, DatePart, Mismatch, NumberFlaw, Pattern, RuleIndex, StringFormat, TemporalKind, TextPattern,
};

const TYPE: RuleIndex = RuleIndex(1);
const REQUIRED: RuleIndex = RuleIndex(2);
const FIRST: u16 = 3;

fn column(kind: Kind, checks: Vec<Check>) -> Column {
    let checks = (FIRST..).map(RuleIndex).zip(checks).collect();
    Column { required: Some(REQUIRED), checks, ..Column::new("c", kind, TYPE) }
}

fn broken(column: &Column, cell: Cell<'_>) -> Vec<(RuleIndex, Found)> {
    let mut violations = Vec::new();
    column.check(7, cell, &mut violations);
    assert!(violations.iter().all(|violation| violation.column == Some(7)));
    violations.into_iter().map(|violation| (violation.rule, violation.found)).collect()
}

fn number(text: &str) -> Measure {
    Measure::Number(Decimal::parse(text.as_bytes()).unwrap())
}

fn minimum(at: &str, exclusive: bool) -> Check {
    Check::Minimum(Bound { at: number(at), exclusive })
}

fn maximum(at: &str, exclusive: bool) -> Check {
    Check::Maximum(Bound { at: number(at), exclusive })
}

fn decimal() -> Kind {
    Kind::Number { precision_scale: None }
}

#[test]
fn a_null_breaks_the_required_rule_and_no_other() {
    let mut one = column(Kind::Integer, vec![minimum("5", false)]);
    assert_eq!(broken(&one, Cell::Null), [(REQUIRED, Found::Null)]);
    assert_eq!(broken(&one, Cell::Absent), [(REQUIRED, Found::Absent)]);
    assert_eq!(broken(&one, Cell::Text(b"")), [(REQUIRED, Found::Null)]);
    one.required = None;
    assert_eq!(broken(&one, Cell::Null), []);
    assert_eq!(broken(&one, Cell::Absent), []);
}

#[test]
fn only_the_contract_says_which_spellings_are_null() {
    // P23.
    let mut one = column(Kind::Integer, vec![]);
    for text in ["NULL", "#N/A", "-", "NaN"] {
        assert_eq!(
            broken(&one, Cell::Text(text.as_bytes())).first().map(|(rule, _)| *rule),
            Some(TYPE),
            "{text}"
        );
    }
    one.null_tokens = vec![b"NULL".to_vec(), b"-".to_vec()];
    assert_eq!(broken(&one, Cell::Text(b"NULL")), [(REQUIRED, Found::Null)]);
    assert_eq!(broken(&one, Cell::Text(b"-")), [(REQUIRED, Found::Null)]);
    assert!(
        !one.is_null(Cell::Text(b"null"))
            && !one.is_null(Cell::String(b"NULL"))
            && !one.is_null(Cell::String(b""))
    );
}

#[test]
fn an_integer_is_a_number_without_a_fraction() {
    // P17, P23. A zero fraction is none (JSON Schema).
    let one = column(Kind::Integer, vec![]);
    let nines = "9".repeat(38);
    let digits = ["0", "-0", "007", "-12", "999999999999999999", "1000000000000000000", &nines];
    let zero_fractions = ["1.0", "-0.0", "10.00", "1e3", "1.23E+05", "120e-1", "0e-5", &format!("{nines}.0")];
    for text in digits.into_iter().chain(zero_fractions) {
        assert_eq!(broken(&one, Cell::Text(text.as_bytes())), [], "{text}");
        assert_eq!(broken(&one, Cell::Number(text.as_bytes())), [], "{text}");
    }
    for text in ["1.5", "-0.01", "1e-1", "12.0000000000000000000000001"] {
        assert_eq!(broken(&one, Cell::Text(text.as_bytes())), [(TYPE, Found::Fraction)], "{text}");
        assert_eq!(broken(&one, Cell::Number(text.as_bytes())), [(TYPE, Found::Fraction)], "{text}");
    }
    for (text, at) in [
        ("1.", 3),
        (".0", 1),
        ("1e", 3),
        ("+5", 1),
        (" 5", 1),
        ("5\u{a0}", 2),
        ("-", 2),
        ("0x1F", 2),
        ("1_000", 2),
        ("1234567890123456789x", 20),
    ] {
        for cell in [Cell::Text(text.as_bytes()), Cell::Number(text.as_bytes())] {
            let found = broken(&one, cell);
            assert!(
                matches!(found[..], [(TYPE, Found::NotANumber { at: place, .. })] if place == at),
                "{text} {found:?}"
            );
        }
    }
    let too_long = |digits| [(TYPE, Found::SignificantDigits { digits, most: 38 })];
    assert_eq!(broken(&one, Cell::Text("9".repeat(39).as_bytes())), too_long(39));
    assert_eq!(broken(&one, Cell::Text(b"1e38")), too_long(39), "beyond 10^38 - 1");
    let filled = format!("{}7", "0".repeat(60));
    assert_eq!(broken(&one, Cell::Text(filled.as_bytes())), [], "leading zeros are no digits");
}

#[test]
fn integers_beyond_64_bits_are_compared_exactly() {
    // P20.
    let one = column(
        Kind::Integer,
        vec![maximum("9223372036854775808", false), minimum("-9007199254740993", true)],
    );
    assert_eq!(broken(&one, Cell::Number(b"9223372036854775808")), []);
    assert_eq!(broken(&one, Cell::Number(b"9223372036854775809")), [(RuleIndex(3), Found::Above)]);
    assert_eq!(broken(&one, Cell::Number(b"-9007199254740993")), [(RuleIndex(4), Found::Below)]);
    assert_eq!(broken(&one, Cell::Number(b"-9007199254740992")), []);
}

#[test]
fn limits_on_numbers_say_on_which_side_a_value_lies() {
    let one = column(
        Kind::Integer,
        vec![minimum("0", false), maximum("120", true), Check::MultipleOf(Decimal::from(5_u64))],
    );
    assert_eq!(broken(&one, Cell::Text(b"115")), []);
    assert_eq!(broken(&one, Cell::Text(b"-5")), [(RuleIndex(3), Found::Below)]);
    assert_eq!(broken(&one, Cell::Text(b"120")), [(RuleIndex(4), Found::Above)]);
    assert_eq!(
        broken(&one, Cell::Text(b"121")),
        [(RuleIndex(4), Found::Above), (RuleIndex(5), Found::NotAMultiple)]
    );
    let rate = column(
        decimal(),
        vec![minimum("0.1", true), maximum("1e3", false), Check::MultipleOf(Decimal::parse(b"0.1").unwrap())],
    );
    assert_eq!(broken(&rate, Cell::Text(b"0.3")), []);
    assert_eq!(broken(&rate, Cell::Text(b"0.10")), [(RuleIndex(3), Found::Below)]);
    assert_eq!(broken(&rate, Cell::Text(b"1000.1")), [(RuleIndex(4), Found::Above)]);
    assert_eq!(broken(&rate, Cell::Text(b"0.35")), [(RuleIndex(5), Found::NotAMultiple)]);
}

#[test]
fn precision_and_scale_bound_the_digits_on_either_side_of_the_point() {
    // D5.
    let one = column(Kind::Number { precision_scale: Some((5, 2)) }, vec![]);
    for text in ["123.45", "-0.05", "0", "123.4500", "00123.4"] {
        assert_eq!(broken(&one, Cell::Text(text.as_bytes())), [], "{text}");
    }
    let found = |text: &str| broken(&one, Cell::Text(text.as_bytes()));
    assert_eq!(found("1234"), [(TYPE, Found::IntegerDigits { digits: 4, most: 3 })]);
    assert_eq!(found("1.234"), [(TYPE, Found::FractionDigits { digits: 3, most: 2 })]);
    assert_eq!(found("1.234,56"), [(TYPE, Found::NotANumber { flaw: NumberFlaw::PointAndComma, at: 6 })]);
    assert_eq!(found("1e999"), [(TYPE, Found::TooHuge)]);
}

#[test]
fn a_json_value_has_the_kind_of_its_column() {
    let iso = || Kind::Date(Pattern::iso(TemporalKind::Date));
    for (kind, cell, found) in [
        (Kind::Integer, Cell::String(b"1"), JsonKind::String),
        (decimal(), Cell::Boolean(true), JsonKind::Boolean),
        (Kind::String, Cell::Number(b"1"), JsonKind::Number),
        (Kind::Boolean, Cell::String(b"true"), JsonKind::String),
        (Kind::Boolean, Cell::Number(b"1"), JsonKind::Number),
        (iso(), Cell::Number(b"45292"), JsonKind::Number),
        (Kind::Object(vec![]), Cell::Array(b"[]"), JsonKind::Array),
        (Kind::Array(None), Cell::Object(b"{}"), JsonKind::Object),
        (Kind::Map(None), Cell::String(b"{}"), JsonKind::String),
    ] {
        assert_eq!(broken(&column(kind, vec![]), cell), [(TYPE, Found::JsonKind(found))]);
    }
    assert_eq!(broken(&column(iso(), vec![]), Cell::String(b"2026-01-05")), []);
    assert_eq!(broken(&column(Kind::String, vec![Check::MinLength(0)]), Cell::String(b"")), []);
}

#[test]
fn a_boolean_cell_is_true_or_false_in_any_case_or_a_digit() {
    let one = column(Kind::Boolean, vec![]);
    for text in ["true", "FALSE", "True", "1", "0"] {
        assert_eq!(broken(&one, Cell::Text(text.as_bytes())), [], "{text}");
    }
    for text in ["yes", "2", "t", " true", "01"] {
        assert_eq!(broken(&one, Cell::Text(text.as_bytes())).len(), 1, "{text}");
    }
    assert_eq!(broken(&one, Cell::Boolean(false)), []);
}

#[test]
fn lengths_count_characters_and_not_bytes() {
    let one = column(Kind::String, vec![Check::MinLength(2), Check::MaxLength(3)]);
    for (text, expected) in [
        ("äö", None),
        ("日本語", None),
        ("ä", Some((RuleIndex(3), Found::TooShort { characters: 1, least: 2 }))),
        ("日本語x", Some((RuleIndex(4), Found::TooLong { characters: 4, most: 3 }))),
    ] {
        assert_eq!(broken(&one, Cell::Text(text.as_bytes())).first().copied(), expected, "{text}");
    }
}

#[test]
fn control_and_bidirectional_characters_are_data() {
    // P37: kept in data; what shows them escapes them.
    let one = column(Kind::String, vec![Check::MaxLength(4)]);
    assert_eq!(broken(&one, Cell::Text("\u{1b}[\u{202e}\u{7}".as_bytes())), []);
}

#[test]
fn identifiers_with_leading_zeros_are_text() {
    // P18.
    let zip = column(Kind::String, vec![Check::Pattern(TextPattern::compile("^[0-9]{5}$").unwrap())]);
    assert_eq!(broken(&zip, Cell::Text(b"01234")), []);
    let stops = |mismatch| [(RuleIndex(3), Found::NoMatch(mismatch))];
    assert_eq!(broken(&zip, Cell::Text(b"1234")), stops(Mismatch::Ends(4)));
    assert_eq!(broken(&zip, Cell::Text(b"01234 ")), stops(Mismatch::Character(6)));
}

#[test]
fn dates_are_compared_as_times() {
    let pattern = Pattern::compile("dd.MM.yyyy", TemporalKind::Date).unwrap();
    let at = Measure::Instant(pattern.parse(b"31.12.2025", None).unwrap());
    let one = column(Kind::Date(pattern), vec![Check::Minimum(Bound { at, exclusive: true })]);
    assert_eq!(broken(&one, Cell::Text(b"01.01.2026")), []);
    assert_eq!(broken(&one, Cell::Text(b"31.12.2025")), [(RuleIndex(3), Found::Below)]);
    let digit = Found::NotADate { wanted: DatePart::Digit, at: 2, ended: false };
    assert_eq!(broken(&one, Cell::Text(b"1.1.2026")), [(TYPE, digit)]);
}

#[test]
fn lists_and_forms_are_checked() {
    let members = CellSet::new(vec!["a@b.co".to_owned()], &Kind::String).unwrap();
    let one = column(Kind::String, vec![Check::OneOf(members.clone()), Check::Format(StringFormat::Email)]);
    assert_eq!(broken(&one, Cell::Text(b"a@b.co")), []);
    assert_eq!(
        broken(&one, Cell::Text(b"x")),
        [(RuleIndex(3), Found::NotListed), (RuleIndex(4), Found::OtherForm)]
    );
    let not = column(Kind::String, vec![Check::NotOneOf(members)]);
    assert_eq!(broken(&not, Cell::Text(b"a@b.co")), [(RuleIndex(3), Found::MissingWord)]);
}

#[test]
fn a_single_rule_can_be_asked() {
    let one = column(Kind::Integer, vec![]);
    let rule = minimum("5", false);
    assert!(rule.passes(&one, Cell::Text(b"5")) && rule.passes(&one, Cell::Null));
    assert!(!rule.passes(&one, Cell::Text(b"4")) && !rule.passes(&one, Cell::Text(b"x")));
}

fn any_kind() -> impl Strategy<Value = Kind> {
    (0..10).prop_map(|choice| match choice {
        0 => Kind::String,
        1 => Kind::Integer,
        2 => Kind::Number { precision_scale: Some((6, 2)) },
        3 => Kind::Boolean,
        4 => Kind::Date(Pattern::iso(TemporalKind::Date)),
        5 => Kind::Timestamp { pattern: Pattern::iso(TemporalKind::Timestamp), default_zone: None },
        6 => Kind::Time(Pattern::iso(TemporalKind::Time)),
        7 => Kind::Object(vec![column(Kind::Integer, vec![])]),
        8 => Kind::Array(Some(Box::new(Column {
            // Not the number of a rule of the column itself.
            checks: vec![(RuleIndex(90), Check::MinLength(2))],
            ..column(Kind::String, vec![])
        }))),
        _ => Kind::Map(Some(Box::new(column(Kind::Boolean, vec![])))),
    })
}

fn every_check() -> Vec<Check> {
    vec![
        Check::MinLength(2),
        Check::MaxLength(5),
        Check::Pattern(TextPattern::compile("a+b").unwrap()),
        Check::Format(StringFormat::Uri),
        minimum("3", false),
        maximum("1e40", true),
        Check::MultipleOf(Decimal::from(3_u64)),
        Check::MinItems(1),
        Check::MaxItems(2),
        Check::UniqueItems,
    ]
}

fn some_checks() -> impl Strategy<Value = Vec<Check>> {
    let date = |text: &str| Bound {
        at: Measure::Instant(Pattern::iso(TemporalKind::Date).parse(text.as_bytes(), None).unwrap()),
        exclusive: text.ends_with('1'),
    };
    let set = |kind: &Kind, texts: &[&str]| {
        CellSet::new(texts.iter().map(|text| (*text).to_owned()).collect(), kind).unwrap()
    };
    let checks = vec![
        Check::MinLength(2),
        Check::MaxLength(5),
        Check::Pattern(TextPattern::compile("^[0-9.-]{2,9}$").unwrap()),
        Check::Pattern(TextPattern::compile("^[0-9]{4}-[0-9]{2}-[0-9]{2}$").unwrap()),
        Check::Format(StringFormat::Hostname),
        minimum("3", false),
        minimum("-7.5", true),
        maximum("12", true),
        maximum("5000", false),
        maximum("1e40", true),
        Check::Minimum(date("2000-01-01")),
        Check::Maximum(date("2019-12-30")),
        Check::MultipleOf(Decimal::from(3_u64)),
        Check::MultipleOf(Decimal::parse(b"0.5").unwrap()),
        Check::OneOf(set(&Kind::String, &["1", "ab", "-3"])),
        Check::NotOneOf(set(&Kind::Integer, &["1", "7"])),
        Check::NotOneOf(set(&decimal(), &["1.5", "12"])),
        Check::MinItems(1),
    ];
    prop::sample::subsequence(checks, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_told_at_once_to_be_kept_breaks_nothing(
        kind in prop_oneof![any_kind(), any::<bool>().prop_map(|whole| if whole { Kind::Integer } else { decimal() })],
        checks in some_checks(),
        tokens in prop_oneof![4 => Just(vec![]), 1 => Just(vec![b"1".to_vec()])],
        required in any::<bool>(),
        text in prop_oneof![
            3 => "-?[0-9]{1,4}(\\.[0-9]{1,3})?",
            1 => "-?[0-9]{1,22}(\\.[0-9]{0,20})?(e[0-9])?",
            2 => "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]",
            1 => "true|false|TRUE|0|1|ab|",
            1 => "[a-z.0-9-]{0,12}|\\PC{0,6}",
        ],
    ) {
        let mut one = column(kind, checks);
        one.null_tokens = tokens;
        one.required = required.then_some(REQUIRED);
        let text = text.as_bytes();
        for cell in [Cell::Text(text), Cell::String(text), Cell::Number(text), Cell::Boolean(true), Cell::Absent, Cell::Null] {
            let mut violations = Vec::new();
            one.find_broken(7, cell, None, &mut violations);
            prop_assert!(violations.is_empty() || !one.is_kept_by(cell));
        }
    }
}

#[test]
fn usual_cells_are_told_at_once() {
    let pattern = |source| Check::Pattern(TextPattern::compile(source).unwrap());
    let usual = [
        (column(Kind::String, vec![pattern("^[A-Z]{2}[0-9]{10}$")]), "AC0000000001"),
        (column(Kind::Integer, vec![minimum("1", false), maximum("5000", false)]), "5000"),
        (column(Kind::Number { precision_scale: Some((10, 3)) }, vec![minimum("0", false)]), "1999.999"),
        (column(Kind::Date(Pattern::iso(TemporalKind::Date)), vec![]), "2024-02-29"),
        (column(Kind::Boolean, vec![]), "false"),
    ];
    for (column, text) in usual {
        assert!(column.is_kept_by(Cell::Text(text.as_bytes())), "{text}");
    }
}

proptest! {
    #[test]
    fn no_cell_panics_and_the_rules_agree_one_by_one(
        kind in any_kind(),
        bytes in prop_oneof![
            any::<Vec<u8>>(),
            "[-0-9.eE]{0,40}".prop_map(String::into_bytes),
            "[\\[\\]{}\",:a1\\\\ut ]{0,24}".prop_map(String::into_bytes),
        ],
    ) {
        let one = column(kind, every_check());
        let text = bytes.as_slice();
        for cell in [Cell::Text(text), Cell::String(text), Cell::Number(text), Cell::Object(text), Cell::Array(text), Cell::Boolean(true)] {
            let found = broken(&one, cell);
            let is_typed = one.is_null(cell) || one.kind.read(cell).is_ok();
            for (rule, check) in one.checks.iter().take(if is_typed { 10 } else { 0 }) {
                prop_assert_eq!(check.passes(&one, cell), !found.iter().any(|(broken, _)| broken == rule));
            }
            let _stored = one.value(cell);
        }
    }

    #[test]
    fn integers_agree_with_decimals(text in "-?[0-9]{1,45}", at in "-?[0-9]{1,30}") {
        let one = column(Kind::Integer, vec![minimum(&at, false), Check::MultipleOf(Decimal::from(7_u64))]);
        let found = broken(&one, Cell::Text(text.as_bytes()));
        let bound = Decimal::parse(at.as_bytes()).unwrap();
        let digits = text.trim_start_matches('-').trim_start_matches('0').len();
        match Decimal::parse(text.as_bytes()).filter(|_| digits <= 38) {
            None => prop_assert_eq!(found.first().map(|(rule, _)| *rule), Some(TYPE)),
            Some(value) => {
                prop_assert_eq!(found.contains(&(RuleIndex(3), Found::Below)), value < bound);
                let is_multiple = value.is_multiple_of(&Decimal::from(7_u64));
                prop_assert_eq!(found.contains(&(RuleIndex(4), Found::NotAMultiple)), !is_multiple);
            }
        }
    }

    #[test]
    fn characters_are_counted_as_rust_counts_them(text in "\\PC{0,20}") {
        prop_assert_eq!(characters(text.as_bytes()) as usize, text.chars().count());
    }
}
