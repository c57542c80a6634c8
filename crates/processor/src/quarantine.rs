//! What is kept of a file that is not loaded, and the receipt of every file. Objects first, the ledger second.

use bytes::Bytes;
use checker::{FaultCode, FileFacts, FileFault, Summary};
use contract::Contract;
use store::{FileId, Outcome, State, Store};

use crate::{
    stop::Stop,
    work::{Work, outcome},
};

/// What a receipt is written from.
#[derive(Clone, Copy, Default)]
pub(crate) struct Evidence<'a> {
    pub(crate) contract: Option<&'a Contract>,
    pub(crate) summary: Option<&'a Summary>,
    /// For a file that is refused without the check saying so.
    pub(crate) fault: Option<&'a FileFault>,
}

impl Evidence<'_> {
    fn fault_code(&self) -> Option<FaultCode> {
        self.fault.or_else(|| self.summary?.fault.as_ref()).map(|fault| fault.code)
    }
}

/// Refuses a file: its bytes and the report are kept, then the ledger says so. A file that is gone by now is gone.
///
/// An archived object cannot be copied; it stays in the inbox.
pub(crate) async fn refuse<S: Store>(work: &Work<'_, S>, evidence: Evidence<'_>) -> Result<Outcome, Stop> {
    let prefix = work.quarantine_prefix();
    let code = evidence.fault_code();
    let archived = code == Some(FaultCode::Archived);
    if !archived && !work.store.keep_original(&work.file, &format!("{prefix}original")).await? {
        return close(work, State::Gone, evidence, None).await;
    }
    put_report(work, State::Quarantined, evidence).await?;
    let receipt = put_receipt(work, State::Quarantined, evidence, None).await?;
    let decided = outcome(State::Quarantined, evidence.contract, evidence.summary, code);
    work.finish(Outcome { receipt, quarantine: Some(prefix), ..decided }).await
}

/// Ends a file that is neither loaded nor refused.
pub(crate) async fn close<S: Store>(
    work: &Work<'_, S>,
    state: State,
    evidence: Evidence<'_>,
    other: Option<FileId>,
) -> Result<Outcome, Stop> {
    let evidence = Evidence { fault: None, ..evidence };
    let receipt = put_receipt(work, state, evidence, other.as_ref()).await?;
    let decided = outcome(state, evidence.contract, evidence.summary, None);
    work.finish(Outcome { receipt, other, ..decided }).await
}

/// Writes the receipt for a state and gives its key. `other` is the file that is loaded in this one's place.
pub(crate) async fn put_receipt<S: Store>(
    work: &Work<'_, S>,
    state: State,
    evidence: Evidence<'_>,
    other: Option<&FileId>,
) -> Result<String, Stop> {
    let Evidence { contract, summary, fault } = evidence;
    let mut receipt = checker::receipt(&facts(work), contract, summary, state.as_str(), fault);
    receipt.other = other.map(FileId::to_string);
    receipt.corrects = work.corrects.get().map(FileId::to_string);
    let key = work.receipt_key(state);
    work.store.put(&key, "application/json", Bytes::from(serde_json::to_vec(&receipt)?)).await?;
    Ok(key)
}

/// Writes `report.json` beside the rejects.
pub(crate) async fn put_report<S: Store>(
    work: &Work<'_, S>,
    state: State,
    evidence: Evidence<'_>,
) -> Result<(), Stop> {
    let Evidence { contract, summary, fault } = evidence;
    let report = checker::report(&facts(work), contract, summary, state.as_str(), fault);
    let key = format!("{}report.json", work.quarantine_prefix());
    work.store.put(&key, "application/json", Bytes::from(serde_json::to_vec(&report)?)).await?;
    Ok(())
}

fn facts<S: Store>(work: &Work<'_, S>) -> FileFacts {
    FileFacts {
        file_id: work.id.as_str().to_owned(),
        load: work.load.as_str().to_owned(),
        partner: work.partner.clone(),
        feed: work.feed.clone(),
        key: work.file.key.clone(),
        version: work.file.version.clone(),
        order: work.order.clone(),
    }
}
