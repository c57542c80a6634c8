//! Uploads that go straight to S3: one signed PUT, or parts.
//!
//! What is signed is pinned: the key, the length, SHA-256 and the condition under the name, for minutes. A signed PUT
//! that was handed out cannot be taken back; it ends by itself, and lands once ([`once`]).

mod once;
mod parts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::FileId;
use store::door::{
    Answer, Condition, Current, DoorStore, Land, Presigned, SignedUpload, UploadId, UploadKind, UploadRecord,
};

use crate::call::{Call, instant, name_of};
use crate::caller::OpenFeed;
use crate::event::Request;
use crate::files::{self, file_of, is_of, spend_bytes};
use crate::idempotency::{Begin, begin, end};
use crate::problem::{Code, Problem, RequestError};
use crate::respond::Response;
use crate::{media, name};

use parts::plan;
pub(crate) use parts::{MOST_SIGNED, complete, sign_parts};

/// The most bytes of one PUT. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST_SINGLE_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// The most bytes of an object in parts that the API promises.
pub(crate) const MOST_BYTES: u64 = 5 * 1024 * 1024 * 1024 * 1024;

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wish {
    bytes: u64,
    sha256: Option<String>,
    name: Option<String>,
    content_type: Option<String>,
    corrects: Option<String>,
    #[serde(default)]
    parts: bool,
}

/// A signed request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signed {
    method: &'static str,
    url: String,
    headers: BTreeMap<String, String>,
    expires_seconds: u32,
}

impl From<Presigned> for Signed {
    fn from(signed: Presigned) -> Self {
        Self {
            method: signed.method,
            url: signed.url,
            headers: signed.headers.into_iter().collect(),
            expires_seconds: signed.expires_seconds,
        }
    }
}

/// A promised upload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Promise<'a> {
    upload: &'a str,
    feed: &'a str,
    name: &'a str,
    bytes: u64,
    expires_at: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    put: Option<Signed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<u64>,
}

/// Where an upload stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UploadStatus<'a> {
    upload: &'a str,
    state: &'static str,
    feed: &'a str,
    name: &'a str,
    bytes: u64,
    expires_at: String,
    /// The file that it became.
    id: Option<String>,
    status: Option<String>,
}

/// `POST /v1/feeds/{feed}/uploads`.
pub(crate) async fn open<S: DoorStore>(call: &Call<'_, S>) -> Result<Response, RequestError> {
    let feed = call.feed()?;
    let expected = "`bytes` and `sha256`, and optionally `name`, `contentType`, `corrects` and `parts`";
    let wish: Wish = Request::json(&call.body, expected)?;
    wish.name.as_deref().map_or(Ok(()), name::check)?;
    let content_type = media::of_file(wish.content_type.as_deref())?;
    let in_parts = wish.parts || wish.bytes > MOST_SINGLE_BYTES;
    let sha256 = announced(&wish, in_parts)?;
    let terms = call.terms(feed).await?;
    terms.within_limit(wish.bytes)?;
    let corrects = call.corrected(feed, wish.corrects.as_deref()).await?;
    let begun = begin(call).await?;
    let id = begun.upload_id(call, feed);
    let (attempt, answered) = match begun {
        Begin::Answered(attempt, _) => (Some(attempt), true),
        Begin::New(attempt) => (attempt, false),
    };
    let wanted = UploadRecord {
        key: feed.key(wish.name.as_deref().unwrap_or(id.as_str())),
        id,
        partner: feed.partner().to_owned(),
        feed: feed.name().to_owned(),
        bytes: wish.bytes,
        sha256,
        kind: if in_parts { UploadKind::Multipart(String::new()) } else { UploadKind::Single },
        corrects,
        version: None,
        aborted: false,
        created_ms: call.now_ms,
        expires_ms: call.now_ms.saturating_add(if in_parts {
            call.settings.parts_ms
        } else {
            u64::from(call.settings.signed_seconds) * 1_000
        }),
    };
    let promised = promise(call, feed, wanted, &content_type, attempt.is_some(), wish.name.is_none()).await;
    if answered {
        return Ok(promised?.0.with("idempotency-replayed", "true"));
    }
    end(call, attempt, promised).await
}

