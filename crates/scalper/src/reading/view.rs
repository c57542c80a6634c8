//! A file as every reading command shows it.

use runtime::{format_second, landed_ms};
use serde::Serialize;
use store::{Entry, FileId, ListedFile, Outcome, State, UNKNOWN};

use super::moment;
use super::plain::plain;
use crate::names::Stack;

/// A file at a glance. Holds names and numbers, nothing of the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct FileView {
    pub file: FileId,
    pub partner: String,
    pub feed: String,
    pub key: String,
    pub state: State,
    /// When its bytes landed in the inbox; none in an entry whose order cannot be read.
    pub landed: Option<String>,
    /// Records as read; none when the file was not read.
    pub records: Option<u64>,
    /// Records that are visible.
    pub rows: Option<u64>,
    pub rejects: Option<u64>,
    /// Records that the contract leaves out, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
    pub warnings: Option<u64>,
    pub fault: Option<String>,
    pub bytes: Option<u64>,
    pub contract_version: Option<String>,
    pub other: Option<String>,
    pub corrects: Option<String>,
    #[serde(skip)]
    pub(crate) landed_ms: Option<u64>,
    /// The command that shows it.
    #[serde(skip)]
    pub(super) show: String,
}

impl FileView {
    pub(crate) fn of_listed(stack: &Stack, partner: &str, listed: &ListedFile) -> Self {
        let ListedFile { file, feed, key, state, order, outcome } = listed;
        let outcome = outcome.as_ref().filter(|_| state.is_terminal());
        let read = outcome.filter(|outcome| !outcome.sha256.is_empty());
        let landed_ms = landed_ms(order);
        let visible = |outcome: &Outcome| if *state == State::Complete { outcome.counts.rows } else { 0 };
        let contract = outcome.map(|outcome| outcome.contract_version.clone());
        Self {
            file: file.clone(),
            partner: partner.to_owned(),
            feed: feed.clone(),
            key: key.clone(),
            state: *state,
            landed: landed_ms.map(format_second),
            records: read.map(|outcome| outcome.counts.records),
            rows: read.map(visible),
            rejects: read.map(|outcome| outcome.counts.rejects),
            dropped: read.map(|outcome| outcome.counts.dropped).filter(|dropped| *dropped > 0),
            warnings: read.map(|outcome| outcome.counts.warnings),
            fault: outcome.and_then(|outcome| outcome.fault.clone()),
            bytes: read.map(|outcome| outcome.bytes),
            contract_version: contract.filter(|version| !version.is_empty()),
            other: outcome.and_then(|outcome| Some(outcome.other.as_ref()?.to_string())),
            corrects: outcome.and_then(|outcome| Some(outcome.corrects.as_ref()?.to_string())),
            landed_ms,
            show: stack.command(&format!("show {file}")),
        }
    }

    pub(crate) fn of_entry(stack: &Stack, file: &FileId, entry: &Entry) -> Self {
        let listed = ListedFile {
            file: file.clone(),
            feed: if entry.partner.is_empty() { UNKNOWN.to_owned() } else { entry.feed.clone() },
            key: entry.file.key.clone(),
            state: entry.state,
            order: entry.order.to_string(),
            outcome: entry.outcome.clone(),
        };
        Self::of_listed(stack, entry.listed_partner(), &listed)
    }

    /// Returns the name below partner and feed, harmless.
    pub(super) fn name(&self) -> String {
        let folder = format!("{}/{}/", self.partner, self.feed);
        plain(self.key.strip_prefix(&folder).unwrap_or(&self.key)).into_owned()
    }

    /// Returns the key and the verdict, harmless.
    pub(crate) fn shown_key(&self) -> String {
        format!("{} {}", self.verdict(), plain(&self.key))
    }

    /// Returns when it landed.
    pub(crate) fn landed_text(&self) -> &str {
        self.landed.as_deref().unwrap_or("at an unknown time")
    }

    /// Returns the state, and the fault where there is one.
    pub(super) fn verdict(&self) -> String {
        let state = self.state.as_str();
        self.fault.as_ref().map_or_else(|| state.to_owned(), |fault| format!("{state} ({})", plain(fault)))
    }

    /// Returns the fault of a quarantined file, else the state: a cell of a table. Only quarantined files have a fault.
    pub(super) fn outcome(&self) -> String {
        self.fault
            .as_deref()
            .map_or_else(|| self.state.as_str().to_owned(), |fault| plain(fault).into_owned())
    }

    pub(super) fn age(&self, now_ms: u64) -> String {
        self.landed_ms.map_or_else(|| "?".to_owned(), |landed| moment::age(landed, now_ms))
    }

    pub(super) fn ago(&self, now_ms: u64) -> String {
        self.landed_ms.map_or_else(|| "?".to_owned(), |landed| moment::ago(landed, now_ms))
    }
}

/// Returns the visible rows of the records that were read, or a hyphen for a file that was not read.
pub(super) fn of(file: &FileView) -> String {
    match (file.rows, file.records) {
        (Some(rows), Some(records)) => format!("{rows}/{records}"),
        _ => "-".to_owned(),
    }
}

/// Returns a number, or a hyphen where there is none.
pub(super) fn count(number: Option<u64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}
