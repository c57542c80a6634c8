//! Where a record ends that breaks the rules of quoting.
//!
//! A quote that is not doubled makes the text behind it ambiguous: its lines may be text of the cell, or records. The
//! promise is that **no line of a cell ever becomes a record**. So the broken record reaches to the first line end at
//! which it can be read with the expected number of cells, where
//!
//! * a quote can close a cell only in front of a delimiter or a line end, and need not close it there;
//! * quotes come in pairs: a quote behind a blank, a line end, a delimiter or an opening bracket begins a quotation,
//!   and the next quote ends it. Neither closes the cell. So `"say "yes", please"` is one cell, and so is a text that
//!   contains lines of another CSV file;
//! * a quote between letters (`Mi"d`) or behind a digit (`5" disk`) is text and belongs to no pair;
//! * a quote behind a backslash (`\"`) is text, as MySQL and Spark write it, also in front of a delimiter or a line
//!   end.
//!
//! Of several ways to read the text, one in which fewer quotes before a delimiter or a line end are text comes first.
//!
//! All lines up to there are one rejected record. When there is no such line end within the record size limit, the
//! caller rejects the line alone or gives up the file. What no reader can tell is a cell whose lines are well-formed
//! records by themselves: `"He said "`, a line end, `x,y`.
//!
//! The search is linear in the file, also for hostile input: see [`QuoteMemory`].

use std::collections::BTreeMap;

use super::split::{Splitter, is_blank};
use crate::reader::{Line, line_end};

/// The most ways to read one text that are followed at once. Further ones are not, those with the most skipped quotes
/// first: then the record ends later, or nowhere.
const MOST_READINGS: usize = 16;

/// A search notes its state at the first quote of each block of this many bytes.
const MARK_BYTES: u64 = 128;

/// The most searches without success that are remembered.
const MOST_ENDS: usize = 256;

/// How much work all searches of a file do, for each byte of the file and of the record size limit: one for each byte
/// that a search passes, and one for each reading at each quote. A file of which every record has a stray quote in
/// one of a dozen columns stays below; beyond it, the quotes mean nothing.
const MOST_WORK: u64 = 64;

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// The record ends with this line.
    Ends(Line),
    /// No line end within the text is the record's.
    Nothing,
    /// More text is needed.
    Wait,
    /// Too much was searched in this file.
    Exhausted,
}

/// Whether a quote within a cell is in a quotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotation {
    /// It does not.
    Outside,
    /// In one that a single quote opened.
    Single,
    /// In one that a doubled quote opened.
    Doubled,
    /// In one that begins with a line or behind a delimiter: a quoted cell of a record, as a line of the text or as
    /// what follows the broken record. Quotes within it are doubled.
    Cell,
}

/// One way to read the text up to some byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct QuoteReading {
    /// The index of the cell.
    cell: usize,
    /// Whether the cell is quoted and not closed.
    quoted: bool,
    quotation: Quotation,
    /// How many single quotes before a delimiter or a line end were read as text and not as the end of their cell.
    skipped: u8,
}

/// What is around a run of quotes.
#[derive(Clone, Copy)]
struct QuoteRun {
    length: usize,
    /// A delimiter or the end of a line follows.
    closes: bool,
    /// It is where a quotation begins.
    opens: bool,
    /// It is right behind a delimiter or a line end.
    leads: bool,
}

impl Quotation {
    /// Returns what the run makes of the quotation when it does not close the cell, and whether it may close the cell.
    fn after(self, run: QuoteRun) -> (Self, bool) {
        let odd = run.length % 2 == 1;
        match self {
            Self::Outside if run.length == 0 => (self, false),
            // A doubled quote before a delimiter is an empty cell in a text that looks like records, or a last quote
            // that should have been doubled.
            Self::Outside if run.closes => (self, odd || !run.leads),
            Self::Outside if run.opens && odd && run.leads => (Self::Cell, false),
            Self::Outside if run.opens && odd => (Self::Single, false),
            Self::Outside if run.opens => (Self::Doubled, false),
            Self::Single | Self::Cell if odd => (Self::Outside, false),
            Self::Single if run.closes => (Self::Outside, true),
            Self::Doubled if run.length > 1 || run.closes => (Self::Outside, run.closes && odd),
            Self::Outside | Self::Cell | Self::Single | Self::Doubled => (self, false),
        }
    }
}

