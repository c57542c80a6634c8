//! A record byte by byte: for what is too long to be held, and for a line of which only the cells are counted.

use super::split::Splitter;

/// The place of a byte within a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TailPlace {
    /// At the beginning of a cell, or behind blanks that are trimmed there.
    Begin,
    /// In a cell without quotes, or behind the closing quote of one.
    Plain,
    /// Within quotes.
    Quoted,
    /// Within quotes, behind an escape.
    Escaped,
    /// Behind a quote within quotes: it closes the cell unless another quote follows.
    Quote,
    /// Behind blanks that are trimmed after a closing quote.
    Closed,
}

/// What a byte does to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TailStep {
    /// It is within a cell, or its quotes.
    Within,
    /// It ends a cell.
    EndsCell,
    /// It begins the line end that ends the record.
    EndsRecord,
    /// It is text behind a closing quote.
    AfterQuote,
}

impl TailPlace {
    /// Takes the next byte.
    pub(super) fn take(&mut self, byte: u8, splitter: &Splitter) -> TailStep {
        let is_quote = Some(byte) == splitter.quote;
        let is_blank = splitter.trim && matches!(byte, b' ' | b'\t');
        match *self {
            Self::Escaped => *self = Self::Quoted,
            Self::Quoted if Some(byte) == splitter.escape => *self = Self::Escaped,
            Self::Quoted if is_quote => *self = Self::Quote,
            Self::Quoted => {}
            Self::Quote if is_quote && splitter.double_quote => *self = Self::Quoted,
            Self::Begin | Self::Plain | Self::Quote | Self::Closed if byte == splitter.delimiter => {
                *self = Self::Begin;
                return TailStep::EndsCell;
            }
            Self::Begin | Self::Plain | Self::Quote | Self::Closed if matches!(byte, b'\n' | b'\r') => {
                return TailStep::EndsRecord;
            }
            Self::Begin if is_quote => *self = Self::Quoted,
            Self::Begin if is_blank => {}
            Self::Quote | Self::Closed if is_blank => *self = Self::Closed,
            Self::Quote | Self::Closed => {
                *self = Self::Plain;
                return TailStep::AfterQuote;
            }
            Self::Begin | Self::Plain => *self = Self::Plain,
        }
        TailStep::Within
    }

    /// Returns whether the text up to here ends within quotes.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Quoted | Self::Escaped)
    }
}

/// Returns how many cells a text has in which the text behind a closing quote belongs to the cell. None: a quote is
/// not closed.
pub(super) fn count_cells(text: &[u8], splitter: &Splitter) -> Option<usize> {
    let mut place = TailPlace::Begin;
    let ends = text.iter().filter(|byte| place.take(**byte, splitter) == TailStep::EndsCell).count();
    (!place.is_open()).then_some(ends + 1)
}
