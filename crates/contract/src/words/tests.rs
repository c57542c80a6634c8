//! `docs/contract.md`: written from the tables, and that every word of it is read and every example compiles.

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::compiled::{
    Duplicates, EmptyFile, HeaderMatch, Limits, MissingColumn, OnSameName, Policy, UnknownColumn,
};
use crate::{Finding, FindingSeverity, Structure};

mod business_rules;

/// Where the page is kept.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contract.md");

/// The page without its tables.
const FRAME: &str = include_str!("page.md");

/// The letters of a pattern: what they give and an example.
const LETTERS: [(&str, &str, &str); 15] = [
    ("`yyyy`, `uuuu`", "year of four digits", "`2026`"),
    ("`yy`, `uu`", "year of two digits, from 2000 to 2099, with a warning", "`26`"),
    ("`MM`, `M`", "month of two digits, or of one or two", "`01`, `1`"),
    ("`MMM`", "English month of three letters, in any letter case", "`Jan`"),
    ("`MMMM`", "English month in full", "`January`"),
    ("`dd`, `d`", "day of the month", "`05`, `5`"),
    ("`EEE`, `EEEE`", "English weekday", "`Mon`, `Monday`"),
    ("`HH`, `H`", "hour from 0 to 23", "`09`, `9`"),
    ("`hh`, `h` with `a`", "hour from 1 to 12 with AM or PM", "`09` with `PM`"),
    ("`mm`, `m`", "minute", "`05`"),
    ("`ss`, `s`", "second", "`09`"),
    ("`S` to `SSSSSSSSS`", "fraction of a second with this number of digits", "`SSS`: `125`"),
    ("`XXX`, `xxx`, `ZZZZZ`", "offset with a colon; `XXX` and `ZZZZZ` also read `Z`", "`+02:00`"),
    ("`XX`, `xx`, `Z`", "offset without a colon; `XX` also reads `Z`", "`+0200`"),
    ("`X`, `x`", "offset, minutes optional; `X` also reads `Z`", "`+02`"),
];

/// A flow mapping of these entries, in which the given one replaces the one with its key.
fn mapping(base: &[(&str, &str)], key: &str, value: &str) -> String {
    let mut text = "{ ".to_owned();
    for (name, kept) in base.iter().filter(|(name, _)| *name != key) {
        write!(text, "{name}: {kept}, ").expect("a string takes every text");
    }
    write!(text, "{key}: {value} }}").expect("a string takes every text");
    text
}

const TOP: [(&str, &str); 7] = [
    ("apiVersion", "v3.2.0"),
    ("kind", "DataContract"),
    ("id", "scans"),
    ("version", "1.0.0"),
    ("status", "active"),
    ("servers", "[{ server: inbox, type: s3, location: s3://inbox/acme/scans/, format: csv }]"),
    ("schema", "[{ name: scans, properties: [{ name: a, logicalType: string, primaryKey: true }] }]"),
];

const CSV: &str = "{ server: inbox, type: s3, location: s3://inbox/acme/scans/, format: csv }";
const JSON: &str = "{ server: inbox, type: s3, location: s3://inbox/acme/scans/, format: json }";

fn setting(name: &str, value: &str) -> String {
    format!("[{{ property: {name}, vendor: ingest, value: {value} }}]")
}

/// A document with this server and schema object.
fn whole(server: &str, schema: &str) -> String {
    let server = format!("[{server}]");
    let schema = format!("[{schema}]");
    let base: Vec<(&str, &str)> = TOP
        .iter()
        .map(|(key, value)| match *key {
            "servers" => (*key, server.as_str()),
            "schema" => (*key, schema.as_str()),
            _ => (*key, *value),
        })
        .collect();
    mapping(&base, "name", "scans")
}

/// A document whose one schema object has this entry.
fn with_schema(server: &str, key: &str, value: &str) -> String {
    let columns = "[{ name: a, logicalType: string, primaryKey: true }, \
                   { name: changed, logicalType: timestamp }, { name: c, logicalType: number }]";
    whole(server, &mapping(&[("name", "scans"), ("properties", columns)], key, value))
}

/// A document with a key and a second property of these entries.
fn with_property(server: &str, base: &[(&str, &str)], key: &str, value: &str) -> String {
    let property = mapping(base, key, value);
    with_schema(
        server,
        "properties",
        &format!("[{{ name: a, logicalType: string, primaryKey: true }}, {property}]"),
    )
}

