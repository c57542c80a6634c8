//! Queues: the inbox queue, the queue of webhooks, and their dead-letter queues.

use std::future::Future;

use crate::Error;

/// Most messages that are sent at once (SendMessageBatch), and that are taken at once (ReceiveMessage).
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
pub const MOST_MESSAGES: usize = 10;

/// A queue of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StackQueue {
    /// Notifications of new files.
    Inbox,
    /// Notifications that failed ten times.
    InboxDeadLetters,
    /// Outcomes that are still to be posted to partners.
    Webhooks,
    /// Outcomes that a partner's address did not take.
    WebhookDeadLetters,
}

impl StackQueue {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Inbox, Self::InboxDeadLetters, Self::Webhooks, Self::WebhookDeadLetters];

    /// Returns its name in a stack (`infra/*.yaml`).
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

    /// Returns whether what lies there was given up.
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

/// A queue that the watcher looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WatchedQueue {
    /// Notifications of new files.
    Inbox,
    /// Notifications that failed ten times.
    InboxDeadLetters,
    /// Outcomes that a partner's address did not take.
    WebhookDeadLetters,
}

/// A message among the dead letters. Deliberately without `Debug`: an event holds a key.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// SQS's id for it, the same however often it is looked at.
    pub id: String,
    /// Its text.
    pub body: String,
}

/// Delays a redelivery.
pub trait Queue: Sync {
    /// Makes the message visible again after this number of seconds (0 to 43,200).
    fn defer(&self, receipt_handle: &str, seconds: u32) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Sends messages to the inbox queue.
pub trait SendMessages: Sync {
    /// Sends a fresh message with this body to the inbox queue. Sent twice when the answer is lost.
    fn hand_over(&self, body: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// Sends at most [`MOST_MESSAGES`] messages to the inbox queue. After an error some may have been sent.
    fn send(&self, bodies: &[String]) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Looks at queues whose addresses are known, and takes nothing from them.
pub trait WatchQueues: Sync {
    /// Returns how many messages a queue has.
    fn messages(&self, queue: WatchedQueue) -> impl Future<Output = Result<Depth, Error>> + Send;
    /// Looks at some messages of a queue of dead letters, at most [`MOST_MESSAGES`], and leaves them visible to
    /// everybody.
    fn peek(&self, queue: WatchedQueue) -> impl Future<Output = Result<Vec<DeadLetter>, Error>> + Send;
}

/// A queue whose dead letters can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RedrivenQueue {
    /// Notifications of new files, and what operators ask for.
    Inbox,
    /// Outcomes for partners' webhooks.
    Webhooks,
}

impl RedrivenQueue {
    /// Returns the queue itself.
    #[must_use]
    pub fn queue(self) -> StackQueue {
        match self {
            Self::Inbox => StackQueue::Inbox,
            Self::Webhooks => StackQueue::Webhooks,
        }
    }

    /// Returns the queue of its dead letters.
    #[must_use]
    pub fn letters(self) -> StackQueue {
        match self {
            Self::Inbox => StackQueue::InboxDeadLetters,
            Self::Webhooks => StackQueue::WebhookDeadLetters,
        }
    }
}

/// A dead letter that was taken: for a while it is hidden from everybody else. Deliberately without `Debug`: an event
/// holds a key.
#[derive(Clone, PartialEq, Eq)]
pub struct TakenLetter {
    /// SQS's id for it, the same however often it is taken.
    pub id: String,
    /// Its text.
    pub body: String,
    /// What it is removed or put back by.
    pub receipt_handle: String,
    /// When it was first sent, milliseconds since the epoch, when SQS says so.
    pub sent_ms: Option<u64>,
}

/// Takes dead letters off their queue. What is sent again goes by [`SendToQueue`].
pub trait Redrive: Sync {
    /// Takes at most [`MOST_MESSAGES`] dead letters and hides them for this number of seconds; empty when none is
    /// visible. After a lost answer they are visible again when that time has passed.
    fn take_letters(
        &self,
        queue: RedrivenQueue,
        seconds: u32,
    ) -> impl Future<Output = Result<Vec<TakenLetter>, Error>> + Send;
    /// Removes a letter that was taken. One that is not there is removed.
    fn remove_letter(
        &self,
        queue: RedrivenQueue,
        letter: &TakenLetter,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Makes a letter that was taken visible again.
    fn put_back(
        &self,
        queue: RedrivenQueue,
        letter: &TakenLetter,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Sends messages to queues that are known by their names, for the operator.
pub trait SendToQueue: Sync {
    /// Sends at most [`MOST_MESSAGES`] messages to a queue. After an error some may have been sent. A queue that is not
    /// there is an error too.
    fn send_to(&self, queue: StackQueue, bodies: &[String])
    -> impl Future<Output = Result<(), Error>> + Send;
}

/// Counts messages of queues that are known by their names, for the operator.
pub trait CountMessages: Sync {
    /// Returns how many messages a queue has; `None` when there is no such queue.
    fn depth(&self, queue: StackQueue) -> impl Future<Output = Result<Option<Depth>, Error>> + Send;
}
