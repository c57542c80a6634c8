//! Delimiter-separated values: a strict reader.
//!
//! What the usual parsers repair in silence is refused here: a quote inside an unquoted cell, text behind a closing
//! quote, a quote that is never closed, a record with another number of cells than the header. The reader then goes on
//! at the next line that looks like a record, so that one mistake costs one record and not the rest of the file.

mod header;
mod resync;
mod split;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use contract::{Contract, Dialect, Found, Structure, Violation};

use self::header::Header;
use self::split::{Cells, Split, Splitter};
use crate::reader::{
    InvalidText, PIECE_BYTES, Step, Window, check_text, endless, fault_at, line_ends, record_limit, violation,
};
use crate::{FaultCode, FileFault, Item, Record, Slot, SlotKind};

/// Reads delimiter-separated records.
pub(crate) struct Separated {
    contract: Arc<Contract>,
    comment: Option<u8>,
    limit: usize,
    splitter: Splitter,
    window: Window,
    stage: Stage,
    header: Header,
    cells: Cells,
    /// The cells of lines that are only tried.
    trial: Cells,
    slots: Vec<Slot>,
    invalid: InvalidText,
}

/// What the next line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// So many lines are skipped.
    Skip(u32),
    /// The header, or the records when there is none.
    Header,
    /// Records.
    Records,
}

impl Separated {
    pub(crate) fn new(contract: Arc<Contract>, dialect: &Dialect) -> Self {
        let header = Header::positional(contract.columns.len());
        let after_skip = if dialect.header { Stage::Header } else { Stage::Records };
        Self {
            comment: dialect.comment,
            limit: record_limit(&contract),
            splitter: Splitter::new(dialect),
            window: Window::default(),
            stage: if dialect.skip_rows > 0 { Stage::Skip(dialect.skip_rows) } else { after_skip },
            slots: Vec::with_capacity(contract.columns.len()),
            header,
            cells: Cells::default(),
            trial: Cells::default(),
            invalid: InvalidText::default(),
            contract,
        }
    }

    pub(crate) fn labels(&self) -> &[String] {
        &self.header.labels
    }

    pub(crate) fn unknown_columns(&self) -> u32 {
        self.header.unknown
    }

