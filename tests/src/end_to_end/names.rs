//! Keys, folder markers, empty and vanished objects, every kind of upload.

use std::process::Command;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use serde_json::Value;

use super::emulator::python;
use super::files::csv;
use super::harness::{ACCOUNT, Harness};
use super::{files, http};

#[tokio::test]
async fn a_deployment_leaves_no_dead_letter_and_no_entry() {
    let harness = Harness::open().await;
    // S3 sends a test event when the notification is configured.
    harness.settle().await;
    harness.deliver(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-03-05T06:07:08.000Z","Bucket":"inbox","RequestId":"1","HostId":"2"}"#).await;
    harness.settle().await;
    assert!(harness.ledger().await.is_empty());
}

#[tokio::test]
async fn every_spelling_of_a_key_is_one_file() {
    let harness = Harness::open().await;
    let keys = [
        "north/scans/in/a b+ü(1).csv",
        "north/scans/100%.csv",
        "north/scans/a+b c%20d.csv",
        "north/scans/日本語 😀.csv",
    ];
    for (index, key) in keys.into_iter().enumerate() {
        let entry = harness.process(key, csv(10 * u32::try_from(index).expect("small"), 10)).await;
        assert_eq!((entry.state(), entry.counts()), ("COMPLETE", [10, 10, 0]), "{key}");
    }
    assert_eq!(harness.ledger().await.len(), keys.len());
    harness.settle().await;
}

#[tokio::test]
async fn what_is_no_partner_file_is_ignored_or_quarantined_and_counted() {
    let harness = Harness::open().await;
    for key in ["north/scans/", "north/scans/.DS_Store", "north/scans/day_$folder$"] {
        let entry = harness.process(key, Vec::new()).await;
        assert_eq!(entry.state(), "IGNORED", "{key}");
    }
    let stray = harness.process("day.csv", csv(0, 1)).await;
    assert_eq!((stray.state(), stray.fault()), ("QUARANTINED", "BAD_KEY"));
    harness.settle().await;
}

#[tokio::test]
async fn a_version_that_was_deleted_before_it_was_read_is_gone() {
    let harness = Harness::open().await;
    harness.silence().await;
    let key = "north/scans/day.csv";
    let version = harness.land(key, csv(0, 5)).await;
    let delete = harness.s3.delete_object().bucket(&harness.names.inbox).key(key).version_id(&version);
    delete.send().await.expect("delete the version");
    harness.deliver(&harness.event(key, &version, "0055AED6DCD90281E5")).await;
    assert_eq!(harness.outcome(key, &version).await.state(), "GONE");
    assert!(harness.records().await.is_empty());
    harness.settle().await;
}

#[tokio::test]
async fn every_kind_of_upload_starts_the_path() {
    let harness = Harness::open().await;
    let put = harness.process("north/scans/put.csv", csv(0, 4)).await;
    assert_eq!(put.state(), "COMPLETE");

    let inbox = &harness.names.inbox;
    let copy = harness.s3.copy_object().bucket(inbox).key("north/scans/copy.csv");
    let copied =
        copy.copy_source(format!("{inbox}/north/scans/put.csv")).send().await.expect("copy the file");
    let version = copied.version_id.expect("a version");
    assert_eq!(harness.outcome("north/scans/copy.csv", &version).await.state(), "COMPLETE");

    let version = upload_in_parts(&harness, "north/scans/parts.csv", csv(20, 4)).await;
    assert_eq!(harness.outcome("north/scans/parts.csv", &version).await.state(), "COMPLETE");

    post_form(&harness, "north/scans/form.csv", &csv(30, 4));
    let head = harness
        .s3
        .head_object()
        .bucket(inbox)
        .key("north/scans/form.csv")
        .send()
        .await
        .expect("the posted file");
    let version = head.version_id.expect("a version");
    assert_eq!(harness.outcome("north/scans/form.csv", &version).await.state(), "COMPLETE");
    harness.settle().await;
}

async fn upload_in_parts(harness: &Harness, key: &str, content: String) -> String {
    let inbox = &harness.names.inbox;
    let created =
        harness.s3.create_multipart_upload().bucket(inbox).key(key).send().await.expect("begin the upload");
    let upload = created.upload_id.expect("an upload id");
    let part = harness.s3.upload_part().bucket(inbox).key(key).upload_id(&upload).part_number(1);
    let sent = part.body(ByteStream::from(content.into_bytes())).send().await.expect("send the part");
    let part = CompletedPart::builder().part_number(1).set_e_tag(sent.e_tag).build();
    let complete = harness.s3.complete_multipart_upload().bucket(inbox).key(key).upload_id(upload);
    let complete = complete.multipart_upload(CompletedMultipartUpload::builder().parts(part).build());
    complete.send().await.expect("complete the upload").version_id.expect("a version")
}

/// A browser's upload: a form that boto3 signs, since the SDK for Rust cannot. Forms are the one place where the
/// emulator checks the owner's signature; its secret is `test`.
fn post_form(harness: &Harness, key: &str, content: &str) {
    const SIGN: &str = "import boto3, json, sys; from botocore.config import Config; \
        s3 = boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], aws_secret_access_key='test', \
        region_name='us-east-1', config=Config(signature_version='s3v4', s3={'addressing_style': 'path'})); \
        print(json.dumps(s3.generate_presigned_post(sys.argv[3], sys.argv[4])))";
    let arguments = [harness.emulator.endpoint.as_str(), ACCOUNT, &harness.names.inbox, key];
    let output = Command::new(python()).args(["-c", SIGN]).args(arguments).output().expect("sign the form");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let form: Value = serde_json::from_slice(&output.stdout).expect("a form");
    let part = |name: &str, more: &str, value: &str| {
        format!("--boundary\r\ncontent-disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
    };
    let fields = form["fields"].as_object().expect("fields").iter();
    let fields: String =
        fields.map(|(name, value)| part(name, "", value.as_str().expect("a text"))).collect();
    let file = part("file", "; filename=\"form.csv\"\r\ncontent-type: text/csv", content);
    let body = format!("{fields}{file}--boundary--\r\n");
    let headers = [("content-type", "multipart/form-data; boundary=boundary")];
    let path = format!("/{}", harness.names.inbox);
    let answer = http::send(&harness.emulator.endpoint, "POST", &path, &headers, body.as_bytes());
    assert!(
        (200..300).contains(&answer.status),
        "{}: {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
}

#[tokio::test]
async fn partners_with_the_same_keys_do_not_meet() {
    let harness = Harness::open().await;
    harness.process("north/scans/day.csv", csv(0, 3)).await;
    harness.process("south/scans/day.csv", files::csv(0, 3)).await;
    let partitions: Vec<String> = harness
        .records()
        .await
        .iter()
        .filter_map(|record| record["pk"]["S"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(partitions.len(), 6);
    assert_eq!(partitions.iter().filter(|key| key.starts_with("north/scans#")).count(), 3);
    harness.settle().await;
}
