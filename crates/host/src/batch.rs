//! A batch of an SQS queue, as Lambda hands it over.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

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
    let batch = Batch::deserialize(event).ok()?;
    let message = |record: Record| Message {
        receive_count: record
            .attributes
            .approximate_receive_count
            .and_then(|count| count.parse().ok())
            .unwrap_or(1),
        id: record.message_id,
        receipt_handle: record.receipt_handle,
        body: read(record.body),
    };
    Some(batch.records.into_iter().map(message).collect())
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    receipt_handle: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: Option<String>,
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
        for event in
            [json!({}), json!(1), json!({ "Records": [{}] }), json!({ "Records": [{ "messageId": "m" }] })]
        {
            assert_eq!(batch(&event, |text| text), None, "{event}");
        }
    }
}
