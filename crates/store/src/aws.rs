//! The resources on AWS, each made from its name and a client.
//!
//! Retries have one owner for each layer: the SDK repeats a request that failed in transport or was throttled (three
//! attempts), `records` writes again what DynamoDB leaves unprocessed, `ledger` repeats a transaction that met another,
//! `inbox` resumes a body that broke off. Everything else is an [`Error`] and belongs to the redelivery of the file.
//!
//! A trait is implemented for whatever holds its resource (`AsRef<LedgerTable>`): for the resource itself, and for a
//! function's own struct of resources, which [`resources!`](crate::resources) makes.

mod audit;
mod bucket;
mod client;
mod contracts;
mod dynamodb;
mod failure;
mod inbox;
mod inbox_access;
mod keys;
mod ledger;
mod letters;
mod meter;
mod metrics;
mod multipart;
mod outbox;
mod partners;
mod presigned;
mod quarantine;
mod queues;
mod records;
#[cfg(test)]
mod replay;
mod requests;
mod secrets;
mod signed;
mod source;
mod stack;
mod topics;

use std::time::Duration;

pub use audit::{AuditTable, SecurityTokens};
use aws_smithy_types::DateTime;
pub use aws_types::SdkConfig;
pub use client::{Access, Connection, Late, S3, configuration, https};
pub use contracts::ContractsBucket;
pub use inbox::{InboxBucket, InboxBuckets, ObjectBody};
pub use inbox_access::InboxPolicy;
pub use ledger::LedgerTable;
pub use letters::LetterQueues;
pub use meter::Meter;
pub use metrics::CloudWatch;
pub use outbox::OutboxBucket;
pub use partners::PartnersTable;
pub use quarantine::{KeptBody, ObjectUpload, QuarantineBucket, QuarantineWriter};
pub use queues::{MessageQueue, QueueUrls, StackQueues, WatchedQueues};
pub use records::RecordsTable;
pub use secrets::SecretsManager;
pub use source::SourceBuckets;
pub use stack::{Home, StackParts};
pub use topics::{MailTopic, OutcomeTopic};

use crate::{Error, Operation};

/// Makes a struct of resources, which has every trait that one of its resources has.
///
/// ```text
/// store::resources! {
///     /// What the webhook reaches.
///     struct Resources {
///         partners: PartnersTable,
///         ledger: LedgerTable,
///     }
/// }
/// ```
#[macro_export]
macro_rules! resources {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($field:ident: $resource:ty,)+ }) => {
        $(#[$attribute])*
        $visibility struct $name { $($field: $resource,)+ }

        $(impl AsRef<$resource> for $name {
            fn as_ref(&self) -> &$resource {
                &self.$field
            }
        })+
    };
}

/// A resource alone has its traits too.
macro_rules! alone {
    ($($resource:ty),+ $(,)?) => {
        $(impl AsRef<Self> for $resource {
            fn as_ref(&self) -> &Self {
                self
            }
        })+
    };
}

alone!(
    AuditTable,
    CloudWatch,
    ContractsBucket,
    InboxBucket,
    InboxBuckets,
    InboxPolicy,
    LedgerTable,
    LetterQueues,
    MailTopic,
    MessageQueue,
    OutboxBucket,
    OutcomeTopic,
    PartnersTable,
    QuarantineBucket,
    QuarantineWriter,
    RecordsTable,
    SecretsManager,
    SecurityTokens,
    SourceBuckets,
    StackQueues,
    WatchedQueues,
);

/// The unit of waits between attempts. Tests do not wait.
const WAIT: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_millis(25) };

/// The longest wait is this many units: 1.6 s.
const MOST_UNITS: u32 = 64;

/// Waits between nothing and 2^attempt units, at random: "full jitter".
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>
async fn pause(operation: Operation, attempt: u32) -> Result<(), Error> {
    let units = 1_u32.checked_shl(attempt).unwrap_or(MOST_UNITS).min(MOST_UNITS);
    let random = getrandom::u32().map_err(|_| Error::new(operation, "no randomness"))?;
    let share = f64::from(random) / f64::from(u32::MAX);
    tokio::time::sleep((WAIT * units).mul_f64(share)).await;
    Ok(())
}

/// Returns milliseconds since the epoch.
fn millis(instant: Option<&DateTime>) -> Option<u64> {
    u64::try_from(instant?.to_millis().ok()?).ok()
}
