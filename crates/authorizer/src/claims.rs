//! What a believed token says.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use store::{Feeds, Scope};

use crate::decision::{CallerContext, Reason};

/// How far the issuer's clock and ours may be apart, seconds (RFC 7519, 4.1.4: "no more than a few minutes").
const SKEW_SECONDS: f64 = 60.0;

/// Length of the hash that is logged for a subject, bytes.
const SUBJECT_BYTES: usize = 16;

/// What a token must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedClaims {
    /// The issuer, character by character.
    pub issuer: String,
    /// The audience that must be among the token's.
    pub audience: String,
    /// The claim that names the partner.
    pub partner_claim: String,
    /// Whether a token without a `feeds` claim opens every feed of its partner; otherwise it opens none.
    pub all_feeds: bool,
}

impl ExpectedClaims {
    /// Checks the claims: `iss`, `aud`, `exp` and `sub` must be there, `nbf` may be.
    pub fn check(&self, claims: &[u8], now_ms: u64) -> Result<CallerContext, Reason> {
        let claims: Map<String, Value> = serde_json::from_slice(claims).map_err(|_| Reason::Claims)?;
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Reason::Issuer);
        }
        if !words(claims.get("aud"), |_| false).any(|audience| audience == self.audience) {
            return Err(Reason::Audience);
        }
        check_time(&claims, now_ms)?;
        let subject = claims.get("sub").and_then(Value::as_str).ok_or(Reason::Claims)?;
        let partner = claims.get(&self.partner_claim).and_then(Value::as_str).ok_or(Reason::Claims)?;
        if subject.is_empty() || !runtime::is_name(partner) {
            return Err(Reason::Claims);
        }
        Ok(CallerContext {
            partner: partner.to_owned(),
            credential: format!("jwt:{}", hash(subject)),
            feeds: self.feeds(claims.get("feeds"))?,
            scopes: self.scopes(&claims),
        })
    }

    /// Returns the feeds: an array, or words separated by spaces or commas; `*` alone is every feed.
    fn feeds(&self, claim: Option<&Value>) -> Result<Feeds, Reason> {
        let Some(claim) = claim else {
            return Ok(if self.all_feeds { Feeds::All } else { Feeds::Named(BTreeSet::new()) });
        };
        let names: BTreeSet<String> =
            words(Some(claim), |character| matches!(character, ' ' | ',')).map(str::to_owned).collect();
        if names.len() == 1 && names.contains("*") {
            return Ok(Feeds::All);
        }
        if names.iter().all(|name| runtime::is_name(name)) {
            Ok(Feeds::Named(names))
        } else {
            Err(Reason::Claims)
        }
    }

    /// Returns the scopes that we know, of `scope` (RFC 8693, 4.2) and `scp`; unknown ones are other services'. A
    /// resource server may write its own name before a scope, `<audience>/submit`, as Amazon Cognito does.
    fn scopes(&self, claims: &Map<String, Value>) -> BTreeSet<Scope> {
        let own = |word: &str| {
            let bare = word.strip_prefix(self.audience.as_str()).and_then(|rest| rest.strip_prefix('/'));
            Scope::parse(bare.unwrap_or(word))
        };
        let written = ["scope", "scp"].into_iter().map(|name| claims.get(name));
        written.flat_map(|claim| words(claim, |character| character == ' ')).filter_map(own).collect()
    }
}

fn check_time(claims: &Map<String, Value>, now_ms: u64) -> Result<(), Reason> {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch stay below 2^53")]
    let now = now_ms as f64 / 1_000.0;
    let ends = claims.get("exp").and_then(Value::as_f64).ok_or(Reason::Claims)?;
    if now >= ends + SKEW_SECONDS {
        return Err(Reason::Expired);
    }
    match claims.get("nbf").map(Value::as_f64) {
        Some(None) => Err(Reason::Claims),
        Some(Some(begins)) if now + SKEW_SECONDS < begins => Err(Reason::NotYet),
        _ => Ok(()),
    }
}

/// Returns the texts of an array, or of one text split at some characters.
fn words(claim: Option<&Value>, separates: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    let texts: Vec<&str> = match claim {
        Some(Value::String(text)) => text.split(separates).filter(|word| !word.is_empty()).collect(),
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    texts.into_iter()
}

fn hash(subject: &str) -> String {
    let digest = Sha256::digest(subject.as_bytes());
    hex::encode(digest.get(..SUBJECT_BYTES).unwrap_or_default())
}
