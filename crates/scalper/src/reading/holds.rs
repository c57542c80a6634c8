//! Held feeds, and the files that wait.

use runtime::format_second;
use serde::Serialize;
use store::Hold;

use super::problems::Problem;
use super::status::FeedView;
use super::{Readable, StackView};
use crate::preview::counted;

/// Files that wait which are counted of a feed.
const MOST_COUNTED: usize = 1_000;

/// A feed whose files wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct HoldView {
    pub partner: String,
    pub feed: String,
    pub since: String,
    pub by: String,
    pub reason: String,
    /// Files that wait, where they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingFiles>,
}

/// How many files of a feed wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingFiles {
    files: u64,
    /// Whether these are all.
    counted_all: bool,
}

impl WaitingFiles {
    /// Returns `1 file waits`, `at least 1000 files wait`.
    fn sentence(self) -> String {
        let least = if self.counted_all { "" } else { "at least " };
        format!("{least}{} {}", counted(self.files, "file"), if self.files == 1 { "waits" } else { "wait" })
    }
}

impl HoldView {
    pub(crate) fn of(hold: &Hold, waiting: Option<WaitingFiles>) -> Self {
        let Hold { partner, feed, since_ms, by, reason } = hold.clone();
        Self { partner, feed, since: format_second(since_ms), by: by.as_str().to_owned(), reason, waiting }
    }

    /// Returns `<partner>/<feed>`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.partner, self.feed)
    }

    /// Returns since when, by whom and why.
    pub(crate) fn since_whom(&self) -> String {
        let by = store::Arn::parse(&self.by);
        let by = by.as_ref().map_or(self.by.as_str(), |arn| arn.resource());
        format!("since {} by {by} ({})", self.since, self.reason)
    }
}

impl<S: Readable> StackView<S> {
    /// Returns the held feeds of one partner or of all, and adds a note for each. What cannot be read is not known
    /// to be empty.
    pub(super) async fn held_feeds(
        &self,
        partner: Option<&str>,
        feeds: &[FeedView],
        problems: &mut Vec<Problem>,
    ) -> Vec<HoldView> {
        let mut views = Vec::new();
        match self.store.holds().await {
            Ok(holds) => {
                let asked = |hold: &&Hold| partner.is_none_or(|partner| partner == hold.partner);
                for hold in holds.iter().filter(asked) {
                    let waiting = self.count_waiting(&hold.partner, &hold.feed, problems).await;
                    views.push(HoldView::of(hold, waiting));
                }
            }
            Err(error) => {
                let what = format!("the list of held feeds could not be read ({error})");
                problems.push(Problem::wrong("NOT_READ", what, None));
                return views;
            }
        }
        problems.extend(views.iter().map(|view| {
            let waiting = view.waiting.map(|waiting| format!(": {}", waiting.sentence())).unwrap_or_default();
            let what = format!("{} is held {}{waiting}", view.name(), view.since_whom());
            Problem::note("HELD", what, Some(self.stack.command(&format!("release {}", view.name()))))
        }));
        for (partner, feed) in feeds.iter().filter_map(|view| Some((&view.partner, view.feed.as_ref()?))) {
            if views.iter().any(|view| (&view.partner, &view.feed) == (partner, feed)) {
                continue;
            }
            let waiting = self.count_waiting(partner, feed, problems).await;
            if let Some(waiting) = waiting.filter(|waiting| waiting.files > 0) {
                let what = format!(
                    "{partner}/{feed} is released, and {}: the watcher sends them, or run the release again",
                    waiting.sentence()
                );
                let next = self.stack.command(&format!("release {partner}/{feed}"));
                problems.push(Problem::note("NOT_RELEASED", what, Some(next)));
            }
        }
        views
    }

    async fn count_waiting(
        &self,
        partner: &str,
        feed: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<WaitingFiles> {
        match self.store.held_files(partner, feed, MOST_COUNTED).await {
            Ok(found) => Some(WaitingFiles { files: found.files.len() as u64, counted_all: found.complete }),
            Err(error) => {
                let what = format!("{partner}/{feed}: files that wait could not be read ({error})");
                problems.push(Problem::wrong("NOT_READ", what, None));
                None
            }
        }
    }
}
