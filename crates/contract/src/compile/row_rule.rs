//! Business rules: quality rules of engine `cel`, each an expression that every record must make true.

use crate::compiled::Column;
use crate::document::{Located, Node, QualityKind, QualityRule, SchemaObject, Yaml, text_of};
use crate::finding::quoted;
use crate::program::{Program, RowRule, UnusableText};
use crate::rule::Code;

use super::{Compilation, pattern, quality, shorten, within};

/// Characters of a rule's own words at most, or of its expression.
const WORDS: usize = 200;

/// Compiles the rules of the properties at the top, then those of the schema object. Each of them may name every
/// property at the top.
pub(super) fn compile(
    feed: &SchemaObject,
    columns: &[Column],
    compilation: &mut Compilation,
) -> Vec<RowRule> {
    let of_columns = feed.properties.iter().zip(columns).flat_map(|(property, column)| {
        property.quality.iter().map(move |rule| (rule, format!("{}.rule", column.name)))
    });
    let of_feed = feed.quality.iter().map(|rule| (rule, "rule".to_owned()));
    let mut compiled = Vec::new();
    for (rule, id) in of_columns.chain(of_feed) {
        compiled.extend(one(rule, &id, columns, compilation));
    }
    compiled
}

fn one(rule: &QualityRule, id: &str, columns: &[Column], compilation: &mut Compilation) -> Option<RowRule> {
    let QualityKind::Expression(expression) = &rule.kind else { return None };
    let Some(expression) = expression else {
        let expected = "`implementation` with the expression";
        compilation.findings.error(&rule.place, "a rule of engine `cel` without an expression", expected, "");
        return None;
    };
    if let Some(comparison) = rule.comparisons.first() {
        compilation.findings.error(
            &comparison.place,
            "a comparison on a rule of engine `cel`",
            "the expression alone",
            "each record must make the expression true; the file's policy `onError` counts the others",
        );
    }
    let program = expression_of(expression, columns, compilation)?;
    let words = one_line(rule.description.as_ref().map_or("", |description| &description.value));
    let words = if words.is_empty() { format!("`{}`", one_line(program.source())) } else { words };
    let severity = quality::severity(rule);
    let index = quality::add(rule, severity, id, Code::RowConstraint, "", compilation);
    if let Some(added) = compilation.rules.rules.get_mut(usize::from(index.0)) {
        added.expected = shorten(&words, WORDS);
    }
    Some(RowRule { rule: index, program })
}

/// Conditions of `dropIf` at most.
const MOST_CONDITIONS: usize = 16;

/// Compiles `dropIf`: a condition, or a list of them.
pub(super) fn drop_if(node: &Node, columns: &[Column], compilation: &mut Compilation) -> Vec<Program> {
    let conditions = match &node.yaml {
        Yaml::Sequence(conditions) => conditions.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if conditions.is_empty() || conditions.len() > MOST_CONDITIONS {
        let expected = format!("1 to {MOST_CONDITIONS} conditions");
        compilation.findings.error(&node.place, format!("{} conditions", conditions.len()), expected, "");
        return Vec::new();
    }
    let one = |condition: &Node| {
        let written = text_of(condition, &mut compilation.findings)?;
        expression_of(&written, columns, compilation)
    };
    conditions.iter().filter_map(one).collect()
}

/// Compiles a boolean expression over one record, and reports a mistake in it at its place.
pub(super) fn expression_of(
    written: &Located<String>,
    columns: &[Column],
    compilation: &mut Compilation,
) -> Option<Program> {
    let mut patterns = |source: &str| {
        pattern::compile(source, &mut compilation.patterns)
            .map_err(|unusable| UnusableText { reason: unusable.reason.to_owned(), advice: unusable.advice })
    };
    match Program::compile(&written.value, columns, &mut patterns) {
        Ok(program) => Some(program),
        Err(flaw) => {
            let place = within::place_of(&compilation.source, &written.place, &written.value, flaw.at);
            compilation.findings.error(&place, flaw.found, flaw.expected, flaw.advice);
            None
        }
    }
}

/// Reports a rule on a nested property, which is not a record.
pub(super) fn nested(rule: &QualityRule, compilation: &mut Compilation) {
    let what = format!("quality rule of engine {} on a nested property", quoted("cel"));
    let why = "a rule is about a whole record; write it on the schema object";
    compilation.not_run_with_warning(&rule.place, &what, why);
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
