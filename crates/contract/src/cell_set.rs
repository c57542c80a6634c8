//! Sets of values: enumerations, valid and invalid lists.

use crate::column::Reading;
use crate::{Cell, Decimal, Kind};

/// Sets of at most so many values are searched one by one.
const SMALL: usize = 8;

/// A closed list of values, compared as the column's type compares: numbers by value (`1.0` is `1`), booleans and dates
/// by what they mean, text byte for byte.
#[derive(Clone, Debug, Default)]
pub struct CellSet {
    members: Members,
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
        Ok(Self { members })
    }

    /// Whether a text, read as the column's type, is in the list.
    #[must_use]
    pub fn contains(&self, kind: &Kind, text: &[u8]) -> bool {
        kind.read(Cell::Text(text)).is_ok_and(|reading| self.has(&reading, text))
    }

    /// Whether a value that was read is in the list.
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
