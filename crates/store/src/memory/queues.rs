//! Queues: deferred and sent messages, and those that were given up.

use super::{Memory, MemoryState};
use crate::{
    CountMessages, DeadLetter, Depth, Error, MOST_MESSAGES, Operation, Queue, SendMessages, SendToQueue,
    StackQueue, WatchQueues, WatchedQueue,
};

impl Queue for Memory {
    async fn defer(&self, receipt_handle: &str, seconds: u32) -> Result<(), Error> {
        self.call(Operation::Defer, |kept| kept.deferred.push((receipt_handle.to_owned(), seconds))).await
    }
}

impl SendMessages for Memory {
    async fn hand_over(&self, body: &str) -> Result<(), Error> {
        let body = body.to_owned();
        self.call(Operation::SendMessages, |kept| kept.put_messages(StackQueue::Inbox, &[body])).await
    }

    async fn send(&self, bodies: &[String]) -> Result<(), Error> {
        self.call(Operation::SendMessages, |kept| kept.put_messages(StackQueue::Inbox, bodies)).await
    }
}

impl SendToQueue for Memory {
    async fn send_to(&self, queue: StackQueue, bodies: &[String]) -> Result<(), Error> {
        let sent = self.call(Operation::SendMessages, |kept| {
            if kept.depths.get(&queue) == Some(&None) {
                return Err(Error::new(Operation::SendMessages, "no such queue"));
            }
            kept.put_messages(queue, bodies);
            Ok(())
        });
        sent.await?
    }
}

impl WatchQueues for Memory {
    async fn messages(&self, queue: WatchedQueue) -> Result<Depth, Error> {
        self.call(Operation::ReadQueue, |kept| {
            let waiting = match queue {
                WatchedQueue::Inbox => {
                    let sent = kept.sent.get(&StackQueue::Inbox).map_or(0, Vec::len);
                    sent as u64 + kept.backlog
                }
                dead => kept.dead.get(&dead).map_or(0, Vec::len) as u64,
            };
            Depth { waiting, in_flight: 0 }
        })
        .await
    }

    async fn peek(&self, queue: WatchedQueue) -> Result<Vec<DeadLetter>, Error> {
        self.call(Operation::ReadQueue, |kept| {
            // Others each time, as SQS does: a few are taken from the front and put back at the end.
            let letters = kept.dead.entry(queue).or_default();
            let looked_at: Vec<_> = letters.iter().take(MOST_MESSAGES).cloned().collect();
            letters.rotate_left(looked_at.len());
            looked_at
        })
        .await
    }
}

impl CountMessages for Memory {
    async fn depth(&self, queue: StackQueue) -> Result<Option<Depth>, Error> {
        self.call(Operation::ReadQueue, |kept| {
            kept.depths.get(&queue).copied().unwrap_or(Some(Depth::default()))
        })
        .await
    }
}

/// What tests do and see. None of it is a counted call.
impl Memory {
    /// Says what a queue holds, or that there is none. Without a word all are there and empty.
    pub fn set_depth(&self, queue: StackQueue, depth: Option<Depth>) {
        self.kept().depths.insert(queue, depth);
    }

    /// Takes the messages that were sent to the inbox queue, in order.
    #[must_use]
    pub fn take_sent(&self) -> Vec<String> {
        self.take_sent_to(StackQueue::Inbox)
    }

    /// Takes the messages that were sent to a queue, in order.
    #[must_use]
    pub fn take_sent_to(&self, queue: StackQueue) -> Vec<String> {
        self.kept().sent.remove(&queue).unwrap_or_default()
    }

    /// Puts a message back into a queue, as SQS does when nothing has deleted it.
    pub fn return_message(&self, queue: StackQueue, body: &str) {
        self.kept().put_messages(queue, &[body.to_owned()]);
    }

    /// Says how many messages wait besides those that were sent.
    pub fn set_backlog(&self, messages: u64) {
        self.kept().backlog = messages;
    }

    /// Puts a message among the dead letters of a queue.
    pub fn bury(&self, queue: WatchedQueue, id: &str, body: &str) {
        let letter = DeadLetter { id: id.to_owned(), body: body.to_owned() };
        self.kept().dead.entry(queue).or_default().push(letter);
    }
}

impl MemoryState {
    /// Puts messages into a queue, as many as one request may have.
    pub(super) fn put_messages(&mut self, queue: StackQueue, bodies: &[String]) {
        self.sent.entry(queue).or_default().extend(bodies.iter().take(MOST_MESSAGES).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BodyChunks, ReadQuarantine, WriteQuarantine};

    #[tokio::test]
    async fn queues_and_rejected_records_are_answered_as_on_aws() -> Result<(), Error> {
        let memory = Memory::new();
        assert_eq!(memory.depth(StackQueue::Inbox).await?, Some(Depth::default()));
        memory.set_depth(StackQueue::Inbox, None);
        assert_eq!(memory.depth(StackQueue::Inbox).await?, None);
        memory.put("k", "text/csv", "abc".into()).await?;
        memory.chunks_of(2);
        let mut body = memory.open_kept("k").await?.expect("an object");
        assert_eq!(body.next().await?.as_deref(), Some(&b"ab"[..]));
        assert!(memory.open_kept("other").await?.is_none());
        Ok(())
    }
}
