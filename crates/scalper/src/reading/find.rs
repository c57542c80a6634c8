//! Finds the file that a command names, and reads its receipt.

use serde::Deserialize;
use store::{Entry, FileId, FilePlace, FileQuery, FileVersion, ListedFile, LoadId, Outcome, State, UNKNOWN};

use super::plain::plain;
use super::{Readable, StackView};
use crate::error::CommandError;

/// Pages of a partner's list that are looked through for the versions of a name: 1,000 files.
const MOST_PAGES: usize = 10;
/// Files of a page: the most that the store gives.
pub(super) const PAGE: u16 = 100;

/// A file that was found.
pub(super) struct FoundFile {
    pub(super) file: FileId,
    pub(super) entry: Entry,
}

/// The parts of a receipt that are shown. Each may be missing, so that receipts of other releases can be read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ReceiptRead {
    pub(super) earlier: Option<String>,
    pub(super) fault: Option<FaultRead>,
    pub(super) original: Option<PlaceRead>,
    /// `csv` or `ndjson`; none in receipts that were written before there was a choice.
    pub(super) rejects_form: Option<String>,
    pub(super) rules: Vec<RuleRead>,
    pub(super) violations: Vec<ViolationRead>,
    pub(super) warnings: Vec<String>,
}

/// Why a file was quarantined.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default)]
pub(super) struct FaultRead {
    pub(super) code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<u64>,
    pub(super) found: String,
    pub(super) expected: String,
    /// None in receipts that were written before there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    pub(super) advice: String,
}

/// Where a quarantined file's bytes are.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default)]
pub(super) struct PlaceRead {
    pub(super) bucket: String,
    pub(super) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
}

impl PlaceRead {
    /// Returns the kind of bucket that a receipt names.
    pub(super) fn is_in_inbox(&self) -> bool {
        self.bucket == "inbox"
    }
}

/// A rule and how often it was broken.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default)]
pub(super) struct RuleRead {
    pub(super) rule: String,
    pub(super) severity: String,
    pub(super) column: Option<String>,
    pub(super) count: u64,
    pub(super) expected: String,
}

/// One broken rule at one record.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default)]
pub(super) struct ViolationRead {
    pub(super) line: Option<u64>,
    pub(super) record: u64,
    pub(super) column: Option<String>,
    pub(super) rule: String,
    pub(super) reason: String,
}

impl<S: Readable> StackView<S> {
    /// Finds a file by its id, by its load's, or by its key: then the newest version.
    pub(super) async fn find(&self, word: &str) -> Result<FoundFile, CommandError> {
        self.find_version(word, None).await
    }

    /// Returns one version of a file and its entry.
    pub(crate) async fn version_of(
        &self,
        word: &str,
        version: Option<&str>,
    ) -> Result<(FileId, Entry), CommandError> {
        self.find_version(word, version).await.map(|FoundFile { file, entry }| (file, entry))
    }

    /// Returns a file and its entry.
    pub(crate) async fn entry_of(&self, word: &str) -> Result<(FileId, Entry), CommandError> {
        self.find(word).await.map(|FoundFile { file, entry }| (file, entry))
    }

    /// Finds one version of a key, as [`StackView::find`] does. A version's name is computed from key and version: no
    /// list is read.
    pub(super) async fn find_version(
        &self,
        word: &str,
        version: Option<&str>,
    ) -> Result<FoundFile, CommandError> {
        let key = key_of(word);
        if key.is_empty() {
            return Err(CommandError::NotAFile { found: plain(word).into_owned() });
        }
        let id = match version {
            Some(version) => Some(self.id_of(key, version)),
            None => FileId::parse(word).or_else(|| LoadId::parse(word).map(|load| load.file())),
        };
        if let Some(file) = id {
            let entry = self.store.entry(&file).await.map_err(CommandError::Read)?;
            if let Some(entry) = entry {
                return Ok(FoundFile { file, entry });
            }
        }
        let (partner, feed) = feed_of(key).unwrap_or_else(|| (UNKNOWN.to_owned(), UNKNOWN.to_owned()));
        let newest = match version {
            Some(_) => None,
            None => self.versions(&partner, &feed, key, true).await?.into_iter().next(),
        };
        if let Some(file) = newest.map(|newest| newest.file) {
            let entry = self.store.entry(&file).await.map_err(CommandError::Read)?;
            if let Some(entry) = entry {
                return Ok(FoundFile { file, entry });
            }
        }
        let list = if partner == UNKNOWN { "files".to_owned() } else { format!("files --partner {partner}") };
        Err(CommandError::NoSuchFile {
            found: plain(word).into_owned(),
            stack: self.stack.as_str().to_owned(),
            list: self.stack.command(&list),
        })
    }

