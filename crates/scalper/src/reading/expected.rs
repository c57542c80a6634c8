//! When a contract expects the files of a feed, whether they arrived, and whether the contract compiles.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{Arrival, Contract, Due};
use ledger::FaultCode;
use runtime::{InForce, Terms, format_instant, format_second, landed_ms};
use serde::Serialize;
use store::{FileQuery, MOST_FEEDS, State};

use super::moment::short;
use super::problems::{Problem, Weight};
use super::status::FeedView;
use super::{Readable, StackView, find};
use crate::error::CommandError;
use crate::feeds::{self, Broken};

/// Pages that are looked through for a file that counts: 500 files.
const MOST_PAGES: usize = 5;

/// The contracts of the feeds that were asked for; none where files are not accepted or the contract could not be read.
pub(super) type ByFeed = BTreeMap<String, Option<Arc<Contract>>>;

/// When files of a feed are due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Expected {
    /// The last deadline; none when there was none yet, or no file had ever arrived by then.
    last_by: Option<String>,
    /// Whether a file arrived by then.
    last: Option<Arrival>,
    /// The next deadline.
    next_by: Option<String>,
}

impl Expected {
    fn of(last: Option<(Due, Arrival)>, next: Option<Due>) -> Self {
        let by = |due: Due| format_second(due.deadline_ms);
        let (last, arrival) = last.unzip();
        Self { last_by: last.map(by), last: arrival, next_by: next.map(by) }
    }

    /// Returns the cell of the table: `missing`, `late`, or the next deadline.
    pub(super) fn cell(&self) -> String {
        match (self.last, &self.last_by, &self.next_by) {
            (Some(Arrival::Missing), Some(_), _) => "missing".to_owned(),
            (Some(Arrival::Late), Some(_), _) => "late".to_owned(),
            (_, _, Some(by)) => format!("by {}", short(by)),
            (_, _, None) => "-".to_owned(),
        }
    }

    fn missing_since(&self) -> Option<&str> {
        self.last_by.as_deref().filter(|_| self.last == Some(Arrival::Missing))
    }
}

impl<S: Readable> StackView<S> {
    /// Adds to a partner's feeds what is expected of them. A missing file is wrong.
    pub(super) async fn expect(
        &self,
        feeds: &mut [FeedView],
        contracts: &mut ByFeed,
        now_ms: u64,
        problems: &mut Vec<Problem>,
    ) -> Result<(), CommandError> {
        for view in feeds {
            let (partner, Some(feed)) = (view.partner.clone(), view.feed.clone()) else { continue };
            let Some(contract) = self.contract(&feed, contracts, problems).await else { continue };
            let expected = self.expected(&contract, &partner, &feed, now_ms).await?;
            if let Some(since) = expected.as_ref().and_then(Expected::missing_since) {
                let what = format!("no file of {partner}/{feed} arrived by {since}");
                let next = self.stack.command(&format!("files --partner {partner} --feed {feed}"));
                let todo = "ask the partner for the file, or allow more `grace` in the contract";
                problems.push(Problem::wrong("MISSING", what, Some(next)).todo(todo));
                view.worst = Some(Weight::Wrong);
            }
            view.expected = expected;
        }
        Ok(())
    }

    /// Adds the contracts that do not compile, of all feeds that have one. Those that no partner's feed was asked for
    /// are read here.
    pub(super) async fn contracts(&self, contracts: &mut ByFeed, problems: &mut Vec<Problem>) {
        let feeds = match self.store.feeds().await {
            Ok(feeds) => feeds,
            Err(error) => {
                let what = format!(
                    "the contracts could not be listed ({error}): those of feeds without files are not checked"
                );
                return problems.push(Problem::note("NOT_READ", what, None));
            }
        };
        if feeds.len() >= MOST_FEEDS {
            let what = format!(
                "only the first {MOST_FEEDS} contracts are checked: those of feeds that sort later are not"
            );
            problems.push(Problem::note("NOT_READ", what, None));
        }
        // A document that no feed can be named after is the matter of `doctor`: no file is checked by it.
        for feed in feeds.iter().filter(|feed| runtime::is_name(feed)) {
            self.contract(feed, contracts, problems).await;
        }
    }

    /// Returns the problem of a feed whose newest contract does not compile.
    fn broken_contract(&self, feed: &str, held: &InForce) -> Option<Problem> {
        let Broken { problem, until_then } = feeds::broken(feed, held)?;
        let what = format!("does not compile: {problem}");
        let publish = self.places.publish(&self.stack, feed);
        let todo = format!("correct the document and publish it; {until_then}");
        Some(Problem::wrong(FaultCode::ContractInvalid.as_str(), what, Some(publish)).todo(&todo))
    }

    /// Returns a feed's contract, read once for all partners. A contract that cannot be read does not hide the rest.
    async fn contract(
        &self,
        feed: &str,
        contracts: &mut ByFeed,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<Contract>> {
        if let Some(known) = contracts.get(feed) {
            return known.clone();
        }
        let read = match runtime::in_force(&self.store, feed).await {
            Ok(held) => {
                problems.extend(self.broken_contract(feed, &held));
                match held.terms {
                    Terms::Active(contract) => Some(contract),
                    Terms::Quarantine(_) => None,
                }
            }
            Err(error) => {
                let what = format!(
                    "the contract of {feed} could not be read ({error}): whether it compiles and when files are due is not known"
                );
                problems.push(Problem::note("NOT_READ", what, None));
                None
            }
        };
        contracts.insert(feed.to_owned(), read.clone());
        read
    }

    async fn expected(
        &self,
        contract: &Contract,
        partner: &str,
        feed: &str,
        now_ms: u64,
    ) -> Result<Option<Expected>, CommandError> {
        let Some(expectation) = &contract.expectation else { return Ok(None) };
        let all = FileQuery {
            partner: partner.to_owned(),
            feed: Some(feed.to_owned()),
            limit: find::PAGE,
            ..FileQuery::default()
        };
        let newest = self.newest(all.clone()).await?;
        let next = expectation.next_due_after(newest, now_ms);
        let Some(last) = expectation.last_due_after(newest, now_ms) else {
            return Ok(Some(Expected::of(None, next)));
        };
        // Of a feed that had not begun by then, nothing was expected.
        let by_then = FileQuery { before: Some(format_instant(last.deadline_ms.saturating_add(1))), ..all };
        let judged = self
            .newest(by_then)
            .await?
            .map(|arrived| (last, last.judge(newest.into_iter().chain([arrived]))));
        Ok(Some(Expected::of(judged, next)))
    }

    /// Returns when the newest file of a list arrived. Only files with new content count, whether loaded or
    /// quarantined.
    async fn newest(&self, query: FileQuery) -> Result<Option<u64>, CommandError> {
        let mut newest = None;
        self.pages(query, MOST_PAGES, |listed| {
            if !matches!(listed.state, State::Ignored | State::Gone | State::Duplicate) {
                newest = landed_ms(&listed.order);
            }
            newest.is_none()
        })
        .await?;
        Ok(newest)
    }
}
