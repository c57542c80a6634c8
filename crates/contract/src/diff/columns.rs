//! What contracts say of columns: which there are, how they are called in a file, their types and their rules.

use super::Affected::{Readers, Senders};
use super::checks::{implies, is_same_kind, passes_all};
use super::{BeforeAfter, Changes};
use crate::{
    Check, Column, Contract, Format, Kind, MissingColumn, RuleIndex, Severity, Transform, UnknownColumn,
};

/// What the comparison of columns needs of both contracts.
struct Both<'a> {
    older: &'a Contract,
    newer: &'a Contract,
    text_cells: bool,
}

/// Columns of a record, or members of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ColumnLevel {
    Record,
    Nested,
}

pub(super) fn compare(older: &Contract, newer: &Contract, changes: &mut Changes) {
    let text_cells = older.format.has_text_cells() && newer.format.has_text_cells();
    let both = Both { older, newer, text_cells };
    if is_by_place(&older.format) || is_by_place(&newer.format) {
        let names = |contract: &Contract| -> Vec<String> {
            contract.columns.iter().map(|column| column.name.clone()).collect()
        };
        if names(older) != names(newer) {
            let said = BeforeAfter::of("order of columns", names(older).join(", "), names(newer).join(", "));
            changes.add(said, &[Senders, Readers], "a file without a header has its columns by their place");
        }
    }
    level("", &older.columns, &newer.columns, ColumnLevel::Record, &both, changes);
}

/// Returns whether columns are known by their place.
fn is_by_place(format: &Format) -> bool {
    format.has_text_cells() && !format.has_header()
}

fn level(
    path: &str,
    older: &[Column],
    newer: &[Column],
    level: ColumnLevel,
    both: &Both<'_>,
    changes: &mut Changes,
) {
    for column in older {
        let name = format!("{path}{}", column.name);
        match newer.iter().find(|other| other.name == column.name) {
            Some(other) => one(&name, column, other, both, changes),
            None => removed(&name, column, level, both, changes),
        }
    }
    for column in newer {
        if !older.iter().any(|other| other.name == column.name) {
            added(&format!("{path}{}", column.name), column, level, both, changes);
        }
    }
}

fn removed(name: &str, column: &Column, level: ColumnLevel, both: &Both<'_>, changes: &mut Changes) {
    let said = BeforeAfter { what: name, before: Some(type_of(&column.kind)), after: None };
    if level == ColumnLevel::Record && both.newer.policy.unknown_column == UnknownColumn::Reject {
        changes.add(said, &[Senders, Readers], "files that have it are rejected, and rows lack it");
    } else if level == ColumnLevel::Record {
        changes.add(said, &[Readers], "rows lack it");
    } else {
        changes.add(said, &[], "members that the contract does not name are kept");
    }
}

fn added(name: &str, column: &Column, level: ColumnLevel, both: &Both<'_>, changes: &mut Changes) {
    let said = BeforeAfter { what: name, before: None, after: Some(type_of(&column.kind)) };
    let in_header = both.newer.format.has_text_cells()
        && level == ColumnLevel::Record
        && both.newer.policy.missing_column == MissingColumn::Reject;
    let required = fails(both.newer, column.required) || is_key(both.newer, &column.name);
    let (stricter, why) = match (required, in_header) {
        (true, _) => (true, "records without it are rejected"),
        (false, true) => {
            (true, "files whose header lacks it are rejected, unless the contract says `missingColumn: null`")
        }
        (false, false) => (false, "records without it are accepted; it is checked where a file has it"),
    };
    changes.strict(said, stricter, why, why);
}

fn one(name: &str, older: &Column, newer: &Column, both: &Both<'_>, changes: &mut Changes) {
    labels(name, older, newer, changes);
    let (old_required, new_required) = (fails(both.older, older.required), fails(both.newer, newer.required));
    if old_required != new_required {
        let word = |required| if required { "required" } else { "not required" };
        changes.strict(
            BeforeAfter::of(&format!("{name}.required"), word(old_required), word(new_required)),
            new_required,
            "a record without the value is rejected",
            "a record without the value is accepted",
        );
    }
    null_tokens(name, older, newer, both, changes);
    prepared(name, older, newer, both, changes);
    let same_type = kinds(name, &older.kind, &newer.kind, both, changes);
    rules(name, older, newer, same_type, both, changes);
    if older.classified != newer.classified {
        let word = |classified| if classified { "classified" } else { "not classified" };
        let said_name = format!("{name}.classification");
        let said = BeforeAfter::of(&said_name, word(older.classified), word(newer.classified));
        changes.add(said, &[], "it decides whether the value is shown, not whether it is accepted");
    }
}

