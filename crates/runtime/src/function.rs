//! The frame of a Lambda function: what is done once at its start, and the loop that takes events.

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;

use crate::Environment;

/// An error that ends the sandbox; Lambda starts a new one.
pub type FatalError = lambda_runtime::Error;

/// Reads the configuration from the environment and starts the log, whose level is `LOG_LEVEL`.
///
/// # Errors
///
/// [`EnvironmentError`](crate::EnvironmentError) with all variables that are missing or have a wrong value.
pub fn start<C>(read: impl FnOnce(&mut Environment) -> C) -> Result<C, FatalError> {
    #[expect(clippy::disallowed_methods, reason = "the one place where functions read the environment")]
    let environment = Environment::new(|name| std::env::var(name).ok());
    let level = environment.log_level();
    let config = environment.read(read)?;
    telemetry::start(&level);
    Ok(config)
}

/// Takes events, one after the other, until Lambda ends the sandbox. The handler gets the event and its deadline
/// (milliseconds since the epoch), and gives the response. It boxes what it awaits: the futures of the SDK are large.
///
/// # Errors
///
/// The runtime API of the sandbox does not answer. What a handler returns as its error goes to Lambda with the event.
pub async fn serve<A, E>(handle: impl AsyncFn(Value, u64) -> Result<A, E>) -> Result<(), FatalError>
where
    A: Serialize,
    E: Into<Diagnostic> + std::fmt::Debug,
{
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        handle(event.payload, event.context.deadline).await
    }))
    .await
}
