//! Dead loads whose rows are to be deleted: the processor is asked for it after the grace period.
//!
//! It is asked once an hour, for one of the index's 16 partitions: an idle stack pays for one query an hour, and a load
//! waits at most 16 hours more. A load whose clean-up did not end is found again in the next round. While new files
//! wait in the queue nothing is asked for.

use runtime::{DAY_MS, HOUR_MS, MINUTE_MS};
use store::{CleanUpRequest, Error, MOST_MESSAGES, WatchedQueue};

use crate::reconciliation::BUSY;
use crate::{Watcher, WatcherStore};

/// From one run to the next, milliseconds (`infra/operations.yaml`).
const RUN_MS: u64 = 5 * MINUTE_MS;
/// The most loads that are asked for in an hour.
pub(crate) const MOST_LOADS: u16 = 500;

impl<S: WatcherStore> Watcher<S> {
    /// Asks for the clean-up of loads that were hidden long enough ago. Returns how many.
    pub(crate) async fn clean_up(&self, now_ms: u64) -> Result<u64, Error> {
        let days = self.settings.clean_up_after_days;
        if days == 0 || now_ms % HOUR_MS >= RUN_MS {
            return Ok(0);
        }
        let shard = u32::try_from(now_ms / HOUR_MS % u64::from(ledger::DEAD_SHARDS)).unwrap_or_default();
        let until_ms = now_ms.saturating_sub(days.saturating_mul(DAY_MS));
        let due = self.store.dead_loads(shard, until_ms, MOST_LOADS).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let queue = self.store.messages(WatchedQueue::Inbox).await?;
        if queue.waiting + queue.in_flight >= BUSY {
            tracing::info!("the inbox queue is busy: the clean-up of dead loads waits");
            return Ok(0);
        }
        let messages: Vec<String> = due.iter().map(CleanUpRequest::message).collect();
        for some in messages.chunks(MOST_MESSAGES) {
            self.store.send(some).await?;
        }
        tracing::info!(loads = due.len(), "the clean-up of dead loads was asked for");
        Ok(due.len() as u64)
    }
}
