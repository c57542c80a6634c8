//! The Lambda function that writes receipts for partners who only use S3.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use outbox::{OutboxWriter, config::Config};
use runtime::Host;
use store::aws::{Connection, LedgerTable, MessageQueue, OutboxBucket, PartnersTable};

store::resources! {
    /// What the outbox reaches.
    struct Resources {
        outbox: OutboxBucket,
        ledger: LedgerTable,
        partners: PartnersTable,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::FatalError> {
    let config = runtime::start(Config::read)?;
    let connection = Connection::open(config.access);
    let (dynamodb, s3) = (connection.dynamodb(), connection.s3(config.account.as_deref()));
    let resources = Resources {
        outbox: OutboxBucket::new(&s3, &config.outbox_bucket, &config.quarantine_bucket),
        ledger: LedgerTable::new(&dynamodb, &config.ledger_table),
        partners: PartnersTable::new(&dynamodb, &config.partners_table),
    };
    let queue = MessageQueue::new(&connection.sqs(), &config.queue_url);
    let writer = OutboxWriter::new(resources, queue, config.metrics, Host::system());
    runtime::serve(async |event, deadline_ms| Box::pin(writer.handle(&event, deadline_ms)).await).await
}
