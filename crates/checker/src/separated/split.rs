//! One record into cells, strictly.

use contract::{Dialect, Structure};

use crate::reader::{line_end, line_ends, offset32};
use crate::{Slot, SlotKind};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// One more than the greatest byte of a line end, eight times.
const ABOVE_LINE_ENDS: u64 = u64::from_le_bytes([b'\r' + 1; 8]);

/// What a text begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// A record; where it and its line end stop, and how many lines its cells contain beyond the first.
    Record { end: usize, next: usize, lines: u64 },
    /// Something whose end is not in the text; where a quote was opened that is not closed.
    Incomplete { open: Option<usize> },
    /// Something that breaks a rule of quoting at this byte; where the quote was opened that is misplaced or was
    /// closed.
    RecordFlaw { structure: Structure, open: usize, at: usize },
}

/// The cells of one record. Reused, so that no record allocates.
#[derive(Default)]
pub(super) struct Cells {
    /// Spans of the record as sent, quotes around a cell not included.
    pub(super) slots: Vec<Slot>,
    /// The cells that contain doubled or escaped quotes.
    pub(super) escaped: Vec<u32>,
    /// The record, followed by the unescaped text of those cells; empty when there are none.
    pub(super) unescaped: Vec<u8>,
}

impl Cells {
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.escaped.clear();
        self.unescaped.clear();
    }

    fn push(&mut self, start: usize, end: usize) {
        let kind = if start == end { SlotKind::Null } else { SlotKind::Text };
        self.slots.push(Slot { kind, start: offset32(start), end: offset32(end) });
    }

    /// Returns what the slots point into, when the record as sent is `raw`.
    pub(super) fn text<'a>(&'a self, raw: &'a [u8]) -> &'a [u8] {
        if self.unescaped.is_empty() { raw } else { &self.unescaped }
    }
}

/// Splits text by a dialect.
pub(super) struct Splitter {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    pub(super) escape: Option<u8>,
    pub(super) double_quote: bool,
    pub(super) trim: bool,
    /// Delimiter and quote, each eight times.
    needles: [u64; 2],
}

/// A quoted cell that ended.
struct Quoted {
    start: usize,
    end: usize,
    /// One past the closing quote, and past the blanks behind it when those are trimmed.
    after: usize,
    lines: u64,
    escaped: bool,
}

