//! The partner API, behind the proxy integration of a REST API.
//!
//! ```text
//! event ─decode─▶ Request ─▶ Route ─▶ Caller ─▶ request limit ─▶ scope ─▶ handler ─▶ Response ─▶ proxy response
//!                              │ 404, 405   │ 401        │ 429        │ 403    └─ Problem (RFC 9457) ─┘
//! ```
//!
//! A file that is sent here is put into the inbox under `<partner>/<feed>/<name>`. From there on it is a file like
//! any other: the processor decides, and the ledger and the receipts answer. This function adds authentication,
//! limits and the records of uploads.
//!
//! * [`caller::Caller`] is made from the authorizer's context or the signature. Every key and query that names a
//!   partner is built by it, so that no handler can name another.
//! * [`route::TABLE`] is the interface: router, scopes and the OpenAPI document are made from it.
//! * An idempotent request names its upload by its key and its body. Carried out again, after a crash too, it finds
//!   its own bytes and gives the same answer.
//! * A handler gives a response or a problem. A failure of a service is logged here, once, and answered with 503.

mod call;
pub mod caller;
mod check;
mod checksum;
pub mod config;
mod cursor;
pub mod event;
mod feeds;
mod files;
mod handle;
mod history;
mod idempotency;
mod media;
pub mod name;
#[cfg(test)]
mod openapi;
pub mod problem;
mod receipts;
mod records;
mod replay;
mod respond;
pub mod route;
mod settings;
mod status;
mod uploads;

pub use respond::{ApiResponse, ProxyResponse};
pub use settings::Settings;

use runtime::{Contracts, Host};
use store::{
    ReadContracts, ReadLedger, ReadPartners, ReadQuarantine, ReadRecords, Requests, SendMessages, WriteAudit,
    WriteInbox,
};

/// The function: clients and contracts are kept from one invocation to the next, nothing else.
pub struct Ingest<S> {
    store: S,
    contracts: Contracts,
    settings: Settings,
    host: Host,
}

/// What the partner API reaches. It can open or delete no file of the inbox, and reads no act.
pub trait ApiStore:
    WriteInbox
    + ReadContracts
    + ReadQuarantine
    + ReadLedger
    + ReadRecords
    + ReadPartners
    + Requests
    + SendMessages
    + WriteAudit
{
}

impl<T> ApiStore for T where
    T: WriteInbox
        + ReadContracts
        + ReadQuarantine
        + ReadLedger
        + ReadRecords
        + ReadPartners
        + Requests
        + SendMessages
        + WriteAudit
{
}

impl<S: ApiStore> Ingest<S> {
    /// Makes the partner API, on a store.
    #[must_use]
    pub fn new(store: S, settings: Settings, host: Host) -> Self {
        Self { store, contracts: Contracts::default(), settings, host }
    }
}

#[cfg(test)]
mod tests;
