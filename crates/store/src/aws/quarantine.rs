//! The quarantine bucket: what the processor writes, and what the API and the operator read.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::TaggingDirective;
use bytes::Bytes;

use super::bucket::{Bucket, found};
use super::client::{self, S3};
use super::failure::failure;
use super::inbox::{InboxBuckets, Pinned};
use super::multipart::{CopySource, MultipartUpload, not_copied};
use super::presigned::{lasting, presigned};
use crate::quarantine::{PART_BYTES, attachment};
use crate::{
    BodyChunks, Error, FileVersion, OpenUploads, Operation, Original, Presigned, ReadQuarantine, Upload,
    WriteQuarantine,
};

/// Up to here one `CopyObject` is enough; S3 would take 5 GB, in more time than an attempt has.
const WHOLE_COPY_BYTES: u64 = 512 * 1024 * 1024;

/// Most parts of one object. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST_PARTS: u64 = 10_000;

/// The quarantine bucket, as it is read.
#[derive(Clone)]
pub struct QuarantineBucket {
    bucket: Bucket,
}

/// The quarantine bucket, as it is written: originals are copied from these inboxes.
#[derive(Clone)]
pub struct QuarantineWriter {
    bucket: Bucket,
    inboxes: InboxBuckets,
}

impl QuarantineBucket {
    /// Makes the bucket of this name.
    #[must_use]
    pub fn new(s3: &S3, name: &str) -> Self {
        Self { bucket: Bucket::new(s3, name) }
    }
}

impl QuarantineWriter {
    /// Makes the bucket of this name.
    #[must_use]
    pub fn new(s3: &S3, name: &str, inboxes: &InboxBuckets) -> Self {
        Self { bucket: Bucket::new(s3, name), inboxes: inboxes.clone() }
    }
}

/// An object of the quarantine on its way. A read that breaks off is an error: the reader begins again.
pub struct KeptBody(ByteStream);

impl BodyChunks for KeptBody {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.0.try_next().await.map_err(|_| Error::new(Operation::ReadDocument, "body broke off"))
    }
}

impl<T: AsRef<QuarantineBucket> + Sync> ReadQuarantine for T {
    type Body = KeptBody;

    async fn document(&self, key: &str) -> Result<Option<Bytes>, Error> {
        let output = found(Operation::ReadDocument, self.as_ref().bucket.get(key)).await?;
        let Some(output) = output else { return Ok(None) };
        let broken_off = |_| Error::new(Operation::ReadDocument, "body broke off");
        Ok(Some(output.body.collect().await.map_err(broken_off)?.into_bytes()))
    }

    async fn open_kept(&self, key: &str) -> Result<Option<KeptBody>, Error> {
        let output = found(Operation::ReadDocument, self.as_ref().bucket.get(key)).await?;
        Ok(output.map(|output| KeptBody(output.body)))
    }

    async fn sign_download(&self, key: &str, file_name: &str, seconds: u32) -> Result<Presigned, Error> {
        let Bucket { s3, name, .. } = &self.as_ref().bucket;
        let request = s3.get_object().bucket(name).key(key);
        let request = request.response_content_disposition(attachment(file_name));
        presigned("GET", request.presigned(lasting(seconds)?).await, seconds)
    }
}

impl<T: AsRef<QuarantineWriter> + Sync> WriteQuarantine for T {
    type Upload = ObjectUpload;

    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<(), Error> {
        put(&self.as_ref().bucket, key, content_type, body).await
    }

    fn upload(&self, key: &str, content_type: &str, open: &OpenUploads) -> ObjectUpload {
        ObjectUpload {
            bucket: self.as_ref().bucket.clone(),
            key: key.to_owned(),
            content_type: content_type.to_owned(),
            buffer: Vec::new(),
            multipart: None,
            open: open.clone(),
        }
    }

    async fn abort(&self, open: &OpenUploads) {
        for upload in open.take() {
            let aborted = self.as_ref().bucket.abort_parts(Operation::AbortUpload, &upload.key, &upload.id);
            match aborted.await {
                Ok(()) | Err(_) => {}
            }
        }
    }

