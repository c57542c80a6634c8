//! The inbox.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::signed::PresignedRequest;
use super::{CHUNK_BYTES, Memory, MemoryState, Version};
use crate::inbox::MOST_VERSIONS;
use crate::rank::{Descent, Made, is_in_parts};
use crate::{
    BodyChunks, Condition, Current, Error, FileId, FileVersion, Folders, InboxPage, InboxPlace, Land, Landed,
    ListInbox, ListedVersion, Opened, Operation, Presigned, Rank, ReadInbox, SignedPart, SignedUpload,
    UploadId, UploadPart, VersionId, WriteInbox,
};
use ledger::NULL_VERSION;

/// The bucket into which files are written by the API.
pub const INBOX: &str = "inbox";

/// Versions of a page unless [`Memory::pages_of`] says otherwise.
const PAGE: usize = 1_000;

/// Every part but the last has at least 5 MiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LEAST_PART_BYTES: usize = 5 * 1024 * 1024;

/// An upload in parts.
pub(super) struct OpenMultipart {
    land: Land,
    parts: BTreeMap<u16, StoredPart>,
}

/// A part as it was sent.
struct StoredPart {
    etag: String,
    sha256: [u8; 32],
    bytes: Bytes,
}

/// A version in the inbox, as a test sees it. Deliberately without `Debug`: it holds content.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxVersion {
    /// Which; ready to be processed.
    pub file: FileVersion,
    /// Its bytes.
    pub bytes: Bytes,
    /// Its content type; empty when it did not come by the API.
    pub content_type: String,
    /// The upload that made it, when it came by the API.
    pub upload: Option<UploadId>,
    /// The file that it corrects.
    pub corrects: Option<String>,
}

/// The bytes of an opened version.
pub struct MemoryBody {
    memory: Memory,
    rest: Bytes,
    chunk_bytes: usize,
}

impl MemoryBody {
    pub(super) fn new(memory: Memory, bytes: Bytes, chunk_bytes: usize) -> Self {
        Self { memory, rest: bytes, chunk_bytes }
    }
}

impl BodyChunks for MemoryBody {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let length = self.chunk_bytes.min(self.rest.len());
        let memory = self.memory.clone();
        let rest = &mut self.rest;
        memory
            .step(Operation::ReadObject, |_| if length == 0 { None } else { Some(rest.split_to(length)) })
            .await
    }
}

impl ReadInbox for Memory {
    type Body = MemoryBody;

    async fn open(&self, file: &FileVersion) -> Result<Opened<MemoryBody>, Error> {
        self.call(Operation::ReadObject, |kept| match kept.version(file) {
            None => Opened::Gone,
            Some(version) if version.archived => Opened::Archived,
            Some(version) => Opened::Body {
                length: version.bytes.len() as u64,
                last_modified_ms: version.last_modified_ms,
                corrects: version.corrects.as_deref().and_then(FileId::parse),
                body: MemoryBody::new(
                    self.clone(),
                    version.bytes.clone(),
                    kept.chunk_bytes.unwrap_or(CHUNK_BYTES),
                ),
            },
        })
        .await
    }

    async fn versions(&self, bucket: &str, key: &str) -> Result<Vec<VersionId>, Error> {
        self.call(Operation::ListVersions, |kept| {
            let versions = kept.inbox.get(&(bucket.to_owned(), key.to_owned()));
            versions.into_iter().flatten().map(|version| version.id.clone()).collect()
        })
        .await
    }

    async fn rank(&self, file: &FileVersion) -> Result<Option<Rank>, Error> {
        self.call(Operation::RankVersion, |kept| {
            let place = kept.version(file)?.id.clone();
            let versions = kept.inbox.get(&(file.bucket.clone(), file.key.clone()))?;
            let mut older = versions.iter().skip_while(|version| version.id != place).map(made);
            let mut descent = Descent::new(older.next()?);
            while older.next().is_some_and(|next| descent.take(next)) {}
            Some(descent.rank())
        })
        .await
    }
}

impl WriteInbox for Memory {
    fn inbox(&self) -> &str {
        INBOX
    }

    async fn current(&self, key: &str) -> Result<Option<Current>, Error> {
        self.call(Operation::FindVersion, |kept| kept.of_key(key).first().map(current)).await
    }

    async fn landed_as(&self, key: &str, upload: &UploadId) -> Result<Option<Current>, Error> {
        self.call(Operation::FindVersion, |kept| {
            let mut newest = kept.of_key(key).iter().take(MOST_VERSIONS);
            newest.find(|version| version.upload.as_ref() == Some(upload)).map(current)
        })
        .await
    }

    async fn land(&self, land: &Land, sha256: &[u8; 32], bytes: Bytes) -> Result<Landed, Error> {
        self.call(Operation::Land, |kept| kept.land_checked(land, sha256, bytes)).await
    }