impl Splitter {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let quote = dialect.quote.unwrap_or(dialect.delimiter);
        let needles = [dialect.delimiter, quote].map(|byte| u64::from_le_bytes([byte; 8]));
        Self {
            delimiter: dialect.delimiter,
            quote: dialect.quote,
            // An escape that is the quote itself is the doubling of quotes by another name.
            escape: dialect.escape.filter(|escape| Some(*escape) != dialect.quote),
            double_quote: dialect.double_quote
                || dialect.escape.is_some_and(|byte| Some(byte) == dialect.quote),
            trim: dialect.trim,
            needles,
        }
    }

    /// Splits the record that `text` begins with. With `last`, no more text follows and the end of the text ends it.
    pub(super) fn split(&self, text: &[u8], last: bool, cells: &mut Cells) -> Split {
        cells.clear();
        let (mut at, mut cell, mut lines) = (0, 0, 0);
        'words: while at < text.len() {
            let mut hits = self.hits(load(text, at));
            while hits != 0 {
                let here = at + (hits.trailing_zeros() / 8) as usize;
                hits &= hits - 1;
                let byte = text[here];
                if byte == self.delimiter {
                    self.close(text, cell, here, cells);
                    cell = here + 1;
                    continue;
                }
                if byte == b'\n' || byte == b'\r' {
                    self.close(text, cell, here, cells);
                    return end_of_record(text, here, last, lines);
                }
                if Some(byte) != self.quote {
                    continue;
                }
                let quoted = match self.quoted(text, cell, here, last) {
                    Ok(quoted) => quoted,
                    Err(stop) => return stop,
                };
                if quoted.escaped {
                    cells.escaped.push(offset32(cells.slots.len()));
                }
                cells.push(quoted.start, quoted.end);
                lines += quoted.lines;
                match text.get(quoted.after) {
                    Some(byte) if *byte == self.delimiter => {
                        cell = quoted.after + 1;
                        at = cell;
                        continue 'words;
                    }
                    Some(b'\n' | b'\r') => return end_of_record(text, quoted.after, last, lines),
                    Some(_) => {
                        return Split::RecordFlaw {
                            structure: Structure::AfterQuote,
                            open: here,
                            at: quoted.after,
                        };
                    }
                    None if last => return Split::Record { end: text.len(), next: text.len(), lines },
                    None => return Split::Incomplete { open: None },
                }
            }
            at += 8;
        }
        if !last {
            return Split::Incomplete { open: None };
        }
        self.close(text, cell, text.len(), cells);
        Split::Record { end: text.len(), next: text.len(), lines }
    }

    /// Returns the high bit of each byte of the word that may mean something outside of quotes. A subtraction sets it
    /// in each byte that is below what is subtracted, and by its borrow in some that are not; these and other control
    /// characters are rare, and are told apart by a look at the byte.
    fn hits(&self, word: u64) -> u64 {
        let below = |word: u64, bound: u64| word.wrapping_sub(bound) & !word;
        let [delimiter, quote] = self.needles;
        (below(word ^ delimiter, ONES) | below(word ^ quote, ONES) | below(word, ABOVE_LINE_ENDS)) & HIGH_BITS
    }

    fn close(&self, text: &[u8], mut start: usize, mut end: usize, cells: &mut Cells) {
        if self.trim {
            while start < end && is_blank(text.get(start)) {
                start += 1;
            }
            while start < end && is_blank(text.get(end - 1)) {
                end -= 1;
            }
        }
        cells.push(start, end);
    }

    /// Reads a cell whose quote is at `open`; the cell begins at `cell`.
    fn quoted(&self, text: &[u8], cell: usize, open: usize, last: bool) -> Result<Quoted, Split> {
        let before = text.get(cell..open).unwrap_or_default();
        if !(before.is_empty() || self.trim && before.iter().all(|byte| is_blank(Some(byte)))) {
            return Err(Split::RecordFlaw { structure: Structure::Quoting, open, at: open });
        }
        let start = open + 1;
        let (mut from, mut escaped) = (start, false);
        let end = loop {
            let Some(at) = self.find_quote(text, from) else {
                return Err(Split::Incomplete { open: Some(open) });
            };
            let following = text.get(at + 1).copied();
            if Some(text[at]) == self.escape {
                let pair = following.is_some() && (following == self.quote || following == self.escape);
                escaped |= pair;
                from = at + 1 + usize::from(pair);
            } else if self.double_quote && following == self.quote {
                escaped = true;
                from = at + 2;
            } else if following.is_none() && !last {
                return Err(Split::Incomplete { open: Some(open) });
            } else {
                break at;
            }
        };
        let lines = line_ends(text.get(start..end).unwrap_or_default());
        let mut after = end + 1;
        while self.trim && is_blank(text.get(after)) && text.get(after) != Some(&self.delimiter) {
            after += 1;
        }
        Ok(Quoted { start, end, after, lines, escaped })
    }

    /// Returns the next quote or escape.
    pub(super) fn find_quote(&self, text: &[u8], from: usize) -> Option<usize> {
        let quote = self.quote?;
        let rest = text.get(from..)?;
        let found = match self.escape {
            None => memchr::memchr(quote, rest),
            Some(escape) => memchr::memchr2(quote, escape, rest),
        };
        found.map(|at| from + at)
    }

    /// Writes the text of cells that contain doubled or escaped quotes behind a copy of the record, and points their
    /// slots to it.
    pub(super) fn unescape(&self, raw: &[u8], cells: &mut Cells) {
        if cells.escaped.is_empty() {
            return;
        }
        let Cells { slots, escaped, unescaped } = cells;
        unescaped.extend_from_slice(raw);
        for cell in escaped.iter() {
            let Some(slot) = slots.get_mut(*cell as usize) else { continue };
            let start = unescaped.len();
            let mut from = slot.start as usize;
            let end = slot.end as usize;
            let inside = raw.get(..end).unwrap_or(raw);
            while let Some(at) = self.find_quote(inside, from) {
                let following = inside.get(at + 1).copied();
                let pair = following.is_some()
                    && (following == self.quote
                        || Some(inside[at]) == self.escape && following == self.escape);
                // The escaping byte is dropped when it escapes, and is a character otherwise.
                unescaped.extend_from_slice(inside.get(from..at + usize::from(!pair)).unwrap_or_default());
                unescaped.extend(following.filter(|_| pair));
                from = at + 1 + usize::from(pair);
            }
            unescaped.extend_from_slice(inside.get(from..).unwrap_or_default());
            *slot = Slot { kind: slot.kind, start: offset32(start), end: offset32(unescaped.len()) };
        }
    }
}

