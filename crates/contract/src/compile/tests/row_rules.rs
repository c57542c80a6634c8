//! Business rules: their names, their words and where their mistakes are.

use super::*;

/// A contract with these quality rules on the schema object, and on the property `a`.
fn with_rules(of_schema: &str, of_property: &str) -> String {
    let properties = format!(
        "      - name: a\n        logicalType: integer\n        quality:\n{of_property}\
         {}      - {{ name: b, logicalType: number }}\n    quality:\n{of_schema}",
        if of_property.is_empty() { "          - { type: text, description: none }\n" } else { "" },
    );
    with_properties(&properties)
}

/// Each rule of a contract: id, code, severity, words, columns.
fn shown(source: &str) -> Vec<String> {
    let (contract, _) = compiled(source);
    let one = |row_rule: &crate::RowRule| {
        let rule = contract.rule(row_rule.rule);
        let code = rule.code.as_str();
        format!("{} {code} {:?} [{}] {:?}", rule.id, rule.severity, rule.expected, row_rule.program.columns())
    };
    contract.row_rules.iter().map(one).collect()
}

#[test]
fn a_business_rule_has_a_name_a_severity_and_words() {
    let source = with_rules(
        "      - { type: custom, engine: cel, id: r1, name: other, implementation: 'a < b' }\n\
         \x20     - { type: custom, engine: CEL, name: r2, severity: minor, description: 'A is  small.', implementation: 'a < 9' }\n\
         \x20     - { engine: cel, implementation: 'a < 8' }\n\
         \x20     - { engine: cel, implementation: 'b < 8' }\n",
        "          - { type: custom, engine: cel, dimension: consistency, implementation: 'a > b' }\n",
    );
    assert_eq!(
        shown(&source),
        [
            "a.rule row-constraint Fail [`a > b`] [0, 1]",
            "r1 row-constraint Fail [`a < b`] [0, 1]",
            "r2 row-constraint Warn [A is small.] [0]",
            "rule row-constraint Fail [`a < 8`] [0]",
            "rule-2 row-constraint Fail [`b < 8`] [1]",
        ]
    );
    assert!(compiled(&source).0.not_run.is_empty());
}

#[test]
fn the_words_of_a_rule_are_cut_at_200_characters() {
    let long = "word ".repeat(100);
    let source = with_rules(
        &format!("      - {{ engine: cel, description: '{long}', implementation: 'a < b' }}\n"),
        "",
    );
    let (contract, _) = compiled(&source);
    let expected = &contract.rule(contract.row_rules[0].rule).expected;
    assert_eq!(expected.chars().count(), 200);
    assert!(expected.ends_with('…'));
}

#[test]
fn a_rule_that_cannot_run_is_an_error_at_its_place() {
    let found = |rule: &str| {
        let findings = rejected(&with_rules(rule, ""));
        let errors = findings.iter().filter(|finding| finding.severity == FindingSeverity::Error);
        errors
            .map(|finding| format!("{}:{} {}: {}", finding.line, finding.column, finding.path, finding.found))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("      - { type: custom, engine: cel }\n"),
        ["16:9 schema[0].quality[0]: a rule of engine `cel` without an expression"]
    );
    assert_eq!(
        found("      - { type: custom, engine: cel, mustBe: 0, implementation: 'a < b' }\n"),
        ["16:46 schema[0].quality[0].mustBe: a comparison on a rule of engine `cel`"]
    );
    let path = "schema[0].quality[0].implementation";
    assert_eq!(
        found("      - { type: custom, engine: cel, implementation: 'a < c' }\n"),
        [format!("16:59 {path}: `c`")]
    );
    assert_eq!(
        found("      - engine: cel\n        implementation: |\n          a < b &&\n            c > 1\n"),
        [format!("19:13 {path}: `c`")]
    );
    assert_eq!(
        found("      - engine: cel\n        implementation: >-\n          a < b\n          && c > 1\n"),
        [format!("19:14 {path}: `c`")]
    );
    assert_eq!(
        found(
            "      - { engine: cel, name: twice, implementation: 'a < b' }\n\
             \x20     - { engine: cel, name: twice, implementation: 'a > b' }\n"
        ),
        ["17:30 schema[0].quality[1].name: the rule name `twice` a second time"]
    );
}

#[test]
fn a_rule_on_a_nested_property_and_of_another_engine_is_listed_as_not_run() {
    let source = with_properties(
        "      - name: o\n        logicalType: object\n        properties:\n          - name: a\n            \
         logicalType: integer\n            quality:\n              - { engine: cel, implementation: 'a > 0' }\n\
         \x20     - name: s\n        logicalType: string\n        quality: [{ type: custom, engine: soda, implementation: x }]\n",
    );
    let (contract, warnings) = compiled(&source);
    let listed: Vec<&str> = contract.not_run.iter().map(|not_run| not_run.what.as_str()).collect();
    assert_eq!(
        listed,
        ["quality rule of engine `cel` on a nested property", "quality rule of engine `soda`"]
    );
    assert_eq!(warnings.iter().filter(|warning| warning.found.contains("engine")).count(), 2);
    assert!(contract.row_rules.is_empty());
}

#[test]
fn conditions_of_drop_if_are_compiled_and_their_mistakes_found_where_they_stand() {
    let with = |value: &str| {
        with_properties("      - { name: a, logicalType: integer }\n").replace(
            "    properties:",
            &format!("    customProperties: [{{ property: dropIf, vendor: ingest, value: {value} }}]\n    properties:"),
        )
    };
    for (value, expected) in [("'a < 0'", vec!["a < 0"]), ("['a < 0', 'a == 7']", vec!["a < 0", "a == 7"])] {
        let (contract, _) = compiled(&with(value));
        let sources: Vec<&str> = contract.drop_if.iter().map(crate::Program::source).collect();
        assert_eq!(sources, expected);
    }
    let many = format!("[{}]", ["'a < 0'"; 17].join(", "));
    for (value, found) in [
        ("'a < '", "the end of the expression"),
        ("'b < 0'", "`b`"),
        ("'a + 1'", "an integer"),
        ("[]", "0 conditions"),
        (many.as_str(), "17 conditions"),
        ("[['a < 0']]", "a list"),
    ] {
        let findings = rejected(&with(value));
        assert!(findings.iter().any(|finding| finding.found.contains(found)), "{value}: {findings:?}");
        let mut errors = findings.iter().filter(|finding| finding.severity == FindingSeverity::Error);
        assert!(errors.all(|finding| finding.path.starts_with("schema[0].customProperties[0].value")));
    }
}
