//! The inbox compared with the ledger, page by page: a version whose event was lost or given up is sent to the queue
//! again.
//!
//! Notifications are a hint and the bucket is the truth: S3 delivers them at least once "typically", other tools may
//! replace a bucket's configuration, and a queue forgets after its retention. A round through the inbox begins at
//! most once an hour, so that a file that cannot be processed is not sent again and again; each run goes on where the
//! last one got to.
//!
//! While the queue is busy a version without an entry is more likely one whose message waits than one whose event was
//! lost, and to send it again would make the queue longer. So a run then sends only versions that are old, and few of
//! them. It does not stop: a queue that is busy day and night would leave a lost file lost.
//!
//! A file that waits because its feed is held is left alone. When its feed is not held any more, its release was
//! interrupted, and the file is sent.

use std::collections::BTreeMap;

use ledger::{Entry, FileId, State};
use runtime::notification::{self, NotificationAuthor};
use runtime::{Deadline, HOUR_MS, MINUTE_MS};
use store::{Cursor, Error, InboxPlace, ListedVersion, MOST_ENTRIES, MOST_MESSAGES, WatchedQueue};

use crate::stuck::is_unattended;
use crate::{Watcher, WatcherStore};

/// The youngest version that is looked at: its own event may still be on its way.
pub(crate) const YOUNGEST_MS: u64 = 10 * MINUTE_MS;
/// The most versions that one run sends.
pub(crate) const MOST_SENDS: usize = 1_000;
/// Messages that make the queue busy.
pub(crate) const BUSY: u64 = 1_000;
/// The youngest version that is sent while the queue is busy. A message that waits for so long has set off its alarm.
pub(crate) const YOUNGEST_WHILE_BUSY_MS: u64 = 6 * HOUR_MS;
/// The most versions that one run sends while the queue is busy: 1,200 an hour, which every stack processes next to
/// its files.
pub(crate) const MOST_SENDS_WHILE_BUSY: usize = 100;
/// The most pages that one run lists: 10,000 versions.
pub(crate) const MOST_PAGES: usize = 10;
/// The shortest time from the beginning of one round to that of the next.
const ROUND_MS: u64 = HOUR_MS;
/// Time that must be left to begin with a page, milliseconds: one list, ten reads, a hundred sends, one write.
const PAGE_MS: u64 = 20_000;

/// What a run did, also one that failed in the end.
#[derive(Default)]
pub(crate) struct Reconciled {
    /// Versions that were compared with the ledger.
    pub(crate) compared: u64,
    /// Those that were sent again.
    pub(crate) resent: Vec<FileId>,
}

/// How old a version must be to be sent, and how many a run sends.
#[derive(Clone, Copy)]
struct ResendLimit {
    youngest_ms: u64,
    most_sends: usize,
}

impl ResendLimit {
    /// Makes the pace for a queue with this number of messages.
    fn of(messages: u64) -> Self {
        if messages < BUSY {
            Self { youngest_ms: YOUNGEST_MS, most_sends: MOST_SENDS }
        } else {
            Self { youngest_ms: YOUNGEST_WHILE_BUSY_MS, most_sends: MOST_SENDS_WHILE_BUSY }
        }
    }
}

/// Which feeds are held, as far as a run has asked.
type HeldFeeds = BTreeMap<(String, String), bool>;

/// The result of a page.
struct PageProgress {
    /// Where to go on.
    next: Option<InboxPlace>,
    /// Whether the run has sent as much as it may.
    full: bool,
}

