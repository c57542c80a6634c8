//! Separated records that may be corrected rejects: the columns that the sender's file did not have.

use contract::{Contract, Dialect, Found, HeaderMatch, Structure, reject_label};

use super::header::Header;
use super::split::{Cells, Split, Splitter};
use crate::reader::{characters, offset32, violation};
use crate::reject_table::can_hold_any_text;
use crate::returned::{CorrectedFile, percent_decoded};
use crate::{FileFault, Item, Position, Record, Slot, SlotKind};

/// Where the header of rejects has which columns.
#[derive(Clone, Debug)]
pub(super) struct AddedColumns {
    file: Option<usize>,
    line: Option<usize>,
    record: Option<usize>,
    /// The places of the sender's own columns.
    own: Vec<usize>,
    /// For each of the contract's columns its place among those; `None` when the header lacks it.
    columns: Vec<Option<usize>>,
}

/// Returns for each label whether rejects have it in addition to the sender's. `found`: the places of the contract's
/// columns, which have their names from the contract alone.
pub(super) fn added(labels: &[String], how: HeaderMatch, found: &[Option<usize>]) -> Vec<bool> {
    let ours = reject_label::ALL.map(|label| how.form(label));
    let is_ours = |(place, label): (usize, &String)| {
        label.trim_start().starts_with('_')
            && ours.contains(&how.form(label))
            && !found.contains(&Some(place))
    };
    labels.iter().enumerate().map(is_ours).collect()
}

/// Returns whether the first record of a feed without header is the header that its rejects have.
pub(super) fn is_header(labels: &[String], how: HeaderMatch) -> bool {
    let forms: Vec<_> = labels.iter().map(|label| how.form(label)).collect();
    reject_label::ALL.iter().all(|label| forms.contains(&how.form(label)))
}

impl AddedColumns {
    /// Returns the columns of a header that has any of them, among the first `width`.
    pub(super) fn of(
        labels: &[String],
        added: &[bool],
        how: HeaderMatch,
        width: usize,
        found: &[Option<usize>],
    ) -> Option<Self> {
        let place = |label: &str| {
            let form = how.form(label);
            let mut places = labels.iter().zip(added).enumerate();
            places.find(|(_, (label, added))| **added && how.form(label) == form).map(|(place, _)| place)
        };
        let own: Vec<usize> =
            (0..width).filter(|place| !added.get(*place).copied().unwrap_or_default()).collect();
        let among_own = |place: &Option<usize>| own.iter().position(|own| Some(*own) == *place);
        let columns = found.iter().map(among_own).collect();
        let [file, line, record] = [reject_label::FILE, reject_label::LINE, reject_label::RECORD].map(place);
        added.contains(&true).then_some(Self { file, line, record, own, columns })
    }

    /// Returns the labels of the sender's own columns.
    pub(super) fn own_labels(&self, labels: &[String]) -> Vec<String> {
        self.own.iter().filter_map(|place| labels.get(*place)).cloned().collect()
    }
}

/// One line of rejects, split.
#[derive(Clone, Copy)]
pub(super) struct SentLine<'a> {
    pub(super) position: Position,
    pub(super) raw: &'a [u8],
    pub(super) text: &'a [u8],
    /// One cell for each column of the header.
    pub(super) cells: &'a [Slot],
}

/// Reads the records of corrected rejects.
pub(super) struct ReturnedRecords {
    corrects: CorrectedFile,
    /// The most bytes of a record.
    limit: usize,
    can_hold_any_text: bool,
    own: Vec<Slot>,
    slots: Vec<Slot>,
    /// The text of a `_record`, and its cells.
    text: Vec<u8>,
    cells: Cells,
}

impl ReturnedRecords {
    pub(super) fn new(contract: &Contract, dialect: &Dialect, limit: usize) -> Self {
        Self {
            corrects: CorrectedFile::default(),
            limit,
            can_hold_any_text: can_hold_any_text(dialect),
            own: Vec::new(),
            slots: Vec::with_capacity(contract.columns.len()),
            text: Vec::new(),
            cells: Cells::default(),
        }
    }

    pub(super) fn corrects(&self) -> &CorrectedFile {
        &self.corrects
    }

