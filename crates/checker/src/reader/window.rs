//! The part of the text that was not yet given out as records.

use super::{LONGEST_LINE_FACTOR, fault_at};
use crate::{FaultCode, FileFault, Position};

/// The most text that is taken into the window at once: it stays in the processor's cache, and a large block needs no
/// second large buffer.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;

/// Ctrl-Z, which ended a text file under CP/M and DOS.
pub(crate) const END_MARK: u8 = 0x1a;

/// Text that was not yet given out, and where it is in the file.
pub(crate) struct Window {
    bytes: Vec<u8>,
    start: usize,
    offset: u64,
    line: u64,
    records: u64,
    clean: bool,
    after_return: bool,
    skipping: Option<u64>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            offset: 0,
            line: 1,
            records: 0,
            clean: true,
            after_return: false,
            skipping: None,
        }
    }
}

impl Window {
    /// Takes a piece of text behind the rest.
    pub(crate) fn fill(&mut self, piece: &[u8]) {
        let rest = self.bytes.len() - self.start;
        self.bytes.copy_within(self.start.., 0);
        self.bytes.truncate(rest);
        self.start = 0;
        self.bytes.extend_from_slice(piece);
        self.clean = is_clean(piece) && (rest == 0 || self.clean);
    }

    /// Returns the text that was not yet given out.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Returns the first bytes of the rest: enough to tell whether a record and its line end keep to the limit.
    pub(crate) fn view(&self, limit: usize) -> &[u8] {
        let rest = self.rest();
        rest.get(..limit + 2).unwrap_or(rest)
    }

    /// Returns whether the rest is ASCII without NUL characters, so that no record of it needs a check of its own.
    pub(crate) fn is_clean(&self) -> bool {
        self.clean
    }

    /// Returns the 0-based place of the first byte of the rest in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns whether a record was numbered.
    pub(crate) fn has_numbered(&self) -> bool {
        self.records > 0
    }

    /// Drops what DOS programs write at the end of a text file. Only for the end of the file.
    pub(crate) fn drop_end_marks(&mut self) {
        while self.rest().last() == Some(&END_MARK) {
            self.bytes.pop();
        }
    }

    /// Returns the 1-based line of the first byte of the rest.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Numbers the record that begins with the rest.
    pub(crate) fn number(&mut self) -> Position {
        self.records += 1;
        Position { record: self.records, line: self.line, offset: self.offset }
    }

    /// Returns whether the next byte of the file begins a line, of which nothing is in the window.
    pub(crate) fn is_at_line_begin(&self) -> bool {
        self.rest().is_empty() && self.skipping.is_none()
    }

    /// Drops bytes, in which this number of lines end.
    pub(crate) fn advance(&mut self, bytes: usize, lines: u64) {
        self.start += bytes;
        self.pass(bytes, lines);
    }

    /// Counts bytes that were given out without a stay in the window, and the lines that end in them.
    pub(crate) fn pass(&mut self, bytes: usize, lines: u64) {
        self.offset += bytes as u64;
        self.line += lines;
    }

    /// Drops bytes and counts the lines that end in them.
    pub(crate) fn advance_counting(&mut self, bytes: usize) {
        let dropped = self.rest().get(..bytes).unwrap_or_default();
        let mut lines = line_ends(dropped);
        if self.after_return && dropped.first() == Some(&b'\n') {
            lines -= 1;
        }
        if let Some(last) = dropped.last() {
            self.after_return = *last == b'\r';
        }
        self.advance(bytes, lines);
    }

    /// From here on, bytes up to the next line end are dropped by [`Window::skip_line`].
    pub(crate) fn begin_skip(&mut self) {
        self.skipping = Some(0);
    }

    /// Drops bytes up to and including the next line end, when a skip has begun. Returns false when more text is
    /// needed.
    pub(crate) fn skip_line(&mut self, limit: usize, last: bool) -> Result<bool, FileFault> {
        let Some(skipped) = self.skipping else { return Ok(true) };
        let rest = self.rest();
        let (bytes, lines) = match next_line(rest, 0, last) {
            Some(line) => (line.next, u64::from(line.next > line.end)),
            // A carriage return at the very end may belong to a line end that is not here yet.
            None => (rest.len() - usize::from(rest.last() == Some(&b'\r')), 0),
        };
        let ended = lines > 0 || last;
        let skipped = skipped + bytes as u64;
        self.advance(bytes, lines);
        if skipped > longest(limit) {
            return Err(endless(self.line - lines, limit));
        }
        self.skipping = if ended { None } else { Some(skipped) };
        Ok(ended)
    }
}

/// Returns whether a text is ASCII without NUL characters.
pub(crate) fn is_clean(text: &[u8]) -> bool {
    text.is_ascii() && memchr::memchr(0, text).is_none()
}

/// Returns the most bytes before a line end.
pub(crate) fn longest(limit: usize) -> u64 {
    (limit as u64).saturating_mul(LONGEST_LINE_FACTOR)
}

/// Returns the fault of a line or record without end.
pub(crate) fn endless(line: u64, limit: usize) -> FileFault {
    fault_at(
        FaultCode::LineTooLong,
        line,
        format!("more than {} bytes without an end of the record", longest(limit)),
        format!("records of at most {limit} bytes"),
    )
}

/// Where a line ends and the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The first byte of the line end.
    pub(crate) end: usize,
    /// The first byte of the next line; the same as `end` for a last line without line end.
    pub(crate) next: usize,
}

/// Returns the end of the line that `from` is in. `None`: more text is needed to tell.
pub(crate) fn next_line(text: &[u8], from: usize, last: bool) -> Option<Line> {
    let here = text.get(from..).and_then(|rest| memchr::memchr2(b'\n', b'\r', rest));
    match here {
        Some(at) => line_end(text, from + at, last),
        None if last => Some(Line { end: text.len(), next: text.len() }),
        None => None,
    }
}

/// Returns the line end whose first byte is at `end`: LF, CRLF, or a lone CR. `None`: an LF may still follow.
pub(crate) fn line_end(text: &[u8], end: usize, last: bool) -> Option<Line> {
    match (text.get(end), text.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => Some(Line { end, next: end + 2 }),
        (Some(b'\r'), None) if !last => None,
        _ => Some(Line { end, next: end + 1 }),
    }
}

/// Returns how many lines end in the text.
pub(crate) fn line_ends(text: &[u8]) -> u64 {
    let mut lines = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', text) {
        let second_of_two = text.get(at) == Some(&b'\n') && at > 0 && text.get(at - 1) == Some(&b'\r');
        lines += u64::from(!second_of_two);
    }
    lines
}
