//! The inbox bucket: versions of files, read one by one, listed, and written. Nothing here can delete.

use std::fmt;
use std::future::Future;

use bytes::Bytes;

use crate::{Error, FileId, FileVersion, Rank, VersionId};

/// How many versions of a key are looked through for the one that an upload made.
pub(crate) const MOST_VERSIONS: usize = 100;

/// Reads versions of files: what the processor needs of the inbox. It can write nothing.
pub trait ReadInbox: Sync {
    /// The chunks of an opened object.
    type Body: BodyChunks;

    /// Opens one pinned version for reading from its first byte. "Not there" and "archived" are answers, not errors;
    /// access denied is an error (retry and alarm).
    fn open(&self, file: &FileVersion) -> impl Future<Output = Result<Opened<Self::Body>, Error>> + Send;

    /// Returns all versions of exactly this key, newest first, delete markers left out.
    fn versions(&self, bucket: &str, key: &str)
    -> impl Future<Output = Result<Vec<VersionId>, Error>> + Send;

    /// Returns where this version stands in time among the versions of its key; `None` when the bucket does not hold
    /// it.
    fn rank(&self, file: &FileVersion) -> impl Future<Output = Result<Option<Rank>, Error>> + Send;
}

/// What opening an object found.
pub enum Opened<B> {
    /// The object.
    Body {
        /// Its stored length in bytes, from the answer and not from the event.
        length: u64,
        /// Last modified, milliseconds since the epoch.
        last_modified_ms: u64,
        /// The file that this one corrects, from its metadata; `None` also when that names no file.
        corrects: Option<FileId>,
        /// The chunks.
        body: B,
    },
    /// The version does not exist (any more).
    Gone,
    /// It is in an archive storage class.
    Archived,
}

/// Chunks of an object, in order, complete: a body that breaks off is resumed or is an error, never a short file.
pub trait BodyChunks: Send {
    /// Returns the next chunk; `None` after the last byte.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send;
}

/// The name of an upload: 26 lower-case base-32 characters, of the idempotency key or random.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId(String);

impl UploadId {
    /// Makes a name from 128 random bits, or from the hash of what makes the upload the same one.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        Self(ledger::digest(parts, 26))
    }

    /// Reads a name back; `None` for a text that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ledger::is_digest(text, 26).then(|| Self(text.to_owned()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What must be so for bytes to land: no two uploads under one name can both believe that they came first.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The key has no current version: `If-None-Match: *`.
    Absent,
    /// The key's current version has this entity tag (without quotes): `If-Match`.
    Replaces(String),
}

/// What lands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Land {
    /// The key: `<partner>/<feed>/<name>`.
    pub key: String,
    /// Which upload: kept as metadata `upload`, so that a repeat finds its own bytes.
    pub upload: UploadId,
    /// As sent, checked to be a media type; the contract and the bytes decide.
    pub content_type: String,
    /// The file that this one corrects: metadata `corrects`.
    pub corrects: Option<String>,
    /// What must be so.
    pub condition: Condition,
}

/// The current version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The version id (`null` without versioning).
    pub version: String,
    /// The entity tag, without quotes.
    pub etag: String,
    /// The upload that made it, when it came by the API.
    pub upload: Option<UploadId>,
    /// Its length in bytes.
    pub bytes: u64,
}

/// The result of writing bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landed {
    /// They are in the inbox as this version.
    Version {
        /// The version id (`null` without versioning).
        version: String,
        /// The entity tag, without quotes.
        etag: String,
    },
    /// The condition does not hold (412), or another write was under way (409): look again.
    Conflict,
    /// The bytes are not those that were announced, a part is missing, or the upload is not there any more:
    /// the sender's fault, with S3's code.
    Rejected(String),
}

/// A signed request that its holder may make without credentials. Deliberately without `Debug`: the address is a secret
/// while it lasts.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    /// `PUT` or `GET`.
    pub method: &'static str,
    /// The address.
    pub url: String,
    /// Headers that were signed and must be sent as they stand, without `host`.
    pub headers: Vec<(String, String)>,
    /// When it ends, seconds from now.
    pub expires_seconds: u32,
}

