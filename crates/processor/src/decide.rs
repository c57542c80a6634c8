//! The way of a claimed file to a decision: check, write the rows and the rejects, and see whether the load may become
//! visible. What is written here is invisible, and a second run writes the same again; the rest is written by [`settle`].

use std::sync::Arc;

use checker::{FaultCode, FileFault, Summary, Verdict};
use contract::{Contract, OnSameName};
use ledger::{ContentClaim, Decision, Entry, HeadMove, Outcome, Visible};
use runtime::QuarantineReason;
use store::{Error, Operation, Store};
use telemetry::{FileRecord, Step};

use crate::{
    error::ProcessError,
    load::{Load, Rows},
    read::{self, Again, Content, Found},
    settle::{Settled, settle},
    standing::{Aside, Standing, replaced, standing},
    work::Work,
};

/// How often a decision is taken anew because another one came between. Each move of a head is another version that became
/// visible meanwhile.
const ATTEMPTS: u32 = 8;

/// What is to be done with a file, as far as its key and its feed tell.
pub(crate) enum Task {
    /// Nothing: nobody sent it.
    Ignore,
    /// Quarantine it unread.
    Quarantine(QuarantineReason),
    /// Check it.
    Check(Arc<Contract>),
}

impl Task {
    /// The contract, when there is one that compiles.
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
    /// For a file that is quarantined without the check saying so.
    pub(crate) fault: Option<FileFault>,
    /// Whether the second reading left rejects in the quarantine.
    pub(crate) rejects_kept: bool,
}

impl Evidence {
    /// Of a file that was not read.
    fn unread(contract: &Arc<Contract>) -> Self {
        Self { contract: Some(Arc::clone(contract)), ..Self::default() }
    }

    /// Of a file that was read.
    fn read(contract: &Arc<Contract>, summary: Summary) -> Self {
        Self { summary: Some(Box::new(summary)), ..Self::unread(contract) }
    }

    /// What the contract says of the same name sent again; without a contract nothing is loaded, and nothing replaced.
    fn on_same_name(&self) -> OnSameName {
        self.contract.as_ref().map_or(OnSameName::Append, |contract| contract.policy.on_same_name)
    }

    /// SHA-256 of the stored bytes, lower-case hexadecimal; empty when they were not read whole.
    pub(crate) fn sha256(&self) -> String {
        self.summary.as_ref().and_then(|summary| summary.sha256).map(hex::encode).unwrap_or_default()
    }

    /// Why the file is not loaded, as far as its content or its place tells.
    pub(crate) fn fault_code(&self) -> Option<FaultCode> {
        self.fault.as_ref().or_else(|| self.summary.as_ref()?.fault.as_ref()).map(|fault| fault.code)
    }
}

/// A decision, and what it was taken on.
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    pub(crate) evidence: Evidence,
}

impl Decided {
    /// A file that is neither loaded nor quarantined has no fault.
    pub(crate) fn closed(decision: Decision, evidence: Evidence) -> Self {
        Self { decision, evidence: Evidence { fault: None, ..evidence } }
    }

    fn quarantined(evidence: Evidence) -> Self {
        Self { decision: Decision::Quarantine, evidence }
    }

    fn quarantined_unread(contract: Option<Arc<Contract>>, fault: FileFault) -> Self {
        Self::quarantined(Evidence { contract, fault: Some(fault), ..Evidence::default() })
    }

    /// A version that may not become visible.
    fn aside(aside: Aside, evidence: Evidence) -> Self {
        match aside {
            Aside::Older(by) => Self::closed(Decision::Supersede { by }, evidence),
            Aside::Gone => Self::closed(Decision::Gone, evidence),
            Aside::Second => {
                let found = "a name that an earlier version of the key took";
                let fault = FileFault::new(FaultCode::SameName, found, "a name that was not used before");
                Self::quarantined(Evidence { fault: Some(fault), ..evidence })
            }
        }
    }
}

