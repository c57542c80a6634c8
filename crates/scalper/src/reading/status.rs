//! The state of the stack: problems first, then each feed of each partner at a glance.

use std::collections::BTreeMap;

use runtime::{DAY_MS, format_instant, format_second};
use serde::Serialize;
use store::{Error, FileQuery, Partner, StackQueue, State, UNKNOWN};

use super::expected::{ByFeed, Expected};
use super::holds::HoldView;
use super::partners::KnownPartners;
use super::plain::plain;
use super::problems::{Problem, Weight, counted, of_feed, of_open};
use super::view::FileView;
use super::{Readable, StackView, find};
use crate::arguments::StatusArguments;
use crate::error::CommandError;

/// Maximum number of open files that are read.
const MOST_OPEN: usize = 2_000;
/// Pages of a partner's last day that are counted: 2,000 files.
const MOST_PAGES: usize = 20;
/// Maximum number of folders without a partner's name that are listed.
const MOST_FOLDERS: usize = 5;

/// The state of the stack.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct StackStatus {
    pub stack: String,
    pub at: String,
    pub problems: Vec<Problem>,
    pub feeds: Vec<FeedView>,
    pub queues: Vec<QueueView>,
    /// Feeds whose files wait.
    pub held: Vec<HoldView>,
    /// Whether all open files are counted: at most about 2,000 are.
    pub all_open: bool,
    #[serde(skip)]
    check: bool,
    #[serde(skip)]
    pub(super) now_ms: u64,
}

/// A feed of a partner.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedView {
    pub(super) partner: String,
    /// None for a partner that has sent nothing yet.
    pub(super) feed: Option<String>,
    /// The weight of its worst problem.
    pub(super) worst: Option<Weight>,
    pub(super) last: Option<FileView>,
    /// Files of the last 24 hours, by state.
    pub(super) last_day: BTreeMap<&'static str, u64>,
    /// Whether these are all of the last 24 hours.
    pub(super) counted_all: bool,
    /// Files that are not decided yet.
    open: usize,
    /// When files must come, where the contract says so.
    pub(super) expected: Option<Expected>,
}

/// A queue of the stack.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueView {
    pub(super) name: String,
    pub(super) waiting: Option<u64>,
    pub(super) in_flight: Option<u64>,
}

impl<S: Readable> StackView<S> {
    pub(super) async fn status(&self, arguments: &StatusArguments) -> Result<StackStatus, CommandError> {
        let now_ms = self.host.now();
        let (queues, mut problems) = self.queues().await;
        let known = self.chosen(arguments.partner.as_deref()).await?;
        let all_open = self.open(arguments.partner.as_deref(), &mut problems).await;
        problems.extend(about_partners(&known));
        let (mut feeds, mut contracts) = (Vec::new(), ByFeed::new());
        for (name, partner) in &known.partners {
            let mut of_partner = self.partner_feeds(name, now_ms, &mut problems).await?;
            self.expect(&mut of_partner, &mut contracts, now_ms, &mut problems).await?;
            // A partner that is named and not known is a typing error.
            if arguments.partner.is_some() && partner.is_none() && of_partner.is_empty() {
                self.must_be_known(name).await?;
            }
            if of_partner.is_empty() {
                feeds.push(FeedView::nothing(name, None));
            }
            feeds.extend(of_partner);
        }
        let held = self.held_feeds(arguments.partner.as_deref(), &feeds, &mut problems).await;
        if arguments.partner.is_none() {
            problems.extend(self.stuck_elsewhere(now_ms).await?);
            self.contracts(&mut contracts, &mut problems).await;
        }
        problems.sort_by_key(|problem| problem.weight);
        for feed in &mut feeds {
            let of_feed =
                |file: &FileView| file.partner == feed.partner && Some(&file.feed) == feed.feed.as_ref();
            let named = problems.iter().filter(|problem| problem.files.iter().any(of_feed));
            feed.worst = named.map(|problem| problem.weight).chain(feed.worst).min();
        }
        feeds.sort_by_key(|feed| feed.worst.map_or(2, |worst| worst as u8));
        let (stack, at) = (self.stack.as_str().to_owned(), format_second(now_ms));
        Ok(StackStatus { stack, at, problems, feeds, queues, held, all_open, check: arguments.check, now_ms })
    }

