//! Ends a hold and sends the files that waited, the oldest first, a few at a time.

use std::collections::{BTreeSet, VecDeque};

use ledger::{Entry, FileId, Hold};
use runtime::notification::{self, NotificationAuthor};
use store::{
    ActDetail, CallerIdentity, DetailName, DetailValue, HeldFiles, ListedFile, StackQueue, State, Verb,
    WriteAudit,
};

use super::{CanHold, HeldFeed, ReleaseReport, changed};
use crate::arguments::ReleaseArguments;
use crate::audited::{Audited, Auditor, Effect};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::reading::{HoldView, StackView};
use crate::under_way::FilesUnderWay;

/// Files that wait which are listed at once. The order is that of arrival among these.
const MOST_LISTED: usize = 10_000;

/// The files that are under way, and those that are next.
struct ReleaseRun {
    under_way: FilesUnderWay,
    next: VecDeque<ListedFile>,
    /// Files that were not decided in time: they are not sent again.
    left: BTreeSet<FileId>,
    /// Whether none of the files that were listed last still waited: the list lags behind.
    is_stale: bool,
}

impl<S: CanHold> StackView<S> {
    /// Releases a feed and follows the files that waited to their end. Between two looks at the ledger it pauses.
    /// `progress` is shown what was done so far. At the interrupt it sends no more, and what is under way is decided
    /// without it.
    pub async fn release_feed<T: WriteAudit + CallerIdentity>(
        &self,
        arguments: &ReleaseArguments,
        auditor: &Auditor<T>,
        pause: impl AsyncFnMut(),
        progress: impl FnMut(&ReleaseReport),
        interrupt: Interrupt<'_>,
    ) -> Result<Audited<ReleaseReport>, CommandError> {
        let feed = &arguments.feed;
        let hold = self.store.hold(&feed.partner, &feed.feed).await.map_err(CommandError::Read)?;
        let HeldFiles { files: waiting, complete } = self.waiting(feed, &BTreeSet::new()).await?;
        if hold.is_none() && waiting.is_empty() {
            self.must_be_registered(feed).await?;
        }
        let report = ReleaseReport {
            dry_run: arguments.dry_run,
            feed: feed.to_string(),
            hold: hold.as_ref().map(|hold| HoldView::of(hold, None)),
            waiting: waiting.len() as u64,
            counted_all: complete,
            ..ReleaseReport::default()
        };
        if arguments.dry_run || (hold.is_none() && waiting.is_empty()) {
            return Ok(Audited::unchanged(report));
        }
        let under_way = FilesUnderWay::at_most(arguments.concurrency);
        let is_stale = !waiting.is_empty();
        let run = ReleaseRun { under_way, next: waiting.into(), left: BTreeSet::new(), is_stale };
        let effect = async {
            self.end_hold_of(feed, hold.as_ref()).await?;
            let report = self.send_waiting(feed, run, report, (pause, progress), interrupt).await?;
            let count = |name, files| (files > 0).then(|| ActDetail::new(name, DetailValue::Count(files)));
            let ended = hold.is_some().then(|| changed("released"));
            let counts = [count(DetailName::Files, report.sent), count(DetailName::FilesLeft, report.left)];
            let details = ended.into_iter().chain(counts.into_iter().flatten());
            Ok(if report.interrupted {
                Effect::interrupted(report, details)
            } else {
                Effect::new(report, details)
            })
        };
        auditor.audited(feed.planned(Verb::Release, arguments.why.reason.clone()), effect).await
    }

    async fn end_hold_of(&self, feed: &HeldFeed, hold: Option<&Hold>) -> Result<(), CommandError> {
        let Some(hold) = hold else { return Ok(()) };
        let ended = self.store.end_hold(hold).await.map_err(CommandError::NotReleased)?;
        if ended { Ok(()) } else { Err(CommandError::HeldAgain { feed: feed.to_string() }) }
    }

