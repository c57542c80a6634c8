//! Secrets Manager: the secret that names the notifier's channels.

use std::future::Future;

use crate::Error;

/// Reads secrets.
pub trait Secrets: Sync {
    /// Returns the text of a secret, by its ARN.
    fn secret(&self, arn: &str) -> impl Future<Output = Result<String, Error>> + Send;
}
