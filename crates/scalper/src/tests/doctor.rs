//! What `doctor` finds, part by part.

use store::aws::Home;
use store::memory::{Parts, When};
use store::{
    AlarmState, Depth, Partner, PartnerLimits, QueueNotification, S3Principals as _, StackQueue,
    Subscription, WritePartners as _,
};

use super::*;
use crate::doctor::{Diagnosis, Doctor, Known, Level};
use crate::reading::Places;

const CONTRACT: &str = "apiVersion: v3.1.0
kind: DataContract
id: labs
version: 1.2.0
status: active
servers:
  - {server: inbox, type: s3, location: s3://inbox/*/labs/, format: csv}
schema:
  - name: labs
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
";
const SENDER: &str = "arn:aws:iam::210987654321:role/sender";

fn whole() -> Memory {
    let memory = Memory::new();
    memory.publish_contract("labs", CONTRACT);
    memory
}

async fn examine(memory: &Memory) -> Diagnosis {
    examine_with(memory, &FakeAws::default()).await
}

async fn examine_with(memory: &Memory, gateway: &FakeAws) -> Diagnosis {
    let stack = Stack::parse("silent-scalper").expect("a name");
    let home = Home {
        partition: "aws".to_owned(),
        region: "eu-central-1".to_owned(),
        account: "123456789012".to_owned(),
    };
    let known = Known { places: Places::new(&stack, home), stack, now_ms: NOW_MS };
    let doctor = Doctor {
        store: memory.clone(),
        queues: memory.clone(),
        checkup: memory.clone(),
        uploads: memory.clone(),
        gateway: gateway.clone(),
        known,
    };
    doctor.examine().await
}

/// The findings that are not as they should be, as `level check: what`.
fn wrong(diagnosis: &Diagnosis) -> Vec<String> {
    let findings = diagnosis.findings.iter().filter(|finding| finding.level != Level::Ok);
    findings
        .map(|finding| format!("{} {}: {}", finding.level.as_str(), finding.check, finding.what))
        .collect()
}

/// Changes a part, and expects one finding that begins so, with a command that holds this.
async fn check(change: impl FnOnce(&mut Parts), expected: &str, command: &str) {
    let memory = whole();
    memory.change_parts(change);
    let diagnosis = examine(&memory).await;
    let found = wrong(&diagnosis);
    let [only] = &found[..] else { panic!("expected {expected}, found {found:?}") };
    assert!(only.starts_with(expected), "expected {expected}, found {only}");
    let finding = diagnosis.findings.iter().find(|finding| finding.level != Level::Ok).expect("a finding");
    let given = finding.command.clone().unwrap_or_default();
    assert!(given.contains(command), "{given}");
    assert!(finding.advice.is_some(), "{only}");
    assert_eq!(diagnosis.exit_code(), u8::from(expected.starts_with("fail")));
}

#[tokio::test]
async fn a_stack_as_the_template_makes_it_has_nothing_wrong() {
    let diagnosis = examine(&whole()).await;
    assert_eq!(wrong(&diagnosis), [""; 0]);
    assert_eq!(diagnosis.exit_code(), 0);
    insta::assert_snapshot!(diagnosis.to_text(TERMINAL));
    let marked = diagnosis.to_text(COLOURS);
    assert!(
        marked.starts_with("\u{1b}[32mok\u{1b}[0m    queue policy   silent-scalper-inbox takes"),
        "{marked}"
    );
}

#[tokio::test]
async fn a_valid_credential_whose_key_is_under_no_plan_is_found_with_the_command_that_helps() {
    let setup = PartnerHarness::new();
    let (_, secret) = setup.credential("add north").await;
    setup.json("add south").await;
    let memory = whole();
    let partners: Vec<_> = setup.fake.state().partners.values().cloned().collect();
    for partner in &partners {
        memory.put_partner(partner).await.expect("kept");
    }
    let look = async || {
        let credentials = setup.fake.state().credentials.clone();
        for (hash, credential) in &credentials {
            memory.put_credential(hash, credential).await.expect("kept");
        }
        examine_with(&memory, &setup.fake).await
    };
    let whole = look().await;
    assert_eq!(wrong(&whole), [""; 0]);
    let said = whole.to_text(TERMINAL);
    assert!(said.contains("valid API keys, all in their usage plans: 2"), "{said}");

    // The plan was deleted and made anew.
    setup
        .fake
        .state()
        .keys
        .values_mut()
        .filter(|key| key.name.contains("north"))
        .for_each(|key| key.plan = None);
    insta::assert_snapshot!(look().await.to_text(TERMINAL));
    setup.json("add north").await;
    assert_eq!(wrong(&look().await), [""; 0]);

    // A key of an earlier version.
    let old =
        fakes::FakeKey { name: "silent-scalper.north.abcdefghijkl".to_owned(), value: secret, plan: None };
    setup.fake.state().keys.insert("old".to_owned(), old);
    let [only] = &wrong(&look().await)[..] else { panic!("one finding") };
    assert!(only.starts_with("warn API keys: north: keys of an earlier version"), "{only}");
    setup.json("add north").await;
    assert_eq!(wrong(&look().await), [""; 0]);

    // What API Gateway does not return is not known.
    setup.fake.state().fault = Some((0, fakes::FakeFailure::BeforeEffect));
    let [only] = &wrong(&look().await)[..] else { panic!("one finding") };
    assert!(only.starts_with("? API keys: could not check: AWS did not answer"), "{only}");
}

#[tokio::test]
async fn a_notification_that_another_tool_replaced_is_found() {
    let put = "put-bucket-notification-configuration --bucket silent-scalper-inbox-123456789012-eu-central-1";
    check(|parts| parts.notifications.queues.clear(), "fail notification: new files are not announced", put)
        .await;
    let other = |parts: &mut Parts| parts.notifications.queues[0].queue = "arn:aws:sqs:x:1:other".to_owned();
    check(other, "fail notification: new files are not announced", "get-bucket-notification").await;
    let filtered = |parts: &mut Parts| parts.notifications.queues[0].filtered = true;
    check(filtered, "fail notification: only some", "put-bucket").await;
    let some =
        |parts: &mut Parts| parts.notifications.queues[0].events = vec!["s3:ObjectCreated:Put".to_owned()];
    check(some, "fail notification: only some", "put-bucket").await;
    let memory = whole();
    memory.change_parts(|parts| {
        let more = QueueNotification { queue: "other".to_owned(), events: Vec::new(), filtered: false };
        parts.notifications.queues.push(more);
        parts.notifications.others = 1;
    });
    assert_eq!(wrong(&examine(&memory).await), [""; 0], "others may listen too");
}

#[tokio::test]
async fn a_bucket_without_versions_and_a_queue_that_takes_nothing_are_found() {
    check(|parts| parts.versioned = false, "fail versions: ", "put-bucket-versioning").await;
    check(
        |parts| parts.inbox_queue = None,
        "fail queue policy: the queue silent-scalper-inbox is missing",
        "",
    )
    .await;
    let policy = |policy: Option<&'static str>| {
        move |parts: &mut Parts| {
            parts.inbox_queue.as_mut().expect("a queue").policy = policy.map(str::to_owned);
        }
    };
    let expected = "fail queue policy: silent-scalper-inbox does not take";
    check(policy(None), expected, "set-queue-attributes --queue-url https://").await;
    check(policy(Some("no JSON")), expected, "InboxBucketNotifies").await;
    let deny = r#"{"Statement":{"Sid":"Kept","Effect":"Deny","Principal":"*","Action":"sqs:*"}}"#;
    check(policy(Some(deny)), expected, "Kept").await;
    let foreign = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"SQS:SendMessage",
        "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::other"}}}]}"#;
    check(policy(Some(foreign)), expected, "").await;
    let pattern = foreign.replace("other", "silent-scalper-*");
    let memory = whole();
    memory.change_parts(|parts| parts.inbox_queue.as_mut().expect("a queue").policy = Some(pattern));
    assert_eq!(wrong(&examine(&memory).await), [""; 0]);
}

