use serde_json::{Value, json};
use store::{Feeds, Scope};

use super::*;
use crate::minting::{AUDIENCE, Answers, ISSUER, NOW_MS, NOW_S, Signer, claims, settings, unsigned};

fn issuer(answers: &Answers) -> Issuer<Answers> {
    Issuer::new(settings(), answers.clone())
}

/// What one issuer with one key says to a token.
async fn identify(signer: &Signer, token: &str) -> Result<CallerContext, Reason> {
    let answers = Answers::new([Answers::keys([signer.jwk("a")])]);
    issuer(&answers).identify(token, NOW_MS).await.expect("the issuer answers")
}

async fn reason(changes: Value) -> Option<Reason> {
    let signer = Signer::p256();
    identify(&signer, &signer.token("a", &claims(&changes))).await.err()
}

#[tokio::test]
async fn a_token_of_either_kind_of_key_says_who_and_what() {
    for signer in [Signer::rsa(), Signer::p256()] {
        let caller = identify(&signer, &signer.token("a", &claims(&json!({})))).await.expect("believed");
        assert_eq!(caller.partner, "north-clinic");
        assert_eq!(caller.feeds, Feeds::parse("labs"));
        assert_eq!(caller.scopes, [Scope::Submit, Scope::Read].into());
        let hash = caller.credential.strip_prefix("jwt:").expect("a hash");
        assert!(hash.len() == 32 && !hash.contains("client"));
    }
}

#[tokio::test]
async fn a_public_key_is_never_a_secret_and_no_signature_is_no_signature() {
    let signer = Signer::rsa();
    let jwk = signer.jwk("a").to_string();
    let header = json!({ "alg": "HS256", "kid": "a" });
    let claimed = unsigned(&header, &claims(&json!({})));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, jwk.as_bytes());
    let tag = ring::hmac::sign(&key, claimed.as_bytes());
    let tag = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, tag);
    assert_eq!(identify(&signer, &format!("Bearer {claimed}.{tag}")).await, Err(Reason::Algorithm));

    let claimed = unsigned(&json!({ "alg": "none", "kid": "a" }), &claims(&json!({})));
    assert_eq!(identify(&signer, &format!("Bearer {claimed}.")).await, Err(Reason::Algorithm));
    let claimed = unsigned(&json!({ "alg": "RS256", "kid": "a" }), &claims(&json!({})));
    assert_eq!(identify(&signer, &format!("Bearer {claimed}.")).await, Err(Reason::Signature));
}

#[tokio::test]
async fn the_key_decides_the_algorithm() {
    let (rsa, p256) = (Signer::rsa(), Signer::p256());
    for (key, named) in [(&rsa, "ES256"), (&p256, "RS256")] {
        let token = key.sign(&json!({ "alg": named, "kid": "a" }), &claims(&json!({})));
        assert_eq!(identify(key, &token).await, Err(Reason::Algorithm), "{named}");
    }
}

#[tokio::test]
async fn another_key_or_changed_claims_do_not_fit_the_signature() {
    let (signer, other) = (Signer::p256(), Signer::p256());
    let token = other.token("a", &claims(&json!({})));
    assert_eq!(identify(&signer, &token).await, Err(Reason::Signature));

    let token = signer.token("a", &claims(&json!({})));
    let signature = token.rsplit_once('.').expect("a token").1;
    let header = json!({ "alg": "ES256", "kid": "a", "typ": "JWT" });
    let forged = unsigned(&header, &claims(&json!({ "partner": "south-clinic" })));
    assert_eq!(identify(&signer, &format!("Bearer {forged}.{signature}")).await, Err(Reason::Signature));
}

#[tokio::test]
async fn a_token_is_for_us_from_our_issuer() {
    assert_eq!(reason(json!({ "iss": "https://id.example.org/" })).await, Some(Reason::Issuer));
    assert_eq!(reason(json!({ "iss": null })).await, Some(Reason::Issuer));
    assert_eq!(reason(json!({ "iss": [ISSUER] })).await, Some(Reason::Issuer));
    assert_eq!(reason(json!({ "aud": "another-audience" })).await, Some(Reason::Audience));
    assert_eq!(reason(json!({ "aud": null })).await, Some(Reason::Audience));
    assert_eq!(reason(json!({ "aud": [] })).await, Some(Reason::Audience));
    assert_eq!(reason(json!({ "aud": format!("x {AUDIENCE}") })).await, Some(Reason::Audience));
    assert_eq!(reason(json!({ "aud": ["other", AUDIENCE] })).await, None);
}

