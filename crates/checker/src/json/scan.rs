//! The tokens of JSON.

use contract::Structure;

use crate::reader::offset32;
use crate::{Slot, SlotKind};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
/// The first byte that may stand in a string as itself.
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);

/// Long texts are looked at in blocks of this number of bytes: one or two vector registers.
const BLOCK_BYTES: usize = 32;

/// Up to this number of keys of one object are compared in pairs; more are sorted.
const KEYS_IN_PAIRS: usize = 8;

/// Text that is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A span of the text, or of the side text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Reused memory of a scan.
#[derive(Default)]
pub(super) struct Buffers {
    /// Empty, or a copy of the text with unescaped strings behind it. Spans of the text are valid in it.
    pub(super) side: Vec<u8>,
    /// The keys of the objects that are open.
    pub(super) keys: Vec<Span>,
}

/// Reads one text from its beginning.
pub(super) struct Scan<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    pub(super) buffers: &'a mut Buffers,
    /// The first rule that was broken by text that is JSON nevertheless.
    pub(super) broken: Option<Structure>,
    pub(super) depth_limit: u32,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8], depth_limit: u32, buffers: &'a mut Buffers) -> Self {
        buffers.side.clear();
        buffers.keys.clear();
        Self { text, at: 0, buffers, broken: None, depth_limit }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips white space.
    #[inline]
    pub(super) fn blank(&mut self) {
        // Most senders write none.
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.blanks();
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes one byte that must be there.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed);
        }
        self.at += 1;
        Ok(())
    }

    /// Notes a broken rule, unless an earlier one is known.
    pub(super) fn breaks(&mut self, structure: Structure) {
        self.broken = self.broken.or(Some(structure));
    }

    /// Returns the bytes of a span.
    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        let text = if self.buffers.side.is_empty() { self.text } else { &self.buffers.side };
        text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Reads one value; a string is unescaped when it is kept. `depth` is the nesting of what contains the value.
    #[inline]
    pub(super) fn value(&mut self, depth: u32, keep: bool) -> Result<Slot, Malformed> {
        let begin = self.at;
        match self.peek() {
            Some(b'"') => {
                let Span { start, end } = self.string(keep)?;
                Ok(Slot { kind: SlotKind::String, start, end })
            }
            Some(b'-' | b'0'..=b'9') => {
                self.at = number_end(self.text, begin).ok_or(Malformed)?;
                Ok(Slot { kind: SlotKind::Number, start: offset32(begin), end: offset32(self.at) })
            }
            _ => self.other_value(depth),
        }
    }

    /// Reads a value that is neither a string nor a number.
    fn other_value(&mut self, depth: u32) -> Result<Slot, Malformed> {
        let begin = self.at;
        let kind = match self.peek() {
            Some(b'{' | b'[') if depth >= self.depth_limit => self.too_deep()?,
            Some(b'{') => {
                self.object(depth + 1)?;
                SlotKind::Object
            }
            Some(b'[') => {
                self.array(depth + 1)?;
                SlotKind::Array
            }
            Some(b't') => self.word(b"true", SlotKind::True)?,
            Some(b'f') => self.word(b"false", SlotKind::False)?,
            Some(b'n') => self.word(b"null", SlotKind::Null)?,
            _ => return Err(Malformed),
        };
        Ok(Slot { kind, start: offset32(begin), end: offset32(self.at) })
    }

    fn word(&mut self, word: &[u8], kind: SlotKind) -> Result<SlotKind, Malformed> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Malformed);
        }
        self.at += word.len();
        Ok(kind)
    }

    /// Skips a value that is nested too deeply. It is only balanced, not checked: the record is rejected anyway, and the
    /// limit also bounds the recursion.
    fn too_deep(&mut self) -> Result<SlotKind, Malformed> {
        self.breaks(Structure::Depth);
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut delimiter = super::delimit::Delimiter::default();
        self.at += delimiter.find_end(rest).ok_or(Malformed)?;
        Ok(SlotKind::Object)
    }

    fn array(&mut self, depth: u32) -> Result<(), Malformed> {
        self.take(b'[')?;
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth, false)?;
            self.blank();
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(());
            }
            self.take(b',')?;
            self.blank();
        }
    }

    fn object(&mut self, depth: u32) -> Result<(), Malformed> {
        let base = self.buffers.keys.len();
        self.take(b'{')?;
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.key()?;
            self.buffers.keys.push(key);
            self.value(depth, false)?;
            self.blank();
            if self.peek() == Some(b'}') {
                self.at += 1;
                self.close_keys(base);
                return Ok(());
            }
            self.take(b',')?;
            self.blank();
        }
    }

    /// Reads a key and its colon, up to the value.
    pub(super) fn key(&mut self) -> Result<Span, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(Malformed);
        }
        let key = self.string(true)?;
        self.colon()?;
        Ok(key)
    }

    /// Reads a colon, up to the value.
    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), Malformed> {
        self.blank();
        self.take(b':')?;
        self.blank();
        Ok(())
    }

    /// Forgets the keys from `base` on, and notes when two of them are the same.
    pub(super) fn close_keys(&mut self, base: usize) {
        if self.buffers.keys.len() <= base + 1 {
            self.buffers.keys.truncate(base);
            return;
        }
        let mut keys = std::mem::take(&mut self.buffers.keys);
        let object = keys.get_mut(base..).unwrap_or_default();
        let repeated = if object.len() <= KEYS_IN_PAIRS {
            let earlier = |at: usize| object.get(..at).unwrap_or_default();
            let repeats = |(at, key): (usize, &Span)| {
                let bytes = self.bytes(*key);
                earlier(at).iter().any(|other| self.bytes(*other) == bytes)
            };
            object.iter().enumerate().any(repeats)
        } else {
            object.sort_unstable_by(|one, other| self.bytes(*one).cmp(self.bytes(*other)));
            object
                .windows(2)
                .any(|pair| matches!(pair, [one, other] if self.bytes(*one) == self.bytes(*other)))
        };
        keys.truncate(base);
        self.buffers.keys = keys;
        if repeated {
            self.breaks(Structure::DuplicateField);
        }
    }

    /// Reads a string from its opening quote on. The span is that of its text, unescaped when it is kept.
    #[inline]
    pub(super) fn string(&mut self, keep: bool) -> Result<Span, Malformed> {
        let start = self.at + 1;
        let end = plain_end(self.text, start).ok_or(Malformed)?;
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Span { start: offset32(start), end: offset32(end) });
        }
        self.escaped_string(start, end, keep)
    }

    /// Reads a string whose first special byte is at `end`.
    fn escaped_string(&mut self, mut start: usize, mut end: usize, keep: bool) -> Result<Span, Malformed> {
        let whole = Span { start: offset32(start), end: 0 };
        if keep && self.buffers.side.is_empty() {
            self.buffers.side.extend_from_slice(self.text);
        }
        let kept_from = self.buffers.side.len();
        loop {
            if keep {
                self.buffers.side.extend_from_slice(self.text.get(start..end).unwrap_or_default());
            }
            match self.text.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {}
                _ => return Err(Malformed),
            }
            let (character, next) = escape(self.text, end + 1).ok_or(Malformed)?;
            if character == '\0' {
                self.breaks(Structure::Nul);
            }
            if keep
                && let Ok(byte) = u8::try_from(u32::from(character))
                && byte.is_ascii()
            {
                self.buffers.side.push(byte);
            } else if keep {
                let mut bytes = [0; 4];
                self.buffers.side.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
            }
            start = next;
            end = plain_end(self.text, start).ok_or(Malformed)?;
        }
        self.at = end + 1;
        if keep {
            return Ok(Span { start: offset32(kept_from), end: offset32(self.buffers.side.len()) });
        }
        Ok(Span { end: offset32(end), ..whole })
    }
}

