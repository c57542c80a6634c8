//! Quality rules: what can be decided on one record becomes a check, what needs them all becomes a gate.
//!
//! A library metric that must be 0 and rejects says that no record may be bad: the bad record is rejected, not the
//! file. Every other comparison is a gate on the file.

use crate::cell_set::CellSet;
use crate::compiled::{Check, Column, Gate, Metric, Must, TupleRule};
use crate::document::{Comparison, Located, QualityKind, QualityOperator, QualityRule, Unit, text_of};
use crate::finding::{did_you_mean, one_of, quoted};
use crate::rule::{Code, RuleIndex, Severity};

use super::{Compilation, column, key, options, row_rule};

/// Words that only warn; every other word, and none, rejects.
const WARNING_WORDS: [&str; 6] = ["info", "warning", "warn", "low", "minor", "trivial"];

/// A metric of the library.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    NullValues,
    MissingValues,
    InvalidValues,
    DuplicateValues,
    RowCount,
}

/// The library of v3.1, and the words that v3.0's examples use for the same (`rule: …`).
pub(crate) const METRICS: [(&str, Name, &str); 10] = [
    ("nullValues", Name::NullValues, "Null values of a property."),
    ("missingValues", Name::MissingValues, "Null values of a property, and those of `missingValues`."),
    (
        "invalidValues",
        Name::InvalidValues,
        "Values of a property that are not in `validValues` or do not match `pattern`.",
    ),
    (
        "duplicateValues",
        Name::DuplicateValues,
        "Records that repeat the values of an earlier record of the file: of one property, or on the schema object of `properties`.",
    ),
    ("rowCount", Name::RowCount, "Records that can be loaded. On the schema object."),
    ("nullCheck", Name::NullValues, "`nullValues` in v3.0. Without a comparison it is `mustBe: 0`."),
    ("validValues", Name::InvalidValues, "`invalidValues` in v3.0. Without a comparison it is `mustBe: 0`."),
    (
        "duplicateCount",
        Name::DuplicateValues,
        "`duplicateValues` in v3.0. Without a comparison it is `mustBe: 0`.",
    ),
    (
        "duplicates",
        Name::DuplicateValues,
        "`duplicateValues` in v3.0. Without a comparison it is `mustBe: 0`.",
    ),
    (
        "uniqueCheck",
        Name::DuplicateValues,
        "`duplicateValues` in v3.0. Without a comparison it is `mustBe: 0`.",
    ),
];

/// How many of [`METRICS`] are current.
const CURRENT: usize = 5;

/// A library rule with everything but its subject.
struct Library<'rule> {
    rule: &'rule QualityRule,
    metric: Name,
    word: &'static str,
    must: Must,
    severity: Severity,
    /// Bad records are rejected one by one.
    per_record: bool,
}

/// Rules on a property. Nested ones have no index and no gates.
pub(super) fn on_column(
    rules: &[QualityRule],
    column: &mut Column,
    index: Option<u16>,
    id: &str,
    compilation: &mut Compilation,
) {
    for rule in rules {
        if index.is_none() && matches!(rule.kind, QualityKind::Expression(_)) {
            row_rule::nested(rule, compilation);
        }
        let Some(library) = library(rule, compilation) else { continue };
        match library.metric {
            Name::RowCount => compilation.findings.error(
                &rule.place,
                "`rowCount` on a property",
                "`rowCount` on the schema object",
                "move it up",
            ),
            _ if library.per_record => record_rule(&library, column, index, id, compilation),
            _ => match index {
                Some(index) => column_gate(&library, column, index, id, compilation),
                None => compilation.not_run_with_warning(
                    &rule.place,
                    "a file-level quality rule on a nested property",
                    "only columns at the top are measured; use `mustBe: 0`",
                ),
            },
        }
    }
}

/// Rules on the schema object.
pub(super) fn on_table(rules: &[QualityRule], columns: &[Column], compilation: &mut Compilation) {
    for rule in rules {
        let Some(library) = library(rule, compilation) else { continue };
        match library.metric {
            Name::RowCount => {
                let index = add_library(
                    &library,
                    "rowCount",
                    Code::FileError,
                    &expected(&library, "records"),
                    compilation,
                );
                gate(&library, index, Metric::RowCount, compilation);
            }
            Name::DuplicateValues => {
                let Some(indexes) = tuple(rule, columns, compilation) else { continue };
                duplicates(&library, indexes, "", compilation);
            }
            Name::NullValues | Name::MissingValues | Name::InvalidValues => compilation.findings.error(
                &rule.place,
                format!("`{}` on the schema object", library.word),
                format!("`{}` on a property", library.word),
                "move it to the property",
            ),
        }
    }
}

