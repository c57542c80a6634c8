//! The overdue files of all feeds, for the alarm that has no feed: judged as the watcher judges them, by the
//! contracts and by what arrived. And the contracts whose newest version does not compile, which the same alarm
//! reports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::{Arrival, Contract, Due, Expectation};
use futures_util::future::join_all;
use ledger::State;
use runtime::{BrokenContract, HEARTBEAT, InForce, Terms, UNKNOWN, format_readable, landed_ms};
use store::{
    Credential, Error, Feeds, FileQuery, ListInbox, ListedFile, ReadContracts, ReadLedger, ReadPartners,
};

use crate::files::{FILES, PARTNERS, story};

/// Maximum number of feeds whose contracts are read, and of pairs of partner and feed that are judged.
const MOST_FEEDS: usize = 50;
const MOST_PAIRS: usize = 250;
/// Files of a pair that are looked at: as many as may come within one window.
const FILES_OF_A_PAIR: u16 = 20;
/// How long after a late file arrived the alarm may still be about it, milliseconds. The watcher counts it for 15
/// minutes, and CloudWatch changes the alarm's state some minutes later.
const LATE_MS: u64 = 25 * 60_000;

/// The overdue files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Those that wait longest, first.
    pub files: Vec<OverdueFile>,
    /// How many more there are.
    pub more: usize,
    /// Contracts whose newest version does not compile, one line each.
    pub contracts: Vec<String>,
    /// The command that lists what every feed waits for.
    pub command: String,
}

/// A file that is missing, or that arrived late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdueFile {
    /// Partner, feed, since when, and the newest file.
    pub line: String,
    /// The command that lists what arrived.
    pub command: String,
}

/// A partner that may send a feed.
struct PartnerFeed<'a> {
    partner: &'a str,
    feed: &'a str,
    expectation: &'a Expectation,
    sender: &'a Sender,
}

/// What the table of partners knows of a sender; nothing of one that only drops files.
#[derive(Default)]
struct Sender {
    created_ms: Option<u64>,
    /// The feeds that its credentials name, and since when, milliseconds since the epoch.
    named: BTreeMap<String, u64>,
}

/// What is overdue of a pair.
struct OverdueFeed<'a> {
    /// `None`: a folder that no operator named, which may be a patient.
    partner: Option<&'a str>,
    feed: &'a str,
    arrival: Arrival,
    due: Due,
    newest: Option<ListedFile>,
}

/// Looks for the files that are overdue at this time.
pub(crate) async fn of<R: ReadPartners + ListInbox + ReadLedger + ReadContracts>(
    reading: &R,
    now_ms: u64,
    stack: &str,
) -> Result<Overdue, Error> {
    let read = contracts(reading).await?;
    let broken = broken_lines(&read);
    let contracts = expecting(read);
    let senders = senders(reading, now_ms).await?;
    let pairs = senders.iter().flat_map(|(partner, sender)| {
        contracts.iter().filter_map(move |(feed, contract)| {
            let expectation = contract.expectation.as_ref()?;
            Some(PartnerFeed { partner, feed, expectation, sender })
        })
    });
    let pairs: Vec<PartnerFeed<'_>> = pairs.take(MOST_PAIRS).collect();
    let judged = join_all(pairs.iter().map(|pair| judge(reading, pair, now_ms))).await;
    let mut found = Vec::new();
    for judged in judged {
        found.extend(judged?);
    }
    // Missing before late, and the longest wait first.
    found.sort_by_key(|one| {
        let newest = one.newest.as_ref().map(|file| file.order.clone());
        (one.arrival == Arrival::Late, newest, one.due.deadline_ms, one.partner, one.feed)
    });
    let more = found.len().saturating_sub(FILES);
    let files = found.iter().take(FILES).map(|one| one.describe(stack)).collect();
    Ok(Overdue { files, more, contracts: broken, command: format!("scalper --stack {stack} status") })
}

/// Returns the contracts whose newest version does not compile, one line each.
pub(crate) async fn broken<R: ReadContracts>(reading: &R) -> Result<Vec<String>, Error> {
    Ok(broken_lines(&contracts(reading).await?))
}

/// Returns the contract in force for each feed that has one.
async fn contracts<R: ReadContracts>(reading: &R) -> Result<Vec<(String, InForce)>, Error> {
    let feeds = reading.feeds().await?.into_iter().filter(|name| runtime::is_name(name));
    let feeds: Vec<String> = feeds.take(MOST_FEEDS).collect();
    let read = join_all(feeds.iter().map(|feed| runtime::in_force(reading, feed))).await;
    feeds.into_iter().zip(read).map(|(feed, found)| Ok((feed, found?))).collect()
}

fn broken_lines(contracts: &[(String, InForce)]) -> Vec<String> {
    let broken = contracts.iter().filter_map(|(feed, found)| Some((feed, found.broken.as_ref()?)));
    broken.take(FILES).map(|(feed, newest): (_, &BrokenContract)| newest.describe(feed)).collect()
}

/// Returns the active contracts that expect files, by feed.
fn expecting(contracts: Vec<(String, InForce)>) -> BTreeMap<String, Arc<Contract>> {
    let active = contracts.into_iter().filter_map(|(feed, found)| match found.terms {
        Terms::Active(contract) if contract.expectation.is_some() && feed != HEARTBEAT => {
            Some((feed, contract))
        }
        Terms::Active(_) | Terms::Quarantine(_) => None,
    });
    active.collect()
}

