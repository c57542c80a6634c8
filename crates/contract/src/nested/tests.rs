use proptest::prelude::*;

use super::*;
use crate::{Check, JsonKind, RuleIndex};

/// A property whose type rule is `rule`, whose required rule is the next, and whose checks follow.
fn column(name: &str, kind: Kind, rule: u16, checks: Vec<Check>) -> Column {
    let checks = (rule + 2..).map(RuleIndex).zip(checks).collect();
    Column { required: Some(RuleIndex(rule + 1)), checks, ..Column::new(name, kind, RuleIndex(rule)) }
}

fn broken(column: &Column, cell: Cell<'_>) -> Vec<(u16, Found)> {
    let mut violations = Vec::new();
    column.check(4, cell, &mut violations);
    assert!(violations.iter().all(|violation| violation.column == Some(4)));
    violations.into_iter().map(|violation| (violation.rule.0, violation.found)).collect()
}

fn person() -> Column {
    let address = column(
        "address",
        Kind::Object(vec![column("zip", Kind::String, 30, vec![Check::MinLength(5)])]),
        20,
        vec![],
    );
    column("person", Kind::Object(vec![column("age", Kind::Integer, 10, vec![]), address]), 0, vec![])
}

fn array_of_integers() -> Column {
    column("a", Kind::Array(Some(Box::new(column("", Kind::Integer, 10, vec![])))), 0, vec![])
}

