//! The header: which of the sender's columns is which of the contract's.

use std::collections::HashMap;

use contract::{
    Contract, Dialect, Format, Found, HeaderMatch, MissingColumn, Structure, UnknownColumn, Violation,
};

use super::MISSING;
use super::split::{Cells, Split, Splitter};
use crate::reader::{fault_at, offset32, violation};
use crate::{FaultCode, FileFault, Slot};

/// Delimiters that are tried to explain a header that names none of the contract's columns.
const DELIMITERS: [(u8, &str); 4] =
    [(b',', "a comma"), (b';', "a semicolon"), (b'\t', "a tab"), (b'|', "a vertical bar")];

/// How many of the contract's names a message lists.
const NAMES_SHOWN: usize = 12;

/// The sender's columns.
pub(super) struct Header {
    /// The labels in the sender's order; empty without a header.
    pub(super) labels: Vec<String>,
    /// How many cells a record has.
    pub(super) width: usize,
    /// Columns that the contract does not name.
    pub(super) unknown: u32,
    /// For each of the contract's columns its cell; `None` when the header lacks it.
    cells: Vec<Option<usize>>,
    /// Whether the sender's order is the contract's.
    same_order: bool,
}

impl Header {
    /// Cells are the contract's columns in order.
    pub(super) fn positional(columns: usize) -> Self {
        Self {
            labels: Vec::new(),
            width: columns,
            unknown: 0,
            cells: (0..columns).map(Some).collect(),
            same_order: true,
        }
    }

    pub(super) fn check_width(&self, cells: usize) -> Result<(), Violation> {
        let structure = match cells.cmp(&self.width) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => Structure::TooFewCells,
            std::cmp::Ordering::Greater => Structure::TooManyCells,
        };
        Err(violation(structure, Found::Cells { cells: offset32(cells), columns: offset32(self.width) }))
    }

    /// One slot for each of the contract's columns.
    pub(super) fn arrange<'a>(&self, cells: &'a [Slot], slots: &'a mut Vec<Slot>) -> &'a [Slot] {
        if self.same_order {
            return cells;
        }
        slots.clear();
        let slot = |cell: &Option<usize>| cell.and_then(|cell| cells.get(cell)).copied().unwrap_or(MISSING);
        slots.extend(self.cells.iter().map(slot));
        slots
    }
}

/// Matches the labels of the header on this line with the contract.
pub(super) fn read(contract: &Contract, raw: &[u8], cells: &Cells, line: u64) -> Result<Header, FileFault> {
    let width = cells.slots.len();
    let limit = contract.limits.columns as usize;
    if width > limit {
        let found = format!("{width} columns");
        return Err(fault_at(FaultCode::TooManyColumns, line, found, format!("at most {limit} columns")));
    }
    let Format::Separated(dialect) = &contract.format else { return Ok(Header::positional(width)) };
    let labels = labels(raw, cells);
    let places = places(contract, &labels, dialect.header_match, line)?;
    let found: Vec<Option<usize>> = contract
        .columns
        .iter()
        .map(|column| places.get(&folded(&column.physical_name, dialect.header_match)).copied())
        .collect();
    if found.iter().all(Option::is_none) {
        return Err(no_match(contract, dialect, raw, width, line));
    }
    check_missing(contract, &found, line)?;
    let known: Vec<usize> = found.iter().filter_map(|place| *place).collect();
    let mut unknown = (0..width).filter(|place| !known.contains(place));
    let count = unknown.clone().count();
    if let (UnknownColumn::Reject, Some(place)) = (contract.policy.unknown_column, unknown.next()) {
        return Err(FileFault {
            column: Some(offset32(place + 1)),
            ..fault_at(
                FaultCode::UnknownColumn,
                line,
                format!(
                    "columns that the contract does not name: {count}, the first is column {}",
                    place + 1
                ),
                format!("only the columns {}", names(contract)),
            )
        });
    }
    let same_order = width == found.len() && found.iter().enumerate().all(|(at, place)| *place == Some(at));
    Ok(Header { labels, width, unknown: offset32(count), cells: found, same_order })
}

