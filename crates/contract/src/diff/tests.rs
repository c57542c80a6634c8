use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::{Cell, Severity, compile, render_findings};

const HEAD: &str = "apiVersion: v3.2.0\nkind: DataContract\nid: labs\nversion: 1.0.0\nstatus: active\n";

fn contract(server: &str, schema: &str, properties: &str) -> Contract {
    let document = format!(
        "{HEAD}servers:\n  - {{server: inbox, type: s3, location: s3://inbox/, {server}}}\n\
         schema:\n  - name: labs\n{schema}    properties:\n{properties}"
    );
    match compile(&document) {
        Ok((contract, _)) => contract,
        Err(findings) => panic!("{}", render_findings(&findings, "labs", &document)),
    }
}

const CSV: &str = "format: csv";

fn properties(older: &str, newer: &str) -> Vec<ContractChange> {
    let id = "      - {name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}\n";
    let one = |property: &str| contract(CSV, "", &format!("{id}      - {{{property}}}\n"));
    diff(&one(older), &one(newer))
}

fn settings(older: &str, newer: &str) -> Vec<ContractChange> {
    let one = |setting: &str| {
        let schema = if setting.is_empty() {
            String::new()
        } else {
            format!("    customProperties:\n      - {{{setting}, vendor: ingest}}\n")
        };
        contract(CSV, &schema, "      - {name: id, logicalType: integer}\n")
    };
    diff(&one(older), &one(newer))
}

fn rules(older: &str, newer: &str) -> Vec<ContractChange> {
    let one = |rule: &str| {
        let quality = if rule.is_empty() {
            String::new()
        } else {
            format!("    quality:\n      - {{type: custom, engine: cel, {rule}}}\n")
        };
        contract(CSV, &quality, "      - {name: id, logicalType: integer, primaryKey: true}\n")
    };
    diff(&one(older), &one(newer))
}

fn shown(changes: &[ContractChange]) -> String {
    let mut text = String::new();
    for ContractChange { what, before, after, breaks, why } in changes {
        let none = || "-".to_owned();
        let (before, after) = (before.clone().unwrap_or_else(none), after.clone().unwrap_or_else(none));
        writeln!(text, "  {breaks:?} {what}: {before} -> {after}: {why}").expect("a string takes all");
    }
    text
}

/// Settings of the schema object: the older and the newer value.
const SETTINGS: [(&str, &str, &str); 11] = [
    ("onError", "continue", "abort"),
    ("onError", "skip_file_5", "skip_file_9"),
    ("onError", "skip_file_5%", "skip_file_9"),
    ("unknownColumn", "ignore", "reject"),
    ("missingColumn", "reject", "'null'"),
    ("emptyFile", "accept", "reject"),
    ("onSameName", "append", "supersede"),
    ("onSameName", "reject", "append"),
    ("dedupeContent", "false", "true"),
    ("dropIf", "'id < 0'", "['id  < 0', 'id == 7']"),
    ("dropIf", "['id < 0', 'id == 7']", "'id < 0'"),
];

