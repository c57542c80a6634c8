//! The Lambda function that loads or quarantines files.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use processor::Processor;
use processor::config::{Config, Names};
use runtime::Host;
use store::aws::{
    Access, Connection, ContractsBucket, InboxBuckets, LedgerTable, MessageQueue, Meter, OutcomeTopic,
    PartnersTable, QuarantineWriter, RecordsTable,
};

store::resources! {
    /// What the processor reaches.
    struct Resources {
        inboxes: InboxBuckets,
        contracts: ContractsBucket,
        quarantine: QuarantineWriter,
        ledger: LedgerTable,
        records: RecordsTable,
        partners: PartnersTable,
        queue: MessageQueue,
        outcomes: OutcomeTopic,
        meter: Meter,
    }
}

impl Resources {
    fn connect(names: &Names, access: Access) -> Self {
        let connection = Connection::open(access);
        let (s3, dynamodb) = (connection.s3(names.account.as_deref()), connection.dynamodb());
        let inboxes = InboxBuckets::new(&s3, &names.inboxes);
        Self {
            contracts: ContractsBucket::new(&s3, &names.contracts_bucket),
            quarantine: QuarantineWriter::new(&s3, &names.quarantine_bucket, &inboxes),
            inboxes,
            ledger: LedgerTable::new(&dynamodb, &names.ledger_table),
            records: RecordsTable::new(&dynamodb, &names.records_table),
            partners: PartnersTable::new(&dynamodb, &names.partners_table),
            queue: MessageQueue::new(&connection.sqs(), &names.queue_url),
            outcomes: OutcomeTopic::new(&connection.sns(), &names.outcome_topic),
            meter: connection.meter(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::FatalError> {
    let config = runtime::start(Config::read)?;
    let resources = Resources::connect(&config.names, config.access);
    let processor = Processor::new(resources, config.settings, Host::system());
    runtime::serve(async |event, deadline_ms| Box::pin(processor.handle(&event, deadline_ms)).await).await
}
