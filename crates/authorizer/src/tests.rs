use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::json;
use store::memory::{Memory, When};
use store::{Credential, CredentialHash, Feeds, Partner, PartnerLimits, Scope, WritePartners as _};

use super::*;
use crate::minting::{Answers, NOW_MS, Signer, claims, settings};

const STAGE: &str = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/api";
const SECRET: &str = "ssk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

struct CallerCase {
    memory: Memory,
    authorizer: Authorizer<Memory, Answers>,
    metrics: Arc<Mutex<Vec<Value>>>,
}

fn partner() -> Partner {
    Partner { name: "north-clinic".to_owned(), active: true, limits: PartnerLimits::DEFAULT, created_ms: 1 }
}

fn credential() -> Credential {
    Credential {
        id: "abcdefghijkl".to_owned(),
        partner: "north-clinic".to_owned(),
        feeds: Feeds::parse("charges,labs"),
        scopes: BTreeSet::from([Scope::Submit, Scope::Read]),
        created_ms: 1,
        expires_ms: None,
        revoked_ms: None,
        gateway_key: Some("key".to_owned()),
    }
}

impl CallerCase {
    async fn new(answers: Option<Answers>) -> Self {
        let memory = Memory::default();
        memory.put_partner(&partner()).await.expect("a partner");
        memory.put_credential(&CredentialHash::of(SECRET), &credential()).await.expect("a credential");
        let metrics: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = metrics.clone();
        let host = Host {
            now_ms: Box::new(|| NOW_MS),
            random: Box::new(|| [7; 16]),
            metric: Box::new(move |line| {
                kept.lock().expect("unpoisoned").push(serde_json::from_str(line).expect("JSON"));
            }),
        };
        let issuer = answers.map(|answers| Issuer::new(settings(), answers));
        let authorizer = Authorizer::new(memory.clone(), issuer, telemetry::Metrics::all("Test"), host);
        Self { memory, authorizer, metrics }
    }

    async fn ask(&self, path: &str, headers: Value) -> Result<Value, AuthorizeError> {
        let event =
            json!({ "type": "REQUEST", "methodArn": format!("{STAGE}/GET/{path}"), "headers": headers });
        self.authorizer.handle(&event).await
    }

    async fn ask_key(&self, secret: &str) -> Result<Value, AuthorizeError> {
        self.ask("v1/files", json!({ "x-api-key": secret })).await
    }

    async fn put(&self, change: impl FnOnce(&mut Credential)) {
        let mut credential = credential();
        change(&mut credential);
        self.memory.put_credential(&CredentialHash::of(SECRET), &credential).await.expect("changed");
    }

    /// Returns the last decision with its reason.
    fn decided(&self) -> (String, String) {
        let metrics = self.metrics.lock().expect("unpoisoned");
        let last = metrics.last().expect("a decision");
        let text = |name: &str| last[name].as_str().unwrap_or_default().to_owned();
        (text("decision"), text("reason"))
    }

    fn rejected(&self, answer: &Result<Value, AuthorizeError>, reason: &str) {
        assert_eq!(answer, &Err(AuthorizeError::Unauthorized));
        assert_eq!(self.decided(), ("unauthorized".to_owned(), reason.to_owned()));
    }
}

#[tokio::test]
async fn a_key_opens_its_tree_and_says_who_and_what() {
    let case = CallerCase::new(None).await;
    let policy = case.ask_key(SECRET).await.expect("allowed");
    let resources: Vec<String> =
        ["GET", "POST", "DELETE"].map(|method| format!("{STAGE}/{method}/v1/*")).into();
    let expected = json!({
        "principalId": "north-clinic",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resources }],
        },
        "context": {
            "partner": "north-clinic", "feeds": "charges,labs", "scopes": "submit read",
            "credential": "abcdefghijkl", "rate": "10", "burst": "50", "bytesPerDay": "21474836480",
        },
        // What `printf abcdefghijkl | sha256sum` prints.
        "usageIdentifierKey": "usage-d682ed4ca4d989c134ec94f1551e1ec580dd6d5a6ecde9f3d35e6e4a717fbde4",
    });
    assert_eq!(policy, expected);
}

