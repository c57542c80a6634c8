//! Dead letters that are sent again: taken for a while, sent, removed.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use tokio::sync::OnceCell;

use super::client::Late;
use super::failure::failure;
use super::queues;
use crate::{Error, MOST_MESSAGES, Operation, Redrive, RedrivenQueue, TakenLetter};

/// How long SQS looks for letters: any time above 0 makes it ask all of its servers, so that none is overlooked.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
const LOOK_SECONDS: i32 = 1;

/// The queues of dead letters of a stack. Their URLs are looked up once.
pub struct LetterQueues {
    sqs: Late<Client>,
    stack: String,
    inbox: OnceCell<String>,
    webhooks: OnceCell<String>,
}

impl LetterQueues {
    /// Makes the queues of the stack of this name.
    #[must_use]
    pub fn new(sqs: &Late<Client>, stack: &str) -> Self {
        let (inbox, webhooks) = (OnceCell::new(), OnceCell::new());
        Self { sqs: sqs.clone(), stack: stack.to_owned(), inbox, webhooks }
    }

    async fn url(&self, queue: RedrivenQueue) -> Result<&str, Error> {
        let known = match queue {
            RedrivenQueue::Inbox => &self.inbox,
            RedrivenQueue::Webhooks => &self.webhooks,
        };
        let found = async || {
            let found = queues::url(self.sqs.get(), queue.letters(), &self.stack).await?;
            found.ok_or_else(|| Error::new(Operation::TakeLetters, "no such queue"))
        };
        known.get_or_try_init(found).await.map(String::as_str)
    }
}

impl<T: AsRef<LetterQueues> + Sync> Redrive for T {
    async fn take_letters(&self, queue: RedrivenQueue, seconds: u32) -> Result<Vec<TakenLetter>, Error> {
        let queues = self.as_ref();
        let answer = queues
            .sqs
            .get()
            .receive_message()
            .queue_url(queues.url(queue).await?)
            .max_number_of_messages(i32::try_from(MOST_MESSAGES).unwrap_or(i32::MAX))
            .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX))
            .wait_time_seconds(LOOK_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await
            .map_err(|error| failure(Operation::TakeLetters, &error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(taken).collect())
    }

    async fn remove_letter(&self, queue: RedrivenQueue, letter: &TakenLetter) -> Result<(), Error> {
        let queues = self.as_ref();
        let request = queues.sqs.get().delete_message().queue_url(queues.url(queue).await?);
        let answer = request.receipt_handle(&letter.receipt_handle).send().await;
        answer.map_err(|error| failure(Operation::RemoveLetter, &error))?;
        Ok(())
    }

    async fn put_back(&self, queue: RedrivenQueue, letter: &TakenLetter) -> Result<(), Error> {
        let queues = self.as_ref();
        let url = queues.url(queue).await?;
        let request = queues.sqs.get().change_message_visibility().queue_url(url).visibility_timeout(0);
        let answer = request.receipt_handle(&letter.receipt_handle).send().await;
        answer.map_err(|error| failure(Operation::PutBack, &error))?;
        Ok(())
    }
}

fn taken(message: Message) -> Option<TakenLetter> {
    let attribute = |name| Some(message.attributes.as_ref()?.get(&name)?.as_str());
    let sent_ms = attribute(MessageSystemAttributeName::SentTimestamp).and_then(|sent| sent.parse().ok());
    Some(TakenLetter {
        sent_ms,
        id: message.message_id?,
        body: message.body?,
        receipt_handle: message.receipt_handle?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::client::Connection;
    use crate::aws::replay::{ReplayedResponse, ScriptedService, SentRequest, answer, queue_url};

    fn letters(answers: impl IntoIterator<Item = ReplayedResponse>) -> (LetterQueues, ScriptedService) {
        let (config, service) = ScriptedService::configuration(answers);
        (LetterQueues::new(&Connection::new(&config).sqs(), "stack"), service)
    }

    fn url(name: &str) -> ReplayedResponse {
        answer(200, json!({ "QueueUrl": queue_url(name) }).to_string())
    }

    #[tokio::test]
    async fn a_letter_is_hidden_and_removed_by_its_own_handle() -> Result<(), Error> {
        let letter = |id: &str, attributes: Value| {
            json!({ "MessageId": id, "Body": "{}", "ReceiptHandle": "h",
                "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b", "Attributes": attributes })
        };
        let sent = json!({ "SentTimestamp": "1795176000000" });
        let received = json!({ "Messages": [letter("m", sent), letter("n", json!({}))] });
        let done = || answer(200, "{}");
        let answers =
            [url("stack-inbox-dead-letters"), answer(200, received.to_string()), done(), done(), done()];
        let (queues, service) = letters(answers);
        let inbox = RedrivenQueue::Inbox;
        let taken = queues.take_letters(inbox, 300).await?;
        let [letter, other] = &taken[..] else { panic!("two letters") };
        assert_eq!((letter.id.as_str(), letter.sent_ms), ("m", Some(1_795_176_000_000)));
        assert_eq!((other.id.as_str(), other.sent_ms), ("n", None));
        queues.remove_letter(inbox, letter).await?;
        queues.put_back(inbox, letter).await?;
        assert!(queues.take_letters(inbox, 300).await?.is_empty());
        let seen: Vec<Value> = service.seen().iter().map(SentRequest::json).collect();
        assert_eq!(seen[0]["QueueName"], "stack-inbox-dead-letters");
        let dead = json!(queue_url("stack-inbox-dead-letters"));
        assert_eq!((&seen[1]["QueueUrl"], &seen[1]["VisibilityTimeout"]), (&dead, &json!(300)));
        assert!(seen[1]["WaitTimeSeconds"].as_i64() > Some(0), "all servers are asked");
        assert_eq!((&seen[2]["QueueUrl"], &seen[2]["ReceiptHandle"]), (&dead, &json!("h")));
        assert_eq!((&seen[3]["VisibilityTimeout"], &seen[3]["ReceiptHandle"]), (&json!(0), &json!("h")));
        assert_eq!(seen.len(), 5, "the URL is looked up once");
        Ok(())
    }

    #[tokio::test]
    async fn a_stack_without_the_queue_is_an_error() {
        let none = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"secret"}"#;
        let (queues, _) = letters([answer(400, none)]);
        let error = queues.take_letters(RedrivenQueue::Webhooks, 1).await.err().expect("an error");
        assert_eq!((error.operation, error.code.as_str()), (Operation::TakeLetters, "no such queue"));
    }
}
