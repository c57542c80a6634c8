//! Items: attributes by name and type, and the names that expressions use.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::FileId;

/// An item as the SDK has it.
pub(in crate::aws) type Attributes = HashMap<String, AttributeValue>;

/// Attributes by their names.
pub(in crate::aws) fn attributes<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Attributes {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(in crate::aws) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(in crate::aws) fn number(number: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

/// Returns the names that expressions stand for: each `#name` in them is the attribute `name`. No attribute's own
/// name is ever in an expression, so that none can be a reserved word.
pub(in crate::aws) fn names(expressions: &[&str]) -> HashMap<String, String> {
    let other = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == '#');
    expressions
        .iter()
        .flat_map(|expression| expression.split(other))
        .filter_map(|word| Some((word.to_owned(), word.strip_prefix('#')?.to_owned())))
        .collect()
}

/// Reads attributes by name and type.
#[derive(Clone, Copy)]
pub(in crate::aws) struct ItemReader<'a>(pub(in crate::aws) &'a Attributes);

impl ItemReader<'_> {
    pub(in crate::aws) fn text(self, name: &str) -> Option<String> {
        self.0.get(name)?.as_s().ok().cloned()
    }

    pub(in crate::aws) fn number<T: std::str::FromStr>(self, name: &str) -> Option<T> {
        self.0.get(name)?.as_n().ok()?.parse().ok()
    }

    pub(in crate::aws) fn is_true(self, name: &str) -> bool {
        self.0.get(name) == Some(&AttributeValue::Bool(true))
    }

    pub(in crate::aws) fn file(self, name: &str) -> Option<FileId> {
        FileId::parse(self.0.get(name)?.as_s().ok()?)
    }
}
