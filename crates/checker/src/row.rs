//! What a row is stored as: its key, its version, its values.

use contract::{Cell, Contract, Decimal, Kind, Value};

use crate::{Record, Row};

impl<'a> Row<'a> {
    /// Returns the values of the primary key as they are stored, joined with `#`; `%` and `#` within a value as `%25`
    /// and `%23`, so that different keys differ. `None`: the feed has no primary key.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let columns = &self.contract.primary_key;
        let mut key = Vec::new();
        (!columns.is_empty() && write_tuple(self.contract, &self.record, columns, TupleOf::Stored, &mut key))
            .then(|| String::from_utf8_lossy(&key).into_owned())
    }

    /// Returns the value of the column that orders versions of one key, as a text that sorts as the values do: dates
    /// and times in ISO 8601, numbers as [`sortable`] writes them. `None`: no column does, or it is null.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let index = self.contract.version_from?;
        match value(self.contract, &self.record, index) {
            Value::Null => None,
            Value::Number(digits) => Some(sortable(&digits)),
            Value::Text(text) => Some(text.into_owned()),
            Value::Boolean(flag) => Some(flag.to_string()),
            Value::Document(text) => Some(text.to_owned()),
        }
    }

    /// Returns each property's name and what is stored of its value, in the contract's order. A property whose mask
    /// drops it is not among them.
    pub fn values(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let Self { contract, record } = *self;
        contract.columns.iter().enumerate().filter_map(move |(index, column)| {
            Some((column.name.as_str(), column.stored(record.cell(index))?))
        })
    }
}

/// Returns a number as a text that sorts as the numbers do, also where a text with a first character below the digits
/// follows: `0` for zero; `1`, the place of the first digit plus 200, and the significant digits for a positive
/// number; `-`, and the nines' complement of the same, for a negative one. 42 is `120142`. DynamoDB's numbers have
/// places from -130 to 125.
fn sortable(digits: &str) -> String {
    let Some(number) = Decimal::parse(digits.as_bytes()) else { return digits.to_owned() };
    let written = number.coefficient().unsigned_abs().to_string();
    let significant = written.trim_end_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let length = i32::try_from(written.len()).unwrap_or(i32::MAX);
    let place = i32::from(number.exponent()).saturating_add(length) + 199;
    let positive = format!("{place:03}{significant}");
    if number.coefficient() > 0 {
        return format!("1{positive}");
    }
    // The tilde sorts after every digit: of -1 and -1.5, whose digits begin alike, the shorter is the greater.
    let complement = positive.bytes().map(|digit| char::from(b'9' - digit + b'0'));
    std::iter::once('-').chain(complement).chain(std::iter::once('~')).collect()
}

fn value<'a>(contract: &'a Contract, record: &Record<'a>, column: u16) -> Value<'a> {
    let column = usize::from(column);
    contract.columns.get(column).map_or(Value::Null, |found| found.value(record.cell(column)))
}

/// Which values a tuple has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TupleOf {
    /// As they were sent: to compare them in memory.
    Sent,
    /// As they are stored, behind their masks: for keys.
    Stored,
}

/// Writes the values of some columns so that different tuples differ, or says that one of them is null.
pub(crate) fn write_tuple(
    contract: &Contract,
    record: &Record<'_>,
    columns: &[u16],
    of: TupleOf,
    out: &mut Vec<u8>,
) -> bool {
    out.clear();
    for (place, index) in columns.iter().enumerate() {
        if place > 0 {
            out.push(b'#');
        }
        let Some(column) = contract.columns.get(usize::from(*index)) else { return false };
        let cell = record.cell(usize::from(*index));
        let masked = of == TupleOf::Stored && column.mask.hides();
        // Text is its own value.
        if let (Kind::String, Cell::Text(text) | Cell::String(text)) = (&column.kind, cell)
            && !masked
            && !column.is_null(cell)
        {
            write_escaped(text, out);
            continue;
        }
        match if masked { column.stored(cell).unwrap_or(Value::Null) } else { column.value(cell) } {
            Value::Null => return false,
            Value::Text(text) | Value::Number(text) => write_escaped(text.as_bytes(), out),
            Value::Boolean(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
            Value::Document(text) => write_escaped(text.as_bytes(), out),
        }
    }
    true
}

fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    if memchr::memchr2(b'%', b'#', text).is_none() {
        out.extend_from_slice(text);
        return;
    }
    for byte in text {
        match byte {
            b'%' => out.extend_from_slice(b"%25"),
            b'#' => out.extend_from_slice(b"%23"),
            other => out.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(parts: &[String]) -> Vec<u8> {
        let mut out = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                out.push(b'#');
            }
            write_escaped(part.as_bytes(), &mut out);
        }
        out
    }

    #[test]
    fn numbers_of_every_size_and_sign_sort_as_text() {
        let ascending = [
            "-9e125",
            "-100",
            "-15",
            "-10",
            "-9",
            "-1.5",
            "-1",
            "-0.2",
            "-1e-130",
            "0",
            "1e-130",
            "0.07",
            "0.7",
            "1",
            "1.5",
            "9",
            "10",
            "42",
            "100",
            "99999999999999999999999999999999999999",
            "9e125",
        ];
        let texts: Vec<String> =
            ascending.iter().map(|digits| format!("{}/2026", sortable(digits))).collect();
        assert!(texts.is_sorted_by(|less, more| less < more), "{texts:?}");
        assert_eq!((sortable("42").as_str(), sortable("-0.0").as_str()), ("120142", "0"));
        assert_eq!(sortable("007.50"), sortable("7.5"));
    }

    proptest! {
        #[test]
        fn numbers_sort_as_text(one in any::<i64>(), other in any::<i64>(), scale in 0_usize..12) {
            let written = |number: i64| format!("{number}e-{scale}");
            let texts = (sortable(&written(one)), sortable(&written(other)));
            prop_assert_eq!(format!("{}/", texts.0).cmp(&format!("{}/", texts.1)), one.cmp(&other));
        }

        #[test]
        fn different_tuples_have_different_keys(
            one in prop::collection::vec("[%#235a]{0,4}", 2),
            other in prop::collection::vec("[%#235a]{0,4}", 2),
        ) {
            prop_assert_eq!(one == other, joined(&one) == joined(&other));
        }
    }
}
