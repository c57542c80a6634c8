//! Every reason on one page, and that none of them repeats what a file holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::Violation;
use proptest::prelude::*;

use super::*;
use crate::tests::run;
use crate::{ContentHash, FileCheck, Reject, Row, Sink};

mod page;

/// The reasons of a file's rejects, each with its rule and what was found.
#[derive(Default)]
struct Reasons(Vec<(String, Violation, String)>);

impl Sink for Reasons {
    fn row(&mut self, _row: Row<'_>) {}

    fn reject(&mut self, reject: Reject<'_>) {
        self.0.extend(reject.violations.iter().map(|violation| {
            let rule = reject.contract.rule(violation.rule).id.clone();
            (rule, *violation, reason(reject.contract, violation))
        }));
    }
}

fn reasons(source: &str, file: &[u8]) -> Vec<(String, Violation, String)> {
    let (contract, _) = contract::compile(source)
        .map_err(|findings| contract::render_findings(&findings, "feed.odcs.yaml", source))
        .unwrap_or_else(|findings| panic!("{findings}"));
    let mut kept = Reasons::default();
    let contract = Arc::new(contract);
    let mut first = FileCheck::new(Arc::clone(&contract), [3; 16], ContentHash::Skipped);
    let summary = run(&mut first, file, 1000, &mut Reasons::default());
    run(&mut FileCheck::again(contract, [3; 16], &summary), file, 1000, &mut kept);
    kept.0
}

/// A contract with these parts of its server, settings of its schema, and properties.
fn source(server: &str, settings: &str, properties: &[&str]) -> String {
    let properties: String =
        properties.iter().flat_map(|property| ["      - { ", property, " }\n"]).collect();
    format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\n\
         servers:\n  - {{ server: inbox, type: s3, location: s3://inbox/a/b/, {server} }}\n\
         schema:\n  - name: feed\n    customProperties: [{settings}]\n    properties:\n{properties}"
    )
}

/// One input for a reason.
struct Input {
    source: String,
    file: Vec<u8>,
}

/// A cell of the column `c`, which has this property, under this dialect.
fn cell_of(dialect: &str, property: &str, cell: &str) -> Input {
    let server = if dialect.is_empty() {
        "format: csv".to_owned()
    } else {
        format!(
            "format: csv, delimiter: ';', \
             customProperties: [{{ property: csvDialect, vendor: ingest, value: {{ {dialect} }} }}]"
        )
    };
    let delimiter = if dialect.is_empty() { ',' } else { ';' };
    Input {
        source: source(&server, "", &["name: id, logicalType: string", &format!("name: c, {property}")]),
        file: format!("id{delimiter}c\n1{delimiter}\"{cell}\"\n").into_bytes(),
    }
}

fn csv(property: &str, cell: &str) -> Input {
    cell_of("", property, cell)
}

/// A value of the field `c`, which has this property, in a JSON record.
fn json(property: &str, value: &str) -> Input {
    Input {
        source: source("format: ndjson", "", &[&format!("name: c, {property}")]),
        file: format!("{{\"c\":{value}}}\n").into_bytes(),
    }
}

/// A file of two columns, `id`, which is the key, and `c`, with these settings.
fn file(format: &str, settings: &str, file: impl Into<Vec<u8>>) -> Input {
    let columns = ["name: id, logicalType: string, primaryKey: true", "name: c, logicalType: string"];
    Input { source: source(&format!("format: {format}"), settings, &columns), file: file.into() }
}

fn number_of(decimal: &str) -> String {
    format!("logicalType: number, physicalType: '{decimal}'")
}

const INTEGER: &str = "logicalType: integer";
const NUMBER: &str = "logicalType: number";
const BOOLEAN: &str = "logicalType: boolean";
const DATE: &str = "logicalType: date";
const GERMAN: &str = "decimalSeparator: ',', groupSeparator: '.'";
const COMMA: &str = "decimalSeparator: ','";

fn numbers() -> Vec<Input> {
    vec![
        csv(INTEGER, "12x"),
        csv(INTEGER, "12%"),
        csv(INTEGER, "1e"),
        csv(INTEGER, " 12"),
        csv(INTEGER, "17.5"),
        csv(INTEGER, &"9".repeat(39)),
        csv(NUMBER, "12,50"),
        csv(NUMBER, "1,234,567"),
        csv(NUMBER, "4.159,78"),
        csv(NUMBER, "1.2.3"),
        csv(NUMBER, "1e200"),
        csv(NUMBER, "1e-200"),
        csv(&number_of("decimal(5,2)"), "1.234"),
        csv(&number_of("decimal(5,2)"), "98765"),
        csv(&number_of("decimal(5,0)"), "1.5"),
        cell_of(COMMA, NUMBER, "12.50"),
        cell_of(COMMA, NUMBER, "1,234,5"),
        cell_of(GERMAN, NUMBER, "1.2.3"),
        cell_of("groupSeparator: ' '", NUMBER, "12 50"),
        csv("logicalType: integer, logicalTypeOptions: { minimum: 100 }", "77"),
        csv("logicalType: integer, logicalTypeOptions: { exclusiveMaximum: 200 }", "300"),
        csv("logicalType: integer, logicalTypeOptions: { format: i8 }", "300"),
        csv("logicalType: number, logicalTypeOptions: { multipleOf: 0.05 }", "7.77"),
        csv(BOOLEAN, "Y"),
        csv(BOOLEAN, "maybe"),
        cell_of("trueValues: ['Y'], falseValues: ['N', '-']", BOOLEAN, "true"),
    ]
}

fn dates() -> Vec<Input> {
    let date = |pattern: &str, cell: &str| {
        csv(&format!("logicalType: timestamp, logicalTypeOptions: {{ format: \"{pattern}\" }}"), cell)
    };
    vec![
        csv(DATE, "2026/01/05"),
        csv(DATE, "2026-1-5"),
        csv(DATE, "2026-01"),
        csv(DATE, "2026-01-05 10:00"),
        csv(DATE, "2026-13-05"),
        csv(DATE, "2026-01-32"),
        csv(DATE, "2026-02-30"),
        csv(DATE, "0000-01-01"),
        date("dd-MMM-yyyy HH:mm", "05-01-2026 10:00"),
        date("dd MMMM yyyy HH:mm", "05 Jan 2026 10:00"),
        date("EEE dd.MM.yyyy HH", "05.01.2026 10"),
        date("EEEE dd.MM.yyyy HH", "Mon 05.01.2026 10"),
        date("EEE dd.MM.yyyy HH", "Tue 05.01.2026 10"),
        date("dd.MM.yyyy HH:mm", "05.01.2026 24:00"),
        date("dd.MM.yyyy HH:mm", "05.01.2026 10:60"),
        date("dd.MM.yyyy HH:mm", "05.01.2026_10:00"),
        date("dd.MM.yyyy hh:mm a", "05.01.2026 13:00 PM"),
        date("dd.MM.yyyy hh:mm a", "05.01.2026 10:00"),
        date("dd.MM.yyyy hh:mm a", "05.01.2026 10:00 XM"),
        date("dd.MM.yyyy HH:mmXXX", "05.01.2026 10:00 CET"),
        date("yyyy'年'MM'月'dd HH", "2026.01.05 10"),
        csv("logicalType: timestamp", "0001-01-01T00:00:00+10:00"),
        csv(
            "logicalType: timestamp, logicalTypeOptions: { defaultTimezone: Europe/Berlin }",
            "2026-03-29T02:30:00",
        ),
        csv(
            "logicalType: timestamp, logicalTypeOptions: { defaultTimezone: Europe/Berlin }",
            "2026-10-25T02:30:00",
        ),
        csv("logicalType: date, logicalTypeOptions: { minimum: '2026-01-01' }", "2025-12-31"),
        csv("logicalType: date, logicalTypeOptions: { maximum: '2026-01-01' }", "2026-12-31"),
    ]
}

fn texts() -> Vec<Input> {
    let text = |options: &str, cell: &str| {
        csv(&format!("logicalType: string, logicalTypeOptions: {{ {options} }}"), cell)
    };
    let long: Vec<String> = (0..50).map(|number| format!("{{ value: 'code {number}' }}")).collect();
    vec![
        csv("logicalType: string, required: true", ""),
        text("minLength: 5", "Zoë"),
        text("maxLength: 5", "Zoë Zoë"),
        text("pattern: '^MRN[0-9]{6}$'", "MRN12x456"),
        text("pattern: '^MRN[0-9]{6}$'", "MRN12"),
        text("pattern: '^(A|B)x'", "Cx9"),
        text("format: email", "nobody(at)nowhere"),
        text("format: uuid", "123e4567"),
        text("format: uri", "no scheme"),
        text("format: hostname", "a_b"),
        text("format: ipv4", "1.2.3"),
        text("format: ipv6", "::x"),
        text("format: byte", "ab*d"),
        csv("logicalType: string, enum: [{ value: CT }, { value: MR }]", "PET"),
        csv("logicalType: string, enum: [{ value: CT }]", "PET"),
        csv(&format!("logicalType: string, enum: [{}]", long.join(", ")), "code 99"),
        csv(
            "logicalType: string, quality: [{ metric: missingValues, mustBe: 0, arguments: { missingValues: ['n/a'] } }]",
            "n/a",
        ),
    ]
}

fn json_values() -> Vec<Input> {
    let array = "logicalType: array, items: { logicalType: integer, logicalTypeOptions: { minimum: 5 } }";
    let object = "logicalType: object, properties: [{ name: zip, logicalType: string, required: true }]";
    vec![
        json("logicalType: string, required: true", "null"),
        Input {
            source: source("format: ndjson", "", &["name: c, logicalType: string, required: true"]),
            file: b"{\"other\":1}\n".to_vec(),
        },
        json(INTEGER, "\"12\""),
        json(INTEGER, "17.5"),
        json(NUMBER, "[1]"),
        json(BOOLEAN, "\"true\""),
        json(NUMBER, "true"),
        json("logicalType: string", "77"),
        json(DATE, "20260105"),
        json("logicalType: object", "77"),
        json("logicalType: array", "{\"a\":77}"),
        json(array, "[7,3]"),
        json(object, "{\"zip\":77}"),
        json(object, "{}"),
        json("logicalType: object", "{\"deep\":[1e200]}"),
        json("logicalType: array, logicalTypeOptions: { minItems: 2 }", "[77]"),
        json("logicalType: array, logicalTypeOptions: { maxItems: 1 }", "[77,78]"),
        json("logicalType: array, logicalTypeOptions: { uniqueItems: true }", "[77,77]"),
        json("logicalType: object, logicalTypeOptions: { minProperties: 2 }", "{\"a\":77}"),
    ]
}

fn json_syntax() -> Vec<Input> {
    let lines = |line: &str| file("ndjson", "", format!("{line}\n"));
    let deep = format!("{{\"id\":{}77{}}}", "[".repeat(40), "]".repeat(40));
    let mut inputs: Vec<Input> = [
        r#"{"id":"PET",}"#,
        r#"{"id":["PET",]}"#,
        r#"{"id":"PET" "c":"MR"}"#,
        r#"{"id":["PET" "MR"]}"#,
        r"{PET:1}",
        r"{'PET':1}",
        r#"{"PET" 1}"#,
        r#"{"id":}"#,
        r#"{"id":None}"#,
        "{\"id\":\"P\tET\"}",
        r#"{"id":"\PET"}"#,
        r#"{"id":"\ud83dPET"}"#,
        r#"{"id":0777}"#,
        r#"{"id":777.}"#,
        r#"{"id":"PET"#,
        r#"{"id":"PET"}{"id":"MR"}"#,
        r#"{"id":"PET"} // MR"#,
        "{\u{feff}\"id\":\"PET\"}",
        r#"{"id":"PET","id":"MR"}"#,
        r#"{"id":"PET","MR":1,"MR":2}"#,
        r#"{"id":"PET\u0000"}"#,
        r#"["PET"]"#,
        "null",
        r#""PET""#,
        &deep,
    ]
    .into_iter()
    .map(lines)
    .collect();
    inputs.push(file("ndjson", "", "{\"id\":\"PET\"}\n{\"id\":\"M"));
    inputs.push(file("json", "", "[{\"id\":\"PET\"},\n{\n  \"id\": \"MR\",\n}]"));
    inputs.push(file(
        "ndjson",
        "{ property: unknownColumn, vendor: ingest, value: reject }",
        "{\"id\":\"PET\",\"MR\":1}\n",
    ));
    inputs
}

fn records() -> Vec<Input> {
    let policy = |value: &str| format!("{{ property: duplicates, vendor: ingest, value: {value} }}");
    let limits = "csv, customProperties: [{ property: limits, vendor: ingest, value: { maxRowBytes: 40 } }]";
    let unique = |columns: [&str; 2], quality: &str, lines: &str| Input {
        source: source("format: csv", "", &columns) + quality,
        file: format!("id,c\n{lines}").into_bytes(),
    };
    let pair = "    quality: [{ metric: duplicateValues, mustBe: 0, arguments: { properties: [id, c] } }]\n";
    vec![
        file("csv", "", "id,c\nPET,MR,CT\n"),
        file("csv", "", "id,c\nPET\n"),
        file(
            "csv, customProperties: [{ property: csvDialect, vendor: ingest, value: { header: false } }]",
            "",
            "PET\n",
        ),
        file("csv", "", "id,c\nPET,M\"R\nCT,1\n"),
        file("csv", "", "id,c\nPET,\"MR\"x\nCT,1\n"),
        file(limits, "", format!("id,c\nPET,\"{}\nCT,1\n", "MR ".repeat(20))),
        file(limits, "", format!("id,c\nPET,{}\nCT,1\n", "MR ".repeat(20))),
        file("csv", "", "id,c\n,PET\n"),
        file("csv", "", format!("id,c\n{},PET\n", "k".repeat(1025))),
        file("ndjson", "", format!("{{\"id\":\"{}\",\"c\":\"{}\"}}\n", "PET", "m".repeat(410_000))),
        file("csv", "", "id,c\nPET,1\nPET,2\n"),
        file("csv", &policy("rejectAll"), "id,c\nPET,1\nPET,2\n"),
        file("csv", &policy("keepLast"), "id,c\nPET,1\nPET,2\n"),
        unique(
            ["name: id, logicalType: string", "name: c, logicalType: string, unique: true"],
            "",
            "1,PET\n2,PET\n",
        ),
        unique(["name: id, logicalType: string", "name: c, logicalType: string"], pair, "PET,MR\nPET,MR\n"),
        file("csv", "", b"id,c\nPET,M\xfcller\n".to_vec()),
        file("csv", "", b"id,c\nPET,\xff\xff\xff\n".to_vec()),
        file("csv", "", b"id,c\nPET,M\0R\n".to_vec()),
        file("csv", "", b"id,c\nP\0E\0T\0,\0M\0R\0\n".to_vec()),
    ]
}

fn business_rules() -> Vec<Input> {
    let rule = |words: &str, expression: &str| Input {
        source: source(
            "format: csv",
            "",
            &[
                "name: id, logicalType: string",
                "name: c, logicalType: integer",
                "name: zip, logicalType: integer",
            ],
        ) + &format!(
            "    quality: [{{ type: custom, engine: cel, {words}, implementation: \"{expression}\" }}]\n"
        ),
        file: b"id,c,zip\nPET,777,888\n".to_vec(),
    };
    let many = (0..10).map(|number| format!("c{number}")).collect::<Vec<_>>();
    let properties: Vec<String> =
        many.iter().map(|name| format!("name: {name}, logicalType: integer")).collect();
    let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
    let sum = many.join(" + ");
    vec![
        rule("name: order, description: A zip is smaller than its count.", "zip < c"),
        rule("name: large", "c > 999"),
        rule("name: share", "c / (zip - zip) > 1"),
        rule(
            "name: product, description: The product can be stored.",
            "c * 99999999999999999999999999999999999999 > zip",
        ),
        Input {
            source: source("format: csv", "", &properties)
                + &format!(
                    "    quality: [{{ type: custom, engine: cel, name: total, implementation: \"{sum} > 99999\" }}]\n"
                ),
            file: format!("{}\n{}\n", many.join(","), ["777"; 10].join(",")).into_bytes(),
        },
    ]
}

fn every_input() -> Vec<(&'static str, Vec<Input>)> {
    vec![
        ("numbers and booleans", numbers()),
        ("dates and times", dates()),
        ("texts", texts()),
        ("values in JSON", json_values()),
        ("the text of JSON", json_syntax()),
        ("records", records()),
        ("business rules", business_rules()),
    ]
}

/// The words of an input that a reason could repeat: everything of at least two characters that stands in a cell, but
/// for the names of the two columns.
fn words(input: &Input) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(&input.file).into_owned();
    let end = |letter: char| ",;:\"\n{}[]".contains(letter);
    let known = ["id", "c", "zip", "true", "null", "None"];
    text.split(end)
        .map(str::trim)
        .filter(|word| word.len() > 2 && !known.contains(word))
        .map(str::to_owned)
        .collect()
}

/// All reasons of this version: the first line of each is the input, cut.
#[test]
fn every_reason_on_one_page() {
    let mut page = String::new();
    for (title, inputs) in every_input() {
        page.extend(["# ", title, "\n"]);
        for input in inputs {
            let found = reasons(&input.source, &input.file);
            assert!(!found.is_empty(), "{}", String::from_utf8_lossy(&input.file));
            let shown: String = String::from_utf8_lossy(&input.file).escape_debug().take(70).collect();
            page.extend([shown.as_str(), "\n"]);
            for (rule, _, reason) in found {
                page.extend(["    ", rule.as_str(), ": ", reason.as_str(), "\n"]);
            }
        }
        page.push('\n');
    }
    insta::assert_snapshot!("every_reason", page);
}

/// Reads the name of the variant that a line of an enum's source begins.
fn variant(line: &str) -> Option<&str> {
    let line = line
        .strip_prefix("    ")
        .filter(|line| line.starts_with(|letter: char| letter.is_ascii_uppercase()))?;
    line.split(|letter: char| !letter.is_alphanumeric()).next()
}

#[test]
fn every_kind_of_violation_has_an_input() {
    let mut seen = BTreeSet::new();
    for input in every_input().into_iter().flat_map(|(_, inputs)| inputs) {
        for (_, violation, _) in reasons(&input.source, &input.file) {
            let shown = format!("{:?}", violation.found);
            seen.extend(shown.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned));
        }
    }
    let variants: Vec<&str> =
        include_str!("../../../contract/src/found.rs").lines().filter_map(variant).collect();
    assert!(variants.contains(&"Unspecified") && variants.contains(&"Windows1252"), "{variants:?}");
    let without_input: Vec<&str> = variants.into_iter().filter(|name| !seen.contains(*name)).collect();
    // The word for a flaw that is not recognised; the tests of `flaw` show that no text has it.
    assert_eq!(without_input, ["Syntax"]);
}