/// A text that is looked through for the end of its first record. Positions are those of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Walk {
    /// The first byte that was not looked at.
    at: u64,
    readings: Vec<QuoteReading>,
    /// Where the cell of the readings outside of quotes begins, and whether it is known to begin with more than blanks.
    cell: u64,
    plain: bool,
    /// The last run of quotes.
    run: u64,
    /// The best end so far, and how many quotes were skipped on the way to it.
    best: Option<(u8, Line)>,
}

/// Searches of one file.
///
/// Two searches that are in the same state at the same byte go on alike. So a search that finds nothing leaves marks
/// on its way and its state at its end; another one that comes to a mark in the same state goes on at that end.
#[derive(Default)]
pub(super) struct QuoteMemory {
    marks: BTreeMap<u64, Vec<(Vec<QuoteReading>, usize)>>,
    ends: Vec<Walk>,
    /// What all searches did: see [`MOST_WORK`].
    work: u64,
    /// Nothing is remembered.
    #[cfg(test)]
    pub(super) forgets: bool,
}

/// The text that a search looks at.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    /// The text from the record's first byte on.
    pub(super) text: &'a [u8],
    /// The place of its first byte in the file.
    pub(super) offset: u64,
    /// Whether the file ends with the text.
    pub(super) last: bool,
    /// Whether the text is all that a record may have.
    pub(super) whole: bool,
    /// The record size limit.
    pub(super) limit: usize,
    /// How many cells a record may have.
    pub(super) widths: [usize; 2],
}

impl QuoteMemory {
    /// Looks for the end of the record that the text begins with.
    pub(super) fn search(&mut self, splitter: &Splitter, sight: Sight<'_>) -> Search {
        self.marks = self.marks.split_off(&sight.offset);
        if self.marks.is_empty() || self.ends.len() >= MOST_ENDS {
            self.marks.clear();
            self.ends.clear();
        }
        if self.work > MOST_WORK.saturating_mul(sight.offset + sight.limit as u64) {
            return Search::Exhausted;
        }
        let mut walk = Walk::new(sight.offset);
        let mut trail = Trail::default();
        let found = walk.run(splitter, sight, self, &mut trail);
        let decided = found.is_some() || walk.readings.is_empty() || sight.whole || sight.last;
        if !decided {
            // Leaves no trace, so that what is remembered does not depend on how the file is cut into blocks.
            return Search::Wait;
        }
        self.work += trail.work;
        if let Some(line) = found.or(walk.best.map(|(_, line)| line)) {
            return Search::Ends(line);
        }
        self.remember(walk, trail);
        Search::Nothing
    }

    fn remember(&mut self, walk: Walk, trail: Trail) {
        #[cfg(test)]
        if self.forgets {
            return;
        }
        if trail.marks.is_empty() && trail.joined.is_none() {
            return;
        }
        let id = trail.joined.unwrap_or(self.ends.len());
        match self.ends.get_mut(id) {
            Some(end) => *end = walk,
            None => self.ends.push(walk),
        }
        for (at, readings) in trail.marks {
            self.marks.entry(at).or_default().push((readings, id));
        }
    }

    /// Returns the earlier search that came to this byte in this state.
    fn met(&self, at: u64, readings: &[QuoteReading]) -> Option<usize> {
        let marks = self.marks.get(&at)?;
        marks.iter().find(|(known, _)| known == readings).map(|(_, id)| *id)
    }

    #[cfg(test)]
    pub(super) fn work(&self) -> u64 {
        self.work
    }
}

/// What one search leaves behind.
#[derive(Default)]
struct Trail {
    marks: Vec<(u64, Vec<QuoteReading>)>,
    /// The earlier search whose way it took.
    joined: Option<usize>,
    /// What it did.
    work: u64,
}

