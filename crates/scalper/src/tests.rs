mod audit;
mod backfill;
mod commands;
mod contracts;
mod copies;
mod doctor;
mod fakes;
mod harness;
mod holds;
mod interrupted;
mod open;
mod preview;
mod reading;
mod reading_shown;
mod redrive;
mod releases;
mod replay_acts;
mod rescues;
mod shown;
mod two_operators;
mod under_way;
mod uploads;
mod ways_back;
mod widths;

use std::sync::atomic::{AtomicU8, Ordering};

use authorizer::Authorizer;
use authorizer::fetch::OverHttps;
use clap::Parser as _;
use outbound::AddressPolicy;
use runtime::Host;
use serde_json::{Value, json};
use store::memory::Memory;
use store::{CredentialHash, Feeds, Scope, usage_key};

use crate::arguments::{Arguments, Command};
use crate::audited::{Audited, Auditor};
use crate::error::CommandError;
use crate::names::Stack;
use crate::partner::Operator;
use crate::report::{CommandReport, Style, WIDTH};
use fakes::FakeAws;

/// 2027-01-15T08:00:00Z.
const NOW_MS: u64 = 1_800_000_000_000;
const DAY_MS: u64 = 86_400_000;

/// A terminal as wide as most, without colours.
const TERMINAL: Style = Style { colours: false, width: Some(WIDTH) };
/// The same with colours.
const COLOURS: Style = Style { colours: true, ..TERMINAL };

/// A clock that stands still, and randomness that counts up.
fn host(now_ms: u64) -> Host {
    let counter = AtomicU8::new(0);
    Host {
        now_ms: Box::new(move || now_ms),
        random: Box::new(move || [counter.fetch_add(1, Ordering::Relaxed); 16]),
        metric: Box::new(|_| ()),
    }
}

/// A stack, whose randomness counts up: the first 32 bytes are all 0, the next all 1.
struct PartnerHarness {
    fake: FakeAws,
    now_ms: u64,
    operator: Operator<FakeAws, FakeAws, Memory, FakeAws>,
}

impl PartnerHarness {
    fn new() -> Self {
        let fake = FakeAws::default();
        let counter = AtomicU8::new(0);
        let operator = Operator {
            partners: fake.clone(),
            gateway: fake.clone(),
            uploads: Memory::new(),
            stack: Stack::parse("silent-scalper").expect("a name"),
            now_ms: NOW_MS,
            random: Box::new(move || Ok([counter.fetch_add(1, Ordering::Relaxed); 32])),
            policy: AddressPolicy::Public,
            auditor: Auditor::new(fake.clone(), host(NOW_MS)),
        };
        Self { fake, now_ms: NOW_MS, operator }
    }

    async fn run(&self, line: &str) -> Result<CommandReport, CommandError> {
        let words = ["scalper", "partner"].into_iter().chain(line.split(' '));
        let arguments = Arguments::try_parse_from(words).expect("a command");
        let Command::Partner(command) = arguments.command else { panic!("a partner command") };
        self.operator.run(command).await.and_then(Audited::finished)
    }

    /// The answer as JSON.
    async fn json(&self, line: &str) -> Value {
        let report = self.run(line).await.unwrap_or_else(|failure| panic!("{line}: {failure}"));
        serde_json::from_str(&report.to_json()).expect("JSON")
    }

    async fn failure(&self, line: &str) -> CommandError {
        match self.run(line).await {
            Ok(report) => panic!("{line}: {}", report.to_text(TERMINAL)),
            Err(failure) => failure,
        }
    }

    /// Makes a credential and returns its id and secret.
    async fn credential(&self, line: &str) -> (String, String) {
        let answer = self.json(line).await;
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (text(&answer["credential"]["id"]), text(&answer["secret"]))
    }

    /// What the authorizer says of a secret: `Allow`, `Deny` or `Unauthorized`.
    async fn authorize(&self, secret: &str) -> String {
        let now_ms = self.now_ms;
        let host = Host { now_ms: Box::new(move || now_ms), metric: Box::new(|_| ()), ..Host::system() };
        let authorizer =
            Authorizer::<_, OverHttps>::new(self.fake.clone(), None, telemetry::Metrics::all("Test"), host);
        let event = json!({
            "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/api/GET/v1/files",
            "headers": { "x-api-key": secret },
        });
        match authorizer.handle(&event).await {
            Ok(policy) => {
                policy["policyDocument"]["Statement"][0]["Effect"].as_str().expect("text").to_owned()
            }
            Err(rejection) => rejection.to_string(),
        }
    }
}

