//! What a row is stored as: its key, its version, its values.

use contract::{Contract, Value};

use crate::{Record, Row};

impl<'a> Row<'a> {
    /// The values of the primary key, joined with `#`; `%` and `#` within a value as `%25` and `%23`, so that different
    /// keys differ. `None`: the feed has no primary key.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let columns = &self.contract.primary_key;
        let mut key = String::new();
        (!columns.is_empty() && write_tuple(self.contract, &self.record, columns, &mut key)).then_some(key)
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
    out: &mut String,
) -> bool {
    out.clear();
    for (place, column) in columns.iter().enumerate() {
        if place > 0 {
            out.push('#');
        }
        match value(contract, record, *column) {
            Value::Null => return false,
            Value::Text(text) | Value::Number(text) => write_escaped(&text, out),
            Value::Boolean(flag) => out.push_str(if flag { "true" } else { "false" }),
            Value::Document(text) => write_escaped(text, out),
        }
    }
    true
}

fn write_escaped(text: &str, out: &mut String) {
    if memchr::memchr2(b'%', b'#', text.as_bytes()).is_none() {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '%' => out.push_str("%25"),
            '#' => out.push_str("%23"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(parts: &[String]) -> String {
        let mut out = String::new();
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                out.push('#');
            }
            write_escaped(part, &mut out);
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
