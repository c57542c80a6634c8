//! Evaluation over one record.

use std::cmp::Ordering;

use memchr::memmem;

use crate::column::{Reading, characters, small_integer};
use crate::temporal::NANOS_PER_DAY;
use crate::{Cell, Column, Decimal, Kind};

use super::ProgramOutcome;
use super::lexer::is_whole;
use super::node::{InstantNode, NumberNode, TextNode, TruthNode, WholeNode};
use super::parser::{Arithmetic, Relation};

/// Texts in a list up to which they are compared one by one.
const SHORT_LIST: usize = 8;

/// Why there is no value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NoValue {
    /// It needs a null, or a cell of another type.
    Unknown,
    Overflow,
    DividedByZero,
}

impl NoValue {
    /// Returns the one that counts of two: unknown, else the first.
    fn and(self, other: Self) -> Self {
        if other == Self::Unknown { other } else { self }
    }
}

/// Evaluates a boolean expression.
pub(super) fn outcome<'a>(
    truth: &'a TruthNode,
    columns: &'a [Column],
    cell: impl Fn(usize) -> Cell<'a>,
) -> ProgramOutcome {
    match (RecordView { columns, cell }).truth(truth) {
        Ok(true) => ProgramOutcome::True,
        Ok(false) => ProgramOutcome::False,
        Err(NoValue::Unknown) => ProgramOutcome::NotEvaluated,
        Err(NoValue::Overflow) => ProgramOutcome::Overflow,
        Err(NoValue::DividedByZero) => ProgramOutcome::DividedByZero,
    }
}

/// Both values, or why one is missing.
#[inline]
fn both<T>(one: Result<T, NoValue>, other: Result<T, NoValue>) -> Result<(T, T), NoValue> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
    }
}

/// Compares two texts. Codes mostly differ in length or in their first letter, which is told without a call.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.first() == other.first() && one == other
}

#[inline]
fn related(relation: Relation, order: Ordering) -> bool {
    match relation {
        Relation::Equal => order == Ordering::Equal,
        Relation::NotEqual => order != Ordering::Equal,
        Relation::Less => order == Ordering::Less,
        Relation::LessOrEqual => order != Ordering::Greater,
        Relation::Greater => order == Ordering::Greater,
        Relation::GreaterOrEqual => order != Ordering::Less,
    }
}

/// A record, with what its cells are read as.
struct RecordView<'a, F> {
    columns: &'a [Column],
    cell: F,
}