#[tokio::test]
async fn time_counts_with_a_minute_of_skew() {
    assert_eq!(reason(json!({ "exp": NOW_S - 59 })).await, None);
    assert_eq!(reason(json!({ "exp": NOW_S - 60 })).await, Some(Reason::Expired));
    assert_eq!(reason(json!({ "exp": null })).await, Some(Reason::Claims));
    assert_eq!(reason(json!({ "exp": "never" })).await, Some(Reason::Claims));
    assert_eq!(reason(json!({ "exp": 0 })).await, Some(Reason::Expired));
    assert_eq!(reason(json!({ "nbf": NOW_S + 60 })).await, None);
    assert_eq!(reason(json!({ "nbf": NOW_S + 61 })).await, Some(Reason::NotYet));
    assert_eq!(reason(json!({ "nbf": null })).await, None);
    assert_eq!(reason(json!({ "nbf": "now" })).await, Some(Reason::Claims));
}

#[tokio::test]
async fn a_partner_is_a_name_and_a_subject_is_there() {
    for partner in
        [json!(null), json!(""), json!("North"), json!("../south"), json!(["north-clinic"]), json!(7)]
    {
        assert_eq!(reason(json!({ "partner": partner })).await, Some(Reason::Claims), "{partner}");
    }
    assert_eq!(reason(json!({ "sub": null })).await, Some(Reason::Claims));
    assert_eq!(reason(json!({ "sub": "" })).await, Some(Reason::Claims));
}

#[tokio::test]
async fn feeds_and_scopes_are_only_those_that_are_named() {
    let signer = Signer::p256();
    let caller = async |changes: Value| {
        identify(&signer, &signer.token("a", &claims(&changes))).await.expect("believed")
    };
    for (claim, feeds) in [
        (json!(null), ""),
        (json!([]), ""),
        (json!(""), ""),
        (json!("*"), "*"),
        (json!(["*"]), "*"),
        (json!("labs, charges"), "charges,labs"),
        (json!(["charges", "labs"]), "charges,labs"),
    ] {
        assert_eq!(caller(json!({ "feeds": claim })).await.feeds.to_text(), feeds, "{claim}");
    }
    for claim in [json!("labs *"), json!("../x"), json!(["Labs"])] {
        assert_eq!(reason(json!({ "feeds": claim })).await, Some(Reason::Claims), "{claim}");
    }
    let scopes = async |scope: Value, scp: Value| caller(json!({ "scope": scope, "scp": scp })).await.scopes;
    assert_eq!(scopes(json!(null), json!(["read"])).await, [Scope::Read].into());
    assert_eq!(scopes(json!("read"), json!("submit audit")).await, [Scope::Read, Scope::Submit].into());
    assert_eq!(scopes(json!("approve audit"), json!("")).await, [].into());
    assert_eq!(scopes(json!("operate"), json!("")).await, [Scope::Operate].into());
    assert_eq!(scopes(json!("Submit admin * submit:all"), json!(null)).await, [].into());
    let own = format!("{AUDIENCE}/submit https://other.example.org/read");
    assert_eq!(scopes(json!(own), json!(null)).await, [Scope::Submit].into());
}

#[tokio::test]
async fn without_the_claim_all_feeds_open_only_when_the_stack_says_so() {
    let signer = Signer::p256();
    let mut settings = settings();
    settings.expected.all_feeds = true;
    let issuer = Issuer::new(settings, Answers::new([Answers::keys([signer.jwk("a")])]));
    let feeds = async |claim: Value| {
        let token = signer.token("a", &claims(&json!({ "feeds": claim })));
        issuer.identify(&token, NOW_MS).await.expect("an answer").expect("believed").feeds
    };
    assert_eq!(feeds(json!(null)).await, Feeds::All);
    assert_eq!(feeds(json!([])).await, Feeds::parse(""));
}

/// Returns a token that stays valid for a day.
fn long_token(signer: &Signer, id: &str) -> String {
    signer.token(id, &claims(&json!({ "exp": NOW_S + 86_400 })))
}

