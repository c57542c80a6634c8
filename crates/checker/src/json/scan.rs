//! The values of a record: where they are, and the rules that text can break although it is JSON.

use contract::Structure;
use contract::json::{Token, TokenKind, Tokens, unescape_into};

use crate::reader::offset32;
use crate::{Slot, SlotKind};

/// Up to this number of keys of one object are compared in pairs; more are sorted.
const KEYS_IN_PAIRS: usize = 8;

/// Text that is not JSON; the tokens know the mistake.
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
    pub(super) tokens: Tokens<'a>,
    pub(super) buffers: &'a mut Buffers,
    /// The first rule that was broken by text that is JSON nevertheless, and the byte where it was found.
    pub(super) broken: Option<(Structure, usize)>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8], depth_limit: u32, buffers: &'a mut Buffers) -> Self {
        buffers.side.clear();
        buffers.keys.clear();
        Self { tokens: Tokens::new(text, depth_limit), buffers, broken: None }
    }

    /// Takes a token that must be there.
    #[inline]
    pub(super) fn take(&mut self) -> Result<Token, Malformed> {
        self.tokens.next().ok_or(Malformed)
    }

    /// Notes a broken rule, unless an earlier one is known.
    pub(super) fn breaks(&mut self, structure: Structure, at: usize) {
        self.broken = self.broken.or(Some((structure, at)));
    }

    /// Returns the bytes of a span.
    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        let text = if self.buffers.side.is_empty() { self.tokens.text() } else { &self.buffers.side };
        text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Reads one value; a string is unescaped when it is kept.
    #[inline]
    pub(super) fn value(&mut self, keep: bool) -> Result<Slot, Malformed> {
        let first = self.take()?;
        self.value_from(first, keep)
    }

    /// Reads the value that begins with a token.
    #[inline]
    pub(super) fn value_from(&mut self, first: Token, keep: bool) -> Result<Slot, Malformed> {
        let mut slot = slot(first);
        if first.escaped {
            Span { start: slot.start, end: slot.end } = self.text(first, keep);
        } else if matches!(slot.kind, SlotKind::Object | SlotKind::Array) {
            slot.end = self.nested(first)?;
        }
        Ok(slot)
    }

    /// Reads an object or array, and returns its end.
    fn nested(&mut self, first: Token) -> Result<u32, Malformed> {
        if first.kind == TokenKind::Deep {
            self.breaks(Structure::Depth, first.start as usize);
            return Ok(first.end);
        }
        let base = self.buffers.keys.len();
        loop {
            let token = self.take()?;
            match token.kind {
                TokenKind::Close => {
                    self.close_keys(base);
                    return Ok(token.end);
                }
                TokenKind::Object | TokenKind::Array | TokenKind::Deep => self.nested(token).map(drop)?,
                TokenKind::Name => {
                    let key = self.text(token, true);
                    self.buffers.keys.push(key);
                }
                _ if token.escaped => {
                    self.text(token, false);
                }
                _ => {}
            }
        }
    }

    /// Returns the text of a name or string, unescaped when it is kept.
    #[inline]
    pub(super) fn text(&mut self, token: Token, keep: bool) -> Span {
        if token.escaped {
            return self.escaped_text(token, keep);
        }
        Span { start: token.start, end: token.end }
    }

    fn escaped_text(&mut self, token: Token, keep: bool) -> Span {
        if let Some(at) = self.tokens.nul() {
            self.breaks(Structure::Nul, at);
        }
        if !keep {
            return Span { start: token.start, end: token.end };
        }
        let (text, side) = (self.tokens.text(), &mut self.buffers.side);
        if side.is_empty() {
            side.extend_from_slice(text);
        }
        let start = offset32(side.len());
        unescape_into(text.get(token.start as usize..token.end as usize).unwrap_or_default(), side);
        Span { start, end: offset32(side.len()) }
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
            self.breaks(Structure::DuplicateField, self.tokens.position());
        }
    }
}

/// Returns the slot of a value's first token. What is too deep counts as an object.
#[inline]
pub(super) fn slot(token: Token) -> Slot {
    let kind = match token.kind {
        TokenKind::String => SlotKind::String,
        TokenKind::Number => SlotKind::Number,
        TokenKind::True => SlotKind::True,
        TokenKind::False => SlotKind::False,
        TokenKind::Null => SlotKind::Null,
        TokenKind::Array => SlotKind::Array,
        TokenKind::Object | TokenKind::Deep => SlotKind::Object,
        TokenKind::Close | TokenKind::Name => SlotKind::Absent,
    };
    Slot { kind, start: token.start, end: token.end }
}
