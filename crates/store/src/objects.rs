//! Objects: the inbox read by version, the quarantine written, contracts read.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::{Error, FileId, FileVersion, Rank, VersionId};

/// Bytes of a part of a streamed upload; S3 wants at least 5 MiB for all but the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(crate) const PART_BYTES: usize = 8 * 1024 * 1024;

/// Maximum number of versions that [`ReadContract::contract_versions`] gives.
pub const MOST_CONTRACT_VERSIONS: usize = 20;

/// Reads contracts: all that the door needs of them.
pub trait ReadContract: Sync {
    /// The newest version of the feed's contract; `None` when there is none, and when it was deleted.
    fn contract(&self, feed: &str) -> impl Future<Output = Result<Option<ContractObject>, Error>> + Send;

    /// The versions of the feed's contract, newest first, at most [`MOST_CONTRACT_VERSIONS`]. Versions from before the last
    /// deletion are left out: a deleted contract never comes back.
    fn contract_versions(&self, feed: &str) -> impl Future<Output = Result<Vec<VersionId>, Error>> + Send;

    /// One version of the feed's contract; `None` when that version does not exist.
    fn contract_version(
        &self,
        feed: &str,
        version: &str,
    ) -> impl Future<Output = Result<Option<ContractObject>, Error>> + Send;
}

/// Reads the inbox and the contracts, writes the quarantine. Nothing here can write or delete in the inbox.
pub trait Objects: ReadContract {
    /// The chunks of an opened object.
    type Body: Body;
    /// A streamed upload.
    type Upload: Upload;

    /// Opens one pinned version for reading from its first byte. "Not there" and "archived" are answers, not errors;
    /// access denied is an error (retry and alarm).
    fn open(&self, file: &FileVersion) -> impl Future<Output = Result<Opened<Self::Body>, Error>> + Send;

    /// All versions of exactly this key, newest first, delete markers left out.
    fn versions(&self, bucket: &str, key: &str)
    -> impl Future<Output = Result<Vec<VersionId>, Error>> + Send;

    /// Where this version stands in time among the versions of its key; `None` when the bucket does not hold it.
    fn rank(&self, file: &FileVersion) -> impl Future<Output = Result<Option<Rank>, Error>> + Send;

    /// Writes a whole object into the quarantine bucket. Writing it again writes the same.
    fn put(
        &self,
        key: &str,
        content_type: &str,
        body: Bytes,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Begins a streamed object in the quarantine bucket: nothing is visible before `finish`. While parts of it are stored
    /// it is among `open`.
    fn upload(&self, key: &str, content_type: &str, open: &OpenUploads) -> Self::Upload;

    /// Gives up each upload that is still among `open`, so that no parts of it stay. What fails here is left to the bucket's
    /// lifecycle rule, and so are the uploads of a process that dies.
    fn abort(&self, open: &OpenUploads) -> impl Future<Output = ()> + Send;

    /// Copies the pinned version into the quarantine bucket, server side, also above 5 GB. "Not there" and "archived"
    /// are answers here too. While parts of the copy are stored it is among `open`.
    fn keep_original(
        &self,
        file: &FileVersion,
        key: &str,
        open: &OpenUploads,
    ) -> impl Future<Output = Result<Original, Error>> + Send;
}

/// The uploads in parts that an attempt began and neither completed nor gave up. They outlive the attempt, which may be
/// stopped at any await. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct OpenUploads(Arc<Mutex<Vec<OpenUpload>>>);

/// An upload in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenUpload {
    pub(crate) key: String,
    pub(crate) id: String,
}

impl OpenUploads {
    pub(crate) fn add(&self, upload: OpenUpload) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(upload);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|upload| upload.id != id);
    }

    pub(crate) fn take(&self) -> Vec<OpenUpload> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
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

/// What became of the copy of an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Original {
    /// It is in the quarantine bucket (now or by an earlier attempt of ours).
    Copied,
    /// The version does not exist (any more).
    Gone,
    /// It is in an archive storage class, which S3 does not copy from: it stays in the inbox.
    Archived,
}

/// Chunks of an object, in order, complete: a body that breaks off is resumed or is an error, never a short file.
pub trait Body: Send {
    /// The next chunk; `None` after the last byte.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send;
}

/// A streamed object. Dropping it without `finish` leaves nothing visible; [`Objects::abort`] then removes what is stored.
pub trait Upload: Send {
    /// Appends bytes. Holds at most one part (8 MiB) in memory.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), Error>> + Send;
    /// Makes the object visible.
    fn finish(self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A version of a contract as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractObject {
    /// Its text.
    pub text: ContractText,
    /// Its version in the contracts bucket.
    pub version: VersionId,
    /// When it was published, milliseconds since the epoch.
    pub published_ms: u64,
}

/// The text of a contract, as far as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractText {
    /// All of it.
    Whole(Bytes),
    /// It has this many bytes, more than [`contract::MOST_DOCUMENT_BYTES`]; none of them was read.
    TooLong(u64),
}

/// Whether a contract of this many bytes is too long to be read.
pub(crate) fn is_too_long(length: u64) -> bool {
    !usize::try_from(length).is_ok_and(|length| length <= contract::MOST_DOCUMENT_BYTES)
}
