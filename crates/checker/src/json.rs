//! JSON records (RFC 8259), strictly, straight into column slots.
//!
//! `objects` reads one record from the tokens of [`contract::json`], with the values that `scan` reads; `lines` and
//! `document` find the records in the text. Numbers keep their source digits, strings without escapes stay where they
//! are, and no record allocates once the buffers have grown.

mod document;
mod either;
mod fields;
mod flaw;
mod lines;
mod objects;
mod returned;
mod scan;
#[cfg(test)]
mod tests;

use self::document::JsonDocument;
pub(crate) use self::either::JsonEither;
pub(crate) use self::lines::JsonLines;
