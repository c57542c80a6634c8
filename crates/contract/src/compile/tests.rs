use proptest::prelude::*;

use super::*;
use crate::compiled::{
    Check, Column, Dialect, Duplicates, Format, HeaderMatch, Kind, Metric, Must, OnError, OnSameName,
    UnknownColumn,
};
use crate::finding::{FindingSeverity, render_findings};

mod expectations;
mod mistakes;
mod places;
mod preparation;
mod row_rules;

const SCAN_REPORTS: &str = include_str!("../../tests-data/scan_reports.odcs.yaml");
const PATIENTS: &str = include_str!("../../tests-data/patients.odcs.yaml");

fn compiled(source: &str) -> (Contract, Vec<Finding>) {
    match compile(source) {
        Ok(compiled) => compiled,
        Err(findings) => panic!("{}", render_findings(&findings, "test.yaml", source)),
    }
}

fn rejected(source: &str) -> Vec<Finding> {
    match compile(source) {
        Ok(_) => panic!("accepted"),
        Err(findings) => findings,
    }
}

/// The smallest contract, with these properties in place of its own.
fn with_properties(properties: &str) -> String {
    format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\n\
         servers: [{{ server: inbox, type: s3, location: s3://inbox/a/b/, format: ndjson }}]\n\
         schema:\n  - name: feed\n    properties:\n{properties}"
    )
}

fn column<'a>(contract: &'a Contract, name: &str) -> &'a Column {
    contract.columns.iter().find(|column| column.name == name).unwrap()
}

fn rule_ids(contract: &Contract) -> Vec<&str> {
    contract.rules.iter().skip(Structure::COUNT).map(|rule| rule.id.as_str()).collect()
}