    /// Sends files until none waits. The list may lag behind: it is asked again until it is empty. A feed that is held
    /// again ends it: what was sent waits again.
    async fn send_waiting(
        &self,
        feed: &HeldFeed,
        mut run: ReleaseRun,
        mut report: ReleaseReport,
        (mut pause, mut progress): (impl AsyncFnMut(), impl FnMut(&ReleaseReport)),
        mut interrupt: Interrupt<'_>,
    ) -> Result<ReleaseReport, CommandError> {
        loop {
            if interrupt.has_happened().await {
                report.interrupted = true;
                report.under_way = run.under_way.len() as u64;
                report.left = run.next.len() as u64;
                return Ok(report);
            }
            let taken = run.under_way.take(&mut run.next, |listed| &listed.key);
            if !taken.is_empty() {
                self.send_some(taken, &mut run, &mut report).await?;
                progress(&report);
                continue;
            }
            if !run.under_way.is_empty() {
                interrupt.or(pause()).await;
                self.look_at_released(&mut run, &mut report).await?;
                progress(&report);
            } else if run.next.is_empty() && run.is_stale {
                interrupt.or(pause()).await;
            }
            let held = self.store.hold(&feed.partner, &feed.feed).await.map_err(CommandError::NotSentOn)?;
            if let Some(hold) = held {
                report.held_again = Some(HoldView::of(&hold, None));
                report.left = (run.next.len() + run.under_way.len()) as u64;
                return Ok(report);
            }
            if run.under_way.is_empty() && run.next.is_empty() {
                run.next = self.waiting(feed, &run.left).await?.files.into();
                run.is_stale = true;
                if run.next.is_empty() {
                    return Ok(report);
                }
            }
        }
    }

    /// Returns files that wait, the oldest first. Of many some are listed, each key whole.
    async fn waiting(&self, feed: &HeldFeed, left: &BTreeSet<FileId>) -> Result<HeldFiles, CommandError> {
        let most = MOST_LISTED.saturating_add(left.len());
        let found = self.store.held_files(&feed.partner, &feed.feed, most).await;
        let mut found = found.map_err(CommandError::Read)?;
        if !found.complete
            && let Some(last) = found.files.last().map(|file| file.key.clone())
            && found.files.first().is_some_and(|first| first.key != last)
        {
            found.files.retain(|file| file.key != last);
        }
        found.files.retain(|file| !left.contains(&file.file));
        found.files.sort_by(|one, other| (&one.order, &one.file).cmp(&(&other.order, &other.file)));
        Ok(found)
    }

    /// Sends those of the files that still wait.
    async fn send_some(
        &self,
        taken: Vec<ListedFile>,
        run: &mut ReleaseRun,
        report: &mut ReleaseReport,
    ) -> Result<(), CommandError> {
        let files: Vec<FileId> = taken.iter().map(|listed| listed.file.clone()).collect();
        let mut entries = self.store.entries(&files).await.map_err(CommandError::NotSentOn)?;
        let waits = |entry: &Entry| entry.state == State::Held;
        let known = taken.into_iter().filter_map(|listed| Some((entries.remove(&listed.file)?, listed)));
        let known: Vec<(Entry, ListedFile)> = known.filter(|(entry, _)| waits(entry)).collect();
        if known.is_empty() {
            return Ok(());
        }
        let bodies: Vec<String> = known
            .iter()
            .map(|(entry, _)| notification::of_entry(entry, NotificationAuthor::Release))
            .collect();
        self.store.send_to(StackQueue::Inbox, &bodies).await.map_err(CommandError::NotSentOn)?;
        report.sent += known.len() as u64;
        run.is_stale = false;
        for (_, listed) in known {
            run.under_way.add(listed.file, listed.key, self.host.now());
        }
        Ok(())
    }

    /// Looks which of the files that are under way were decided.
    async fn look_at_released(
        &self,
        run: &mut ReleaseRun,
        report: &mut ReleaseReport,
    ) -> Result<(), CommandError> {
        let ended = run.under_way.look(&self.store, self.host.now(), State::is_terminal).await;
        for ended in ended.map_err(CommandError::NotSentOn)? {
            if let Some(state) = ended.state {
                report.decided(state);
            } else {
                report.undecided += 1;
                run.left.insert(ended.file);
            }
        }
        Ok(())
    }
}
