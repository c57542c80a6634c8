//! What a contract says of its format, its vendor and its place.

use super::*;

const CONTRACT: &str = "\
apiVersion: v3.2.0
kind: DataContract
id: labs
version: 1.0.0
status: active
servers:
  - server: inbox
    type: s3
    location: s3://inbox/north/labs/
    format: json
schema:
  - name: labs
    properties:
      - { name: id, logicalType: string, primaryKey: true }
";

/// The contract with a line in place of another.
fn with(line: &str, other: &str) -> String {
    assert!(CONTRACT.contains(line), "{line}");
    CONTRACT.replacen(line, other, 1)
}

/// All findings on a document that is published as the contract of this feed and inbox.
fn findings(source: &str, published: Published<'_>) -> Vec<Finding> {
    match compile_published(source, published) {
        Ok((_, warnings)) => warnings,
        Err(findings) => findings,
    }
}

const LABS: Published<'static> = Published { feed: Some("labs"), inbox: Some("stack-inbox-1") };

#[test]
fn the_delimiter_of_json_says_how_documents_are_separated() {
    let format = |lines: &str| compiled(&with("    format: json\n", lines)).0.format;
    for (lines, ndjson) in [
        ("    format: json\n", false),
        ("    format: json\n    delimiter: array\n", false),
        ("    format: json\n    delimiter: new_line\n", true),
        ("    format: JSON\n    delimiter: \"new_line\"\n", true),
        ("    format: ndjson\n", true),
        ("    format: jsonl\n    delimiter: new_line\n", true),
    ] {
        assert_eq!(matches!(format(lines), Format::JsonLines), ndjson, "{lines}");
        assert_eq!(matches!(format(lines), Format::Json { .. }), !ndjson, "{lines}");
    }
}

/// Mistakes in the contract above: what each is, the line, and what stands in its place.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("a delimiter of CSV", "format: json", "format: json\n    delimiter: \",\""),
    ("a delimiter with a typing error", "format: json", "format: json\n    delimiter: newline"),
    ("an array of lines", "format: json", "format: ndjson\n    delimiter: array"),
    (
        "a record path with a document on each line",
        "format: json",
        "format: json\n    delimiter: new_line\n    customProperties: [{ property: recordPath, vendor: ingest, value: /a }]",
    ),
    (
        "no vendor on the server",
        "format: json",
        "format: json\n    customProperties: [{ property: limits, value: { maxRowBytes: 9 } }]",
    ),
    (
        "no vendor on the schema object",
        "- name: labs",
        "- name: labs\n    customProperties: [{ property: onError, value: skip_file_5% }]",
    ),
    (
        "no vendor on a property",
        "primaryKey: true }",
        "primaryKey: true, customProperties: [{ property: nullTokens, value: [n/a] }] }",
    ),
    (
        "no vendor, and not where it belongs",
        "status: active",
        "status: active\ncustomProperties: [{ property: onError, value: abort }]",
    ),
    (
        "a vendor with a typing error",
        "- name: labs",
        "- name: labs\n    customProperties: [{ property: onError, vendor: Ingset, value: abort }]",
    ),
    (
        "a limit of rejects out of range",
        "format: json",
        "format: json\n    customProperties: [{ property: limits, vendor: ingest, value: { maxRejects: 0 } }]",
    ),
    (
        "a limit with a typing error",
        "format: json",
        "format: json\n    customProperties: [{ property: limits, vendor: ingest, value: { maxReject: 10 } }]",
    ),
];

/// What is likely a mistake.
const WARNINGS: &[(&str, &str, &str)] = &[
    ("another id", "id: labs", "id: results"),
    ("another bucket", "s3://inbox/", "s3://stack-archive/"),
    ("another feed", "north/labs/", "north/results/"),
    ("no feed", "north/labs/", "north/"),
    ("names in capitals", "north/labs/", "North/Labs/"),
    ("no primary key", ", primaryKey: true", ""),
    (
        "no vendor, and a typing error",
        "- name: labs",
        "- name: labs\n    customProperties: [{ property: onErorr, value: abort }]",
    ),
    (
        "a snapshot that one record can replace",
        "- name: labs",
        "- name: labs\n    customProperties: [{ property: onSameName, vendor: ingest, value: supersede }]",
    ),
    (
        "a snapshot that nothing can replace",
        "- name: labs",
        "- name: labs\n    customProperties:\n      - { property: onSameName, vendor: ingest, value: supersede }\n      \
         - { property: onError, vendor: ingest, value: abort }\n      \
         - { property: emptyFile, vendor: ingest, value: rejectZeroBytes }",
    ),
];

fn page(mistakes: &[(&str, &str, &str)], severity: FindingSeverity) -> String {
    let mut page = String::new();
    for (title, line, other) in mistakes {
        let source = with(line, other);
        let found = findings(&source, LABS);
        assert!(found.iter().any(|finding| finding.severity == severity), "{title}: {found:?}");
        page.extend(["# ", title, "\n"]);
        page.extend(found.iter().map(|finding| finding.render("labs.odcs.yaml", &source)));
        page.push('\n');
    }
    page
}

#[test]
fn a_setting_that_would_be_ignored_in_silence_is_an_error() {
    insta::assert_snapshot!(page(MISTAKES, FindingSeverity::Error));
}

#[test]
fn a_contract_that_does_not_fit_its_feed_is_a_warning() {
    insta::assert_snapshot!(page(WARNINGS, FindingSeverity::Warning));
}

#[test]
fn a_contract_that_fits_its_feed_has_no_finding() {
    for (line, other) in [
        ("", ""),
        ("id: labs", "id: 5a3c9f6e-0f2b-4c3e-9a44-9c6a6a0f1c11"),
        ("id: labs", "id: urn:contract:labs"),
        ("s3://inbox/north/labs/", "s3://stack-inbox-1/north/labs/day.json"),
        ("s3://inbox/north/labs/", "s3://{bucket}/*/labs/**"),
        ("s3://inbox/north/labs/", "/data/labs"),
        (
            "- name: labs",
            "- name: labs\n    customProperties: [{ property: onError, vendor: catalog, value: x }]",
        ),
        ("- name: labs", "- name: labs\n    customProperties: [{ property: owner, value: imaging }]"),
    ] {
        let found = findings(&with(line, other), LABS);
        assert!(found.is_empty(), "{other}: {found:?}");
    }
    assert!(compiled(&with("id: labs", "id: results")).1.is_empty(), "the feed is not known");
}

/// What stands in backquotes in a text.
fn quoted_words(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_setting_that_a_warning_names_can_be_set() {
    for (_, line, other) in WARNINGS {
        let source = with(line, other);
        for finding in findings(&source, LABS) {
            for word in quoted_words(&finding.advice).filter(|word| word.contains(": ")) {
                let (key, value) = word.split_once(": ").unwrap();
                if key == "vendor" {
                    continue;
                }
                let settings = format!(
                    "- name: labs\n    customProperties: [{{ property: {key}, vendor: ingest, value: {value} }}]"
                );
                compiled(&with("- name: labs", &settings));
            }
        }
    }
}
