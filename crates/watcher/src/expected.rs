//! The files that contracts expect: whether they arrived, and whether they are as large as usual. And the contracts
//! themselves: whether the newest version of each compiles.

use std::future::Future;
use std::sync::Arc;

use contract::{Contract, Due, Expectation};
use futures_util::future::join_all;
use runtime::{BrokenContract, HEARTBEAT, Terms, UNKNOWN, format_instant};
use store::{Error, FileQuery, ListedFile, Partner, PublishedContract};
use telemetry::{FeedWatchRecord, Label};

use crate::freshness::{Freshness, Size, arrivals, freshness, size};
use crate::kept::ContractInForce;
use crate::senders::{Senders, Sending};
use crate::{Watcher, WatcherStore};

/// Questions at the same time.
const AT_ONCE: usize = 8;
/// Files of a page, and pages that are looked through.
const PAGE: u16 = 100;
const MOST_PAGES: usize = 4;

/// A feed whose files are expected.
struct Watched {
    feed: String,
    contract: Arc<Contract>,
    /// When the version of the contract that is in force was published, milliseconds since the epoch.
    published_ms: u64,
}

/// A partner that sends one feed.
struct PartnerFeed<'a> {
    watched: &'a Watched,
    partner: &'a str,
    /// Since when the stack knows that it sends the feed, milliseconds since the epoch; `None` for one that is in no
    /// table.
    since_ms: Option<u64>,
}

/// The newest files of a pair, newest first.
struct History {
    files: Vec<ListedFile>,
    /// Whether they are all that there are.
    whole: bool,
}

