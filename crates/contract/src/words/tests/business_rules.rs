//! The section on business rules: its tables, and that everything in it compiles.

use std::fmt::Write as _;

use super::{FRAME, JSON, cell, findings, whole};
use crate::program::{DEEPEST, FUNCTIONS, LONGEST, MOST_STEPS};

/// The parts of an expression: what they are, what they do, and an example over the columns of [`ROW`].
const OPERATORS: [(&str, &str, &str); 14] = [
    (
        "`a`",
        "the property of this name. In backticks when the name has other characters than letters, digits and `_`, or is a word of the language",
        "`order-id` != 'A-1'",
    ),
    ("`12`, `1.5`, `1e3`", "an integer, a number", "a > 12 && x < 1.5"),
    ("`'text'`, `\"text\"`, `r'\\d'`", "a text; with `r` without escapes", "s == 'CT'"),
    ("`true`, `false`", "a boolean", "p == true"),
    ("`&&`, `\\|\\|`, `!`", "and, or, not", "p && !(a > 5) || s == 'CT'"),
    ("`? :`", "choice", "(s == 'kg' ? x : x / 1000) < 700"),
    ("`==`, `!=`", "equal, not equal", "a != b"),
    ("`<`, `<=`, `>`, `>=`", "order: of numbers, of dates and times, of texts by code point", "d <= e"),
    ("`in [ ]`", "one of several constants", "s in ['CT', 'MR']"),
    ("`+`, `-`, `*`", "exact arithmetic of integers and numbers", "a * x - b >= 0"),
    (
        "`/`, `%`",
        "quotient and remainder; between two integers the quotient is cut to an integer",
        "a % 5 == 0",
    ),
    (
        "`-`, `+` of times",
        "the duration between two dates, timestamps or times; a timestamp moved by a duration",
        "w - z <= duration(\"36h\")",
    ),
    ("`== null`, `!= null`", "whether a property is null or absent", "a == null || b != null"),
    ("`// …`", "a remark, to the end of the line", "a > 0 // always"),
];

/// The columns of the examples of expressions.
const ROW: &str = "[{ name: a, logicalType: integer }, { name: b, logicalType: integer }, \
                   { name: x, logicalType: number }, { name: y, logicalType: string }, \
                   { name: s, logicalType: string }, { name: p, logicalType: boolean }, \
                   { name: d, logicalType: date }, { name: e, logicalType: date }, \
                   { name: w, logicalType: timestamp }, { name: z, logicalType: timestamp }, \
                   { name: order-id, logicalType: string }]";

/// A document with one business rule over the columns of [`ROW`].
fn business_rule(expression: &str) -> String {
    let rule = format!("[{{ engine: cel, implementation: '{}' }}]", expression.replace('\'', "''"));
    whole(JSON, &format!("{{ name: scans, properties: {ROW}, quality: {rule} }}"))
}

#[test]
fn every_part_of_an_expression_compiles() {
    let operators = OPERATORS.iter().map(|(_, _, example)| (*example).to_owned());
    let functions = FUNCTIONS.iter().map(|(form, _)| match form.split('(').next() {
        Some("has") => "has(a)".to_owned(),
        Some("x.size") => "s.size() > 2".to_owned(),
        Some("date") if form.contains('x') => "date(w) == d".to_owned(),
        Some("date") => format!("d == {form}"),
        Some("timestamp") => format!("w < {form}"),
        Some("time") => format!("has(a) && {form} > time('07:00:00')"),
        Some("duration") => format!("w - z < {form}"),
        _ => form.replacen("x.", "s.", 1),
    });
    for expression in operators.chain(functions) {
        let (compiles, findings, not_run) = findings(&business_rule(&expression));
        assert!(compiles && not_run == 0, "{expression}: {findings:?}");
    }
}

#[test]
fn the_business_rules_of_the_page_compile() {
    let rules = FRAME.split("## Business rules").nth(1).and_then(|section| section.split("```").nth(1));
    let yaml = rules.and_then(|block| block.strip_prefix("yaml\n")).expect("the section has an example");
    let head = "apiVersion: v3.2.0\nkind: DataContract\nid: scans\nversion: 1.0.0\nstatus: active\n\
                servers: [{ server: inbox, type: s3, location: s3://inbox/acme/scans/, format: csv }]\n";
    let source = format!("{head}{yaml}");
    let (contract, warnings) = crate::compile(&source).unwrap_or_else(|findings| panic!("{findings:?}"));
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(contract.row_rules.len(), 4);
}

/// Writes tables and limits into the page.
pub(super) fn fill(page: &str) -> String {
    let mut operators = "| part | meaning | example |\n|---|---|---|\n".to_owned();
    for (part, meaning, example) in OPERATORS {
        let example = if example.contains('`') { format!("`` {example} ``") } else { format!("`{example}`") };
        writeln!(operators, "| {part} | {meaning} | {} |", cell(&example))
            .expect("a string takes every text");
    }
    let mut functions = "| function | result |\n|---|---|\n".to_owned();
    for (form, result) in FUNCTIONS {
        writeln!(functions, "| `{form}` | {result} |").expect("a string takes every text");
    }
    let limits = [("{{longest}}", LONGEST), ("{{deepest}}", DEEPEST), ("{{steps}}", MOST_STEPS)];
    let page =
        limits.iter().fold(page.to_owned(), |page, (name, limit)| page.replace(name, &limit.to_string()));
    page.replace("{{operators}}", operators.trim_end()).replace("{{functions}}", functions.trim_end())
}
