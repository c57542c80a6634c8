//! From an expression to a typed program: names become column numbers, and every part gets its kind.

use std::collections::BTreeSet;

use crate::finding::{did_you_mean, quoted};
use crate::{Column, Decimal, Kind};

use super::flaw::ExpressionFlaw;
use super::node::{InstantNode, NumberNode, TextNode, TruthNode, WholeNode};
use super::operand::{InstantKind, Operand, OperandPair, number_of};
use super::parser::{Arithmetic, Binary, Expression, Relation, Syntax};
use super::{MOST_STEPS, PatternCompiler};

/// Why a text that an expression holds cannot be used, and what to do.
pub(crate) struct UnusableText {
    pub(crate) reason: String,
    pub(crate) advice: String,
}

/// Types an expression and returns the columns that it names.
pub(super) fn lower(
    source: &str,
    expression: &Expression,
    columns: &[Column],
    patterns: &mut PatternCompiler<'_>,
) -> Result<(TruthNode, Vec<u16>), ExpressionFlaw> {
    let mut lowering = Lowering { source, columns, used: BTreeSet::new(), steps: 0, patterns };
    let truth = lowering.truth(expression)?;
    if lowering.used.is_empty() {
        return Err(ExpressionFlaw::new(
            expression.at,
            "an expression without a property",
            "an expression that names at least one property",
            "it would say the same of every record",
        ));
    }
    Ok((truth, lowering.used.into_iter().collect()))
}

pub(super) struct Lowering<'a, 'p> {
    source: &'a str,
    columns: &'a [Column],
    used: BTreeSet<u16>,
    steps: usize,
    pub(super) patterns: &'a mut PatternCompiler<'p>,
}

pub(super) type Lowered<T> = Result<T, ExpressionFlaw>;

impl Lowering<'_, '_> {
    /// Returns a part of the expression as it is written.
    pub(super) fn shown(&self, part: &Expression) -> String {
        quoted(self.source.get(part.at..part.end).unwrap_or_default())
    }

    /// Returns a part with its kind.
    fn typed(&self, part: &Expression, kind: &str) -> String {
        let shown = self.shown(part);
        if part.syntax == Syntax::Null { shown } else { format!("{shown} ({kind})") }
    }

    /// Reports a part of the wrong kind.
    pub(super) fn wrong_kind(
        &self,
        part: &Expression,
        operand: &Operand,
        expected: &str,
        advice: &str,
    ) -> ExpressionFlaw {
        let advice = match operand {
            Operand::Null => "null can only be compared with a property, by `==` or `!=`",
            Operand::Document => {
                "of an object or array a rule can only ask whether it is there: `has(x)`, `x == null`"
            }
            _ => advice,
        };
        ExpressionFlaw::new(part.at, self.typed(part, operand.kind()), expected, advice)
    }

    pub(super) fn truth(&mut self, part: &Expression) -> Lowered<TruthNode> {
        match self.operand(part)? {
            Operand::Truth(node) => Ok(node),
            other => Err(self.wrong_kind(part, &other, "a boolean, such as a comparison", "")),
        }
    }

