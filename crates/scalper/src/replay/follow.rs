//! Asks for replays, a few at a time, and follows each to its end.
//!
//! Each file is an act of its own in the audit trail, so that it is found by its file and by its partner. The act
//! begins before the file is asked for, and ends with the file, with the command, or with the interrupt.

use std::collections::BTreeMap;

use ledger::{ActReason, Counts, Entry, FileId, ReplayRequest, ReplayResult, Replayed, State, Worse};
use serde::Serialize;
use store::{
    ActDetail, ActSubject, CallerIdentity, DetailName, DetailValue, MOST_ENTRIES, MOST_MESSAGES, StackQueue,
    Verb, WriteAudit,
};

use super::{CanReplay, ReplayCase};
use crate::audited::{ActEnding, Auditor, BegunAct, PlannedAct};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::reading::{FileView, StackView};
use crate::under_way::PATIENCE_MS;

/// Error name of an act whose file was not decided for as long as the queue tries.
const NOT_DECIDED: &str = "NotDecided";

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
}

/// What was done of replays.
pub(super) struct ReplayWork {
    /// How each ended that was asked for.
    pub(super) files: Vec<ReplayedFile>,
    /// Files that were not asked for.
    pub(super) not_asked: usize,
    /// Whether the operator ended the command before all was done.
    pub(super) interrupted: bool,
    /// Whether all ends were noted in the audit trail.
    pub(super) noted: Result<(), CommandError>,
}

impl ReplayWork {
    /// Makes that of a command that has nothing to ask for.
    pub(super) fn none() -> Self {
        Self { files: Vec::new(), not_asked: 0, interrupted: false, noted: Ok(()) }
    }
}

/// What all files of a command are asked with.
pub(super) struct ReplayConditions {
    /// The request's own name.
    pub(super) id: String,
    pub(super) worse: Worse,
    /// Replays that are under way at most.
    pub(super) most: usize,
    pub(super) reason: Option<ActReason>,
}

/// A file whose replay was noted and is asked for.
struct FollowedReplay<'a> {
    case: &'a ReplayCase,
    /// When it was asked for.
    since_ms: u64,
    act: BegunAct,
}

/// Replays that are worked off.
pub(super) struct ReplayRun<'a> {
    conditions: ReplayConditions,
    all: &'a [ReplayCase],
    /// How many were asked for, from the first.
    asked: usize,
    under_way: Vec<FollowedReplay<'a>>,
    ended: BTreeMap<FileId, ReplayedFile>,
    /// Whether all ends were noted: the first failure.
    noted: Result<(), CommandError>,
}

impl<'a> ReplayRun<'a> {
    pub(super) fn new(conditions: ReplayConditions, all: &'a [ReplayCase]) -> Self {
        Self { conditions, all, asked: 0, under_way: Vec::new(), ended: BTreeMap::new(), noted: Ok(()) }
    }

