use proptest::prelude::*;

use super::*;
use crate::aws::replay::{Answer, Replay, answer, dynamodb_error, s3_error};

fn surveyor(answers: impl IntoIterator<Item = Answer>) -> (Surveyor, Replay) {
    let (config, replay) = Replay::configuration(answers);
    (Surveyor::new(&config, "stack", "quarantine", "123456789012"), replay)
}

#[tokio::test]
async fn a_stack_is_where_its_ledger_is() -> Result<(), Error> {
    let described = r#"{"Table":{"TableArn":"arn:aws-cn:dynamodb:cn-north-1:123456789012:table/s-ledger"}}"#;
    let answers = [
        answer(200, described),
        dynamodb_error("ResourceNotFoundException", ""),
        answer(200, r#"{"Table":{"TableArn":"ddblocal"}}"#),
    ];
    let (config, replay) = Replay::configuration(answers);
    let home = Home::find(&config, "s-ledger").await?.expect("a home");
    let Home { partition, region, account } = home;
    assert_eq!(
        (partition.as_str(), region.as_str(), account.as_str()),
        ("aws-cn", "cn-north-1", "123456789012")
    );
    assert_eq!(replay.seen()[0].json()["TableName"], "s-ledger");
    assert_eq!(Home::find(&config, "s-ledger").await?, None);
    assert_eq!(Home::find(&config, "s-ledger").await.unwrap_err().code, "malformed table ARN");
    Ok(())
}

#[tokio::test]
async fn a_queue_is_counted_and_one_that_is_not_there_is_no_error() -> Result<(), Error> {
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/stack-inbox-dead-letters";
    let counts = r#"{"Attributes":{"ApproximateNumberOfMessages":"3","ApproximateNumberOfMessagesNotVisible":"2",
        "ApproximateNumberOfMessagesDelayed":"1"}}"#;
    let none = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"secret"}"#;
    let answers = [
        answer(200, format!(r#"{{"QueueUrl":"{url}"}}"#)),
        answer(200, counts),
        answer(400, none),
        answer(200, format!(r#"{{"QueueUrl":"{url}"}}"#)),
        answer(200, "{}"),
    ];
    let (surveyor, replay) = surveyor(answers);
    let queue = StackQueue::InboxDeadLetters;
    assert_eq!(surveyor.depth(queue).await?, Some(Depth { waiting: 3, in_flight: 3 }));
    assert_eq!(replay.seen()[0].json()["QueueName"], "stack-inbox-dead-letters");
    assert_eq!(replay.seen()[1].json()["QueueUrl"], url);
    assert_eq!(surveyor.depth(queue).await?, None);
    assert_eq!(surveyor.depth(queue).await.unwrap_err().code, "no count");
    Ok(())
}

#[tokio::test]
async fn rejected_records_come_in_chunks_or_are_not_there() -> Result<(), Error> {
    let (surveyor, _) =
        surveyor([answer(200, "a,b\r\n"), s3_error(404, "NoSuchKey"), s3_error(403, "AccessDenied")]);
    let mut body = surveyor.open_kept("north/labs/rejects.csv").await?.expect("an object");
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    assert_eq!(bytes, b"a,b\r\n");
    assert!(surveyor.open_kept("x").await?.is_none());
    let Err(error) = surveyor.open_kept("x").await else { panic!("denied") };
    assert_eq!(error.code, "AccessDenied");
    Ok(())
}

proptest! {
    #[test]
    fn no_arn_panics(arn: String) {
        prop_assert!(Home::of_arn(&arn).is_none_or(|home| home.account.len() == 12));
    }
}
