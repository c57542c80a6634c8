//! Transforms: what becomes of a cell before the rules of its property see it.
//!
//! The steps of a property run in their order, each on the result of the one before. What goes through a step is read
//! as a CSV cell is: as the property's own type, and nothing as null. Rejects have what the sender wrote.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ledger::dynamodb::{DIGITS, ITEM_BYTES};
use regex::Regex;

use crate::column::Reading;
use crate::{Cell, Column, Decimal, Found, Kind, Pattern};

/// One step of a transform.
#[derive(Clone, Debug)]
pub enum Transform {
    /// Removes white space at both ends.
    Trim,
    /// Writes letters as capital ones (Unicode, the same for all languages).
    Upper,
    /// Writes letters as small ones.
    Lower,
    /// Replaces a whole text by another; one that is not listed stays.
    Map(BTreeMap<String, String>),
    /// Stands in for null.
    Default(String),
    /// Replaces every match of a pattern.
    Replace {
        /// What is looked for.
        pattern: Regex,
        /// What stands in its place; `$1` and `${name}` are groups of the match, `$$` is a dollar sign.
        with: String,
    },
    /// Keeps one of the parts between separators; null when there is no such part.
    Split {
        /// What stands between two parts; not empty.
        by: String,
        /// Which part: 1 is the first one, -1 the last one; not 0.
        take: i32,
    },
    /// Multiplies a number, exactly. What is no number stays, for the rule on the type to say so.
    Multiply(Decimal),
    /// Reads a date or time by the first of these patterns that fits, and writes it in ISO 8601. What fits none stays.
    Dates(Vec<Pattern>),
}

/// A cell after the steps.
///
/// Deliberately without `Debug` and `Display`, as [`Cell`].
#[derive(Clone, PartialEq, Eq)]
pub enum Transformed<'a> {
    /// As it was sent.
    Sent(Cell<'a>),
    /// Null.
    Null,
    /// Text of the property's type.
    Text(Cow<'a, str>),
    /// Digits of a number.
    Number(String),
}

/// Why a cell cannot be transformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untransformed {
    /// The result has at least this number of bytes, more than a row can hold.
    TooLong(usize),
    /// The exact product cannot be stored.
    Product(Found),
}

impl Column {
    /// Runs the steps of the property's transform on a cell.
    ///
    /// # Errors
    ///
    /// When the result cannot be stored.
    pub fn transformed<'a>(&'a self, cell: Cell<'a>) -> Result<Transformed<'a>, Untransformed> {
        self.run(&self.transform, Transformed::Sent(cell))
    }

    /// Runs the steps after the one at this place on the text that it made.
    pub(crate) fn transformed_after<'a>(
        &'a self,
        place: usize,
        text: &'a str,
    ) -> Result<Transformed<'a>, Untransformed> {
        let steps = self.transform.get(place + 1..).unwrap_or_default();
        self.run(steps, Transformed::Text(Cow::Borrowed(text)))
    }

    fn run<'a>(
        &'a self,
        steps: &'a [Transform],
        cell: Transformed<'a>,
    ) -> Result<Transformed<'a>, Untransformed> {
        steps.iter().try_fold(cell, |draft, step| step.apply(self, draft))
    }
}

impl Transformed<'_> {
    /// Returns the cell that the rules see.
    #[must_use]
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Self::Sent(cell) => *cell,
            Self::Null => Cell::Null,
            Self::Text(text) => Cell::Text(text.as_bytes()),
            Self::Number(digits) => Cell::Number(digits.as_bytes()),
        }
    }
}

