//! Idempotent requests and promised uploads.

use std::future::Future;

use super::UploadId;
use crate::{Error, FileId};

/// The name of an idempotent request: the partner, and SHA-256 of its `Idempotency-Key` as 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey {
    /// From the authorizer.
    pub partner: String,
    /// The hash of the header: what a sender writes there is no name of ours.
    pub hash: String,
}

/// The answer to a request that is told again. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

/// How an idempotent request begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is ours to carry out: new, or begun by an attempt whose time is over.
    Mine,
    /// It was carried out: the answer it got.
    Answered(Answer),
    /// It is being carried out.
    Running,
    /// The key was used for another request.
    Differs,
}

/// How the bytes of a promised upload come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadKind {
    /// In one signed PUT.
    Single,
    /// In parts, under S3's own upload id.
    Multipart(String),
}

/// An upload that was promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRecord {
    /// Its name.
    pub id: UploadId,
    /// Whose it is.
    pub partner: String,
    /// The feed.
    pub feed: String,
    /// The key in the inbox that the bytes will have.
    pub key: String,
    /// Bytes that were announced.
    pub bytes: u64,
    /// SHA-256 of the whole, when announced, as 64 hexadecimal digits.
    pub sha256: Option<String>,
    /// How the bytes come.
    pub kind: UploadKind,
    /// The file that this one corrects.
    pub corrects: Option<FileId>,
    /// The file that it became, by its inbox version, once completed by us.
    pub version: Option<String>,
    /// Whether it was given up.
    pub aborted: bool,
    /// When it was promised, milliseconds since the epoch.
    pub created_ms: u64,
    /// When the promise ends, milliseconds since the epoch.
    pub expires_ms: u64,
}

/// How long an item outlives its time, milliseconds: a day.
const KEPT_MS: u64 = 24 * 60 * 60 * 1_000;

/// When an item whose time is `time_ms` ends.
pub(crate) fn kept_until_ms(time_ms: u64) -> u64 {
    time_ms.saturating_add(KEPT_MS)
}

/// Requests and promises. Items end by themselves a day after their time.
pub trait Requests: Sync {
    /// Begins a request: one conditional write. `fingerprint` is the hash of method, path and body.
    fn begin(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> impl Future<Output = Result<Begun, Error>> + Send;
    /// Keeps its answer, for a day.
    fn answer(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        answer: &Answer,
        now_ms: u64,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Forgets a request that was rejected without effect, so that it may be sent again corrected.
    fn forget(&self, request: &RequestKey) -> impl Future<Output = Result<(), Error>> + Send;
    /// Keeps an upload's record.
    fn put_upload(&self, upload: &UploadRecord) -> impl Future<Output = Result<(), Error>> + Send;
    /// An upload of this partner.
    fn upload_record(
        &self,
        partner: &str,
        id: &UploadId,
    ) -> impl Future<Output = Result<Option<UploadRecord>, Error>> + Send;
}