    /// Returns the problems of files whose key names no partner, other than quarantined ones.
    async fn stuck_elsewhere(&self, now_ms: u64) -> Result<Vec<Problem>, CommandError> {
        let (partner, state) = (UNKNOWN.to_owned(), Some(State::Processing));
        let query = FileQuery { partner, state, limit: find::PAGE, ..FileQuery::default() };
        let mut files = Vec::new();
        let take = |listed| {
            files.push(FileView::of_listed(&self.stack, UNKNOWN, &listed));
            true
        };
        self.pages(query, 1, take).await?;
        Ok(of_feed(&self.stack, &files, now_ms))
    }

    /// Adds the open files, however old. Whether all of them were read. A list that cannot be read is not known to be
    /// empty.
    async fn open(&self, partner: Option<&str>, problems: &mut Vec<Problem>) -> bool {
        match self.store.open_files(partner, MOST_OPEN).await {
            Ok(open) => {
                // The stack's own probe has an alarm of its own.
                let files = open.files.iter().filter(|(partner, _)| partner != runtime::HEARTBEAT);
                let files = files
                    .map(|(partner, listed)| FileView::of_listed(&self.stack, partner, listed))
                    .collect();
                problems.extend(of_open(&self.stack, files));
                open.complete
            }
            Err(error) => {
                let what = unread("the list of quarantined files", &error);
                problems.push(Problem::wrong("NOT_READ", what, None));
                false
            }
        }
    }

    /// Returns the queues, and what is wrong with them. A queue that cannot be read is not known to be empty.
    async fn queues(&self) -> (Vec<QueueView>, Vec<Problem>) {
        let mut views = Vec::new();
        let mut problems = Vec::new();
        for queue in StackQueue::ALL {
            let name = queue.name(self.stack.as_str());
            let depth = match self.store.depth(queue).await {
                Ok(Some(depth)) => Some(depth),
                Ok(None) => {
                    let todo = "deploy the stack again: this makes the queue";
                    problems.push(
                        Problem::wrong("NO_QUEUE", format!("the queue {name} is missing"), None).todo(todo),
                    );
                    None
                }
                Err(error) => {
                    problems.push(Problem::wrong("NOT_READ", unread(&name, &error), None));
                    None
                }
            };
            let dead = depth.map_or(0, |depth| depth.waiting + depth.in_flight);
            if queue.is_dead_letters() && dead > 0 {
                let dead = counted(usize::try_from(dead).unwrap_or(usize::MAX), "message");
                let what = format!("{dead} in {name}");
                let redrive = Some(self.stack.redrive(queue));
                let todo = "fix the cause, which the function's log names, then send them again";
                problems.push(Problem::wrong("DEAD_LETTERS", what, redrive).todo(todo));
            }
            let (waiting, in_flight) = (depth.map(|depth| depth.waiting), depth.map(|depth| depth.in_flight));
            views.push(QueueView { name, waiting, in_flight });
        }
        (views, problems)
    }