    async fn keep_original(
        &self,
        file: &FileVersion,
        key: &str,
        open: &OpenUploads,
    ) -> Result<Original, Error> {
        let operation = Operation::CopyObject;
        let QuarantineWriter { bucket, inboxes } = self.as_ref();
        let pinned = Pinned::of(file);
        let Some(output) = inboxes.head(operation, file, &pinned).await? else { return Ok(Original::Gone) };
        let length = output.content_length().and_then(|length| u64::try_from(length).ok());
        let length = length.ok_or_else(|| Error::new(operation, "no content length"))?;
        let path = pinned.copy_source(file);
        let source = CopySource { path: &path, etag: pinned.if_match.as_deref() };
        copy_of_length(bucket, source, length, key, open).await
    }
}

/// Copies an object of this length into a bucket, server side: in one call, or a larger one in parts.
pub(super) async fn copy_of_length(
    bucket: &Bucket,
    source: CopySource<'_>,
    length: u64,
    key: &str,
    open: &OpenUploads,
) -> Result<Original, Error> {
    if length > WHOLE_COPY_BYTES {
        copy_in_parts(bucket, source, length, key, open).await
    } else {
        copy(bucket, source, key).await
    }
}

/// Writes an object. The SDK adds a CRC-32 of the body, which S3 checks and keeps.
async fn put(bucket: &Bucket, key: &str, content_type: &str, body: Bytes) -> Result<(), Error> {
    let request = bucket.put(key).content_type(content_type).body(ByteStream::from(body));
    let answer = request.customize().config_override(client::transfer()).send().await;
    answer.map_err(|error| failure(Operation::WriteObject, &error))?;
    Ok(())
}

/// Copies an object into a bucket in one call, server side.
async fn copy(bucket: &Bucket, source: CopySource<'_>, key: &str) -> Result<Original, Error> {
    let Bucket { s3, name, account } = bucket;
    let answer = s3
        .copy_object()
        .bucket(name)
        .key(key)
        .copy_source(source.path)
        .set_copy_source_if_match(source.etag.map(str::to_owned))
        // The sender's tags stay behind: copying them would need another permission and may feed another rule.
        .tagging_directive(TaggingDirective::Replace)
        .set_expected_bucket_owner(account.clone())
        .set_expected_source_bucket_owner(account.clone())
        .customize()
        .config_override(client::transfer())
        .send()
        .await;
    match answer {
        Ok(_) => Ok(Original::Copied),
        Err(error) => not_copied(Operation::CopyObject, &error),
    }
}

async fn copy_in_parts(
    bucket: &Bucket,
    source: CopySource<'_>,
    length: u64,
    key: &str,
    open: &OpenUploads,
) -> Result<Original, Error> {
    let mut multipart = MultipartUpload::begin(bucket, Operation::CopyObject, key, None, open).await?;
    for (first, last) in ranges(length) {
        match multipart.copy(source, first, last).await {
            Ok(Original::Copied) => {}
            left => {
                multipart.abort().await;
                return left;
            }
        }
    }
    multipart.complete().await?;
    Ok(Original::Copied)
}

/// First and last byte of each part of a copy.
fn ranges(length: u64) -> impl Iterator<Item = (u64, u64)> {
    let part = WHOLE_COPY_BYTES.max(length.div_ceil(MOST_PARTS));
    (0..length.div_ceil(part)).map(move |number| (number * part, ((number + 1) * part).min(length) - 1))
}

/// A streamed object: one `PutObject` up to 8 MiB, a multipart upload above.
pub struct ObjectUpload {
    bucket: Bucket,
    key: String,
    content_type: String,
    buffer: Vec<u8>,
    multipart: Option<MultipartUpload>,
    open: OpenUploads,
}

impl ObjectUpload {
    async fn send_part(&mut self) -> Result<(), Error> {
        let mut multipart = if let Some(multipart) = self.multipart.take() {
            multipart
        } else {
            let content_type = Some(self.content_type.as_str());
            MultipartUpload::begin(&self.bucket, Operation::WriteObject, &self.key, content_type, &self.open)
                .await?
        };
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        match multipart.send(bytes).await {
            Ok(()) => {
                self.multipart = Some(multipart);
                Ok(())
            }
            Err(error) => {
                multipart.abort().await;
                Err(error)
            }
        }
    }
}

impl Upload for ObjectUpload {
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            // Only when more comes: an object of exactly one part is put whole.
            if self.buffer.len() == PART_BYTES {
                self.send_part().await?;
            }
            let room = (PART_BYTES - self.buffer.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<(), Error> {
        if self.multipart.is_none() {
            return put(&self.bucket, &self.key, &self.content_type, self.buffer.into()).await;
        }
        self.send_part().await?;
        match self.multipart {
            Some(multipart) => multipart.complete().await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
