//! Bytes into the inbox, by conditional writes.

use std::collections::HashMap;

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, EncodingType,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::base64;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;

use super::super::clients;
use super::super::failure::{code, failure};
use super::super::objects::{CORRECTS, is_gone, listed_key};
use super::Door;
use crate::door::{
    Condition, Current, Land, Landed, Landing, MOST_VERSIONS, Part, Presigned, SignedPart, SignedUpload,
    UploadId,
};
use crate::file::NULL_VERSION;
use crate::{Error, Operation, VersionId};

/// The metadata that names the upload which made an object: `x-amz-meta-upload`.
const UPLOAD: &str = "upload";

/// S3's codes for what a sender did wrong.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
const SENDERS_FAULTS: [&str; 9] = [
    "BadDigest",
    "EntityTooLarge",
    "EntityTooSmall",
    "IncompleteBody",
    "InvalidDigest",
    "InvalidPart",
    "InvalidPartOrder",
    "MalformedXML",
    "NoSuchUpload",
];

impl Landing for Door {
    fn inbox(&self) -> &str {
        &self.names.inbox
    }

    async fn current(&self, key: &str) -> Result<Option<Current>, Error> {
        self.look(key, None).await
    }

    async fn landed_as(&self, key: &str, upload: &UploadId) -> Result<Option<Current>, Error> {
        let made = |found: &Current| found.upload.as_ref() == Some(upload);
        let Some(current) = self.look(key, None).await? else { return Ok(None) };
        if made(&current) {
            return Ok(Some(current));
        }
        for version in self.newest_versions(key).await? {
            if version == current.version {
                continue;
            }
            if let Some(found) = self.look(key, Some(version)).await?.filter(made) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn land(&self, land: &Land, sha256: &[u8; 32], bytes: Bytes) -> Result<Landed, Error> {
        let (if_none_match, if_match) = conditions(&land.condition);
        let answer = self
            .s3
            .put_object()
            .bucket(&self.names.inbox)
            .key(&land.key)
            .content_type(&land.content_type)
            .set_metadata(Some(metadata(land)))
            .checksum_sha256(base64::encode(sha256))
            .set_if_none_match(if_none_match)
            .set_if_match(if_match)
            .set_expected_bucket_owner(self.names.account.clone())
            .body(ByteStream::from(bytes))
            .customize()
            .config_override(clients::transfer())
            .send()
            .await;
        match answer {
            Ok(output) => landed(Operation::Land, output.version_id, output.e_tag),
            Err(error) => rejection(Operation::Land, &error),
        }
    }

    async fn sign_upload(&self, upload: &SignedUpload, seconds: u32) -> Result<Presigned, Error> {
        self.presign_upload(upload, seconds).await
    }

    async fn begin_parts(&self, land: &Land) -> Result<String, Error> {
        let output = self
            .s3
            .create_multipart_upload()
            .bucket(&self.names.inbox)
            .key(&land.key)
            .content_type(&land.content_type)
            .set_metadata(Some(metadata(land)))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            // SHA-256 of the whole cannot be had from those of its parts.
            .checksum_type(ChecksumType::Composite)
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await
            .map_err(|error| failure(Operation::LandParts, &error))?;
        output.upload_id.ok_or_else(|| Error::new(Operation::LandParts, "no upload id"))
    }

    async fn sign_part(&self, part: &SignedPart, seconds: u32) -> Result<Presigned, Error> {
        self.presign_part(part, seconds).await
    }

    async fn complete_parts(&self, land: &Land, multipart: &str, parts: &[Part]) -> Result<Landed, Error> {
        let (if_none_match, if_match) = conditions(&land.condition);
        let parts = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(part.number.into())
                .e_tag(&part.etag)
                .checksum_sha256(base64::encode(part.sha256))
                .build()
        });
        let answer = self
            .s3
            .complete_multipart_upload()
            .bucket(&self.names.inbox)
            .key(&land.key)
            .upload_id(multipart)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build())
            .set_if_none_match(if_none_match)
            .set_if_match(if_match)
            .set_expected_bucket_owner(self.names.account.clone())
            .customize()
            .config_override(clients::transfer())
            .send()
            .await;
        match answer {
            Ok(output) => landed(Operation::LandParts, output.version_id, output.e_tag),
            Err(error) => rejection(Operation::LandParts, &error),
        }
    }

    async fn abort_parts(&self, key: &str, multipart: &str) -> Result<(), Error> {
        let answer = self
            .s3
            .abort_multipart_upload()
            .bucket(&self.names.inbox)
            .key(key)
            .upload_id(multipart)
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(failure(Operation::LandParts, &error)),
        }
    }
}

