//! Multipart: streamed objects into the quarantine, and copies of large originals.

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, TaggingDirective};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;

use super::failure::failure;
use super::objects::{is_archived, is_gone};
use super::{Aws, clients};
use crate::objects::{OpenUpload, PART_BYTES};
use crate::{Error, Objects, OpenUploads, Operation, Original, Upload};

/// Up to here one `CopyObject` is enough; S3 would take 5 GB, in more time than an attempt has.
const WHOLE_COPY_BYTES: u64 = 512 * 1024 * 1024;
/// Most parts of one object. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST_PARTS: u64 = 10_000;

/// A streamed object: one `PutObject` up to 8 MiB, a multipart upload above.
pub struct ObjectUpload {
    aws: Aws,
    key: String,
    content_type: String,
    buffer: Vec<u8>,
    multipart: Option<Multipart>,
    open: OpenUploads,
}

/// An object under way in parts. S3 shows nothing of it before it is completed. It is among the open uploads from its
/// beginning to its end; parts of one that no process is left to give up are deleted by the bucket's lifecycle rule.
struct Multipart {
    aws: Aws,
    operation: Operation,
    key: String,
    upload: String,
    parts: Vec<CompletedPart>,
    open: OpenUploads,
}

impl ObjectUpload {
    pub(super) fn new(aws: Aws, key: &str, content_type: &str, open: OpenUploads) -> Self {
        Self {
            aws,
            key: key.to_owned(),
            content_type: content_type.to_owned(),
            buffer: Vec::new(),
            multipart: None,
            open,
        }
    }

    async fn send_part(&mut self) -> Result<(), Error> {
        let mut multipart = if let Some(multipart) = self.multipart.take() {
            multipart
        } else {
            let content_type = Some(self.content_type.as_str());
            Multipart::begin(&self.aws, Operation::WriteObject, &self.key, content_type, &self.open).await?
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
            return self.aws.put(&self.key, &self.content_type, self.buffer.into()).await;
        }
        self.send_part().await?;
        match self.multipart {
            Some(multipart) => multipart.complete().await,
            None => Ok(()),
        }
    }
}

impl Aws {
    /// Gives the parts of an upload up. An abort that fails is the lifecycle rule's matter.
    pub(super) async fn abort_upload(&self, key: &str, id: &str) {
        let answer = self
            .s3
            .abort_multipart_upload()
            .bucket(&self.names.quarantine_bucket)
            .key(key)
            .upload_id(id)
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await;
        match answer {
            Ok(_) | Err(_) => {}
        }
    }

    /// Copies a version into the quarantine, server side.
    pub(super) async fn copy(
        &self,
        source: &str,
        etag: Option<&str>,
        length: u64,
        key: &str,
        open: &OpenUploads,
    ) -> Result<Original, Error> {
        if length > WHOLE_COPY_BYTES {
            return self.copy_in_parts(source, etag, length, key, open).await;
        }
        let answer = self
            .s3
            .copy_object()
            .bucket(&self.names.quarantine_bucket)
            .key(key)
            .copy_source(source)
            .set_copy_source_if_match(etag.map(str::to_owned))
            // The sender's tags stay behind: copying them would need another permission and may feed another rule.
            .tagging_directive(TaggingDirective::Replace)
            .set_expected_bucket_owner(self.names.account.clone())
            .set_expected_source_bucket_owner(self.names.account.clone())
            .customize()
            .config_override(clients::transfer())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Original::Copied),
            Err(error) => not_copied(Operation::CopyObject, &error),
        }
    }

    async fn copy_in_parts(
        &self,
        source: &str,
        etag: Option<&str>,
        length: u64,
        key: &str,
        open: &OpenUploads,
    ) -> Result<Original, Error> {
        let mut multipart = Multipart::begin(self, Operation::CopyObject, key, None, open).await?;
        for (first, last) in ranges(length) {
            match multipart.copy(source, etag, first, last).await {
                Ok(Original::Copied) => {}
                Ok(left @ (Original::Gone | Original::Archived)) => {
                    multipart.abort().await;
                    return Ok(left);
                }
                Err(error) => {
                    multipart.abort().await;
                    return Err(error);
                }
            }
        }
        multipart.complete().await?;
        Ok(Original::Copied)
    }
}

