//! What an operator asks beyond what a partner may: how many messages wait, the refused records themselves. It only
//! reads.

use std::future::Future;

use crate::{Body, Error};

/// A queue of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StackQueue {
    /// Notifications of new files.
    Inbox,
    /// Notifications that failed ten times.
    InboxDeadLetters,
    /// Outcomes that partners are still to hear of.
    Webhooks,
    /// Outcomes that a partner's address did not take.
    WebhookDeadLetters,
}

impl StackQueue {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Inbox, Self::InboxDeadLetters, Self::Webhooks, Self::WebhookDeadLetters];

    /// Its name in a stack (`template.yaml`).
    #[must_use]
    pub fn name(self, stack: &str) -> String {
        let own = match self {
            Self::Inbox => "inbox",
            Self::InboxDeadLetters => "inbox-dead-letters",
            Self::Webhooks => "webhooks",
            Self::WebhookDeadLetters => "webhooks-dead-letters",
        };
        format!("{stack}-{own}")
    }

    /// Whether what lies there was given up.
    #[must_use]
    pub fn is_dead_letters(self) -> bool {
        matches!(self, Self::InboxDeadLetters | Self::WebhookDeadLetters)
    }
}

/// Messages of a queue, as SQS counts them: approximately, a minute behind at worst.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Ready to be taken.
    pub waiting: u64,
    /// Taken and not yet deleted, or delayed.
    pub in_flight: u64,
}

/// Looks at the stack as its operator.
pub trait Survey: Sync {
    /// The chunks of an object.
    type Body: Body;
    /// How many messages a queue has; `None` when there is no such queue.
    fn depth(&self, queue: StackQueue) -> impl Future<Output = Result<Option<Depth>, Error>> + Send;
    /// Opens an object of the quarantine bucket, which may hold what a partner sent; `None` when it is not there.
    fn open_kept(&self, key: &str) -> impl Future<Output = Result<Option<Self::Body>, Error>> + Send;
}