#[test]
fn the_rule_table_begins_with_the_structural_rules_and_names_every_other_one() {
    let (contract, _) = compiled(SCAN_REPORTS);
    for (rule, structure) in contract.rules.iter().zip(Structure::ALL) {
        assert_eq!(*rule, structure.rule());
    }
    insta::assert_snapshot!(
        "scan_reports_rules",
        contract
            .rules
            .iter()
            .skip(Structure::COUNT)
            .map(|rule| format!(
                "{} [{}, {:?}]: {}",
                rule.id,
                rule.code.as_str(),
                rule.severity,
                rule.expected
            ))
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn the_identity_of_a_contract_is_its_document() {
    let (contract, _) = compiled(SCAN_REPORTS);
    assert_eq!(contract.identity.id, "5a3c9f6e-0f2b-4c3e-9a44-9c6a6a0f1c11");
    assert_eq!(contract.identity.name, "scan_reports");
    assert_eq!(contract.identity.version, "1.4.0");
    assert_eq!(contract.identity.status, Status::Active);
    let (other, _) = compiled(&format!("{SCAN_REPORTS}\n"));
    assert_ne!(contract.identity.hash, other.identity.hash, "another byte is another contract");
}

#[test]
fn a_server_says_how_bytes_become_records() {
    let (contract, _) = compiled(SCAN_REPORTS);
    let Format::Separated(dialect) = &contract.format else { panic!("not separated") };
    assert_eq!(
        *dialect,
        Dialect {
            header: true,
            delimiter: b';',
            quote: Some(b'"'),
            escape: None,
            double_quote: true,
            comment: None,
            trim: true,
            skip_rows: 1,
            header_match: HeaderMatch::Loose,
            spelling: None,
        }
    );
    assert_eq!(contract.encoding.unwrap().0.name(), "windows-1252");
    assert_eq!(contract.limits.file_bytes, 1 << 30);
    assert_eq!(contract.limits.record_bytes, 65_536);
    assert_eq!(contract.limits.depth, 32, "the default");
}

#[test]
fn the_settings_of_a_feed_are_its_policy() {
    let (contract, _) = compiled(SCAN_REPORTS);
    assert_eq!(contract.policy.on_error, OnError::SkipFilePercent(5.0));
    assert_eq!(contract.policy.unknown_column, UnknownColumn::Reject);
    assert_eq!(contract.policy.on_same_name, OnSameName::Supersede);
    assert_eq!(contract.policy.duplicates, Duplicates::RejectRepeats);
    assert_eq!(contract.version_from, Some(6));

    let (contract, _) = compiled(PATIENTS);
    assert_eq!(contract.policy.on_error, OnError::SkipFile(10));
    assert_eq!(contract.policy.duplicates, Duplicates::KeepLast);
    assert!(contract.policy.dedupe_content);
    assert_eq!(contract.identity.status, Status::Deprecated);
}

#[test]
fn keys_and_unique_tuples_are_columns_in_their_order() {
    let (contract, _) = compiled(SCAN_REPORTS);
    assert_eq!(contract.primary_key, [0, 1]);
    let tuples: Vec<(&str, &[u16])> = contract
        .unique
        .iter()
        .map(|tuple| (contract.rule(tuple.rule).id.as_str(), tuple.columns.as_slice()))
        .collect();
    assert_eq!(tuples, [("one_report_each", [0, 3].as_slice())]);

    let (contract, _) = compiled(PATIENTS);
    assert_eq!(contract.primary_key, [0]);
    assert!(contract.unique.is_empty(), "the key is unique already");

    let swapped = SCAN_REPORTS
        .replace("primaryKeyPosition: 1", "primaryKeyPosition: 3")
        .replace("primaryKeyPosition: 2", "primaryKeyPosition: 1")
        .replace("primaryKeyPosition: 3", "primaryKeyPosition: 2");
    assert_eq!(compiled(&swapped).0.primary_key, [1, 0]);
}

#[test]
fn a_metric_that_must_be_0_rejects_records_and_every_other_one_is_a_gate() {
    let (contract, _) = compiled(SCAN_REPORTS);
    let gates: Vec<(&str, Must, bool, Severity)> = contract
        .gates
        .iter()
        .map(|gate| {
            let rule = contract.rule(gate.rule);
            (rule.id.as_str(), gate.must, gate.percent, rule.severity)
        })
        .collect();
    assert_eq!(
        gates,
        [
            ("mrn.duplicateValues", Must::BeLessOrEqualTo(20.0), true, Severity::Warn),
            ("dose.nullValues", Must::BeLessOrEqualTo(50.0), true, Severity::Fail),
            ("enough_rows", Must::BeGreaterThan(0.0), false, Severity::Fail),
            ("rowCount", Must::BeBetween(10.0, 20_000.0), false, Severity::Warn),
        ]
    );
    let (rule, check) = &column(&contract, "laterality").checks[0];
    assert_eq!(contract.rule(*rule).id, "known_side");
    assert!(matches!(check, Check::OneOf(_)));

    let (contract, _) = compiled(PATIENTS);
    assert!(matches!(contract.gates[0].metric, Metric::NullValues(2)));
    let weight = column(&contract, "weight");
    assert_eq!(contract.rule(weight.required.unwrap()).id, "weight.missingValues");
    assert!(weight.checks.iter().any(|(_, check)| matches!(check, Check::NotOneOf(_))));
}

#[test]
fn nested_properties_are_columns_with_rules_of_their_own() {
    let (contract, _) = compiled(PATIENTS);
    let Kind::Object(members) = &column(&contract, "address").kind else { panic!("not an object") };
    assert_eq!(contract.rule(members[0].required.unwrap()).id, "address.city.required");
    assert!(members[1].required.is_none());
    let Kind::Array(Some(item)) = &column(&contract, "allergies").kind else { panic!("not an array") };
    assert_eq!(contract.rule(item.checks[0].0).id, "allergies.items.maxLength");
    assert_eq!(column(&contract, "contact").source_path.as_ref().unwrap(), &["telecom", "0", "value"]);

    let (contract, _) = compiled(&with_properties(
        "      - name: labels\n        logicalType: map\n        map: { key: { logicalType: string }, value: { logicalType: integer } }\n",
    ));
    let Kind::Map(Some(value)) = &contract.columns[0].kind else { panic!("not a map") };
    assert!(matches!(value.kind, Kind::Integer));
}

#[test]
fn synonyms_are_labels_and_none_means_two_properties() {
    let source = |second: &str| {
        with_properties(&format!(
            "      - {{ name: patient_id, logicalType: string, primaryKey: true, synonyms: [MRN, 4711] }}\n      - {{ name: b, \
             physicalName: B-Label, logicalType: string{second} }}\n"
        ))
    };
    let (contract, _) = compiled(&source(""));
    assert_eq!(contract.columns[0].labels().collect::<Vec<_>>(), ["patient_id", "MRN", "4711"]);
    for (second, path) in [
        (", synonyms: [MRN]", "schema[0].properties[1].synonyms[0]"),
        (", synonyms: [x, patient_id]", "schema[0].properties[1].synonyms[1]"),
        (", synonyms: ['']", "schema[0].properties[1].synonyms[0]"),
        (", synonyms: [[x]]", "schema[0].properties[1].synonyms[0]"),
    ] {
        let findings = compile(&source(second)).expect_err("an error");
        assert!(findings.iter().any(|finding| finding.path == path), "{second}: {findings:?}");
    }
    for taken in ["b", "B-Label"] {
        let findings = compile(&source("").replace("MRN", taken)).expect_err("an error");
        let message = "found the synonym `{}` of two properties, expected a synonym that is no name, physical name or \
                       synonym of another property; it also means properties[1]: remove one of them";
        assert_eq!(findings[0].message(), message.replace("{}", taken));
    }
    let loose = source("").replace("MRN", "B-LABEL ");
    compiled(&loose);
    let nested = with_properties(
        "      - name: p\n        logicalType: object\n        properties:\n          - { name: x, logicalType: string, \
         synonyms: [y] }\n          - { name: y, logicalType: string }\n",
    );
    assert!(compile(&nested).is_err());
}

#[test]
fn the_columns_of_rejects_are_no_columns_of_a_feed() {
    let source = |more: &str| {
        with_properties(&format!("      - {{ name: id, logicalType: string, primaryKey: true{more} }}\n"))
    };
    for more in [", physicalName: _file", ", physicalName: ' _LINE'", ", synonyms: [x, _record]"] {
        let findings = compile(&source(more)).expect_err(more);
        assert!(findings.iter().any(|finding| finding.advice.contains("rejected records")), "{findings:?}");
    }
    for more in ["", ", physicalName: file", ", synonyms: [_files, reason]"] {
        compiled(&source(more));
    }
}

#[test]
fn classified_columns_are_marked_whatever_the_spelling() {
    let (contract, _) = compiled(PATIENTS);
    assert!(column(&contract, "birth_date").classified);
    assert!(!column(&contract, "email").classified);
    assert!(column(&compiled(SCAN_REPORTS).0, "mrn").classified);
}

#[test]
fn what_does_not_run_is_listed_and_what_looks_as_if_it_ran_is_a_warning() {
    for (name, source) in [("scan_reports", SCAN_REPORTS), ("patients", PATIENTS)] {
        let (contract, warnings) = compiled(source);
        assert!(warnings.iter().all(|finding| finding.severity == FindingSeverity::Warning));
        let listed: Vec<String> = contract
            .not_run
            .iter()
            .map(|item| format!("not run: {} at {}: {}\n", item.what, item.path, item.why))
            .collect();
        let file = format!("{name}.odcs.yaml");
        insta::assert_snapshot!(
            format!("{name}_not_run"),
            listed.concat() + &render_findings(&warnings, &file, source)
        );
    }
}

#[test]
fn both_spellings_of_an_exclusive_limit_mean_the_same() {
    let exclusive = |options: &str| {
        let source = with_properties(&format!(
            "      - {{ name: a, logicalType: integer, logicalTypeOptions: {{ {options} }} }}\n"
        ));
        match &compiled(&source).0.columns[0].checks[0].1 {
            Check::Minimum(bound) => bound.exclusive,
            _ => panic!("not a minimum"),
        }
    };
    assert!(exclusive("exclusiveMinimum: 5"));
    assert!(exclusive("minimum: 5, exclusiveMinimum: true"));
    assert!(!exclusive("minimum: 5, exclusiveMinimum: false"));
    assert!(!exclusive("minimum: 5"));
}

#[test]
fn a_machine_number_is_a_range() {
    let checks = |format: &str, logical_type: &str| {
        let source = with_properties(&format!(
            "      - {{ name: a, logicalType: {logical_type}, logicalTypeOptions: {{ format: {format} }} }}\n"
        ));
        compiled(&source).0.columns[0].checks.len()
    };
    assert_eq!(checks("i8", "integer"), 2);
    assert_eq!(checks("u128", "integer"), 1);
    assert_eq!(checks("i128", "integer"), 0, "38 digits are the type's own range");
    assert_eq!(checks("f32", "number"), 2);
}

#[test]
fn a_timestamp_without_an_offset_is_in_utc_unless_the_contract_says_otherwise() {
    let zone = |options: &str| {
        let source = with_properties(&format!(
            "      - {{ name: a, logicalType: timestamp, logicalTypeOptions: {{ {options} }} }}\n"
        ));
        match &compiled(&source).0.columns[0].kind {
            Kind::Timestamp { default_zone, .. } => {
                default_zone.as_ref().map(|zone| zone.iana_name().unwrap_or_default().to_owned())
            }
            _ => panic!("not a timestamp"),
        }
    };
    assert_eq!(zone("").as_deref(), Some("UTC"));
    assert_eq!(zone("timezone: true").as_deref(), Some("UTC"));
    assert_eq!(zone("timezone: false"), None);
    assert_eq!(zone("defaultTimezone: Europe/Berlin").as_deref(), Some("Europe/Berlin"));
}

#[test]
fn every_rule_has_an_id_of_its_own() {
    let (contract, _) = compiled(&with_properties(
        "      - { name: a.b, logicalType: string }\n      - name: a\n        logicalType: object\n        properties: [{ name: b, logicalType: string }]\n",
    ));
    assert_eq!(rule_ids(&contract), ["a.b.type", "a.type", "a.b.type-2"]);
}

#[test]
fn the_end_of_a_long_list_is_counted() {
    let values: Vec<String> = (0..100).map(|value| format!("{{ value: 'word {value}' }}")).collect();
    let values = values.join(", ");
    let (contract, _) = compiled(&with_properties(&format!(
        "      - {{ name: a, logicalType: string, enum: [{values}] }}\n"
    )));
    let expected = &contract.rules.last().unwrap().expected;
    assert_eq!(expected, "one of word 0, word 1, word 2, word 3, word 4, word 5, word 6 and 93 more");
}

#[test]
fn a_long_expectation_is_cut() {
    let pattern = "a".repeat(100);
    let (contract, _) = compiled(&with_properties(&format!(
        "      - {{ name: a, logicalType: string, logicalTypeOptions: {{ pattern: {pattern} }} }}\n"
    )));
    let expected = &contract.rules.last().unwrap().expected;
    assert_eq!(expected.chars().count(), EXPECTED_CHARACTERS);
    assert!(expected.starts_with("text that matches aaa") && expected.ends_with('…'));
}

#[test]
fn every_version_of_the_standard_since_3_0_is_read() {
    for version in ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"] {
        let key = "      - { name: a, logicalType: string, primaryKey: true }\n";
        let source = with_properties(key).replace("v3.2.0", version);
        assert!(compiled(&source).1.is_empty(), "{version}");
    }
}

#[test]
fn an_alias_repeats_options_and_a_finding_points_to_where_it_is_used() {
    let source = with_properties(
        "      - { name: a, logicalType: string, primaryKey: true, logicalTypeOptions: &code { maxLength: 5 } }\n\
         \u{20}     - { name: b, logicalType: string, logicalTypeOptions: *code }\n\
         \u{20}     - { name: c, logicalType: boolean, logicalTypeOptions: *code }\n",
    );
    let findings = rejected(&source);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path, "schema[0].properties[2].logicalTypeOptions.maxLength");
}