fn labels(raw: &[u8], cells: &Cells) -> Vec<String> {
    let text = cells.text(raw);
    let label = |slot: &Slot| {
        let bytes = text.get(slot.start as usize..slot.end as usize).unwrap_or_default();
        String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned()
    };
    cells.slots.iter().map(label).collect()
}

/// The form in which labels are compared.
fn folded(label: &str, how: HeaderMatch) -> String {
    match how {
        HeaderMatch::Exact => label.to_owned(),
        HeaderMatch::Loose => label.trim().to_lowercase(),
    }
}

/// Where each label stands. Empty labels name nothing, so they may repeat.
fn places(
    contract: &Contract,
    labels: &[String],
    how: HeaderMatch,
    line: u64,
) -> Result<HashMap<String, usize>, FileFault> {
    let mut places = HashMap::with_capacity(labels.len());
    for (place, label) in labels.iter().enumerate() {
        let label = folded(label, how);
        if label.is_empty() {
            continue;
        }
        let known = contract.columns.iter().find(|column| folded(&column.physical_name, how) == label);
        let Some(first) = places.insert(label, place) else { continue };
        let what = known.map_or_else(|| "a label".to_owned(), |column| format!("`{}`", column.physical_name));
        return Err(FileFault {
            column: Some(offset32(place + 1)),
            ..fault_at(
                FaultCode::DuplicateColumn,
                line,
                format!("{what} in column {} and again in column {}", first + 1, place + 1),
                "each label once",
            )
        });
    }
    Ok(places)
}

/// Refuses a header without a column that must be there.
fn check_missing(contract: &Contract, found: &[Option<usize>], line: u64) -> Result<(), FileFault> {
    let may_miss = |required: bool| contract.policy.missing_column == MissingColumn::Null && !required;
    let missing: Vec<&str> = contract
        .columns
        .iter()
        .zip(found)
        .filter(|(column, place)| place.is_none() && !may_miss(column.required.is_some()))
        .map(|(column, _)| column.physical_name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = missing.iter().take(NAMES_SHOWN).map(|name| format!("`{name}`")).collect();
    Err(fault_at(
        FaultCode::MissingColumn,
        line,
        format!("a header without {} of the contract's columns: {}", missing.len(), shown.join(", ")),
        format!("the columns {}", names(contract)),
    ))
}

/// A header that names no column: probably a first row of data, or another delimiter. Says nothing of its content.
fn no_match(contract: &Contract, dialect: &Dialect, raw: &[u8], width: usize, line: u64) -> FileFault {
    let hint = DELIMITERS
        .into_iter()
        .filter(|(delimiter, _)| *delimiter != dialect.delimiter)
        .find(|(delimiter, _)| names_columns(contract, dialect, raw, *delimiter));
    let found = match hint {
        Some((_, name)) => format!("{width} columns; {name} as delimiter would give the contract's"),
        None => format!("{width} columns, none of which the contract names"),
    };
    fault_at(FaultCode::Header, line, found, format!("a header with the columns {}", names(contract)))
}

/// Whether the header names a column of the contract when it is split by another delimiter.
fn names_columns(contract: &Contract, dialect: &Dialect, raw: &[u8], delimiter: u8) -> bool {
    let mut cells = Cells::default();
    let splitter = Splitter::new(&Dialect { delimiter, ..dialect.clone() });
    if !matches!(splitter.split(raw, true, &mut cells), Split::Record { .. }) || cells.slots.len() < 2 {
        return false;
    }
    let how = dialect.header_match;
    labels(raw, &cells).iter().any(|label| {
        let label = folded(label, how);
        contract.columns.iter().any(|column| folded(&column.physical_name, how) == label)
    })
}

fn names(contract: &Contract) -> String {
    let shown = contract.columns.iter().take(NAMES_SHOWN).map(|column| format!("`{}`", column.physical_name));
    let mut names = shown.collect::<Vec<_>>().join(", ");
    if contract.columns.len() > NAMES_SHOWN {
        names.push_str(", …");
    }
    names
}
