//! What the text is cut into, and what is wrong with it.

use std::borrow::Cow;
use std::ops::Range;

use super::unescape;
use crate::JsonFlaw;
use crate::column::characters;

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
        self.start.saturating_sub(quote) as usize..self.end.saturating_add(quote) as usize
    }

    /// Returns the content of a name or string with its escapes resolved, and the source of any other token.
    #[must_use]
    pub fn content<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let source = text.get(self.start as usize..self.end as usize).unwrap_or_default();
        if self.escaped { unescape(source) } else { Cow::Borrowed(source) }
    }

    #[inline]
    pub(super) fn new(kind: TokenKind, escaped: bool, start: usize, end: usize) -> Self {
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