impl Walk {
    fn new(offset: u64) -> Self {
        let reading = QuoteReading { cell: 0, quoted: false, quotation: Quotation::Outside, skipped: 0 };
        Self { at: offset, readings: vec![reading], cell: offset, plain: false, run: offset, best: None }
    }

    /// Goes on to the end of the record, or of the text.
    fn run(
        &mut self,
        splitter: &Splitter,
        sight: Sight<'_>,
        memory: &QuoteMemory,
        trail: &mut Trail,
    ) -> Option<Line> {
        let Sight { text, last, .. } = sight;
        loop {
            let from = place(sight, self.at);
            if self.readings.is_empty() {
                return None;
            }
            let Some(at) = self.next_special(splitter, text, from) else {
                trail.work += text.len().saturating_sub(from) as u64;
                self.at = sight.offset + text.len().max(from) as u64;
                if last {
                    self.end_line(sight, Line { end: text.len(), next: text.len() });
                }
                return None;
            };
            self.at = sight.offset + at as u64;
            let byte = *text.get(at)?;
            let next = if Some(byte) == splitter.quote {
                if self.joins(memory, trail) {
                    continue;
                }
                self.take_quotes(splitter, sight, at)?
            } else if Some(byte) == splitter.escape {
                let escaped = text.get(at + 1).copied();
                if escaped.is_none() && !last {
                    return None;
                }
                let pair = escaped.is_some() && (escaped == splitter.quote || escaped == splitter.escape);
                at + 1 + usize::from(pair)
            } else if byte == splitter.delimiter {
                self.take_delimiter(sight, at)
            } else {
                let line = line_end(text, at, last)?;
                if let Some(line) = self.end_line(sight, line) {
                    return Some(line);
                }
                line.next
            };
            trail.work += (next - from + self.readings.len()) as u64;
            self.at = sight.offset + next as u64;
        }
    }

    /// Returns the next byte that changes a reading.
    fn next_special(&self, splitter: &Splitter, text: &[u8], from: usize) -> Option<usize> {
        if self.readings.iter().all(|reading| reading.quoted) {
            return splitter.find_quote(text, from);
        }
        let special = |byte: &u8| {
            *byte == splitter.delimiter
                || matches!(byte, b'\n' | b'\r')
                || Some(*byte) == splitter.quote
                || Some(*byte) == splitter.escape
        };
        text.get(from..)?.iter().position(special).map(|at| from + at)
    }

    /// Ends the readings outside of quotes. Gives the end of the record once no other reading can be better.
    fn end_line(&mut self, sight: Sight<'_>, line: Line) -> Option<Line> {
        let fits = |reading: &&QuoteReading| {
            let outside = !reading.quoted && reading.quotation == Quotation::Outside;
            outside && sight.widths.contains(&(reading.cell + 1))
        };
        let skipped = self.readings.iter().filter(fits).map(|reading| reading.skipped).min();
        if let Some(skipped) = skipped.filter(|skipped| self.best.is_none_or(|(best, _)| *skipped < best)) {
            self.best = Some((skipped, line));
        }
        let best = self.best;
        let better = |reading: &QuoteReading| best.is_none_or(|(skipped, _)| reading.skipped < skipped);
        self.readings.retain(|reading| reading.quoted && better(reading));
        best.filter(|_| self.readings.is_empty()).map(|(_, line)| line)
    }

    fn take_delimiter(&mut self, sight: Sight<'_>, at: usize) -> usize {
        let most = sight.widths.into_iter().max().unwrap_or_default();
        self.readings.retain_mut(|reading| {
            reading.cell += usize::from(!reading.quoted);
            reading.cell < most
        });
        self.cell = sight.offset + at as u64 + 1;
        self.plain = false;
        at + 1
    }

