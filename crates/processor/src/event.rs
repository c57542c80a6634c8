//! What woke the function, decoded once: keys, envelopes and instants leave here in their final form.
//!
//! Accepted: an SQS batch whose bodies are S3 notifications, EventBridge events or requests of an operator, a bare S3
//! notification, and a bare EventBridge event. Keys are URL-encoded in S3 notifications and not in EventBridge events.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
//!
//! The shapes are those of `aws_lambda_events`. Its errors may repeat a part of the event, so they end here.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::s3::S3Entity;
use runtime::decode_key;
use runtime::notification::NotificationAuthor;
use runtime::{Message, batch};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use ledger::{CleanUpRequest, ReplayRequest, parse_instant};

/// What woke the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A batch from the inbox queue.
    Queue(Vec<Message<Delivered>>),
    /// Objects that were created, from an event without a queue: the caller retries.
    Direct(Vec<Notice>),
}

/// A message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// What it says.
    pub envelope: Envelope,
    /// The same as it was sent, to be sent again.
    pub text: String,
}

/// What S3 says in one message, or in an event without a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// A notification of S3: the objects that it says were created. Other records ask for nothing.
    Event(Vec<Notice>),
    /// S3's test event, sent whenever a notification is configured. It has no records and asks for nothing.
    TestEvent,
    /// An event of S3 through EventBridge: the object that was created; `None` for an event about something else.
    EventBridge(Option<Notice>),
    /// A request to replay a file, by an operator.
    Replay(Box<ReplayRequest>),
    /// A request to delete the rows of a dead load, by the watcher.
    CleanUp(Box<CleanUpRequest>),
    /// Nothing that this function knows, or a notification with a record that cannot be read: a part of a message
    /// cannot be acknowledged, so the whole message goes to the dead-letter queue.
    Unknown,
}

/// What a message asks for: one file version to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job<'a> {
    /// An object version that was created.
    File(&'a Notice),
    /// A file that is to be replayed.
    Replay(&'a ReplayRequest),
    /// A dead load whose rows are to be deleted.
    CleanUp(&'a CleanUpRequest),
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
    /// When this version was made by the event's account, milliseconds since the epoch, when it says so.
    pub instant_ms: Option<u64>,
    /// Who sent it; `None`: S3.
    pub author: Option<NotificationAuthor>,
}

/// The function was woken by something that it does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is neither an SQS batch nor an S3 notification nor an EventBridge S3 event")]
pub struct UnknownEvent;

impl Event {
    /// Decodes an invocation's event.
    pub fn decode(event: &Value) -> Result<Self, UnknownEvent> {
        if from_queue(event) {
            return batch(event, Delivered::read).map(Self::Queue).ok_or(UnknownEvent);
        }
        match Envelope::of(event) {
            Envelope::Event(notices) => Ok(Self::Direct(notices)),
            Envelope::TestEvent => Ok(Self::Direct(Vec::new())),
            Envelope::EventBridge(notice) => Ok(Self::Direct(notice.into_iter().collect())),
            // Requests come by a queue, which repeats those that did not end.
            Envelope::Replay(_) | Envelope::CleanUp(_) | Envelope::Unknown => Err(UnknownEvent),
        }
    }
}

fn from_queue(event: &Value) -> bool {
    event.pointer("/Records/0/eventSource").and_then(Value::as_str) == Some("aws:sqs")
}

impl Delivered {
    /// Returns what the message asks for; `None` when it says nothing that this function knows.
    #[must_use]
    pub fn jobs(&self) -> Option<Vec<Job<'_>>> {
        self.envelope.jobs()
    }

    fn read(text: String) -> Self {
        Self { envelope: Envelope::read(&text), text }
    }
}

impl Envelope {
    /// Returns what the envelope asks for; `None` when it is unknown.
    #[must_use]
    pub fn jobs(&self) -> Option<Vec<Job<'_>>> {
        match self {
            Self::Event(notices) => Some(notices.iter().map(Job::File).collect()),
            Self::TestEvent => Some(Vec::new()),
            Self::EventBridge(notice) => Some(notice.iter().map(Job::File).collect()),
            Self::Replay(request) => Some(vec![Job::Replay(request)]),
            Self::CleanUp(request) => Some(vec![Job::CleanUp(request)]),
            Self::Unknown => None,
        }
    }

    fn read(text: &str) -> Self {
        serde_json::from_str(text).map_or(Self::Unknown, |envelope| Self::of(&envelope))
    }

    fn of(envelope: &Value) -> Self {
        if ReplayRequest::is_in(envelope) {
            let request = ReplayRequest::read(envelope);
            return request.map_or(Self::Unknown, |request| Self::Replay(Box::new(request)));
        }
        if CleanUpRequest::is_in(envelope) {
            let request = CleanUpRequest::read(envelope);
            return request.map_or(Self::Unknown, |request| Self::CleanUp(Box::new(request)));
        }
        let member = |name| envelope.get(name).and_then(Value::as_str);
        if member("Event") == Some("s3:TestEvent") {
            return Self::TestEvent;
        }
        if let Some(records) = envelope.get("Records").and_then(Value::as_array) {
            let read: Option<Vec<_>> = records.iter().map(notified).collect();
            return read.map_or(Self::Unknown, |read| Self::Event(read.into_iter().flatten().collect()));
        }
        if member("source") == Some("aws.s3") {
            return on_the_bus(envelope).map_or(Self::Unknown, Self::EventBridge);
        }
        Self::Unknown
    }
}

