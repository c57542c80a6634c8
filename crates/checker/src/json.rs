//! JSON records (RFC 8259), strictly, straight into column slots.
//!
//! `scan` reads values and `objects` one record; `lines` and `document` find the records in the text. Numbers keep their source digits,
//! strings without escapes stay where they are, and no record allocates once the buffers have grown.

mod delimit;
mod document;
mod fields;
mod flaw;
mod lines;
mod objects;
mod scan;
#[cfg(test)]
mod tests;

pub(crate) use self::document::Document;
pub(crate) use self::lines::JsonLines;
