//! One JSON object per line.

use contract::{Contract, Found, Structure, Violation, reject_label};

use super::objects::Objects;
use super::returned::{ObjectReader, SentObject};
use crate::reader::{
    BYTE_ORDER_MARK, InvalidText, Line, PIECE_BYTES, ReadStep, Window, endless, fault_at, is_clean, longest,
    next_line, record_limit, violation,
};
use crate::returned::{ADDED_BYTES, CorrectedFile};
use crate::{FaultCode, FileFault, Item, Position};

/// Reads one object from each line. A line end can stand in no JSON string, so a bad line costs one record.
pub(crate) struct JsonLines {
    /// The most bytes of a line: a record may have come back as a text with its quotes escaped, and with the members
    /// that rejects have in addition.
    limit: usize,
    window: Window,
    lines: Lines,
}

impl JsonLines {
    pub(crate) fn new(contract: &Contract) -> Self {
        Self {
            limit: 2 * record_limit(contract) + ADDED_BYTES,
            window: Window::default(),
            lines: Lines {
                records: ObjectReader::new(Objects::new(contract), record_limit(contract)),
                limit: record_limit(contract),
                invalid: InvalidText::default(),
            },
        }
    }

    pub(crate) fn unknown_fields(&self) -> u32 {
        self.lines.records.objects.unknown()
    }

    pub(crate) fn corrects(&self) -> &CorrectedFile {
        self.lines.records.corrects()
    }

    pub(crate) fn has_content(&self) -> bool {
        self.window.has_numbered()
    }

    pub(crate) fn push(&mut self, block: &[u8], found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        for piece in block.chunks(PIECE_BYTES) {
            let rest = self.finish_line(piece, found)?;
            let rest = self.read_whole_lines(rest, found)?;
            self.read_in_window(rest, found)?;
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        self.window.drop_end_marks();
        while self.step(true, found)? == ReadStep::More {}
        Ok(())
    }

    /// Gives the window the end of the line that it holds the beginning of, and gives back the text after it.
    fn finish_line<'a>(
        &mut self,
        piece: &'a [u8],
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<&'a [u8], FileFault> {
        if self.window.is_at_line_begin() {
            return Ok(piece);
        }
        let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
        let (line, rest) = piece.split_at(end);
        self.read_in_window(line, found)?;
        Ok(rest)
    }

    /// Reads the lines of a piece where they stand, and gives back what is left: the beginning of a line, or one for
    /// the window to reject.
    fn read_whole_lines<'a>(
        &mut self,
        piece: &'a [u8],
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<&'a [u8], FileFault> {
        let mut rest = piece;
        if !self.window.is_at_line_begin() {
            return Ok(rest);
        }
        let clean = is_clean(piece);
        while let Some(line) = next_line(rest, 0, false).filter(|line| line.end <= self.limit) {
            let (raw, after) = rest.split_at(line.end);
            if !is_blank(raw) {
                let position = self.window.number();
                self.lines.read(raw, position, true, clean, found)?;
            }
            self.window.pass(line.next, 1);
            rest = after.get(line.next - line.end..).unwrap_or_default();
        }
        Ok(rest)
    }

    fn read_in_window(&mut self, text: &[u8], found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        if text.is_empty() {
            return Ok(());
        }
        self.window.fill(text);
        while self.step(false, found)? == ReadStep::More {}
        Ok(())
    }

    fn step(&mut self, last: bool, found: &mut impl FnMut(Item<'_>)) -> Result<ReadStep, FileFault> {
        if !self.window.skip_line(self.lines.limit, last)? || self.window.rest().is_empty() {
            return Ok(ReadStep::Wait);
        }
        let view = self.window.view(self.limit);
        let whole = view.len() == self.limit + 2;
        match next_line(view, 0, last && !whole) {
            Some(line) if line.end <= self.limit => {
                self.read_line(line, found)?;
                Ok(ReadStep::More)
            }
            None if !whole => Ok(ReadStep::Wait),
            _ => {
                let position = self.window.number();
                let view = self.window.view(self.limit);
                let raw = view.get(..self.lines.limit).unwrap_or(view);
                let broken = violation(Structure::RecordBytes, Found::Unspecified);
                found(Item::Broken { position, raw, text: raw, cells: &[], violation: broken });
                // A carriage return in the last byte may be half of a line end, which the skip counts.
                let kept = usize::from(view.get(self.limit - 1) == Some(&b'\r'));
                self.window.advance(self.limit - kept, 0);
                self.window.begin_skip();
                Ok(ReadStep::More)
            }
        }
    }

    /// Reads the line that the window begins with.
    fn read_line(&mut self, line: Line, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        let ended = line.next > line.end;
        if !is_blank(self.window.rest().get(..line.end).unwrap_or_default()) {
            let position = self.window.number();
            let raw = self.window.rest().get(..line.end).unwrap_or_default();
            self.lines.read(raw, position, ended, self.window.is_clean(), found)?;
        }
        self.window.advance(line.next, u64::from(ended));
        Ok(())
    }
}

/// What reads lines, wherever they stand.
struct Lines {
    records: ObjectReader,
    /// The most bytes of a record.
    limit: usize,
    invalid: InvalidText,
}

impl Lines {
    /// Reads a line that is not blank. `ended`: it has a line end; `clean`: it is known to need no check of its text.
    fn read(
        &mut self,
        raw: &[u8],
        position: Position,
        ended: bool,
        clean: bool,
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<(), FileFault> {
        let (raw, position) = match raw.strip_prefix(BYTE_ORDER_MARK) {
            Some(raw) if !clean => {
                (raw, Position { offset: position.offset + BYTE_ORDER_MARK.len() as u64, ..position })
            }
            _ => (raw, position),
        };
        if position.record == 1 && ended {
            check_first(raw, position.line)?;
        }
        if let Some(cut) = raw.get(..self.limit).filter(|_| raw.len() > self.limit && !may_be_returned(raw)) {
            let violation = violation(Structure::RecordBytes, Found::Unspecified);
            found(Item::Broken { position, raw: cut, text: cut, cells: &[], violation });
            let is_endless = (raw.len() - self.limit) as u64 > longest(self.limit);
            return if is_endless { Err(endless(position.line, self.limit)) } else { Ok(()) };
        }
        let sent = SentObject { position, raw, clean };
        let told = |broken| if ended { broken } else { cut_short(broken) };
        match self.records.give(sent, told, found)? {
            None => Ok(()),
            Some(broken) => self.invalid.note(broken, position.record, position.line),
        }
    }
}

/// Returns whether a line may be a corrected reject.
fn may_be_returned(raw: &[u8]) -> bool {
    memchr::memmem::find(raw, reject_label::FILE.as_bytes()).is_some()
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}

/// Rejects a JSON document over several lines with one message and not with one for each line.
fn check_first(raw: &[u8], line: u64) -> Result<(), FileFault> {
    let mut bytes = raw.iter().filter(|byte| !matches!(byte, b' ' | b'\t'));
    let found = match (bytes.next(), bytes.next()) {
        (Some(b'['), None | Some(b'{')) => "a JSON array",
        (Some(b'{'), None) => "a JSON object over several lines",
        _ => return Ok(()),
    };
    Err(fault_at(
        FaultCode::Json,
        line,
        found,
        "one JSON object on each line; for one document, have the contract declare the format json",
    ))
}

/// A last line without line end that is not JSON was probably cut.
fn cut_short(broken: Violation) -> Violation {
    if broken.rule == Structure::Json.index() {
        return violation(Structure::Truncated, Found::Unspecified);
    }
    broken
}
