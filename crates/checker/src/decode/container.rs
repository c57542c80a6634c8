//! The outer layer: gzip, zstd, or none.

use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

use super::gzip::Gzip;
use super::{Decoded, fault};
use crate::{FaultCode, FileFault};

/// The largest zstd window: 8 MiB, what RFC 8878 section 3.1.1.1.2 asks every decoder to support. Levels up to 19
/// keep to it.
const ZSTD_WINDOW_LOG: u32 = 23;

/// What the first bytes show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magic {
    Gzip,
    Zstd,
    None,
}

impl Magic {
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one of the sixteen kinds of skippable frame (RFC 8878 section 3.1).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// The outer layer, once it is known.
pub(super) enum Container {
    /// Fewer than four bytes were seen.
    Unknown {
        head: [u8; 4],
        length: usize,
    },
    Plain,
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

impl Default for Container {
    fn default() -> Self {
        Self::Unknown { head: [0; 4], length: 0 }
    }
}

impl Container {
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// Takes some of `input` and appends at most `room` bytes to `out`.
    pub(super) fn run(&mut self, input: &[u8], room: usize, out: &mut Vec<u8>) -> Result<Decoded, FileFault> {
        match self {
            Self::Plain => {
                let taken = input.get(..room).unwrap_or(input);
                out.extend_from_slice(taken);
                Ok(Decoded { consumed: taken.len(), pending: false })
            }
            Self::Gzip(gzip) => gzip.run(input, room, out),
            Self::Zstd(zstd) => zstd.run(input, room, out),
            Self::Unknown { head, length } => {
                let mut consumed = 0;
                for (slot, byte) in head.iter_mut().skip(*length).zip(input) {
                    *slot = *byte;
                    consumed += 1;
                }
                *length += consumed;
                if *length == head.len() {
                    let head = *head;
                    self.open(&head, room, out)?;
                }
                Ok(Decoded { consumed, pending: false })
            }
        }
    }

    /// Writes what is left. Returns whether to call again.
    pub(super) fn finish(&mut self, room: usize, out: &mut Vec<u8>) -> Result<bool, FileFault> {
        match self {
            Self::Plain => Ok(false),
            Self::Gzip(gzip) => gzip.finish(room, out),
            Self::Zstd(zstd) => zstd.finish(room, out),
            Self::Unknown { head, length } => {
                let (head, length) = (*head, *length);
                self.open(head.get(..length).unwrap_or_default(), room, out)?;
                if self.is_plain() { Ok(false) } else { self.finish(room, out) }
            }
        }
    }

    /// Decides by the first bytes, and passes them on.
    fn open(&mut self, head: &[u8], room: usize, out: &mut Vec<u8>) -> Result<(), FileFault> {
        *self = match Magic::of(head) {
            Magic::None => Self::Plain,
            Magic::Gzip => Self::Gzip(Box::default()),
            Magic::Zstd => Self::Zstd(Box::new(Zstd::new()?)),
        };
        // Four bytes are less than a header of either compression, so nothing can be pending here.
        self.run(head, room, out).map(|_| ())
    }
}

/// A series of zstd frames.
pub(super) struct Zstd {
    decoder: ZstdDecoder<'static>,
    /// Whether the last frame ended and no other began.
    between: bool,
}

impl Zstd {
    fn new() -> Result<Self, FileFault> {
        let mut decoder = ZstdDecoder::new().map_err(|error| zstd_fault(&error))?;
        decoder
            .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))
            .map_err(|error| zstd_fault(&error))?;
        Ok(Self { decoder, between: true })
    }

    fn run(&mut self, input: &[u8], room: usize, out: &mut Vec<u8>) -> Result<Decoded, FileFault> {
        let begin = out.len();
        out.resize(begin + room, 0);
        let (mut consumed, mut written) = (0, 0);
        while written < room && !(self.between && consumed == input.len()) {
            let rest = input.get(consumed..).unwrap_or_default();
            let space = out.get_mut(begin + written..).unwrap_or_default();
            let status = self.decoder.run_on_buffers(rest, space).map_err(|error| zstd_fault(&error))?;
            consumed += status.bytes_read;
            written += status.bytes_written;
            self.between = status.remaining == 0;
            if status.bytes_read == 0 && status.bytes_written == 0 {
                break;
            }
        }
        out.truncate(begin + written);
        Ok(Decoded { consumed, pending: written == room && !self.between })
    }

    fn finish(&mut self, room: usize, out: &mut Vec<u8>) -> Result<bool, FileFault> {
        let step = self.run(&[], room, out)?;
        if !step.pending && !self.between {
            return Err(fault(
                FaultCode::Truncated,
                "zstd data that ends within a frame",
                "whole zstd frames",
            ));
        }
        Ok(step.pending)
    }
}

/// Returns the library's message names a kind of damage, never content.
fn zstd_fault(error: &std::io::Error) -> FileFault {
    fault(
        FaultCode::Corrupt,
        format!("zstd data that cannot be decompressed ({error})").to_lowercase(),
        "zstd frames with a window of at most 8 MiB, and nothing after them",
    )
}
