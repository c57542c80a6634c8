//! A test issuer: keys, and tokens signed with them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};

use crate::claims::ExpectedClaims;
use crate::issuer::{Fetch, IssuerSettings, Unreachable};

pub(crate) const ISSUER: &str = "https://id.example.org";
pub(crate) const AUDIENCE: &str = "https://scalper.example.org";
pub(crate) const NOW_S: u64 = 1_800_000_000;
pub(crate) const NOW_MS: u64 = NOW_S * 1_000;

/// An RSA key that signs nothing but these tests: `ring` makes none.
const RSA: &str = "\
    MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC55fVmEPKoaP3hh2q+dNiR103xCYqKQBdug+XNJoHcDAG6Zc0E\
    rz7Q52PE2byWb2UGiGCIsWoqn8PmwSpaZce1gB4cNuv8fpBEzOemM6wCjvjk0x10KnjGVRBwqnN8eLZIlSkmFHwG/t31XwSPDs0f\
    hR34q9JyYUDLsk+yZImWTfjX5ih6vn+6Xi9TzgRa5/LN4Glnq1Ya0DlMAmXNiDYShqXhMLwlREtr2k5rLdqiW74A1m0C6lPkoSMf\
    n22oUo0BWSu1ZHCjArI39HFvlxLRTq4aC+kJ7cR7jTrp5bZj/DVGC9Qz/OEa9NEBvZxqR26i1wAF1AZdg3kz0PGN/yWVAgMBAAEC\
    ggEAJSj7M4Jqx1Bpg6Yqp9S6n/iee3LRT059gJl8G9S5O6/ovoZwA6I2V9MRRf3SbW3qD3K+fUSduNSD+AIgAb77u2PXYQN3i9sO\
    4rnlCnukxEQpK7Cp4BlHWDoT1bm06SpGId8zQQnyOwHCg7SRODmYtlbJRXavVC7toWpM9ReUy0cGiKO/17gZ0yG7tUmpimzFNgZ8\
    Q0js3UUxi4n6hYcKU+l9a84GO+SGYbUEV5mi3n7Jv4NI+m6MDfVBtsrMhtVdiJoBuHQ90s5JzxHKWaWKFgUn8PmTqgr+iTsGlfw+\
    qpvgSjkAl3NH9vOq/IUCshAs9VaMaJkHZWHVzN2xKc+BgQKBgQDk5q/HGaB0lHaRvIpxNJtDCxOQ6did0kvXz+bOVIme2OQPW6mP\
    XRA+XqqSQKY19+0VPgtTHyyQBKfaqyMJezB/heGoSagy6/Gn+T7GfGfLnCAmfKUMKYJUtL3wf7bS6hl1Odfy42t+ChNdQ4I7zJ1r\
    icuPYfzRDxiXtE/HQeW+1QKBgQDP5/vBy+RMX0bVWfSzL45XrEtrHSihR4d2T6uohbHxayz7d0OUvjjzUijEggkzxgB7IFEsepbg\
    2r2KxuudIuzBrDYwwx1diX6Ef2sjmUmQ/AnXgbOlupqyENwsBKZy3OF9440ZayWAX40VgvajC30HGoAYrBkZ9cigWnlboQqrwQKB\
    gQDbg0L02+WdhzbCAh59++YdgETORwPeLetf1lfQbQ/hTrw+4jeUbboDJgPL58W9oboyEeMIXq/8mQpj0JT0JbhXwwupuKFd3BlO\
    bd8+t9VOVLYcUpJxPGlpVD+GoOOyFqA9ZDBtFJ1kLMNvQCtnr40TsPyOz3iFAEYkTd3oB5EM1QKBgF+TlfkRcnJpmnaaVBPL2PQV\
    ENa9IOCDsZKCLbfbPmJtktBHk5ndmPDC5FryLKjQbYgs4yQ/dv0HkfsqV0Z1t8GRGZhxGh7WBoOC0A4deeRc+WlJBv05O8SAW7cg\
    rCRBxqfI5CS7TRIm2wT4n8l0jpWlaR3uf9ufUgvli8TD09QBAoGBALJA0o88Zs8m3AqPQpv+DFncWT+UDitZJYQQ+tApOuz3QvZq\
    xlhGZ/A54inLoRMr/3TRb1HqA/nddj0nQPOu7E3MssVtuvtqLeF/PD/E0+n/4lekWWFlGL6p+5ndrrgtg3+ya619xM2oO6GR6wGg\
    tSsvuNe5Y9N97AqJ2ksfPGBt\
";

/// A key pair of the issuer.
pub(crate) enum Signer {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

impl Signer {
    pub(crate) fn rsa() -> Self {
        let document = STANDARD.decode(RSA).expect("base64");
        Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(&document).expect("a key")))
    }

    pub(crate) fn p256() -> Self {
        let (random, scheme) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(scheme, &random).expect("a key");
        Self::P256(Box::new(EcdsaKeyPair::from_pkcs8(scheme, document.as_ref(), &random).expect("a key")))
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    pub(crate) fn jwk(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(key) => {
                let RsaPublicKeyComponents::<Vec<u8>> { n, e } = key.public().into();
                json!({ "kty": "RSA", "use": "sig", "kid": id, "n": text(&n), "e": text(&e) })
            }
            Self::P256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": id, "x": text(x), "y": text(y) })
            }
        }
    }

    /// Signs a bearer token with this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).expect("signed");
                signature
            }
            Self::P256(key) => key.sign(&random, signed.as_bytes()).expect("signed").as_ref().to_vec(),
        };
        format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns a bearer token as an issuer makes it.
    pub(crate) fn token(&self, id: &str, claims: &Value) -> String {
        self.sign(&json!({ "alg": self.algorithm(), "kid": id, "typ": "JWT" }), claims)
    }
}

/// Header and claims, encoded.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", text(header), text(claims))
}

/// Claims that are in order, with some changed; `null` takes one out.
pub(crate) fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "client-7", "exp": NOW_S + 300, "nbf": NOW_S,
        "partner": "north-clinic", "scope": "submit read openid", "feeds": ["labs"],
    });
    for (name, value) in changes.as_object().expect("changes") {
        claims[name.as_str()] = value.clone();
    }
    claims.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
    claims
}

pub(crate) fn settings() -> IssuerSettings {
    IssuerSettings {
        expected: ExpectedClaims {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            partner_claim: "partner".to_owned(),
            all_feeds: false,
        },
        keys_url: format!("{ISSUER}/.well-known/jwks.json"),
    }
}

/// An issuer's answers, one for each asking; the last one again and again.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<(VecDeque<Value>, usize)>>);

impl Answers {
    /// `null` is an answer that does not come.
    pub(crate) fn new(answers: impl IntoIterator<Item = Value>) -> Self {
        Self(Arc::new(Mutex::new((answers.into_iter().collect(), 0))))
    }

    pub(crate) fn keys(keys: impl IntoIterator<Item = Value>) -> Value {
        json!({ "keys": keys.into_iter().collect::<Vec<_>>() })
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.lock().expect("unpoisoned").1
    }
}

impl Fetch for Answers {
    async fn get(&self, url: &str) -> Result<Vec<u8>, Unreachable> {
        assert_eq!(url, settings().keys_url);
        let mut state = self.0.lock().expect("unpoisoned");
        state.1 += 1;
        let last = state.0.len() == 1;
        let answer = if last { state.0.front().cloned() } else { state.0.pop_front() };
        let document = answer.filter(|document| !document.is_null());
        let timeout = || Unreachable("timeout");
        document.map(|document| document.to_string().into_bytes()).ok_or_else(timeout)
    }
}
