//! What `redrive` shows of each letter: its files by name, and what was done.

use runtime::format_second;
use serde::Serialize;
use store::{Entry, FileId, State, TakenLetter};

use crate::reading::{counted, plain};
use crate::report::{Style, paragraph};

/// The letters that were sent again or removed, or would be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct RedriveReport {
    pub dry_run: bool,
    pub letters: Vec<LetterView>,
    /// Files that the command named and that no letter is about.
    pub missing: Vec<String>,
    /// Whether more letters may be there.
    pub more: bool,
}

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterView {
    /// SQS's id for it.
    pub letter: String,
    /// When it was first sent.
    pub sent: Option<String>,
    /// What it asks for.
    pub asks: LetterAsk,
    /// The files that it is about; none of a letter that cannot be read.
    pub files: Vec<NamedFile>,
    /// What was done.
    pub result: LetterResult,
}

/// A file of a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedFile {
    /// Its key, where the letter has it.
    pub key: Option<String>,
    /// Its id, where the letter says which version of the key.
    pub file: Option<FileId>,
    /// Its state in the ledger; `None`: it was never claimed, or its version is not known.
    pub state: Option<State>,
    /// Whether its outcome was published.
    pub published: bool,
}

/// What a letter asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LetterAsk {
    /// To process a file that has landed.
    Process,
    /// To replay a file.
    Replay,
    /// To delete rows that nobody sees any more; the watcher asks for it again.
    CleanUp,
    /// To post an outcome to a partner.
    Post,
    /// Nothing that can be read.
    Unknown,
}

/// What was done with a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LetterResult {
    /// It was sent again and removed.
    Sent,
    /// It asks for nothing any more, and was removed.
    Removed,
    /// It cannot be read, and stays.
    Left,
    /// It would be sent again.
    WouldBeSent,
    /// It would be removed.
    WouldBeRemoved,
}

impl LetterView {
    pub(super) fn new(
        letter: &TakenLetter,
        asks: LetterAsk,
        files: Vec<NamedFile>,
        result: LetterResult,
    ) -> Self {
        let sent = letter.sent_ms.map(format_second);
        Self { letter: letter.id.clone(), sent, asks, files, result }
    }

    fn what(&self) -> &'static str {
        match (self.result, self.asks) {
            (LetterResult::Sent, _) => "sent again",
            (LetterResult::WouldBeSent, LetterAsk::Replay) => "would be replayed",
            (LetterResult::WouldBeSent, LetterAsk::Post) => "would be posted again",
            (LetterResult::WouldBeSent, _) => "would be processed again",
            (LetterResult::Removed, LetterAsk::Replay) => "the replay is done or outdated: letter removed",
            (LetterResult::Removed, LetterAsk::CleanUp) => {
                "the watcher asks for the clean-up again: letter removed"
            }
            (LetterResult::Removed, _) => "is decided, nothing to do: letter removed",
            (LetterResult::WouldBeRemoved, LetterAsk::Replay) => {
                "the replay is done or outdated: the letter would be removed"
            }
            (LetterResult::WouldBeRemoved, LetterAsk::CleanUp) => {
                "the watcher asks for the clean-up again: the letter would be removed"
            }
            (LetterResult::WouldBeRemoved, _) => "is decided, nothing to do: the letter would be removed",
            (LetterResult::Left, _) => "is not a message of this stack: left where it is",
        }
    }

    /// Renders the letter for a reader.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let what = self.what();
        let sent = self.sent.as_ref().map_or_else(String::new, |sent| format!(", sent {sent}"));
        let Some(first) = self.files.first() else {
            return paragraph("letter ", &format!("{} {what}{sent}", self.letter), style);
        };
        let name = first.file.as_ref().map_or_else(|| first.shown_key(), ToString::to_string);
        let mut text = paragraph(&format!("{name} "), what, style);
        for file in &self.files {
            let state = file.state_text();
            let unpublished = if file.is_unpublished() { ", outcome not published" } else { "" };
            let key = if file.key.is_some() { file.shown_key() + ", " } else { String::new() };
            text.push_str(&paragraph("    ", &format!("{key}{state}{unpublished}{sent}"), style));
        }
        text
    }
}

impl NamedFile {
    pub(super) fn new(key: Option<String>, file: Option<FileId>, entry: Option<&Entry>) -> Self {
        let published = entry.is_some_and(|entry| entry.announced);
        Self { key, file, state: entry.map(|entry| entry.state), published }
    }

    fn state_text(&self) -> &'static str {
        match (&self.file, self.state) {
            (_, Some(state)) => state.as_str(),
            (Some(_), None) => "never claimed",
            (None, None) => "its version is not named",
        }
    }

    fn is_unpublished(&self) -> bool {
        self.state.is_some_and(|state| state.is_terminal() && state != State::Ignored) && !self.published
    }

    fn shown_key(&self) -> String {
        plain(self.key.as_deref().unwrap_or_default()).into_owned()
    }
}

impl RedriveReport {
    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders what comes after the letters: how many there were, and what is left.
    #[must_use]
    pub fn summary(&self, style: Style) -> String {
        if self.letters.is_empty() {
            return paragraph("", "no dead letters: nothing to do", style);
        }
        let count = |results: [LetterResult; 2]| {
            self.letters.iter().filter(|letter| results.contains(&letter.result)).count()
        };
        let sent = count([LetterResult::Sent, LetterResult::WouldBeSent]);
        let removed = count([LetterResult::Removed, LetterResult::WouldBeRemoved]);
        let left = count([LetterResult::Left, LetterResult::Left]);
        let letters = counted(self.letters.len(), "letter");
        let done = if self.dry_run {
            format!("{letters}: {sent} to send again, {removed} to remove, {left} left")
        } else {
            format!("{letters}: {sent} sent again, {removed} removed, {left} left")
        };
        let mut text = paragraph("", &done, style);
        if !self.missing.is_empty() {
            let files: Vec<_> = self.missing.iter().map(|word| plain(word)).collect();
            text.push_str(&paragraph("", &format!("no dead letter of: {}", files.join(", ")), style));
        }
        if self.more {
            text.push_str("there may be more: run the command again, or raise --limit\n");
        }
        if self.dry_run {
            text.push_str("nothing was changed\n");
        }
        text
    }
}
