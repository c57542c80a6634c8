//! Uploads that go straight to S3: one signed PUT, or parts.
//!
//! A signature covers the key, the length, SHA-256 and the condition under the name, and lasts for minutes. A signed
//! PUT that was handed out cannot be taken back; it expires, and lands once ([`once`]).

mod once;
mod parts;

use std::collections::BTreeMap;

use ledger::FileId;
use runtime::format_instant;
use serde::{Deserialize, Serialize};
use store::{
    Condition, Current, Land, Presigned, SignedUpload, StoredResponse, UploadId, UploadKind, UploadRecord,
};

use crate::call::{ApiCall, name_of};
use crate::caller::OpenFeed;
use crate::event::ApiRequest;
use crate::files::{self, file_of, is_of, spend_bytes};
use crate::idempotency::{Begin, begin, end};
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;
use crate::{ApiStore, media, name};

use parts::plan;
pub(crate) use parts::{complete, sign_parts};
#[cfg(test)]
pub(crate) use {
    once::PresentFile,
    parts::{SentParts, SignedParts, WantedParts},
};

/// Maximum length of one PUT, bytes. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST_SINGLE_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// Maximum length of an object in parts, bytes.
pub(crate) const MOST_BYTES: u64 = 5 * 1024 * 1024 * 1024 * 1024;

/// A file that is to be uploaded
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct UploadWish {
    /// The exact length of the file. Above 5 GiB the upload comes in parts
    #[cfg_attr(test, schemars(range(max = MOST_BYTES)))]
    bytes: u64,
    /// SHA-256 of the file, 64 hexadecimal digits. Required unless the upload comes in parts
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::Sha256>"))]
    sha256: Option<String>,
    /// The file's name; without one the upload's id
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::FileName>"))]
    name: Option<String>,
    /// The media type of the file; not a form
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::MediaType>"))]
    content_type: Option<String>,
    /// The file that this one corrects
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::FileId>"))]
    corrects: Option<String>,
    /// Whether to upload in parts, each with a signed PUT of its own
    #[serde(default)]
    parts: bool,
}

/// A signed request, which needs no other credential
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedRequest {
    /// The HTTP method
    method: &'static str,
    /// The address, with the signature: a secret while it lasts
    url: String,
    /// Headers to send exactly as they are. One of those of a whole file is `if-none-match` or `if-match`: the
    /// request lands once; sent again, S3 answers 412 (`PreconditionFailed`)
    #[cfg_attr(test, schemars(with = "crate::openapi::Headers"))]
    headers: BTreeMap<String, String>,
    /// Seconds until the signature ends
    expires_seconds: u32,
}

impl From<Presigned> for SignedRequest {
    fn from(signed: Presigned) -> Self {
        Self {
            method: signed.method,
            url: signed.url,
            headers: signed.headers.into_iter().collect(),
            expires_seconds: signed.expires_seconds,
        }
    }
}

/// A promised upload: one signed PUT, or parts
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Promise<'a> {
    /// The upload's id
    #[cfg_attr(test, schemars(with = "crate::openapi::UploadId"))]
    upload: &'a str,
    /// The feed
    #[cfg_attr(test, schemars(with = "crate::openapi::FeedName"))]
    feed: &'a str,
    /// The file's name
    name: &'a str,
    /// The announced length
    bytes: u64,
    /// When the promise ends, an instant in UTC
    expires_at: String,
    /// Where the upload's state is read: a path on the same host
    status: String,
    /// The signed PUT; missing when the upload comes in parts
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "SignedRequest"))]
    put: Option<SignedRequest>,
    /// The length of each part but the last; missing with one signed PUT
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "u64"))]
    part_bytes: Option<u64>,
    /// The number of parts; missing with one signed PUT
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "u64"))]
    parts: Option<u64>,
}

/// The state of an upload
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadStatus<'a> {
    /// The upload's id
    #[cfg_attr(test, schemars(with = "crate::openapi::UploadId"))]
    upload: &'a str,
    /// `LANDED` when it became a file
    state: UploadState,
    /// The feed
    #[cfg_attr(test, schemars(with = "crate::openapi::FeedName"))]
    feed: &'a str,
    /// The file's name
    name: &'a str,
    /// The announced length
    bytes: u64,
    /// When the promise ends, an instant in UTC
    expires_at: String,
    /// The file that it became
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::FileId>"))]
    id: Option<String>,
    /// Where that file's state is read: a path on the same host
    status: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "UPPERCASE")]
enum UploadState {
    Open,
    Landed,
    Aborted,
    Expired,
}

/// Handles `POST /v1/feeds/{feed}/uploads`.
pub(crate) async fn open<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let feed = call.feed()?;
    let expected = "`bytes` and `sha256`, and optionally `name`, `contentType`, `corrects` and `parts`";
    let wish: UploadWish = ApiRequest::json(&call.body, expected)?;
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

