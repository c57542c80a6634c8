//! The one reader of JSON text (RFC 8259): tokens, taken one at a time, each with its place.
//!
//! ```text
//! {"a":[1,"x"]}  ──Tokens──▶  Object · Name a · Array · Number 1 · String x · Close · Close
//! ```
//!
//! Whatever looks into JSON is a loop over these tokens: records and their mistakes (`checker::json`), nested values,
//! the size of an item and attributes (`store`). Numbers keep their digits and strings their escapes ([`unescape`]).
//! No token allocates, and the nesting is bounded, so that no text can exhaust the stack.
//!
//! The grammar is strict. Half of a surrogate pair is an error, because it is not Unicode text (RFC 8259 section 8.2).
//! Whether the bytes are UTF-8 is for the caller to check.

mod delimit;
mod text;
mod token;

use std::borrow::Cow;
use std::collections::HashSet;

pub use self::delimit::Delimiter;
pub use self::text::{plain_value, unescape, unescape_into};
pub use self::token::{Flaw, Token, TokenKind};
use crate::JsonFlaw;

/// The deepest nesting that [`Tokens`] can be asked for: it keeps one bit for each level.
const MOST_DEPTH: u32 = u64::BITS;

/// What may come next in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Value,
    /// The first item of an array, or its end.
    FirstItem,
    /// The first member of an object, or its end.
    FirstName,
    /// A member, behind a comma.
    Name,
    /// A comma, or the end of the object.
    NextName,
    /// A comma, or the end of the array.
    NextItem,
    /// The end of the text.
    End,
    /// Nothing: there was a mistake.
    Nothing,
}

/// The tokens of a text that holds one value. They end at the text's end or at its first mistake ([`Tokens::flaw`]).
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    wanted: Wanted,
    /// What follows a value, by what is open.
    after_value: Wanted,
    depth: u32,
    depth_limit: u32,
    /// Whether what is open is an object: one bit for each level, the innermost lowest.
    objects: u64,
    /// The span of the last token, and whether it has escapes. A token is put together where it is used: returned
    /// through memory, it would make the check of nested records a sixth slower.
    start: usize,
    end: usize,
    escaped: bool,
    nul: Option<usize>,
    flaw: Option<Flaw>,
}

impl<'a> Tokens<'a> {
    /// Begins a text of less than 4 GiB. `depth_limit` is the number of objects and arrays that may be open at a
    /// time, at most 64.
    #[must_use]
    #[inline]
    pub fn new(text: &'a [u8], depth_limit: u32) -> Self {
        Self {
            text,
            at: 0,
            wanted: Wanted::Value,
            after_value: Wanted::End,
            depth: 0,
            depth_limit: depth_limit.min(MOST_DEPTH),
            objects: 0,
            start: 0,
            end: 0,
            escaped: false,
            nul: None,
            flaw: None,
        }
    }

    /// Begins inside the object or array that a text is. What is nested in it is one token each.
    fn inside(text: &'a [u8], kind: TokenKind) -> Self {
        let mut tokens = Self::new(text, 1);
        if tokens.next().is_none_or(|first| first.kind != kind) {
            tokens.wanted = Wanted::Nothing;
        }
        tokens
    }

    /// Returns the text.
    #[must_use]
    #[inline]
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Returns how far the text was read, as the 0-based offset of the next byte.
    #[must_use]
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Returns the first mistake, once there are no more tokens.
    #[must_use]
    pub fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// Returns the place of the first escaped NUL character so far. It is JSON, but many a consumer cannot hold it.
    #[must_use]
    pub fn nul(&self) -> Option<usize> {
        self.nul
    }

    /// Returns whether the text has ended where its value did.
    pub fn ended(&mut self) -> bool {
        self.next().is_none() && self.flaw.is_none()
    }

    /// Takes a comma between two members. Returns whether the next byte is where a name can begin.
    #[inline]
    pub fn at_name(&mut self) -> bool {
        self.blank();
        if self.wanted == Wanted::NextName && self.peek() == Some(b',') {
            self.at += 1;
            self.blank();
            self.wanted = Wanted::Name;
        }
        matches!(self.wanted, Wanted::Name | Wanted::FirstName)
    }

