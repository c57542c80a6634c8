//! Uploads by S3: who is given them, whatever happens to the bucket policy and to the command.

use std::fmt::Write as _;

use store::memory::When;
use store::{Partner, PartnerLimits, WritePartners as _};

use super::*;
use crate::bucket_policy::MOST_BYTES;

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1a2b3c4d";
const SENDER: &str = "arn:aws:iam::210987654321:role/sender";
const OTHER: &str = "arn:aws:iam::210987654321:user/other";

/// As the template makes it, but for its length.
const TEMPLATE: &str = r#"{"Version":"2012-10-17","Statement":[ {"Sid":"OnlyTls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"} ]}"#;
const THEIRS: &str = r#"{"Sid":"OnlyTls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;

struct FakeInbox {
    memory: Memory,
    operator: Operator<Memory, FakeAws, Memory, Memory>,
}

impl FakeInbox {
    async fn new() -> Self {
        let memory = Memory::new();
        for name in ["north", "south"] {
            let name = name.to_owned();
            let partner = Partner { name, active: true, limits: PartnerLimits::DEFAULT, created_ms: NOW_MS };
            memory.put_partner(&partner).await.expect("kept");
        }
        memory.set_bucket_policy(Some(TEMPLATE));
        memory.set_outbox_policy(Some(TEMPLATE));
        let operator = Operator {
            partners: memory.clone(),
            gateway: FakeAws::default(),
            uploads: memory.clone(),
            stack: Stack::parse("silent-scalper").expect("a name"),
            now_ms: NOW_MS,
            random: Box::new(|| Ok([0; 32])),
            policy: AddressPolicy::Public,
            auditor: Auditor::new(memory.clone(), host(NOW_MS)),
        };
        Self { memory, operator }
    }

    async fn with_key() -> Self {
        let inbox = Self::new().await;
        inbox.memory.set_inbox_key(KEY);
        inbox
    }

    async fn run(&self, line: &str) -> Result<CommandReport, CommandError> {
        let words = ["scalper", "partner"].into_iter().chain(line.split(' '));
        let arguments = Arguments::try_parse_from(words).expect("a command");
        let Command::Partner(command) = arguments.command else { panic!("a partner command") };
        self.operator.run(command).await.and_then(Audited::finished)
    }

    async fn done(&self, line: &str) -> Value {
        let report = self.run(line).await.unwrap_or_else(|failure| panic!("{line}: {failure}"));
        serde_json::from_str(&report.to_json()).expect("JSON")
    }

    async fn failure(&self, line: &str) -> CommandError {
        self.run(line).await.err().unwrap_or_else(|| panic!("{line} succeeded"))
    }

    fn policy(&self) -> String {
        self.memory.bucket_policy_text().unwrap_or_default()
    }

    /// Who may upload as a partner, by the bucket policy alone.
    fn may(&self, partner: &str) -> Vec<String> {
        let policy: Value = serde_json::from_str(&self.policy()).expect("a policy");
        let resource = format!("arn:aws:s3:::silent-scalper-inbox-123456789012-eu-central-1/{partner}/*");
        let statements = policy["Statement"].as_array().expect("a list");
        let own =
            statements.iter().filter(|one| one["Effect"] == "Allow" && one["Resource"] == resource.as_str());
        own.flat_map(|one| one["Principal"]["AWS"].as_array().cloned().unwrap_or_default())
            .map(|arn| arn.as_str().expect("an ARN").to_owned())
            .collect()
    }

    fn granted(&self) -> Vec<String> {
        self.granted_for("")
    }

    /// Who may decrypt what is in the outbox.
    fn granted_outbox(&self) -> Vec<String> {
        self.granted_for("outbox/")
    }

    fn granted_for(&self, part: &str) -> Vec<String> {
        let is_for = |name: &str| {
            let rest = name.strip_prefix("scalper/silent-scalper/").and_then(|rest| rest.split_once('/'));
            rest.and_then(|(_, rest)| rest.strip_prefix(part)).is_some_and(|hash| !hash.contains('/'))
        };
        let grants = self.memory.key_grants().into_iter().filter(|(name, _)| is_for(name));
        grants.map(|(_, principal)| principal).collect()
    }

    fn outbox_policy(&self) -> String {
        self.memory.outbox_policy_text().unwrap_or_default()
    }