    fn id_of(&self, key: &str, version: &str) -> FileId {
        let (bucket, key, version) = (self.places.inbox.clone(), key.to_owned(), version.to_owned());
        FileId::of(&FileVersion { bucket, key, version, etag: None })
    }

    /// Returns the versions of a key that the ledger knows, newest first, among the newest 1,000 files of its feed.
    pub(super) async fn versions(
        &self,
        partner: &str,
        feed: &str,
        key: &str,
        one: bool,
    ) -> Result<Vec<ListedFile>, CommandError> {
        let query = FileQuery {
            partner: partner.to_owned(),
            feed: Some(feed.to_owned()),
            limit: PAGE,
            ..FileQuery::default()
        };
        let mut found = Vec::new();
        self.pages(query, MOST_PAGES, |listed| {
            if listed.key == key {
                found.push(listed);
            }
            !one || found.is_empty()
        })
        .await?;
        Ok(found)
    }

    /// Goes through a partner's files, newest first, until `take` returns `false`, the list ends, or the maximum
    /// number of pages was read. Returns where the list goes on.
    pub(super) async fn pages(
        &self,
        mut query: FileQuery,
        most: usize,
        mut take: impl FnMut(ListedFile) -> bool,
    ) -> Result<Option<FilePlace>, CommandError> {
        for _ in 0..most {
            let page = self.store.files(&query).await.map_err(CommandError::Read)?;
            for listed in page.files {
                let place = FilePlace { order: listed.order.clone(), file: listed.file.clone() };
                if !take(listed) {
                    return Ok(Some(place));
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        Ok(query.after)
    }

    /// Returns the decision on a file, or an error when there is none yet.
    pub(super) fn decided<'e>(&self, found: &'e FoundFile) -> Result<&'e Outcome, CommandError> {
        let outcome = found.entry.outcome.as_ref().filter(|_| found.entry.state.is_terminal());
        outcome.ok_or_else(|| CommandError::NotDecided {
            file: found.file.to_string(),
            show: self.stack.command(&format!("show {}", found.file)),
        })
    }

    /// Reads a receipt; `None` when it is not there or cannot be read.
    pub(super) async fn read_receipt(&self, key: &str) -> Result<Option<ReceiptRead>, CommandError> {
        if key.is_empty() {
            return Ok(None);
        }
        let document = self.store.document(key).await.map_err(CommandError::Read)?;
        Ok(document.and_then(|document| serde_json::from_slice(&document).ok()))
    }
}

/// Returns where the rejected records of a decided file are, in the form of its feed.
pub(super) fn rejects_key(outcome: &Outcome, receipt: &ReceiptRead) -> Option<String> {
    let folder = outcome.quarantine.as_deref().filter(|_| outcome.counts.rejects > 0)?;
    let form = receipt.rejects_form.as_deref().unwrap_or("csv");
    Some(format!("{folder}rejects.{form}"))
}

/// Returns whether the rows of a file in this state were visible and no longer are.
pub(super) fn was_visible(state: State) -> bool {
    matches!(state, State::Superseded | State::Retracted)
}

/// Returns a key as it is typed, also as an address.
pub(crate) fn key_of(word: &str) -> &str {
    let key = word.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    key.map_or(word, |(_bucket, key)| key)
}

fn feed_of(key: &str) -> Option<(String, String)> {
    let named = match runtime::Key::read(key) {
        runtime::Key::Folder(inner) => *inner,
        key => key,
    };
    match named {
        runtime::Key::File { partner, feed } => Some((partner, feed)),
        _ => None,
    }
}
