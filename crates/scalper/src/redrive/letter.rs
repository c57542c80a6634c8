//! What a dead letter says: which files it is about. Its text is read, and goes back as it is.
//!
//! Letters of the inbox queue are S3's notifications, in both of its forms
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>), and requests of operators. Those of the
//! queue of webhooks are outcomes.

use ledger::{CleanUpRequest, ReplayRequest};
use runtime::decode_key;
use serde_json::Value;
use store::{FileId, FileVersion};

/// What a letter asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LetterKind {
    /// To process files that have landed.
    Files(Vec<LetterFile>),
    /// To process a file again.
    Replay(Box<ReplayRequest>),
    /// To delete the rows of a dead load.
    CleanUp(Box<CleanUpRequest>),
    /// To post a file's outcome to its partner.
    Outcome(OutcomeLetter),
    /// Nothing that can be read.
    Unknown,
}

/// A file that a letter names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LetterFile {
    /// Its key.
    pub(super) key: String,
    /// Its id; `None` where the letter does not say which version of the key.
    pub(super) file: Option<FileId>,
}

/// An outcome, as far as it is needed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutcomeLetter {
    pub(super) file: FileId,
    pub(super) partner: String,
    pub(super) feed: String,
}

/// Reads a letter of the inbox queue. One that the processor could read only in part is not read: it would be given up
/// again.
pub(super) fn of_inbox(body: &str) -> LetterKind {
    let Ok(letter) = serde_json::from_str::<Value>(body) else { return LetterKind::Unknown };
    if ReplayRequest::is_in(&letter) {
        let request = ReplayRequest::read(&letter);
        return request.map_or(LetterKind::Unknown, |request| LetterKind::Replay(Box::new(request)));
    }
    if CleanUpRequest::is_in(&letter) {
        let request = CleanUpRequest::read(&letter);
        return request.map_or(LetterKind::Unknown, |request| LetterKind::CleanUp(Box::new(request)));
    }
    let files = match letter["Records"].as_array() {
        Some(records) => records.iter().map(notified).collect::<Option<Vec<_>>>(),
        None if letter["source"] == "aws.s3" => on_the_bus(&letter["detail"]).map(|file| vec![file]),
        None => None,
    };
    match files {
        Some(files) if !files.is_empty() => LetterKind::Files(files),
        _ => LetterKind::Unknown,
    }
}

/// Reads a letter of the queue of webhooks.
pub(super) fn of_webhooks(body: &str) -> LetterKind {
    let read = || {
        let letter: Value = serde_json::from_str(body).ok()?;
        let text = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
        let file = FileId::parse(letter["fileId"].as_str()?)?;
        Some(OutcomeLetter { file, partner: text("partner"), feed: text("feed") })
    };
    read().map_or(LetterKind::Unknown, LetterKind::Outcome)
}

fn notified(record: &Value) -> Option<LetterFile> {
    let (bucket, object) = (&record["s3"]["bucket"], &record["s3"]["object"]);
    file(bucket, decode_key(object["key"].as_str()?)?, &object["versionId"], &object["eTag"])
}

fn on_the_bus(detail: &Value) -> Option<LetterFile> {
    let object = &detail["object"];
    file(&detail["bucket"], object["key"].as_str()?.to_owned(), &object["version-id"], &object["etag"])
}

fn file(bucket: &Value, key: String, version: &Value, etag: &Value) -> Option<LetterFile> {
    let bucket = bucket["name"].as_str()?.to_owned();
    let version = version.as_str().filter(|version| !version.is_empty());
    let named = version.map(|version| FileVersion {
        bucket,
        key: key.clone(),
        version: version.to_owned(),
        etag: etag.as_str().map(str::to_owned),
    });
    Some(LetterFile { file: named.as_ref().map(FileId::of), key })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_of_s3_name_the_same_file() {
        let notification = json!({ "Records": [{ "eventName": "ObjectCreated:Put", "s3": {
            "bucket": { "name": "inbox" }, "object": { "key": "a/b/c+d", "versionId": "v", "eTag": "t" } } }] });
        let event = json!({ "source": "aws.s3", "detail": { "bucket": { "name": "inbox" },
            "object": { "key": "a/b/c d", "version-id": "v", "etag": "t" } } });
        let version =
            FileVersion { bucket: "inbox".into(), key: "a/b/c d".into(), version: "v".into(), etag: None };
        let file = LetterFile { key: "a/b/c d".into(), file: Some(FileId::of(&version)) };
        for body in [notification, event] {
            assert_eq!(of_inbox(&body.to_string()), LetterKind::Files(vec![file.clone()]), "{body}");
        }
    }

    #[test]
    fn a_letter_without_a_version_names_a_key_and_one_that_is_broken_names_nothing() {
        let body = r#"{"Records":[{"s3":{"bucket":{"name":"inbox"},"object":{"key":"a/b/c"}}}]}"#;
        assert_eq!(of_inbox(body), LetterKind::Files(vec![LetterFile { key: "a/b/c".into(), file: None }]));
        for body in [
            "",
            "null",
            "[]",
            r#"{"Records":[]}"#,
            r#"{"Records":[{}]}"#,
            r#"{"Event":"s3:TestEvent"}"#,
            r#"{"replay":7}"#,
            r#"{"cleanUp":7}"#,
            r#"{"Records":[{"s3":{"bucket":{"name":"inbox"},"object":{"key":"a/b/c"}}},7]}"#,
        ] {
            assert_eq!(of_inbox(body), LetterKind::Unknown, "{body}");
        }
        assert_eq!(of_webhooks(r#"{"fileId":"x"}"#), LetterKind::Unknown);
    }

    #[test]
    fn an_outcome_names_its_file_and_whose_it_is() {
        let body = r#"{"fileId":"r5g61a45bnmyhnp8sgqw0ymkjv","partner":"north","feed":"labs"}"#;
        let LetterKind::Outcome(outcome) = of_webhooks(body) else { panic!("an outcome") };
        assert_eq!((outcome.partner.as_str(), outcome.feed.as_str()), ("north", "labs"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            prop_assert_eq!(of_inbox(&text), LetterKind::Unknown);
            prop_assert_eq!(of_webhooks(&text), LetterKind::Unknown);
        }
    }
}
