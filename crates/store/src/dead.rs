//! Dead loads: items of the ledger table, by which their rows are deleted after a while.

use std::future::Future;

use ledger::{CleanUp, CleanUpRequest, DeadLoad, GivenUp};

use crate::{Error, LoadId};

/// Lists dead loads: what only the watcher does.
pub trait ListDead: Sync {
    /// Returns the dead loads of one of [`ledger::DEAD_SHARDS`] shards that were hidden at this instant (milliseconds
    /// since the epoch) or before, the oldest first, at most `most`. One query of a sparse index, which may lag behind
    /// by moments.
    fn dead_loads(
        &self,
        shard: u32,
        until_ms: u64,
        most: u16,
    ) -> impl Future<Output = Result<Vec<CleanUpRequest>, Error>> + Send;
}

/// Deletes the rows of dead loads: what only the processor does.
///
/// ```text
/// dead item ─▶ give up: nothing can show the load any more ─▶ rows, with checkpoints ─▶ the item leaves the index
/// ```
pub trait WriteDead: Sync {
    /// Returns a dead load and how far its clean-up got, strongly consistent; `None` when nothing is to be done.
    fn dead_load(&self, load: &LoadId) -> impl Future<Output = Result<Option<CleanUp>, Error>> + Send;
    /// Takes from a load the possibility to be shown again, by one conditional write of its file's entry, unless it
    /// is visible now. Of a load that a replay has replaced nothing is left to take.
    fn give_up(&self, load: &LoadId) -> impl Future<Output = Result<GivenUp, Error>> + Send;
    /// Notes how far the clean-up got, unless the load was hidden anew meanwhile. Returns whether it was noted.
    fn note_deleted(&self, dead: &DeadLoad, deleted: u64)
    -> impl Future<Output = Result<bool, Error>> + Send;
    /// Ends a clean-up, also of a load that is visible: it is listed no longer. Nothing is written for one that was
    /// hidden anew meanwhile.
    fn end_clean_up(&self, dead: &DeadLoad) -> impl Future<Output = Result<(), Error>> + Send;
}
