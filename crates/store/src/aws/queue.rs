//! The messages of a queue, and the outcome topic.

use aws_sdk_sns::types::MessageAttributeValue;
use aws_types::SdkConfig;

use super::failure::failure;
use super::{Aws, clients};
use crate::{Announcement, Error, HandOver, Operation, Outcomes, Queue};

/// SQS's longest visibility timeout: 12 hours.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>
const LONGEST_SECONDS: u32 = 43_200;

impl Queue for Aws {
    async fn defer(&self, receipt_handle: &str, seconds: u32) -> Result<(), Error> {
        defer(self.sqs(), &self.names.queue_url, receipt_handle, seconds).await
    }
}

impl HandOver for Aws {
    async fn hand_over(&self, body: &str) -> Result<(), Error> {
        let request = self.sqs().send_message().queue_url(&self.names.queue_url).message_body(body);
        request.send().await.map_err(|error| failure(Operation::SendMessages, &error))?;
        Ok(())
    }
}

/// A queue alone, for what has nothing else of the path. Clones share the client.
#[derive(Clone)]
pub struct MessageQueue {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

impl MessageQueue {
    /// The queue at this URL, with these credentials, region, endpoint and HTTP client.
    #[must_use]
    pub fn new(config: &SdkConfig, url: &str) -> Self {
        Self { sqs: clients::sqs(config), url: url.to_owned() }
    }
}

impl Queue for MessageQueue {
    async fn defer(&self, receipt_handle: &str, seconds: u32) -> Result<(), Error> {
        defer(&self.sqs, &self.url, receipt_handle, seconds).await
    }
}

async fn defer(
    sqs: &aws_sdk_sqs::Client,
    url: &str,
    receipt_handle: &str,
    seconds: u32,
) -> Result<(), Error> {
    let seconds = i32::try_from(seconds.min(LONGEST_SECONDS)).unwrap_or_default();
    sqs.change_message_visibility()
        .queue_url(url)
        .receipt_handle(receipt_handle)
        .visibility_timeout(seconds)
        .send()
        .await
        .map_err(|error| failure(Operation::Defer, &error))?;
    Ok(())
}

impl Outcomes for Aws {
    async fn publish(&self, announcement: &Announcement) -> Result<(), Error> {
        let mut request =
            self.sns().publish().topic_arn(&self.names.outcome_topic).message(&announcement.body);
        // SNS rejects an attribute without a value; a filter sees it as absent, which it is.
        for (name, value) in announcement.attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|_| Error::new(Operation::Announce, "request not built"))?;
            request = request.message_attributes(*name, value);
        }
        request.send().await.map_err(|error| failure(Operation::Announce, &error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::replay::{Replay, answer};

    #[tokio::test]
    async fn a_message_is_deferred_within_the_limit() -> Result<(), Error> {
        let (aws, replay) = Replay::store([answer(200, "{}"), answer(200, "{}")]);
        aws.defer("handle", 30).await?;
        aws.defer("handle", u32::MAX).await?;
        let seconds: Vec<_> =
            replay.seen().iter().map(|seen| seen.json()["VisibilityTimeout"].as_u64()).collect();
        assert_eq!(seconds, [Some(30), Some(43_200)]);
        assert_eq!(replay.seen()[0].json()["ReceiptHandle"], "handle");
        Ok(())
    }

    #[tokio::test]
    async fn a_file_is_handed_over_by_a_message_to_the_same_queue() -> Result<(), Error> {
        let (aws, replay) = Replay::store([answer(200, r#"{"MessageId":"m"}"#)]);
        aws.hand_over("{\"Records\":[]}").await?;
        let seen = replay.seen()[0].json();
        assert_eq!(seen["QueueUrl"], "https://sqs.eu-central-1.amazonaws.com/123456789012/inbox");
        assert_eq!(seen["MessageBody"], "{\"Records\":[]}");
        assert!(aws.hand_over("").await.is_err());
        Ok(())
    }

    #[tokio::test]
    async fn a_queue_alone_defers_its_own_messages() -> Result<(), Error> {
        let (config, replay) = Replay::configuration([answer(200, "{}")]);
        MessageQueue::new(&config, "https://sqs.eu-central-1.amazonaws.com/1/webhooks")
            .defer("handle", 60)
            .await?;
        let seen = replay.seen()[0].json();
        assert_eq!((&seen["VisibilityTimeout"], &seen["ReceiptHandle"]), (&60.into(), &"handle".into()));
        assert_eq!(seen["QueueUrl"], "https://sqs.eu-central-1.amazonaws.com/1/webhooks");
        Ok(())
    }

    #[tokio::test]
    async fn an_outcome_is_published_with_the_attributes_that_have_a_value() -> Result<(), Error> {
        let published =
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";
        let (aws, replay) = Replay::store([answer(200, published)]);
        let attributes = vec![("partner", "clinic".to_owned()), ("fault", String::new())];
        aws.publish(&Announcement { body: "{\"a\":1}".into(), attributes }).await?;
        let body = replay.seen()[0].body.clone();
        assert!(body.contains("Message=%7B%22a%22%3A1%7D"), "{body}");
        assert!(body.contains("MessageAttributes.entry.1.Name=partner"), "{body}");
        assert!(!body.contains("fault"), "{body}");
        Ok(())
    }
}
