//! A file as every reading command shows it.

use serde::Serialize;
use store::door::ListedFile;
use store::{Entry, Outcome, State};

use super::moment;
use super::plain::plain;
use crate::report::instant;

/// A file at a glance. Holds names and numbers, nothing of the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct FileView {
    pub file: String,
    pub partner: String,
    pub feed: String,
    pub key: String,
    pub state: &'static str,
    /// When its bytes landed in the inbox; none in an entry whose order cannot be read.
    pub landed: Option<String>,
    /// Records as read; none when the file was not read.
    pub records: Option<u64>,
    /// Records that are visible.
    pub rows: Option<u64>,
    pub rejects: Option<u64>,
    pub warnings: Option<u64>,
    pub fault: Option<String>,
    pub bytes: Option<u64>,
    pub contract_version: Option<String>,
    pub other: Option<String>,
    pub corrects: Option<String>,
    #[serde(skip)]
    pub(super) landed_ms: Option<u64>,
}

impl FileView {
    pub(super) fn of_listed(partner: &str, listed: &ListedFile) -> Self {
        let ListedFile { file, feed, key, state, order, outcome } = listed;
        let outcome = outcome.as_ref().filter(|_| state.is_terminal());
        let read = outcome.filter(|outcome| !outcome.sha256.is_empty());
        let landed_ms = moment::landed(order);
        let visible = |outcome: &Outcome| if *state == State::Complete { outcome.counts.rows } else { 0 };
        let contract = outcome.map(|outcome| outcome.contract_version.clone());
        Self {
            file: file.to_string(),
            partner: partner.to_owned(),
            feed: feed.clone(),
            key: key.clone(),
            state: state.as_str(),
            landed: landed_ms.map(instant),
            records: read.map(|outcome| outcome.counts.records),
            rows: read.map(visible),
            rejects: read.map(|outcome| outcome.counts.rejects),
            warnings: read.map(|outcome| outcome.counts.warnings),
            fault: outcome.and_then(|outcome| outcome.fault.clone()),
            bytes: read.map(|outcome| outcome.bytes),
            contract_version: contract.filter(|version| !version.is_empty()),
            other: outcome.and_then(|outcome| Some(outcome.other.as_ref()?.to_string())),
            corrects: outcome.and_then(|outcome| Some(outcome.corrects.as_ref()?.to_string())),
            landed_ms,
        }
    }

    pub(super) fn of_entry(file: &store::FileId, entry: &Entry) -> Self {
        let listed = ListedFile {
            file: file.clone(),
            feed: entry.feed.clone(),
            key: entry.file.key.clone(),
            state: entry.state,
            order: entry.order.clone(),
            outcome: entry.outcome.clone(),
        };
        Self::of_listed(&entry.partner, &listed)
    }

    /// The name below partner and feed, harmless.
    pub(super) fn name(&self) -> String {
        let folder = format!("{}/{}/", self.partner, self.feed);
        plain(self.key.strip_prefix(&folder).unwrap_or(&self.key)).into_owned()
    }

    /// The state, and the fault where there is one.
    pub(super) fn verdict(&self) -> String {
        self.fault
            .as_ref()
            .map_or_else(|| self.state.to_owned(), |fault| format!("{} ({})", self.state, plain(fault)))
    }

    pub(super) fn ago(&self, now_ms: u64) -> String {
        self.landed_ms.map_or_else(|| "?".to_owned(), |landed| moment::ago(landed, now_ms))
    }
}

/// A number, or a hyphen where there is none.
pub(super) fn count(number: Option<u64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}
