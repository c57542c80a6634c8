//! What happened to a file, oldest first.
//!
//! The ledger's entry says how a file is now. What it was before is kept beside it, in the same writes: the outcomes of
//! the loads that a replay took the place of, the changes of state that no decision made, and what closed it. A first
//! load writes nothing more for it than the instant of its decision.

use crate::{Counts, Entry, FileId, Outcome, ReplayResult, State};

/// Outcomes of earlier loads that are kept: those of the newest ones.
pub const MOST_PAST: u32 = 10;

/// What the entry keeps of the past.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastOfFile {
    /// When the outcome was decided, milliseconds since the epoch; 0 where it is not known.
    pub decided_ms: u64,
    /// When the last replay ended that left the file as it was; 0 where there was none.
    pub kept_ms: u64,
    /// The outcomes of earlier loads, oldest first, at most [`MOST_PAST`].
    pub outcomes: Vec<PastOutcome>,
    /// The changes of state that no decision on this file made, oldest first.
    pub moves: Vec<StateMove>,
    /// What closed it while it was open.
    pub closed: Option<ClosedBy>,
}

/// What was decided of a load before a replay took its place.
#[derive(Clone, Debug, PartialEq)]
pub struct PastOutcome {
    /// The load's generation.
    pub generation: u32,
    /// What was decided, in the state that it had at the end.
    pub outcome: Outcome,
    /// When it was decided, milliseconds since the epoch; 0 where it is not known.
    pub decided_ms: u64,
}

/// A change of a file's state by another version's commit, or by an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateMove {
    /// When, milliseconds since the epoch.
    pub at_ms: u64,
    /// The state that it got.
    pub to: State,
    /// The file that is loaded in its place.
    pub other: Option<FileId>,
}

/// The good file that closed a quarantined one: a newer version of its name, or a correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedBy {
    /// The good file.
    pub file: FileId,
    /// When, milliseconds since the epoch.
    pub at_ms: u64,
}

words! {
    /// What happened to a file.
    FileEventKind {
        /// It landed in the inbox.
        Received = "received",
        /// Its first load was decided.
        Decided = "decided",
        /// Another load took the place of the one before.
        Replayed = "replayed",
        /// A replay left it as it was.
        Kept = "kept",
        /// A newer version of its name was loaded in its place.
        Superseded = "superseded",
        /// An operator hid its load.
        Retracted = "retracted",
        /// Its load was shown again.
        Restored = "restored",
        /// A good file of its name or a correction arrived.
        Resolved = "resolved",
        /// An operator noted that it needs no good file.
        Acknowledged = "acknowledged",
    }
}

/// One event of a file's history. Holds no content, and nothing of an operator but what was done.
#[derive(Clone, Debug, PartialEq)]
pub struct FileEvent {
    /// What happened.
    pub kind: FileEventKind,
    /// When, milliseconds since the epoch; `None`: an earlier release did not note it.
    pub at_ms: Option<u64>,
    /// The state that the file had from then on; `None` where it stayed as it was.
    pub state: Option<State>,
    /// The generation of the load, where one was decided.
    pub generation: Option<u32>,
    /// Records by fate, where the file was read.
    pub counts: Option<Counts>,
    /// The version of the contract, where there was one.
    pub contract_version: Option<String>,
    /// The code of the fault.
    pub fault: Option<String>,
    /// The other file: loaded in its place, or the good one.
    pub other: Option<FileId>,
}

impl FileEvent {
    fn new(kind: FileEventKind, at_ms: u64) -> Self {
        Self {
            kind,
            at_ms: (at_ms > 0).then_some(at_ms),
            state: None,
            generation: None,
            counts: None,
            contract_version: None,
            fault: None,
            other: None,
        }
    }

    /// Makes the event of a decision. `moves` are those of its load.
    fn decided<'m>(decision: LoadDecision<'_>, moves: impl Iterator<Item = &'m StateMove>) -> Self {
        let LoadDecision { generation, outcome, decided_ms } = decision;
        let kind = if generation == 0 { FileEventKind::Decided } else { FileEventKind::Replayed };
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let state = state_at_first(outcome, moves);
        Self {
            state: Some(state),
            generation: Some(generation),
            counts: given(&outcome.sha256).map(|_| outcome.counts),
            contract_version: given(&outcome.contract_version),
            fault: outcome.fault.clone(),
            other: outcome.other.clone().filter(|_| state == outcome.state),
            ..Self::new(kind, decided_ms)
        }
    }

    fn moved(change: &StateMove, was_hidden: bool) -> Self {
        let kind = match change.to {
            State::Retracted => FileEventKind::Retracted,
            State::Superseded if !was_hidden => FileEventKind::Superseded,
            _ => FileEventKind::Restored,
        };
        Self { state: Some(change.to), other: change.other.clone(), ..Self::new(kind, change.at_ms) }
    }
}

