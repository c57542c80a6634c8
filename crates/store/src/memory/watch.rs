//! The watcher's view.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{INBOX, Memory, Version, World};
use crate::file::NULL_VERSION;
use crate::operator::Depth;
use crate::watch::{
    Cursor, DeadLetter, InboxPage, InboxPlace, ListedVersion, MOST_ENTRIES, MOST_MESSAGES, Published, Watch,
    WatchedQueue,
};
use crate::{Entry, Error, FileId, FileVersion, Operation};

/// Versions of a page unless [`Memory::pages_of`] says otherwise.
const PAGE: usize = 1_000;

/// What the watcher keeps, and what is only looked at by it.
#[derive(Default)]
pub(super) struct WatchWorld {
    cursor: Option<Cursor>,
    sent: Vec<String>,
    /// Messages that wait besides those that were sent.
    backlog: u64,
    dead: BTreeMap<WatchedQueue, Vec<DeadLetter>>,
    page: Option<usize>,
}

/// What tests do and see. None of it is a counted call.
impl Memory {
    /// Makes pages of the inbox have so many versions (at least 1).
    pub fn pages_of(&self, versions: usize) {
        self.world().watch.page = Some(versions.max(1));
    }

    /// Takes the messages that were sent to the inbox queue, in order.
    #[must_use]
    pub fn take_sent(&self) -> Vec<String> {
        std::mem::take(&mut self.world().watch.sent)
    }

    /// Says how many messages wait besides those that were sent.
    pub fn set_backlog(&self, messages: u64) {
        self.world().watch.backlog = messages;
    }

    /// Puts a message among the dead letters of a queue.
    pub fn bury(&self, queue: WatchedQueue, id: &str, body: &str) {
        let letter = DeadLetter { id: id.to_owned(), body: body.to_owned() };
        self.world().watch.dead.entry(queue).or_default().push(letter);
    }

    /// Says when a version was made.
    pub fn made_at(&self, file: &FileVersion, last_modified_ms: u64) {
        let mut world = self.world();
        let versions = world.inbox.get_mut(&(file.bucket.clone(), file.key.clone()));
        for version in versions.into_iter().flatten().filter(|version| version.id == file.version) {
            version.last_modified_ms = last_modified_ms;
        }
    }

    /// How far the reconciliation got.
    #[must_use]
    pub fn reconciled(&self) -> Option<Cursor> {
        self.world().watch.cursor.clone()
    }
}

impl Watch for Memory {
    async fn inbox_page(&self, after: Option<&InboxPlace>) -> Result<InboxPage, Error> {
        self.call(Operation::ListInbox, |world| world.page(after)).await
    }

    async fn entries(&self, files: &[FileId]) -> Result<BTreeMap<FileId, Entry>, Error> {
        self.call(Operation::ReadLedger, |world| {
            let known = files.iter().take(MOST_ENTRIES);
            known.filter_map(|file| Some((file.clone(), world.entries.get(file)?.clone()))).collect()
        })
        .await
    }

    async fn cursor(&self) -> Result<Option<Cursor>, Error> {
        self.call(Operation::ReadCursor, |world| world.watch.cursor.clone()).await
    }

    async fn put_cursor(&self, next: &Cursor, seen: Option<&Cursor>) -> Result<bool, Error> {
        self.call(Operation::WriteCursor, |world| {
            let revision = |cursor: &Cursor| cursor.revision;
            let same = world.watch.cursor.as_ref().map(revision) == seen.map(revision);
            if same {
                world.watch.cursor = Some(next.clone());
            }
            same
        })
        .await
    }

    async fn messages(&self, queue: WatchedQueue) -> Result<Depth, Error> {
        self.call(Operation::ReadQueue, |world| {
            let waiting = match queue {
                WatchedQueue::Inbox => world.watch.sent.len() as u64 + world.watch.backlog,
                dead => world.watch.dead.get(&dead).map_or(0, Vec::len) as u64,
            };
            Depth { waiting, in_flight: 0 }
        })
        .await
    }

    async fn send(&self, bodies: &[String]) -> Result<(), Error> {
        self.call(Operation::SendMessages, |world| {
            world.watch.sent.extend(bodies.iter().take(MOST_MESSAGES).cloned());
        })
        .await
    }

    async fn peek(&self, queue: WatchedQueue) -> Result<Vec<DeadLetter>, Error> {
        self.call(Operation::ReadQueue, |world| {
            // Others each time, as SQS does: a few are taken from the front and put back at the end.
            let letters = world.watch.dead.entry(queue).or_default();
            let looked_at: Vec<_> = letters.iter().take(MOST_MESSAGES).cloned().collect();
            letters.rotate_left(looked_at.len());
            looked_at
        })
        .await
    }

