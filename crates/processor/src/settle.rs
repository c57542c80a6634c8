//! Writes a decision: original, report and receipt first, the ledger last.

use bytes::Bytes;
use checker::{FileFacts, ObjectPlace, PlaceBucket, Receipt};
use ledger::{
    Commit, Committed, DeadLoad, Decision, Fenced, FileId, Outcome, Replaced, Replayed, State, Visible,
    receipt_key,
};
use serde::Serialize;
use store::Original;

use crate::{
    ProcessorStore,
    decide::{Decided, Evidence},
    error::ProcessError,
    work::Work,
};

/// How a settlement ended.
pub(crate) enum Settled {
    /// The ledger has this outcome.
    Done(Box<Outcome>),
    /// The version was deleted, or another file with its content is complete: this is to be settled instead.
    Instead(Box<Decided>),
    /// The head of the key has moved since the decision.
    HeadMoved(Evidence),
    /// The newer version was retracted since the decision. The rows of this one may not be written yet.
    NewerRetracted,
    /// The replay is to leave the file as it was: nothing was written.
    Kept(Replayed),
}

/// Writes all that a decision says. A file that was deleted before its original was copied is not quarantined: it is
/// gone.
pub(crate) async fn settle<S: ProcessorStore>(
    work: &Work<'_, S>,
    decided: Decided,
) -> Result<Settled, ProcessError> {
    let Decided { decision, evidence } = decided;
    let kept = work.replay.as_ref().and_then(|terms| terms.keeps(&decision, evidence.fault_code()));
    if let Some(kept) = kept {
        return Ok(Settled::Kept(kept));
    }
    let mut original = None;
    if decision.keeps_original() {
        original = keep_original(work).await?;
        if original.is_none() {
            return Ok(Settled::Instead(Box::new(Decided::closed(Decision::Gone, evidence))));
        }
    }
    let document = receipt(work, &decision, &evidence, original);
    let quarantine = put_report(work, &decision, &evidence, &document).await?;
    let receipt = put_receipt(work, &decision, &document).await?;
    let outcome = outcome(work, &decision, &evidence, receipt, quarantine);
    match decision {
        Decision::Load(visible) => {
            let Visible { head, replaces, content } = *visible;
            let mut dead: Vec<DeadLoad> = work.hides.iter().cloned().collect();
            if let Some(replaced) = &replaces {
                put_superseded_receipt(work, replaced).await?;
                dead.extend(DeadLoad::of(&replaced.entry, work.host.now()));
            }
            let (fence, file, at_ms) = (work.fence.clone(), work.file.clone(), work.host.now());
            let commit = Commit { fence, file, outcome, head, content, dead, at_ms };
            make_visible(work, evidence, commit).await
        }
        Decision::Supersede { .. } => supersede(work, &evidence, outcome).await,
        Decision::Ignore | Decision::Quarantine | Decision::Duplicate { .. } | Decision::Gone => {
            let alone = commit_alone(work, &evidence, outcome);
            if !alone.dead.is_empty() {
                // One transaction, as for any other load that is hidden.
                return make_visible(work, evidence, alone).await;
            }
            let outcome = alone.outcome;
            match work.store.finish(&work.fence, &outcome, work.host.now()).await? {
                Fenced::Kept => Ok(Settled::Done(Box::new(outcome))),
                Fenced::Lost => Err(ProcessError::Lost),
            }
        }
    }
}

/// Ends a version in favour of a newer one, unless an operator has retracted that one since: then nothing would be
/// visible, and the operator's command saw nothing to show again.
async fn supersede<S: ProcessorStore>(
    work: &Work<'_, S>,
    evidence: &Evidence,
    outcome: Outcome,
) -> Result<Settled, ProcessError> {
    let commit = commit_alone(work, evidence, outcome);
    match work.store.commit(&commit).await? {
        Committed::Done => Ok(Settled::Done(Box::new(commit.outcome))),
        Committed::Lost => Err(ProcessError::Lost),
        Committed::HeadMoved | Committed::Duplicate(_) => Ok(Settled::NewerRetracted),
    }
}

/// Returns a commit that touches nothing but this file and its loads. The load that a replay hides is dead from then
/// on, and so is this one, when its rows were written before another file turned out to be visible in its place.
fn commit_alone<S>(work: &Work<'_, S>, evidence: &Evidence, outcome: Outcome) -> Commit {
    let (fence, file, at_ms) = (work.fence.clone(), work.file.clone(), work.host.now());
    let own = evidence.rows_written.then(|| DeadLoad {
        load: work.load.clone(),
        contract: outcome.contract_hash.clone(),
        rows: outcome.counts.rows,
        since_ms: at_ms,
    });
    let dead = work.hides.iter().cloned().chain(own).collect();
    Commit { fence, file, outcome, head: None, content: None, dead, at_ms }
}

async fn make_visible<S: ProcessorStore>(
    work: &Work<'_, S>,
    evidence: Evidence,
    commit: Commit,
) -> Result<Settled, ProcessError> {
    match work.store.commit(&commit).await? {
        Committed::Done => Ok(Settled::Done(Box::new(commit.outcome))),
        Committed::Lost => Err(ProcessError::Lost),
        Committed::HeadMoved => Ok(Settled::HeadMoved(evidence)),
        Committed::Duplicate(of) => {
            Ok(Settled::Instead(Box::new(Decided::closed(Decision::Duplicate { of }, evidence))))
        }
    }
}

