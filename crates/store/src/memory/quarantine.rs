//! The quarantine.

use bytes::Bytes;

use super::signed::PresignedRequest;
use super::{CHUNK_BYTES, Memory, MemoryBody, StoredObject};
use crate::quarantine::{OpenUpload, PART_BYTES};
use crate::{
    Error, FileVersion, OpenUploads, Operation, Original, Presigned, ReadQuarantine, Upload, WriteQuarantine,
};

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

impl ReadQuarantine for Memory {
    type Body = MemoryBody;

    async fn document(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.call(Operation::ReadDocument, |kept| kept.quarantine.get(key).map(|object| object.bytes.clone()))
            .await
    }

    async fn open_kept(&self, key: &str) -> Result<Option<MemoryBody>, Error> {
        self.call(Operation::ReadDocument, |kept| {
            let chunk_bytes = kept.chunk_bytes.unwrap_or(CHUNK_BYTES);
            let object = kept.quarantine.get(key)?;
            Some(MemoryBody::new(self.clone(), object.bytes.clone(), chunk_bytes))
        })
        .await
    }

    async fn sign_download(&self, key: &str, file_name: &str, seconds: u32) -> Result<Presigned, Error> {
        let download = PresignedRequest::Download { key: key.to_owned(), file_name: file_name.to_owned() };
        Ok(self.sign(download, seconds))
    }
}

impl WriteQuarantine for Memory {
    type Upload = MemoryUpload;

    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<(), Error> {
        self.call(Operation::WriteObject, |kept| {
            let object = StoredObject { content_type: content_type.to_owned(), bytes: body };
            kept.quarantine.insert(key.to_owned(), object);
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
            part_bytes: self.kept().part_bytes.unwrap_or(PART_BYTES),
            open: open.clone(),
            id: None,
        }
    }

    async fn abort(&self, open: &OpenUploads) {
        for upload in open.take() {
            let aborted =
                self.call(Operation::AbortUpload, |kept| kept.open_uploads.remove(&upload.id)).await;
            match aborted {
                Ok(_) | Err(_) => {}
            }
        }
    }

    async fn keep_original(&self, file: &FileVersion, key: &str, _: &OpenUploads) -> Result<Original, Error> {
        self.call(Operation::CopyObject, |kept| {
            let bytes = match kept.version(file) {
                None => return Original::Gone,
                Some(version) if version.archived => return Original::Archived,
                Some(version) => version.bytes.clone(),
            };
            kept.quarantine.insert(key.to_owned(), StoredObject { content_type: String::new(), bytes });
            Original::Copied
        })
        .await
    }
}

impl Upload for MemoryUpload {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes.extend_from_slice(bytes);
        while self.bytes.len() > (self.parts_sent + 1) * self.part_bytes {
            let id = self.begun();
            self.memory.call(Operation::WriteObject, |kept| kept.open_uploads.insert(id)).await?;
            self.parts_sent += 1;
        }
        Ok(())
    }

    async fn finish(self) -> Result<(), Error> {
        let object = StoredObject { content_type: self.content_type, bytes: self.bytes.into() };
        let (key, id) = (self.key, self.id);
        self.memory
            .call(Operation::WriteObject, |kept| {
                kept.quarantine.insert(key, object);
                if let Some(id) = &id {
                    kept.open_uploads.remove(id);
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
    /// Returns the upload's id. It is known before the first part is sent, so that one whose answer is lost is given
    /// up too.
    fn begun(&mut self) -> String {
        let (memory, open, key) = (&self.memory, &self.open, &self.key);
        let begin = || {
            let mut kept = memory.kept();
            kept.uploads_begun += 1;
            let id = format!("upload-{}", kept.uploads_begun);
            open.add(OpenUpload { key: key.clone(), id: id.clone() });
            id
        };
        self.id.get_or_insert_with(begin).clone()
    }
}
