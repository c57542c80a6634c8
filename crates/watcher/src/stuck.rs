//! Stuck loads: their lease has ended and no delivery took them over.

use ledger::{Entry, FileId, State};
use runtime::{DAY_MS, MINUTE_MS, format_instant};
use store::{Error, FileQuery, MOST_ENTRIES, ReadLedger};

use crate::{Watcher, WatcherStore};

/// How long after the end of its lease a load counts as stuck, milliseconds.
const ENDED_MS: u64 = 15 * MINUTE_MS;
/// How long after a file landed its own message is still on its way: ten deliveries take 75 minutes (docs/limits.md),
/// and then it is as with an ended lease.
const DELIVERED_MS: u64 = 75 * MINUTE_MS + ENDED_MS;
/// How far back files are listed, milliseconds: as long as a dead-letter queue keeps a message.
const BACK_MS: u64 = 14 * DAY_MS;
/// Pages of a partner's files that are looked through.
const MOST_PAGES: usize = 4;
const PAGE: u16 = 100;

/// Returns whether an undecided entry has no live lease and no message of its own on the way: a released lease is
/// waited for until the queue has given the message up, an ended one never, because its holder died.
pub(crate) fn is_unattended(entry: &Entry, now_ms: u64) -> bool {
    entry.state == State::Processing
        && match entry.lease_until_ms {
            0 => now_ms.saturating_sub(entry.order.instant_ms()) > DELIVERED_MS,
            until => until <= now_ms,
        }
}

/// Returns whether it has been so for long.
fn is_stuck(entry: &Entry, now_ms: u64) -> bool {
    is_unattended(entry, now_ms) && entry.lease_until_ms.saturating_add(ENDED_MS) < now_ms
}

impl<S: WatcherStore> Watcher<S> {
    /// Returns the files of these partners whose load is stuck. A file whose key names no partner is in no partner's
    /// list; the reconciliation sends it again all the same.
    pub(crate) async fn stuck(&self, partners: &[String], now_ms: u64) -> Result<Vec<FileId>, Error> {
        let mut stuck = Vec::new();
        for partner in partners {
            let undecided = undecided(&self.store, partner, now_ms).await?;
            for some in undecided.chunks(MOST_ENTRIES) {
                let entries = self.store.entries(some).await?;
                stuck.extend(
                    entries.into_iter().filter(|(_, entry)| is_stuck(entry, now_ms)).map(|(id, _)| id),
                );
            }
        }
        Ok(stuck)
    }
}

async fn undecided<R: ReadLedger>(reading: &R, partner: &str, now_ms: u64) -> Result<Vec<FileId>, Error> {
    let mut query = FileQuery {
        partner: partner.to_owned(),
        state: Some(State::Processing),
        from: Some(format_instant(now_ms.saturating_sub(BACK_MS))),
        limit: PAGE,
        ..FileQuery::default()
    };
    let mut found = Vec::new();
    for _ in 0..MOST_PAGES {
        let page = reading.files(&query).await?;
        found.extend(page.files.into_iter().map(|file| file.file));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    Ok(found)
}