    pub(crate) fn push(&mut self, block: &[u8], found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        for piece in block.chunks(PIECE_BYTES) {
            self.window.fill(piece);
            while self.step(false, found)? == Step::More {}
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        while self.step(true, found)? == Step::More {}
        Ok(())
    }

    /// Reads one record, or skips one line.
    fn step(&mut self, last: bool, found: &mut impl FnMut(Item<'_>)) -> Result<Step, FileFault> {
        if !self.window.skip_line(self.limit, last)? {
            return Ok(Step::Wait);
        }
        let Some(first) = self.window.rest().first().copied() else { return Ok(Step::Wait) };
        if let Stage::Skip(lines) = self.stage {
            self.stage = match lines {
                0 | 1 if self.has_header() => Stage::Header,
                0 | 1 => Stage::Records,
                _ => Stage::Skip(lines - 1),
            };
            self.window.begin_skip();
            return Ok(Step::More);
        }
        if matches!(first, b'\n' | b'\r') || Some(first) == self.comment {
            self.window.begin_skip();
            return Ok(Step::More);
        }
        if self.stage == Stage::Header { self.read_header(last) } else { self.read_record(last, found) }
    }

    fn has_header(&self) -> bool {
        matches!(&self.contract.format, contract::Format::Separated(dialect) if dialect.header)
    }

    fn read_record(&mut self, last: bool, found: &mut impl FnMut(Item<'_>)) -> Result<Step, FileFault> {
        let view = self.window.view(self.limit);
        let whole = view.len() == self.limit + 2;
        match self.splitter.split(view, last && !whole, &mut self.cells) {
            Split::Record { end, next, lines } if end <= self.limit => {
                self.give(end, next, lines, found)?;
                Ok(Step::More)
            }
            Split::Record { .. } => Ok(self.cut(found)),
            Split::Flaw { structure, at } => self.refuse(structure, at, last, found),
            Split::Incomplete { open: Some(open) } if whole || last => {
                if !whole && !self.resumes_after(open) {
                    return Err(self.unterminated(open));
                }
                self.refuse(Structure::UnterminatedQuote, open, last, found)
            }
            Split::Incomplete { .. } if whole => Ok(self.cut(found)),
            Split::Incomplete { .. } => Ok(Step::Wait),
        }
    }

    /// Gives out the record that the window begins with, if it is one.
    fn give(
        &mut self,
        end: usize,
        next: usize,
        lines: u64,
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<(), FileFault> {
        let position = self.window.number();
        let raw = self.window.rest().get(..end).unwrap_or_default();
        self.splitter.unescape(raw, &mut self.cells);
        let text = self.cells.text(raw);
        let cells = self.cells.slots.as_slice();
        let sound = if self.window.is_clean() { Ok(()) } else { check_text(raw) };
        match sound.and_then(|()| self.header.check_width(cells.len())) {
            Ok(()) => {
                let slots = self.header.arrange(cells, &mut self.slots);
                found(Item::Record(Record { position, raw, text, slots, cells }));
            }
            Err(violation) => {
                found(Item::Broken { position, raw, text, cells, violation });
                self.invalid.note(violation, position.record, position.line)?;
            }
        }
        let ended = u64::from(next > end);
        self.window.advance(next, lines + ended);
        Ok(())
    }

    /// Gives out the first `end` bytes as a broken record, and drops what belongs to it.
    fn give_broken(&mut self, end: usize, broken: Violation, found: &mut impl FnMut(Item<'_>)) {
        let position = self.window.number();
        let raw = self.window.rest().get(..end.min(self.limit)).unwrap_or_default();
        self.cells.cut(raw.len());
        self.splitter.unescape(raw, &mut self.cells);
        let (text, cells) = (self.cells.text(raw), self.cells.slots.as_slice());
        found(Item::Broken { position, raw, text, cells, violation: broken });
    }

    /// Refuses a record above the size limit and goes on at the next line end.
    fn cut(&mut self, found: &mut impl FnMut(Item<'_>)) -> Step {
        self.give_broken(self.limit, violation(Structure::RecordBytes, Found::Unspecified), found);
        self.skip_from(self.limit);
        Step::More
    }

    /// Drops bytes that were given out, and then the rest of the line.
    fn skip_from(&mut self, bytes: usize) {
        let dropped = self.window.rest().get(..bytes).unwrap_or_default();
        // A line end that begins in the last byte is counted by the skip.
        let bytes = dropped.len() - usize::from(dropped.last() == Some(&b'\r'));
        let lines = line_ends(dropped.get(..bytes).unwrap_or_default());
        self.window.advance(bytes, lines);
        self.window.begin_skip();
    }

    /// The header, or the reason to refuse the file.
    fn read_header(&mut self, last: bool) -> Result<Step, FileFault> {
        let line = self.window.line();
        let view = self.window.view(self.limit);
        let whole = view.len() == self.limit + 2;
        let (end, next, lines) = match self.splitter.split(view, last && !whole, &mut self.cells) {
            Split::Record { end, next, lines } if end <= self.limit => (end, next, lines),
            Split::Incomplete { open: Some(open) } if whole || last => return Err(self.unterminated(open)),
            Split::Flaw { structure: Structure::UnterminatedQuote, at } => return Err(self.unterminated(at)),
            Split::Incomplete { .. } if !whole => return Ok(Step::Wait),
            Split::Incomplete { .. } | Split::Record { .. } => return Err(endless(line, self.limit)),
            Split::Flaw { at, .. } => {
                return Err(fault_at(
                    FaultCode::Header,
                    line + line_ends(view.get(..at).unwrap_or_default()),
                    format!("a misplaced quote in label {}", self.cells.slots.len() + 1),
                    "a quote only around a label, and doubled inside it",
                ));
            }
        };
        let raw = view.get(..end).unwrap_or_default();
        if !self.window.is_clean() && check_text(raw).is_err() {
            return Err(fault_at(
                FaultCode::Encoding,
                line,
                "a header that is not UTF-8 text without NUL characters",
                "UTF-8, or the encoding that the contract declares",
            ));
        }
        self.splitter.unescape(raw, &mut self.cells);
        self.header = header::read(&self.contract, raw, &self.cells, line)?;
        self.window.advance(next, lines + u64::from(next > end));
        self.stage = Stage::Records;
        Ok(Step::More)
    }

    fn unterminated(&self, open: usize) -> FileFault {
        let before = self.window.rest().get(..open).unwrap_or_default();
        fault_at(
            FaultCode::UnterminatedQuote,
            self.window.line() + line_ends(before),
            "a quote that is not closed",
            "a closing quote for each opening quote",
        )
    }
}

/// The slot of a column that the header lacks.
const MISSING: Slot = Slot { kind: SlotKind::Null, start: 0, end: 0 };