/// Copies the bytes of a quarantined file and returns their place; `None` when the version was deleted.
///
/// An archived object cannot be copied: it stays in the inbox, and receipt and report name it there.
async fn keep_original<S: ProcessorStore>(work: &Work<'_, S>) -> Result<Option<ObjectPlace>, ProcessError> {
    let copy = work.quarantine().original();
    Ok(match work.store.keep_original(&work.file, &copy, &work.uploads).await? {
        Original::Gone => None,
        Original::Copied => Some(ObjectPlace { bucket: PlaceBucket::Quarantine, key: copy, version: None }),
        Original::Archived => Some(ObjectPlace {
            bucket: PlaceBucket::Inbox,
            key: work.file.key.clone(),
            version: Some(work.file.version.clone()),
        }),
    })
}

/// Makes the outcome that the ledger keeps of a decision.
fn outcome<S>(
    work: &Work<'_, S>,
    decision: &Decision,
    evidence: &Evidence,
    receipt: String,
    quarantine: Option<String>,
) -> Outcome {
    let Evidence { contract, summary, .. } = evidence;
    let identity = contract.as_ref().map(|contract| &contract.identity);
    Outcome {
        state: decision.state(),
        counts: summary.as_ref().map(|summary| summary.counts).unwrap_or_default(),
        fault: evidence
            .fault_code()
            .filter(|_| decision.keeps_original())
            .map(|code| code.as_str().to_owned()),
        sha256: evidence.sha256(),
        bytes: summary.as_ref().map_or(0, |summary| summary.bytes),
        contract_version: identity.map(|identity| identity.version.clone()).unwrap_or_default(),
        contract_hash: identity.map(|identity| hex::encode(identity.hash)).unwrap_or_default(),
        receipt,
        quarantine,
        other: decision.other().cloned(),
        // A replay keeps what the load before replaced: that may not be announced yet.
        replaced: decision
            .replaces()
            .map(|replaced| replaced.entry.load.file())
            .or_else(|| work.replay.as_ref()?.replaced.clone()),
        corrects: work.corrects.get().cloned(),
        corrects_rejects: summary.as_ref().is_some_and(|summary| summary.corrects.is_some()),
        rejected_lines: summary.as_ref().map(|summary| summary.rejected_lines).unwrap_or_default(),
        returned_lines: summary.as_ref().map(|summary| summary.returned_lines).unwrap_or_default(),
    }
}

/// Makes the receipt of a decision. `original` is the place of a quarantined file's bytes.
fn receipt<S>(
    work: &Work<'_, S>,
    decision: &Decision,
    evidence: &Evidence,
    original: Option<ObjectPlace>,
) -> Receipt {
    let Evidence { contract, summary, fault, .. } = evidence;
    let facts = FileFacts::new(&work.load, (&work.partner, &work.feed), &work.file, &work.order);
    Receipt {
        other: decision.other().map(FileId::to_string),
        original,
        corrects: work.corrects.get().map(FileId::to_string),
        ..checker::receipt(&facts, contract.as_deref(), summary.as_deref(), decision.state(), fault.as_ref())
    }
}

/// Writes the report of a file that is quarantined or has rejects, and returns the prefix of all their objects.
async fn put_report<S: ProcessorStore>(
    work: &Work<'_, S>,
    decision: &Decision,
    evidence: &Evidence,
    receipt: &Receipt,
) -> Result<Option<String>, ProcessError> {
    if !decision.keeps_original() && !evidence.rejects_kept {
        return Ok(None);
    }
    let (contract, summary) = (evidence.contract.as_deref(), evidence.summary.as_deref());
    let folder = work.quarantine();
    put(work, &folder.report(decision.state()), &checker::report(receipt.clone(), contract, summary)).await?;
    Ok(Some(folder.prefix().to_owned()))
}

/// Writes the receipt and returns its key, which is empty for a decision without a receipt.
async fn put_receipt<S: ProcessorStore>(
    work: &Work<'_, S>,
    decision: &Decision,
    receipt: &Receipt,
) -> Result<String, ProcessError> {
    if !decision.has_receipt() {
        return Ok(String::new());
    }
    let key = receipt_key(&work.partner, &work.feed, &work.load, decision.state(), decision.other());
    put(work, &key, receipt).await?;
    Ok(key)
}

/// Writes the receipt of the older load that this one replaces. It is made from the ledger's outcome of the older
/// load and names the receipt written for it then.
async fn put_superseded_receipt<S: ProcessorStore>(
    work: &Work<'_, S>,
    replaced: &Replaced,
) -> Result<(), ProcessError> {
    let Replaced { entry, outcome, receipt: key } = replaced;
    put(work, key, &checker::later_receipt(entry, outcome, State::Superseded, Some(&work.id))).await
}

async fn put<S: ProcessorStore>(
    work: &Work<'_, S>,
    key: &str,
    document: &impl Serialize,
) -> Result<(), ProcessError> {
    let bytes = Bytes::from(serde_json::to_vec(document)?);
    work.store.put(key, "application/json", bytes).await?;
    Ok(())
}