/// Returns what a rule measures and demands; `None` when it is not a library rule that runs.
fn library<'rule>(rule: &'rule QualityRule, compilation: &mut Compilation) -> Option<Library<'rule>> {
    let written = match &rule.kind {
        QualityKind::Library(written) => written,
        // Compiled when all columns are known.
        QualityKind::Expression(_) | QualityKind::Unknown => return None,
        QualityKind::Text => {
            compilation.not_run(
                &rule.place,
                "quality rule of type text",
                "prose; use a metric where it can be counted",
            );
            return None;
        }
        QualityKind::Sql => {
            let why = "there is no table when a file arrives; use a library metric";
            compilation.not_run_with_warning(&rule.place, "quality rule of type sql", why);
            return None;
        }
        QualityKind::Custom(engine) => {
            let what = format!("quality rule of engine {}", quoted(engine));
            compilation.not_run_with_warning(&rule.place, &what, "this version does not run this engine");
            return None;
        }
    };
    let Some((word, metric, _)) = METRICS.iter().find(|(word, _, _)| *word == written.value) else {
        let names: Vec<&str> = METRICS.iter().take(CURRENT).map(|(word, _, _)| *word).collect();
        compilation.findings.error(
            &written.place,
            quoted(&written.value),
            one_of(&names),
            did_you_mean(&written.value, &names, "this version knows no other metric"),
        );
        return None;
    };
    let legacy = METRICS.iter().skip(CURRENT).any(|(name, _, _)| name == word);
    let must = must(rule, legacy && *metric != Name::RowCount, compilation)?;
    let severity = severity(rule);
    let per_record = must == Must::Be(0.0) && severity == Severity::Fail && *metric != Name::RowCount;
    Some(Library { rule, metric: *metric, word, must, severity, per_record })
}

/// Returns what breaking a rule does.
pub(super) fn severity(rule: &QualityRule) -> Severity {
    let warns = rule
        .severity
        .as_ref()
        .is_some_and(|severity| WARNING_WORDS.contains(&severity.value.trim().to_lowercase().as_str()));
    if warns { Severity::Warn } else { Severity::Fail }
}

/// Returns the one comparison; a v3.0 rule without one means that nothing bad may be there.
fn must(rule: &QualityRule, may_lack: bool, compilation: &mut Compilation) -> Option<Must> {
    let Comparison { operator, first, second } = match rule.comparisons.as_slice() {
        [one] => one.value,
        [] if may_lack => return Some(Must::Be(0.0)),
        [] => {
            compilation.findings.error(
                &rule.place,
                "a metric without a comparison",
                "one of mustBe, mustNotBe, mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan, \
                 mustBeLessOrEqualTo, mustBeBetween, mustNotBeBetween",
                "",
            );
            return None;
        }
        [_, again, ..] => {
            compilation.findings.error(
                &again.place,
                format!("{} comparisons", rule.comparisons.len()),
                "one comparison in a rule",
                "use `mustBeBetween`, or two rules",
            );
            return None;
        }
    };
    if let [one] = rule.comparisons.as_slice()
        && (first < 0.0 || (rule.unit == Unit::Percent && second > 100.0))
    {
        let most = if rule.unit == Unit::Percent { "from 0 to 100 percent" } else { "from 0" };
        compilation.findings.error(&one.place, "a number out of range", format!("a number {most}"), "");
    }
    Some(match operator {
        QualityOperator::Be => Must::Be(first),
        QualityOperator::NotBe => Must::NotBe(first),
        QualityOperator::GreaterThan => Must::BeGreaterThan(first),
        QualityOperator::GreaterOrEqualTo => Must::BeGreaterOrEqualTo(first),
        QualityOperator::LessThan => Must::BeLessThan(first),
        QualityOperator::LessOrEqualTo => Must::BeLessOrEqualTo(first),
        QualityOperator::Between => Must::BeBetween(first, second),
        QualityOperator::NotBetween => Must::NotBeBetween(first, second),
    })
}

