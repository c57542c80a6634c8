//! A stack's parts, as a test says that they are. Without a word all is as the template makes it.

use super::Memory;
use crate::{
    AccountConcurrency, AlarmFact, AlarmState, Checkup, Error, InboxQueue, Mapping, Notifications, Operation,
    QueueNotification, Subscription,
};

const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:silent-scalper-inbox";

const QUEUE_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"InboxBucketNotifies","Effect":"Allow",
"Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage",
"Resource":"arn:aws:sqs:eu-central-1:123456789012:silent-scalper-inbox","Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"},
"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::silent-scalper-inbox-123456789012-eu-central-1"}}}]}"#;

/// The parts of the stack `silent-scalper` in account 123456789012 and region eu-central-1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each part is described where the trait asks for it")]
pub struct Parts {
    pub notifications: Notifications,
    pub versioned: bool,
    pub inbox_queue: Option<InboxQueue>,
    pub mappings: Vec<Mapping>,
    pub account_concurrency: AccountConcurrency,
    pub has_channels_secret: bool,
    pub alarms: Vec<AlarmFact>,
    pub mail_subscriptions: Vec<Subscription>,
    pub gateway_log_role: Option<String>,
}

impl Default for Parts {
    fn default() -> Self {
        let notification = QueueNotification {
            queue: QUEUE.to_owned(),
            events: vec!["s3:ObjectCreated:*".to_owned()],
            filtered: false,
        };
        let mapping = Mapping {
            id: "0a1b2c3d-0000-4000-8000-000000000001".to_owned(),
            source: QUEUE.to_owned(),
            state: "Enabled".to_owned(),
            reports_failures: true,
            maximum_concurrency: Some(5),
        };
        let alarm = AlarmFact {
            name: "silent-scalper-file-quarantined".to_owned(),
            state: AlarmState::Ok,
            since_ms: Some(0),
            actions_enabled: true,
            waits: false,
            actions: vec!["arn:aws:sns:eu-central-1:123456789012:silent-scalper-alarms".to_owned()],
        };
        Self {
            notifications: Notifications { queues: vec![notification], others: 0 },
            versioned: true,
            inbox_queue: Some(InboxQueue {
                url: "https://sqs.eu-central-1.amazonaws.com/123456789012/silent-scalper-inbox".to_owned(),
                policy: Some(QUEUE_POLICY.to_owned()),
            }),
            mappings: vec![mapping],
            account_concurrency: AccountConcurrency { limit: 1_000, unreserved: 1_000 },
            has_channels_secret: false,
            alarms: vec![alarm],
            mail_subscriptions: vec![Subscription { protocol: "email".to_owned(), pending: false }],
            gateway_log_role: Some("arn:aws:iam::123456789012:role/gateway-logs".to_owned()),
        }
    }
}

impl Memory {
    /// Changes the stack's parts. Not a counted call.
    pub fn change_parts(&self, change: impl FnOnce(&mut Parts)) {
        change(&mut self.kept().parts);
    }
}

impl Checkup for Memory {
    async fn notifications(&self) -> Result<Notifications, Error> {
        self.call(Operation::ReadBucket, |kept| kept.parts.notifications.clone()).await
    }

    async fn versioned(&self) -> Result<bool, Error> {
        self.call(Operation::ReadBucket, |kept| kept.parts.versioned).await
    }

    async fn inbox_queue(&self) -> Result<Option<InboxQueue>, Error> {
        self.call(Operation::ReadQueue, |kept| kept.parts.inbox_queue.clone()).await
    }

    async fn mappings(&self) -> Result<Vec<Mapping>, Error> {
        self.call(Operation::ReadFunction, |kept| kept.parts.mappings.clone()).await
    }

    async fn account_concurrency(&self) -> Result<AccountConcurrency, Error> {
        self.call(Operation::ReadAccount, |kept| kept.parts.account_concurrency).await
    }

    async fn has_channels_secret(&self) -> Result<bool, Error> {
        self.call(Operation::ReadFunction, |kept| kept.parts.has_channels_secret).await
    }

    async fn alarms(&self) -> Result<Vec<AlarmFact>, Error> {
        self.call(Operation::ReadAlarms, |kept| kept.parts.alarms.clone()).await
    }

    async fn mail_subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        self.call(Operation::ReadSubscriptions, |kept| kept.parts.mail_subscriptions.clone()).await
    }

    async fn gateway_log_role(&self) -> Result<Option<String>, Error> {
        self.call(Operation::ReadAccount, |kept| kept.parts.gateway_log_role.clone()).await
    }
}
