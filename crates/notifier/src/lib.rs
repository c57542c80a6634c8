//! From a change of an alarm to a message for the people who operate the stack.
//!
//! ```text
//! alarm topic ──▶ change ──▶ its incident ─┬─ opens or closes ──▶ message ──▶ channels ─┬─ all accepted: done
//!                              ▲           └─ goes on ──▶ counted                       └─ else: Lambda tries again,
//!                              └── the ledger table: one item for each incident             then: dead letters
//! ```
//!
//! An incident is one page and one recovery, however many alarms belong to it and however often each change is
//! delivered: who opens or closes it is decided by one conditional write. A change that could not be sent on every
//! channel is delivered again, and sent on those that did not accept it. A message may arrive twice where a channel
//! took it and the ledger could not be sent. Messages hold names, ids, counts and codes, and no value of a file.

pub mod alarm;
mod channel;
pub mod config;
mod deliver;
pub mod event;
pub mod files;
mod incident;
pub mod members;
pub mod message;
pub mod overdue;
pub mod quantity;
pub mod recent;
pub mod render;
mod trigger;

pub use deliver::NotifyError;

use outbound::{AddressPolicy, CircuitBreakers, Client};
use runtime::Host;
use store::{Incidents, ListInbox, Mail, ReadContracts, ReadLedger, ReadMetrics, ReadPartners, Secrets};
use telemetry::Metrics;

/// What a message needs besides its alarm.
pub struct Notifier<S> {
    store: S,
    client: Client,
    settings: Settings,
    breakers: CircuitBreakers,
    host: Host,
}

/// The settings of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The secret that holds the channels; `None`: mail is the only one.
    pub channels_secret: Option<String>,
    /// Which addresses are posted to.
    pub policy: AddressPolicy,
    /// The stack's name, for commands that can be copied.
    pub stack: String,
    /// What is published as metrics, and where.
    pub metrics: Metrics,
}

/// What the notifier reaches: incidents, secrets, mail, recent values and alarms; partners, their files, the folders
/// of the inbox and the contracts.
pub trait NotifierStore:
    Incidents + Secrets + Mail + ReadMetrics + ReadPartners + ListInbox + ReadLedger + ReadContracts
{
}

impl<T> NotifierStore for T where
    T: Incidents + Secrets + Mail + ReadMetrics + ReadPartners + ListInbox + ReadLedger + ReadContracts
{
}

impl<S: NotifierStore> Notifier<S> {
    /// Makes a notifier between these.
    pub fn new(store: S, settings: Settings, host: Host) -> Result<Self, outbound::PostError> {
        let client = Client::new(settings.policy)?;
        Ok(Self { store, client, settings, breakers: CircuitBreakers::default(), host })
    }
}

#[cfg(test)]
mod tests;
