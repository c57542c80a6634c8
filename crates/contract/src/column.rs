//! The check of one cell against its column: null, type, then each rule.

use std::cmp::Ordering;

use crate::{Bound, Cell, Check, Column, Decimal, Found, Kind, Measure, Violation, nested};

/// Most digits of an integer, as of any DynamoDB number.
const DIGITS: usize = 38;
/// So many digits are below 2^63.
const SMALL_DIGITS: usize = 18;

/// A cell of the right type, with what its rules compare.
#[derive(Clone, Copy)]
pub(crate) enum Reading {
    /// Text, or an object or array.
    Plain,
    /// A whole number.
    Small(i64),
    /// Any other number.
    Number(Decimal),
    /// A boolean.
    Boolean(bool),
    /// A date or time, as `temporal` counts.
    Instant(i128),
}

impl Column {
    /// Whether the cell is null for this column: no field, JSON null, an empty CSV cell, or one of the null tokens.
    /// Null tokens are spellings of CSV cells; a JSON string is never null.
    #[must_use]
    pub fn is_null(&self, cell: Cell<'_>) -> bool {
        match cell {
            Cell::Absent | Cell::Null => true,
            Cell::Text(text) => text.is_empty() || self.null_tokens.iter().any(|token| token == text),
            _ => false,
        }
    }

    /// Adds what the cell breaks. `index` is the place of the top-level column, also for a nested property. A null
    /// breaks at most the required rule; a cell of the wrong type breaks that rule only.
    #[inline]
    pub fn check(&self, index: u16, cell: Cell<'_>, violations: &mut Vec<Violation>) {
        if !self.is_kept_by(cell) {
            self.find_broken(index, cell, None, violations);
        }
    }

    /// [`Column::check`] within an object or array that adds no violation beyond the length `most`.
    pub(crate) fn check_nested(
        &self,
        index: u16,
        cell: Cell<'_>,
        most: usize,
        violations: &mut Vec<Violation>,
    ) {
        if violations.len() < most && !self.is_kept_by(cell) {
            self.find_broken(index, cell, Some(most), violations);
        }
    }

    /// [`Column::check`] without a look ahead.
    fn find_broken(&self, index: u16, cell: Cell<'_>, most: Option<usize>, violations: &mut Vec<Violation>) {
        let mut add = |rule, found| violations.push(Violation { rule, column: Some(index), found });
        if self.is_null(cell) {
            if let Some(rule) = self.required {
                add(rule, if matches!(cell, Cell::Absent) { Found::Absent } else { Found::Null });
            }
            return;
        }
        let read = self.kind.read(cell);
        // Not moved out: the copy would cost more than most rules.
        let reading = match &read {
            Ok(reading) => reading,
            Err(found) => return add(self.type_rule, *found),
        };
        for (rule, check) in &self.checks {
            if let Some(found) = check.broken_by(reading, source(cell)) {
                add(*rule, found);
            }
        }
        if matches!(self.kind, Kind::Object(_) | Kind::Array(_) | Kind::Map(_)) {
            let before = violations.len();
            let most = most.unwrap_or_else(|| before.saturating_add(nested::MOST_VIOLATIONS));
            nested::check(&self.kind, index, source(cell), most, violations);
            // What the contract says of the members comes first: it is nearer to the place.
            let unstorable = (violations.len() == before).then(|| nested::unstorable_number(source(cell)));
            if let Some(found) = unstorable.flatten() {
                violations.push(Violation { rule: self.type_rule, column: Some(index), found });
            }
        }
    }
}

impl Check {
    /// Whether the cell keeps this rule. A null keeps every rule, a cell of the wrong type none.
    #[must_use]
    pub fn passes(&self, column: &Column, cell: Cell<'_>) -> bool {
        column.is_null(cell)
            || column.kind.read(cell).is_ok_and(|reading| self.broken_by(&reading, source(cell)).is_none())
    }

