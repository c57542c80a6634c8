//! The audit table: what operators did. Each act is two items, one from before its effects and one from after them, and
//! neither is ever written again.
//!
//! ```text
//! pk = month#<yyyy-mm>   sk = <begun>#<act>#begun   who, what, to what, why
//! pk = month#<yyyy-mm>   sk = <begun>#<act>#ended   the same, how it ended and what it changed
//! ```
//!
//! The intent is written first, so that no effect is without a trace, whatever dies afterwards: an act without its
//! second item was interrupted, or is still running. One item that is written after the effects would lose those of a
//! command that was killed, and one item that is updated could be changed by anybody who may write at all. Both items
//! have the same beginning of the sort key, so that a list has them side by side.
//!
//! Lists are queries: of the months between two instants, or of the indexes by partner, feed and file.

use std::future::Future;

use ::ledger::{ActId, ActRecord, Arn, Verb, format_instant};

use crate::{Error, FileId};

/// Which acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// Not begun before this instant, milliseconds since the epoch.
    pub from_ms: u64,
    /// Begun before this instant, milliseconds since the epoch.
    pub until_ms: u64,
    /// Only this verb.
    pub verb: Option<Verb>,
    /// Only of callers whose ARN has this text.
    pub by: Option<String>,
    /// Only on this partner.
    pub partner: Option<String>,
    /// Only on this feed.
    pub feed: Option<String>,
    /// Only on this file.
    pub file: Option<FileId>,
    /// Most acts.
    pub limit: u16,
}

/// Acts, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The acts.
    pub acts: Vec<ActRecord>,
    /// Acts among them that cannot be read: a newer version wrote them.
    pub unread: u64,
    /// Whether these are all that match.
    pub complete: bool,
}

/// Reads the audit trail.
pub trait ReadAudit: Sync {
    /// Returns acts, newest first. Queries only, and a bounded number of them; an index may lag behind by moments.
    fn acts(&self, query: &AuditQuery) -> impl Future<Output = Result<AuditPage, Error>> + Send;
}

/// Writes the audit trail: once, and never again.
pub trait WriteAudit: Sync {
    /// Writes the beginning of an act, or how it ended. Repeated with the same record it is written once; another
    /// record under the same id and phase is an error.
    fn note(&self, record: &ActRecord) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Knows who calls AWS.
pub trait CallerIdentity: Sync {
    /// Returns the ARN of the caller.
    fn caller(&self) -> impl Future<Output = Result<Arn, Error>> + Send;
}

/// Returns the sort key of a record.
pub(crate) fn sort_key(record: &ActRecord) -> String {
    let phase = if record.end.is_some() { "ended" } else { "begun" };
    format!("{}#{}#{phase}", format_instant(record.act.at_ms), record.act.id.as_str())
}

/// Returns the id of an act from a sort key.
pub(crate) fn act_of(sort_key: &str) -> Option<ActId> {
    ActId::parse(sort_key.split('#').nth(1)?)
}

/// Gathers acts from items, newest first: the second item of an act stands before its first.
pub(crate) struct GatheredActs {
    page: AuditPage,
    limit: usize,
    last: Option<ActId>,
}

impl GatheredActs {
    pub(crate) fn new(query: &AuditQuery) -> Self {
        Self { page: AuditPage::default(), limit: usize::from(query.limit.max(1)), last: None }
    }

    /// Takes an item. `false`: there is no room for it, and nothing more is to be read.
    pub(crate) fn take(&mut self, id: &ActId, record: Option<ActRecord>) -> bool {
        if self.last.as_ref() == Some(id) {
            return true;
        }
        if self.page.acts.len() >= self.limit {
            return false;
        }
        self.last = Some(id.clone());
        match record {
            Some(record) => self.page.acts.push(record),
            None => self.page.unread += 1,
        }
        true
    }

    /// Returns the page; `complete` says whether all was read.
    pub(crate) fn page(self, complete: bool) -> AuditPage {
        AuditPage { complete, ..self.page }
    }
}
