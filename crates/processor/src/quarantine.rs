//! What is kept of a file that is not loaded, and the receipt of every file. Objects first, the ledger second.

use bytes::Bytes;
use checker::{
    FaultCode, FileFacts, FileFault, Place, PlaceBucket, Receipt, ReceiptContract, Report, Summary, Verdict,
};
use contract::Contract;
use ledger::receipt_key;
use serde::Serialize;
use store::{Entry, FileId, Original, Outcome, State};

use crate::{
    ProcessorStore,
    error::ProcessError,
    work::{Work, outcome},
};

/// What a receipt is written from.
#[derive(Clone, Copy, Default)]
pub(crate) struct Evidence<'a> {
    pub(crate) contract: Option<&'a Contract>,
    pub(crate) summary: Option<&'a Summary>,
    /// For a file that is quarantined without the check saying so.
    pub(crate) fault: Option<&'a FileFault>,
    /// Where a quarantined file's bytes are.
    pub(crate) original: Option<&'a Place>,
    /// Whether the second reading left rejects in the quarantine.
    pub(crate) rejects_kept: bool,
}

impl Evidence<'_> {
    fn fault_code(&self) -> Option<FaultCode> {
        self.fault.or_else(|| self.summary?.fault.as_ref()).map(|fault| fault.code)
    }
}

/// Quarantines a file: its bytes and the report are kept, then the ledger says so. A file that is gone by now is gone.
///
/// An archived object cannot be copied: it stays in the inbox, and receipt and report name it there.
pub(crate) async fn reject<S: ProcessorStore>(
    work: &Work<'_, S>,
    evidence: Evidence<'_>,
) -> Result<Outcome, ProcessError> {
    let folder = work.quarantine();
    let code = evidence.fault_code();
    let copy = folder.original();
    let original = match work.store.keep_original(&work.file, &copy, &work.uploads).await? {
        Original::Gone => return close(work, State::Gone, evidence, None).await,
        Original::Copied => Place { bucket: PlaceBucket::Quarantine, key: copy, version: None },
        Original::Archived => Place {
            bucket: PlaceBucket::Inbox,
            key: work.file.key.clone(),
            version: Some(work.file.version.clone()),
        },
    };
    let evidence = Evidence { original: Some(&original), ..evidence };
    put_report(work, State::Quarantined, evidence, None).await?;
    let receipt = put_receipt(work, State::Quarantined, evidence, None).await?;
    let decided = outcome(State::Quarantined, evidence.contract, evidence.summary, code);
    work.finish(Outcome { receipt, quarantine: Some(folder.prefix().to_owned()), ..decided }).await
}

/// Ends a file that is neither loaded nor quarantined.
pub(crate) async fn close<S: ProcessorStore>(
    work: &Work<'_, S>,
    state: State,
    evidence: Evidence<'_>,
    other: Option<FileId>,
) -> Result<Outcome, ProcessError> {
    let evidence = Evidence { fault: None, ..evidence };
    let quarantine = put_kept_report(work, state, evidence, other.as_ref()).await?;
    let receipt = put_receipt(work, state, evidence, other.as_ref()).await?;
    let decided = outcome(state, evidence.contract, evidence.summary, None);
    work.finish(Outcome { receipt, quarantine, other, ..decided }).await
}

/// Writes the receipt for a state and gives its key. `other` is the file that is loaded in this one's place.
pub(crate) async fn put_receipt<S: ProcessorStore>(
    work: &Work<'_, S>,
    state: State,
    evidence: Evidence<'_>,
    other: Option<&FileId>,
) -> Result<String, ProcessError> {
    let Evidence { contract, summary, fault, .. } = evidence;
    let receipt = checker::receipt(&facts(work), contract, summary, state, fault);
    let key = receipt_key(&work.partner, &work.feed, &work.load, state, other);
    put(work, &key, &completed(work, receipt, evidence, other)).await?;
    Ok(key)
}

/// Writes the receipt that says that this file takes the place of an older one, and gives its key. It is made from what
/// the ledger keeps of the older load, and names the receipt that has the rest.
pub(crate) async fn put_superseded_receipt<S: ProcessorStore>(
    work: &Work<'_, S>,
    older: &Entry,
    outcome: &Outcome,
) -> Result<String, ProcessError> {
    let state = State::Superseded;
    let facts = FileFacts {
        file_id: older.load.file().to_string(),
        load: older.load.to_string(),
        partner: older.partner.clone(),
        feed: older.feed.clone(),
        key: older.file.key.clone(),
        version: older.file.version.clone(),
        order: older.order.to_string(),
    };
    let receipt = Receipt {
        other: Some(work.id.to_string()),
        corrects: outcome.corrects.as_ref().map(FileId::to_string),
        earlier: Some(outcome.receipt.clone()),
        verdict: Verdict::told(state, Some(&outcome.counts)),
        counts: Some(outcome.counts),
        sha256: Some(outcome.sha256.clone()),
        bytes: Some(outcome.bytes),
        contract: Some(ReceiptContract {
            id: None,
            version: outcome.contract_version.clone(),
            hash: outcome.contract_hash.clone(),
        }),
        ..checker::receipt(&facts, None, None, state, None)
    };
    let key = receipt_key(&older.partner, &older.feed, &older.load, state, Some(&work.id));
    put(work, &key, &receipt).await?;
    Ok(key)
}

/// Writes the report for a state next to the rejects. As with receipts the state is part of the name.
async fn put_report<S: ProcessorStore>(
    work: &Work<'_, S>,
    state: State,
    evidence: Evidence<'_>,
    other: Option<&FileId>,
) -> Result<(), ProcessError> {
    let Evidence { contract, summary, fault, .. } = evidence;
    let report = checker::report(&facts(work), contract, summary, state, fault);
    let report = Report { receipt: completed(work, report.receipt.clone(), evidence, other), ..report };
    put(work, &work.quarantine().report(state), &report).await
}

/// Writes the report of a file that is not quarantined if rejects of it are kept, and gives the prefix of both.
pub(crate) async fn put_kept_report<S: ProcessorStore>(
    work: &Work<'_, S>,
    state: State,
    evidence: Evidence<'_>,
    other: Option<&FileId>,
) -> Result<Option<String>, ProcessError> {
    if !evidence.rejects_kept {
        return Ok(None);
    }
    put_report(work, state, evidence, other).await?;
    Ok(Some(work.quarantine().prefix().to_owned()))
}

fn completed<S: ProcessorStore>(
    work: &Work<'_, S>,
    receipt: Receipt,
    evidence: Evidence<'_>,
    other: Option<&FileId>,
) -> Receipt {
    Receipt {
        other: other.map(FileId::to_string),
        original: evidence.original.cloned(),
        corrects: work.corrects.get().map(FileId::to_string),
        ..receipt
    }
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

fn facts<S: ProcessorStore>(work: &Work<'_, S>) -> FileFacts {
    FileFacts {
        file_id: work.id.as_str().to_owned(),
        load: work.load.as_str().to_owned(),
        partner: work.partner.clone(),
        feed: work.feed.clone(),
        key: work.file.key.clone(),
        version: work.file.version.clone(),
        order: work.order.to_string(),
    }
}
