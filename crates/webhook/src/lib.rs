//! From the announcement that a file is terminal to a post at the address that its partner named.
//!
//! ```text
//! outcome topic ──▶ queue ──▶ batch ─┬▶ announcement ─▶ webhook of the partner ─▶ signed post ─┬─ 2xx, 410: done
//!                     ▲              ├▶ …   (all at once, each within its own time)            └─ else: given back,
//!                     │              └▶ …                                                          later each time
//!                     └──────────────────── until the queue has enough of it: dead letters ◀──────────┘
//! ```
//!
//! A partner may hear of an outcome more than once and always under the same `webhook-id`, with the same body. One that
//! is slow or gone costs nobody else: posts of a batch run beside each other, each bounded, and a partner whose receiver
//! fails again and again is left alone for a while. Nothing of an address, a secret or a body is logged.

pub mod config;
mod deliver;
pub mod event;
mod stop;

use host::Host;
use outbound::{Client, Fuses, Policy};

/// The function: clients and fuses are kept from one invocation to the next, nothing else is.
pub struct Courier<P, Q> {
    partners: P,
    queue: Q,
    client: Client,
    policy: Policy,
    fuses: Fuses,
    namespace: String,
    host: Host,
}

impl<P: store::door::Partners, Q: store::Queue> Courier<P, Q> {
    /// A courier between these, which counts in this namespace of metrics.
    pub fn new(
        partners: P,
        queue: Q,
        policy: Policy,
        namespace: String,
        host: Host,
    ) -> Result<Self, outbound::Failure> {
        let client = Client::new(policy)?;
        Ok(Self { partners, queue, client, policy, fuses: Fuses::default(), namespace, host })
    }
}

#[cfg(test)]
mod tests;
