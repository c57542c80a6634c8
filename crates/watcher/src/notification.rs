//! S3's notification of a new object: as the reconciliation writes it for the processor, and as it is kept in the
//! dead-letter queue.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use aws_lambda_events::s3::S3Entity;
use ledger::{FileVersion, ReplayRequest};
use runtime::{decode_key, encode_key};
use serde::Deserialize;
use serde_json::{Value, json};
use store::ListedVersion;

/// The version of S3's own form that ours follows.
const FORM: &str = "2.1";
/// Marks the watcher's notifications, for readers of a message.
const CONFIGURATION: &str = "reconciliation";

/// Writes the notification of a version that the inbox lists, with one record. Its time is when the version was
/// made, so that its age is counted from there and not from the moment at which the loss was seen. It has no
/// sequencer, which only S3 knows and is not needed: the processor takes the order of a version from the bucket. A
/// version without an id has its entity tag, as the file's id needs it.
pub(crate) fn write(version: &ListedVersion) -> String {
    let FileVersion { bucket, key, version: id, etag } = &version.file;
    let mut object = json!({"key": encode_key(key), "size": version.bytes, "versionId": id});
    if let Some(etag) = etag {
        object["eTag"] = json!(etag);
    }
    let s3 = json!({"s3SchemaVersion": "1.0", "configurationId": CONFIGURATION, "bucket": {"name": bucket}, "object": object});
    let record = json!({
        "eventVersion": FORM,
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": runtime::format_instant(version.last_modified_ms),
        "s3": s3,
    });
    json!({ "Records": [record] }).to_string()
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
pub(crate) fn read(body: &str) -> Vec<FileVersion> {
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
    use ledger::FileId;
    use processor::event::{Event, Job, Notice};
    use proptest::prelude::*;

    use super::*;

    fn listed(key: &str, id: &str) -> ListedVersion {
        let etag = (id == "null").then(|| "d41d8cd9".to_owned());
        let file = FileVersion { bucket: "inbox".into(), key: key.into(), version: id.into(), etag };
        ListedVersion { file, last_modified_ms: 1_795_240_800_123, bytes: 7 }
    }

    /// Returns what the processor reads of a message.
    fn understood(body: &str) -> Notice {
        let batch = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "m", "receiptHandle": "h", "body": body}]});
        let Ok(Event::Queue(messages)) = Event::decode(&batch) else { panic!("a batch") };
        let jobs =
            messages[0].body.jobs().unwrap_or_else(|| panic!("the processor does not know it: {body}"));
        let Job::File(notice) = jobs[0] else { panic!("no notification: {body}") };
        notice.clone()
    }

    #[test]
    fn the_processor_counts_the_age_of_a_version_from_its_making() {
        let notice = understood(&write(&listed("north/labs/a b+ü(1)%.csv", "v1")));
        assert_eq!(notice.instant_ms, Some(1_795_240_800_123));
        assert_eq!((notice.version.as_deref(), notice.etag), (Some("v1"), None));
    }

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

    proptest! {
        #[test]
        fn the_processor_reads_the_version_that_was_meant(key in ".{1,40}", id in "[A-Za-z0-9._]{1,20}|null") {
            let version = listed(&key, &id);
            let body = write(&version);
            let notice = understood(&body);
            prop_assert_eq!((&notice.bucket, &notice.key), (&version.file.bucket, &version.file.key));
            let etag = notice.etag.filter(|_| id == "null");
            let file = FileVersion { bucket: notice.bucket, key: notice.key, version: notice.version.expect("a version"), etag };
            prop_assert_eq!(FileId::of(&file), FileId::of(&version.file));
            prop_assert_eq!(read(&body).iter().map(FileId::of).collect::<Vec<_>>(), [FileId::of(&version.file)]);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            prop_assert!(read(&text).is_empty());
        }
    }
}
