//! The messages in the dead-letter queues: how many, and of which files. They are read and left in the queues.

use std::collections::BTreeMap;

use ledger::FileId;
use runtime::{Key, notification};
use serde::Deserialize;
use store::{Error, WatchedQueue};

use crate::senders::{Senders, label};
use crate::{Watcher, WatcherStore};

/// Looks at a queue in one run: SQS shows ten messages a time, others each time.
const MOST_LOOKS: usize = 5;
/// Files that are logged in one run.
const MOST_LOGGED: usize = 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeadLetters {
    /// Messages of all queues, whether all were looked at or not.
    pub(crate) count: u64,
    /// The files of those that were looked at.
    pub(crate) files: Vec<DeadFile>,
}

/// A file that a dead letter is about. Holds no key, and of it the partner only: the next part may be any folder's
/// name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeadFile {
    pub(crate) file: FileId,
    pub(crate) partner: String,
}

/// An announcement, as far as it is needed here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnnouncedFile {
    file_id: FileId,
    #[serde(default)]
    partner: String,
}

impl<S: WatcherStore> Watcher<S> {
    /// Counts and logs the dead letters. Without senders no partner is named.
    pub(crate) async fn dead_letters(&self, senders: Option<&Senders>) -> Result<DeadLetters, Error> {
        let mut found = DeadLetters::default();
        for queue in [WatchedQueue::InboxDeadLetters, WatchedQueue::WebhookDeadLetters] {
            let depth = self.store.messages(queue).await?;
            found.count += depth.waiting + depth.in_flight;
            if depth.waiting > 0 {
                found.files.extend(self.look(queue).await?);
            }
        }
        found.files.sort();
        found.files.dedup();
        for DeadFile { file, partner } in found.files.iter().take(MOST_LOGGED) {
            tracing::warn!(
                file = file.as_str(),
                partner = label(senders, partner).as_str(),
                "a message of this file is in a dead-letter queue: find its cause in the log, then redrive it"
            );
        }
        Ok(found)
    }

    /// Reads some of a queue's messages, until a look shows nothing new.
    async fn look(&self, queue: WatchedQueue) -> Result<Vec<DeadFile>, Error> {
        let mut letters = BTreeMap::new();
        for _ in 0..MOST_LOOKS {
            let known = letters.len();
            letters.extend(self.store.peek(queue).await?.into_iter().map(|letter| (letter.id, letter.body)));
            if letters.len() == known {
                break;
            }
        }
        Ok(letters.values().flat_map(|body| files_of(queue, body)).collect())
    }
}

fn files_of(queue: WatchedQueue, body: &str) -> Vec<DeadFile> {
    if queue == WatchedQueue::WebhookDeadLetters {
        let announced: Option<AnnouncedFile> = serde_json::from_str(body).ok();
        let named = |AnnouncedFile { file_id: file, partner }| DeadFile { file, partner };
        return announced.map(named).into_iter().collect();
    }
    let files = notification::read(body).into_iter();
    files
        .map(|file| {
            let partner = match Key::read(&file.key) {
                Key::File { partner, .. } => partner,
                Key::Folder(_) | Key::Clutter | Key::Bad => String::new(),
            };
            DeadFile { file: FileId::of(&file), partner }
        })
        .collect()
}
