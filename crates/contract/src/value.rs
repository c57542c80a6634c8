//! A value as it is stored.

use std::borrow::Cow;

/// A value as it is stored: typed, exact, never through a float.
#[derive(Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// Text; dates and times in ISO 8601.
    Text(Cow<'a, str>),
    /// The digits of a number of at most 38 significant digits.
    Number(Cow<'a, str>),
    /// A boolean.
    Boolean(bool),
    /// A JSON object or array: its source text.
    Document(&'a str),
}
