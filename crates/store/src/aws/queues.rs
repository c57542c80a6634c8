//! Queues: messages of one queue, the queues that are watched, and those that are known by their names.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};

use super::client::Late;
use super::failure::{code, failure};
use super::pause;
use crate::{
    CountMessages, DeadLetter, Depth, Error, MOST_MESSAGES, Operation, Queue, SendMessages, SendToQueue,
    StackQueue, WatchQueues, WatchedQueue,
};

/// SQS's longest visibility timeout: 12 hours.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>
const LONGEST_SECONDS: u32 = 43_200;

/// Attempts at messages of which SQS took some and left others.
const ATTEMPTS: u32 = 6;

/// A queue whose messages are deferred, and to which messages are sent.
#[derive(Clone)]
pub struct MessageQueue {
    sqs: Late<Client>,
    url: String,
}

/// The queues that the watcher looks at.
#[derive(Clone)]
pub struct WatchedQueues {
    sqs: Late<Client>,
    urls: QueueUrls,
}

/// The addresses of the queues that the watcher looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrls {
    /// The queue of notifications.
    pub inbox: String,
    /// Notifications that failed ten times.
    pub inbox_dead_letters: String,
    /// Outcomes that a partner's address did not take.
    pub webhooks_dead_letters: String,
}

/// The queues of a stack, by their names.
#[derive(Clone)]
pub struct StackQueues {
    sqs: Late<Client>,
    stack: String,
}

impl MessageQueue {
    /// Makes the queue at this URL.
    #[must_use]
    pub fn new(sqs: &Late<Client>, url: &str) -> Self {
        Self { sqs: sqs.clone(), url: url.to_owned() }
    }
}

impl WatchedQueues {
    /// Makes the queues at these URLs.
    #[must_use]
    pub fn new(sqs: &Late<Client>, urls: QueueUrls) -> Self {
        Self { sqs: sqs.clone(), urls }
    }

    fn url(&self, queue: WatchedQueue) -> &str {
        match queue {
            WatchedQueue::Inbox => &self.urls.inbox,
            WatchedQueue::InboxDeadLetters => &self.urls.inbox_dead_letters,
            WatchedQueue::WebhookDeadLetters => &self.urls.webhooks_dead_letters,
        }
    }
}

impl StackQueues {
    /// Makes the queues of the stack of this name.
    #[must_use]
    pub fn new(sqs: &Late<Client>, stack: &str) -> Self {
        Self { sqs: sqs.clone(), stack: stack.to_owned() }
    }
}

impl<T: AsRef<MessageQueue> + Sync> Queue for T {
    async fn defer(&self, receipt_handle: &str, seconds: u32) -> Result<(), Error> {
        let MessageQueue { sqs, url } = self.as_ref();
        let seconds = i32::try_from(seconds.min(LONGEST_SECONDS)).unwrap_or_default();
        let request = sqs.get().change_message_visibility().queue_url(url).receipt_handle(receipt_handle);
        let answer = request.visibility_timeout(seconds).send().await;
        answer.map_err(|error| failure(Operation::Defer, &error))?;
        Ok(())
    }
}

impl<T: AsRef<MessageQueue> + Sync> SendMessages for T {
    async fn hand_over(&self, body: &str) -> Result<(), Error> {
        let MessageQueue { sqs, url } = self.as_ref();
        let answer = sqs.get().send_message().queue_url(url).message_body(body).send().await;
        answer.map_err(|error| failure(Operation::SendMessages, &error))?;
        Ok(())
    }

    async fn send(&self, bodies: &[String]) -> Result<(), Error> {
        let MessageQueue { sqs, url } = self.as_ref();
        send(sqs.get(), url, bodies).await
    }
}

impl<T: AsRef<StackQueues> + Sync> SendToQueue for T {
    async fn send_to(&self, queue: StackQueue, bodies: &[String]) -> Result<(), Error> {
        let StackQueues { sqs, stack } = self.as_ref();
        let url = url(sqs.get(), queue, stack).await?;
        let url = url.ok_or_else(|| Error::new(Operation::SendMessages, "no such queue"))?;
        send(sqs.get(), &url, bodies).await
    }
}

