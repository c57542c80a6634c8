//! The partner's door on AWS: S3 and DynamoDB, with names of its own.

mod landing;
mod limits;
mod names;
mod partners;
mod principals;
mod reading;
mod requests;
mod senders;
mod signing;
mod table;

use std::sync::Arc;

use aws_types::SdkConfig;

pub use self::names::Addresses;
use self::table::Table;
use super::{Aws, clients, contracts, ledger};
use crate::door::{Partner, ReadPartner};
use crate::{ContractObject, Entry, Error, FileId, Operation, ReadContract, ReadEntry, VersionId};

/// The index of a partner's files on the ledger's table: partition key `partner`, sort key `order`.
const BY_PARTNER: &str = "by-partner";

/// The resources' names, as the stack made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorNames {
    /// The bucket into which files land.
    pub inbox: String,
    /// The bucket of contracts.
    pub contracts_bucket: String,
    /// The bucket of receipts and rejects.
    pub quarantine_bucket: String,
    /// The ledger table, with its index `by-partner`.
    pub ledger_table: String,
    /// The records table.
    pub records_table: String,
    /// The partners table: partition key `pk`, sort key `sk` (strings), time to live `ends` (seconds).
    pub partners_table: String,
    /// The account that must own the buckets; `None` leaves the check out.
    pub account: Option<String>,
}

/// The partner's door on AWS. Clones share clients and connections.
#[derive(Clone)]
pub struct Door {
    names: Arc<DoorNames>,
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    table: Table,
}

impl Door {
    /// A door with these credentials, region, endpoint and HTTP client; timeouts and retries are set in `clients`.
    #[must_use]
    pub fn new(config: &SdkConfig, names: DoorNames) -> Self {
        let dynamodb = clients::dynamodb(config);
        let table = Table::new(dynamodb.clone(), &names.partners_table);
        Self { names: Arc::new(names), s3: clients::s3(config), dynamodb, table }
    }
}

/// The partners table alone, for what only asks who somebody is: one client, made at the least cost of a start.
#[derive(Clone)]
pub struct Directory {
    table: Table,
}

impl Directory {
    /// A directory with these credentials, region, endpoint and HTTP client.
    #[must_use]
    pub fn new(config: &SdkConfig, partners_table: &str) -> Self {
        Self { table: Table::new(clients::dynamodb(config), partners_table) }
    }
}

impl partners::InTable for Door {
    fn table(&self) -> &Table {
        &self.table
    }
}

impl partners::InTable for Directory {
    fn table(&self) -> &Table {
        &self.table
    }
}

impl ReadEntry for Door {
    async fn entry(&self, file: &FileId) -> Result<Option<Entry>, Error> {
        ledger::read_entry(&self.dynamodb, &self.names.ledger_table, Operation::ReadLedger, file).await
    }
}

/// The one thing of the partners table that the path of a file reads.
impl ReadPartner for Aws {
    async fn partner(&self, name: &str) -> Result<Option<Partner>, Error> {
        partners::read_partner(&Table::new(self.dynamodb.clone(), &self.names.partners_table), name).await
    }
}

impl Door {
    fn contracts(&self) -> contracts::Bucket<'_> {
        let Self { s3, names, .. } = self;
        contracts::Bucket { s3, name: &names.contracts_bucket, account: names.account.as_deref() }
    }
}

impl ReadContract for Door {
    async fn contract(&self, feed: &str) -> Result<Option<ContractObject>, Error> {
        self.contracts().read(feed, None).await
    }

    async fn contract_versions(&self, feed: &str) -> Result<Vec<VersionId>, Error> {
        self.contracts().versions(feed).await
    }

    async fn contract_version(&self, feed: &str, version: &str) -> Result<Option<ContractObject>, Error> {
        self.contracts().read(feed, Some(version)).await
    }
}

#[cfg(test)]
mod tests;
