//! Where partners hear of their files.

use outbound::Target;
use store::door::{Partners, Webhook};

use super::Operator;
use crate::arguments::WebhookArguments;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::report::Report;
use crate::secret;

impl<S: Partners, G: Gateway> Operator<S, G> {
    pub(super) async fn webhook(&self, arguments: &WebhookArguments) -> Result<Report, Failure> {
        if let Some(url) = &arguments.change.url {
            Target::parse(url, self.policy)
                .map_err(|refused| Failure::NotAnAddress { found: url.clone(), refused })?;
        }
        let partner = self.known(&arguments.name).await?.name;
        let before = self.partners.webhook(&partner).await?;
        if let Some(url) = &arguments.change.url {
            return self.set_webhook(partner, url, before).await;
        }
        let Some(before) = before else { return Err(Failure::NoWebhook { partner }) };
        if arguments.change.remove {
            self.partners.put_webhook(&partner, None).await?;
            return Ok(Report::WebhookRemoved { partner });
        }
        let secret = secret::of_webhook(&self.random)?;
        let Webhook { url, secret: previous, .. } = before;
        let webhook = Webhook { url, secret, previous_secret: Some(previous) };
        self.partners.put_webhook(&partner, Some(&webhook)).await?;
        Ok(Report::WebhookRotated { partner, url: webhook.url, secret: webhook.secret })
    }

    /// A new address keeps the secret: the partner has it.
    async fn set_webhook(
        &self,
        partner: String,
        url: &str,
        before: Option<Webhook>,
    ) -> Result<Report, Failure> {
        let (secret, previous_secret, shown) = if let Some(before) = before {
            (before.secret, before.previous_secret, None)
        } else {
            let secret = secret::of_webhook(&self.random)?;
            (secret.clone(), None, Some(secret))
        };
        let webhook = Webhook { url: url.to_owned(), secret, previous_secret };
        self.partners.put_webhook(&partner, Some(&webhook)).await?;
        Ok(Report::WebhookSet { partner, url: webhook.url, secret: shown })
    }
}
