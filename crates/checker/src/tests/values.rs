//! Values as other systems write them, through the engine: what is loaded, and under which key.

use std::sync::Arc;

use contract::Value;

use super::run;
use crate::{ContentHash, FileCheck, Reject, Row, Sink, reason};

/// The rows of a file as text, and the reasons of its rejects.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) keys: Vec<String>,
    pub(super) rows: Vec<String>,
    pub(super) rejects: Vec<String>,
    /// The rejected records as they were sent.
    pub(super) sent: Vec<String>,
}

impl Sink for Loaded {
    fn row(&mut self, row: Row<'_>) {
        self.keys.extend(row.key());
        let shown = row.values().map(|(_, value)| match value {
            Value::Null => "null".to_owned(),
            Value::Text(text) | Value::Number(text) => text.into_owned(),
            Value::Boolean(flag) => flag.to_string(),
            Value::Document(text) => text.to_owned(),
        });
        self.rows.push(shown.collect::<Vec<_>>().join(" "));
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.sent.push(String::from_utf8_lossy(reject.raw).into_owned());
        self.rejects.extend(reject.violations.iter().map(|violation| reason(reject.contract, violation)));
    }
}

pub(super) fn load(server: &str, properties: &str, file: &str) -> Loaded {
    let source = format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\n\
         servers:\n  - {{ server: inbox, type: s3, location: s3://inbox/a/b/, {server} }}\n\
         schema:\n  - name: feed\n    properties: [{properties}]\n"
    );
    let (contract, _) = contract::compile(&source).expect("a contract without errors");
    let mut loaded = Loaded::default();
    run(
        &mut FileCheck::new(Arc::new(contract), [3; 16], ContentHash::Skipped),
        file.as_bytes(),
        7 + file.len() / 1000,
        &mut loaded,
    );
    loaded
}

fn dialect(values: &str) -> String {
    format!(
        "format: csv, customProperties: [{{ property: csvDialect, vendor: ingest, value: {{ {values} }} }}]"
    )
}

#[test]
fn a_whole_number_is_one_key_however_it_is_written() {
    let properties =
        "{ name: id, logicalType: integer, primaryKey: true, logicalTypeOptions: { format: i32 } }";
    let csv = load("format: csv", properties, "id\n1\n1.0\n100\n1e2\n-0.0\n2.50\n");
    let json = load(
        "format: ndjson",
        properties,
        "{\"id\":1}\n{\"id\":1.0}\n{\"id\":100}\n{\"id\":1e2}\n{\"id\":-0.0}\n{\"id\":2.50}\n",
    );
    for (loaded, first) in [(csv, [2, 4]), (json, [1, 3])] {
        assert_eq!(loaded.keys, ["1", "100", "0"]);
        assert_eq!(loaded.rows, ["1", "100", "0"]);
        let repeat = |line| format!("duplicate primary key: already used on line {line}");
        let fraction = "has a fraction; a whole number is expected".to_owned();
        assert_eq!(loaded.rejects, [repeat(first[0]), repeat(first[1]), fraction]);
    }
}

#[test]
fn numbers_of_other_countries_are_loaded_as_the_numbers_that_they_are() {
    let loaded = load(
        &dialect("delimiter: ';', decimalSeparator: ',', groupSeparator: '.'"),
        "{ name: id, logicalType: integer, primaryKey: true }, { name: amount, logicalType: number }",
        "id;amount\n1.000;12,50\n1000;4.159,78\n2;12.50\n3;-0,5\n",
    );
    assert_eq!(loaded.rows, ["1000 12.5", "3 -0.5"]);
    assert_eq!(
        loaded.rejects,
        [
            "duplicate primary key: already used on line 2",
            "character 6: a group of digits that is not of three; the contract's group separator is `.`",
        ]
    );
}

#[test]
fn months_in_capitals_and_listed_booleans_are_loaded() {
    let loaded = load(
        &dialect("trueValues: ['Y'], falseValues: ['N']"),
        "{ name: day, logicalType: date, logicalTypeOptions: { format: dd-MMM-yyyy } }, \
         { name: paid, logicalType: boolean }",
        "day,paid\n29-JUN-2021,Y\n01-sep-2021,n\n1-Sep-2021,true\n",
    );
    assert_eq!(loaded.rows, ["2021-06-29 true", "2021-09-01 false"]);
    assert_eq!(
        loaded.rejects,
        ["not a date as dd-MMM-yyyy: character 2: a digit is expected", "not one of Y, N"]
    );
}
