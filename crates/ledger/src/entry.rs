//! What the ledger keeps of a file version, and the requests and answers by which it changes.

use crate::{
    Counts, DeadLoad, FaultCode, FileId, FileVersion, LineSum, LoadId, Order, PastOfFile, Replay, Replayed,
    State, UNNAMED,
};

/// What is known of one file version. Holds no content. Its item has about 1 KB; a long key adds up to 1 KB. Each
/// earlier outcome that a replay replaced adds about 0.5 KB, and at most [`MOST_PAST`](crate::MOST_PAST) are kept. Each
/// change of state by an operator or by another version adds about 60 bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The version.
    pub file: FileVersion,
    /// Who sent it and to which feed, from the key; empty for a key that names none.
    pub partner: String,
    /// The feed.
    pub feed: String,
    /// Where it stands.
    pub state: State,
    /// Raised by each claim.
    pub fence: u64,
    /// The claim's nonce.
    pub owner: String,
    /// When the lease ends, milliseconds since the epoch; 0 once released.
    pub lease_until_ms: u64,
    /// Claims of this load whose process is known to have died since the last checkpoint. A claim that ended in
    /// another way, or of which nothing is known, is not among them.
    pub deaths: u32,
    /// The newest claim, by its fence, that the count of deaths has dealt with: the death of this claim or of an
    /// earlier one is not counted (again).
    pub counted_fence: u64,
    /// The order of this version, pinned by the first claim.
    pub order: Order,
    /// The load that the last claim works on, or that is complete.
    pub load: LoadId,
    /// Rows confirmed written for `load`.
    pub rows_written: u64,
    /// What was decided, once terminal.
    pub outcome: Option<Outcome>,
    /// Whether the outcome was published.
    pub announced: bool,
    /// Whether it is quarantined and waits for a good file of its name, for a correction, or for an operator.
    pub open: bool,
    /// What an operator said when it was to be waited for no longer.
    pub acknowledged: Option<Acknowledgement>,
    /// The generation of `load`: 0, and one more for each replay that was decided.
    pub generation: u32,
    /// Whether every row of `load` is in the records table: from its commit until its rows are deleted.
    pub loaded: bool,
    /// The replay that is under way. State, load and outcome stay as they are until it is decided.
    pub replay: Option<Replay>,
    /// How the last replay ended.
    pub replayed: Option<Replayed>,
    /// What it was before.
    pub past: PastOfFile,
}

/// What an operator says of a quarantined file that is to be waited for no longer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    /// When, milliseconds since the epoch.
    #[serde(skip)]
    pub at_ms: u64,
    /// Who, as their computer names them.
    pub by: String,
    /// Why, in their own words.
    pub reason: String,
}

/// A quarantined file that is waited for, as the index of open files shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFile {
    /// The file.
    pub file: FileId,
    /// Its order.
    pub order: Order,
}

impl Entry {
    /// Under which name the indexes list it: its partner, or [`UNNAMED`].
    #[must_use]
    pub fn listed_partner(&self) -> &str {
        if self.partner.is_empty() { UNNAMED } else { &self.partner }
    }

    /// Returns whether the last claim is the one that holds this fence.
    #[must_use]
    pub fn is_held_by(&self, fence: &Fence) -> bool {
        self.fence == fence.fence && self.owner == fence.owner
    }