    /// Takes those that may be asked for now.
    fn take(&mut self) -> &'a [ReplayCase] {
        let room = self.conditions.most.saturating_sub(self.under_way.len()).min(MOST_MESSAGES);
        let rest = self.all.get(self.asked..).unwrap_or_default();
        let next = rest.get(..room).unwrap_or(rest);
        self.asked += next.len();
        next
    }

    /// Returns how the replay of a file ended; `None` while it has not.
    fn end_of(&self, case: &ReplayCase, entry: &Entry) -> Option<ReplayEnd> {
        if let Some(ended) = entry.replayed.as_ref().filter(|ended| self.is_own(ended)) {
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

    /// Returns how the act of a file ended. It says `done` only where this request decided the file.
    fn ending(&self, case: &ReplayCase, entry: &Entry, end: ReplayEnd) -> ActEnding {
        let replayed = entry.replayed.as_ref();
        let decided =
            replayed.is_some_and(|ended| self.is_own(ended) && ended.result == ReplayResult::Decided);
        match end {
            ReplayEnd::Decided if decided => {
                let before = Some(DetailValue::State(case.entry.state));
                // A state that others changed since is not this act's.
                let as_decided = entry.past.moves == case.entry.past.moves;
                let change = as_decided
                    .then(|| ActDetail::change(DetailName::State, before, DetailValue::State(entry.state)));
                ActEnding::of([asked()].into_iter().chain(change.flatten()).collect())
            }
            ReplayEnd::Waiting => ActEnding::failed(NOT_DECIDED),
            ReplayEnd::Asked => ActEnding::interrupted(vec![asked()]),
            ReplayEnd::Decided
            | ReplayEnd::Kept
            | ReplayEnd::Gone
            | ReplayEnd::ContractChanged
            | ReplayEnd::Changed => ActEnding::of(Vec::new()),
        }
    }

    fn is_own(&self, ended: &Replayed) -> bool {
        ended.request == self.conditions.id
    }
}

/// Returns the detail of a file that was asked for.
fn asked() -> ActDetail {
    ActDetail::new(DetailName::Files, DetailValue::Count(1))
}

impl<S: CanReplay> StackView<S> {
    /// Works all replays off. One that takes longer than the queue tries is left to the stack. Whatever ends it, every
    /// act that was begun is ended.
    pub(super) async fn work_off<T: WriteAudit + CallerIdentity>(
        &self,
        mut run: ReplayRun<'_>,
        auditor: &Auditor<T>,
        pause: impl AsyncFnMut(),
        seen: impl FnMut(usize, usize),
        interrupt: Interrupt<'_>,
    ) -> Result<ReplayWork, CommandError> {
        let interrupted = self.follow_all(&mut run, auditor, pause, seen, interrupt).await;
        for replay in std::mem::take(&mut run.under_way) {
            let FollowedReplay { case, act, .. } = replay;
            let ending = match &interrupted {
                Ok(_) => run.ending(case, &case.entry, ReplayEnd::Asked),
                Err(failure) => ActEnding::failed(&failure.name()),
            };
            let noted = auditor.end(act, ending).await;
            run.noted = std::mem::replace(&mut run.noted, Ok(())).and(noted);
            let asked = ReplayedFile::new(&case.file, &case.entry, ReplayEnd::Asked);
            run.ended.insert(case.file.clone(), asked);
        }
        let interrupted = interrupted?;
        Ok(ReplayWork {
            files: run.all.iter().filter_map(|case| run.ended.remove(&case.file)).collect(),
            not_asked: run.all.len().saturating_sub(run.asked),
            interrupted,
            noted: run.noted,
        })
    }

    /// Asks and follows to the end. Returns whether it was interrupted: then some are still under way.
    async fn follow_all<T: WriteAudit + CallerIdentity>(
        &self,
        run: &mut ReplayRun<'_>,
        auditor: &Auditor<T>,
        mut pause: impl AsyncFnMut(),
        mut seen: impl FnMut(usize, usize),
        mut interrupt: Interrupt<'_>,
    ) -> Result<bool, CommandError> {
        loop {
            if interrupt.has_happened().await {
                return Ok(true);
            }
            let next = run.take();
            if !next.is_empty() {
                self.ask_for_replays(run, next, auditor).await?;
                continue;
            }
            if run.under_way.is_empty() {
                return Ok(false);
            }
            interrupt.or(pause()).await;
            self.look_at_replays(run, auditor).await?;
            seen(run.ended.len(), run.all.len());
        }
    }

    /// Notes the acts of these files and asks for their replays. Without all notes none of them is asked for.
    async fn ask_for_replays<'a, T: WriteAudit + CallerIdentity>(
        &self,
        run: &mut ReplayRun<'a>,
        next: &'a [ReplayCase],
        auditor: &Auditor<T>,
    ) -> Result<(), CommandError> {
        for case in next {
            let view = FileView::of_entry(&self.stack, &case.file, &case.entry);
            let planned = PlannedAct {
                verb: Verb::Replay,
                subject: ActSubject::file(&case.file, &view.partner, &view.feed),
                reason: run.conditions.reason.clone(),
            };
            let act = auditor.begin(planned).await?;
            run.under_way.push(FollowedReplay { case, since_ms: self.host.now(), act });
        }
        let request = |case: &ReplayCase| {
            let hash = hex::encode(case.contract.identity.hash);
            ReplayRequest::new(&run.conditions.id, &case.entry, &hash, run.conditions.worse).message()
        };
        let bodies: Vec<String> = next.iter().map(request).collect();
        self.store.send_to(StackQueue::Inbox, &bodies).await.map_err(CommandError::NotAsked)
    }

    /// Looks which of the replays that are under way have ended.
    async fn look_at_replays<T: WriteAudit + CallerIdentity>(
        &self,
        run: &mut ReplayRun<'_>,
        auditor: &Auditor<T>,
    ) -> Result<(), CommandError> {
        let files: Vec<FileId> = run.under_way.iter().map(|replay| replay.case.file.clone()).collect();
        let mut entries = BTreeMap::new();
        for some in files.chunks(MOST_ENTRIES) {
            entries.extend(self.store.entries(some).await.map_err(CommandError::Read)?);
        }
        let now_ms = self.host.now();
        for replay in std::mem::take(&mut run.under_way) {
            let case = replay.case;
            let entry = entries.get(&case.file);
            let late = now_ms.saturating_sub(replay.since_ms) > PATIENCE_MS;
            let end = entry.and_then(|entry| run.end_of(case, entry)).or(late.then_some(ReplayEnd::Waiting));
            match end {
                None => run.under_way.push(replay),
                Some(end) => {
                    let entry = entry.unwrap_or(&case.entry);
                    let noted = auditor.end(replay.act, run.ending(case, entry, end)).await;
                    run.noted = std::mem::replace(&mut run.noted, Ok(())).and(noted);
                    run.ended.insert(case.file.clone(), ReplayedFile::new(&case.file, entry, end));
                }
            }
        }
        Ok(())
    }
}
