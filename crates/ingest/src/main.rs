//! The Lambda function behind the partner API.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use ingest::{Ingest, config::Config};
use runtime::Host;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let config = runtime::start(Config::read)?;
    let door = store::aws::connect_door(config.names, config.access);
    let ingest = Ingest::new(door, config.settings, Host::system());
    runtime::serve(async |event, _| Ok::<_, runtime::Error>(ingest.handle(event).await)).await
}
