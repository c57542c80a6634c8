//! The Lambda function that tells operators of incidents.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use notifier::{Notifier, config::Config};
use runtime::Host;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let config = runtime::start(Config::read)?;
    let (desk, door) = store::aws::connect_notifier(
        &config.inbox,
        &config.contracts_bucket,
        &config.ledger_table,
        &config.partners_table,
        &config.mail_topic,
        config.access,
    );
    let notifier =
        Notifier::new(desk, door, config.settings, Host::system()).context("making the client for posts")?;
    runtime::serve(async |event, _| notifier.handle(&event).await).await
}