#[tokio::test]
async fn the_key_that_counts_requests_opens_nothing_when_it_is_presented() {
    let case = CallerCase::new(None).await;
    let policy = case.ask_key(SECRET).await.expect("allowed");
    let counted = policy["usageIdentifierKey"].as_str().expect("a key").to_owned();
    assert!(!counted.contains(SECRET) && !counted.contains(CredentialHash::of(SECRET).as_str()));
    for presented in [
        counted.clone(),
        counted.replace("usage-", "ssk_"),
        format!("ssk_{}", counted.chars().skip(6).take(43).collect::<String>()),
    ] {
        assert_eq!(case.ask_key(&presented).await, Err(AuthorizeError::Unauthorized), "{presented}");
    }
}

#[tokio::test]
async fn a_token_opens_its_own_tree() {
    let signer = Signer::p256();
    let case = CallerCase::new(Some(Answers::new([Answers::keys([signer.jwk("a")])]))).await;
    let headers = json!({ "Authorization": signer.token("a", &claims(&json!({}))) });
    let policy = case.ask("oauth/v1/files", headers.clone()).await.expect("allowed");
    let resource = &policy["policyDocument"]["Statement"][0]["Resource"];
    assert_eq!(resource[0], format!("{STAGE}/GET/oauth/v1/*"));
    assert_eq!(policy.get("usageIdentifierKey"), None, "its routes are under no usage plan");
    let context = &policy["context"];
    assert_eq!((&context["partner"], &context["feeds"]), (&json!("north-clinic"), &json!("labs")));
    assert!(context["credential"].as_str().expect("text").starts_with("jwt:"));

    case.rejected(&case.ask("v1/files", headers).await, "absent");
    case.rejected(&case.ask("oauth/v1/files", json!({ "x-api-key": SECRET })).await, "absent");
    let unknown = signer.token("a", &claims(&json!({ "partner": "unknown-partner" })));
    case.rejected(&case.ask("oauth/v1/files", json!({ "authorization": unknown })).await, "unknown");
    let powerless = signer.token("a", &claims(&json!({ "scope": "openid" })));
    let policy = case.ask("oauth/v1/files", json!({ "authorization": powerless })).await.expect("a policy");
    assert_eq!(policy["policyDocument"]["Statement"][0]["Effect"], "Deny");
}

#[tokio::test]
async fn without_an_issuer_a_token_opens_nothing() {
    let case = CallerCase::new(None).await;
    let token = Signer::p256().token("a", &claims(&json!({})));
    case.rejected(&case.ask("oauth/v1/files", json!({ "authorization": token })).await, "no-issuer");
}

#[tokio::test]
async fn nothing_but_a_valid_key_is_allowed() {
    let case = CallerCase::new(None).await;
    let last_changed = SECRET.replace("EFG", "EFH");
    case.rejected(&case.ask_key(&last_changed).await, "unknown");
    let shorter = SECRET.trim_end_matches('G');
    let hash = CredentialHash::of(SECRET);
    for text in ["", "ssk_", "Bearer x", shorter, &format!("{SECRET}G"), &format!("{SECRET} "), hash.as_str()]
    {
        case.rejected(&case.ask_key(text).await, "malformed");
    }
    case.rejected(&case.ask("v1/files", json!({})).await, "absent");
    case.rejected(&case.ask("iam/v1/files", json!({ "x-api-key": SECRET })).await, "route");
    assert_eq!(case.authorizer.handle(&json!(null)).await, Err(AuthorizeError::Unauthorized));
}

#[tokio::test]
async fn a_revoked_or_ended_key_is_rejected_by_the_next_question() {
    let case = CallerCase::new(None).await;
    assert!(case.ask_key(SECRET).await.is_ok());
    case.put(|credential| credential.revoked_ms = Some(NOW_MS)).await;
    case.rejected(&case.ask_key(SECRET).await, "revoked");
    case.put(|credential| credential.expires_ms = Some(NOW_MS)).await;
    case.rejected(&case.ask_key(SECRET).await, "expired");
    case.put(|credential| credential.expires_ms = Some(NOW_MS + 1)).await;
    assert!(case.ask_key(SECRET).await.is_ok());
    case.put(|credential| credential.partner = "gone".to_owned()).await;
    case.rejected(&case.ask_key(SECRET).await, "unknown");
}