    pub(super) fn operand(&mut self, part: &Expression) -> Lowered<Operand> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(ExpressionFlaw::new(
                part.at,
                format!("more than {MOST_STEPS} operations and values"),
                format!("at most {MOST_STEPS}"),
                "write several rules; a long list of values belongs in `enum` or `validValues`",
            ));
        }
        Ok(match &part.syntax {
            Syntax::Name(name) => self.column_of(name, part.at)?,
            Syntax::Null => Operand::Null,
            Syntax::Boolean(value) => Operand::Truth(TruthNode::Constant(*value)),
            Syntax::Whole(value) => Operand::Whole(WholeNode::Constant(*value)),
            Syntax::Number(value) => Operand::Number(NumberNode::Constant(*value)),
            Syntax::Text(text) => Operand::Text(TextNode::Constant(text.as_bytes().into())),
            Syntax::List(_) => {
                let found = format!("the list {}", self.shown(part));
                return Err(ExpressionFlaw::new(part.at, found, "a list only behind `in`", ""));
            }
            Syntax::Not(inner) => Operand::Truth(TruthNode::Not(Box::new(self.truth(inner)?))),
            Syntax::Negative(inner) => self.negative(inner)?,
            Syntax::All(parts) => Operand::Truth(TruthNode::All(self.truths(parts)?)),
            Syntax::Any(parts) => Operand::Truth(TruthNode::Any(self.truths(parts)?)),
            Syntax::If(parts) => {
                let [when, yes, no] = &**parts;
                let when = self.truth(when)?;
                self.pair(yes, no)?.choice(when)
            }
            Syntax::Binary(Binary::Compare(relation), sides) => {
                let [one, other] = &**sides;
                Operand::Truth(self.compare(*relation, one, other)?)
            }
            Syntax::Binary(Binary::In, sides) => {
                let [value, list] = &**sides;
                Operand::Truth(self.is_in(value, list)?)
            }
            Syntax::Binary(Binary::Compute(operation), sides) => {
                let [one, other] = &**sides;
                self.compute(*operation, one, other)?
            }
            Syntax::Call { function, target, arguments } => {
                self.call(part, function, target.as_deref(), arguments)?
            }
        })
    }

    fn truths(&mut self, parts: &[Expression]) -> Lowered<Box<[TruthNode]>> {
        parts.iter().map(|part| self.truth(part)).collect()
    }

    /// Returns the number of the column with this name.
    pub(super) fn index_of(&mut self, name: &str, at: usize) -> Lowered<u16> {
        let named = |column: &&Column| column.name == name;
        if let Some((index, _)) = (0_u16..).zip(self.columns).find(|(_, column)| named(column)) {
            self.used.insert(index);
            return Ok(index);
        }
        let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let by_label = self.columns.iter().find(|column| column.labels().any(|label| label == name));
        let advice = match by_label {
            Some(column) => format!("the property of this label is `{}`", column.name),
            None => did_you_mean(name, &known, "a text stands in quotes"),
        };
        Err(ExpressionFlaw::new(at, quoted(name), "the name of a property", advice))
    }

    fn column_of(&mut self, name: &str, at: usize) -> Lowered<Operand> {
        let index = self.index_of(name, at)?;
        let instant = |kind| Operand::Instant(kind, InstantNode::Column(index));
        Ok(match self.columns.get(usize::from(index)).map(|column| &column.kind) {
            Some(Kind::String) | None => Operand::Text(TextNode::Column(index)),
            Some(Kind::Integer) => Operand::Whole(WholeNode::Column(index)),
            Some(Kind::Number { .. }) => Operand::Number(NumberNode::Column(index)),
            Some(Kind::Boolean) => Operand::Truth(TruthNode::Column(index)),
            Some(Kind::Date(_)) => instant(InstantKind::Date),
            Some(Kind::Timestamp { default_zone: Some(_), .. }) => instant(InstantKind::Timestamp),
            Some(Kind::Timestamp { default_zone: None, .. }) => instant(InstantKind::LocalTimestamp),
            Some(Kind::Time(_)) => instant(InstantKind::Time),
            Some(Kind::Object(_) | Kind::Array(_) | Kind::Map(_)) => Operand::Document,
        })
    }

    fn negative(&mut self, inner: &Expression) -> Lowered<Operand> {
        Ok(match self.operand(inner)? {
            Operand::Whole(WholeNode::Constant(value)) => Operand::Whole(WholeNode::Constant(-value)),
            Operand::Number(NumberNode::Constant(value)) => {
                Operand::Number(NumberNode::Constant(value.negated()))
            }
            Operand::Whole(node) => Operand::Whole(WholeNode::Negative(Box::new(node))),
            Operand::Number(node) => Operand::Number(NumberNode::Negative(Box::new(node))),
            other => return Err(self.wrong_kind(inner, &other, "an integer or a number behind `-`", "")),
        })
    }

    /// Types two parts that must be of one kind.
    fn pair(&mut self, one: &Expression, other: &Expression) -> Lowered<OperandPair> {
        let (left, right) = (self.operand(one)?, self.operand(other)?);
        for (part, operand) in [(one, &left), (other, &right)] {
            if matches!(operand, Operand::Document) {
                return Err(self.wrong_kind(part, operand, "a value", ""));
            }
        }
        let kinds = [left.kind(), right.kind()];
        OperandPair::of(left, right).map_err(|advice| self.misfit(one, other, kinds, advice))
    }

    fn misfit(
        &self,
        one: &Expression,
        other: &Expression,
        [left, right]: [&str; 2],
        advice: &str,
    ) -> ExpressionFlaw {
        let found = format!("{} with {}", self.typed(one, left), self.typed(other, right));
        ExpressionFlaw::new(one.at, found, "two values of one kind", advice)
    }

    fn compare(&mut self, relation: Relation, one: &Expression, other: &Expression) -> Lowered<TruthNode> {
        let is_null = |part: &Expression| part.syntax == Syntax::Null;
        let subject = match (is_null(one), is_null(other)) {
            (true, false) => Some(other),
            (false, true) => Some(one),
            _ => None,
        };
        if let (
            Some(Expression { syntax: Syntax::Name(name), at, .. }),
            Relation::Equal | Relation::NotEqual,
        ) = (subject, relation)
        {
            let is_null = TruthNode::IsNull(self.index_of(name, *at)?);
            let equal = relation == Relation::Equal;
            return Ok(if equal { is_null } else { TruthNode::Not(Box::new(is_null)) });
        }
        Ok(match self.pair(one, other)? {
            OperandPair::Whole(sides) => TruthNode::CompareWhole(relation, Box::new(sides)),
            OperandPair::Number(sides) => compare_numbers(relation, sides),
            OperandPair::Text(sides) => TruthNode::CompareText(relation, Box::new(sides)),
            OperandPair::Instant(_, sides) => TruthNode::CompareInstant(relation, Box::new(sides)),
            OperandPair::Truth(sides) => {
                let same = TruthNode::Same(Box::new(sides));
                match relation {
                    Relation::Equal => same,
                    Relation::NotEqual => TruthNode::Not(Box::new(same)),
                    _ => {
                        let found = format!("{}, a boolean, in an order", self.shown(one));
                        let expected = "`==` or `!=` between booleans";
                        return Err(ExpressionFlaw::new(
                            one.at,
                            found,
                            expected,
                            "write `!a && b` for `a < b`",
                        ));
                    }
                }
            }
        })
    }

    fn is_in(&mut self, value: &Expression, list: &Expression) -> Lowered<TruthNode> {
        let mut left = self.operand(value)?;
        let Syntax::List(items) = &list.syntax else {
            let found = format!("`in` with {}", self.shown(list));
            let advice = "to search in a text, write `text.contains(\"part\")`";
            return Err(ExpressionFlaw::new(list.at, found, "a list: `x in [\"a\", \"b\"]`", advice));
        };
        if items.is_empty() {
            return Err(ExpressionFlaw::new(list.at, "an empty list", "a list with at least one value", ""));
        }
        let mut operands = Vec::new();
        for item in items {
            let operand = self.operand(item)?;
            if !is_constant(&operand) {
                return Err(ExpressionFlaw::new(
                    item.at,
                    format!("{} in a list", self.shown(item)),
                    "a constant that is a text, a number, a date or a time",
                    "compare with a property as `a == b || a == c`",
                ));
            }
            operands.push(operand);
        }
        if matches!(left, Operand::Whole(_)) && operands.iter().any(|item| matches!(item, Operand::Number(_)))
        {
            left = match left {
                Operand::Whole(node) => Operand::Number(number_of(node)),
                other => other,
            };
        }
        let kind = left.kind();
        let kinds: Vec<&'static str> = operands.iter().map(Operand::kind).collect();
        membership(left, operands).map_err(|(place, advice)| {
            let item = items.get(place).unwrap_or(list);
            self.misfit(value, item, [kind, kinds.get(place).copied().unwrap_or_default()], advice)
        })
    }

    fn compute(&mut self, operation: Arithmetic, one: &Expression, other: &Expression) -> Lowered<Operand> {
        use InstantKind::{Date, Duration, LocalTimestamp, Time, Timestamp};
        let (left, right) = (self.operand(one)?, self.operand(other)?);
        let kinds = [left.kind(), right.kind()];
        Ok(match (operation, left, right) {
            (_, Operand::Whole(left), Operand::Whole(right)) => {
                Operand::Whole(WholeNode::Compute(operation, Box::new([left, right])))
            }
            (_, Operand::Number(left), Operand::Number(right)) => number(operation, left, right),
            (_, Operand::Whole(left), Operand::Number(right)) => number(operation, number_of(left), right),
            (_, Operand::Number(left), Operand::Whole(right)) => number(operation, left, number_of(right)),
            (
                Arithmetic::Add,
                Operand::Instant(kind @ (Timestamp | LocalTimestamp | Duration), left),
                Operand::Instant(Duration, right),
            )
            | (
                Arithmetic::Add,
                Operand::Instant(Duration, left),
                Operand::Instant(kind @ (Timestamp | LocalTimestamp), right),
            ) => Operand::Instant(kind, InstantNode::Sum(Box::new([left, right]))),
            (
                Arithmetic::Subtract,
                Operand::Instant(kind @ (Timestamp | LocalTimestamp | Duration), left),
                Operand::Instant(Duration, right),
            ) => Operand::Instant(kind, InstantNode::Difference(Box::new([left, right]))),
            (Arithmetic::Subtract, Operand::Instant(kind, left), Operand::Instant(same, right))
                if kind == same =>
            {
                Operand::Instant(Duration, InstantNode::Difference(Box::new([left, right])))
            }
            (
                Arithmetic::Add | Arithmetic::Subtract,
                Operand::Instant(Date | Time, _),
                Operand::Instant(Duration, _),
            ) => {
                let advice = "compare the difference: `a - b <= duration(\"240h\")`";
                return Err(self.misfit(one, other, kinds, advice));
            }
            (Arithmetic::Add, Operand::Text(_), Operand::Text(_)) => {
                let found = format!("{} + {}, two texts", self.shown(one), self.shown(other));
                let advice = "texts cannot be joined; compare them one by one";
                return Err(ExpressionFlaw::new(one.at, found, "numbers around `+`", advice));
            }
            (_, left, right) => {
                let advice = OperandPair::of(left, right).err().unwrap_or_default();
                let mut flaw = self.misfit(one, other, kinds, advice);
                "two numbers, two dates or times, or a timestamp and a duration"
                    .clone_into(&mut flaw.expected);
                return Err(flaw);
            }
        })
    }
}

