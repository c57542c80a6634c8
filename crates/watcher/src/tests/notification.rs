//! The notifications that are written, as the processor reads them.

use ledger::{FileId, FileVersion};
use processor::event::{Event, Job, Notice};
use proptest::prelude::*;
use runtime::notification::{NotificationAuthor, read, write};
use serde_json::json;
use store::ListedVersion;

fn listed(key: &str, id: &str) -> ListedVersion {
    let etag = (id == "null").then(|| "d41d8cd9".to_owned());
    let file = FileVersion { bucket: "inbox".into(), key: key.into(), version: id.into(), etag };
    ListedVersion { file, last_modified_ms: 1_795_240_800_123, bytes: 7 }
}

/// Returns what the processor reads of a message.
fn understood(body: &str) -> Notice {
    let batch = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "m", "receiptHandle": "h", "body": body}]});
    let Ok(Event::Queue(messages)) = Event::decode(&batch) else { panic!("a batch") };
    let jobs = messages[0].body.jobs().unwrap_or_else(|| panic!("the processor does not know it: {body}"));
    let Job::File(notice) = jobs[0] else { panic!("no notification: {body}") };
    notice.clone()
}

#[test]
fn the_processor_counts_the_age_of_a_version_from_its_making() {
    let notice =
        understood(&write(&listed("north/labs/a b+ü(1)%.csv", "v1"), NotificationAuthor::Reconciliation));
    assert_eq!(notice.instant_ms, Some(1_795_240_800_123));
    assert_eq!((notice.version.as_deref(), notice.etag), (Some("v1"), None));
}

proptest! {
    #[test]
    fn the_processor_reads_the_version_that_was_meant(key in ".{1,40}", id in "[A-Za-z0-9._]{1,20}|null") {
        let version = listed(&key, &id);
        let body = write(&version, NotificationAuthor::Backfill);
        let notice = understood(&body);
        prop_assert_eq!((&notice.bucket, &notice.key), (&version.file.bucket, &version.file.key));
        let etag = notice.etag.filter(|_| id == "null");
        let file = FileVersion { bucket: notice.bucket, key: notice.key, version: notice.version.expect("a version"), etag };
        prop_assert_eq!(FileId::of(&file), FileId::of(&version.file));
        prop_assert_eq!(read(&body).iter().map(FileId::of).collect::<Vec<_>>(), [FileId::of(&version.file)]);
    }
}