impl<S: WatcherStore> Watcher<S> {
    /// Goes on with the round, or begins one when it is time. What was done so far is in `done`, whatever the result.
    pub(crate) async fn reconcile(
        &self,
        now_ms: u64,
        until: Deadline,
        done: &mut Reconciled,
    ) -> Result<(), Error> {
        let mut seen = self.store.cursor().await?;
        let Some((begun_ms, mut reached)) = begin(seen.as_ref(), now_ms) else { return Ok(()) };
        let queue = self.store.messages(WatchedQueue::Inbox).await?;
        let waiting = queue.waiting + queue.in_flight;
        let speed = ResendLimit::of(waiting);
        if waiting >= BUSY {
            tracing::info!(
                waiting,
                "the inbox queue is busy: only versions older than 6 hours are sent again"
            );
        }
        let mut held = HeldFeeds::new();
        for _ in 0..MOST_PAGES {
            if !until.allows(PAGE_MS, self.host.now()) {
                break;
            }
            let page = self.compare(reached.as_ref(), now_ms, speed, &mut held, done).await?;
            reached = page.next;
            let revision = seen.as_ref().map_or(1, |seen| seen.revision.saturating_add(1));
            let next = Cursor { revision, begun_ms, place: reached.clone() };
            if !self.store.put_cursor(&next, seen.as_ref()).await? {
                tracing::info!("another run continues the reconciliation; this one stops");
                break;
            }
            seen = Some(next);
            if page.full || reached.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Compares a page of the inbox with the ledger, and sends what was lost. It ends early where the run has sent
    /// enough.
    async fn compare(
        &self,
        after: Option<&InboxPlace>,
        now_ms: u64,
        speed: ResendLimit,
        held: &mut HeldFeeds,
        done: &mut Reconciled,
    ) -> Result<PageProgress, Error> {
        let page = self.store.inbox_page("", after).await?;
        for some in page.versions.chunks(MOST_ENTRIES) {
            let ids: Vec<FileId> = some.iter().map(|version| FileId::of(&version.file)).collect();
            let entries = self.store.entries(&ids).await?;
            let mut lost = Vec::new();
            for (version, id) in some.iter().zip(ids) {
                let entry = entries.get(&id);
                let is_lost = is_old_enough(version, speed, now_ms)
                    && match entry.filter(|entry| entry.state == State::Held) {
                        Some(entry) => !self.is_held(entry, held).await?,
                        None => is_lost(entry, now_ms),
                    };
                if is_lost {
                    if done.resent.len() + lost.len() >= speed.most_sends {
                        self.resend(lost, done).await?;
                        // Where this version is looked at again: after the one before it.
                        let before = page.versions.iter().take_while(|other| *other != version).last();
                        let next = before.map(ListedVersion::place).or_else(|| after.cloned());
                        return Ok(PageProgress { next, full: true });
                    }
                    let author = match entry.map(|entry| entry.state) {
                        Some(State::Held) => NotificationAuthor::Release,
                        _ => NotificationAuthor::Reconciliation,
                    };
                    lost.push((id, notification::write(version, author)));
                }
                done.compared += 1;
            }
            self.resend(lost, done).await?;
        }
        Ok(PageProgress { next: page.next, full: false })
    }

    /// Returns whether the feed of a file is held. The table is asked once in a run.
    async fn is_held(&self, entry: &Entry, held: &mut HeldFeeds) -> Result<bool, Error> {
        let feed = (entry.partner.clone(), entry.feed.clone());
        if let Some(is_held) = held.get(&feed) {
            return Ok(*is_held);
        }
        let is_held = self.store.hold(&entry.partner, &entry.feed).await?.is_some();
        held.insert(feed, is_held);
        Ok(is_held)
    }

    async fn resend(&self, lost: Vec<(FileId, String)>, done: &mut Reconciled) -> Result<(), Error> {
        let (ids, bodies): (Vec<_>, Vec<_>) = lost.into_iter().unzip();
        for (ids, bodies) in ids.chunks(MOST_MESSAGES).zip(bodies.chunks(MOST_MESSAGES)) {
            self.store.send(bodies).await?;
            done.resent.extend_from_slice(ids);
        }
        Ok(())
    }
}

/// Returns when the round began and where it goes on; `None`: it is at its end, and it is too early for the next.
fn begin(seen: Option<&Cursor>, now_ms: u64) -> Option<(u64, Option<InboxPlace>)> {
    match seen {
        Some(Cursor { begun_ms, place: Some(place), .. }) => Some((*begun_ms, Some(place.clone()))),
        // The difference either way: a run whose time was wrong must not end all later ones.
        Some(Cursor { begun_ms, .. }) if now_ms.abs_diff(*begun_ms) < ROUND_MS => None,
        _ => Some((now_ms, None)),
    }
}

fn is_old_enough(version: &ListedVersion, pace: ResendLimit, now_ms: u64) -> bool {
    version.last_modified_ms.saturating_add(pace.youngest_ms) < now_ms
}

/// Returns whether a version is left undecided or unannounced, with no delivery that will finish it. Of clutter
/// nothing is announced, and what waits has its feed's hold to say so.
pub(crate) fn is_lost(entry: Option<&Entry>, now_ms: u64) -> bool {
    let Some(entry) = entry else { return true };
    match entry.state {
        State::Processing => is_unattended(entry, now_ms),
        State::Ignored | State::Held => false,
        _ => !entry.announced,
    }
}
