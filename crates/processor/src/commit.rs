//! The one moment at which a load becomes visible, and what a second version of a key means.

use contract::{Contract, OnSameName};
use store::{
    Commit, Committed, ContentClaim, Error, FileId, Head, HeadMove, Opened, Operation, Outcome, Store,
};

use crate::{stop::Stop, work::Work};

/// How often a moved head is looked at again. Each move is another version that became visible meanwhile.
const ATTEMPTS: u32 = 8;

/// Where this version stands among those of its key.
pub(crate) enum Standing {
    /// It may become visible; with the head's move where one version replaces another.
    Visible(Option<HeadMove>),
    /// A newer version is visible as this file.
    Older(FileId),
    /// Its key does not take a second version, and it is not the oldest.
    Second,
    /// The bucket does not hold it any more.
    Gone,
}

/// Asks where this version stands. The order is that of the bucket's listing; times and sequencers are not asked.
pub(crate) async fn standing<S: Store>(work: &Work<'_, S>, contract: &Contract) -> Result<Standing, Stop> {
    match contract.policy.on_same_name {
        OnSameName::Append => Ok(Standing::Visible(None)),
        OnSameName::Reject => first_of_its_name(work).await,
        OnSameName::Supersede => newest(work).await,
    }
}

async fn first_of_its_name<S: Store>(work: &Work<'_, S>) -> Result<Standing, Stop> {
    let versions = work.store.versions(&work.file.bucket, &work.file.key).await?;
    Ok(match versions.last() {
        Some(oldest) if *oldest == work.file.version => Standing::Visible(None),
        _ if versions.contains(&work.file.version) => Standing::Second,
        _ => Standing::Gone,
    })
}

async fn newest<S: Store>(work: &Work<'_, S>) -> Result<Standing, Stop> {
    let to = Head { version: work.file.version.clone(), file: work.id.clone(), load: work.load.clone() };
    let Some(seen) = work.store.head(&work.file.bucket, &work.file.key).await? else {
        return Ok(Standing::Visible(Some(HeadMove { from: None, to })));
    };
    if seen.version == to.version {
        // Without versioning both are `null`, and the one in the bucket is the newer. Asked after the head was read:
        // what replaces it later moves the head after us.
        let replaced = seen.file != to.file && matches!(work.store.open(&work.file).await?, Opened::Gone);
        let head = HeadMove { from: Some(seen), to };
        return Ok(if replaced { Standing::Gone } else { Standing::Visible(Some(head)) });
    }
    let versions = work.store.versions(&work.file.bucket, &work.file.key).await?;
    let place = |wanted: &str| versions.iter().position(|version| version == wanted);
    Ok(match (place(&to.version), place(&seen.version)) {
        (None, _) => Standing::Gone,
        (Some(mine), Some(other)) if other < mine => Standing::Older(seen.file),
        (Some(_), None) if is_newer(work, &seen.file).await? => Standing::Older(seen.file),
        (Some(_), _) => Standing::Visible(Some(HeadMove { from: Some(seen), to })),
    })
}

/// Whether a visible version that was deleted from the bucket since was newer. Only the orders are left to compare.
async fn is_newer<S: Store>(work: &Work<'_, S>, visible: &FileId) -> Result<bool, Stop> {
    Ok(work.store.entry(visible).await?.is_some_and(|entry| entry.order > work.order))
}

/// How a commit ended.
pub(crate) enum Ended {
    /// The load is visible.
    Done,
    /// It must not become visible.
    Not(Standing),
    /// The content is already complete as this file.
    Duplicate(FileId),
}

/// Commits, looking again where the head moved meanwhile.
pub(crate) async fn commit<S: Store>(
    work: &Work<'_, S>,
    contract: &Contract,
    outcome: &Outcome,
) -> Result<Ended, Stop> {
    let content = contract.policy.dedupe_content.then(|| ContentClaim {
        partner: work.partner.clone(),
        feed: work.feed.clone(),
        sha256: outcome.sha256.clone(),
    });
    for _ in 0..ATTEMPTS {
        // An older version cannot appear later, so only a head is looked at again.
        let standing = match contract.policy.on_same_name {
            OnSameName::Supersede => newest(work).await?,
            OnSameName::Append | OnSameName::Reject => Standing::Visible(None),
        };
        let head = match standing {
            Standing::Visible(head) => head,
            other => return Ok(Ended::Not(other)),
        };
        let commit = Commit {
            fence: work.fence.clone(),
            file: work.file.clone(),
            outcome: outcome.clone(),
            head,
            content: content.clone(),
        };
        match work.store.commit(&commit).await? {
            Committed::Done => return Ok(Ended::Done),
            Committed::Lost => return Err(Stop::Lost),
            Committed::Duplicate(other) => return Ok(Ended::Duplicate(other)),
            Committed::HeadMoved => {}
        }
    }
    Err(Error::new(Operation::Commit, "HeadMoved").into())
}