    /// Who may read the outbox of a partner and list it, by the bucket policy alone.
    fn may_read(&self, partner: &str) -> Vec<String> {
        let policy: Value = serde_json::from_str(&self.outbox_policy()).expect("a policy");
        let arn = "arn:aws:s3:::silent-scalper-outbox-123456789012-eu-central-1";
        let having = |action: &str, resource: &str, prefix: Value| -> Vec<String> {
            let statements = policy["Statement"].as_array().expect("a list").iter();
            let own = statements.filter(|one| {
                one["Action"] == action
                    && one["Resource"] == resource
                    && one["Condition"]["StringLike"]["s3:prefix"] == prefix
            });
            own.flat_map(|one| one["Principal"]["AWS"].as_array().cloned().unwrap_or_default())
                .map(|arn| arn.as_str().expect("an ARN").to_owned())
                .collect()
        };
        let read = having("s3:GetObject", &format!("{arn}/{partner}/*"), Value::Null);
        assert_eq!(read, having("s3:ListBucket", arn, json!(format!("{partner}/*"))), "{partner}");
        read
    }
}

#[tokio::test]
async fn a_partner_may_upload_below_its_own_prefix_and_nothing_else() {
    let inbox = FakeInbox::new().await;
    let given = inbox.done(&format!("s3 north --principal {SENDER} --principal {OTHER}")).await;
    assert_eq!(inbox.may("north"), [SENDER, OTHER]);
    assert!(inbox.may("south").is_empty());
    assert!(inbox.policy().contains(THEIRS), "{}", inbox.policy());
    assert_eq!((&given["uploads"]["inForce"], &given["uploads"]["key"]), (&json!(true), &Value::Null));
    assert!(inbox.granted().is_empty(), "without a customer key there is nothing to grant");
    assert_eq!((inbox.may_read("north"), inbox.may_read("south")), (inbox.may("north"), Vec::new()));
    assert_eq!(given["uploads"]["outbox"], "silent-scalper-outbox-123456789012-eu-central-1");

    let before = (inbox.policy(), inbox.outbox_policy());
    inbox.done(&format!("s3 north --principal {SENDER}")).await;
    assert_eq!((inbox.policy(), inbox.outbox_policy()), before, "doing it twice is doing it once");
    inbox.done(&format!("s3 north --principal {SENDER} --remove")).await;
    assert_eq!(
        (inbox.may("north"), inbox.may_read("north")),
        (vec![OTHER.to_owned()], vec![OTHER.to_owned()])
    );
    inbox.done("s3 north --remove").await;
    for policy in [inbox.policy(), inbox.outbox_policy()] {
        assert!(!policy.contains("north") && policy.contains(THEIRS), "{policy}");
    }
    assert_eq!(inbox.done("s3 north").await["uploads"]["principals"], json!([]));
}

#[tokio::test]
async fn a_customer_key_is_granted_once_and_the_grant_is_revoked() {
    let inbox = FakeInbox::with_key().await;
    let given = inbox.done(&format!("s3 north --principal {SENDER}")).await;
    assert_eq!(given["uploads"]["key"], KEY);
    inbox.done(&format!("s3 north --principal {SENDER}")).await;
    inbox.done(&format!("s3 south --principal {OTHER}")).await;
    let names: Vec<String> = inbox.memory.key_grants().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 4, "of two partners, each for the inbox and the outbox: {names:?}");
    assert!(names[0].starts_with("scalper/silent-scalper/north/"), "{names:?}");
    assert_eq!((inbox.granted().len(), inbox.granted_outbox().len()), (2, 2), "{names:?}");
    inbox.done(&format!("s3 north --principal {SENDER} --remove")).await;
    assert_eq!(inbox.granted(), [OTHER], "that of south stays");
    assert_eq!(inbox.granted_outbox(), [OTHER], "that of south stays");
    assert_eq!((inbox.may("north").len(), inbox.may("south").len()), (0, 1));
}

#[tokio::test]
async fn a_suspension_takes_the_statement_and_its_end_puts_it_back() {
    let inbox = FakeInbox::with_key().await;
    inbox.done(&format!("s3 north --principal {SENDER}")).await;
    inbox.done("suspend north").await;
    assert_eq!((inbox.may("north").len(), inbox.granted().len()), (0, 0));
    assert_eq!((inbox.may_read("north").len(), inbox.granted_outbox().len()), (0, 0));
    let shown = inbox.done("s3 north").await;
    assert_eq!(
        (&shown["uploads"]["state"], &shown["uploads"]["inForce"]),
        (&json!("suspended"), &json!(true))
    );
    inbox.done("s3 --all").await;
    inbox.done(&format!("s3 north --principal {OTHER}")).await;
    assert!(inbox.may("north").is_empty(), "remembered only");
    inbox.done("resume north").await;
    assert_eq!((inbox.may("north").len(), inbox.granted().len()), (2, 2));
    assert_eq!((inbox.may_read("north").len(), inbox.granted_outbox().len()), (2, 2));
}

