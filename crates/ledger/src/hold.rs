//! Holds: an operator lets the files of a feed wait in the ledger until the feed is released.

use crate::{Arn, Entry};

/// The owner of an entry that waits: no claim has this nonce.
pub const NO_OWNER: &str = "-";

/// A feed whose files wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose files.
    pub partner: String,
    /// Of which feed.
    pub feed: String,
    /// Since when, milliseconds since the epoch.
    pub since_ms: u64,
    /// The operator.
    pub by: Arn,
    /// Why, in the operator's own words.
    pub reason: String,
}

/// The answer to a request to hold a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldPut {
    /// Made, now or by an earlier attempt.
    Made,
    /// The feed was held before; that hold stays.
    Before(Hold),
}

/// The answer to a request to let a file wait.
#[derive(Clone, Debug, PartialEq)]
pub enum FileHeld {
    /// It waits.
    Waits,
    /// The feed is not held: the file can be claimed.
    Released,
    /// Another invocation has a live lease until then (milliseconds since the epoch).
    Leased {
        /// End of the other's lease.
        until_ms: u64,
    },
    /// It was decided before.
    Decided(Box<Entry>),
}
