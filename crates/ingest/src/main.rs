//! The Lambda function behind the partner API.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use host::Host;
use ingest::{Ingest, config::Config};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment().context("reading the configuration")?;
    telemetry::start(&config.log_level);
    let door = store::aws::connect_door(config.names, config.access);
    let ingest = &Ingest::new(door, config.settings, Host::system());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Ok::<_, lambda_runtime::Error>(Box::pin(ingest.handle(event.payload)).await)
    }))
    .await
}
