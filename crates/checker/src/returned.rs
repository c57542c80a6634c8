//! Corrected rejects that come back: which file they correct.

use std::borrow::Cow;

use contract::reject_label;
use ledger::{FileId, LineSum};

use crate::reader::fault_at;
use crate::{FaultCode, FileFault};

/// Bytes for the columns that rejects have in addition to the sender's, so that a record at the size limit comes back
/// with them: three texts of at most [`TEXT_BYTES`] with their quotes doubled, and what is short.
pub(crate) const ADDED_BYTES: usize = 8 * TEXT_BYTES;

/// Bytes of the columns, rules or reasons of one record; what is longer is cut.
pub(crate) const TEXT_BYTES: usize = 16 * 1024;

/// Behind a record that is shown only up to the size limit. With it the record is above the limit, as it was, also
/// when up to three bytes of a last character were left out.
pub(crate) const CUT: &str = " ...";

/// Returns a record that was cut at the size limit without the beginning of a character at its end.
pub(crate) fn whole_characters(cut: &[u8]) -> &[u8] {
    match std::str::from_utf8(cut) {
        Err(error) if error.error_len().is_none() => cut.get(..error.valid_up_to()).unwrap_or(cut),
        Ok(_) | Err(_) => cut,
    }
}

/// The file that the records of this one correct.
#[derive(Clone, Debug, Default)]
pub(crate) struct CorrectedFile {
    file: Option<FileId>,
    /// Whether a record names none.
    without: bool,
    /// The lines of its records in the file that they correct.
    lines: LineSum,
}

impl CorrectedFile {
    /// Returns the file that is corrected, once a record has named it.
    pub(crate) fn get(&self) -> Option<&FileId> {
        self.file.as_ref()
    }

    /// Returns the lines of the records, as their `_line` says.
    pub(crate) fn lines(&self) -> LineSum {
        self.lines
    }

    /// Takes what the record on this line names: the file, which all records must name, and its `_line` in it.
    #[inline]
    pub(crate) fn note(
        &mut self,
        named: Option<&[u8]>,
        in_file: Option<&[u8]>,
        line: u64,
    ) -> Result<(), FileFault> {
        let Some(named) = named else {
            self.without = true;
            return if self.file.is_none() { Ok(()) } else { Err(mixed(line)) };
        };
        let text = in_file.and_then(|text| std::str::from_utf8(text).ok());
        self.lines.add(text.and_then(|text| text.trim().parse().ok()).unwrap_or_default());
        let named = std::str::from_utf8(named).ok().and_then(|text| FileId::parse(text.trim()));
        match (named, &self.file) {
            (Some(_), _) if self.without => Err(mixed(line)),
            (None, _) => {
                let expected = format!("the file id that the rejects had in `{}`", reject_label::FILE);
                Err(fault(line, format!("a `{}` that is not a file id", reject_label::FILE), expected)
                    .with_advice("keep the column `_file` of the rejects as it is; a file of your own records needs another name for such a column"))
            }
            (Some(named), Some(file)) if named != *file => {
                let found = format!("two different file ids in `{}`", reject_label::FILE);
                Err(fault(line, found, "the rejects of one file")
                    .with_advice("send the corrected rejects of each file as a file of their own"))
            }
            (Some(_), Some(_)) => Ok(()),
            (Some(named), None) => {
                self.file = Some(named);
                Ok(())
            }
        }
    }
}

fn mixed(line: u64) -> FileFault {
    let found = format!("records with and without `{}`", reject_label::FILE);
    fault(line, found, "corrected rejects only, or none")
        .with_advice("send corrected rejects and other records as files of their own")
}

fn fault(line: u64, found: String, expected: impl Into<String>) -> FileFault {
    fault_at(FaultCode::Correction, line, found, expected)
}

/// How a record that no cell can hold as it is stands in a cell: bytes that would end the cell are `%` with two digits
/// (as RFC 3986, section 2.1). Only dialects without quotes, or without a way to write a quote within quotes, need it.
pub(crate) fn percent_encoded(raw: &[u8], ends: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    for byte in raw {
        if *byte == b'%' || ends(*byte) {
            text.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            text.push(*byte);
        }
    }
    text
}

/// Reads such a text back.
pub(crate) fn percent_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut raw = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let decoded = (*byte == b'%').then(|| hex_byte(after)).flatten();
        raw.push(decoded.unwrap_or(*byte));
        rest = after.get(if decoded.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    Cow::Owned(raw)
}

fn hex_byte(text: &[u8]) -> Option<u8> {
    let mut byte = [0];
    hex::decode_to_slice(text.get(..2)?, &mut byte).ok()?;
    Some(byte[0])
}
