//! The outbox bucket: receipts and rejected records for partners who only use S3.

use std::collections::BTreeMap;
use std::future::Future;

use bytes::Bytes;

use crate::{Entry, Error, FileId, LoadId, Order};

/// Says of which decision a receipt in the outbox is: kept as the object's metadata, so that a look at the object
/// without its bytes shows whether a decision is newer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptMark {
    /// The order of the file's version among those of its name.
    pub order: Order,
    /// The file.
    pub file: FileId,
    /// Load and state of the decision: the last two parts of the receipt's key in the quarantine bucket.
    pub decision: String,
}

/// A receipt as it lies in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedReceipt {
    /// Of which decision it is; `None` for an object that this stack did not write.
    pub mark: Option<ReceiptMark>,
    /// The object's entity tag, as S3 gives it.
    pub etag: String,
}

/// Copies receipts and rejected records from the quarantine bucket to the outbox bucket.
pub trait WriteOutbox: Sync {
    /// Returns a receipt of the quarantine bucket; `None` when it is not there any more.
    fn receipt(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send;
    /// Looks at a receipt of the outbox; `None` when there is none.
    fn posted(&self, key: &str) -> impl Future<Output = Result<Option<PostedReceipt>, Error>> + Send;
    /// Writes a receipt into the outbox if what lies there still is what was seen (`None`: nothing). `false`: it is
    /// not.
    fn post(
        &self,
        key: &str,
        mark: &ReceiptMark,
        body: Bytes,
        seen: Option<&PostedReceipt>,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Copies rejected records of the quarantine bucket into the outbox, server side. `false`: they are not there.
    /// Copied twice, they are the same.
    fn return_rejects(&self, from: &str, to: &str) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Names of the metadata.
const ORDER: &str = "order";
const FILE: &str = "file";
const DECISION: &str = "decision";

impl ReceiptMark {
    /// Makes the mark of an entry's decision; `None` without one, or without a receipt.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        let receipt = &entry.outcome.as_ref().filter(|outcome| !outcome.receipt.is_empty())?.receipt;
        let mut parts = receipt.rsplitn(3, '/');
        let (state, load) = (parts.next()?, parts.next()?);
        let decision = format!("{load}/{state}");
        Some(Self { order: entry.order.clone(), file: FileId::of(&entry.file), decision })
    }

    /// Returns the load that was decided. It may differ from the entry's, which another load may have begun anew.
    #[must_use]
    pub fn load(&self) -> Option<LoadId> {
        LoadId::parse(self.decision.split('/').next()?)
    }

    /// Returns whether this is of another version of the name that goes before. Two versions of one name have
    /// different orders; the ids decide where one was deleted before it could be ranked.
    #[must_use]
    pub fn is_older_version_than(&self, other: &Self) -> bool {
        (&self.order, &self.file) < (&other.order, &other.file)
    }

    /// Returns it as the metadata of an object: ASCII only.
    pub(crate) fn to_metadata(&self) -> [(&'static str, String); 3] {
        let Self { order, file, decision } = self;
        [(ORDER, order.to_string()), (FILE, file.to_string()), (DECISION, decision.clone())]
    }

    /// Reads metadata back.
    pub(crate) fn from_metadata<'m>(
        metadata: impl IntoIterator<Item = (&'m String, &'m String)>,
    ) -> Option<Self> {
        let metadata: BTreeMap<&String, &String> = metadata.into_iter().collect();
        let value = |name: &str| metadata.get(&name.to_owned()).map(|value| value.as_str());
        Some(Self {
            order: Order::parse(value(ORDER)?)?,
            file: FileId::parse(value(FILE)?)?,
            decision: value(DECISION)?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_from_metadata_and_foreign_metadata_is_no_mark() {
        let mark = ReceiptMark {
            order: Order::parse("2026-11-20T08:15:00.000Z/0000001a").expect("an order"),
            file: FileId::parse("r78c69kajr602vj4sbw2tybqa0").expect("an id"),
            decision: "r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764/complete.json".to_owned(),
        };
        let mut metadata: BTreeMap<String, String> =
            mark.to_metadata().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert!(metadata.values().all(|value| value.is_ascii()));
        assert_eq!(ReceiptMark::from_metadata(&metadata), Some(mark));
        metadata.insert("order".to_owned(), "soon".to_owned());
        assert_eq!(ReceiptMark::from_metadata(&metadata), None);
        assert_eq!(ReceiptMark::from_metadata(&BTreeMap::new()), None);
    }
}
