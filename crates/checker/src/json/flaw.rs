//! What is wrong with the text of a record, and where.
//!
//! Only asked of a record that the scan found broken: it reads the text a second time, by the same grammar, and tells
//! the mistakes apart that the scan does not. So the scan stays as fast as it is.

use std::collections::HashSet;

use contract::{Found, JsonFlaw, Structure, Violation};

use super::delimit::Delimiter;
use super::scan::escape;
use crate::reader::{characters, offset32, violation};

/// A mistake at a 0-based byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Flaw {
    flaw: JsonFlaw,
    at: usize,
}

/// What was found of a broken record.
pub(super) struct Diagnosis {
    pub(super) violation: Violation,
    /// The name of the record's own field that occurs twice, unescaped.
    pub(super) duplicate: Option<Vec<u8>>,
}

/// Returns the violation of a record that breaks a rule of JSON: the first mistake, or where the rule is broken by text that is
/// JSON nevertheless.
pub(super) fn diagnose(raw: &[u8], structure: Structure, depth_limit: u32) -> Diagnosis {
    let mut finder =
        Finder { text: raw, at: 0, depth_limit, wanted: structure, broken: None, duplicate: None };
    let stopped = finder.record().err();
    let flaw = if structure == Structure::Json { stopped } else { finder.broken };
    let Some(flaw) = flaw else {
        let found = Found::Json { flaw: unplaced(structure), line: 0, at: 0 };
        return Diagnosis { violation: violation(structure, found), duplicate: None };
    };
    let before = raw.get(..flaw.at).unwrap_or(raw);
    let line_begin = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let characters = characters(before.get(line_begin..).unwrap_or_default());
    let found = Found::Json {
        flaw: flaw.flaw,
        line: offset32(memchr::memchr_iter(b'\n', before).count() + 1),
        at: offset32(characters + 1),
    };
    Diagnosis { violation: violation(structure, found), duplicate: finder.duplicate }
}

/// Returns the flaw of a rule that this reading does not find broken.
fn unplaced(structure: Structure) -> JsonFlaw {
    match structure {
        Structure::Depth => JsonFlaw::Depth,
        Structure::DuplicateField => JsonFlaw::DuplicateField,
        Structure::Nul => JsonFlaw::Nul,
        _ => JsonFlaw::Syntax,
    }
}

struct Finder<'a> {
    text: &'a [u8],
    at: usize,
    depth_limit: u32,
    /// The rule whose first break is noted.
    wanted: Structure,
    broken: Option<Flaw>,
    duplicate: Option<Vec<u8>>,
}

impl Finder<'_> {
    fn record(&mut self) -> Result<(), Flaw> {
        self.blanks();
        self.value(0)?;
        self.blanks();
        if self.at < self.text.len() { Err(self.flaw(JsonFlaw::After)) } else { Ok(()) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Returns the mistake at this place; the text there may say more than what is wanted there.
    fn flaw(&self, wanted: JsonFlaw) -> Flaw {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let flaw = match rest {
            [] => JsonFlaw::Ends,
            [0xef, 0xbb, 0xbf, ..] => JsonFlaw::ByteOrderMark,
            [b'/', b'/' | b'*', ..] => JsonFlaw::Comment,
            [b'\'', ..] if matches!(wanted, JsonFlaw::Value | JsonFlaw::Name) => JsonFlaw::SingleQuote,
            [byte, ..] if wanted == JsonFlaw::Value && byte.is_ascii_alphabetic() => JsonFlaw::Word,
            _ => wanted,
        };
        Flaw { flaw, at: self.at }
    }

    /// Notes a break of the wanted rule.
    fn breaks(&mut self, structure: Structure, flaw: JsonFlaw, at: usize) {
        if structure == self.wanted && self.broken.is_none() {
            self.broken = Some(Flaw { flaw, at });
        }
    }

    fn value(&mut self, depth: u32) -> Result<(), Flaw> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= self.depth_limit => self.too_deep(),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(self.flaw(JsonFlaw::Value)),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Flaw> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(if word.starts_with(rest) {
            Flaw { flaw: JsonFlaw::Ends, at: self.text.len() }
        } else {
            self.flaw(JsonFlaw::Value)
        })
    }

    /// Passes over what is nested too deeply, as the scan does.
    fn too_deep(&mut self) -> Result<(), Flaw> {
        self.breaks(Structure::Depth, JsonFlaw::Depth, self.at);
        let rest = self.text.get(self.at..).unwrap_or_default();
        match Delimiter::default().find_end(rest) {
            Some(length) => self.at += length,
            None => return Err(Flaw { flaw: JsonFlaw::Ends, at: self.text.len() }),
        }
        Ok(())
    }

    fn array(&mut self, depth: u32) -> Result<(), Flaw> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.blanks();
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b',') => {}
                _ => return Err(self.flaw(JsonFlaw::CommaOrBracket)),
            }
            let comma = self.at;
            self.at += 1;
            self.blanks();
            if self.peek() == Some(b']') {
                return Err(Flaw { flaw: JsonFlaw::CommaBeforeBracket, at: comma });
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<(), Flaw> {
        let mut names = HashSet::new();
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.name(depth, &mut names)?;
            self.value(depth)?;
            self.blanks();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b',') => {}
                _ => return Err(self.flaw(JsonFlaw::CommaOrBrace)),
            }
            let comma = self.at;
            self.at += 1;
            self.blanks();
            if self.peek() == Some(b'}') {
                return Err(Flaw { flaw: JsonFlaw::CommaBeforeBrace, at: comma });
            }
        }
    }

    /// Reads a name and its colon, up to the value.
    fn name(&mut self, depth: u32, names: &mut HashSet<Vec<u8>>) -> Result<(), Flaw> {
        let begin = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.flaw(JsonFlaw::Name));
        }
        self.string()?;
        if self.wanted == Structure::DuplicateField && self.broken.is_none() {
            let name = unescaped(self.text.get(begin + 1..self.at - 1).unwrap_or_default());
            if names.contains(&name) {
                self.breaks(Structure::DuplicateField, JsonFlaw::DuplicateField, begin);
                self.duplicate = (depth == 1).then_some(name);
            } else {
                names.insert(name);
            }
        }
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(self.flaw(JsonFlaw::Colon));
        }
        self.at += 1;
        self.blanks();
        Ok(())
    }

    fn string(&mut self) -> Result<(), Flaw> {
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.flaw(JsonFlaw::Ends)),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..=0x1f) => return Err(self.flaw(JsonFlaw::Control)),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        match escape(self.text, self.at + 1) {
            Some((character, next)) => {
                if character == '\0' {
                    self.breaks(Structure::Nul, JsonFlaw::Nul, self.at);
                }
                self.at = next;
                Ok(())
            }
            None => Err(Flaw { flaw: self.bad_escape(), at: self.at }),
        }
    }

    fn bad_escape(&self) -> JsonFlaw {
        let Some([b'u', digits @ ..]) = self.text.get(self.at + 1..) else { return JsonFlaw::Escape };
        match digits.get(..4) {
            Some(four) if four.iter().all(u8::is_ascii_hexdigit) => JsonFlaw::Surrogate,
            _ => JsonFlaw::Escape,
        }
    }

    fn number(&mut self) -> Result<(), Flaw> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let begin = self.at;
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(Flaw { flaw: JsonFlaw::LeadingZero, at: begin });
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.flaw(JsonFlaw::Digit));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }
}

/// Returns the content of a well-formed string.
fn unescaped(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut at = 0;
    while let Some(byte) = content.get(at) {
        if let (b'\\', Some((character, next))) = (byte, escape(content, at + 1)) {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            at = next;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests;
