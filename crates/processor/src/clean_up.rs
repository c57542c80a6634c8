//! Clean-up: the rows of a load that nobody sees any more are deleted.
//!
//! ```text
//! request ─▶ dead item ─▶ give up: nothing can show the load again ─▶ pinned version ─▶ keys ─▶ deletes ─▶ end
//! ```
//!
//! The keys of its rows are derived again: the pinned version is read under the contract under which the load was made.
//! They hold the load's name, so that no other load's row is touched, whatever is read. Deleting twice is deleting
//! once; a checkpoint only saves work.

use std::sync::Arc;

use checker::{ContentHash, FileCheck, Reject, Row, Sink};
use ledger::{CleanUp, CleanUpRequest, DeadLoad, Entry, GivenUp, LoadId};
use runtime::Host;
use store::{Opened, RowKey};

use crate::{
    Processor, ProcessorStore,
    error::ProcessError,
    process::Delivery,
    read::{Pass, stream},
    settings::Settings,
    work::seed_of,
};

impl<S: ProcessorStore> Processor<S> {
    /// Deletes the rows of a dead load. Returns when all are deleted, or when there is nothing to do.
    pub(crate) async fn clean_up(
        &self,
        request: &CleanUpRequest,
        delivery: Delivery,
    ) -> Result<(), ProcessError> {
        let load = &request.load;
        let Some(CleanUp { dead, deleted }) = self.store.dead_load(load).await? else { return Ok(()) };
        if dead.since_ms != request.since_ms {
            return Ok(());
        }
        if self.store.give_up(load).await? == GivenUp::Visible {
            return Ok(self.store.end_clean_up(&dead).await?);
        }
        let Some(entry) = self.store.entry(&load.file()).await? else {
            return self.leave(&dead, "its file is not in the ledger").await;
        };
        let contract = runtime::contract_with_hash(&self.store, &entry.feed, &dead.contract).await?;
        let Some(contract) = contract else {
            return self.leave(&dead, "the contract of its load is not in the contracts bucket").await;
        };
        let body = match self.store.open(&entry.file).await? {
            Opened::Body { body, .. } => body,
            Opened::Gone => return self.leave(&dead, "its version is not in the inbox any more").await,
            Opened::Archived => return self.leave(&dead, "its version is in an archive storage class").await,
        };
        let check = FileCheck::new(Arc::new(contract), seed_of(load), ContentHash::Skipped);
        let mut rows = RowDeleter::new(self, &entry, &dead, deleted, delivery);
        // Kept on the heap: the parser is large.
        let read = Box::pin(stream(check, body, &mut rows)).await;
        match read {
            Ok(_) => {
                rows.write().await?;
                // A later release may read other records. More rows than were written is usual: a first reading takes
                // back what a later record of the same key rejects.
                if rows.seen < dead.rows {
                    return self.leave(&dead, "fewer rows were read than were written").await;
                }
            }
            Err(stop) => {
                rows.remember().await?;
                return Err(stop);
            }
        }
        tracing::info!(load = load.as_str(), rows = rows.seen, "the rows of a dead load are deleted");
        Ok(self.store.end_clean_up(&dead).await?)
    }

    /// Ends a clean-up that cannot find the rows' keys. The rows stay, and nobody sees them.
    async fn leave(&self, dead: &DeadLoad, why: &'static str) -> Result<(), ProcessError> {
        tracing::warn!(
            load = dead.load.as_str(),
            rows = dead.rows,
            why,
            "the rows of a dead load stay in the table"
        );
        Ok(self.store.end_clean_up(dead).await?)
    }
}

/// Deletes the row that each good record was written as.
struct RowDeleter<'a, S> {
    store: &'a S,
    host: &'a Host,
    settings: &'a Settings,
    entry: &'a Entry,
    dead: &'a DeadLoad,
    shards: u32,
    deadline_ms: u64,
    keys: Vec<RowKey>,
    /// Rows of the file that were read.
    seen: u64,
    /// Rows that are deleted, and how many of them a checkpoint says.
    deleted: u64,
    checkpoint: u64,
    /// Rows that were deleted before this delivery.
    begun: u64,
}

impl<'a, S: ProcessorStore> RowDeleter<'a, S> {
    fn new(
        processor: &'a Processor<S>,
        entry: &'a Entry,
        dead: &'a DeadLoad,
        deleted: u64,
        delivery: Delivery,
    ) -> Self {
        Self {
            store: &processor.store,
            host: &processor.host,
            settings: &processor.settings,
            entry,
            dead,
            shards: store::shards(dead.rows),
            deadline_ms: delivery.deadline_ms,
            keys: Vec::new(),
            seen: 0,
            deleted,
            checkpoint: deleted,
            begun: deleted,
        }
    }

    async fn write(&mut self) -> Result<(), ProcessError> {
        if !self.keys.is_empty() {
            self.store.delete(std::mem::take(&mut self.keys)).await?;
            self.deleted = self.seen;
        }
        Ok(())
    }

    /// Writes a checkpoint. A load that was hidden anew meanwhile has its own request.
    async fn remember(&mut self) -> Result<(), ProcessError> {
        if self.deleted > self.checkpoint {
            self.checkpoint = self.deleted;
            self.store.note_deleted(self.dead, self.deleted).await?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.deleted - self.begun >= self.settings.rows_per_clean_up
            || self.host.now().saturating_add(self.settings.reserve_ms) >= self.deadline_ms
    }
}

impl<S> Sink for RowDeleter<'_, S> {
    fn row(&mut self, row: Row<'_>) {
        self.seen += 1;
        if self.seen > self.deleted {
            let Entry { partner, feed, order, .. } = self.entry;
            let load: &LoadId = &self.dead.load;
            self.keys.push(store::row_key(partner, feed, load, order.as_str(), &row, self.shards));
        }
    }

    fn reject(&mut self, _: Reject<'_>) {}
}

impl<S: ProcessorStore> Pass for RowDeleter<'_, S> {
    async fn write_out(&mut self) -> Result<(), ProcessError> {
        if self.keys.len() >= self.settings.rows_at_once {
            self.write().await?;
        }
        if self.deleted - self.checkpoint >= self.settings.rows_per_checkpoint {
            self.remember().await?;
        }
        if !self.is_over() {
            return Ok(());
        }
        Err(if self.deleted > self.begun { ProcessError::Advanced } else { ProcessError::OutOfTime })
    }
}
