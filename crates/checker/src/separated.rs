//! Delimiter-separated values: a strict reader.
//!
//! What the usual parsers repair in silence is rejected here: a quote inside an unquoted cell, text behind a closing
//! quote, a quote that is never closed, a record with another number of cells than the header.
//!
//! A quoted cell may have any number of lines. Its only limit is the record size limit, `maxRowBytes` of the contract
//! (default 1 MiB). No line of a cell ever becomes a record, also not when the cell is broken: `broken` says where such
//! a record ends, and when no end can be found the whole file is rejected with the line of the opening quote.
//!
//! Also read, each by the rule that its module states: Excel's first line `sep=;` (`sep_line`) and delimiters at the
//! end of lines (`header`). A header that is repeated among the records, as in files that were joined, is a rejected
//! record; a byte order mark at the beginning of a line is dropped, and so is a Ctrl-Z at the end of the file, as DOS
//! programs write it.

mod broken;
mod header;
mod oversize;
mod returned;
mod sep_line;
mod split;
mod tail;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use contract::{Contract, Dialect, Found, Structure, Violation};

use self::broken::{QuoteMemory, Search, Sight};
use self::header::Header;
use self::oversize::Oversize;
use self::returned::{ReturnedRecords, SentLine};
use self::sep_line::FirstLine;
use self::split::{Cells, Split, Splitter, is_blank};
use self::tail::count_cells;
use crate::reader::{
    BYTE_ORDER_MARK, InvalidText, Line, PIECE_BYTES, ReadStep, Window, characters, check_text, endless,
    fault_at, line_ends, next_line, offset32, record_limit, violation,
};
use crate::returned::{ADDED_BYTES, CorrectedFile};
use crate::{FaultCode, FileFault, Item, Record, Slot, SlotKind};

/// Reads delimiter-separated records.
pub(crate) struct Separated {
    contract: Arc<Contract>,
    /// That of the contract, with the delimiter of the file.
    dialect: Dialect,
    limit: usize,
    splitter: Splitter,
    window: Window,
    stage: Stage,
    header: Header,
    cells: Cells,
    slots: Vec<Slot>,
    invalid: InvalidText,
    searches: QuoteMemory,
    /// Nothing new can be said of the record before the window holds this many bytes. Doubled each time, so that a long
    /// record in small blocks is not read again for each block.
    enough: usize,
    oversize: Option<Oversize>,
    returned: ReturnedRecords,
}

/// What the next line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The first of the file.
    Start,
    /// This many lines are skipped.
    Skip(u32),
    /// The header.
    Header,
    /// The records, or the header that rejects have of a feed without one.
    First,
    /// Records.
    Records,
}

/// A record that breaks a rule of quoting.
#[derive(Clone, Copy)]
struct RecordFlaw {
    structure: Structure,
    /// The quote that is misplaced, or that opened the cell.
    open: usize,
    /// Where the rule is broken.
    at: usize,
}

impl Separated {
    pub(crate) fn new(contract: Arc<Contract>, dialect: &Dialect) -> Self {
        Self {
            dialect: dialect.clone(),
            limit: record_limit(&contract),
            splitter: Splitter::new(dialect),
            window: Window::default(),
            stage: Stage::Start,
            slots: Vec::with_capacity(contract.columns.len()),
            header: Header::positional(contract.columns.len()),
            cells: Cells::default(),
            invalid: InvalidText::default(),
            searches: QuoteMemory::default(),
            enough: 0,
            oversize: None,
            returned: ReturnedRecords::new(&contract, dialect, record_limit(&contract)),
            contract,
        }
    }

    pub(crate) fn labels(&self) -> &[String] {
        &self.header.labels
    }

    /// Returns whether the header is known, or that there is none.
    pub(crate) fn has_labels(&self) -> bool {
        self.stage == Stage::Records
    }

    pub(crate) fn corrects(&self) -> &CorrectedFile {
        self.returned.corrects()
    }

    /// Returns the delimiter of the file, and whether one ends each record.
    pub(crate) fn delimiters(&self) -> (u8, bool) {
        (self.dialect.delimiter, self.header.records_end_in_delimiter())
    }

    pub(crate) fn unknown_columns(&self) -> u32 {
        self.header.unknown
    }

    /// Returns whether a header or a record was read.
    pub(crate) fn has_content(&self) -> bool {
        self.window.has_numbered() || self.dialect.header && self.stage == Stage::Records
    }

