use serde_json::json;

use super::*;
use crate::State;
use crate::aws::replay::{Answer, Replay, answer, dynamodb_error, s3_error};

fn names() -> LookoutNames {
    let queue = |name: &str| format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{name}");
    LookoutNames {
        inbox: "inbox".into(),
        contracts_bucket: "contracts".into(),
        ledger_table: "ledger".into(),
        partners_table: "partners".into(),
        inbox_queue: queue("inbox"),
        inbox_dead_letters: queue("inbox-dead-letters"),
        webhooks_dead_letters: queue("webhooks-dead-letters"),
        account: Some("123456789012".into()),
    }
}

fn lookout(answers: impl IntoIterator<Item = Answer>) -> (Lookout, Replay) {
    let (config, replay) = Replay::configuration(answers);
    let mut lookout = Lookout::new(&config, names());
    lookout.backoff = Backoff { unit: std::time::Duration::ZERO };
    (lookout, replay)
}

fn version(key: &str, version: &str) -> String {
    format!(
        "<Version><Key>{key}</Key><VersionId>{version}</VersionId><ETag>&quot;tag&quot;</ETag><Size>7</Size>\
         <LastModified>2026-11-21T06:00:00.000Z</LastModified></Version>"
    )
}

fn page(content: &str, next: Option<(&str, &str)>) -> Answer {
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |(key, version)| {
            format!(
                "<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker>\
                 <NextVersionIdMarker>{version}</NextVersionIdMarker>"
            )
        },
    );
    let body =
        format!("<ListVersionsResult><EncodingType>url</EncodingType>{content}{next}</ListVersionsResult>");
    answer(200, body)
}

#[tokio::test]
async fn versions_are_listed_page_by_page_without_delete_markers() -> Result<(), Error> {
    let marker = "<DeleteMarker><Key>n/l/gone</Key><VersionId>d</VersionId></DeleteMarker>";
    let content = version("n/l/a+b%2B.csv", "v1") + marker + &version("n/l/c", "null");
    let (lookout, replay) = lookout([page(&content, Some(("n/l/c", "null"))), page("", None)]);
    let first = lookout.inbox_page(None).await?;
    let [one, other] = &first.versions[..] else { panic!("two versions") };
    assert_eq!((one.file.key.as_str(), one.file.version.as_str(), one.bytes), ("n/l/a b+.csv", "v1", 7));
    assert_eq!((one.file.etag.as_deref(), other.file.etag.as_deref()), (None, Some("tag")));
    assert_eq!(one.last_modified_ms, 1_795_240_800_000);
    assert!(lookout.inbox_page(first.next.as_ref()).await?.next.is_none());
    let seen = replay.seen();
    assert!(!seen[0].uri.contains("key-marker"), "{}", seen[0].uri);
    assert!(seen[1].uri.contains("key-marker=n%2Fl%2Fc") && seen[1].uri.contains("version-id-marker=null"));
    assert_eq!(seen[0].header("x-amz-expected-bucket-owner"), Some("123456789012"));
    Ok(())
}

fn item(file: &FileId, state: State) -> serde_json::Value {
    json!({"pk": {"S": format!("file#{file}")}, "bucket": {"S": "inbox"}, "key": {"S": "n/l/a"}, "version": {"S": "v"},
        "partner": {"S": "n"}, "feed": {"S": "l"}, "state": {"S": state.as_str()}, "fence": {"N": "1"},
        "owner": {"S": "o"}, "lease_until_ms": {"N": "0"},
        "order": {"S": "2026-11-21T06:00:00.000Z/0"}, "load": {"S": format!("{file}-ce8hmn7mrjtx6")},
        "rows_written": {"N": "0"}, "announced": {"BOOL": true}})
}