impl Transform {
    /// Returns the step as a contract says it.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Trim => "trim".to_owned(),
            Self::Upper => "upper".to_owned(),
            Self::Lower => "lower".to_owned(),
            Self::Map(words) => {
                let pairs: Vec<String> = words.iter().map(|(from, to)| format!("{from:?}: {to:?}")).collect();
                format!("map: {{ {} }}", pairs.join(", "))
            }
            Self::Default(text) => format!("default: {text:?}"),
            Self::Replace { pattern, with } => format!("replace: {:?} with {with:?}", pattern.as_str()),
            Self::Split { by, take } => format!("split: by {by:?} take {take}"),
            Self::Multiply(factor) => format!("multiply: {factor}"),
            Self::Dates(patterns) => {
                let sources: Vec<String> =
                    patterns.iter().map(|pattern| format!("{:?}", pattern.source())).collect();
                format!("dates: {}", sources.join(", "))
            }
        }
    }

    /// Runs one step. Nulls stay, but for `default`; so do objects and arrays, which are of no type that has steps.
    fn apply<'a>(
        &'a self,
        column: &Column,
        draft: Transformed<'a>,
    ) -> Result<Transformed<'a>, Untransformed> {
        if column.is_null(draft.cell()) {
            return Ok(match self {
                Self::Default(text) => Transformed::Text(Cow::Borrowed(text)),
                _ => draft,
            });
        }
        if matches!(self, Self::Default(_)) {
            return Ok(draft);
        }
        if let Self::Multiply(factor) = self {
            return Ok(product(column, draft.cell(), *factor)?.map_or(draft, Transformed::Number));
        }
        match text_of(draft) {
            Ok(text) => self.rewrite(column, text),
            Err(draft) => Ok(draft),
        }
    }

    fn rewrite<'a>(&'a self, column: &Column, text: Cow<'a, str>) -> Result<Transformed<'a>, Untransformed> {
        let text = match self {
            Self::Trim => part(text, |text| Some(text.trim())),
            Self::Upper => Some(Cow::Owned(text.to_uppercase())),
            Self::Lower => Some(Cow::Owned(text.to_lowercase())),
            Self::Map(words) => Some(match words.get(&*text) {
                Some(word) => Cow::Borrowed(word.as_str()),
                None => text,
            }),
            Self::Replace { pattern, with } => Some(replace(pattern, with, text)?),
            Self::Split { by, take } => part(text, |text| nth(text, by, *take)),
            Self::Dates(patterns) => Some(dates(patterns, column, text)),
            Self::Default(_) | Self::Multiply(_) => Some(text),
        };
        let Some(text) = text else { return Ok(Transformed::Null) };
        if text.len() > ITEM_BYTES {
            return Err(Untransformed::TooLong(text.len()));
        }
        Ok(Transformed::Text(text))
    }
}

/// Returns the text that steps see: numbers as they were written.
fn text_of(draft: Transformed<'_>) -> Result<Cow<'_, str>, Transformed<'_>> {
    let written = match draft {
        Transformed::Text(text) => return Ok(text),
        Transformed::Number(digits) => return Ok(Cow::Owned(digits)),
        Transformed::Sent(Cell::Text(text) | Cell::String(text) | Cell::Number(text)) => text,
        Transformed::Sent(Cell::Boolean(value)) => {
            return Ok(Cow::Borrowed(if value { "true" } else { "false" }));
        }
        Transformed::Sent(Cell::Absent | Cell::Null | Cell::Object(_) | Cell::Array(_))
        | Transformed::Null => {
            return Err(draft);
        }
    };
    Ok(String::from_utf8_lossy(written))
}

/// Keeps a part of a text.
fn part(text: Cow<'_, str>, keep: impl Fn(&str) -> Option<&str>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => keep(text).map(Cow::Borrowed),
        Cow::Owned(text) => keep(&text).map(|kept| Cow::Owned(kept.to_owned())),
    }
}

fn nth<'a>(text: &'a str, by: &str, take: i32) -> Option<&'a str> {
    let skip = usize::try_from(take.unsigned_abs()).ok()?.checked_sub(1)?;
    if take > 0 { text.split(by).nth(skip) } else { text.rsplit(by).nth(skip) }
}

/// Replaces all matches; stops where the result is longer than a row can be.
fn replace<'a>(pattern: &Regex, with: &str, text: Cow<'a, str>) -> Result<Cow<'a, str>, Untransformed> {
    let mut made = String::new();
    let mut end = 0;
    for groups in pattern.captures_iter(&text) {
        let Some(found) = groups.get(0) else { continue };
        made.push_str(text.get(end..found.start()).unwrap_or_default());
        groups.expand(with, &mut made);
        end = found.end();
        if made.len() > ITEM_BYTES {
            return Err(Untransformed::TooLong(made.len()));
        }
    }
    if made.is_empty() && end == 0 {
        return Ok(text);
    }
    made.push_str(text.get(end..).unwrap_or_default());
    Ok(Cow::Owned(made))
}

/// Returns the exact product; `None` when the cell is no number. What the type says of digits is for the product.
fn product(column: &Column, cell: Cell<'_>, factor: Decimal) -> Result<Option<String>, Untransformed> {
    let number = Kind::Number { precision_scale: None };
    let reading = match (cell, column.spelling.as_deref()) {
        (Cell::Text(text), Some(spelling)) if !spelling.has_plain_numbers() => {
            spelling.number(text, |plain| number.read(Cell::Number(plain)))
        }
        _ => number.read(cell),
    };
    let Ok(Reading::Number(number)) = reading else { return Ok(None) };
    number.times(factor).map(|product| Some(product.to_string())).ok_or(Untransformed::Product(
        Found::SignificantDigits { digits: number.precision() + factor.precision(), most: DIGITS },
    ))
}

fn dates<'a>(patterns: &[Pattern], column: &Column, text: Cow<'a, str>) -> Cow<'a, str> {
    let zone = match &column.kind {
        Kind::Timestamp { default_zone, .. } => default_zone.as_ref(),
        _ => None,
    };
    let read = patterns.iter().find_map(|pattern| pattern.normal(text.as_bytes(), zone));
    read.map_or(text, Cow::Owned)
}

#[cfg(test)]
mod tests;
