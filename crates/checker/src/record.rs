//! A record: one slot for each of the contract's columns, pointing into the reader's buffer.

use contract::{Cell, Violation};

/// Where a record is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    /// 1-based number of the record (header and skipped lines not counted).
    pub record: u64,
    /// 1-based number of the line on which it begins. CRLF, LF and a lone CR each end one line.
    pub line: u64,
    /// 0-based offset of its first byte in the decompressed text as UTF-8, a byte order mark not counted.
    pub offset: u64,
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// No such field.
    Absent,
    /// JSON `null`, or an empty CSV cell (quoted or not).
    Null,
    /// A CSV cell.
    Text,
    /// A JSON string.
    String,
    /// A JSON number.
    Number,
    /// JSON `true`.
    True,
    /// JSON `false`.
    False,
    /// A JSON object's source text.
    Object,
    /// A JSON array's source text.
    Array,
}

/// One cell as a span of [`Record::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it holds.
    pub kind: SlotKind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Slot {
    /// A field that is not there.
    pub const ABSENT: Self = Self { kind: SlotKind::Absent, start: 0, end: 0 };
}

/// One record that follows its format. All text is valid UTF-8.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Where it is.
    pub position: Position,
    /// The record as sent (decoded to UTF-8), without its line end.
    pub raw: &'a [u8],
    /// What the slots point into: unescaped text.
    pub text: &'a [u8],
    /// One for each of the contract's columns, in their order.
    pub slots: &'a [Slot],
    /// CSV only: every cell as sent, in the sender's column order. Empty for JSON.
    pub cells: &'a [Slot],
}

impl<'a> Record<'a> {
    /// Returns the cell of a column.
    #[must_use]
    pub fn cell(&self, column: usize) -> Cell<'a> {
        self.slots.get(column).map_or(Cell::Absent, |slot| cell(self.text, *slot))
    }
}

/// Returns the text of the cell that a slot points to; of a null or absent one, nothing.
#[must_use]
pub(crate) fn cell_text(text: &[u8], slot: Slot) -> &[u8] {
    match slot.kind {
        SlotKind::Absent | SlotKind::Null => b"",
        SlotKind::True => b"true",
        SlotKind::False => b"false",
        _ => text.get(slot.start as usize..slot.end as usize).unwrap_or_default(),
    }
}

/// Returns the cell that a slot points to.
#[must_use]
#[inline]
pub(crate) fn cell(text: &[u8], slot: Slot) -> Cell<'_> {
    let bytes = text.get(slot.start as usize..slot.end as usize).unwrap_or_default();
    match slot.kind {
        SlotKind::Absent => Cell::Absent,
        SlotKind::Null => Cell::Null,
        SlotKind::Text => Cell::Text(bytes),
        SlotKind::String => Cell::String(bytes),
        SlotKind::Number => Cell::Number(bytes),
        SlotKind::True => Cell::Boolean(true),
        SlotKind::False => Cell::Boolean(false),
        SlotKind::Object => Cell::Object(bytes),
        SlotKind::Array => Cell::Array(bytes),
    }
}

/// What a reader finds: a record, or bytes that are none.
#[derive(Clone, Copy)]
pub enum Item<'a> {
    /// A record that follows its format.
    Record(Record<'a>),
    /// Bytes that do not; always rejected.
    Broken {
        /// Where they stand.
        position: Position,
        /// The bytes as sent (decoded to UTF-8 where that was possible), cut at the record size limit.
        raw: &'a [u8],
        /// What the cells' spans point into.
        text: &'a [u8],
        /// CSV: the cells in the sender's order; none when they cannot be told apart.
        cells: &'a [Slot],
        /// The structural rule that was broken.
        violation: Violation,
    },
}