/// Returns the active partners of the table with the feeds that their credentials name, and those that only drop files.
async fn senders<R: ReadPartners + ListInbox>(
    reading: &R,
    now_ms: u64,
) -> Result<BTreeMap<String, Sender>, Error> {
    let partners = reading.all_partners().await?;
    let known: BTreeSet<String> = partners.iter().map(|partner| partner.name.clone()).collect();
    let active: Vec<_> =
        partners.into_iter().filter(|one| one.active && one.name != HEARTBEAT).take(PARTNERS).collect();
    let credentials = join_all(active.iter().map(|partner| reading.credentials(&partner.name))).await;
    let mut senders = BTreeMap::new();
    for (partner, credentials) in active.into_iter().zip(credentials) {
        let named = named(credentials?.into_iter().map(|(_, credential)| credential), now_ms);
        senders.insert(partner.name, Sender { created_ms: Some(partner.created_ms), named });
    }
    let folders = reading.senders(None).await?.names.into_iter();
    let dropping =
        folders.filter(|name| runtime::is_name(name) && name != HEARTBEAT && !known.contains(name));
    senders
        .extend(dropping.take(PARTNERS.saturating_sub(senders.len())).map(|name| (name, Sender::default())));
    Ok(senders)
}

/// Returns the feeds that valid credentials name, each since the oldest of them.
fn named(credentials: impl Iterator<Item = Credential>, now_ms: u64) -> BTreeMap<String, u64> {
    let mut named: BTreeMap<String, u64> = BTreeMap::new();
    for credential in credentials.filter(|one| one.is_valid(now_ms)) {
        let Feeds::Named(feeds) = credential.feeds else { continue };
        for feed in feeds {
            let since = named.entry(feed).or_insert(u64::MAX);
            *since = credential.created_ms.min(*since);
        }
    }
    named
}

/// Returns what is overdue of a pair; `None` when nothing is, and when the partner is not known to send the feed.
async fn judge<'a, R: ReadLedger>(
    reading: &R,
    pair: &PartnerFeed<'a>,
    now_ms: u64,
) -> Result<Option<OverdueFeed<'a>>, Error> {
    let query = FileQuery {
        partner: pair.partner.to_owned(),
        feed: Some(pair.feed.to_owned()),
        limit: FILES_OF_A_PAIR,
        ..FileQuery::default()
    };
    let files = reading.files(&query).await?.files;
    let named_ms = pair.sender.named.get(pair.feed).copied();
    if files.is_empty() && named_ms.is_none() {
        return Ok(None);
    }
    let arrivals_ms: Vec<u64> =
        files.iter().filter_map(arrived_ms).filter(|arrived| *arrived <= now_ms).collect();
    let newest_ms = arrivals_ms.iter().copied().max();
    let Some(due) = pair.expectation.last_due_after(newest_ms, now_ms) else { return Ok(None) };
    // A partner is waited for since it is known; one that is in no table since its first file.
    let since_ms = match pair.sender.created_ms {
        Some(created_ms) if files.is_empty() => Some(created_ms.max(named_ms.unwrap_or_default())),
        Some(created_ms) => Some(created_ms),
        None => arrivals_ms.iter().copied().min(),
    };
    if since_ms.is_none_or(|since| since > due.deadline_ms) {
        return Ok(None);
    }
    let arrival = due.judge(arrivals_ms.iter().copied());
    let is_overdue = match arrival {
        Arrival::OnTime => false,
        Arrival::Missing => true,
        Arrival::Late => {
            let first = arrivals_ms.iter().filter(|arrived| **arrived > due.deadline_ms).min();
            first.is_some_and(|arrived| arrived.saturating_add(LATE_MS) >= now_ms)
        }
    };
    let newest = files.into_iter().find(|file| arrived_ms(file).is_some());
    let partner = pair.sender.created_ms.map(|_| pair.partner);
    Ok(is_overdue.then_some(OverdueFeed { partner, feed: pair.feed, arrival, due, newest }))
}

/// Returns when a file arrived, milliseconds since the epoch; `None` for one that does not count as an arrival.
fn arrived_ms(file: &ListedFile) -> Option<u64> {
    let counts = !matches!(file.state, State::Ignored | State::Gone | State::Duplicate);
    landed_ms(&file.order).filter(|_| counts)
}

impl OverdueFeed<'_> {
    /// Returns names only: of a registered partner, and of a feed that has a contract. Never the key, which may be a
    /// patient's name.
    fn describe(&self, stack: &str) -> OverdueFile {
        let Self { partner, feed, arrival, due, newest } = self;
        let deadline = format_readable(due.deadline_ms);
        let what = match arrival {
            Arrival::Late => format!("late, due by {deadline}"),
            Arrival::OnTime | Arrival::Missing => format!("missing since {deadline}"),
        };
        let newest = newest.as_ref().map_or_else(
            || "no file yet".to_owned(),
            |file| format!("newest file {}{}", file.file, story(file)),
        );
        let command = match partner {
            Some(partner) => format!("files --partner {partner} --feed {feed}"),
            None => "status".to_owned(),
        };
        let partner = partner.unwrap_or(UNKNOWN);
        OverdueFile {
            line: format!("{partner}/{feed}: {what}; {newest}"),
            command: format!("scalper --stack {stack} {command}"),
        }
    }
}
