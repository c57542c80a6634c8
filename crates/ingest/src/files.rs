//! A small file, sent as the body of a request; and how any bytes land under a name.

use serde::Serialize;
use sha2::{Digest, Sha256};
use store::door::{Answer, Condition, Current, DoorStore, Land, Landed, UploadId, UploadKind, UploadRecord};
use store::{Error, FileId, FileVersion, Operation};

use crate::call::{Call, name_of, seconds};
use crate::caller::OpenFeed;
use crate::idempotency::{Begin, begin, end};
use crate::problem::{Code, Problem, RequestError};
use crate::respond::Response;
use crate::{checksum, media, name};

/// How often is looked again when another upload under the name was faster.
const ROUNDS: u32 = 4;

/// A file that landed.
#[derive(Serialize)]
struct SentFile<'a> {
    id: &'a str,
    upload: &'a str,
    feed: &'a str,
    name: &'a str,
    bytes: u64,
    sha256: Option<&'a str>,
    status: String,
    receipt: String,
}

/// `POST /v1/feeds/{feed}/files`.
pub(crate) async fn send<S: DoorStore>(call: &Call<'_, S>) -> Result<Response, RequestError> {
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
            let answer = Answer { status: response.status, body: response.body.clone() };
            Ok((response, answer))
        }
    };
    end(call, attempt, ended).await
}

/// Puts the bytes under the key, whatever lands there at the same time. An attempt at an idempotent request finds what
/// an earlier attempt has put.
async fn put<S: DoorStore>(
    call: &Call<'_, S>,
    mut land: Land,
    sha256: &[u8; 32],
    unnamed: bool,
    may_be_there: bool,
) -> Result<(String, Current), RequestError> {
    let mut paid = false;
    for round in 0..ROUNDS {
        // A random name is free.
        if may_be_there || !unnamed || round > 0 {
            match place(call, &land.key, &land.upload, may_be_there || round > 0).await? {
                Place::Ours(current) => return Ok((land.key, current)),
                Place::Under(condition) => land.condition = condition,
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

/// The current version of a key, as an upload sees it.
pub(crate) enum Place {
    /// The bytes of this upload.
    Ours(Current),
    /// Nothing, or another version: the condition under which bytes land.
    Under(Condition),
}

/// Looks at a key. `again`: an earlier attempt may have put its bytes, and others may have come after them.
pub(crate) async fn place<S: DoorStore>(
    call: &Call<'_, S>,
    key: &str,
    upload: &UploadId,
    again: bool,
) -> Result<Place, Error> {
    let Some(current) = call.store.current(key).await? else { return Ok(Place::Under(Condition::Absent)) };
    if current.upload.as_ref() == Some(upload) {
        return Ok(Place::Ours(current));
    }
    if again && let Some(earlier) = call.store.landed_as(key, upload).await? {
        return Ok(Place::Ours(earlier));
    }
    Ok(Place::Under(Condition::Replaces(current.etag)))
}

pub(crate) fn name_conflict() -> Problem {
    Problem::new(
        Code::NameConflict,
        "other uploads under this name finish at the same time: send it again, or under another name",
    )
    .after(1)
}

/// Takes bytes from the partner's day.
pub(crate) async fn spend_bytes<S: DoorStore>(call: &Call<'_, S>, bytes: u64) -> Result<(), RequestError> {
    use store::door::Spent;
    let limits = call.caller.limits();
    match call.store.take_bytes(call.caller.partner(), limits, bytes, call.now_ms).await? {
        Spent::Yes => Ok(()),
        Spent::Wait { milliseconds } => {
            let most = limits.bytes_per_day;
            let detail = format!(
                "{bytes} more bytes exceed the partner's {most} bytes a day (UTC): send the file tomorrow, or ask the operator for more"
            );
            Err(Problem::new(Code::TooManyRequests, detail).after(seconds(milliseconds)).into())
        }
    }
}

/// The file that a version of an upload's key is.
pub(crate) fn file_of<S: DoorStore>(call: &Call<'_, S>, key: &str, current: &Current) -> FileId {
    FileId::of(&FileVersion {
        bucket: call.store.inbox().to_owned(),
        key: key.to_owned(),
        version: current.version.clone(),
        etag: Some(current.etag.clone()),
    })
}

/// The name under which it is noted that a file was received: until the processor has claimed it, its state is asked for
/// by the file's id.
pub(crate) fn received_as(file: &FileId) -> UploadId {
    UploadId::of(&[b"received", file.as_str().as_bytes()])
}

/// Notes that an upload became a file, under its own name and under the file's. It has landed whatever becomes of the
/// notes.
pub(crate) async fn note<S: DoorStore>(call: &Call<'_, S>, record: &UploadRecord, current: &Current) {
    let file = file_of(call, &record.key, current);
    let noted = UploadRecord { version: Some(current.version.clone()), ..record.clone() };
    for record in [UploadRecord { id: received_as(&file), ..noted.clone() }, noted] {
        if let Err(error) = call.store.put_upload(&record).await {
            call.overlook(&error);
        }
    }
}

/// The answer for a file that landed.
pub(crate) async fn landed<S: DoorStore>(
    call: &Call<'_, S>,
    record: &UploadRecord,
    current: &Current,
) -> Response {
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
    Response::json(202, &sent).with("location", status)
}

/// The answer of an earlier attempt.
fn replayed(answer: Answer) -> Response {
    let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let status = document.get("status").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    Response::text(answer.status, "application/json", answer.body)
        .with("location", status)
        .with("idempotency-replayed", "true")
}

/// Where an idempotent request that opens an upload finds it again.
pub(crate) fn is_of(record: &UploadRecord, feed: OpenFeed<'_>) -> bool {
    record.partner == feed.partner() && record.feed == feed.name()
}