    /// Returns whether somebody may be at work on it: it is claimed and not decided yet, or replayed.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.state == State::Processing || self.replay.is_some()
    }

    /// Returns whether the contract with this hash, in hex, decided on the content: the same bytes would give the same
    /// load.
    #[must_use]
    pub fn is_decided_by(&self, contract_hash: &str) -> bool {
        let Some(outcome) = &self.outcome else { return false };
        let by_content = match self.state {
            State::Complete => true,
            State::Quarantined => {
                let fault = outcome.fault.as_deref().and_then(FaultCode::parse);
                fault.is_some_and(FaultCode::is_of_content)
            }
            State::Processing
            | State::Held
            | State::Superseded
            | State::Duplicate
            | State::Gone
            | State::Ignored
            | State::Retracted => false,
        };
        by_content && outcome.contract_hash == contract_hash
    }

    /// Takes a decision: the lease ends, and the outcome is to be announced. A quarantined file is open from then on;
    /// one that is replayed and quarantined again stays open or closed, as it was.
    pub fn decide(&mut self, outcome: &Outcome, at_ms: u64) {
        if self.replay.is_some() {
            self.past.keep(self.generation, self.outcome.as_ref());
        }
        self.past.decided_ms = at_ms;
        let opens = self.open || self.replay.as_ref().is_none_or(|replay| replay.opens);
        self.open = outcome.state == State::Quarantined && opens;
        self.state = outcome.state;
        self.outcome = Some(outcome.clone());
        self.lease_until_ms = 0;
        self.announced = false;
        self.loaded = outcome.state == State::Complete;
        if let Some(replay) = self.replay.take() {
            self.replayed = Some(replay.decided());
            self.load = replay.load;
            self.generation = replay.generation;
        }
    }

    /// Returns whether this decision was already written under this fence. A commit may have been superseded or
    /// retracted since: that changes the state, the other file and the receipt, not what was decided.
    #[must_use]
    pub fn was_decided(&self, fence: &Fence, outcome: &Outcome) -> bool {
        let decided = |written: &Outcome| {
            let Outcome { state, receipt, other, .. } = outcome.clone();
            Outcome { state, receipt, other, ..written.clone() } == *outcome
        };
        let same_state = self.state == outcome.state
            || (outcome.state == State::Complete
                && matches!(self.state, State::Superseded | State::Retracted));
        // What a replay replaces may have had the same outcome.
        let same_load = fence.replay.as_ref().is_none_or(|replay| replay.load == self.load);
        self.is_held_by(fence) && same_state && same_load && self.outcome.as_ref().is_some_and(decided)
    }
}

/// A terminal decision. Holds no content.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// The terminal state.
    pub state: State,
    /// Records by fate.
    pub counts: Counts,
    /// The fault's stable code, when quarantined.
    pub fault: Option<String>,
    /// SHA-256 of the stored bytes, lower-case hexadecimal; empty when they were not read whole.
    pub sha256: String,
    /// Stored bytes.
    pub bytes: u64,
    /// The contract's version and hash (hexadecimal); empty when there was none.
    pub contract_version: String,
    /// SHA-256 of the contract document.
    pub contract_hash: String,
    /// Key of the receipt in the quarantine bucket; empty for ignored files.
    pub receipt: String,
    /// Prefix of the quarantine objects, when some were written.
    pub quarantine: Option<String>,
    /// The file whose content this repeats, or that superseded this one.
    pub other: Option<FileId>,
    /// The older file of the same key that this one's commit superseded. An announcement of this one announces that one
    /// first.
    pub replaced: Option<FileId>,
    /// The file that this one corrects, when its sender named one and it was read.
    pub corrects: Option<FileId>,
    /// Whether this one holds the rejects of that file only, corrected, and not the whole file.
    #[serde(default)]
    pub corrects_rejects: bool,
    /// The lines of its rejects.
    #[serde(default)]
    pub rejected_lines: LineSum,
    /// Of corrected rejects the lines on which their records were, in the file that they correct.
    #[serde(default)]
    pub returned_lines: LineSum,
}

impl Outcome {
    /// Returns the newer version that superseded this one.
    #[must_use]
    pub fn superseded_by(&self) -> Option<&FileId> {
        self.other.as_ref().filter(|_| self.state == State::Superseded)
    }

    /// Returns the file that this one corrects by its rejects only.
    #[must_use]
    pub fn corrected_by_rejects(&self) -> Option<&FileId> {
        self.corrects.as_ref().filter(|_| self.corrects_rejects)
    }

    /// Returns whether the file was read to its end and every record of it rejected, so that its rejects are all of it.
    #[must_use]
    pub fn is_all_rejects(&self) -> bool {
        self.fault.as_deref() == Some(FaultCode::ErrorBudget.as_str()) && self.counts.rows == 0
    }

