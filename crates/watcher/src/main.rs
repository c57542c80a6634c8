//! The Lambda function that looks every few minutes whether files came, and whether any was lost.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use runtime::Host;
use watcher::{Watcher, config::Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let config = runtime::start(Config::read)?;
    let (lookout, door) = store::aws::connect_watcher(config.names, config.access);
    let watcher = Watcher::new(lookout, door, config.settings, Host::system());
    runtime::serve(async |event, deadline_ms| watcher.handle(&event, deadline_ms).await).await
}