fn compare_numbers(relation: Relation, sides: [NumberNode; 2]) -> TruthNode {
    if let [NumberNode::Column(index), NumberNode::Constant(at)] = &sides
        && let Some(at) = at.to_i64()
    {
        return TruthNode::CompareToWhole(relation, *index, at);
    }
    TruthNode::CompareNumber(relation, Box::new(sides))
}

fn number(operation: Arithmetic, left: NumberNode, right: NumberNode) -> Operand {
    Operand::Number(NumberNode::Compute(operation, Box::new([left, right])))
}

fn is_constant(operand: &Operand) -> bool {
    matches!(
        operand,
        Operand::Whole(WholeNode::Constant(_))
            | Operand::Number(NumberNode::Constant(_))
            | Operand::Text(TextNode::Constant(_))
            | Operand::Instant(_, InstantNode::Constant(_))
    )
}

/// Returns whether a value is one of these constants, or the place of one of another kind and what to do about it.
fn membership(left: Operand, items: Vec<Operand>) -> Result<TruthNode, (usize, &'static str)> {
    Ok(match left {
        Operand::Whole(value) => {
            let list = collect(items, |item| match item {
                Operand::Whole(WholeNode::Constant(value)) => Some(value),
                _ => None,
            })?;
            TruthNode::WholeIn(Box::new(value), list)
        }
        Operand::Number(value) => {
            let list = collect(items, |item| match item {
                Operand::Number(NumberNode::Constant(value)) => Some(value),
                Operand::Whole(WholeNode::Constant(value)) => Decimal::new(value, 0),
                _ => None,
            })?;
            TruthNode::NumberIn(Box::new(value), list)
        }
        Operand::Text(value) => {
            let list = collect(items, |item| match item {
                Operand::Text(TextNode::Constant(text)) => Some(text),
                _ => None,
            })?;
            TruthNode::TextIn(Box::new(value), list)
        }
        Operand::Instant(kind, value) => {
            let list = collect(items, |item| match item {
                Operand::Instant(same, InstantNode::Constant(value)) if same == kind => Some(value),
                _ => None,
            })?;
            TruthNode::InstantIn(Box::new(value), list)
        }
        Operand::Truth(_) | Operand::Null | Operand::Document => return Err((0, "")),
    })
}

/// Sorts the values of a list, or returns the place of the first item that is none.
fn collect<T: Ord>(
    items: Vec<Operand>,
    value: impl Fn(Operand) -> Option<T>,
) -> Result<Box<[T]>, (usize, &'static str)> {
    let values = items.into_iter().enumerate().map(|(place, item)| value(item).ok_or((place, "")));
    let mut values: Vec<T> = values.collect::<Result<_, _>>()?;
    values.sort_unstable();
    values.dedup();
    Ok(values.into_boxed_slice())
}
