//! The Lambda function that API Gateway asks who is calling.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use anyhow::Context;
use authorizer::fetch::OverHttps;
use authorizer::issuer::Issuer;
use authorizer::{Authorizer, config::Config};
use host::Host;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use store::aws::{Connection, PartnersTable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment().context("reading the configuration")?;
    telemetry::start(&config.log_level);
    let fetch = OverHttps::new(config.policy());
    let issuer = config.issuer.map(|settings| Issuer::new(settings, fetch));
    let partners = PartnersTable::new(&Connection::open(config.access).dynamodb(), &config.partners_table);
    let authorizer = &Authorizer::new(partners, issuer, config.metrics, Host::system());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Box::pin(authorizer.handle(&event.payload)).await
    }))
    .await
}