/// One record of a notification. Only the part about the object is the crate's: its `S3EventRecord` also demands who
/// sent the object, from where, and a time that can be read, and a file is loaded without them (the reconciliation's
/// own notifications name no sender).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventRecord {
    event_name: String,
    event_time: Option<String>,
    s3: S3Entity,
}

/// Reads one record: outer `None`, it cannot be read; inner `None`, nothing was created.
#[expect(clippy::option_option, reason = "unreadable and uninteresting are two answers")]
fn notified(record: &Value) -> Option<Option<Notice>> {
    let record = EventRecord::deserialize(record).ok()?;
    let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    if !name.starts_with("ObjectCreated:") {
        return Some(None);
    }
    let S3Entity { bucket, object, configuration_id, .. } = record.s3;
    Some(Some(Notice {
        bucket: bucket.name?,
        // The crate's `url_decoded_key` is never set.
        key: decode_key(&object.key?)?,
        version: object.version_id.filter(|version| !version.is_empty()),
        etag: object.e_tag.filter(|etag| !etag.is_empty()),
        instant_ms: record.event_time.as_deref().and_then(parse_instant),
        author: configuration_id.as_deref().and_then(NotificationAuthor::parse),
    }))
}

/// The event of S3 that comes through EventBridge. The crate has the envelope only, and wants its content to be
/// writable too.
#[derive(Deserialize, Serialize)]
struct Detail {
    bucket: NamedBucket,
    object: NamedObject,
}

#[derive(Deserialize, Serialize)]
struct NamedBucket {
    name: String,
}

#[derive(Deserialize, Serialize)]
struct NamedObject {
    key: String,
    #[serde(rename = "version-id")]
    version_id: Option<String>,
    etag: Option<String>,
}

/// Reads an event of EventBridge: outer `None`, it cannot be read; inner `None`, nothing was created.
#[expect(clippy::option_option, reason = "unreadable and uninteresting are two answers")]
fn on_the_bus(envelope: &Value) -> Option<Option<Notice>> {
    let event = EventBridgeEvent::<Detail>::deserialize(envelope).ok()?;
    if event.detail_type != "Object Created" {
        return Some(None);
    }
    let Detail { bucket, object } = event.detail;
    let instant_ms = event.time.and_then(|time| u64::try_from(time.timestamp_millis()).ok());
    Some(Some(Notice {
        bucket: bucket.name,
        key: object.key,
        version: object.version_id.filter(|version| !version.is_empty()),
        etag: object.etag.filter(|etag| !etag.is_empty()),
        instant_ms,
        author: None,
    }))
}

#[cfg(test)]
mod tests;
