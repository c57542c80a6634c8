//! Problems, grouped by fault, and notes, each with the next command.

use std::collections::BTreeMap;

use serde::Serialize;
use store::{State, UNKNOWN};

use super::view::FileView;
use crate::names::Stack;

/// A file that is not decided this long after it landed is stuck: its message has been delivered ten times by then
/// and is in the dead-letter queue (docs/limits.md).
const STUCK_MS: u64 = 75 * 60 * 1_000;
/// The fault of a key that is not `<partner>/<feed>/<name>`.
pub(super) const BAD_KEY: &str = "BAD_KEY";

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Somebody has to act.
    Wrong,
    /// Somebody may want to know.
    Note,
}

/// A problem or a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// How much it matters.
    pub weight: Weight,
    /// The fault of the files, or the kind of problem.
    pub code: String,
    /// What was found.
    pub what: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
    /// The command that comes next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The files, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileView>,
    /// The command that lists the files when they are too many to be shown.
    #[serde(skip)]
    pub(super) all: Option<String>,
}

impl Problem {
    pub(super) fn wrong(code: &str, what: String, next: Option<String>) -> Self {
        let (todo, files, all) = (None, Vec::new(), None);
        Self { weight: Weight::Wrong, code: code.to_owned(), what, todo, next, files, all }
    }

    pub(super) fn note(code: &str, what: String, next: Option<String>) -> Self {
        Self { weight: Weight::Note, ..Self::wrong(code, what, next) }
    }

    pub(super) fn todo(self, todo: &str) -> Self {
        Self { todo: Some(todo.to_owned()), ..self }
    }
}

/// A partner and its feed.
type PartnerAndFeed = (String, String);

/// Groups open files by fault, partner and feed; those with the most files first.
pub(super) fn of_open(stack: &Stack, open: Vec<FileView>) -> Vec<Problem> {
    let mut groups: BTreeMap<(String, PartnerAndFeed), Vec<FileView>> = BTreeMap::new();
    for file in open {
        let fault = file.fault.clone().unwrap_or_else(|| "QUARANTINED".to_owned());
        groups.entry((fault, (file.partner.clone(), file.feed.clone()))).or_default().push(file);
    }
    let mut problems: Vec<_> = groups
        .into_iter()
        .map(|((fault, (partner, feed)), mut files)| {
            files.sort_by_key(|file| std::cmp::Reverse((file.landed_ms, file.file.clone())));
            open_problem(stack, &fault, &partner, &feed, files)
        })
        .collect();
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.files.len()));
    problems
}

/// Returns the command that lists files of a feed in a state.
fn list(stack: &Stack, partner: &str, feed: &str, state: &str) -> String {
    let feed = if partner == UNKNOWN { String::new() } else { format!(" --feed {feed}") };
    stack.command(&format!("files --partner {partner}{feed} --state {state}"))
}

fn open_problem(stack: &Stack, fault: &str, partner: &str, feed: &str, files: Vec<FileView>) -> Problem {
    let (count, all) = (counted(files.len(), "file"), Some(list(stack, partner, feed, "quarantined")));
    let (what, todo) = if fault == BAD_KEY {
        let todo = "have it sent again as <partner>/<feed>/<name>, then `scalper ack` this one";
        (format!("{count} under a wrong key"), todo)
    } else {
        let todo =
            "`scalper show` says why; send a good file of the same name, or acknowledge with `scalper ack`";
        (format!("{count} of {partner}/{feed} quarantined and not replaced by a good file"), todo)
    };
    Problem { files, all, ..Problem::wrong(fault, what, None).todo(todo) }
}

