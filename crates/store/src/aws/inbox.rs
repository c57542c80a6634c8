//! The inbox bucket: conditional writes, signed uploads and listings. How its versions are read is in `reading`.

mod reading;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedPart, ObjectVersion};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::base64;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;

pub use self::reading::ObjectBody;
pub(super) use self::reading::Pinned;
use super::bucket::{Bucket, Versions, listed_key, next_place, seen, versions_of};
use super::client::{self, S3};
use super::failure::{code, failure};
use super::presigned::{lasting, length, presigned};
use super::{millis, multipart};
use crate::inbox::MOST_VERSIONS;
use crate::{
    Condition, Current, Error, FileVersion, Folders, InboxPage, InboxPlace, Land, Landed, ListInbox,
    ListedVersion, Operation, Presigned, SignedPart, SignedUpload, UploadId, UploadPart, VersionId,
    WriteInbox,
};
use ledger::NULL_VERSION;

/// The metadata that names the file which an object corrects: `x-amz-meta-corrects`.
const CORRECTS: &str = "corrects";

/// The metadata that names the upload which made an object: `x-amz-meta-upload`.
pub(super) const UPLOAD: &str = "upload";

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

/// Pages of a listing of folders before it is given up: 10,000 folders and objects of one level.
const MOST_PAGES: usize = 10;

/// The inbox buckets that are read. Objects of other buckets never are.
#[derive(Clone)]
pub struct InboxBuckets(Arc<[Bucket]>);

/// The inbox bucket that is written and listed.
#[derive(Clone)]
pub struct InboxBucket {
    bucket: Bucket,
}

impl InboxBuckets {
    /// Makes the buckets of these names.
    #[must_use]
    pub fn new(s3: &S3, names: &[String]) -> Self {
        Self(names.iter().map(|name| Bucket::new(s3, name)).collect())
    }
}

impl InboxBucket {
    /// Makes the bucket of this name.
    #[must_use]
    pub fn new(s3: &S3, name: &str) -> Self {
        Self { bucket: Bucket::new(s3, name) }
    }

    /// Returns a version of a key, or the current one.
    pub(super) async fn look(&self, key: &str, version: Option<VersionId>) -> Result<Option<Current>, Error> {
        let output = seen(Operation::FindVersion, self.bucket.head(key).set_version_id(version)).await?;
        output.map(current).transpose()
    }

    /// Begins the copy of an object to a key.
    pub(super) fn copy(&self, key: &str) -> CopyObjectFluentBuilder {
        let Bucket { s3, name, account } = &self.bucket;
        s3.copy_object().bucket(name).key(key).set_expected_bucket_owner(account.clone())
    }

    /// Returns the newest versions of exactly this key, delete markers left out: one page of the listing.
    async fn newest_versions(&self, key: &str) -> Result<Vec<VersionId>, Error> {
        let most = Some(i32::try_from(MOST_VERSIONS).unwrap_or(i32::MAX));
        let asked = Versions { prefix: Some(key), most, ..Versions::default() };
        let page = self.bucket.versions(Operation::FindVersion, asked).await?;
        Ok(versions_of(&page, key).filter_map(ObjectVersion::version_id).map(str::to_owned).collect())
    }

    fn listed(&self, page: &ListObjectVersionsOutput, version: &ObjectVersion) -> Option<ListedVersion> {
        let id = version.version_id().unwrap_or(NULL_VERSION);
        // A version id pins by itself; with an entity tag the same version would have two names.
        let etag =
            version.e_tag().filter(|_| id == NULL_VERSION).map(|etag| etag.trim_matches('"').to_owned());
        let file = FileVersion {
            bucket: self.bucket.name.clone(),
            key: listed_key(page, version.key()?)?,
            version: id.to_owned(),
            etag,
        };
        let bytes = version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        Some(ListedVersion { file, last_modified_ms: millis(version.last_modified())?, bytes })
    }
}

impl<T: AsRef<InboxBucket> + Sync> WriteInbox for T {
    fn inbox(&self) -> &str {
        &self.as_ref().bucket.name
    }

    async fn current(&self, key: &str) -> Result<Option<Current>, Error> {
        self.as_ref().look(key, None).await
    }