#[tokio::test]
async fn an_event_source_that_is_off_or_forgets_failures_is_found() {
    check(|parts| parts.mappings.clear(), "fail event source: nothing calls", "create-event-source-mapping")
        .await;
    let off = |parts: &mut Parts| parts.mappings[0].state = "Disabled".to_owned();
    check(
        off,
        "fail event source: the event source",
        "--uuid 0a1b2c3d-0000-4000-8000-000000000001 --enabled",
    )
    .await;
    let changing = |parts: &mut Parts| parts.mappings[0].state = "Updating".to_owned();
    check(changing, "warn event source", "").await;
    let forgetful = |parts: &mut Parts| parts.mappings[0].reports_failures = false;
    check(forgetful, "fail event source", "ReportBatchItemFailures").await;
}

#[tokio::test]
async fn a_new_account_s_concurrency_is_held_against_the_processor_s() {
    let account = |limit: u64, maximum: u64| {
        move |parts: &mut Parts| {
            parts.account_concurrency.limit = limit;
            parts.account_concurrency.unreserved = limit;
            parts.mappings[0].maximum_concurrency = Some(maximum);
        }
    };
    check(account(10, 10), "fail concurrency", "request-service-quota-increase").await;
    check(account(10, 6), "warn concurrency", "L-B99A9384").await;
    let memory = whole();
    memory.change_parts(account(10, 5));
    assert_eq!(wrong(&examine(&memory).await), [""; 0]);
}

