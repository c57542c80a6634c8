//! Stored bytes to text: one layer of compression, then one encoding.
//!
//! Both are recognised by content, because names and content types lie. The decoder is sans-IO and each call writes at
//! most [`STEP_BYTES`], so that neither a compression bomb nor a large chunk can make one call grow without bound.

mod container;
mod gzip;
#[cfg(test)]
mod tests;
mod text;

use contract::{Limits, TextEncoding};

use self::container::Container;
use self::text::Text;
use crate::foreign::Takes;
use crate::{FaultCode, FileFault};

pub(crate) use self::text::unmarked as unmarked_encoding;

/// The most text that one call writes.
pub(crate) const STEP_BYTES: usize = 64 * 1024;

/// The most bytes that one call transcodes: UTF-8 takes up to three bytes for each byte of another encoding.
const TRANSCODE_BYTES: usize = 16 * 1024;

/// Output before the ratio is checked: small files of one repeated line compress well and do no harm.
const RATIO_GRACE_BYTES: u64 = 10 * 1024 * 1024;

/// What one call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// How much of the input was taken.
    pub(crate) consumed: usize,
    /// Whether there is more output for the input already taken: call again, with the rest of the input or none.
    pub(crate) pending: bool,
}

/// Decompresses and transcodes. Text without a compression and an encoding other than UTF-8 passes unchanged and
/// unchecked; the readers check it record by record, so that one bad byte costs one record.
pub(crate) struct Decoder {
    limits: Limits,
    container: Container,
    text: Text,
    /// Decompressed bytes on their way to the transcoder.
    raw: Vec<u8>,
    stored: u64,
    expanded: u64,
}

impl Decoder {
    pub(crate) fn new(limits: Limits, encoding: Option<TextEncoding>, takes: Takes) -> Self {
        Self {
            limits,
            container: Container::default(),
            text: Text::new(encoding, takes),
            raw: Vec::new(),
            stored: 0,
            expanded: 0,
        }
    }

    /// Returns the first bytes after decompression, in the sender's encoding; none before
    /// [`crate::foreign::HEAD_BYTES`] or the end of the file were seen.
    pub(crate) fn head(&self) -> &[u8] {
        self.text.head()
    }

    /// Returns the encoding of the file, and whether it began with a byte order mark. UTF-8 before it is known.
    pub(crate) fn encoding(&self) -> (&'static encoding_rs::Encoding, bool) {
        self.text.encoding()
    }

    /// Returns whether the rest of the file is its own text: then [`Decoder::pass`] replaces [`Decoder::decode`],
    /// without a copy. Known after the first [`crate::foreign::HEAD_BYTES`].
    pub(crate) fn is_plain(&self) -> bool {
        self.container.is_plain() && self.text.is_unchanged()
    }

    /// Counts a chunk of a file that [`Decoder::is_plain`]; the chunk itself is the text.
    pub(crate) fn pass(&mut self, chunk: &[u8]) -> Result<(), FileFault> {
        self.count(chunk.len(), chunk.len())
    }

    /// Takes some of `input`; clears `out` and writes at most [`STEP_BYTES`] of text to it.
    pub(crate) fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Decoded, FileFault> {
        out.clear();
        if self.text.is_unchanged() {
            let step = self.container.run(input, STEP_BYTES, out)?;
            self.count(step.consumed, out.len())?;
            return Ok(step);
        }
        let mut raw = std::mem::take(&mut self.raw);
        raw.clear();
        let step = self.container.run(input, TRANSCODE_BYTES, &mut raw)?;
        self.count(step.consumed, raw.len())?;
        self.text.decode(&raw, self.container.is_plain(), out)?;
        self.raw = raw;
        Ok(step)
    }

    /// There is no more input: clears `out` and writes what is left, at most [`STEP_BYTES`]. Returns whether to call
    /// again.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<bool, FileFault> {
        out.clear();
        let mut raw = std::mem::take(&mut self.raw);
        raw.clear();
        let pending = self.container.finish(TRANSCODE_BYTES, &mut raw)?;
        self.count(0, raw.len())?;
        self.text.decode(&raw, self.container.is_plain(), out)?;
        self.raw = raw;
        if !pending {
            self.text.finish(self.container.is_plain(), out)?;
        }
        Ok(pending)
    }

    fn count(&mut self, stored: usize, expanded: usize) -> Result<(), FileFault> {
        self.stored += stored as u64;
        self.expanded += expanded as u64;
        let limits = self.limits;
        if self.stored > limits.file_bytes {
            return Err(fault(
                FaultCode::TooLarge,
                format!("more than {} bytes", limits.file_bytes),
                format!("a file of at most {} bytes", limits.file_bytes),
            ));
        }
        if self.expanded > limits.decompressed_bytes {
            let code = if self.container.is_plain() { FaultCode::TooLarge } else { FaultCode::Bomb };
            return Err(fault(
                code,
                format!("more than {} bytes of content", limits.decompressed_bytes),
                format!("at most {} bytes of content", limits.decompressed_bytes),
            ));
        }
        let ratio = u64::from(limits.ratio);
        if self.expanded > RATIO_GRACE_BYTES && self.expanded > self.stored.saturating_mul(ratio) {
            return Err(fault(
                FaultCode::Bomb,
                format!("more than {ratio} bytes of content for each stored byte"),
                format!("at most {ratio} bytes of content for each stored byte"),
            ));
        }
        Ok(())
    }
}

/// Returns a fault without a line: positions in compressed data help nobody.
fn fault(code: FaultCode, found: impl Into<String>, expected: impl Into<String>) -> FileFault {
    FileFault::new(code, found, expected)
}
