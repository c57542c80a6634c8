//! Another bucket, from which an operator copies objects into the inbox. No function reaches it.

use std::future::Future;

use crate::{Current, Error, UploadId, VersionId};

/// The most bytes that one copy takes: 5 GiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
pub const MOST_COPIED_BYTES: u64 = 5 << 30;

/// An object as another bucket lists it. Deliberately without `Debug`: its key may be a patient's name.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceObject {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was last modified, milliseconds since the epoch.
    pub last_modified_ms: u64,
}

/// A page of objects.
pub struct SourcePage {
    /// The objects, by key.
    pub objects: Vec<SourceObject>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// The result of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopiedIn {
    /// The inbox has it as this version.
    Version(VersionId),
    /// Nothing was copied: the key has a current version, or the object is not what was listed any more. Look again.
    Conflict,
    /// Nothing was copied: the object is in an archive storage class.
    Archived,
}

/// Copies objects of another bucket into the inbox, server side. Nothing here replaces or deletes one.
pub trait CopyIntoInbox: Sync {
    /// Returns a page of at most 1,000 current objects of a bucket, of the keys that begin with a prefix (empty: of
    /// all).
    fn source_page(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Future<Output = Result<SourcePage, Error>> + Send;

    /// Returns the current version of a key of the inbox; `None` when there is none.
    fn copied(&self, key: &str) -> impl Future<Output = Result<Option<Current>, Error>> + Send;

    /// Copies an object of at most [`MOST_COPIED_BYTES`] to a key of the inbox that has no current version. The copy
    /// names the upload, so that a repeat finds its own.
    fn copy_in(
        &self,
        source: &SourceObject,
        key: &str,
        upload: &UploadId,
    ) -> impl Future<Output = Result<CopiedIn, Error>> + Send;
}
