//! Why a header does not name the contract's columns, in the contract's words.

use std::collections::{HashMap, HashSet};

use contract::{Contract, Dialect, HeaderMatch, LabelDifference, label_difference, similar_label};

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

/// A label that names one of the contract's columns except for letter case, blanks and the like.
pub(super) struct NearMiss<'a> {
    /// The label's place in the header.
    pub(super) place: usize,
    /// The contract's word for it.
    pub(super) name: &'a str,
    difference: LabelDifference,
}

/// Returns the labels that nearly name a column which the header lacks, in the sender's order.
pub(super) fn near_misses<'a>(
    contract: &'a Contract,
    sent: &[String],
    found: &[Option<usize>],
) -> Vec<NearMiss<'a>> {
    if found.iter().all(Option::is_some) {
        return Vec::new();
    }
    let used: HashSet<usize> = found.iter().copied().flatten().collect();
    let lacking = contract.columns.iter().zip(found).filter(|(_, place)| place.is_none());
    let names: HashMap<String, &str> =
        lacking.flat_map(|(column, _)| column.labels()).map(|name| (similar_label(name), name)).collect();
    let near = |(place, label): (usize, &String)| {
        let form = similar_label(label);
        let name = names.get(&form).copied().filter(|_| !form.is_empty() && !used.contains(&place))?;
        label_difference(label, name).map(|difference| NearMiss { place, name, difference })
    };
    sent.iter().enumerate().filter_map(near).collect()
}

/// Returns the near misses as they follow what was found; those with the same difference together.
pub(super) fn told(near: &[NearMiss<'_>]) -> String {
    let mut groups: Vec<(LabelDifference, Vec<&NearMiss<'_>>)> = Vec::new();
    for miss in near.iter().take(NEAR_SHOWN) {
        match groups.iter_mut().find(|(difference, _)| *difference == miss.difference) {
            Some((_, misses)) => misses.push(miss),
            None => groups.push((miss.difference, vec![miss])),
        }
    }
    let shown = groups.into_iter().map(|(difference, misses)| {
        let places = listed(misses.iter().map(|miss| (miss.place + 1).to_string()));
        let names = listed(misses.iter().map(|miss| format!("`{}`", miss.name)));
        let (noun, verb) = if misses.len() == 1 { ("column", "matches") } else { ("columns", "match") };
        format!("; {noun} {places} {verb} {names} except for {difference}")
    });
    let rest = near.len().checked_sub(NEAR_SHOWN).filter(|rest| *rest > 0);
    shown.chain(rest.map(|rest| format!("; and {rest} more"))).collect()
}

/// Returns `a`, `a and b`, `a, b and c`.
fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => words.concat(),
    }
}

/// Returns what the feed's owner can do about them.
pub(super) fn advised(near: &[NearMiss<'_>]) -> &'static str {
    if near.is_empty() {
        ""
    } else if near.iter().any(|near| near.difference.separators) {
        ", or these labels as `synonyms` in the contract"
    } else {
        ", or `headerMatch: loose` in the contract, which ignores such differences"
    }
}

/// Returns a header that names no column: another spelling, another delimiter, or a first row of data. Says nothing
/// of its content.
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

/// Returns whether the header names a column of the contract when it is split by another delimiter.
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
