//! How a CSV writes numbers and booleans, where the contract says that it is not `12.50`, `true` and `false`.

use crate::column::characters;
use crate::{Found, NumberFlaw};

/// Digits of a group, from the second group on; the first has one to three.
const GROUP: usize = 3;

/// Longest number, in bytes, that is rewritten without an allocation.
const SMALL: usize = 64;

/// Words that other systems write for a boolean, in lower case.
const USUAL_BOOLEANS: [&str; 24] = [
    "t",
    "f",
    "y",
    "n",
    "yes",
    "no",
    "on",
    "off",
    "j",
    "ja",
    "nein",
    "o",
    "oui",
    "non",
    "s",
    "si",
    "sim",
    "não",
    "wahr",
    "falsch",
    "vrai",
    "faux",
    "verdadero",
    "falso",
];

/// The words of a boolean, when the contract lists none. Letter case does not count.
const BOOLEANS: [&[&str]; 2] = [&["true", "1"], &["false", "0"]];

/// How a CSV writes numbers and booleans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// Between the whole part and the fraction of a number: a point or a comma.
    pub decimal: u8,
    /// Between groups of three digits of the whole part; `None`: there are no groups. A number may leave them out.
    pub group: Option<char>,
    /// The words for true; letter case does not count for ASCII letters.
    pub true_words: Vec<String>,
    /// The words for false.
    pub false_words: Vec<String>,
}

impl Default for Spelling {
    fn default() -> Self {
        let [true_words, false_words] =
            BOOLEANS.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
        Self { decimal: b'.', group: None, true_words, false_words }
    }
}

impl Spelling {
    /// Returns whether numbers are written as in JSON.
    pub(crate) fn has_plain_numbers(&self) -> bool {
        self.decimal == b'.' && self.group.is_none()
    }

    /// Returns the boolean that a word means.
    pub(crate) fn boolean(&self, text: &[u8]) -> Result<bool, Found> {
        let is_one_of =
            |words: &[String]| words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text));
        if is_one_of(&self.true_words) {
            return Ok(true);
        }
        if is_one_of(&self.false_words) { Ok(false) } else { Err(not_a_boolean(text)) }
    }

    /// Gives a number as JSON writes it to `read`.
    pub(crate) fn number<T>(
        &self,
        text: &[u8],
        read: impl FnOnce(&[u8]) -> Result<T, Found>,
    ) -> Result<T, Found> {
        if text.len() <= SMALL {
            let mut plain = [0; SMALL];
            let length = self.rewrite(text, &mut plain)?;
            return read(plain.get(..length).unwrap_or_default());
        }
        let mut plain = vec![0; text.len()];
        let length = self.rewrite(text, &mut plain)?;
        read(plain.get(..length).unwrap_or_default())
    }

    /// Writes a number as JSON does, which is never longer, and returns its length. Nothing is guessed: what is not
    /// a number by the contract's separators is an error.
    fn rewrite(&self, text: &[u8], plain: &mut [u8]) -> Result<usize, Found> {
        let mut out = Output { places: plain.iter_mut(), length: 0 };
        let mut at = 0;
        if text.first() == Some(&b'-') {
            out.push(b'-');
            at = 1;
        }
        at = self.whole_part(text, at, &mut out)?;
        if text.get(at) == Some(&self.decimal) {
            out.push(b'.');
            at = digits(text, at + 1, &mut out);
            if !text.get(at - 1).is_some_and(u8::is_ascii_digit) {
                return Err(self.flaw(text, at));
            }
        }
        if let Some(letter @ (b'e' | b'E')) = text.get(at) {
            out.push(*letter);
            at += 1;
            if let Some(sign @ (b'+' | b'-')) = text.get(at) {
                out.push(*sign);
                at += 1;
            }
            let begin = at;
            at = digits(text, at, &mut out);
            if at == begin {
                return Err(self.flaw(text, at));
            }
        }
        if at < text.len() { Err(self.flaw(text, at)) } else { Ok(out.length) }
    }

    /// Writes the digits before the decimal separator and returns the place behind them.
    fn whole_part(&self, text: &[u8], begin: usize, out: &mut Output<'_>) -> Result<usize, Found> {
        let mut at = digits(text, begin, out);
        let mut length = at - begin;
        if length == 0 {
            let before_decimal = text.get(at) == Some(&self.decimal);
            return Err(if before_decimal {
                flaw_at(text, at, NumberFlaw::Character)
            } else {
                self.flaw(text, at)
            });
        }
        let mut buffer = [0; 4];
        let Some(separator) = self.group.map(|group| group.encode_utf8(&mut buffer).as_bytes()) else {
            return Ok(at);
        };
        let mut first = true;
        while text.get(at..).is_some_and(|rest| rest.starts_with(separator)) {
            let fits = if first { length <= GROUP } else { length == GROUP };
            if !fits {
                return Err(flaw_at(text, at, NumberFlaw::Group));
            }
            first = false;
            let begin = at + separator.len();
            at = digits(text, begin, out);
            length = at - begin;
        }
        if first || length == GROUP { Ok(at) } else { Err(flaw_at(text, at, NumberFlaw::Group)) }
    }

    /// Returns what is wrong at a byte.
    fn flaw(&self, text: &[u8], at: usize) -> Found {
        let flaw = match text.get(at) {
            None => NumberFlaw::Ends,
            Some(b'.') if self.decimal != b'.' => NumberFlaw::Point,
            Some(byte) if *byte == self.decimal && at > 0 => NumberFlaw::SecondDecimal,
            Some(b' ' | b'\t') => NumberFlaw::Blank,
            Some(byte) if byte.is_ascii_alphabetic() => NumberFlaw::Letter,
            Some(_) => NumberFlaw::Character,
        };
        flaw_at(text, at, flaw)
    }
}