/// Returns the value that begins at `at` and where it ends, when it is a string without escapes, a number or a word; `None` for any
/// other value and for what is none.
#[inline]
pub(super) fn plain_value(text: &[u8], at: usize) -> Option<(Slot, usize)> {
    let slot = |kind, start, end| Slot { kind, start: offset32(start), end: offset32(end) };
    let word = |word: &[u8], kind| {
        let end = at + word.len();
        (text.get(at..end) == Some(word)).then(|| (slot(kind, at, end), end))
    };
    match text.get(at)? {
        b'"' => {
            let end = plain_end(text, at + 1)?;
            (text.get(end) == Some(&b'"')).then(|| (slot(SlotKind::String, at + 1, end), end + 1))
        }
        b'-' | b'0'..=b'9' => number_end(text, at).map(|end| (slot(SlotKind::Number, at, end), end)),
        b't' => word(b"true", SlotKind::True),
        b'f' => word(b"false", SlotKind::False),
        b'n' => word(b"null", SlotKind::Null),
        _ => None,
    }
}

/// Returns the first quote, backslash or control character from `at` on. Most texts end in their first two words.
#[inline]
fn plain_end(text: &[u8], at: usize) -> Option<usize> {
    let Some(word) = text.get(at..)?.first_chunk() else { return plain_end_beyond(text, at) };
    if let Some(found) = first_special(*word) {
        return Some(at + found);
    }
    let Some(word) = text.get(at + 8..)?.first_chunk() else { return plain_end_beyond(text, at + 8) };
    if let Some(found) = first_special(*word) {
        return Some(at + 8 + found);
    }
    plain_end_beyond(text, at + 16)
}

