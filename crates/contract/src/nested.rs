//! Objects and arrays: rules on JSON source text, borrowed, without building values.
//!
//! The text of a JSON cell was found well formed by the reader; the text of a CSV cell is verified here first.

use std::borrow::Cow;
use std::collections::HashSet;

use ledger::dynamodb::DEPTH;
use serde::de::IgnoredAny;

use crate::column::Reading;
use crate::json::{self, Flaw, TokenKind, Tokens};
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
    // One of the two has none.
    (json::members(source).count() + json::items(source).count()) as u64
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
    if source.trim_ascii_start().first() != Some(&opening) {
        return Err(Found::Unspecified);
    }
    let flawed = |flaw: Flaw| Found::Json { flaw: flaw.flaw, line: 0, at: 0 };
    json::check_names(source, DEPTH).map(|()| Reading::Plain).map_err(flawed)
}

/// Returns what is wrong with the first number, at any depth of a well-formed text, that is no [`Decimal`]: DynamoDB
/// could not hold it, and it is never rounded.
pub(crate) fn unstorable_number(source: &[u8]) -> Option<Found> {
    Tokens::new(source, DEPTH)
        .filter(|token| token.kind == TokenKind::Number)
        .find_map(|number| Decimal::read(&number.content(source)).err())
}

/// Returns the cell of a value's source text; the buffer takes a string that has escapes.
fn cell<'a>(value: &'a [u8], buffer: &'a mut Vec<u8>) -> Cell<'a> {
    match value.first() {
        Some(b'"') => match text_of(value) {
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

/// Returns the content of a string with its quotes.
fn text_of(quoted: &[u8]) -> Cow<'_, [u8]> {
    json::unescape(quoted.get(1..quoted.len() - 1).unwrap_or_default())
}

/// Writes a form that is the same for equal values and no others.
fn write_canonical(value: &[u8], depth: u32, out: &mut Vec<u8>) {
    match value.first() {
        Some(b'"') => write_text(&text_of(value), out),
        Some(b'-' | b'0'..=b'9') => {
            match Decimal::parse(value) {
                Some(number) => out.extend(number.to_string().bytes()),
                None => out.extend(value),
            }
            out.push(b' ');
        }
        Some(b'{') if depth < DEPTH => {
            let mut sorted: Vec<_> = members(value).collect();
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

/// Returns the members of an object: the names, and the values' source text.
fn members(source: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, &[u8])> {
    json::members(source)
        .map(|(name, value)| (name.content(source), source.get(value.source()).unwrap_or_default()))
}

/// Returns the source text of an array's items.
fn items(source: &[u8]) -> impl Iterator<Item = &[u8]> {
    json::items(source).map(|item| source.get(item.source()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