    /// Goes on behind a value that the caller read by itself, as with [`plain_value`].
    #[inline]
    pub fn resume_after_value(&mut self, at: usize) {
        self.at = at;
        self.wanted = self.after_value;
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips white space.
    #[inline]
    fn blank(&mut self) {
        // Most senders write none.
        if self.peek().is_some_and(|byte| byte <= b' ') {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
        }
    }

    fn enter(&mut self, is_object: bool) {
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(is_object);
        self.wanted = if is_object { Wanted::FirstName } else { Wanted::FirstItem };
        self.after_value = if is_object { Wanted::NextName } else { Wanted::NextItem };
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
        self.after_value = match (self.depth, self.objects & 1) {
            (0, _) => Wanted::End,
            (_, 0) => Wanted::NextItem,
            _ => Wanted::NextName,
        };
    }

    /// Notes the span of a token and what follows a value.
    #[inline]
    #[expect(clippy::unnecessary_wraps, reason = "the result of each way to a token")]
    fn found(&mut self, kind: TokenKind, start: usize, end: usize) -> Option<TokenKind> {
        (self.start, self.end, self.escaped) = (start, end, false);
        self.wanted = self.after_value;
        Some(kind)
    }

    #[inline]
    fn close(&mut self) -> Option<TokenKind> {
        self.leave();
        self.at += 1;
        self.found(TokenKind::Close, self.at - 1, self.at)
    }

    #[inline]
    fn name(&mut self) -> Option<TokenKind> {
        if self.peek() != Some(b'"') {
            return self.fail(JsonFlaw::Name, self.at);
        }
        let name = self.string(TokenKind::Name)?;
        self.blank();
        if self.peek() != Some(b':') {
            return self.fail(JsonFlaw::Colon, self.at);
        }
        self.at += 1;
        self.wanted = Wanted::Value;
        Some(name)
    }

    #[inline]
    fn value(&mut self) -> Option<TokenKind> {
        match self.peek() {
            Some(b'"') => self.string(TokenKind::String),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                match text::number_end(self.text, start) {
                    Ok(end) => {
                        self.at = end;
                        self.found(TokenKind::Number, start, end)
                    }
                    Err(at) => self.fail(JsonFlaw::Digit, at),
                }
            }
            _ => self.other_value(),
        }
    }

    /// Takes a value that is neither a string nor a number.
    fn other_value(&mut self) -> Option<TokenKind> {
        let start = self.at;
        match self.peek() {
            Some(b'{' | b'[') if self.depth >= self.depth_limit => self.too_deep(),
            Some(bracket @ (b'{' | b'[')) => {
                let kind = if bracket == b'{' { TokenKind::Object } else { TokenKind::Array };
                self.at += 1;
                let found = self.found(kind, start, self.at);
                self.enter(kind == TokenKind::Object);
                found
            }
            Some(b't') => self.word(b"true", TokenKind::True),
            Some(b'f') => self.word(b"false", TokenKind::False),
            Some(b'n') => self.word(b"null", TokenKind::Null),
            _ => self.fail(JsonFlaw::Value, start),
        }
    }