impl<'a, F: Fn(usize) -> Cell<'a>> RecordView<'a, F> {
    fn truth(&self, node: &'a TruthNode) -> Result<bool, NoValue> {
        Ok(match node {
            TruthNode::Constant(value) => *value,
            TruthNode::Column(index) => match self.read(*index)? {
                Reading::Boolean(value) => value,
                _ => return Err(NoValue::Unknown),
            },
            TruthNode::IsNull(index) => self.is_null(*index),
            TruthNode::Not(inner) => !self.truth(inner)?,
            TruthNode::All(parts) => return self.connect(parts, false),
            TruthNode::Any(parts) => return self.connect(parts, true),
            TruthNode::Choice(choice) => {
                return self.truth(if self.truth(&choice.when)? { &choice.yes } else { &choice.no });
            }
            TruthNode::Same(sides) => {
                let [one, other] = &**sides;
                let (one, other) = both(self.truth(one), self.truth(other))?;
                one == other
            }
            TruthNode::CompareWhole(relation, sides) => {
                let [one, other] = &**sides;
                let (one, other) = both(self.whole(one), self.whole(other))?;
                related(*relation, one.cmp(&other))
            }
            TruthNode::CompareNumber(relation, sides) => {
                let [one, other] = &**sides;
                let (one, other) = both(self.number(one), self.number(other))?;
                related(*relation, one.cmp(&other))
            }
            TruthNode::CompareToWhole(relation, index, at) => {
                let quick = self.column(*index).and_then(|(column, cell)| column.order_to_whole(cell, *at));
                let order = match quick {
                    Some(order) => order,
                    None => self.number_of(*index)?.cmp(&Decimal::from(*at)),
                };
                related(*relation, order)
            }
            TruthNode::CompareText(relation, sides) => {
                let [one, other] = &**sides;
                let (one, other) = both(self.text(one), self.text(other))?;
                match relation {
                    Relation::Equal => is_same(one, other),
                    Relation::NotEqual => !is_same(one, other),
                    // UTF-8 sorts as its code points do.
                    _ => related(*relation, one.cmp(other)),
                }
            }
            TruthNode::CompareInstant(relation, sides) => {
                let [one, other] = &**sides;
                let (one, other) = both(self.instant(one), self.instant(other))?;
                related(*relation, one.cmp(&other))
            }
            _ => return self.list_or_text(node),
        })
    }

    /// Evaluates what looks into a list or a text.
    fn list_or_text(&self, node: &'a TruthNode) -> Result<bool, NoValue> {
        Ok(match node {
            TruthNode::WholeIn(value, list) => list.binary_search(&self.whole(value)?).is_ok(),
            TruthNode::NumberIn(value, list) => list.binary_search(&self.number(value)?).is_ok(),
            TruthNode::InstantIn(value, list) => list.binary_search(&self.instant(value)?).is_ok(),
            TruthNode::TextIn(value, list) => {
                let text = self.text(value)?;
                if list.len() <= SHORT_LIST {
                    list.iter().any(|item| is_same(item, text))
                } else {
                    list.binary_search_by(|item| (**item).cmp(text)).is_ok()
                }
            }
            TruthNode::StartsWith(sides) => self.texts(sides, <[u8]>::starts_with)?,
            TruthNode::EndsWith(sides) => self.texts(sides, <[u8]>::ends_with)?,
            TruthNode::Contains(sides) => {
                self.texts(sides, |text, part| memmem::find(text, part).is_some())?
            }
            TruthNode::Matches(text, pattern) => pattern.is_match(self.text(text)?),
            _ => return Err(NoValue::Unknown),
        })
    }

    fn texts(&self, sides: &'a [TextNode; 2], test: fn(&[u8], &[u8]) -> bool) -> Result<bool, NoValue> {
        let [one, other] = sides;
        both(self.text(one), self.text(other)).map(|(one, other)| test(one, other))
    }

    /// Evaluates `&&` and `||`: the first part with the deciding value ends it, whatever the others are.
    fn connect(&self, parts: &'a [TruthNode], deciding: bool) -> Result<bool, NoValue> {
        let mut missing: Option<NoValue> = None;
        for part in parts {
            match self.truth(part) {
                Ok(value) if value == deciding => return Ok(deciding),
                Ok(_) => {}
                Err(reason) => missing = Some(missing.map_or(reason, |earlier| earlier.and(reason))),
            }
        }
        missing.map_or(Ok(!deciding), Err)
    }

    fn whole(&self, node: &'a WholeNode) -> Result<i128, NoValue> {
        match node {
            WholeNode::Constant(value) => Ok(*value),
            WholeNode::Column(index) => self.whole_of(*index),
            WholeNode::Negative(inner) => self.whole(inner).map(|value| -value),
            WholeNode::Compute(operation, sides) => {
                let [one, other] = &**sides;
                let (one, other) = both(self.whole(one), self.whole(other))?;
                compute_whole(*operation, one, other)
            }
            WholeNode::Size(text) => self.text(text).map(|text| i128::from(characters(text))),
            WholeNode::Choice(choice) => {
                self.whole(if self.truth(&choice.when)? { &choice.yes } else { &choice.no })
            }
        }
    }

    fn number(&self, node: &'a NumberNode) -> Result<Decimal, NoValue> {
        match node {
            NumberNode::Constant(value) => Ok(*value),
            NumberNode::Column(index) => self.number_of(*index),
            NumberNode::Whole(whole) => decimal_of(self.whole(whole)?),
            NumberNode::Negative(inner) => self.number(inner).map(Decimal::negated),
            NumberNode::Compute(operation, sides) => {
                let [one, other] = &**sides;
                let (one, other) = both(self.number(one), self.number(other))?;
                compute_number(*operation, one, other)
            }
            NumberNode::Choice(choice) => {
                self.number(if self.truth(&choice.when)? { &choice.yes } else { &choice.no })
            }
        }
    }

    fn text(&self, node: &'a TextNode) -> Result<&'a [u8], NoValue> {
        match node {
            TextNode::Constant(text) => Ok(text),
            TextNode::Column(index) => match self.column(*index) {
                Some((column, cell @ (Cell::Text(text) | Cell::String(text)))) if !column.is_null(cell) => {
                    Ok(text)
                }
                _ => Err(NoValue::Unknown),
            },
            TextNode::Choice(choice) => {
                self.text(if self.truth(&choice.when)? { &choice.yes } else { &choice.no })
            }
        }
    }

    fn instant(&self, node: &'a InstantNode) -> Result<i128, NoValue> {
        match node {
            InstantNode::Constant(value) => Ok(*value),
            InstantNode::Column(index) => self.instant_of(*index),
            // Years have four digits and durations 64 bits, so that no number of terms comes near the limits.
            InstantNode::Sum(sides) => {
                let [one, other] = &**sides;
                both(self.instant(one), self.instant(other)).map(|(one, other)| one.saturating_add(other))
            }
            InstantNode::Difference(sides) => {
                let [one, other] = &**sides;
                both(self.instant(one), self.instant(other)).map(|(one, other)| one.saturating_sub(other))
            }
            InstantNode::Day(inner) => {
                self.instant(inner).map(|nanos| nanos - nanos.rem_euclid(NANOS_PER_DAY))
            }
            InstantNode::Choice(choice) => {
                self.instant(if self.truth(&choice.when)? { &choice.yes } else { &choice.no })
            }
        }
    }

    #[inline]
    fn column(&self, index: u16) -> Option<(&'a Column, Cell<'a>)> {
        let place = usize::from(index);
        self.columns.get(place).map(|column| (column, (self.cell)(place)))
    }

    fn is_null(&self, index: u16) -> bool {
        self.column(index).is_none_or(|(column, cell)| column.is_null(cell))
    }

    #[inline]
    fn whole_of(&self, index: u16) -> Result<i128, NoValue> {
        if let Some((column, cell @ (Cell::Text(_) | Cell::Number(_)))) = self.column(index)
            && let Some(value) = column.plain_text(cell).and_then(small_integer)
        {
            return Ok(i128::from(value));
        }
        match self.read(index)? {
            Reading::Small(value) => Ok(i128::from(value)),
            Reading::Number(number) => whole(number).ok_or(NoValue::Unknown),
            _ => Err(NoValue::Unknown),
        }
    }

    fn number_of(&self, index: u16) -> Result<Decimal, NoValue> {
        match self.read(index)? {
            Reading::Number(value) => Ok(value),
            Reading::Small(value) => Ok(Decimal::from(value)),
            _ => Err(NoValue::Unknown),
        }
    }

    #[inline]
    fn instant_of(&self, index: u16) -> Result<i128, NoValue> {
        if let Some((column, cell @ (Cell::Text(_) | Cell::String(_)))) = self.column(index)
            && let Kind::Date(pattern) = &column.kind
            && let Some(day) = column.plain_text(cell).and_then(|text| pattern.iso_day(text))
        {
            return Ok(i128::from(day) * NANOS_PER_DAY);
        }
        match self.read(index)? {
            Reading::Instant(value) => Ok(value),
            _ => Err(NoValue::Unknown),
        }
    }

    /// Reads a cell as its column's type.
    #[inline]
    fn read(&self, index: u16) -> Result<Reading, NoValue> {
        let Some((column, cell)) = self.column(index).filter(|(column, cell)| !column.is_null(*cell)) else {
            return Err(NoValue::Unknown);
        };
        column.read(cell).map_err(|_| NoValue::Unknown)
    }
}

