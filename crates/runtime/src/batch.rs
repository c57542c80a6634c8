//! A batch of an SQS queue, as Lambda hands it over, and what a function answers to it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use serde::Deserialize;
use serde_json::Value;

/// One message of the queue, its body read by the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<B> {
    /// Its id, for the partial batch response.
    pub id: String,
    /// Its receipt handle, to change its visibility.
    pub receipt_handle: String,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// What it says.
    pub body: B,
}

/// Reads a batch; `None` when a message has no id or no receipt handle: what cannot be named cannot be given back.
/// A message without a body has an empty one.
pub fn batch<B>(event: &Value, read: impl Fn(String) -> B) -> Option<Vec<Message<B>>> {
    // The error's text may repeat a part of the event, so it ends here.
    let batch = SqsEvent::deserialize(event).ok()?;
    batch.records.into_iter().map(|record| message(record, &read)).collect()
}

fn message<B>(record: SqsMessage, read: impl Fn(String) -> B) -> Option<Message<B>> {
    let receive_count = record.attributes.get("ApproximateReceiveCount");
    Some(Message {
        receive_count: receive_count.and_then(|count| count.parse().ok()).unwrap_or(1),
        id: record.message_id.filter(|id| !id.is_empty())?,
        receipt_handle: record.receipt_handle?,
        body: read(record.body.unwrap_or_default()),
    })
}

/// Returns the answer to a batch: these messages are delivered again, all others of the batch are deleted, provided
/// that the event source mapping has `ReportBatchItemFailures`. It takes messages and no texts, so that each id is
/// one of the batch: an id that Lambda does not know fails the whole batch.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
pub fn deliver_again<'m, B: 'm>(messages: impl IntoIterator<Item = &'m Message<B>>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.set_failures(messages.into_iter().map(|message| message.id.as_str()));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_read_with_its_attempts() {
        let event = json!({ "Records": [
            { "messageId": "m", "receiptHandle": "h", "body": "text", "attributes": { "ApproximateReceiveCount": "3" } },
            { "messageId": "n", "receiptHandle": "i", "attributes": { "ApproximateReceiveCount": "many" } },
        ] });
        let message = |id: &str, receipt_handle: &str, receive_count, body| Message {
            id: id.to_owned(),
            receipt_handle: receipt_handle.to_owned(),
            receive_count,
            body,
        };
        assert_eq!(
            batch(&event, |text| text.len()),
            Some(vec![message("m", "h", 3, 4), message("n", "i", 1, 0)])
        );
    }

    #[test]
    fn what_cannot_be_given_back_is_no_batch() {
        for event in [
            json!({}),
            json!(1),
            json!({ "Records": [{}] }),
            json!({ "Records": [{ "messageId": "m" }] }),
            json!({ "Records": [{ "messageId": "", "receiptHandle": "h" }] }),
            json!({ "Records": [{ "messageId": "m", "receiptHandle": "h" }, { "receiptHandle": "i" }] }),
        ] {
            assert_eq!(batch(&event, |text| text), None, "{event}");
        }
    }

    #[test]
    fn the_answer_names_messages_as_lambda_reads_it() {
        let event = json!({ "Records": [
            { "messageId": "m", "receiptHandle": "h" }, { "messageId": "n", "receiptHandle": "i" },
        ] });
        let messages = batch(&event, |_| ()).expect("a batch");
        let answer = |messages: &[Message<()>]| serde_json::to_value(deliver_again(messages)).expect("JSON");
        assert_eq!(answer(&messages[1..]), json!({ "batchItemFailures": [{ "itemIdentifier": "n" }] }));
        assert_eq!(answer(&[]), json!({ "batchItemFailures": [] }));
    }
}
