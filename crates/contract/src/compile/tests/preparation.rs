//! Transforms and masks: what is rejected, and what a document must say.

use super::*;
use crate::compiled::Format;
use crate::{DateUnit, Mask};

/// A contract of a key and one more property of these entries, with the setting at the end.
fn with(entries: &str, setting: &str) -> String {
    with_properties(&format!(
        "      - {{ name: id, logicalType: string, primaryKey: true }}\n      - name: c\n        {entries}\n        customProperties:\n          - {{ property: {setting}, vendor: ingest }}\n"
    ))
}

fn transform(entries: &str, value: &str) -> String {
    with(entries, &format!("transform, value: {value}"))
}

fn mask(entries: &str, value: &str) -> String {
    with(entries, &format!("mask, value: {value}"))
}

#[test]
fn steps_are_read_in_their_order() {
    let source = transform(
        "logicalType: string",
        "[trim, { map: { m: M, '1': M } }, { replace: { pattern: ' +', with: '-' } }, { split: { by: '^', take: -1 } }, { default: U }, upper]",
    );
    let (contract, warnings) = compiled(&source);
    assert!(warnings.is_empty(), "{}", render_findings(&warnings, "test.yaml", &source));
    assert_eq!(contract.transformed, [1]);
    let words: Vec<String> = column(&contract, "c").transform.iter().map(crate::Transform::words).collect();
    assert_eq!(
        words,
        [
            "trim",
            r#"map: { "1": "M", "m": "M" }"#,
            r#"replace: " +" with "-""#,
            r#"split: by "^" take -1"#,
            r#"default: "U""#,
            "upper"
        ]
    );
    for (kind, value, expected) in [
        ("number", "{ multiply: 2.54 }", "multiply: 2.54"),
        ("date", "{ dates: [dd.MM.yyyy, yyyyMMdd] }", r#"dates: "dd.MM.yyyy", "yyyyMMdd""#),
        ("string", "{ trim: true }", "trim"),
    ] {
        let (contract, _) = compiled(&transform(&format!("logicalType: {kind}"), value));
        assert_eq!(column(&contract, "c").transform[0].words(), expected);
    }
}

#[test]
fn masks_are_read_and_hide_the_value_in_diagnostics() {
    for (kind, value, expected) in [
        ("string", "none", Mask::None),
        ("object", "drop", Mask::Drop),
        ("boolean", "redact", Mask::Redact),
        ("string", "last4", Mask::Last4),
        ("integer", "{ truncate: 3 }", Mask::Truncate(3)),
        ("date", "{ truncateDate: year }", Mask::TruncateDate(DateUnit::Year)),
    ] {
        let (contract, warnings) = compiled(&mask(&format!("logicalType: {kind}"), value));
        let column = column(&contract, "c");
        assert_eq!((column.mask, column.classified), (expected, expected.hides()), "{value}");
        assert!(warnings.is_empty() && matches!(contract.format, Format::JsonLines));
    }
}

#[test]
fn each_mistake_in_a_transform_or_mask_is_found_where_it_stands() {
    let text = "logicalType: string";
    let nested = "logicalType: object\n        properties: [{ name: x, logicalType: string, customProperties: [{ property: mask, vendor: ingest, value: drop }, { property: transform, vendor: ingest, value: trim }] }]";
    let many = format!("[{}]", ["trim"; 17].join(", "));
    let long = format!("{{ default: {} }}", "x".repeat(1_001));
    let mistakes = [
        ("a step with a typing error", transform(text, "trimm")),
        ("a step without its value", transform(text, "map")),
        ("a value of a step that has none", transform(text, "{ trim: both }")),
        ("two steps in one mapping", transform(text, "{ trim: true, upper: true }")),
        ("a list within a list", transform(text, "[[trim]]")),
        ("no step", transform(text, "[]")),
        ("too many steps", transform(text, &many)),
        ("a text that is too long", transform(text, &long)),
        ("a map of nothing", transform(text, "{ map: {} }")),
        ("a map to a list", transform(text, "{ map: { m: [M] } }")),
        ("a pattern that cannot be used", transform(text, "{ replace: { pattern: '(?<=a)b', with: '' } }")),
        ("a replacement that is missing", transform(text, "{ replace: { pattern: a } }")),
        (
            "a group that a letter behind it makes another one",
            transform(text, "{ replace: { pattern: '([0-9]+) mm', with: '$1cm' } }"),
        ),
        ("a group that is not there", transform(text, "{ replace: { pattern: '(a)', with: '${2}' } }")),
        ("a name that is not there", transform(text, "{ replace: { pattern: '(?P<x>a)', with: '$x-$y' } }")),
        ("an unknown key", transform(text, "{ replace: { pattern: a, with: b, flags: i } }")),
        ("a part of number 0", transform(text, "{ split: { by: '^', take: 0 } }")),
        ("an empty separator", transform(text, "{ split: { by: '', take: 1 } }")),
        ("a text for null that is no number", transform("logicalType: integer", "{ default: none }")),
        (
            "a text for null that is not listed",
            transform("logicalType: string\n        enum: [{ value: A }]", "[{ map: { a: A } }, { default: Z }]"),
        ),
        (
            "a text in place of another that is too long",
            transform("logicalType: string\n        logicalTypeOptions: { maxLength: 2 }", "{ map: { m: MALE } }"),
        ),
        ("a product of a text", transform(text, "{ multiply: 2 }")),
        ("a factor of 0", transform("logicalType: integer", "{ multiply: 0 }")),
        ("dates of a number", transform("logicalType: integer", "{ dates: [yyyy] }")),
        ("dates that are no list", transform("logicalType: date", "{ dates: yyyyMMdd }")),
        ("a pattern of no date", transform("logicalType: date", "{ dates: [HH:mm] }")),
        (
            "dates next to a format",
            transform("logicalType: date\n        logicalTypeOptions: { format: dd.MM.yyyy }", "{ dates: [yyyyMMdd] }"),
        ),
        ("a transform of an object", transform("logicalType: object", "trim")),
        ("a mask with a typing error", mask(text, "last5")),
        ("a mask that is a list", mask(text, "[drop]")),
        ("a truncation to nothing", mask(text, "{ truncate: 0 }")),
        ("a truncation without a length", mask(text, "truncate")),
        ("a unit that does not exist", mask("logicalType: date", "{ truncateDate: decade }")),
        ("a truncated date of a text", mask(text, "{ truncateDate: year }")),
        ("the end of a boolean", mask("logicalType: boolean", "last4")),
        ("the end of an object", mask("logicalType: object", "last4")),
        ("a mask and a transform of a nested property", with(nested, "nullTokens, value: [x]")),
        (
            "a key that is dropped",
            with_properties(
                "      - { name: id, logicalType: string, primaryKey: true, customProperties: [{ property: mask, vendor: ingest, value: drop }] }\n",
            ),
        ),
        (
            "a masked property that orders versions",
            mask("logicalType: date", "{ truncateDate: year }").replace(
                "    properties:\n      - { name: id",
                "    customProperties: [{ property: versionFrom, vendor: ingest, value: c }]\n    properties:\n      - { name: id",
            ),
        ),
    ];
    let mut page = String::new();
    for (title, source) in mistakes {
        let findings: Vec<_> = rejected(&source)
            .into_iter()
            .filter(|finding| finding.severity == FindingSeverity::Error)
            .collect();
        assert!(!findings.is_empty(), "{title}");
        page.extend(["# ", title, "\n"]);
        for finding in findings {
            page.push_str(&finding.render("feed.odcs.yaml", &source));
        }
        page.push('\n');
    }
    insta::assert_snapshot!("mistakes_preparation", page);
}

#[test]
fn a_mask_that_makes_keys_the_same_is_a_warning() {
    let key = |mask: &str| {
        with_properties(&format!(
            "      - {{ name: id, logicalType: string, primaryKey: true, customProperties: [{{ property: mask, vendor: ingest, value: {mask} }}] }}\n"
        ))
    };
    assert_eq!(compiled(&key("none")).1.len(), 0);
    let warnings = compiled(&key("last4")).1;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].found, "`mask: last4` of a part of the primary key");
}

