//! Outcomes as they are decided.
//!
//! The index of a partner's files is asked again and again: from the oldest file that was seen undecided, and at
//! least the last 75 minutes, so that no outcome is missed that is decided after later ones or that the index shows
//! late.

use std::collections::{BTreeMap, HashMap};
use std::io;

use runtime::{format_instant, landed_ms};
use store::{FileId, FileQuery, ListedFile, State, UNKNOWN};

use super::moment::short;
use super::plain::plain;
use super::view::{FileView, of};
use super::{Readable, StackView, find};
use crate::arguments::TailArguments;
use crate::error::CommandError;
use crate::report::{Style, row};

/// How far back outcomes are looked for: ten deliveries take that long (docs/limits.md).
const WINDOW_MS: u64 = 75 * 60 * 1_000;
/// Pages of a partner's window: 2,000 files.
const MOST_PAGES: usize = 20;
/// Rounds between two listings of the partners: a minute, at two seconds a round.
const ROUNDS: u32 = 30;
/// Failures in a row after which it ends: the SDK has tried each call three times.
const MOST_FAILURES: u32 = 10;

/// What was seen of a partner.
#[derive(Default)]
struct Seen {
    /// Whether a round has looked.
    looked: bool,
    states: HashMap<FileId, (State, u64)>,
}

impl<S: Readable> StackView<S> {
    /// Gives outcomes to `emit`, oldest first, until `pause` returns `false` or `emit` fails. A failure of a round
    /// goes to `notice`, and the next round gives what it missed.
    pub async fn tail(
        &self,
        arguments: &TailArguments,
        mut pause: impl AsyncFnMut() -> bool,
        mut emit: impl FnMut(&FileView) -> io::Result<()>,
        mut notice: impl FnMut(&CommandError),
    ) -> Result<(), CommandError> {
        let named = arguments.partner.as_deref();
        let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
        let mut failures = 0;
        let mut first = true;
        for round in (0..ROUNDS).cycle() {
            match self.round(named, round == 0, &mut seen).await {
                Ok(mut outcomes) => {
                    failures = 0;
                    if first {
                        let surplus = outcomes.len().saturating_sub(usize::from(arguments.lines));
                        outcomes.drain(..surplus);
                        first = false;
                    }
                    for outcome in &outcomes {
                        if emit(outcome).is_err() {
                            return Ok(());
                        }
                    }
                }
                Err(failure) if first || failures + 1 >= MOST_FAILURES => return Err(failure),
                Err(failure) => {
                    failures += 1;
                    notice(&failure);
                }
            }
            if !pause().await {
                break;
            }
        }
        Ok(())
    }

    /// Returns the new outcomes of all partners, oldest first.
    async fn round(
        &self,
        named: Option<&str>,
        list_partners: bool,
        seen: &mut BTreeMap<String, Seen>,
    ) -> Result<Vec<FileView>, CommandError> {
        if list_partners {
            for name in self.chosen(named).await?.partners.into_keys() {
                seen.entry(name).or_default();
            }
            if named.is_none() {
                seen.entry(UNKNOWN.to_owned()).or_default();
            }
        }
        let mut outcomes = Vec::new();
        let mut changes = Vec::new();
        for (partner, seen) in seen.iter() {
            let files = self.window(partner, seen).await?;
            for listed in files {
                let known = seen.states.get(&listed.file).map(|(state, _)| *state);
                if listed.state.is_terminal() && known != Some(listed.state) {
                    outcomes.push(FileView::of_listed(&self.stack, partner, &listed));
                }
                changes.push((partner.clone(), listed));
            }
        }
        // Only a whole round counts as seen: what a failed one found is given by the next.
        let begin = self.host.now().saturating_sub(WINDOW_MS);
        for (partner, ListedFile { file, state, order, .. }) in changes {
            let landed = landed_ms(&order).unwrap_or_default();
            seen.entry(partner).or_default().states.insert(file, (state, landed));
        }
        for seen in seen.values_mut() {
            seen.looked = true;
            let from = seen.from(begin);
            seen.states.retain(|_, (_, landed)| *landed >= from);
        }
        outcomes.sort_by(|a, b| (a.landed_ms, &a.file).cmp(&(b.landed_ms, &b.file)));
        Ok(outcomes)
    }

    /// Returns a partner's files since the oldest that may still change; in the first round a page of the newest,
    /// however old.
    async fn window(&self, partner: &str, seen: &Seen) -> Result<Vec<ListedFile>, CommandError> {
        let begin = seen.from(self.host.now().saturating_sub(WINDOW_MS));
        let query = FileQuery {
            partner: partner.to_owned(),
            from: seen.looked.then(|| format_instant(begin)),
            limit: find::PAGE,
            ..FileQuery::default()
        };
        let mut files = Vec::new();
        self.pages(query, MOST_PAGES, |listed| {
            let recent = landed_ms(&listed.order).is_some_and(|landed| landed >= begin);
            files.push(listed);
            recent || files.len() < usize::from(find::PAGE)
        })
        .await?;
        Ok(files)
    }
}

impl Seen {
    /// Returns where a window begins: at the given instant, or at the oldest file before it that is not decided.
    fn from(&self, begin: u64) -> u64 {
        let open = self.states.values().filter(|(state, _)| !state.is_terminal());
        open.map(|(_, landed)| *landed).chain([begin]).min().unwrap_or(begin)
    }
}

/// Least columns of landed, file, outcome and rows, so that most lines are aligned.
const COLUMNS: [usize; 5] = [11, 26, 12, 7, 0];
/// The column that gives way: the key.
const KEY: usize = 4;

/// Returns the heading of the lines of `tail`.
#[must_use]
pub fn tail_heading(style: Style) -> String {
    let landed = if style.width.is_some() { "landed" } else { "landed              " };
    let heads = [landed, "file", "outcome", "rows", "key"].map(str::to_owned);
    style.heading(&row(&heads, COLUMNS, KEY, style)) + "\n"
}

impl FileView {
    /// Returns one line of `tail`; with `json` one document.
    #[must_use]
    pub fn to_line(&self, json: bool, style: Style) -> String {
        if json {
            // Texts and numbers always have a form in JSON.
            return serde_json::to_string(self).unwrap_or_default() + "\n";
        }
        let landed = self.landed.as_deref().unwrap_or("-");
        let landed = if style.width.is_some() { short(landed) } else { landed.to_owned() };
        let key = plain(&self.key).into_owned();
        let cells = [landed, self.file.to_string(), self.outcome(), of(self), key];
        style.mark(&row(&cells, COLUMNS, KEY, style), super::files::mark(self)) + "\n"
    }
}
