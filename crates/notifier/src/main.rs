//! The Lambda function that tells operators of incidents.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use host::Host;
use lambda_runtime::{LambdaEvent, service_fn};
use notifier::{Notifier, config::Config};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment().context("reading the configuration")?;
    telemetry::start(&config.log_level);
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
    let notifier = &notifier;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Box::pin(notifier.handle(&event.payload)).await
    }))
    .await
}
