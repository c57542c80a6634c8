//! The Lambda function that checks every few minutes whether files arrived and whether events were lost.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use runtime::Host;
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
async fn main() -> Result<(), runtime::FatalError> {
    let config = runtime::start(Config::read)?;
    let resources = Resources::connect(config.names, config.access);
    let watcher = Watcher::new(resources, config.settings, Host::system());
    runtime::serve(async |event, deadline_ms| Box::pin(watcher.handle(&event, deadline_ms)).await).await
}