impl Door {
    /// A version of a key of the inbox, or the current one.
    async fn look(&self, key: &str, version: Option<VersionId>) -> Result<Option<Current>, Error> {
        let answer = self
            .s3
            .head_object()
            .bucket(&self.names.inbox)
            .key(key)
            .set_version_id(version)
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await;
        match answer {
            Ok(output) => current(output).map(Some),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(failure(Operation::FindVersion, &error)),
        }
    }

    /// The newest versions of exactly this key, delete markers left out: one page of the listing.
    async fn newest_versions(&self, key: &str) -> Result<Vec<VersionId>, Error> {
        let page = self
            .s3
            .list_object_versions()
            .bucket(&self.names.inbox)
            .prefix(key)
            .encoding_type(EncodingType::Url)
            .max_keys(i32::try_from(MOST_VERSIONS).unwrap_or(i32::MAX))
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await
            .map_err(|error| failure(Operation::FindVersion, &error))?;
        let is_of_key = |listed: Option<&str>| {
            listed.and_then(|listed| listed_key(&page, listed)).as_deref() == Some(key)
        };
        let versions = page.versions().iter().filter(|version| is_of_key(version.key()));
        Ok(versions.filter_map(|version| version.version_id()).map(str::to_owned).collect())
    }
}

/// What the object is told about where it came from.
pub(super) fn metadata(land: &Land) -> HashMap<String, String> {
    let mut metadata = HashMap::from([(UPLOAD.to_owned(), land.upload.to_string())]);
    metadata.extend(land.corrects.as_ref().map(|corrects| (CORRECTS.to_owned(), corrects.clone())));
    metadata
}

/// `If-None-Match` and `If-Match`.
pub(super) fn conditions(condition: &Condition) -> (Option<String>, Option<String>) {
    match condition {
        Condition::Absent => (Some("*".to_owned()), None),
        Condition::Replaces(etag) => (None, Some(format!("\"{etag}\""))),
    }
}

fn unquoted(etag: Option<String>) -> Option<String> {
    etag.map(|etag| etag.trim_matches('"').to_owned())
}

fn current(output: HeadObjectOutput) -> Result<Current, Error> {
    let missing = || Error::new(Operation::FindVersion, "no length or entity tag");
    let upload = output.metadata().and_then(|metadata| metadata.get(UPLOAD));
    Ok(Current {
        upload: upload.and_then(|upload| UploadId::parse(upload)),
        bytes: output.content_length().and_then(|length| u64::try_from(length).ok()).ok_or_else(missing)?,
        version: output.version_id.unwrap_or_else(|| NULL_VERSION.to_owned()),
        etag: unquoted(output.e_tag).ok_or_else(missing)?,
    })
}

fn landed(operation: Operation, version: Option<String>, etag: Option<String>) -> Result<Landed, Error> {
    let etag = unquoted(etag).ok_or_else(|| Error::new(operation, "no entity tag"))?;
    Ok(Landed::Version { version: version.unwrap_or_else(|| NULL_VERSION.to_owned()), etag })
}

/// What S3 did not take: because of the condition (404 when there is nothing to replace), or of the sender.
fn rejection<E: ProvideErrorMetadata>(
    operation: Operation,
    error: &SdkError<E, HttpResponse>,
) -> Result<Landed, Error> {
    match code(error) {
        Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey") => Ok(Landed::Conflict),
        Some(code) if SENDERS_FAULTS.contains(&code) => Ok(Landed::Rejected(code.to_owned())),
        _ => Err(failure(operation, error)),
    }
}
