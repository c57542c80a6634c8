//! What is offered after a version was published: to replay the stored files that it rescues.

use ledger::Entry;
use serde::Serialize;
use store::{ActReason, FileId, State};

use super::publish::PublishReport;
use crate::arguments::ReplayArguments;
use crate::names::Stack;
use crate::preview::{FilePreview, counted};
use crate::reading::shell_word;
use crate::report::{Style, paragraph};

/// Files that a printed command names one by one; of more it names the feed.
const MOST_NAMED: usize = 20;

/// Replays that are under way at a time, as without `--concurrency`.
const CONCURRENCY: u16 = 4;

/// Stored files that a version rescues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct RescuedFiles {
    /// Open quarantined files that would be loaded.
    pub quarantined: u64,
    /// Loaded files of which more records would be rows.
    pub partial: u64,
    /// Rejected records of those loaded files that would be rows.
    pub records: u64,
    /// Records of them that `dropIf` left out and that would be rows.
    pub left_out: u64,
    pub files: Vec<FileId>,
}

impl RescuedFiles {
    /// Adds a file, when the version rescues it. A quarantined file that needs no good one is left as it is.
    pub(super) fn add(&mut self, entry: &Entry, preview: &FilePreview) {
        if !preview.after.is_loaded() {
            return;
        }
        match entry.state {
            State::Quarantined if entry.open => self.quarantined += 1,
            State::Complete if preview.rescued + preview.newly_loaded > 0 => {
                self.partial += 1;
                self.records += preview.rescued;
                self.left_out += preview.newly_loaded;
            }
            State::Quarantined
            | State::Complete
            | State::Processing
            | State::Held
            | State::Superseded
            | State::Duplicate
            | State::Gone
            | State::Ignored
            | State::Retracted => return,
        }
        self.files.push(preview.file.clone());
    }

    /// Returns whether a replay would rescue nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn sentence(&self) -> String {
        let quarantined = counted(self.quarantined, "quarantined file");
        let of = counted(self.partial, "loaded file");
        let rejected = counted(self.records, "rejected record");
        let left_out = counted(self.left_out, "record");
        let partial = match (self.records, self.left_out) {
            (_, 0) => format!("rescue {rejected} of {of}"),
            (0, _) => format!("load {left_out} of {of} that `dropIf` left out"),
            _ => format!("rescue {rejected} of {of}, and load {left_out} that `dropIf` left out"),
        };
        match (self.quarantined, self.partial) {
            (_, 0) => format!("a replay would load {quarantined}"),
            (0, _) => format!("a replay would {partial}"),
            _ => format!("a replay would load {quarantined}, and {partial}"),
        }
    }

    /// Returns the question whether they are replayed.
    #[must_use]
    pub fn question(&self) -> String {
        match self.files.len() {
            1 => "replay this file now? [y/N] ".to_owned(),
            files => format!("replay these {files} files now? [y/N] "),
        }
    }
}

/// Returns why files are replayed: the reason of the version, or which one it is.
fn reason(published: &PublishReport) -> Option<ActReason> {
    let version: String = published.object_version.chars().take(8).collect();
    let named = || format!("version {version} of contract {}", published.feed);
    ActReason::parse(&published.reason.clone().unwrap_or_else(named)).ok()
}

impl PublishReport {
    /// Returns the words of a replay of the rescued files, for which nobody is asked again.
    #[must_use]
    pub fn replay(&self) -> ReplayArguments {
        ReplayArguments {
            files: self.rescues.files.iter().map(ToString::to_string).collect(),
            open: false,
            partner: None,
            feed: None,
            state: None,
            fault: None,
            since: None,
            limit: u16::try_from(self.rescues.files.len()).unwrap_or(u16::MAX),
            again: false,
            quarantine: false,
            dry_run: false,
            yes: true,
            concurrency: CONCURRENCY,
            reason: reason(self),
        }
    }

    /// Returns the commands that replay the rescued files.
    #[must_use]
    pub fn replay_commands(&self, stack: &Stack) -> Vec<String> {
        let RescuedFiles { quarantined, partial, files, .. } = &self.rescues;
        let words = match files.as_slice() {
            [] => Vec::new(),
            files if files.len() <= MOST_NAMED => {
                vec![files.iter().map(FileId::as_str).collect::<Vec<_>>().join(" ")]
            }
            _ => {
                let quarantined = (*quarantined > 0).then(|| format!("--feed {}", self.feed));
                let partial = (*partial > 0).then(|| format!("--feed {} --state complete", self.feed));
                quarantined.into_iter().chain(partial).collect()
            }
        };
        let why = reason(self).map_or_else(String::new, |reason| shell_word(reason.as_str()));
        words.iter().map(|words| stack.command(&format!("replay {words} --reason {why}"))).collect()
    }

    /// Renders what a replay would rescue, and its commands; nothing when it would rescue nothing.
    #[must_use]
    pub fn offer(&self, stack: &Stack, style: Style) -> String {
        if self.rescues.is_empty() {
            return String::new();
        }
        let commands = self.replay_commands(stack).into_iter().map(|command| format!("  {command}\n"));
        let text = paragraph("", &format!("{}:", self.rescues.sentence()), style);
        format!("\n{text}{}", commands.collect::<String>())
    }
}