/// Returns the same for longer texts: block by block, then what is left.
fn plain_end_beyond(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = text.get(at..)?.first_chunk()
        && !has_special(block)
    {
        at += BLOCK_BYTES;
    }
    while let Some(word) = text.get(at..)?.first_chunk() {
        if let Some(found) = first_special(*word) {
            return Some(at + found);
        }
        at += 8;
    }
    text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).map(|found| at + found)
}

/// Returns the first special byte of a word. Subtracting sets the high bit of a byte that is below what is subtracted; it may borrow
/// from the next byte, so only the first one found is one for certain.
#[inline]
fn first_special(word: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(word);
    let below = |word: u64, bound: u64| word.wrapping_sub(bound) & !word;
    let hits =
        (below(word ^ QUOTES, ONES) | below(word ^ BACKSLASHES, ONES) | below(word, SPACES)) & HIGH_BITS;
    (hits != 0).then(|| (hits.trailing_zeros() / 8) as usize)
}

/// Without a branch for each byte, so that the compiler makes vector instructions of it.
fn has_special(block: &[u8; BLOCK_BYTES]) -> bool {
    let special = |byte: u8| u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < b' ');
    block.iter().fold(0, |found, byte| found | special(*byte)) != 0
}

/// Returns where the number that begins at `at` ends (RFC 8259 section 6).
#[inline]
fn number_end(text: &[u8], mut at: usize) -> Option<usize> {
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits_end(text, at)? };
    if text.get(at) == Some(&b'.') {
        at = digits_end(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(text, at + 1 + usize::from(sign))?;
    }
    Some(at)
}

/// Returns where the digits from `at` on end, of which there is at least one.
#[inline]
fn digits_end(text: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while text.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    (end > at).then_some(end)
}

/// Returns the character of an escape whose letter is at `at`, and what follows it. Lone surrogates are rejected: they are not
/// Unicode text (RFC 8259 section 8.2).
pub(super) fn escape(text: &[u8], at: usize) -> Option<(char, usize)> {
    let character = match text.get(at)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(text, at + 1),
        _ => return None,
    };
    Some((character, at + 1))
}

fn unicode_escape(text: &[u8], at: usize) -> Option<(char, usize)> {
    let first = four_digits(text, at)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first).map(|character| (character, at + 4));
    }
    if text.get(at + 4..at + 6) != Some(b"\\u") {
        return None;
    }
    let second = four_digits(text, at + 6)?;
    if !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    char::from_u32(code).map(|character| (character, at + 10))
}

fn four_digits(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_and_blocks_find_what_a_look_at_each_byte_finds(
            text in prop::collection::vec(prop_oneof![20 => 0x20_u8..=0xff, 1 => any::<u8>(), 1 => Just(b'"')], 0..120),
            at in 0_usize..130,
        ) {
            let one_by_one = text.get(at..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)));
            prop_assert_eq!(plain_end(&text, at), one_by_one.map(|found| at + found));
        }
    }
}
