use serde_json::json;

use super::*;
use crate::aws::client::Connection;
use crate::aws::replay::{ScriptedService, answer, queue_url};

#[tokio::test]
async fn a_message_is_deferred_within_the_limit() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([answer(200, "{}"), answer(200, "{}")]);
    store.defer("handle", 30).await?;
    store.defer("handle", u32::MAX).await?;
    let seconds: Vec<_> =
        replay.seen().iter().map(|seen| seen.json()["VisibilityTimeout"].as_u64()).collect();
    assert_eq!(seconds, [Some(30), Some(43_200)]);
    assert_eq!(replay.seen()[0].json()["ReceiptHandle"], "handle");
    Ok(())
}

#[tokio::test]
async fn a_file_is_handed_over_by_a_message_to_the_same_queue() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([answer(200, r#"{"MessageId":"m"}"#)]);
    store.hand_over("{\"Records\":[]}").await?;
    let seen = replay.seen()[0].json();
    assert_eq!(seen["QueueUrl"], "https://sqs.eu-central-1.amazonaws.com/123456789012/inbox");
    assert_eq!(seen["MessageBody"], "{\"Records\":[]}");
    assert!(store.hand_over("").await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_queue_alone_defers_its_own_messages() -> Result<(), Error> {
    let (config, replay) = ScriptedService::configuration([answer(200, "{}")]);
    let sqs = Connection::new(&config).sqs();
    let queue = MessageQueue::new(&sqs, "https://sqs.eu-central-1.amazonaws.com/1/webhooks");
    queue.defer("handle", 60).await?;
    let seen = replay.seen()[0].json();
    assert_eq!((&seen["VisibilityTimeout"], &seen["ReceiptHandle"]), (&60.into(), &"handle".into()));
    assert_eq!(seen["QueueUrl"], "https://sqs.eu-central-1.amazonaws.com/1/webhooks");
    Ok(())
}

#[tokio::test]
async fn messages_that_the_queue_does_not_take_are_sent_again_and_no_other() -> Result<(), Error> {
    let some = json!({"Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "47bce5c74f589f4867dbd57e9ca9f808"}],
        "Failed": [{"Id": "1", "SenderFault": false, "Code": "InternalError"}]});
    let all = json!({"Successful": [{"Id": "1", "MessageId": "m", "MD5OfMessageBody": "08f8e0260c64418510cefb2b06eee5cd"}],
        "Failed": []});
    let (store, replay) =
        ScriptedService::store([answer(200, some.to_string()), answer(200, all.to_string())]);
    store.send(&["aaa".into(), "bbb".into()]).await?;
    let bodies = |index: usize| -> Vec<serde_json::Value> {
        let seen = replay.seen()[index].json();
        seen["Entries"].as_array().into_iter().flatten().map(|entry| entry["MessageBody"].clone()).collect()
    };
    assert_eq!((bodies(0), bodies(1)), (vec![json!("aaa"), json!("bbb")], vec![json!("bbb")]));
    assert_eq!(replay.seen()[0].json()["QueueUrl"], queue_url("inbox"));
    Ok(())
}

#[tokio::test]
async fn a_look_at_dead_letters_hides_none_of_them() -> Result<(), Error> {
    let received = json!({"Messages": [{"MessageId": "m", "Body": "{}", "ReceiptHandle": "h",
        "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b"}]});
    let counted = json!({"Attributes": {"ApproximateNumberOfMessages": "3",
        "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "0"}});
    let answers = [answer(200, received.to_string()), answer(200, "{}"), answer(200, counted.to_string())];
    let (store, replay) = ScriptedService::store(answers);
    let found = store.peek(WatchedQueue::InboxDeadLetters).await?;
    assert_eq!((found.len(), found[0].id.as_str(), found[0].body.as_str()), (1, "m", "{}"));
    assert!(store.peek(WatchedQueue::WebhookDeadLetters).await?.is_empty());
    let seen = replay.seen()[0].json();
    assert_eq!(
        (&seen["VisibilityTimeout"], &seen["QueueUrl"]),
        (&json!(0), &json!(queue_url("inbox-dead-letters")))
    );
    let depth = store.messages(WatchedQueue::InboxDeadLetters).await?;
    assert_eq!(depth, Depth { waiting: 3, in_flight: 1 });
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
    let (store, replay) = ScriptedService::store(answers);
    let queue = StackQueue::InboxDeadLetters;
    assert_eq!(store.depth(queue).await?, Some(Depth { waiting: 3, in_flight: 3 }));
    assert_eq!(replay.seen()[0].json()["QueueName"], "stack-inbox-dead-letters");
    assert_eq!(replay.seen()[1].json()["QueueUrl"], url);
    assert_eq!(store.depth(queue).await?, None);
    assert_eq!(store.depth(queue).await.unwrap_err().code, "no count");
    Ok(())
}

#[tokio::test]
async fn messages_go_to_a_queue_that_is_known_by_its_name() -> Result<(), Error> {
    let url = r#"{"QueueUrl":"https://sqs.eu-central-1.amazonaws.com/123456789012/stack-inbox"}"#;
    let taken = r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"m"}],"Failed":[]}"#;
    let left = r#"{"Successful":[],"Failed":[{"Id":"0","SenderFault":false,"Code":"InternalError"}]}"#;
    let missing = answer(400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#);
    let mut answers = vec![answer(200, url), answer(200, taken), answer(200, url)];
    answers.extend(std::iter::repeat_with(|| answer(200, left)).take(6));
    answers.push(missing);
    let (store, replay) = ScriptedService::store(answers);
    let message = ["{}".to_owned()];
    store.send_to(StackQueue::Inbox, &message).await?;
    assert_eq!(replay.seen()[0].json()["QueueName"], "stack-inbox");
    assert_eq!(replay.seen()[1].json()["QueueUrl"], queue_url("stack-inbox"));
    assert_eq!(store.send_to(StackQueue::Inbox, &message).await.unwrap_err().code, "not taken");
    assert_eq!(store.send_to(StackQueue::Inbox, &message).await.unwrap_err().code, "no such queue");
    Ok(())
}