#[tokio::test]
async fn a_suspension_of_a_partner_that_never_uploaded_by_s3_asks_nothing_of_the_bucket() {
    let inbox = FakeInbox::new().await;
    let calls = inbox.memory.calls().len();
    inbox.done("suspend south").await;
    let made = inbox.memory.calls().split_off(calls);
    assert_eq!(made[..2], [store::Operation::IdentifyCaller, store::Operation::WriteAudit]);
    assert_eq!(
        made[2..],
        [
            store::Operation::ReadPartner,
            store::Operation::WritePartner,
            store::Operation::ReadPartner,
            store::Operation::WriteAudit
        ]
    );
}

#[tokio::test]
async fn what_an_update_of_the_stack_removed_is_seen_and_put_back() {
    let inbox = FakeInbox::with_key().await;
    inbox.done(&format!("s3 north --principal {SENDER}")).await;
    inbox.done(&format!("s3 south --principal {OTHER}")).await;
    inbox.done("suspend south").await;
    let (policy, grants) = ((inbox.policy(), inbox.outbox_policy()), inbox.memory.key_grants());
    for lost_outbox in [false, true] {
        if lost_outbox {
            inbox.memory.set_outbox_policy(Some(TEMPLATE));
        } else {
            inbox.memory.set_bucket_policy(Some(TEMPLATE));
        }
        assert_eq!(inbox.done("s3 north").await["uploads"]["inForce"], json!(false));
        assert_eq!(inbox.done("s3 --all").await["partners"][0]["state"], "put back");
        assert_eq!((inbox.policy(), inbox.outbox_policy()), policy);
    }
    inbox.memory.set_bucket_policy(Some(TEMPLATE));
    inbox.memory.set_outbox_policy(Some(TEMPLATE));
    let restored = inbox.done("s3 --all").await;
    assert_eq!(restored["partners"][0]["state"], "put back");
    assert_eq!(restored["partners"][1]["state"], "suspended");
    assert_eq!(((inbox.policy(), inbox.outbox_policy()), inbox.memory.key_grants()), (policy, grants));
    assert_eq!(inbox.done("s3 --all").await["partners"][0]["state"], "in force");
    inbox.memory.set_bucket_policy(None);
    inbox.done("s3 --all").await;
    assert_eq!(inbox.may("north"), [SENDER]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_another_writes_at_the_same_time_is_written_again() {
    let inbox = FakeInbox::new().await;
    let line = format!("s3 north --principal {SENDER}");
    let probe = FakeInbox::new().await;
    let before = probe.memory.calls().len();
    probe.done(&line).await;
    let written = probe.memory.calls()[before..]
        .iter()
        .position(|call| *call == store::Operation::WriteBucketPolicy)
        .expect("a write");
    // Another one has read the policy before our write, and writes it after ours.
    inbox.memory.before(inbox.memory.calls().len() + written + 2, async |memory: Memory| {
        memory.set_bucket_policy(Some(TEMPLATE));
    });
    inbox.done(&line).await;
    assert_eq!(inbox.may("north"), [SENDER]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_never_stays_as_written_is_given_up() {
    let inbox = FakeInbox::new().await;
    let first = inbox.memory.calls().len();
    for call in first..first + 60 {
        inbox.memory.before(call, async |memory: Memory| memory.set_bucket_policy(Some(TEMPLATE)));
    }
    let failure = inbox.failure(&format!("s3 north --principal {SENDER}")).await;
    assert!(matches!(failure, CommandError::PolicyContested { .. }), "{failure}");
}

#[tokio::test]
async fn what_cannot_be_given_changes_nothing() {
    let inbox = FakeInbox::with_key().await;
    let calls = inbox.memory.calls().len();
    for arn in ["*", "210987654321", "arn:aws:iam::210987654321:role/*"] {
        let failure = inbox.failure(&format!("s3 north --principal {arn}")).await;
        assert_eq!(failure.exit_code(), 2, "{failure}");
    }
    assert_eq!(inbox.memory.calls().len(), calls);
    let failure = inbox.failure(&format!("s3 west --principal {SENDER}")).await;
    assert_eq!(failure.exit_code(), 3, "{failure}");
    let failure = inbox.failure(&format!("s3 north --principal {SENDER} --remove")).await;
    assert!(matches!(failure, CommandError::NoSuchPrincipal { .. }), "{failure}");

    let large = TEMPLATE.replace("OnlyTls", &"x".repeat(MOST_BYTES - TEMPLATE.len()));
    inbox.memory.set_bucket_policy(Some(&large));
    let failure = inbox.failure(&format!("s3 north --principal {SENDER}")).await;
    assert!(matches!(failure, CommandError::PolicyTooLarge { .. }), "{failure}");
    inbox.memory.set_bucket_policy(Some("no policy"));
    let failure = inbox.failure(&format!("s3 north --principal {SENDER}")).await;
    assert!(matches!(failure, CommandError::PolicyUnreadable { .. }), "{failure}");
    inbox.memory.set_bucket_policy(Some(TEMPLATE));
    inbox.memory.set_outbox_policy(Some(&large));
    let failure = inbox.failure(&format!("s3 north --principal {SENDER}")).await;
    assert!(matches!(failure, CommandError::PolicyTooLarge { .. }), "{failure}");
    assert!(inbox.may("north").is_empty(), "given in one bucket and not in the other");
    inbox.memory.set_outbox_policy(Some(TEMPLATE));
    assert!(inbox.memory.key_grants().is_empty());
    inbox.memory.set_bucket_policy(Some(TEMPLATE));
    assert_eq!(inbox.done("s3 north").await["uploads"]["principals"], json!([]));
    inbox.memory.without_stack();
    assert_eq!(inbox.failure("s3 north").await.exit_code(), 3);
}

/// Runs a command to its death at every call in turn, and once more.
async fn killed_everywhere(ready: &[&str], line: &str, check: impl Fn(&FakeInbox, &str)) {
    for when in [When::BeforeEffect, When::AfterEffect] {
        for call in 1.. {
            let inbox = FakeInbox::with_key().await;
            for line in ready {
                inbox.done(line).await;
            }
            inbox.memory.die_at(inbox.memory.calls().len() + call, when);
            let finished = inbox.run(line).await.is_ok();
            inbox.memory.revive();
            if finished {
                assert!(call > 6, "the command makes calls");
                break;
            }
            // Never a statement without the grants that it needs, never a principal that the table does not remember.
            let case = format!("{line}, killed at call {call}, {when:?}");
            let granted = inbox.granted();
            assert!(inbox.may("north").iter().all(|arn| granted.contains(arn)), "{case}");
            let granted = inbox.granted_outbox();
            assert!(inbox.may_read("north").iter().all(|arn| granted.contains(arn)), "{case}");
            assert!(inbox.policy().contains(THEIRS) && inbox.outbox_policy().contains(THEIRS), "{case}");
            inbox.done(line).await;
            check(&inbox, &case);
            // Who uploads reads the outbox.
            assert_eq!(
                (inbox.may_read("north"), inbox.granted_outbox()),
                (inbox.may("north"), inbox.granted())
            );
            // As `--all` would have it.
            let now = || (inbox.policy(), inbox.outbox_policy(), inbox.memory.key_grants());
            let before = now();
            inbox.done("s3 --all").await;
            assert_eq!(now(), before, "{case}");
        }
    }
}

#[tokio::test]
async fn giving_again_finishes_what_was_killed() {
    let line = format!("s3 north --principal {SENDER} --principal {OTHER}");
    killed_everywhere(&[], &line, |inbox, case| {
        assert_eq!((inbox.may("north").len(), inbox.granted().len()), (2, 2), "{case}");
    })
    .await;
}

#[tokio::test]
async fn suspending_and_resuming_again_finish_what_was_killed() {
    let give = format!("s3 north --principal {SENDER}");
    killed_everywhere(&[&give], "suspend north", |inbox, case| {
        assert_eq!((inbox.may("north").len(), inbox.granted().len()), (0, 0), "{case}");
    })
    .await;
    killed_everywhere(&[&give, "suspend north"], "resume north", |inbox, case| {
        assert_eq!((inbox.may("north").len(), inbox.granted().len()), (1, 1), "{case}");
    })
    .await;
}

#[tokio::test]
async fn taking_all_again_finishes_what_was_killed() {
    let give = format!("s3 north --principal {SENDER} --principal {OTHER}");
    killed_everywhere(&[&give], "s3 north --remove", |inbox, case| {
        assert_eq!((inbox.may("north").len(), inbox.granted().len()), (0, 0), "{case}");
    })
    .await;
}

#[tokio::test]
async fn taking_one_again_finishes_what_was_killed_or_says_that_nothing_is_left() {
    let give = format!("s3 north --principal {SENDER} --principal {OTHER}");
    let line = format!("s3 north --principal {SENDER} --remove");
    for when in [When::BeforeEffect, When::AfterEffect] {
        for call in 1.. {
            let inbox = FakeInbox::with_key().await;
            inbox.done(&give).await;
            inbox.memory.die_at(inbox.memory.calls().len() + call, when);
            let finished = inbox.run(&line).await.is_ok();
            inbox.memory.revive();
            match inbox.run(&line).await {
                Ok(_) | Err(CommandError::NoSuchPrincipal { .. }) => {}
                Err(failure) => panic!("killed at call {call}, {when:?}: {failure}"),
            }
            assert_eq!(
                (inbox.may("north"), inbox.granted()),
                (vec![OTHER.to_owned()], vec![OTHER.to_owned()])
            );
            if finished {
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_is_shown() {
    let (plain, key) = (FakeInbox::new().await, FakeInbox::with_key().await);
    let give = format!("s3 north --principal {SENDER} --principal {OTHER}");
    let mut text = String::new();
    let lines = [
        (&plain, "s3 north"),
        (&plain, "s3 --all"),
        (&plain, give.as_str()),
        (&plain, "s3 north"),
        (&key, give.as_str()),
        (&key, "suspend north"),
        (&key, "s3 north"),
        (&key, "s3 --all"),
        (&key, "resume north"),
        (&key, "s3 south --principal *"),
        (&key, "s3 north --principal arn:aws:iam::210987654321:role/unknown --remove"),
        (&key, "s3 north --principal arn:aws:iam::210987654321:role/sender --remove"),
        (&key, "s3 north --remove"),
    ];
    for (inbox, line) in lines {
        let answer = match inbox.run(line).await {
            Ok(report) => report.to_text(TERMINAL),
            Err(failure) => format!("scalper: {failure}\n[exit code {}]\n", failure.exit_code()),
        };
        writeln!(text, "$ scalper partner {line}\n{answer}").expect("written");
    }
    plain.memory.set_bucket_policy(Some(TEMPLATE));
    let drifted = plain.run("s3 north").await.unwrap_or_else(|failure| panic!("{failure}"));
    write!(text, "--- after an update of the stack\n{}\n{}\n", drifted.to_text(TERMINAL), drifted.to_json())
        .expect("written");
    let bucket = || "inbox".to_owned();
    for failure in [
        CommandError::PolicyTooLarge { bucket: bucket(), bytes: 20_500, most: MOST_BYTES },
        CommandError::PolicyUnreadable { bucket: bucket() },
        CommandError::PolicyContested { bucket: bucket() },
        CommandError::PrincipalMissing { code: "MalformedPolicy".to_owned(), deleted: String::new() },
        CommandError::NotRestored { partners: "north".to_owned() },
        CommandError::Uploads(store::Error::new(store::Operation::WriteBucketPolicy, "AccessDenied")),
        CommandError::NotChecked(store::Error::new(store::Operation::FindStack, "AccessDeniedException")),
    ] {
        writeln!(text, "scalper: {failure}\n[exit code {}]\n", failure.exit_code()).expect("written");
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn in_a_stack_that_is_older_than_the_outbox_uploads_are_given_and_taken_as_before() {
    let inbox = FakeInbox::with_key().await;
    inbox.memory.without_outbox();
    let given = inbox.done(&format!("s3 north --principal {SENDER}")).await;
    assert_eq!((&given["uploads"]["inForce"], &given["uploads"]["outbox"]), (&json!(true), &Value::Null));
    assert_eq!((inbox.granted(), inbox.granted_outbox().len()), (vec![SENDER.to_owned()], 0));
    inbox.done("s3 north --remove").await;
    assert!(inbox.memory.key_grants().is_empty() && inbox.may("north").is_empty());
}

#[tokio::test]
async fn a_sender_uploads_as_one_partner_only() {
    let inbox = FakeInbox::new().await;
    inbox.done(&format!("s3 north --principal {SENDER}")).await;
    let taken = inbox.failure(&format!("s3 south --principal {SENDER}")).await;
    assert!(matches!(&taken, CommandError::PrincipalTaken { partner, .. } if partner == "north"), "{taken}");
    assert_eq!(inbox.may("south"), [""; 0]);
    inbox.done(&format!("s3 north --principal {SENDER} --remove")).await;
    inbox.done(&format!("s3 south --principal {SENDER}")).await;
    assert_eq!((inbox.may("north").len(), inbox.may("south").len()), (0, 1));
}
