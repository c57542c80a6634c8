//! Objects and arrays: a walk over JSON source text, borrowed, without building values.
//!
//! The text of a JSON cell was found well formed by the reader; the text of a CSV cell is verified here first. The walk
//! itself trusts nothing: on any other text it ends early.

use std::borrow::Cow;
use std::collections::HashSet;

use ledger::dynamodb::DEPTH;
use memchr::memchr2;
use serde::de::IgnoredAny;

use crate::column::Reading;
use crate::{Cell, Column, Decimal, Found, JsonFlaw, Kind, Structure, Violation};

/// One cell adds at most this number of violations of nested rules; the record is rejected long before.
pub(crate) const MOST_VIOLATIONS: usize = 100;

/// Checks the members or items of a cell, up to a number of violations.
pub(crate) fn check(kind: &Kind, index: u16, source: &[u8], most: usize, violations: &mut Vec<Violation>) {
    let mut buffer = Vec::new();
    match kind {
        Kind::Object(columns) => check_members(columns, index, source, most, violations),
        Kind::Array(Some(column)) => {
            for item in items(source) {
                if violations.len() >= most {
                    break;
                }
                column.check_nested(index, cell(item, &mut buffer), most, violations);
            }
        }
        Kind::Map(Some(column)) => {
            for (_, value) in members(source) {
                if violations.len() >= most {
                    break;
                }
                column.check_nested(index, cell(value, &mut buffer), most, violations);
            }
        }
        _ => {}
    }
    // One item can break several rules.
    violations.truncate(most);
}

/// Checks the members that are there in their order, then the missing ones in the contract's.
fn check_members(
    columns: &[Column],
    index: u16,
    source: &[u8],
    most: usize,
    violations: &mut Vec<Violation>,
) {
    let mut seen = vec![false; columns.len()];
    let mut buffer = Vec::new();
    for (key, value) in members(source) {
        let key = unescape(key);
        let known = columns
            .iter()
            .zip(&mut seen)
            .find(|(column, _)| column.labels().any(|label| label.as_bytes() == &*key));
        let Some((column, seen)) = known else { continue };
        if *seen && violations.len() < most {
            // Under two of its names: which one is meant is not said.
            let rule = Structure::DuplicateField.index();
            violations.push(Violation { rule, column: Some(index), found: Found::Unspecified });
        }
        *seen = true;
        column.check_nested(index, cell(value, &mut buffer), most, violations);
    }
    for (column, _) in columns.iter().zip(&seen).filter(|(_, seen)| !**seen) {
        column.check_nested(index, Cell::Absent, most, violations);
    }
}

/// Returns how many items an array has, or members an object.
pub(crate) fn count(source: &[u8]) -> u64 {
    let count = if opens_with(source, b'{') { members(source).count() } else { items(source).count() };
    count as u64
}

/// Returns whether an array has two equal items: numbers by value, objects whatever the order of their members.
pub(crate) fn has_repeats(source: &[u8]) -> bool {
    let mut seen = HashSet::new();
    items(source).any(|item| {
        let mut canonical = Vec::with_capacity(item.len() + 8);
        write_canonical(item, 0, &mut canonical);
        !seen.insert(canonical)
    })
}

/// Verifies the text of a CSV cell: well-formed JSON that opens with the given bracket, within the depth limit,
/// without repeated keys.
pub(crate) fn verify(source: &[u8], opening: u8) -> Result<Reading, Found> {
    serde_json::from_slice::<IgnoredAny>(source).map_err(|error| {
        let [line, at] = [error.line(), error.column()].map(|place| u32::try_from(place).unwrap_or(u32::MAX));
        Found::Json { flaw: JsonFlaw::Syntax, line, at }
    })?;
    if !opens_with(source, opening) {
        return Err(Found::Unspecified);
    }
    verify_keys(source, 1).map(|()| Reading::Plain)
}

fn verify_keys(source: &[u8], depth: u32) -> Result<(), Found> {
    let broken = |flaw| Err(Found::Json { flaw, line: 0, at: 0 });
    if depth > DEPTH {
        return broken(JsonFlaw::Depth);
    }
    let is_nested = |value: &&[u8]| matches!(value.first(), Some(b'{' | b'['));
    if !opens_with(source, b'{') {
        return items(source).filter(is_nested).try_for_each(|item| verify_keys(item, depth + 1));
    }
    let mut keys = HashSet::new();
    for (key, value) in members(source) {
        if !keys.insert(unescape(key)) {
            return broken(JsonFlaw::DuplicateField);
        }
        if is_nested(&value) {
            verify_keys(value, depth + 1)?;
        }
    }
    Ok(())
}

