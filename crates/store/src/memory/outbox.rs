//! The outbox.

use std::collections::BTreeMap;

use ::ledger::digest;
use bytes::Bytes;

use super::{Memory, StoredObject};
use crate::{Error, FileId, Operation, Outcome, PostedReceipt, ReceiptMark, WriteOutbox};

/// A receipt in the outbox.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct MemoryReceipt {
    mark: ReceiptMark,
    body: Bytes,
}

impl MemoryReceipt {
    /// Returns the entity tag: of the bytes alone, as S3's is.
    fn etag(&self) -> String {
        digest(&[&self.body], 32)
    }

    fn posted(&self) -> PostedReceipt {
        PostedReceipt { mark: Some(self.mark.clone()), etag: self.etag() }
    }
}

/// What tests do and see. None of it is a counted call.
impl Memory {
    /// Returns the receipts of the outbox by key: the decision that each is of, and its bytes.
    #[must_use]
    pub fn outbox_receipts(&self) -> BTreeMap<String, (ReceiptMark, Bytes)> {
        let kept = self.kept();
        let receipts = kept.outbox_receipts.iter();
        receipts.map(|(key, receipt)| (key.clone(), (receipt.mark.clone(), receipt.body.clone()))).collect()
    }

    /// Returns the rejected records in the outbox by key.
    #[must_use]
    pub fn outbox_rejects(&self) -> BTreeMap<String, StoredObject> {
        self.kept().outbox_rejects.clone()
    }

    /// Keeps an object in the quarantine, as the processor does.
    pub fn keep(&self, key: &str, body: impl Into<Bytes>) {
        let object = StoredObject { content_type: "application/json".to_owned(), bytes: body.into() };
        self.kept().quarantine.insert(key.to_owned(), object);
    }

    /// Changes what was decided on a file, as an operator's act does.
    pub fn decide_again(&self, file: &FileId, outcome: &Outcome) {
        if let Some(entry) = self.kept().entries.get_mut(file) {
            entry.decide(outcome, 7);
        }
    }

    /// Lets an object of the quarantine expire.
    pub fn expire(&self, key: &str) {
        self.kept().quarantine.remove(key);
    }
}

impl WriteOutbox for Memory {
    async fn receipt(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.call(Operation::ReadDocument, |kept| kept.quarantine.get(key).map(|object| object.bytes.clone()))
            .await
    }

    async fn posted(&self, key: &str) -> Result<Option<PostedReceipt>, Error> {
        self.call(Operation::ReadOutbox, |kept| kept.outbox_receipts.get(key).map(MemoryReceipt::posted))
            .await
    }

    async fn post(
        &self,
        key: &str,
        mark: &ReceiptMark,
        body: Bytes,
        seen: Option<&PostedReceipt>,
    ) -> Result<bool, Error> {
        self.call(Operation::WriteOutbox, |kept| {
            let etag = kept.outbox_receipts.get(key).map(MemoryReceipt::etag);
            let unchanged = etag.as_deref() == seen.map(|seen| seen.etag.as_str());
            if unchanged {
                let receipt = MemoryReceipt { mark: mark.clone(), body };
                kept.outbox_receipts.insert(key.to_owned(), receipt);
            }
            unchanged
        })
        .await
    }

    async fn return_rejects(&self, from: &str, to: &str) -> Result<bool, Error> {
        self.call(Operation::ReturnRejects, |kept| {
            let Some(rejects) = kept.quarantine.get(from).cloned() else { return false };
            kept.outbox_rejects.insert(to.to_owned(), rejects);
            true
        })
        .await
    }
}
