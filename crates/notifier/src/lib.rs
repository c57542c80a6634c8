//! From a change of an alarm to a message for the people who operate the stack.
//!
//! ```text
//! alarm topic ──▶ change ──▶ its incident ─┬─ opens or closes ──▶ message ──▶ channels ─┬─ all took it: done
//!                              ▲           └─ goes on ──▶ counted                       └─ else: Lambda tries again,
//!                              └── the ledger table: one item for each incident             then: dead letters
//! ```
//!
//! An incident is one page and one recovery, however many alarms belong to it and however often each change is delivered:
//! who opens or closes it is decided by one conditional write. A change that could not be told on every channel is
//! delivered again, and told on those that did not take it. A message may come twice where a channel took it and the
//! ledger could not be told so. Messages hold names, ids, counts and codes, and no value of a file.

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

use outbound::{CircuitBreakers, Client, Policy};
use runtime::Host;
use store::door::{Partners, Reading, Senders};
use store::{AlarmsNow, Incidents, Mail, Measured, ReadContract, Secrets};
use telemetry::Metrics;

/// What a message needs besides its alarm. `D`: incidents, secrets, mail, recent values, alarms. `R`: partners, their files and
/// the contracts.
pub struct Notifier<D, R> {
    desk: D,
    reading: R,
    client: Client,
    settings: Settings,
    breakers: CircuitBreakers,
    host: Host,
}

/// What the stack tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The secret that holds the channels; `None`: mail is the only one.
    pub channels_secret: Option<String>,
    /// Which addresses are posted to.
    pub policy: Policy,
    /// The stack's name, for commands that can be copied.
    pub stack: String,
    /// What is published as metrics, and where.
    pub metrics: Metrics,
}

impl<D: Incidents + Secrets + Mail + Measured + AlarmsNow, R: Partners + Senders + Reading + ReadContract>
    Notifier<D, R>
{
    /// A notifier between these.
    pub fn new(desk: D, reading: R, settings: Settings, host: Host) -> Result<Self, outbound::PostError> {
        let client = Client::new(settings.policy)?;
        Ok(Self { desk, reading, client, settings, breakers: CircuitBreakers::default(), host })
    }
}

#[cfg(test)]
mod tests;