/// A document in which the word of the section has this value.
fn document(section: &'static Section, word: &str, value: &str) -> String {
    let is = |other: &'static Section| std::ptr::eq(section, other);
    let server = |key: &str, value: &str| {
        let base =
            [("server", "inbox"), ("type", "s3"), ("location", "s3://inbox/acme/scans/"), ("format", "csv")];
        let format = if word == "recordPath" { "json" } else { "csv" };
        mapping(&base.map(|(key, value)| (key, if key == "format" { format } else { value })), key, value)
    };
    let records = "{ name: scans, properties: [{ name: a, logicalType: string, primaryKey: true }] }";
    if is(&DOCUMENT) {
        return mapping(&TOP, word, value);
    }
    if is(&SERVER) {
        return whole(&server(word, value), records);
    }
    if is(&SERVER_SETTINGS) {
        return whole(&server("customProperties", &setting(word, value)), records);
    }
    if is(&CSV_DIALECT) || is(&LIMITS) {
        let name = if is(&LIMITS) { "limits" } else { "csvDialect" };
        let value = setting(name, &format!("{{ {word}: {value} }}"));
        return whole(&server("customProperties", &value), records);
    }
    if is(&SCHEMA) {
        return with_schema(CSV, word, value);
    }
    if is(&CUSTOM_PROPERTY) {
        let base = [("property", "onError"), ("vendor", "ingest"), ("value", "abort")];
        return with_schema(CSV, "customProperties", &format!("[{}]", mapping(&base, word, value)));
    }
    if is(&SCHEMA_SETTINGS) {
        return with_schema(CSV, "customProperties", &setting(word, value));
    }
    if is(&EXPECT) || is(&ROWS) {
        let expect = if is(&ROWS) { format!("{{ {word}: {value} }}") } else { value.to_owned() };
        let key = if is(&ROWS) { "rows" } else { word };
        let expect = mapping(&[("schedule", "'0 6 * * *'")], key, &expect);
        return with_schema(CSV, "customProperties", &setting("expect", &expect));
    }
    property_document(section, word, value)
}

/// A document in which the word of a property, of its parts, its rules or of a service level has this value.
fn property_document(section: &'static Section, word: &str, value: &str) -> String {
    let is = |other: &'static Section| std::ptr::eq(section, other);
    let named = [("name", "c"), ("logicalType", "string")];
    if is(&PROPERTY) {
        let kind = match word {
            "properties" => "object",
            "items" => "array",
            "map" => "map",
            "physicalType" => "number",
            _ => "string",
        };
        let named = [("name", "c"), ("logicalType", kind), ("primaryKey", "true")];
        let base = if word.starts_with("primaryKey") { &named[..] } else { &named[..2] };
        if word.starts_with("primaryKey") {
            return with_schema(CSV, "properties", &format!("[{}]", mapping(base, word, value)));
        }
        return with_property(if kind == "string" { CSV } else { JSON }, base, word, value);
    }
    if is(&PROPERTY_SETTINGS) {
        let server = if word == "sourcePath" { JSON } else { CSV };
        return with_property(server, &named, "customProperties", &setting(word, value));
    }
    if is(&TRANSFORM) || is(&MASK) || is(&REPLACE) || is(&SPLIT) {
        return preparation(section, word, value);
    }
    if is(&ENUM_ENTRY) {
        return with_property(
            CSV,
            &named,
            "enum",
            &format!("[{}]", mapping(&[("value", "CT")], word, value)),
        );
    }
    if is(&MAP_PROPERTY) {
        return with_property(
            JSON,
            &[("name", "c"), ("logicalType", "map")],
            "map",
            &format!("{{ {word}: {value} }}"),
        );
    }
    if is(&QUALITY) || is(&ARGUMENTS) {
        return quality(section, word, value);
    }
    if is(&SERVICE_LEVEL) {
        let base = [("property", "frequency"), ("value", "1"), ("unit", "d"), ("scheduler", "cron")];
        return mapping(&TOP, "slaProperties", &format!("[{}]", mapping(&base, word, value)));
    }
    let kind = LOGICAL_TYPES.iter().find(|(_, options)| is(options)).map_or("string", |(word, _)| *word);
    let parts = if kind == "object" {
        ("properties", "[{ name: zip, logicalType: string }]")
    } else {
        ("tags", "[]")
    };
    let base = [("name", "c"), ("logicalType", kind), parts];
    with_property(JSON, &base, "logicalTypeOptions", &format!("{{ {word}: {value} }}"))
}

/// A document in which the word of a transform or a mask has this value.
fn preparation(section: &'static Section, word: &str, value: &str) -> String {
    let is = |other: &'static Section| std::ptr::eq(section, other);
    let kind = match word {
        "multiply" => "number",
        "dates" | "truncateDate" => "date",
        _ => "string",
    };
    let own = if is(&REPLACE) {
        format!("{{ replace: {} }}", mapping(&[("pattern", "(a)"), ("with", "b")], word, value))
    } else if is(&SPLIT) {
        format!("{{ split: {} }}", mapping(&[("by", "'^'"), ("take", "1")], word, value))
    } else {
        format!("{{ {word}: {value} }}")
    };
    let setting = setting(if is(&MASK) { "mask" } else { "transform" }, &own);
    with_property(CSV, &[("name", "c"), ("logicalType", kind)], "customProperties", &setting)
}

