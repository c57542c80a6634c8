//! Closes the quarantined files that an outcome settles. A quarantined file is open until a good file of its name or
//! a correction of it arrives, or an operator acknowledges it.
//!
//! Corrected rejects are only a part of the file that they correct. They close it when they are the records of all its
//! lines (`_line`) and every one of them is good.
//!
//! Whichever of the two is decided later closes the open one, so that the result does not depend on the order of
//! delivery. It is done before the outcome is noted as published: a delivery that fails in between does it again.

use ledger::{Entry, FileId, FileVersion, Outcome, State};
use store::Error;

use crate::ProcessorStore;

/// Newer versions of a quarantined name that are looked at: those of a name that is written over and over.
const MOST_VERSIONS: usize = 50;

/// Corrections of corrections that are looked at.
const MOST_CORRECTIONS: usize = 16;

/// Closes the open files that this decision ends.
pub(crate) async fn close_ended<S: ProcessorStore>(
    store: &S,
    entry: &Entry,
    now_ms: u64,
) -> Result<(), Error> {
    match entry.state {
        state if is_good(state) => close_older(store, entry, now_ms).await,
        State::Quarantined => close_itself(store, entry, now_ms).await,
        _ => Ok(()),
    }
}

/// Returns what closing usually costs: read units in tenths, and lists of S3. For a good file one query of an index
/// that has nothing of its name, for a quarantined one the list of the name's versions.
pub(crate) fn usage(state: State) -> (u64, u64) {
    match state {
        state if is_good(state) => (5, 0),
        State::Quarantined => (0, 1),
        _ => (0, 0),
    }
}

/// Returns whether the content of a file in this state is visible: in its own load, or in the one that it repeats.
fn is_good(state: State) -> bool {
    matches!(state, State::Complete | State::Duplicate)
}

/// Closes the older files of the same name, and the one that is corrected.
async fn close_older<S: ProcessorStore>(store: &S, entry: &Entry, now_ms: u64) -> Result<(), Error> {
    let id = FileId::of(&entry.file);
    let Some(outcome) = &entry.outcome else { return Ok(()) };
    for open in store.open_of_name(entry.listed_partner(), &entry.file.key).await? {
        let is_older = (&open.order, &open.file) < (&entry.order, &id);
        if is_older && settles_by_name(store, outcome, &open.file).await? {
            store.close(&open.file, &id, now_ms).await?;
        }
    }
    if outcome.corrects_rejects {
        return close_covered(store, entry, outcome, now_ms).await;
    }
    let Some(corrected) = &outcome.corrects else { return Ok(()) };
    // The sender names it, and may name a file of another partner.
    let is_own = |older: Entry| older.open && older.partner == entry.partner;
    if store.entry(corrected).await?.is_some_and(is_own) {
        store.close(corrected, &id, now_ms).await?;
    }
    Ok(())
}

/// Returns whether a good file settles an open one of its name. Of corrected rejects only an earlier attempt at the
/// same correction: they are a part of a file, whatever they are called.
async fn settles_by_name<S: ProcessorStore>(
    store: &S,
    outcome: &Outcome,
    open: &FileId,
) -> Result<bool, Error> {
    if !outcome.corrects_rejects {
        return Ok(true);
    }
    let older = store.entry(open).await?.and_then(|entry| entry.outcome);
    Ok(older.is_some_and(|older| is_another_attempt(outcome, &older)))
}

/// Returns whether both hold corrected rejects of the same file. One that was quarantined may name none.
fn is_another_attempt(newer: &Outcome, older: &Outcome) -> bool {
    older.corrects_rejects && (older.corrects.is_none() || older.corrects == newer.corrects)
}

/// Closes the file whose rejects came back corrected and good, when all of them did. That file may itself have brought
/// back the rejects of an earlier one, which is closed with it.
async fn close_covered<S: ProcessorStore>(
    store: &S,
    entry: &Entry,
    outcome: &Outcome,
    now_ms: u64,
) -> Result<(), Error> {
    if outcome.counts.rejects > 0 {
        return Ok(());
    }
    let mut newer = outcome.clone();
    for _ in 0..MOST_CORRECTIONS {
        let Some(file) = newer.corrected_by_rejects() else { return Ok(()) };
        let is_own = |older: &Entry| older.partner == entry.partner && older.feed == entry.feed;
        let Some(older) = store.entry(file).await?.filter(is_own) else { return Ok(()) };
        let can_go_on = is_good(older.state) || older.state == State::Quarantined;
        let Some(rejected) = older.outcome.filter(|_| can_go_on) else { return Ok(()) };
        if newer.returned_lines != rejected.rejected_lines {
            return Ok(());
        }
        if older.open && rejected.is_all_rejects() {
            store.close(file, &FileId::of(&entry.file), now_ms).await?;
        }
        newer = rejected;
    }
    Ok(())
}

/// Closes the file itself, when a newer version of its name was good before this one was decided.
async fn close_itself<S: ProcessorStore>(store: &S, entry: &Entry, now_ms: u64) -> Result<(), Error> {
    let FileVersion { bucket, key, version, .. } = &entry.file;
    let versions = store.versions(bucket, key).await?;
    if !versions.contains(version) {
        return Ok(());
    }
    let settles = |newer: &Outcome| {
        let own = entry.outcome.as_ref();
        !newer.corrects_rejects || own.is_some_and(|own| is_another_attempt(newer, own))
    };
    for newer in versions.into_iter().take_while(|newer| newer != version).take(MOST_VERSIONS) {
        let file = FileVersion { version: newer, etag: None, ..entry.file.clone() };
        let newer = FileId::of(&file);
        let good = store.entry(&newer).await?.filter(|newer| is_good(newer.state));
        if good.and_then(|newer| newer.outcome).is_some_and(|outcome| settles(&outcome)) {
            return store.close(&FileId::of(&entry.file), &newer, now_ms).await;
        }
    }
    Ok(())
}