    /// Returns an outcome of which only the state is known.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            counts: Counts::default(),
            fault: None,
            sha256: String::new(),
            bytes: 0,
            contract_version: String::new(),
            contract_hash: String::new(),
            receipt: String::new(),
            quarantine: None,
            other: None,
            replaced: None,
            corrects: None,
            corrects_rejects: false,
            rejected_lines: LineSum::default(),
            returned_lines: LineSum::default(),
        }
    }
}

/// A request to work on a file version.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The version.
    pub file: FileVersion,
    /// From the key.
    pub partner: String,
    /// From the key.
    pub feed: String,
    /// The load to work on. A checkpoint of another load is ignored: `rows_written` starts at 0.
    pub load: LoadId,
    /// Fresh random nonce of this invocation.
    pub owner: String,
    /// Order to pin if none is pinned yet.
    pub order: Order,
    /// Now, milliseconds since the epoch.
    pub now_ms: u64,
    /// End of the lease.
    pub lease_until_ms: u64,
}

/// The answer to a claim.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// Mine to work on; the entry after the claim.
    Mine(Entry),
    /// Already terminal.
    Terminal(Entry),
    /// Another invocation has a live lease until then (milliseconds since the epoch).
    Held {
        /// End of the other's lease.
        until_ms: u64,
    },
}

/// The right to write under one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The file.
    pub file: FileId,
    /// The fence that the claim got.
    pub fence: u64,
    /// The claim's nonce.
    pub owner: String,
    /// The replay that was claimed; `None`: the file's first load.
    pub replay: Option<Replay>,
}

impl Fence {
    /// Returns the right of the entry's last claim.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self {
            file: FileId::of(&entry.file),
            fence: entry.fence,
            owner: entry.owner.clone(),
            replay: entry.replay.clone(),
        }
    }
}

/// Whether a fenced write was still ours to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced {
    /// Written (now or by an earlier attempt).
    Kept,
    /// Somebody else claimed since: stop, do nothing more.
    Lost,
}

/// The load that has a key, for feeds where one version replaces another or where a name is taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The visible version's id.
    pub version: String,
    /// Its file.
    pub file: FileId,
    /// Its load.
    pub load: LoadId,
}

/// A move of a key's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadMove {
    /// What was seen; the move fails if it is no longer so.
    pub from: Option<Head>,
    /// What it becomes.
    pub to: Head,
    /// Key of the receipt that says that `from` is superseded, written before. With it, the entry of `from` becomes
    /// superseded in the same transaction if it is still complete, names this receipt, and is to be announced anew.
    pub receipt: Option<String>,
    /// Whether the load of `from` was retracted. The move fails if it is visible again.
    pub retracted: bool,
}

/// Takes a content once per feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentClaim {
    /// Partner and feed.
    pub partner: String,
    /// Partner and feed.
    pub feed: String,
    /// SHA-256 of the stored bytes.
    pub sha256: String,
}

/// The one transaction that makes a load visible, or ends a version in favour of a newer one.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Under this fence.
    pub fence: Fence,
    /// The version, for the names of the head item.
    pub file: FileVersion,
    /// What the entry becomes: complete, or superseded as long as the newer version is not retracted.
    pub outcome: Outcome,
    /// For feeds where one version replaces another or where a name is taken once.
    pub head: Option<HeadMove>,
    /// For feeds that take a content once.
    pub content: Option<ContentClaim>,
    /// The loads that it hides: of the version that it replaces, and of the file itself when it is replayed.
    pub dead: Vec<DeadLoad>,
    /// Now, milliseconds since the epoch.
    pub at_ms: u64,
}

/// The answer to a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Decided (now or by an earlier attempt).
    Done,
    /// Somebody else claimed since: stop.
    Lost,
    /// The key's head is not what was seen, or the newer version is retracted: look again.
    HeadMoved,
    /// The content is already complete as this file.
    Duplicate(FileId),
}