/// What a rejected copy means: the source is not there or cannot be copied from, or a service failed.
fn not_copied<E: ProvideErrorMetadata>(
    operation: Operation,
    error: &SdkError<E, HttpResponse>,
) -> Result<Original, Error> {
    if is_gone(error) {
        Ok(Original::Gone)
    } else if is_archived(error) {
        Ok(Original::Archived)
    } else {
        Err(failure(operation, error))
    }
}

/// First and last byte of each part of a copy.
fn ranges(length: u64) -> impl Iterator<Item = (u64, u64)> {
    let part = WHOLE_COPY_BYTES.max(length.div_ceil(MOST_PARTS));
    (0..length.div_ceil(part)).map(move |number| (number * part, ((number + 1) * part).min(length) - 1))
}

impl Multipart {
    async fn begin(
        aws: &Aws,
        operation: Operation,
        key: &str,
        content_type: Option<&str>,
        open: &OpenUploads,
    ) -> Result<Self, Error> {
        let output = aws
            .s3
            .create_multipart_upload()
            .bucket(&aws.names.quarantine_bucket)
            .key(key)
            .set_content_type(content_type.map(str::to_owned))
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .set_expected_bucket_owner(aws.names.account.clone())
            .send()
            .await
            .map_err(|error| failure(operation, &error))?;
        let upload = output.upload_id.ok_or_else(|| Error::new(operation, "no upload id"))?;
        open.add(OpenUpload { key: key.to_owned(), id: upload.clone() });
        let open = open.clone();
        Ok(Self { aws: aws.clone(), operation, key: key.to_owned(), upload, parts: Vec::new(), open })
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        let number = self.next_number();
        let output = self
            .aws
            .s3
            .upload_part()
            .bucket(&self.aws.names.quarantine_bucket)
            .key(&self.key)
            .upload_id(&self.upload)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .set_expected_bucket_owner(self.aws.names.account.clone())
            .body(bytes.into())
            .customize()
            .config_override(clients::transfer())
            .send()
            .await
            .map_err(|error| failure(self.operation, &error))?;
        self.sent(number, output.e_tag, output.checksum_crc32);
        Ok(())
    }

    async fn copy(
        &mut self,
        source: &str,
        etag: Option<&str>,
        first: u64,
        last: u64,
    ) -> Result<Original, Error> {
        let number = self.next_number();
        let answer = self
            .aws
            .s3
            .upload_part_copy()
            .bucket(&self.aws.names.quarantine_bucket)
            .key(&self.key)
            .upload_id(&self.upload)
            .part_number(number)
            .copy_source(source)
            .copy_source_range(format!("bytes={first}-{last}"))
            .set_copy_source_if_match(etag.map(str::to_owned))
            .set_expected_bucket_owner(self.aws.names.account.clone())
            .set_expected_source_bucket_owner(self.aws.names.account.clone())
            .customize()
            .config_override(clients::transfer())
            .send()
            .await;
        let output = match answer {
            Ok(output) => output,
            Err(error) => return not_copied(self.operation, &error),
        };
        let (tag, checksum) =
            output.copy_part_result.map_or((None, None), |part| (part.e_tag, part.checksum_crc32));
        self.sent(number, tag, checksum);
        Ok(Original::Copied)
    }

    async fn complete(mut self) -> Result<(), Error> {
        let parts =
            CompletedMultipartUpload::builder().set_parts(Some(std::mem::take(&mut self.parts))).build();
        let answer = self
            .aws
            .s3
            .complete_multipart_upload()
            .bucket(&self.aws.names.quarantine_bucket)
            .key(&self.key)
            .upload_id(&self.upload)
            .multipart_upload(parts)
            .set_expected_bucket_owner(self.aws.names.account.clone())
            .customize()
            .config_override(clients::transfer())
            .send()
            .await;
        match answer {
            Ok(_) => {
                self.open.remove(&self.upload);
                Ok(())
            }
            Err(error) => {
                let error = failure(self.operation, &error);
                self.abort().await;
                Err(error)
            }
        }
    }

    async fn abort(self) {
        self.aws.abort_upload(&self.key, &self.upload).await;
        self.open.remove(&self.upload);
    }

    fn next_number(&self) -> i32 {
        i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX)
    }

    fn sent(&mut self, number: i32, etag: Option<String>, checksum: Option<String>) {
        self.parts.push(
            CompletedPart::builder().part_number(number).set_e_tag(etag).set_checksum_crc32(checksum).build(),
        );
    }
}

#[cfg(test)]
mod tests;
