//! Bytes in; records, violations and a verdict out.
//!
//! ```text
//! stored bytes ──Decoder──▶ UTF-8 blocks ──Reader──▶ Record (slots into a buffer) ──Check──▶ Row | Reject ──▶ Sink
//!   gzip, zstd, UTF-16, …     ≤ 64 KiB      CSV, NDJSON, JSON                                    └─▶ Summary, Verdict
//! ```
//!
//! The crate is pure and sans-IO: it is pushed chunks and gives records to a [`Sink`]. Memory is flat whatever the
//! file: one block, one record, and 16 bytes for each unique key (24 under `rejectAll` and `keepLast`). The same code
//! runs in both passes over a file, so the counts of the first pass are the counts of the second.

mod budget;
mod decode;
mod file_check;
#[cfg(test)]
mod fixture;
mod foreign;
mod form;
mod gates;
mod item_size;
mod json;
mod key_of;
mod key_set;
mod prepare;
mod reader;
mod reason;
mod receipt;
mod record;
mod records;
mod reject_file;
mod reject_line;
mod reject_object;
mod reject_table;
mod returned;
mod row;
mod row_rules;
mod separated;
mod sink;
mod summary;

pub use ::ledger::{Counts, FaultCode, FileFault, RejectsForm, Verdict};
pub use file_check::{ContentHash, FileCheck, Finished, Pushed};
pub use form::FileForm;
pub use item_size::value_bytes;
pub use key_of::{KeyError, key_of};
pub use reason::reason;
pub use receipt::{
    DroppedRecords, FORMAT_VERSION, FileFacts, ObjectPlace, PlaceBucket, Receipt, ReceiptContract,
    ReceiptFault, ReceiptViolation, Report, ReportGate, RuleTotal, later_receipt, receipt, report,
};
pub use record::{Item, Position, Record, Slot, SlotKind};
pub use reject_file::{RejectFile, rejects_form};
pub use reject_line::write_reject_line;
pub use sink::{Reject, Row, Sink};
pub use summary::{GateResult, RecordSet, Summary};

#[cfg(test)]
mod tests;