/// What a signed PUT allows: these bytes, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedUpload {
    /// Where and under which condition.
    pub land: Land,
    /// Exact length in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// What a signed part allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPart {
    /// The key.
    pub key: String,
    /// S3's upload id.
    pub multipart: String,
    /// 1 to 10,000.
    pub number: u16,
    /// Exact length in bytes.
    pub bytes: u64,
    /// SHA-256 of the part.
    pub sha256: [u8; 32],
}

/// A part that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPart {
    /// 1 to 10,000.
    pub number: u16,
    /// Its entity tag, as S3 answered it.
    pub etag: String,
    /// SHA-256 of the part.
    pub sha256: [u8; 32],
}

/// Puts bytes into the inbox. Nothing here can read the bytes of a file or delete one.
pub trait WriteInbox: Sync {
    /// Returns the inbox bucket's name.
    fn inbox(&self) -> &str;
    /// Returns the current version of a key; `None` when there is none.
    fn current(&self, key: &str) -> impl Future<Output = Result<Option<Current>, Error>> + Send;
    /// Finds the version of a key that an upload made, among its newest 100.
    fn landed_as(
        &self,
        key: &str,
        upload: &UploadId,
    ) -> impl Future<Output = Result<Option<Current>, Error>> + Send;
    /// Puts a small file, with its SHA-256 for S3 to check.
    fn land(
        &self,
        land: &Land,
        sha256: &[u8; 32],
        bytes: Bytes,
    ) -> impl Future<Output = Result<Landed, Error>> + Send;
    /// Signs a PUT for the sender. Makes no call.
    fn sign_upload(
        &self,
        upload: &SignedUpload,
        seconds: u32,
    ) -> impl Future<Output = Result<Presigned, Error>> + Send;
    /// Begins an upload in parts with SHA-256 of each; returns S3's upload id.
    fn begin_parts(&self, land: &Land) -> impl Future<Output = Result<String, Error>> + Send;
    /// Signs a part for the sender. Makes no call.
    fn sign_part(
        &self,
        part: &SignedPart,
        seconds: u32,
    ) -> impl Future<Output = Result<Presigned, Error>> + Send;
    /// Makes one object of the parts, under the condition.
    fn complete_parts(
        &self,
        land: &Land,
        multipart: &str,
        parts: &[UploadPart],
    ) -> impl Future<Output = Result<Landed, Error>> + Send;
    /// Gives an upload in parts up. One that is not there is given up.
    fn abort_parts(&self, key: &str, multipart: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A version as the inbox lists it. Deliberately without `Debug`: its key may be a patient's name.
#[derive(Clone, PartialEq, Eq)]
pub struct ListedVersion {
    /// Which; its entity tag only where that pins it.
    pub file: FileVersion,
    /// When it was made, milliseconds since the epoch.
    pub last_modified_ms: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl ListedVersion {
    /// Returns where the listing goes on after this version.
    #[must_use]
    pub fn place(&self) -> InboxPlace {
        InboxPlace { key: self.file.key.clone(), version: Some(self.file.version.clone()) }
    }
}

/// A place in the list of all versions: keys in the order of their bytes, each key's newest version first.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxPlace {
    /// The key of the last version.
    pub key: String,
    /// The last version; `None`: after all versions of the key.
    pub version: Option<String>,
}

/// A page of versions.
pub struct InboxPage {
    /// The versions, delete markers left out.
    pub versions: Vec<ListedVersion>,
    /// Where to go on; `None` at the end.
    pub next: Option<InboxPlace>,
}

/// Folders of one level of the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// Their names, in order, without the slash.
    pub names: Vec<String>,
    /// Whether all of them are here: a listing is given up after ten pages.
    pub complete: bool,
}

/// Lists the inbox: names and versions of files, never their bytes.
pub trait ListInbox: Sync {
    /// Returns a page of at most 1,000 versions of the inbox, of the keys that begin with a prefix (empty: of all).
    fn inbox_page(
        &self,
        prefix: &str,
        after: Option<&InboxPlace>,
    ) -> impl Future<Output = Result<InboxPage, Error>> + Send;
    /// Returns the partners that ever dropped files (`None`), or the feeds of one partner: folders of versions, so
    /// that those count whose files were deleted since. Names are as they stand in keys: anybody who may write into
    /// the inbox chose them.
    fn senders(&self, partner: Option<&str>) -> impl Future<Output = Result<Folders, Error>> + Send;
}
