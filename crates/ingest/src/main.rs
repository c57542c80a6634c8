//! The Lambda function behind the partner API.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use ingest::Ingest;
use ingest::config::{Config, Names};
use runtime::Host;
use store::aws::{
    Access, AuditTable, Connection, ContractsBucket, InboxBucket, LedgerTable, MessageQueue, PartnersTable,
    QuarantineBucket, RecordsTable,
};

store::resources! {
    /// What the partner API reaches.
    struct Resources {
        inbox: InboxBucket,
        contracts: ContractsBucket,
        quarantine: QuarantineBucket,
        ledger: LedgerTable,
        records: RecordsTable,
        partners: PartnersTable,
        audit: AuditTable,
        queue: MessageQueue,
    }
}

impl Resources {
    fn connect(names: &Names, access: Access) -> Self {
        let connection = Connection::open(access);
        let (s3, dynamodb) = (connection.s3(names.account.as_deref()), connection.dynamodb());
        Self {
            inbox: InboxBucket::new(&s3, &names.inbox),
            contracts: ContractsBucket::new(&s3, &names.contracts_bucket),
            quarantine: QuarantineBucket::new(&s3, &names.quarantine_bucket),
            ledger: LedgerTable::new(&dynamodb, &names.ledger_table),
            records: RecordsTable::new(&dynamodb, &names.records_table),
            partners: PartnersTable::new(&dynamodb, &names.partners_table),
            audit: AuditTable::new(&dynamodb, &names.audit_table),
            queue: MessageQueue::new(&connection.sqs(), &names.queue_url),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::FatalError> {
    let config = runtime::start(Config::read)?;
    let resources = Resources::connect(&config.names, config.access);
    let ingest = Ingest::new(resources, config.settings, Host::system());
    runtime::serve(async |event, _| Ok::<_, runtime::FatalError>(Box::pin(ingest.handle(event)).await)).await
}
