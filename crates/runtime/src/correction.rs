//! Corrected rejects: whether they can be taken. They hold only a part of the file that they correct, so that the rest
//! of it must be loaded, or there must be none.
//!
//! The file that they correct is the one in their `_file`, and it must be of the same partner and feed. An id of
//! another partner is answered exactly as one that does not exist. The processor asks, and so do the dry runs.

use checker::{FaultCode, FileFault};
use contract::{Contract, OnSameName};
use ledger::{Entry, FileId, Outcome, State};
use store::{Error, ReadLedger};

/// A file of corrected rejects.
#[derive(Clone, Copy, Debug)]
pub struct Correction<'a> {
    /// The file that it corrects, by the `_file` of its records.
    pub corrects: &'a FileId,
    /// Its partner.
    pub partner: &'a str,
    /// Its feed.
    pub feed: &'a str,
    /// Its own id; `None` for one that is not stored.
    pub file: Option<&'a FileId>,
    /// The file that it corrects by the request or the object, where one says so.
    pub named: Option<&'a FileId>,
}

impl Correction<'_> {
    /// Returns why it cannot be taken; `None` when it can.
    pub async fn fault<S: ReadLedger>(
        &self,
        store: &S,
        contract: &Contract,
    ) -> Result<Option<FileFault>, Error> {
        if self.named.is_some_and(|named| named != self.corrects) {
            return Ok(Some(contradiction()));
        }
        if contract.policy.on_same_name == OnSameName::Supersede {
            return Ok(Some(part_of_a_version()));
        }
        let is_own = |entry: &Entry| {
            entry.partner == self.partner && entry.feed == self.feed && self.file != Some(self.corrects)
        };
        let entry = store.entry(self.corrects).await?.filter(is_own);
        Ok(entry.map_or_else(|| Some(unknown()), |entry| refuted(&entry)))
    }
}

/// Returns why a file of the sender's own cannot be corrected by its rejects.
fn refuted(entry: &Entry) -> Option<FileFault> {
    match entry.state {
        State::Complete | State::Duplicate => None,
        State::Quarantined if entry.outcome.as_ref().is_some_and(Outcome::is_all_rejects) => None,
        State::Quarantined => Some(part_of_nothing()),
        State::Superseded | State::Retracted => Some(hidden(entry.state)),
        State::Processing | State::Held | State::Gone | State::Ignored => Some(unknown()),
    }
}

fn fault(found: &str, expected: &str, advice: &'static str) -> FileFault {
    FileFault::new(FaultCode::Correction, found, expected).with_advice(advice)
}

fn contradiction() -> FileFault {
    fault(
        "another file id in `_file` than in the request's or the object's `corrects`",
        "the same file id in both",
        "send the rejects of the file that `corrects` names, or leave `corrects` out: `_file` is enough",
    )
}

fn unknown() -> FileFault {
    fault(
        "a file id in `_file` that is not the id of a decided file of this partner and feed",
        "the id of a file of this feed that was decided",
        "send the corrected rejects to the feed that they came from, with `_file` as it was",
    )
}

fn part_of_a_version() -> FileFault {
    fault(
        "corrected rejects in a feed where a newer version of a file replaces the older one",
        "the whole file",
        "send the whole file with its corrections under the same name",
    )
}

fn part_of_nothing() -> FileFault {
    fault(
        "corrected rejects of a file that is quarantined with its good records",
        "the whole file",
        "send the whole file with its corrections: its good records are not loaded yet",
    )
}

fn hidden(state: State) -> FileFault {
    let found = match state {
        State::Superseded => "corrected rejects of a file that a newer version has replaced",
        _ => "corrected rejects of a file that was retracted",
    };
    fault(
        found,
        "rejects of a file that is loaded",
        "correct the file that is loaded in its place, or send the whole file",
    )
}
