//! Retracting a load and taking that back: one transaction on one or two entries and the head of their name.

use crate::{ContentClaim, DeadLoad, Entry, FileId, HeadMove, LoadId, State, StateMove};

/// One transaction by which an operator hides a load, or shows it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Reversal {
    /// The file that is retracted or shown again, then the one that is shown or hidden in its place. One or two.
    pub changes: Vec<StateChange>,
    /// The key, for the name of the head's item.
    pub key: String,
    /// Where one version of the name replaces another: which load has the name from now on.
    pub head: Option<HeadMove>,
    /// The content that is taken again, for feeds that take a content once.
    pub content: Option<ContentClaim>,
    /// The loads that it hides.
    pub dead: Vec<DeadLoad>,
    /// Now, milliseconds since the epoch.
    pub at_ms: u64,
}

/// What becomes of one entry. Counts, load and contract stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The file.
    pub file: FileId,
    /// The load that was seen. An entry with another load is left alone.
    pub load: LoadId,
    /// The state that was seen.
    pub from: State,
    /// The state that it gets. A load is shown only where all its rows are there.
    pub to: State,
    /// Key of the receipt that says so, written before.
    pub receipt: String,
    /// The file that is loaded in its place.
    pub other: Option<FileId>,
}

impl StateChange {
    /// Returns whether the entry can be changed so: it is as it was seen, and what is shown has all its rows.
    #[must_use]
    pub fn can_be_made(&self, entry: &Entry) -> bool {
        let shows = self.to == State::Complete;
        entry.state == self.from && entry.load == self.load && (entry.loaded || !shows)
    }

    /// Returns whether the reversal of this instant changed the entry so before: its answer was lost. The same change
    /// by another operator has an instant of its own.
    #[must_use]
    pub fn is_made(&self, entry: &Entry, at_ms: u64) -> bool {
        let own = self.moved(at_ms);
        entry.state == self.to && entry.load == self.load && entry.past.moves.last() == Some(&own)
    }

    fn moved(&self, at_ms: u64) -> StateMove {
        StateMove { at_ms, to: self.to, other: self.other.clone() }
    }

    /// Changes an entry. A replay that is under way loses its claim.
    pub fn make(&self, entry: &mut Entry, at_ms: u64) {
        entry.past.moves.push(self.moved(at_ms));
        entry.state = self.to;
        entry.announced = false;
        entry.open = false;
        entry.replay = None;
        if let Some(outcome) = &mut entry.outcome {
            outcome.state = self.to;
            outcome.other.clone_from(&self.other);
            self.receipt.clone_into(&mut outcome.receipt);
        }
    }
}

/// The answer to a reversal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reversed {
    /// Made (now or by an earlier attempt).
    Done,
    /// An entry or the head is not as it was seen, also where another operator made the same change: look again.
    Changed,
    /// The content is complete as this file meanwhile.
    Duplicate(FileId),
}