/// Returns a decimal without fraction as a whole number.
fn whole(number: Decimal) -> Option<i128> {
    let zeros = u32::try_from(number.exponent()).ok()?;
    number.coefficient().checked_mul(10_i128.checked_pow(zeros)?)
}

fn decimal_of(whole: i128) -> Result<Decimal, NoValue> {
    i64::try_from(whole).map(Decimal::from).or_else(|_| Decimal::new(whole, 0).ok_or(NoValue::Overflow))
}

/// Computes with whole numbers: quotients are cut towards zero, remainders have the sign of the dividend.
fn compute_whole(operation: Arithmetic, one: i128, other: i128) -> Result<i128, NoValue> {
    if other == 0 && matches!(operation, Arithmetic::Divide | Arithmetic::Remainder) {
        return Err(NoValue::DividedByZero);
    }
    let result = match operation {
        Arithmetic::Add => one.checked_add(other),
        Arithmetic::Subtract => one.checked_sub(other),
        Arithmetic::Multiply => one.checked_mul(other),
        Arithmetic::Divide => one.checked_div(other),
        Arithmetic::Remainder => one.checked_rem(other),
    };
    result.filter(|value| is_whole(*value)).ok_or(NoValue::Overflow)
}

fn compute_number(operation: Arithmetic, one: Decimal, other: Decimal) -> Result<Decimal, NoValue> {
    if other == Decimal::ZERO && matches!(operation, Arithmetic::Divide | Arithmetic::Remainder) {
        return Err(NoValue::DividedByZero);
    }
    let result = match operation {
        Arithmetic::Add => one.checked_add(other),
        Arithmetic::Subtract => one.checked_sub(other),
        Arithmetic::Multiply => one.checked_mul(other),
        Arithmetic::Divide => one.checked_div(other),
        Arithmetic::Remainder => one.checked_rem(other),
    };
    result.ok_or(NoValue::Overflow)
}
