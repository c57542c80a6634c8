//! Decides what becomes of a claimed file: checks it, writes its rows and rejects, and sees whether the load becomes
//! visible. Nothing written here is visible, and a second run writes the same again. [`settle`] writes the rest.

use std::sync::Arc;

use checker::{FaultCode, FileFault, Summary, Verdict};
use contract::{Contract, OnSameName};
use ledger::{ContentClaim, Decision, Entry, HeadMove, Outcome, Replayed, Visible};
use runtime::QuarantineReason;
use store::{Error, Fenced, Operation};
use telemetry::{FileRecord, ProcessingStep};

use crate::{
    ProcessorStore, correction,
    error::ProcessError,
    load::{Load, Rows},
    precedence::{Loss, Precedence, precedence, replaced},
    read::{self, Again, Content, OpenedVersion},
    settle::{Settled, settle},
    work::Work,
};

/// How often a file is decided anew because the head of its key has moved: each time, another version of the name
/// became visible. The next delivery continues after that.
const MOST_MOVES: u32 = 7;

/// What is to be done with a file, by its key and its feed.
pub(crate) enum Task {
    /// Nothing: no partner sent it.
    Ignore,
    /// Quarantine it unread.
    Quarantine(QuarantineReason),
    /// Check it.
    Check(Arc<Contract>),
}

impl Task {
    /// Returns the contract, when there is one that compiles.
    pub(crate) fn contract(&self) -> Option<&Arc<Contract>> {
        match self {
            Self::Ignore => None,
            Self::Quarantine(reason) => reason.contract.as_ref(),
            Self::Check(contract) => Some(contract),
        }
    }
}

/// What is known of a file's content: receipt and report are written from it.
#[derive(Default)]
pub(crate) struct Evidence {
    pub(crate) contract: Option<Arc<Contract>>,
    pub(crate) summary: Option<Box<Summary>>,
    /// Why a file is quarantined that the check did not reject.
    pub(crate) fault: Option<FileFault>,
    /// Whether the rejects of a load are in the quarantine bucket.
    pub(crate) rejects_kept: bool,
    /// Whether rows of this load are in the records table.
    pub(crate) rows_written: bool,
}

impl Evidence {
    /// Makes the evidence of a file that was not read.
    fn unread(contract: &Arc<Contract>) -> Self {
        Self { contract: Some(Arc::clone(contract)), ..Self::default() }
    }

    /// Makes the evidence of a file that was read.
    fn read(contract: &Arc<Contract>, summary: Summary) -> Self {
        Self { summary: Some(Box::new(summary)), ..Self::unread(contract) }
    }

    /// Returns the contract's rule for a name that is sent again. Without a contract nothing is loaded and nothing
    /// replaced.
    fn on_same_name(&self) -> OnSameName {
        self.contract.as_ref().map_or(OnSameName::Append, |contract| contract.policy.on_same_name)
    }

    /// Returns the SHA-256 of the stored bytes, lower-case hexadecimal; empty when they were not read to the end.
    pub(crate) fn sha256(&self) -> String {
        self.summary.as_ref().and_then(|summary| summary.sha256).map(hex::encode).unwrap_or_default()
    }

    /// Returns the fault of the file: of its name or place, otherwise of its content.
    pub(crate) fn fault_code(&self) -> Option<FaultCode> {
        self.fault.as_ref().or_else(|| self.summary.as_ref()?.fault.as_ref()).map(|fault| fault.code)
    }
}

/// A decision and the evidence it rests on.
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    pub(crate) evidence: Evidence,
}

impl Decided {
    /// Decides on a file that is neither loaded nor quarantined. It has no fault.
    pub(crate) fn closed(decision: Decision, evidence: Evidence) -> Self {
        Self { decision, evidence: Evidence { fault: None, ..evidence } }
    }

    fn quarantined(evidence: Evidence) -> Self {
        Self { decision: Decision::Quarantine, evidence }
    }

    fn quarantined_unread(contract: Option<Arc<Contract>>, fault: FileFault) -> Self {
        Self::quarantined(Evidence { contract, fault: Some(fault), ..Evidence::default() })
    }

    /// Decides on a version that does not become visible.
    fn lost(loss: Loss, evidence: Evidence) -> Self {
        match loss {
            Loss::Older(by) => Self::closed(Decision::Supersede { by }, evidence),
            Loss::Gone => Self::closed(Decision::Gone, evidence),
            Loss::NameTaken => {
                let found = "a name that an earlier version of the key took";
                let fault = FileFault::new(FaultCode::SameName, found, "a name that was not used before");
                Self::quarantined(Evidence { fault: Some(fault), ..evidence })
            }
        }
    }
}