/// Labels and field names by which a file may call a column.
fn labels(name: &str, older: &Column, newer: &Column, changes: &mut Changes) {
    let all = |column: &Column| -> Vec<String> {
        std::iter::once(&column.physical_name).chain(&column.synonyms).cloned().collect()
    };
    let (old_labels, new_labels) = (all(older), all(newer));
    let lost = old_labels.iter().any(|label| !new_labels.contains(label));
    let gained = new_labels.iter().any(|label| !old_labels.contains(label));
    if lost || gained {
        changes.strict(
            BeforeAfter::of(
                &format!("{name}: names in the file"),
                old_labels.join(", "),
                new_labels.join(", "),
            ),
            lost,
            "a file that uses the old name no longer has the column",
            "files may use more names",
        );
    }
    if older.source_path != newer.source_path {
        let path = |column: &Column| {
            column.source_path.as_ref().map_or("none".to_owned(), |tokens| format!("/{}", tokens.join("/")))
        };
        let what = format!("{name}.sourcePath");
        let why = "the value is taken from another place of the record";
        changes.add(BeforeAfter::of(&what, path(older), path(newer)), &[Senders, Readers], why);
    }
}

/// Transforms and masks.
fn prepared(name: &str, older: &Column, newer: &Column, both: &Both<'_>, changes: &mut Changes) {
    let steps = |column: &Column| column.transform.iter().map(Transform::words).collect::<Vec<_>>();
    let (before, after) = (steps(older), steps(newer));
    if before != after {
        let shown =
            |steps: &[String]| if steps.is_empty() { "none".to_owned() } else { steps.join(", then ") };
        changes.add(
            BeforeAfter::of(&format!("{name}.transform"), shown(&before), shown(&after)),
            &[Senders, Readers],
            "the rules see other values, and rows have them",
        );
    }
    if older.mask != newer.mask {
        let why = if is_key(both.newer, name) || is_key(both.older, name) {
            "rows have another key: a newer record does not replace an older row"
        } else {
            "rows have another value"
        };
        let what = format!("{name}.mask");
        changes.add(BeforeAfter::of(&what, older.mask.words(), newer.mask.words()), &[Readers], why);
    }
}

fn null_tokens(name: &str, older: &Column, newer: &Column, both: &Both<'_>, changes: &mut Changes) {
    let lost = older.null_tokens.iter().any(|token| !newer.null_tokens.contains(token));
    let gained = newer.null_tokens.iter().any(|token| !older.null_tokens.contains(token));
    if !lost && !gained {
        return;
    }
    let words = |column: &Column| {
        let texts = column.null_tokens.iter().map(|token| format!("{:?}", String::from_utf8_lossy(token)));
        texts.collect::<Vec<_>>().join(", ")
    };
    let needed = fails(both.newer, newer.required) || is_key(both.newer, &newer.name);
    let what = format!("{name}.nullTokens");
    let said = BeforeAfter::of(&what, words(older), words(newer));
    let (stricter, why) = match (lost, needed) {
        (true, _) => (true, "a text that meant null is a value now and is checked"),
        (false, true) => (true, "a text that was a value means null, and null is rejected here"),
        (false, false) => (false, "a text that was a value means null"),
    };
    changes.strict(said, stricter, why, why);
}

/// Compares types and returns whether rules on the older type mean the same on the newer one.
fn kinds(name: &str, older: &Kind, newer: &Kind, both: &Both<'_>, changes: &mut Changes) -> bool {
    let what = format!("{name}.type");
    let said = BeforeAfter::of(&what, type_of(older), type_of(newer));
    match (older, newer) {
        (Kind::String, Kind::String) | (Kind::Integer, Kind::Integer) | (Kind::Boolean, Kind::Boolean) => {
            true
        }
        (Kind::Integer, Kind::Number { precision_scale: None }) => {
            changes.add(said, &[Readers], "whole numbers are accepted as before, and fractions can follow");
            true
        }
        (Kind::Number { precision_scale: older }, Kind::Number { precision_scale: newer }) => {
            if older != newer {
                let fits = match (older, newer) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some((digits, scale)), Some((new_digits, new_scale))) => {
                        new_scale >= scale
                            && new_digits.saturating_sub(*new_scale) >= digits.saturating_sub(*scale)
                    }
                };
                let (stricter, looser) =
                    ("a number with more digits is rejected", "numbers may have more digits");
                changes.strict(said, !fits, stricter, looser);
            }
            true
        }
        (Kind::Date(one), Kind::Date(other)) | (Kind::Time(one), Kind::Time(other)) => {
            if one.source() != other.source() {
                changes.add(said, &[Senders], "values in the older form are rejected or read otherwise");
            }
            true
        }
        (
            Kind::Timestamp { pattern: one, default_zone: zone },
            Kind::Timestamp { pattern: other, default_zone: other_zone },
        ) => {
            if one.source() != other.source() {
                changes.add(said, &[Senders], "values in the older form are rejected or read otherwise");
            } else if zone != other_zone {
                changes.add(said, &[Senders, Readers], "a time without an offset means another instant");
            }
            zone == other_zone
        }
        (Kind::Object(older), Kind::Object(newer)) => {
            level(&format!("{name}."), older, newer, ColumnLevel::Nested, both, changes);
            true
        }
        (Kind::Array(older), Kind::Array(newer)) | (Kind::Map(older), Kind::Map(newer)) => {
            match (older.as_deref(), newer.as_deref()) {
                (Some(older), Some(newer)) => one(&format!("{name}[]"), older, newer, both, changes),
                (None, Some(_)) => changes.add(said, &[Senders], "items were not checked and are now"),
                (Some(_), None) => changes.add(said, &[], "items are no longer checked"),
                (None, None) => {}
            }
            true
        }
        (_, Kind::String) if both.text_cells => {
            changes.add(said, &[Readers], "any text is accepted, and rows have text");
            false
        }
        _ => {
            changes.add(
                said,
                &[Senders, Readers],
                "values of the older type can be rejected, and rows have another type",
            );
            false
        }
    }
}

