use proptest::prelude::*;
use serde_json::json;

use super::*;

fn s3_record(name: &str, key: &str) -> Value {
    json!({
        "eventSource": "aws:s3", "eventName": name, "eventTime": "2026-11-20T08:15:00.123Z",
        "s3": {
            "bucket": { "name": "inbox" },
            "object": { "key": key, "versionId": "v1", "eTag": "abc", "sequencer": "0061", "size": 5 }
        }
    })
}

fn batch(bodies: &[&str]) -> Value {
    let records: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| {
            json!({
                "eventSource": "aws:sqs", "messageId": format!("m{number}"), "receiptHandle": format!("r{number}"),
                "body": body, "attributes": { "ApproximateReceiveCount": "3" }
            })
        })
        .collect();
    json!({ "Records": records })
}

fn only_notice(event: &Value) -> Notice {
    match Event::decode(event).expect("decodes") {
        Event::Direct(notices) => notices.into_iter().next().expect("a notice"),
        Event::Queue(_) => panic!("not from a queue"),
    }
}

#[test]
fn a_message_may_name_several_objects_and_its_key_is_decoded() {
    let body = json!({ "Records": [
        s3_record("ObjectCreated:Put", "north/visits/a+b%2B%C3%BC%281%29.csv"),
        s3_record("ObjectRemoved:Delete", "north/visits/old.csv"),
        s3_record("ObjectCreated:CompleteMultipartUpload", "north/visits/c.csv"),
    ]});
    let Event::Queue(messages) = Event::decode(&batch(&[&body.to_string()])).expect("decodes") else {
        panic!("a batch is from the queue");
    };
    let [message] = messages.as_slice() else { panic!("one message") };
    assert_eq!((message.id.as_str(), message.receive_count), ("m0", 3));
    assert_eq!(message.body.text, body.to_string(), "as it was sent");
    let Envelope::Event(notices) = &message.body.envelope else { panic!("a notification") };
    let keys: Vec<_> = notices.iter().map(|notice| notice.key.as_str()).collect();
    assert_eq!(keys, ["north/visits/a b+ü(1).csv", "north/visits/c.csv"]);
    assert_eq!((notices[0].instant_ms, notices[0].author), (Some(1_795_162_500_123), None));
}

#[test]
fn a_notice_says_who_sent_it_besides_s3() {
    let sent_by = |configuration: &str| {
        let mut record = s3_record("ObjectCreated:Put", "north/visits/a.csv");
        record["s3"]["configurationId"] = json!(configuration);
        only_notice(&json!({ "Records": [record] })).author
    };
    for author in NotificationAuthor::ALL {
        assert_eq!(sent_by(author.as_str()), Some(author));
    }
    assert_eq!((sent_by("inbox-events"), sent_by("")), (None, None));
}

#[test]
fn a_test_event_asks_for_nothing() {
    let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "inbox" });
    assert_eq!(Event::decode(&test), Ok(Event::Direct(Vec::new())));
    let Ok(Event::Queue(messages)) = Event::decode(&batch(&[&test.to_string()])) else { panic!("a batch") };
    assert_eq!(messages[0].body.envelope, Envelope::TestEvent);
}

#[test]
fn a_bus_event_names_its_key_as_it_is() {
    let event = json!({
        "source": "aws.s3", "detail-type": "Object Created", "time": "2026-11-20T08:15:00Z",
        "detail": { "bucket": { "name": "inbox" }, "object": { "key": "north/visits/a+b%20.csv", "etag": "e" } }
    });
    let notice = only_notice(&event);
    assert_eq!((notice.key.as_str(), notice.version), ("north/visits/a+b%20.csv", None));
    assert_eq!(notice.instant_ms, Some(1_795_162_500_000));
}

#[test]
fn a_body_that_is_no_event_is_unknown_and_the_others_are_read() {
    let good = json!({ "Records": [s3_record("s3:ObjectCreated:Put", "a/b/c")] }).to_string();
    let broken_key = json!({ "Records": [s3_record("ObjectCreated:Put", "a/b/%ff")] }).to_string();
    let Ok(Event::Queue(messages)) = Event::decode(&batch(&["{oops", "[]", &good, &broken_key])) else {
        panic!("a batch")
    };
    let unknown: Vec<_> = messages.iter().map(|message| message.body.envelope == Envelope::Unknown).collect();
    assert_eq!(unknown, [true, true, false, true]);
}

#[test]
fn a_record_needs_neither_a_sender_nor_a_size_nor_a_time() {
    let record = json!({ "eventName": "ObjectCreated:Put", "eventTime": "soon",
        "s3": { "bucket": { "name": "inbox" }, "object": { "key": "a/b/c%2B+d" } } });
    let notice = only_notice(&json!({ "Records": [record] }));
    assert_eq!(
        (notice.key.as_str(), notice.version, notice.etag, notice.instant_ms),
        ("a/b/c+ d", None, None, None)
    );
}

