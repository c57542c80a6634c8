//! Secrets.

use super::Memory;
use crate::{Error, Operation, Secrets};

impl Secrets for Memory {
    async fn secret(&self, arn: &str) -> Result<String, Error> {
        self.call(Operation::ReadSecret, |kept| kept.secrets.get(arn).cloned())
            .await?
            .ok_or_else(|| Error::new(Operation::ReadSecret, "ResourceNotFoundException"))
    }
}

impl Memory {
    /// Keeps a secret. No counted call.
    pub fn keep_secret(&self, arn: &str, text: &str) {
        self.kept().secrets.insert(arn.to_owned(), text.to_owned());
    }
}