/// How work on a claimed file ended.
pub(crate) enum Concluded {
    /// The ledger has this outcome.
    Decided(Box<Outcome>),
    /// A replay left the file as it was.
    Kept(Replayed),
}

/// Takes a claimed file to its terminal state, returns its outcome and fills in the record.
///
/// Between decision and settlement another file can take the name or the content, and the version can be deleted.
/// Then the file is decided anew with that knowledge.
pub(crate) async fn conclude<S: ProcessorStore>(
    work: &Work<'_, S>,
    entry: &Entry,
    task: &Task,
    record: &mut FileRecord,
) -> Result<Concluded, ProcessError> {
    if let Some(ended) = work.replay.as_ref().and_then(|terms| terms.ends_unread(task)) {
        return end_replay(work, ended).await;
    }
    let mut decided = decide(work, entry, task, record).await?;
    let mut moves = 0;
    loop {
        record.fault = decided.evidence.fault_code().map(FaultCode::as_str).or(record.fault);
        decided = match settle(work, decided).await? {
            Settled::Done(outcome) => return Ok(Concluded::Decided(outcome)),
            Settled::Kept(ended) => return end_replay(work, ended).await,
            Settled::Instead(decided) => *decided,
            Settled::HeadMoved(_) | Settled::NewerRetracted if moves == MOST_MOVES => {
                return Err(Error::new(Operation::Commit, "HeadMoved").into());
            }
            Settled::HeadMoved(evidence) => {
                moves += 1;
                visible(work, evidence).await?
            }
            Settled::NewerRetracted => {
                moves += 1;
                decide(work, entry, task, record).await?
            }
        };
    }
}

/// Ends a replay that leaves the file as it was.
async fn end_replay<S: ProcessorStore>(
    work: &Work<'_, S>,
    ended: Replayed,
) -> Result<Concluded, ProcessError> {
    match work.store.end_replay(&work.fence, &ended, work.host.now()).await? {
        Fenced::Kept => Ok(Concluded::Kept(ended)),
        Fenced::Lost => Err(ProcessError::Lost),
    }
}

async fn decide<S: ProcessorStore>(
    work: &Work<'_, S>,
    entry: &Entry,
    task: &Task,
    record: &mut FileRecord,
) -> Result<Decided, ProcessError> {
    let Entry { deaths, rows_written, .. } = entry;
    if *deaths >= work.settings.deaths && !matches!(task, Task::Ignore) {
        let found = format!("{deaths} earlier attempts that died after {rows_written} rows");
        let fault = FileFault::new(FaultCode::Poison, found, "a file that can be processed");
        return Ok(Decided::quarantined_unread(task.contract().cloned(), fault));
    }
    match task {
        Task::Ignore => Ok(Decided::closed(Decision::Ignore, Evidence::default())),
        Task::Quarantine(QuarantineReason { fault, contract }) => {
            Ok(Decided::quarantined_unread(contract.clone(), fault.clone()))
        }
        Task::Check(contract) => check(work, contract, record).await,
    }
}

/// Decides on an object of an archive storage class, which S3 reads only after a restore.
fn archived(contract: &Arc<Contract>) -> Decided {
    let found = "an object in an archive storage class";
    let fault = FileFault::new(FaultCode::Archived, found, "a readable object");
    Decided::quarantined_unread(Some(Arc::clone(contract)), fault)
}

fn too_large(contract: &Arc<Contract>, length: u64) -> Decided {
    let expected = format!("a file of at most {} bytes", contract.limits.file_bytes);
    let fault = FileFault::new(FaultCode::TooLarge, format!("{length} bytes"), expected);
    Decided::quarantined_unread(Some(Arc::clone(contract)), fault)
}

async fn check<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    record: &mut FileRecord,
) -> Result<Decided, ProcessError> {
    if contract.policy.on_same_name == OnSameName::Reject
        && let Precedence::Loses(loss) = precedence(work, contract.policy.on_same_name).await?
    {
        return Ok(Decided::lost(loss, Evidence::unread(contract)));
    }
    let opening = match read::open(work, contract.limits.file_bytes).await? {
        OpenedVersion::Content(opening) => opening,
        OpenedVersion::Gone => return Ok(Decided::closed(Decision::Gone, Evidence::unread(contract))),
        OpenedVersion::Archived => return Ok(archived(contract)),
        OpenedVersion::TooLarge(length) => return Ok(too_large(contract, length)),
    };
    let started = work.host.now();
    let (summary, content) = read::first(work, contract, opening).await?;
    record.spend(ProcessingStep::Check, work.host.now().saturating_sub(started));
    describe(record, contract, &summary);
    // What is wrong with the content is told before whom it corrects.
    match (summary.verdict, correction::judge(work, contract, &summary).await?) {
        (Verdict::Rejected, _) => reject(work, contract, summary, &content, None).await,
        (_, Some(fault)) => reject(work, contract, summary, &content, Some(fault)).await,
        (Verdict::Accepted | Verdict::Partial, None) => {
            accept(work, contract, summary, &content, record).await
        }
    }
}