/// Returns the state that was decided: an outcome says the one that its load got by the last of its moves.
fn state_at_first<'m>(outcome: &Outcome, mut moves: impl Iterator<Item = &'m StateMove>) -> State {
    let moved_so = |change: &StateMove| change.to == outcome.state && change.other == outcome.other;
    match outcome.state {
        State::Retracted => State::Complete,
        State::Superseded if moves.any(moved_so) => State::Complete,
        state => state,
    }
}

/// What was decided of one load.
#[derive(Clone, Copy)]
struct LoadDecision<'a> {
    generation: u32,
    outcome: &'a Outcome,
    /// 0 where it is not known.
    decided_ms: u64,
}

/// The decisions on a file, oldest first, and which of them a move changed.
struct Decisions<'a>(Vec<LoadDecision<'a>>);

impl<'a> Decisions<'a> {
    fn of(entry: &'a Entry) -> Self {
        let past = entry.past.outcomes.iter().map(|past| LoadDecision {
            generation: past.generation,
            outcome: &past.outcome,
            decided_ms: past.decided_ms,
        });
        let newest = entry.outcome.as_ref().filter(|_| entry.state.is_terminal());
        let newest = newest.map(|outcome| LoadDecision {
            generation: entry.generation,
            outcome,
            decided_ms: entry.past.decided_ms,
        });
        Self(past.chain(newest).collect())
    }

    /// Returns the number of the decision that a move changed, counted from 1: the last one that was not made after
    /// it. 0: one that is not kept any more. No move goes before the first decision, whatever the clocks say.
    fn changed_by(&self, change: &StateMove) -> usize {
        let made = self.0.iter().take_while(|decision| decision.decided_ms <= change.at_ms).count();
        let least = self.0.first().is_some_and(|first| first.generation == 0);
        made.max(usize::from(least))
    }
}

impl PastOfFile {
    /// Takes the outcome that a replay is about to replace.
    pub(crate) fn keep(&mut self, generation: u32, outcome: Option<&Outcome>) {
        let decided_ms = self.decided_ms;
        let kept = outcome.map(|outcome| PastOutcome { generation, outcome: outcome.clone(), decided_ms });
        self.outcomes.extend(kept);
        self.outcomes.retain(|past| past.generation + MOST_PAST > generation);
    }
}

impl Entry {
    /// Returns what happened to the file, oldest first. `false`: earlier loads are not kept any more.
    #[must_use]
    pub fn history(&self) -> (Vec<FileEvent>, bool) {
        let past = &self.past;
        let mut events = Vec::new();
        let decisions = Decisions::of(self);
        for (index, decision) in decisions.0.iter().enumerate() {
            let is_its_own = |change: &&StateMove| decisions.changed_by(change) == index + 1;
            events.push(FileEvent::decided(*decision, past.moves.iter().filter(is_its_own)));
        }
        let mut hidden = None;
        for change in &past.moves {
            let changed = decisions.changed_by(change);
            events.push(FileEvent::moved(change, hidden == Some(changed)));
            hidden = (change.to == State::Retracted).then_some(changed);
        }
        let kept = self.replayed.as_ref().filter(|ended| ended.result != ReplayResult::Decided);
        events.extend(kept.map(|ended| FileEvent {
            fault: ended.fault.clone(),
            ..FileEvent::new(FileEventKind::Kept, past.kept_ms)
        }));
        events.extend(past.closed.as_ref().map(|closed| FileEvent {
            other: Some(closed.file.clone()),
            ..FileEvent::new(FileEventKind::Resolved, closed.at_ms)
        }));
        let said = self.acknowledged.as_ref();
        events.extend(said.map(|said| FileEvent::new(FileEventKind::Acknowledged, said.at_ms)));
        in_order(&mut events);
        // First, whatever the clocks say: it is the bucket's that tells when a version was made.
        events.insert(0, FileEvent::new(FileEventKind::Received, self.order.instant_ms()));
        let is_whole = self.generation as usize == past.outcomes.len();
        (events, is_whole)
    }
}

/// Sorts by time. What has none follows what is before it.
fn in_order(events: &mut Vec<FileEvent>) {
    let mut last = 0;
    let mut placed: Vec<(u64, FileEvent)> = Vec::new();
    for event in events.drain(..) {
        last = event.at_ms.unwrap_or(last);
        placed.push((last, event));
    }
    placed.sort_by_key(|(at_ms, _)| *at_ms);
    events.extend(placed.into_iter().map(|(_, event)| event));
}

#[cfg(test)]
mod tests;