    /// The shape of what breaks this rule.
    fn broken_by(&self, reading: &Reading, text: &[u8]) -> Option<Found> {
        match self {
            Self::Minimum(bound) => is_beyond(bound, reading, Ordering::Less).then_some(Found::Below),
            Self::Maximum(bound) => is_beyond(bound, reading, Ordering::Greater).then_some(Found::Above),
            Self::MultipleOf(step) => (!is_multiple(reading, step)).then_some(Found::Unspecified),
            Self::OneOf(set) => (!set.has(reading, text)).then_some(Found::Unspecified),
            Self::NotOneOf(set) => set.has(reading, text).then_some(Found::Unspecified),
            _ => self.broken_by_text(text),
        }
    }

    /// The shape of what breaks this rule, for a cell that is no number, boolean, date or time: rules on those say
    /// nothing of it.
    fn broken_by_text(&self, text: &[u8]) -> Option<Found> {
        match self {
            Self::MinLength(least) => {
                let count = characters(text);
                (count < *least).then_some(Found::Characters(count))
            }
            Self::MaxLength(most) => {
                let count = characters(text);
                (count > *most).then_some(Found::Characters(count))
            }
            Self::Pattern(pattern) => pattern.mismatch(text),
            Self::Format(format) => (!format.accepts(text)).then(|| Found::Characters(characters(text))),
            Self::Minimum(_) | Self::Maximum(_) | Self::MultipleOf(_) => None,
            Self::OneOf(set) => (!set.has(&Reading::Plain, text)).then_some(Found::Unspecified),
            Self::NotOneOf(set) => set.has(&Reading::Plain, text).then_some(Found::Unspecified),
            Self::MinItems(least) => {
                let count = nested::count(text);
                (count < *least).then_some(Found::Count(count))
            }
            Self::MaxItems(most) => {
                let count = nested::count(text);
                (count > *most).then_some(Found::Count(count))
            }
            Self::UniqueItems => nested::has_repeats(text).then_some(Found::Unspecified),
        }
    }
}

impl Kind {
    /// Reads a cell that is not null as this type.
    pub(crate) fn read(&self, cell: Cell<'_>) -> Result<Reading, Found> {
        match (self, cell) {
            (Self::String, Cell::Text(_) | Cell::String(_)) => Ok(Reading::Plain),
            (Self::Integer, Cell::Text(text) | Cell::Number(text)) => read_integer(text),
            (Self::Number { precision_scale }, Cell::Text(text) | Cell::Number(text)) => {
                read_number(text, *precision_scale)
            }
            (Self::Boolean, Cell::Boolean(value)) => Ok(Reading::Boolean(value)),
            (Self::Boolean, Cell::Text(text)) => read_boolean(text),
            (Self::Date(pattern) | Self::Time(pattern), Cell::Text(text) | Cell::String(text)) => {
                pattern.parse(text, None).map(Reading::Instant)
            }
            (Self::Timestamp { pattern, default_zone }, Cell::Text(text) | Cell::String(text)) => {
                pattern.parse(text, default_zone.as_ref()).map(Reading::Instant)
            }
            (Self::Object(_) | Self::Map(_), Cell::Object(_)) | (Self::Array(_), Cell::Array(_)) => {
                Ok(Reading::Plain)
            }
            (Self::Object(_) | Self::Map(_), Cell::Text(text)) => nested::verify(text, b'{'),
            (Self::Array(_), Cell::Text(text)) => nested::verify(text, b'['),
            _ => Err(wrong_kind(cell)),
        }
    }
}

/// What a cell is instead of what it should be.
fn wrong_kind(cell: Cell<'_>) -> Found {
    match cell {
        Cell::Absent => Found::Absent,
        Cell::Null => Found::Null,
        Cell::Text(text) => Found::Characters(characters(text)),
        Cell::String(_) => Found::JsonKind("string"),
        Cell::Number(_) => Found::JsonKind("number"),
        Cell::Boolean(_) => Found::JsonKind("boolean"),
        Cell::Object(_) => Found::JsonKind("object"),
        Cell::Array(_) => Found::JsonKind("array"),
    }
}