#[tokio::test]
async fn dead_letters_and_a_queue_that_is_gone_are_found() {
    let memory = whole();
    memory.set_depth(StackQueue::InboxDeadLetters, Some(Depth { waiting: 2, in_flight: 1 }));
    memory.set_depth(StackQueue::WebhookDeadLetters, None);
    let diagnosis = examine(&memory).await;
    assert_eq!(
        wrong(&diagnosis),
        [
            "fail dead letters: messages in silent-scalper-inbox-dead-letters: 3",
            "fail dead letters: the queue silent-scalper-webhooks-dead-letters is missing",
        ]
    );
}

#[tokio::test]
async fn contracts_that_do_not_compile_are_shown_with_their_place() {
    let memory = Memory::new();
    assert!(wrong(&examine(&memory).await)[0].starts_with("warn contracts: no contract is published"));
    memory.publish_contract("charges", CONTRACT.replace("kind: DataContract", "kind: DataContact"));
    memory.publish_contract("draft", CONTRACT.replace("status: active", "status: draft"));
    memory.publish_contract("labs", CONTRACT);
    memory.publish_contract("visits", vec![0xff_u8]);
    let found = wrong(&examine(&memory).await);
    assert!(found[0].starts_with("fail contracts: does not compile: charges.odcs.yaml:2:"), "{found:?}");
    assert!(found[1].starts_with("warn contracts: draft.odcs.yaml is not active"), "{found:?}");
    assert_eq!(
        found[2],
        "fail contracts: does not compile: visits.odcs.yaml: found bytes that are not UTF-8, expected a YAML document"
    );
    assert_eq!(found.len(), 3);
}