/// A rule that rejects single records.
fn record_rule(
    library: &Library<'_>,
    column: &mut Column,
    index: Option<u16>,
    id: &str,
    compilation: &mut Compilation,
) {
    let place = &library.rule.place;
    match library.metric {
        Name::NullValues if column.required.is_some() => compilation.findings.warning(
            place,
            "`nullValues` that must be 0 on a required property",
            "one of them",
            "`required` says it; the quality rule adds nothing",
        ),
        Name::NullValues => {
            column.required =
                Some(column_rule(library, id, Code::MissingCell, "a value that is not null", compilation));
        }
        Name::MissingValues => {
            let Some(set) = missing_values(library.rule, column, compilation) else { return };
            let expected = "a value that is not null and none of the spellings of a missing value";
            let rule = column_rule(library, id, Code::MissingCell, expected, compilation);
            column.required.get_or_insert(rule);
            column.checks.push((rule, Check::NotOneOf(set)));
        }
        Name::InvalidValues => {
            let Some((checks, expected)) = valid(library.rule, column, compilation) else { return };
            let rule = column_rule(library, id, Code::ConstraintError, &expected, compilation);
            column.checks.extend(checks.into_iter().map(|check| (rule, check)));
        }
        Name::DuplicateValues => match index {
            Some(index) => duplicates(library, vec![index], id, compilation),
            None => compilation.not_run_with_warning(
                place,
                "`duplicateValues` on a nested property",
                "only columns at the top are compared",
            ),
        },
        Name::RowCount => {}
    }
}

/// A rule on the file that measures one column.
fn column_gate(library: &Library<'_>, column: &Column, index: u16, id: &str, compilation: &mut Compilation) {
    let (metric, noun) = match library.metric {
        Name::NullValues => (Metric::NullValues(index), "null values"),
        Name::MissingValues => {
            let Some(set) = missing_values(library.rule, column, compilation) else { return };
            (Metric::MissingValues(index, set), "missing values")
        }
        Name::InvalidValues => {
            let Some((checks, _)) = valid(library.rule, column, compilation) else { return };
            (Metric::InvalidValues(index, checks), "invalid values")
        }
        Name::DuplicateValues => return duplicates(library, vec![index], id, compilation),
        Name::RowCount => return,
    };
    let rule = column_rule(library, id, Code::FileError, &expected(library, noun), compilation);
    gate(library, rule, metric, compilation);
}

fn duplicates(library: &Library<'_>, columns: Vec<u16>, id: &str, compilation: &mut Compilation) {
    if library.per_record {
        let expected = "values that no earlier record of the file has";
        let rule = column_rule(library, id, Code::UniqueError, expected, compilation);
        compilation.unique.push(TupleRule { rule, columns });
    } else {
        let rule =
            column_rule(library, id, Code::FileError, &expected(library, "duplicate values"), compilation);
        gate(library, rule, Metric::DuplicateValues(columns), compilation);
    }
}

fn gate(library: &Library<'_>, rule: RuleIndex, metric: Metric, compilation: &mut Compilation) {
    let percent = library.rule.unit == Unit::Percent;
    compilation.gates.push(Gate { rule, metric, percent, must: library.must });
}

fn column_rule(
    library: &Library<'_>,
    id: &str,
    code: Code,
    expected: &str,
    compilation: &mut Compilation,
) -> RuleIndex {
    let id = if id.is_empty() { library.word.to_owned() } else { format!("{id}.{}", library.word) };
    add_library(library, &id, code, expected, compilation)
}

fn add_library(
    library: &Library<'_>,
    id: &str,
    code: Code,
    expected: &str,
    compilation: &mut Compilation,
) -> RuleIndex {
    add(library.rule, library.severity, id, code, expected, compilation)
}