static LOGICAL_TYPES: [(&str, &Section); 9] = [
    ("string", &STRING),
    ("integer", &NUMBER),
    ("boolean", &BOOLEAN),
    ("date", &DATE),
    ("time", &TIME),
    ("timestamp", &TIMESTAMP),
    ("array", &ARRAY),
    ("object", &OBJECT),
    ("map", &MAP),
];

fn quality(section: &'static Section, word: &str, value: &str) -> String {
    let compares = word.starts_with("must");
    let on_schema = word == "properties";
    let metric = match word {
        "pattern" | "validValues" | "arguments" => "invalidValues",
        "missingValues" => "missingValues",
        "properties" => "duplicateValues",
        _ => "nullValues",
    };
    let mut base = vec![("metric", metric)];
    if ["rule", "engine", "query", "implementation"].contains(&word) {
        base.clear();
    }
    if word == "engine" || word == "implementation" {
        base.push(("type", "custom"));
    }
    if word == "implementation" {
        base.push(("engine", "cel"));
    } else if !compares {
        base.push(("mustBe", "0"));
    }
    let rule = if std::ptr::eq(section, &raw const ARGUMENTS) {
        mapping(&base, "arguments", &format!("{{ {word}: {value} }}"))
    } else {
        mapping(&base, word, value)
    };
    let rules = format!("[{rule}]");
    if on_schema {
        return with_schema(CSV, "quality", &rules);
    }
    with_property(CSV, &[("name", "c"), ("logicalType", "string")], "quality", &rules)
}

/// Every word of every section.
fn every_word() -> impl Iterator<Item = (&'static Section, &'static Word)> {
    SECTIONS.iter().flat_map(|section| section.words.iter().map(move |word| (*section, word)))
}

/// The findings of a document, and how many parts of it are not run.
fn findings(source: &str) -> (bool, Vec<Finding>, usize) {
    match crate::compile(source) {
        Ok((contract, warnings)) => (true, warnings, contract.not_run.len()),
        Err(findings) => (false, findings, 0),
    }
}

