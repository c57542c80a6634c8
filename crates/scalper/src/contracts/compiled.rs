//! A published contract as files are checked by it: `contract show --compiled`.

use contract::{Column, Contract, RuleIndex, Severity, Transform};
use serde::Serialize;

use crate::reading::plain;
use crate::report::{Fit, Style, table};

/// A contract, as files are checked by it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct CompiledContract {
    /// Conditions that leave a record out.
    pub drop_if: Vec<String>,
    pub columns: Vec<ShownColumn>,
    /// Rules on a record as a whole.
    pub record_rules: Vec<ShownRule>,
    /// Rules on a file as a whole.
    pub file_rules: Vec<ShownRule>,
}

/// A column with its rules.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct ShownColumn {
    pub name: String,
    pub expected: String,
    pub required: bool,
    /// Its place in the primary key, from 1.
    pub key: Option<usize>,
    /// The steps of its transform.
    pub transform: Vec<String>,
    /// What is stored of a value; `none`: the value.
    pub mask: String,
    pub rules: Vec<ShownRule>,
}

/// A rule.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct ShownRule {
    pub rule: String,
    pub severity: Severity,
    pub expected: String,
}

impl ShownRule {
    fn of(contract: &Contract, rule: RuleIndex) -> Self {
        let rule = contract.rule(rule);
        Self { rule: rule.id.clone(), severity: rule.severity, expected: rule.expected.clone() }
    }

    fn cells(&self, about: &str) -> [String; 3] {
        let warns = if self.severity == Severity::Warn { " (warning)" } else { "" };
        let expected = format!("{}{warns}", plain(&self.expected));
        [about.to_owned(), plain(&self.rule).into_owned(), expected]
    }
}

impl ShownColumn {
    fn of(contract: &Contract, index: u16, column: &Column) -> Self {
        Self {
            name: plain(&column.name).into_owned(),
            expected: contract.rule(column.type_rule).expected.clone(),
            required: column.required.is_some(),
            key: contract.primary_key.iter().position(|key| *key == index).map(|place| place + 1),
            transform: column.transform.iter().map(Transform::words).collect(),
            mask: column.mask.words().into_owned(),
            rules: column.checks.iter().map(|(rule, _)| ShownRule::of(contract, *rule)).collect(),
        }
    }

    fn rows(&self) -> Vec<[String; 3]> {
        let key = self.key.map(|place| format!("key {place}"));
        let required = self.required.then(|| "required".to_owned());
        let marks = [key, required].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let expected = plain(&self.expected).into_owned() + &sign(&marks);
        let mut rows = vec![[self.name.clone(), String::new(), expected]];
        let said = |word: &str, value: &str| [String::new(), word.to_owned(), plain(value).into_owned()];
        rows.extend(self.transform.iter().map(|step| said("transform", step)));
        rows.extend(self.rules.iter().map(|rule| rule.cells("")));
        if self.mask != "none" {
            rows.push(said("mask", &self.mask));
        }
        rows
    }
}

impl CompiledContract {
    pub(super) fn of(contract: &Contract) -> Self {
        let columns = (0_u16..).zip(&contract.columns);
        Self {
            drop_if: contract.drop_if.iter().map(|condition| condition.source().to_owned()).collect(),
            columns: columns.map(|(index, column)| ShownColumn::of(contract, index, column)).collect(),
            record_rules: contract.row_rules.iter().map(|rule| ShownRule::of(contract, rule.rule)).collect(),
            file_rules: contract.gates.iter().map(|gate| ShownRule::of(contract, gate.rule)).collect(),
        }
    }

    /// Renders a table: what leaves a record out, then each column, then rules on the record and on the file.
    pub(super) fn to_text(&self, style: Style) -> String {
        let condition =
            |source: &String| ["(record)".to_owned(), "dropIf".to_owned(), plain(source).into_owned()];
        let left_out = self.drop_if.iter().map(condition);
        let columns = self.columns.iter().flat_map(ShownColumn::rows);
        let record = self.record_rules.iter().map(|rule| rule.cells("(record)"));
        let file = self.file_rules.iter().map(|rule| rule.cells("(file)"));
        let rows: Vec<[String; 3]> = left_out.chain(columns).chain(record).chain(file).collect();
        table(["column", "rule", "expected"], &rows, Fit::wrap_last(&[0, 1]), style)
    }
}

fn sign(marks: &str) -> String {
    if marks.is_empty() { String::new() } else { format!(" [{marks}]") }
}
