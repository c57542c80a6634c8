//! What a second version of a key means: whether this one may become visible.

use contract::OnSameName;
use ledger::{FileId, FileVersion, Head, HeadMove, NULL_VERSION, Replaced, State};
use store::{Opened, Store};

use crate::{error::ProcessError, work::Work};

/// The place of this version among those of its key.
pub(crate) enum Standing {
    /// It may become visible; with the head's move where one version replaces another or takes the name.
    Visible(Option<HeadMove>),
    /// It may not.
    Aside(Aside),
}

/// Why a version may not become visible.
pub(crate) enum Aside {
    /// A newer version is visible as this file.
    Older(FileId),
    /// Its key does not take a second version, and another one has it.
    Second,
    /// The bucket does not hold it any more.
    Gone,
}

/// Asks where this version stands. The order is that of the bucket's listing; times and sequencers are not asked.
pub(crate) async fn standing<S: Store>(
    work: &Work<'_, S>,
    on_same_name: OnSameName,
) -> Result<Standing, ProcessError> {
    match on_same_name {
        OnSameName::Append => Ok(Standing::Visible(None)),
        OnSameName::Reject => first_good(work).await,
        OnSameName::Supersede => newest(work).await,
    }
}

/// A name belongs to the oldest version that became visible under it. The head remembers it when the version itself is
/// deleted or expires; a load that was taken back leaves the name free, and so does a version that was quarantined.
///
/// A version that is older and not decided yet may still turn out to be good: it is waited for, so that the end does not
/// depend on which of the two was delivered first.
async fn first_good<S: Store>(work: &Work<'_, S>) -> Result<Standing, ProcessError> {
    let seen = work.store.head(&work.file.key).await?;
    if let Some(head) = seen.as_ref().filter(|head| head.file != work.id)
        && is_complete(work, &head.file).await?
    {
        return Ok(Standing::Aside(Aside::Second));
    }
    let versions = work.store.versions(&work.file.bucket, &work.file.key).await?;
    let Some(mine) = versions.iter().position(|version| *version == work.file.version) else {
        return Ok(Standing::Aside(Aside::Gone));
    };
    let mut undecided = false;
    for version in versions.into_iter().skip(mine + 1) {
        // One from before the bucket had versions has a name that only its event's entity tag tells: it is not waited
        // for, and if it became visible the head knows.
        let older = FileVersion { version, etag: None, ..work.file.clone() };
        match work.store.entry(&FileId::of(&older)).await? {
            Some(entry) if entry.state == State::Complete => return Ok(Standing::Aside(Aside::Second)),
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

async fn is_complete<S: Store>(work: &Work<'_, S>, file: &FileId) -> Result<bool, ProcessError> {
    Ok(work.store.entry(file).await?.is_some_and(|entry| entry.state == State::Complete))
}

fn head_of<S>(work: &Work<'_, S>) -> Head {
    Head { version: work.file.version.clone(), file: work.id.clone(), load: work.load.clone() }
}

async fn newest<S: Store>(work: &Work<'_, S>) -> Result<Standing, ProcessError> {
    let to = head_of(work);
    let Some(seen) = work.store.head(&work.file.key).await? else {
        return Ok(Standing::Visible(Some(HeadMove { from: None, to, receipt: None })));
    };
    if seen.version == to.version {
        // Without versioning both are `null`, and the one in the bucket is the newer. Asked after the head was read:
        // what replaces it later moves the head after us.
        let replaced = seen.file != to.file && matches!(work.store.open(&work.file).await?, Opened::Gone);
        let head = HeadMove { from: Some(seen), to, receipt: None };
        return Ok(if replaced { Standing::Aside(Aside::Gone) } else { Standing::Visible(Some(head)) });
    }
    let versions = work.store.versions(&work.file.bucket, &work.file.key).await?;
    let place = |wanted: &str| versions.iter().position(|version| version == wanted);
    Ok(match (place(&to.version), place(&seen.version)) {
        (None, _) => Standing::Aside(Aside::Gone),
        (Some(mine), Some(other)) if other < mine => Standing::Aside(Aside::Older(seen.file)),
        (Some(_), None) if is_newer(work, &seen.file).await? => Standing::Aside(Aside::Older(seen.file)),
        (Some(_), _) => Standing::Visible(Some(HeadMove { from: Some(seen), to, receipt: None })),
    })
}

/// Whether a visible version that was deleted from the bucket since was newer. Only the orders are left to compare.
async fn is_newer<S: Store>(work: &Work<'_, S>, visible: &FileId) -> Result<bool, ProcessError> {
    Ok(work.store.entry(visible).await?.is_some_and(|entry| entry.order > work.order))
}

/// The visible load that this one replaces by the move of the head.
pub(crate) async fn replaced<S: Store>(
    work: &Work<'_, S>,
    head: &HeadMove,
) -> Result<Option<Replaced>, ProcessError> {
    let Some(from) = head.from.as_ref().filter(|from| from.file != work.id) else { return Ok(None) };
    Ok(work.store.entry(&from.file).await?.and_then(|older| Replaced::new(older, &work.id)))
}
