//! The Lambda function that posts outcomes to partners.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use host::Host;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use webhook::{Courier, config::Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment().context("reading the configuration")?;
    telemetry::start(&config.log_level);
    let (partners, queue) = store::aws::connect_webhooks(
        &config.partners_table,
        &config.ledger_table,
        &config.queue_url,
        config.access,
    );
    let courier =
        Courier::new(partners, queue, config.policy, config.api_url, config.metrics, Host::system())
            .context("making the client for posts")?;
    let courier = &courier;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Box::pin(courier.handle(&event.payload, event.context.deadline)).await
    }))
    .await
}