#[test]
fn data_about_people_that_is_stored_in_clear_must_be_said_to_be_published() {
    let published = |source: &str| match compile_published(source, Published::default()) {
        Ok((_, warnings)) => (true, warnings),
        Err(findings) => (false, findings),
    };
    for word in ["phi", "PII", "personal", "Personal Data"] {
        let source = with_properties(&format!(
            "      - {{ name: id, logicalType: string, primaryKey: true, classification: {word} }}\n"
        ));
        let (accepted, findings) = published(&source);
        assert!(!accepted, "{word}");
        assert_eq!(findings.len(), 1, "{word}");
        // What is in force goes on.
        let (_, warnings) = compiled(&source);
        assert_eq!(warnings.len(), 1, "{word}");
        if word == "phi" {
            insta::assert_snapshot!("clear_phi", render_findings(&findings, "feed.odcs.yaml", &source));
        }
        let said = source
            .replace(" }\n", ", customProperties: [{ property: mask, vendor: ingest, value: none }] }\n");
        assert_ne!(said, source);
        assert_eq!(published(&said), (true, Vec::new()), "{word}");
    }
    let other = with_properties(
        "      - { name: id, logicalType: string, primaryKey: true, classification: confidential }\n",
    );
    assert_eq!(published(&other), (true, Vec::new()));
    for nested in [
        "logicalType: object, properties: [{ name: x, logicalType: string, classification: phi }]",
        "logicalType: array, items: { logicalType: string, classification: phi }",
        "logicalType: map, map: { value: { logicalType: string, classification: phi } }",
    ] {
        let with = |setting: &str| {
            with_properties(&format!(
                "      - {{ name: id, logicalType: string, primaryKey: true }}\n      - {{ name: c, {nested}{setting} }}\n"
            ))
        };
        let (accepted, findings) = published(&with(""));
        assert!(!accepted && findings[0].advice.contains("on the property at the top"), "{findings:?}");
        let hidden = ", customProperties: [{ property: mask, vendor: ingest, value: redact }]";
        assert!(published(&with(hidden)).0, "{nested}");
        // Said of the whole, a clear value holds for what is in it.
        assert!(published(&with(&hidden.replace("redact", "none"))).0, "{nested}");
    }
}

