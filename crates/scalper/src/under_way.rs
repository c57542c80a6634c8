//! Files that a command sent and that are not decided: a few at a time, and of each key one version, since a feed may
//! accept one file of a name. A file that is not decided for as long as the queue tries is given up.

use std::collections::{BTreeSet, VecDeque};

use runtime::MINUTE_MS;
use store::{Error, FileId, MOST_ENTRIES, MOST_MESSAGES, ReadLedger, State};

/// How long a file may take until it counts as undecided: its ten deliveries take 75 minutes (docs/limits.md).
pub(crate) const PATIENCE_MS: u64 = 90 * MINUTE_MS;

/// A file that was sent.
struct FileUnderWay {
    file: FileId,
    key: String,
    since_ms: u64,
}

/// A file that is under way no longer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EndedFile {
    pub(crate) file: FileId,
    /// The state in which it ended; `None`: it was not decided in time.
    pub(crate) state: Option<State>,
}

/// The files that are under way.
pub(crate) struct FilesUnderWay {
    most: usize,
    sent: Vec<FileUnderWay>,
}

impl FilesUnderWay {
    /// Makes one of at most this number of files at a time.
    pub(crate) fn at_most(files: u16) -> Self {
        Self { most: usize::from(files), sent: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Returns whether another file may be sent.
    pub(crate) fn has_room(&self) -> bool {
        self.sent.len() < self.most
    }

    /// Adds a file that was sent now.
    pub(crate) fn add(&mut self, file: FileId, key: String, now_ms: u64) {
        self.sent.push(FileUnderWay { file, key, since_ms: now_ms });
    }

    /// Takes those that may be sent now, from the first: as many as there is room for, and of each key one version.
    pub(crate) fn take<T>(&self, next: &mut VecDeque<T>, key: impl Fn(&T) -> &str) -> Vec<T> {
        let room = self.most.saturating_sub(self.sent.len()).min(MOST_MESSAGES);
        let mut keys: BTreeSet<String> = self.sent.iter().map(|sent| sent.key.clone()).collect();
        let mut taken = Vec::new();
        let mut index = 0;
        while taken.len() < room {
            let Some(file) = next.get(index) else { break };
            if keys.insert(key(file).to_owned()) {
                taken.extend(next.remove(index));
            } else {
                index += 1;
            }
        }
        taken
    }

    /// Looks which files have ended, in a state that ends them or too late, and leaves them out from now on.
    pub(crate) async fn look<S: ReadLedger>(
        &mut self,
        store: &S,
        now_ms: u64,
        ends: impl Fn(State) -> bool,
    ) -> Result<Vec<EndedFile>, Error> {
        let files: Vec<FileId> = self.sent.iter().map(|sent| sent.file.clone()).collect();
        let mut ended = Vec::new();
        for some in files.chunks(MOST_ENTRIES) {
            let entries = store.entries(some).await?;
            ended.extend(entries.into_iter().filter_map(|(file, entry)| {
                ends(entry.state).then_some(EndedFile { file, state: Some(entry.state) })
            }));
        }
        let decided: BTreeSet<FileId> = ended.iter().map(|ended| ended.file.clone()).collect();
        self.sent.retain(|sent| !decided.contains(&sent.file));
        let is_late = |sent: &mut FileUnderWay| now_ms.saturating_sub(sent.since_ms) > PATIENCE_MS;
        let late = self.sent.extract_if(.., is_late);
        ended.extend(late.map(|sent| EndedFile { file: sent.file, state: None }));
        Ok(ended)
    }
}
