//! The key of a record from the values of its primary key, as a reader of records gives them.

use contract::{Contract, Format, Kind};

use crate::prepare::Preparer;
use crate::row::{TupleOf, write_tuple};
use crate::{Position, Record, Slot, SlotKind};

/// Why values are no key of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The feed has no primary key.
    NoKey,
    /// The key has another number of parts.
    Parts {
        /// How many it has.
        expected: usize,
    },
    /// A part is null.
    Null {
        /// Its 1-based place.
        part: usize,
    },
    /// A transform makes a value of a part that cannot be stored: no record has such a key.
    Unstorable,
}

/// Returns the key that [`crate::Row::key`] gives to a record with these values, in the order of the primary key.
/// Each value is written as it is in the file: the text of a CSV cell or of a JSON string, the digits of a number. A
/// value as it is stored (a date in ISO 8601, canonical digits) names the same record, unless the column's own
/// pattern reads it as another date, a transform makes another value of it, or a mask hides a part of it.
pub fn key_of(contract: &Contract, values: &[&str]) -> Result<String, KeyError> {
    let columns = &contract.primary_key;
    if columns.is_empty() {
        return Err(KeyError::NoKey);
    }
    if values.len() != columns.len() {
        return Err(KeyError::Parts { expected: columns.len() });
    }
    let text = values.concat();
    let mut slots = vec![Slot::ABSENT; contract.columns.len()];
    let mut start = 0;
    for (index, value) in columns.iter().zip(values) {
        let end = start + value.len();
        let index = usize::from(*index);
        if let (Some(slot), Some(column)) = (slots.get_mut(index), contract.columns.get(index)) {
            let span = |end: usize| u32::try_from(end).unwrap_or(u32::MAX);
            *slot = Slot {
                kind: kind_of(&contract.format, &column.kind, value),
                start: span(start),
                end: span(end),
            };
        }
        start = end;
    }
    let record =
        Record { position: Position::default(), raw: b"", text: text.as_bytes(), slots: &slots, cells: &[] };
    let mut preparer = Preparer::default();
    let record = preparer.prepare(contract, &record).map_err(|_| KeyError::Unstorable)?;
    let mut key = Vec::new();
    if write_tuple(contract, &record, columns, TupleOf::Stored, &mut key) {
        return Ok(String::from_utf8_lossy(&key).into_owned());
    }
    let null = |index: &u16| {
        let index = usize::from(*index);
        contract.columns.get(index).is_none_or(|column| column.is_null(record.cell(index)))
    };
    Err(KeyError::Null { part: columns.iter().position(null).map_or(0, |place| place + 1) })
}

