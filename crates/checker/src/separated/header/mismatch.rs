//! Why a header does not name the contract's columns, in the contract's words.

use std::collections::HashMap;

use contract::{Contract, Dialect, HeaderMatch, LabelDifference, label_difference};

use super::labels;
use crate::reader::{fault_at, offset32};
use crate::separated::split::{Cells, Split, Splitter};
use crate::{FaultCode, FileFault};

/// Delimiters that are tried to explain a header that names none of the contract's columns.
const DELIMITERS: [(u8, &str); 4] =
    [(b',', "a comma"), (b';', "a semicolon"), (b'\t', "a tab"), (b'|', "a vertical bar")];

/// How many of the contract's names a message lists.
pub(super) const NAMES_SHOWN: usize = 12;

/// How many near misses a message lists.
const NEAR_SHOWN: usize = 5;

/// A label that is one of the contract's but for what `headerMatch: loose` overlooks.
pub(super) struct NearMiss<'a> {
    /// The label's place in the header.
    pub(super) place: usize,
    /// The contract's word for it.
    pub(super) name: &'a str,
    difference: LabelDifference,
}

/// The labels that nearly name a column which the header lacks, in the sender's order.
pub(super) fn near_misses<'a>(
    contract: &'a Contract,
    dialect: &Dialect,
    sent: &[String],
    found: &[Option<usize>],
) -> Vec<NearMiss<'a>> {
    if dialect.header_match == HeaderMatch::Loose || found.iter().all(Option::is_some) {
        return Vec::new();
    }
    let loose = HeaderMatch::Loose;
    let lacking = contract.columns.iter().zip(found).filter(|(_, place)| place.is_none());
    let names: HashMap<_, &str> =
        lacking.flat_map(|(column, _)| column.labels()).map(|name| (loose.form(name), name)).collect();
    let near = |(place, label): (usize, &String)| {
        let name = *names.get(&loose.form(label))?;
        label_difference(label, name).map(|difference| NearMiss { place, name, difference })
    };
    sent.iter().enumerate().filter_map(near).collect()
}

/// The near misses as they follow what was found.
pub(super) fn told(near: &[NearMiss<'_>]) -> String {
    let shown = near.iter().take(NEAR_SHOWN).map(|NearMiss { place, name, difference }| {
        format!("; column {} matches `{name}` except for {difference}", place + 1)
    });
    let rest = near.len().checked_sub(NEAR_SHOWN).filter(|rest| *rest > 0);
    shown.chain(rest.map(|rest| format!("; and {rest} more"))).collect()
}

/// What the operator can do about them.
pub(super) fn advised(near: &[NearMiss<'_>]) -> &'static str {
    if near.is_empty() {
        ""
    } else {
        ", or `headerMatch: loose` in the contract, which overlooks such differences"
    }
}

/// A header that names no column: another spelling, another delimiter, or a first row of data. Says nothing of its content.
pub(super) fn no_match(
    contract: &Contract,
    dialect: &Dialect,
    raw: &[u8],
    near: &[NearMiss<'_>],
    line: u64,
) -> FileFault {
    let width = count(raw, dialect);
    let hint = DELIMITERS
        .into_iter()
        .filter(|(delimiter, _)| *delimiter != dialect.delimiter)
        .find(|(delimiter, _)| near.is_empty() && names_columns(contract, dialect, raw, *delimiter));
    let columns = if width == 1 { "1 column".to_owned() } else { format!("{width} columns") };
    let found = match hint {
        Some((_, name)) => format!("{columns}; with {name} as delimiter it has the contract's"),
        None => format!("{columns}, none of which the contract names{}", told(near)),
    };
    let expected = format!("a header with the columns {}{}", names(contract), advised(near));
    let fault = FileFault {
        column: near.first().map(|near| offset32(near.place + 1)),
        ..fault_at(FaultCode::Header, line, found, expected)
    };
    if hint.is_some() {
        fault.with_advice(
            "send the file with the contract's delimiter, or ask the feed's owner to set `delimiter` in the contract",
        )
    } else {
        fault
    }
}

fn count(raw: &[u8], dialect: &Dialect) -> usize {
    let mut cells = Cells::default();
    Splitter::new(dialect).split(raw, true, &mut cells);
    cells.slots.len()
}

/// Whether the header names a column of the contract when it is split by another delimiter.
fn names_columns(contract: &Contract, dialect: &Dialect, raw: &[u8], delimiter: u8) -> bool {
    let mut cells = Cells::default();
    let splitter = Splitter::new(&Dialect { delimiter, ..dialect.clone() });
    if !matches!(splitter.split(raw, true, &mut cells), Split::Record { .. }) || cells.slots.len() < 2 {
        return false;
    }
    let loose = HeaderMatch::Loose;
    labels(raw, &cells).iter().any(|label| {
        let label = loose.form(label);
        contract.columns.iter().any(|column| column.labels().any(|name| loose.form(name) == label))
    })
}

pub(super) fn names(contract: &Contract) -> String {
    let shown = contract.columns.iter().take(NAMES_SHOWN).map(|column| format!("`{}`", column.physical_name));
    let mut names = shown.collect::<Vec<_>>().join(", ");
    if contract.columns.len() > NAMES_SHOWN {
        names.push_str(", …");
    }
    names
}
