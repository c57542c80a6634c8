//! A small file, sent as the body of a request, and how bytes land under a name.

use ledger::{FileId, FileVersion};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{
    Condition, Current, Error, Land, Landed, Operation, StoredResponse, UploadId, UploadKind, UploadRecord,
};

use crate::call::{ApiCall, name_of, seconds};
use crate::caller::OpenFeed;
use crate::idempotency::{Begin, begin, end};
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;
use crate::{ApiStore, checksum, media, name};

/// Maximum number of attempts when another upload under the name finishes first.
const ROUNDS: u32 = 4;

/// A file that landed and is going to be decided
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SentFile<'a> {
    /// The file's id
    #[cfg_attr(test, schemars(with = "crate::openapi::FileId"))]
    id: &'a str,
    /// The upload that brought it
    #[cfg_attr(test, schemars(with = "crate::openapi::UploadId"))]
    upload: &'a str,
    /// The feed
    #[cfg_attr(test, schemars(with = "crate::openapi::FeedName"))]
    feed: &'a str,
    /// The file's name
    name: &'a str,
    /// The length in bytes
    bytes: u64,
    /// SHA-256, when it is known
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::Sha256>"))]
    sha256: Option<&'a str>,
    /// Where the file's state is read: a path on the same host
    status: String,
    /// Where its receipt is read once it is decided: a path on the same host
    receipt: String,
}

/// Handles `POST /v1/feeds/{feed}/files`.
pub(crate) async fn send<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let feed = call.feed()?;
    let given = call.request.parameter("name");
    given.map_or(Ok(()), name::check)?;
    let content_type = media::of_file(call.request.header("content-type")?)?;
    let sha256: [u8; 32] = Sha256::digest(&call.body).into();
    checksum::verify(call.request, &call.body, &sha256)?;
    let terms = call.terms(feed).await?;
    terms.within_limit(call.body.len() as u64)?;
    let corrects = call.corrected(feed, call.request.parameter("corrects")).await?;
    let begun = begin(call).await?;
    let upload = begun.upload_id(call, feed);
    let attempt = match begun {
        Begin::Answered(_, answer) => return Ok(replayed(answer)),
        Begin::New(attempt) => attempt,
    };
    let land = Land {
        key: feed.key(given.unwrap_or(upload.as_str())),
        upload: upload.clone(),
        content_type,
        corrects: corrects.as_ref().map(FileId::to_string),
        condition: Condition::Absent,
    };
    let ended = match put(call, land, &sha256, given.is_none(), attempt.is_some()).await {
        Err(rejected) => Err(rejected),
        Ok((key, current)) => {
            let record = UploadRecord {
                id: upload,
                partner: feed.partner().to_owned(),
                feed: feed.name().to_owned(),
                key,
                bytes: call.body.len() as u64,
                sha256: Some(hex::encode(sha256)),
                kind: UploadKind::Single,
                corrects,
                version: None,
                aborted: false,
                created_ms: call.now_ms,
                expires_ms: call.now_ms,
            };
            let response = landed(call, &record, &current).await;
            let answer = StoredResponse { status: response.status, body: response.body.clone() };
            Ok((response, answer))
        }
    };
    end(call, attempt, ended).await
}

/// Puts the bytes under the key, also when others land there at the same time. An attempt at an idempotent request
/// finds the bytes of an earlier attempt.
async fn put<S: ApiStore>(
    call: &ApiCall<'_, S>,
    mut land: Land,
    sha256: &[u8; 32],
    unnamed: bool,
    may_be_there: bool,
) -> Result<(String, Current), RequestError> {
    let mut paid = false;
    for round in 0..ROUNDS {
        // A random name has no earlier version.
        if may_be_there || !unnamed || round > 0 {
            match key_state(call, &land.key, &land.upload, may_be_there || round > 0).await? {
                KeyState::Ours(current) => return Ok((land.key, current)),
                KeyState::Under(condition) => land.condition = condition,
            }
        }
        if !paid {
            spend_bytes(call, call.body.len() as u64).await?;
            paid = true;
        }
        match call.store.land(&land, sha256, call.body.clone()).await? {
            Landed::Version { version, etag } => {
                let upload = Some(land.upload);
                return Ok((land.key, Current { version, etag, upload, bytes: call.body.len() as u64 }));
            }
            Landed::Conflict => {}
            // The bytes are those that were hashed here: what S3 received was not what was sent.
            Landed::Rejected(code) => return Err(Error::new(Operation::Land, code).into()),
        }
    }
    Err(name_conflict().into())
}

