//! The operator's view.

use super::{CHUNK_BYTES, Memory, MemoryBody};
use crate::operator::{Depth, StackQueue, Survey};
use crate::{Error, Operation};

impl Memory {
    /// Says what a queue holds, or that there is none. Without a word all are there and empty.
    pub fn set_depth(&self, queue: StackQueue, depth: Option<Depth>) {
        self.world().depths.insert(queue, depth);
    }
}

impl Survey for Memory {
    type Body = MemoryBody;

    async fn depth(&self, queue: StackQueue) -> Result<Option<Depth>, Error> {
        self.call(Operation::ReadQueue, |world| {
            world.depths.get(&queue).copied().unwrap_or(Some(Depth::default()))
        })
        .await
    }

    async fn open_kept(&self, key: &str) -> Result<Option<MemoryBody>, Error> {
        self.call(Operation::ReadDocument, |world| {
            let chunk_bytes = world.chunk_bytes.unwrap_or(CHUNK_BYTES);
            let object = world.quarantine.get(key)?;
            Some(MemoryBody::new(self.clone(), object.bytes.clone(), chunk_bytes))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, Objects};

    #[tokio::test]
    async fn queues_and_refused_records_are_answered_as_on_aws() -> Result<(), Error> {
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
