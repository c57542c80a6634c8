//! Corrected rejects: whether they can be taken. They hold only a part of the file that they correct, so that the rest
//! of it must be loaded, or there must be none.
//!
//! The file that they correct is the one in their `_file`, and it must be of the same partner and feed. An id of
//! another partner is answered exactly as one that does not exist.

use checker::{FaultCode, FileFault, Summary};
use contract::{Contract, OnSameName};
use ledger::{Entry, FileId, Outcome, State};
use store::Error;

use crate::{ProcessorStore, work::Work};

/// Returns why a file of corrected rejects cannot be taken, and notes the file that one corrects which can be. `None`
/// also for any other file.
pub(crate) async fn judge<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Contract,
    summary: &Summary,
) -> Result<Option<FileFault>, Error> {
    let Some(file) = &summary.corrects else { return Ok(None) };
    if work.corrects.get().is_some_and(|named| named != file) {
        return Ok(Some(contradiction()));
    }
    if contract.policy.on_same_name == OnSameName::Supersede {
        return Ok(Some(part_of_a_version()));
    }
    let is_own = |entry: &Entry| entry.partner == work.partner && entry.feed == work.feed && *file != work.id;
    let Some(entry) = work.store.entry(file).await?.filter(is_own) else { return Ok(Some(unknown())) };
    let fault = refuted(&entry);
    if fault.is_none() {
        work.note_corrected(Some(file.clone()));
    }
    Ok(fault)
}

/// Returns why a file of one's own cannot be corrected by its rejects.
fn refuted(entry: &Entry) -> Option<FileFault> {
    match entry.state {
        State::Complete | State::Duplicate => None,
        State::Quarantined if entry.outcome.as_ref().is_some_and(was_rejected_record_by_record) => None,
        State::Quarantined => Some(part_of_nothing()),
        State::Superseded | State::Retracted => Some(hidden(entry.state)),
        State::Processing | State::Held | State::Gone | State::Ignored => Some(unknown()),
    }
}

/// Returns whether a quarantined file was read to its end and every record of it rejected, so that its rejects are all
/// of it.
pub(crate) fn was_rejected_record_by_record(outcome: &Outcome) -> bool {
    outcome.fault.as_deref() == Some(FaultCode::ErrorBudget.as_str()) && outcome.counts.rows == 0
}

fn fault(found: &str, expected: &str, advice: &'static str) -> FileFault {
    FileFault::new(FaultCode::Correction, found, expected).with_advice(advice)
}

fn contradiction() -> FileFault {
    fault(
        "another file id in `_file` than in the request's or the object's `corrects`",
        "the same file id in both",
        "send the rejects of the file that `corrects` names, or leave `corrects` out: `_file` says it too",
    )
}

fn unknown() -> FileFault {
    fault(
        "a `_file` that is no file of this partner and feed",
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

/// Returns the file that this outcome corrects by its rejects.
pub(crate) fn corrected_by_rejects(outcome: &Outcome) -> Option<&FileId> {
    outcome.corrects.as_ref().filter(|_| outcome.corrects_rejects)
}