/// Adds the rule under the name it was given, or else under the generated one. A given name is used once.
pub(super) fn add(
    rule: &QualityRule,
    severity: Severity,
    id: &str,
    code: Code,
    expected: &str,
    compilation: &mut Compilation,
) -> RuleIndex {
    let given = rule.given_name.as_ref();
    if let Some(name) = given.filter(|name| compilation.rules.contains(&name.value)) {
        compilation.findings.error(
            &name.place,
            format!("the rule name {} a second time", quoted(&name.value)),
            "a name that no other rule of the contract has",
            "receipts show the name; choose another",
        );
    }
    let id = given.map_or(id, |name| name.value.as_str());
    compilation.rules.add(id, code, severity, expected)
}

/// Returns a gate as a noun phrase: `at most 5 percent null values`.
fn expected(library: &Library<'_>, noun: &str) -> String {
    let unit = if library.rule.unit == Unit::Percent { " percent" } else { "" };
    let words = match library.must {
        Must::Be(at) => format!("exactly {at}{unit}"),
        Must::NotBe(at) => format!("any number but {at}{unit}"),
        Must::BeGreaterThan(at) => format!("more than {at}{unit}"),
        Must::BeGreaterOrEqualTo(at) => format!("at least {at}{unit}"),
        Must::BeLessThan(at) => format!("fewer than {at}{unit}"),
        Must::BeLessOrEqualTo(at) => format!("at most {at}{unit}"),
        Must::BeBetween(from, to) => format!("from {from} to {to}{unit}"),
        Must::NotBeBetween(from, to) => format!("fewer than {from} or more than {to}{unit}"),
    };
    format!("{words} {noun}")
}

/// Returns the spellings of a missing value. Null always counts and need not be listed.
fn missing_values(rule: &QualityRule, column: &Column, compilation: &mut Compilation) -> Option<CellSet> {
    let Some(values) = &rule.missing_values else {
        return value_set(&Located { value: Vec::new(), place: rule.place.clone() }, column, compilation);
    };
    let value = values.value.iter().filter(|value| !value.is_null()).cloned().collect();
    value_set(&Located { value, place: values.place.clone() }, column, compilation)
}

fn value_set(
    values: &Located<Vec<crate::document::Node>>,
    column: &Column,
    compilation: &mut Compilation,
) -> Option<CellSet> {
    let texts = column::list(&values.value, &column.kind, &mut compilation.findings)?;
    match CellSet::new(texts, &column.kind) {
        Ok(set) => Some(set),
        Err(reason) => {
            compilation.findings.error(
                &values.place,
                format!("a value that is not of the property's type ({reason})"),
                options::describe(&column.kind, None),
                "spellings of null that are of another type belong in `nullTokens`",
            );
            None
        }
    }
}

/// Returns what makes a value valid, and the same as a noun phrase.
fn valid(rule: &QualityRule, column: &Column, compilation: &mut Compilation) -> Option<(Vec<Check>, String)> {
    let mut checks = Vec::new();
    let mut expected = Vec::new();
    if let Some(values) = &rule.valid_values {
        let set = value_set(values, column, compilation)?;
        expected.push(set.words().to_owned());
        checks.push(Check::OneOf(set));
    }
    if let Some(pattern) = &rule.pattern {
        expected.push(format!("text that matches {}", pattern.value));
        checks.push(options::pattern_check(pattern, compilation)?);
    }
    if checks.is_empty() {
        compilation.findings.error(
            &rule.place,
            "`invalidValues` without arguments",
            "`arguments` with `validValues` or `pattern`",
            "say what is valid",
        );
        return None;
    }
    Some((checks, expected.join(" and ")))
}

/// Returns the columns whose values together must not repeat.
fn tuple(rule: &QualityRule, columns: &[Column], compilation: &mut Compilation) -> Option<Vec<u16>> {
    let Some(names) = rule.properties.as_ref().filter(|names| !names.value.is_empty()) else {
        compilation.findings.error(
            &rule.place,
            "`duplicateValues` on the schema object without `properties`",
            "`arguments` with `properties`, the names of the columns",
            "",
        );
        return None;
    };
    let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut indexes = Vec::new();
    for node in &names.value {
        let name = text_of(node, &mut compilation.findings)?;
        let Some((index, _)) = key::find(columns, &name.value) else {
            compilation.findings.error(
                &name.place,
                quoted(&name.value),
                "the name of a property",
                did_you_mean(&name.value, &known, ""),
            );
            return None;
        };
        indexes.push(index);
    }
    Some(indexes)
}