    /// Returns the feeds of which anything is known, by name.
    async fn partner_feeds(
        &self,
        partner: &str,
        now_ms: u64,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<FeedView>, CommandError> {
        let begin = format_instant(now_ms.saturating_sub(DAY_MS));
        let of = |feed: Option<String>| FileQuery {
            partner: partner.to_owned(),
            feed,
            limit: find::PAGE,
            ..FileQuery::default()
        };
        let mut by_feed: BTreeMap<String, Vec<FileView>> = BTreeMap::new();
        let mut take = |listed: store::ListedFile| {
            let file = FileView::of_listed(&self.stack, partner, &listed);
            by_feed.entry(file.feed.clone()).or_default().push(file);
            true
        };
        let day = FileQuery { from: Some(begin.clone()), ..of(None) };
        let counted_all = self.pages(day, MOST_PAGES, &mut take).await?.is_none();
        let day_files: BTreeMap<String, usize> =
            by_feed.iter().map(|(feed, files)| (feed.clone(), files.len())).collect();
        for feed in self.feeds_in_inbox(partner, problems).await {
            by_feed.entry(feed).or_default();
        }
        let older = |feed: &str| FileQuery { before: Some(begin.clone()), ..of(Some(feed.to_owned())) };
        for (feed, files) in &mut by_feed {
            if files.is_empty() {
                let last = FileQuery { limit: 1, ..older(feed) };
                self.pages(last, MOST_PAGES, |listed| {
                    push_new(FileView::of_listed(&self.stack, partner, &listed), files);
                    false
                })
                .await?;
            }
            let open = FileQuery { state: Some(State::Processing), ..older(feed) };
            self.pages(open, 1, |listed| {
                push_new(FileView::of_listed(&self.stack, partner, &listed), files);
                true
            })
            .await?;
        }
        let views = by_feed.iter().map(|(feed, files)| {
            let found = of_feed(&self.stack, files, now_ms);
            let worst = found.iter().map(|problem| problem.weight).min();
            problems.extend(found);
            if files.is_empty() {
                problems.push(unclaimed(partner, feed));
            }
            let in_day = files.iter().take(day_files.get(feed).copied().unwrap_or_default());
            FeedView { worst, counted_all, ..FeedView::of(partner, feed, files, in_day) }
        });
        Ok(views.collect())
    }

    async fn feeds_in_inbox(&self, partner: &str, problems: &mut Vec<Problem>) -> Vec<String> {
        match self.store.senders(Some(partner)).await {
            Ok(folders) => folders.names.into_iter().filter(|name| runtime::is_name(name)).collect(),
            Err(error) => {
                let what = format!(
                    "{partner}: {}: feeds without a file in the last 24 hours are not shown",
                    unread("the inbox", &error)
                );
                problems.push(Problem::note("NOT_READ", what, None));
                Vec::new()
            }
        }
    }
}

fn push_new(file: FileView, files: &mut Vec<FileView>) {
    if files.iter().all(|known| known.file != file.file) {
        files.push(file);
    }
}

fn unread(what: &str, error: &Error) -> String {
    format!("{what} could not be read ({error})")
}

fn unclaimed(partner: &str, feed: &str) -> Problem {
    let what = format!(
        "{partner}/{feed}: the inbox has files and the ledger none: they arrived a moment ago, or their notification was lost and is sent \
         again within 70 minutes"
    );
    Problem::note("NOT_IN_LEDGER", what, None)
}

fn about_partners(known: &KnownPartners) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(why) = &known.unlisted {
        let what = format!(
            "the inbox could not be listed ({why}): partners that only drop files by S3 are not shown; name one with --partner"
        );
        problems.push(Problem::note("NOT_READ", what, None));
    }
    for folder in known.odd_folders.iter().take(MOST_FOLDERS) {
        let what = format!(
            "the inbox folder {} is not a partner name: its files are quarantined as BAD_KEY",
            plain(folder)
        );
        problems.push(Problem::note("FOLDER", what, None));
    }
    let suspended = known.partners.values().flatten().filter(|partner: &&Partner| !partner.active);
    problems.extend(suspended.map(|partner| {
        let what = format!("{} is suspended: everything that it sends is rejected", partner.name);
        Problem::note("SUSPENDED", what, None)
    }));
    problems
}

impl FeedView {
    fn nothing(partner: &str, feed: Option<&str>) -> Self {
        Self {
            partner: partner.to_owned(),
            feed: feed.map(str::to_owned),
            worst: None,
            last: None,
            last_day: BTreeMap::new(),
            counted_all: true,
            open: 0,
            expected: None,
        }
    }

    fn of<'f>(
        partner: &str,
        feed: &str,
        files: &[FileView],
        in_day: impl Iterator<Item = &'f FileView>,
    ) -> Self {
        let mut last_day = BTreeMap::new();
        for file in in_day {
            *last_day.entry(file.state.as_str()).or_default() += 1;
        }
        let open = files.iter().filter(|file| file.state == State::Processing).count();
        Self { last: files.first().cloned(), last_day, open, ..Self::nothing(partner, Some(feed)) }
    }
}

impl StackStatus {
    pub(super) fn fails_check(&self) -> bool {
        self.check && self.wrong() > 0
    }

    pub(super) fn wrong(&self) -> usize {
        self.problems.iter().filter(|problem| problem.weight == Weight::Wrong).count()
    }
}

#[cfg(test)]
impl FeedView {
    /// Makes a feed with one file, its last.
    pub(super) fn of_last(file: FileView) -> Self {
        Self::of(&file.partner.clone(), &file.feed.clone(), &[file], std::iter::empty())
    }
}

#[cfg(test)]
impl StackStatus {
    /// Makes the state of a stack without problems.
    pub(super) fn of_feeds(feeds: Vec<FeedView>, now_ms: u64) -> Self {
        Self {
            stack: "silent-scalper".to_owned(),
            at: format_second(now_ms),
            problems: Vec::new(),
            feeds,
            queues: Vec::new(),
            held: Vec::new(),
            all_open: true,
            check: false,
            now_ms,
        }
    }
}
