//! Idempotent requests by conditional writes, and the records of uploads.

use super::super::entry::{Attributes, Reader, number, text};
use super::Door;
use super::limits::ends;
use super::table::{Key, Write, attributes};
use crate::door::{Answer, Begun, RequestKey, Requests, UploadId, UploadKind, UploadRecord};
use crate::file::name;
use crate::{Error, FileId, Operation};
use aws_sdk_dynamodb::types::AttributeValue;

/// Nobody began it, or it has ended, or whoever began it has not answered in time.
const BEGIN_CONDITION: &str = "attribute_not_exists(#pk) OR #ends <= :now_seconds OR \
    (attribute_not_exists(#status) AND #fingerprint = :fingerprint AND #until_ms <= :now)";
/// The first answer stays.
const ANSWER_CONDITION: &str = "attribute_not_exists(#pk) OR #ends <= :now_seconds OR \
    (attribute_not_exists(#status) AND #fingerprint = :fingerprint)";

impl Requests for Door {
    async fn begin(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Begun, Error> {
        let attempt = attempt()?;
        let item = by_request(request).item(attributes([
            ("fingerprint", text(fingerprint)),
            ("attempt", text(&attempt)),
            ("until_ms", number(until_ms)),
            ("ends", ends(until_ms)),
        ]));
        let values = attributes([
            (":fingerprint", text(fingerprint)),
            (":now", number(now_ms)),
            (":now_seconds", number(now_ms / 1_000)),
        ]);
        let write = self.table.put_if(Operation::KeepRequest, item, BEGIN_CONDITION, values).await?;
        let Write::Rejected(item) = write else { return Ok(Begun::Mine) };
        let kept = self.table.seen(Operation::KeepRequest, by_request(request), item).await?;
        // Forgotten since: whoever sends again finds nothing in the way.
        let Some(kept) = kept else { return Ok(Begun::Running) };
        begun(&kept, fingerprint, &attempt).ok_or_else(|| malformed(Operation::KeepRequest))
    }

    async fn answer(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        answer: &Answer,
        now_ms: u64,
    ) -> Result<(), Error> {
        let item = by_request(request).item(attributes([
            ("fingerprint", text(fingerprint)),
            ("status", number(answer.status)),
            ("body", text(&answer.body)),
            ("until_ms", number(now_ms)),
            ("ends", ends(now_ms)),
        ]));
        let values =
            attributes([(":fingerprint", text(fingerprint)), (":now_seconds", number(now_ms / 1_000))]);
        match self.table.put_if(Operation::KeepRequest, item, ANSWER_CONDITION, values).await? {
            Write::Made | Write::Rejected(_) => Ok(()),
        }
    }

    async fn forget(&self, request: &RequestKey) -> Result<(), Error> {
        self.table.delete(Operation::KeepRequest, by_request(request), Some("status")).await
    }

    async fn put_upload(&self, upload: &UploadRecord) -> Result<(), Error> {
        let item = by_upload(&upload.partner, &upload.id).item(upload_attributes(upload));
        self.table.put(Operation::KeepUpload, item).await
    }

    async fn upload_record(&self, partner: &str, id: &UploadId) -> Result<Option<UploadRecord>, Error> {
        let item = self.table.get(Operation::KeepUpload, by_upload(partner, id)).await?;
        let read =
            |item: Attributes| upload(&item, partner, id).ok_or_else(|| malformed(Operation::KeepUpload));
        item.map(read).transpose()
    }
}

/// A name for one beginning, so that one whose answer was lost and that is sent again knows itself.
fn attempt() -> Result<String, Error> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Error::new(Operation::KeepRequest, "no randomness"))?;
    Ok(name(&[&random], 26))
}

fn begun(kept: &Attributes, fingerprint: &str, attempt: &str) -> Option<Begun> {
    let read = Reader(kept);
    if read.text("fingerprint")? != fingerprint {
        return Some(Begun::Differs);
    }
    if let Some(status) = read.number("status") {
        return Some(Begun::Answered(Answer { status, body: read.text("body")? }));
    }
    Some(if read.text("attempt")? == attempt { Begun::Mine } else { Begun::Running })
}

fn by_request(request: &RequestKey) -> Key {
    Key::new(format!("request#{}", request.partner), &request.hash)
}

fn by_upload(partner: &str, id: &UploadId) -> Key {
    Key::new(format!("upload#{partner}"), id.as_str())
}

fn malformed(operation: Operation) -> Error {
    Error::new(operation, "malformed item")
}

fn upload_attributes(upload: &UploadRecord) -> Attributes {
    let UploadRecord { feed, key, bytes, sha256, kind, corrects, version, .. } = upload;
    let multipart = match kind {
        UploadKind::Single => None,
        UploadKind::Multipart(id) => Some(id.as_str()),
    };
    let mut item = attributes([
        ("feed", text(feed)),
        ("key", text(key)),
        ("bytes", number(*bytes)),
        ("aborted", AttributeValue::Bool(upload.aborted)),
        ("created_ms", number(upload.created_ms)),
        ("expires_ms", number(upload.expires_ms)),
        ("ends", ends(upload.expires_ms)),
    ]);
    let optional = [
        ("sha256", sha256.as_deref()),
        ("multipart", multipart),
        ("corrects", corrects.as_ref().map(FileId::as_str)),
        ("version", version.as_deref()),
    ];
    item.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value?)))));
    item
}

fn upload(item: &Attributes, partner: &str, id: &UploadId) -> Option<UploadRecord> {
    let read = Reader(item);
    Some(UploadRecord {
        id: id.clone(),
        partner: partner.to_owned(),
        feed: read.text("feed")?,
        key: read.text("key")?,
        bytes: read.number("bytes")?,
        sha256: read.text("sha256"),
        kind: read.text("multipart").map_or(UploadKind::Single, UploadKind::Multipart),
        corrects: read.text("corrects").as_deref().and_then(FileId::parse),
        version: read.text("version"),
        aborted: *item.get("aborted")?.as_bool().ok()?,
        created_ms: read.number("created_ms")?,
        expires_ms: read.number("expires_ms")?,
    })
}