/// The current version of a key, seen from an upload.
pub(crate) enum KeyState {
    /// The bytes of this upload.
    Ours(Current),
    /// Nothing, or another version: the condition under which bytes land.
    Under(Condition),
}

/// Reads the current version of a key. `again`: an earlier attempt may have put its bytes, and others may have
/// replaced them.
pub(crate) async fn key_state<S: ApiStore>(
    call: &ApiCall<'_, S>,
    key: &str,
    upload: &UploadId,
    again: bool,
) -> Result<KeyState, Error> {
    let Some(current) = call.store.current(key).await? else { return Ok(KeyState::Under(Condition::Absent)) };
    if current.upload.as_ref() == Some(upload) {
        return Ok(KeyState::Ours(current));
    }
    if again && let Some(earlier) = call.store.landed_as(key, upload).await? {
        return Ok(KeyState::Ours(earlier));
    }
    Ok(KeyState::Under(Condition::Replaces(current.etag)))
}

pub(crate) fn name_conflict() -> ProblemDetails {
    ProblemDetails::new(
        ProblemCode::NameConflict,
        "other uploads under this name finish at the same time: send it again, or under another name",
    )
    .after(1)
}

/// Charges bytes to the partner's daily limit.
pub(crate) async fn spend_bytes<S: ApiStore>(call: &ApiCall<'_, S>, bytes: u64) -> Result<(), RequestError> {
    use store::Spent;
    let limits = call.caller.limits();
    match call.store.take_bytes(call.caller.partner(), limits, bytes, call.now_ms).await? {
        Spent::Yes => Ok(()),
        Spent::Wait { milliseconds } => {
            let most = limits.bytes_per_day;
            let detail = format!(
                "{bytes} more bytes exceed the partner's {most} bytes a day (UTC): send the file tomorrow, or ask the operator for more"
            );
            Err(ProblemDetails::new(ProblemCode::TooManyRequests, detail).after(seconds(milliseconds)).into())
        }
    }
}

/// Returns the file id of a version of an upload's key.
pub(crate) fn file_of<S: ApiStore>(call: &ApiCall<'_, S>, key: &str, current: &Current) -> FileId {
    FileId::of(&FileVersion {
        bucket: call.store.inbox().to_owned(),
        key: key.to_owned(),
        version: current.version.clone(),
        etag: Some(current.etag.clone()),
    })
}

/// Returns the name of the record that a file was received: until the processor has claimed the file, its state is
/// read from it.
pub(crate) fn received_as(file: &FileId) -> UploadId {
    UploadId::of(&[b"received", file.as_str().as_bytes()])
}

/// Records that an upload became a file, under its own name and under the file's. A failure here changes nothing: the
/// file has landed.
pub(crate) async fn note<S: ApiStore>(call: &ApiCall<'_, S>, record: &UploadRecord, current: &Current) {
    let file = file_of(call, &record.key, current);
    let noted = UploadRecord { version: Some(current.version.clone()), ..record.clone() };
    for record in [UploadRecord { id: received_as(&file), ..noted.clone() }, noted] {
        if let Err(error) = call.store.put_upload(&record).await {
            call.overlook(&error);
        }
    }
}

/// Answers for a file that landed.
pub(crate) async fn landed<S: ApiStore>(
    call: &ApiCall<'_, S>,
    record: &UploadRecord,
    current: &Current,
) -> ApiResponse {
    note(call, record, current).await;
    let file = file_of(call, &record.key, current);
    let status = call.file_link(&file);
    let sent = SentFile {
        id: file.as_str(),
        upload: record.id.as_str(),
        feed: &record.feed,
        name: name_of(&record.key),
        bytes: record.bytes,
        sha256: record.sha256.as_deref(),
        receipt: format!("{status}/receipt"),
        status: status.clone(),
    };
    ApiResponse::json(202, &sent).with("location", status)
}

/// Repeats the answer of an earlier attempt.
fn replayed(answer: StoredResponse) -> ApiResponse {
    let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let status = document.get("status").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    ApiResponse::text(answer.status, "application/json", answer.body)
        .with("location", status)
        .with("idempotency-replayed", "true")
}

/// Returns whether a record belongs to this partner and feed.
pub(crate) fn is_of(record: &UploadRecord, feed: OpenFeed<'_>) -> bool {
    record.partner == feed.partner() && record.feed == feed.name()
}
