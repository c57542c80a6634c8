//! What the watcher asks beyond what the door asks: every version of the inbox page by page, many entries at once, what
//! lies among the dead letters; and the little that it writes: messages for the inbox queue, a contract where there is none,
//! and how far it got.

use std::collections::BTreeMap;
use std::future::Future;

use bytes::Bytes;

use crate::operator::Depth;
use crate::{Entry, Error, FileId, FileVersion};

/// Most entries that are read at once (BatchGetItem).
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
pub const MOST_ENTRIES: usize = 100;
/// Most messages that are sent at once (SendMessageBatch), and that are taken at once (ReceiveMessage).
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
pub const MOST_MESSAGES: usize = 10;

/// A version as the inbox lists it. Deliberately without `Debug`: its key may be a patient's name.
#[derive(Clone, PartialEq, Eq)]
pub struct ListedVersion {
    /// Which; its entity tag only where that pins it.
    pub file: FileVersion,
    /// When it was made, milliseconds since the epoch.
    pub last_modified_ms: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl ListedVersion {
    /// Where the listing goes on after this version.
    #[must_use]
    pub fn place(&self) -> InboxPlace {
        InboxPlace { key: self.file.key.clone(), version: Some(self.file.version.clone()) }
    }
}

/// A place in the list of all versions: keys in the order of their bytes, each key's newest version first.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxPlace {
    /// The key of the last version.
    pub key: String,
    /// The last version; `None`: after all versions of the key.
    pub version: Option<String>,
}

/// A page of versions.
pub struct InboxPage {
    /// The versions, delete markers left out.
    pub versions: Vec<ListedVersion>,
    /// Where to go on; `None` at the end.
    pub next: Option<InboxPlace>,
}

/// How far the reconciliation of the inbox with the ledger got.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Raised by each write, so that of two runs at a time one writes.
    pub revision: u64,
    /// When this round through the inbox began, milliseconds since the epoch.
    pub begun_ms: u64,
    /// Where to go on; `None`: the round is at its end.
    pub place: Option<InboxPlace>,
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

/// A contract that is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The feed; anything that somebody named a document after.
    pub feed: String,
    /// When its newest version was published, milliseconds since the epoch.
    pub published_ms: u64,
    /// Its entity tag: another document has another one. `None` where the listing has none.
    pub etag: Option<String>,
}

/// Looks after the stack.
pub trait Watch: Sync {
    /// A page of at most 1,000 versions of the inbox.
    fn inbox_page(&self, after: Option<&InboxPlace>)
    -> impl Future<Output = Result<InboxPage, Error>> + Send;
    /// The entries of at most [`MOST_ENTRIES`] files, those that there are. Not strongly consistent: what was written a
    /// moment ago may be missing.
    fn entries(
        &self,
        files: &[FileId],
    ) -> impl Future<Output = Result<BTreeMap<FileId, Entry>, Error>> + Send;
    /// How far the reconciliation got; `None`: it never ran.
    fn cursor(&self) -> impl Future<Output = Result<Option<Cursor>, Error>> + Send;
    /// Writes how far it got, if it still is what was seen. `false`: it is not.
    fn put_cursor(
        &self,
        next: &Cursor,
        seen: Option<&Cursor>,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// How many messages a queue has.
    fn messages(&self, queue: WatchedQueue) -> impl Future<Output = Result<Depth, Error>> + Send;
    /// Sends at most [`MOST_MESSAGES`] messages to the inbox queue. After an error some may have been sent.
    fn send(&self, bodies: &[String]) -> impl Future<Output = Result<(), Error>> + Send;
    /// Looks at some messages of a queue of dead letters, at most [`MOST_MESSAGES`], and leaves them visible to everybody.
    fn peek(&self, queue: WatchedQueue) -> impl Future<Output = Result<Vec<DeadLetter>, Error>> + Send;
    /// The contracts that there are, by feed, at most 10,000.
    fn published(&self) -> impl Future<Output = Result<Vec<Published>, Error>> + Send;
    /// Publishes a feed's contract unless there is one. `false`: there is.
    fn publish_contract(&self, feed: &str, bytes: Bytes) -> impl Future<Output = Result<bool, Error>> + Send;
}
