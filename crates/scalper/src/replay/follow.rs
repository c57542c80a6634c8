//! Follows replays until each has ended.

use std::collections::BTreeMap;

use ledger::{Counts, Entry, FileId, ReplayResult, State};
use serde::Serialize;
use store::{ActDetail, DetailName, DetailValue, MOST_ENTRIES};

use super::{CanReplay, ReplayCase};
use crate::error::CommandError;
use crate::reading::StackView;

/// How the replay of one file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ReplayEnd {
    /// The new load took the place of the old one.
    Decided,
    /// The file stays as it was: it would have been quarantined.
    Kept,
    /// The file stays as it was: the inbox does not hold the version any more.
    Gone,
    /// The file stays as it was: another contract came into force.
    ContractChanged,
    /// Something else happened to the file meanwhile.
    Changed,
    /// It was not decided while the command watched. The processor goes on.
    Waiting,
}

/// A file that was replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct ReplayedFile {
    pub file: FileId,
    pub key: String,
    pub end: ReplayEnd,
    pub state: State,
    /// The code of the fault: of the file as it is, or for which it would have been quarantined.
    pub fault: Option<String>,
    #[serde(flatten)]
    pub counts: Counts,
}

impl ReplayedFile {
    fn new(file: &FileId, entry: &Entry, end: ReplayEnd) -> Self {
        let outcome = entry.outcome.as_ref();
        let kept = entry.replayed.as_ref().and_then(|ended| ended.fault.clone());
        Self {
            file: file.clone(),
            key: entry.file.key.clone(),
            end,
            state: entry.state,
            fault: if end == ReplayEnd::Kept {
                kept
            } else {
                outcome.and_then(|outcome| outcome.fault.clone())
            },
            counts: outcome.map(|outcome| outcome.counts).unwrap_or_default(),
        }
    }

    /// Returns whether the file is loaded, by this replay or before.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.end == ReplayEnd::Decided && self.state == State::Complete
    }

    /// Returns what the replay changed, for the audit trail.
    pub(super) fn change(&self, before: State) -> Option<ActDetail> {
        let after = DetailValue::State(self.state);
        ActDetail::change(DetailName::State, Some(DetailValue::State(before)), after)
    }
}

/// Returns how the replay of a file ended; `None` while it has not.
fn end_of(case: &ReplayCase, id: &str, entry: &Entry) -> Option<ReplayEnd> {
    if let Some(ended) = entry.replayed.as_ref().filter(|ended| ended.request == id) {
        return Some(match ended.result {
            ReplayResult::Decided => ReplayEnd::Decided,
            ReplayResult::Kept => ReplayEnd::Kept,
            ReplayResult::Gone => ReplayEnd::Gone,
            ReplayResult::ContractChanged => ReplayEnd::ContractChanged,
        });
    }
    let same = (entry.state, &entry.load) == (case.entry.state, &case.entry.load);
    // Another operator's replay is as good.
    let replayed = entry.generation > case.entry.generation;
    match (same, replayed) {
        (_, true) => Some(ReplayEnd::Decided),
        (true, false) => None,
        (false, false) => Some(ReplayEnd::Changed),
    }
}

impl<S: CanReplay> StackView<S> {
    /// Looks at the entries again and again until each replay has ended, or until the pause says that it is enough.
    pub(super) async fn follow_replays(
        &self,
        cases: &[ReplayCase],
        id: &str,
        mut pause: impl AsyncFnMut() -> bool,
        mut seen: impl FnMut(usize, usize),
    ) -> Result<Vec<ReplayedFile>, CommandError> {
        let mut ended: BTreeMap<FileId, ReplayedFile> = BTreeMap::new();
        let mut last: BTreeMap<FileId, Entry> = BTreeMap::new();
        loop {
            let open: Vec<FileId> =
                cases.iter().map(|case| case.file.clone()).filter(|file| !ended.contains_key(file)).collect();
            for some in open.chunks(MOST_ENTRIES) {
                last.extend(self.store.entries(some).await.map_err(CommandError::Read)?);
            }
            for case in cases.iter().filter(|case| open.contains(&case.file)) {
                let Some(entry) = last.get(&case.file) else { continue };
                if let Some(end) = end_of(case, id, entry) {
                    ended.insert(case.file.clone(), ReplayedFile::new(&case.file, entry, end));
                }
            }
            seen(ended.len(), cases.len());
            if ended.len() == cases.len() || !pause().await {
                break;
            }
        }
        let of_case = |case: &ReplayCase| {
            let waiting = || ReplayedFile::new(&case.file, &case.entry, ReplayEnd::Waiting);
            ended.get(&case.file).cloned().unwrap_or_else(waiting)
        };
        Ok(cases.iter().map(of_case).collect())
    }
}