#[test]
fn groups_of_a_match_are_taken_by_number_and_name() {
    for with in ["$1", "${1}cm", "$0-$x", "${x}", "$$1cm", "5 $", "$ 1", "$-"] {
        let value = format!("{{ replace: {{ pattern: '(?P<x>[0-9]+) mm', with: '{with}' }} }}");
        compiled(&transform("logicalType: string", &value));
    }
}

#[test]
fn a_text_of_a_step_is_judged_by_what_the_later_steps_make_of_it() {
    for value in
        ["[{ default: m }, upper]", "[{ map: { '1': m, '2': '' } }, upper]", "[{ default: ' M ' }, trim]"]
    {
        let entries = "logicalType: string\n        required: true\n        enum: [{ value: M }]";
        compiled(&transform(entries, value));
    }
    let dates = "[{ default: 01.02.2026 }, { dates: [dd.MM.yyyy] }]";
    compiled(&transform("logicalType: date", dates));
    rejected(&transform("logicalType: string\n        enum: [{ value: M }]", "[upper, { default: m }]"));
}

#[test]
fn a_year_of_two_digits_is_a_warning_among_dates_too() {
    let warnings = compiled(&transform("logicalType: date", "{ dates: [dd.MM.yy] }")).1;
    assert!(warnings.iter().any(|warning| warning.found == "a year of two digits"), "{warnings:?}");
}
