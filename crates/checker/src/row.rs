//! What a row is stored as: its key, its version, its values.

use contract::{Cell, Contract, Kind, Value};

use crate::{Record, Row};

impl<'a> Row<'a> {
    /// The values of the primary key, joined with `#`; `%` and `#` within a value as `%25` and `%23`, so that different
    /// keys differ. `None`: the feed has no primary key.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let columns = &self.contract.primary_key;
        let mut key = Vec::new();
        (!columns.is_empty() && write_tuple(self.contract, &self.record, columns, &mut key))
            .then(|| String::from_utf8_lossy(&key).into_owned())
    }

    /// The value of the column that orders versions of one key. `None`: no column does, or it is null.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let index = self.contract.version_from?;
        match value(self.contract, &self.record, index) {
            Value::Null => None,
            Value::Text(text) | Value::Number(text) => Some(text.into_owned()),
            Value::Boolean(flag) => Some(flag.to_string()),
            Value::Document(text) => Some(text.to_owned()),
        }
    }

    /// Each property's name and value, in the contract's order.
    pub fn values(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let Self { contract, record } = *self;
        contract
            .columns
            .iter()
            .enumerate()
            .map(move |(index, column)| (column.name.as_str(), column.value(record.cell(index))))
    }
}

fn value<'a>(contract: &'a Contract, record: &Record<'a>, column: u16) -> Value<'a> {
    let column = usize::from(column);
    contract.columns.get(column).map_or(Value::Null, |found| found.value(record.cell(column)))
}

/// Writes the values of some columns so that different tuples differ, or says that one of them is null.
pub(crate) fn write_tuple(
    contract: &Contract,
    record: &Record<'_>,
    columns: &[u16],
    out: &mut Vec<u8>,
) -> bool {
    out.clear();
    for (place, index) in columns.iter().enumerate() {
        if place > 0 {
            out.push(b'#');
        }
        let Some(column) = contract.columns.get(usize::from(*index)) else { return false };
        let cell = record.cell(usize::from(*index));
        // Text is its own value.
        if let (Kind::String, Cell::Text(text) | Cell::String(text)) = (&column.kind, cell)
            && !column.is_null(cell)
        {
            write_escaped(text, out);
            continue;
        }
        match column.value(cell) {
            Value::Null => return false,
            Value::Text(text) | Value::Number(text) => write_escaped(text.as_bytes(), out),
            Value::Boolean(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
            Value::Document(text) => write_escaped(text.as_bytes(), out),
        }
    }
    true
}

fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    if memchr::memchr2(b'%', b'#', text).is_none() {
        out.extend_from_slice(text);
        return;
    }
    for byte in text {
        match byte {
            b'%' => out.extend_from_slice(b"%25"),
            b'#' => out.extend_from_slice(b"%23"),
            other => out.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(parts: &[String]) -> Vec<u8> {
        let mut out = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                out.push(b'#');
            }
            write_escaped(part.as_bytes(), &mut out);
        }
        out
    }

    proptest! {
        #[test]
        fn different_tuples_have_different_keys(
            one in prop::collection::vec("[%#235a]{0,4}", 2),
            other in prop::collection::vec("[%#235a]{0,4}", 2),
        ) {
            prop_assert_eq!(one == other, joined(&one) == joined(&other));
        }
    }
}
