//! Brings the outbox up to date for one file.
//!
//! ```text
//! entry ─▶ look at the outbox ─┬─ a newer version of the name, or this decision: done
//!   ▲                          └─ else: rejects ─▶ receipt, if the outbox is as it was seen ─▶ entry, as it was: done
//!   └──────────────────── the outbox or the entry has changed ◀──────────────────────┘
//! ```
//!
//! Why the outbox ends right whatever the order of deliveries: a delivery writes only over what it has seen, so that
//! of two versions the older never replaces the newer. A delivery may have read the entry before it changed. It then
//! sees that after its write, and writes again before its message is acknowledged. Every change of the entry is
//! announced, so that its own delivery comes too.

use bytes::Bytes;
use ledger::{FileId, RejectsForm, outbox_receipt_key, outbox_rejects_key};
use serde_json::{Map, Value};
use store::{Entry, PostedReceipt, Queue, ReceiptMark};

use crate::error::{OutboxError, OutboxState};
use crate::{OutboxStore, OutboxWriter};

/// Attempts while others write the same receipt. Each failed one means that another delivery succeeded.
const ATTEMPTS: u32 = 8;
/// The member of a receipt that says in which form rejected records are returned.
const RETURNED: &str = "rejectsReturned";

/// The result of one attempt to write a receipt.
enum ReceiptWrite {
    /// It was written, and rejected records with it or not.
    Written { rejects: bool },
    /// The outbox is not as it was seen: nothing was written over what another delivery wrote.
    OutboxChanged,
    /// The receipt is not in the quarantine bucket any more.
    Expired,
}

impl<S: OutboxStore, Q: Queue> OutboxWriter<S, Q> {
    /// Writes the receipt that the ledger names for a file of this partner, unless the outbox has it or a newer
    /// version's.
    pub(crate) async fn bring_up_to_date(
        &self,
        partner: &str,
        file: &FileId,
    ) -> Result<OutboxState, OutboxError> {
        let Some(mut entry) = self.own_entry(partner, file).await? else { return Ok(OutboxState::NoReceipt) };
        let Some(key) = outbox_receipt_key(&entry.file.key) else { return Ok(OutboxState::KeyTooLong) };
        for _ in 0..ATTEMPTS {
            let seen = self.store.posted(&key).await?;
            let posted = seen.as_ref().and_then(|seen| seen.mark.as_ref());
            if posted.is_some_and(|posted| posted.file == *file) {
                // The entry was read before the outbox: what lies there may be of a newer decision on this file.
                let Some(newest) = self.own_entry(partner, file).await? else {
                    return Ok(OutboxState::NoReceipt);
                };
                entry = newest;
            }
            let Some(mark) = ReceiptMark::of(&entry) else { return Ok(OutboxState::NoReceipt) };
            match posted {
                Some(posted) if *posted == mark => return Ok(OutboxState::Unchanged),
                Some(posted) if mark.is_older_version_than(posted) => return Ok(OutboxState::Newer),
                _ => {}
            }
            let written = match self.write(&key, &entry, &mark, seen.as_ref()).await? {
                ReceiptWrite::Written { rejects } => Some(OutboxState::Written { rejects }),
                ReceiptWrite::OutboxChanged => None,
                ReceiptWrite::Expired => return Ok(OutboxState::Expired),
            };
            let Some(newest) = self.own_entry(partner, file).await? else {
                return Ok(OutboxState::NoReceipt);
            };
            let still = ReceiptMark::of(&newest).is_none_or(|newest| newest == mark);
            match written {
                Some(done) if still => return Ok(done),
                Some(_) | None => entry = newest,
            }
        }
        Err(OutboxError::Contested)
    }

    /// Returns the entry of a file, if it is this partner's.
    async fn own_entry(&self, partner: &str, file: &FileId) -> Result<Option<Entry>, OutboxError> {
        let entry = self.store.entry(file).await?;
        let prefix = format!("{partner}/");
        Ok(entry.filter(|entry| entry.partner == partner && entry.file.key.starts_with(&prefix)))
    }

    /// Writes rejected records where they are returned, then the receipt if the outbox still is as it was seen.
    async fn write(
        &self,
        key: &str,
        entry: &Entry,
        mark: &ReceiptMark,
        seen: Option<&PostedReceipt>,
    ) -> Result<ReceiptWrite, OutboxError> {
        let Some(outcome) = &entry.outcome else { return Ok(ReceiptWrite::Expired) };
        let Some(receipt) = self.store.receipt(&outcome.receipt).await? else {
            return Ok(ReceiptWrite::Expired);
        };
        let members: Map<String, Value> =
            serde_json::from_slice(&receipt).map_err(|_| OutboxError::Malformed)?;
        let rejects = self.return_rejects(entry, mark, &members).await?;
        let has_rejects = rejects.is_some();
        let body = rejects.map_or(receipt, |rejects| with_rejects(members, rejects));
        let posted = self.store.post(key, mark, body, seen).await?;
        Ok(if posted { ReceiptWrite::Written { rejects: has_rejects } } else { ReceiptWrite::OutboxChanged })
    }

    /// Copies the rejected records that a receipt says are returned; returns where they are in the outbox. A form that
    /// this release does not know returns none: its sender gets the receipt without them.
    async fn return_rejects(
        &self,
        entry: &Entry,
        mark: &ReceiptMark,
        receipt: &Map<String, Value>,
    ) -> Result<Option<String>, OutboxError> {
        let form = receipt.get(RETURNED).and_then(Value::as_str).and_then(RejectsForm::parse);
        let folder = entry.outcome.as_ref().and_then(|outcome| outcome.quarantine.as_deref());
        let Some((form, folder)) = form.zip(folder) else { return Ok(None) };
        let to = mark.load().and_then(|load| outbox_rejects_key(&entry.file.key, &load, form));
        let Some(to) = to else { return Ok(None) };
        let from = format!("{folder}{}", form.object_name());
        let copied = self.store.return_rejects(&from, &to).await?;
        Ok(copied.then_some(to))
    }
}

/// Returns a receipt as it lies in the outbox with the rejected records whose key this is.
fn with_rejects(mut receipt: Map<String, Value>, rejects: String) -> Bytes {
    receipt.insert("rejects".to_owned(), rejects.into());
    Value::Object(receipt).to_string().into()
}
