//! The one moment at which a load becomes visible, and what a second version of a key means.

use contract::{Contract, OnSameName};
use ledger::NULL_VERSION;
use store::{
    Commit, Committed, ContentClaim, Error, FileId, FileVersion, Head, HeadMove, Opened, Operation, Outcome,
    State,
};

use crate::{ProcessorStore, error::ProcessError, quarantine, work::Work};

/// How often a moved head is looked at again. Each move is another version that became visible meanwhile.
const ATTEMPTS: u32 = 8;

/// The place of this version among the versions of its key.
pub(crate) enum Standing {
    /// It may become visible; with the head's move where one version replaces another or takes the name.
    Visible(Option<HeadMove>),
    /// A newer version is visible as this file.
    Older(FileId),
    /// Its key does not take a second version, and another one has it.
    Second,
    /// The bucket does not hold it any more.
    Gone,
}

/// Returns the place of this version. The order is that of the bucket's listing; times and sequencers are not asked.
pub(crate) async fn standing<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Contract,
) -> Result<Standing, ProcessError> {
    match contract.policy.on_same_name {
        OnSameName::Append => Ok(Standing::Visible(None)),
        OnSameName::Reject => first_good(work).await,
        OnSameName::Supersede => newest(work).await,
    }
}

/// Finds the first good version. A name belongs to the oldest version that became visible under it. The head remembers it when the version itself is
/// deleted or expires; a load that was taken back leaves the name free, and so does a version that was quarantined.
///
/// A version that is older and not decided yet may still turn out to be good: it is waited for, so that the end does not
/// depend on which of the two was delivered first.
async fn first_good<S: ProcessorStore>(work: &Work<'_, S>) -> Result<Standing, ProcessError> {
    let seen = work.store.head(&work.file.key).await?;
    if let Some(head) = seen.as_ref().filter(|head| head.file != work.id)
        && is_complete(work, &head.file).await?
    {
        return Ok(Standing::Second);
    }
    let versions = work.store.versions(&work.file.bucket, &work.file.key).await?;
    let Some(mine) = versions.iter().position(|version| *version == work.file.version) else {
        return Ok(Standing::Gone);
    };
    let mut undecided = false;
    for version in versions.into_iter().skip(mine + 1) {
        // One from before the bucket had versions has a name that only its event's entity tag gives: it is not waited
        // for, and if it became visible the head knows.
        let older = FileVersion { version, etag: None, ..work.file.clone() };
        match work.store.entry(&FileId::of(&older)).await? {
            Some(entry) if entry.state == State::Complete => return Ok(Standing::Second),
            Some(entry) if entry.state.is_terminal() => {}
            _ if older.version == NULL_VERSION => {}
            _ => undecided = true,
        }
    }
    if undecided {
        return Err(ProcessError::Behind);
    }
    Ok(Standing::Visible(Some(HeadMove { from: seen, to: head_of(work), receipt: None })))
}

async fn is_complete<S: ProcessorStore>(work: &Work<'_, S>, file: &FileId) -> Result<bool, ProcessError> {
    Ok(work.store.entry(file).await?.is_some_and(|entry| entry.state == State::Complete))
}

fn head_of<S>(work: &Work<'_, S>) -> Head {
    Head { version: work.file.version.clone(), file: work.id.clone(), load: work.load.clone() }
}

async fn newest<S: ProcessorStore>(work: &Work<'_, S>) -> Result<Standing, ProcessError> {
    let to = head_of(work);
    let Some(seen) = work.store.head(&work.file.key).await? else {
        return Ok(Standing::Visible(Some(HeadMove { from: None, to, receipt: None })));
    };
    if seen.version == to.version {
        // Without versioning both are `null`, and the one in the bucket is the newer. Asked after the head was read:
        // what replaces it later moves the head after us.
        let replaced = seen.file != to.file && matches!(work.store.open(&work.file).await?, Opened::Gone);
        let head = HeadMove { from: Some(seen), to, receipt: None };
        return Ok(if replaced { Standing::Gone } else { Standing::Visible(Some(head)) });
    }
    let versions = work.store.versions(&work.file.bucket, &work.file.key).await?;
    let place = |wanted: &str| versions.iter().position(|version| version == wanted);
    Ok(match (place(&to.version), place(&seen.version)) {
        (None, _) => Standing::Gone,
        (Some(mine), Some(other)) if other < mine => Standing::Older(seen.file),
        (Some(_), None) if is_newer(work, &seen.file).await? => Standing::Older(seen.file),
        (Some(_), _) => Standing::Visible(Some(HeadMove { from: Some(seen), to, receipt: None })),
    })
}

/// Returns whether a visible version that was deleted from the bucket since was newer. Only the orders are left to compare.
async fn is_newer<S: ProcessorStore>(work: &Work<'_, S>, visible: &FileId) -> Result<bool, ProcessError> {
    Ok(work.store.entry(visible).await?.is_some_and(|entry| entry.order > work.order))
}

/// Prepares the end of the load that this one replaces: writes the receipt that says so, and gives its file.
async fn replaced<S: ProcessorStore>(
    work: &Work<'_, S>,
    head: &mut HeadMove,
) -> Result<Option<FileId>, ProcessError> {
    let Some(from) = head.from.as_ref().filter(|from| from.file != work.id) else { return Ok(None) };
    let Some(older) = work.store.entry(&from.file).await? else { return Ok(None) };
    let Some(outcome) = older.outcome.as_ref().filter(|_| older.state == State::Complete) else {
        return Ok(None);
    };
    head.receipt = Some(quarantine::put_superseded_receipt(work, &older, outcome).await?);
    Ok(Some(from.file.clone()))
}

/// How a commit ended.
pub(crate) enum Ended {
    /// The load is visible, with this outcome.
    Done(Outcome),
    /// It must not become visible.
    Not(Standing),
    /// The content is already complete as this file.
    Duplicate(FileId),
}

/// Commits, looking again where the head moved meanwhile.
pub(crate) async fn commit<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Contract,
    outcome: &Outcome,
) -> Result<Ended, ProcessError> {
    let content = contract.policy.dedupe_content.then(|| ContentClaim {
        partner: work.partner.clone(),
        feed: work.feed.clone(),
        sha256: outcome.sha256.clone(),
    });
    for _ in 0..ATTEMPTS {
        let mut head = match standing(work, contract).await? {
            Standing::Visible(head) => head,
            other => return Ok(Ended::Not(other)),
        };
        let replaced = match &mut head {
            Some(head) => replaced(work, head).await?,
            None => None,
        };
        let outcome = Outcome { replaced, ..outcome.clone() };
        let commit = Commit {
            fence: work.fence.clone(),
            file: work.file.clone(),
            outcome: outcome.clone(),
            head,
            content: content.clone(),
        };
        match work.store.commit(&commit).await? {
            Committed::Done => return Ok(Ended::Done(outcome)),
            Committed::Lost => return Err(ProcessError::Lost),
            Committed::Duplicate(other) => return Ok(Ended::Duplicate(other)),
            Committed::HeadMoved => {}
        }
    }
    Err(Error::new(Operation::Commit, "HeadMoved").into())
}
