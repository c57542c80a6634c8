//! The stored form of a cell.

use std::borrow::Cow;

use ledger::dynamodb::DIGITS;

use crate::column::Reading;
use crate::{Cell, Column, Decimal, Kind, Value};

impl Column {
    /// Returns the cell as it is stored: numbers exact, without leading zeros; dates and times in one ISO 8601 form.
    /// A cell that is not of the column's type (its type rule only warns) is stored as what it is.
    #[must_use]
    pub fn value<'a>(&self, cell: Cell<'a>) -> Value<'a> {
        if self.is_null(cell) {
            return Value::Null;
        }
        match (&self.kind, cell) {
            (Kind::Integer | Kind::Number { .. }, Cell::Text(digits)) => match self.read(cell) {
                Ok(Reading::Small(value)) if self.spelling.is_some() => {
                    Value::Number(Cow::Owned(value.to_string()))
                }
                Ok(Reading::Number(value)) if self.spelling.is_some() => {
                    Value::Number(Cow::Owned(value.to_string()))
                }
                Ok(_) => number(digits),
                Err(_) => text(digits),
            },
            (Kind::Boolean, Cell::Text(written)) => match self.read(cell) {
                Ok(Reading::Boolean(value)) => Value::Boolean(value),
                _ => text(written),
            },
            (Kind::Date(pattern) | Kind::Time(pattern), Cell::Text(written) | Cell::String(written)) => {
                if pattern.is_normal() {
                    return text(written);
                }
                pattern
                    .normal(written, None)
                    .map_or_else(|| text(written), |normal| Value::Text(normal.into()))
            }
            (Kind::Timestamp { pattern, default_zone }, Cell::Text(written) | Cell::String(written)) => {
                pattern
                    .normal(written, default_zone.as_ref())
                    .map_or_else(|| text(written), |normal| Value::Text(normal.into()))
            }
            (Kind::Object(_) | Kind::Array(_) | Kind::Map(_), Cell::Text(source))
                if self.kind.read(cell).is_ok() =>
            {
                document(source)
            }
            (_, Cell::Text(written) | Cell::String(written)) => text(written),
            (_, Cell::Number(digits)) => number(digits),
            (_, Cell::Boolean(value)) => Value::Boolean(value),
            (_, Cell::Object(source) | Cell::Array(source)) => document(source),
            (_, Cell::Absent | Cell::Null) => Value::Null,
        }
    }
}

fn text(written: &[u8]) -> Value<'_> {
    Value::Text(std::str::from_utf8(written).map_or_else(|_| String::from_utf8_lossy(written), Cow::Borrowed))
}

fn document(source: &[u8]) -> Value<'_> {
    std::str::from_utf8(source).map_or_else(|_| text(source), Value::Document)
}

/// Returns a number in canonical digits; one that DynamoDB cannot hold is kept as text.
fn number(digits: &[u8]) -> Value<'_> {
    match std::str::from_utf8(digits) {
        Ok(written) if is_canonical(digits) => Value::Number(Cow::Borrowed(written)),
        _ => match Decimal::parse(digits) {
            Some(number) => Value::Number(Cow::Owned(number.to_string())),
            None => text(digits),
        },
    }
}

/// Returns whether digits already are what [`Decimal`]'s `Display` writes. May say no when they are.
fn is_canonical(digits: &[u8]) -> bool {
    let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
    let mut parts = unsigned.splitn(2, |byte| *byte == b'.');
    let whole = parts.next().unwrap_or_default();
    let fraction = parts.next();
    let are_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    u32::try_from(unsigned.len()).is_ok_and(|digits| digits <= DIGITS)
        && are_digits(whole)
        && (whole.len() == 1 || whole.first() != Some(&b'0'))
        && fraction.is_none_or(|fraction| are_digits(fraction) && fraction.last() != Some(&b'0'))
        && digits != b"-0"
}

#[cfg(test)]
mod tests;