    async fn sign_upload(&self, upload: &SignedUpload, seconds: u32) -> Result<Presigned, Error> {
        Ok(self.sign(PresignedRequest::Upload(upload.clone()), seconds))
    }

    async fn begin_parts(&self, land: &Land) -> Result<String, Error> {
        self.call(Operation::LandParts, |kept| {
            let id = format!("multipart-{}", kept.next_version());
            let multipart = OpenMultipart { land: land.clone(), parts: BTreeMap::new() };
            kept.multiparts.insert(id.clone(), multipart);
            id
        })
        .await
    }

    async fn sign_part(&self, part: &SignedPart, seconds: u32) -> Result<Presigned, Error> {
        Ok(self.sign(PresignedRequest::Part(part.clone()), seconds))
    }

    async fn complete_parts(
        &self,
        land: &Land,
        multipart: &str,
        parts: &[UploadPart],
    ) -> Result<Landed, Error> {
        self.call(Operation::LandParts, |kept| kept.complete(land, multipart, parts)).await
    }

    async fn abort_parts(&self, key: &str, multipart: &str) -> Result<(), Error> {
        self.call(Operation::LandParts, |kept| {
            if kept.multiparts.get(multipart).is_some_and(|found| found.land.key == key) {
                kept.multiparts.remove(multipart);
            }
        })
        .await
    }
}

impl ListInbox for Memory {
    async fn inbox_page(&self, prefix: &str, after: Option<&InboxPlace>) -> Result<InboxPage, Error> {
        self.call(Operation::ListInbox, |kept| kept.page(prefix, after)).await
    }

    async fn senders(&self, partner: Option<&str>) -> Result<Folders, Error> {
        self.call(Operation::ListInbox, |kept| {
            let prefix = partner.map(|partner| format!("{partner}/")).unwrap_or_default();
            let keys =
                kept.inbox.iter().filter(|((bucket, _), versions)| bucket == INBOX && !versions.is_empty());
            let below = keys.filter_map(|((_, key), _)| key.strip_prefix(&prefix)?.split_once('/'));
            let names: BTreeSet<_> =
                below.map(|(folder, _)| folder).filter(|folder| !folder.is_empty()).collect();
            Folders { names: names.into_iter().map(str::to_owned).collect(), complete: true }
        })
        .await
    }
}

/// What tests see of the inbox. None of it is a counted call.
impl Memory {
    /// Returns the versions in [`INBOX`], by key, each key's oldest first.
    #[must_use]
    pub fn inbox_versions(&self) -> Vec<InboxVersion> {
        let kept = self.kept();
        let of_inbox = kept.inbox.iter().filter(|((bucket, _), _)| bucket == INBOX);
        let versions = of_inbox.flat_map(|((bucket, key), versions)| {
            versions.iter().rev().map(move |version| InboxVersion {
                file: FileVersion {
                    bucket: bucket.clone(),
                    key: key.clone(),
                    version: version.id.clone(),
                    etag: Some(version.etag.clone()),
                },
                bytes: version.bytes.clone(),
                content_type: version.content_type.clone(),
                upload: version.upload.clone(),
                corrects: version.corrects.clone(),
            })
        });
        versions.collect()
    }

    /// Returns how many uploads in parts are neither completed nor given up.
    #[must_use]
    pub fn open_multiparts(&self) -> usize {
        self.kept().multiparts.len()
    }

    /// Returns the ids of the files in [`INBOX`], by key, each key's oldest first.
    #[must_use]
    pub fn inbox_files(&self) -> Vec<FileId> {
        self.inbox_versions().iter().map(|version| FileId::of(&version.file)).collect()
    }

    /// Makes pages of the inbox have this number of versions (at least 1).
    pub fn pages_of(&self, versions: usize) {
        self.kept().page_versions = Some(versions.max(1));
    }

    /// Says when a version was made.
    pub fn made_at(&self, file: &FileVersion, last_modified_ms: u64) {
        let mut kept = self.kept();
        let versions = kept.inbox.get_mut(&(file.bucket.clone(), file.key.clone()));
        for version in versions.into_iter().flatten().filter(|version| version.id == file.version) {
            version.last_modified_ms = last_modified_ms;
        }
    }
}

pub(super) fn current(version: &Version) -> Current {
    Current {
        version: version.id.clone(),
        etag: version.etag.clone(),
        upload: version.upload.clone(),
        bytes: version.bytes.len() as u64,
    }
}

impl MemoryState {
    /// Returns the versions of a key of the inbox, newest first.
    fn of_key(&self, key: &str) -> &[Version] {
        self.inbox.get(&(INBOX.to_owned(), key.to_owned())).map_or(&[], Vec::as_slice)
    }

    pub(super) fn land_checked(&mut self, land: &Land, sha256: &[u8; 32], bytes: Bytes) -> Landed {
        if Sha256::digest(&bytes).as_slice() != sha256 {
            return Landed::Rejected("BadDigest".to_owned());
        }
        self.land_under(land, bytes)
    }

