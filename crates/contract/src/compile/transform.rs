//! `transform` of a property.

use std::collections::BTreeMap;

use regex::Regex;

use crate::compiled::{Column, Kind};
use crate::document::{Fields, MappingEntry, Node, ScalarKind, Yaml, items_of, text_of};
use crate::finding::{Findings, quoted};
use crate::words::{REPLACE, SPLIT, TRANSFORM};
use crate::{Decimal, Pattern, TemporalKind, Transform};

use super::step::Step;
use super::{Compilation, options, pattern};

/// Steps of one property at most.
const MOST_STEPS: usize = 16;

/// Entries of one `map` at most.
const MOST_WORDS: usize = 1_000;

/// Bytes of a text that stands in for another at most.
const MOST_TEXT: usize = 1_000;

/// Reads the steps of a property into its column.
pub(super) fn compile(node: &Node, column: &mut Column, is_top: bool, compilation: &mut Compilation) {
    let findings = &mut compilation.findings;
    if !is_top || matches!(column.kind, Kind::Object(_) | Kind::Array(_) | Kind::Map(_)) {
        findings.error(
            &node.place,
            if is_top { "`transform` on a nested type" } else { "`transform` on a nested property" },
            "a property at the top that is no object, array or map",
            "`sourcePath` of a property at the top takes a nested value",
        );
        return;
    }
    let steps = match &node.yaml {
        Yaml::Sequence(steps) => steps.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if steps.is_empty() || steps.len() > MOST_STEPS {
        let expected = format!("1 to {MOST_STEPS} steps");
        findings.error(&node.place, format!("{} steps", steps.len()), expected, "");
        return;
    }
    for node in steps {
        let step = Step::read(node, &TRANSFORM, &mut compilation.findings);
        column.transform.extend(step.and_then(|step| one(&step, column, compilation)));
    }
}

/// Rejects texts of `default` and `map` that the property itself would reject. Those that become null are what
/// `required` says of null.
pub(super) fn check_texts(node: &Node, column: &Column, index: u16, compilation: &mut Compilation) {
    let mut violations = Vec::new();
    for (place, step) in column.transform.iter().enumerate() {
        let texts: Vec<&String> = match step {
            Transform::Default(text) => vec![text],
            Transform::Map(words) => words.values().collect(),
            _ => continue,
        };
        for text in texts {
            let Ok(made) = column.transformed_after(place, text) else { continue };
            if column.is_null(made.cell()) {
                continue;
            }
            violations.clear();
            column.check(index, made.cell(), &mut violations);
            let broken = violations.first().and_then(|violation| compilation.rules.get(violation.rule));
            if let Some(rule) = broken {
                let found = format!("{}, which breaks the rule `{}`", quoted(text), rule.id);
                let advice = "every record that gets this text would be rejected";
                compilation.findings.error(&node.place, found, rule.expected.clone(), advice);
                break;
            }
        }
    }
}

fn one(step: &Step<'_>, column: &Column, compilation: &mut Compilation) -> Option<Transform> {
    let findings = &mut compilation.findings;
    match step.word {
        "trim" => step.is_alone(findings).then_some(Transform::Trim),
        "upper" => step.is_alone(findings).then_some(Transform::Upper),
        "lower" => step.is_alone(findings).then_some(Transform::Lower),
        "map" => words(step.value("a mapping of texts", findings)?, findings).map(Transform::Map),
        "default" => Some(Transform::Default(short_text(step.value("a text", findings)?, findings)?)),
        "replace" => replace(step, compilation),
        "split" => split(step, findings),
        "multiply" => factor(step, column, findings).map(Transform::Multiply),
        "dates" => dates(step, column, findings).map(Transform::Dates),
        _ => None,
    }
}

fn short_text(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = text_of(node, findings)?.value;
    if text.len() > MOST_TEXT {
        findings.error(
            &node.place,
            format!("a text of {} bytes", text.len()),
            format!("at most {MOST_TEXT} bytes"),
            "",
        );
        return None;
    }
    Some(text)
}

fn words(node: &Node, findings: &mut Findings) -> Option<BTreeMap<String, String>> {
    let entries = match &node.yaml {
        Yaml::Mapping(entries) if (1..=MOST_WORDS).contains(&entries.len()) => entries,
        _ => {
            let expected = format!("a mapping of 1 to {MOST_WORDS} texts");
            let found = match &node.yaml {
                Yaml::Mapping(entries) => format!("a mapping of {} texts", entries.len()),
                _ => node.describe(),
            };
            findings.error(&node.place, found, expected, "such as `{ m: M, f: F }`");
            return None;
        }
    };
    let mut words = BTreeMap::new();
    for MappingEntry { key, value, .. } in entries {
        words.insert(key.clone(), short_text(value, findings)?);
    }
    Some(words)
}

fn replace(step: &Step<'_>, compilation: &mut Compilation) -> Option<Transform> {
    let node = step.value("a mapping with `pattern` and `with`", &mut compilation.findings)?;
    let fields = Fields::open(node, &REPLACE, &mut compilation.findings)?;
    let source = required(&fields, "pattern", &mut compilation.findings);
    let with = required(&fields, "with", &mut compilation.findings);
    fields.close(&mut compilation.findings);
    let with_place = &with?.place;
    let with = short_text(with?, &mut compilation.findings)?;
    let source = text_of(source?, &mut compilation.findings)?;
    match pattern::replaced(&source.value, &mut compilation.patterns) {
        Ok(pattern) => match unknown_group(&pattern, &with) {
            None => Some(Transform::Replace { pattern, with }),
            Some(name) => {
                compilation.findings.error(
                    with_place,
                    format!("the group {} of a match", quoted(name)),
                    "a group of the pattern",
                    "the pattern has no such group; write `${1}` where letters or digits follow, and `$$` for a dollar sign",
                );
                None
            }
        },
        Err(unusable) => {
            compilation.findings.error(
                &source.place,
                unusable.reason,
                "a regular expression",
                unusable.advice,
            );
            None
        }
    }
}

/// Returns the first group that the text names and the pattern does not have: it would be replaced by nothing. A name
/// without braces goes as far as letters, digits and underscores do (`regex`, "Replacement string syntax").
fn unknown_group<'w>(pattern: &Regex, with: &'w str) -> Option<&'w str> {
    let is_known = |name: &str| {
        name.parse().is_ok_and(|number: usize| number < pattern.captures_len())
            || pattern.capture_names().flatten().any(|known| known == name)
    };
    let mut rest = with;
    while let Some((_, behind)) = rest.split_once('$') {
        if let Some(after) = behind.strip_prefix('$') {
            rest = after;
            continue;
        }
        let braced = behind.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, after) = braced.unwrap_or_else(|| {
            let is_outside = |character: char| !(character.is_ascii_alphanumeric() || character == '_');
            behind.split_at(behind.find(is_outside).unwrap_or(behind.len()))
        });
        if (braced.is_some() || !name.is_empty()) && !is_known(name) {
            return Some(name);
        }
        rest = after;
    }
    None
}