/// Returns the problems of a feed other than quarantined files, newest first.
pub(super) fn of_feed(stack: &Stack, files: &[FileView], now_ms: u64) -> Vec<Problem> {
    let undecided = undecided(stack, files, now_ms);
    let partial = files.first().filter(|file| file.state == State::Complete);
    let partial = partial.filter(|file| file.rejects.is_some_and(|rejects| rejects > 0)).map(|file| {
        let what = format!(
            "{}/{}: {} of {} records of {} were rejected, the others are loaded",
            file.partner,
            file.feed,
            file.rejects.unwrap_or_default(),
            file.records.unwrap_or_default(),
            file.name(),
        );
        Problem::note("REJECTS", what, Some(stack.command(&format!("rejects {}", file.file))))
    });
    [undecided, partial].into_iter().flatten().collect()
}

fn undecided(stack: &Stack, files: &[FileView], now_ms: u64) -> Option<Problem> {
    let mut waiting: Vec<_> = files.iter().filter(|file| is_stuck(file, now_ms)).cloned().collect();
    // The oldest one says most.
    waiting.reverse();
    let oldest = waiting.first()?;
    let (partner, feed) = (&oldest.partner, &oldest.feed);
    let what = format!(
        "{} of {partner}/{feed} not decided, the oldest landed {}",
        counted(waiting.len(), "file"),
        oldest.ago(now_ms)
    );
    let all = Some(list(stack, partner, feed, "processing"));
    let todo = "each claim fails, or the messages are in the dead-letter queue: see the processor's log";
    let problem = Problem::wrong("NOT_DECIDED", what, None).todo(todo);
    Some(Problem { files: waiting, all, ..problem })
}

fn is_stuck(file: &FileView, now_ms: u64) -> bool {
    let landed = file.landed_ms.unwrap_or_default();
    file.state == State::Processing && now_ms.saturating_sub(landed) > STUCK_MS
}

/// Returns `1 file`, `2 files`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Returns the fault of a key that names no partner and feed, in words; `None` for a key that names both.
pub(super) fn key_problem(key: &str) -> Option<String> {
    let name = |what: &str, folder: &str| {
        (!runtime::is_name(folder)).then(|| {
            let folder = super::plain(folder);
            format!(
                "{what} folder `{folder}` is not a name: lower-case letters, digits, `-` and `_`, at most 63"
            )
        })
    };
    let mut parts = key.splitn(3, '/');
    match (parts.next().unwrap_or_default(), parts.next(), parts.next()) {
        (_, None, _) => Some("the key has no folder".to_owned()),
        (partner, Some(_), None) => {
            let missing = "the key has only one folder".to_owned();
            name("the partner's", partner).or(Some(missing))
        }
        (partner, Some(feed), Some(rest)) => name("the partner's", partner)
            .or_else(|| name("the feed's", feed))
            .or_else(|| rest.is_empty().then(|| "the key has no name after the folders".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wrong_key_is_explained() {
        for (key, part) in [
            ("orders.csv", "no folder"),
            ("shop/orders.csv", "only one folder"),
            ("ACME/orders.csv", "the partner's folder `ACME`"),
            ("ACME/Orders/x.csv", "the partner's folder `ACME`"),
            ("acme/Orders/x.csv", "the feed's folder `Orders`"),
            ("acme/a\nb/x.csv", r"the feed's folder `a\nb`"),
            ("/acme/orders/x.csv", "the partner's folder ``"),
            ("acme/orders/", "no name after"),
        ] {
            let found = key_problem(key).unwrap_or_default();
            assert!(found.contains(part), "{key:?}: {found}");
        }
        assert_eq!(key_problem("acme/orders/x/y.csv"), None);
    }

    proptest! {
        #[test]
        fn every_key_is_a_files_or_explained(key: String) {
            let inner = match runtime::Key::read(&key) {
                runtime::Key::Folder(inner) => *inner,
                other => other,
            };
            let is_bad = inner == runtime::Key::Bad;
            let found = key_problem(&key);
            prop_assert!(!is_bad || found.is_some());
            prop_assert!(found.is_none_or(|found| !found.contains(char::is_control)));
        }
    }
}