impl<S: WatcherStore> Watcher<S> {
    /// Judges every partner of every feed whose contract expects files, and writes one record for each feed. A feed
    /// of which something could not be read has none: no word is not a good word. The first failure is returned when
    /// all are judged. Without senders no partner is judged, and contracts are read all the same. The feeds whose
    /// newest contract does not compile are in `broken`, whatever the result; it stays `None` where none was found
    /// and not all could be read.
    pub(crate) async fn expected(
        &self,
        senders: Option<&Senders>,
        now_ms: u64,
        broken: &mut Option<Vec<Label>>,
    ) -> Result<(), Error> {
        let (watched, mut failed) = self.watched(broken).await?;
        let Some(senders) = senders else { return failed.map_or(Ok(()), Err) };
        if watched.is_empty() {
            if failed.is_none() {
                // With the last contract that expects files its alarm ends too: without data it would stay as it is.
                let nothing = FeedWatchRecord::default();
                (self.host.metric)(&nothing.metric(&self.settings.metrics, self.host.now()));
            }
            return failed.map_or(Ok(()), Err);
        }
        let active: Vec<(&str, Option<&Partner>)> = senders
            .iter()
            .filter(|(name, partner)| *name != HEARTBEAT && partner.as_ref().is_none_or(|known| known.active))
            .map(|(name, partner)| (name.as_str(), partner.as_ref()))
            .collect();
        let asked = active.iter().map(|(name, partner)| self.sending(name, *partner, now_ms));
        let sending = in_turn(asked).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        for watched in &watched {
            let pairs: Vec<PartnerFeed<'_>> = active
                .iter()
                .zip(&sending)
                .filter_map(|((partner, registered), sending)| pair(watched, partner, *registered, sending))
                .collect();
            if let Err(error) = self.judge_feed(watched, &pairs, now_ms).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Returns the active contracts that expect files, and the first failure to read one.
    async fn watched(&self, broken: &mut Option<Vec<Label>>) -> Result<(Vec<Watched>, Option<Error>), Error> {
        let published = self.store.published().await?;
        let named: Vec<_> = published.into_iter().filter(|one| runtime::is_name(&one.feed)).collect();
        self.contracts.retain(&named);
        let read = in_turn(named.iter().map(|one| self.in_force(one))).await;
        let (mut watched, mut failed, mut feeds) = (Vec::new(), None, Vec::new());
        for (one, read) in named.into_iter().zip(read) {
            let found = match read {
                Ok(found) => found,
                Err(error) => {
                    failed.get_or_insert(error);
                    continue;
                }
            };
            if let Some(newest) = &found.broken {
                log(&one.feed, newest);
                feeds.push(Label::new(&one.feed));
            }
            if let Terms::Active(contract) = found.terms
                && contract.expectation.is_some()
            {
                watched.push(Watched { feed: one.feed, contract, published_ms: found.published_ms });
            }
        }
        if failed.is_none() || !feeds.is_empty() {
            *broken = Some(feeds);
        }
        Ok((watched, failed))
    }

    /// Returns the contract in force for a listed feed, read unless an earlier run read the same document.
    async fn in_force(&self, listed: &PublishedContract) -> Result<ContractInForce, Error> {
        if let Some(found) = self.contracts.get(listed) {
            return Ok(found);
        }
        let found = ContractInForce::new(listed, runtime::in_force(&self.store, &listed.feed).await?);
        self.contracts.put(listed, &found);
        Ok(found)
    }

    async fn judge_feed(
        &self,
        watched: &Watched,
        pairs: &[PartnerFeed<'_>],
        now_ms: u64,
    ) -> Result<(), Error> {
        let Some(expectation) = &watched.contract.expectation else { return Ok(()) };
        let judged = in_turn(pairs.iter().map(|pair| self.judge(pair, expectation, now_ms))).await;
        let mut record = FeedWatchRecord { feed: Label::new(&watched.feed), ..FeedWatchRecord::default() };
        for (pair, judged) in pairs.iter().zip(judged) {
            let (freshness, size) = judged?;
            // A folder that no operator named may be a patient.
            let partner = Label::new(if pair.since_ms.is_some() { pair.partner } else { UNKNOWN });
            match freshness {
                Freshness::OnTime => {}
                Freshness::Late => record.late.push(partner.clone()),
                Freshness::Missing => record.missing.push(partner.clone()),
            }
            match size {
                Size::Usual => {}
                Size::Low => record.volume_low.push(partner),
                Size::High => record.volume_high.push(partner),
            }
        }
        record.log();
        (self.host.metric)(&record.metric(&self.settings.metrics, self.host.now()));
        Ok(())
    }

    async fn judge(
        &self,
        pair: &PartnerFeed<'_>,
        expectation: &Expectation,
        now_ms: u64,
    ) -> Result<(Freshness, Size), Error> {
        let history = self.history(pair).await?;
        let size = size(&history.files, expectation.rows);
        let mut arrivals_ms: Vec<u64> = arrivals(&history.files).collect();
        let newest_ms = arrivals_ms.iter().copied().filter(|arrived| *arrived <= now_ms).max();
        let Some(due) = expectation.last_due_after(newest_ms, now_ms) else {
            return Ok((Freshness::OnTime, size));
        };
        if !self.is_due(pair, &due, &history).await? {
            return Ok((Freshness::OnTime, size));
        }
        if !reaches_back(&history, due.opens_ms) {
            let first = Some((due.opens_ms, due.deadline_ms.saturating_add(1)));
            arrivals_ms.extend(arrivals(&self.files(pair, first, 1).await?.files));
        }
        Ok((freshness(&due, &arrivals_ms, now_ms), size))
    }

    /// Returns whether a file of this scheduled time was to be expected: the partner was known by its deadline. Of a
    /// feed that is newer than that, and of a partner that is in no table, only a file by then shows that it was.
    async fn is_due(&self, pair: &PartnerFeed<'_>, due: &Due, history: &History) -> Result<bool, Error> {
        let known = pair.since_ms.is_some_and(|since| since <= due.deadline_ms);
        if pair.since_ms.is_some() && !known {
            return Ok(false);
        }
        if known && pair.watched.published_ms <= due.deadline_ms {
            return Ok(true);
        }
        let by_then = |files: &[ListedFile]| arrivals(files).any(|arrived| arrived <= due.deadline_ms);
        if by_then(&history.files) || history.whole {
            return Ok(by_then(&history.files));
        }
        let earlier = self.files(pair, Some((0, due.deadline_ms.saturating_add(1))), MOST_PAGES).await?;
        Ok(by_then(&earlier.files))
    }

    /// Returns the newest files, as far as a median needs them.
    async fn history(&self, pair: &PartnerFeed<'_>) -> Result<History, Error> {
        self.files(pair, None, MOST_PAGES).await
    }

    /// Returns files of a pair within a range of instants, until there are a page's worth.
    async fn files(
        &self,
        pair: &PartnerFeed<'_>,
        range_ms: Option<(u64, u64)>,
        pages: usize,
    ) -> Result<History, Error> {
        let mut query = FileQuery {
            partner: pair.partner.to_owned(),
            feed: Some(pair.watched.feed.clone()),
            from: range_ms.map(|(from, _)| format_instant(from)),
            before: range_ms.map(|(_, before)| format_instant(before)),
            limit: PAGE,
            ..FileQuery::default()
        };
        let mut files = Vec::new();
        for _ in 0..pages {
            let page = self.store.files(&query).await?;
            files.extend(page.files);
            query.after = page.next;
            if query.after.is_none() || files.len() >= usize::from(PAGE) {
                break;
            }
        }
        Ok(History { files, whole: query.after.is_none() })
    }
}

/// Logs what is wrong with the newest version of a contract: text of the contract.
fn log(feed: &str, newest: &BrokenContract) {
    let BrokenContract { object_version, errors, place, problem, in_force } = newest;
    tracing::warn!(
        feed,
        object_version = object_version.as_str(),
        errors,
        line = place.map(|(line, _)| line),
        column = place.map(|(_, column)| column),
        problem = problem.as_str(),
        in_force = in_force.as_deref().unwrap_or_default(),
        "the newest version of a contract does not compile"
    );
}

/// Returns a partner's part in a feed, when it has one: it has dropped files of it, or one of its credentials names it.
fn pair<'a>(
    watched: &'a Watched,
    partner: &'a str,
    registered: Option<&Partner>,
    sending: &Sending,
) -> Option<PartnerFeed<'a>> {
    let named_ms = sending.named.get(&watched.feed).copied();
    let dropped = sending.dropped.contains(&watched.feed);
    if !dropped && named_ms.is_none() {
        return None;
    }
    let since_ms = registered.map(|partner| match named_ms {
        Some(named_ms) if !dropped => partner.created_ms.max(named_ms),
        _ => partner.created_ms,
    });
    Some(PartnerFeed { watched, partner, since_ms })
}

/// Returns whether no file after this moment is left out.
fn reaches_back(history: &History, moment_ms: u64) -> bool {
    history.whole || arrivals(&history.files).any(|arrived| arrived <= moment_ms)
}

/// Asks some at the same time, and gives the answers in their order.
async fn in_turn<F: Future>(asked: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut answers = Vec::new();
    let mut asked = asked.peekable();
    while asked.peek().is_some() {
        answers.extend(join_all(asked.by_ref().take(AT_ONCE)).await);
    }
    answers
}
