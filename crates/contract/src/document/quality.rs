//! Quality rules, in the shapes of v3.0 (`rule`, arguments next to it) and of v3.1 (`metric`, `arguments`).

use crate::finding::Findings;
use crate::words::{self, word_enum};

use super::{Fields, Located, Node, Place, items_of};

/// One quality rule.
#[derive(Debug)]
pub(crate) struct QualityRule {
    pub(crate) place: Place,
    /// Its `id`, or else its `name`.
    pub(crate) given_name: Option<Located<String>>,
    /// What it says, in the words of its owner.
    pub(crate) description: Option<Located<String>>,
    pub(crate) kind: QualityKind,
    pub(crate) severity: Option<Located<String>>,
    pub(crate) unit: Unit,
    pub(crate) comparisons: Vec<Located<Comparison>>,
    pub(crate) valid_values: Option<Located<Vec<Node>>>,
    pub(crate) missing_values: Option<Located<Vec<Node>>>,
    pub(crate) pattern: Option<Located<String>>,
    pub(crate) properties: Option<Located<Vec<Node>>>,
}

/// The engine whose rules run: the Common Expression Language.
const EXPRESSIONS: &str = "cel";

/// What kind of rule it is, with what names it.
#[derive(Debug)]
pub(crate) enum QualityKind {
    /// A metric of the library.
    Library(Located<String>),
    /// Prose.
    Text,
    /// A query.
    Sql,
    /// A boolean expression over one record: engine `cel`, with its `implementation`.
    Expression(Option<Located<String>>),
    /// A rule for another engine, by its name.
    Custom(String),
    /// Reported already.
    Unknown,
}

word_enum! {
    /// What a number counts.
    pub(crate) enum Unit, default Rows {
        /// Records.
        Rows = "rows",
        /// The share of all records that were read, in percent. Records that `dropIf` leaves out do not count.
        Percent = "percent",
    }
}

/// A comparison with one or two numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) operator: QualityOperator,
    pub(crate) first: f64,
    /// The same as `first` where the operator has one number.
    pub(crate) second: f64,
}

word_enum! {
    /// How a metric is compared with its numbers.
    pub(crate) enum QualityOperator {
        /// Equal.
        Be = "mustBe",
        /// Not equal.
        NotBe = "mustNotBe",
        /// Greater.
        GreaterThan = "mustBeGreaterThan",
        /// Greater or equal.
        GreaterOrEqualTo = "mustBeGreaterOrEqualTo",
        /// Less.
        LessThan = "mustBeLessThan",
        /// Less or equal.
        LessOrEqualTo = "mustBeLessOrEqualTo",
        /// Within, both ends included.
        Between = "mustBeBetween",
        /// Outside, both ends excluded.
        NotBetween = "mustNotBeBetween",
    }
}

/// A value of `type`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum QualityType {
    Library,
    Text,
    Sql,
    Custom,
}

/// The values of `type`.
pub(crate) const QUALITY_TYPES: [(&str, QualityType, &str); 4] = [
    ("library", QualityType::Library, "A metric of the library."),
    ("text", QualityType::Text, "Prose. Listed as not run."),
    (
        "sql",
        QualityType::Sql,
        "A query. Listed as not run, with a warning: there is no table when a file arrives.",
    ),
    (
        "custom",
        QualityType::Custom,
        "With `engine: cel` a [business rule](#business-rules). A rule of another engine is listed as not run, with a warning.",
    ),
];

pub(super) fn rules(fields: &mut Fields<'_>, findings: &mut Findings) -> Vec<QualityRule> {
    let nodes = fields.list("quality", findings);
    nodes.iter().filter_map(|node| rule(node, findings)).collect()
}

