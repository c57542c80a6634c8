//! Writes a decision: original, report and receipt first, the ledger last.

use bytes::Bytes;
use checker::{FileFacts, ObjectPlace, PlaceBucket, Receipt, ReceiptContract, Report, Verdict};
use ledger::{
    Commit, Committed, ContentClaim, Decision, Entry, Fenced, FileId, HeadMove, Outcome, Replaced, State,
    Visible, receipt_key,
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
}

/// Writes all that a decision says. A file that was deleted before its original was copied is not quarantined: it is gone.
pub(crate) async fn settle<S: ProcessorStore>(
    work: &Work<'_, S>,
    decided: Decided,
) -> Result<Settled, ProcessError> {
    let Decided { decision, evidence } = decided;
    let mut original = None;
    if decision.keeps_original() {
        original = keep_original(work).await?;
        if original.is_none() {
            return Ok(Settled::Instead(Box::new(Decided::closed(Decision::Gone, evidence))));
        }
    }
    let documents = Documents { work, decision: &decision, evidence: &evidence, original };
    let quarantine = documents.put_report().await?;
    let receipt = documents.put_receipt().await?;
    let outcome = outcome(work, &decision, &evidence, receipt, quarantine);
    match decision {
        Decision::Load(visible) => {
            let Visible { head, replaces, content } = *visible;
            if let Some(replaced) = &replaces {
                put_superseded_receipt(work, replaced).await?;
            }
            commit(work, evidence, outcome, head, content).await
        }
        Decision::Ignore
        | Decision::Quarantine
        | Decision::Supersede { .. }
        | Decision::Duplicate { .. }
        | Decision::Gone => match work.store.finish(&work.fence, &outcome).await? {
            Fenced::Kept => Ok(Settled::Done(Box::new(outcome))),
            Fenced::Lost => Err(ProcessError::Lost),
        },
    }
}

async fn commit<S: ProcessorStore>(
    work: &Work<'_, S>,
    evidence: Evidence,
    outcome: Outcome,
    head: Option<HeadMove>,
    content: Option<ContentClaim>,
) -> Result<Settled, ProcessError> {
    let fence = work.fence.clone();
    let commit = Commit { fence, file: work.file.clone(), outcome, head, content };
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
        replaced: decision.replaces().map(|replaced| replaced.entry.load.file()),
        corrects: work.corrects.get().cloned(),
    }
}

/// The objects that a decision writes.
struct Documents<'a, S> {
    work: &'a Work<'a, S>,
    decision: &'a Decision,
    evidence: &'a Evidence,
    /// The place of a quarantined file's bytes.
    original: Option<ObjectPlace>,
}

impl<S: ProcessorStore> Documents<'_, S> {
    /// Writes the report of a file that is quarantined or has rejects, and returns the prefix of all their objects.
    async fn put_report(&self) -> Result<Option<String>, ProcessError> {
        let Self { work, decision, evidence: Evidence { contract, summary, fault, rejects_kept }, .. } = self;
        if !decision.keeps_original() && !rejects_kept {
            return Ok(None);
        }
        let (contract, summary) = (contract.as_deref(), summary.as_deref());
        let report =
            checker::report(&facts_of_work(work), contract, summary, decision.state(), fault.as_ref());
        let report = Report { receipt: self.completed(report.receipt.clone()), ..report };
        let folder = work.quarantine();
        put(work, &folder.report(decision.state()), &report).await?;
        Ok(Some(folder.prefix().to_owned()))
    }

    /// Writes the receipt and returns its key, which is empty for a decision without a receipt.
    async fn put_receipt(&self) -> Result<String, ProcessError> {
        let Self { work, decision, evidence: Evidence { contract, summary, fault, .. }, .. } = self;
        if !decision.has_receipt() {
            return Ok(String::new());
        }
        let (contract, summary) = (contract.as_deref(), summary.as_deref());
        let receipt =
            checker::receipt(&facts_of_work(work), contract, summary, decision.state(), fault.as_ref());
        let key = receipt_key(&work.partner, &work.feed, &work.load, decision.state(), decision.other());
        put(work, &key, &self.completed(receipt)).await?;
        Ok(key)
    }

    fn completed(&self, receipt: Receipt) -> Receipt {
        Receipt {
            other: self.decision.other().map(FileId::to_string),
            original: self.original.clone(),
            corrects: self.work.corrects.get().map(FileId::to_string),
            ..receipt
        }
    }
}

/// Writes the receipt of the older load that this one replaces. It is made from the ledger's outcome of the older load and
/// names the receipt written for it then.
async fn put_superseded_receipt<S: ProcessorStore>(
    work: &Work<'_, S>,
    replaced: &Replaced,
) -> Result<(), ProcessError> {
    let Replaced { entry, outcome, receipt: key } = replaced;
    let receipt = Receipt {
        other: Some(work.id.to_string()),
        corrects: outcome.corrects.as_ref().map(FileId::to_string),
        earlier: Some(outcome.receipt.clone()),
        verdict: Verdict::of(State::Superseded, Some(&outcome.counts)),
        counts: Some(outcome.counts),
        sha256: Some(outcome.sha256.clone()),
        bytes: Some(outcome.bytes),
        contract: Some(ReceiptContract {
            id: None,
            version: outcome.contract_version.clone(),
            hash: outcome.contract_hash.clone(),
        }),
        ..checker::receipt(&facts_of_entry(entry), None, None, State::Superseded, None)
    };
    put(work, key, &receipt).await
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

fn facts_of_entry(entry: &Entry) -> FileFacts {
    FileFacts {
        file_id: entry.load.file().to_string(),
        load: entry.load.to_string(),
        partner: entry.partner.clone(),
        feed: entry.feed.clone(),
        key: entry.file.key.clone(),
        version: entry.file.version.clone(),
        order: entry.order.to_string(),
    }
}

fn facts_of_work<S>(work: &Work<'_, S>) -> FileFacts {
    FileFacts {
        file_id: work.id.to_string(),
        load: work.load.to_string(),
        partner: work.partner.clone(),
        feed: work.feed.clone(),
        key: work.file.key.clone(),
        version: work.file.version.clone(),
        order: work.order.to_string(),
    }
}
