//! The issuer of tokens, and its keys as last seen.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::claims::ExpectedClaims;
use crate::decision::{CallerContext, Reason};
use crate::key_set::JwkSet;
use crate::token::UnverifiedToken;

/// How long keys are used before they are read again, milliseconds.
const FRESH_MS: u64 = 10 * 60 * 1_000;

/// How long keys are used while the issuer does not answer, milliseconds.
const STALE_MS: u64 = 60 * 60 * 1_000;

/// Minimum time between two reads of the keys, milliseconds. It holds also when tokens name unknown keys: otherwise
/// any caller could cause calls to the issuer.
const PAUSE_MS: u64 = 60 * 1_000;

/// The same after a read that failed.
const RETRY_MS: u64 = 5 * 1_000;

/// Gets the bytes of a document of the issuer.
pub trait Fetch: Sync {
    /// Gets a small document with one request, without redirects.
    fn get(&self, url: &str) -> impl Future<Output = Result<Vec<u8>, Unreachable>> + Send;
}

/// The issuer's keys could not be read, and no recent ones are known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the issuer's keys could not be read: {0}")]
pub struct Unreachable(pub &'static str);

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSettings {
    /// The claims that a token must have.
    pub expected: ExpectedClaims,
    /// Where the keys are.
    pub keys_url: String,
}

/// An issuer.
pub struct Issuer<F> {
    settings: IssuerSettings,
    fetch: F,
    kept: Mutex<CachedKeys>,
}

#[derive(Clone, Default)]
struct CachedKeys {
    keys: Option<(Arc<JwkSet>, u64)>,
    ask_again_ms: u64,
}

impl CachedKeys {
    /// Returns the keys, when they are younger than this.
    fn within(&self, age_ms: u64, now_ms: u64) -> Option<&Arc<JwkSet>> {
        self.keys
            .as_ref()
            .filter(|(_, read_ms)| now_ms.saturating_sub(*read_ms) < age_ms)
            .map(|(keys, _)| keys)
    }
}

impl<F: Fetch> Issuer<F> {
    /// Makes an issuer whose keys have not been read yet.
    #[must_use]
    pub fn new(settings: IssuerSettings, fetch: F) -> Self {
        Self { settings, fetch, kept: Mutex::default() }
    }

    /// Identifies the bearer of a token. The signature is checked before any claim is read.
    pub async fn identify(
        &self,
        authorization: &str,
        now_ms: u64,
    ) -> Result<Result<CallerContext, Reason>, Unreachable> {
        let token = match UnverifiedToken::read(authorization) {
            Ok(token) => token,
            Err(reason) => return Ok(Err(reason)),
        };
        let keys = self.keys(&token.key_id, now_ms).await?;
        let verified = keys.verify(&token);
        Ok(verified.and_then(|()| self.settings.expected.check(&token.claims, now_ms)))
    }

    /// Returns the keys, read again when they are old or lack this one.
    async fn keys(&self, id: &str, now_ms: u64) -> Result<Arc<JwkSet>, Unreachable> {
        let kept = self.kept().clone();
        if let Some(keys) = kept.within(FRESH_MS, now_ms).filter(|keys| keys.has(id)) {
            return Ok(keys.clone());
        }
        if now_ms >= kept.ask_again_ms
            && let Err(unreachable) = self.ask(now_ms).await
        {
            tracing::warn!(error = %unreachable, "the issuer's keys could not be refreshed: its known keys stay in use");
        }
        let lost = || Unreachable("no answer within the last hour");
        self.kept().within(STALE_MS, now_ms).cloned().ok_or_else(lost)
    }

    async fn ask(&self, now_ms: u64) -> Result<(), Unreachable> {
        self.kept().ask_again_ms = now_ms.saturating_add(RETRY_MS);
        let document = self.fetch.get(&self.settings.keys_url).await?;
        let none = || Unreachable("the document has no key for RS256 or ES256");
        let keys = JwkSet::parse(&document).ok_or_else(none)?;
        *self.kept() = CachedKeys {
            keys: Some((Arc::new(keys), now_ms)),
            ask_again_ms: now_ms.saturating_add(PAUSE_MS),
        };
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, CachedKeys> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
