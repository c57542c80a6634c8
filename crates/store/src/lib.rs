//! Where bytes, entries and rows are kept. The only crate that knows S3, DynamoDB, SQS, SNS and CloudWatch.
//!
//! Five traits, one for each thing that the path needs (and one method of the door's: who is registered), and two implementations of all of them: `aws::Aws` and its
//! in-memory twin `memory::Memory`, which can fail at the n-th call, before or after the effect. The partner's door has
//! its own traits in [`door`], for `aws::Door` and the same twin, what only an operator asks is in [`operator`], [`uploads`] and
//! [`checkup`], and what only the watcher does in [`watch`].
//! Every effect has a name computed from its input, so doing it twice is doing it once.

pub mod aws;
pub mod checkup;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod document;
pub mod door;
mod error;
mod incident;
mod ledger;
mod measured;
pub mod memory;
mod objects;
pub mod operator;
mod queue;
mod rank;
mod rows;
pub mod uploads;
mod usage;
pub mod watch;

pub use self::ledger::{Ledger, ReadEntry};
pub use ::ledger::dynamodb::BATCH_ITEMS;
pub use ::ledger::{
    Acknowledgement, Claim, Claimed, Commit, Committed, ContentClaim, Entry, Fence, Fenced, FileId,
    FileVersion, Head, HeadMove, LoadId, OpenFile, Order, Outcome, Rank, State, UNNAMED as UNKNOWN,
    VersionId,
};
/// What the modules still take from here.
mod file {
    pub(crate) use ledger::{NULL_VERSION, digest as name, is_digest as is_name};
}

pub use error::{Error, Operation};
pub use incident::{Incident, Incidents, Mail, Secrets};
pub use measured::{AlarmNow, AlarmsNow, Datapoint, Measure, Measured, Query, Span};
pub use objects::{
    Body, ContractObject, ContractText, MOST_CONTRACT_VERSIONS, Objects, OpenUploads, Opened, Original,
    ReadContract, Upload,
};
pub use queue::{Announcement, HandOver, Outcomes, Queue};
pub use rows::{Item, ItemValue, Rows, row_item, shards};
pub use usage::{Metered, Usage};

/// Everything that the path needs.
pub trait Store: Objects + Ledger + Rows + Queue + HandOver + Outcomes + Metered + door::ReadPartner {}

impl<T: Objects + Ledger + Rows + Queue + HandOver + Outcomes + Metered + door::ReadPartner> Store for T {}