/// Returns what is wrong with the first number, at any depth of a well-formed text, that is no [`Decimal`]: DynamoDB could not
/// hold it, and it is never rounded.
pub(crate) fn unstorable_number(source: &[u8]) -> Option<Found> {
    let mut rest = source;
    while let Some(byte) = rest.first() {
        let length = match byte {
            b'"' => string_length(rest)?,
            b'-' | b'0'..=b'9' => {
                let is_end = |byte: &u8| byte.is_ascii_whitespace() || b",]}".contains(byte);
                let length = rest.iter().position(is_end).unwrap_or(rest.len());
                let number = rest.get(..length).unwrap_or_default();
                if let Err(found) = Decimal::read(number) {
                    return Some(found);
                }
                length
            }
            _ => 1,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    None
}

fn opens_with(source: &[u8], opening: u8) -> bool {
    source.trim_ascii_start().first() == Some(&opening)
}

/// Returns the cell of a value's source text; the buffer takes a string that has escapes.
fn cell<'a>(value: &'a [u8], buffer: &'a mut Vec<u8>) -> Cell<'a> {
    match value.first() {
        Some(b'"') => match unescape(value) {
            Cow::Borrowed(text) => Cell::String(text),
            Cow::Owned(text) => {
                *buffer = text;
                Cell::String(buffer)
            }
        },
        Some(b'{') => Cell::Object(value),
        Some(b'[') => Cell::Array(value),
        Some(b't') => Cell::Boolean(true),
        Some(b'f') => Cell::Boolean(false),
        Some(b'-' | b'0'..=b'9') => Cell::Number(value),
        _ => Cell::Null,
    }
}

/// Writes a form that is the same for equal values and no others.
fn write_canonical(value: &[u8], depth: u32, out: &mut Vec<u8>) {
    match value.first() {
        Some(b'"') => write_text(&unescape(value), out),
        Some(b'-' | b'0'..=b'9') => {
            match Decimal::parse(value) {
                Some(number) => out.extend(number.to_string().bytes()),
                None => out.extend(value),
            }
            out.push(b' ');
        }
        Some(b'{') if depth < DEPTH => {
            let mut sorted: Vec<_> = members(value).map(|(key, value)| (unescape(key), value)).collect();
            sorted.sort_unstable();
            out.push(b'{');
            for (key, value) in sorted {
                write_text(&key, out);
                write_canonical(value, depth + 1, out);
            }
            out.push(b'}');
        }
        Some(b'[') if depth < DEPTH => {
            out.push(b'[');
            items(value).for_each(|item| write_canonical(item, depth + 1, out));
            out.push(b']');
        }
        _ => out.extend(value),
    }
}

/// Writes text after its length, so that no text can look like another value.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend(text.len().to_le_bytes());
    out.extend(text);
}

/// Returns the members of an object: the keys as written with their quotes, and the values.
fn members(source: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut walk = Walk::inside(source, b'{');
    std::iter::from_fn(move || {
        let key = walk.next_value()?;
        if key.first() != Some(&b'"') {
            return None;
        }
        walk.skip_blanks(b':');
        Some((key, walk.next_value()?))
    })
}

/// Returns the items of an array.
fn items(source: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut walk = Walk::inside(source, b'[');
    std::iter::from_fn(move || walk.next_value())
}

/// What is left of a text.
struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    /// Within the brackets of an object or array; at the end when there are none.
    fn inside(source: &'a [u8], opening: u8) -> Self {
        Self { rest: source.trim_ascii_start().strip_prefix(&[opening]).unwrap_or_default() }
    }

    /// Skips blanks and the given separator.
    fn skip_blanks(&mut self, separator: u8) {
        while let [byte, rest @ ..] = self.rest {
            if !byte.is_ascii_whitespace() && *byte != separator {
                return;
            }
            self.rest = rest;
        }
    }

    /// Returns the next value after an optional comma; `None` at the closing bracket.
    fn next_value(&mut self) -> Option<&'a [u8]> {
        self.skip_blanks(b',');
        let length = match self.rest.first()? {
            b'"' => string_length(self.rest)?,
            b'{' | b'[' => nested_length(self.rest)?,
            _ => self
                .rest
                .iter()
                .position(|byte| byte.is_ascii_whitespace() || b",:]}".contains(byte))
                .filter(|length| *length > 0)?,
        };
        let (value, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(value)
    }
}

/// Returns bytes of the string that begins a text, with its quotes.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Returns bytes of the object or array that begins a text, with its brackets.
fn nested_length(text: &[u8]) -> Option<usize> {
    let mut open = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => at += string_length(text.get(at..)?)? - 1,
            b'{' | b'[' => open += 1,
            b'}' | b']' => open -= 1,
            _ => {}
        }
        at += 1;
        if open == 0 {
            return Some(at);
        }
    }
}

/// Returns the content of a string, escapes resolved (RFC 8259 section 7). Half of a surrogate pair becomes U+FFFD.
fn unescape(quoted: &[u8]) -> Cow<'_, [u8]> {
    let inner = quoted.strip_prefix(b"\"").unwrap_or(quoted);
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let Some(first) = memchr::memchr(b'\\', inner) else { return Cow::Borrowed(inner) };
    let (plain, mut rest) = inner.split_at_checked(first).unwrap_or((inner, &[]));
    let mut out = plain.to_vec();
    loop {
        rest = match rest {
            [] => return Cow::Owned(out),
            [b'\\', b'u', after @ ..] => unescape_unit(after, &mut out),
            [b'\\', escaped, after @ ..] => {
                out.push(match escaped {
                    b'b' => 0x08,
                    b'f' => 0x0C,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => *other,
                });
                after
            }
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        };
    }
}

/// Resolves the four digits after `\u`, and the second half of a surrogate pair; returns what follows.
fn unescape_unit<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let (unit, rest) = hexadecimal(text);
    let mut code = unit;
    let mut after = rest;
    if let (0xD800..=0xDBFF, [b'\\', b'u', second @ ..]) = (unit, rest) {
        let (low, rest) = hexadecimal(second);
        if let 0xDC00..=0xDFFF = low {
            code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            after = rest;
        }
    }
    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend(letter.encode_utf8(&mut [0; 4]).bytes());
    after
}

/// Returns the number of up to four hexadecimal digits, and what follows.
fn hexadecimal(text: &[u8]) -> (u32, &[u8]) {
    let (digits, rest) = text.split_at_checked(4).unwrap_or((text, &[]));
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 16 + char::from(*digit).to_digit(16).unwrap_or_default());
    (number, rest)
}

#[cfg(test)]
mod tests;
