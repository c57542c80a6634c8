//! Signed requests for senders.
//!
//! The SDK signs every header of the request that it would have sent, and adds no checksum of its own to a signed one:
//! a sender can leave none out and change none. The owner of the bucket is not among them, because the address already
//! names the bucket and only the holder of our credentials can have signed it.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::failure::failure;
use crate::{Error, Operation, Presigned};

pub(super) fn lasting(seconds: u32) -> Result<PresigningConfig, Error> {
    PresigningConfig::expires_in(Duration::from_secs(seconds.into()))
        .map_err(|_| Error::new(Operation::Sign, "no such time"))
}

pub(super) fn length(bytes: u64) -> Result<i64, Error> {
    i64::try_from(bytes).map_err(|_| Error::new(Operation::Sign, "no such length"))
}

pub(super) fn presigned<E: ProvideErrorMetadata>(
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