fn end_of_record(text: &[u8], end: usize, last: bool, lines: u64) -> Split {
    match line_end(text, end, last) {
        Some(line) => Split::Record { end: line.end, next: line.next, lines },
        None => Split::Incomplete { open: None },
    }
}

/// Eight bytes from `at` on; bytes beyond the end are 0xff, which is never a special character.
fn load(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(word) = rest.first_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    let mut word = [0xff; 8];
    for (slot, byte) in word.iter_mut().zip(rest) {
        *slot = *byte;
    }
    u64::from_le_bytes(word)
}

pub(super) fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'\t'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dialect(delimiter: u8, quote: Option<u8>) -> Dialect {
        Dialect {
            header: true,
            delimiter,
            quote,
            escape: None,
            double_quote: true,
            comment: None,
            trim: false,
            skip_rows: 0,
            header_match: contract::HeaderMatch::Exact,
            spelling: None,
        }
    }

    proptest! {
        #[test]
        fn no_byte_with_a_meaning_is_passed_over(
            word in prop::array::uniform8(prop_oneof![any::<u8>(), prop::sample::select(b",\"\n\r-#!\t\x0e\x7f~".to_vec())]),
            delimiter in prop_oneof![Just(b','), Just(b'\t'), 1_u8..0x80],
            quote in prop_oneof![3 => Just(Some(b'"')), 1 => (1_u8..0x80).prop_map(Some), 1 => Just(None)],
        ) {
            let splitter = Splitter::new(&dialect(delimiter, quote));
            let hits = splitter.hits(u64::from_le_bytes(word)).to_le_bytes();
            for (byte, hit) in word.into_iter().zip(hits) {
                let means = byte == delimiter || Some(byte) == quote || matches!(byte, b'\n' | b'\r');
                prop_assert!(matches!((means, hit), (_, 0x80) | (false, 0)));
            }
        }

        #[test]
        fn cells_are_what_stands_between_delimiters(
            text in "[a-z!-+./:\t\u{1}\u{e}-]{0,40}(;[a-z!-+./:\t\u{1}\u{e}-]{0,30}){0,6}",
        ) {
            let splitter = Splitter::new(&dialect(b';', None));
            let mut cells = Cells::default();
            let end = text.len();
            let line = format!("{text}\nrest");
            let split = splitter.split(line.as_bytes(), false, &mut cells);
            prop_assert_eq!(split, Split::Record { end, next: end + 1, lines: 0 });
            let found: Vec<&[u8]> =
                cells.slots.iter().map(|slot| &line.as_bytes()[slot.start as usize..slot.end as usize]).collect();
            prop_assert_eq!(found, text.as_bytes().split(|byte| *byte == b';').collect::<Vec<_>>());
        }
    }
}
