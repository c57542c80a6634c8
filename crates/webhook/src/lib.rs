//! From the announcement that a file is terminal to a signed post at the address that its partner named.
//!
//! ```text
//! outcome topic ──▶ queue ──▶ batch ─┬▶ announcement ─▶ webhook of the partner ─▶ signed post ─┬─ 2xx, 410: done
//!                     ▲              ├▶ …   (all at once, each within its own time)            └─ else: given back,
//!                     │              └▶ …                                                          later each time
//!                     └──────────────────── until the queue has enough of it: dead letters ◀──────────┘
//! ```
//!
//! The post is the announcement with two changes: the file's name, which is in no announcement, is read from the ledger and goes to
//! the file's own partner only; and where the receipt is, is said as an address of the partner API.
//!
//! An outcome may be posted more than once, always under the same `webhook-id` and with the same body. A receiver that
//! is slow or gone costs no other: posts of a batch run beside each other, each bounded, and a partner whose receiver
//! fails again and again is left alone for a while. Nothing of an address, a secret or a body is logged.

pub mod config;
mod deliver;
mod error;
pub mod event;

use outbound::{CircuitBreakers, Client, Policy};
use runtime::Host;
use telemetry::Metrics;

/// The function: clients and circuit breakers are kept from one invocation to the next, nothing else is.
pub struct Courier<P, Q> {
    partners: P,
    queue: Q,
    client: Client,
    policy: Policy,
    api_url: String,
    breakers: CircuitBreakers,
    metrics: Metrics,
    host: Host,
}

impl<P: store::door::Partners + store::door::FileNames, Q: store::Queue> Courier<P, Q> {
    /// A courier between these, which publishes these metrics. Receipts are below this address of the partner API.
    pub fn new(
        partners: P,
        queue: Q,
        policy: Policy,
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
