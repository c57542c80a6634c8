//! The Lambda function that API Gateway asks who is calling.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use authorizer::fetch::OverHttps;
use authorizer::issuer::Issuer;
use authorizer::{Authorizer, config::Config};
use runtime::Host;
use store::aws::{Connection, PartnersTable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::FatalError> {
    let config = runtime::start(Config::read)?;
    let fetch = OverHttps::new(config.policy());
    let issuer = config.issuer.map(|settings| Issuer::new(settings, fetch));
    let partners = PartnersTable::new(&Connection::open(config.access).dynamodb(), &config.partners_table);
    let authorizer = Authorizer::new(partners, issuer, config.metrics, Host::system());
    runtime::serve(async |event, _| Box::pin(authorizer.handle(&event)).await).await
}