    async fn published(&self) -> Result<Vec<Published>, Error> {
        self.call(Operation::ListContracts, |world| {
            let published = world.newest_contracts().map(|(feed, newest)| Published {
                feed: feed.clone(),
                published_ms: newest.published_ms,
                etag: Some(newest.version.clone()),
            });
            published.collect()
        })
        .await
    }

    async fn publish_contract(&self, feed: &str, bytes: Bytes) -> Result<bool, Error> {
        self.call(Operation::PublishContract, |world| {
            let absent = !world.has_contract(feed);
            if absent {
                world.add_contract(feed, Some(bytes));
            }
            absent
        })
        .await
    }
}

impl World {
    /// Puts a message into the inbox queue.
    pub(super) fn put_message(&mut self, body: &str) {
        self.watch.sent.push(body.to_owned());
    }

    fn page(&self, after: Option<&InboxPlace>) -> InboxPage {
        let most = self.watch.page.unwrap_or(PAGE);
        let keys = self.inbox.iter().filter(|((bucket, _), _)| bucket == INBOX);
        let mut rest = keys.flat_map(|((_, key), versions)| unseen(key, versions, after));
        let versions: Vec<_> = rest.by_ref().take(most).collect();
        let next = rest.next().and(versions.last()).map(ListedVersion::place);
        InboxPage { versions, next }
    }
}

/// The versions of a key that come after a place. After a version that was deleted meanwhile the key begins anew: what was
/// seen is seen again, and nothing is left out.
fn unseen(key: &str, versions: &[Version], after: Option<&InboxPlace>) -> Vec<ListedVersion> {
    let rest = match after {
        Some(place) if key < place.key.as_str() => &[],
        Some(InboxPlace { key: last, version }) if key == last => match version {
            None => &[],
            Some(last) => {
                let seen =
                    versions.iter().position(|version| version.id == *last).map_or(0, |place| place + 1);
                versions.get(seen..).unwrap_or_default()
            }
        },
        _ => versions,
    };
    rest.iter().map(|version| listed(key, version)).collect()
}

fn listed(key: &str, version: &Version) -> ListedVersion {
    let etag = (version.id == NULL_VERSION).then(|| version.etag.clone());
    let file =
        FileVersion { bucket: INBOX.to_owned(), key: key.to_owned(), version: version.id.clone(), etag };
    ListedVersion { file, last_modified_ms: version.last_modified_ms, bytes: version.bytes.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every version, page by page.
    async fn walk(memory: &Memory) -> Result<Vec<String>, Error> {
        let (mut seen, mut place) = (Vec::new(), None);
        loop {
            let page = memory.inbox_page(place.as_ref()).await?;
            seen.extend(page.versions.into_iter().map(|version| version.file.version));
            place = page.next;
            if place.is_none() {
                return Ok(seen);
            }
        }
    }

    #[tokio::test]
    async fn pages_of_any_size_hold_every_version_once_newest_first() -> Result<(), Error> {
        let memory = Memory::new();
        for key in ["b", "a", "b", "c", "b"] {
            memory.land(INBOX, key, "x");
        }
        memory.land("other", "a", "x");
        let all = ["version-000002", "version-000005", "version-000003", "version-000001", "version-000004"];
        for size in 1..=6 {
            memory.pages_of(size);
            assert_eq!(walk(&memory).await?, all, "{size}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_cursor_is_written_by_one_of_two_and_a_contract_only_where_there_is_none() -> Result<(), Error>
    {
        let memory = Memory::new();
        let cursor = |revision| Cursor { revision, begun_ms: 7, place: None };
        assert!(memory.put_cursor(&cursor(1), None).await?);
        assert!(!memory.put_cursor(&cursor(1), None).await?);
        assert!(memory.put_cursor(&cursor(2), Some(&cursor(1))).await?);
        assert!(!memory.put_cursor(&cursor(2), Some(&cursor(1))).await?);
        assert!(Watch::publish_contract(&memory, "labs", "a".into()).await?);
        assert!(!Watch::publish_contract(&memory, "labs", "b".into()).await?);
        Ok(())
    }

    #[tokio::test]
    async fn dead_letters_stay_where_they_are_and_each_look_shows_others() -> Result<(), Error> {
        let memory = Memory::new();
        let queue = WatchedQueue::InboxDeadLetters;
        for number in 0..15 {
            memory.bury(queue, &number.to_string(), "x");
        }
        let (first, second) = (memory.peek(queue).await?, memory.peek(queue).await?);
        assert_eq!((first.len(), second[0].id.as_str()), (10, "10"));
        assert_eq!(memory.messages(queue).await?.waiting, 15);
        Ok(())
    }
}
