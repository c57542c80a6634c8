//! The rest of a record above the size limit: dropped up to the record's end, which no line end within a quoted cell
//! is.

use contract::{Found, Structure};

use super::tail::{TailPlace, TailStep};
use super::{Separated, unterminated};
use crate::reader::{ReadStep, endless, line_end, line_ends, longest, violation};
use crate::{FileFault, Item};

/// A record of which the beginning was given out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Oversize {
    place: TailPlace,
    /// Bytes that were dropped.
    dropped: u64,
    /// The line of the last quote that opened a cell.
    opened: u64,
}

impl Separated {
    /// Rejects a record above the size limit: gives out as much of it as the limit allows.
    pub(super) fn begin_oversize(&mut self, found: &mut impl FnMut(Item<'_>)) -> ReadStep {
        let position = self.window.number();
        let raw = self.window.rest().get(..self.limit).unwrap_or_default();
        let broken = violation(Structure::RecordBytes, Found::Unspecified);
        found(Item::Broken { position, raw, text: raw, cells: &[], violation: broken });
        self.enough = 0;
        self.oversize = Some(Oversize { place: TailPlace::Begin, dropped: 0, opened: position.line });
        ReadStep::More
    }

    /// Drops text up to the end of the record.
    pub(super) fn skip_oversize(&mut self, last: bool) -> Result<ReadStep, FileFault> {
        let Some(Oversize { mut place, dropped, mut opened }) = self.oversize else {
            return Ok(ReadStep::More);
        };
        let rest = self.window.rest();
        let room = usize::try_from(longest(self.limit).saturating_sub(dropped)).unwrap_or(usize::MAX);
        let mut text = rest.get(..room.saturating_add(1)).unwrap_or(rest);
        if let Some((b'\r', before)) = text.split_last()
            && !last
            && text.len() == rest.len()
        {
            // The second half of its line end may follow.
            text = before;
        }
        for (at, byte) in text.iter().enumerate() {
            let was_open = place.is_open();
            match place.take(*byte, &self.splitter) {
                TailStep::AfterQuote => return Err(unterminated(opened)),
                TailStep::EndsRecord => {
                    let Some(line) = line_end(rest, at, last) else { break };
                    let lines = line_ends(rest.get(..line.next).unwrap_or_default());
                    self.oversize = None;
                    self.window.advance(line.next, lines);
                    return Ok(ReadStep::More);
                }
                TailStep::Within | TailStep::EndsCell => {}
            }
            if place.is_open() && !was_open {
                opened = self.window.line() + line_ends(text.get(..at).unwrap_or_default());
            }
        }
        let dropped = dropped + text.len() as u64;
        if dropped > longest(self.limit) {
            let line = self.window.line();
            return Err(if place.is_open() { unterminated(opened) } else { endless(line, self.limit) });
        }
        let (bytes, lines) = (text.len(), line_ends(text));
        self.window.advance(bytes, lines);
        self.oversize = Some(Oversize { place, dropped, opened });
        if !last {
            return Ok(ReadStep::Wait);
        }
        if place.is_open() {
            return Err(unterminated(opened));
        }
        self.oversize = None;
        Ok(ReadStep::More)
    }
}
