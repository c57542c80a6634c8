//! Region, endpoint and credentials: the user's own configuration, as every AWS tool reads it.
//!
//! Credentials come from the first of these that has some: the environment, the profile (keys, single sign-on, an
//! assumed role, `credential_process`), a web identity, the container, the instance.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use runtime::Host;
use store::aws::{SdkConfig, https};

use crate::error::CommandError;

/// Credentials that end sooner are asked for again.
const MARGIN: Duration = Duration::from_mins(5);

/// Reads the user's configuration and finds credentials, so that a command without any ends before its first call.
/// The region is this one, else the profile's.
pub async fn connect(region: Option<String>) -> Result<SdkConfig, CommandError> {
    let region = match region {
        Some(region) => Some(Region::new(region)),
        None => ProfileFileRegionProvider::new().region().await,
    };
    let region = region.ok_or(CommandError::NoRegion)?;
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(https()).region(region);
    let config = loader.load().await;
    let chain = config.credentials_provider().ok_or(CommandError::NoCredentials)?;
    let first = chain.provide_credentials().await.map_err(|error| rejected(&error))?;
    let kept = SharedCredentialsProvider::new(Kept { first, chain });
    Ok(config.into_builder().credentials_provider(kept).build())
}

/// Returns the error for credentials that were not found or do not work.
fn rejected(error: &CredentialsError) -> CommandError {
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        return CommandError::NoCredentials;
    }
    let mut problem = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !problem.contains(&cause_text) {
            problem.push_str(": ");
            problem.push_str(&cause_text);
        }
        source = cause.source();
    }
    CommandError::CredentialsRejected { problem }
}

/// The credentials that were found at the start, for every client, until they end. A chain asks again for each client.
#[derive(Debug)]
struct Kept {
    first: Credentials,
    chain: SharedCredentialsProvider,
}

impl Kept {
    fn is_fresh(&self, now_ms: u64) -> bool {
        let until = SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms) + MARGIN;
        self.first.expiry().is_none_or(|expiry| expiry > until)
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        if self.is_fresh(Host::system().now()) {
            return future::ProvideCredentials::ready(Ok(self.first.clone()));
        }
        self.chain.provide_credentials()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_credentials_the_message_says_what_to_set() {
        let none = rejected(&CredentialsError::not_loaded_no_source());
        assert!(matches!(none, CommandError::NoCredentials), "{none}");
        let expired = rejected(&CredentialsError::provider_error("the token has expired"));
        let text = expired.to_string();
        assert!(text.contains("the token has expired") && text.contains("aws sso login"), "{text}");
        assert_eq!((none.exit_code(), expired.exit_code()), (1, 1));
    }

    #[tokio::test]
    async fn credentials_are_kept_until_they_nearly_end() {
        let ending = |seconds: u64| {
            let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            Credentials::new("first", "s", None, Some(expiry), "test")
        };
        let chain = || SharedCredentialsProvider::new(Credentials::new("again", "s", None, None, "test"));
        let kept = Kept { first: ending(1_000), chain: chain() };
        assert!(kept.is_fresh(699_000) && !kept.is_fresh(700_000));
        let given = kept.provide_credentials().await.expect("credentials");
        assert_eq!(given.access_key_id(), "again", "1970 is over");
        let kept = Kept { first: Credentials::new("first", "s", None, None, "test"), chain: chain() };
        assert_eq!(kept.provide_credentials().await.expect("credentials").access_key_id(), "first");
    }
}
