//! Strings, numbers and words: where each ends, and what an escape says.

use std::borrow::Cow;

use super::{Token, TokenKind};
use crate::JsonFlaw;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
/// The first byte that may stand in a string as itself.
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);

/// Long texts are looked at in blocks of this number of bytes: one or two vector registers.
const BLOCK_BYTES: usize = 32;

/// Returns the value that begins at `at`, and where it ends, when it is a string without escapes, a number or a word;
/// `None` for any other value and for text that is not JSON.
#[must_use]
#[inline]
pub fn plain_value(text: &[u8], at: usize) -> Option<(Token, usize)> {
    let token = |kind, start, end| Token::new(kind, false, start, end);
    let word = |word: &[u8], kind| {
        let end = at + word.len();
        (text.get(at..end) == Some(word)).then(|| (token(kind, at, end), end))
    };
    match text.get(at)? {
        b'"' => {
            let end = plain_end(text, at + 1)?;
            (text.get(end) == Some(&b'"')).then(|| (token(TokenKind::String, at + 1, end), end + 1))
        }
        b'-' | b'0'..=b'9' => number_end(text, at).ok().map(|end| (token(TokenKind::Number, at, end), end)),
        b't' => word(b"true", TokenKind::True),
        b'f' => word(b"false", TokenKind::False),
        b'n' => word(b"null", TokenKind::Null),
        _ => None,
    }
}

/// Returns the first quote, backslash or control character from `at` on. Most texts end in their first two words.
#[inline]
pub(super) fn plain_end(text: &[u8], at: usize) -> Option<usize> {
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

/// Returns the first special byte of a word. Subtracting sets the high bit of a byte that is below what is
/// subtracted; it may borrow from the next byte, so only the first one found is one for certain.
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

/// Returns where the number that begins at `at` ends (RFC 8259 section 6), or where a digit is missing in it.
#[inline]
pub(super) fn number_end(text: &[u8], mut at: usize) -> Result<usize, usize> {
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
    Ok(at)
}

/// Returns where the digits from `at` on end, of which there is at least one.
#[inline]
fn digits_end(text: &[u8], at: usize) -> Result<usize, usize> {
    let mut end = at;
    while text.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    if end > at { Ok(end) } else { Err(at) }
}

/// Returns the content of a string, escapes resolved (RFC 8259 section 7). What is not an escape stays as it is.
#[must_use]
pub fn unescape(content: &[u8]) -> Cow<'_, [u8]> {
    if !content.contains(&b'\\') {
        return Cow::Borrowed(content);
    }
    let mut out = Vec::with_capacity(content.len());
    unescape_into(content, &mut out);
    Cow::Owned(out)
}

/// Writes the same behind what is in `out`.
pub fn unescape_into(content: &[u8], out: &mut Vec<u8>) {
    let mut start = 0;
    while let Some(at) = plain_end(content, start)
        && let Some(byte) = content.get(at)
    {
        out.extend_from_slice(content.get(start..at).unwrap_or_default());
        let escaped = if *byte == b'\\' { escape(content, at + 1) } else { None };
        let (character, next) = escaped.unwrap_or((char::from(*byte), at + 1));
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => out.push(byte),
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        start = next;
    }
    out.extend_from_slice(content.get(start..).unwrap_or_default());
}

/// Returns the character of an escape whose letter is at `at`, and what follows it. Lone surrogates are rejected:
/// they are not Unicode text (RFC 8259 section 8.2).
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

/// Returns what is wrong with an escape whose letter should be at `at`.
pub(super) fn bad_escape(text: &[u8], at: usize) -> JsonFlaw {
    match text.get(at..at + 5) {
        Some([b'u', digits @ ..]) if digits.iter().all(u8::is_ascii_hexdigit) => JsonFlaw::Surrogate,
        _ => JsonFlaw::Escape,
    }
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
    // What is not a digit sets a bit above those of four digits, which stays set.
    let value = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or(0x1_0000);
    let number = digits.iter().fold(0, |number, digit| number << 4 | value(digit));
    (number <= 0xffff).then_some(number)
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
