//! Answers out: files, receipts, rejects, records of one partner.

use std::future::Future;

use bytes::Bytes;

use super::Presigned;
use crate::{Error, FileId, Item, ItemValue, LoadId, Outcome, State};

/// Most feeds of a listing: one page of S3's.
pub const MOST_FEEDS: usize = 1_000;

/// How a browser is told to save an object: a name of letters, digits, points, hyphens and underscores, all else
/// replaced, so that it needs no quoting rule (RFC 6266).
pub(crate) fn attachment(file_name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let name: String = file_name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    format!("attachment; filename=\"{name}\"")
}

/// Which files of a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileQuery {
    /// From the authorizer.
    pub partner: String,
    /// Only this feed.
    pub feed: Option<String>,
    /// Only this state.
    pub state: Option<State>,
    /// Not older than this instant, ISO 8601 in UTC, compared with the beginning of the order.
    pub from: Option<String>,
    /// Older than this instant.
    pub before: Option<String>,
    /// Most files of the page, 1 to 100.
    pub limit: u16,
    /// Go on after this place.
    pub after: Option<FilePlace>,
}

/// A place in the list of a partner's files. It names no partner: whoever presents it goes on in their own list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// The order of the last file.
    pub order: String,
    /// The last file.
    pub file: FileId,
}

/// A file in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedFile {
    /// Which.
    pub file: FileId,
    /// The feed.
    pub feed: String,
    /// The key in the inbox.
    pub key: String,
    /// Where it stands.
    pub state: State,
    /// `<ISO 8601 instant>/<number>`.
    pub order: String,
    /// What was decided, once terminal.
    pub outcome: Option<Outcome>,
}

/// A page of files, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePage {
    /// The files, fewer than the limit when a filter left some out.
    pub files: Vec<ListedFile>,
    /// Where to go on; `None` at the end.
    pub next: Option<FilePlace>,
}

/// One version of a record. Deliberately without `Debug`: it holds content.
pub struct RecordVersion {
    /// The load that wrote it.
    pub load: LoadId,
    /// The row.
    pub item: Item,
}

impl RecordVersion {
    /// The version that a row is; `None` for a row that does not name its load.
    pub(crate) fn of(item: Item) -> Option<Self> {
        let load = item.attributes.iter().find_map(|(name, value)| match value {
            ItemValue::Text(load) if name == "_load" => LoadId::parse(load),
            _ => None,
        })?;
        Some(Self { load, item })
    }
}

/// Versions of a record, newest first.
pub struct RecordPage {
    /// The versions, visible or not.
    pub versions: Vec<RecordVersion>,
    /// The sort key after which to go on; `None` at the end.
    pub next: Option<String>,
}

/// Reads what a partner may see. A name of a partner is part of every key that is asked for.
pub trait Reading: Sync {
    /// A partner's files, newest first: one query of the index `by-partner`, never a scan.
    fn files(&self, query: &FileQuery) -> impl Future<Output = Result<FilePage, Error>> + Send;
    /// A receipt or another value-free document of the quarantine bucket; `None` when it is not there.
    fn document(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send;
    /// Signs a GET of an object of the quarantine bucket, saved under a name. Makes no call.
    fn sign_download(
        &self,
        key: &str,
        file_name: &str,
        seconds: u32,
    ) -> impl Future<Output = Result<Presigned, Error>> + Send;
    /// The feeds that have a contract, by name, at most 1,000.
    fn feeds(&self) -> impl Future<Output = Result<Vec<String>, Error>> + Send;
    /// Versions of the record with this partition key, newest first, at most `limit`.
    fn record_versions(
        &self,
        partition: &str,
        after: Option<&str>,
        limit: u16,
    ) -> impl Future<Output = Result<RecordPage, Error>> + Send;
}