/// Returns what a reader of the format makes of a value of this type.
fn kind_of(format: &Format, kind: &Kind, value: &str) -> SlotKind {
    if format.has_text_cells() {
        return if value.is_empty() { SlotKind::Null } else { SlotKind::Text };
    }
    match kind {
        Kind::Integer | Kind::Number { .. } if serde_json::from_str::<serde_json::Number>(value).is_ok() => {
            SlotKind::Number
        }
        Kind::Boolean if value == "true" => SlotKind::True,
        Kind::Boolean if value == "false" => SlotKind::False,
        Kind::Object(_) | Kind::Map(_) => SlotKind::Object,
        Kind::Array(_) => SlotKind::Array,
        _ => SlotKind::String,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{ContentHash, FileCheck, Finished, Reject, Row, Sink};

    /// Keys of the rows of a file.
    #[derive(Default)]
    struct Keys(Vec<Option<String>>);

    impl Sink for Keys {
        fn row(&mut self, row: Row<'_>) {
            self.0.push(row.key());
        }

        fn reject(&mut self, _: Reject<'_>) {
            self.0.push(None);
        }
    }

    fn contract(format: &str) -> Arc<Contract> {
        let column = |place: u8, name: &str, kind: &str| {
            format!(
                "      - {{ name: {name}, {kind}, primaryKey: true, primaryKeyPosition: {place}, required: true }}\n"
            )
        };
        let columns = [
            column(1, "site", "logicalType: string"),
            column(2, "number", "logicalType: integer"),
            column(3, "amount", "logicalType: number"),
            column(4, "day", "logicalType: date, logicalTypeOptions: { format: dd.MM.yyyy }"),
            column(5, "flag", "logicalType: boolean"),
        ];
        let source = format!(
            "apiVersion: v3.2.0\nkind: DataContract\nid: keys\nversion: 1.0.0\nstatus: active\nservers:\n  - {{ server: inbox, \
             type: s3, location: s3://inbox/a/keys/, format: {format} }}\nschema:\n  - name: keys\n    properties:\n{}",
            columns.concat()
        );
        let compiled = contract::compile(&source);
        Arc::new(
            compiled
                .unwrap_or_else(|found| panic!("{}", contract::render_findings(&found, "keys", &source)))
                .0,
        )
    }

    fn keys(contract: &Arc<Contract>, file: &str) -> Vec<Option<String>> {
        let mut check = FileCheck::new(Arc::clone(contract), [0; 16], ContentHash::Skipped);
        let mut keys = Keys::default();
        let mut rest = file.as_bytes();
        while !rest.is_empty() {
            let pushed = check.push(rest, &mut keys);
            rest = &rest[pushed.consumed..];
        }
        while check.finish(&mut keys) == Finished::More {}
        keys.0
    }

    #[test]
    fn a_key_has_as_many_parts_as_the_contract_says_and_none_is_null() {
        let csv = contract("csv");
        assert_eq!(key_of(&csv, &["a"]), Err(KeyError::Parts { expected: 5 }));
        assert_eq!(key_of(&csv, &["a", "1", "2", "", "true"]), Err(KeyError::Null { part: 4 }));
        let canonical = key_of(&csv, &["a#%", "7", "1.5", "2026-11-20", "true"]);
        assert_eq!(canonical.as_deref(), Ok("a%23%25#7#1.5#2026-11-20#true"));
        assert_eq!(key_of(&csv, &["a#%", "007", "1.50", "20.11.2026", "TRUE"]), canonical);
        let without = contract::compile(
            "apiVersion: v3.2.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nservers:\n  - { server: inbox, \
             type: s3, location: s3://inbox/a/x/, format: csv }\nschema:\n  - name: x\n    properties:\n      - { name: a, logicalType: string }\n",
        );
        assert_eq!(key_of(&without.expect("compiles").0, &[]), Err(KeyError::NoKey));
    }

    proptest! {
        #[test]
        fn a_key_of_values_is_the_key_of_the_row_in_every_format(
            site in "[ -~é#%]{1,12}",
            number in any::<i64>(),
            zeros in 0_usize..3,
            amount in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,6})?",
            day in 1_u8..29,
            month in 1_u8..13,
            flag: bool,
        ) {
            let csv = contract("csv");
            let padded = format!("{}{:0>width$}", if number < 0 { "-" } else { "" }, number.unsigned_abs(), width = zeros + 1);
            let date = format!("{day:02}.{month:02}.2026");
            let flag = flag.to_string();
            let quoted = format!("\"{}\"", site.replace('"', "\"\""));
            let file = format!("site,number,amount,day,flag\n{quoted},{padded},{amount},{date},{flag}\n");
            let values = [site.as_str(), &padded, &amount, &date, &flag];
            let row = keys(&csv, &file);
            prop_assert_eq!(row.len(), 1);
            prop_assert_eq!(&row[0], &key_of(&csv, &values).ok());

            let json = contract("ndjson");
            let text = serde_json::to_string(&site).expect("JSON");
            let line = format!("{{\"site\":{text},\"number\":{number},\"amount\":{amount},\"day\":\"{date}\",\"flag\":{flag}}}\n");
            let row = keys(&json, &line);
            let number = number.to_string();
            let values = [site.as_str(), &number, &amount, &date, &flag];
            prop_assert_eq!(row, vec![key_of(&json, &values).ok()]);
            prop_assert_eq!(key_of(&json, &values).ok(), key_of(&csv, &values).ok());
        }

        #[test]
        fn no_values_panic_and_a_stored_key_names_itself(values in prop::collection::vec(any::<String>(), 0..7)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            for contract in [contract("csv"), contract("ndjson")] {
                if let Ok(key) = key_of(&contract, &values) {
                    let stored: Vec<String> =
                        key.split('#').map(|part| part.replace("%23", "#").replace("%25", "%")).collect();
                    let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
                    prop_assert_eq!(key_of(&contract, &stored), Ok(key));
                }
            }
        }
    }
}
