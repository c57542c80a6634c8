//! How things stand: each feed of each partner at a glance, what is wrong first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use store::door::{FileQuery, Partner};
use store::operator::{StackQueue, Survey};
use store::{Error, State};

use super::expected::{ByFeed, Expected};
use super::moment::{DAY_MS, of_order};
use super::partners::Known;
use super::plain::plain;
use super::problems::{Problem, Weight, of_feed};
use super::view::{FileView, count};
use super::{Desk, Readable, find};
use crate::arguments::StatusArguments;
use crate::failure::Failure;
use crate::report::{Mark, Style, instant, marked_table};

/// Pages of a partner's last day that are counted: 2,000 files.
const MOST_PAGES: usize = 20;
/// Odd folders that are named.
const MOST_ODD: usize = 5;

/// How things stand.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct Status {
    pub stack: String,
    pub at: String,
    pub problems: Vec<Problem>,
    pub feeds: Vec<FeedView>,
    pub queues: Vec<QueueView>,
    #[serde(skip)]
    check: bool,
    #[serde(skip)]
    now_ms: u64,
}

/// A feed of a partner.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedView {
    pub(super) partner: String,
    /// None for a partner of whom nothing came yet.
    pub(super) feed: Option<String>,
    /// The worst that is known of it.
    pub(super) worst: Option<Weight>,
    last: Option<FileView>,
    /// Files of the last 24 hours, by state.
    last_day: BTreeMap<&'static str, u64>,
    /// Whether these are all of the last 24 hours.
    counted_all: bool,
    /// Files that are not decided yet.
    open: usize,
    /// When files must come, where the contract says so.
    pub(super) expected: Option<Expected>,
}

/// A queue of the stack.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueView {
    name: String,
    waiting: Option<u64>,
    in_flight: Option<u64>,
}

impl<S: Readable, V: Survey> Desk<S, V> {
    pub(super) async fn status(&self, arguments: &StatusArguments) -> Result<Status, Failure> {
        let now_ms = self.host.now();
        let (queues, mut problems) = self.queues().await;
        let known = self.chosen(arguments.partner.as_deref()).await?;
        problems.extend(about_partners(&known));
        let (mut feeds, mut contracts) = (Vec::new(), ByFeed::new());
        for (name, partner) in &known.partners {
            let mut of_partner = self.partner_feeds(name, now_ms, &mut problems).await?;
            self.expect(&mut of_partner, &mut contracts, now_ms, &mut problems).await?;
            // A partner that is named and that nobody knows is a slip of the pen.
            if arguments.partner.is_some() && partner.is_none() && of_partner.is_empty() {
                self.must_be_known(name).await?;
            }
            if of_partner.is_empty() {
                feeds.push(FeedView::nothing(name, None));
            }
            feeds.extend(of_partner);
        }
        problems.sort_by_key(|problem| problem.weight);
        feeds.sort_by_key(|feed| feed.worst.map_or(2, |worst| worst as u8));
        let (stack, at) = (self.stack.as_str().to_owned(), instant(now_ms));
        Ok(Status { stack, at, problems, feeds, queues, check: arguments.check, now_ms })
    }

    /// The queues, and what is wrong with them. A queue that cannot be read is not known to be empty.
    async fn queues(&self) -> (Vec<QueueView>, Vec<Problem>) {
        let mut views = Vec::new();
        let mut problems = Vec::new();
        for queue in StackQueue::ALL {
            let name = queue.name(self.stack.as_str());
            let depth = match self.survey.depth(queue).await {
                Ok(Some(depth)) => Some(depth),
                Ok(None) => {
                    problems.push(Problem::wrong(format!("there is no queue {name}"), None));
                    None
                }
                Err(error) => {
                    problems.push(Problem::wrong(unread(&name, &error), None));
                    None
                }
            };
            let dead = depth.map_or(0, |depth| depth.waiting + depth.in_flight);
            if queue.is_dead_letters() && dead > 0 {
                let noun = if dead == 1 { "message" } else { "messages" };
                let what =
                    format!("{dead} {noun} in {name}: mend the cause (the function's log), then send again");
                problems.push(Problem::wrong(what, Some(self.places.redrive(&self.stack, queue))));
            }
            let (waiting, in_flight) = (depth.map(|depth| depth.waiting), depth.map(|depth| depth.in_flight));
            views.push(QueueView { name, waiting, in_flight });
        }
        (views, problems)
    }

