//! The quarantine bucket: originals, rejects, reports and receipts.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::{BodyChunks, Error, FileVersion, Presigned};

/// Bytes of a part of a streamed upload; S3 wants at least 5 MiB for all but the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(crate) const PART_BYTES: usize = 8 * 1024 * 1024;

/// Reads what the processor wrote.
pub trait ReadQuarantine: Sync {
    /// The chunks of an object.
    type Body: BodyChunks;

    /// Returns a receipt or another value-free document of the quarantine bucket; `None` when it is not there.
    fn document(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send;
    /// Opens an object of the quarantine bucket, which may hold what a partner sent; `None` when it is not there.
    fn open_kept(&self, key: &str) -> impl Future<Output = Result<Option<Self::Body>, Error>> + Send;
    /// Signs a GET of an object of the quarantine bucket, saved under a name. Makes no call.
    fn sign_download(
        &self,
        key: &str,
        file_name: &str,
        seconds: u32,
    ) -> impl Future<Output = Result<Presigned, Error>> + Send;
}

/// Writes under keys that are computed from the file: writing again writes the same.
pub trait WriteQuarantine: Sync {
    /// A streamed upload.
    type Upload: Upload;

    /// Writes a whole object into the quarantine bucket. Writing it again writes the same.
    fn put(
        &self,
        key: &str,
        content_type: &str,
        body: Bytes,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Begins a streamed object in the quarantine bucket: nothing is visible before `finish`. While parts of it are
    /// stored it is among `open`.
    fn upload(&self, key: &str, content_type: &str, open: &OpenUploads) -> Self::Upload;

    /// Gives up each upload that is still among `open`, so that no parts of it stay. What fails here is left to the
    /// bucket's lifecycle rule, and so are the uploads of a process that dies.
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

/// The result of copying an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Original {
    /// It is in the quarantine bucket (now or by an earlier attempt).
    Copied,
    /// The version does not exist (any more).
    Gone,
    /// It is in an archive storage class, which S3 does not copy from: it stays in the inbox.
    Archived,
}

/// A streamed object. Dropping it without `finish` leaves nothing visible; [`WriteQuarantine::abort`] then removes
/// what is stored.
pub trait Upload: Send {
    /// Appends bytes. Holds at most one part (8 MiB) in memory.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), Error>> + Send;
    /// Makes the object visible.
    fn finish(self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Returns the `Content-Disposition` under which a browser saves an object: a name of letters, digits, points,
/// hyphens and underscores, all else replaced, so that it needs no quoting rule (RFC 6266).
pub(crate) fn attachment(file_name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let name: String = file_name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    format!("attachment; filename=\"{name}\"")
}
