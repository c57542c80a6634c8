//! What a feed is to every function: the names in a key, and the terms on which its files are taken.
//!
//! A file's key is `<partner>/<feed>/<anything>`; the feed's contract is `<feed>.odcs.yaml` in the contracts bucket. Both
//! doors, the inbox and the API, ask here, so that they cannot disagree.

mod contracts;
mod key;
mod wire;

pub use contracts::{Contracts, Refusal, Terms};
pub use key::{CANARY, Key, NAME_BYTES, is_name};
pub use wire::{decode_key, encode_key};