#[test]
fn a_document_over_the_limits_is_rejected() {
    let long = format!("{SCAN_REPORTS}#{}", "x".repeat(document::MOST_DOCUMENT_BYTES));
    assert_eq!(rejected(&long).len(), 1);

    let properties: Vec<String> = (0..=MOST_PROPERTIES)
        .map(|index| format!("      - {{ name: c{index}, logicalType: string }}\n"))
        .collect();
    let findings = rejected(&with_properties(&properties.concat()));
    assert_eq!(findings[0].found, "4097 properties");
}

#[test]
fn a_pointer_is_unescaped_once() {
    assert_eq!(pointer("/a~1b/~01").unwrap(), ["a/b", "~1"]);
    assert_eq!(pointer("").unwrap(), [""; 0]);
    assert_eq!(pointer("a/b"), None);
    assert_eq!(pointer("/a~2"), None);
}

/// Compiles, and renders what is found: neither may panic, and a rejection has a reason with a position.
fn survives(source: &str) {
    if let Err(findings) = compile(source) {
        assert!(findings.iter().any(|finding| finding.severity == FindingSeverity::Error));
        assert!(findings.iter().all(|finding| finding.line > 0 && finding.column > 0), "{findings:?}");
        assert!(render_findings(&findings, "test.yaml", source).contains("test.yaml:"));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(source in "\\PC{0,200}") {
        survives(&source);
    }

    #[test]
    fn no_yaml_like_text_makes_the_reader_panic(source in "([a-c]{1,2}|[-:?#&*!|>'\"%@`{}\\[\\],~.\n ]|<<|\t|---|0x|1e9){0,60}") {
        survives(&source);
    }

    #[test]
    fn no_cut_of_a_document_makes_the_compiler_panic(from in 0_usize..3_000, length in 0_usize..80) {
        for source in [SCAN_REPORTS, PATIENTS] {
            let kept: String = source.chars().enumerate().filter(|(at, _)| *at < from || *at >= from + length).map(|(_, c)| c).collect();
            survives(&kept);
        }
    }

    #[test]
    fn no_foreign_value_makes_the_compiler_panic(at in 0_usize..200, value in "(-?[0-9]{1,40}|1e[0-9]{1,4}|true|null|\\[\\]|\\{\\}|''|no|[a-z]{1,6}|\\[1, a\\]|\\{ a: 1 \\}|\\.nan|\\(\\?=a\\)|'%'|skip_file_[0-9]{0,30}%?)") {
        for source in [SCAN_REPORTS, PATIENTS] {
            // Replaces the value of the at-th key, whatever it is.
            let mut seen = 0;
            let changed: Vec<String> = source.lines().map(|line| match line.split_once(": ") {
                Some((key, _)) => {
                    seen += 1;
                    if seen - 1 == at % 60 { format!("{key}: {value}") } else { line.to_owned() }
                }
                None => line.to_owned(),
            }).collect();
            survives(&changed.join("\n"));
        }
    }
}
