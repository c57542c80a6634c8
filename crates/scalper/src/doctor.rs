//! Checks a deployed stack, with advice for each finding.
//!
//! Facts are fetched through the traits of `store`; a check is a pure function from facts to findings. A fact that
//! cannot be fetched is a finding of its own, and the others are checked all the same. Nothing is changed.

mod finding;
mod inbox;
mod keys;
mod partners;
mod processing;
mod report;
mod reporting;

use std::collections::BTreeSet;

use store::{Checkup, CountMessages, Error, ReadContracts, ReadPartners, StackQueue};

use crate::bucket_policy::BucketPolicy;
use crate::gateway::Gateway;
use crate::names::Stack;
use crate::partner::Uploads;
use crate::reading::Places;
use crate::uploads::BucketFacts;

pub use finding::{DoctorFinding, Level};
pub use report::Diagnosis;

/// A stack under examination.
pub struct Doctor<S, V, C, U, G> {
    /// Partners and contracts.
    pub store: S,
    /// Queues.
    pub queues: V,
    /// The stack's parts.
    pub checkup: C,
    /// Who uploads by S3.
    pub uploads: U,
    /// Usage plans and keys.
    pub gateway: G,
    /// Name, places and time.
    pub known: Known,
}

/// What is known of the stack before anything is fetched.
pub struct Known {
    /// The stack.
    pub stack: Stack,
    /// Where its resources are.
    pub places: Places,
    /// Now, milliseconds since the epoch.
    pub now_ms: u64,
}

/// What a fact is fetched for, and with which permission.
#[derive(Clone, Copy)]
struct Fact {
    check: &'static str,
    permission: &'static str,
}

const fn fact(check: &'static str, permission: &'static str) -> Fact {
    Fact { check, permission }
}

const NOTIFICATION: Fact = fact("notification", "s3:GetBucketNotification");
const VERSIONS: Fact = fact("versions", "s3:GetBucketVersioning");
const QUEUE_POLICY: Fact = fact("queue policy", "sqs:GetQueueUrl or sqs:GetQueueAttributes");
const EVENT_SOURCE: Fact = fact("event source", "lambda:ListEventSourceMappings");
const CONCURRENCY: Fact = fact("concurrency", "lambda:GetAccountSettings");
const DEAD_LETTERS: Fact = fact("dead letters", "sqs:GetQueueUrl or sqs:GetQueueAttributes");
const CONTRACTS: Fact = fact("contracts", "s3:ListBucket on the contracts bucket");
const CONTRACT: Fact =
    fact("contracts", "s3:GetObject, s3:GetObjectVersion or s3:ListBucketVersions on the contracts bucket");
const UPLOADS_TABLE: Fact = fact("S3 uploads", "dynamodb:Query on the partners table");
const UPLOADS_KEY: Fact = fact("S3 uploads", "s3:GetEncryptionConfiguration");
const UPLOADS_POLICY: Fact = fact("S3 uploads", "s3:GetBucketPolicy");
const UPLOADS_GRANTS: Fact = fact("S3 uploads", "kms:ListGrants");
const KEYS_TABLE: Fact = fact("API keys", "dynamodb:Query on the partners table");
const KEYS: Fact = fact("API keys", "apigateway:GET on /usageplans and /apikeys");
const ALARMS: Fact = fact("alarms", "cloudwatch:DescribeAlarms");
const CHANNELS: Fact = fact("channels", "lambda:GetFunctionConfiguration");
const MAIL: Fact = fact("mail", "sns:ListSubscriptionsByTopic");
const GATEWAY_LOGS: Fact = fact("API logs", "apigateway:GET on /account");

