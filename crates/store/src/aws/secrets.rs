//! Secrets Manager.

use aws_sdk_secretsmanager::Client;

use super::client::Late;
use super::failure::failure;
use crate::{Error, Operation, Secrets};

/// Secrets, by their ARNs.
#[derive(Clone)]
pub struct SecretsManager {
    client: Late<Client>,
}

impl SecretsManager {
    /// Makes the secrets that the caller may read.
    #[must_use]
    pub fn new(client: &Late<Client>) -> Self {
        Self { client: client.clone() }
    }
}

impl<T: AsRef<SecretsManager> + Sync> Secrets for T {
    async fn secret(&self, arn: &str) -> Result<String, Error> {
        let answer = self.as_ref().client.get().get_secret_value().secret_id(arn).send().await;
        let secret = answer.map_err(|error| failure(Operation::ReadSecret, &error))?.secret_string;
        secret.ok_or_else(|| Error::new(Operation::ReadSecret, "no text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mail;
    use crate::aws::replay::{ScriptedService, answer};

    #[tokio::test]
    async fn a_secret_is_its_text_and_mail_has_a_subject() -> Result<(), Error> {
        let sent =
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";
        let (store, replay) =
            ScriptedService::store([answer(200, r#"{"SecretString": "{}"}"#), answer(200, sent)]);
        assert_eq!(store.secret("arn").await?, "{}");
        store.mail("a b", "text").await?;
        assert_eq!(replay.seen()[0].json()["SecretId"], "arn");
        assert!(replay.seen()[1].body.contains("Subject=a%20b"), "{}", replay.seen()[1].body);
        Ok(())
    }
}