    async fn landed_as(&self, key: &str, upload: &UploadId) -> Result<Option<Current>, Error> {
        let inbox = self.as_ref();
        let made = |found: &Current| found.upload.as_ref() == Some(upload);
        let Some(current) = inbox.look(key, None).await? else { return Ok(None) };
        if made(&current) {
            return Ok(Some(current));
        }
        for version in inbox.newest_versions(key).await? {
            if version == current.version {
                continue;
            }
            if let Some(found) = inbox.look(key, Some(version)).await?.filter(made) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn land(&self, land: &Land, sha256: &[u8; 32], bytes: Bytes) -> Result<Landed, Error> {
        let (if_none_match, if_match) = conditions(&land.condition);
        let answer = self
            .as_ref()
            .bucket
            .put(&land.key)
            .content_type(&land.content_type)
            .set_metadata(Some(metadata(land)))
            .checksum_sha256(base64::encode(sha256))
            .set_if_none_match(if_none_match)
            .set_if_match(if_match)
            .body(ByteStream::from(bytes))
            .customize()
            .config_override(client::transfer())
            .send()
            .await;
        match answer {
            Ok(output) => landed(Operation::Land, output.version_id, output.e_tag),
            Err(error) => rejection(Operation::Land, &error),
        }
    }

    async fn sign_upload(&self, upload: &SignedUpload, seconds: u32) -> Result<Presigned, Error> {
        let Bucket { s3, name, .. } = &self.as_ref().bucket;
        let land = &upload.land;
        let (if_none_match, if_match) = conditions(&land.condition);
        let answer = s3
            .put_object()
            .bucket(name)
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

    async fn begin_parts(&self, land: &Land) -> Result<String, Error> {
        let request = self
            .as_ref()
            .bucket
            .create_parts(&land.key)
            .content_type(&land.content_type)
            .set_metadata(Some(metadata(land)))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            // SHA-256 of the whole cannot be had from those of its parts.
            .checksum_type(ChecksumType::Composite);
        multipart::begun(Operation::LandParts, request).await
    }

    async fn sign_part(&self, part: &SignedPart, seconds: u32) -> Result<Presigned, Error> {
        let Bucket { s3, name, .. } = &self.as_ref().bucket;
        let answer = s3
            .upload_part()
            .bucket(name)
            .key(&part.key)
            .upload_id(&part.multipart)
            .part_number(part.number.into())
            .content_length(length(part.bytes)?)
            .checksum_sha256(base64::encode(part.sha256))
            .presigned(lasting(seconds)?)
            .await;
        presigned("PUT", answer, seconds)
    }

    async fn complete_parts(
        &self,
        land: &Land,
        multipart: &str,
        parts: &[UploadPart],
    ) -> Result<Landed, Error> {
        let (if_none_match, if_match) = conditions(&land.condition);
        let parts = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(part.number.into())
                .e_tag(&part.etag)
                .checksum_sha256(base64::encode(part.sha256))
                .build()
        });
        let request = self.as_ref().bucket.complete_parts(&land.key, multipart, parts.collect());
        let request = request.set_if_none_match(if_none_match).set_if_match(if_match);
        match request.customize().config_override(client::transfer()).send().await {
            Ok(output) => landed(Operation::LandParts, output.version_id, output.e_tag),
            Err(error) => rejection(Operation::LandParts, &error),
        }
    }

    async fn abort_parts(&self, key: &str, multipart: &str) -> Result<(), Error> {
        self.as_ref().bucket.abort_parts(Operation::LandParts, key, multipart).await
    }
}

impl<T: AsRef<InboxBucket> + Sync> ListInbox for T {
    async fn inbox_page(&self, prefix: &str, after: Option<&InboxPlace>) -> Result<InboxPage, Error> {
        let (inbox, operation) = (self.as_ref(), Operation::ListInbox);
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let page =
            inbox.bucket.versions(operation, Versions { prefix, after, ..Versions::default() }).await?;
        let listed = page.versions().iter().map(|version| inbox.listed(&page, version));
        let versions = listed.collect::<Option<Vec<_>>>();
        let versions = versions.ok_or_else(|| Error::new(operation, "malformed page"))?;
        Ok(InboxPage { versions, next: next_place(operation, &page)? })
    }

    async fn senders(&self, partner: Option<&str>) -> Result<Folders, Error> {
        let (inbox, operation) = (self.as_ref(), Operation::ListInbox);
        let prefix = partner.map(|partner| format!("{partner}/")).unwrap_or_default();
        let mut folders = Folders::default();
        let mut after: Option<InboxPlace> = None;
        for _ in 0..MOST_PAGES {
            let asked = Versions {
                prefix: Some(&prefix),
                delimiter: Some("/"),
                after: after.as_ref(),
                ..Versions::default()
            };
            let page = inbox.bucket.versions(operation, asked).await?;
            folders.names.extend(page.common_prefixes().iter().filter_map(|folder| {
                let folder = listed_key(&page, folder.prefix()?)?;
                let name = folder.strip_prefix(&prefix)?.strip_suffix('/')?;
                (!name.is_empty()).then(|| name.to_owned())
            }));
            after = next_place(operation, &page)?;
            if after.is_none() {
                folders.complete = true;
                break;
            }
        }
        Ok(folders)
    }
}

/// Returns the metadata of an object: the upload that it came from, and the file that it corrects.
fn metadata(land: &Land) -> HashMap<String, String> {
    let mut metadata = HashMap::from([(UPLOAD.to_owned(), land.upload.to_string())]);
    metadata.extend(land.corrects.as_ref().map(|corrects| (CORRECTS.to_owned(), corrects.clone())));
    metadata
}

/// Returns `If-None-Match` and `If-Match`.
fn conditions(condition: &Condition) -> (Option<String>, Option<String>) {
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

/// Returns what S3 did not take: because of the condition (404 when there is nothing to replace), or of the sender.
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

#[cfg(test)]
mod tests;