#[tokio::test]
async fn a_rotated_key_is_found_by_asking_once_more() {
    let (old, new) = (Signer::p256(), Signer::rsa());
    let both = Answers::keys([old.jwk("old"), new.jwk("new")]);
    let answers = Answers::new([Answers::keys([old.jwk("old")]), both, Answers::keys([new.jwk("new")])]);
    let issuer = issuer(&answers);
    let ask = async |token: &str, after_s: u64| {
        let answer = issuer.identify(token, NOW_MS + after_s * 1_000).await.expect("an answer");
        (answer.err(), answers.asked())
    };
    let (old, new) = (long_token(&old, "old"), long_token(&new, "new"));
    assert_eq!(ask(&old, 0).await, (None, 1));
    assert_eq!(ask(&old, 599).await, (None, 1));
    assert_eq!(ask(&new, 599).await, (None, 2));
    assert_eq!(ask(&old, 599).await, (None, 2));
    // Ten minutes later the issuer has dropped the old key.
    assert_eq!(ask(&new, 1_199).await, (None, 3));
    assert_eq!(ask(&old, 1_199).await, (Some(Reason::UnknownKey), 3));
}

#[tokio::test]
async fn tokens_with_invented_keys_make_one_call_a_minute() {
    let signer = Signer::p256();
    let answers = Answers::new([Answers::keys([signer.jwk("a")])]);
    let issuer = issuer(&answers);
    for (after_s, asked) in [(0, 1), (1, 1), (59, 1), (60, 2), (61, 2), (119, 2), (120, 3)] {
        let token = signer.token(&format!("invented-{after_s}"), &claims(&json!({})));
        let answer = issuer.identify(&token, NOW_MS + after_s * 1_000).await;
        assert_eq!(answer, Ok(Err(Reason::UnknownKey)));
        assert_eq!(answers.asked(), asked, "after {after_s} s");
    }
}

#[tokio::test]
async fn known_keys_serve_for_an_hour_while_the_issuer_is_down() {
    let signer = Signer::p256();
    let answers = Answers::new([Answers::keys([signer.jwk("a")]), json!(null)]);
    let issuer = issuer(&answers);
    let token = long_token(&signer, "a");
    let ask = async |after_s: u64| {
        let answer = issuer.identify(&token, NOW_MS + after_s * 1_000).await;
        (answer.map(|answer| answer.is_ok()).map_err(|_| ()), answers.asked())
    };
    assert_eq!(ask(0).await, (Ok(true), 1));
    assert_eq!(ask(600).await, (Ok(true), 2));
    assert_eq!(ask(604).await, (Ok(true), 2));
    assert_eq!(ask(605).await, (Ok(true), 3));
    assert_eq!(ask(3_599).await, (Ok(true), 4));
    assert_eq!(ask(3_600).await, (Err(()), 4));
    assert_eq!(ask(3_605).await, (Err(()), 5));
}

#[tokio::test]
async fn a_document_without_a_usable_key_is_no_answer() {
    let signer = Signer::p256();
    let token = signer.token("a", &claims(&json!({})));
    let with = |name: &str, value: Value| {
        let mut jwk = signer.jwk("a");
        jwk[name] = value;
        json!({ "keys": [jwk] })
    };
    for document in [
        json!([]),
        json!({ "keys": [] }),
        json!({ "keys": [7] }),
        with("use", json!("enc")),
        with("alg", json!("HS256")),
        with("alg", json!("RS256")),
        with("crv", json!("P-384")),
        with("kty", json!("oct")),
        with("kid", json!(null)),
        with("x", json!("AAAA")),
    ] {
        let issuer = issuer(&Answers::new([document.clone()]));
        assert!(issuer.identify(&token, NOW_MS).await.is_err(), "{document}");
    }
    // One key that cannot be read does not spoil the others.
    let mixed = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519" }, signer.jwk("a")] });
    assert!(issuer(&Answers::new([mixed])).identify(&token, NOW_MS).await.expect("an answer").is_ok());
}

#[tokio::test]
async fn a_point_that_is_not_on_the_curve_verifies_nothing() {
    let signer = Signer::p256();
    let mut jwk = signer.jwk("a");
    jwk["y"] = jwk["x"].clone();
    let issuer = issuer(&Answers::new([Answers::keys([jwk])]));
    let answer = issuer.identify(&signer.token("a", &claims(&json!({}))), NOW_MS).await;
    assert_eq!(answer, Ok(Err(Reason::Signature)));
}

proptest::proptest! {
    #[test]
    fn no_claims_and_no_document_make_it_panic(claims: Vec<u8>, text: String) {
        drop(settings().expected.check(&claims, NOW_MS));
        drop(JwkSet::parse(&claims));
        let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": NOW_S, "sub": text, "partner": text,
            "feeds": text, "scope": text });
        if let Ok(caller) = settings().expected.check(claims.to_string().as_bytes(), NOW_MS) {
            proptest::prop_assert!(runtime::is_name(&caller.partner));
        }
    }
}
