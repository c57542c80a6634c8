//! Text blocks to records: one closed enum over the formats.

mod guess;
mod window;

use std::sync::Arc;

use contract::{Contract, Format, Found, Structure, Violation};

pub(crate) use self::guess::name as encoding_name;
pub(crate) use self::window::{
    END_MARK, Line, PIECE_BYTES, Window, endless, is_clean, line_end, line_ends, longest, next_line,
};
use crate::json::{JsonEither, JsonLines};
use crate::returned::CorrectedFile;
use crate::separated::Separated;
use crate::{FaultCode, FileFault, Item};

/// The share of records with invalid text above which the file is quarantined, in percent, and how many such records
/// it takes. Single bad bytes cost single records; a file in another encoding is the sender's mistake as a whole.
const INVALID_TEXT_PERCENT: u64 = 10;
const INVALID_TEXT_RECORDS: u64 = 20;

/// The byte order mark of UTF-8. The decoder drops that of the file; files that were joined have more of them.
pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A line or record without end is given up after this multiple of the record size limit.
const LONGEST_LINE_FACTOR: u64 = 16;

/// Turns blocks of text into records. The items are the same however the text is cut into blocks.
pub(crate) enum Reader {
    /// Delimiter-separated values.
    Separated(Box<Separated>),
    /// One JSON object per line.
    JsonLines(Box<JsonLines>),
    /// One JSON document, or its rejects.
    Json(Box<JsonEither>),
}

impl Reader {
    pub(crate) fn new(contract: Arc<Contract>) -> Self {
        match contract.format.clone() {
            Format::Separated(dialect) => Self::Separated(Box::new(Separated::new(contract, &dialect))),
            Format::JsonLines => Self::JsonLines(Box::new(JsonLines::new(&contract))),
            Format::Json { record_path } => Self::Json(Box::new(JsonEither::new(&contract, record_path))),
        }
    }

    /// Takes the next block of text.
    pub(crate) fn push(&mut self, block: &[u8], found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        match self {
            Self::Separated(reader) => reader.push(block, found),
            Self::JsonLines(reader) => reader.push(block, found),
            Self::Json(reader) => reader.push(block, found),
        }
    }

    /// There is no more text.
    pub(crate) fn finish(&mut self, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        match self {
            Self::Separated(reader) => reader.finish(found),
            Self::JsonLines(reader) => reader.finish(found),
            Self::Json(reader) => reader.finish(found),
        }
    }

    /// CSV: the header's labels in the sender's order, once it was read. Empty for JSON and without a header.
    pub(crate) fn labels(&self) -> &[String] {
        match self {
            Self::Separated(reader) => reader.labels(),
            Self::JsonLines(_) | Self::Json(_) => &[],
        }
    }

    /// Returns whether the labels are known, or that there are none.
    pub(crate) fn has_labels(&self) -> bool {
        match self {
            Self::Separated(reader) => reader.has_labels(),
            Self::JsonLines(_) | Self::Json(_) => true,
        }
    }

    /// Returns the file that the records correct, when they are corrected rejects.
    pub(crate) fn corrects(&self) -> Option<&CorrectedFile> {
        match self {
            Self::Separated(reader) => Some(reader.corrects()),
            Self::JsonLines(reader) => Some(reader.corrects()),
            Self::Json(reader) => reader.corrects(),
        }
    }

    /// Separated values: returns the delimiter of the file, and whether one ends each record.
    pub(crate) fn delimiters(&self) -> Option<(u8, bool)> {
        match self {
            Self::Separated(reader) => Some(reader.delimiters()),
            Self::JsonLines(_) | Self::Json(_) => None,
        }
    }

    /// Returns whether the text had more than blank lines: a header, a record, or a JSON document, which may be an
    /// empty array.
    pub(crate) fn has_content(&self) -> bool {
        match self {
            Self::Separated(reader) => reader.has_content(),
            Self::JsonLines(reader) => reader.has_content(),
            Self::Json(reader) => reader.has_content(),
        }
    }

    /// Returns columns of the header that the contract does not name; for JSON, fields of that kind over all records.
    pub(crate) fn unknown_columns(&self) -> u32 {
        match self {
            Self::Separated(reader) => reader.unknown_columns(),
            Self::JsonLines(reader) => reader.unknown_fields(),
            Self::Json(reader) => reader.unknown_fields(),
        }
    }
}

/// What a reader does after one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadStep {
    /// There may be more to read.
    More,
    /// The rest needs more text.
    Wait,
}

/// Returns the violation of a structural rule.
pub(crate) fn violation(structure: Structure, found: Found) -> Violation {
    Violation { rule: structure.index(), column: None, found }
}

/// Returns a fault at a line.
pub(crate) fn fault_at(
    code: FaultCode,
    line: u64,
    found: impl Into<String>,
    expected: impl Into<String>,
) -> FileFault {
    FileFault::new(code, found, expected).at_line(line)
}

/// Checks that a record is UTF-8 without NUL characters.
pub(crate) fn check_text(raw: &[u8]) -> Result<(), Violation> {
    if simdutf8::basic::from_utf8(raw).is_err() {
        let sound = simdutf8::compat::from_utf8(raw).map_or_else(|error| error.valid_up_to(), str::len);
        let found = Found::NotUtf8 { at: offset32(sound + 1), looks_like: guess::looks_like(raw) };
        return Err(violation(Structure::Encoding, found));
    }
    match memchr::memchr(0, raw) {
        None => Ok(()),
        Some(at) => {
            let before = characters(raw.get(..at).unwrap_or_default());
            let found = Found::Nul { at: offset32(before + 1), looks_like: guess::looks_like(raw) };
            Err(violation(Structure::Nul, found))
        }
    }
}

/// Unicode code points of UTF-8, for positions in messages.
pub(crate) fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count()
}

/// Counts records of invalid text.
#[derive(Default)]
pub(crate) struct InvalidText(u64);

impl InvalidText {
    /// Notes a broken record; quarantines the file when too many of the records so far are of that kind.
    pub(crate) fn note(&mut self, broken: Violation, records: u64, line: u64) -> Result<(), FileFault> {
        if broken.rule != Structure::Encoding.index() {
            return Ok(());
        }
        self.0 += 1;
        if self.0 < INVALID_TEXT_RECORDS || self.0 * 100 <= records * INVALID_TEXT_PERCENT {
            return Ok(());
        }
        let hint = match broken.found {
            Found::NotUtf8 { looks_like: Some(encoding), .. } => {
                format!("; they look like {}", guess::name(encoding))
            }
            _ => String::new(),
        };
        Err(fault_at(
            FaultCode::Encoding,
            line,
            format!("{} of {records} records that are not UTF-8 text{hint}", self.0),
            "UTF-8, or the encoding that the contract declares",
        ))
    }
}

/// Returns a position within a record. Records are far below 4 GiB: see [`record_limit`].
pub(crate) fn offset32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Returns the record size limit, such that a record and its unescaped text fit in 32-bit spans.
pub(crate) fn record_limit(contract: &Contract) -> usize {
    usize::try_from(contract.limits.record_bytes.min(1 << 29)).unwrap_or(1 << 29)
}
