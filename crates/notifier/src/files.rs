//! The files that an alarm is about, from the ledger's index: the newest that are not all good, or the newest of each
//! partner of a feed whose file did not arrive as expected. An alarm without a feed is about all feeds.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use ledger::{Outcome, State, UNNAMED as WRONG_KEY};
use runtime::{HEARTBEAT, UNKNOWN, format_instant, format_readable, landed_ms};
use store::{
    Credential, Error, Feeds, FileQuery, ListInbox, ListedFile, ReadContracts, ReadLedger, ReadPartners,
};
use telemetry::Label;

use crate::alarm::AlarmChange;
use crate::deliver::LookupError;
use crate::overdue::{self, Overdue};

/// The stack's own metrics that quarantined files raise.
const BAD: [&str; 2] = [QUARANTINED, "RejectPercent"];
/// The one of them of files that were not loaded.
const QUARANTINED: &str = "FilesQuarantined";
/// The stack's own metrics that a missing, late or unusual file raises.
const EXPECTED: [&str; 3] = [OVERDUE, "FilesVolumeLow", "FilesVolumeHigh"];
/// The one of them of a file that did not arrive.
const OVERDUE: &str = "FilesOverdue";
/// The metric of contracts whose newest version does not compile.
const BROKEN: &str = "ContractsBroken";
/// The fault of a file whose feed has a contract that never had a version which compiles.
const CONTRACT_INVALID: &str = "CONTRACT_INVALID";
/// The most partners whose files are looked through, and of each the most files.
pub(crate) const PARTNERS: usize = 50;
const FILES_OF_A_PARTNER: u16 = 20;
/// Maximum number of files in a message, and of partners whose newest file is shown.
pub(crate) const FILES: usize = 5;
/// How far back bad files are looked for, milliseconds: a day.
const BACK_MS: u64 = 86_400_000;

/// Files of an alarm, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlarmFiles {
    /// The alarm is about something else.
    NotAsked,
    /// The ledger did not answer, or not in time.
    Unknown,
    /// These are not all good, newest first.
    Bad(Vec<BadFile>),
    /// The newest of each partner, one line each.
    Newest(Vec<String>),
    /// These are overdue, of all feeds.
    Overdue(Overdue),
    /// Contracts whose newest version does not compile, one line each.
    Contracts(Vec<String>),
}

/// A file that is not all good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFile {
    /// One line of ids, codes and counts.
    pub line: String,
    /// What shows the rest of it.
    pub commands: Vec<String>,
}

/// Looks for the files of an alarm of a stack.
pub(crate) async fn of<R: ReadPartners + ListInbox + ReadLedger + ReadContracts>(
    reading: &R,
    change: &AlarmChange,
    stack: &str,
) -> Result<AlarmFiles, LookupError> {
    let is_of = |names: &[&str]| change.metrics.iter().any(|metric| names.contains(&metric.as_str()));
    if is_of(&BAD) {
        Ok(AlarmFiles::Bad(LookupError::within(bad(reading, change, stack)).await?))
    } else if is_of(&[BROKEN]) {
        Ok(AlarmFiles::Contracts(LookupError::within(overdue::broken(reading)).await?))
    } else if is_of(&[OVERDUE]) && change.place("feed").is_none() {
        Ok(AlarmFiles::Overdue(LookupError::within(overdue::of(reading, change.changed_ms, stack)).await?))
    } else if is_of(&EXPECTED) {
        Ok(AlarmFiles::Newest(LookupError::within(newest(reading, change)).await?))
    } else {
        Ok(AlarmFiles::NotAsked)
    }
}

