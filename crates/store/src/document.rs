//! A JSON document as an attribute: maps, lists and exact numbers.
//!
//! The checker has already found the source well formed, within the depth limit and without duplicate keys, and its
//! numbers within DynamoDB's digits and range; they are written as [`Decimal`] writes them, so that no spelling
//! (`0e999`, more than 38 digits of which the last are zeros) is rejected. Where a contract only warns of a wrong
//! type, what DynamoDB cannot hold is kept as text instead of being changed: a number becomes a string of its source
//! digits; a document that is not JSON after all, nests deeper than 32 levels or has an empty member name becomes a
//! string of its source as a whole.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>

use contract::Decimal;
use contract::json::{Token, TokenKind, Tokens};
use ledger::dynamodb::DEPTH;

use crate::ItemValue;

/// Returns the attribute of a JSON source text.
pub(crate) fn parse(source: &str) -> ItemValue {
    let mut tokens = Tokens::new(source.as_bytes(), DEPTH);
    let value = tokens.next().and_then(|first| value(&mut tokens, first));
    match value {
        Some(value) if tokens.ended() => value,
        _ => ItemValue::Text(source.to_owned()),
    }
}

/// Returns the attribute of the value that begins with a token; `None` for what no attribute can hold.
fn value(tokens: &mut Tokens<'_>, first: Token) -> Option<ItemValue> {
    let text = |tokens: &Tokens<'_>| String::from_utf8(first.content(tokens.text()).into_owned()).ok();
    Some(match first.kind {
        TokenKind::Object => ItemValue::Map(members(tokens)?),
        TokenKind::Array => ItemValue::List(items(tokens)?),
        TokenKind::String => ItemValue::Text(text(tokens)?),
        TokenKind::Number => match Decimal::parse(&first.content(tokens.text())) {
            Some(number) => ItemValue::Number(number.to_string()),
            None => ItemValue::Text(text(tokens)?),
        },
        TokenKind::True => ItemValue::Boolean(true),
        TokenKind::False => ItemValue::Boolean(false),
        TokenKind::Null => ItemValue::Null,
        TokenKind::Deep | TokenKind::Name | TokenKind::Close => return None,
    })
}

fn members(tokens: &mut Tokens<'_>) -> Option<Vec<(String, ItemValue)>> {
    let mut members = Vec::new();
    loop {
        let name = tokens.next()?;
        if name.kind == TokenKind::Close {
            return Some(members);
        }
        let name = String::from_utf8(name.content(tokens.text()).into_owned()).ok();
        let first = tokens.next()?;
        members.push((name.filter(|name| !name.is_empty())?, value(tokens, first)?));
    }
}

fn items(tokens: &mut Tokens<'_>) -> Option<Vec<ItemValue>> {
    let mut items = Vec::new();
    loop {
        let first = tokens.next()?;
        if first.kind == TokenKind::Close {
            return Some(items);
        }
        items.push(value(tokens, first)?);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(digits: &str) -> ItemValue {
        ItemValue::Number(digits.to_owned())
    }

    fn text(text: &str) -> ItemValue {
        ItemValue::Text(text.to_owned())
    }

    /// Writes an attribute as JSON again.
    fn json(value: &ItemValue) -> String {
        let string = |text: &String| serde_json::to_string(text).unwrap();
        match value {
            ItemValue::Null => "null".to_owned(),
            ItemValue::Text(text) => string(text),
            ItemValue::Number(digits) => digits.clone(),
            ItemValue::Boolean(boolean) => boolean.to_string(),
            ItemValue::Map(members) => {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{}:{}", string(name), json(value))).collect();
                format!("{{{}}}", members.join(","))
            }
            ItemValue::List(items) => {
                format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn a_document_keeps_order_and_nesting_and_its_numbers_are_exact() {
        let source =
            r#" { "b" : [ 1.10, -0, true, null ] , "a" : { "\u00e9\"" : "x\ny" }, "e": {}, "l": [] } "#;
        let expected = ItemValue::Map(vec![
            (
                "b".into(),
                ItemValue::List(vec![number("1.1"), number("0"), ItemValue::Boolean(true), ItemValue::Null]),
            ),
            ("a".into(), ItemValue::Map(vec![("é\"".into(), text("x\ny"))])),
            ("e".into(), ItemValue::Map(vec![])),
            ("l".into(), ItemValue::List(vec![])),
        ]);
        assert!(parse(source) == expected);
    }

    #[test]
    fn a_number_that_dynamodb_cannot_hold_is_its_digits_as_text() {
        let nines = "9".repeat(38);
        let fitting = [
            (nines.as_str(), nines.as_str()),
            ("0.10e1", "1"),
            ("9e125", "9E125"),
            ("1e-130", "1E-130"),
            ("100e-132", "1E-130"),
            ("0e999", "0"),
            ("12300000000000000000000000000000000000000000", "1.23E43"),
        ];
        for (digits, stored) in fitting {
            assert!(parse(digits) == number(stored), "{digits}");
        }
        let beyond = format!("{nines}9");
        for digits in [beyond.as_str(), "1e126", "1e-131", "1e99999999999", "-1e126"] {
            assert!(parse(digits) == text(digits), "{digits}");
        }
    }

    #[test]
    fn what_is_no_document_is_kept_as_text() {
        for source in ["", "{", "[1,]", "{\"a\":1}x", "01", "\"\\ud800\"", "{\"\":1}", "nul", "{\"a\" 1}"] {
            assert!(parse(source) == text(source), "{source}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(&deep) == text(&deep));
        let deepest = format!("{}{}", "[".repeat(32), "]".repeat(32));
        assert!(matches!(parse(&deepest), ItemValue::List(_)));
    }

    /// JSON source as `json` writes it.
    fn documents() -> impl Strategy<Value = String> {
        let string = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|boolean| boolean.to_string()),
            any::<i64>().prop_map(|whole| whole.to_string()),
            "-?[1-9][0-9]{0,12}(\\.[0-9]{0,11}[1-9])?",
            string,
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let member =
                ("[a-z\u{e9}]{1,8}", inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec(member, 0..5)
                    .prop_map(|members| format!("{{{}}}", members.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_document_survives_the_way_through_its_source(source in documents()) {
            prop_assert_eq!(json(&parse(&source)), source);
        }

        #[test]
        fn no_text_panics_or_is_lost(source: String) {
            let value = parse(&source);
            let known = serde_json::from_str::<serde::de::IgnoredAny>(&source).is_ok();
            prop_assert!(known || value == ItemValue::Text(source));
        }
    }
}