#[tokio::test]
async fn a_broken_contract_says_which_version_is_in_force_until_it_is_corrected() {
    let broken = CONTRACT.replace("kind: DataContract", "kind: DataContact");
    let advice = async |versions: &[&str]| {
        let memory = whole();
        for version in versions {
            memory.publish_contract("charges", (*version).to_owned());
        }
        let diagnosis = examine(&memory).await;
        let finding = diagnosis.findings.into_iter().find(|finding| finding.level == Level::Fail);
        let finding = finding.expect("a finding");
        assert!(finding.what.starts_with("does not compile: charges.odcs.yaml:2:"), "{}", finding.what);
        let command = "aws s3 cp --region eu-central-1 charges.odcs.yaml \
                       s3://silent-scalper-contracts-123456789012-eu-central-1/";
        assert_eq!(finding.command.as_deref(), Some(command));
        finding.advice.expect("advice")
    };
    let draft = CONTRACT.replace("status: active", "status: draft");
    assert_eq!(
        advice(&[CONTRACT, &broken]).await,
        "correct the document and publish it; until then version 1.2.0 stays in force"
    );
    assert_eq!(
        advice(&[&draft, &broken]).await,
        "correct the document and publish it; until then version 1.2.0 is in force, which is not active: files of the feed are \
         quarantined"
    );
    assert_eq!(
        advice(&[&broken, &broken]).await,
        "correct the document and publish it; until then files of the feed are quarantined: none of its newest versions \
         compiles (at most 20 are tried)"
    );
}

#[tokio::test]
async fn a_document_that_is_named_after_no_feed_is_never_called_in_force() {
    let memory = whole();
    memory.publish_contract("old/Lab Results", CONTRACT);
    let diagnosis = examine(&memory).await;
    assert_eq!(
        wrong(&diagnosis),
        [
            "warn contracts: old/Lab Results.odcs.yaml is the contract of no feed: `old/Lab Results` is not a feed name (a \
             lower-case letter or digit, then lower-case letters, digits, `-` or `_`, at most 63 in all)"
        ]
    );
    let finding = diagnosis.findings.iter().find(|finding| finding.level == Level::Warn).expect("a finding");
    let advice =
        "rename it to the feed, the second folder of its files' keys; no file is checked by it until then";
    assert_eq!(finding.advice.as_deref(), Some(advice));
    let bucket = "s3://silent-scalper-contracts-123456789012-eu-central-1";
    let command = format!(
        "aws s3 mv --region eu-central-1 '{bucket}/old/Lab Results.odcs.yaml' {bucket}/<feed>.odcs.yaml"
    );
    assert_eq!(finding.command.as_ref(), Some(&command));
    assert_eq!(diagnosis.exit_code(), 0);
}

#[tokio::test]
async fn a_contract_that_does_not_fit_its_feed_is_shown_and_nothing_fails() {
    let memory = whole();
    memory.publish_contract("charges", CONTRACT);
    memory.publish_contract("labs", CONTRACT.replace("s3://inbox/", "s3://archive/"));
    let diagnosis = examine(&memory).await;
    let found = wrong(&diagnosis);
    assert_eq!(
        found,
        [
            "warn contracts: charges.odcs.yaml:3:5: found the id `labs`, expected `charges`, the name of the feed; a contract \
             is for the feed that its file is named after: `charges.odcs.yaml` (and 1 more)",
            "warn contracts: labs.odcs.yaml:7:41: found the bucket `archive`, expected \
             `silent-scalper-inbox-123456789012-eu-central-1`, the inbox of this stack, or `inbox`; files are taken from \
             the inbox only",
        ]
    );
    assert_eq!(diagnosis.exit_code(), 0);
}

