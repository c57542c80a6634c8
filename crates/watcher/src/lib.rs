//! Whether the files came, whether any was lost, and whether the whole still works: looked at every few minutes.
//!
//! ```text
//! schedule ──▶ tick ─┬▶ expected        contracts × partners ──▶ missing, late, thin, fat; contracts that do not compile
//!                    ├▶ stuck           entries that nobody works on any more
//!                    ├▶ dead letters    how many there are, and of which files
//!                    ├▶ reconciliation  inbox × ledger ──▶ what was lost, to the inbox queue again
//!                    └▶ heartbeat          a file of our own each hour ──▶ the age of the newest that was loaded
//!                               └──▶ one metric record for the run and one for each feed
//! ```
//!
//! The parts go on beside each other: one that fails or has no time left is logged, says nothing in the metrics, and makes
//! the invocation fail at its end. Gauges say how things stand and not what happened, so that an alarm ends by itself.
//! "Now" is the scheduled time of the event: a run is a function of its event, the bucket and the tables. Two runs at a time
//! or one run twice do no harm: a file that is sent again is loaded once, the heartbeat's name is that of its hour, and how far
//! the reconciliation got is written by one of them.

pub mod config;
mod dead_letters;
pub mod event;
mod expected;
mod heartbeat;
mod instant;
mod kept;
mod notification;
mod reconciliation;
mod run;
mod senders;
mod standing;
mod stuck;

pub use run::Failed;

use kept::Kept;
use runtime::Host;
use store::ReadContract;
use store::door::{Landing, Partners, Reading, Senders};
use store::watch::Watch;
use telemetry::Metrics;

/// The function: clients, and contracts that did not change, are kept from one invocation to the next, nothing else is. `W`: the watcher's own
/// view. `D`: partners, their files, contracts, and the place for the heartbeat.
pub struct Watcher<W, D> {
    lookout: W,
    door: D,
    contracts: Kept,
    settings: Settings,
    host: Host,
}

/// What the stack tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is published as metrics, and where.
    pub metrics: Metrics,
    /// Whether a heartbeat file is dropped each hour.
    pub heartbeat: bool,
}

/// What the watcher needs of the partner API.
pub trait Door: Partners + Senders + Reading + ReadContract + Landing {}

impl<T: Partners + Senders + Reading + ReadContract + Landing> Door for T {}

impl<W: Watch, D: Door> Watcher<W, D> {
    /// A watcher with these.
    #[must_use]
    pub fn new(lookout: W, door: D, settings: Settings, host: Host) -> Self {
        Self { lookout, door, contracts: Kept::default(), settings, host }
    }
}

#[cfg(test)]
mod tests;