    /// Gives out the record of a line.
    pub(super) fn give(
        &mut self,
        line: SentLine<'_>,
        columns: &AddedColumns,
        header: &Header,
        splitter: &Splitter,
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<(), FileFault> {
        let SentLine { position, raw, text, cells } = line;
        let cell = |place: usize| {
            let slot = cells.get(place).copied().unwrap_or(Slot::ABSENT);
            text.get(slot.start as usize..slot.end as usize).unwrap_or_default()
        };
        if let Some(place) = columns.file {
            self.corrects.note(Some(cell(place)), columns.line.map(cell), position.line)?;
        }
        if let Some(record) = columns.record.map(cell).filter(|record| !record.is_empty()) {
            self.text.clear();
            if self.can_hold_any_text {
                self.text.extend_from_slice(record);
            } else {
                self.text.extend_from_slice(&percent_decoded(record));
            }
            self.give_text(position, columns, header, splitter, found);
            return Ok(());
        }
        self.own.clear();
        self.own.extend(columns.own.iter().filter_map(|place| cells.get(*place)));
        let bytes: usize = self.own.iter().map(|slot| (slot.end - slot.start) as usize + 1).sum();
        if bytes > self.limit + 1 {
            let violation = violation(Structure::RecordBytes, Found::Unspecified);
            found(Item::Broken { position, raw, text, cells: &self.own, violation });
            return Ok(());
        }
        let slots = arranged(&columns.columns, &self.own, &mut self.slots);
        found(Item::Record(Record { position, raw, text, slots, cells: &self.own }));
        Ok(())
    }

    /// Gives out the record that a `_record` holds. It is read as a line of the sender's file.
    fn give_text(
        &mut self,
        position: Position,
        columns: &AddedColumns,
        header: &Header,
        splitter: &Splitter,
        found: &mut impl FnMut(Item<'_>),
    ) {
        let Self { text: whole, cells, slots, limit, .. } = self;
        let broken = |structure, found| violation(structure, found);
        let whole = whole.as_slice();
        let (raw, flaw) = match whole.get(..*limit) {
            Some(cut) if whole.len() > *limit => {
                (cut, Some(broken(Structure::RecordBytes, Found::Unspecified)))
            }
            _ => (whole, flaw_of(whole, splitter, cells)),
        };
        if let Some(violation) = flaw {
            found(Item::Broken { position, raw, text: raw, cells: &[], violation });
            return;
        }
        splitter.unescape(raw, cells);
        let text = cells.text(raw);
        let flaw = header.flaw_of_own(text, &cells.slots, columns.own.len());
        let own = cells.slots.get(..columns.own.len()).unwrap_or(&cells.slots);
        if let Some(violation) = flaw {
            found(Item::Broken { position, raw, text, cells: own, violation });
        } else {
            let slots = arranged(&columns.columns, own, slots);
            found(Item::Record(Record { position, raw, text, slots, cells: own }));
        }
    }
}

/// Splits a text that should be one record. Returns the rule of quoting that it breaks.
fn flaw_of(text: &[u8], splitter: &Splitter, cells: &mut Cells) -> Option<contract::Violation> {
    match splitter.split(text, true, cells) {
        Split::Record { next, .. } if next == text.len() => None,
        Split::Record { .. } => Some(violation(Structure::Quoting, Found::Unspecified)),
        Split::Incomplete { .. } => Some(violation(Structure::UnterminatedQuote, Found::Unspecified)),
        Split::RecordFlaw { structure, at, .. } => {
            let before = text.get(..at).unwrap_or_default();
            let cell = cells.slots.len() + usize::from(structure != Structure::AfterQuote);
            let place = Found::Quote { cell: offset32(cell), at: offset32(characters(before) + 1) };
            Some(violation(structure, place))
        }
    }
}

/// Returns one slot for each of the contract's columns.
fn arranged<'a>(columns: &[Option<usize>], own: &[Slot], slots: &'a mut Vec<Slot>) -> &'a [Slot] {
    slots.clear();
    let missing = Slot { kind: SlotKind::Null, ..Slot::ABSENT };
    slots.extend(
        columns.iter().map(|place| place.and_then(|place| own.get(place)).copied().unwrap_or(missing)),
    );
    slots
}