#[tokio::test]
async fn a_new_partner_comes_in_with_the_secret_that_is_shown() {
    let setup = PartnerHarness::new();
    let line = "add north --feeds labs,charges --scopes read --rate 7 --burst 9 --bytes-per-day 1000 \
                --expires-days 2 --requests-per-day 500";
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let (id, secret) = setup.credential(&line).await;
    assert_eq!(setup.authorize(&secret).await, "Allow");
    let fake = setup.fake.state();
    let limits = fake.partners["north"].limits;
    assert_eq!((limits.requests_per_second, limits.burst, limits.bytes_per_day), (7, 9, 1_000));
    let credential = &fake.credentials[&CredentialHash::of(&secret)];
    assert_eq!(credential.feeds, Feeds::parse("charges,labs"));
    assert_eq!(credential.scopes, [Scope::Read].into());
    assert_eq!(credential.expires_ms, Some(NOW_MS + 2 * DAY_MS));
    let plan = &fake.plans["silent-scalper.north"];
    assert_eq!((plan.rate, plan.burst, plan.requests_per_day), (7, 9, Some(500)));
    let key = &fake.keys[credential.gateway_key.as_deref().expect("a key")];
    assert_eq!(key.name, format!("silent-scalper.north.usage-{id}"));
    assert_eq!(key.value, usage_key(&id));
    assert_eq!(key.plan.as_deref(), Some("silent-scalper.north"));
}

#[tokio::test]
async fn two_partners_never_share_a_name_and_adding_again_changes_only_what_is_named() {
    let setup = PartnerHarness::new();
    let (id, secret) = setup.credential("add north --rate 7").await;
    let again = setup.json("add north --burst 3").await;
    assert_eq!((&again["did"], &again["credentials"][0]["id"]), (&json!("kept"), &json!(id)));
    assert_eq!(again.get("secret"), None);
    {
        let fake = setup.fake.state();
        let limits = fake.partners["north"].limits;
        assert_eq!((limits.requests_per_second, limits.burst), (7, 3));
        let plan = &fake.plans["silent-scalper.north"];
        assert_eq!((plan.rate, plan.burst), (7, 3));
        assert_eq!((fake.partners.len(), fake.credentials.len(), fake.keys.len()), (1, 1, 1));
    }
    assert_eq!(setup.authorize(&secret).await, "Allow");
}

#[tokio::test]
async fn both_credentials_work_during_a_rotation_and_there_are_never_three() {
    let setup = PartnerHarness::new();
    let (first, old) = setup.credential("add north --feeds labs --scopes read,submit").await;
    let (second, new) = setup.credential("rotate north").await;
    assert_eq!(
        (setup.authorize(&old).await, setup.authorize(&new).await),
        ("Allow".to_owned(), "Allow".to_owned())
    );
    assert_eq!(setup.fake.state().credentials[&CredentialHash::of(&new)].feeds, Feeds::parse("labs"));
    let three = setup.failure("rotate north").await;
    assert!(matches!(three, CommandError::TwoCredentials { .. }), "{three}");

    setup.json(&format!("revoke north {first}")).await;
    assert_eq!(
        (setup.authorize(&old).await, setup.authorize(&new).await),
        ("Unauthorized".to_owned(), "Allow".to_owned())
    );
    let (_, third) = setup.credential(&format!("rotate north --credential {second} --feeds *")).await;
    assert_eq!(setup.authorize(&third).await, "Allow");
    assert_eq!(setup.fake.state().credentials[&CredentialHash::of(&third)].feeds, Feeds::All);
}