    fn land_under(&mut self, land: &Land, bytes: Bytes) -> Landed {
        let seen = self.of_key(&land.key).first().map(|version| version.etag.as_str());
        let holds = match &land.condition {
            Condition::Absent => seen.is_none(),
            Condition::Replaces(etag) => seen == Some(etag),
        };
        if !holds {
            return Landed::Conflict;
        }
        let file = self.land(INBOX, &land.key, bytes, true);
        let name = (INBOX.to_owned(), land.key.clone());
        if let Some(version) = self.inbox.get_mut(&name).and_then(|versions| versions.first_mut()) {
            version.content_type.clone_from(&land.content_type);
            version.upload = Some(land.upload.clone());
            version.corrects.clone_from(&land.corrects);
        }
        Landed::Version { version: file.version, etag: file.etag.unwrap_or_default() }
    }

    fn complete(&mut self, land: &Land, multipart: &str, parts: &[UploadPart]) -> Landed {
        let rejected = |code: &str| Landed::Rejected(code.to_owned());
        let begun = self.multiparts.get(multipart).filter(|begun| begun.land.key == land.key);
        let Some(begun) = begun else { return rejected("NoSuchUpload") };
        if parts.is_empty() {
            return rejected("MalformedXML");
        }
        if !parts.is_sorted_by(|a, b| a.number < b.number) {
            return rejected("InvalidPartOrder");
        }
        let mut whole = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let same = |sent: &&StoredPart| sent.etag == part.etag && sent.sha256 == part.sha256;
            let Some(sent) = begun.parts.get(&part.number).filter(same) else {
                return rejected("InvalidPart");
            };
            if index + 1 < parts.len() && sent.bytes.len() < LEAST_PART_BYTES {
                return rejected("EntityTooSmall");
            }
            whole.extend_from_slice(&sent.bytes);
        }
        // The object's type and metadata are those with which the upload was begun.
        let land = Land { condition: land.condition.clone(), ..begun.land.clone() };
        let landed = self.land_under(&land, whole.into());
        if matches!(landed, Landed::Version { .. }) {
            self.multiparts.remove(multipart);
        }
        landed
    }

    /// Takes a part; its entity tag, or S3's code.
    pub(super) fn take_part(&mut self, part: &SignedPart, bytes: Bytes) -> Result<String, &'static str> {
        if Sha256::digest(&bytes).as_slice() != part.sha256 {
            return Err("BadDigest");
        }
        let begun = self.multiparts.get_mut(&part.multipart);
        let begun = begun.filter(|begun| begun.land.key == part.key).ok_or("NoSuchUpload")?;
        let etag = ledger::digest(&[&bytes], 32);
        begun.parts.insert(part.number, StoredPart { etag: etag.clone(), sha256: part.sha256, bytes });
        Ok(etag)
    }
}

impl MemoryState {
    fn page(&self, prefix: &str, after: Option<&InboxPlace>) -> InboxPage {
        let most = self.page_versions.unwrap_or(PAGE);
        let keys = self.inbox.iter().filter(|((bucket, key), _)| bucket == INBOX && key.starts_with(prefix));
        let mut rest = keys.flat_map(|((_, key), versions)| unseen(key, versions, after));
        let versions: Vec<_> = rest.by_ref().take(most).collect();
        let next = rest.next().and(versions.last()).map(ListedVersion::place);
        InboxPage { versions, next }
    }
}

/// Returns the versions of a key that come after a place. After a version that was deleted meanwhile the key begins
/// anew: what was seen is seen again, and nothing is left out.
fn unseen(key: &str, versions: &[Version], after: Option<&InboxPlace>) -> Vec<ListedVersion> {
    let rest = match after {
        Some(place) if key < place.key.as_str() => &[],
        Some(InboxPlace { key: last, version }) if key == last => match version {
            None => &[],
            Some(last) => {
                let seen =
                    versions.iter().position(|version| version.id == *last).map_or(0, |place| place + 1);
                versions.get(seen..).unwrap_or_default()
            }
        },
        _ => versions,
    };
    rest.iter().map(|version| listed_version(key, version)).collect()
}

fn listed_version(key: &str, version: &Version) -> ListedVersion {
    let etag = (version.id == NULL_VERSION).then(|| version.etag.clone());
    let file =
        FileVersion { bucket: INBOX.to_owned(), key: key.to_owned(), version: version.id.clone(), etag };
    ListedVersion { file, last_modified_ms: version.last_modified_ms, bytes: version.bytes.len() as u64 }
}

/// Returns a version as the bucket's list shows it.
fn made(version: &Version) -> Made {
    Made { last_modified_ms: version.last_modified_ms, in_parts: is_in_parts(&version.etag) }
}

#[cfg(test)]
mod tests;
