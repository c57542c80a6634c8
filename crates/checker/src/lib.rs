//! Bytes in; records, violations and a verdict out.
//!
//! ```text
//! stored bytes ──Decoder──▶ UTF-8 blocks ──Reader──▶ Record (slots into a buffer) ──Check──▶ Row | Reject ──▶ Sink
//!   gzip, zstd, UTF-16, …     ≤ 64 KiB      CSV, NDJSON, JSON                                    └─▶ Summary, Verdict
//! ```
//!
//! The crate is pure and sans-IO: it is pushed chunks and gives records to a [`Sink`]. Memory is flat whatever the
//! file: one block, one record, and 16 bytes for each unique key. The same code runs in both passes over a file, so
//! the counts of the first pass are the counts of the second.

#[cfg_attr(not(test), expect(dead_code, reason = "the check that reads files is not in the crate yet"))]
mod decode;
mod fault;
#[cfg(test)]
mod fixture;
#[cfg_attr(not(test), expect(dead_code, reason = "the check that reads files is not in the crate yet"))]
mod json;
#[cfg_attr(not(test), expect(dead_code, reason = "the check that reads files is not in the crate yet"))]
mod reader;
mod record;
#[cfg_attr(not(test), expect(dead_code, reason = "the check that reads files is not in the crate yet"))]
mod separated;
mod sink;

pub use fault::{FaultCode, FileFault};
pub use record::{Item, Position, Record, Slot, SlotKind};
pub use sink::{Counts, Reject, Row, Sink, Verdict};