fn rule(node: &Node, findings: &mut Findings) -> Option<QualityRule> {
    let mut fields = Fields::open(node, &words::QUALITY, findings)?;
    super::no_settings(&mut fields, "a quality rule", findings);
    let id = fields.text("id", findings);
    let name = fields.text("name", findings);
    let mut kind = kind(&mut fields, findings);
    let description = fields.text("description", findings);
    let severity = fields.text("severity", findings);
    let unit = fields.word("unit", Unit::WORDS, findings);
    let mut comparisons = Vec::new();
    for (key, operator, _) in QualityOperator::WORDS.iter().copied() {
        let Some(node) = fields.take(key) else { continue };
        match comparison(node, operator, findings) {
            Some(comparison) => comparisons.push(comparison),
            None => kind = QualityKind::Unknown,
        }
    }
    let mut rule = QualityRule {
        place: node.place.clone(),
        given_name: id.or(name),
        description,
        kind,
        severity,
        unit: unit.map_or_else(Unit::default, |unit| unit.value),
        comparisons,
        valid_values: None,
        missing_values: None,
        pattern: None,
        properties: None,
    };
    if let Some(node) = fields.take("arguments")
        && let Some(mut arguments) = Fields::open(node, &words::ARGUMENTS, findings)
    {
        take_arguments(&mut rule, &mut arguments, findings);
        arguments.close(findings);
    }
    // v3.0 had them next to the rule.
    take_arguments(&mut rule, &mut fields, findings);
    fields.close(findings);
    Some(rule)
}

fn take_arguments(rule: &mut QualityRule, fields: &mut Fields<'_>, findings: &mut Findings) {
    let mut list = |key, fields: &mut Fields<'_>| {
        let node = fields.take(key)?;
        Some(Located { value: items_of(node, findings).to_vec(), place: node.place.clone() })
    };
    rule.valid_values = list("validValues", fields).or(rule.valid_values.take());
    rule.missing_values = list("missingValues", fields).or(rule.missing_values.take());
    rule.properties = list("properties", fields).or(rule.properties.take());
    rule.pattern = fields.text("pattern", findings).or(rule.pattern.take());
}

fn kind(fields: &mut Fields<'_>, findings: &mut Findings) -> QualityKind {
    let place = fields.place.clone();
    let written = fields.take("type").is_some();
    let word = fields.word("type", &QUALITY_TYPES, findings);
    let metric = fields.text("metric", findings);
    let metric = fields.text("rule", findings).or(metric);
    let engine = fields.text("engine", findings);
    let query = fields.text("query", findings);
    let implementation = fields.take("implementation");
    let by_engine = |engine: Option<Located<String>>, findings: &mut Findings| match engine {
        Some(engine) if engine.value.eq_ignore_ascii_case(EXPRESSIONS) => {
            QualityKind::Expression(implementation.and_then(|node| super::text_of(node, findings)))
        }
        Some(engine) => QualityKind::Custom(engine.value),
        None => QualityKind::Custom("custom".to_owned()),
    };
    match word.map(|word| word.value) {
        Some(QualityType::Text) => QualityKind::Text,
        Some(QualityType::Sql) => QualityKind::Sql,
        Some(QualityType::Custom) => by_engine(engine, findings),
        None if written => QualityKind::Unknown,
        // The standard's default is `library`; a query or an engine without a type is what it looks like.
        Some(QualityType::Library) | None => match (metric, query, engine) {
            (Some(metric), _, _) => QualityKind::Library(metric),
            (None, Some(_), _) => QualityKind::Sql,
            (None, None, Some(engine)) => by_engine(Some(engine), findings),
            (None, None, None) => {
                findings.error(
                    &place,
                    "no `metric`",
                    "the name of a library metric",
                    "or `type: text` for prose",
                );
                QualityKind::Unknown
            }
        },
    }
}

fn comparison(
    node: &Node,
    operator: QualityOperator,
    findings: &mut Findings,
) -> Option<Located<Comparison>> {
    let number = |node: &Node| {
        let number: Option<f64> = node.scalar().and_then(|scalar| scalar.text.parse().ok());
        number.filter(|number| number.is_finite())
    };
    let place = node.place.clone();
    if matches!(operator, QualityOperator::Between | QualityOperator::NotBetween) {
        let ends: Vec<Option<f64>> = items_of(node, findings).iter().map(number).collect();
        if let [Some(first), Some(second)] = ends[..]
            && first <= second
        {
            return Some(Located { value: Comparison { operator, first, second }, place });
        }
        findings.error(
            &place,
            node.describe(),
            "a list of two numbers, the smaller first",
            "write `[1, 10]`",
        );
        return None;
    }
    if let Some(first) = number(node) {
        return Some(Located { value: Comparison { operator, first, second: first }, place });
    }
    findings.error(&place, node.describe(), "a number", "");
    None
}
