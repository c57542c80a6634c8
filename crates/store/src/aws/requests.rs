//! What the API notes in the partners table: limits and idempotent requests by conditional writes, and the records of
//! uploads.

use aws_sdk_dynamodb::types::AttributeValue;

use super::dynamodb::{
    Attributes, ItemKey, ItemReader, Update, Written, attributes, malformed, number, text,
};
use super::partners::PartnersTable;
use crate::requests::{day, kept_until_ms, until_taken};
use crate::{
    Begun, Error, FileId, Operation, PartnerLimits, RequestKey, Requests, Spent, StoredResponse, UploadId,
    UploadKind, UploadRecord,
};
use ledger::digest;

/// A bucket that is full or was never used: the next arrival is due an interval from now.
const FIRST: &str = "SET #arrival_us = :next, #ends = :ends";

const FIRST_CONDITION: &str = "attribute_not_exists(#arrival_us) OR #arrival_us <= :now";

/// A bucket that is partly used, and has remaining.
const NEXT: &str = "SET #ends = :ends ADD #arrival_us :interval";

const NEXT_CONDITION: &str = "#arrival_us <= :latest";

const BYTES: &str = "SET #ends = :ends ADD #bytes :bytes";

const BYTES_CONDITION: &str = "attribute_not_exists(#bytes) OR #bytes <= :remaining";

/// The request was not begun, or has ended, or its first attempt has not answered in time.
const BEGIN_CONDITION: &str = "attribute_not_exists(#pk) OR #ends <= :now_seconds OR \
    (attribute_not_exists(#status) AND #fingerprint = :fingerprint AND #until_ms <= :now)";

/// The first answer stays.
const ANSWER_CONDITION: &str = "attribute_not_exists(#pk) OR #ends <= :now_seconds OR \
    (attribute_not_exists(#status) AND #fingerprint = :fingerprint)";

impl<T: AsRef<PartnersTable> + Sync> Requests for T {
    async fn take_request(&self, partner: &str, limits: &PartnerLimits, now_ms: u64) -> Result<Spent, Error> {
        let (interval, tolerance) = limits.interval_and_tolerance_us();
        let now = now_ms.saturating_mul(1_000);
        let latest = now.saturating_add(tolerance);
        let key = ItemKey::sorted(format!("limit#{partner}"), "requests");
        let first = attributes([
            (":next", number(now.saturating_add(interval))),
            (":now", number(now)),
            (":ends", ends(now_ms)),
        ]);
        let Some(arrival) = self.as_ref().spend(&key, FIRST, FIRST_CONDITION, first).await? else {
            return Ok(Spent::Yes);
        };
        if arrival > latest {
            return Ok(until_taken(arrival, tolerance, now));
        }
        let next = attributes([
            (":interval", number(interval)),
            (":latest", number(latest)),
            (":ends", ends(now_ms)),
        ]);
        // Others may have taken what was left in between.
        Ok(match self.as_ref().spend(&key, NEXT, NEXT_CONDITION, next).await? {
            None => Spent::Yes,
            Some(arrival) => until_taken(arrival, tolerance, now),
        })
    }

    async fn take_bytes(
        &self,
        partner: &str,
        limits: &PartnerLimits,
        bytes: u64,
        now_ms: u64,
    ) -> Result<Spent, Error> {
        let (day, tomorrow) = day(now_ms);
        let Some(remaining) = limits.bytes_per_day.checked_sub(bytes) else { return Ok(tomorrow) };
        let key = ItemKey::sorted(format!("limit#{partner}"), format!("day#{day}"));
        let values = attributes([
            (":bytes", number(bytes)),
            (":remaining", number(remaining)),
            (":ends", ends(now_ms)),
        ]);
        let update = Update::new(Operation::Spend, key, BYTES).only_if(BYTES_CONDITION).values(values);
        let written = self.as_ref().table.update(update).await?;
        Ok(if written.is_made() { Spent::Yes } else { tomorrow })
    }

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
        let write = self.as_ref().table.put_if(Operation::KeepRequest, item, BEGIN_CONDITION, values).await?;
        let Written::Rejected(item) = write else { return Ok(Begun::New) };
        let read = |kept: &Attributes| begun(kept, fingerprint, &attempt);
        let begun = self.as_ref().table.seen(Operation::KeepRequest, by_request(request), item, read).await?;
        // Forgotten since: the request can be sent again.
        Ok(begun.unwrap_or(Begun::Running))
    }

    async fn answer(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        answer: &StoredResponse,
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
        let written = self.as_ref().table.put_if(Operation::KeepRequest, item, ANSWER_CONDITION, values);
        written.await.map(drop)
    }

    async fn forget(&self, request: &RequestKey) -> Result<(), Error> {
        self.as_ref().table.delete(Operation::KeepRequest, by_request(request), Some("status")).await
    }

    async fn put_upload(&self, upload: &UploadRecord) -> Result<(), Error> {
        let item = by_upload(&upload.partner, &upload.id).item(upload_attributes(upload));
        self.as_ref().table.put(Operation::KeepUpload, item).await
    }

    async fn upload_record(&self, partner: &str, id: &UploadId) -> Result<Option<UploadRecord>, Error> {
        let read = |item: &Attributes| upload(item, partner, id);
        self.as_ref().table.read(Operation::KeepUpload, by_upload(partner, id), read).await
    }
}

impl PartnersTable {
    /// Spends one request. Returns `None` when it is spent, otherwise when the next one arrives.
    async fn spend(
        &self,
        key: &ItemKey,
        expression: &str,
        condition: &str,
        values: Attributes,
    ) -> Result<Option<u64>, Error> {
        let operation = Operation::Spend;
        let update = Update::new(operation, key.clone(), expression).only_if(condition).values(values);
        let Written::Rejected(item) = self.table.update(update).await? else { return Ok(None) };
        let arrival = |item: &Attributes| ItemReader(item).number("arrival_us");
        let arrival = self.table.seen(operation, key.clone(), item, arrival).await?;
        arrival.map(Some).ok_or_else(|| malformed(operation))
    }
}

/// Returns when an item ends by itself, in seconds, as DynamoDB wants it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html>
fn ends(time_ms: u64) -> AttributeValue {
    number(kept_until_ms(time_ms) / 1_000)
}

/// Returns a name for one beginning, so that one whose answer was lost and that is sent again knows itself.
fn attempt() -> Result<String, Error> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Error::new(Operation::KeepRequest, "no randomness"))?;
    Ok(digest(&[&random], 26))
}

fn begun(kept: &Attributes, fingerprint: &str, attempt: &str) -> Option<Begun> {
    let read = ItemReader(kept);
    if read.text("fingerprint")? != fingerprint {
        return Some(Begun::Differs);
    }
    if let Some(status) = read.number("status") {
        return Some(Begun::Answered(StoredResponse { status, body: read.text("body")? }));
    }
    Some(if read.text("attempt")? == attempt { Begun::New } else { Begun::Running })
}

fn by_request(request: &RequestKey) -> ItemKey {
    ItemKey::sorted(format!("request#{}", request.partner), &request.hash)
}

fn by_upload(partner: &str, id: &UploadId) -> ItemKey {
    ItemKey::sorted(format!("upload#{partner}"), id.as_str())
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
    let read = ItemReader(item);
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

#[cfg(test)]
mod tests;
