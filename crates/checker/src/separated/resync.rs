//! Where to go on after a record that breaks the rules of quoting.
//!
//! A misplaced quote makes the rest of the file ambiguous: lines may stand inside a cell or not. The next line that
//! splits into as many cells as the header has is taken as a record; lines before it belong to the broken one.

use contract::{Found, Structure};

use super::Separated;
use super::split::Split;
use crate::reader::{Step, characters, next_line, offset32, violation};
use crate::{FileFault, Item};

/// What a line is when it is tried as the beginning of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    Fits,
    Differs,
    /// More text is needed to tell.
    Unknown,
}

impl Separated {
    /// Gives out the broken record that the window begins with; the rule is broken at byte `at`. It reaches to the next
    /// line that fits, at most to the end of the line in which the rule is broken.
    pub(super) fn refuse(
        &mut self,
        structure: Structure,
        at: usize,
        last: bool,
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<Step, FileFault> {
        let before = self.window.rest().get(..at).unwrap_or_default();
        // Text after a closing quote belongs to the cell that was closed last.
        let cell = self.cells.slots.len() + usize::from(structure != Structure::AfterQuote);
        let place = Found::Quote { cell: offset32(cell), at: offset32(characters(before) + 1) };
        let broken = violation(structure, place);
        let mut from = 0;
        loop {
            let view = self.window.view(self.limit);
            let whole = view.len() == self.limit + 2;
            let Some(line) = next_line(view, from, last && !whole) else {
                if !whole {
                    return Ok(Step::Wait);
                }
                self.give_broken(self.limit, broken, found);
                self.skip_from(self.limit);
                return Ok(Step::More);
            };
            let reached = line.end >= at;
            let trial = if reached { Trial::Fits } else { self.try_line(line.next, last) };
            match trial {
                Trial::Unknown => return Ok(Step::Wait),
                Trial::Differs => from = line.next,
                Trial::Fits => {
                    self.give_broken(line.end, broken, found);
                    self.window.advance_counting(line.next);
                    return Ok(Step::More);
                }
            }
        }
    }

    /// Whether any line behind the one with an unclosed quote is a record. Only asked at the end of the file.
    pub(super) fn resumes_after(&mut self, open: usize) -> bool {
        let mut from = open;
        while let Some(line) = next_line(self.window.rest(), from, true) {
            if line.next >= self.window.rest().len() {
                break;
            }
            if self.try_line(line.next, true) == Trial::Fits {
                return true;
            }
            from = line.next;
        }
        false
    }

    fn try_line(&mut self, start: usize, last: bool) -> Trial {
        let rest = self.window.rest().get(start..).unwrap_or_default();
        let view = rest.get(..self.limit + 2).unwrap_or(rest);
        let whole = view.len() == self.limit + 2;
        match self.splitter.split(view, last && !whole, &mut self.trial) {
            Split::Record { end, .. } if end <= self.limit => {
                if !matches!(view.first(), None | Some(b'\n' | b'\r'))
                    && self.trial.slots.len() == self.header.width
                {
                    Trial::Fits
                } else {
                    Trial::Differs
                }
            }
            Split::Incomplete { .. } if !whole && !last => Trial::Unknown,
            Split::Record { .. } | Split::Flaw { .. } | Split::Incomplete { .. } => Trial::Differs,
        }
    }
}
