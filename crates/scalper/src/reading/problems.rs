//! What is wrong, what is merely worth knowing, and the command that comes next.

use std::collections::HashSet;

use serde::Serialize;
use store::State;

use super::view::FileView;
use crate::names::Stack;

/// A file that is not decided so long after it landed is stuck: its message has been delivered ten times by then and lies
/// in the dead-letter queue (README, "Limits").
const STUCK_MS: u64 = 75 * 60 * 1_000;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Somebody has to act.
    Wrong,
    /// Somebody may want to know.
    Note,
}

/// Something that a reader should see first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// How much it matters.
    pub weight: Weight,
    /// What was found.
    pub what: String,
    /// The command that comes next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Problem {
    pub(super) fn wrong(what: String, next: Option<String>) -> Self {
        Self { weight: Weight::Wrong, what, next }
    }

    pub(super) fn note(what: String, next: Option<String>) -> Self {
        Self { weight: Weight::Note, what, next }
    }
}

/// What is wrong with a feed's files, newest first. `files` are all of a day, and the newest whatever its age.
pub(super) fn of_feed(stack: &Stack, files: &[FileView], now_ms: u64) -> Vec<Problem> {
    let refused = refused(stack, files, now_ms);
    let undecided = undecided(stack, files, now_ms);
    let partial = files.first().filter(|file| file.state == State::Complete.as_str());
    let partial = partial.filter(|file| file.rejects.is_some_and(|rejects| rejects > 0)).map(|file| {
        let what = format!(
            "{}/{}: {} of {} records of {} were refused, the others are loaded",
            file.partner,
            file.feed,
            file.rejects.unwrap_or_default(),
            file.records.unwrap_or_default(),
            file.name(),
        );
        Problem::note(what, Some(stack.command(&format!("rejects {}", file.file))))
    });
    [refused, undecided, partial].into_iter().flatten().collect()
}

/// Refused files whose sender has not sent a good one since: under the same name, or as a correction.
fn refused(stack: &Stack, files: &[FileView], now_ms: u64) -> Option<Problem> {
    let mut mended_keys = HashSet::new();
    let mut mended_files = HashSet::new();
    let mut open = Vec::new();
    for file in files {
        if file.state == State::Complete.as_str() {
            mended_keys.insert(file.key.as_str());
            mended_files.extend(file.corrects.as_deref());
        } else if file.state == State::Quarantined.as_str()
            && !mended_keys.contains(file.key.as_str())
            && !mended_files.contains(file.file.as_str())
        {
            open.push(file);
        }
    }
    let newest = open.first()?;
    let fault = newest.fault.as_deref().unwrap_or("no fault named");
    let (name, ago) = (newest.name(), newest.ago(now_ms));
    let what = match open.len() {
        1 => format!(
            "{}/{}: {name} was refused ({fault}), landed {ago}, and no good one came since",
            newest.partner, newest.feed
        ),
        several => format!(
            "{}/{}: {several} files were refused and no good ones came since; the newest is {name} ({fault}), landed {ago}",
            newest.partner, newest.feed
        ),
    };
    Some(Problem::wrong(what, Some(stack.command(&format!("show {}", newest.file)))))
}

fn undecided(stack: &Stack, files: &[FileView], now_ms: u64) -> Option<Problem> {
    let mut open = files.iter().filter(|file| is_stuck(file, now_ms));
    let (oldest, others) = (open.next_back()?, open.count());
    let more = if others > 0 { format!(" and {others} more") } else { String::new() };
    let what = format!(
        "{}/{}: not decided is {}{more}, landed {}: a claim fails each time, or its message is in the dead-letter queue",
        oldest.partner,
        oldest.feed,
        oldest.name(),
        oldest.ago(now_ms)
    );
    Some(Problem::wrong(what, Some(stack.command(&format!("show {}", oldest.file)))))
}

fn is_stuck(file: &FileView, now_ms: u64) -> bool {
    let landed = file.landed_ms.unwrap_or_default();
    file.state == State::Processing.as_str() && now_ms.saturating_sub(landed) > STUCK_MS
}
