//! The partner API: files in, answers out, behind a REST API's proxy integration.
//!
//! ```text
//! event ─decode─▶ Request ─▶ Route ─▶ Caller ─▶ request limit ─▶ scope ─▶ handler ─▶ Response ─▶ proxy response
//!                              │ 404, 405   │ 401        │ 429        │ 403    └─ Problem (RFC 9457) ─┘
//! ```
//!
//! A file that comes in here is put into the inbox under `<partner>/<feed>/<name>` and is a file like any other from
//! there on: the processor decides, its ledger and receipts answer. What this function adds is only who asks, how much,
//! and what was promised.
//!
//! * [`caller::Caller`] is made from what the authorizer or the signature says. Every key and query that names a partner
//!   is built by it, so that no handler can name another.
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
mod idempotency;
mod media;
pub mod name;
pub mod openapi;
pub mod problem;
mod receipts;
mod records;
mod respond;
pub mod route;
mod settings;
mod status;
mod uploads;

pub use respond::{ProxyResponse, Response};
pub use settings::Settings;

use runtime::Contracts;
use runtime::Host;
use store::door::DoorStore;

/// The function: clients and contracts are kept from one invocation to the next, nothing else is.
pub struct Ingest<S> {
    store: S,
    contracts: Contracts,
    settings: Settings,
    host: Host,
}

impl<S: DoorStore> Ingest<S> {
    /// The partner API on a store.
    #[must_use]
    pub fn new(store: S, settings: Settings, host: Host) -> Self {
        Self { store, contracts: Contracts::default(), settings, host }
    }
}

#[cfg(test)]
mod tests;
