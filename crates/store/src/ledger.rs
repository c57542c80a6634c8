//! The ledger: one entry for each file version, and the visible load of each key.

use std::future::Future;

use ledger::{
    Claim, Claimed, Commit, Committed, Entry, Fence, Fenced, FileId, Head, OpenFile, Outcome, State,
};

use crate::Error;

/// Reads what is known of a file: all that a reader of the ledger needs.
pub trait ReadEntry: Sync {
    /// The entry of a file, strongly consistent.
    fn entry(&self, file: &FileId) -> impl Future<Output = Result<Option<Entry>, Error>> + Send;
}

/// Entries, heads and contents. All reads are strongly consistent.
pub trait Ledger: ReadEntry {
    /// One conditional write: fence + 1, lease, nonce; order pinned if it was not. Allowed when the entry is absent,
    /// or processing with an expired lease (or a released one). A claim that is already ours by nonce is answered as it
    /// stands, so that a lost response costs nothing; with another load it is claimed again. A claim of another load
    /// than the entry's begins anew: no rows written, no deaths counted.
    fn claim(&self, claim: &Claim) -> impl Future<Output = Result<Claimed, Error>> + Send;
    /// Records that the first `rows_written` rows of the load are written, extends the lease, and begins the count of deaths
    /// anew: claims before this one no longer count.
    fn checkpoint(
        &self,
        fence: &Fence,
        rows_written: u64,
        lease_until_ms: u64,
    ) -> impl Future<Output = Result<Fenced, Error>> + Send;
    /// Ends the lease early, so that a redelivery can go on at once.
    fn release(&self, fence: &Fence) -> impl Future<Output = Result<Fenced, Error>> + Send;
    /// Records that the process of a claim died while it worked on the file. It counts once for each claim, also when the
    /// file was claimed again meanwhile, and not at all when a later death was recorded before, when a later claim wrote a
    /// checkpoint or changed the load, or when the file is terminal or unknown.
    fn died(&self, fence: &Fence) -> impl Future<Output = Result<(), Error>> + Send;
    /// A terminal state without visible rows. A quarantined file is open from then on.
    fn finish(&self, fence: &Fence, outcome: &Outcome) -> impl Future<Output = Result<Fenced, Error>> + Send;
    /// The terminal state with visible rows. A content whose holder is no longer complete is free to take. When several
    /// things stand in the way, the answer is the first of: lost, duplicate, head moved.
    fn commit(&self, commit: &Commit) -> impl Future<Output = Result<Committed, Error>> + Send;
    /// The head of a key.
    fn head(&self, key: &str) -> impl Future<Output = Result<Option<Head>, Error>> + Send;
    /// Notes that the outcome was published with this state; nothing is noted when the state has changed since, for who
    /// changed it announces it. An unknown file is an error.
    fn announced(&self, file: &FileId, state: State) -> impl Future<Output = Result<(), Error>> + Send;
    /// The open files of a name: one query of the index `open-by-partner`, which may lag behind by moments. `partner` is
    /// the one that lists the file ([`Entry::listed_partner`]).
    fn open_of_name(
        &self,
        partner: &str,
        key: &str,
    ) -> impl Future<Output = Result<Vec<OpenFile>, Error>> + Send;
    /// Notes that a file is open no longer; nothing is noted for a file that is not open. Closing twice is closing once.
    fn close(&self, file: &FileId) -> impl Future<Output = Result<(), Error>> + Send;
}
