//! A receipt, as the sender has it.

use serde::de::IgnoredAny;

use super::plain::plain_lines;
use super::{Readable, StackView};
use crate::error::CommandError;

/// A receipt as it is stored.
pub struct Stored(String);

impl<S: Readable> StackView<S> {
    pub(super) async fn receipt(&self, word: &str) -> Result<Stored, CommandError> {
        let found = self.find(word).await?;
        let outcome = self.decided(&found)?;
        let none =
            || CommandError::NoReceipt { file: found.file.to_string(), state: found.entry.state.as_str() };
        if outcome.receipt.is_empty() {
            return Err(none());
        }
        let document = self.store.document(&outcome.receipt).await.map_err(CommandError::Read)?;
        let text = String::from_utf8(document.ok_or_else(none)?.to_vec());
        text.map(Stored).map_err(|_| none())
    }
}

impl Stored {
    /// Returns the receipt byte for byte.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Renders the receipt on lines; a text that is not JSON stays as it is, without control characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        if serde_json::from_str::<IgnoredAny>(&self.0).is_err() {
            return plain_lines(&self.0) + "\n";
        }
        plain_lines(&on_lines(&self.0)) + "\n"
    }
}

/// Returns a JSON document with a line for each member and item, in its own order and with its own spelling.
fn on_lines(json: &str) -> String {
    let mut out = String::with_capacity(2 * json.len());
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        if in_string {
            out.push(letter);
            in_string = letter != '"' || escaped;
            escaped = letter == '\\' && !escaped;
            continue;
        }
        match letter {
            '"' => {
                in_string = true;
                out.push(letter);
            }
            '{' | '[' => {
                out.push(letter);
                while letters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(close) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            letter => out.push(letter),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_document_keeps_its_order_and_spelling() {
        let shown = on_lines(r#"{ "b":1.0,"a":["x\"},{", {}],"c":[ ],"d":{"e":null}}"#);
        let lines = [
            "{",
            "  \"b\": 1.0,",
            "  \"a\": [",
            "    \"x\\\"},{\",",
            "    {}",
            "  ],",
            "  \"c\": [],",
            "  \"d\": {",
            "    \"e\": null",
            "  }",
            "}",
        ];
        assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<String>().prop_map(Value::from), any::<i64>().prop_map(Value::from)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let member = (any::<String>(), inner.clone());
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(Value::from),
                proptest::collection::vec(member, 0..4)
                    .prop_map(|members| json!(members.into_iter().collect::<serde_json::Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn lines_do_not_change_a_document(document in documents()) {
            let shown = on_lines(&document.to_string());
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), document);
        }

        #[test]
        fn no_text_panics(text: String) {
            drop((on_lines(&text), Stored(text).to_text()));
        }
    }
}
