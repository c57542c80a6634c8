//! Versions of the inbox, as the processor reads them: pinned reads that are whole or fail, and listings of one key.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::ObjectVersion;
use bytes::Bytes;

use super::{CORRECTS, InboxBuckets};
use crate::aws::bucket::{Bucket, Versions, is_archived, is_gone, is_key, require_s3, seen, versions_of};
use crate::aws::failure::failure;
use crate::aws::{keys, millis};
use crate::rank::{Descent, Made, is_in_parts};
use crate::{
    BodyChunks, Error, FileId, FileVersion, InboxPlace, Opened, Operation, Rank, ReadInbox, VersionId,
};
use ledger::NULL_VERSION;

/// Pages of a key's versions that are looked through for a rank: 20,000 versions from the one that is asked about.
const MOST_PAGES: usize = 20;

/// Versions of the first page, which nearly always holds the one that is asked about.
const FIRST_PAGE: i32 = 100;

/// How often one body is resumed after it broke off.
const RESUMES: u32 = 4;

/// The chunks of an inbox object, read on after a break from the byte where it broke.
pub struct ObjectBody {
    bucket: Bucket,
    file: FileVersion,
    /// Of the answer that opened the body: a resumed read must be of the same bytes.
    etag: Option<String>,
    stream: ByteStream,
    offset: u64,
    length: u64,
    resumes_left: u32,
}

/// What pins a version: its id, or its entity tag in a bucket without versioning.
pub(in crate::aws) struct Pinned {
    pub(in crate::aws) version: Option<String>,
    /// In quotes, as a condition's header has it.
    pub(in crate::aws) if_match: Option<String>,
}

impl Pinned {
    pub(in crate::aws) fn of(file: &FileVersion) -> Self {
        let version = (file.version != NULL_VERSION || file.etag.is_none()).then(|| file.version.clone());
        Self { version, if_match: file.pinning_etag().map(|etag| format!("\"{etag}\"")) }
    }

    /// Returns the version as the header of a copy has it.
    pub(in crate::aws) fn copy_source(&self, file: &FileVersion) -> String {
        keys::copy_source(&file.bucket, &file.key, self.version.as_deref())
    }
}

impl<T: AsRef<InboxBuckets> + Sync> ReadInbox for T {
    type Body = ObjectBody;

    async fn open(&self, file: &FileVersion) -> Result<Opened<ObjectBody>, Error> {
        let operation = Operation::ReadObject;
        let bucket = self.as_ref().bucket(operation, &file.bucket)?;
        let pinned = Pinned::of(file);
        let request = bucket.get(&file.key).set_version_id(pinned.version).set_if_match(pinned.if_match);
        let output = match request.send().await {
            Ok(output) => output,
            Err(error) if is_archived(&error) => return Ok(Opened::Archived),
            Err(error) if is_gone(&error) => return Ok(Opened::Gone),
            Err(error) => return Err(failure(operation, &error)),
        };
        require_s3(operation, &output)?;
        let length = content_length(&output)?;
        let last_modified_ms = millis(output.last_modified()).unwrap_or_default();
        let corrects = output.metadata().and_then(|metadata| metadata.get(CORRECTS));
        let corrects = corrects.and_then(|corrects| FileId::parse(corrects));
        let body = ObjectBody {
            bucket: bucket.clone(),
            file: file.clone(),
            etag: output.e_tag().map(str::to_owned),
            stream: output.body,
            offset: 0,
            length,
            resumes_left: RESUMES,
        };
        Ok(Opened::Body { length, last_modified_ms, corrects, body })
    }