/// The text that rules on text look at.
fn source(cell: Cell<'_>) -> &[u8] {
    match cell {
        Cell::Text(text)
        | Cell::String(text)
        | Cell::Number(text)
        | Cell::Object(text)
        | Cell::Array(text) => text,
        Cell::Boolean(true) => b"true",
        Cell::Boolean(false) => b"false",
        Cell::Absent | Cell::Null => b"",
    }
}

/// Unicode code points of valid UTF-8: the bytes that begin one.
pub(crate) fn characters(text: &[u8]) -> u32 {
    let count = text.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The 1-based position of the character that begins at a 0-based byte, all before it being ASCII.
fn character_at(at: usize) -> Found {
    Found::CharacterAt(u32::try_from(at).map_or(u32::MAX, |at| at.saturating_add(1)))
}

/// `-?digits`, leading zeros allowed, within ±(10^38 − 1).
fn read_integer(text: &[u8]) -> Result<Reading, Found> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    let sign = usize::from(negative);
    if digits.is_empty() {
        return Err(character_at(sign));
    }
    if digits.len() > SMALL_DIGITS {
        if let Some(at) = digits.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(character_at(sign + at));
        }
        let significant = digits.len() - digits.iter().take_while(|byte| **byte == b'0').count();
        if significant > DIGITS {
            return Err(Found::Digits(u32::try_from(significant).unwrap_or(u32::MAX)));
        }
        return Decimal::read(text).map(Reading::Number);
    }
    match small_integer(text) {
        Some(value) => Ok(Reading::Small(value)),
        None => Err(character_at(
            digits.iter().position(|byte| !byte.is_ascii_digit()).map_or(text.len(), |at| sign + at),
        )),
    }
}

/// `-?digits` of at most 18 digits.
#[inline]
pub(crate) fn small_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > SMALL_DIGITS {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// A decimal that fits its precision and scale.
fn read_number(text: &[u8], precision_scale: Option<(u32, u32)>) -> Result<Reading, Found> {
    let number = Decimal::read(text)?;
    let Some((precision, scale)) = precision_scale else { return Ok(Reading::Number(number)) };
    if number.scale() > scale {
        return Err(Found::Digits(number.scale()));
    }
    let digits = number.precision();
    if digits - number.scale() > precision.saturating_sub(scale) {
        return Err(Found::Digits(digits));
    }
    Ok(Reading::Number(number))
}

/// A boolean of a CSV cell.
fn read_boolean(text: &[u8]) -> Result<Reading, Found> {
    if text == b"1" || text.eq_ignore_ascii_case(b"true") {
        return Ok(Reading::Boolean(true));
    }
    if text == b"0" || text.eq_ignore_ascii_case(b"false") {
        return Ok(Reading::Boolean(false));
    }
    Err(Found::Characters(characters(text)))
}

/// Whether a value lies on the wrong side of a bound. A bound of another type than the value says nothing.
fn is_beyond(bound: &Bound, reading: &Reading, wrong: Ordering) -> bool {
    let order = match (reading, &bound.at) {
        (Reading::Small(value), Measure::Number(at)) => match at.to_i64() {
            Some(at) => value.cmp(&at),
            None => Decimal::from(*value).cmp(at),
        },
        (Reading::Number(value), Measure::Number(at)) => value.cmp(at),
        (Reading::Instant(value), Measure::Instant(at)) => value.cmp(at),
        _ => return false,
    };
    order == wrong || (bound.exclusive && order == Ordering::Equal)
}

fn is_multiple(reading: &Reading, step: &Decimal) -> bool {
    match reading {
        Reading::Small(value) => is_integer_multiple(*value, step),
        Reading::Number(value) => value.is_multiple_of(step),
        _ => true,
    }
}

pub(crate) fn is_integer_multiple(value: i64, step: &Decimal) -> bool {
    match step.to_i64() {
        Some(step) if step != 0 => value.checked_rem(step).is_none_or(|rest| rest == 0),
        _ => Decimal::from(value).is_multiple_of(step),
    }
}

#[cfg(test)]
mod tests;