/// Keeps the promise's record, or finds that of an earlier attempt, and tells it; or tells that the bytes are already there. What
/// is kept as the answer has no signed address in it: sent again, the request gets a new one, which ends with the promise.
async fn promise<S: DoorStore>(
    call: &Call<'_, S>,
    feed: OpenFeed<'_>,
    wanted: UploadRecord,
    content_type: &str,
    may_be_there: bool,
    unnamed: bool,
) -> Result<(Response, Answer), RequestError> {
    // A random name is free.
    let seen = if unnamed && !may_be_there { None } else { call.store.current(&wanted.key).await? };
    let in_parts = matches!(wanted.kind, UploadKind::Multipart(_));
    if let Some(current) = &seen
        && let Some(present) = once::present(call, &wanted, in_parts, current).await?
    {
        return Ok(present);
    }
    let earlier =
        if may_be_there { call.store.upload_record(feed.partner(), &wanted.id).await? } else { None };
    let (record, known) = match earlier.filter(|record| is_of(record, feed)) {
        Some(record) => (record, true),
        None => (keep(call, wanted, content_type).await?, false),
    };
    let status = call.link(&format!("/v1/uploads/{}", record.id));
    let mut told = Promise {
        upload: record.id.as_str(),
        feed: &record.feed,
        name: name_of(&record.key),
        bytes: record.bytes,
        expires_at: instant(record.expires_ms),
        status: status.clone(),
        put: None,
        part_bytes: None,
        parts: None,
    };
    let kept = Answer { status: 201, body: serde_json::json!({ "upload": told.upload }).to_string() };
    match &record.kind {
        UploadKind::Single => told.put = Some(sign(call, &record, content_type, seen.as_ref(), known).await?),
        UploadKind::Multipart(_) => {
            let plan = plan(record.bytes);
            told.part_bytes = Some(plan.part_bytes);
            told.parts = Some(plan.parts);
        }
    }
    Ok((Response::json(201, &told).with("location", status), kept))
}

async fn keep<S: DoorStore>(
    call: &Call<'_, S>,
    mut record: UploadRecord,
    content_type: &str,
) -> Result<UploadRecord, RequestError> {
    spend_bytes(call, record.bytes).await?;
    if matches!(record.kind, UploadKind::Multipart(_)) {
        // The condition counts when the parts are made one object.
        let land = land_of(&record, content_type, Condition::Absent);
        record.kind = UploadKind::Multipart(call.store.begin_parts(&land).await?);
    }
    call.store.put_upload(&record).await?;
    Ok(record)
}

/// Signs the PUT of a promise, for as long as the promise lasts, under the condition that its name still is as it was seen.
async fn sign<S: DoorStore>(
    call: &Call<'_, S>,
    record: &UploadRecord,
    content_type: &str,
    seen: Option<&Current>,
    known: bool,
) -> Result<Signed, RequestError> {
    let left = record.expires_ms.saturating_sub(call.now_ms) / 1_000;
    let seconds = u32::try_from(left).unwrap_or(u32::MAX).min(call.settings.signed_seconds);
    let sha256 = record.sha256.as_deref().and_then(read_sha256);
    let (false, Some(sha256), 1..) = (record.aborted, sha256, seconds) else {
        return Err(closed("was aborted or has expired").into());
    };
    let condition = match seen {
        None => Condition::Absent,
        // Others may have come after its bytes. A promise that is made now has none yet.
        Some(current)
            if current.upload.as_ref() == Some(&record.id)
                || known && call.store.landed_as(&record.key, &record.id).await?.is_some() =>
        {
            return Err(closed("has landed").into());
        }
        Some(current) => Condition::Replaces(current.etag.clone()),
    };
    let upload = SignedUpload { land: land_of(record, content_type, condition), bytes: record.bytes, sha256 };
    Ok(call.store.sign_upload(&upload, seconds).await?.into())
}

/// What lands for a record.
fn land_of(record: &UploadRecord, content_type: &str, condition: Condition) -> Land {
    Land {
        key: record.key.clone(),
        upload: record.id.clone(),
        content_type: content_type.to_owned(),
        corrects: record.corrects.as_ref().map(FileId::to_string),
        condition,
    }
}

