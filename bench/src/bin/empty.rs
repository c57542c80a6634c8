//! The function that does nothing: what any function on `lambda_runtime` pays at start.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_event: LambdaEvent<Value>| async { Ok::<(), Error>(()) })).await
}