fn required<'document>(
    fields: &Fields<'document>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<&'document Node> {
    let node = fields.take(key);
    if node.is_none() {
        findings.error(&fields.place, format!("no `{key}`"), format!("`{key}`"), "");
    }
    node
}

fn split(step: &Step<'_>, findings: &mut Findings) -> Option<Transform> {
    let node = step.value("a mapping with `by` and `take`", findings)?;
    let fields = Fields::open(node, &SPLIT, findings)?;
    let (by, take) = (required(&fields, "by", findings), required(&fields, "take", findings));
    fields.close(findings);
    let by = by.and_then(|node| short_text(node, findings).map(|text| (node, text)));
    let take = take.and_then(|node| {
        let number: Option<i32> = node.scalar().and_then(|scalar| scalar.text.parse().ok());
        let number = number.filter(|number| *number != 0);
        if number.is_none() {
            findings.error(
                &node.place,
                node.describe(),
                "a whole number other than 0",
                "1 is the first part, -1 the last one",
            );
        }
        number
    })?;
    let (node, by) = by?;
    if by.is_empty() {
        findings.error(&node.place, "an empty text", "what stands between two parts", "");
        return None;
    }
    Some(Transform::Split { by, take })
}

fn factor(step: &Step<'_>, column: &Column, findings: &mut Findings) -> Option<Decimal> {
    let node = step.value("a number", findings)?;
    if !matches!(column.kind, Kind::Integer | Kind::Number { .. }) {
        findings.error(&node.place, "`multiply` on another type", "`logicalType: integer` or `number`", "");
        return None;
    }
    let scalar = node.scalar().filter(|scalar| scalar.kind == ScalarKind::Number);
    let number = scalar.and_then(|scalar| Decimal::parse(scalar.text.as_bytes()));
    let number = number.filter(|number| *number != Decimal::ZERO);
    if number.is_none() {
        findings.error(&node.place, node.describe(), "a number other than 0", "");
    }
    number
}

fn dates(step: &Step<'_>, column: &Column, findings: &mut Findings) -> Option<Vec<Pattern>> {
    let node = step.value("a list of patterns", findings)?;
    let (kind, own) = match &column.kind {
        Kind::Date(own) => (TemporalKind::Date, own),
        Kind::Timestamp { pattern, .. } => (TemporalKind::Timestamp, pattern),
        Kind::Time(own) => (TemporalKind::Time, own),
        _ => {
            findings.error(
                &node.place,
                "`dates` on another type",
                "`logicalType: date`, `timestamp` or `time`",
                "",
            );
            return None;
        }
    };
    if own.source() != Pattern::iso(kind).source() {
        findings.error(
            &node.place,
            format!("`dates` next to the format {}", quoted(own.source())),
            "no `format`",
            "the values are written in ISO 8601: move the format into the list",
        );
        return None;
    }
    let items = items_of(node, findings);
    if items.is_empty() {
        findings.error(&node.place, "no pattern", "at least one pattern", "");
        return None;
    }
    let patterns: Vec<Option<Pattern>> =
        items.iter().map(|item| options::pattern(&text_of(item, findings)?, kind, findings)).collect();
    patterns.into_iter().collect()
}
