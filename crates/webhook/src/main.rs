//! The Lambda function that posts outcomes to partners.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use runtime::Host;
use webhook::{Courier, config::Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let config = runtime::start(Config::read)?;
    let (partners, queue) = store::aws::connect_webhooks(
        &config.partners_table,
        &config.ledger_table,
        &config.queue_url,
        config.access,
    );
    let courier =
        Courier::new(partners, queue, config.policy, config.api_url, config.metrics, Host::system())
            .context("making the client for posts")?;
    runtime::serve(async |event, deadline_ms| courier.handle(&event, deadline_ms).await).await
}
