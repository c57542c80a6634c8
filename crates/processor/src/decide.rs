//! The way of a claimed file to its terminal state: check, load or quarantine, commit.

use std::sync::Arc;

use checker::{FaultCode, Summary, Verdict};
use contract::{Contract, OnSameName};
use runtime::QuarantineReason;
use store::{Entry, Outcome, State};
use telemetry::{FileRecord, ProcessingStep};

use crate::{
    ProcessorStore,
    commit::{self, Ended, Standing},
    error::ProcessError,
    load::{Load, Rows},
    quarantine::{self, Evidence},
    read::{self, Again, Content, Found},
    work::{Work, outcome},
};

/// What is to be done with a file, by its key and its feed.
pub(crate) enum Task {
    /// Nothing: no partner sent it.
    Ignore,
    /// Reject it unread.
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

/// Takes a claimed file to its terminal state and gives what was decided; fills in the record.
pub(crate) async fn decide<S: ProcessorStore>(
    work: &Work<'_, S>,
    entry: &Entry,
    task: &Task,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    let Entry { deaths, rows_written, .. } = entry;
    if *deaths >= work.settings.deaths && !matches!(task, Task::Ignore) {
        let found = format!("{deaths} earlier attempts that died after {rows_written} rows");
        let reason = QuarantineReason::new(FaultCode::Poison, &found, "a file that can be processed");
        return quarantine_unread(work, task.contract().map(Arc::as_ref), &reason, record).await;
    }
    match task {
        Task::Ignore => work.finish(outcome(State::Ignored, None, None, None)).await,
        Task::Quarantine(reason) => quarantine_unread(work, reason.contract.as_deref(), reason, record).await,
        Task::Check(contract) => check(work, contract, record).await,
    }
}

async fn quarantine_unread<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: Option<&Contract>,
    reason: &QuarantineReason,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    record.fault = Some(reason.fault.code.as_str());
    quarantine::reject(work, Evidence { contract, fault: Some(&reason.fault), ..Evidence::default() }).await
}

/// Quarantines a file that lies where S3 reads nothing before it is restored.
async fn quarantine_archived<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Contract,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    let found = "an object in an archive storage class";
    let reason = QuarantineReason::new(FaultCode::Archived, found, "a readable object");
    quarantine_unread(work, Some(contract), &reason, record).await
}

async fn check<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    let unread = Evidence { contract: Some(contract), ..Evidence::default() };
    if contract.policy.on_same_name == OnSameName::Reject {
        let standing = commit::standing(work, contract).await?;
        if !matches!(standing, Standing::Visible(_)) {
            return set_aside(work, standing, unread, record).await;
        }
    }
    let most_bytes = contract.limits.file_bytes;
    let opening = match read::open(work, most_bytes).await? {
        Found::Content(opening) => opening,
        Found::Gone => return quarantine::close(work, State::Gone, unread, None).await,
        Found::Archived => return quarantine_archived(work, contract, record).await,
        Found::TooLarge(length) => {
            let (found, expected) =
                (format!("{length} bytes"), format!("a file of at most {most_bytes} bytes"));
            let reason = QuarantineReason::new(FaultCode::TooLarge, &found, &expected);
            return quarantine_unread(work, Some(contract), &reason, record).await;
        }
    };
    let started = work.host.now();
    let (summary, content) = read::first(work, contract, opening).await?;
    record.spend(ProcessingStep::Check, work.host.now().saturating_sub(started));
    describe(record, contract, &summary);
    match summary.verdict {
        Verdict::Rejected => reject(work, contract, &summary, &content, record).await,
        Verdict::Accepted | Verdict::Partial => accept(work, contract, &summary, &content, record).await,
    }
}

/// Keeps what a quarantined file's sender needs to correct it.
async fn reject<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    first: &Summary,
    content: &Content,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    let evidence = Evidence { contract: Some(contract), summary: Some(first), ..Evidence::default() };
    if first.counts.rejects == 0 {
        return quarantine::reject(work, evidence).await;
    }
    let mut load = Load::new(work, first, Rows::Left);
    match read::second(work, contract, first, content, &mut load).await? {
        Again::Gone => quarantine::close(work, State::Gone, evidence, None).await,
        Again::Archived => quarantine_archived(work, contract, record).await,
        Again::Done(second) => {
            load.finish().await?;
            quarantine::reject(work, Evidence { summary: Some(second.as_ref()), ..evidence }).await
        }
    }
}

/// Loads the good rows, keeps the rejects, and makes the load visible.
async fn accept<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    first: &Summary,
    content: &Content,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    let evidence = Evidence { contract: Some(contract), summary: Some(first), ..Evidence::default() };
    if contract.policy.on_same_name == OnSameName::Supersede {
        let standing = commit::standing(work, contract).await?;
        if !matches!(standing, Standing::Visible(_)) {
            return set_aside(work, standing, evidence, record).await;
        }
    }
    let started = work.host.now();
    let mut load = Load::new(work, first, Rows::Written);
    let second = match read::second(work, contract, first, content, &mut load).await? {
        Again::Done(second) => second,
        Again::Gone => return quarantine::close(work, State::Gone, evidence, None).await,
        Again::Archived => return quarantine_archived(work, contract, record).await,
    };
    load.finish().await?;
    record.spend(ProcessingStep::Load, work.host.now().saturating_sub(started));
    make_visible(work, contract, &second, record).await
}

async fn make_visible<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Contract,
    summary: &Summary,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    let rejects_kept = summary.counts.rejects > 0;
    let evidence =
        Evidence { contract: Some(contract), summary: Some(summary), rejects_kept, ..Evidence::default() };
    let quarantine = quarantine::put_kept_report(work, State::Complete, evidence, None).await?;
    let receipt = quarantine::put_receipt(work, State::Complete, evidence, None).await?;
    let decided = outcome(State::Complete, Some(contract), Some(summary), None);
    let outcome = Outcome { receipt, quarantine, corrects: work.corrects.get().cloned(), ..decided };
    match commit::commit(work, contract, &outcome).await? {
        Ended::Done(outcome) => Ok(outcome),
        Ended::Not(standing) => set_aside(work, standing, evidence, record).await,
        Ended::Duplicate(other) => quarantine::close(work, State::Duplicate, evidence, Some(other)).await,
    }
}

/// Ends a version that may not become visible.
async fn set_aside<S: ProcessorStore>(
    work: &Work<'_, S>,
    standing: Standing,
    evidence: Evidence<'_>,
    record: &mut FileRecord,
) -> Result<Outcome, ProcessError> {
    match standing {
        Standing::Older(newer) => quarantine::close(work, State::Superseded, evidence, Some(newer)).await,
        Standing::Gone | Standing::Visible(_) => quarantine::close(work, State::Gone, evidence, None).await,
        Standing::Second => {
            let found = "a name that an earlier version of the key took";
            let reason = QuarantineReason::new(FaultCode::SameName, found, "a name that was not used before");
            record.fault = Some(reason.fault.code.as_str());
            let fault = Some(&reason.fault);
            quarantine::reject(work, Evidence { fault, ..evidence }).await
        }
    }
}

/// The part of the record that is known once a file was read.
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
