//! In which form a file came: its encoding, line ends and delimiters. Its rejects are written in the same form.

use contract::{Contract, Format};
use encoding_rs::{Encoding, UTF_8};

/// The form of a file, as far as the contract leaves it to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileForm {
    pub(crate) encoding: &'static Encoding,
    /// Whether it began with a byte order mark.
    pub(crate) has_mark: bool,
    pub(crate) line_end: LineEnd,
    /// Separated values: the byte between cells, which a first line `sep=;` can set.
    pub(crate) delimiter: u8,
    /// Separated values: whether a delimiter ends each record.
    pub(crate) ends_in_delimiter: bool,
}

impl FileForm {
    /// Returns the form of a file of which nothing is known.
    #[must_use]
    pub fn declared(contract: &Contract) -> Self {
        Self {
            encoding: contract.encoding.map_or(UTF_8, |encoding| encoding.0),
            has_mark: false,
            line_end: LineEnd::Lf,
            delimiter: match &contract.format {
                Format::Separated(dialect) => dialect.delimiter,
                Format::JsonLines | Format::Json { .. } => b',',
            },
            ends_in_delimiter: false,
        }
    }
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnd {
    Lf,
    CrLf,
    Cr,
}

impl LineEnd {
    pub(crate) fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
            Self::Cr => b"\r",
        }
    }
}

/// Finds the first line end of a text that comes in blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FirstLineEnd {
    #[default]
    Unknown,
    /// A carriage return was the last byte so far.
    AfterReturn,
    Known(LineEnd),
}

impl FirstLineEnd {
    pub(crate) fn note(&mut self, text: &[u8]) {
        *self = match *self {
            _ if text.is_empty() => return,
            Self::Known(_) => return,
            Self::AfterReturn if text.first() == Some(&b'\n') => Self::Known(LineEnd::CrLf),
            Self::AfterReturn => Self::Known(LineEnd::Cr),
            Self::Unknown => match memchr::memchr2(b'\n', b'\r', text) {
                None => return,
                Some(at) => match (text.get(at), text.get(at + 1)) {
                    (Some(b'\n'), _) => Self::Known(LineEnd::Lf),
                    (_, Some(b'\n')) => Self::Known(LineEnd::CrLf),
                    (_, Some(_)) => Self::Known(LineEnd::Cr),
                    (_, None) => Self::AfterReturn,
                },
            },
        };
    }

    /// Returns the line end; LF for a text without one.
    pub(crate) fn get(self) -> LineEnd {
        match self {
            Self::Unknown => LineEnd::Lf,
            Self::AfterReturn => LineEnd::Cr,
            Self::Known(known) => known,
        }
    }
}

/// Writes text in an encoding from which it is read back unchanged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextWriter {
    encoding: &'static Encoding,
    has_mark: bool,
}

impl TextWriter {
    /// Chooses the encoding of a file of this form. UTF-8, UTF-16 and the encodings of one byte a character can write
    /// all that they read. The others cannot (WHATWG Encoding Standard, "Big5 encoder" and others), so that UTF-8 with
    /// a byte order mark takes their place, which every feed accepts.
    pub(crate) fn new(form: &FileForm, contract: &Contract) -> Self {
        let encoding = form.encoding;
        let is_wide = [encoding_rs::UTF_16LE, encoding_rs::UTF_16BE].contains(&encoding);
        if !is_wide && encoding != UTF_8 && !encoding.is_single_byte() {
            return Self { encoding: UTF_8, has_mark: true };
        }
        let is_declared = contract.encoding.map_or(UTF_8, |declared| declared.0) == encoding;
        Self { encoding, has_mark: is_wide || form.has_mark || !is_declared }
    }

    /// Returns the encoding's name (IANA), in lower case.
    pub(crate) fn name(self) -> String {
        self.encoding.name().to_ascii_lowercase()
    }

    /// Begins the file.
    pub(crate) fn begin(self, out: &mut Vec<u8>) {
        if self.has_mark {
            self.write("\u{feff}".as_bytes(), out);
        }
    }

    /// Appends text. Bytes that are not UTF-8 stay as they are in UTF-8. A character that the encoding lacks can only
    /// be one of the contract's words, and becomes a `?`.
    pub(crate) fn write(self, text: &[u8], out: &mut Vec<u8>) {
        if self.encoding == UTF_8 {
            out.extend_from_slice(text);
            return;
        }
        let text = String::from_utf8_lossy(text);
        if self.encoding == encoding_rs::UTF_16LE {
            out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        } else if self.encoding == encoding_rs::UTF_16BE {
            out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        } else {
            let mut character = [0; 4];
            for one in text.chars() {
                let (bytes, _, lacking) = self.encoding.encode(one.encode_utf8(&mut character));
                out.extend_from_slice(if lacking { b"?" } else { &bytes });
            }
        }
    }
}
