//! The inner layer: UTF-8 as it is, or another encoding turned into UTF-8.

use contract::TextEncoding;
use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::container::Magic;
use super::fault;
use crate::foreign::{Foreign, HEAD_BYTES, Takes};
use crate::{FaultCode, FileFault};

/// The encoding, once it is known.
pub(super) struct Text {
    declared: Option<&'static Encoding>,
    takes: Takes,
    state: TextState,
    /// The first bytes of the content.
    head: Vec<u8>,
    /// Bytes taken, for the position of a fault.
    taken: u64,
    /// The encoding, and whether a byte order mark says it.
    found: (&'static Encoding, bool),
}

enum TextState {
    /// The head is not complete.
    Unknown,
    /// UTF-8, or what claims to be.
    Unchanged,
    /// Another encoding.
    Transcoded(Box<encoding_rs::Decoder>, &'static Encoding),
}

impl Text {
    pub(super) fn new(declared: Option<TextEncoding>, takes: Takes) -> Self {
        let declared = declared.map(|encoding| encoding.0);
        Self { declared, takes, state: TextState::Unknown, head: Vec::new(), taken: 0, found: (UTF_8, false) }
    }

    /// Returns the first bytes of the content, as many as are known, at most [`HEAD_BYTES`].
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn encoding(&self) -> (&'static Encoding, bool) {
        self.found
    }

    pub(super) fn is_unchanged(&self) -> bool {
        matches!(self.state, TextState::Unchanged)
    }

    /// Appends the text of `raw` to `out`.
    pub(super) fn decode(&mut self, mut raw: &[u8], plain: bool, out: &mut Vec<u8>) -> Result<(), FileFault> {
        if matches!(self.state, TextState::Unknown) {
            let wanted = HEAD_BYTES.saturating_sub(self.head.len());
            let (first, rest) = raw.split_at(wanted.min(raw.len()));
            self.head.extend_from_slice(first);
            if self.head.len() < HEAD_BYTES {
                return Ok(());
            }
            self.open(plain, out)?;
            raw = rest;
        }
        self.transcode(raw, false, out)
    }

    /// There is no more.
    pub(super) fn finish(&mut self, plain: bool, out: &mut Vec<u8>) -> Result<(), FileFault> {
        if matches!(self.state, TextState::Unknown) {
            self.open(plain, out)?;
        }
        self.transcode(&[], true, out)?;
        self.state = TextState::Unchanged;
        Ok(())
    }

    /// Decides by the first bytes, and passes on those that are no byte order mark.
    fn open(&mut self, plain: bool, out: &mut Vec<u8>) -> Result<(), FileFault> {
        let twice = (!plain && Magic::of(&self.head) != Magic::None).then_some(Foreign::CompressedTwice);
        if let Some(foreign) = twice.or_else(|| Foreign::certain(&self.head)) {
            return Err(foreign.fault(self.takes));
        }
        let (encoding, mark) = recognise(&self.head, self.declared)?;
        self.state = if encoding == UTF_8 {
            TextState::Unchanged
        } else {
            TextState::Transcoded(Box::new(encoding.new_decoder_without_bom_handling()), encoding)
        };
        self.found = (encoding, mark > 0);
        self.taken = mark as u64;
        let head = std::mem::take(&mut self.head);
        let opened = self.transcode(head.get(mark..).unwrap_or_default(), false, out);
        self.head = head;
        opened
    }

    fn transcode(&mut self, raw: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), FileFault> {
        let TextState::Transcoded(decoder, encoding) = &mut self.state else {
            out.extend_from_slice(raw);
            return Ok(());
        };
        let most = decoder.max_utf8_buffer_length_without_replacement(raw.len()).unwrap_or(raw.len() * 3 + 4);
        let begin = out.len();
        out.resize(begin + most, 0);
        let space = out.get_mut(begin..).unwrap_or_default();
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(raw, space, last);
        out.truncate(begin + written);
        self.taken += read as u64;
        let behind = match result {
            DecoderResult::InputEmpty => return Ok(()),
            DecoderResult::Malformed(length, after) => u64::from(length) + u64::from(after),
            // The space is for any text of this length.
            DecoderResult::OutputFull => 0,
        };
        Err(fault(
            FaultCode::Encoding,
            format!(
                "bytes that are not {} text at byte {}",
                encoding.name(),
                self.taken.saturating_sub(behind) + 1
            ),
            format!("{} text", encoding.name()),
        ))
    }
}

/// Returns the encoding that the first bytes show, and the length of the byte order mark. A mark wins over a
/// declaration, as in the WHATWG Encoding Standard.
fn recognise(
    head: &[u8],
    declared: Option<&'static Encoding>,
) -> Result<(&'static Encoding, usize), FileFault> {
    match head {
        [0xff, 0xfe, 0, 0, ..] => return Err(rejected("UTF-32 (little endian)")),
        [0, 0, 0xfe, 0xff, ..] => return Err(rejected("UTF-32 (big endian)")),
        [0xef, 0xbb, 0xbf, ..] => return Ok((UTF_8, 3)),
        [0xff, 0xfe, ..] => return Ok((UTF_16LE, 2)),
        [0xfe, 0xff, ..] => return Ok((UTF_16BE, 2)),
        _ => {}
    }
    match declared {
        Some(encoding) if encoding != UTF_8 => Ok((encoding, 0)),
        // Without a mark, the zero bytes of ASCII characters still show the width.
        _ => match head.get(..4).unwrap_or(head) {
            [1..=255, 0, 0, 0] => Err(unmarked("UTF-32 (little endian)")),
            [0, 0, 0, 1..=255] => Err(unmarked("UTF-32 (big endian)")),
            [1..=255, 0] | [1..=255, 0, 1..=255, 0] => Err(unmarked("UTF-16 (little endian)")),
            [0, 1..=255] | [0, 1..=255, 0, 1..=255] => Err(unmarked("UTF-16 (big endian)")),
            _ => Ok((UTF_8, 0)),
        },
    }
}

fn rejected(found: &str) -> FileFault {
    fault(
        FaultCode::Encoding,
        found,
        "UTF-8, UTF-16 with a byte order mark, or the encoding that the contract declares",
    )
}

/// Returns the fault of an encoding that only a byte order mark or the contract can tell.
pub(crate) fn unmarked(encoding: &str) -> FileFault {
    rejected(&format!("{encoding} without a byte order mark"))
}
