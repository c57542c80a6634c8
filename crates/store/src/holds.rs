//! Holds of feeds, and the files that wait for their release. Both are items of the ledger table.
//!
//! A file waits only as long as the hold exists: it is noted as waiting in a transaction that fails without the hold,
//! so that after a release nothing begins to wait any more.

use std::future::Future;

use crate::{Claim, Error, FileHeld, Hold, HoldPut, ListedFile};

/// The files of a feed that wait.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeldFiles {
    /// The files, by key; the versions of a key in no fixed order.
    pub files: Vec<ListedFile>,
    /// Whether these are all of them.
    pub complete: bool,
}

/// Reads which feeds are held, and which files wait.
pub trait ReadHolds: Sync {
    /// Returns the hold of a feed, strongly consistent.
    fn hold(&self, partner: &str, feed: &str) -> impl Future<Output = Result<Option<Hold>, Error>> + Send;
    /// Returns the holds of all feeds, the oldest first: one query of the index `by-partner`, which may lag behind by
    /// moments.
    fn holds(&self) -> impl Future<Output = Result<Vec<Hold>, Error>> + Send;
    /// Returns at most about `most` files of a feed that wait: one query of the index `open-by-partner`, which may lag
    /// behind by moments.
    fn held_files(
        &self,
        partner: &str,
        feed: &str,
        most: usize,
    ) -> impl Future<Output = Result<HeldFiles, Error>> + Send;
}

/// Lets files wait: what only the processor does.
pub trait HoldFiles: ReadHolds {
    /// Notes that a file waits, by one transaction that fails where its feed is not held. Allowed where a claim is. The
    /// order is pinned if it was not, and what was written of the load stays.
    fn hold_file(&self, claim: &Claim) -> impl Future<Output = Result<FileHeld, Error>> + Send;
}

/// Holds and releases feeds: what only an operator does.
pub trait HoldFeeds: ReadHolds {
    /// Holds a feed by one conditional write.
    fn put_hold(&self, hold: &Hold) -> impl Future<Output = Result<HoldPut, Error>> + Send;
    /// Ends a hold by one conditional write. `false`: another hold has taken its place, which stays. A hold that has
    /// ended is ended.
    fn end_hold(&self, hold: &Hold) -> impl Future<Output = Result<bool, Error>> + Send;
}
