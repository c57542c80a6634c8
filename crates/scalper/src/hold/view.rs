//! What `hold` and `release` answer.

use std::collections::BTreeMap;

use serde::Serialize;
use store::State;

use crate::interrupt;
use crate::names::Stack;
use crate::preview::counted;
use crate::reading::HoldView;
use crate::report::{Fit, Style, paragraph, table};

/// A feed that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HoldReport {
    /// Whether it was held before; that hold stays.
    pub before: bool,
    /// Whether the feed has no contract.
    pub no_contract: bool,
    #[serde(flatten)]
    #[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
    pub hold: HoldView,
    /// The command that releases it.
    #[serde(skip)]
    pub(super) release: String,
}

impl HoldReport {
    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let what = if self.before {
            format!("{} was held before, {}: nothing was changed", self.hold.name(), self.hold.since_whom())
        } else {
            format!("{} is held: its files wait in the ledger from now on", self.hold.name())
        };
        let mut text = paragraph("", &what, style);
        if !self.before {
            let begun =
                "files whose processing has begun are finished; replays that you ask for are carried out";
            text.push_str(&paragraph("    ", begun, style));
        }
        if self.no_contract {
            let note = format!("note: the feed `{}` has no contract", self.hold.feed);
            text.push_str(&paragraph("", &note, style));
        }
        text.push_str(&paragraph("", "to release it:", style));
        for part in ["    ", self.release.as_str(), "\n"] {
            text.push_str(part);
        }
        text
    }
}

/// A feed that was released, and the outcomes of the files that waited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseReport {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The feed: `<partner>/<feed>`.
    pub feed: String,
    /// The hold; none when the feed was released before.
    pub hold: Option<HoldView>,
    /// Files that waited when the command began.
    pub waiting: u64,
    /// Whether these were all.
    pub counted_all: bool,
    /// Files that were sent to the inbox queue.
    pub sent: u64,
    /// Decided files by state.
    pub states: BTreeMap<&'static str, u64>,
    /// Files that were not decided in time: their messages failed, or wait behind others.
    pub undecided: u64,
    /// The hold that another operator made meanwhile: the files that are left wait again.
    pub held_again: Option<HoldView>,
    /// Whether Ctrl-C ended the command before all were decided.
    pub interrupted: bool,
    /// Files that were sent and not decided when it was interrupted.
    pub under_way: u64,
    /// Files of the list that were not sent when it was interrupted, or not decided when the feed was held again.
    pub left: u64,
}

impl ReleaseReport {
    pub(super) fn decided(&mut self, state: State) {
        *self.states.entry(state.as_str()).or_default() += 1;
    }

    fn of(&self, state: State) -> u64 {
        self.states.get(state.as_str()).copied().unwrap_or_default()
    }

    /// Returns the exit code: 1 when a file was quarantined or not decided, or when the feed is held again; 130 when
    /// the command was interrupted.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.interrupted {
            return interrupt::EXIT_CODE;
        }
        u8::from(self.of(State::Quarantined) + self.undecided > 0 || self.held_again.is_some())
    }

    /// Returns one line of progress.
    #[must_use]
    pub fn progress(&self) -> String {
        let decided: u64 = self.states.values().sum();
        let all = self.waiting.max(self.sent);
        format!("{decided} of {} decided, {} quarantined", counted(all, "file"), self.of(State::Quarantined))
    }

    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, stack: &Stack, style: Style) -> String {
        let mut text = paragraph("", &self.heading(), style);
        let mut rows: Vec<[String; 2]> =
            self.states.iter().map(|(state, files)| [(*state).to_owned(), files.to_string()]).collect();
        if self.undecided > 0 {
            rows.push(["not decided in 90 minutes".to_owned(), self.undecided.to_string()]);
        }
        let not_sent = if self.interrupted { self.left } else { 0 };
        for (name, files) in [("under way", self.under_way), ("not sent", not_sent)] {
            if files > 0 {
                rows.push([name.to_owned(), files.to_string()]);
            }
        }
        if !rows.is_empty() {
            text.push_str(&table(["outcome", "files"], &rows, Fit::shorten(&[]), style));
        }
        let mut next = |what: &str, words: &str| {
            let what = paragraph("", &format!("{what}:"), style);
            for part in ["\n", what.as_str(), "  ", stack.command(words).as_str(), "\n"] {
                text.push_str(part);
            }
        };
        if self.of(State::Quarantined) > 0 {
            next("the quarantined files", "files --state quarantined");
        }
        if self.undecided > 0 {
            next("see what is in the way", "status");
        }
        if self.interrupted {
            next(
                "interrupted; the feed is released, and this goes on with what waits",
                &format!("release {}", self.feed),
            );
        }
        if let Some(held) = &self.held_again {
            let what = format!("it is held again {}: its files wait", held.since_whom());
            next(&what, &format!("release {}", self.feed));
        }
        text
    }

    fn heading(&self) -> String {
        let more = if self.counted_all { "" } else { "at least " };
        let files = format!("{more}{}", counted(self.waiting, "file"));
        let verb = if self.waiting == 1 { "waits" } else { "wait" };
        match (&self.hold, self.dry_run) {
            (None, _) if self.waiting == 0 => format!("{} is not held, and no file waits", self.feed),
            (Some(hold), true) => format!("{} is held {}: {files} {verb}", self.feed, hold.since_whom()),
            (None, true) => format!("{} is not held any more: {files} {verb} to be sent", self.feed),
            (Some(_), false) => format!("{} is released: {} sent", self.feed, counted(self.sent, "file")),
            (None, false) => {
                format!("{} was released before: {} sent", self.feed, counted(self.sent, "file"))
            }
        }
    }
}
