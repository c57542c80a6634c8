//! The store on AWS: S3, DynamoDB, SQS and SNS behind the five traits, and the partner's [`Door`].
//!
//! Retries have one owner for each layer: the SDK repeats a request that failed in transport or was throttled (three
//! attempts), `rows` writes again what DynamoDB leaves unprocessed, `ledger` repeats a transaction that met another,
//! `objects` resumes a body that broke off. Everything else is an [`Error`] and belongs to the redelivery of the file.

mod checkup;
mod clients;
mod contracts;
mod desk;
mod door;
mod entry;
mod failure;
mod keys;
mod ledger;
mod lookout;
mod measured;
mod meter;
mod objects;
mod operator;
mod queue;
#[cfg(test)]
mod replay;
mod rows;
mod signed;
mod transaction;
mod upload;
mod uploads;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use aws_types::SdkConfig;
pub use checkup::Examiner;
pub use clients::{Access, configuration, connect, connect_directory, connect_door, connect_webhooks, https};
pub use desk::{Desk, connect_notifier};
pub use door::{Addresses, Directory, Door, DoorNames};
pub use lookout::{Lookout, LookoutNames, connect_watcher};
pub use objects::ObjectBody;
pub use operator::{Home, KeptBody, Surveyor};
pub use queue::MessageQueue;
pub use upload::ObjectUpload;
pub use uploads::InboxOwner;

use self::meter::Meter;
use crate::{Error, Metered, Operation, Usage};

/// The resources' names, as the stack made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The inbox buckets; objects of other buckets are never read.
    pub inboxes: Vec<String>,
    /// The bucket of contracts.
    pub contracts_bucket: String,
    /// The bucket of quarantined files, rejects and reports.
    pub quarantine_bucket: String,
    /// The ledger table: partition key `pk` (string).
    pub ledger_table: String,
    /// The records table: partition key `pk`, sort key `sk` (strings).
    pub records_table: String,
    /// The partners table, of which only registrations are read.
    pub partners_table: String,
    /// The inbox queue.
    pub queue_url: String,
    /// The topic of outcomes.
    pub outcome_topic: String,
    /// The account that must own the buckets; `None` leaves the check out.
    pub account: Option<String>,
}

/// The store on AWS. Clones share clients and connections.
#[derive(Clone)]
pub struct Aws {
    names: Arc<Names>,
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    late: Arc<Late>,
    meter: Meter,
    pace: Arc<rows::Pace>,
    backoff: Backoff,
}

impl Aws {
    /// A store with these credentials, region, endpoint and HTTP client; timeouts and retries are set here
    /// (`clients`), whatever the configuration says.
    #[must_use]
    pub fn new(config: &SdkConfig, names: Names) -> Self {
        let meter = Meter::default();
        Self {
            names: Arc::new(names),
            s3: clients::metered_s3(config, meter.clone()),
            dynamodb: clients::metered_dynamodb(config, meter.clone()),
            late: Arc::new(Late { config: config.clone(), sqs: OnceLock::new(), sns: OnceLock::new() }),
            meter,
            pace: Arc::default(),
            backoff: Backoff::default(),
        }
    }

    fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.late.sqs.get_or_init(|| clients::metered_sqs(&self.late.config, self.meter.clone()))
    }

    fn sns(&self) -> &aws_sdk_sns::Client {
        self.late.sns.get_or_init(|| clients::metered_sns(&self.late.config, self.meter.clone()))
    }
}

impl Metered for Aws {
    fn usage(&self) -> Usage {
        self.meter.usage()
    }
}

/// The clients that a file does not need before its end, if at all; they are made at their first use. A client parses
/// its table of all AWS partitions when it is made, which is a tenth of a start for each.
struct Late {
    config: SdkConfig,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
}

/// Waits between attempts of our own.
#[derive(Clone, Copy)]
struct Backoff {
    unit: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { unit: Duration::from_millis(25) }
    }
}

impl Backoff {
    /// The longest wait is this many units: 1.6 s.
    const MOST_UNITS: u32 = 64;

    /// Waits between nothing and 2^attempt units, at random: "full jitter".
    /// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>
    async fn wait(self, operation: Operation, attempt: u32) -> Result<(), Error> {
        let units = 1_u32.checked_shl(attempt).unwrap_or(Self::MOST_UNITS).min(Self::MOST_UNITS);
        let random = getrandom::u32().map_err(|_| Error::new(operation, "no randomness"))?;
        let share = f64::from(random) / f64::from(u32::MAX);
        tokio::time::sleep((self.unit * units).mul_f64(share)).await;
        Ok(())
    }
}
