use std::iter::repeat_n;

use tokio::time::Instant;

use super::*;
use crate::aws::replay::{ScriptedService, answer, s3_error};
use crate::{
    Announcement, Error, FileId, FileVersion, OpenUploads, Outcomes as _, Queue as _, ReadInbox as _,
    ReadLedger as _, WriteQuarantine as _,
};

#[test]
fn every_root_is_one_certificate_and_makes_a_client() {
    for root in ROOTS {
        let text = std::str::from_utf8(root).unwrap();
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 1);
    }
    // The client reads the roots when it is built, and does not accept one that it cannot read.
    drop(https());
}

fn file() -> FileVersion {
    FileVersion { bucket: "inbox".into(), key: "clinic/labs/a.csv".into(), version: "v".into(), etag: None }
}

fn announcement() -> Announcement {
    Announcement { body: "{}".into(), attributes: Vec::new() }
}

/// Returns the code with which an operation fails, after how long, and the calls that it made.
async fn failed<T>(
    replay: &ScriptedService,
    operation: impl Future<Output = Result<T, Error>>,
) -> (String, Duration, usize) {
    let (begun, asked) = (Instant::now(), replay.seen().len());
    let Err(error) = operation.await else { panic!("expected a failure") };
    (error.code, begun.elapsed(), replay.seen().len() - asked)
}

/// The clock stands still while anything runs, and else goes on to the next timer: these durations are exact.
#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_is_given_up_within_the_time_of_an_operation() {
    let (store, replay) = ScriptedService::store_then_silence([]);
    let (entry, message) = (FileId::of(&file()), announcement());
    let small = [
        failed(&replay, store.entry(&entry)).await,
        failed(&replay, store.defer("handle", 30)).await,
        failed(&replay, store.publish(&message)).await,
    ];
    for (code, time, calls) in small {
        assert_eq!((code.as_str(), calls), ("timeout", 3));
        assert!((ATTEMPT * ATTEMPTS..=OPERATION).contains(&time), "{time:?}");
    }
    // S3 has longer for its first byte, so that the operation ends in the second attempt.
    let (code, time, calls) = failed(&replay, store.open(&file())).await;
    assert_eq!((code.as_str(), calls), ("timeout", 2));
    assert!((OPERATION..OPERATION + Duration::from_millis(50)).contains(&time), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_copy_has_the_time_of_a_transfer() {
    let mut head = answer(200, "");
    head.headers = vec![("content-length", "5".to_owned()), ("etag", "\"tag\"".to_owned())];
    let (store, replay) = ScriptedService::store_then_silence([head]);
    let (code, time, calls) =
        failed(&replay, Box::pin(store.keep_original(&file(), "copy", &OpenUploads::default()))).await;
    assert_eq!(code, "timeout");
    assert!((TRANSFER_ATTEMPT * 2..=TRANSFER).contains(&time), "{time:?}");
    // The question for the length, and the copy's attempts.
    assert!((3..=4).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_only_fails_is_asked_three_times() {
    let (store, replay) = ScriptedService::store(repeat_n(s3_error(500, "InternalError"), 9));
    assert_eq!(failed(&replay, store.open(&file())).await.2, 3);
    let fault = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#;
    let (store, replay) = ScriptedService::store(repeat_n(answer(500, fault), 9));
    assert_eq!(failed(&replay, store.entry(&FileId::of(&file()))).await.2, 3);
    let (store, replay) = ScriptedService::store(repeat_n(answer(500, "{}"), 9));
    assert_eq!(failed(&replay, store.defer("handle", 30)).await.2, 3);
    let (store, replay) = ScriptedService::store(repeat_n(answer(500, "<ErrorResponse/>"), 9));
    assert_eq!(failed(&replay, store.publish(&announcement())).await.2, 3);
}
