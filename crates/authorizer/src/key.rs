//! The caller of an API key.

use store::{CredentialHash, PartnerLimits, ReadPartners};

use crate::decision::{AccessDecision, CallerContext, Reason};

/// What every key begins with, so that a scanner of repositories can find one that leaked.
const PREFIX: &str = "ssk_";

/// 256 bits as base64url without padding.
const SECRET_CHARACTERS: usize = 43;

/// No partner has this name: it begins with a hyphen.
const NO_PARTNER: &str = "-";

/// Decides on an API key. It makes two reads whether or not the key exists, so that the time reveals nothing.
pub(crate) async fn decide<S: ReadPartners>(
    partners: &S,
    secret: &str,
    now_ms: u64,
) -> Result<AccessDecision, store::Error> {
    if !is_key(secret) {
        return Ok(AccessDecision::Unauthorized(Reason::Malformed));
    }
    let found = partners.credential(&CredentialHash::of(secret)).await?;
    let name = found.as_ref().map_or(NO_PARTNER, |credential| credential.partner.as_str());
    let partner = partners.partner(name).await?;
    let (Some(credential), Some(partner)) = (found, partner) else {
        return Ok(AccessDecision::Unauthorized(Reason::Unknown));
    };
    if !credential.is_valid(now_ms) {
        let reason = if credential.revoked_ms.is_some() { Reason::Revoked } else { Reason::Expired };
        return Ok(AccessDecision::Unauthorized(reason));
    }
    let caller = CallerContext {
        partner: credential.partner,
        credential: credential.id,
        feeds: credential.feeds,
        scopes: credential.scopes,
    };
    Ok(of_partner(caller, partner.active, partner.limits))
}

/// Decides on a known caller.
pub(crate) fn of_partner(caller: CallerContext, active: bool, limits: PartnerLimits) -> AccessDecision {
    if !active {
        AccessDecision::Deny(caller, Reason::Suspended)
    } else if caller.scopes.is_empty() {
        AccessDecision::Deny(caller, Reason::NoScope)
    } else {
        AccessDecision::Allow(caller, limits)
    }
}

/// Returns whether a text has the form of a key: `ssk_` and 43 base64url characters.
fn is_key(secret: &str) -> bool {
    secret.strip_prefix(PREFIX).is_some_and(|rest| {
        rest.len() == SECRET_CHARACTERS
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    })
}
