//! The addresses to which outcomes of files are posted.

use outbound::Target;
use store::{Webhook, WritePartners};

use super::{Operator, acts};
use crate::arguments::WebhookArguments;
use crate::audited::Effect;
use crate::error::CommandError;
use crate::gateway::Gateway;
use crate::partner::Uploads;
use crate::report::CommandReport;
use crate::secret;

impl<S: WritePartners, G: Gateway, U: Uploads, T> Operator<S, G, U, T> {
    /// Checks that outcomes may be posted to the address.
    pub(super) fn check_address(&self, arguments: &WebhookArguments) -> Result<(), CommandError> {
        let Some(url) = &arguments.change.url else { return Ok(()) };
        let checked = Target::parse(url, self.policy);
        checked.map(drop).map_err(|rejected| CommandError::NotAnAddress { found: url.clone(), rejected })
    }

    pub(super) async fn webhook(
        &self,
        arguments: &WebhookArguments,
    ) -> Result<Effect<CommandReport>, CommandError> {
        let partner = self.known(&arguments.name).await?.name;
        let before = self.partners.webhook(&partner).await?;
        if let Some(url) = &arguments.change.url {
            return self.set_webhook(partner, url, before).await;
        }
        let Some(before) = before else { return Err(CommandError::NoWebhook { partner }) };
        if arguments.change.remove {
            self.partners.put_webhook(&partner, None).await?;
            let details = acts::webhook(Some(&before), None);
            return Ok(Effect::new(CommandReport::WebhookRemoved { partner }, details));
        }
        let secret = secret::of_webhook(&self.random)?;
        let (url, previous) = (before.url.clone(), before.secret.clone());
        let webhook = Webhook { url, secret, previous_secret: Some(previous) };
        self.partners.put_webhook(&partner, Some(&webhook)).await?;
        let details = acts::webhook(Some(&before), Some(&webhook));
        let url = host_of(&webhook.url);
        let report = CommandReport::WebhookRotated { partner, url, secret: webhook.secret };
        Ok(Effect::new(report, details))
    }

    /// Sets the address. A new one keeps the secret: the partner has it.
    async fn set_webhook(
        &self,
        partner: String,
        url: &str,
        before: Option<Webhook>,
    ) -> Result<Effect<CommandReport>, CommandError> {
        let (secret, previous_secret, shown) = if let Some(before) = before.clone() {
            (before.secret, before.previous_secret, None)
        } else {
            let secret = secret::of_webhook(&self.random)?;
            (secret.clone(), None, Some(secret))
        };
        let webhook = Webhook { url: url.to_owned(), secret, previous_secret };
        self.partners.put_webhook(&partner, Some(&webhook)).await?;
        let details = acts::webhook(before.as_ref(), Some(&webhook));
        Ok(Effect::new(CommandReport::WebhookSet { partner, url: webhook.url, secret: shown }, details))
    }
}

/// Returns an address without its path and query, which are often a secret by themselves.
pub(super) fn host_of(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.len() == rest.len() { url.to_owned() } else { format!("{scheme}://{host}/…") }
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn of_an_address_its_host_is_shown() {
        for (url, shown) in [
            ("https://hooks.example.org", "https://hooks.example.org"),
            ("https://hooks.example.org/T0/B1/secret", "https://hooks.example.org/…"),
            ("https://hooks.example.org:8443?token=secret", "https://hooks.example.org:8443/…"),
            ("secret", "…"),
        ] {
            assert_eq!(host_of(url), shown);
        }
    }
}
