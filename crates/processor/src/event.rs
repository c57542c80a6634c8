//! What woke the function, decoded once: keys, envelopes and orders leave here in their final form.
//!
//! Accepted: an SQS batch whose bodies are S3 notifications or EventBridge events, a bare S3 notification, and a bare
//! EventBridge event. Keys are URL-encoded in S3 notifications and not in EventBridge events.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>

use feed::decode_key;
use host::{Message, batch};
use serde::Deserialize;
use serde_json::Value;

use crate::order::{Order, parse_instant};

/// What woke the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A batch from the inbox queue.
    Queue(Vec<Message<Body>>),
    /// A notification without a queue: the caller retries.
    Direct(Vec<Notice>),
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Objects that were created. Empty for S3's test event and for events about other things than creation.
    Notices(Vec<Notice>),
    /// Nothing that this function knows.
    Unknown,
}

/// A hint that an object version was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The bucket that the event names; not yet checked.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// The version, when the event named one.
    pub version: Option<String>,
    /// The entity tag, when the event named one.
    pub etag: Option<String>,
    /// The order of this version, when the event told its time.
    pub order: Option<Order>,
}

/// The function was woken by something that it does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is neither an SQS batch nor an S3 notification nor an EventBridge S3 event")]
pub struct UnknownEvent;

impl Event {
    /// Decodes an invocation's event.
    pub fn decode(event: &Value) -> Result<Self, UnknownEvent> {
        if from_queue(event) {
            return batch(event, |text| Body::read(&text)).map(Self::Queue).ok_or(UnknownEvent);
        }
        notices(event).map(Self::Direct).ok_or(UnknownEvent)
    }
}

impl Body {
    fn read(text: &str) -> Self {
        let envelope: Option<Value> = serde_json::from_str(text).ok();
        envelope.and_then(|envelope| notices(&envelope)).map_or(Self::Unknown, Self::Notices)
    }
}

fn from_queue(event: &Value) -> bool {
    event.pointer("/Records/0/eventSource").and_then(Value::as_str) == Some("aws:sqs")
}

/// The notices of one envelope; `None` for an envelope that is none, or one with a record that cannot be read: a part
/// of a message cannot be acknowledged, so the whole message goes to the dead-letter queue.
fn notices(envelope: &Value) -> Option<Vec<Notice>> {
    if envelope.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Some(Vec::new());
    }
    if let Some(records) = envelope.get("Records").and_then(Value::as_array) {
        let read: Option<Vec<_>> = records.iter().map(notice).collect();
        return Some(read?.into_iter().flatten().collect());
    }
    if envelope.get("source").and_then(Value::as_str) == Some("aws.s3") {
        let bus = BusEvent::deserialize(envelope).ok()?;
        return Some(bus.created().into_iter().collect());
    }
    None
}

/// One record of an S3 notification: outer `None`, it is none; inner `None`, nothing was created.
#[expect(clippy::option_option, reason = "unreadable and uninteresting are two answers")]
fn notice(record: &Value) -> Option<Option<Notice>> {
    let record = S3Record::deserialize(record).ok()?;
    let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    if !name.starts_with("ObjectCreated:") {
        return Some(None);
    }
    let object = record.s3.object;
    let order = record
        .event_time
        .as_deref()
        .and_then(parse_instant)
        .map(|instant_ms| Order::new(instant_ms, object.sequencer.as_deref()));
    Some(Some(Notice {
        bucket: record.s3.bucket.name,
        key: decode_key(&object.key)?,
        version: object.version_id.filter(|version| !version.is_empty()),
        etag: object.e_tag.filter(|etag| !etag.is_empty()),
        order,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Record {
    event_name: String,
    event_time: Option<String>,
    s3: S3Part,
}

#[derive(Deserialize)]
struct S3Part {
    bucket: NamedBucket,
    object: S3Object,
}

#[derive(Deserialize)]
struct NamedBucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Object {
    key: String,
    version_id: Option<String>,
    e_tag: Option<String>,
    sequencer: Option<String>,
}

#[derive(Deserialize)]
struct BusEvent {
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: Option<String>,
    detail: BusDetail,
}

#[derive(Deserialize)]
struct BusDetail {
    bucket: NamedBucket,
    object: BusObject,
}

#[derive(Deserialize)]
struct BusObject {
    key: String,
    #[serde(rename = "version-id")]
    version_id: Option<String>,
    etag: Option<String>,
    sequencer: Option<String>,
}

impl BusEvent {
    fn created(self) -> Option<Notice> {
        if self.detail_type != "Object Created" {
            return None;
        }
        let object = self.detail.object;
        let order = self
            .time
            .as_deref()
            .and_then(parse_instant)
            .map(|instant_ms| Order::new(instant_ms, object.sequencer.as_deref()));
        Some(Notice {
            bucket: self.detail.bucket.name,
            key: object.key,
            version: object.version_id.filter(|version| !version.is_empty()),
            etag: object.etag.filter(|etag| !etag.is_empty()),
            order,
        })
    }
}

#[cfg(test)]
mod tests;
