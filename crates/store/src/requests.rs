//! What the API notes in the partners table: limits that hold wherever a request arrives, idempotent requests, and
//! promised uploads.

use std::future::Future;

use crate::{Error, FileId, UploadId};

/// What a partner may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartnerLimits {
    /// Requests a second, over time. At least 1.
    pub requests_per_second: u32,
    /// Requests at once, after a pause. At least 1.
    pub burst: u32,
    /// Bytes of files in a day (UTC).
    pub bytes_per_day: u64,
}

impl PartnerLimits {
    /// The limits of a partner for which an operator set no others: 10 requests a second, 50 at once, 20 GiB a day.
    pub const DEFAULT: Self =
        Self { requests_per_second: 10, burst: 50, bytes_per_day: 20 * 1024 * 1024 * 1024 };

    /// Microseconds between requests at the steady rate, and how far ahead of it a burst may run.
    #[must_use]
    pub fn interval_and_tolerance_us(&self) -> (u64, u64) {
        let interval = 1_000_000 / u64::from(self.requests_per_second.clamp(1, 1_000_000));
        (interval, interval * u64::from(self.burst.max(1) - 1))
    }
}

/// Whether something was left to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It was, and now it is spent.
    Yes,
    /// The limit is used up; milliseconds until the next request is allowed.
    Wait {
        /// Until the same request passes.
        milliseconds: u64,
    },
}

/// A day in milliseconds: days are counted in UTC, without leap seconds, as Unix time is.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Returns the number of the day since the epoch, and how long it still lasts.
pub(crate) fn day(now_ms: u64) -> (u64, Spent) {
    (now_ms / DAY_MS, Spent::Wait { milliseconds: DAY_MS - now_ms % DAY_MS })
}

/// Returns the wait until a bucket whose next arrival is due at `arrival_us` takes one more.
pub(crate) fn until_taken(arrival_us: u64, tolerance_us: u64, now_us: u64) -> Spent {
    let wait_us = arrival_us.saturating_sub(tolerance_us).saturating_sub(now_us);
    Spent::Wait { milliseconds: wait_us.div_ceil(1_000).max(1) }
}

/// The name of an idempotent request: the partner, and SHA-256 of its `Idempotency-Key` as 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey {
    /// From the authorizer.
    pub partner: String,
    /// The hash of the header: a sender may write anything there.
    pub hash: String,
}

/// The response to a request, kept so that a repetition gets the same. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

/// How an idempotent request begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The caller is to carry it out: it is new, or the time of an earlier attempt is over.
    New,
    /// It was carried out: the answer it got.
    Answered(StoredResponse),
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
    /// Its id.
    pub id: UploadId,
    /// The partner that sends it.
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
    /// The file that it became, by its inbox version, once it is complete.
    pub version: Option<String>,
    /// Whether it was aborted.
    pub aborted: bool,
    /// When it was promised, milliseconds since the epoch.
    pub created_ms: u64,
    /// When the promise ends, milliseconds since the epoch.
    pub expires_ms: u64,
}

/// How long an item outlives its time, milliseconds: a day.
const KEPT_MS: u64 = DAY_MS;

/// Returns when an item whose time is `time_ms` ends.
pub(crate) fn kept_until_ms(time_ms: u64) -> u64 {
    time_ms.saturating_add(KEPT_MS)
}

/// Spends limits, and keeps requests and promised uploads. Each call is one conditional write (two at most). Items of
/// requests and uploads end by themselves a day after their time.
pub trait Requests: Sync {
    /// Takes one request from the partner's bucket. The generic cell rate algorithm (ITU-T I.371): one number, the
    /// theoretical arrival time of the next request, moved on by the interval of each request and never further than
    /// the tolerance ahead of now.
    fn take_request(
        &self,
        partner: &str,
        limits: &PartnerLimits,
        now_ms: u64,
    ) -> impl Future<Output = Result<Spent, Error>> + Send;
    /// Takes bytes from the partner's day (of `now_ms`, UTC); all of them or none. More than a whole day's bytes
    /// never pass.
    fn take_bytes(
        &self,
        partner: &str,
        limits: &PartnerLimits,
        bytes: u64,
        now_ms: u64,
    ) -> impl Future<Output = Result<Spent, Error>> + Send;
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
        answer: &StoredResponse,
        now_ms: u64,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Forgets a request that was rejected without effect, so that it may be sent again corrected.
    fn forget(&self, request: &RequestKey) -> impl Future<Output = Result<(), Error>> + Send;
    /// Keeps an upload's record.
    fn put_upload(&self, upload: &UploadRecord) -> impl Future<Output = Result<(), Error>> + Send;
    /// Returns an upload of this partner.
    fn upload_record(
        &self,
        partner: &str,
        id: &UploadId,
    ) -> impl Future<Output = Result<Option<UploadRecord>, Error>> + Send;
}
