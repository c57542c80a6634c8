//! Signed requests for senders.
//!
//! The SDK signs every header of the request that it would have sent, and adds no checksum of its own to a signed one:
//! a sender can leave none out and change none. The owner of the bucket is not among them, because the address already
//! names the bucket and only the holder of our credentials can have signed it.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::base64;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::failure::failure;
use super::Door;
use super::landing::{conditions, metadata};
use crate::door::{Presigned, SignedPart, SignedUpload, attachment};
use crate::{Error, Operation};

impl Door {
    pub(super) async fn presign_upload(
        &self,
        upload: &SignedUpload,
        seconds: u32,
    ) -> Result<Presigned, Error> {
        let land = &upload.land;
        let (if_none_match, if_match) = conditions(&land.condition);
        let answer = self
            .s3
            .put_object()
            .bucket(&self.names.inbox)
            .key(&land.key)
            .content_type(&land.content_type)
            .content_length(length(upload.bytes)?)
            .set_metadata(Some(metadata(land)))
            .checksum_sha256(base64::encode(upload.sha256))
            .set_if_none_match(if_none_match)
            .set_if_match(if_match)
            .presigned(lasting(seconds)?)
            .await;
        presigned("PUT", answer, seconds)
    }

    pub(super) async fn presign_part(&self, part: &SignedPart, seconds: u32) -> Result<Presigned, Error> {
        let answer = self
            .s3
            .upload_part()
            .bucket(&self.names.inbox)
            .key(&part.key)
            .upload_id(&part.multipart)
            .part_number(part.number.into())
            .content_length(length(part.bytes)?)
            .checksum_sha256(base64::encode(part.sha256))
            .presigned(lasting(seconds)?)
            .await;
        presigned("PUT", answer, seconds)
    }

    pub(super) async fn presign_download(
        &self,
        key: &str,
        file_name: &str,
        seconds: u32,
    ) -> Result<Presigned, Error> {
        let answer = self
            .s3
            .get_object()
            .bucket(&self.names.quarantine_bucket)
            .key(key)
            .response_content_disposition(attachment(file_name))
            .presigned(lasting(seconds)?)
            .await;
        presigned("GET", answer, seconds)
    }
}

fn lasting(seconds: u32) -> Result<PresigningConfig, Error> {
    PresigningConfig::expires_in(Duration::from_secs(seconds.into()))
        .map_err(|_| Error::new(Operation::Sign, "no such time"))
}

fn length(bytes: u64) -> Result<i64, Error> {
    i64::try_from(bytes).map_err(|_| Error::new(Operation::Sign, "no such length"))
}

fn presigned<E: ProvideErrorMetadata>(
    method: &'static str,
    answer: Result<PresignedRequest, SdkError<E, HttpResponse>>,
    expires_seconds: u32,
) -> Result<Presigned, Error> {
    let request = answer.map_err(|error| failure(Operation::Sign, &error))?;
    let mut headers: Vec<_> = request
        .headers()
        .filter(|(name, _)| *name != "host")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    headers.sort();
    Ok(Presigned { method, url: request.uri().to_owned(), headers, expires_seconds })
}
