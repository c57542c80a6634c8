//! Examples must pass the property that they explain.

use crate::cell::Cell;
use crate::compiled::{Column, Kind};
use crate::document::{Node, Property, Scalar, ScalarKind, Yaml};
use crate::rule::Violation;

use super::Compilation;

pub(super) fn check(property: &Property, column: &Column, index: u16, compilation: &mut Compilation) {
    crate::lint::values(&property.examples, matches!(column.kind, Kind::String), &mut compilation.findings);
    let mut violations: Vec<Violation> = Vec::new();
    for example in &property.examples {
        let json;
        let cell = match &example.yaml {
            Yaml::Scalar(scalar) => cell(scalar, column),
            Yaml::Sequence(_) => {
                json = to_json(example);
                Cell::Array(json.as_bytes())
            }
            Yaml::Mapping(_) => {
                json = to_json(example);
                Cell::Object(json.as_bytes())
            }
        };
        violations.clear();
        column.check(index, cell, &mut violations);
        for violation in &violations {
            let Some(rule) = compilation.rules.get(violation.rule) else { continue };
            compilation.findings.error(
                &example.place,
                format!("an example that breaks the rule `{}`", rule.id),
                rule.expected.clone(),
                "correct the example or the rule",
            );
        }
    }
}

/// Returns a scalar as a file would bring it.
fn cell<'a>(scalar: &'a Scalar, column: &Column) -> Cell<'a> {
    let text = scalar.text.as_bytes();
    if scalar.kind == ScalarKind::Null || column.null_tokens.iter().any(|token| token == text) {
        return Cell::Null;
    }
    match (&column.kind, scalar.kind) {
        (Kind::String, _) => Cell::String(text),
        (_, ScalarKind::Boolean(value)) => Cell::Boolean(value),
        // A number of the document, whatever the separators of the file; quoted text is as the file writes it.
        (Kind::Integer | Kind::Number { .. }, ScalarKind::Number) => Cell::Number(text),
        _ => Cell::Text(text),
    }
}

/// Returns a node as JSON text. A number that JSON does not write that way becomes a string.
fn to_json(node: &Node) -> String {
    match &node.yaml {
        Yaml::Scalar(scalar) => match scalar.kind {
            ScalarKind::Null => "null".to_owned(),
            ScalarKind::Boolean(value) => value.to_string(),
            ScalarKind::Number if serde_json::from_str::<serde_json::Value>(&scalar.text).is_ok() => {
                scalar.text.clone()
            }
            ScalarKind::Number | ScalarKind::Text => string(&scalar.text),
        },
        Yaml::Sequence(items) => {
            let items: Vec<String> = items.iter().map(to_json).collect();
            format!("[{}]", items.join(","))
        }
        Yaml::Mapping(entries) => {
            let members: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}:{}", string(&entry.key), to_json(&entry.value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
