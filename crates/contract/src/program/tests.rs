//! What expressions mean, value by value, and what is wrong with them.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::*;
use crate::{Contract, Finding, compile};

mod fuzz;
mod oracle;

/// The columns of the tests, each with a cell that its values are written in.
const PROPERTIES: &str = "
      - { name: a, logicalType: integer }
      - { name: b, logicalType: integer }
      - { name: x, logicalType: number }
      - { name: y, logicalType: number }
      - { name: s, logicalType: string }
      - { name: t, logicalType: string }
      - { name: p, logicalType: boolean }
      - { name: q, logicalType: boolean }
      - { name: d, logicalType: date }
      - { name: e, logicalType: date, logicalTypeOptions: { format: dd.MM.yyyy } }
      - { name: z, logicalType: timestamp, logicalTypeOptions: { defaultTimezone: Europe/Berlin } }
      - { name: w, logicalType: timestamp }
      - { name: l, logicalType: timestamp, logicalTypeOptions: { timezone: false } }
      - { name: h, logicalType: time }
      - { name: o, logicalType: object }
      - { name: order-id, physicalName: order, logicalType: string }
";
/// Records of the tests: a good one, by the columns' names.
const NAMES: [&str; 16] =
    ["a", "b", "x", "y", "s", "t", "p", "q", "d", "e", "z", "w", "l", "h", "o", "order-id"];

