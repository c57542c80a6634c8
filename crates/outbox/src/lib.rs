//! Writes the receipt of each file into the outbox bucket, for partners who only use S3.
//!
//! ```text
//! outcome topic ──▶ queue ──▶ batch ─┬▶ announcement ─▶ ledger entry ─▶ receipt and rejects ─┬─ written: done
//!                     ▲              ├▶ …   (all at once, each within its own time)          └─ else: given back,
//!                     │              └▶ …                                                        later each time
//!                     └──────────────────── after 12 receives: dead letters ◀────────┘
//! ```
//!
//! Announcements are delivered at least once and possibly out of order. The ledger's entry is authoritative: what is
//! written is the receipt that the entry names. A name has one receipt in the outbox, the one of its newest version,
//! whatever the order of deliveries: each write is conditional on what was seen, and is followed by a look at the
//! entry (`post.rs`). Rejected records are copied server side, where the contract returns them, so that no value passes
//! through the function. Partners without S3 principals get nothing here: they read the partner API.

pub mod config;
mod deliver;
mod error;
mod post;

use runtime::Host;
use store::{Queue, ReadLedger, ReadS3Principals, WriteOutbox};
use telemetry::Metrics;

/// The resources that the function reaches.
pub trait OutboxStore: ReadLedger + ReadS3Principals + WriteOutbox {}

impl<T: ReadLedger + ReadS3Principals + WriteOutbox> OutboxStore for T {}

/// The function. It keeps nothing from one invocation to the next but its clients.
pub struct OutboxWriter<S, Q> {
    store: S,
    queue: Q,
    metrics: Metrics,
    host: Host,
}

impl<S: OutboxStore, Q: Queue> OutboxWriter<S, Q> {
    /// Makes the function from its resources and settings.
    pub fn new(store: S, queue: Q, metrics: Metrics, host: Host) -> Self {
        Self { store, queue, metrics, host }
    }
}

#[cfg(test)]
mod tests;
