//! A series of gzip members (RFC 1952), each with its checksum and length verified.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Decoded, fault};
use crate::{FaultCode, FileFault};

/// Flag bits of the member header (RFC 1952 section 2.3.1).
const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
const FLAGS_RESERVED: u8 = 0b1110_0000;

/// Where in the series the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GzipPlace {
    /// The ten fixed bytes of a header; how many were seen.
    Fixed(u8),
    /// The two bytes of the extra field's length.
    ExtraLength(u8),
    /// The number of bytes of the extra field that are left.
    Extra(u16),
    /// The zero-terminated file name.
    Name,
    /// The zero-terminated comment.
    Comment,
    /// The two bytes of the header's checksum.
    HeaderCrc(u8),
    /// Deflated data.
    Body,
    /// The eight bytes of checksum and length.
    Trailer(u8),
    /// After a member.
    Between,
    /// Zero bytes after the last member: gzip(1) ignores what tapes and block devices pad with.
    Padding,
}

/// A series of gzip members.
pub(super) struct Gzip {
    place: GzipPlace,
    inflate: Decompress,
    flags: u8,
    extra: u16,
    header: Crc,
    body: Crc,
    trailer: [u8; 8],
}

impl Default for Gzip {
    fn default() -> Self {
        Self {
            place: GzipPlace::Fixed(0),
            inflate: Decompress::new(false),
            flags: 0,
            extra: 0,
            header: Crc::new(),
            body: Crc::new(),
            trailer: [0; 8],
        }
    }
}

impl Gzip {
    pub(super) fn run(&mut self, input: &[u8], room: usize, out: &mut Vec<u8>) -> Result<Decoded, FileFault> {
        let begin = out.len();
        out.resize(begin + room, 0);
        let (mut consumed, mut written) = (0, 0);
        loop {
            if self.place == GzipPlace::Body {
                let rest = input.get(consumed..).unwrap_or_default();
                let space = out.get_mut(begin + written..).unwrap_or_default();
                if space.is_empty() {
                    break;
                }
                let (taken, made) = self.inflate(rest, space)?;
                consumed += taken;
                written += made;
                if taken == 0 && made == 0 && self.place == GzipPlace::Body {
                    break;
                }
            } else if let Some(byte) = input.get(consumed) {
                self.frame(*byte)?;
                consumed += 1;
            } else {
                break;
            }
        }
        out.truncate(begin + written);
        Ok(Decoded { consumed, pending: written == room })
    }

    pub(super) fn finish(&mut self, room: usize, out: &mut Vec<u8>) -> Result<bool, FileFault> {
        let step = self.run(&[], room, out)?;
        if step.pending || matches!(self.place, GzipPlace::Between | GzipPlace::Padding) {
            return Ok(step.pending);
        }
        Err(fault(FaultCode::Truncated, "gzip data that ends within a member", "whole gzip members"))
    }

    /// Inflates into `space`. Returns how much was taken and written.
    fn inflate(&mut self, input: &[u8], space: &mut [u8]) -> Result<(usize, usize), FileFault> {
        let (taken_before, made_before) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(input, space, FlushDecompress::None)
            .map_err(|_| corrupt("gzip data with a damaged block"))?;
        let taken = usize::try_from(self.inflate.total_in() - taken_before).unwrap_or(input.len());
        let made = usize::try_from(self.inflate.total_out() - made_before).unwrap_or(space.len());
        self.body.update(space.get(..made).unwrap_or_default());
        if status == Status::StreamEnd {
            self.place = GzipPlace::Trailer(0);
        }
        Ok((taken, made))
    }

