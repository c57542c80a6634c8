//! From a notification that an object was created to rows, or to the quarantine.
//!
//! ```text
//! event ─decode─▶ notice ─▶ contract ─▶ claim ─▶ first reading ─▶ verdict
//!                                         │                         ├─ rejected ─▶ original, rejects, report, receipt ─▶ QUARANTINED
//!                     terminal: acknowledge                         └─ accepted ─▶ second reading: rows, rejects ─▶ receipt ─▶ COMPLETE
//!                     leased: come back later                                                                  (one transaction)
//!                     feed held: HELD, acknowledge
//! ```
//!
//! Everything between claim and commit may be repeated: each effect has a name computed from the file version and the
//! load, so that doing it twice is doing it once. Rows become visible by the commit and by nothing else. A message is
//! acknowledged only when each file that it names is terminal and its outcome is published, when a fresh message
//! was sent in its place, or when the file waits in the ledger because its feed is held (`hold`). The lease saves work,
//! the fence and the transaction keep the promise, and the bucket is the
//! truth: events are hints. A file is poison only on evidence that it kills processes (`journal`); a service that
//! fails is none.
//!
//! The store is a parameter, so that the whole runs in memory under a fault plan; time and randomness come from
//! [`Host`].

mod attempt;
mod clean_up;
pub mod config;
mod correction;
mod decide;
mod deliver;
mod error;
pub mod event;
mod hold;
mod journal;
mod load;
mod open_files;
mod outcome;
mod precedence;
mod process;
mod read;
mod replay;
mod settings;
mod settle;
mod work;

pub use deliver::{Failed, Response};
pub use error::ProcessError;
pub use settings::{FIRST_GENERATION, PARSER_EPOCH, Settings};

use runtime::Host;
use runtime::{Contracts, Registrations};
use store::{
    DeleteRecords, HoldFiles, Metered, Outcomes, Queue, ReadContracts, ReadInbox, ReadRegistrations,
    SendMessages, WriteDead, WriteLedger, WriteQuarantine, WriteRecords,
};

use crate::journal::Journal;

/// The function: clients, contracts and who is registered are kept from one invocation to the next, nothing else is.
pub struct Processor<S> {
    store: S,
    contracts: Contracts,
    registrations: Registrations,
    journal: Journal,
    settings: Settings,
    host: Host,
}

/// What the processor reaches. It can write nothing into the inbox, and read nothing of the quarantine.
pub trait ProcessorStore:
    ReadInbox
    + ReadContracts
    + WriteQuarantine
    + WriteLedger
    + HoldFiles
    + WriteRecords
    + WriteDead
    + DeleteRecords
    + ReadRegistrations
    + Queue
    + SendMessages
    + Outcomes
    + Metered
{
}

impl<T> ProcessorStore for T where
    T: ReadInbox
        + ReadContracts
        + WriteQuarantine
        + WriteLedger
        + HoldFiles
        + WriteRecords
        + WriteDead
        + DeleteRecords
        + ReadRegistrations
        + Queue
        + SendMessages
        + Outcomes
        + Metered
{
}

impl<S: ProcessorStore> Processor<S> {
    /// Makes a processor on a store.
    #[must_use]
    pub fn new(store: S, settings: Settings, host: Host) -> Self {
        let journal = Journal::new(settings.journal.clone());
        let (contracts, registrations) = (Contracts::default(), Registrations::default());
        Self { store, contracts, registrations, journal, settings, host }
    }
}

#[cfg(test)]
mod tests;