#[tokio::test]
async fn uploads_by_s3_that_are_not_as_remembered_are_found() {
    let memory = whole();
    for (name, active) in [("north", true), ("west", false)] {
        let partner =
            Partner { name: name.to_owned(), active, limits: PartnerLimits::DEFAULT, created_ms: 1 };
        memory.put_partner(&partner).await.expect("kept");
    }
    let one = std::collections::BTreeSet::from([SENDER.to_owned()]);
    memory.put_s3_principals("north", &one).await.expect("kept");
    memory.put_s3_principals("west", &one).await.expect("kept");
    let diagnosis = examine(&memory).await;
    let [missing, unread] = &wrong(&diagnosis)[..] else { panic!("{:?}", wrong(&diagnosis)) };
    assert!(missing.starts_with("fail S3 uploads: principals of north that cannot upload: 1"), "{missing}");
    assert!(
        unread.starts_with("fail S3 uploads: principals of north that cannot read the outbox: 1"),
        "{unread}"
    );
    let commands: Vec<_> =
        diagnosis.findings.iter().filter_map(|finding| finding.command.as_deref()).collect();
    assert_eq!(commands, ["scalper partner s3 --all"; 2]);

    let outbox = "arn:aws:s3:::silent-scalper-outbox-123456789012-eu-central-1";
    let reads = |partner: &str| {
        let id = |kind: &str| format!("Scalper{kind}0{partner}");
        let (objects, prefix) = (format!("{outbox}/{partner}/*"), format!("{partner}/*"));
        [
            json!({ "Sid": id("Reads"), "Effect": "Allow", "Principal": { "AWS": SENDER },
                "Action": "s3:GetObject", "Resource": objects }),
            json!({ "Sid": id("Lists"), "Effect": "Allow", "Principal": { "AWS": SENDER },
                "Action": "s3:ListBucket", "Resource": outbox, "Condition": { "StringLike": { "s3:prefix": prefix } } }),
        ]
    };
    let [read, list] = reads("north");
    let policy = json!({ "Statement": [read, list, reads("other")[1]] });
    memory.set_outbox_policy(Some(&policy.to_string()));
    let found = wrong(&examine(&memory).await);
    assert!(
        found[1].contains("read the outbox of other without being remembered, or while it is suspended: 1"),
        "{found:?}"
    );
    assert_eq!(found.len(), 2, "{found:?}");
    let policy = json!({ "Statement": reads("north") });
    memory.set_outbox_policy(Some(&policy.to_string()));

    let statement = |partner: &str, principal: &str| {
        json!({
            "Sid": format!("ScalperUploads0{partner}"), "Effect": "Allow", "Principal": { "AWS": principal },
            "Action": crate::bucket_policy::ACTIONS,
            "Resource": format!("arn:aws:s3:::silent-scalper-inbox-123456789012-eu-central-1/{partner}/*"),
        })
    };
    let policy = json!({ "Statement": [statement("north", SENDER), statement("west", SENDER), statement("other", SENDER)] });
    memory.set_bucket_policy(Some(&policy.to_string()));
    let found = wrong(&examine(&memory).await);
    assert!(
        found[0].contains("upload as other without being remembered, or while it is suspended: 1"),
        "{found:?}"
    );
    assert!(found[1].contains("upload as west"), "{found:?}");

    memory.set_bucket_policy(Some(&json!({ "Statement": statement("north", "AROAEXAMPLE") }).to_string()));
    let found = wrong(&examine(&memory).await);
    assert!(found[0].starts_with("fail S3 uploads: a principal of north was deleted"), "{found:?}");
    memory.set_bucket_policy(Some("no policy"));
    assert!(wrong(&examine(&memory).await)[0].contains("cannot be read as a policy"));
}

#[tokio::test]
async fn alarms_that_are_on_off_or_blind_are_found() {
    check(|parts| parts.alarms.clear(), "warn alarms: no alarms", "").await;
    let on = |parts: &mut Parts| parts.alarms[0].state = AlarmState::Alarm;
    check(on, "fail alarms: in ALARM (1 of 1): silent-scalper-file-quarantined", "scalper status").await;
    let off = |parts: &mut Parts| parts.alarms[0].actions_enabled = false;
    check(off, "fail alarms: alarms whose actions are off", "enable-alarm-actions").await;
    let blind = |parts: &mut Parts| parts.alarms[0].state = AlarmState::InsufficientData;
    check(blind, "warn alarms: alarms without data for hours", "aws logs tail").await;
    let waiting = whole();
    waiting.change_parts(|parts| {
        parts.alarms[0].state = AlarmState::InsufficientData;
        parts.alarms[0].waits = true;
    });
    assert_eq!(wrong(&examine(&waiting).await), [""; 0], "no file was missing yet, and none was rejected");
    let memory = whole();
    memory.change_parts(|parts| {
        let mut fresh = parts.alarms[0].clone();
        fresh.state = AlarmState::InsufficientData;
        fresh.since_ms = Some(NOW_MS - 60_000);
        let mut foreign = parts.alarms[0].clone();
        foreign.name = "silent-scalper-2-errors".to_owned();
        foreign.state = AlarmState::Alarm;
        foreign.actions = vec!["arn:aws:sns:eu-central-1:123456789012:silent-scalper-2-alarms".to_owned()];
        parts.alarms.extend([fresh, foreign]);
    });
    assert_eq!(wrong(&examine(&memory).await), [""; 0], "another stack's alarms are its own matter");
}

