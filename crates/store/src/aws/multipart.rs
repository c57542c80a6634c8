//! Uploads in parts: begun, completed and given up in one way for all senders.

use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;

use super::bucket::{Bucket, is_archived, is_gone};
use super::client;
use super::failure::{code, failure};
use crate::quarantine::OpenUpload;
use crate::{Error, OpenUploads, Operation, Original};

impl Bucket {
    /// Begins an upload in parts.
    pub(super) fn create_parts(&self, key: &str) -> CreateMultipartUploadFluentBuilder {
        let request = self.s3.create_multipart_upload().bucket(&self.name).key(key);
        request.set_expected_bucket_owner(self.account.clone())
    }

    /// Makes one object of the parts.
    pub(super) fn complete_parts(
        &self,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
    ) -> CompleteMultipartUploadFluentBuilder {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.s3.complete_multipart_upload().bucket(&self.name).key(key).upload_id(upload);
        request.multipart_upload(parts).set_expected_bucket_owner(self.account.clone())
    }

    /// Gives an upload in parts up. One that is not there is given up.
    pub(super) async fn abort_parts(
        &self,
        operation: Operation,
        key: &str,
        upload: &str,
    ) -> Result<(), Error> {
        let request = self.s3.abort_multipart_upload().bucket(&self.name).key(key).upload_id(upload);
        match request.set_expected_bucket_owner(self.account.clone()).send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(failure(operation, &error)),
        }
    }
}

/// S3's id of an upload that is begun.
pub(super) async fn begun(
    operation: Operation,
    request: CreateMultipartUploadFluentBuilder,
) -> Result<String, Error> {
    let output = request.send().await.map_err(|error| failure(operation, &error))?;
    output.upload_id.ok_or_else(|| Error::new(operation, "no upload id"))
}

/// An object under way in parts. S3 shows nothing of it before it is completed. It is among the open uploads from its
/// beginning to its end; parts of one that no process is left to give up are deleted by the bucket's lifecycle rule.
pub(super) struct MultipartUpload {
    bucket: Bucket,
    operation: Operation,
    key: String,
    upload: String,
    parts: Vec<CompletedPart>,
    open: OpenUploads,
}

/// The bytes of a version that are copied.
#[derive(Clone, Copy)]
pub(super) struct CopySource<'a> {
    /// `<bucket>/<key>?versionId=…`, percent-encoded.
    pub(super) path: &'a str,
    /// The entity tag that it must have.
    pub(super) etag: Option<&'a str>,
}

impl MultipartUpload {
    pub(super) async fn begin(
        bucket: &Bucket,
        operation: Operation,
        key: &str,
        content_type: Option<&str>,
        open: &OpenUploads,
    ) -> Result<Self, Error> {
        let request = bucket.create_parts(key).set_content_type(content_type.map(str::to_owned));
        let upload = begun(operation, request.checksum_algorithm(ChecksumAlgorithm::Crc32)).await?;
        open.add(OpenUpload { key: key.to_owned(), id: upload.clone() });
        let (bucket, key, open) = (bucket.clone(), key.to_owned(), open.clone());
        Ok(Self { bucket, operation, key, upload, parts: Vec::new(), open })
    }

    pub(super) async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        let number = self.next_number();
        let Bucket { s3, name, account } = &self.bucket;
        let output = s3
            .upload_part()
            .bucket(name)
            .key(&self.key)
            .upload_id(&self.upload)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .set_expected_bucket_owner(account.clone())
            .body(bytes.into())
            .customize()
            .config_override(client::transfer())
            .send()
            .await
            .map_err(|error| failure(self.operation, &error))?;
        self.sent(number, output.e_tag, output.checksum_crc32);
        Ok(())
    }

    /// Copies bytes of a version, from the first to the last.
    pub(super) async fn copy(
        &mut self,
        source: CopySource<'_>,
        first: u64,
        last: u64,
    ) -> Result<Original, Error> {
        let number = self.next_number();
        let Bucket { s3, name, account } = &self.bucket;
        let answer = s3
            .upload_part_copy()
            .bucket(name)
            .key(&self.key)
            .upload_id(&self.upload)
            .part_number(number)
            .copy_source(source.path)
            .copy_source_range(format!("bytes={first}-{last}"))
            .set_copy_source_if_match(source.etag.map(str::to_owned))
            .set_expected_bucket_owner(account.clone())
            .set_expected_source_bucket_owner(account.clone())
            .customize()
            .config_override(client::transfer())
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

    pub(super) async fn complete(mut self) -> Result<(), Error> {
        let parts = std::mem::take(&mut self.parts);
        let request = self.bucket.complete_parts(&self.key, &self.upload, parts);
        match request.customize().config_override(client::transfer()).send().await {
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

    /// Gives it up. An abort that fails is left to the lifecycle rule.
    pub(super) async fn abort(self) {
        match self.bucket.abort_parts(self.operation, &self.key, &self.upload).await {
            Ok(()) | Err(_) => self.open.remove(&self.upload),
        }
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

/// Returns what a rejected copy means: the source is not there or cannot be copied from, or a service failed.
pub(super) fn not_copied<E: ProvideErrorMetadata>(
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
