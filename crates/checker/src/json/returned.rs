//! JSON records that may be corrected rejects.

use contract::{Found, Structure, Violation, reject_label};

use super::objects::{Objects, own_bytes};
use crate::reader::{check_text, violation};
use crate::returned::CorrectedFile;
use crate::{FileFault, Item, Position, Record, Slot, SlotKind};

/// What a record has in addition to the sender's members.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AddedMembers {
    /// Its `_file`.
    pub(super) file: Option<Slot>,
    /// Its `_line`.
    pub(super) line: Option<Slot>,
    /// Its `_record`, which is read in place of its members.
    pub(super) record: Option<Slot>,
}

impl AddedMembers {
    /// Takes a member.
    pub(super) fn note(&mut self, name: AddedName, value: Slot) {
        match name {
            AddedName::File => self.file = Some(value),
            AddedName::Line => self.line = Some(value),
            AddedName::Record => {
                let holds_text = value.kind == SlotKind::String && value.start < value.end;
                self.record = holds_text.then_some(value);
            }
            AddedName::Note => {}
        }
    }
}

/// Which of the added members one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddedName {
    File,
    Line,
    Record,
    /// One that is there to be read by people.
    Note,
}

impl AddedName {
    #[inline]
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        if !crate::reject_object::is_added(name) {
            return None;
        }
        Some(if name == reject_label::FILE.as_bytes() {
            Self::File
        } else if name == reject_label::LINE.as_bytes() {
            Self::Line
        } else if name == reject_label::RECORD.as_bytes() {
            Self::Record
        } else {
            Self::Note
        })
    }
}

/// Text that may be a record.
#[derive(Clone, Copy)]
pub(super) struct SentObject<'a> {
    pub(super) position: Position,
    pub(super) raw: &'a [u8],
    /// Whether the text is known to be UTF-8 without NUL characters.
    pub(super) clean: bool,
}

/// Reads records, and the texts that corrected rejects hold in place of one.
pub(super) struct ObjectReader {
    pub(super) objects: Objects,
    corrects: CorrectedFile,
    limit: usize,
    /// The text of a `_record`.
    text: Vec<u8>,
}

impl ObjectReader {
    /// Makes a reader of records of at most this number of bytes.
    pub(super) fn new(objects: Objects, limit: usize) -> Self {
        Self { objects, corrects: CorrectedFile::default(), limit, text: Vec::new() }
    }

    pub(super) fn corrects(&self) -> &CorrectedFile {
        &self.corrects
    }

    /// Gives out one record. Returns the rule that it breaks, when it is none; `broken` may know a better one.
    pub(super) fn give(
        &mut self,
        sent: SentObject<'_>,
        broken: impl FnOnce(Violation) -> Violation,
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<Option<Violation>, FileFault> {
        let SentObject { position, raw, clean } = sent;
        let sound = if clean { Ok(()) } else { check_text(raw) };
        let mut read = sound.and_then(|()| self.objects.read(raw));
        if read.is_ok() {
            let added = self.objects.added();
            let text = self.objects.text(raw);
            let whole = |slot: Slot| text.get(slot.start as usize..slot.end as usize).unwrap_or_default();
            let file = added.file.map(|slot| match slot.kind {
                SlotKind::String => whole(slot),
                _ => b"",
            });
            self.corrects.note(file, added.line.map(whole), position.line)?;
            if let Some(slot) = added.record {
                self.text.clear();
                self.text.extend_from_slice(whole(slot));
                return Ok(self.give_text(position, found));
            }
            if raw.len() > self.limit && own_bytes(raw) > self.limit {
                read = Err(violation(Structure::RecordBytes, Found::Unspecified));
            }
        }
        let Err(flaw) = read else {
            let (text, slots) = (self.objects.text(raw), self.objects.slots());
            found(Item::Record(Record { position, raw, text, slots, cells: &[] }));
            return Ok(None);
        };
        let violation = broken(flaw);
        found(Item::Broken { position, raw, text: raw, cells: &[], violation });
        Ok(Some(violation))
    }

    /// Gives out the record that a `_record` holds.
    fn give_text(&mut self, position: Position, found: &mut impl FnMut(Item<'_>)) -> Option<Violation> {
        let whole = self.text.as_slice();
        let (raw, read) = match whole.get(..self.limit) {
            Some(cut) if whole.len() > self.limit => {
                (cut, Err(violation(Structure::RecordBytes, Found::Unspecified)))
            }
            _ => (whole, self.objects.read(whole)),
        };
        // A record within a record within a record is none.
        let read = match read {
            Ok(()) if self.objects.added().record.is_some() => {
                Err(violation(Structure::UnknownField, Found::Absent))
            }
            read => read,
        };
        match read {
            Ok(()) => {
                let (text, slots) = (self.objects.text(raw), self.objects.slots());
                found(Item::Record(Record { position, raw, text, slots, cells: &[] }));
                None
            }
            Err(violation) => {
                found(Item::Broken { position, raw, text: raw, cells: &[], violation });
                Some(violation)
            }
        }
    }
}
