//! The header: which of the sender's columns is which of the contract's, and how many cells a record has.

mod mismatch;

use std::collections::HashMap;

use contract::{
    Column, Contract, Dialect, Found, HeaderMatch, MissingColumn, Structure, UnknownColumn, Violation,
};

use self::mismatch::{NAMES_SHOWN, names, near_misses, no_match};
use super::MISSING;
use super::returned::{AddedColumns, added};
use super::split::Cells;
use crate::reader::{fault_at, offset32, violation};
use crate::{FaultCode, FileFault, Slot};

/// The sender's columns.
///
/// # Delimiters at the end of a line
///
/// Some programs write a delimiter behind the last cell of each line, or of the header only, or of the records only.
/// One empty cell at the end is such a delimiter and no content. The first record that fits decides whether the
/// records of its file have one; then each of them has it. A cell at that place that is not empty makes a record one
/// of too many cells. When the second record says otherwise, nothing is decided and the file is at fault: one of the
/// two has a cell too many or too few.
pub(super) struct Header {
    /// The labels of the sender's columns in the sender's order; empty without a header.
    pub(super) labels: Vec<String>,
    /// The bytes of the header's line; empty without a header.
    raw: Vec<u8>,
    /// How many cells of a record are content.
    width: usize,
    /// Whether a delimiter ends the header.
    ends_in_delimiter: bool,
    /// Whether a delimiter ends each record; `None` before the first.
    delimited: Option<bool>,
    /// How many records fit so far, at most 2.
    fitting: u8,
    /// Columns that the contract does not name.
    pub(super) unknown: u32,
    /// For each of the contract's columns its cell; `None` when the header lacks it.
    cells: Vec<Option<usize>>,
    /// Whether the sender's order is the contract's.
    same_order: bool,
    /// The columns that corrected rejects have in addition.
    pub(super) added: Option<AddedColumns>,
}

impl Header {
    /// Cells are the contract's columns in order.
    pub(super) fn positional(columns: usize) -> Self {
        Self {
            labels: Vec::new(),
            raw: Vec::new(),
            width: columns,
            ends_in_delimiter: false,
            delimited: None,
            fitting: 0,
            unknown: 0,
            cells: (0..columns).map(Some).collect(),
            same_order: true,
            added: None,
        }
    }

    /// Returns whether a delimiter ends each record, as far as the records tell.
    pub(super) fn records_end_in_delimiter(&self) -> bool {
        self.delimited.unwrap_or_default()
    }

    /// Returns what is wrong with the cells of a record that is a text of its own, in which delimiters end as on the
    /// lines around it. `own` is the number of the sender's columns.
    pub(super) fn flaw_of_own(&self, text: &[u8], cells: &[Slot], own: usize) -> Option<Violation> {
        let label_of = |(cell, label): (&Slot, &String)| {
            text.get(cell.start as usize..cell.end as usize) == Some(label.as_bytes())
        };
        if cells.len() == own && self.labels.len() == own && cells.iter().zip(&self.labels).all(label_of) {
            return Some(violation(Structure::RepeatedHeader, Found::Unspecified));
        }
        let delimited = self.records_end_in_delimiter();
        let ended = !delimited || cells.last().is_some_and(|last| last.start == last.end);
        let expected = own + usize::from(delimited);
        if cells.len() == expected && ended {
            return None;
        }
        let structure = if cells.len() < expected { Structure::TooFewCells } else { Structure::TooManyCells };
        Some(violation(structure, Found::Cells { cells: offset32(cells.len()), columns: offset32(own) }))
    }

    /// How many cells a record may have.
    pub(super) fn widths(&self) -> [usize; 2] {
        match self.delimited {
            Some(delimited) => [self.width + usize::from(delimited); 2],
            None => [self.width, self.width + 1],
        }
    }

    /// Returns whether a record has the right number of cells.
    pub(super) fn fits(&self, cells: &[Slot]) -> bool {
        let surplus = match self.delimited {
            Some(false) => return cells.len() == self.width,
            None if cells.len() == self.width => return true,
            Some(true) | None => cells.len() == self.width + 1,
        };
        surplus && cells.last().is_some_and(|cell| cell.start == cell.end)
    }

