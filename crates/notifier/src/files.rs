//! The files that an alarm is about: the newest that are not all good, from the ledger's index.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use store::door::{FileQuery, ListedFile, Partners, Reading};
use store::{Error, Outcome, State};
use telemetry::Label;

use crate::alarm::Change;

/// The metrics of our own that files make bad.
const METRICS: [&str; 2] = ["FilesQuarantined", "Rejects"];
/// How long the ledger is asked; a message without files is better than none.
const TIME: Duration = Duration::from_secs(5);
/// The most partners whose files are looked through, and of each the most files.
const PARTNERS: usize = 50;
const FILES_OF_A_PARTNER: u16 = 20;
/// The most files that are told.
const FILES: usize = 5;
/// How far back they are looked for, milliseconds: a day.
const BACK_MS: u64 = 86_400_000;

/// Files of an alarm, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// The alarm is about something else.
    NotAsked,
    /// The ledger did not answer, or not in time.
    Unknown,
    /// These, newest first, one line each.
    Newest(Vec<String>),
}

/// Looks for the files of an alarm.
pub(crate) async fn of<R: Partners + Reading>(reading: &R, change: &Change) -> Files {
    if !change.metrics.iter().any(|metric| METRICS.contains(&metric.as_str())) {
        return Files::NotAsked;
    }
    match tokio::time::timeout(TIME, newest(reading, change)).await {
        Ok(Ok(files)) => Files::Newest(files),
        Ok(Err(error)) => {
            tracing::warn!(error = telemetry::chain(&error), "the files of an alarm were not read");
            Files::Unknown
        }
        Err(_) => {
            tracing::warn!("the files of an alarm were not read in time");
            Files::Unknown
        }
    }
}

async fn newest<R: Partners + Reading>(reading: &R, change: &Change) -> Result<Vec<String>, Error> {
    let partners = match change.place("partner") {
        Some(partner) => vec![partner.to_owned()],
        None => reading.all_partners().await?.into_iter().map(|partner| partner.name).collect(),
    };
    let queries: Vec<FileQuery> = partners
        .into_iter()
        .take(PARTNERS)
        .map(|partner| FileQuery {
            partner,
            feed: change.place("feed").map(str::to_owned),
            from: from(change.changed_ms),
            limit: FILES_OF_A_PARTNER,
            ..FileQuery::default()
        })
        .collect();
    let pages = join_all(queries.iter().map(|query| reading.files(query))).await;
    let mut found: Vec<(String, String)> = Vec::new();
    for (query, page) in queries.iter().zip(pages) {
        found.extend(page?.files.into_iter().filter_map(|file| {
            let line = line(&query.partner, &file)?;
            Some((file.order, line))
        }));
    }
    found.sort_by(|one, other| other.cmp(one));
    Ok(found.into_iter().take(FILES).map(|(_, line)| line).collect())
}

fn from(changed_ms: u64) -> Option<String> {
    let begin = i64::try_from(changed_ms.saturating_sub(BACK_MS)).ok()?;
    Some(Timestamp::from_millisecond(begin).ok()?.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// One line of ids, codes and counts; `None` for a file that is all good. Never the key, which may be a patient's name.
fn line(partner: &str, file: &ListedFile) -> Option<String> {
    let outcome = file.outcome.as_ref()?;
    let what = match file.state {
        State::Quarantined => match outcome.fault.as_deref().filter(|fault| is_code(fault)) {
            Some(fault) => format!("refused, {fault}"),
            None => format!("refused, {}", rejects(outcome)),
        },
        State::Complete if outcome.counts.rejects > 0 => format!("loaded, {}", rejects(outcome)),
        _ => return None,
    };
    let (partner, feed) = (Label::new(partner), Label::new(&file.feed));
    Some(format!("{} of {}/{}: {what}", file.file, partner.as_str(), feed.as_str()))
}

fn rejects(outcome: &Outcome) -> String {
    format!("{} of {} records bad", outcome.counts.rejects, outcome.counts.records)
}

fn is_code(fault: &str) -> bool {
    !fault.is_empty()
        && fault.len() <= 64
        && fault.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