fn rules(
    name: &str,
    older: &Column,
    newer: &Column,
    same_type: bool,
    both: &Both<'_>,
    changes: &mut Changes,
) {
    let failing = |contract: &Contract, rule: RuleIndex| contract.rule(rule).severity == Severity::Fail;
    let old_checks: Vec<(RuleIndex, &Check)> =
        older.checks.iter().map(|(rule, check)| (*rule, check)).collect();
    for (index, check) in &newer.checks {
        let rule = both.newer.rule(*index);
        let fails = failing(both.newer, *index) && !passes_all(check);
        let stands_for = |(known, old): &&(RuleIndex, &Check)| {
            both.older.rule(*known).id == rule.id || is_same_kind(old, check)
        };
        let replaced = old_checks.iter().find(stands_for);
        let unchanged = |(known, old): &(RuleIndex, &Check)| {
            implies(old, check)
                && implies(check, old)
                && failing(both.older, *known) == failing(both.newer, *index)
        };
        if same_type && old_checks.iter().any(unchanged) {
            continue;
        }
        let implied = same_type
            && old_checks.iter().any(|(known, old)| failing(both.older, *known) && implies(old, check));
        changes.strict(
            BeforeAfter {
                what: &rule.id,
                before: replaced.map(|(known, _)| both.older.rule(*known).expected.clone()),
                after: Some(rule.expected.clone()),
            },
            fails && !implied,
            "a value that was accepted can be rejected",
            if fails {
                "every value that was accepted is accepted"
            } else {
                "it is counted and rejects nothing"
            },
        );
    }
    for (index, check) in old_checks {
        let rule = both.older.rule(index);
        let kept = |(known, new): &(RuleIndex, Check)| {
            both.newer.rule(*known).id == rule.id || is_same_kind(new, check)
        };
        if !newer.checks.iter().any(kept) {
            let what = if rule.id.is_empty() { name } else { &rule.id };
            let said = BeforeAfter { what, before: Some(rule.expected.clone()), after: None };
            changes.add(said, &[], "the rule is no longer checked");
        }
    }
}

/// Returns whether breaking a rule rejects.
fn fails(contract: &Contract, rule: Option<RuleIndex>) -> bool {
    rule.is_some_and(|rule| contract.rule(rule).severity == Severity::Fail)
}

fn is_key(contract: &Contract, name: &str) -> bool {
    contract.primary_key.iter().any(|index| contract.column_name(*index) == name)
}

/// Returns a type as a contract writes it, in short.
pub(super) fn type_of(kind: &Kind) -> String {
    match kind {
        Kind::String => "string".to_owned(),
        Kind::Integer => "integer".to_owned(),
        Kind::Number { precision_scale: None } => "number".to_owned(),
        Kind::Number { precision_scale: Some((digits, scale)) } => format!("decimal({digits},{scale})"),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Date(pattern) => format!("date {}", pattern.source()),
        Kind::Timestamp { pattern, default_zone: None } => format!("timestamp {}", pattern.source()),
        Kind::Timestamp { pattern, default_zone: Some(zone) } => {
            format!("timestamp {} in {}", pattern.source(), zone.iana_name().unwrap_or("UTC"))
        }
        Kind::Time(pattern) => format!("time {}", pattern.source()),
        Kind::Object(_) => "object".to_owned(),
        Kind::Array(item) => {
            item.as_deref().map_or("array".to_owned(), |item| format!("array of {}", type_of(&item.kind)))
        }
        Kind::Map(value) => {
            value.as_deref().map_or("map".to_owned(), |value| format!("map of {}", type_of(&value.kind)))
        }
    }
}
