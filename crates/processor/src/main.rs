//! The Lambda function that loads or quarantines files.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use host::Host;
use lambda_runtime::{LambdaEvent, service_fn};
use processor::{Processor, config::Config};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment().context("reading the configuration")?;
    telemetry::start(&config.log_level);
    let processor =
        &Processor::new(store::aws::connect(config.names, config.access), config.settings, Host::system());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Box::pin(processor.handle(&event.payload, event.context.deadline)).await
    }))
    .await
}
