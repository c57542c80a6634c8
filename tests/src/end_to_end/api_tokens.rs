//! Bearer tokens of an issuer on this machine, and the limits that hold without a usage plan.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::api::{problem, text};
use super::files::csv;
use super::harness::Harness;
use super::loopback::Loopback;

const AUDIENCE: &str = "scalper";

/// An issuer on this machine: one key, and the document that says so.
struct TestIssuer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    server: Loopback,
}

impl TestIssuer {
    fn start() -> Self {
        let (random, scheme) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(scheme, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(scheme, document.as_ref(), &random).expect("a key");
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k", "x": x, "y": y });
        let server = Loopback::start(&json!({ "keys": [jwk] }).to_string());
        Self { key, random, server }
    }

    /// Returns the address, as it stands in the tokens.
    fn name(&self) -> &str {
        &self.server.url
    }

    fn parameters(&self) -> Vec<String> {
        vec![format!("OAuthIssuer={}", self.name()), format!("OAuthAudience={AUDIENCE}")]
    }

    fn token(&self, changes: &Value) -> String {
        let now = seconds_now();
        let mut claims = json!({
            "iss": self.name(), "aud": AUDIENCE, "sub": "client", "exp": now + 600, "nbf": now - 5,
            "partner": "north", "scope": "submit read", "feeds": "scans",
        });
        for (name, value) in changes.as_object().expect("changes") {
            claims[name.as_str()] = value.clone();
        }
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(&json!({ "alg": "ES256", "kid": "k" })), text(&claims));
        let signature = self.key.sign(&self.random, signed.as_bytes()).expect("a signature");
        format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Returns seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the function that checks the token has the real clock")]
fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

#[tokio::test]
async fn a_token_of_the_issuer_opens_what_its_claims_say_and_no_other_token_does() {
    let issuer = TestIssuer::start();
    let harness = Harness::open_with(&issuer.parameters()).await;
    harness.add_partner("north");
    let north = harness.bearer(&issuer.token(&json!({})));
    let sent = north.file("/v1/feeds/scans/files?name=day.csv", csv(0, 4).as_bytes());
    assert_eq!(sent.status, 202, "{}", sent.text());
    let status = text(&sent.json(), "status");
    assert!(status.contains("/oauth/v1/files/"), "{status} is of another tree");
    assert_eq!(north.decided(&text(&sent.json(), "id"))["loaded"], 4);

    let reader = harness.bearer(&issuer.token(&json!({ "scope": "read", "sub": "reader" })));
    assert_eq!(problem(&reader.file("/v1/feeds/scans/files", b"x"), 403), "forbidden");
    let elsewhere = harness.bearer(&issuer.token(&json!({ "feeds": "labs", "sub": "labs" })));
    assert_eq!(problem(&elsewhere.get("/v1/feeds/scans/contract"), 404), "not-found");

    for (what, changes) in [
        ("expired", json!({ "exp": 1_700_000_000 })),
        ("another audience", json!({ "aud": "somebody else" })),
        ("another issuer", json!({ "iss": "https://id.example.org" })),
        ("not yet valid", json!({ "nbf": 4_000_000_000_u64 })),
        ("no partner", json!({ "partner": null })),
        ("a partner that is none", json!({ "partner": "nobody" })),
        ("a partner that is a path", json!({ "partner": "north/scans" })),
    ] {
        let answer = harness.bearer(&issuer.token(&changes)).get("/v1/files");
        assert_eq!(problem(&answer, 401), "unauthorized", "{what}");
    }
    let token = issuer.token(&json!({}));
    let (rest, _) = token.rsplit_once('.').expect("a signature");
    let unsigned = rest.replace("Bearer ", "");
    let claims = unsigned.split_once('.').expect("claims").1;
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k"}"#);
    let symmetric = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"k"}"#);
    for forged in [
        format!("{rest}."),
        format!("{rest}.AAAA"),
        format!("Bearer {none}.{claims}."),
        format!("Bearer {symmetric}.{claims}.AAAA"),
    ] {
        let answer = harness.bearer(&forged).get("/v1/files");
        assert_eq!(problem(&answer, 401), "unauthorized", "{forged}");
    }
    harness.settle().await;
}

#[tokio::test]
async fn a_partner_above_its_limit_is_told_when_to_ask_again_for_any_credential() {
    let issuer = TestIssuer::start();
    let harness = Harness::open_with(&issuer.parameters()).await;
    // No usage plan counts tokens: what rejects is our own bucket, which two clients of the partner share.
    harness.scalper("partner add north --rate 1 --burst 5 --bytes-per-day 1000");
    let clients = ["one", "two"].map(|client| harness.bearer(&issuer.token(&json!({ "sub": client }))));
    let mut rejected = Vec::new();
    for client in clients.iter().cycle().take(24) {
        let answer = client.get("/v1/feeds");
        if answer.status != 200 {
            rejected.push(answer);
        }
    }
    assert!(rejected.len() >= 4, "{} of 24 requests were rejected", rejected.len());
    for answer in &rejected {
        assert_eq!(problem(answer, 429), "too-many-requests");
        let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    let [client, _] = &clients;
    client.until("/v1/feeds", |answer| answer.status == 200);
    let large = client.until_sent("/v1/feeds/scans/files?name=large.csv", csv(0, 100).as_bytes());
    assert_eq!(problem(&large, 429), "too-many-requests", "more bytes than a day has");
    assert!(harness.ledger().await.is_empty(), "nothing landed");
}
