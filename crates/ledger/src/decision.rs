//! What is decided of a claimed file, as a value: all that will be written.

use crate::{ContentClaim, Entry, FileId, HeadMove, Outcome, State, receipt_key};

/// What becomes of a claimed file.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nobody sent it: a folder marker or an editor's lock file. Only the ledger says so.
    Ignore,
    /// Its rows become visible in one transaction.
    Load(Box<Visible>),
    /// Nothing of it is loaded, and its original is kept.
    Quarantine,
    /// A newer version of the name is visible.
    Supersede {
        /// The newer one.
        by: FileId,
    },
    /// Its content is complete already.
    Duplicate {
        /// The file that has the content.
        of: FileId,
    },
    /// The bucket does not hold the version any more.
    Gone,
}

impl Decision {
    /// Returns the terminal state.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self::Ignore => State::Ignored,
            Self::Load(_) => State::Complete,
            Self::Quarantine => State::Quarantined,
            Self::Supersede { .. } => State::Superseded,
            Self::Duplicate { .. } => State::Duplicate,
            Self::Gone => State::Gone,
        }
    }

    /// Returns the file that is loaded in this one's place.
    #[must_use]
    pub fn other(&self) -> Option<&FileId> {
        match self {
            Self::Supersede { by: other } | Self::Duplicate { of: other } => Some(other),
            Self::Ignore | Self::Load(_) | Self::Quarantine | Self::Gone => None,
        }
    }

    /// Returns the visible load that this one replaces.
    #[must_use]
    pub fn replaces(&self) -> Option<&Replaced> {
        match self {
            Self::Load(visible) => visible.replaces.as_ref(),
            Self::Ignore
            | Self::Quarantine
            | Self::Supersede { .. }
            | Self::Duplicate { .. }
            | Self::Gone => None,
        }
    }

    /// Returns whether the original is kept in the quarantine.
    #[must_use]
    pub fn keeps_original(&self) -> bool {
        matches!(self, Self::Quarantine)
    }

    /// Returns whether a receipt is written.
    #[must_use]
    pub fn has_receipt(&self) -> bool {
        !matches!(self, Self::Ignore)
    }
}

/// What the transaction changes that makes a load visible, beside the entry of its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Visible {
    /// The move of the name's head, where one version replaces another or where a name is taken once.
    pub head: Option<HeadMove>,
    /// The visible load that this one replaces.
    pub replaces: Option<Replaced>,
    /// The content to take, for feeds that take a content once.
    pub content: Option<ContentClaim>,
}

/// A visible load that another file's load replaces.
#[derive(Clone, Debug, PartialEq)]
pub struct Replaced {
    /// Its entry, complete.
    pub entry: Entry,
    /// What was decided of it.
    pub outcome: Outcome,
    /// Key of the receipt that says that it is superseded.
    pub receipt: String,
}

impl Replaced {
    /// Returns what is replaced by this file; `None` for an entry that is not complete.
    #[must_use]
    pub fn new(entry: Entry, by: &FileId) -> Option<Self> {
        let outcome = entry.outcome.clone().filter(|_| entry.state == State::Complete)?;
        let receipt = receipt_key(&entry.partner, &entry.feed, &entry.load, State::Superseded, Some(by));
        Some(Self { entry, outcome, receipt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileVersion, LoadId, Order, PastOfFile, Rank};

    fn file(key: &str) -> FileVersion {
        FileVersion { bucket: "inbox".into(), key: key.into(), version: "v1".into(), etag: None }
    }

    #[test]
    fn every_decision_but_to_ignore_has_a_receipt_and_a_terminal_state() {
        let other = FileId::of(&file("north/visits/b.csv"));
        let decisions = [
            (Decision::Ignore, State::Ignored, None),
            (Decision::Load(Box::default()), State::Complete, None),
            (Decision::Quarantine, State::Quarantined, None),
            (Decision::Supersede { by: other.clone() }, State::Superseded, Some(&other)),
            (Decision::Duplicate { of: other.clone() }, State::Duplicate, Some(&other)),
            (Decision::Gone, State::Gone, None),
        ];
        for (decision, state, named) in decisions {
            assert_eq!((decision.state(), decision.other()), (state, named));
            assert!(state.is_terminal());
            assert_eq!(decision.has_receipt(), state != State::Ignored);
            assert_eq!(decision.keeps_original(), state == State::Quarantined);
        }
    }

    #[test]
    fn only_a_complete_load_is_replaced_and_its_receipt_names_the_successor() {
        let id = FileId::of(&file("north/visits/a.csv"));
        let by = FileId::of(&file("north/visits/b.csv"));
        let outcome = Outcome::new(State::Complete);
        let mut entry = Entry {
            file: file("north/visits/a.csv"),
            partner: "north".into(),
            feed: "visits".into(),
            state: State::Complete,
            fence: 1,
            owner: "o".into(),
            lease_until_ms: 0,
            deaths: 0,
            counted_fence: 0,
            order: Order::new(Rank::default()),
            load: LoadId::new(&id, &[0; 32], 1, 0),
            rows_written: 0,
            outcome: Some(outcome),
            announced: true,
            open: false,
            acknowledged: None,
            generation: 0,
            loaded: true,
            replay: None,
            replayed: None,
            past: PastOfFile::default(),
        };
        let replaced = Replaced::new(entry.clone(), &by).expect("a complete load");
        assert!(replaced.receipt.ends_with(&format!("/superseded.{by}.json")), "{}", replaced.receipt);
        entry.state = State::Retracted;
        assert_eq!(Replaced::new(entry, &by), None);
    }
}