#[test]
fn no_reason_repeats_its_input() {
    for input in every_input().into_iter().flat_map(|(_, inputs)| inputs) {
        for (rule, violation, reason) in reasons(&input.source, &input.file) {
            assert!(!reason.starts_with("found") && !reason.contains("something else"), "{rule}: {reason}");
            for word in words(&input) {
                let in_contract = input.source.contains(&word);
                assert!(in_contract || !reason.contains(&word), "{word} in {rule}: {reason}, {violation:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_reason_holds_a_planted_text(
        planted in "(Zq7[a-z]{4,12}|[78]{6,9}|Zq-[0-9]{2}\\.[0-9]{2}|Zq7\"[a-z]{3}|[0-9]{4}-Zq-[0-9]{2})",
        name in "Zn9[a-z]{3,8}",
    ) {
        let kinds = [
            INTEGER, NUMBER, BOOLEAN, DATE, "logicalType: timestamp", "logicalType: time",
            "logicalType: integer, logicalTypeOptions: { maximum: 5 }",
            "logicalType: number, physicalType: 'decimal(3,1)'",
            "logicalType: string, logicalTypeOptions: { maxLength: 2, pattern: '^A', format: email }",
            "logicalType: string, enum: [{ value: A }, { value: B }]",
        ];
        let columns: Vec<String> =
            kinds.iter().enumerate().map(|(place, kind)| format!("name: c{place}, {kind}")).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let escaped = planted.replace('"', "\\\"");
        let header: Vec<String> = (0..kinds.len()).map(|place| format!("c{place}")).collect();
        let cells = vec![planted.as_str(); kinds.len()].join(",");
        let members: Vec<String> =
            (0..kinds.len()).map(|place| format!("\"c{place}\":\"{escaped}\"")).collect();
        let strict = "{ property: unknownColumn, vendor: ingest, value: reject }";
        let files = [
            (source("format: csv", "", &columns), format!("{}\n{cells}\n{cells},{planted}\n", header.join(","))),
            (source("format: ndjson", "", &columns), format!("{{{}}}\n", members.join(","))),
            (source("format: ndjson", strict, &columns), format!("{{\"{name}\":1}}\n{{\"{name}\":1,\"{name}\":2}}\n{name}\n")),
            (source("format: ndjson", "", &columns), format!("{{\"{name}\":\"{escaped}\" \"{name}\"}}\n[\"{escaped}\"]\n")),
        ];
        for (source, file) in files {
            let found = reasons(&source, file.as_bytes());
            prop_assert!(!found.is_empty());
            for (rule, violation, reason) in found {
                let shown = format!("{reason} {violation:?}");
                prop_assert!(!shown.contains(&planted) && !shown.contains(&name), "{}: {}", rule, shown);
                prop_assert!(!shown.contains("Zq") && !shown.contains("Zn9"), "{}: {}", rule, shown);
            }
        }
    }
}