#[test]
fn every_example_compiles() {
    let mut broken = Vec::new();
    for (section, word) in every_word() {
        let source = document(section, word.name, word.example);
        let errors: Vec<String> = findings(&source)
            .1
            .iter()
            .filter(|finding| finding.severity == FindingSeverity::Error)
            .map(Finding::message)
            .collect();
        if !errors.is_empty() {
            broken.push(format!("{} `{}`: {errors:?}\n{source}", section.title, word.name));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[test]
fn every_word_of_the_page_is_read() {
    for (section, word) in every_word() {
        let (_, findings, not_run) = findings(&document(section, word.name, "[[]]"));
        assert!(!findings.is_empty() || not_run > 0, "{} `{}` is read by nothing", section.title, word.name);
        let unknown = findings.iter().find(|finding| finding.found.contains("unknown"));
        assert!(unknown.is_none(), "{} `{}`: {unknown:?}", section.title, word.name);
    }
}

#[test]
fn every_value_of_a_list_is_accepted() {
    for (section, word) in every_word() {
        let Values::OneOf(choices) = word.values else { continue };
        for (value, _) in choices() {
            let quoted = format!("'{value}'");
            let (_, findings, _) = findings(&document(section, word.name, &quoted));
            let unknown = findings.iter().find(|finding| finding.found == format!("`{value}`"));
            assert!(unknown.is_none(), "`{}: {value}`: {unknown:?}", word.name);
        }
    }
}

/// The word of a value.
fn word_of<T: PartialEq>(words: &Words<T>, value: &T) -> String {
    let found = words.iter().find(|(_, other, _)| other == value);
    found.map_or_else(String::new, |(word, _, _)| (*word).to_owned())
}

#[test]
fn the_defaults_of_the_page_are_those_of_the_code() {
    let default = |section: &Section, name: &str| {
        let word = section.words.iter().find(|word| word.name == name).expect("a word of the section");
        word.default.split(' ').next().unwrap_or_default().to_owned()
    };
    let policy = Policy::default();
    let schema = |name| default(&SCHEMA_SETTINGS, name);
    assert_eq!(schema("unknownColumn"), word_of(UnknownColumn::WORDS, &policy.unknown_column));
    assert_eq!(schema("missingColumn"), word_of(MissingColumn::WORDS, &policy.missing_column));
    assert_eq!(schema("emptyFile"), word_of(EmptyFile::WORDS, &policy.empty_file));
    assert_eq!(schema("onSameName"), word_of(OnSameName::WORDS, &policy.on_same_name));
    assert_eq!(schema("duplicates"), word_of(Duplicates::WORDS, &policy.duplicates));
    assert_eq!(default(&CSV_DIALECT, "headerMatch"), word_of(HeaderMatch::WORDS, &HeaderMatch::default()));
    let limits = Limits::default();
    let numbers = [
        ("maxFileBytes", limits.file_bytes),
        ("maxDecompressedBytes", limits.decompressed_bytes),
        ("maxRejects", limits.rejects),
        ("maxRatio", limits.ratio.into()),
        ("maxRowBytes", limits.record_bytes.into()),
        ("maxColumns", limits.columns.into()),
        ("maxDepth", limits.depth.into()),
    ];
    for (name, number) in numbers {
        assert_eq!(default(&LIMITS, name), number.to_string(), "{name}");
    }
    assert_eq!(numbers.len(), LIMITS.words.len());
}

/// The rule ids that the word adds to the contract of its example, with `c` as `<property>`.
fn rules_of(section: &'static Section, word: &Word) -> Vec<String> {
    let Ok((contract, _)) = crate::compile(&document(section, word.name, word.example)) else {
        return Vec::new();
    };
    let own = contract.rules.iter().skip(Structure::COUNT).map(|rule| rule.id.as_str());
    own.filter(|id| id.starts_with("c.") && *id != "c.type")
        .map(|id| id.replacen("c.", "<property>.", 1))
        .collect()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A table of the words, the values of closed lists, and the words that are kept.
fn render(section: &'static Section, page: &mut String) {
    write!(page, "### {}\n\n{}\n", section.title, section.about).expect("a string takes every text");
    if !section.words.is_empty() {
        page.push_str("\n| word | values | default | what it does | example |\n|---|---|---|---|---|\n");
    }
    let is_option = section.name == "`logicalTypeOptions`";
    for word in section.words {
        let (values, default) = match word.values {
            Values::Of(values) => (values.to_owned(), word.default.to_owned()),
            Values::OneOf(choices) => {
                let choices = choices();
                let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
                let is_word = choices.iter().any(|(name, _)| *name == word.default);
                let default = if is_word { format!("`{}`", word.default) } else { word.default.to_owned() };
                (names.join(", "), default)
            }
        };
        let mut does = word.does.to_owned();
        let is_rule =
            std::ptr::eq(section, &raw const PROPERTY) && ["required", "unique", "enum"].contains(&word.name);
        let rules = if is_option || is_rule { rules_of(section, word) } else { Vec::new() };
        if let [rule] = rules.as_slice() {
            write!(does, " Rule `{rule}`.").expect("a string takes every text");
        }
        writeln!(
            page,
            "| `{}` | {} | {} | {} | `{}` |",
            word.name,
            cell(&values),
            cell(&default),
            cell(&does),
            cell(word.example)
        )
        .expect("a string takes every text");
    }
    for word in section.words {
        let Values::OneOf(choices) = word.values else { continue };
        write!(page, "\n`{}`:\n\n", word.name).expect("a string takes every text");
        for (value, does) in choices() {
            writeln!(page, "* `{value}`: {does}").expect("a string takes every text");
        }
    }
    if !section.kept.is_empty() {
        let kept: Vec<String> = section.kept.iter().map(|name| format!("`{name}`")).collect();
        write!(page, "\nAccepted and not read: {}.\n", kept.join(", ")).expect("a string takes every text");
    }
    page.push('\n');
}

fn page() -> String {
    let mut words = String::new();
    for section in &SECTIONS {
        render(section, &mut words);
    }
    let mut letters = "| letters | what they read | example |\n|---|---|---|\n".to_owned();
    for (pattern, reads, example) in LETTERS {
        writeln!(letters, "| {pattern} | {reads} | {example} |").expect("a string takes every text");
    }
    let mut rules = "| rule | code | what is expected |\n|---|---|---|\n".to_owned();
    for structure in Structure::ALL {
        let rule = structure.rule();
        writeln!(rules, "| `{}` | `{}` | {} |", rule.id, rule.code.as_str(), rule.expected)
            .expect("a string takes every text");
    }
    let page = FRAME.replace("{{words}}", words.trim_end());
    let page = business_rules::fill(&page);
    page.replace("{{letters}}", letters.trim_end()).replace("{{rules}}", rules.trim_end())
}

#[test]
fn the_kept_page_is_that_of_the_code() {
    let text = page();
    if std::fs::read_to_string(KEPT).unwrap_or_default() != text {
        let fresh = Path::new(KEPT).with_extension("md.new");
        std::fs::write(&fresh, &text).expect("written next to the page");
        panic!(
            "docs/contract.md is not what the code says: compare it with docs/contract.md.new, then rename that"
        );
    }
}
