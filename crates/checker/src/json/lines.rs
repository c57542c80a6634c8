//! One JSON object per line.

use contract::{Contract, Found, Structure, Violation};

use super::objects::Objects;
use crate::reader::{
    InvalidText, Line, PIECE_BYTES, Step, Window, check_text, fault_at, next_line, record_limit, violation,
};
use crate::{FaultCode, FileFault, Item, Record};

/// Reads one object from each line. A line end can stand in no JSON string, so a bad line costs one record.
pub(crate) struct JsonLines {
    limit: usize,
    window: Window,
    objects: Objects,
    invalid: InvalidText,
}

impl JsonLines {
    pub(crate) fn new(contract: &Contract) -> Self {
        Self {
            limit: record_limit(contract),
            window: Window::default(),
            objects: Objects::new(contract),
            invalid: InvalidText::default(),
        }
    }

    pub(crate) fn unknown_fields(&self) -> u32 {
        self.objects.unknown()
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

    fn step(&mut self, last: bool, found: &mut impl FnMut(Item<'_>)) -> Result<Step, FileFault> {
        if !self.window.skip_line(self.limit, last)? || self.window.rest().is_empty() {
            return Ok(Step::Wait);
        }
        let view = self.window.view(self.limit);
        let whole = view.len() == self.limit + 2;
        match next_line(view, 0, last && !whole) {
            Some(line) if line.end <= self.limit => {
                self.read_line(line, found)?;
                Ok(Step::More)
            }
            None if !whole => Ok(Step::Wait),
            _ => {
                let position = self.window.number();
                let raw = self.window.view(self.limit).get(..self.limit).unwrap_or_default();
                let broken = violation(Structure::RecordBytes, Found::Unspecified);
                found(Item::Broken { position, raw, text: raw, cells: &[], violation: broken });
                // A carriage return in the last byte may be half of a line end, which the skip counts.
                let kept = usize::from(raw.last() == Some(&b'\r'));
                self.window.advance(self.limit - kept, 0);
                self.window.begin_skip();
                Ok(Step::More)
            }
        }
    }

    /// Reads the line that the window begins with.
    fn read_line(&mut self, line: Line, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        let ended = line.next > line.end;
        let raw = self.window.rest().get(..line.end).unwrap_or_default();
        if raw.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            self.window.advance(line.next, u64::from(ended));
            return Ok(());
        }
        if self.window.records() == 0 && ended {
            self.check_first(raw)?;
        }
        let position = self.window.number();
        let raw = self.window.rest().get(..line.end).unwrap_or_default();
        let sound = if self.window.is_clean() { Ok(()) } else { check_text(raw) };
        match sound.and_then(|()| self.objects.read(raw)) {
            Ok(()) => {
                let (text, slots) = (self.objects.text(raw), self.objects.slots());
                found(Item::Record(Record { position, raw, text, slots, cells: &[] }));
            }
            Err(broken) => {
                let violation = if ended { broken } else { cut_short(broken) };
                found(Item::Broken { position, raw, text: raw, cells: &[], violation });
                self.invalid.note(violation, position.record, position.line)?;
            }
        }
        self.window.advance(line.next, u64::from(ended));
        Ok(())
    }

    /// Refuses a JSON document over several lines with one message and not with one for each line.
    fn check_first(&self, raw: &[u8]) -> Result<(), FileFault> {
        let mut bytes = raw.iter().filter(|byte| !matches!(byte, b' ' | b'\t'));
        let found = match (bytes.next(), bytes.next()) {
            (Some(b'['), None | Some(b'{')) => "a JSON array",
            (Some(b'{'), None) => "a JSON object over several lines",
            _ => return Ok(()),
        };
        Err(fault_at(
            FaultCode::Json,
            self.window.line(),
            found,
            "one JSON object on each line; for one document, have the contract declare the format json",
        ))
    }
}

/// A last line without line end that is not JSON was probably cut.
fn cut_short(broken: Violation) -> Violation {
    if broken.rule == Structure::Json.index() {
        return violation(Structure::Truncated, Found::Unspecified);
    }
    broken
}
