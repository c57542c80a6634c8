//! Requests that may be sent again: the header `Idempotency-Key`.
//! <https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header>
//!
//! The key and the hash of the request name the upload that it makes. A repeated request therefore finds its own
//! bytes and gets the same answer, also after a crash.

use sha2::{Digest, Sha256};
use store::{Begun, RequestKey, StoredResponse, UploadId};

use crate::ApiStore;
use crate::call::{ApiCall, seconds};
use crate::caller::OpenFeed;
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;

/// The longest key, in characters.
pub(crate) const KEY_CHARACTERS: usize = 255;

/// One attempt at an idempotent request.
pub(crate) struct RequestAttempt {
    key: RequestKey,
    fingerprint: String,
}

/// How a request begins.
pub(crate) enum Begin {
    /// It is to be carried out; with an attempt if it may be sent again.
    New(Option<RequestAttempt>),
    /// It was carried out.
    Answered(RequestAttempt, StoredResponse),
}

impl Begin {
    /// Returns the name of the upload that the request makes: random where it may not be sent again.
    pub(crate) fn upload_id<S: ApiStore>(&self, call: &ApiCall<'_, S>, feed: OpenFeed<'_>) -> UploadId {
        match self {
            Self::New(Some(attempt)) | Self::Answered(attempt, _) => {
                feed.upload_id(&attempt.key, &attempt.fingerprint)
            }
            Self::New(None) => UploadId::of(&[&(call.host.random)()]),
        }
    }
}

/// Begins the request under its key, when it has one.
pub(crate) async fn begin<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<Begin, RequestError> {
    let Some(key) = call.request.header("idempotency-key")? else { return Ok(Begin::New(None)) };
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > KEY_CHARACTERS || !visible {
        let detail = "the header idempotency-key is malformed: expected 1 to 255 visible ASCII characters";
        return Err(ProblemDetails::new(ProblemCode::InvalidHeader, detail).into());
    }
    let key = call.caller.request_key(hex::encode(Sha256::digest(key.as_bytes())));
    let attempt = RequestAttempt { key, fingerprint: fingerprint(call) };
    let until_ms = call.now_ms.saturating_add(call.settings.attempt_ms);
    match call.store.begin(&attempt.key, &attempt.fingerprint, call.now_ms, until_ms).await? {
        Begun::New => Ok(Begin::New(Some(attempt))),
        Begun::Answered(answer) => Ok(Begin::Answered(attempt, answer)),
        Begun::Running => {
            let detail = "the same request is still running: send it again later, unchanged";
            Err(ProblemDetails::new(ProblemCode::RequestRunning, detail)
                .after(seconds(call.settings.attempt_ms / 10))
                .into())
        }
        Begun::Differs => {
            let detail = "this idempotency key was used for another request: use a new key for each request";
            Err(ProblemDetails::new(ProblemCode::IdempotencyKeyReused, detail).into())
        }
    }
}

/// Ends the attempt: stores the answer, or forgets a request that was rejected, so that it may be sent again
/// corrected. The effect does not depend on this record, so a failure here changes no answer.
pub(crate) async fn end<S: ApiStore>(
    call: &ApiCall<'_, S>,
    attempt: Option<RequestAttempt>,
    ended: Result<(ApiResponse, StoredResponse), RequestError>,
) -> Result<ApiResponse, RequestError> {
    let Some(RequestAttempt { key, fingerprint }) = attempt else {
        return ended.map(|(response, _)| response);
    };
    let noted = match &ended {
        Ok((_, answer)) => call.store.answer(&key, &fingerprint, answer, call.now_ms).await,
        Err(_) => call.store.forget(&key).await,
    };
    if let Err(error) = noted {
        call.overlook(&error);
    }
    ended.map(|(response, _)| response)
}

/// Returns the SHA-256 of operation, path, query and body, each after its length.
fn fingerprint<S: ApiStore>(call: &ApiCall<'_, S>) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    add(call.operation.as_bytes());
    for segment in call.captured {
        add(segment.as_bytes());
    }
    for (name, value) in &call.request.query {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    add(&Sha256::digest(&call.body));
    hex::encode(hash.finalize())
}
