//! The Lambda function that looks every few minutes whether files came, and whether any was lost.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use host::Host;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use watcher::{Watcher, config::Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment().context("reading the configuration")?;
    telemetry::start(&config.log_level);
    let (lookout, door) = store::aws::connect_watcher(config.names, config.access);
    let watcher = &Watcher::new(lookout, door, config.settings, Host::system());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Box::pin(watcher.handle(&event.payload, event.context.deadline)).await
    }))
    .await
}
