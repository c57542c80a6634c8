//! What every function needs around its own work: the environment, time and randomness, the batch of a queue, the
//! loop that takes events, and the contract that is in force for a feed.
//!
//! A file's key is `<partner>/<feed>/<anything>`; the feed's contract is `<feed>.odcs.yaml` in the contracts bucket,
//! of which the newest version that compiles is in force. Both ways in, S3 and the API, ask here, so that they cannot
//! disagree.
//!
//! Each `main.rs` has the same four steps:
//!
//! ```text
//! start(Config::read)  ─▶  connect to the resources  ─▶  make the function  ─▶  serve(its handler)
//! ```

pub mod announcement;
mod batch;
mod contracts;
mod correction;
mod deadline;
mod environment;
mod function;
mod host;
mod in_force;
mod instant;
pub mod notification;
mod percent;
mod registrations;

pub use aws_lambda_events::sqs::SqsBatchResponse;
pub use batch::{Message, batch, deliver_again};
pub use contracts::Contracts;
pub use correction::Correction;
pub use deadline::Deadline;
pub use environment::{Environment, EnvironmentError, WrongValue};
pub use function::{FatalError, serve, start};
pub use host::{Host, caught};
pub use in_force::{BrokenContract, InForce, QuarantineReason, Terms, contract_with_hash, in_force};
pub use instant::{
    DAY_MS, HOUR_MS, MINUTE_MS, format_hour, format_readable, format_second, landed_ms, parse_instant_or_day,
};
pub use ledger::{HEARTBEAT, Key, NAME_BYTES, UNKNOWN, format_instant, is_name, parse_instant};
pub use percent::{decode_key, decode_segment, encode_key};
pub use registrations::{Registration, Registrations};