    /// Returns the cells of a record that are content. The first record that fits decides how those behind it end.
    pub(super) fn content<'a>(&mut self, cells: &'a [Slot]) -> Result<&'a [Slot], Violation> {
        if !self.fits(cells) {
            let expected = self.width + usize::from(self.delimited.unwrap_or(self.ends_in_delimiter));
            let few = cells.len() < expected;
            let structure = if few { Structure::TooFewCells } else { Structure::TooManyCells };
            let found = Found::Cells { cells: offset32(cells.len()), columns: offset32(self.width) };
            return Err(violation(structure, found));
        }
        self.delimited.get_or_insert(cells.len() > self.width);
        self.fitting = 2.min(self.fitting + 1);
        Ok(cells.get(..self.width).unwrap_or(cells))
    }

    /// Returns whether only the first record ended in a delimiter and this one, which has the header's cells, does not.
    pub(super) fn contradicts(&self, cells: &[Slot]) -> bool {
        self.delimited == Some(true) && self.fitting == 1 && cells.len() == self.width
    }

    /// Returns whether a record is the header once more, as files have that were joined from several.
    pub(super) fn is_repeated(&self, raw: &[u8]) -> bool {
        !self.raw.is_empty() && raw == self.raw
    }

    /// Returns one slot for each of the contract's columns.
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
pub(super) fn read(
    contract: &Contract,
    dialect: &Dialect,
    raw: &[u8],
    cells: &Cells,
    line: u64,
) -> Result<Header, FileFault> {
    let sent = cells.slots.len();
    let limit = contract.limits.columns as usize;
    let labels = labels(raw, cells);
    let found = places(contract, &labels, dialect.header_match, line)?;
    let added = added(&labels, dialect.header_match, &found);
    let count = sent - added.iter().filter(|added| **added).count();
    if count > limit {
        let found = format!("{count} columns");
        return Err(fault_at(FaultCode::TooManyColumns, line, found, format!("at most {limit} columns")));
    }
    let near = near_misses(contract, &senders(&labels, &added), &found);
    if found.iter().all(Option::is_none) {
        return Err(no_match(contract, dialect, raw, &near, line));
    }
    check_missing(contract, &found, &near, line)?;
    let ends_in_delimiter = sent > 1 && labels.last().is_some_and(String::is_empty);
    let width = sent - usize::from(ends_in_delimiter);
    let is_added = |place: &usize| added.get(*place).copied().unwrap_or_default();
    let mut unknown = (0..width).filter(|place| !found.contains(&Some(*place)) && !is_added(place));
    let count = unknown.clone().count();
    if let (UnknownColumn::Reject, Some(place)) = (contract.policy.unknown_column, unknown.next()) {
        return Err(FileFault {
            column: Some(offset32(place + 1)),
            ..fault_at(
                FaultCode::UnknownColumn,
                line,
                format!(
                    "columns that the contract does not name: {count}, the first is column {}{}",
                    place + 1,
                    mismatch::told(&near)
                ),
                format!("only the columns {}", names(contract)),
            )
        });
    }
    let same_order = width == found.len() && found.iter().enumerate().all(|(at, place)| *place == Some(at));
    let added = AddedColumns::of(&labels, &added, dialect.header_match, width, &found);
    Ok(Header {
        labels: match &added {
            Some(added) => added.own_labels(&labels),
            None => labels.into_iter().take(width).collect(),
        },
        raw: raw.to_vec(),
        width,
        ends_in_delimiter,
        delimited: None,
        fitting: 0,
        unknown: offset32(count),
        cells: found,
        same_order,
        added,
    })
}

/// Returns the labels with those that rejects have in addition left empty.
fn senders(labels: &[String], added: &[bool]) -> Vec<String> {
    let senders = |(label, added): (&String, &bool)| if *added { String::new() } else { label.clone() };
    labels.iter().zip(added).map(senders).collect()
}

pub(super) fn labels(raw: &[u8], cells: &Cells) -> Vec<String> {
    let text = cells.text(raw);
    let label = |slot: &Slot| {
        let bytes = text.get(slot.start as usize..slot.end as usize).unwrap_or_default();
        String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned()
    };
    cells.slots.iter().map(label).collect()
}

/// For each of the contract's columns the place of its label. Empty labels name nothing, so they may repeat.
fn places(
    contract: &Contract,
    labels: &[String],
    how: HeaderMatch,
    line: u64,
) -> Result<Vec<Option<usize>>, FileFault> {
    let mut columns = HashMap::with_capacity(contract.columns.len());
    for (index, column) in contract.columns.iter().enumerate() {
        columns.extend(column.labels().map(|label| (how.form(label), index)));
    }
    let mut found = vec![None; contract.columns.len()];
    let mut unknown = HashMap::new();
    for (place, label) in labels.iter().enumerate() {
        let form = how.form(label);
        if form.is_empty() {
            continue;
        }
        let column = columns.get(&form).copied();
        let earlier = match column.and_then(|column| found.get_mut(column)) {
            Some(taken) => taken.replace(place),
            None => unknown.insert(form, place),
        };
        let Some(earlier) = earlier else { continue };
        let known = column.and_then(|column| contract.columns.get(column));
        let what = known.map_or_else(|| "a label".to_owned(), |column| format!("`{}`", column.physical_name));
        return Err(FileFault {
            column: Some(offset32(place + 1)),
            ..fault_at(
                FaultCode::DuplicateColumn,
                line,
                format!("{what} in column {} and again in column {}", earlier + 1, place + 1),
                "each label once, and one label for each of the contract's columns",
            )
        });
    }
    Ok(found)
}

/// Rejects a header without a column that must be there. One that is there under a label that only looks alike is not
/// missing: its values would be lost without a word.
fn check_missing(
    contract: &Contract,
    found: &[Option<usize>],
    near: &[mismatch::NearMiss<'_>],
    line: u64,
) -> Result<(), FileFault> {
    let may_miss = |column: &Column| {
        let is_near = column.labels().any(|label| near.iter().any(|near| near.name == label));
        contract.policy.missing_column == MissingColumn::Null && column.required.is_none() && !is_near
    };
    let missing: Vec<&str> = contract
        .columns
        .iter()
        .zip(found)
        .filter(|(column, place)| place.is_none() && !may_miss(column))
        .map(|(column, _)| column.physical_name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = missing.iter().take(NAMES_SHOWN).map(|name| format!("`{name}`")).collect();
    let (count, shown) = (missing.len(), shown.join(", "));
    Err(FileFault {
        column: near.first().map(|near| offset32(near.place + 1)),
        ..fault_at(
            FaultCode::MissingColumn,
            line,
            format!("a header without {count} of the contract's columns: {shown}{}", mismatch::told(near)),
            format!("the columns {}{}", names(contract), mismatch::advised(near)),
        )
    })
}
