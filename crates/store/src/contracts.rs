//! The contracts bucket: one document for each feed, in versions.

use std::future::Future;

use bytes::Bytes;

use crate::{Condition, Error, VersionId};

/// Maximum number of versions that [`ReadContracts::contract_versions`] gives.
pub const MOST_CONTRACT_VERSIONS: usize = 20;

/// Most feeds of a listing: one page of S3's.
pub const MOST_FEEDS: usize = 1_000;

/// A version of a contract as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractObject {
    /// Its text.
    pub text: ContractText,
    /// Its version in the contracts bucket.
    pub version: VersionId,
    /// When it was published, milliseconds since the epoch.
    pub published_ms: u64,
    /// Its entity tag without quotes, by which the next version can say that it replaces this one; empty where the
    /// answer has none.
    pub etag: String,
}

/// The answer to a new version of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractPut {
    /// It is the newest version now, with this id.
    Written(VersionId),
    /// The condition does not hold, or another write was under way: look again.
    Conflict,
}

/// The text of a contract, as far as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractText {
    /// All of it.
    Whole(Bytes),
    /// It has this many bytes, more than [`contract::MOST_DOCUMENT_BYTES`]; none of them was read.
    TooLong(u64),
}

/// A contract that is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedContract {
    /// The feed; anything that somebody named a document after.
    pub feed: String,
    /// When its newest version was published, milliseconds since the epoch.
    pub published_ms: u64,
    /// Its entity tag: another document has another one. `None` where the listing has none.
    pub etag: Option<String>,
}

/// Reads and lists contracts.
pub trait ReadContracts: Sync {
    /// Returns the newest version of the feed's contract; `None` when there is none, and when it was deleted.
    fn contract(&self, feed: &str) -> impl Future<Output = Result<Option<ContractObject>, Error>> + Send;

    /// Returns the versions of the feed's contract, newest first, at most [`MOST_CONTRACT_VERSIONS`]. Versions from
    /// before the last deletion are left out: a deleted contract never comes back.
    fn contract_versions(&self, feed: &str) -> impl Future<Output = Result<Vec<VersionId>, Error>> + Send;

    /// Returns one version of the feed's contract; `None` when that version does not exist.
    fn contract_version(
        &self,
        feed: &str,
        version: &str,
    ) -> impl Future<Output = Result<Option<ContractObject>, Error>> + Send;

    /// Returns the feeds that have a contract, by name, at most 1,000.
    fn feeds(&self) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// Returns the contracts that there are, by feed, at most 10,000.
    fn published(&self) -> impl Future<Output = Result<Vec<PublishedContract>, Error>> + Send;
}

/// Publishes contracts, each as a version of its own. Nothing here can delete one.
pub trait WriteContracts: Sync {
    /// Publishes a version of a feed's contract, if the condition holds: there is none, or the newest has this entity
    /// tag.
    fn put_contract(
        &self,
        feed: &str,
        bytes: Bytes,
        condition: &Condition,
    ) -> impl Future<Output = Result<ContractPut, Error>> + Send;
}

/// Returns whether a contract of this many bytes is too long to be read.
pub(crate) fn is_too_long(length: u64) -> bool {
    !usize::try_from(length).is_ok_and(|length| length <= contract::MOST_DOCUMENT_BYTES)
}
