//! A JSON document as an attribute: maps, lists and numbers with the digits they were sent with.
//!
//! The checker has already found the source well formed, within the depth limit and without duplicate keys. What
//! DynamoDB still cannot hold is kept as text instead of being changed: a number of more than 38 digits or outside
//! 10^±125 becomes a string of its source digits; a document that is not JSON after all, nests deeper than 32 levels
//! or has an empty member name becomes a string of its source as a whole.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>

use crate::ItemValue;

/// DynamoDB's limit on nested attributes.
const DEPTH: usize = 32;
/// DynamoDB's precision of a number.
const DIGITS: usize = 38;
/// The least and greatest decimal exponent of a number's first digit: 1E-130 to 9.99…E+125.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// The attribute of a JSON source text.
pub(crate) fn parse(source: &str) -> ItemValue {
    let mut reader = Reader { source, at: 0 };
    match reader.value(1) {
        Some(value) if reader.ended() => value,
        _ => ItemValue::Text(source.to_owned()),
    }
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<ItemValue> {
        if depth > DEPTH {
            return None;
        }
        match self.peek()? {
            b'{' => self.map(depth),
            b'[' => self.list(depth),
            b'"' => self.string().map(ItemValue::Text),
            b't' => self.word("true", ItemValue::Boolean(true)),
            b'f' => self.word("false", ItemValue::Boolean(false)),
            b'n' => self.word("null", ItemValue::Null),
            _ => self.number(),
        }
    }

    fn map(&mut self, depth: usize) -> Option<ItemValue> {
        self.take(b'{')?;
        let mut members = Vec::new();
        if self.take(b'}').is_some() {
            return Some(ItemValue::Map(members));
        }
        loop {
            self.peek()?;
            let name = self.string().filter(|name| !name.is_empty())?;
            self.take(b':')?;
            members.push((name, self.value(depth + 1)?));
            if self.take(b',').is_none() {
                self.take(b'}')?;
                return Some(ItemValue::Map(members));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<ItemValue> {
        self.take(b'[')?;
        let mut items = Vec::new();
        if self.take(b']').is_some() {
            return Some(ItemValue::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(ItemValue::List(items));
            }
        }
    }

    /// The string that begins here, unescaped.
    fn string(&mut self) -> Option<String> {
        let rest = self.rest();
        let mut escaped = false;
        let inner = rest.strip_prefix('"')?.bytes().position(|byte| {
            let end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            end
        })?;
        let token = rest.get(..inner + 2)?;
        self.at += token.len();
        serde_json::from_str(token).ok()
    }

    fn number(&mut self) -> Option<ItemValue> {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| !is_of_number(byte)).unwrap_or(rest.len());
        let token = rest.get(..end)?;
        // The grammar only; the digits stay as they are.
        serde_json::from_str::<serde::de::IgnoredAny>(token).ok()?;
        self.at += end;
        let stored = if fits(token)? { ItemValue::Number } else { ItemValue::Text };
        Some(stored(token.to_owned()))
    }

    fn word(&mut self, word: &str, value: ItemValue) -> Option<ItemValue> {
        self.rest().starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        let blanks = rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.at += blanks;
        self.source.as_bytes().get(self.at).copied()
    }

    fn ended(&mut self) -> bool {
        self.peek().is_none()
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
}

/// Whether DynamoDB holds a JSON number exactly; `None` for an exponent beyond any sense.
fn fits(token: &str) -> Option<bool> {
    let unsigned = token.trim_start_matches('-');
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => match exponent.parse::<i32>() {
            Ok(exponent) => (mantissa, i64::from(exponent)),
            Err(_) => return Some(false),
        },
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let Some(first) = digits().position(|digit| digit != b'0') else {
        return Some(true);
    };
    let last = digits().enumerate().filter(|(_, digit)| *digit != b'0').last()?.0;
    let first_exponent = i64::try_from(whole.len()).ok()? - 1 - i64::try_from(first).ok()? + exponent;
    Some(last - first < DIGITS && EXPONENTS.contains(&first_exponent))
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
    fn a_document_keeps_order_nesting_and_digits() {
        let source =
            r#" { "b" : [ 1.10, -0, true, null ] , "a" : { "\u00e9\"" : "x\ny" }, "e": {}, "l": [] } "#;
        let expected = ItemValue::Map(vec![
            (
                "b".into(),
                ItemValue::List(vec![
                    number("1.10"),
                    number("-0"),
                    ItemValue::Boolean(true),
                    ItemValue::Null,
                ]),
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
            nines.as_str(),
            "0.10e1",
            "9e125",
            "1e-130",
            "100e-132",
            "0e999",
            "12300000000000000000000000000000000000000000",
        ];
        for digits in fitting {
            assert!(parse(digits) == number(digits), "{digits}");
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
            "-?(0|[1-9][0-9]{0,12})(\\.[0-9]{1,12})?",
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
