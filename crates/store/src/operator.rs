//! What an operator asks beyond what a partner may: how many messages wait, which quarantined files are open, the rejected
//! records themselves; and the one thing that an operator notes of a file: that it is to be waited for no longer.

use std::future::Future;

use crate::door::ListedFile;
use crate::{Acknowledgement, Body, Error, FileId, State};

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

/// Open files: quarantined, with no good file of their name since, not corrected, and not acknowledged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenFiles {
    /// The files, each with the partner under which it is listed, in no fixed order.
    pub files: Vec<(String, ListedFile)>,
    /// Whether these are all of them.
    pub complete: bool,
}

/// The answer to an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// Noted, now or by an earlier attempt.
    Noted,
    /// Somebody acknowledged it before; that stays.
    Before(Acknowledgement),
    /// It is not quarantined.
    NotQuarantined(State),
    /// The ledger has no such file.
    Unknown,
}

/// Notes what an operator says of a file.
pub trait Acknowledge: Sync {
    /// One conditional write: the acknowledgement is noted and the file is open no longer. Allowed for a quarantined file
    /// without an acknowledgement; a repetition of the same one is answered as noted.
    fn acknowledge(
        &self,
        file: &FileId,
        said: &Acknowledgement,
    ) -> impl Future<Output = Result<Acknowledged, Error>> + Send;
}

/// Looks at the stack as its operator.
pub trait Survey: Sync {
    /// The chunks of an object.
    type Body: Body;
    /// How many messages a queue has; `None` when there is no such queue.
    fn depth(&self, queue: StackQueue) -> impl Future<Output = Result<Option<Depth>, Error>> + Send;
    /// At most about `most` open files, of one partner or of all. Reads the sparse index of open files and nothing of the
    /// other entries.
    fn open_files(
        &self,
        partner: Option<&str>,
        most: usize,
    ) -> impl Future<Output = Result<OpenFiles, Error>> + Send;
    /// Opens an object of the quarantine bucket, which may hold what a partner sent; `None` when it is not there.
    fn open_kept(&self, key: &str) -> impl Future<Output = Result<Option<Self::Body>, Error>> + Send;
}
