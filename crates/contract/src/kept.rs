//! Whether a cell keeps every rule of its column, told without saying which one it breaks.
//!
//! Nearly every cell does, so this comes first and [`Column::check`] looks for what is broken only when the answer is
//! no. A yes is exact. A no may be wrong: whatever is rare or takes long to tell is left to the search.

use std::cmp::Ordering;

use crate::column::{Reading, characters, is_integer_multiple, small_integer};
use crate::decimal::{POWERS, read_small};
use crate::temporal::NANOS_PER_DAY;
use crate::{Bound, Cell, Check, Column, Kind, Measure, Pattern};

impl Column {
    /// Returns whether the cell breaks nothing. May say no when it does not.
    #[inline]
    pub(crate) fn is_kept_by(&self, cell: Cell<'_>) -> bool {
        match cell {
            Cell::Text(text) if !text.is_empty() && self.null_tokens.is_empty() => match &self.kind {
                Kind::Boolean | Kind::Integer | Kind::Number { .. } if self.spelling.is_some() => false,
                Kind::Boolean => self.checks.is_empty() && matches!(text, b"true" | b"false"),
                Kind::Integer | Kind::Number { .. } => self.is_kept_by_digits(text),
                kind => self.is_kept_by_string(kind, text),
            },
            Cell::String(text) => self.is_kept_by_string(&self.kind, text),
            Cell::Number(digits) => self.is_kept_by_digits(digits),
            Cell::Boolean(_) => self.checks.is_empty() && matches!(self.kind, Kind::Boolean),
            Cell::Absent | Cell::Null => self.required.is_none(),
            Cell::Text(_) | Cell::Object(_) | Cell::Array(_) => false,
        }
    }

    /// Returns the text of a cell that is written plainly and cannot be null: what the short cuts of a program read.
    #[inline]
    pub(crate) fn plain_text<'a>(&self, cell: Cell<'a>) -> Option<&'a [u8]> {
        match cell {
            Cell::Text(text)
                if !text.is_empty() && self.null_tokens.is_empty() && self.spelling.is_none() =>
            {
                Some(text)
            }
            Cell::String(text) | Cell::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the order of a number to a whole one, where that can be told from 64 bits.
    #[inline]
    pub(crate) fn order_to_whole(&self, cell: Cell<'_>, at: i64) -> Option<Ordering> {
        let Kind::Number { precision_scale } = self.kind else { return None };
        let digits = if matches!(cell, Cell::String(_)) { None } else { self.plain_text(cell) }?;
        let number = Number::read(digits).filter(|number| number.fits(precision_scale))?;
        number.order_to(at)
    }

    #[inline]
    fn is_kept_by_string(&self, kind: &Kind, text: &[u8]) -> bool {
        match kind {
            Kind::String => self.checks.iter().all(|(_, check)| check.is_kept_by_text(text)),
            Kind::Date(pattern) => self.is_kept_by_date(pattern, text),
            _ => false,
        }
    }

    fn is_kept_by_digits(&self, digits: &[u8]) -> bool {
        match self.kind {
            Kind::Integer => small_integer(digits)
                .is_some_and(|value| self.checks.iter().all(|(_, check)| check.is_kept_by_integer(value))),
            Kind::Number { precision_scale } => Number::read(digits).is_some_and(|number| {
                number.fits(precision_scale) && self.checks.iter().all(|(_, check)| number.keeps(check))
            }),
            _ => false,
        }
    }

    fn is_kept_by_date(&self, pattern: &Pattern, text: &[u8]) -> bool {
        let Some(day) = pattern.iso_day(text) else { return false };
        self.checks.iter().all(|(_, check)| {
            let order = |bound: &Bound| match bound.at {
                Measure::Instant(at) => Some((i128::from(day) * NANOS_PER_DAY).cmp(&at)),
                Measure::Number(_) => None,
            };
            check.is_kept_by_order(order)
        })
    }
}

impl Check {
    /// Returns whether a text keeps this rule; may say no when it does. A text has at most as many characters as
    /// bytes, and at least a quarter as many, so that most need not be counted.
    #[inline]
    fn is_kept_by_text(&self, text: &[u8]) -> bool {
        match self {
            Self::MinLength(least) => text.len() / 4 >= *least as usize || characters(text) >= *least,
            Self::MaxLength(most) => text.len() <= *most as usize,
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Format(format) => format.accepts(text),
            Self::OneOf(set) => set.has(&Reading::Plain, text),
            Self::NotOneOf(set) => !set.has(&Reading::Plain, text),
            _ => false,
        }
    }

    fn is_kept_by_integer(&self, value: i64) -> bool {
        match self {
            Self::Minimum(_) | Self::Maximum(_) => {
                self.is_kept_by_order(|bound| Some(value.cmp(&whole(bound)?)))
            }
            Self::MultipleOf(step) => is_integer_multiple(value, step),
            Self::OneOf(set) => set.has(&Reading::Small(value), b""),
            Self::NotOneOf(set) => !set.has(&Reading::Small(value), b""),
            _ => false,
        }
    }

    /// Returns whether this is a limit that is kept by a value of this order to it. No: another rule, or the order is
    /// not known.
    #[inline]
    fn is_kept_by_order(&self, order: impl Fn(&Bound) -> Option<Ordering>) -> bool {
        let (bound, right) = match self {
            Self::Minimum(bound) => (bound, Ordering::Greater),
            Self::Maximum(bound) => (bound, Ordering::Less),
            _ => return false,
        };
        order(bound).is_some_and(|order| order == right || (order == Ordering::Equal && !bound.exclusive))
    }
}

/// Returns a limit that is a whole number of 64 bits.
#[inline]
fn whole(bound: &Bound) -> Option<i64> {
    match bound.at {
        Measure::Number(at) => at.to_i64(),
        Measure::Instant(_) => None,
    }
}

/// A number as written, without an exponent and with digits that fit in 64 bits.
struct Number {
    /// All digits, with the sign.
    digits: i64,
    /// Digits before the point.
    before: u32,
    /// Digits after the point.
    after: u8,
}

impl Number {
    #[inline]
    fn read(text: &[u8]) -> Option<Self> {
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let (digits, after) = read_small(unsigned)?;
        let digits = i64::try_from(digits).ok()?;
        let point = usize::from(after > 0);
        let before = u32::try_from(unsigned.len() - usize::from(after) - point).ok()?;
        Some(Self { digits: if negative { -digits } else { digits }, before, after })
    }

    /// Returns whether the digits as written fit. Zeros at either end count here, as they do not in
    /// [`crate::Decimal::precision`].
    #[inline]
    fn fits(&self, precision_scale: Option<(u32, u32)>) -> bool {
        precision_scale.is_none_or(|(precision, scale)| {
            u32::from(self.after) <= scale && self.before <= precision.saturating_sub(scale)
        })
    }

    #[inline]
    fn keeps(&self, check: &Check) -> bool {
        check.is_kept_by_order(|bound| self.order_to(whole(bound)?))
    }

    #[inline]
    fn order_to(&self, at: i64) -> Option<Ordering> {
        let power = POWERS.get(usize::from(self.after))?;
        Some(self.digits.cmp(&at.checked_mul(*power)?))
    }
}
