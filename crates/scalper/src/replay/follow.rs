//! Asks for replays, a few at a time, and follows each to its end.

use std::collections::BTreeMap;

use ledger::{Counts, Entry, FileId, ReplayRequest, ReplayResult, State, Worse};
use serde::Serialize;
use store::{ActDetail, DetailName, DetailValue, MOST_ENTRIES, MOST_MESSAGES, StackQueue};

use super::{CanReplay, ReplayCase};
use crate::backfill::PATIENCE_MS;
use crate::error::CommandError;
use crate::interrupt::Interrupt;
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
    /// It was not decided for as long as the queue tries. `scalper status` shows why.
    Waiting,
    /// It was asked for, and the command was interrupted before it ended: the stack goes on with it.
    Asked,
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

/// What was done of replays.
#[derive(Default)]
pub(super) struct ReplayWork {
    /// How each ended that was asked for.
    pub(super) files: Vec<ReplayedFile>,
    /// Files that were not asked for.
    pub(super) not_asked: usize,
    /// Whether the operator ended the command before all was done.
    pub(super) interrupted: bool,
}

/// Replays that are worked off.
pub(super) struct ReplayRun<'a> {
    /// The request's own name.
    id: &'a str,
    worse: Worse,
    /// Replays that are under way at most.
    most: usize,
    all: &'a [ReplayCase],
    /// How many were asked for, from the first.
    asked: usize,
    /// Those that are under way, each with when it was asked for.
    under_way: Vec<(&'a ReplayCase, u64)>,
    ended: BTreeMap<FileId, ReplayedFile>,
}

impl<'a> ReplayRun<'a> {
    pub(super) fn new(id: &'a str, worse: Worse, most: usize, all: &'a [ReplayCase]) -> Self {
        Self { id, worse, most, all, asked: 0, under_way: Vec::new(), ended: BTreeMap::new() }
    }

    /// Takes those that may be asked for now.
    fn take(&mut self) -> &'a [ReplayCase] {
        let room = self.most.saturating_sub(self.under_way.len()).min(MOST_MESSAGES);
        let rest = self.all.get(self.asked..).unwrap_or_default();
        let next = rest.get(..room).unwrap_or(rest);
        self.asked += next.len();
        next
    }

    /// Ends it here: what is under way was asked for, and the rest was not.
    fn into_work(mut self, interrupted: bool) -> ReplayWork {
        for (case, _) in self.under_way {
            let asked = ReplayedFile::new(&case.file, &case.entry, ReplayEnd::Asked);
            self.ended.insert(case.file.clone(), asked);
        }
        ReplayWork {
            files: self.all.iter().filter_map(|case| self.ended.remove(&case.file)).collect(),
            not_asked: self.all.len().saturating_sub(self.asked),
            interrupted,
        }
    }

    /// Returns how the replay of a file ended; `None` while it has not.
    fn end_of(&self, case: &ReplayCase, entry: &Entry) -> Option<ReplayEnd> {
        if let Some(ended) = entry.replayed.as_ref().filter(|ended| ended.request == self.id) {
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
}

impl<S: CanReplay> StackView<S> {
    /// Works all replays off. One that takes longer than the queue tries is left to the stack.
    pub(super) async fn work_off(
        &self,
        mut run: ReplayRun<'_>,
        mut pause: impl AsyncFnMut(),
        mut seen: impl FnMut(usize, usize),
        mut interrupt: Interrupt<'_>,
    ) -> Result<ReplayWork, CommandError> {
        loop {
            if interrupt.has_happened().await {
                return Ok(run.into_work(true));
            }
            let next = run.take();
            if !next.is_empty() {
                self.ask_for_replays(&mut run, next).await?;
                continue;
            }
            if run.under_way.is_empty() {
                return Ok(run.into_work(false));
            }
            interrupt.or(pause()).await;
            self.look_at_replays(&mut run).await?;
            seen(run.ended.len(), run.all.len());
        }
    }

    async fn ask_for_replays<'a>(
        &self,
        run: &mut ReplayRun<'a>,
        next: &'a [ReplayCase],
    ) -> Result<(), CommandError> {
        let request = |case: &ReplayCase| {
            let hash = hex::encode(case.contract.identity.hash);
            ReplayRequest::new(run.id, &case.entry, &hash, run.worse).message()
        };
        let bodies: Vec<String> = next.iter().map(request).collect();
        self.store.send_to(StackQueue::Inbox, &bodies).await.map_err(CommandError::NotAsked)?;
        let now_ms = self.host.now();
        run.under_way.extend(next.iter().map(|case| (case, now_ms)));
        Ok(())
    }

    /// Looks which of the replays that are under way have ended.
    async fn look_at_replays(&self, run: &mut ReplayRun<'_>) -> Result<(), CommandError> {
        let files: Vec<FileId> = run.under_way.iter().map(|(case, _)| case.file.clone()).collect();
        let mut entries = BTreeMap::new();
        for some in files.chunks(MOST_ENTRIES) {
            entries.extend(self.store.entries(some).await.map_err(CommandError::Read)?);
        }
        let now_ms = self.host.now();
        for (case, since_ms) in std::mem::take(&mut run.under_way) {
            let entry = entries.get(&case.file);
            let late = now_ms.saturating_sub(since_ms) > PATIENCE_MS;
            let end = entry.and_then(|entry| run.end_of(case, entry)).or(late.then_some(ReplayEnd::Waiting));
            match end {
                None => run.under_way.push((case, since_ms)),
                Some(end) => {
                    let ended = ReplayedFile::new(&case.file, entry.unwrap_or(&case.entry), end);
                    run.ended.insert(case.file.clone(), ended);
                }
            }
        }
        Ok(())
    }
}
