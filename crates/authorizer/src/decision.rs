//! The decision on a caller, and the policy that answers it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::{Feeds, PartnerLimits, Scope, usage_key};

use crate::event::RouteTree;

/// The methods that the API has. The policy names them one by one: a wildcard there would match slashes too, and so
/// open the other trees.
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];

/// Why a request is denied. In logs and metrics only: the caller sees only 401 or 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The path is not a route of this API.
    Route,
    /// There is no secret, or more than one.
    Absent,
    /// The secret is malformed.
    Malformed,
    /// No credential or partner has this secret.
    Unknown,
    /// The credential was revoked.
    Revoked,
    /// The credential or the token has expired.
    Expired,
    /// The token is not valid yet.
    NotYet,
    /// The partner is suspended.
    Suspended,
    /// Tokens are not accepted by this stack.
    NoIssuer,
    /// The algorithm is not accepted, or not the key's.
    Algorithm,
    /// The issuer has no such key.
    UnknownKey,
    /// The signature is not the key's.
    Signature,
    /// Another issuer's token.
    Issuer,
    /// The token is for another audience.
    Audience,
    /// A claim is missing or has another type.
    Claims,
    /// The credential has no scope that opens anything.
    NoScope,
}

impl Reason {
    /// Returns the code for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Absent => "absent",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NotYet => "not-yet",
            Self::Suspended => "suspended",
            Self::NoIssuer => "no-issuer",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown-key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Claims => "claims",
            Self::NoScope => "no-scope",
        }
    }
}

/// An identified caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerContext {
    /// The partner.
    pub partner: String,
    /// The credential's public name, or `jwt:` and a hash of the token's subject.
    pub credential: String,
    /// Which feeds it opens.
    pub feeds: Feeds,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

/// The decision about a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessDecision {
    /// Allowed (200).
    Allow(CallerContext, PartnerLimits),
    /// Known, but not allowed (403).
    Deny(CallerContext, Reason),
    /// Not known (401).
    Unauthorized(Reason),
}

/// Returns the policy that allows a caller one tree of one stage: all its routes, because API Gateway keeps the
/// answer for all of them. The API checks scopes and feeds, route by route.
#[must_use]
pub fn allow(caller: &CallerContext, limits: &PartnerLimits, tree: RouteTree, stage_arn: &str) -> Value {
    let resources: Vec<String> =
        METHODS.iter().map(|method| format!("{stage_arn}/{method}/{}/*", tree.path())).collect();
    let scopes: Vec<&str> = caller.scopes.iter().map(|scope| scope.as_str()).collect();
    let mut answer = json!({
        "principalId": caller.partner,
        "policyDocument": policy("Allow", &json!(resources)),
        "context": {
            "partner": caller.partner,
            "feeds": caller.feeds.to_text(),
            "scopes": scopes.join(" "),
            "credential": caller.credential,
            "rate": limits.requests_per_second.to_string(),
            "burst": limits.burst.to_string(),
            "bytesPerDay": limits.bytes_per_day.to_string(),
        },
    });
    // Requests below /v1 are counted under a usage plan: by this key, never by the one that the caller sent
    // (`ApiKeySourceType: AUTHORIZER`). API Gateway keeps it with the answer.
    if let (RouteTree::Key, Value::Object(members)) = (tree, &mut answer) {
        members.insert("usageIdentifierKey".to_owned(), usage_key(&caller.credential).into());
    }
    answer
}

/// Returns the policy that denies a caller the whole stage.
#[must_use]
pub fn deny(caller: &CallerContext, stage_arn: &str) -> Value {
    let resource = json!(format!("{stage_arn}/*"));
    json!({ "principalId": caller.partner, "policyDocument": policy("Deny", &resource) })
}

fn policy(effect: &str, resource: &Value) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": resource }],
    })
}
