//! The Lambda function that looks every few minutes whether files came, and whether any was lost.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use host::Host;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use store::aws::{
    Access, Connection, ContractsBucket, InboxBucket, LedgerTable, MessageQueue, PartnersTable, WatchedQueues,
};
use watcher::Watcher;
use watcher::config::{Config, Names};

store::resources! {
    /// What the watcher reaches.
    struct Resources {
        inbox: InboxBucket,
        contracts: ContractsBucket,
        ledger: LedgerTable,
        partners: PartnersTable,
        queue: MessageQueue,
        queues: WatchedQueues,
    }
}

impl Resources {
    fn connect(names: Names, access: Access) -> Self {
        let connection = Connection::open(access);
        let (s3, dynamodb, sqs) =
            (connection.s3(names.account.as_deref()), connection.dynamodb(), connection.sqs());
        Self {
            inbox: InboxBucket::new(&s3, &names.inbox),
            contracts: ContractsBucket::new(&s3, &names.contracts_bucket),
            ledger: LedgerTable::new(&dynamodb, &names.ledger_table),
            partners: PartnersTable::new(&dynamodb, &names.partners_table),
            queue: MessageQueue::new(&sqs, &names.queues.inbox),
            queues: WatchedQueues::new(&sqs, names.queues),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment().context("reading the configuration")?;
    telemetry::start(&config.log_level);
    let resources = Resources::connect(config.names, config.access);
    let watcher = &Watcher::new(resources, config.settings, Host::system());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Box::pin(watcher.handle(&event.payload, event.context.deadline)).await
    }))
    .await
}