/// Places for bytes.
struct Output<'a> {
    places: std::slice::IterMut<'a, u8>,
    length: usize,
}

impl Output<'_> {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.places.next() {
            *place = byte;
            self.length += 1;
        }
    }
}

/// Writes the digits from `at` on and returns the place behind them.
fn digits(text: &[u8], at: usize, out: &mut Output<'_>) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    rest.iter().take(count).for_each(|digit| out.push(*digit));
    at + count
}

/// Positions count characters.
fn flaw_at(text: &[u8], at: usize, flaw: NumberFlaw) -> Found {
    let before = characters(text.get(..at).unwrap_or(text));
    Found::NotANumber { flaw, at: before.saturating_add(1) }
}

/// Returns the boolean of a cell, when the contract lists no words.
pub(crate) fn boolean(text: &[u8]) -> Result<bool, Found> {
    let [true_words, false_words] =
        BOOLEANS.map(|words: &[&str]| words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text)));
    match (true_words, false_words) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(not_a_boolean(text)),
    }
}

fn not_a_boolean(text: &[u8]) -> Found {
    let usual = std::str::from_utf8(text)
        .is_ok_and(|text| text.len() <= 16 && USUAL_BOOLEANS.contains(&text.trim().to_lowercase().as_str()));
    Found::NotABoolean { usual }
}

/// Names the comma or the second point in a number of a CSV for which the contract has no separators: it is what the
/// sender's country writes, and the contract can say so.
#[cold]
pub(crate) fn with_separators(text: &[u8], found: Found) -> Found {
    let Found::NotANumber { flaw: NumberFlaw::Character, at } = found else { return found };
    // All characters before the flaw are ASCII.
    let (before, rest) = text.split_at_checked(at.saturating_sub(1) as usize).unwrap_or((text, &[]));
    let flaw = if !before.last().is_some_and(u8::is_ascii_digit) {
        NumberFlaw::Character
    } else if rest.first() == Some(&b'.') && before.contains(&b'.') {
        NumberFlaw::SecondDecimal
    } else if rest.first() != Some(&b',') {
        NumberFlaw::Character
    } else if before.contains(&b'.') {
        NumberFlaw::PointAndComma
    } else if rest.len() > 1 && rest.iter().skip(1).all(u8::is_ascii_digit) {
        NumberFlaw::DecimalComma
    } else {
        NumberFlaw::GroupComma
    };
    Found::NotANumber { flaw, at }
}

#[cfg(test)]
mod tests;
