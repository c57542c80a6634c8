//! Queues: the inbox queue, the queue of operations, the queue of webhooks, and their dead-letter queues.

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
    /// Messages of the inbox queue and the operations queue that failed ten times.
    InboxDeadLetters,
    /// What operators ask for: replays and backfills, which never delay new files.
    Operations,
    /// Outcomes that partners are still to hear of.
    Webhooks,
    /// Outcomes that a partner's address did not take.
    WebhookDeadLetters,
}

impl StackQueue {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Inbox, Self::InboxDeadLetters, Self::Operations, Self::Webhooks, Self::WebhookDeadLetters];

    /// Returns its name in a stack (`infra/*.yaml`).
    #[must_use]
    pub fn name(self, stack: &str) -> String {
        format!("{stack}-{}", self.own_name())
    }

    /// Returns what follows the stack's name.
    fn own_name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::InboxDeadLetters => "inbox-dead-letters",
            Self::Operations => "operations",
            Self::Webhooks => "webhooks",
            Self::WebhookDeadLetters => "webhooks-dead-letters",
        }
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

/// A queue that the processor takes messages from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceQueue {
    /// Notifications of new files.
    Inbox,
    /// What operators ask for.
    Operations,
}

impl SourceQueue {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Inbox, Self::Operations];

    /// Reads the ARN of a queue (`arn:<partition>:sqs:<region>:<account>:<name>`), by the end of its name. An unknown
    /// one is taken for the inbox queue, as it was before there was another.
    #[must_use]
    pub fn of_arn(arn: &str) -> Self {
        let name = arn.rsplit(':').next().unwrap_or_default();
        let is_named = |own: &str| name.strip_suffix(own).is_some_and(|stack| stack.ends_with('-'));
        let mut all = Self::ALL.into_iter();
        all.find(|queue| is_named(queue.queue().own_name())).unwrap_or(Self::Inbox)
    }

    /// Returns it as a queue of the stack.
    #[must_use]
    pub fn queue(self) -> StackQueue {
        match self {
            Self::Inbox => StackQueue::Inbox,
            Self::Operations => StackQueue::Operations,
        }
    }
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

/// Delays a redelivery of the only queue that a function takes from.
pub trait Queue: Sync {
    /// Makes the message visible again after this number of seconds (0 to 43,200).
    fn defer(&self, receipt_handle: &str, seconds: u32) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Gives messages back to the queue that they were taken from.
pub trait GiveBack: Sync {
    /// Makes the message visible again after this number of seconds (0 to 43,200).
    fn give_back(
        &self,
        queue: SourceQueue,
        receipt_handle: &str,
        seconds: u32,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Sends a fresh message with this body to the queue. Sent twice when the answer is lost.
    fn hand_over(&self, queue: SourceQueue, body: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Sends messages to the inbox queue.
pub trait SendMessages: Sync {
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
    /// The queue from which it was given up, when SQS says so: one that somebody put there by hand came from none.
    pub source: Option<StackQueue>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_of_a_message_is_known_by_the_end_of_its_arn() {
        let read = |name: &str| SourceQueue::of_arn(&format!("arn:aws:sqs:eu-central-1:123456789012:{name}"));
        for stack in ["silent-scalper", "operations", "my-operations", "inbox", "a"] {
            for queue in SourceQueue::ALL {
                assert_eq!(read(&queue.queue().name(stack)), queue, "{stack}");
            }
        }
        for other in ["", "operations", "preoperations", "s-webhooks", "s-operations-2", "s-inbox.fifo"] {
            assert_eq!(read(other), SourceQueue::Inbox, "{other}");
        }
        assert_eq!(SourceQueue::of_arn(""), SourceQueue::Inbox);
    }
}
