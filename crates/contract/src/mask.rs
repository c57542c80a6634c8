//! Masks: what is stored of a value in place of the value.
//!
//! A mask comes after all rules and before the key: rules see what the sender wrote, and neither a key nor an attribute
//! of the records table has it.

use std::borrow::Cow;

use crate::column::{Reading, source};
use crate::words::word_enum;
use crate::{Cell, Column, Kind, Value};

/// What stands for a value of which nothing is shown.
pub const REDACTED: &str = "***";

/// Characters that [`Mask::Last4`] shows.
const SHOWN: usize = 4;

/// Characters that a value must have for [`Mask::Last4`] to show any: no more than half of it is shown.
const LONG_ENOUGH: usize = 2 * SHOWN;

/// What is stored of a value that is not null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mask {
    /// The value itself.
    #[default]
    None,
    /// Nothing: the row has no such attribute.
    Drop,
    /// [`REDACTED`]: a value was there.
    Redact,
    /// [`REDACTED`] and the last four characters, where these are at most half of the value.
    Last4,
    /// The first characters, this many.
    Truncate(u32),
    /// The first instant of the year, month or day of a date or timestamp.
    TruncateDate(DateUnit),
}

word_enum! {
    /// What a date is truncated to.
    pub enum DateUnit {
        /// 1 January of its year.
        Year = "year",
        /// The first day of its month.
        Month = "month",
        /// The beginning of its day.
        Day = "day",
    }
}

impl Mask {
    /// Returns whether the records table holds less than the value.
    #[must_use]
    pub fn hides(self) -> bool {
        self != Self::None
    }

    /// Returns the mask as a contract says it.
    #[must_use]
    pub fn words(self) -> Cow<'static, str> {
        match self {
            Self::None => Cow::Borrowed("none"),
            Self::Drop => Cow::Borrowed("drop"),
            Self::Redact => Cow::Borrowed("redact"),
            Self::Last4 => Cow::Borrowed("last4"),
            Self::Truncate(characters) => Cow::Owned(format!("truncate: {characters}")),
            Self::TruncateDate(unit) => {
                let word =
                    DateUnit::WORDS.iter().find(|(_, known, _)| *known == unit).map(|(word, ..)| *word);
                Cow::Owned(format!("truncateDate: {}", word.unwrap_or_default()))
            }
        }
    }
}

impl Column {
    /// Returns the cell as a row has it: its [`Column::value`] behind the mask. `None`: the row has no such attribute.
    #[must_use]
    pub fn stored<'a>(&self, cell: Cell<'a>) -> Option<Value<'a>> {
        let value = match self.mask {
            Mask::None => return Some(self.value(cell)),
            Mask::Drop => return None,
            _ if self.is_null(cell) => return Some(Value::Null),
            Mask::Redact => None,
            Mask::Last4 => last(&self.text(cell)),
            Mask::Truncate(characters) => Some(first(&self.text(cell), characters as usize)),
            Mask::TruncateDate(unit) => self.truncated(cell, unit),
        };
        Some(Value::Text(value.map_or(Cow::Borrowed(REDACTED), Cow::Owned)))
    }

    /// Returns what a value is in text: as it is stored.
    fn text<'a>(&self, cell: Cell<'a>) -> Cow<'a, str> {
        match self.value(cell) {
            Value::Text(text) | Value::Number(text) => text,
            Value::Document(text) => Cow::Borrowed(text),
            Value::Boolean(_) | Value::Null => String::from_utf8_lossy(source(cell)),
        }
    }

    /// Returns the first instant of a unit of time; `None` where the cell is no date or timestamp, which a rule that
    /// only warns lets pass.
    fn truncated(&self, cell: Cell<'_>, unit: DateUnit) -> Option<String> {
        let is_dated = matches!(self.kind, Kind::Date(_) | Kind::Timestamp { .. });
        if !is_dated || !matches!(self.read(cell), Ok(Reading::Instant(_))) {
            return None;
        }
        let mut text = self.text(cell).into_owned();
        // `2026-01-05T09:30:00.250Z`: of one width in the whole column.
        let (kept, day) = match unit {
            DateUnit::Year => (5, "01-01"),
            DateUnit::Month => (8, "01"),
            DateUnit::Day => (10, ""),
        };
        let time: String = text
            .get(10..)?
            .chars()
            .map(|character| if character.is_ascii_digit() { '0' } else { character })
            .collect();
        text.truncate(kept);
        Some(text + day + &time)
    }
}

fn last(text: &str) -> Option<String> {
    let characters = text.chars().count();
    (characters >= LONG_ENOUGH).then(|| {
        let shown = text.chars().skip(characters - SHOWN);
        REDACTED.chars().chain(shown).collect()
    })
}

fn first(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests;