impl<S, V, C, U, G> Doctor<S, V, C, U, G>
where
    S: ReadPartners + ReadContracts,
    V: CountMessages,
    C: Checkup,
    U: Uploads,
    G: Gateway,
{
    /// Checks everything.
    pub async fn examine(&self) -> Diagnosis {
        let known = &self.known;
        let mut findings = Vec::new();
        // S3 rejects a notification for a queue that does not take its messages: the queue's policy has to be right
        // first.
        let fetched = self.checkup.inbox_queue().await;
        add(&mut findings, QUEUE_POLICY, fetched, |facts| inbox::queue_policy(known, facts.as_ref()));
        let fetched = self.checkup.notifications().await;
        add(&mut findings, NOTIFICATION, fetched, |facts| inbox::notification(known, &facts));
        let fetched = self.checkup.versioned().await;
        add(&mut findings, VERSIONS, fetched, |facts| inbox::versions(known, facts));
        self.processing(&mut findings).await;
        self.contracts(&mut findings).await;
        if let Err(finding) = self.senders(&mut findings).await {
            findings.push(finding);
        }
        findings.extend(self.keys().await.unwrap_or_else(|finding| vec![finding]));
        let fetched = self.checkup.alarms().await;
        add(&mut findings, ALARMS, fetched, |facts| reporting::alarms(known, &facts));
        self.channels(&mut findings).await;
        let fetched = self.checkup.gateway_log_role().await;
        add(&mut findings, GATEWAY_LOGS, fetched, |facts| reporting::gateway_logs(facts.as_deref()));
        Diagnosis { stack: known.stack.as_str().to_owned(), findings }
    }

    async fn processing(&self, findings: &mut Vec<DoctorFinding>) {
        let known = &self.known;
        let mappings = self.checkup.mappings().await;
        let maximum = mappings.as_ref().ok().and_then(|all| processing::maximum(known, all));
        add(findings, EVENT_SOURCE, mappings, |facts| processing::event_source(known, &facts));
        let fetched = self.checkup.account_concurrency().await;
        add(findings, CONCURRENCY, fetched, |facts| processing::concurrency(facts, maximum));
        for queue in StackQueue::ALL.into_iter().filter(|queue| queue.is_dead_letters()) {
            let fetched = self.queues.depth(queue).await;
            add(findings, DEAD_LETTERS, fetched, |facts| processing::dead_letters(known, queue, facts));
        }
    }

    async fn contracts(&self, findings: &mut Vec<DoctorFinding>) {
        let feeds = match self.store.feeds().await {
            Ok(feeds) => feeds,
            Err(error) => return findings.push(unchecked(CONTRACTS, &error)),
        };
        let mut checked = Vec::new();
        for feed in &feeds {
            if !runtime::is_name(feed) {
                checked.push(partners::misnamed(&self.known, feed));
                continue;
            }
            match runtime::in_force(&self.store, feed).await {
                Ok(held) => checked.extend(partners::contract(&self.known, feed, &held)),
                Err(error) => {
                    findings.extend(checked);
                    return findings.push(unchecked(CONTRACT, &error));
                }
            }
        }
        findings.extend(partners::contracts(&self.known, feeds.len(), checked));
    }

    /// Compares uploads by S3 and readers of the outbox as remembered with those in force.
    async fn senders(&self, findings: &mut Vec<DoctorFinding>) -> Result<(), DoctorFinding> {
        let failed = |fact| move |error: Error| unchecked(fact, &error);
        let partners = self.store.all_partners().await.map_err(failed(UPLOADS_TABLE))?;
        let remembered = self.uploads.all_s3_principals().await.map_err(failed(UPLOADS_TABLE))?;
        let inbox = self.uploads.inbox().await.map_err(failed(UPLOADS_KEY))?;
        let Some(inbox) = inbox else { return Ok(()) };
        let outbox = self.uploads.outbox(&inbox).await.map_err(failed(UPLOADS_KEY))?;
        for bucket in [Some(inbox), outbox].into_iter().flatten() {
            let text = self.uploads.bucket_policy(&bucket).await.map_err(failed(UPLOADS_POLICY))?;
            let Ok(policy) = BucketPolicy::read(bucket.bucket_use, text.as_deref()) else {
                findings.push(partners::unreadable(&bucket));
                continue;
            };
            let granted: Option<BTreeSet<String>> = match &bucket.key {
                Some(key) => {
                    let grants = self.uploads.grants(key).await.map_err(failed(UPLOADS_GRANTS))?;
                    Some(grants.into_iter().map(|grant| grant.name).collect())
                }
                None => None,
            };
            let facts = BucketFacts { bucket: &bucket, policy, granted: granted.as_ref() };
            let senders = partners::SenderFacts { partners: &partners, remembered: &remembered, facts };
            findings.extend(partners::senders(&self.known, senders));
        }
        Ok(())
    }

    /// Compares the keys of valid credentials with those that API Gateway counts.
    async fn keys(&self) -> Result<Vec<DoctorFinding>, DoctorFinding> {
        let Known { stack, now_ms, .. } = &self.known;
        let failed = |error: Error| unchecked(KEYS_TABLE, &error);
        let mut holders = Vec::new();
        for partner in self.store.all_partners().await.map_err(failed)? {
            let credentials = self.store.credentials(&partner.name).await.map_err(failed)?;
            let valid = credentials.into_iter().map(|(_, one)| one).filter(|one| one.is_valid(*now_ms));
            holders.push(keys::Holder { credentials: valid.collect(), partner: partner.name });
        }
        let at_gateway = |error| keys::unchecked(&error);
        let plans = self.gateway.plans(&stack.plans()).await.map_err(at_gateway)?;
        let keys = self.gateway.keys(&stack.plans()).await.map_err(at_gateway)?;
        Ok(keys::check(&self.known, &holders, &plans, &keys))
    }

    async fn channels(&self, findings: &mut Vec<DoctorFinding>) {
        let secret = self.checkup.has_channels_secret().await;
        let mail = self.checkup.mail_subscriptions().await;
        if let (Ok(secret), Ok(mail)) = (&secret, &mail) {
            findings.extend(reporting::channels(*secret, mail));
        }
        add(findings, CHANNELS, secret, |_| Vec::new());
        add(findings, MAIL, mail, |facts| reporting::mail(&self.known, &facts));
    }
}

fn add<T>(
    findings: &mut Vec<DoctorFinding>,
    fact: Fact,
    fetched: Result<T, Error>,
    check: impl FnOnce(T) -> Vec<DoctorFinding>,
) {
    match fetched {
        Ok(facts) => findings.extend(check(facts)),
        Err(error) => findings.push(unchecked(fact, &error)),
    }
}

/// Returns a fact that could not be fetched.
fn unchecked(fact: Fact, error: &Error) -> DoctorFinding {
    let Fact { check, permission } = fact;
    // SNS has a code of its own.
    if error.is_denied() || error.code == "AuthorizationError" {
        return DoctorFinding::unknown(check, format!("could not check: missing permission {permission}"));
    }
    DoctorFinding::unknown(check, format!("could not check: AWS did not answer as expected ({error})"))
}
