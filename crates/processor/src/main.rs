//! The Lambda function that loads or quarantines files.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use processor::{Processor, config::Config};
use runtime::Host;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let config = runtime::start(Config::read)?;
    let processor =
        Processor::new(store::aws::connect(config.names, config.access), config.settings, Host::system());
    runtime::serve(async |event, deadline_ms| processor.handle(&event, deadline_ms).await).await
}
