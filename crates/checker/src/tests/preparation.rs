//! Transforms and masks through the engine: what rules see, what rows and keys have, and what rejects keep.

use std::sync::{Arc, LazyLock};

use contract::Contract;
use proptest::prelude::*;

use super::run;
use super::values::load;
use crate::{ContentHash, FileCheck, KeyError, Reject, Row, Sink, key_of};

/// A property of these entries with settings of vendor `ingest`.
fn property(entries: &str, settings: &[(&str, &str)]) -> String {
    let settings: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{{ property: {name}, vendor: ingest, value: {value} }}"))
        .collect();
    format!("{{ {entries}, customProperties: [{}] }}", settings.join(", "))
}

#[test]
fn rules_and_rows_see_what_the_steps_made_and_rejects_what_was_sent() {
    let properties = [
        "{ name: id, logicalType: string, primaryKey: true }".to_owned(),
        property(
            "name: sex, logicalType: string, enum: [{ value: M }, { value: F }, { value: U }]",
            &[("transform", "[trim, upper, { map: { MALE: M, FEMALE: F } }, { default: U }]")],
        ),
        property(
            "name: height, logicalType: number, logicalTypeOptions: { maximum: 250 }",
            &[("transform", "{ multiply: 2.54 }")],
        ),
        property("name: born, logicalType: date", &[("transform", "{ dates: [dd.MM.yyyy, yyyyMMdd] }")]),
    ]
    .join(", ");
    let csv = load(
        "format: csv",
        &properties,
        "id,sex,height,born\n1, male ,70.5,09.03.1957\n2,,,19570309\n3,f,99,1957-03-09\n4,x,60,9.3.1957\n5,\"fe\nmale\",1,\n",
    );
    assert_eq!(csv.rows, ["1 M 179.07 1957-03-09", "2 U null 1957-03-09"]);
    assert_eq!(
        csv.rejects,
        [
            "too large; at most 250 allowed",
            "not one of M, F, U",
            "not a date as yyyy-MM-dd: character 2: a digit is expected",
            "not one of M, F, U",
        ]
    );
    assert_eq!(csv.sent, ["3,f,99,1957-03-09", "4,x,60,9.3.1957", "5,\"fe\nmale\",1,"]);
    let json = load(
        "format: ndjson",
        &properties,
        "{\"id\":\"1\",\"sex\":\" male \",\"height\":70.5,\"born\":\"09.03.1957\"}\n{\"id\":\"2\",\"born\":\"19570309\"}\n{\"id\":\"3\",\"sex\":\"x\"}\n",
    );
    assert_eq!(json.rows, csv.rows);
    assert_eq!(json.sent, ["{\"id\":\"3\",\"sex\":\"x\"}"]);
}

#[test]
fn a_result_that_cannot_be_stored_rejects_the_record() {
    let grown = property(
        "name: c, logicalType: string",
        &[("transform", &format!("{{ replace: {{ pattern: x, with: {} }} }}", "y".repeat(1_000)))],
    );
    let loaded = load("format: csv", &grown, &format!("c\nx\n{}\n", "x".repeat(500)));
    assert_eq!((loaded.rows.len(), loaded.rejects.len()), (1, 1));
    assert!(loaded.rejects[0].contains("bytes"), "{}", loaded.rejects[0]);
    let grown = |name: &str| {
        let name = format!("name: {name}, logicalType: string");
        property(
            &name,
            &[("transform", &format!("{{ replace: {{ pattern: x, with: {} }} }}", "y".repeat(1_000)))],
        )
    };
    let many = ["a", "b", "c", "d"].map(grown).join(", ");
    let cell = "x".repeat(300);
    let loaded = load("format: csv", &many, &format!("a,b,c,d\n{cell},{cell},{cell},{cell}\n"));
    assert_eq!((loaded.rows.len(), loaded.rejects.len()), (0, 1));
    let product = property("name: c, logicalType: number", &[("transform", "{ multiply: 3 }")]);
    let nines = "9".repeat(38);
    let loaded = load("format: csv", &product, &format!("c\n1\n{nines}\nseven\n"));
    assert_eq!((loaded.rows, loaded.rejects.len()), (vec!["3".to_owned()], 2));
    assert!(loaded.rejects[0].contains("digits"), "{}", loaded.rejects[0]);
}

#[test]
fn a_dropped_value_may_be_larger_than_a_row() {
    let with = |mask: &str| property("name: scan, logicalType: string", &[("mask", mask)]);
    let file = format!("id,scan\n1,{}\n", "a".repeat(500_000));
    for (mask, rows) in [("drop", 1), ("redact", 1), ("none", 0)] {
        let properties = format!("{{ name: id, logicalType: string, primaryKey: true }}, {}", with(mask));
        assert_eq!(load("format: csv", &properties, &file).rows.len(), rows, "{mask}");
    }
}

#[test]
fn unique_compares_values_and_the_primary_key_what_is_stored_of_them() {
    let key = property("name: id, logicalType: string, primaryKey: true", &[("mask", "{ truncate: 2 }")]);
    let unique = property("name: mrn, logicalType: string, unique: true", &[("mask", "redact")]);
    let loaded = load("format: csv", &format!("{key}, {unique}"), "id,mrn\nab1,M1\ncd1,M2\nab2,M3\nef1,M1\n");
    assert_eq!(loaded.keys, ["ab", "cd"]);
    assert_eq!(loaded.rows, ["ab ***", "cd ***"]);
    assert_eq!(loaded.rejects.len(), 2);
    assert!(loaded.rejects[0].contains("line 2") && loaded.rejects[1].contains("line 2"));
}

