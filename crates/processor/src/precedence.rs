//! Which of several versions of a key becomes visible.

use contract::OnSameName;
use ledger::{FileId, FileVersion, Head, HeadMove, NULL_VERSION, Replaced, State};
use store::Opened;

use crate::{ProcessorStore, error::ProcessError, work::Work};

/// Whether a version becomes visible beside the other versions of its key.
pub(crate) enum Precedence {
    /// It does; with the move of the head where it replaces another version or takes the name.
    Wins(Option<HeadMove>),
    /// It does not.
    Loses(Loss),
}

/// Why a version does not become visible.
pub(crate) enum Loss {
    /// A newer version is visible as this file.
    Older(FileId),
    /// The name is used once, and an earlier version used it.
    NameTaken,
    /// It was deleted from the bucket.
    Gone,
}

/// Compares this version with the others of its key, in the order of the bucket's listing. Times and sequencers are not
/// compared: two versions can have the same.
pub(crate) async fn precedence<S: ProcessorStore>(
    work: &Work<'_, S>,
    on_same_name: OnSameName,
) -> Result<Precedence, ProcessError> {
    match on_same_name {
        OnSameName::Append => Ok(Precedence::Wins(None)),
        OnSameName::Reject => first_good(work).await,
        OnSameName::Supersede => newest(work).await,
    }
}

/// Compares under `onSameName: reject`. The name belongs to the oldest version that became visible under it. The head
/// remembers it when the version itself is deleted or expires; a load that was taken back leaves the name free, and
/// so does a version that was quarantined.
///
/// A version that is older and not decided yet may still turn out to be good: it is waited for, so that the result
/// does not depend on which of the two was delivered first.
async fn first_good<S: ProcessorStore>(work: &Work<'_, S>) -> Result<Precedence, ProcessError> {
    let seen = work.store.head(&work.file.key).await?;
    if let Some(head) = seen.as_ref().filter(|head| head.file != work.id)
        && is_complete(work, &head.file).await?
    {
        return Ok(Precedence::Loses(Loss::NameTaken));
    }
    let versions = work.store.versions(&work.file.bucket, &work.file.key).await?;
    let Some(mine) = versions.iter().position(|version| *version == work.file.version) else {
        return Ok(Precedence::Loses(Loss::Gone));
    };
    let mut undecided = false;
    for version in versions.into_iter().skip(mine + 1) {
        // One from before the bucket had versions has a name that only its event's entity tag gives: it is not waited
        // for, and if it became visible the head knows.
        let older = FileVersion { version, etag: None, ..work.file.clone() };
        match work.store.entry(&FileId::of(&older)).await? {
            Some(entry) if entry.state == State::Complete => return Ok(Precedence::Loses(Loss::NameTaken)),
            Some(entry) if entry.state.is_terminal() => {}
            _ if older.version == NULL_VERSION => {}
            _ => undecided = true,
        }
    }
    if undecided {
        return Err(ProcessError::Behind);
    }
    Ok(Precedence::Wins(Some(HeadMove { from: seen, to: head_of(work), receipt: None, retracted: false })))
}

async fn is_complete<S: ProcessorStore>(work: &Work<'_, S>, file: &FileId) -> Result<bool, ProcessError> {
    Ok(work.store.entry(file).await?.is_some_and(|entry| entry.state == State::Complete))
}

fn head_of<S>(work: &Work<'_, S>) -> Head {
    Head { version: work.file.version.clone(), file: work.id.clone(), load: work.load.clone() }
}

/// Compares under `onSameName: supersede`. The newest good version is the visible one.
async fn newest<S: ProcessorStore>(work: &Work<'_, S>) -> Result<Precedence, ProcessError> {
    let to = head_of(work);
    let Some(seen) = work.store.head(&work.file.key).await? else {
        return Ok(Precedence::Wins(Some(HeadMove { from: None, to, receipt: None, retracted: false })));
    };
    if seen.version == to.version {
        // Without versioning both are `null`, and the one in the bucket is the newer. Asked after the head was read:
        // what replaces it later moves the head after us.
        let replaced = seen.file != to.file && matches!(work.store.open(&work.file).await?, Opened::Gone);
        let head = HeadMove { from: Some(seen), to, receipt: None, retracted: false };
        return Ok(if replaced { Precedence::Loses(Loss::Gone) } else { Precedence::Wins(Some(head)) });
    }
    let holder = work.store.entry(&seen.file).await?;
    if holder.as_ref().is_some_and(|holder| holder.state == State::Retracted) {
        // What was taken back stands in nobody's way, and what is newer moves the head after us.
        return Ok(Precedence::Wins(Some(HeadMove { from: Some(seen), to, receipt: None, retracted: true })));
    }
    let versions = work.store.versions(&work.file.bucket, &work.file.key).await?;
    let place = |wanted: &str| versions.iter().position(|version| version == wanted);
    Ok(match (place(&to.version), place(&seen.version)) {
        (None, _) => Precedence::Loses(Loss::Gone),
        (Some(mine), Some(other)) if other < mine => Precedence::Loses(Loss::Older(seen.file)),
        // A visible version that was deleted from the bucket since: only the orders of the two are left to compare.
        (Some(_), None) if holder.is_some_and(|holder| holder.order > work.order) => {
            Precedence::Loses(Loss::Older(seen.file))
        }
        (Some(_), _) => {
            Precedence::Wins(Some(HeadMove { from: Some(seen), to, receipt: None, retracted: false }))
        }
    })
}

/// Reads the visible load that this one replaces by the move of the head.
pub(crate) async fn replaced<S: ProcessorStore>(
    work: &Work<'_, S>,
    head: &HeadMove,
) -> Result<Option<Replaced>, ProcessError> {
    let Some(from) = head.from.as_ref().filter(|from| from.file != work.id) else { return Ok(None) };
    Ok(work.store.entry(&from.file).await?.and_then(|older| Replaced::new(older, &work.id)))
}