#[tokio::test]
async fn a_revoked_credential_is_rejected_by_the_next_read_and_its_key_is_gone() {
    let setup = PartnerHarness::new();
    let (id, secret) = setup.credential("add north").await;
    assert_eq!(setup.authorize(&secret).await, "Allow");
    setup.json(&format!("revoke north {id}")).await;
    assert_eq!(setup.authorize(&secret).await, "Unauthorized");
    assert!(setup.fake.state().keys.is_empty());
    // Sent again it changes nothing, not even when it was revoked.
    let mut later = setup;
    later.operator.now_ms += 1;
    later.json(&format!("revoke north {id}")).await;
    let fake = later.fake.state();
    assert_eq!(fake.credentials[&CredentialHash::of(&secret)].revoked_ms, Some(NOW_MS));
}

#[tokio::test]
async fn after_the_last_credential_is_revoked_a_new_one_can_be_made() {
    let setup = PartnerHarness::new();
    let (id, _) = setup.credential("add north --feeds labs").await;
    setup.json(&format!("revoke north {id}")).await;
    let (_, secret) = setup.credential("rotate north").await;
    assert_eq!(setup.fake.state().credentials[&CredentialHash::of(&secret)].feeds, Feeds::parse("labs"));
    assert_eq!(setup.authorize(&secret).await, "Allow");
}

#[tokio::test]
async fn api_gateway_holds_no_credential_and_its_keys_open_nothing() {
    let setup = PartnerHarness::new();
    let (_, first) = setup.credential("add north").await;
    let (_, second) = setup.credential("rotate north").await;
    let values: Vec<String> = setup.fake.state().keys.values().map(|key| key.value.clone()).collect();
    assert_eq!(values.len(), 2);
    for value in values {
        assert!(value != first && value != second, "{value}");
        assert_eq!(setup.authorize(&value).await, "Unauthorized");
    }
}

#[tokio::test]
async fn a_deleted_plan_or_key_and_a_key_of_an_earlier_version_are_put_right_by_adding_again() {
    let setup = PartnerHarness::new();
    let (id, secret) = setup.credential("add north").await;
    let spoil: [fn(&mut fakes::FakeState, &str, &str); 3] = [
        // The plan was deleted: its keys are under none.
        |state, _, _| {
            state.plans.clear();
            state.keys.values_mut().for_each(|key| key.plan = None);
        },
        |state, _, _| state.keys.clear(),
        // The value was the credential, and the name its id.
        |state, id, secret| {
            let plan = Some("silent-scalper.north".to_owned());
            let key =
                fakes::FakeKey { name: format!("silent-scalper.north.{id}"), value: secret.to_owned(), plan };
            state.keys = [("old".to_owned(), key)].into();
            state.credentials.values_mut().for_each(|one| one.gateway_key = Some("old".to_owned()));
        },
    ];
    for spoil in spoil {
        spoil(&mut setup.fake.state(), &id, &secret);
        assert_eq!(setup.json("add north").await["did"], "kept");
        let fake = setup.fake.state();
        let (key, only) = fake.keys.first_key_value().expect("a key");
        assert_eq!((fake.keys.len(), &only.value), (1, &usage_key(&id)));
        assert_eq!(only.plan.as_deref(), Some("silent-scalper.north"));
        assert_eq!(fake.credentials[&CredentialHash::of(&secret)].gateway_key.as_ref(), Some(key));
    }
    assert_eq!(setup.authorize(&secret).await, "Allow");
}

#[tokio::test]
async fn a_credential_ends_on_its_day_and_the_next_rotation_deletes_its_key() {
    let mut setup = PartnerHarness::new();
    let (_, secret) = setup.credential("add north --expires-days 1").await;
    setup.now_ms += DAY_MS;
    setup.operator.now_ms += DAY_MS;
    assert_eq!(setup.authorize(&secret).await, "Unauthorized");
    let (id, _) = setup.credential("rotate north").await;
    let values: Vec<String> = setup.fake.state().keys.values().map(|key| key.value.clone()).collect();
    assert_eq!(values, [usage_key(&id)]);
}

#[tokio::test]
async fn a_suspended_partner_is_denied_until_it_is_let_in_again() {
    let setup = PartnerHarness::new();
    let (_, secret) = setup.credential("add north").await;
    setup.json("suspend north").await;
    assert_eq!(setup.authorize(&secret).await, "Deny");
    setup.json("add north --rate 3").await;
    assert_eq!(setup.authorize(&secret).await, "Deny");
    setup.json("resume north").await;
    assert_eq!(setup.authorize(&secret).await, "Allow");
}