    fn word(&mut self, word: &[u8], kind: TokenKind) -> Option<TokenKind> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return self.found(kind, start, self.at);
        }
        let at = if word.starts_with(rest) { self.text.len() } else { start };
        self.fail(JsonFlaw::Value, at)
    }

    fn too_deep(&mut self) -> Option<TokenKind> {
        let start = self.at;
        match Delimiter::default().find_end(self.text.get(start..).unwrap_or_default()) {
            Some(length) => {
                self.at += length;
                self.found(TokenKind::Deep, start, self.at)
            }
            None => self.fail(JsonFlaw::Ends, self.text.len()),
        }
    }

    /// Takes a name or string from its opening quote on.
    #[inline]
    fn string(&mut self, kind: TokenKind) -> Option<TokenKind> {
        let start = self.at + 1;
        match text::plain_end(self.text, start) {
            Some(end) if self.text.get(end) == Some(&b'"') => {
                self.at = end + 1;
                self.found(kind, start, end)
            }
            end => self.escaped_string(kind, start, end),
        }
    }

    /// Takes a string whose first special byte is at `special`.
    fn escaped_string(
        &mut self,
        kind: TokenKind,
        start: usize,
        mut special: Option<usize>,
    ) -> Option<TokenKind> {
        loop {
            let Some(at) = special else { return self.fail(JsonFlaw::Ends, self.text.len()) };
            match self.text.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    let found = self.found(kind, start, at);
                    self.escaped = true;
                    return found;
                }
                Some(b'\\') => {}
                _ => return self.fail(JsonFlaw::Control, at),
            }
            let Some((character, next)) = text::escape(self.text, at + 1) else {
                return self.fail(text::bad_escape(self.text, at + 1), at);
            };
            if character == '\0' {
                self.nul = self.nul.or(Some(at));
            }
            special = text::plain_end(self.text, next);
        }
    }

    /// Goes to the next token, and returns what it is.
    fn advance(&mut self) -> Option<TokenKind> {
        self.blank();
        let byte = self.peek();
        match self.wanted {
            Wanted::FirstItem if byte == Some(b']') => self.close(),
            Wanted::Value | Wanted::FirstItem => self.value(),
            Wanted::NextName => match byte {
                Some(b',') => {
                    self.at += 1;
                    self.blank();
                    self.name()
                }
                Some(b'}') => self.close(),
                _ => self.fail(JsonFlaw::CommaOrBrace, self.at),
            },
            Wanted::NextItem => match byte {
                Some(b',') => {
                    self.at += 1;
                    self.blank();
                    self.value()
                }
                Some(b']') => self.close(),
                _ => self.fail(JsonFlaw::CommaOrBracket, self.at),
            },
            Wanted::FirstName if byte == Some(b'}') => self.close(),
            Wanted::FirstName | Wanted::Name => self.name(),
            Wanted::End if byte.is_some() => self.fail(JsonFlaw::After, self.at),
            Wanted::End | Wanted::Nothing => None,
        }
    }

    /// Ends the tokens with a mistake; the text there may say more than what is wanted there.
    #[cold]
    fn fail(&mut self, wanted: JsonFlaw, at: usize) -> Option<TokenKind> {
        let (before, rest) = self.text.split_at_checked(at).unwrap_or((self.text, &[]));
        let after_comma = before.trim_ascii_end().ends_with(b",");
        let comma = before.trim_ascii_end().len().saturating_sub(1);
        let is_next = matches!(wanted, JsonFlaw::CommaOrBrace | JsonFlaw::CommaOrBracket | JsonFlaw::After);
        let (flaw, at) = match rest {
            // An escape is wrong as a whole, wherever the text ends.
            _ if matches!(wanted, JsonFlaw::Escape | JsonFlaw::Surrogate) => (wanted, at),
            [] => (JsonFlaw::Ends, at),
            [0xef, 0xbb, 0xbf, ..] => (JsonFlaw::ByteOrderMark, at),
            [b'/', b'/' | b'*', ..] => (JsonFlaw::Comment, at),
            [b'\'', ..] if matches!(wanted, JsonFlaw::Value | JsonFlaw::Name) => (JsonFlaw::SingleQuote, at),
            [b']', ..] if wanted == JsonFlaw::Value && after_comma => (JsonFlaw::CommaBeforeBracket, comma),
            [b'}', ..] if wanted == JsonFlaw::Name && after_comma => (JsonFlaw::CommaBeforeBrace, comma),
            [byte, ..] if wanted == JsonFlaw::Value && byte.is_ascii_alphabetic() => (JsonFlaw::Word, at),
            // Only a number that begins with a zero ends before a digit.
            [b'0'..=b'9', ..] if is_next && before.ends_with(b"0") => (JsonFlaw::LeadingZero, at - 1),
            _ => (wanted, at),
        };
        self.flaw = Some(Flaw { flaw, at, depth: self.depth });
        self.wanted = Wanted::Nothing;
        None
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        let kind = self.advance()?;
        Some(Token::new(kind, self.escaped, self.start, self.end))
    }
}

/// Returns the members of an object: the names, and the values as a whole. Nothing for a text that is not an object.
pub fn members(text: &[u8]) -> impl Iterator<Item = (Token, Token)> {
    let mut tokens = Tokens::inside(text, TokenKind::Object);
    std::iter::from_fn(move || {
        let name = tokens.next().filter(|name| name.kind == TokenKind::Name)?;
        tokens.next().map(|value| (name, value))
    })
}

/// Returns the items of an array as a whole. Nothing for a text that is not an array.
pub fn items(text: &[u8]) -> impl Iterator<Item = Token> {
    let mut tokens = Tokens::inside(text, TokenKind::Array);
    std::iter::from_fn(move || tokens.next().filter(|item| item.kind != TokenKind::Close))
}

/// Checks that a text is JSON within the depth limit in which each object has each name once. Returns the first
/// mistake.
pub fn check_names(text: &[u8], depth_limit: u32) -> Result<(), Flaw> {
    let mut tokens = Tokens::new(text, depth_limit);
    let mut open: Vec<HashSet<Cow<'_, [u8]>>> = Vec::new();
    while let Some(token) = tokens.next() {
        let depth = tokens.depth;
        match token.kind {
            TokenKind::Object | TokenKind::Array => open.push(HashSet::new()),
            TokenKind::Close => drop(open.pop()),
            TokenKind::Deep => return Err(Flaw { flaw: JsonFlaw::Depth, at: token.start as usize, depth }),
            TokenKind::Name if open.last_mut().is_some_and(|names| !names.insert(token.content(text))) => {
                return Err(Flaw { flaw: JsonFlaw::DuplicateField, at: token.source().start, depth });
            }
            _ => {}
        }
    }
    tokens.flaw.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