async fn bad<R: ReadPartners + ListInbox + ReadLedger>(
    reading: &R,
    change: &AlarmChange,
    stack: &str,
) -> Result<Vec<BadFile>, Error> {
    // An order begins with a whole second.
    let begin = change.changed_ms.saturating_sub(BACK_MS);
    let from = Some(format_instant(begin - begin % 1_000));
    let partners = if let Some(partner) = change.place("partner") {
        vec![(partner.to_owned(), partner.to_owned())]
    } else {
        // Files under a wrong key belong to no partner.
        let wrong = (WRONG_KEY.to_owned(), WRONG_KEY.to_owned());
        std::iter::once(wrong).chain(everybody(reading).await?).collect()
    };
    let mut listed = listed(reading, change, partners, from, FILES_OF_A_PARTNER).await?;
    // The alarm on rejects is about loaded files. That of one feed has always shown the rejected ones too, which are
    // few.
    let is_of_loaded = !change.metrics.iter().any(|metric| metric == QUARANTINED);
    if change.place("feed").is_none() && is_of_loaded {
        listed.retain(|(_, file)| file.state == State::Complete);
    }
    let described = listed.into_iter().filter_map(|(partner, file)| {
        Some(BadFile { line: line(&partner, &file)?, commands: commands(stack, &file) })
    });
    Ok(described.take(FILES).collect())
}

/// Returns the newest file of each partner of the alarm's feed. Where a file is overdue, the partner that waits
/// longest comes first: a partner that is to send the feed and never did, then the oldest file.
async fn newest<R: ReadPartners + ListInbox + ReadLedger>(
    reading: &R,
    change: &AlarmChange,
) -> Result<Vec<String>, Error> {
    let partners = match change.place("partner") {
        Some(partner) => vec![(partner.to_owned(), partner.to_owned())],
        None => everybody(reading).await?,
    };
    let mut listed = listed(reading, change, partners, None, 1).await?;
    let mut lines = Vec::new();
    if change.metrics.iter().any(|metric| metric == OVERDUE) {
        listed.reverse();
        let sent: BTreeSet<&str> = listed.iter().map(|(partner, _)| partner.as_str()).collect();
        let waiting =
            expected(reading, change).await?.into_iter().filter(|name| !sent.contains(name.as_str()));
        lines.extend(waiting.map(|name| format!("none yet of {}", Label::new(&name).as_str())));
    }
    lines.extend(listed.iter().map(|(partner, file)| arrival(partner, file)));
    lines.truncate(FILES);
    Ok(lines)
}

/// Returns the active partners with a credential that names the alarm's feed.
async fn expected<R: ReadPartners>(reading: &R, change: &AlarmChange) -> Result<Vec<String>, Error> {
    let Some(feed) = change.place("feed") else { return Ok(Vec::new()) };
    let partners = reading.all_partners().await?;
    let active: Vec<_> = partners.into_iter().filter(|partner| partner.active).take(PARTNERS).collect();
    let asked = join_all(active.iter().map(|partner| reading.credentials(&partner.name))).await;
    let mut expected = Vec::new();
    for (partner, credentials) in active.into_iter().zip(asked) {
        let names = |(_, credential): &(_, Credential)| {
            matches!(&credential.feeds, Feeds::Named(feeds) if feeds.iter().any(|named| named == feed))
                && credential.is_valid(change.changed_ms)
        };
        if credentials?.iter().any(names) {
            expected.push(partner.name);
        }
    }
    Ok(expected)
}

/// Returns files of these partners and the alarm's feed with their partner as it is shown, newest first, of each
/// partner at most `limit`.
async fn listed<R: ReadLedger>(
    reading: &R,
    change: &AlarmChange,
    partners: Vec<(String, String)>,
    from: Option<String>,
    limit: u16,
) -> Result<Vec<(String, ListedFile)>, Error> {
    let feed = change.place("feed").map(str::to_owned);
    let query = FileQuery { feed, from, limit, ..FileQuery::default() };
    let queries: Vec<(String, FileQuery)> = partners
        .into_iter()
        .take(PARTNERS)
        .map(|(partner, shown)| (shown, FileQuery { partner, ..query.clone() }))
        .collect();
    let pages = join_all(queries.iter().map(|(_, query)| reading.files(query))).await;
    let mut found = Vec::new();
    for ((shown, _), page) in queries.iter().zip(pages) {
        found.extend(page?.files.into_iter().map(|file| (shown.clone(), file)));
    }
    found.sort_by(|(_, one), (_, other)| (&other.order, &other.file).cmp(&(&one.order, &one.file)));
    Ok(found)
}