/// Writes the rejects of a file that its check rejected, or that is quarantined for this fault.
async fn reject<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    first: Summary,
    content: &Content,
    fault: Option<FileFault>,
) -> Result<Decided, ProcessError> {
    if first.counts.rejects == 0 {
        return Ok(Decided::quarantined(Evidence { fault, ..Evidence::read(contract, first) }));
    }
    let mut load = Load::new(work, contract, &first, Rows::Left);
    match read::second(work, contract, &first, content, &mut load).await? {
        Again::Gone => Ok(Decided::closed(Decision::Gone, Evidence::read(contract, first))),
        Again::Archived => Ok(archived(contract)),
        Again::Done(second) => {
            load.finish().await?;
            Ok(Decided::quarantined(Evidence { fault, ..Evidence::read(contract, *second) }))
        }
    }
}

/// Writes the good rows and the rejects, and sees whether the load may become visible.
async fn accept<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    first: Summary,
    content: &Content,
    record: &mut FileRecord,
) -> Result<Decided, ProcessError> {
    if contract.policy.on_same_name == OnSameName::Supersede
        && let Precedence::Loses(loss) = precedence(work, contract.policy.on_same_name).await?
    {
        return Ok(Decided::lost(loss, Evidence::read(contract, first)));
    }
    let started = work.host.now();
    let mut load = Load::new(work, contract, &first, Rows::Written);
    let second = match read::second(work, contract, &first, content, &mut load).await? {
        Again::Done(second) => second,
        Again::Gone => return Ok(Decided::closed(Decision::Gone, Evidence::read(contract, first))),
        Again::Archived => return Ok(archived(contract)),
    };
    load.finish().await?;
    record.spend(ProcessingStep::Load, work.host.now().saturating_sub(started));
    let rejects_kept = second.counts.rejects > 0;
    visible(work, Evidence { rejects_kept, rows_written: true, ..Evidence::read(contract, *second) }).await
}

/// Decides whether a load of which every row is written becomes visible, and what it replaces.
async fn visible<S: ProcessorStore>(work: &Work<'_, S>, evidence: Evidence) -> Result<Decided, ProcessError> {
    let head = match precedence(work, evidence.on_same_name()).await? {
        Precedence::Wins(head) => head,
        Precedence::Loses(loss) => return Ok(Decided::lost(loss, evidence)),
    };
    let replaces = match &head {
        Some(head) => replaced(work, head).await?,
        None => None,
    };
    let receipt = replaces.as_ref().map(|older| older.receipt.clone());
    let head = head.map(|head| HeadMove { receipt, ..head });
    let takes_content = evidence.contract.as_ref().is_some_and(|contract| contract.policy.dedupe_content);
    let content = takes_content.then(|| ContentClaim {
        partner: work.partner.clone(),
        feed: work.feed.clone(),
        sha256: evidence.sha256(),
    });
    let decision = Decision::Load(Box::new(Visible { head, replaces, content }));
    Ok(Decided { decision, evidence })
}

/// Fills in the part of the record that is known once a file was read.
fn describe(record: &mut FileRecord, contract: &Contract, summary: &Summary) {
    record.records = summary.counts.records;
    record.rows = summary.counts.rows;
    record.rejects = summary.counts.rejects;
    record.dropped = summary.counts.dropped;
    record.warnings = summary.counts.warnings;
    record.fault = summary.fault.as_ref().map(|fault| fault.code.as_str());
    record.bytes = summary.bytes;
    record.decoded_bytes = summary.decoded_bytes;
    let mut by_code: Vec<(&'static str, u64)> = Vec::new();
    for (rule, count) in contract.rules.iter().zip(&summary.by_rule).filter(|(_, count)| **count > 0) {
        let code = rule.code.as_str();
        match by_code.iter_mut().find(|(known, _)| *known == code) {
            Some((_, total)) => *total += count,
            None => by_code.push((code, *count)),
        }
    }
    record.violations = by_code;
}
