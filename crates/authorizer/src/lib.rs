//! The authorizer: identifies the caller of each request for API Gateway.
//!
//! ```text
//! /v1/…        x-api-key ──SHA-256──▶ credential ──▶ partner ─┐
//! /oauth/v1/…  bearer token ──signature, claims────▶ partner ─┼─ active ─────▶ Allow: this tree, with who and what as context
//!                                                             ├─ suspended ──▶ Deny (403)
//!                             anything else ──────────────────┴──────────────▶ `Unauthorized` (401)
//! ```
//!
//! A request is denied unless everything is present and valid; a failure of a service is an error (500). API Gateway
//! keeps an answer for at most a minute for each secret (`infra/api.yaml`): that long a revoked credential may still
//! work. Secrets, tokens and claims are in no log, metric or error.
//!
//! Tokens: RS256 and ES256 only, as the issuer's key says; `kid`, `iss`, `aud`, `exp`, `sub` and the partner's claim
//! must be there. Without a `feeds` claim a token opens no feed, unless `OAUTH_ALL_FEEDS` is `true`.

pub mod claims;
pub mod config;
pub mod decision;
pub mod event;
pub mod fetch;
pub mod issuer;
mod key;
pub mod key_set;
#[cfg(test)]
mod minting;
pub mod token;

use lambda_runtime::Diagnostic;
use runtime::Host;
use serde_json::Value;
use store::ReadPartners;
use telemetry::{AccessRecord, Label, Metrics, Occurrence};

use decision::{AccessDecision, Reason};
use event::{AuthorizationRequest, RouteTree};
use issuer::{Fetch, Issuer, Unreachable};

/// The function. The issuer's keys are kept from one invocation to the next, credentials are not.
pub struct Authorizer<S, F> {
    partners: S,
    issuer: Option<Issuer<F>>,
    metrics: Metrics,
    host: Host,
}

/// No policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    /// API Gateway answers 401 to exactly this text ("Use API Gateway Lambda authorizers", Developer Guide).
    #[error("Unauthorized")]
    Unauthorized,
    /// API Gateway answers 500.
    #[error("the credential of the caller could not be checked")]
    Failed,
}

impl From<AuthorizeError> for Diagnostic {
    fn from(rejection: AuthorizeError) -> Self {
        Self { error_type: format!("{rejection:?}"), error_message: rejection.to_string() }
    }
}

/// The request could not be decided.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error("the partners table could not be read")]
    Partners(#[from] store::Error),
    #[error("the keys of the token's issuer could not be read")]
    Keys(#[from] Unreachable),
    #[error("a defect in the authorizer: the decision panicked")]
    Panicked,
}

impl CheckError {
    /// What is counted besides the caller.
    fn occurrence(&self) -> Occurrence {
        match self {
            Self::Partners(error) => Occurrence::service_failed(error.is_denied()),
            Self::Keys(_) => Occurrence::RetryableError,
            Self::Panicked => Occurrence::Panic,
        }
    }
}

impl<S: ReadPartners, F: Fetch> Authorizer<S, F> {
    /// Makes an authorizer; without an issuer no token is accepted. Publishes these metrics.
    #[must_use]
    pub fn new(partners: S, issuer: Option<Issuer<F>>, metrics: Metrics, host: Host) -> Self {
        Self { partners, issuer, metrics, host }
    }

    /// Answers an event with a policy.
    pub async fn handle(&self, event: &Value) -> Result<Value, AuthorizeError> {
        let began_ms = self.host.now();
        let Some(question) = AuthorizationRequest::read(event) else {
            self.record("none", &Ok(AccessDecision::Unauthorized(Reason::Route)), began_ms);
            return Err(AuthorizeError::Unauthorized);
        };
        let decided =
            runtime::caught(self.decide(&question, began_ms)).await.unwrap_or(Err(CheckError::Panicked));
        self.record(question.tree.as_str(), &decided, began_ms);
        match decided {
            Ok(AccessDecision::Allow(caller, limits)) => {
                Ok(decision::allow(&caller, &limits, question.tree, &question.stage_arn))
            }
            Ok(AccessDecision::Deny(caller, _)) => Ok(decision::deny(&caller, &question.stage_arn)),
            Ok(AccessDecision::Unauthorized(_)) => Err(AuthorizeError::Unauthorized),
            Err(_) => Err(AuthorizeError::Failed),
        }
    }

    async fn decide(
        &self,
        question: &AuthorizationRequest,
        now_ms: u64,
    ) -> Result<AccessDecision, CheckError> {
        let Some(secret) = &question.secret else {
            return Ok(AccessDecision::Unauthorized(Reason::Absent));
        };
        match (question.tree, &self.issuer) {
            (RouteTree::Key, _) => Ok(key::decide(&self.partners, secret, now_ms).await?),
            (RouteTree::Token, None) => Ok(AccessDecision::Unauthorized(Reason::NoIssuer)),
            (RouteTree::Token, Some(issuer)) => self.decide_token(issuer, secret, now_ms).await,
        }
    }

    async fn decide_token(
        &self,
        issuer: &Issuer<F>,
        authorization: &str,
        now_ms: u64,
    ) -> Result<AccessDecision, CheckError> {
        let caller = match issuer.identify(authorization, now_ms).await? {
            Ok(caller) => caller,
            Err(reason) => return Ok(AccessDecision::Unauthorized(reason)),
        };
        Ok(match self.partners.partner(&caller.partner).await? {
            Some(partner) => key::of_partner(caller, partner.active, partner.limits),
            None => AccessDecision::Unauthorized(Reason::Unknown),
        })
    }

    /// One log line and one metric record: who, and what was decided; never with what.
    fn record(&self, kind: &'static str, decided: &Result<AccessDecision, CheckError>, began_ms: u64) {
        if let Err(failure) = decided {
            tracing::error!(error = telemetry::chain(failure), "the caller was not checked");
            (self.host.metric)(&failure.occurrence().metric(&self.metrics, self.host.now()));
        }
        let (decision, caller, reason) = match decided {
            Ok(AccessDecision::Allow(caller, _)) => ("allow", Some(caller), None),
            Ok(AccessDecision::Deny(caller, reason)) => ("deny", Some(caller), Some(*reason)),
            Ok(AccessDecision::Unauthorized(reason)) => ("unauthorized", None, Some(*reason)),
            Err(_) => ("failed", None, None),
        };
        let now_ms = self.host.now();
        let credential = caller.map_or("", |caller| caller.credential.trim_start_matches("jwt:"));
        let record = AccessRecord {
            decision,
            kind,
            reason: reason.map(Reason::as_str),
            partner: Label::new(caller.map_or("", |caller| caller.partner.as_str())),
            credential: Label::new(credential),
            duration: now_ms.saturating_sub(began_ms),
        };
        record.log();
        (self.host.metric)(&record.metric(&self.metrics, now_ms));
    }
}

#[cfg(test)]
mod tests;