#[test]
fn a_record_without_a_bucket_or_a_key_makes_its_message_unknown() {
    for missing in ["/s3/bucket", "/s3/object"] {
        let mut record = s3_record("ObjectCreated:Put", "a/b/c");
        *record.pointer_mut(missing).expect("there") = json!({});
        let body = json!({ "Records": [s3_record("ObjectCreated:Put", "a/b/d"), record] }).to_string();
        let Ok(Event::Queue(messages)) = Event::decode(&batch(&[&body])) else { panic!("a batch") };
        assert_eq!(messages[0].body.envelope, Envelope::Unknown, "{missing}");
    }
}

#[test]
fn a_rejection_repeats_nothing_of_its_event() {
    let mut queue = batch(&["{}"]);
    queue["Records"][0]["attributes"] = json!("canary-value");
    let record = json!({ "Records": [s3_record("ObjectCreated:Put", "a/canary-value/%ff")] });
    let bus =
        json!({ "source": "aws.s3", "detail-type": "Object Created", "time": "canary-value", "detail": {} });
    for event in [queue, record, bus] {
        let rejected = crate::Failed::from(Event::decode(&event).expect_err("unreadable"));
        let diagnostic = lambda_runtime::Diagnostic::from(rejected);
        assert!(!diagnostic.error_message.contains("canary-value"), "{}", diagnostic.error_message);
    }
}

#[test]
fn something_else_is_an_error() {
    for event in [json!(null), json!({}), json!({ "Records": [{ "Sns": {} }] }), json!([1])] {
        assert_eq!(Event::decode(&event), Err(UnknownEvent));
    }
}

/// What an event file asks for: messages that are unknown, and keys.
fn asked_by(name: &str) -> (usize, Vec<String>) {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let event = serde_json::from_slice(&std::fs::read(path).expect("the event file")).expect("JSON");
    let bodies = match Event::decode(&event).expect("an event") {
        Event::Direct(notices) => vec![Envelope::Event(notices)],
        Event::Queue(messages) => messages.into_iter().map(|message| message.body.envelope).collect(),
    };
    let mut unknown = 0;
    let mut keys = Vec::new();
    for body in bodies {
        match body.jobs() {
            None => unknown += 1,
            Some(jobs) => keys.extend(jobs.into_iter().map(|job| match job {
                Job::File(notice) => notice.key.clone(),
                Job::Replay(request) => request.key.clone(),
                Job::CleanUp(request) => request.load.to_string(),
            })),
        }
    }
    (unknown, keys)
}

#[test]
fn the_event_files_ask_for_what_their_table_says() {
    for (name, unknown, files) in [
        ("sqs-put", 0, 1),
        ("sqs-two-records", 0, 2),
        ("sqs-batch", 1, 1),
        ("sqs-test-event", 0, 0),
        ("sqs-replay", 0, 1),
        ("sqs-clean-up", 0, 1),
        ("s3-put", 0, 1),
        ("s3-two-records", 0, 2),
        ("s3-test-event", 0, 0),
        ("s3-multipart", 0, 1),
        ("s3-no-size", 0, 1),
        ("s3-no-version", 0, 1),
        ("s3-unversioned", 0, 1),
        ("s3-folder-marker", 0, 1),
        ("s3-removed", 0, 0),
        ("s3-delete-marker", 0, 0),
        ("eventbridge-created", 0, 1),
        ("eventbridge-no-version", 0, 1),
        ("eventbridge-deleted", 0, 0),
    ] {
        let (found_unknown, keys) = asked_by(name);
        assert_eq!((found_unknown, keys.len()), (unknown, files), "{name}");
    }
    assert_eq!(asked_by("sqs-special-key"), asked_by("s3-special-key"));
    assert!(asked_by("s3-special-key").1.iter().all(|key| key.contains(' ') && key.contains('ü')));
}

/// As S3 encodes: everything but unreserved characters and `/` is escaped, a space is `+`.
fn encode(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

proptest! {
    #[test]
    fn every_key_survives_the_way_through_an_event(key in "\\PC{1,60}|[ +%/a-c\n]{1,20}") {
        let encoded = encode(&key);
        prop_assert_eq!(decode_key(&encoded), Some(key));
    }

    #[test]
    fn no_text_makes_the_decoder_panic(text: String, body: String) {
        prop_assert!(decode_key(&text).is_none_or(|key| !key.is_empty()));
        prop_assert!(Event::decode(&batch(&[&body])).is_ok());
    }
}