fn document(expression: &str) -> String {
    let indented = expression.replace('\n', "\n          ");
    format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\n\
         servers: [{{ server: inbox, type: s3, location: s3://inbox/a/b/, format: ndjson }}]\n\
         schema:\n  - name: feed\n    quality:\n      - type: custom\n        engine: cel\n        \
         implementation: |-\n          {indented}\n    properties:{PROPERTIES}"
    )
}

/// A contract with the columns of the tests.
static CONTRACT: LazyLock<Contract> = LazyLock::new(|| compile(&document("a == 1")).unwrap().0);

fn try_program(expression: &str) -> Result<Program, ExpressionFlaw> {
    let mut patterns = |source: &str| {
        TextPattern::compile(source)
            .map_err(|advice| UnusableText { reason: "a syntax error".to_owned(), advice })
    };
    Program::compile(expression, &CONTRACT.columns, &mut patterns)
}

fn program(expression: &str) -> Program {
    try_program(expression).unwrap_or_else(|flaw| panic!("{expression}: {flaw:?}"))
}

fn errors(expression: &str) -> Vec<Finding> {
    match compile(&document(expression)) {
        Ok(_) => panic!("`{expression}` is accepted"),
        Err(findings) => {
            findings.into_iter().filter(|finding| finding.severity == crate::FindingSeverity::Error).collect()
        }
    }
}

/// Evaluates over a record with these cells; the others are absent.
fn outcome(program: &Program, cells: &[(&str, Cell<'_>)]) -> ProgramOutcome {
    let cell = |index: usize| {
        let name = NAMES[index];
        cells.iter().find(|(known, _)| *known == name).map_or(Cell::Absent, |(_, cell)| *cell)
    };
    program.holds(&CONTRACT.columns, cell)
}

const GOOD: [(&str, Cell<'static>); 15] = [
    ("a", Cell::Number(b"7")),
    ("b", Cell::Number(b"-2")),
    ("x", Cell::Number(b"0.1")),
    ("y", Cell::Number(b"12.50")),
    ("s", Cell::String("Zoë".as_bytes())),
    ("t", Cell::String(b"CT")),
    ("p", Cell::Boolean(true)),
    ("q", Cell::Boolean(false)),
    ("d", Cell::String(b"2026-01-31")),
    ("e", Cell::String(b"01.02.2026")),
    ("z", Cell::String(b"2026-01-31T01:30:00")),
    ("w", Cell::String(b"2026-01-31T00:30:00Z")),
    ("l", Cell::String(b"2026-01-31T01:30:00")),
    ("h", Cell::String(b"08:15:00")),
    ("order-id", Cell::String(b"A-1")),
];

fn good(expression: &str) -> ProgramOutcome {
    outcome(&program(expression), &GOOD)
}

#[test]
fn true_expressions() {
    for expression in [
        // Numbers: whole and exact.
        "a == 7 && b == -2 && a > b && a >= 7 && b <= -2 && b < a && a != b",
        "a / 2 == 3 && b / 3 == 0 && -a / 2 == -3 && a % 3 == 1 && -a % 3 == -1",
        "a + b == 5 && a - b == 9 && a * b == -14 && -(a + b) == -5",
        "x + 0.2 == 0.3 && x * 3.0 == 0.3 && y == 12.5 && 1e1 > x && .5 > x",
        "y / 5 == 2.5 && x < 1 && a < 7.5 && a == 7.0 && y % 5 == 2.5 && a / 2.0 == 3.5",
        "a / 21.0 == 0.33333333333333333333333333333333333333",
        "99999999999999999999999999999999999999 - 8 + a > 0",
        "y == 12.5 ? a == 7 : a == 8",
        "(p ? a : b) == 7 && (q ? x : y) == 12.5 && (q ? a : y) > 12",
        // Texts.
        "s == 'Zoë' && s != t && t < s && s.size() == 3 && size(t) == 2",
        "s.startsWith('Zo') && s.endsWith(\"ë\") && s.contains('o') && !s.contains(t)",
        r"t.matches('^[A-Z]{2}$') && matches(t, r'^\w+$') && t.matches('T')",
        r#"s == 'Zo\u00eb' && s == "Zo\xeb" && s == 'Zo\353' && 'a\tb\\' == "a\tb\\""#,
        // Lists.
        "t in ['MR', 'CT'] && !(t in ['MR']) && a in [1, 7] && a in [1.5, 7.0] && y in [12.5, 1,]",
        "d in [date('2026-01-31'), date('2026-02-01')]",
        // Booleans.
        "p && !q && (p || q) && p != q && p == true && !!p && (q == false)",
        // Dates and times.
        "d < e && d == date('2026-01-31') && e - d == duration('24h') && e - d <= duration('1440m')",
        "z == w && w - z == duration('0s') && z >= timestamp('2026-01-31T00:30:00Z')",
        "date(w) == d && date(w - duration('1h')) < d && w + duration('90m') > z",
        "l == timestamp('2026-01-31T01:30:00') && date(l) == d",
        "h > time('08:00:00') && h - time('08:00:00') == duration('15m')",
        // Nulls.
        "has(a) && !has(o) && o == null && a != null && null != a",
        "`order-id` == 'A-1'",
        "a == 7 // a remark\n && b == -2",
    ] {
        assert_eq!(good(expression), ProgramOutcome::True, "{expression}");
        assert_eq!(good(&format!("!({expression}\n)")), ProgramOutcome::False, "{expression}");
    }
}

#[test]
fn null_is_unknown_as_in_sql() {
    for (expression, expected) in [
        ("a > 5", ProgramOutcome::NotEvaluated),
        ("!(a > 5)", ProgramOutcome::NotEvaluated),
        ("a > 5 && b == -2", ProgramOutcome::NotEvaluated),
        ("b == -2 && a > 5", ProgramOutcome::NotEvaluated),
        ("a > 5 && b == 2", ProgramOutcome::False),
        ("b == 2 && a > 5", ProgramOutcome::False),
        ("a > 5 || b == -2", ProgramOutcome::True),
        ("b == -2 || a > 5", ProgramOutcome::True),
        ("a > 5 || b == 2", ProgramOutcome::NotEvaluated),
        ("a == null || a > 5", ProgramOutcome::True),
        ("a != null && a > 5", ProgramOutcome::False),
        ("has(a) ? a > 5 : b == -2", ProgramOutcome::True),
        ("a > 5 ? b == -2 : b == -2", ProgramOutcome::NotEvaluated),
        ("a in [1, 2]", ProgramOutcome::NotEvaluated),
        ("s.startsWith('Z')", ProgramOutcome::NotEvaluated),
        ("p", ProgramOutcome::NotEvaluated),
        ("p == q", ProgramOutcome::NotEvaluated),
        ("size(s) > 0", ProgramOutcome::NotEvaluated),
        // Unknown goes before a fault of arithmetic, on whichever side it is.
        ("a + 1 / (b + 2) > 0", ProgramOutcome::NotEvaluated),
        ("1 / (b + 2) + a > 0", ProgramOutcome::NotEvaluated),
        ("1 / (b + 2) > 0 && a > 5", ProgramOutcome::NotEvaluated),
        ("a > 5 && 1 / (b + 2) > 0", ProgramOutcome::NotEvaluated),
    ] {
        let program = program(expression);
        let missing = |name: &str| ["a", "s", "p"].contains(&name);
        let absent: Vec<_> = GOOD.into_iter().filter(|(name, _)| !missing(name)).collect();
        assert_eq!(outcome(&program, &absent), expected, "{expression}");
        let null = GOOD.map(|(name, cell)| (name, if missing(name) { Cell::Null } else { cell }));
        assert_eq!(outcome(&program, &null), expected, "{expression}");
        // A cell of another type is unknown too, but it is there.
        if !expression.contains("null") && !expression.contains("has") {
            let other =
                GOOD.map(|(name, cell)| (name, if missing(name) { Cell::Array(b"[]") } else { cell }));
            assert_eq!(outcome(&program, &other), expected, "{expression}");
        }
    }
}

#[test]
fn null_tokens_of_a_csv_are_null() {
    let document = document("a == null")
        .replace("ndjson", "csv")
        .replace("      - { name: o, logicalType: object }\n", "")
        .replace(
            "name: a, logicalType: integer",
            "name: a, logicalType: integer, customProperties: [{ property: nullTokens, vendor: ingest, value: ['-'] }]",
        );
    let (contract, _) = compile(&document).unwrap_or_else(|found| panic!("{found:?}"));
    for (text, expected) in
        [("-", ProgramOutcome::True), ("", ProgramOutcome::True), ("7", ProgramOutcome::False)]
    {
        let cell = |_| Cell::Text(text.as_bytes());
        assert_eq!(contract.row_rules[0].program.holds(&contract.columns, cell), expected, "{text}");
    }
}

#[test]
fn arithmetic_that_has_no_result_says_so() {
    let nines = "9".repeat(38);
    for (expression, expected) in [
        ("a / (b + 2) > 0".to_owned(), ProgramOutcome::DividedByZero),
        ("a % (b + 2) > 0".to_owned(), ProgramOutcome::DividedByZero),
        ("y / (x - 0.1) > 0".to_owned(), ProgramOutcome::DividedByZero),
        ("y % (x - x) > 0".to_owned(), ProgramOutcome::DividedByZero),
        (format!("a + {nines} > 0"), ProgramOutcome::Overflow),
        (format!("a * {nines} > 0"), ProgramOutcome::Overflow),
        (format!("x + {nines} > 0"), ProgramOutcome::Overflow),
        ("y * 1e125 > 0".to_owned(), ProgramOutcome::Overflow),
        ("y / 1e-125 > 0".to_owned(), ProgramOutcome::Overflow),
        // A side that decides hides the fault, as in the language.
        ("a / (b + 2) > 0 || a == 7".to_owned(), ProgramOutcome::True),
        ("a / (b + 2) > 0 && a == 8".to_owned(), ProgramOutcome::False),
        ("b + 2 == 0 ? a == 7 : a / (b + 2) > 0".to_owned(), ProgramOutcome::True),
    ] {
        assert_eq!(good(&expression), expected, "{expression}");
    }
}

#[test]
fn a_program_knows_its_columns_in_order() {
    let program = program("b > 1 || (has(o) && a < b && s == 'b')");
    assert_eq!(program.columns(), [0, 1, 4, 14]);
    assert_eq!(program.source(), "b > 1 || (has(o) && a < b && s == 'b')");
}

/// Expressions that do not compile.
const MISTAKES: [&str; 79] = [
    "a =",
    "a = 1",
    "a == ",
    "a == 1)",
    "(a == 1",
    "a == 1 b",
    "a & b",
    "a | b",
    "a == {}",
    "a[0] == 1",
    "a == 1 ? p",
    "s == 'a",
    "s == \"\"\"a\"\"\"",
    r"s == 'a\d'",
    "s == b'a'",
    "s == “a”",
    "a == 1u",
    "a == 0x1F",
    "a == 1.2.3",
    "a == 100000000000000000000000000000000000000",
    "``== 1",
    "for == 1",
    "in == 1",
    "o.city == 'x'",
    "aa == 1",
    "order == 'x'",
    "unknown == 1",
    "A == 1",
    "a",
    "a + b",
    "a == s",
    "a == 's'",
    "d == '2026-01-31'",
    "d == w",
    "w == l",
    "w < timestamp('2026-01-31T00:00:00')",
    "p < q",
    "p + q == 1",
    "s + t == 'x'",
    "d + duration('24h') == e",
    "a == null + 1",
    "null == null",
    "a < null",
    "(a + b) == null",
    "o == 1",
    "o == s",
    "[1] == a",
    "a in 5",
    "a in []",
    "a in [b]",
    "a in ['x']",
    "p in [true]",
    "a in [null]",
    "!a",
    "-s == 1",
    "a && p",
    "p ? a : s",
    "a ? p : q",
    "has(a + b)",
    "has()",
    "size(a) == 1",
    "s.startsWith(a)",
    "s.startswith('a')",
    "s.matches(t)",
    "s.matches('(')",
    "s.matches('(?=a)b')",
    "date('31.01.2026') == d",
    "date(a) == d",
    "time('8') == h",
    "w - z < duration('1d')",
    "duration(a) == w - z",
    "timestamp(d) == w",
    "int(s) == 1",
    "now() > w",
    "[1, 2].exists(v, v == a)",
    "s.lowerAscii() == 'x'",
    "true",
    "1 == 1",
    "",
];

#[test]
fn every_mistake_has_its_place_and_a_hint() {
    let mut page = String::new();
    let parentheses = format!("{}a == 1{}", "(".repeat(40), ")".repeat(40));
    let sums = format!("a{} > 1", " + 1".repeat(40));
    let list = format!("a in [{}1]", "1,".repeat(1_000));
    let long = format!("a == 1{}", " ".repeat(5_000));
    let long = [&parentheses, &sums, &list, &long].map(String::as_str);
    for expression in MISTAKES.into_iter().chain(long) {
        let shown: String = expression.chars().take(60).collect();
        page.extend([shown.as_str(), "\n"]);
        let found = errors(expression);
        assert!(!found.is_empty(), "{expression}");
        for finding in found {
            // The expression begins at column 11 of line 13.
            writeln!(page, "    {}:{} {}", finding.line, finding.column, finding.message()).unwrap();
        }
    }
    insta::assert_snapshot!("mistakes", page);
}