#[tokio::test]
async fn a_webhook_keeps_its_secret_until_it_is_rotated_and_then_both_sign() {
    let setup = PartnerHarness::new();
    setup.json("add north").await;
    let url = "https://hooks.example.org/in";
    let first = setup.json(&format!("webhook north --url {url}")).await;
    let secret = |answer: &Value| answer["secret"].as_str().map(str::to_owned);
    let kept = setup.json(&format!("webhook north --url {url}2")).await;
    assert_eq!((secret(&kept), &kept["url"]), (None, &json!(format!("{url}2"))));
    let second = setup.json("webhook north --rotate").await;
    {
        let fake = setup.fake.state();
        let webhook = &fake.webhooks["north"];
        assert_eq!(
            (Some(webhook.secret.clone()), webhook.previous_secret.clone()),
            (secret(&second), secret(&first))
        );
        assert_ne!(secret(&first), secret(&second));
    }
    setup.json("webhook north --remove").await;
    assert!(setup.fake.state().webhooks.is_empty());
    assert!(matches!(setup.failure("webhook north --rotate").await, CommandError::NoWebhook { .. }));
    for url in ["http://hooks.example.org/", "https://127.0.0.1/", "https://user@hooks.example.org/"] {
        let failure = setup.failure(&format!("webhook north --url {url}")).await;
        assert_eq!(failure.exit_code(), 2, "{failure}");
    }
}

#[tokio::test]
async fn a_role_is_one_partners_and_named_without_its_path() {
    let setup = PartnerHarness::new();
    setup.json("add north").await;
    setup.json("add south").await;
    setup.json("role north arn:aws:iam::123456789012:role/path/sender --feeds labs --scopes read").await;
    let arn = "arn:aws:iam::123456789012:role/sender";
    let first = setup.fake.state().roles[arn].clone();
    assert_eq!((first.feeds.clone(), first.gateway_key.clone()), (Feeds::parse("labs"), None));
    setup.json(&format!("role north {arn}")).await;
    assert_eq!(setup.fake.state().roles[arn].id, first.id);
    let taken = setup.failure(&format!("role south {arn}")).await;
    assert!(matches!(taken, CommandError::RoleTaken { .. }), "{taken}");
    let other = setup.failure(&format!("role south {arn} --remove")).await;
    assert!(matches!(other, CommandError::NoSuchRole { .. }), "{other}");
    setup.json(&format!("role north {arn} --remove")).await;
    assert!(setup.fake.state().roles.is_empty());
}

#[tokio::test]
async fn what_is_not_understood_calls_nothing() {
    let setup = PartnerHarness::new();
    for line in [
        "add North",
        "add ../north",
        "add north --feeds Labs",
        "add north --feeds ,",
        "add north --scopes admin",
        "add north --scopes approve",
        "role north arn:aws:iam::123456789012:role/sender --scopes read,audit",
        "role north sender",
        "webhook north --url ftp://x.example.org/",
    ] {
        let failure = setup.failure(line).await;
        assert_eq!(failure.exit_code(), 2, "{line}: {failure}");
    }
    assert_eq!(setup.fake.state().calls, 0);
    for line in
        ["rotate north", "revoke north abcdefghijkl", "list north", "suspend north", "webhook north --remove"]
    {
        let failure = setup.failure(line).await;
        assert_eq!(failure.exit_code(), 3, "{line}: {failure}");
    }
}

#[test]
fn the_command_line_is_complete_and_its_ranges_hold() {
    <Arguments as clap::CommandFactory>::command().debug_assert();
    for line in [
        "partner add",
        "partner add north --rate 0",
        "partner add north --expires-days 0",
        "partner webhook north",
        "partner webhook north --rotate --remove",
        "partner webhook north --url https://a.example.org --rotate",
        "partner revoke north",
        "partner s3",
        "partner s3 north --all",
        "partner s3 --all --remove",
        "partner s3 --all --principal arn:aws:iam::123456789012:root",
        "doctor now",
    ] {
        let words = std::iter::once("scalper").chain(line.split(' '));
        assert!(Arguments::try_parse_from(words).is_err(), "{line}");
    }
}
