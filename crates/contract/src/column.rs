//! The check of one cell against its column: null, type, then each rule.

use std::cmp::Ordering;

use ledger::dynamodb::DIGITS;

use crate::decimal::not_a_number;
use crate::{
    Bound, Cell, Check, Column, Decimal, Found, JsonKind, Kind, Mask, Measure, RuleIndex, Violation, nested,
    spelling,
};

/// Number of digits that are always below 2^63.
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
    /// Makes a column of a name and a type: optional, without rules, stored as it is.
    #[must_use]
    pub fn new(name: &str, kind: Kind, type_rule: RuleIndex) -> Self {
        Self {
            name: name.to_owned(),
            physical_name: name.to_owned(),
            synonyms: Vec::new(),
            source_path: None,
            kind,
            type_rule,
            required: None,
            transform: Vec::new(),
            mask: Mask::None,
            null_tokens: Vec::new(),
            spelling: None,
            classified: false,
            checks: Vec::new(),
        }
    }

    /// Returns whether the cell is null for this column: no field, JSON null, an empty CSV cell, or one of the null
    /// tokens. Null tokens are spellings of CSV cells; a JSON string is never null.
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

    /// Reads a cell that is not null as the column's type, in the spelling of its format.
    pub(crate) fn read(&self, cell: Cell<'_>) -> Result<Reading, Found> {
        match (&self.kind, cell, self.spelling.as_deref()) {
            (Kind::Integer | Kind::Number { .. }, Cell::Text(text), Some(spelling))
                if !spelling.has_plain_numbers() =>
            {
                spelling.number(text, |plain| self.kind.read(Cell::Number(plain)))
            }
            (Kind::Integer | Kind::Number { .. }, Cell::Text(text), _) => {
                self.kind.read(cell).map_err(|found| spelling::with_separators(text, found))
            }
            (Kind::Boolean, Cell::Text(text), Some(spelling)) => spelling.boolean(text).map(Reading::Boolean),
            _ => self.kind.read(cell),
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
        let read = self.read(cell);
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
    /// Returns whether the cell keeps this rule. A null keeps every rule, a cell of the wrong type none.
    #[must_use]
    pub fn passes(&self, column: &Column, cell: Cell<'_>) -> bool {
        column.is_null(cell)
            || column.read(cell).is_ok_and(|reading| self.broken_by(&reading, source(cell)).is_none())
    }

    /// Returns what breaks this rule.
    fn broken_by(&self, reading: &Reading, text: &[u8]) -> Option<Found> {
        match self {
            Self::Minimum(bound) => is_beyond(bound, reading, Ordering::Less).then_some(Found::Below),
            Self::Maximum(bound) => is_beyond(bound, reading, Ordering::Greater).then_some(Found::Above),
            Self::MultipleOf(step) => (!is_multiple(reading, step)).then_some(Found::NotAMultiple),
            Self::OneOf(set) => (!set.has(reading, text)).then_some(Found::NotListed),
            Self::NotOneOf(set) => set.has(reading, text).then_some(Found::MissingWord),
            _ => self.broken_by_text(text),
        }
    }

    /// Returns what breaks this rule, for a cell that is no number, boolean, date or time: rules on those say
    /// nothing of it.
    fn broken_by_text(&self, text: &[u8]) -> Option<Found> {
        match self {
            Self::MinLength(least) => {
                let characters = characters(text);
                (characters < *least).then_some(Found::TooShort { characters, least: *least })
            }
            Self::MaxLength(most) => {
                let characters = characters(text);
                (characters > *most).then_some(Found::TooLong { characters, most: *most })
            }
            Self::Pattern(pattern) => pattern.mismatch(text).map(Found::NoMatch),
            Self::Format(format) => (!format.accepts(text)).then_some(Found::OtherForm),
            Self::Minimum(_) | Self::Maximum(_) | Self::MultipleOf(_) => None,
            Self::OneOf(set) => (!set.has(&Reading::Plain, text)).then_some(Found::NotListed),
            Self::NotOneOf(set) => set.has(&Reading::Plain, text).then_some(Found::MissingWord),
            Self::MinItems(least) => {
                let count = nested::count(text);
                (count < *least).then(|| Found::TooFew { count: capped(count), least: capped(*least) })
            }
            Self::MaxItems(most) => {
                let count = nested::count(text);
                (count > *most).then(|| Found::TooMany { count: capped(count), most: capped(*most) })
            }
            Self::UniqueItems => nested::has_repeats(text).then_some(Found::RepeatedItem),
        }
    }
}

fn capped(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
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
            (Self::Boolean, Cell::Text(text)) => spelling::boolean(text).map(Reading::Boolean),
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

/// Returns what a cell is instead of what it should be. Text of a CSV is read as each type, so it never comes here.
fn wrong_kind(cell: Cell<'_>) -> Found {
    match cell {
        Cell::Absent => Found::Absent,
        Cell::Null => Found::Null,
        Cell::Text(_) => Found::Unspecified,
        Cell::String(_) => Found::JsonKind(JsonKind::String),
        Cell::Number(_) => Found::JsonKind(JsonKind::Number),
        Cell::Boolean(_) => Found::JsonKind(JsonKind::Boolean),
        Cell::Object(_) => Found::JsonKind(JsonKind::Object),
        Cell::Array(_) => Found::JsonKind(JsonKind::Array),
    }
}

/// Returns the text that rules on text look at.
pub(crate) fn source(cell: Cell<'_>) -> &[u8] {
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

/// Reads a whole number within ±(10^38 − 1), leading zeros allowed. A fraction of zeros and an exponent are allowed
/// when the number is whole: `1.0` and `1e2` are integers, as in JSON Schema.
fn read_integer(text: &[u8]) -> Result<Reading, Found> {
    if let Some(value) = small_integer(text) {
        return Ok(Reading::Small(value));
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() {
        return Err(not_a_number(text, text.len()));
    }
    let number = Decimal::read(text)?;
    if !number.is_integer() {
        return Err(Found::Fraction);
    }
    let digits = number.precision();
    if digits > DIGITS {
        return Err(Found::SignificantDigits { digits, most: DIGITS });
    }
    Ok(number.to_i64().map_or(Reading::Number(number), Reading::Small))
}

/// Returns `-?digits` of at most 18 digits.
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

/// Reads a decimal that fits its precision and scale.
fn read_number(text: &[u8], precision_scale: Option<(u32, u32)>) -> Result<Reading, Found> {
    let number = Decimal::read(text)?;
    let Some((precision, scale)) = precision_scale else { return Ok(Reading::Number(number)) };
    if number.scale() > scale {
        return Err(Found::FractionDigits { digits: number.scale(), most: scale });
    }
    let (digits, most) = (number.precision() - number.scale(), precision.saturating_sub(scale));
    if digits > most {
        return Err(Found::IntegerDigits { digits, most });
    }
    Ok(Reading::Number(number))
}

/// Returns whether a value lies on the wrong side of a bound. A bound of another type than the value says nothing.
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