#[tokio::test]
async fn a_stack_without_channels_is_found() {
    let nobody = |parts: &mut Parts| parts.mail_subscriptions.clear();
    check(nobody, "warn channels: no channel is configured and confirmed", "").await;
    check(|parts| parts.gateway_log_role = None, "warn API logs", "update-account").await;
    let memory = whole();
    memory.change_parts(|parts| {
        parts.has_channels_secret = true;
        parts.mail_subscriptions = vec![Subscription { protocol: "email".to_owned(), pending: true }];
    });
    let found = wrong(&examine(&memory).await);
    assert_eq!(found, ["warn mail: unconfirmed mail subscriptions: 1; nothing is mailed to them"]);
}

#[tokio::test]
async fn what_cannot_be_fetched_is_a_finding_and_the_rest_is_checked() {
    let calls = {
        let memory = whole();
        examine(&memory).await;
        memory.calls().len()
    };
    for call in 1..=calls {
        let memory = whole();
        memory.fail_at(call, When::BeforeEffect);
        let diagnosis = examine(&memory).await;
        let unknown: Vec<_> =
            diagnosis.findings.iter().filter(|finding| finding.level == Level::Unknown).collect();
        assert_eq!((unknown.len(), diagnosis.exit_code()), (1, 2), "call {call}");
        assert!(unknown[0].what.starts_with("could not check: "), "{:?}", unknown[0]);
        assert!(diagnosis.findings.len() >= 11, "call {call}: {}", diagnosis.findings.len());
    }
    // What was found of the contracts before one cannot be read is kept.
    let memory = whole();
    memory.publish_contract("Charges", CONTRACT);
    memory.publish_contract("visits", CONTRACT);
    let before = memory.calls().len();
    examine(&memory).await;
    let last = memory.calls().iter().rposition(|call| *call == store::Operation::ReadContract);
    memory.fail_at(memory.calls().len() + last.expect("read") + 1 - before, When::BeforeEffect);
    let found = wrong(&examine(&memory).await);
    assert!(
        found[0].starts_with("warn contracts: Charges.odcs.yaml is the contract of no feed"),
        "{found:?}"
    );
    assert!(found[1].contains("? contracts: could not check"), "{found:?}");
}

#[tokio::test]
async fn everything_wrong_at_once() {
    let memory = whole();
    memory.publish_contract("charges", CONTRACT.replace("logicalType: integer", "logicalType: whole"));
    memory.set_depth(StackQueue::InboxDeadLetters, Some(Depth { waiting: 2, in_flight: 0 }));
    memory.change_parts(|parts| {
        parts.notifications.queues.clear();
        parts.versioned = false;
        parts.inbox_queue.as_mut().expect("a queue").policy = None;
        parts.mappings[0].state = "Disabled".to_owned();
        parts.account_concurrency.unreserved = 10;
        parts.account_concurrency.limit = 10;
        parts.mappings[0].maximum_concurrency = Some(10);
        parts.alarms[0].state = AlarmState::Alarm;
        parts.mail_subscriptions = vec![Subscription { protocol: "email".to_owned(), pending: true }];
        parts.gateway_log_role = None;
    });
    memory.set_bucket_policy(Some("no policy"));
    let diagnosis = examine(&memory).await;
    assert_eq!(diagnosis.exit_code(), 1);
    insta::assert_snapshot!(format!("{}\n{}", diagnosis.to_text(TERMINAL), diagnosis.to_json()));
}