    /// Takes one byte outside of the deflated data.
    fn frame(&mut self, byte: u8) -> Result<(), FileFault> {
        if !matches!(
            self.place,
            GzipPlace::HeaderCrc(_) | GzipPlace::Trailer(_) | GzipPlace::Between | GzipPlace::Padding
        ) {
            self.header.update(&[byte]);
        }
        self.place = match self.place {
            GzipPlace::Fixed(seen) => self.fixed(seen, byte)?,
            GzipPlace::ExtraLength(0) => {
                self.extra = u16::from(byte);
                GzipPlace::ExtraLength(1)
            }
            GzipPlace::ExtraLength(_) => match self.extra | (u16::from(byte) << 8) {
                0 => self.after(FLAG_EXTRA),
                length => GzipPlace::Extra(length),
            },
            GzipPlace::Extra(left) if left > 1 => GzipPlace::Extra(left - 1),
            GzipPlace::Extra(_) => self.after(FLAG_EXTRA),
            GzipPlace::Name if byte == 0 => self.after(FLAG_NAME),
            GzipPlace::Comment if byte == 0 => self.after(FLAG_COMMENT),
            GzipPlace::HeaderCrc(0) => {
                self.extra = u16::from(byte);
                GzipPlace::HeaderCrc(1)
            }
            GzipPlace::HeaderCrc(_) => {
                let promised = u32::from(self.extra | (u16::from(byte) << 8));
                if promised != self.header.sum() & 0xffff {
                    return Err(corrupt("a gzip header whose checksum differs"));
                }
                GzipPlace::Body
            }
            GzipPlace::Trailer(seen) => self.trailer(seen, byte)?,
            GzipPlace::Between if byte == 0x1f => {
                *self = Self::default();
                self.header.update(&[byte]);
                GzipPlace::Fixed(1)
            }
            GzipPlace::Between | GzipPlace::Padding if byte == 0 => GzipPlace::Padding,
            GzipPlace::Between | GzipPlace::Padding => {
                return Err(corrupt("other bytes after the gzip data"));
            }
            GzipPlace::Name | GzipPlace::Comment | GzipPlace::Body => self.place,
        };
        Ok(())
    }

    /// Magic, method, flags; time, level and system are not used.
    fn fixed(&mut self, seen: u8, byte: u8) -> Result<GzipPlace, FileFault> {
        let fits = match seen {
            0 => byte == 0x1f,
            1 => byte == 0x8b,
            2 => byte == 8,
            3 => byte & FLAGS_RESERVED == 0,
            _ => true,
        };
        if !fits {
            return Err(corrupt("a gzip member with a damaged header"));
        }
        if seen == 3 {
            self.flags = byte;
        }
        Ok(if seen == 9 { self.after(0) } else { GzipPlace::Fixed(seen + 1) })
    }

    /// Returns the part of the header that follows the one with this flag.
    fn after(&self, part: u8) -> GzipPlace {
        let parts = [
            (FLAG_EXTRA, GzipPlace::ExtraLength(0)),
            (FLAG_NAME, GzipPlace::Name),
            (FLAG_COMMENT, GzipPlace::Comment),
        ];
        let next = parts.into_iter().find(|(flag, _)| *flag > part && self.flags & flag != 0);
        match next {
            Some((_, place)) => place,
            None if self.flags & FLAG_HEADER_CRC != 0 => GzipPlace::HeaderCrc(0),
            None => GzipPlace::Body,
        }
    }

    fn trailer(&mut self, seen: u8, byte: u8) -> Result<GzipPlace, FileFault> {
        if let Some(slot) = self.trailer.get_mut(usize::from(seen)) {
            *slot = byte;
        }
        if seen < 7 {
            return Ok(GzipPlace::Trailer(seen + 1));
        }
        let (checksum, length) = self.trailer.split_at(4);
        if checksum != self.body.sum().to_le_bytes() {
            return Err(corrupt("gzip data whose checksum differs"));
        }
        // ISIZE is the length modulo 2^32 (RFC 1952 section 2.3.1), as is `amount`.
        if length != self.body.amount().to_le_bytes() {
            return Err(corrupt("gzip data whose length differs"));
        }
        Ok(GzipPlace::Between)
    }
}

fn corrupt(found: &str) -> FileFault {
    fault(FaultCode::Corrupt, found, "whole gzip members, and nothing but zero bytes after them")
}
