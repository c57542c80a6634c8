//! The operator's view.

use super::door::listed;
use super::{CHUNK_BYTES, Memory, MemoryBody};
use crate::operator::{Acknowledge, Acknowledged, Depth, OpenFiles, StackQueue, Survey};
use crate::{Acknowledgement, Error, FileId, Operation, State};

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

    async fn open_files(&self, partner: Option<&str>, most: usize) -> Result<OpenFiles, Error> {
        self.call(Operation::ListOpen, |world| {
            let open = world.entries.iter().filter(|(_, entry)| entry.open);
            let mut open = open
                .map(|(file, entry)| (entry.listed_partner().to_owned(), listed(file, entry)))
                .filter(|(listed, _)| partner.is_none_or(|partner| partner == listed));
            let files = open.by_ref().take(most).collect();
            OpenFiles { files, complete: open.next().is_none() }
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

impl Acknowledge for Memory {
    async fn acknowledge(&self, file: &FileId, said: &Acknowledgement) -> Result<Acknowledged, Error> {
        self.call(Operation::Acknowledge, |world| {
            let Some(entry) = world.entries.get_mut(file) else { return Acknowledged::Unknown };
            match &entry.acknowledged {
                Some(before) if before == said => Acknowledged::Noted,
                Some(before) => Acknowledged::Before(before.clone()),
                None if entry.state != State::Quarantined => Acknowledged::NotQuarantined(entry.state),
                None => {
                    entry.acknowledged = Some(said.clone());
                    entry.open = false;
                    Acknowledged::Noted
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, Objects};

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
