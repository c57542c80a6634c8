//! The one reader of JSON text (RFC 8259): tokens, taken one at a time, each with its place.
//!
//! ```text
//! {"a":[1,"x"]}  ──Tokens──▶  Object · Name a · Array · Number 1 · String x · Close · Close
//! ```
//!
//! Whatever looks into JSON is a loop over these tokens: records and their mistakes (`checker::json`), nested values, the
//! size of an item, attributes (`store`), and texts of the command line. Numbers keep their digits and strings their
//! escapes ([`unescape`]). No token allocates, and the nesting is bounded, so that no text can exhaust the stack.
//!
//! The grammar is strict. Half of a surrogate pair is an error, because it is not Unicode text (RFC 8259 section 8.2).
//! Whether the bytes are UTF-8 is for the caller to check.

mod delimit;
mod text;

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

pub use self::delimit::Delimiter;
pub use self::text::{plain_value, unescape, unescape_into};
use crate::JsonFlaw;
use crate::column::characters;

/// The deepest nesting that [`Tokens`] can be asked for: it keeps one bit for each level.
const MOST_DEPTH: u32 = u64::BITS;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// The opening brace of an object.
    Object,
    /// The opening bracket of an array.
    Array,
    /// The closing brace or bracket of the innermost object or array.
    Close,
    /// The name of a member, with its colon.
    Name,
    /// A string.
    String,
    /// A number.
    Number,
    /// `true`.
    True,
    /// `false`.
    False,
    /// `null`.
    Null,
    /// An object or array beyond the depth limit, as a whole. It is only balanced, not read.
    Deep,
}

/// A token and the span of its source text; of a name or string, of what is between the quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Whether a name or string has escapes.
    pub escaped: bool,
    /// 0-based offset of its first byte.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

impl Token {
    /// Returns the span of the source text, with the quotes of a name or string.
    #[must_use]
    pub fn source(&self) -> Range<usize> {
        let quote = u32::from(matches!(self.kind, TokenKind::Name | TokenKind::String));
        (self.start - quote) as usize..self.end.saturating_add(quote) as usize
    }

    /// Returns the content of a name or string with its escapes resolved, and the source of any other token.
    #[must_use]
    pub fn content<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let source = text.get(self.start as usize..self.end as usize).unwrap_or_default();
        if self.escaped { unescape(source) } else { Cow::Borrowed(source) }
    }

    #[inline]
    fn new(kind: TokenKind, escaped: bool, start: usize, end: usize) -> Self {
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { kind, escaped, start: offset(start), end: offset(end) }
    }
}

/// A mistake in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub flaw: JsonFlaw,
    /// 0-based offset of the byte where it is.
    pub at: usize,
    /// How many objects and arrays are open there.
    pub depth: u32,
}

impl Flaw {
    /// Returns the mistake's line in the text and its character in the line, both from 1.
    #[must_use]
    pub fn place(&self, text: &[u8]) -> (u32, u32) {
        let before = text.get(..self.at).unwrap_or(text);
        let line_begin = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let lines = u32::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(u32::MAX);
        let characters = characters(before.get(line_begin..).unwrap_or_default());
        (lines.saturating_add(1), characters.saturating_add(1))
    }
}

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
    /// A comma, or the end of what is open: an object, an array or the text.
    Next,
    /// Nothing: there was a mistake.
    Nothing,
}

/// The tokens of a text that holds one value. They end at the text's end or at its first mistake ([`Tokens::flaw`]).
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    wanted: Wanted,
    depth: u32,
    depth_limit: u32,
    /// Whether what is open is an object: one bit for each level, the innermost lowest.
    objects: u64,
    nul: Option<usize>,
    flaw: Option<Flaw>,
}

impl<'a> Tokens<'a> {
    /// Begins a text of less than 4 GiB. `depth_limit` is the number of objects and arrays that may be open at a time, at most
    /// 64.
    #[must_use]
    #[inline]
    pub fn new(text: &'a [u8], depth_limit: u32) -> Self {
        let depth_limit = depth_limit.min(MOST_DEPTH);
        Self { text, at: 0, wanted: Wanted::Value, depth: 0, depth_limit, objects: 0, nul: None, flaw: None }
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
        if self.wanted == Wanted::Next && self.in_object() && self.peek() == Some(b',') {
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
        self.wanted = Wanted::Next;
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

    #[inline]
    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn enter(&mut self, is_object: bool) {
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(is_object);
        self.wanted = if is_object { Wanted::FirstName } else { Wanted::FirstItem };
    }

    /// Returns a token that ends here and is followed by what a value is followed by.
    #[inline]
    #[expect(clippy::unnecessary_wraps, reason = "the result of each way to a token")]
    fn found(&mut self, kind: TokenKind, start: usize) -> Option<Token> {
        self.wanted = Wanted::Next;
        Some(Token::new(kind, false, start, self.at))
    }

    #[inline]
    fn close(&mut self) -> Option<Token> {
        self.depth -= 1;
        self.objects >>= 1;
        self.at += 1;
        self.found(TokenKind::Close, self.at - 1)
    }

    #[inline]
    fn name(&mut self) -> Option<Token> {
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
    fn value(&mut self) -> Option<Token> {
        match self.peek() {
            Some(b'"') => self.string(TokenKind::String),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                match text::number_end(self.text, start) {
                    Ok(end) => {
                        self.at = end;
                        self.found(TokenKind::Number, start)
                    }
                    Err(at) => self.fail(JsonFlaw::Digit, at),
                }
            }
            _ => self.other_value(),
        }
    }

    /// Takes a value that is neither a string nor a number.
    fn other_value(&mut self) -> Option<Token> {
        let start = self.at;
        match self.peek() {
            Some(b'{' | b'[') if self.depth >= self.depth_limit => self.too_deep(),
            Some(bracket @ (b'{' | b'[')) => {
                let kind = if bracket == b'{' { TokenKind::Object } else { TokenKind::Array };
                self.at += 1;
                let token = self.found(kind, start);
                self.enter(kind == TokenKind::Object);
                token
            }
            Some(b't') => self.word(b"true", TokenKind::True),
            Some(b'f') => self.word(b"false", TokenKind::False),
            Some(b'n') => self.word(b"null", TokenKind::Null),
            _ => self.fail(JsonFlaw::Value, start),
        }
    }

    fn word(&mut self, word: &[u8], kind: TokenKind) -> Option<Token> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return self.found(kind, start);
        }
        let at = if word.starts_with(rest) { self.text.len() } else { start };
        self.fail(JsonFlaw::Value, at)
    }

