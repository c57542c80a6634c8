//! Facts about a deployed stack, as its services tell them. It only reads, and decides nothing.

use std::future::Future;

use crate::Error;

/// What the inbox bucket does when a file arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notifications {
    /// The queues among its targets.
    pub queues: Vec<QueueNotification>,
    /// Topics, functions and event buses among its targets.
    pub others: usize,
}

/// A queue that events are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueNotification {
    /// The ARN of the queue.
    pub queue: String,
    /// The events, e.g. `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// Whether only some keys count.
    pub filtered: bool,
}

/// The inbox queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxQueue {
    /// Its URL.
    pub url: String,
    /// Its policy as a JSON document, when it has one.
    pub policy: Option<String>,
}

/// What calls a function with the messages of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its id.
    pub id: String,
    /// The ARN of the queue.
    pub source: String,
    /// `Enabled`, `Disabled`, or on the way between them.
    pub state: String,
    /// Whether the function says which messages failed.
    pub reports_failures: bool,
    /// Most invocations at the same time, when it is bounded.
    pub maximum_concurrency: Option<u64>,
}

/// How many invocations of Lambda the account may run at the same time in this region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountConcurrency {
    /// All of them.
    pub limit: u64,
    /// Those that no function has reserved.
    pub unreserved: u64,
}

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlarmState {
    /// Within its bounds.
    Ok,
    /// Beyond them.
    Alarm,
    /// It has seen nothing.
    InsufficientData,
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmFact {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AlarmState,
    /// Since when, milliseconds since the epoch, when CloudWatch says so.
    pub since_ms: Option<u64>,
    /// Whether its actions are carried out.
    pub actions_enabled: bool,
    /// Whether it waits for data (`TreatMissingData: ignore`): until there are some, having none means nothing.
    pub waits: bool,
    /// The ARNs that it notifies when it goes off.
    pub actions: Vec<String>,
}

/// A subscription of a topic. Without its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// `email`, `sqs`, …
    pub protocol: String,
    /// Whether the subscriber has still to confirm it.
    pub pending: bool,
}

/// Looks at a stack's parts.
pub trait Checkup: Sync {
    /// Returns what the inbox bucket does when a file arrives.
    fn notifications(&self) -> impl Future<Output = Result<Notifications, Error>> + Send;
    /// Returns whether the inbox bucket keeps versions.
    fn versioned(&self) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Returns the inbox queue; `None` when there is none.
    fn inbox_queue(&self) -> impl Future<Output = Result<Option<InboxQueue>, Error>> + Send;
    /// Returns the event source mappings of the processor.
    fn mappings(&self) -> impl Future<Output = Result<Vec<Mapping>, Error>> + Send;
    /// Returns how many invocations the account may run at the same time.
    fn account_concurrency(&self) -> impl Future<Output = Result<AccountConcurrency, Error>> + Send;
    /// Returns whether the notifier has a secret that names channels.
    fn has_channels_secret(&self) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Returns the alarms whose names begin as the stack's do.
    fn alarms(&self) -> impl Future<Output = Result<Vec<AlarmFact>, Error>> + Send;
    /// Returns the subscriptions of the topic that mails operators.
    fn mail_subscriptions(&self) -> impl Future<Output = Result<Vec<Subscription>, Error>> + Send;
    /// Returns the role with which API Gateway writes logs in this account and region.
    fn gateway_log_role(&self) -> impl Future<Output = Result<Option<String>, Error>> + Send;
}