    /// Takes a run of quotes; none when it may go on behind the text.
    fn take_quotes(&mut self, splitter: &Splitter, sight: Sight<'_>, at: usize) -> Option<usize> {
        let Sight { text, last, .. } = sight;
        let rest = text.get(at..)?;
        let length = rest.iter().take_while(|byte| Some(**byte) == splitter.quote).count();
        let end = at + length;
        let mut after = end;
        // Blanks between a closing quote and the delimiter are a flaw, and the cell ends at the quote all the same.
        while is_blank(text.get(after)) && text.get(after) != Some(&splitter.delimiter) {
            after += 1;
        }
        let following = text.get(after).copied();
        if following.is_none() && !last {
            return None;
        }
        if length == 1 && follows_a_backslash(text, at) {
            self.plain = true;
            self.run = self.at;
            return Some(end);
        }
        let closes = following.is_none_or(|byte| byte == splitter.delimiter || matches!(byte, b'\n' | b'\r'));
        let before = at.checked_sub(1).and_then(|at| text.get(at)).copied();
        let leads = before.is_none_or(|byte| byte == splitter.delimiter || matches!(byte, b'\n' | b'\r'));
        let speaks = !is_blank(text.get(end));
        let opens = !closes && (leads || speaks && before.is_some_and(precedes_quotation));
        let run = QuoteRun { length, closes, opens, leads };
        let before_cell = text.get(place(sight, self.cell)..at).unwrap_or_default();
        let begins = !self.plain
            && self.readings.iter().any(|reading| !reading.quoted)
            && before_cell.iter().all(|byte| is_blank(Some(byte)));
        self.plain = true;
        let first = QuoteRun { length: length - 1, opens: !closes && speaks, leads: false, closes };
        let earlier = std::mem::take(&mut self.readings);
        for reading in earlier {
            let is_first = begins && !reading.quoted;
            let (run, before) = if is_first { (first, Quotation::Outside) } else { (run, reading.quotation) };
            let (quotation, may_close) = before.after(run);
            let quoted = reading.quoted || begins;
            let skips = quoted && may_close && run.length % 2 == 1;
            let skipped = reading.skipped.saturating_add(u8::from(skips));
            self.add(QuoteReading { quoted, quotation, skipped, ..reading });
            if quoted && may_close {
                self.add(QuoteReading { quoted: false, quotation: Quotation::Outside, ..reading });
            }
        }
        self.run = self.at;
        Some(end)
    }

    fn add(&mut self, reading: QuoteReading) {
        if self.readings.contains(&reading) {
            return;
        }
        if self.readings.len() < MOST_READINGS {
            return self.readings.push(reading);
        }
        let worst = self.readings.iter_mut().max_by_key(|known| known.skipped);
        if let Some(worst) = worst.filter(|worst| worst.skipped > reading.skipped) {
            *worst = reading;
        }
    }

    /// Searches from the first run of quotes of a block: goes on where an earlier search ended that was here in the
    /// same state, or leaves a mark.
    fn joins(&mut self, memory: &QuoteMemory, trail: &mut Trail) -> bool {
        let within = self.run / MARK_BYTES == self.at / MARK_BYTES;
        if within || self.best.is_some() || self.readings.iter().any(|reading| !reading.quoted) {
            return false;
        }
        self.run = self.at;
        let met = memory.met(self.at, &self.readings).filter(|_| trail.joined.is_none());
        if let Some(end) = met.and_then(|id| memory.ends.get(id)).filter(|end| end.at > self.at) {
            trail.joined = met;
            *self = end.clone();
            return true;
        }
        trail.marks.push((self.at, self.readings.clone()));
        false
    }
}

/// Returns the place in the text of a position in the file.
fn place(sight: Sight<'_>, at: u64) -> usize {
    usize::try_from(at.saturating_sub(sight.offset)).unwrap_or(usize::MAX)
}

/// Returns whether an odd number of backslashes comes before this place: the last of them belongs to what is here.
fn follows_a_backslash(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Returns whether a quotation begins behind this byte.
fn precedes_quotation(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b'\r' | b'(' | b'[' | b'{' | b'<' | b'>' | b'=' | b':' | b';' | b'/' | b'-'
    )
}

#[cfg(test)]
mod tests;
