//! One cell of a record as the format reader found it, and its value as it is stored.

use std::borrow::Cow;

/// One cell, borrowed from the reader's buffer. Text is valid UTF-8 with escapes already resolved.
///
/// Deliberately without `Debug` and `Display`: a cell's content must not reach a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// The record has no such field (JSON only; a CSV record always has all its columns).
    Absent,
    /// An explicit null: JSON `null`, an empty CSV cell, or one of the column's null tokens.
    Null,
    /// Text without a type of its own: a non-empty CSV cell. It is read as the column's type.
    Text(&'a [u8]),
    /// A JSON string, unescaped.
    String(&'a [u8]),
    /// A JSON number: the source digits, never rounded.
    Number(&'a [u8]),
    /// A JSON boolean.
    Boolean(bool),
    /// A JSON object: its source text, braces included; well formed, without duplicate keys, within the depth limit.
    Object(&'a [u8]),
    /// A JSON array: its source text, brackets included; well formed, within the depth limit.
    Array(&'a [u8]),
}

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