/// Takes a claimed file to its terminal state and gives what was decided; fills in the record.
///
/// Between decision and settlement another file may take the name or the content, and the version may be deleted: then the
/// decision that follows from that is settled instead.
pub(crate) async fn conclude<S: Store>(
    work: &Work<'_, S>,
    entry: &Entry,
    task: &Task,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    let mut decided = decide(work, entry, task, record).await?;
    for _ in 0..ATTEMPTS {
        record.fault = decided.evidence.fault_code().map(FaultCode::as_str).or(record.fault);
        decided = match settle(work, decided).await? {
            Settled::Done(outcome) => return Ok(*outcome),
            Settled::Instead(decided) => *decided,
            Settled::HeadMoved(evidence) => visible(work, evidence).await?,
        };
    }
    Err(Error::new(Operation::Commit, "HeadMoved").into())
}

async fn decide<S: Store>(
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

/// A file that lies where S3 reads nothing before it is restored.
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

async fn check<S: Store>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    record: &mut FileRecord,
) -> Result<Decided, ProcessError> {
    if contract.policy.on_same_name == OnSameName::Reject
        && let Standing::Aside(aside) = standing(work, contract.policy.on_same_name).await?
    {
        return Ok(Decided::aside(aside, Evidence::unread(contract)));
    }
    let opening = match read::open(work, contract.limits.file_bytes).await? {
        Found::Content(opening) => opening,
        Found::Gone => return Ok(Decided::closed(Decision::Gone, Evidence::unread(contract))),
        Found::Archived => return Ok(archived(contract)),
        Found::TooLarge(length) => return Ok(too_large(contract, length)),
    };
    let started = work.host.now();
    let (summary, content) = read::first(work, contract, opening).await?;
    record.spend(Step::Check, work.host.now().saturating_sub(started));
    describe(record, contract, &summary);
    match summary.verdict {
        Verdict::Rejected => reject(work, contract, summary, &content).await,
        Verdict::Accepted | Verdict::Partial => accept(work, contract, summary, &content, record).await,
    }
}

/// Keeps what a quarantined file's sender needs to correct it.
async fn reject<S: Store>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    first: Summary,
    content: &Content,
) -> Result<Decided, ProcessError> {
    if first.counts.rejects == 0 {
        return Ok(Decided::quarantined(Evidence::read(contract, first)));
    }
    let mut load = Load::new(work, &first, Rows::Left);
    match read::second(work, contract, &first, content, &mut load).await? {
        Again::Gone => Ok(Decided::closed(Decision::Gone, Evidence::read(contract, first))),
        Again::Archived => Ok(archived(contract)),
        Again::Done(second) => {
            load.finish().await?;
            Ok(Decided::quarantined(Evidence::read(contract, *second)))
        }
    }
}

/// Writes the good rows and the rejects, and sees whether the load may become visible.
async fn accept<S: Store>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    first: Summary,
    content: &Content,
    record: &mut FileRecord,
) -> Result<Decided, ProcessError> {
    if contract.policy.on_same_name == OnSameName::Supersede
        && let Standing::Aside(aside) = standing(work, contract.policy.on_same_name).await?
    {
        return Ok(Decided::aside(aside, Evidence::read(contract, first)));
    }
    let started = work.host.now();
    let mut load = Load::new(work, &first, Rows::Written);
    let second = match read::second(work, contract, &first, content, &mut load).await? {
        Again::Done(second) => second,
        Again::Gone => return Ok(Decided::closed(Decision::Gone, Evidence::read(contract, first))),
        Again::Archived => return Ok(archived(contract)),
    };
    load.finish().await?;
    record.spend(Step::Load, work.host.now().saturating_sub(started));
    let rejects_kept = second.counts.rejects > 0;
    visible(work, Evidence { rejects_kept, ..Evidence::read(contract, *second) }).await
}

/// Decides whether a load of which every row is written becomes visible, and what it replaces.
async fn visible<S: Store>(work: &Work<'_, S>, evidence: Evidence) -> Result<Decided, ProcessError> {
    let head = match standing(work, evidence.on_same_name()).await? {
        Standing::Visible(head) => head,
        Standing::Aside(aside) => return Ok(Decided::aside(aside, evidence)),
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

/// What the record tells about a file that was read.
fn describe(record: &mut FileRecord, contract: &Contract, summary: &Summary) {
    record.records = summary.counts.records;
    record.rows = summary.counts.rows;
    record.rejects = summary.counts.rejects;
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
