//! Posts the outcome of each file, signed, to the address that its partner named.
//!
//! ```text
//! outcome topic ──▶ queue ──▶ batch ─┬▶ announcement ─▶ webhook of the partner ─▶ signed post ─┬─ 2xx, 410: done
//!                     ▲              ├▶ …   (all at once, each within its own time)            └─ else: given back,
//!                     │              └▶ …                                                          later each time
//!                     └──────────────────── after 12 receives: dead letters ◀──────────┘
//! ```
//!
//! The post is the announcement with two changes. The file's name, which no announcement has, is read from the ledger
//! and goes to the file's own partner only. The receipt is given as an address of the partner API.
//!
//! An outcome may be posted more than once, always under the same `webhook-id` and with the same body. A receiver
//! that is slow or gone delays no other: the posts of a batch run at once, each with a time limit, and a circuit
//! breaker pauses posts to a receiver that keeps failing. Nothing of an address, a secret or a body is logged.

pub mod config;
mod deliver;
mod error;
pub mod event;

use outbound::{AddressPolicy, CircuitBreakers, Client};
use runtime::Host;
use telemetry::Metrics;

/// The function: clients and circuit breakers are kept from one invocation to the next, nothing else.
pub struct WebhookSender<P, Q> {
    partners: P,
    queue: Q,
    client: Client,
    policy: AddressPolicy,
    api_url: String,
    breakers: CircuitBreakers,
    metrics: Metrics,
    host: Host,
}

impl<P: store::ReadPartners + store::FileNames, Q: store::Queue> WebhookSender<P, Q> {
    /// Makes the function from its resources and settings. Receipts are below this address of the partner API.
    pub fn new(
        partners: P,
        queue: Q,
        policy: AddressPolicy,
        api_url: String,
        metrics: Metrics,
        host: Host,
    ) -> Result<Self, outbound::PostError> {
        let client = Client::new(policy)?;
        Ok(Self {
            partners,
            queue,
            client,
            policy,
            api_url,
            breakers: CircuitBreakers::default(),
            metrics,
            host,
        })
    }
}

#[cfg(test)]
mod tests;
