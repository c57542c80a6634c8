//! The Lambda function that posts outcomes to partners.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use runtime::Host;
use store::aws::{Connection, LedgerTable, MessageQueue, PartnersTable};
use webhook::{WebhookSender, config::Config};

store::resources! {
    /// The tables that the webhook reaches.
    struct Tables {
        partners: PartnersTable,
        ledger: LedgerTable,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::FatalError> {
    let config = runtime::start(Config::read)?;
    let connection = Connection::open(config.access);
    let dynamodb = connection.dynamodb();
    let tables = Tables {
        partners: PartnersTable::new(&dynamodb, &config.partners_table),
        ledger: LedgerTable::new(&dynamodb, &config.ledger_table),
    };
    let queue = MessageQueue::new(&connection.sqs(), &config.queue_url);
    let sender =
        WebhookSender::new(tables, queue, config.policy, config.api_url, config.metrics, Host::system())
            .context("making the client for posts")?;
    runtime::serve(async |event, deadline_ms| Box::pin(sender.handle(&event, deadline_ms)).await).await
}
