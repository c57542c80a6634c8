//! S3's notification of a new object: as the watcher and an operator write it for the processor, and as it is kept in
//! the dead-letter queue.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use aws_lambda_events::s3::S3Entity;
use ledger::{Entry, FileVersion, ReplayRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use store::ListedVersion;

use crate::{decode_key, encode_key};

/// The version of S3's own form that ours follows.
const FORM: &str = "2.1";

ledger::words! {
    /// Who writes a notification besides S3. The word stands where S3 names the configuration that asked for the
    /// notification.
    NotificationAuthor {
        /// The reconciliation of the watcher, for a version whose event was lost.
        Reconciliation = "reconciliation",
        /// An operator's backfill.
        Backfill = "backfill",
        /// The release of a feed, for a file that waited.
        Release = "release",
        /// An operator's command that changed the outcome of a file, which is to be announced.
        Operator = "operator",
    }
}

impl NotificationAuthor {
    /// Returns whether the file waited in the queue since it was made. One of a backfill is older than its message, and
    /// one of a release waited in the ledger.
    #[must_use]
    pub fn waited_in_queue(self) -> bool {
        match self {
            Self::Reconciliation | Self::Operator => true,
            Self::Backfill | Self::Release => false,
        }
    }
}

/// Writes the notification of a version that the inbox lists, with one record. Its time is when the version was
/// made, so that its age is counted from there and not from the moment at which this is sent. It has no
/// sequencer, which only S3 knows and is not needed: the processor takes the order of a version from the bucket. A
/// version without an id has its entity tag, as the file's id needs it.
#[must_use]
pub fn write(version: &ListedVersion, author: NotificationAuthor) -> String {
    let FileVersion { bucket, key, version: id, etag } = &version.file;
    let mut object = json!({"key": encode_key(key), "size": version.bytes, "versionId": id});
    if let Some(etag) = etag {
        object["eTag"] = json!(etag);
    }
    let s3 = json!({"s3SchemaVersion": "1.0", "configurationId": author.as_str(), "bucket": {"name": bucket}, "object": object});
    let record = json!({
        "eventVersion": FORM,
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": crate::format_instant(version.last_modified_ms),
        "s3": s3,
    });
    json!({ "Records": [record] }).to_string()
}

/// Writes the notification of a version that the ledger knows: its time is that of its order, and its size is not said.
#[must_use]
pub fn of_entry(entry: &Entry, author: NotificationAuthor) -> String {
    let last_modified_ms = entry.order.instant_ms();
    write(&ListedVersion { file: entry.file.clone(), last_modified_ms, bytes: 0 }, author)
}

#[derive(Deserialize)]
struct S3Notification {
    #[serde(rename = "Records", default)]
    records: Vec<Value>,
}

/// One record, of which only the part about the object is read: the crate's `S3EventRecord` also demands who sent it
/// and from where, which ours do not say.
#[derive(Deserialize)]
struct S3Record {
    s3: S3Entity,
}

/// Returns the file versions that a message of the queue names: a notification, or a request to replay a file. Empty
/// for any other text. A record without a version has none that could be named.
#[must_use]
pub fn read(body: &str) -> Vec<FileVersion> {
    let value: Option<Value> = serde_json::from_str(body).ok();
    if let Some(request) = value.as_ref().and_then(ReplayRequest::read) {
        return vec![request.file()];
    }
    let envelope = value.and_then(|value| S3Notification::deserialize(value).ok());
    let records = envelope.map(|envelope| envelope.records).unwrap_or_default();
    records.iter().filter_map(named).collect()
}

fn named(record: &Value) -> Option<FileVersion> {
    let S3Entity { bucket, object, .. } = S3Record::deserialize(record).ok()?.s3;
    let version = object.version_id.filter(|version| !version.is_empty())?;
    Some(FileVersion { bucket: bucket.name?, key: decode_key(&object.key?)?, version, etag: object.e_tag })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_real_event_among_the_dead_letters_names_its_file_and_other_texts_name_none() {
        let body = json!({"Records": [
            {"s3": {"bucket": {"name": "inbox"}, "object": {"key": "a/b/c+d", "versionId": "v", "eTag": "t"}}},
            {"s3": {"bucket": {"name": "inbox"}, "object": {"key": "a/b/c"}}}, {}]});
        let found = read(&body.to_string());
        assert_eq!(found.iter().map(|file| file.key.as_str()).collect::<Vec<_>>(), ["a/b/c d"]);
        let request = r#"{"replay":{"id":"r","bucket":"inbox","key":"a/b/c","version":"v","state":"COMPLETE",
            "load":"r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764","contract":"","worse":"keep"}}"#;
        assert_eq!(read(request).iter().map(|file| file.key.as_str()).collect::<Vec<_>>(), ["a/b/c"]);
        for text in ["", "[]", "{}", "null", "{\"Records\":7}", "{\"replay\":7}"] {
            assert!(read(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_notification_says_who_wrote_it() {
        let file =
            FileVersion { bucket: "inbox".into(), key: "a/b/c".into(), version: "v".into(), etag: None };
        let version = ListedVersion { file, last_modified_ms: 0, bytes: 7 };
        for (author, expected) in [
            (NotificationAuthor::Reconciliation, "reconciliation"),
            (NotificationAuthor::Backfill, "backfill"),
            (NotificationAuthor::Release, "release"),
            (NotificationAuthor::Operator, "operator"),
        ] {
            let body: Value = serde_json::from_str(&write(&version, author)).expect("JSON");
            assert_eq!(body["Records"][0]["s3"]["configurationId"], expected);
            assert_eq!(NotificationAuthor::parse(expected), Some(author));
        }
        assert_eq!(NotificationAuthor::parse("inbox-events"), None, "a configuration of S3");
    }

    #[test]
    fn what_an_operator_sends_later_did_not_wait_in_the_queue() {
        let waited = NotificationAuthor::ALL.into_iter().filter(|author| author.waited_in_queue());
        let waited: Vec<_> = waited.map(NotificationAuthor::as_str).collect();
        assert_eq!(waited, ["reconciliation", "operator"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            prop_assert!(read(&text).is_empty());
        }
    }
}