    /// The feeds of which anything is known, by name.
    async fn partner_feeds(
        &self,
        partner: &str,
        now_ms: u64,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<FeedView>, Failure> {
        let begin = of_order(now_ms.saturating_sub(DAY_MS));
        let of = |feed: Option<String>| FileQuery {
            partner: partner.to_owned(),
            feed,
            limit: find::PAGE,
            ..FileQuery::default()
        };
        let mut by_feed: BTreeMap<String, Vec<FileView>> = BTreeMap::new();
        let mut take = |listed: store::door::ListedFile| {
            let file = FileView::of_listed(partner, &listed);
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
                    push_new(partner, &listed, files);
                    false
                })
                .await?;
            }
            let open = FileQuery { state: Some(State::Processing), ..older(feed) };
            self.pages(open, 1, |listed| {
                push_new(partner, &listed, files);
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
            Ok(folders) => folders.names.into_iter().filter(|name| feed::is_name(name)).collect(),
            Err(error) => {
                let what = format!(
                    "{partner}: {}: feeds without a file in the last 24 hours are not shown",
                    unread("the inbox", &error)
                );
                problems.push(Problem::note(what, None));
                Vec::new()
            }
        }
    }
}

fn push_new(partner: &str, listed: &store::door::ListedFile, files: &mut Vec<FileView>) {
    let file = FileView::of_listed(partner, listed);
    if files.iter().all(|known| known.file != file.file) {
        files.push(file);
    }
}

fn unread(what: &str, error: &Error) -> String {
    format!("{what} could not be read ({error})")
}

fn unclaimed(partner: &str, feed: &str) -> Problem {
    let what = format!(
        "{partner}/{feed}: files are in the inbox and none is in the ledger: they came just now, or their notification is lost"
    );
    Problem::note(what, None)
}

fn about_partners(known: &Known) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(why) = &known.unlisted {
        let what = format!(
            "the inbox could not be listed ({why}): partners that only drop files by S3 are not shown; name one with --partner"
        );
        problems.push(Problem::note(what, None));
    }
    for folder in known.odd.iter().take(MOST_ODD) {
        let what = format!(
            "the inbox has a folder {} that no partner can have: its files are refused",
            plain(folder)
        );
        problems.push(Problem::note(what, None));
    }
    let suspended = known.partners.values().flatten().filter(|partner: &&Partner| !partner.active);
    problems.extend(suspended.map(|partner| {
        Problem::note(format!("{} is suspended: its API requests are refused", partner.name), None)
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
            *last_day.entry(file.state).or_default() += 1;
        }
        let open = files.iter().filter(|file| file.state == State::Processing.as_str()).count();
        Self { last: files.first().cloned(), last_day, open, ..Self::nothing(partner, Some(feed)) }
    }

    fn row(&self, now_ms: u64) -> ([String; 10], Mark) {
        let last = self.last.as_ref();
        let text = |show: fn(&FileView) -> String| last.map_or_else(|| "-".to_owned(), show);
        let day: Vec<_> = self.last_day.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let more = if self.counted_all { "" } else { " or more" };
        let mark = match self.worst {
            Some(Weight::Wrong) => Mark::Wrong,
            Some(Weight::Note) => Mark::Note,
            None => Mark::None,
        };
        let row = [
            self.partner.clone(),
            self.feed.clone().unwrap_or_else(|| "-".to_owned()),
            last.map_or_else(|| "nothing yet".to_owned(), FileView::name),
            text(FileView::verdict),
            last.map_or_else(|| "-".to_owned(), |last| last.ago(now_ms)),
            text(|last| count(last.rows)),
            text(|last| count(last.rejects)),
            if day.is_empty() { "-".to_owned() } else { day.join(", ") + more },
            self.open.to_string(),
            self.expected.as_ref().map_or_else(|| "-".to_owned(), Expected::cell),
        ];
        (row, mark)
    }
}

impl Status {
    pub(super) fn fails_check(&self) -> bool {
        self.check && self.wrong() > 0
    }

    fn wrong(&self) -> usize {
        self.problems.iter().filter(|problem| problem.weight == Weight::Wrong).count()
    }

    pub(super) fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let found = match self.wrong() {
            0 => style.mark("nothing is wrong", Mark::Good),
            1 => style.mark("1 thing is wrong", Mark::Wrong),
            several => style.mark(&format!("{several} things are wrong"), Mark::Wrong),
        };
        writeln!(text, "{} at {}: {found}\n", self.stack, self.at).ok();
        for problem in &self.problems {
            let line = match problem.weight {
                Weight::Wrong => style.mark(&format!("! {}", problem.what), Mark::Wrong),
                Weight::Note => style.mark(&format!("- {}", problem.what), Mark::Note),
            };
            writeln!(text, "{line}").ok();
            if let Some(next) = &problem.next {
                writeln!(text, "    {next}").ok();
            }
        }
        if !self.problems.is_empty() {
            text.push('\n');
        }
        let heads = [
            "partner",
            "feed",
            "last file",
            "state",
            "landed",
            "rows",
            "rejects",
            "in 24 h",
            "not decided",
            "expected",
        ];
        let rows: Vec<_> = self.feeds.iter().map(|feed| feed.row(self.now_ms)).collect();
        text.push_str(&marked_table(heads, &rows, style));
        text.push('\n');
        let rows = self
            .queues
            .iter()
            .map(|queue| ([queue.name.clone(), count(queue.waiting), count(queue.in_flight)], Mark::None));
        text.push_str(&marked_table(["queue", "waiting", "in flight"], &rows.collect::<Vec<_>>(), style));
        text
    }
}