    async fn versions(&self, bucket: &str, key: &str) -> Result<Vec<VersionId>, Error> {
        let operation = Operation::ListVersions;
        let bucket = self.as_ref().bucket(operation, bucket)?;
        let mut found = Vec::new();
        let mut after: Option<InboxPlace> = None;
        loop {
            let asked = Versions { prefix: Some(key), after: after.as_ref(), ..Versions::default() };
            let page = bucket.versions(operation, asked).await?;
            found.extend(versions_of(&page, key).filter_map(ObjectVersion::version_id).map(str::to_owned));
            // Keys come in order: when the next page begins with another key, ours is done.
            let goes_on = page.is_truncated() == Some(true) && is_key(&page, page.next_key_marker(), key);
            after = page.next_version_id_marker().filter(|_| goes_on).map(|version| place(key, version));
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn rank(&self, file: &FileVersion) -> Result<Option<Rank>, Error> {
        let operation = Operation::RankVersion;
        let inboxes = self.as_ref();
        let (bucket, key) = (inboxes.bucket(operation, &file.bucket)?, file.key.as_str());
        let (mut descent, mut after, mut most) = (None, None, Some(FIRST_PAGE));
        for _ in 0..MOST_PAGES {
            let asked = Versions { prefix: Some(key), after: after.as_ref(), most, ..Versions::default() };
            let page = bucket.versions(operation, asked).await?;
            for version in versions_of(&page, key) {
                if descend(&mut descent, file, version)? {
                    return Ok(descent.map(Descent::rank));
                }
            }
            if page.is_truncated() != Some(true) || !is_key(&page, page.next_key_marker(), key) {
                return Ok(descent.map(Descent::rank));
            }
            most = None;
            if descent.is_some() {
                after = page.next_version_id_marker().map(|version| place(key, version));
            } else {
                // Far down the list: the versions above it need not be read.
                let output = inboxes.head(operation, file, &Pinned::of(file)).await?;
                let Some(output) = output else { return Ok(None) };
                descent = Some(Descent::new(made(output.last_modified(), output.e_tag())?));
                after = Some(place(key, &file.version));
            }
        }
        Ok(descent.map(Descent::rank))
    }
}

impl InboxBuckets {
    /// Checks the bucket's name. An event that names a bucket of somebody else is forged or misrouted: it must end
    /// where an operator sees it.
    fn bucket(&self, operation: Operation, name: &str) -> Result<&Bucket, Error> {
        let bucket = self.0.iter().find(|bucket| bucket.name == name);
        bucket.ok_or_else(|| Error::new(operation, "not an inbox"))
    }

    /// What S3 says of a version without its bytes; `None` when it is gone.
    pub(in crate::aws) async fn head(
        &self,
        operation: Operation,
        file: &FileVersion,
        pinned: &Pinned,
    ) -> Result<Option<HeadObjectOutput>, Error> {
        let request = self.bucket(operation, &file.bucket)?.head(&file.key);
        let request = request.set_version_id(pinned.version.clone()).set_if_match(pinned.if_match.clone());
        seen(operation, request).await
    }
}

impl BodyChunks for ObjectBody {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.stream.try_next().await {
                Ok(Some(chunk)) if chunk.is_empty() => {}
                Ok(Some(chunk)) => {
                    self.offset += chunk.len() as u64;
                    if self.offset > self.length {
                        return Err(Error::new(Operation::ReadObject, "body too long"));
                    }
                    return Ok(Some(chunk));
                }
                Ok(None) if self.offset == self.length => return Ok(None),
                // All bytes came and the stream still failed: its checksum is wrong.
                Err(_) if self.offset == self.length => {
                    return Err(Error::new(Operation::ReadObject, "checksum mismatch"));
                }
                Ok(None) | Err(_) => self.resume().await?,
            }
        }
    }
}

impl ObjectBody {
    async fn resume(&mut self) -> Result<(), Error> {
        let broken_off = || Error::new(Operation::ReadObject, "body broke off");
        self.resumes_left = self.resumes_left.checked_sub(1).ok_or_else(broken_off)?;
        let output = self.rest().send().await.map_err(|error| failure(Operation::ReadObject, &error))?;
        require_s3(Operation::ReadObject, &output)?;
        if content_length(&output)? != self.length - self.offset {
            return Err(Error::new(Operation::ReadObject, "resumed at another place"));
        }
        self.stream = output.body;
        Ok(())
    }

    fn rest(&self) -> GetObjectFluentBuilder {
        let request = self.bucket.get(&self.file.key).set_version_id(Pinned::of(&self.file).version);
        request.set_if_match(self.etag.clone()).range(format!("bytes={}-", self.offset))
    }
}

/// After a version of a key.
fn place(key: &str, version: &str) -> InboxPlace {
    InboxPlace { key: key.to_owned(), version: Some(version.to_owned()) }
}

fn content_length(output: &GetObjectOutput) -> Result<u64, Error> {
    let length = output.content_length().and_then(|length| u64::try_from(length).ok());
    length.ok_or_else(|| Error::new(Operation::ReadObject, "no content length"))
}

/// Goes on down a key's versions, from the one that is asked about. `true`: the rest does not matter.
fn descend(
    descent: &mut Option<Descent>,
    file: &FileVersion,
    version: &ObjectVersion,
) -> Result<bool, Error> {
    if let Some(descent) = descent {
        return Ok(!descent.take(made(version.last_modified(), version.e_tag())?));
    }
    let etag = version.e_tag().map(|etag| etag.trim_matches('"'));
    let pinned = file.pinning_etag().is_none_or(|pinned| etag == Some(pinned));
    if pinned && version.version_id().unwrap_or(NULL_VERSION) == file.version {
        *descent = Some(Descent::new(made(version.last_modified(), version.e_tag())?));
    }
    Ok(false)
}

fn made(last_modified: Option<&DateTime>, etag: Option<&str>) -> Result<Made, Error> {
    let last_modified_ms = millis(last_modified);
    let last_modified_ms =
        last_modified_ms.ok_or_else(|| Error::new(Operation::RankVersion, "no last modification"))?;
    Ok(Made { last_modified_ms, in_parts: etag.is_some_and(is_in_parts) })
}

#[cfg(test)]
mod tests;
