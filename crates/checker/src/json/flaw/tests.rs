use contract::Format;
use proptest::prelude::*;

use super::*;
use crate::fixture;
use crate::json::objects::Objects;

/// The rule, and the mistake with its line and character.
fn found(raw: &str) -> Result<(), (Structure, JsonFlaw, u32, u32)> {
    let contract = fixture::contract(Format::JsonLines, &["id"]);
    Objects::new(&contract).read(raw.as_bytes()).map_err(|violation| match violation.found {
        Found::Json { flaw, line, at } => (Structure::ALL[usize::from(violation.rule.0)], flaw, line, at),
        other => panic!("{other:?}"),
    })
}

#[test]
fn each_mistake_is_named_at_its_character() {
    for (raw, flaw, at) in [
        (r#"{"id":1,}"#, JsonFlaw::CommaBeforeBrace, 8),
        (r#"{"id":[1,]}"#, JsonFlaw::CommaBeforeBracket, 9),
        (r#"{"id":1 "x":2}"#, JsonFlaw::CommaOrBrace, 9),
        (r#"{"id":[1 2]}"#, JsonFlaw::CommaOrBracket, 10),
        (r"{id:1}", JsonFlaw::Name, 2),
        (r"{'id':1}", JsonFlaw::SingleQuote, 2),
        (r#"{"id":'a'}"#, JsonFlaw::SingleQuote, 7),
        (r#"{"id" 1}"#, JsonFlaw::Colon, 7),
        (r#"{"id":}"#, JsonFlaw::Value, 7),
        (r#"{"id":None}"#, JsonFlaw::Word, 7),
        (r#"{"id":True}"#, JsonFlaw::Word, 7),
        (r#"{"id":NaN}"#, JsonFlaw::Word, 7),
        (r#"{"id":nan}"#, JsonFlaw::Word, 7),
        (r#"{"id":tru}"#, JsonFlaw::Word, 7),
        (r#"{"id":01}"#, JsonFlaw::LeadingZero, 7),
        (r#"{"id":-01}"#, JsonFlaw::LeadingZero, 8),
        (r#"{"id":1.}"#, JsonFlaw::Digit, 9),
        (r#"{"id":-}"#, JsonFlaw::Digit, 8),
        (r#"{"id":+1}"#, JsonFlaw::Value, 7),
        (r#"{"id":.5}"#, JsonFlaw::Value, 7),
        ("{\"id\":\"a\tb\"}", JsonFlaw::Control, 9),
        (r#"{"id":"\x41"}"#, JsonFlaw::Escape, 8),
        (r#"{"id":"\u12"}"#, JsonFlaw::Escape, 8),
        (r#"{"id":"\ud800"}"#, JsonFlaw::Surrogate, 8),
        (r#"{"id":1"#, JsonFlaw::Ends, 8),
        (r#"{"id":"a"#, JsonFlaw::Ends, 9),
        (r#"{"id":tr"#, JsonFlaw::Ends, 9),
        (r#"{"id":1}{"id":2}"#, JsonFlaw::After, 9),
        (r#"{"id":1} // one"#, JsonFlaw::Comment, 10),
        ("\u{feff}{\"id\":1}", JsonFlaw::ByteOrderMark, 1),
        (r#"{"ä":"ö",}"#, JsonFlaw::CommaBeforeBrace, 9),
        ("q", JsonFlaw::Word, 1),
    ] {
        assert_eq!(found(raw), Err((Structure::Json, flaw, 1, at)), "{raw}");
    }
    assert_eq!(
        found("{\n  \"id\": 1,\n}"),
        Err((Structure::Json, JsonFlaw::CommaBeforeBrace, 2, 10)),
        "lines of the record are counted"
    );
}

#[test]
fn a_broken_rule_has_its_place_too() {
    let deep = format!(r#"{{"id":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    for (raw, structure, flaw, at) in [
        (r#"{"id":1,"id":2}"#, Structure::DuplicateField, JsonFlaw::DuplicateField, 9),
        (r#"{"id":1,"\u0069d":2}"#, Structure::DuplicateField, JsonFlaw::DuplicateField, 9),
        (r#"{"id":{"a":1,"a":2}}"#, Structure::DuplicateField, JsonFlaw::DuplicateField, 14),
        (r#"{"id":"a\u0000"}"#, Structure::Nul, JsonFlaw::Nul, 9),
        (deep.as_str(), Structure::Depth, JsonFlaw::Depth, 38),
    ] {
        assert_eq!(found(raw), Err((structure, flaw, 1, at)), "{raw}");
    }
}

#[test]
fn a_field_of_the_contract_that_stands_twice_is_named() {
    let contract = fixture::contract(Format::JsonLines, &["id", "name"]);
    let column = |raw: &str| {
        let read = Objects::new(&contract).read(raw.as_bytes());
        read.err().and_then(|violation| violation.column)
    };
    assert_eq!(column(r#"{"name":1,"n\u0061me":2}"#), Some(1));
    assert_eq!(column(r#"{"other":1,"other":2}"#), None);
    assert_eq!(column(r#"{"id":{"name":1,"name":2}}"#), None, "another object's field");
}

proptest! {
    #[test]
    fn what_the_scan_rejects_has_a_named_place(
        raw in "[{}\\[\\],:\"0-9a-f.eE+\\-tru nl\\\\/']{0,40}|\\{(\"id\":[0-9tfn\\[\\]\",.]{0,8},?){0,4}\\}",
    ) {
        let contract = fixture::contract(Format::JsonLines, &["id"]);
        let mut objects = Objects::new(&contract);
        if let Err(Violation { found: Found::Json { flaw, at, .. }, .. }) = objects.read(raw.as_bytes()) {
            prop_assert!(flaw != JsonFlaw::Syntax, "{}", raw);
            prop_assert!(at as usize <= raw.chars().count() + 1);
        } else {
            let mut tokens = Tokens::new(raw.as_bytes(), 32);
            prop_assert!(tokens.by_ref().count() > 0 && tokens.ended());
        }
    }
}
