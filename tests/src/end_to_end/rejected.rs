//! Bad files end in the quarantine with their bytes and a receipt; bad messages in the dead-letter queue.

use aws_sdk_sqs::types::QueueAttributeName;

use super::files::{HEADER, contract_with, csv, gzip};
use super::harness::{Harness, PATIENCE};

#[tokio::test]
async fn a_file_that_cannot_be_read_is_kept_with_a_receipt_and_loads_nothing() {
    let harness = Harness::open().await;
    let mut cut = gzip(csv(0, 500).as_bytes());
    cut.truncate(cut.len() - 20);
    let mut damaged = gzip(csv(0, 500).as_bytes());
    let end = damaged.len() - 6;
    damaged[end] ^= 0xFF;
    let utf16: Vec<u8> = csv(0, 20).encode_utf16().flat_map(u16::to_be_bytes).collect();
    let workbook =
        b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0f\0\0\0xl/workbook.xml".to_vec();
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("north/scans/workbook.csv", workbook, "WRONG_FORMAT"),
        ("north/scans/page.csv.gz", gzip(b"<html>\n<body>502</body>\n</html>\n"), "WRONG_FORMAT"),
        ("north/scans/nothing-good.csv", format!("{HEADER}AB1,Ann,CT,,,\n").into_bytes(), "ERROR_BUDGET"),
        ("north/scans/blank.csv", b"\n".to_vec(), "EMPTY"),
        ("north/scans/cut.csv.gz", cut, "TRUNCATED"),
        ("north/scans/damaged.csv.gz", damaged, "CORRUPT"),
        ("north/scans/utf16-without-mark.csv", utf16, "ENCODING"),
        ("north/scans/header.csv", b"accession,patient\nAB000001,Ann\n".to_vec(), "MISSING_COLUMN"),
        (
            "north/scans/quote.csv",
            format!("{HEADER}AB000001,\"Ann,CT,,,\n").into_bytes(),
            "UNTERMINATED_QUOTE",
        ),
        ("north/scans/empty.csv", Vec::new(), "EMPTY"),
    ];
    for (key, bytes, fault) in cases {
        let entry = harness.process(key, bytes.clone()).await;
        assert_eq!((entry.state(), entry.fault()), ("QUARANTINED", fault), "{key}");
        let folder = entry.quarantine();
        let names = harness.quarantine_names(folder).await;
        assert!(names.contains(&"report.quarantined.json".to_owned()), "{key}: {names:?}");
        let original = names
            .iter()
            .find(|name| name.starts_with("original"))
            .unwrap_or_else(|| panic!("{key}: {names:?}"));
        assert_eq!(
            harness.quarantined(&format!("{folder}/{original}")).await,
            bytes,
            "{key}: the bytes as sent"
        );
        assert_eq!(harness.receipt(&entry).await["state"], "QUARANTINED", "{key}");
    }
    assert!(harness.records().await.is_empty());
    harness.settle().await;
}

#[tokio::test]
async fn a_feed_without_a_usable_contract_is_quarantined_and_says_which() {
    let harness = Harness::open().await;
    let unknown = harness.process("north/nobody-knows/day.csv", csv(0, 1)).await;
    assert_eq!((unknown.state(), unknown.fault()), ("QUARANTINED", "NO_CONTRACT"));
    // A good version from before a deletion does not come back in place of a broken one.
    let delete = harness.s3.delete_object().bucket(&harness.names.contracts).key("scans.odcs.yaml");
    delete.send().await.expect("delete the contract");
    harness.publish(&contract_with("status: active", "status: [")).await;
    let broken = harness.process("north/scans/day.csv", csv(0, 1)).await;
    assert_eq!((broken.state(), broken.fault()), ("QUARANTINED", "CONTRACT_INVALID"));
    assert!(harness.records().await.is_empty());
    harness.settle().await;
}

#[tokio::test]
async fn a_feed_that_allows_no_error_quarantines_the_whole_file() {
    let harness = Harness::open().await;
    harness.publish(&contract_with("value: continue", "value: abort")).await;
    let entry = harness.process("north/scans/day.csv", format!("{}AB1,Ann,CT,,,\n", csv(0, 9))).await;
    assert_eq!((entry.state(), entry.fault()), ("QUARANTINED", "ERROR_BUDGET"));
    assert!(harness.records().await.is_empty());
    harness.settle().await;
}

#[tokio::test]
async fn a_foreign_message_goes_to_the_dead_letters_and_files_are_still_processed() {
    let harness = Harness::open().await;
    harness.settle().await;
    let get = harness.sqs.get_queue_attributes().queue_url(&harness.names.dead_letters);
    let arn = get.attribute_names(QueueAttributeName::QueueArn).send().await.expect("the dead-letter queue");
    let arn = arn.attributes.and_then(|mut all| all.remove(&QueueAttributeName::QueueArn)).expect("its ARN");
    // One receive instead of ten: the waits between them are not what is tested here.
    let redrive = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"1"}}"#);
    let set = harness.sqs.set_queue_attributes().queue_url(&harness.names.queue);
    let set = set.attributes(QueueAttributeName::RedrivePolicy, redrive);
    set.attributes(QueueAttributeName::VisibilityTimeout, "2")
        .send()
        .await
        .expect("shorten the queue's patience");

    harness.deliver("this is no JSON").await;
    let entry = harness.process("north/scans/day.csv", csv(0, 5)).await;
    assert_eq!(entry.state(), "COMPLETE");

    let wait = async {
        loop {
            let receive =
                harness.sqs.receive_message().queue_url(&harness.names.dead_letters).wait_time_seconds(20);
            let received = receive.send().await.expect("read the dead letters").messages.unwrap_or_default();
            if let Some(message) = received.into_iter().next() {
                return message.body.unwrap_or_default();
            }
        }
    };
    let dead = tokio::time::timeout(PATIENCE, wait).await.expect("a dead letter");
    assert_eq!(dead, "this is no JSON");
}
