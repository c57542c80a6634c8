//! Sets of values: enumerations, valid and invalid lists.

use crate::column::{Reading, source};
use crate::{Cell, Column, Decimal, Kind};

/// Sets of at most this number of values are searched one by one.
const SMALL: usize = 8;
/// Characters of a list in a message; what does not fit is counted.
const SHOWN_CHARACTERS: usize = 60;

/// A closed list of values, compared as the column's type compares: numbers by value (`1.0` is `1`), booleans and dates
/// by what they mean, text byte for byte.
#[derive(Clone, Debug, Default)]
pub struct CellSet {
    members: Members,
    /// The values as the contract writes them, for messages.
    words: String,
}

/// The values, sorted and each once.
#[derive(Clone, Debug)]
enum Members {
    /// By length, then by bytes.
    Texts(Vec<Vec<u8>>),
    Numbers(Vec<Decimal>),
    Booleans(Vec<bool>),
    Instants(Vec<i128>),
}

impl Default for Members {
    fn default() -> Self {
        Self::Texts(Vec::new())
    }
}

impl CellSet {
    /// Reads each text as a value of the type. The error names the first value that is none, by its 0-based index.
    pub fn new(texts: Vec<String>, kind: &Kind) -> Result<Self, String> {
        let words = listed(&texts);
        let mut numbers = Vec::new();
        let mut booleans = Vec::new();
        let mut instants = Vec::new();
        let mut strings = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            if matches!(kind, Kind::Object(_) | Kind::Array(_) | Kind::Map(_)) {
                return Err(
                    "a list of values is for plain values, found one on an object or array".to_owned()
                );
            }
            match kind.read(Cell::Text(text.as_bytes())) {
                Ok(Reading::Plain) => strings.push(text.into_bytes()),
                Ok(Reading::Small(number)) => numbers.push(Decimal::from(number)),
                Ok(Reading::Number(number)) => numbers.push(number),
                Ok(Reading::Boolean(value)) => booleans.push(value),
                Ok(Reading::Instant(instant)) => instants.push(instant),
                Err(_) => {
                    return Err(format!(
                        "value {index} of the list, {text:?}, is not of the property's type"
                    ));
                }
            }
        }
        let members = match kind {
            Kind::Integer | Kind::Number { .. } => Members::Numbers(sorted(numbers)),
            Kind::Boolean => Members::Booleans(sorted(booleans)),
            Kind::Date(_) | Kind::Timestamp { .. } | Kind::Time(_) => Members::Instants(sorted(instants)),
            Kind::String | Kind::Object(_) | Kind::Array(_) | Kind::Map(_) => {
                strings.sort_unstable_by(|one, two| (one.len(), one).cmp(&(two.len(), two)));
                strings.dedup();
                Members::Texts(strings)
            }
        };
        Ok(Self { members, words })
    }

    /// Returns whether a cell, read as the column's type, is in the list.
    #[must_use]
    pub fn contains(&self, column: &Column, cell: Cell<'_>) -> bool {
        let text = source(cell);
        let read = match cell {
            Cell::Text(_) => column.read(cell),
            _ => column.kind.read(Cell::Text(text)),
        };
        read.is_ok_and(|reading| self.has(&reading, text))
    }

    /// Returns whether each value of another list of the same type is in this one.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        match (&self.members, &other.members) {
            (Members::Texts(all), Members::Texts(some)) => some.iter().all(|text| all.contains(text)),
            (Members::Numbers(all), Members::Numbers(some)) => some.iter().all(|number| all.contains(number)),
            (Members::Booleans(all), Members::Booleans(some)) => some.iter().all(|value| all.contains(value)),
            (Members::Instants(all), Members::Instants(some)) => some.iter().all(|value| all.contains(value)),
            _ => false,
        }
    }

    /// Returns the values as the contract writes them: `one of CT, MR`. The end of a long list is counted and not
    /// shown.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Returns whether a value that was read is in the list.
    pub(crate) fn has(&self, reading: &Reading, text: &[u8]) -> bool {
        match (&self.members, reading) {
            (Members::Texts(texts), _) if texts.len() <= SMALL => texts.iter().any(|member| member == text),
            (Members::Texts(texts), _) => texts
                .binary_search_by(|member| (member.len(), member.as_slice()).cmp(&(text.len(), text)))
                .is_ok(),
            (Members::Numbers(numbers), Reading::Small(number)) => is_in(numbers, &Decimal::from(*number)),
            (Members::Numbers(numbers), Reading::Number(number)) => is_in(numbers, number),
            (Members::Booleans(booleans), Reading::Boolean(value)) => booleans.contains(value),
            (Members::Instants(instants), Reading::Instant(instant)) => is_in(instants, instant),
            _ => false,
        }
    }
}

/// Returns the values of a list for a message: `one of CT, MR`. The end of a long list is counted:
/// `one of CT, MR and 40 more`.
pub(crate) fn listed<T: AsRef<str>>(words: &[T]) -> String {
    if let [word] = words {
        return crate::finding::quoted(word.as_ref());
    }
    let mut shown = String::from("one of ");
    for (place, word) in words.iter().enumerate() {
        let word = word.as_ref();
        if place > 0 && shown.chars().count() + word.chars().count() > SHOWN_CHARACTERS {
            return format!("{shown} and {} more", words.len() - place);
        }
        shown.push_str(if place > 0 { ", " } else { "" });
        shown.extend(word.chars().take(SHOWN_CHARACTERS).map(crate::finding::printable));
    }
    shown
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

fn is_in<T: Ord>(sorted: &[T], value: &T) -> bool {
    if sorted.len() <= SMALL { sorted.contains(value) } else { sorted.binary_search(value).is_ok() }
}

#[cfg(test)]
mod tests;