    fn too_deep(&mut self) -> Option<Token> {
        let start = self.at;
        match Delimiter::default().find_end(self.text.get(start..).unwrap_or_default()) {
            Some(length) => {
                self.at += length;
                self.found(TokenKind::Deep, start)
            }
            None => self.fail(JsonFlaw::Ends, self.text.len()),
        }
    }

    /// Takes a name or string from its opening quote on.
    #[inline]
    fn string(&mut self, kind: TokenKind) -> Option<Token> {
        let start = self.at + 1;
        match text::plain_end(self.text, start) {
            Some(end) if self.text.get(end) == Some(&b'"') => {
                self.at = end + 1;
                self.wanted = Wanted::Next;
                Some(Token::new(kind, false, start, end))
            }
            end => self.escaped_string(kind, start, end),
        }
    }

    /// Takes a string whose first special byte is at `special`.
    fn escaped_string(&mut self, kind: TokenKind, start: usize, mut special: Option<usize>) -> Option<Token> {
        loop {
            let Some(at) = special else { return self.fail(JsonFlaw::Ends, self.text.len()) };
            match self.text.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    self.wanted = Wanted::Next;
                    return Some(Token::new(kind, true, start, at));
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

    /// Ends the tokens with a mistake; the text there may say more than what is wanted there.
    #[cold]
    fn fail(&mut self, wanted: JsonFlaw, at: usize) -> Option<Token> {
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
        self.blank();
        let byte = self.peek();
        match self.wanted {
            Wanted::Value => self.value(),
            Wanted::Next if self.in_object() => match byte {
                Some(b',') => {
                    self.at += 1;
                    self.blank();
                    self.name()
                }
                Some(b'}') => self.close(),
                _ => self.fail(JsonFlaw::CommaOrBrace, self.at),
            },
            Wanted::Next if self.depth > 0 => match byte {
                Some(b',') => {
                    self.at += 1;
                    self.blank();
                    self.value()
                }
                Some(b']') => self.close(),
                _ => self.fail(JsonFlaw::CommaOrBracket, self.at),
            },
            Wanted::Next if byte.is_some() => self.fail(JsonFlaw::After, self.at),
            Wanted::FirstName if byte == Some(b'}') => self.close(),
            Wanted::FirstName | Wanted::Name => self.name(),
            Wanted::FirstItem if byte == Some(b']') => self.close(),
            Wanted::FirstItem => self.value(),
            Wanted::Next | Wanted::Nothing => None,
        }
    }
}

/// Returns the members of an object: the names, and the values as a whole. None for a text that is no object.
pub fn members(text: &[u8]) -> impl Iterator<Item = (Token, Token)> {
    let mut tokens = Tokens::inside(text, TokenKind::Object);
    std::iter::from_fn(move || {
        let name = tokens.next().filter(|name| name.kind == TokenKind::Name)?;
        tokens.next().map(|value| (name, value))
    })
}

/// Returns the items of an array as a whole. None for a text that is no array.
pub fn items(text: &[u8]) -> impl Iterator<Item = Token> {
    let mut tokens = Tokens::inside(text, TokenKind::Array);
    std::iter::from_fn(move || tokens.next().filter(|item| item.kind != TokenKind::Close))
}

/// Checks that a text is JSON within the depth limit in which each object has each name once. Returns the first mistake.
pub fn check_names(text: &[u8], depth_limit: u32) -> Result<(), Flaw> {
    let mut tokens = Tokens::new(text, depth_limit);
    let mut open: Vec<HashSet<Cow<'_, [u8]>>> = Vec::new();
    while let Some(token) = tokens.next() {
        let depth = tokens.depth;
        match token.kind {
            TokenKind::Object | TokenKind::Array => open.push(HashSet::new()),
            TokenKind::Close => drop(open.pop()),
            TokenKind::Deep => return Err(Flaw { flaw: JsonFlaw::Depth, at: token.start as usize, depth }),
            TokenKind::Name => {
                if open.last_mut().is_some_and(|names| !names.insert(token.content(text))) {
                    return Err(Flaw { flaw: JsonFlaw::DuplicateField, at: token.source().start, depth });
                }
            }
            _ => {}
        }
    }
    tokens.flaw.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
