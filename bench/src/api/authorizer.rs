//! The authorizer: keys that are known and not, and tokens of an issuer whose keys are kept.

use std::collections::BTreeSet;

use ::authorizer::Authorizer;
use ::authorizer::claims::ExpectedClaims;
use ::authorizer::issuer::{Fetch, Issuer, IssuerSettings, Unreachable};
use anyhow::{Context as _, Result};
use lambda_runtime::Diagnostic;
use runtime::Host;
use serde_json::{Value, json};
use store::memory::Memory;
use store::{Credential, CredentialHash, Feeds, Partner, PartnerLimits, Scope, WritePartners as _};
use telemetry::Metrics;

use super::{CallTime, FEED, PARTNER, time_calls};

/// What API Gateway asks; path and headers are put in.
const EVENT: &str = include_str!("../../../events/api-authorize-key.json");
const API: &str = "arn:aws:execute-api:us-east-1:000000000001:a1b2c3d4e5/api/POST";
/// An issuer's public keys and tokens signed with them.
const ISSUER: &str = include_str!("../../issuer.json");
const SECRET: &str = "ssk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

/// The issuer's document, without a network.
struct StaticDocument(Vec<u8>);

impl Fetch for StaticDocument {
    async fn get(&self, _url: &str) -> Result<Vec<u8>, Unreachable> {
        Ok(self.0.clone())
    }
}

pub(super) async fn measure(calls: u32) -> Result<Vec<CallTime>> {
    let issuer: Value = serde_json::from_str(ISSUER).context("read the issuer")?;
    let token = |name: &str| issuer["tokens"][name].as_str().map(|token| format!("Bearer {token}"));
    let tokens = (token("RS256").context("a token")?, token("ES256").context("a token")?);
    let authorizer = &authorizer(&issuer).await?;
    let (allowed, rejected) = (r#"{"context":{"#, r#"{"errorType":"Unauthorized""#);
    let asks = [
        ("a known key", "v1", "x-api-key", SECRET, allowed),
        ("an unknown key", "v1", "x-api-key", "ssk_nobody_has_this_key", rejected),
        ("a token, RS256", "oauth/v1", "authorization", tokens.0.as_str(), allowed),
        ("a token, ES256", "oauth/v1", "authorization", tokens.1.as_str(), allowed),
    ];
    let mut figures = Vec::new();
    for (call, tree, header, secret, expected) in asks {
        let event = event(tree, header, secret)?;
        let ask = async |event: &[u8]| answer(authorizer, event).await;
        let label = ["authorizer", call];
        figures.push(time_calls(label, calls, expected, |_| Ok(event.clone()), ask).await?);
    }
    Ok(figures)
}

/// What `main.rs` and `lambda_runtime` do with an event.
async fn answer(authorizer: &Authorizer<Memory, StaticDocument>, event: &[u8]) -> Result<Vec<u8>> {
    let event: Value = serde_json::from_slice(event)?;
    Ok(match Box::pin(authorizer.handle(&event)).await {
        Ok(policy) => serde_json::to_vec(&policy)?,
        Err(rejection) => serde_json::to_vec(&Diagnostic::from(rejection))?,
    })
}

async fn authorizer(issuer: &Value) -> Result<Authorizer<Memory, StaticDocument>> {
    let memory = Memory::new();
    let limits = PartnerLimits::DEFAULT;
    memory.put_partner(&Partner { name: PARTNER.to_owned(), active: true, limits, created_ms: 1 }).await?;
    let credential = Credential {
        id: "k3vq7tz2m5ha".to_owned(),
        partner: PARTNER.to_owned(),
        feeds: Feeds::parse(FEED),
        scopes: BTreeSet::from([Scope::Submit, Scope::Read]),
        created_ms: 1,
        expires_ms: None,
        revoked_ms: None,
        gateway_key: None,
    };
    memory.put_credential(&CredentialHash::of(SECRET), &credential).await?;
    let claim = |name: &str| issuer["claims"][name].as_str().map(str::to_owned).context("a claim");
    let settings = IssuerSettings {
        keys_url: "https://id.example.org/keys".to_owned(),
        expected: ExpectedClaims {
            issuer: claim("iss")?,
            audience: claim("aud")?,
            partner_claim: "partner".to_owned(),
            all_feeds: false,
        },
    };
    let issuer = Issuer::new(settings, StaticDocument(serde_json::to_vec(&issuer["keySet"])?));
    Ok(Authorizer::new(memory, Some(issuer), Metrics::all("Bench"), Host::system()))
}

fn event(tree: &str, header: &str, secret: &str) -> Result<Vec<u8>> {
    let mut event: Value = serde_json::from_str(EVENT).context("read the event")?;
    event["methodArn"] = json!(format!("{API}/{tree}/feeds/{FEED}/check"));
    for (map, value) in [("headers", json!(secret)), ("multiValueHeaders", json!([secret]))] {
        let headers = event[map].as_object_mut().context("the event has headers")?;
        headers.remove("x-api-key");
        headers.insert(header.to_owned(), value);
    }
    Ok(serde_json::to_vec(&event)?)
}
