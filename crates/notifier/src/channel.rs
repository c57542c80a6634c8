//! Where messages go, as the secret says it.
//!
//! ```json
//! {"slack": {"url": "https://hooks.slack.com/…"}, "pagerduty": {"routingKey": "…"},
//!  "teams": {"url": "https://…"}, "webhook": {"url": "https://…", "secret": "whsec_…"}}
//! ```
//!
//! Each of the four may be left out. Mail needs no secret and is always there.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use outbound::signature::{self, Secret};
use outbound::{AddressPolicy, Client, PostError, Target, TargetError};
use serde::Deserialize;

use crate::message::AlarmMessage;
use crate::render;

/// Where PagerDuty takes events; accounts in the European region have another address.
/// <https://developer.pagerduty.com/docs/events-api-v2-overview>
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A way to people. Deliberately without `Debug`: each holds a secret.
#[derive(Clone)]
pub(crate) enum Channel {
    Mail,
    Slack { url: String },
    PagerDuty { url: String, routing_key: String },
    Teams { url: String },
    Webhook { url: String, secret: String },
}

/// Why a channel did not take a message. Holds nothing of an address, a secret or a body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error("the mail topic did not accept the message")]
    Mail(#[from] store::Error),
    #[error("the message could not be posted")]
    Post(#[from] PostError),
    #[error("the receiver answered with status {0}")]
    Status(u16),
    #[error(
        "the webhook secret of the channels is malformed: expected whsec_ followed by 24 to 64 bytes in base64"
    )]
    Secret(#[from] signature::MalformedSecret),
    #[error("the circuit of the receiver is open after repeated failures: the message is not posted now")]
    CircuitOpen,
}

impl ChannelError {
    /// Returns a code for logs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail",
            Self::Post(failure) => failure.code(),
            Self::Status(400..=499) => "4xx",
            Self::Status(_) => "5xx",
            Self::Secret(_) => "secret",
            Self::CircuitOpen => "circuit-open",
        }
    }
}

/// The secret is not what it should be. Holds nothing of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret of the channels is malformed: expected a JSON object with slack, pagerduty, teams or webhook, as the parameter ChannelsSecretArn describes it"
)]
pub(crate) struct MalformedChannels;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    slack: Option<Address>,
    pagerduty: Option<PagerDuty>,
    teams: Option<Address>,
    webhook: Option<SignedWebhook>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PagerDuty {
    routing_key: String,
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedWebhook {
    url: String,
    secret: String,
}

impl Channel {
    /// Reads the channels of the secret.
    pub(crate) fn parse(text: &str) -> Result<Vec<Self>, MalformedChannels> {
        let listed: Listed = serde_json::from_str(text).map_err(|_| MalformedChannels)?;
        let channels = [
            listed.slack.map(|slack| Self::Slack { url: slack.url }),
            listed.pagerduty.map(|duty| Self::PagerDuty {
                url: duty.url.unwrap_or_else(|| PAGERDUTY.to_owned()),
                routing_key: duty.routing_key,
            }),
            listed.teams.map(|teams| Self::Teams { url: teams.url }),
            listed.webhook.map(|webhook| Self::Webhook { url: webhook.url, secret: webhook.secret }),
        ];
        Ok(channels.into_iter().flatten().collect())
    }

    /// Returns the name in the ledger, in logs and in metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Slack { .. } => "slack",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Teams { .. } => "teams",
            Self::Webhook { .. } => "webhook",
        }
    }

    /// Posts a message at a time (milliseconds since the epoch); mail goes by another way.
    pub(crate) async fn post(
        &self,
        client: &Client,
        policy: AddressPolicy,
        message: &AlarmMessage,
        now_ms: u64,
    ) -> Result<(), ChannelError> {
        let (url, body) = match self {
            Self::Mail => return Ok(()),
            Self::Slack { url } => (url, render::slack(message)),
            Self::PagerDuty { url, routing_key } => (url, render::pagerduty(message, routing_key)),
            Self::Teams { url } => (url, render::teams(message)),
            Self::Webhook { url, .. } => (url, render::json(message)),
        };
        let target = Target::parse(url, policy).map_err(PostError::from)?;
        let body = body.to_string();
        let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        if let Self::Webhook { secret, .. } = self {
            headers.extend(signed(secret, message, now_ms / 1_000, body.as_bytes())?);
        }
        match client.post(&target, headers, body.into()).await?.status {
            200..=299 => Ok(()),
            status => Err(ChannelError::Status(status)),
        }
    }
}

/// Returns the headers of Standard Webhooks. The id is the same at each attempt.
fn signed(
    secret: &str,
    message: &AlarmMessage,
    timestamp: u64,
    body: &[u8],
) -> Result<[(HeaderName, HeaderValue); 3], ChannelError> {
    let secret = Secret::parse(secret)?;
    let letters = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let incident: String = message.incident.chars().map(letters).collect();
    let id = format!("{incident}-{}-{}", message.changed_ms, message.status.as_str());
    let signature = signature::header([&secret], &id, timestamp, body);
    // Letters, numbers and base64 are always fit for a header.
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| PostError::from(TargetError::Malformed));
    Ok([(ID, value(&id)?), (TIMESTAMP, HeaderValue::from(timestamp)), (SIGNATURE, value(&signature)?)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_channel_that_the_secret_names_is_there() {
        let names = |text: &str| -> Vec<&'static str> {
            Channel::parse(text).unwrap().iter().map(Channel::name).collect()
        };
        assert!(names("{}").is_empty());
        let all = r#"{"webhook": {"url": "w", "secret": "s"}, "slack": {"url": "s"}, "teams": {"url": "t"},
            "pagerduty": {"routingKey": "k"}}"#;
        assert_eq!(names(all), ["slack", "pagerduty", "teams", "webhook"]);
    }

    #[test]
    fn a_secret_that_is_another_is_rejected_and_not_repeated() {
        for text in ["", "[]", r#"{"slak": {"url": "hush"}}"#, r#"{"slack": {}}"#, r#"{"slack": "hush"}"#] {
            assert_eq!(Channel::parse(text).err(), Some(MalformedChannels), "{text}");
        }
        assert!(!MalformedChannels.to_string().contains("hush"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let is_object = text.trim_start().starts_with(char::from(0x7b));
            prop_assert!(Channel::parse(&text).is_err() || is_object);
        }
    }
}
