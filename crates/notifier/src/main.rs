//! The Lambda function that notifies operators of incidents.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use notifier::{Notifier, config::Config};
use runtime::Host;
use store::aws::{
    CloudWatch, Connection, ContractsBucket, InboxBucket, LedgerTable, MailTopic, PartnersTable,
    SecretsManager,
};

store::resources! {
    /// What the notifier reaches.
    struct Resources {
        inbox: InboxBucket,
        contracts: ContractsBucket,
        ledger: LedgerTable,
        partners: PartnersTable,
        mail: MailTopic,
        secrets: SecretsManager,
        cloudwatch: CloudWatch,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::FatalError> {
    let config = runtime::start(Config::read)?;
    let connection = Connection::open(config.access);
    let (s3, dynamodb) = (connection.s3(None), connection.dynamodb());
    let resources = Resources {
        inbox: InboxBucket::new(&s3, &config.inbox),
        contracts: ContractsBucket::new(&s3, &config.contracts_bucket),
        ledger: LedgerTable::new(&dynamodb, &config.ledger_table),
        partners: PartnersTable::new(&dynamodb, &config.partners_table),
        mail: MailTopic::new(&connection.sns(), &config.mail_topic),
        secrets: SecretsManager::new(&connection.secrets()),
        cloudwatch: CloudWatch::new(&connection.cloudwatch()),
    };
    let notifier =
        Notifier::new(resources, config.settings, Host::system()).context("making the client for posts")?;
    runtime::serve(async |event, _| Box::pin(notifier.handle(&event)).await).await
}