#[tokio::test]
async fn a_suspended_partner_and_a_powerless_key_are_denied() {
    let case = CallerCase::new(None).await;
    case.put(|credential| credential.scopes.clear()).await;
    let denied = case.ask_key(SECRET).await.expect("a policy");
    assert_eq!(case.decided().1, "no-scope");
    let statement = &denied["policyDocument"]["Statement"][0];
    assert_eq!(
        (&statement["Effect"], &statement["Resource"]),
        (&json!("Deny"), &json!(format!("{STAGE}/*")))
    );
    assert_eq!(denied.get("context"), None);

    case.put(|_| ()).await;
    case.memory.put_partner(&Partner { active: false, ..partner() }).await.expect("suspended");
    assert_eq!(case.ask_key(SECRET).await, Ok(denied));
    assert_eq!(case.decided(), ("deny".to_owned(), "suspended".to_owned()));
}

#[tokio::test]
async fn a_failing_service_is_an_error_and_not_a_rejection() {
    for call in [1, 2] {
        let case = CallerCase::new(Some(Answers::new([json!(null)]))).await;
        let made = case.memory.calls().len();
        case.memory.fail_at(made + call, When::BeforeEffect);
        assert_eq!(case.ask_key(SECRET).await, Err(AuthorizeError::Failed));
        assert_eq!(case.decided(), ("failed".to_owned(), String::new()));
        let token = json!({ "authorization": Signer::p256().token("a", &claims(&json!({}))) });
        assert_eq!(case.ask("oauth/v1/files", token).await, Err(AuthorizeError::Failed));
    }
}

#[tokio::test]
async fn a_failing_service_and_a_panic_are_counted_for_the_alarms_of_all_functions() {
    let case = CallerCase::new(None).await;
    let made = case.memory.calls().len();
    case.memory.fail_at(made + 1, When::BeforeEffect);
    case.memory.before(made + 2, async |_| panic!("in the middle of a call"));
    for _ in 0..2 {
        assert_eq!(case.ask_key(SECRET).await, Err(AuthorizeError::Failed));
    }
    let metrics = case.metrics.lock().expect("unpoisoned");
    let counted = |name: &str| metrics.iter().filter_map(|line| line[name].as_u64()).sum::<u64>();
    assert_eq!(["RetryableErrors", "Panics", "AccessesFailed"].map(counted), [1, 1, 2]);
    let rejected =
        CheckError::from(store::Error::new(store::Operation::ReadPartner, "AccessDeniedException"));
    assert_eq!(rejected.occurrence(), Occurrence::AccessError);
}

#[tokio::test]
async fn an_unknown_key_costs_the_same_reads() {
    let case = CallerCase::new(None).await;
    let reads = async |secret: &str| {
        let before = case.memory.calls().len();
        drop(case.ask_key(secret).await);
        case.memory.calls()[before..].to_vec()
    };
    assert_eq!(reads(SECRET).await, reads(&SECRET.replace("EFG", "EFH")).await);
}

#[tokio::test]
async fn no_secret_is_in_a_metric_or_an_error() {
    let signer = Signer::p256();
    let case = CallerCase::new(Some(Answers::new([Answers::keys([signer.jwk("a")])]))).await;
    let token = signer.token("a", &claims(&json!({})));
    for secret in [SECRET, "ssk_wrong", &SECRET.replace("EFG", "EFH")] {
        drop(case.ask_key(secret).await);
    }
    drop(case.ask("oauth/v1/files", json!({ "authorization": token })).await);
    let metrics = format!("{:?}", case.metrics.lock().expect("unpoisoned"));
    assert!(
        metrics.contains("abcdefghijkl") && !metrics.contains("ssk_") && !metrics.contains("client-7"),
        "{metrics}"
    );
    let hash = CredentialHash::of(SECRET);
    assert!(!metrics.contains(hash.as_str()) && !metrics.contains(token.trim_start_matches("Bearer ")));
}

#[test]
fn the_rejection_is_the_word_that_api_gateway_knows() {
    assert_eq!(Diagnostic::from(AuthorizeError::Unauthorized).error_message, "Unauthorized");
    assert_ne!(Diagnostic::from(AuthorizeError::Failed).error_message, "Unauthorized");
}

proptest! {
    #[test]
    fn no_text_is_allowed(secret in "(ssk_)?[A-Za-z0-9_-]{0,50}|.*") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let case = CallerCase::new(None).await;
            for path in ["v1/files", "oauth/v1/files"] {
                let headers = json!({ "x-api-key": secret, "authorization": secret });
                assert_eq!(case.ask(path, headers).await, Err(AuthorizeError::Unauthorized));
            }
        });
    }
}