#[test]
fn a_record_is_found_by_the_key_that_was_sent() {
    let id = property(
        "name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1",
        &[("transform", "[upper, { replace: { pattern: '-', with: '#' } }]")],
    );
    let day = property(
        "name: day, logicalType: date, primaryKey: true, primaryKeyPosition: 2",
        &[("transform", "{ dates: [dd.MM.yyyy] }"), ("mask", "{ truncateDate: month }")],
    );
    let source = format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\n\
         servers:\n  - {{ server: inbox, type: s3, location: s3://inbox/a/b/, format: csv }}\n\
         schema:\n  - name: feed\n    properties: [{id}, {day}]\n"
    );
    let (contract, _) = contract::compile(&source).expect("a contract without errors");
    let loaded = load("format: csv", &format!("{id}, {day}"), "id,day\na-1,09.03.1957\n");
    assert_eq!(loaded.keys, ["A%231#1957-03-01"]);
    for values in [["a-1", "09.03.1957"], ["A-1", "1957-03-09"], ["A#1", "1957-03-01"]] {
        assert_eq!(key_of(&contract, &values).as_deref(), Ok(loaded.keys[0].as_str()), "{values:?}");
    }
    assert_eq!(key_of(&contract, &["a-1", ""]), Err(KeyError::Null { part: 2 }));
    let endless = "-".repeat(500_000);
    assert_eq!(key_of(&contract, &[&endless, "1957-03-09"]), Err(KeyError::Unstorable));
}

/// Everything that leaves the engine but the rejected records themselves.
#[derive(Default)]
struct Leaving(String);

impl Sink for Leaving {
    fn row(&mut self, row: Row<'_>) {
        self.0.push_str(&row.key().unwrap_or_default());
        for (name, value) in row.values() {
            self.0.push_str(name);
            match value {
                contract::Value::Null => self.0.push_str("null"),
                contract::Value::Text(text) | contract::Value::Number(text) => self.0.push_str(&text),
                contract::Value::Boolean(flag) => self.0.push_str(&flag.to_string()),
                contract::Value::Document(text) => self.0.push_str(text),
            }
            self.0.push('\n');
        }
    }

    fn reject(&mut self, reject: Reject<'_>) {
        for violation in reject.violations {
            self.0.push_str(&crate::reason(reject.contract, violation));
        }
    }
}

/// Columns of every mask that hides, each with a rule that half of the planted values break.
fn masked(format: &str) -> Arc<Contract> {
    let column = |name: &str, kind: &str, mask: &str| {
        property(&format!("name: {name}, {kind}"), &[("mask", mask), ("transform", "[trim]")])
    };
    let broken = "logicalType: string, logicalTypeOptions: { pattern: '^[0-4a-zA-Z ]' }";
    let properties = [
        property("name: id, logicalType: string, primaryKey: true", &[("mask", "last4")]),
        column("dropped", broken, "drop"),
        column("redacted", broken, "redact"),
        column("ending", broken, "last4"),
        column("beginning", broken, "{ truncate: 2 }"),
    ];
    let source = format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\n\
         servers:\n  - {{ server: inbox, type: s3, location: s3://inbox/a/b/, format: {format} }}\n\
         schema:\n  - name: feed\n    properties: [{}]\n",
        properties.join(", ")
    );
    match contract::compile(&source) {
        Ok((contract, _)) => Arc::new(contract),
        Err(findings) => panic!("{}", contract::render_findings(&findings, "feed", &source)),
    }
}

proptest! {
    #[test]
    fn no_planted_value_leaves_the_engine_whole(
        values in prop::collection::vec("[0-9]{9,14}", 5),
        format in prop::sample::select(vec!["csv", "ndjson"]),
    ) {
        static CONTRACTS: [LazyLock<Arc<Contract>>; 2] =
            [LazyLock::new(|| masked("csv")), LazyLock::new(|| masked("ndjson"))];
        let contract = &*CONTRACTS[usize::from(format != "csv")];
        let names = ["id", "dropped", "redacted", "ending", "beginning"];
        let file = if format == "csv" {
            format!("{}\n{}\n", names.join(","), values.join(","))
        } else {
            let fields: Vec<String> =
                names.iter().zip(&values).map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
            format!("{{{}}}\n", fields.join(","))
        };
        let mut leaving = Leaving::default();
        let mut check = FileCheck::new(Arc::clone(contract), [3; 16], ContentHash::Skipped);
        let summary = run(&mut check, file.as_bytes(), 11, &mut leaving);
        prop_assert_eq!(summary.counts.records, 1);
        let summary = format!("{summary:?}");
        for value in &values {
            prop_assert!(!leaving.0.contains(value.as_str()), "{}", leaving.0);
            prop_assert!(!summary.contains(value.as_str()));
        }
        if summary.contains("rows: 1") {
            let key = key_of(contract, &[values[0].as_str()]).expect("a key");
            prop_assert!(leaving.0.starts_with(&key) && values[0].ends_with(key.trim_start_matches('*')));
        }
    }
}