    pub(crate) fn push(&mut self, block: &[u8], found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        for piece in block.chunks(PIECE_BYTES) {
            self.window.fill(piece);
            while self.step(false, found)? == ReadStep::More {}
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        self.window.drop_end_marks();
        while self.step(true, found)? == ReadStep::More {}
        Ok(())
    }

    /// Reads one record, or skips one line.
    fn step(&mut self, last: bool, found: &mut impl FnMut(Item<'_>)) -> Result<ReadStep, FileFault> {
        if self.oversize.is_some() {
            return self.skip_oversize(last);
        }
        if !self.window.skip_line(self.limit, last)? || !last && self.window.rest().len() < self.enough {
            return Ok(ReadStep::Wait);
        }
        if self.stage == Stage::Start {
            return Ok(self.start(last));
        }
        let Some(first) = self.window.rest().first().copied() else { return Ok(ReadStep::Wait) };
        if let Stage::Skip(lines) = self.stage {
            self.skipped(lines);
            self.window.begin_skip();
            return Ok(ReadStep::More);
        }
        if first == BYTE_ORDER_MARK[0] && self.window.rest().starts_with(BYTE_ORDER_MARK) {
            self.window.advance(BYTE_ORDER_MARK.len(), 0);
            return Ok(ReadStep::More);
        }
        if matches!(first, b'\n' | b'\r') || Some(first) == self.dialect.comment {
            self.window.begin_skip();
            return Ok(ReadStep::More);
        }
        match self.stage {
            Stage::Header => self.read_header(last),
            Stage::First => self.read_first(last),
            Stage::Start | Stage::Skip(_) | Stage::Records => self.read_record(last, found),
        }
    }

    /// Looks for a first line `sep=;`.
    fn start(&mut self, last: bool) -> ReadStep {
        let found = sep_line::first_line(self.window.rest(), last, self.dialect.quote);
        if found == FirstLine::Unknown {
            return ReadStep::Wait;
        }
        self.stage = Stage::Skip(self.dialect.skip_rows);
        if self.dialect.skip_rows == 0 {
            self.skipped(0);
        }
        if let FirstLine::Sep { delimiter, next } = found {
            self.dialect.delimiter = delimiter;
            self.splitter = Splitter::new(&self.dialect);
            let lines = line_ends(self.window.rest().get(..next).unwrap_or_default());
            self.window.advance(next, lines);
            if let Stage::Skip(rows) = self.stage {
                self.skipped(rows);
            }
        }
        ReadStep::More
    }

    /// One of the lines to skip is skipped.
    fn skipped(&mut self, lines: u32) {
        self.stage = match lines {
            0 | 1 if self.dialect.header => Stage::Header,
            0 | 1 => Stage::First,
            _ => Stage::Skip(lines - 1),
        };
    }

    /// Looks whether the first record of a feed without header is the header that its rejects have.
    fn read_first(&mut self, last: bool) -> Result<ReadStep, FileFault> {
        let view = self.window.view(self.header_limit());
        let whole = view.len() == self.header_limit() + 2;
        match self.splitter.split(view, last && !whole, &mut self.cells) {
            Split::Record { end, .. } => {
                let raw = view.get(..end).unwrap_or_default();
                self.splitter.unescape(raw, &mut self.cells);
                let labels = header::labels(raw, &self.cells);
                if returned::is_header(&labels, self.dialect.header_match) {
                    return self.read_header(last);
                }
            }
            Split::Incomplete { .. } if !last && !whole => return Ok(ReadStep::Wait),
            Split::Incomplete { .. } | Split::RecordFlaw { .. } => {}
        }
        self.stage = Stage::Records;
        Ok(ReadStep::More)
    }

    /// Returns the most bytes of a header: a record, and the labels that rejects have in addition.
    fn header_limit(&self) -> usize {
        self.limit + HEADER_ADDED_BYTES
    }

    fn read_record(&mut self, last: bool, found: &mut impl FnMut(Item<'_>)) -> Result<ReadStep, FileFault> {
        let view = self.window.view(self.limit);
        let whole = view.len() == self.limit + 2;
        match self.splitter.split(view, last && !whole, &mut self.cells) {
            Split::Record { end, next, lines } if end <= self.limit => {
                if !self.header.fits(&self.cells.slots) && self.has_quote(end) {
                    return self.give_ragged(Line { end, next }, last, found);
                }
                self.give(end, next, lines, found)?;
                Ok(ReadStep::More)
            }
            Split::RecordFlaw { structure, open, at } => {
                self.reject_flaw(RecordFlaw { structure, open, at }, last, found)
            }
            Split::Incomplete { open: Some(open) } if last && !whole => match self.search(last) {
                Search::Ends(line) => Ok(self.give_broken(
                    line,
                    violation(Structure::UnterminatedQuote, Found::Unspecified),
                    found,
                )),
                Search::Nothing | Search::Exhausted | Search::Wait => Err(self.unterminated(open)),
            },
            Split::Record { .. } => Ok(self.begin_oversize(found)),
            Split::Incomplete { .. } if whole => Ok(self.begin_oversize(found)),
            Split::Incomplete { open: None } => Ok(ReadStep::Wait),
            Split::Incomplete { open: Some(_) } => Ok(self.wait_longer()),
        }
    }

    /// Nothing can be said before there is much more text.
    fn wait_longer(&mut self) -> ReadStep {
        self.enough = (2 * self.window.rest().len()).min(self.limit + 2);
        ReadStep::Wait
    }

    fn has_quote(&self, end: usize) -> bool {
        let raw = self.window.rest().get(..end).unwrap_or_default();
        self.splitter.quote.is_some_and(|quote| memchr::memchr(quote, raw).is_some())
    }

    /// Returns where the record that the window begins with ends, when a quote of it is misplaced.
    fn search(&mut self, last: bool) -> Search {
        let text = self.window.view(self.limit);
        let whole = text.len() == self.limit + 2;
        let sight = Sight {
            text,
            offset: self.window.offset(),
            last: last && !whole,
            whole,
            limit: self.limit,
            widths: self.header.widths(),
        };
        match self.searches.search(&self.splitter, sight) {
            Search::Ends(line) if line.end > self.limit => Search::Nothing,
            found => found,
        }
    }

    /// Gives out a record of quoted cells that has the wrong number of them. When it has the right number up to a later
    /// line, a quote closed a cell too early.
    fn give_ragged(
        &mut self,
        own: Line,
        last: bool,
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<ReadStep, FileFault> {
        match self.search(last) {
            Search::Wait => return Ok(self.wait_longer()),
            Search::Ends(line) if line.end > own.end => {
                return Ok(self.give_broken(line, violation(Structure::Quoting, Found::Unspecified), found));
            }
            Search::Ends(_) | Search::Nothing | Search::Exhausted => {}
        }
        let lines = line_ends(self.window.rest().get(..own.end).unwrap_or_default());
        self.give(own.end, own.next, lines, found)?;
        Ok(ReadStep::More)
    }

    /// Rejects a record that breaks a rule of quoting.
    fn reject_flaw(
        &mut self,
        flaw: RecordFlaw,
        last: bool,
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<ReadStep, FileFault> {
        let broken = violation(flaw.structure, self.place_of(flaw));
        match self.search(last) {
            Search::Wait => return Ok(self.wait_longer()),
            Search::Ends(line) => return Ok(self.give_broken(line, broken, found)),
            Search::Exhausted => return Err(self.unterminated(flaw.open)),
            Search::Nothing => {}
        }
        let view = self.window.view(self.limit);
        let whole = view.len() == self.limit + 2;
        let in_a_quote = flaw.structure == Structure::AfterQuote;
        if in_a_quote && whole {
            // The cell may end beyond the limit of a record: until then every line may be text of it.
            return Err(self.unterminated(flaw.open));
        }
        match next_line(view, flaw.at, last && !whole) {
            None if !whole => Ok(self.wait_longer()),
            Some(line) if line.end <= self.limit && (!in_a_quote || self.is_one_line(flaw, line)) => {
                Ok(self.give_broken(line, broken, found))
            }
            _ if in_a_quote => Err(self.unterminated(flaw.open)),
            _ => Ok(self.begin_oversize(found)),
        }
    }

    /// Returns where a misplaced quote is: the cell and the character of the record.
    fn place_of(&self, flaw: RecordFlaw) -> Found {
        let before = self.window.rest().get(..flaw.at).unwrap_or_default();
        // Text after a closing quote belongs to the cell that was closed last.
        let cell = self.cells.slots.len() + usize::from(flaw.structure != Structure::AfterQuote);
        Found::Quote { cell: offset32(cell), at: offset32(characters(before) + 1) }
    }

    /// Returns whether the record has the right number of cells on the line of the flaw when the text behind a
    /// closing quote belongs to its cell, and the cell is not one of several lines.
    fn is_one_line(&self, flaw: RecordFlaw, line: Line) -> bool {
        let text = self.window.rest();
        let cell = text.get(flaw.open..flaw.at).unwrap_or_default();
        let record = text.get(..line.end).unwrap_or_default();
        let count = count_cells(record, &self.splitter);
        line_ends(cell) == 0 && count.is_some_and(|count| self.header.widths().contains(&count))
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
        if self.header.contradicts(cells) {
            return Err(one_of_two_ends(position.line));
        }
        let sound = if self.window.is_clean() { Ok(()) } else { check_text(raw) };
        let content = match (sound, self.header.is_repeated(raw)) {
            (Err(broken), _) => Err(broken),
            (Ok(()), true) => Err(violation(Structure::RepeatedHeader, Found::Unspecified)),
            (Ok(()), false) => self.header.content(cells),
        };
        match content {
            Ok(cells) => match &self.header.added {
                None => {
                    let slots = self.header.arrange(cells, &mut self.slots);
                    found(Item::Record(Record { position, raw, text, slots, cells }));
                }
                Some(added) => {
                    let line = SentLine { position, raw, text, cells };
                    self.returned.give(line, added, &self.header, &self.splitter, found)?;
                }
            },
            Err(violation) => {
                found(Item::Broken { position, raw, text, cells, violation });
                self.invalid.note(violation, position.record, position.line)?;
            }
        }
        let ended = u64::from(next > end);
        self.enough = 0;
        self.window.advance(next, lines + ended);
        Ok(())
    }

    /// Gives out the text up to the end of this line as one broken record. Its cells cannot be told apart.
    fn give_broken(&mut self, line: Line, broken: Violation, found: &mut impl FnMut(Item<'_>)) -> ReadStep {
        let position = self.window.number();
        let raw = self.window.rest().get(..line.end).unwrap_or_default();
        found(Item::Broken { position, raw, text: raw, cells: &[], violation: broken });
        let lines = line_ends(self.window.rest().get(..line.next).unwrap_or_default());
        self.enough = 0;
        self.window.advance(line.next, lines);
        ReadStep::More
    }

    /// Returns the header, or the reason to reject the file.
    fn read_header(&mut self, last: bool) -> Result<ReadStep, FileFault> {
        let line = self.window.line();
        let limit = self.header_limit();
        let view = self.window.view(limit);
        let whole = view.len() == limit + 2;
        let blank = next_line(view, 0, last && !whole).is_some_and(|line| {
            view.iter().take(line.end).all(|byte| is_blank(Some(byte)) && *byte != self.dialect.delimiter)
        });
        if blank {
            self.window.begin_skip();
            return Ok(ReadStep::More);
        }
        let (end, next, lines) = match self.splitter.split(view, last && !whole, &mut self.cells) {
            Split::Record { end, next, lines } if end <= limit => (end, next, lines),
            Split::Incomplete { open: Some(open) } if whole || last => return Err(self.unterminated(open)),
            Split::Incomplete { .. } if !whole => return Ok(ReadStep::Wait),
            Split::Incomplete { .. } | Split::Record { .. } => return Err(endless(line, self.limit)),
            Split::RecordFlaw { at, .. } => {
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
        self.header = header::read(&self.contract, &self.dialect, raw, &self.cells, line)?;
        if self.header.added.is_some() {
            // The text of a record has up to three times its length in a cell: each byte may be one that is escaped.
            self.limit = 3 * self.limit + ADDED_BYTES;
        }
        self.window.advance(next, lines + u64::from(next > end));
        self.stage = Stage::Records;
        Ok(ReadStep::More)
    }

    fn unterminated(&self, open: usize) -> FileFault {
        let before = self.window.rest().get(..open).unwrap_or_default();
        unterminated(self.window.line() + line_ends(before))
    }
}

/// Returns the fault of a quote that opens on this line and is never closed: nothing behind it can be told apart from
/// its text.
fn unterminated(line: u64) -> FileFault {
    fault_at(
        FaultCode::UnterminatedQuote,
        line,
        "a quote that is not closed",
        "a closing quote for each opening quote",
    )
}

/// Returns the fault of a file whose first record ends in a delimiter and whose second does not: one of them has a
/// cell too many or too few, and which one cannot be told.
fn one_of_two_ends(line: u64) -> FileFault {
    fault_at(
        FaultCode::Header,
        line,
        "a first record with one empty cell more than the header, and a second with as many cells as the header",
        "a delimiter at the end of every record, or of none",
    )
    .with_advice("put cells that contain the delimiter into quotes, or end every line alike")
}

/// Bytes that rejects have in their header in addition to the sender's labels, with quotes and delimiters.
const HEADER_ADDED_BYTES: usize = 128;

/// The slot of a column that the header lacks.
const MISSING: Slot = Slot { kind: SlotKind::Null, start: 0, end: 0 };