/// The announced SHA-256 in lower case. One PUT needs it: S3 compares.
fn announced(wish: &Wish, in_parts: bool) -> Result<Option<String>, Problem> {
    let most = if in_parts { MOST_BYTES } else { MOST_SINGLE_BYTES };
    if wish.bytes > most {
        let detail = format!("the file has {} bytes; at most {most} can be uploaded: split it", wish.bytes);
        return Err(Problem::new(Code::TooLarge, detail));
    }
    if in_parts && wish.bytes == 0 {
        return Err(Problem::new(
            Code::InvalidBody,
            "`bytes` is 0: an empty file cannot be sent in parts; leave `parts` out",
        ));
    }
    match &wish.sha256 {
        None if in_parts => Ok(None),
        Some(text) if read_sha256(text).is_some() => Ok(Some(text.to_ascii_lowercase())),
        _ => Err(Problem::new(
            Code::InvalidBody,
            "`sha256` is missing or malformed: expected the SHA-256 of the file as 64 hexadecimal digits",
        )),
    }
}

/// Reads 64 hexadecimal digits.
fn read_sha256(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

/// `GET /v1/uploads/{upload}`.
pub(crate) async fn read<S: DoorStore>(call: &Call<'_, S>) -> Result<Response, RequestError> {
    let record = record(call).await?;
    let current = has_landed(call, &record).await?;
    let state = match &current {
        Some(_) => "LANDED",
        None if record.aborted => "ABORTED",
        None if call.now_ms >= record.expires_ms => "EXPIRED",
        None => "OPEN",
    };
    if let Some(current) = current.as_ref().filter(|_| record.version.is_none()) {
        // From now on the file's state can be asked for by its id.
        files::note(call, &record, current).await;
    }
    let id = current.map(|current| file_of(call, &record.key, &current));
    let told = UploadStatus {
        upload: record.id.as_str(),
        state,
        feed: &record.feed,
        name: name_of(&record.key),
        bytes: record.bytes,
        expires_at: instant(record.expires_ms),
        status: id.as_ref().map(|file| call.file_link(file)),
        id: id.map(|file| file.to_string()),
    };
    Ok(Response::json(200, &told))
}

/// `DELETE /v1/uploads/{upload}`.
pub(crate) async fn abort<S: DoorStore>(call: &Call<'_, S>) -> Result<Response, RequestError> {
    let record = record(call).await?;
    if has_landed(call, &record).await?.is_some() {
        return Err(closed("has landed").into());
    }
    if let UploadKind::Multipart(multipart) = &record.kind {
        call.store.abort_parts(&record.key, multipart).await?;
    }
    if !record.aborted {
        call.store.put_upload(&UploadRecord { aborted: true, ..record }).await?;
    }
    Ok(Response::empty())
}

/// The record of the upload that the path names.
async fn record<S: DoorStore>(call: &Call<'_, S>) -> Result<UploadRecord, RequestError> {
    let id = UploadId::parse(call.first()).ok_or_else(Problem::not_found)?;
    Ok(call.caller.upload(call.store.upload_record(call.caller.partner(), &id).await?)?)
}

/// The version that an upload became.
async fn has_landed<S: DoorStore>(
    call: &Call<'_, S>,
    record: &UploadRecord,
) -> Result<Option<Current>, RequestError> {
    match &record.version {
        // Only the entity tag tells versions of a bucket without versioning apart.
        Some(version) if version != "null" => Ok(Some(Current {
            version: version.clone(),
            etag: String::new(),
            upload: Some(record.id.clone()),
            bytes: record.bytes,
        })),
        _ => Ok(call.store.landed_as(&record.key, &record.id).await?),
    }
}

fn closed(what: &str) -> Problem {
    Problem::new(Code::UploadClosed, format!("the upload {what}: open a new one, with a new idempotency key"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_checksum_is_64_hexadecimal_digits() {
        let digits = "0123456789abcdefABCDEF0123456789012345678901234567890123456789ff";
        assert_eq!(read_sha256(digits).map(|bytes| (bytes[0], bytes[10], bytes[31])), Some((1, 0xef, 0xff)));
        let longer = format!("{digits}00");
        for text in ["", "00", "zz", &digits.replace('f', "g"), &longer, &"+1".repeat(32)] {
            assert_eq!(read_sha256(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_checksum_panics(text: String) {
            prop_assert_eq!(read_sha256(&text), None);
        }
    }
}