impl<T: AsRef<WatchedQueues> + Sync> WatchQueues for T {
    async fn messages(&self, queue: WatchedQueue) -> Result<Depth, Error> {
        let queues = self.as_ref();
        depth(queues.sqs.get(), queues.url(queue)).await
    }

    async fn peek(&self, queue: WatchedQueue) -> Result<Vec<DeadLetter>, Error> {
        let queues = self.as_ref();
        let answer = queues
            .sqs
            .get()
            .receive_message()
            .queue_url(queues.url(queue))
            .max_number_of_messages(i32::try_from(MOST_MESSAGES).unwrap_or(i32::MAX))
            // Visible again at once: nobody who redrives the queue misses one.
            .visibility_timeout(0)
            .wait_time_seconds(0)
            .send()
            .await
            .map_err(|error| failure(Operation::ReadQueue, &error))?;
        let messages = answer.messages.unwrap_or_default().into_iter();
        Ok(messages
            .filter_map(|message| Some(DeadLetter { id: message.message_id?, body: message.body? }))
            .collect())
    }
}

impl<T: AsRef<StackQueues> + Sync> CountMessages for T {
    async fn depth(&self, queue: StackQueue) -> Result<Option<Depth>, Error> {
        let StackQueues { sqs, stack } = self.as_ref();
        match url(sqs.get(), queue, stack).await? {
            Some(url) => depth(sqs.get(), &url).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Sends messages, and those again that SQS leaves of a batch.
async fn send(sqs: &Client, url: &str, bodies: &[String]) -> Result<(), Error> {
    let entries = bodies.iter().enumerate().map(|(index, body)| {
        SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build()
    });
    let entries = entries.collect::<Result<Vec<_>, _>>();
    let mut pending = entries.map_err(|_| Error::new(Operation::SendMessages, "request not built"))?;
    for attempt in 0..ATTEMPTS {
        if pending.is_empty() {
            return Ok(());
        }
        if attempt > 0 {
            pause(Operation::SendMessages, attempt).await?;
        }
        let request = sqs.send_message_batch().queue_url(url);
        let answer = request.set_entries(Some(pending.clone())).send().await;
        let answer = answer.map_err(|error| failure(Operation::SendMessages, &error))?;
        pending.retain(|entry| answer.failed().iter().any(|failed| failed.id() == entry.id()));
    }
    if pending.is_empty() { Ok(()) } else { Err(Error::new(Operation::SendMessages, "not taken")) }
}

/// Returns the URL of a queue of a stack; `None` when there is no such queue.
pub(super) async fn url(sqs: &Client, queue: StackQueue, stack: &str) -> Result<Option<String>, Error> {
    match sqs.get_queue_url().queue_name(queue.name(stack)).send().await {
        Ok(found) => found.queue_url.map(Some).ok_or_else(|| Error::new(Operation::ReadQueue, "no URL")),
        // The old protocol's code and the new one's.
        Err(error)
            if matches!(
                code(&error),
                Some("AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist")
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(failure(Operation::ReadQueue, &error)),
    }
}

async fn depth(sqs: &Client, url: &str) -> Result<Depth, Error> {
    let asked = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let request = sqs.get_queue_attributes().queue_url(url);
    let answer = request.set_attribute_names(Some(asked.to_vec())).send().await;
    let answer = answer.map_err(|error| failure(Operation::ReadQueue, &error))?;
    let count = |name: &QueueAttributeName| -> Option<u64> { answer.attributes()?.get(name)?.parse().ok() };
    let [waiting, taken, delayed] = &asked;
    let waiting = count(waiting).ok_or_else(|| Error::new(Operation::ReadQueue, "no count"))?;
    let in_flight = count(taken).unwrap_or_default() + count(delayed).unwrap_or_default();
    Ok(Depth { waiting, in_flight })
}

#[cfg(test)]
mod tests;
