//! The inbox and the quarantine.

use bytes::Bytes;

use super::{CHUNK_BYTES, Memory, StoredObject, Version};
use crate::objects::{OpenUpload, PART_BYTES};
use crate::rank::{Descent, Made, is_in_parts};
use crate::{
    Body, Error, FileId, FileVersion, Objects, OpenUploads, Opened, Operation, Original, Rank, Upload,
    VersionId,
};

/// The bytes of an opened version.
pub struct MemoryBody {
    memory: Memory,
    rest: Bytes,
    chunk_bytes: usize,
}

/// An object on its way into the quarantine.
pub struct MemoryUpload {
    memory: Memory,
    key: String,
    content_type: String,
    bytes: Vec<u8>,
    parts_sent: usize,
    part_bytes: usize,
    open: OpenUploads,
    /// The upload's id, once a part was sent.
    id: Option<String>,
}

impl MemoryBody {
    pub(super) fn new(memory: Memory, bytes: Bytes, chunk_bytes: usize) -> Self {
        Self { memory, rest: bytes, chunk_bytes }
    }
}

impl Objects for Memory {
    type Body = MemoryBody;
    type Upload = MemoryUpload;

    async fn open(&self, file: &FileVersion) -> Result<Opened<MemoryBody>, Error> {
        self.call(Operation::ReadObject, |world| match world.version(file) {
            None => Opened::Gone,
            Some(version) if version.archived => Opened::Archived,
            Some(version) => Opened::Body {
                length: version.bytes.len() as u64,
                last_modified_ms: version.last_modified_ms,
                corrects: version.corrects.as_deref().and_then(FileId::parse),
                body: MemoryBody::new(
                    self.clone(),
                    version.bytes.clone(),
                    world.chunk_bytes.unwrap_or(CHUNK_BYTES),
                ),
            },
        })
        .await
    }

    async fn versions(&self, bucket: &str, key: &str) -> Result<Vec<VersionId>, Error> {
        self.call(Operation::ListVersions, |world| {
            let versions = world.inbox.get(&(bucket.to_owned(), key.to_owned()));
            versions.into_iter().flatten().map(|version| version.id.clone()).collect()
        })
        .await
    }

    async fn rank(&self, file: &FileVersion) -> Result<Option<Rank>, Error> {
        self.call(Operation::RankVersion, |world| {
            let place = world.version(file)?.id.clone();
            let versions = world.inbox.get(&(file.bucket.clone(), file.key.clone()))?;
            let mut older = versions.iter().skip_while(|version| version.id != place).map(listed);
            let mut descent = Descent::new(older.next()?);
            while older.next().is_some_and(|next| descent.take(next)) {}
            Some(descent.rank())
        })
        .await
    }

    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<(), Error> {
        self.call(Operation::WriteObject, |world| {
            let object = StoredObject { content_type: content_type.to_owned(), bytes: body };
            world.quarantine.insert(key.to_owned(), object);
        })
        .await
    }

    fn upload(&self, key: &str, content_type: &str, open: &OpenUploads) -> MemoryUpload {
        MemoryUpload {
            memory: self.clone(),
            key: key.to_owned(),
            content_type: content_type.to_owned(),
            bytes: Vec::new(),
            parts_sent: 0,
            part_bytes: self.world().part_bytes.unwrap_or(PART_BYTES),
            open: open.clone(),
            id: None,
        }
    }

    async fn abort(&self, open: &OpenUploads) {
        for upload in open.take() {
            let aborted =
                self.call(Operation::AbortUpload, |world| world.open_uploads.remove(&upload.id)).await;
            match aborted {
                Ok(_) | Err(_) => {}
            }
        }
    }

    async fn keep_original(&self, file: &FileVersion, key: &str, _: &OpenUploads) -> Result<Original, Error> {
        self.call(Operation::CopyObject, |world| {
            let bytes = match world.version(file) {
                None => return Original::Gone,
                Some(version) if version.archived => return Original::Archived,
                Some(version) => version.bytes.clone(),
            };
            world.quarantine.insert(key.to_owned(), StoredObject { content_type: String::new(), bytes });
            Original::Copied
        })
        .await
    }
}

impl Body for MemoryBody {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let length = self.chunk_bytes.min(self.rest.len());
        let memory = self.memory.clone();
        let rest = &mut self.rest;
        memory
            .step(Operation::ReadObject, |_| if length == 0 { None } else { Some(rest.split_to(length)) })
            .await
    }
}

impl Upload for MemoryUpload {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes.extend_from_slice(bytes);
        while self.bytes.len() > (self.parts_sent + 1) * self.part_bytes {
            let id = self.begun();
            self.memory.call(Operation::WriteObject, |world| world.open_uploads.insert(id)).await?;
            self.parts_sent += 1;
        }
        Ok(())
    }

    async fn finish(self) -> Result<(), Error> {
        let object = StoredObject { content_type: self.content_type, bytes: self.bytes.into() };
        let (key, id) = (self.key, self.id);
        self.memory
            .call(Operation::WriteObject, |world| {
                world.quarantine.insert(key, object);
                if let Some(id) = &id {
                    world.open_uploads.remove(id);
                }
            })
            .await?;
        if let Some(id) = &id {
            self.open.remove(id);
        }
        Ok(())
    }
}

impl MemoryUpload {
    /// The upload's id. It is known before the first part is sent, so that one whose answer is lost is given up too.
    fn begun(&mut self) -> String {
        let (memory, open, key) = (&self.memory, &self.open, &self.key);
        let begin = || {
            let mut world = memory.world();
            world.uploads_begun += 1;
            let id = format!("upload-{}", world.uploads_begun);
            open.add(OpenUpload { key: key.clone(), id: id.clone() });
            id
        };
        self.id.get_or_insert_with(begin).clone()
    }
}

/// A version as the bucket's list shows it.
fn listed(version: &Version) -> Made {
    Made { last_modified_ms: version.last_modified_ms, in_parts: is_in_parts(&version.etag) }
}