#[tokio::test]
async fn entries_are_read_together_until_none_is_left() -> Result<(), Error> {
    let files = ["a", "b", "c"].map(|name| FileId::parse(&name.repeat(26)).expect("an id"));
    let left = json!({"ledger": {"Keys": [{"pk": {"S": format!("file#{}", files[1])}}]}});
    let first = json!({"Responses": {"ledger": [item(&files[0], State::Complete)]}, "UnprocessedKeys": left});
    let second =
        json!({"Responses": {"ledger": [item(&files[1], State::Processing)]}, "UnprocessedKeys": {}});
    let (lookout, replay) = lookout([answer(200, first.to_string()), answer(200, second.to_string())]);
    let found = lookout.entries(&files).await?;
    assert_eq!(found.keys().collect::<Vec<_>>(), [&files[0], &files[1]], "the third has none");
    assert_eq!((found[&files[0]].announced, found[&files[1]].state), (true, State::Processing));
    let keys = |index: usize| replay.seen()[index].json()["RequestItems"]["ledger"]["Keys"].clone();
    assert_eq!(keys(0).as_array().map(Vec::len), Some(3));
    assert_eq!(keys(1), json!([{"pk": {"S": format!("file#{}", files[1])}}]));
    assert!(lookout.entries(&[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_cursor_reads_back_and_is_written_only_over_what_was_seen() -> Result<(), Error> {
    let place = InboxPlace { key: "n/l/a b".into(), version: Some("v1".into()) };
    let cursor = Cursor { revision: 4, begun_ms: 9, place: Some(place) };
    let stored = json!({"Item": {"pk": {"S": "reconciliation"}, "revision": {"N": "4"}, "begun_ms": {"N": "9"},
        "place_key": {"S": "n/l/a b"}, "place_version": {"S": "v1"}}});
    let rejected = dynamodb_error("ConditionalCheckFailedException", "");
    let answers = [answer(200, stored.to_string()), answer(200, "{}"), answer(200, "{}"), rejected];
    let (lookout, replay) = lookout(answers);
    assert!(lookout.cursor().await?.as_ref() == Some(&cursor));
    assert!(lookout.cursor().await?.is_none());
    let next = Cursor { revision: 5, place: None, ..cursor.clone() };
    assert!(lookout.put_cursor(&cursor, None).await?);
    assert!(!lookout.put_cursor(&next, Some(&cursor)).await?);
    let seen = replay.seen();
    assert_eq!(seen[0].json()["Key"], json!({"pk": {"S": "reconciliation"}}));
    assert_eq!(seen[2].json()["ConditionExpression"], "attribute_not_exists(#revision)");
    assert_eq!(seen[2].json()["Item"], stored["Item"]);
    assert_eq!(seen[3].json()["ExpressionAttributeValues"], json!({":seen": {"N": "4"}}));
    assert!(seen[3].json()["Item"]["place_key"].is_null());
    Ok(())
}

#[tokio::test]
async fn messages_that_the_queue_does_not_take_are_sent_again_and_no_other() -> Result<(), Error> {
    let some = json!({"Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "47bce5c74f589f4867dbd57e9ca9f808"}],
        "Failed": [{"Id": "1", "SenderFault": false, "Code": "InternalError"}]});
    let all = json!({"Successful": [{"Id": "1", "MessageId": "m", "MD5OfMessageBody": "08f8e0260c64418510cefb2b06eee5cd"}],
        "Failed": []});
    let (lookout, replay) = lookout([answer(200, some.to_string()), answer(200, all.to_string())]);
    lookout.send(&["aaa".into(), "bbb".into()]).await?;
    let bodies = |index: usize| -> Vec<serde_json::Value> {
        let seen = replay.seen()[index].json();
        seen["Entries"].as_array().into_iter().flatten().map(|entry| entry["MessageBody"].clone()).collect()
    };
    assert_eq!((bodies(0), bodies(1)), (vec![json!("aaa"), json!("bbb")], vec![json!("bbb")]));
    assert_eq!(replay.seen()[0].json()["QueueUrl"], names().inbox_queue);
    Ok(())
}

#[tokio::test]
async fn a_look_at_dead_letters_hides_none_of_them() -> Result<(), Error> {
    let received = json!({"Messages": [{"MessageId": "m", "Body": "{}", "ReceiptHandle": "h",
        "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b"}]});
    let counted = json!({"Attributes": {"ApproximateNumberOfMessages": "3",
        "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "0"}});
    let answers = [answer(200, received.to_string()), answer(200, "{}"), answer(200, counted.to_string())];
    let (lookout, replay) = lookout(answers);
    let found = lookout.peek(WatchedQueue::InboxDeadLetters).await?;
    assert_eq!((found.len(), found[0].id.as_str(), found[0].body.as_str()), (1, "m", "{}"));
    assert!(lookout.peek(WatchedQueue::WebhookDeadLetters).await?.is_empty());
    let seen = replay.seen()[0].json();
    assert_eq!(
        (&seen["VisibilityTimeout"], &seen["QueueUrl"]),
        (&json!(0), &json!(names().inbox_dead_letters))
    );
    let depth = lookout.messages(WatchedQueue::InboxDeadLetters).await?;
    assert_eq!(depth, Depth { waiting: 3, in_flight: 1 });
    Ok(())
}

#[tokio::test]
async fn a_contract_is_published_only_where_there_is_none_and_tells_since_when() -> Result<(), Error> {
    let listed = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <Contents><Key>labs.odcs.yaml</Key><ETag>&quot;5d41&quot;</ETag><LastModified>2026-11-21T06:00:00.000Z</LastModified></Contents>\
        <Contents><Key>notes.txt</Key><LastModified>2026-11-21T06:00:00.000Z</LastModified></Contents></ListBucketResult>";
    let answers = [
        answer(200, listed),
        answer(200, ""),
        s3_error(412, "PreconditionFailed"),
        s3_error(403, "AccessDenied"),
    ];
    let (lookout, replay) = lookout(answers);
    assert_eq!(
        lookout.published().await?,
        [Published {
            feed: "labs".into(),
            published_ms: 1_795_240_800_000,
            etag: Some("\"5d41\"".to_owned())
        }]
    );
    assert!(lookout.publish_contract("heartbeat", "kind: DataContract".into()).await?);
    assert!(!lookout.publish_contract("heartbeat", "".into()).await?);
    let denied = lookout.publish_contract("heartbeat", "".into()).await.unwrap_err();
    assert_eq!((denied.operation, denied.code.as_str()), (Operation::PublishContract, "AccessDenied"));
    let put = &replay.seen()[1];
    assert_eq!((put.method.as_str(), put.header("if-none-match")), ("PUT", Some("*")));
    assert!(put.uri.contains("/heartbeat.odcs.yaml"), "{}", put.uri);
    Ok(())
}
