//! What a feed is to every function: the names in a key, and the terms on which its files are taken.
//!
//! A file's key is `<partner>/<feed>/<anything>`; the feed's contract is `<feed>.odcs.yaml` in the contracts bucket, of which the
//! newest version that compiles is in force. Both ways in, S3 and the API, ask here, so that they cannot disagree.

mod contracts;
mod in_force;
mod registrations;
mod wire;

pub use contracts::Contracts;
pub use in_force::{BrokenContract, InForce, QuarantineReason, Terms, in_force};
pub use ledger::{HEARTBEAT, Key, NAME_BYTES, UNKNOWN, is_name};
pub use registrations::{Registration, Registrations};
pub use wire::{decode_key, encode_key};