#[test]
fn every_kind_of_change() {
    let mut text = String::new();
    for (older, newer) in [
        ("name: x, logicalType: string", "name: x, logicalType: string"),
        ("name: x, logicalType: string", "name: x, logicalType: string, required: true"),
        ("name: x, logicalType: string, required: true", "name: x, logicalType: string"),
        ("name: x, logicalType: string", "name: y, logicalType: string"),
        ("name: x, logicalType: string", "name: x, physicalName: y, logicalType: string"),
        ("name: x, logicalType: string", "name: x, logicalType: string, synonyms: [y]"),
        ("name: x, logicalType: string", "name: x, logicalType: string, unique: true"),
        ("name: x, logicalType: string", "name: x, logicalType: string, classification: phi"),
        ("name: x, logicalType: integer", "name: x, logicalType: number"),
        ("name: x, logicalType: number", "name: x, logicalType: integer"),
        ("name: x, logicalType: integer", "name: x, logicalType: string"),
        ("name: x, logicalType: string", "name: x, logicalType: boolean"),
        (
            "name: x, logicalType: number, physicalType: 'decimal(5,2)'",
            "name: x, logicalType: number, physicalType: 'decimal(7,2)'",
        ),
        (
            "name: x, logicalType: number, physicalType: 'decimal(5,2)'",
            "name: x, logicalType: number, physicalType: 'decimal(5,3)'",
        ),
        (
            "name: x, logicalType: number, logicalTypeOptions: {maximum: 100}",
            "name: x, logicalType: number, logicalTypeOptions: {maximum: 120}",
        ),
        (
            "name: x, logicalType: number, logicalTypeOptions: {maximum: 100}",
            "name: x, logicalType: number, logicalTypeOptions: {maximum: 80}",
        ),
        (
            "name: x, logicalType: number, logicalTypeOptions: {maximum: 100}",
            "name: x, logicalType: number, logicalTypeOptions: {exclusiveMaximum: 100}",
        ),
        (
            "name: x, logicalType: number, logicalTypeOptions: {exclusiveMinimum: 1}",
            "name: x, logicalType: number, logicalTypeOptions: {minimum: 1}",
        ),
        ("name: x, logicalType: number, logicalTypeOptions: {minimum: 1}", "name: x, logicalType: number"),
        (
            "name: x, logicalType: string, enum: [{value: CT}]",
            "name: x, logicalType: string, enum: [{value: CT}, {value: MR}]",
        ),
        (
            "name: x, logicalType: string, enum: [{value: CT}, {value: MR}]",
            "name: x, logicalType: string, enum: [{value: CT}]",
        ),
        (
            "name: x, logicalType: string, logicalTypeOptions: {pattern: a}",
            "name: x, logicalType: string, logicalTypeOptions: {pattern: b}",
        ),
        (
            "name: x, logicalType: string, logicalTypeOptions: {maxLength: 5}",
            "name: x, logicalType: string, logicalTypeOptions: {maxLength: 4}",
        ),
        (
            "name: x, logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}",
            "name: x, logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}",
        ),
        (
            "name: x, logicalType: string",
            "name: x, logicalType: string, customProperties: [{property: nullTokens, value: [NA], vendor: ingest}]",
        ),
        (
            "name: x, logicalType: string, customProperties: [{property: transform, value: [trim, {map: {m: M}}], vendor: ingest}]",
            "name: x, logicalType: string, customProperties: [{property: transform, value: trim, vendor: ingest}]",
        ),
        (
            "name: x, logicalType: string",
            "name: x, logicalType: string, customProperties: [{property: mask, value: last4, vendor: ingest}]",
        ),
    ] {
        writeln!(text, "{older}\n{newer}\n{}", shown(&properties(older, newer))).expect("a string takes all");
    }
    let setting = |property: &str, value: &str| format!("property: {property}, value: {value}");
    for (property, older, newer) in SETTINGS {
        let changes = settings(&setting(property, older), &setting(property, newer));
        writeln!(text, "{property}: {older}, {newer}\n{}", shown(&changes)).expect("a string takes all");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_kind_of_change_of_a_business_rule() {
    let mut text = String::new();
    let expression = |expression: &str| format!("name: positive, implementation: '{expression}'");
    for (older, newer) in [
        ("", "name: positive, implementation: 'id > 0'"),
        ("", "name: positive, severity: warning, implementation: 'id > 0'"),
        ("name: positive, implementation: 'id > 0'", ""),
        (&expression("id > 0"), &expression("id > 1")),
        (&expression("id > 0"), &expression("id  >  0")),
        (&expression("size(\"a b\") < id"), &expression("size(\"a  b\") < id")),
        ("name: positive, implementation: 'id > 0'", "name: other, implementation: 'id > 0'"),
        ("severity: warn, implementation: 'id > 0'", "severity: error, implementation: 'id > 0'"),
        ("severity: error, implementation: 'id > 0'", "severity: warn, implementation: 'id > 0'"),
    ] {
        writeln!(text, "rule: {older}, {newer}\n{}", shown(&rules(older, newer)))
            .expect("a string takes all");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_file_that_is_read_otherwise_breaks_its_senders() {
    let of = |server: &str| contract(server, "", "      - {name: id, logicalType: integer}\n");
    for (older, newer) in [
        (CSV, "format: ndjson"),
        (CSV, "format: csv, delimiter: ';'"),
        (CSV, "format: csv, encoding: windows-1252"),
        ("format: ndjson", "format: json"),
    ] {
        let changes = diff(&of(older), &of(newer));
        assert!(changes.iter().any(|change| change.breaks.contains(&Affected::Senders)), "{older} {newer}");
        assert!(diff(&of(newer), &of(newer)).is_empty());
    }
}

#[test]
fn a_key_and_rules_on_the_file_are_compared() {
    let id = "      - {name: id, logicalType: integer}\n      - {name: x, logicalType: string}\n";
    let keyed = id.replacen("integer}", "integer, primaryKey: true, primaryKeyPosition: 1}", 1);
    let rows =
        |least: u32| format!("    quality:\n      - {{metric: rowCount, mustBeGreaterOrEqualTo: {least}}}\n");
    let breaks = |older: &Contract, newer: &Contract| {
        diff(older, newer).iter().map(|change| change.breaks.clone()).collect::<Vec<_>>()
    };
    let (plain, with_key) = (contract(CSV, "", id), contract(CSV, "", &keyed));
    assert_eq!(breaks(&plain, &with_key), [vec![Affected::Senders, Affected::Readers]]);
    assert_eq!(breaks(&with_key, &plain), [vec![Affected::Readers]]);
    let (five, nine) = (contract(CSV, &rows(5), id), contract(CSV, &rows(9), id));
    assert_eq!(breaks(&five, &nine), [vec![Affected::Senders]]);
    assert_eq!(breaks(&nine, &five), [vec![]]);
    assert_eq!(breaks(&plain, &five), [vec![Affected::Senders]]);
    assert_eq!(breaks(&five, &plain), [vec![]]);
}

/// Returns a property of a number or a text with some limits.
fn property() -> impl Strategy<Value = String> {
    let number =
        (any::<bool>(), prop::option::of(0..4), prop::option::of(5..9), any::<bool>(), any::<bool>());
    let number = number.prop_map(|(integer, least, most, exclusive, required)| {
        let kind = if integer { "integer" } else { "number" };
        let limit = |name: &str, value: Option<i32>| value.map(|value| format!("{name}: {value}"));
        let least = limit("minimum", least);
        let most = limit(if exclusive { "exclusiveMaximum" } else { "maximum" }, most);
        let options: Vec<_> = least.into_iter().chain(most).collect();
        let options = if options.is_empty() {
            String::new()
        } else {
            format!(", logicalTypeOptions: {{{}}}", options.join(", "))
        };
        format!("name: x, logicalType: {kind}, required: {required}{options}")
    });
    let text = (prop::option::of(1..3), prop::option::of(2..6), any::<bool>(), 0_usize..4).prop_map(
        |(least, most, required, values)| {
            let limit = |name: &str, value: Option<i32>| value.map(|value| format!("{name}: {value}"));
            let options: Vec<_> =
                limit("minLength", least).into_iter().chain(limit("maxLength", most)).collect();
            let options = if options.is_empty() {
                String::new()
            } else {
                format!(", logicalTypeOptions: {{{}}}", options.join(", "))
            };
            let words = ["aa", "5", "bbb"].iter().take(values).map(|word| format!("{{value: '{word}'}}"));
            let words: Vec<_> = words.collect();
            let values =
                if words.is_empty() { String::new() } else { format!(", enum: [{}]", words.join(", ")) };
            format!("name: x, logicalType: string, required: {required}{options}{values}")
        },
    );
    prop_oneof![number, text]
}

/// Returns whether a cell of the column `x` is accepted.
fn accepts(contract: &Contract, text: &str) -> bool {
    let cell = if text.is_empty() { Cell::Null } else { Cell::Text(text.as_bytes()) };
    let mut violations = Vec::new();
    contract.columns[0].check(0, cell, &mut violations);
    violations.iter().all(|violation| contract.rule(violation.rule).severity == Severity::Warn)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_breaks_no_sender_rejects_no_record_that_was_accepted(older in property(), newer in property()) {
        let of = |property: &str| contract(CSV, "", &format!("      - {{{property}}}\n"));
        let (old, new) = (of(&older), of(&newer));
        let breaks = diff(&old, &new).iter().any(|change| change.breaks.contains(&Affected::Senders));
        let texts = ["", "a", "aa", "bbb", "dddd", "0", "1", "2", "3", "4", "5", "6", "7.5", "8", "9", "-1", "12345"];
        let lost = texts.iter().find(|text| accepts(&old, text) && !accepts(&new, text));
        prop_assert!(breaks || lost.is_none(), "{lost:?}: {older} / {newer}");
        prop_assert!(diff(&old, &old).is_empty());
    }
}