#[test]
fn a_synonym_names_a_nested_property_and_two_names_in_one_object_are_a_field_twice() {
    let Kind::Object(mut members) = person().kind else { panic!("an object") };
    members[0].synonyms = vec!["years".to_owned()];
    let person = column("person", Kind::Object(members), 0, vec![]);
    assert_eq!(broken(&person, Cell::Object(br#"{"years": 5, "address": {"zip": "01234"}}"#)), []);
    let twice = broken(&person, Cell::Object(br#"{"age": 5, "years": 6, "address": {"zip": "01234"}}"#));
    assert_eq!(twice, [(Structure::DuplicateField.index().0, Found::Unspecified)]);
}

#[test]
fn nested_properties_are_checked_under_the_top_level_column() {
    let one = person();
    assert_eq!(
        broken(&one, Cell::Object(br#"{"age": 5, "address": {"zip": "01234"}, "other": [1, {"age": "x"}]}"#)),
        []
    );
    assert_eq!(
        broken(&one, Cell::Object(br#" { "address" : {"zip":"0\u0031"} , "age":"5" } "#)),
        [(32, Found::TooShort { characters: 2, least: 5 }), (10, Found::JsonKind(JsonKind::String))]
    );
    assert_eq!(broken(&one, Cell::Object(br#"{"age":null}"#)), [(11, Found::Null), (21, Found::Absent)]);
    assert_eq!(
        broken(&one, Cell::Object(br#"{"\u0061ge":1.5,"address":{}}"#)),
        [(10, Found::Fraction), (31, Found::Absent)]
    );
    assert_eq!(
        broken(&one, Cell::Object(br#"{"age":true,"address":[]}"#)),
        [(10, Found::JsonKind(JsonKind::Boolean)), (20, Found::JsonKind(JsonKind::Array))]
    );
}

#[test]
fn each_item_and_each_value_of_a_map_is_checked() {
    let array = array_of_integers();
    assert_eq!(broken(&array, Cell::Array(b"[1, 2 ,-3,4.0]")), []);
    assert_eq!(
        broken(&array, Cell::Array(br#"[1,null,"x",2.5]"#)),
        [(11, Found::Null), (10, Found::JsonKind(JsonKind::String)), (10, Found::Fraction)]
    );
    let map = column("m", Kind::Map(Some(Box::new(column("", Kind::Boolean, 10, vec![])))), 0, vec![]);
    assert_eq!(broken(&map, Cell::Object(br#"{"a":true,"}":false}"#)), []);
    assert_eq!(broken(&map, Cell::Object(br#"{"a":true,"b":0}"#)), [(10, Found::JsonKind(JsonKind::Number))]);
}

#[test]
fn a_long_array_of_bad_items_does_not_fill_the_memory() {
    let array = array_of_integers();
    let text = format!("[{}]", vec!["\"x\""; 10_000].join(","));
    assert_eq!(broken(&array, Cell::Array(text.as_bytes())).len(), MOST_VIOLATIONS);
}

#[test]
fn the_items_of_all_levels_together_add_a_limited_number_of_violations() {
    let checks = vec![Check::MinLength(5), Check::Format(crate::StringFormat::Uuid)];
    let text = column("", Kind::String, 10, checks);
    let inner = column("", Kind::Array(Some(Box::new(text))), 20, vec![]);
    let outer = column("a", Kind::Array(Some(Box::new(inner))), 0, vec![]);
    let row = format!("[{}]", ["\"x\""; 33].join(","));
    let rows = format!("[{}]", [row.as_str(); 33].join(","));
    assert_eq!(broken(&outer, Cell::Array(rows.as_bytes())).len(), MOST_VIOLATIONS);
}

#[test]
fn items_and_members_are_counted() {
    for (text, expected) in [
        ("[]", 0),
        ("[ ]", 0),
        ("[1]", 1),
        (r#"[1,"]",[2,3],{"a":4}]"#, 4),
        ("{}", 0),
        (r#"{"a":1,"b,":{"c":2}}"#, 2),
    ] {
        assert_eq!(count(text.as_bytes()), expected, "{text}");
    }
    let array = column("a", Kind::Array(None), 0, vec![Check::MinItems(1), Check::MaxItems(2)]);
    assert_eq!(broken(&array, Cell::Array(b"[]")), [(2, Found::TooFew { count: 0, least: 1 })]);
    assert_eq!(broken(&array, Cell::Array(b"[1,2,3]")), [(3, Found::TooMany { count: 3, most: 2 })]);
}

#[test]
fn equal_items_are_found_whatever_their_spelling() {
    for text in
        ["[1,1.0]", r#"["a","\u0061"]"#, r#"[{"a":1,"b":2},{"b":2,"a":1}]"#, "[[1],[ 1 ]]", "[null,null]"]
    {
        assert!(has_repeats(text.as_bytes()), "{text}");
    }
    for text in [
        "[]",
        r#"[1,"1"]"#,
        r#"["a","b"]"#,
        "[[1,2],[12]]",
        "[[1],[[1]]]",
        r#"[{"a":1},{"a":2}]"#,
        "[true,false,null]",
    ] {
        assert!(!has_repeats(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_csv_cell_with_a_document_is_verified_first() {
    let one = person();
    assert_eq!(broken(&one, Cell::Text(br#"{"age":5,"address":{"zip":"01234"}}"#)), []);
    let flaw = |flaw| [(0, Found::Json { flaw, line: 0, at: 0 })];
    assert_eq!(
        broken(&one, Cell::Text(br#"{"age":5"#)),
        [(0, Found::Json { flaw: JsonFlaw::Syntax, line: 1, at: 8 })]
    );
    assert_eq!(broken(&one, Cell::Text(b"[1]")), [(0, Found::Unspecified)]);
    assert_eq!(broken(&one, Cell::Text(br#"{"age":5,"age":6}"#)), flaw(JsonFlaw::DuplicateField));
    assert_eq!(broken(&one, Cell::Text(br#"{"x":[{"y":1,"\u0079":2}]}"#)), flaw(JsonFlaw::DuplicateField));
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let array = column("a", Kind::Array(None), 0, vec![]);
    assert_eq!(broken(&array, Cell::Text(deep(32).as_bytes())), []);
    assert_eq!(broken(&array, Cell::Text(deep(33).as_bytes())), flaw(JsonFlaw::Depth));
    assert_eq!(broken(&array, Cell::Text(deep(100_000).as_bytes())).len(), 1);
}

#[test]
fn a_number_anywhere_in_a_document_is_one_that_can_be_stored() {
    let open = column("o", Kind::Object(vec![]), 0, vec![]);
    let array = column("a", Kind::Array(None), 0, vec![]);
    let map = column("m", Kind::Map(None), 0, vec![]);
    let nines = "9".repeat(38);
    for number in
        [nines.as_str(), "0e999", "-0.0", "9e125", "1E-130", "1000000000000000000000000000000000000000"]
    {
        let source = format!(r#"{{"free":[{{"deep":{number}}}],"text":"1e999"}}"#);
        assert_eq!(broken(&open, Cell::Object(source.as_bytes())), [], "{number}");
    }
    let long = format!("-{nines}.9");
    for (number, found) in [
        (long.as_str(), Found::SignificantDigits { digits: 39, most: 38 }),
        ("1e126", Found::TooHuge),
        ("1e-131", Found::TooTiny),
        ("1e99999999999999999999", Found::TooHuge),
    ] {
        for blank in ["", " "] {
            let object = format!(r#"{{"free":[{{"1,":"1e999","deep":{blank}{number}{blank}}}]}}"#);
            let list = format!("[1,[{blank}{number}{blank}]]");
            for cell in [Cell::Object(object.as_bytes()), Cell::Text(object.as_bytes())] {
                assert_eq!(broken(&open, cell), [(0, found)], "{object}");
                assert_eq!(broken(&map, cell), [(0, found)], "{object}");
            }
            for cell in [Cell::Array(list.as_bytes()), Cell::Text(list.as_bytes())] {
                assert_eq!(broken(&array, cell), [(0, found)], "{list}");
            }
        }
    }
    // A property that is declared says it under its own rule, and nobody says it again.
    assert_eq!(
        broken(&person(), Cell::Object(br#"{"age":1,"address":{"zip":"01234","floor":1e999}}"#)),
        [(20, Found::TooHuge)]
    );
    assert_eq!(
        broken(&array_of_integers(), Cell::Array(format!("[1,{nines}9]").as_bytes())),
        [(10, Found::SignificantDigits { digits: 39, most: 38 })]
    );
}

#[test]
fn half_of_a_surrogate_pair_is_not_text() {
    let array = column("a", Kind::Array(None), 0, vec![]);
    assert_eq!(broken(&array, Cell::Text(br#"["\ud83d\ude00"]"#)), []);
    for text in [r#"["\ud83dx"]"#, r#"["\ude00"]"#, r#"["\ud83d\u0041"]"#] {
        let found = Found::Json { flaw: JsonFlaw::Surrogate, line: 0, at: 0 };
        assert_eq!(broken(&array, Cell::Text(text.as_bytes())), [(0, found)], "{text}");
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[\\PC\"\\\\\n\u{1}]{0,5}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[\\PC\"\\\\]{0,3}", inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_walk_agrees_with_serde_json(value in any_json(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let reread = |source: &[u8]| serde_json::from_slice::<serde_json::Value>(source).unwrap();
        match &value {
            serde_json::Value::Array(expected) => {
                let actual: Vec<_> = items(text.as_bytes()).map(reread).collect();
                prop_assert_eq!(&actual, expected);
                prop_assert_eq!(has_repeats(text.as_bytes()), (1..expected.len()).any(|at| expected[..at].contains(&expected[at])));
                prop_assert!(verify(text.as_bytes(), b'[').is_ok());
            }
            serde_json::Value::Object(expected) => {
                let actual: serde_json::Map<_, _> = members(text.as_bytes())
                    .map(|(key, value)| (String::from_utf8(key.into_owned()).unwrap(), reread(value)))
                    .collect();
                prop_assert_eq!(&actual, expected);
                prop_assert_eq!(verify(text.as_bytes(), b'{').err(), None);
            }
            serde_json::Value::String(expected) => {
                prop_assert_eq!(&*text_of(text.as_bytes()), expected.as_bytes());
            }
            _ => prop_assert_ne!(verify(text.as_bytes(), b'{').err(), None),
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop_oneof![any::<Vec<u8>>(), "[\\[\\]{}\",:a1\\\\ud8 ]{0,30}".prop_map(String::into_bytes)]) {
        for source in [bytes.clone(), [b"[", bytes.as_slice()].concat(), [b"{\"", bytes.as_slice()].concat()] {
            count(&source);
            has_repeats(&source);
            let _verified = verify(&source, b'[').is_ok();
            broken(&person(), Cell::Object(&source));
        }
    }
}