/// Stores the record of the promise, or finds that of an earlier attempt, and answers with it; or answers that the
/// bytes are already there. The stored answer has no signed address: sent again, the request gets a new one, which
/// ends with the promise.
async fn promise<S: ApiStore>(
    call: &ApiCall<'_, S>,
    feed: OpenFeed<'_>,
    wanted: UploadRecord,
    content_type: &str,
    may_be_there: bool,
    unnamed: bool,
) -> Result<(ApiResponse, StoredResponse), RequestError> {
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
    let mut body = Promise {
        upload: record.id.as_str(),
        feed: &record.feed,
        name: name_of(&record.key),
        bytes: record.bytes,
        expires_at: format_instant(record.expires_ms),
        status: status.clone(),
        put: None,
        part_bytes: None,
        parts: None,
    };
    let kept = StoredResponse { status: 201, body: serde_json::json!({ "upload": body.upload }).to_string() };
    match &record.kind {
        UploadKind::Single => body.put = Some(sign(call, &record, content_type, seen.as_ref(), known).await?),
        UploadKind::Multipart(_) => {
            let plan = plan(record.bytes);
            body.part_bytes = Some(plan.part_bytes);
            body.parts = Some(plan.parts);
        }
    }
    Ok((ApiResponse::json(201, &body).with("location", status), kept))
}

async fn keep<S: ApiStore>(
    call: &ApiCall<'_, S>,
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

/// Signs the PUT of a promise, for as long as the promise lasts, under the condition that its name still is as it was
/// seen.
async fn sign<S: ApiStore>(
    call: &ApiCall<'_, S>,
    record: &UploadRecord,
    content_type: &str,
    seen: Option<&Current>,
    known: bool,
) -> Result<SignedRequest, RequestError> {
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

/// Returns the upload to S3 that a record describes.
fn land_of(record: &UploadRecord, content_type: &str, condition: Condition) -> Land {
    Land {
        key: record.key.clone(),
        upload: record.id.clone(),
        content_type: content_type.to_owned(),
        corrects: record.corrects.as_ref().map(FileId::to_string),
        condition,
    }
}

/// Returns the announced SHA-256 in lower case. A single PUT needs it, because S3 compares.
fn announced(wish: &UploadWish, in_parts: bool) -> Result<Option<String>, ProblemDetails> {
    let most = if in_parts { MOST_BYTES } else { MOST_SINGLE_BYTES };
    if wish.bytes > most {
        let detail = format!("the file has {} bytes; at most {most} can be uploaded: split it", wish.bytes);
        return Err(ProblemDetails::new(ProblemCode::TooLarge, detail));
    }
    if in_parts && wish.bytes == 0 {
        return Err(ProblemDetails::new(
            ProblemCode::InvalidBody,
            "`bytes` is 0: an empty file cannot be sent in parts; leave `parts` out",
        ));
    }
    match &wish.sha256 {
        None if in_parts => Ok(None),
        Some(text) if read_sha256(text).is_some() => Ok(Some(text.to_ascii_lowercase())),
        _ => Err(ProblemDetails::new(
            ProblemCode::InvalidBody,
            "`sha256` is missing or malformed: expected the SHA-256 of the file as 64 hexadecimal digits",
        )),
    }
}

/// Reads 64 hexadecimal digits.
fn read_sha256(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

/// Handles `GET /v1/uploads/{upload}`.
pub(crate) async fn read<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let record = record(call).await?;
    let current = has_landed(call, &record).await?;
    let state = match &current {
        Some(_) => UploadState::Landed,
        None if record.aborted => UploadState::Aborted,
        None if call.now_ms >= record.expires_ms => UploadState::Expired,
        None => UploadState::Open,
    };
    if let Some(current) = current.as_ref().filter(|_| record.version.is_none()) {
        // From now on the file's state can be read by its id.
        files::note(call, &record, current).await;
    }
    let id = current.map(|current| file_of(call, &record.key, &current));
    let body = UploadStatus {
        upload: record.id.as_str(),
        state,
        feed: &record.feed,
        name: name_of(&record.key),
        bytes: record.bytes,
        expires_at: format_instant(record.expires_ms),
        status: id.as_ref().map(|file| call.file_link(file)),
        id: id.map(|file| file.to_string()),
    };
    Ok(ApiResponse::json(200, &body))
}

/// Handles `DELETE /v1/uploads/{upload}`.
pub(crate) async fn abort<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
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
    Ok(ApiResponse::empty())
}

/// Reads the record of the upload that the path names.
async fn record<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<UploadRecord, RequestError> {
    let id = UploadId::parse(call.first()).ok_or_else(ProblemDetails::not_found)?;
    Ok(call.caller.upload(call.store.upload_record(call.caller.partner(), &id).await?)?)
}

/// Returns the version that an upload became.
async fn has_landed<S: ApiStore>(
    call: &ApiCall<'_, S>,
    record: &UploadRecord,
) -> Result<Option<Current>, RequestError> {
    match &record.version {
        // Versions of a bucket without versioning differ only by their entity tags.
        Some(version) if version != "null" => Ok(Some(Current {
            version: version.clone(),
            etag: String::new(),
            upload: Some(record.id.clone()),
            bytes: record.bytes,
        })),
        _ => Ok(call.store.landed_as(&record.key, &record.id).await?),
    }
}

fn closed(what: &str) -> ProblemDetails {
    ProblemDetails::new(
        ProblemCode::UploadClosed,
        format!("the upload {what}: open a new one, with a new idempotency key"),
    )
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
