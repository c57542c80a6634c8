//! The size of a row as a DynamoDB item.
//!
//! The formula is [`ledger::dynamodb`]'s. Where the guide says "approximately", the distance of [`ROW_BYTES`] from
//! the limit makes up for it.

use contract::json::{TokenKind, Tokens};
use contract::{Contract, Decimal, Value};
use ledger::dynamodb::{CONTAINER_BYTES, DEPTH, ELEMENT_BYTES, ITEM_BYTES, WORD_BYTES, number_bytes};

use crate::Record;

/// What the values of a row may take: 400 KB less 4 KiB for the key, `_load`, `_line` and what masking adds.
pub(crate) const ROW_BYTES: usize = ITEM_BYTES - 4 * 1024;

/// What a column's value can take beyond twice its source text: a date or time in ISO 8601 is longer than some
/// patterns.
const COLUMN_OVERHEAD: usize = 64;

/// Returns the part of the upper bound that does not depend on the record: names, and overhead for each column.
pub(crate) fn fixed_bytes(contract: &Contract) -> usize {
    contract.columns.iter().map(|column| column.name.len() + COLUMN_OVERHEAD).sum()
}

/// Returns the row's size when it is above the limit. `fixed` comes from [`fixed_bytes`].
pub(crate) fn oversize(contract: &Contract, record: &Record<'_>, fixed: usize) -> Option<usize> {
    // No value takes more than twice its source text and the overhead: the worst is a list of empty lists, whose
    // three characters take four bytes each. Nearly every record ends here.
    let source: usize = record.slots.iter().map(|slot| slot.end.saturating_sub(slot.start) as usize).sum();
    if fixed + 2 * source <= ROW_BYTES {
        return None;
    }
    let size = contract
        .columns
        .iter()
        .enumerate()
        .filter_map(|(index, column)| {
            Some(column.name.len() + value_bytes(&column.stored(record.cell(index))?))
        })
        .sum();
    (size > ROW_BYTES).then_some(size)
}

/// Returns what a value takes as an attribute of an item, in bytes, without its name.
#[must_use]
pub fn value_bytes(value: &Value<'_>) -> usize {
    match value {
        Value::Null | Value::Boolean(_) => WORD_BYTES,
        Value::Text(text) => text.len(),
        Value::Number(text) => number_bytes(text.as_bytes()),
        Value::Document(text) => document_bytes(text.as_bytes()),
    }
}

/// Returns the size of JSON source text. What is not JSON is stored as the text that it is.
fn document_bytes(text: &[u8]) -> usize {
    let mut tokens = Tokens::new(text, DEPTH);
    let mut size = 0;
    let mut values = 0_usize;
    for token in tokens.by_ref() {
        size += match token.kind {
            TokenKind::Close => continue,
            // No attribute has an empty name: the document is stored as the text that it is.
            TokenKind::Name if token.start == token.end => return text.len(),
            TokenKind::Name => {
                size += token.content(text).len();
                continue;
            }
            TokenKind::String => token.content(text).len(),
            TokenKind::Number => {
                let digits = token.content(text);
                // A number that DynamoDB cannot hold is stored as text.
                Decimal::parse(&digits).map_or(digits.len(), |_| number_bytes(&digits))
            }
            TokenKind::Object | TokenKind::Array => CONTAINER_BYTES,
            TokenKind::True | TokenKind::False | TokenKind::Null => WORD_BYTES,
            TokenKind::Deep => return text.len(),
        };
        values += 1;
    }
    if tokens.flaw().is_some() {
        return text.len();
    }
    // Every value but the outermost is an element, and names are no values.
    size + ELEMENT_BYTES * values.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_counts_three_bytes_and_one_for_each_element() {
        for (text, bytes) in [
            ("{}", 3),
            ("[]", 3),
            ("[[],[]]", 3 + 2 * 4),
            (r#"{"ab":"cd"}"#, 3 + 1 + 4),
            (r#"{"a":{"b":null}}"#, 3 + 1 + 1 + 3 + 1 + 1 + 1),
            (r#"[ 12 , true , "x:{" ]"#, 3 + 3 + 2 + 1 + 3),
            (r#"["\u00e9\n\"\ud83d\ude00"]"#, 3 + 1 + 2 + 1 + 1 + 4),
            // Stored as text: the whole document, or the number.
            (r#"{"a":["","","",""],"":0}"#, 24),
            (r#"{"a":{"":""}}"#, 13),
            ("[1e400,1e400]", 3 + 2 * (1 + 5)),
        ] {
            assert_eq!(document_bytes(text.as_bytes()), bytes, "{text}");
        }
    }

    fn document() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i64>().prop_map(serde_json::Value::from),
            "[a-z\"\\\\é\n]{0,4}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(6, 60, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[a-z:]{0,2}", inner, 0..8)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Returns the size by the formula, over the parsed tree.
    fn tree_bytes(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Null | serde_json::Value::Bool(_) => 1,
            serde_json::Value::Number(number) => number_bytes(number.to_string().as_bytes()),
            serde_json::Value::String(text) => text.len(),
            serde_json::Value::Array(items) => {
                3 + items.iter().map(|item| 1 + tree_bytes(item)).sum::<usize>()
            }
            serde_json::Value::Object(members) => {
                3 + members.iter().map(|(name, item)| 1 + name.len() + tree_bytes(item)).sum::<usize>()
            }
        }
    }

    fn has_an_empty_name(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Array(items) => items.iter().any(has_an_empty_name),
            serde_json::Value::Object(members) => {
                members.iter().any(|(name, item)| name.is_empty() || has_an_empty_name(item))
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn source_text_and_parsed_tree_have_one_size(document in document()) {
            let text = document.to_string();
            let stored = if has_an_empty_name(&document) { text.len() } else { tree_bytes(&document) };
            prop_assert_eq!(document_bytes(text.as_bytes()), stored);
            prop_assert!(tree_bytes(&document) <= 2 * text.len() + COLUMN_OVERHEAD);
        }
    }
}
