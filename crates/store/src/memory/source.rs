//! Other buckets, beside the inbox.

use super::{INBOX, Memory, MemoryState, Version};
use crate::{
    CopiedIn, CopyIntoInbox, Current, Error, MOST_COPIED_BYTES, Operation, SourceObject, SourcePage, UploadId,
};

/// Objects of a page unless [`Memory::pages_of`] says otherwise.
const PAGE: usize = 1_000;

/// What tests do and see. None of it is a counted call.
impl Memory {
    /// Makes an object of another bucket as long as this to those who list it.
    pub fn claims_bytes(&self, bucket: &str, key: &str, bytes: u64) {
        self.kept().source_bytes.insert((bucket.to_owned(), key.to_owned()), bytes);
    }
}

impl CopyIntoInbox for Memory {
    async fn source_page(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<SourcePage, Error> {
        self.call(Operation::ListSource, |kept| {
            let most = kept.page_versions.unwrap_or(PAGE);
            let mut objects = kept.inbox.iter().filter_map(|((of, key), versions)| {
                let wanted =
                    of == bucket && key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after);
                let version = versions.first().filter(|_| wanted)?;
                Some(kept.source(bucket, key, version))
            });
            let page: Vec<_> = objects.by_ref().take(most).collect();
            let next = objects.next().and(page.last()).map(|last| last.key.clone());
            SourcePage { objects: page, next }
        })
        .await
    }

    async fn copied(&self, key: &str) -> Result<Option<Current>, Error> {
        self.call(Operation::FindVersion, |kept| {
            let versions = kept.inbox.get(&(INBOX.to_owned(), key.to_owned()));
            versions.and_then(|versions| versions.first()).map(super::inbox::current)
        })
        .await
    }

    async fn copy_in(&self, source: &SourceObject, key: &str, upload: &UploadId) -> Result<CopiedIn, Error> {
        self.call(Operation::CopyIn, |kept| kept.copy_in(source, key, upload)).await
    }
}

impl MemoryState {
    fn source(&self, bucket: &str, key: &str, version: &Version) -> SourceObject {
        let named = (bucket.to_owned(), key.to_owned());
        let bytes = self.source_bytes.get(&named).copied();
        let (bucket, key) = named;
        SourceObject {
            bucket,
            key,
            etag: version.etag.clone(),
            bytes: bytes.unwrap_or(version.bytes.len() as u64),
            last_modified_ms: version.last_modified_ms,
        }
    }

    fn copy_in(&mut self, source: &SourceObject, key: &str, upload: &UploadId) -> CopiedIn {
        let held = self.inbox.get(&(INBOX.to_owned(), key.to_owned()));
        let taken = held.is_some_and(|versions| !versions.is_empty());
        let listed = self.inbox.get(&(source.bucket.clone(), source.key.clone()));
        let listed = listed.and_then(|versions| versions.first());
        let same = listed.filter(|version| version.etag == source.etag && source.bytes <= MOST_COPIED_BYTES);
        let Some(version) = same.filter(|_| !taken) else { return CopiedIn::Conflict };
        if version.archived {
            return CopiedIn::Archived;
        }
        let bytes = version.bytes.clone();
        let file = self.land(INBOX, key, bytes, true);
        let copies = self.inbox.get_mut(&(INBOX.to_owned(), key.to_owned()));
        if let Some(copy) = copies.and_then(|versions| versions.first_mut()) {
            copy.upload = Some(upload.clone());
        }
        CopiedIn::Version(file.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn another_bucket_behaves() -> Result<(), Error> {
        let memory = Memory::new();
        memory.land("archive", "run/a ü+.csv", "1");
        memory.land("archive", "run/b.csv", "22");
        memory.pages_of(1);
        conformance::copying_behaves(&memory, "archive", "run").await
    }

    #[tokio::test]
    async fn an_archived_or_changed_object_is_not_copied() -> Result<(), Error> {
        let memory = Memory::new();
        let archived = memory.land("archive", "a.csv", "1");
        memory.archive(&archived);
        let page = memory.source_page("archive", "", None).await?;
        let upload = UploadId::of(&[b"a"]);
        let [object] = page.objects.as_slice() else { panic!("one object") };
        assert_eq!(memory.copy_in(object, "north/labs/a.csv", &upload).await?, CopiedIn::Archived);
        memory.land("archive", "a.csv", "2");
        assert_eq!(memory.copy_in(object, "north/labs/a.csv", &upload).await?, CopiedIn::Conflict);
        assert!(memory.inbox_versions().is_empty());
        Ok(())
    }
}