/// Returns the partners of the table, and those that only drop files into the inbox, each with the name that is
/// shown: a folder that no operator named may be a patient. Not the stack's own heartbeat.
async fn everybody<R: ReadPartners + ListInbox>(reading: &R) -> Result<Vec<(String, String)>, Error> {
    let registered = reading.all_partners().await?.into_iter().map(|partner| partner.name);
    let mut shown: BTreeMap<String, String> = registered.map(|name| (name.clone(), name)).collect();
    for name in reading.senders(None).await?.names.into_iter().filter(|name| runtime::is_name(name)) {
        shown.entry(name).or_insert_with(|| UNKNOWN.to_owned());
    }
    shown.remove(HEARTBEAT);
    Ok(shown.into_iter().collect())
}

/// Returns one line of ids, codes and counts; `None` for a file that is all good. Never the key, which may be a
/// patient's name.
fn line(partner: &str, file: &ListedFile) -> Option<String> {
    let outcome = file.outcome.as_ref()?;
    let what = match file.state {
        State::Quarantined => match outcome.fault.as_deref().filter(|fault| is_code(fault)) {
            Some(fault) => format!("quarantined, {fault}"),
            None => format!("quarantined, {}", rejects(outcome)),
        },
        State::Complete if outcome.counts.rejects > 0 => format!("loaded, {}", rejects(outcome)),
        _ => return None,
    };
    if partner == WRONG_KEY {
        return Some(format!("{} under a key that names no partner and feed: {what}", file.file));
    }
    // A feed without a contract has the name that the sender gave to a folder.
    let is_agreed = !outcome.contract_hash.is_empty() || outcome.fault.as_deref() == Some(CONTRACT_INVALID);
    let (partner, feed) = (Label::new(partner), Label::new(if is_agreed { &file.feed } else { UNKNOWN }));
    Some(format!("{} of {}/{}: {what}", file.file, partner.as_str(), feed.as_str()))
}

/// Returns what shows a file's story, and the records that were rejected when some were.
fn commands(stack: &str, file: &ListedFile) -> Vec<String> {
    let command = |word: &str| format!("scalper --stack {stack} {word} {}", file.file);
    let rejects = file.outcome.as_ref().is_some_and(|outcome| outcome.counts.rejects > 0);
    let words = if rejects { &["show", "rejects"][..] } else { &["show"] };
    words.iter().map(|word| command(word)).collect()
}

/// Returns whose file it was, when it arrived, its state and its rows.
fn arrival(partner: &str, file: &ListedFile) -> String {
    format!("{} of {}{}", file.file, Label::new(partner).as_str(), story(file))
}

/// Returns when a file arrived, its state and its rows.
pub(crate) fn story(file: &ListedFile) -> String {
    let arrived = landed_ms(&file.order).map(|landed| format!(", arrived {}", format_readable(landed)));
    let counted = file.outcome.as_ref().map(|outcome| match file.state {
        State::Complete => format!(", {} rows", outcome.counts.rows),
        _ => format!(", {} records", outcome.counts.records),
    });
    let (arrived, counted) = (arrived.unwrap_or_default(), counted.unwrap_or_default());
    format!("{arrived}, {}{counted}", file.state.as_str())
}

fn rejects(outcome: &Outcome) -> String {
    format!("{} of {} records rejected", outcome.counts.rejects, outcome.counts.records)
}

fn is_code(fault: &str) -> bool {
    !fault.is_empty()
        && fault.len() <= 64
        && fault.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
