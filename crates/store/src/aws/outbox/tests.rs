use super::*;
use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, s3_error};
use crate::{FileId, Order};

const RECEIPT: &str = "north/visits/day.csv.receipt.json";

fn mark() -> ReceiptMark {
    ReceiptMark {
        order: Order::parse("2026-11-20T08:15:00.000Z/0000001a").expect("an order"),
        file: FileId::parse("r78c69kajr602vj4sbw2tybqa0").expect("an id"),
        decision: "r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764/complete.json".to_owned(),
    }
}

fn head(headers: &[(&'static str, &str)]) -> ReplayedResponse {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    ReplayedResponse { status: 200, headers, body: Vec::new() }
}

fn missing() -> ReplayedResponse {
    ReplayedResponse { status: 404, headers: vec![("x-amz-request-id", "r".to_owned())], body: Vec::new() }
}

#[tokio::test]
async fn a_receipt_says_of_which_decision_it_is_and_a_foreign_object_does_not() -> Result<(), Error> {
    let mark = mark();
    let headers = [
        ("etag", "\"e\""),
        ("x-amz-meta-order", mark.order.as_str()),
        ("x-amz-meta-file", mark.file.as_str()),
        ("x-amz-meta-decision", mark.decision.as_str()),
    ];
    let (store, _) = ScriptedService::store([head(&headers), head(&headers[..1]), missing()]);
    let etag = "\"e\"".to_owned();
    assert_eq!(store.posted(RECEIPT).await?, Some(PostedReceipt { mark: Some(mark), etag: etag.clone() }));
    assert_eq!(store.posted(RECEIPT).await?, Some(PostedReceipt { mark: None, etag }));
    assert_eq!(store.posted(RECEIPT).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_receipt_is_written_over_what_was_seen_and_over_nothing_else() -> Result<(), Error> {
    let answers = [
        answer(200, ""),
        answer(200, ""),
        s3_error(412, "PreconditionFailed"),
        s3_error(409, "ConditionalRequestConflict"),
        s3_error(404, "NoSuchKey"),
        s3_error(403, "AccessDenied"),
    ];
    let (store, replay) = ScriptedService::store(answers);
    let seen = PostedReceipt { mark: None, etag: "\"e\"".to_owned() };
    assert!(store.post(RECEIPT, &mark(), "{}".into(), None).await?);
    for expected in [true, false, false, false] {
        assert_eq!(store.post(RECEIPT, &mark(), "{}".into(), Some(&seen)).await?, expected);
    }
    let denied = store.post(RECEIPT, &mark(), "{}".into(), Some(&seen)).await.expect_err("denied");
    assert!(denied.is_denied() && denied.operation == Operation::WriteOutbox, "{denied}");
    let sent = replay.seen();
    assert_eq!((sent[0].header("if-none-match"), sent[0].header("if-match")), (Some("*"), None));
    assert_eq!((sent[1].header("if-none-match"), sent[1].header("if-match")), (None, Some("\"e\"")));
    assert!(sent.iter().all(|put| put.header("x-amz-meta-decision") == Some(mark().decision.as_str())));
    assert!(sent.iter().all(|put| put.header("x-amz-expected-bucket-owner") == Some("123456789012")));
    Ok(())
}

#[tokio::test]
async fn rejects_are_copied_server_side_and_missing_ones_are_none() -> Result<(), Error> {
    let (from, to) = ("north/visits/2026/11/20/l/rejects.csv", "north/visits/day.csv.l.rejects.csv");
    let copied = answer(200, "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>");
    let (store, replay) =
        ScriptedService::store([head(&[("etag", "\"e\""), ("content-length", "7")]), copied, missing()]);
    assert!(store.return_rejects(from, to).await?);
    assert!(!store.return_rejects(from, to).await?);
    let sent = replay.seen();
    let methods: Vec<_> = sent.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods, ["HEAD", "PUT", "HEAD"]);
    assert!(sent[0].uri.contains("quarantine") && sent[1].uri.contains("outbox"), "{}", sent[1].uri);
    assert_eq!(sent[1].header("x-amz-copy-source"), Some(format!("quarantine/{from}").as_str()));
    assert_eq!(sent[1].header("x-amz-copy-source-if-match"), Some("\"e\""));
    Ok(())
}
