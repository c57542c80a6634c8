//! Checks every few minutes whether files arrived in time, whether events were lost, and whether the stack still works.
//!
//! ```text
//! schedule ──▶ tick ─┬▶ expected        contracts × partners ──▶ missing, late, volume low or high; contracts that do not compile
//!                    ├▶ stuck           entries whose lease has ended
//!                    ├▶ dead letters    how many there are, and of which files
//!                    ├▶ reconciliation  inbox × ledger ──▶ what was lost, to the inbox queue again
//!                    ├▶ clean-up           loads that nobody sees any more ──▶ their rows are to be deleted
//!                    └▶ heartbeat          a probe file each hour ──▶ the age of the newest that was loaded
//!                               └──▶ one metric record for the run and one for each feed
//! ```
//!
//! The parts run concurrently: one that fails or has no time left is logged, says nothing in the metrics, and makes
//! the invocation fail at its end. Gauges show the present state and not what happened, so that an alarm ends by
//! itself. "Now" is the scheduled time of the event: a run is a function of its event, the bucket and the tables. Two
//! runs at a time or one run twice do no harm: a file that is sent again is loaded once, the heartbeat's name is that
//! of its hour, and how far the reconciliation got is written by one of them.

mod clean_up;
pub mod config;
mod dead_letters;
pub mod event;
mod expected;
mod freshness;
mod heartbeat;
mod kept;
mod reconciliation;
mod run;
mod senders;
mod stuck;

pub use run::WatchError;

use kept::ContractCache;
use runtime::Host;
use store::{
    ListDead, ListInbox, ReadContracts, ReadHolds, ReadLedger, ReadPartners, Reconciliation, SendMessages,
    WatchQueues, WriteContracts, WriteInbox,
};
use telemetry::Metrics;

/// The function: clients, and contracts that did not change, are kept from one invocation to the next, nothing else is.
pub struct Watcher<S> {
    store: S,
    contracts: ContractCache,
    settings: Settings,
    host: Host,
}

/// The settings of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is published as metrics, and where.
    pub metrics: Metrics,
    /// Whether a heartbeat file is dropped each hour.
    pub heartbeat: bool,
    /// Days from the moment at which a load is hidden until its rows are deleted; 0: they stay.
    pub clean_up_after_days: u64,
}

/// What the watcher reaches. It can open no file.
pub trait WatcherStore:
    ListInbox
    + WriteInbox
    + ReadContracts
    + WriteContracts
    + ReadLedger
    + ReadHolds
    + Reconciliation
    + ListDead
    + ReadPartners
    + SendMessages
    + WatchQueues
{
}

impl<T> WatcherStore for T where
    T: ListInbox
        + WriteInbox
        + ReadContracts
        + WriteContracts
        + ReadLedger
        + ReadHolds
        + Reconciliation
        + ListDead
        + ReadPartners
        + SendMessages
        + WatchQueues
{
}

impl<S: WatcherStore> Watcher<S> {
    /// Makes a watcher with these.
    #[must_use]
    pub fn new(store: S, settings: Settings, host: Host) -> Self {
        Self { store, contracts: ContractCache::default(), settings, host }
    }
}

#[cfg(test)]
mod tests;
