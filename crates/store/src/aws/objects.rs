//! Objects: pinned reads that are whole or fail, listings of one key, the quarantine.

use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{EncodingType, ObjectVersion};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;

use super::failure::{code, failure, status};
use super::{Aws, ObjectUpload, clients, contracts, keys};
use crate::file::NULL_VERSION;
use crate::rank::{Descent, Made, is_in_parts};
use crate::watch::InboxPlace;
use crate::{
    Body, ContractObject, Error, FileId, FileVersion, Objects, OpenUploads, Opened, Operation, Original,
    Rank, ReadContract, VersionId,
};

/// The metadata that names the file which an object corrects: `x-amz-meta-corrects`.
pub(super) const CORRECTS: &str = "corrects";

/// Pages of a key's versions that are looked through for a rank: 20,000 versions from the one that is asked about.
const MOST_PAGES: usize = 20;
/// Versions of the first page, which nearly always holds the one that is asked about.
const FIRST_PAGE: i32 = 100;
/// Versions of a further page, the most that S3 gives.
const PAGE: i32 = 1_000;

/// How often one body is resumed after it broke off.
const RESUMES: u32 = 4;

/// The chunks of an inbox object, read on after a break from the byte where it broke.
pub struct ObjectBody {
    aws: Aws,
    file: FileVersion,
    /// Of the answer that opened the body: a resumed read must be of the same bytes.
    etag: Option<String>,
    stream: ByteStream,
    offset: u64,
    length: u64,
    resumes_left: u32,
}

impl ReadContract for Aws {
    async fn contract(&self, feed: &str) -> Result<Option<ContractObject>, Error> {
        self.contracts().read(feed, None).await
    }

    async fn contract_versions(&self, feed: &str) -> Result<Vec<VersionId>, Error> {
        self.contracts().versions(feed).await
    }

    async fn contract_version(&self, feed: &str, version: &str) -> Result<Option<ContractObject>, Error> {
        self.contracts().read(feed, Some(version)).await
    }
}

impl Objects for Aws {
    type Body = ObjectBody;
    type Upload = ObjectUpload;

    async fn open(&self, file: &FileVersion) -> Result<Opened<ObjectBody>, Error> {
        self.require_inbox(&file.bucket, Operation::ReadObject)?;
        let output = match self.get(file, if_match(file).as_deref(), None).await {
            Ok(output) => output,
            Err(error) if is_archived(&error) => return Ok(Opened::Archived),
            Err(error) if is_gone(&error) => return Ok(Opened::Gone),
            Err(error) => return Err(failure(Operation::ReadObject, &error)),
        };
        require_s3(Operation::ReadObject, &output)?;
        let length = content_length(&output)?;
        let last_modified = output.last_modified().and_then(|instant| instant.to_millis().ok());
        let corrects = output.metadata().and_then(|metadata| metadata.get(CORRECTS));
        let corrects = corrects.and_then(|corrects| FileId::parse(corrects));
        let body = ObjectBody {
            aws: self.clone(),
            file: file.clone(),
            etag: output.e_tag().map(str::to_owned),
            stream: output.body,
            offset: 0,
            length,
            resumes_left: RESUMES,
        };
        let last_modified_ms = last_modified.and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default();
        Ok(Opened::Body { length, last_modified_ms, corrects, body })
    }

    async fn versions(&self, bucket: &str, key: &str) -> Result<Vec<VersionId>, Error> {
        self.require_inbox(bucket, Operation::ListVersions)?;
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let page = self.list(Operation::ListVersions, bucket, key, marker.as_deref(), PAGE).await?;
            let is_of_key = |listed: Option<&str>| {
                listed.and_then(|listed| listed_key(&page, listed)).as_deref() == Some(key)
            };
            let versions = page.versions().iter().filter(|version| is_of_key(version.key()));
            found.extend(versions.filter_map(|version| version.version_id()).map(str::to_owned));
            // Keys come in order: when the next page begins with another key, ours is done.
            if page.is_truncated() != Some(true) || !is_of_key(page.next_key_marker()) {
                return Ok(found);
            }
            marker = page.next_version_id_marker().map(str::to_owned);
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    async fn rank(&self, file: &FileVersion) -> Result<Option<Rank>, Error> {
        let operation = Operation::RankVersion;
        self.require_inbox(&file.bucket, operation)?;
        let (mut descent, mut marker, mut page_size) = (None, None, FIRST_PAGE);
        for _ in 0..MOST_PAGES {
            let (bucket, key) = (file.bucket.as_str(), file.key.as_str());
            let page = self.list(operation, bucket, key, marker.as_deref(), page_size).await?;
            let is_of_key = |listed: Option<&str>| {
                listed.and_then(|listed| listed_key(&page, listed)).as_deref() == Some(key)
            };
            for version in page.versions().iter().filter(|version| is_of_key(version.key())) {
                if descend(&mut descent, file, version)? {
                    return Ok(descent.map(Descent::rank));
                }
            }
            if page.is_truncated() != Some(true) || !is_of_key(page.next_key_marker()) {
                return Ok(descent.map(Descent::rank));
            }
            page_size = PAGE;
            if descent.is_some() {
                marker = page.next_version_id_marker().map(str::to_owned);
            } else {
                // Far down the list: the versions above it need not be read.
                let Some(found) = self.listed(file).await? else { return Ok(None) };
                descent = Some(Descent::new(found));
                marker = Some(file.version.clone());
            }
        }
        Ok(descent.map(Descent::rank))
    }

    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<(), Error> {
        // The SDK adds a CRC-32 of the body, which S3 checks and keeps.
        self.s3
            .put_object()
            .bucket(&self.names.quarantine_bucket)
            .key(key)
            .content_type(content_type)
            .set_expected_bucket_owner(self.names.account.clone())
            .body(ByteStream::from(body))
            .customize()
            .config_override(clients::transfer())
            .send()
            .await
            .map_err(|error| failure(Operation::WriteObject, &error))?;
        Ok(())
    }

    fn upload(&self, key: &str, content_type: &str, open: &OpenUploads) -> ObjectUpload {
        ObjectUpload::new(self.clone(), key, content_type, open.clone())
    }

    async fn abort(&self, open: &OpenUploads) {
        for upload in open.take() {
            self.abort_upload(&upload.key, &upload.id).await;
        }
    }

    async fn keep_original(
        &self,
        file: &FileVersion,
        key: &str,
        open: &OpenUploads,
    ) -> Result<Original, Error> {
        self.require_inbox(&file.bucket, Operation::CopyObject)?;
        let Some(output) = self.head(Operation::CopyObject, file).await? else { return Ok(Original::Gone) };
        let length = output.content_length().and_then(|length| u64::try_from(length).ok());
        let length = length.ok_or_else(|| Error::new(Operation::CopyObject, "no content length"))?;
        let source = keys::copy_source(&file.bucket, &file.key, version_id(file).as_deref());
        self.copy(&source, if_match(file).as_deref(), length, key, open).await
    }
}

impl Aws {
    fn contracts(&self) -> contracts::Bucket<'_> {
        let Self { s3, names, .. } = self;
        contracts::Bucket { s3, name: &names.contracts_bucket, account: names.account.as_deref() }
    }

    async fn get(
        &self,
        file: &FileVersion,
        etag: Option<&str>,
        range: Option<String>,
    ) -> Result<GetObjectOutput, SdkError<GetObjectError, HttpResponse>> {
        self.s3
            .get_object()
            .bucket(&file.bucket)
            .key(&file.key)
            .set_version_id(version_id(file))
            .set_if_match(etag.map(str::to_owned))
            .set_range(range)
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await
    }

    /// What S3 says of a version without its bytes; `None` when it is gone.
    async fn head(
        &self,
        operation: Operation,
        file: &FileVersion,
    ) -> Result<Option<HeadObjectOutput>, Error> {
        let answer = self
            .s3
            .head_object()
            .bucket(&file.bucket)
            .key(&file.key)
            .set_version_id(version_id(file))
            .set_if_match(if_match(file))
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await;
        match answer {
            Ok(output) => Ok(Some(output)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(failure(operation, &error)),
        }
    }

    /// A version as the list would show it; `None` when it is gone.
    async fn listed(&self, file: &FileVersion) -> Result<Option<Made>, Error> {
        let Some(output) = self.head(Operation::RankVersion, file).await? else { return Ok(None) };
        listed(output.last_modified(), output.e_tag()).map(Some)
    }

    async fn list(
        &self,
        operation: Operation,
        bucket: &str,
        key: &str,
        version_marker: Option<&str>,
        most: i32,
    ) -> Result<ListObjectVersionsOutput, Error> {
        self.s3
            .list_object_versions()
            .bucket(bucket)
            .prefix(key)
            .max_keys(most)
            // Without it a key with control characters would not be well-formed XML.
            .encoding_type(EncodingType::Url)
            .set_key_marker(version_marker.map(|_| key.to_owned()))
            .set_version_id_marker(version_marker.map(str::to_owned))
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await
            .map_err(|error| failure(operation, &error))
    }

    /// An event that names a bucket of somebody else is forged or misrouted: it must end where an operator sees it.
    fn require_inbox(&self, bucket: &str, operation: Operation) -> Result<(), Error> {
        let known = self.names.inboxes.iter().any(|inbox| inbox == bucket);
        if known { Ok(()) } else { Err(Error::new(operation, "not an inbox")) }
    }
}

impl Body for ObjectBody {
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
        let range = format!("bytes={}-", self.offset);
        let output = self
            .aws
            .get(&self.file, self.etag.as_deref(), Some(range))
            .await
            .map_err(|error| failure(Operation::ReadObject, &error))?;
        require_s3(Operation::ReadObject, &output)?;
        if content_length(&output)? != self.length - self.offset {
            return Err(Error::new(Operation::ReadObject, "resumed at another place"));
        }
        self.stream = output.body;
        Ok(())
    }
}

fn content_length(output: &GetObjectOutput) -> Result<u64, Error> {
    let length = output.content_length().and_then(|length| u64::try_from(length).ok());
    length.ok_or_else(|| Error::new(Operation::ReadObject, "no content length"))
}

/// The version to ask for; none in a bucket without versioning.
fn version_id(file: &FileVersion) -> Option<String> {
    (file.version != NULL_VERSION || file.etag.is_none()).then(|| file.version.clone())
}

/// The pinning entity tag as a condition's header has it: in quotes.
fn if_match(file: &FileVersion) -> Option<String> {
    file.pinning_etag().map(|etag| format!("\"{etag}\""))
}

pub(super) fn listed_key(page: &ListObjectVersionsOutput, listed: &str) -> Option<String> {
    if page.encoding_type() == Some(&EncodingType::Url) {
        keys::decode(listed)
    } else {
        Some(listed.to_owned())
    }
}

pub(super) fn next_place(page: &ListObjectVersionsOutput) -> Result<Option<InboxPlace>, Error> {
    if page.is_truncated() != Some(true) {
        return Ok(None);
    }
    let key = page.next_key_marker().and_then(|key| listed_key(page, key));
    let version = page.next_version_id_marker().filter(|version| !version.is_empty()).map(str::to_owned);
    let place = key.map(|key| InboxPlace { key, version });
    place.map(Some).ok_or_else(|| Error::new(Operation::ListInbox, "no marker"))
}

/// Goes on down a key's versions, from the one that is asked about. `true`: the rest does not matter.
fn descend(
    descent: &mut Option<Descent>,
    file: &FileVersion,
    version: &ObjectVersion,
) -> Result<bool, Error> {
    if let Some(descent) = descent {
        return Ok(!descent.take(listed(version.last_modified(), version.e_tag())?));
    }
    let etag = version.e_tag().map(|etag| etag.trim_matches('"'));
    let pinned = file.pinning_etag().is_none_or(|pinned| etag == Some(pinned));
    if pinned && version.version_id().unwrap_or(NULL_VERSION) == file.version {
        *descent = Some(Descent::new(listed(version.last_modified(), version.e_tag())?));
    }
    Ok(false)
}

fn listed(last_modified: Option<&DateTime>, etag: Option<&str>) -> Result<Made, Error> {
    let instant = last_modified.and_then(|instant| u64::try_from(instant.to_millis().ok()?).ok());
    let last_modified_ms =
        instant.ok_or_else(|| Error::new(Operation::RankVersion, "no last modification"))?;
    Ok(Made { last_modified_ms, in_parts: etag.is_some_and(is_in_parts) })
}

/// Checks that S3 itself answered: each of its answers has an id, and what stands in between has none to give.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html>
pub(super) fn require_s3(operation: Operation, answer: &impl RequestId) -> Result<(), Error> {
    match answer.request_id() {
        Some(_) => Ok(()),
        None => Err(Error::new(operation, "not answered by S3")),
    }
}

/// Whether S3 says that this version is not there: unknown, deleted, a delete marker (405), or replaced in a bucket
/// without versioning (412). A missing bucket and a denied access are our faults, and a status that did not come from S3
/// says nothing about the version.
pub(super) fn is_gone<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match (code(error), status(error)) {
        (Some("NoSuchKey" | "NoSuchVersion" | "PreconditionFailed"), _) => true,
        (Some("MethodNotAllowed"), Some(405)) => header(error, "x-amz-delete-marker") == Some("true"),
        // A HEAD has no body and so no code; the SDK makes one of the status 404.
        (None | Some("NotFound"), Some(404 | 412)) => is_bare_answer(error),
        (None, Some(405)) => is_bare_answer(error) && header(error, "x-amz-delete-marker") == Some("true"),
        _ => false,
    }
}

/// Whether this is S3's answer to a HEAD: without a body, and with what only S3 gives.
fn is_bare_answer<E>(error: &SdkError<E, HttpResponse>) -> bool {
    let body = error.raw_response().and_then(|response| response.body().bytes());
    let is_html = header(error, "content-type").is_some_and(|kind| !kind.starts_with("application/xml"));
    body.is_none_or(<[u8]>::is_empty) && !is_html && header(error, "x-amz-request-id").is_some()
}

fn header<'e, E>(error: &'e SdkError<E, HttpResponse>, name: &str) -> Option<&'e str> {
    error.raw_response()?.headers().get(name)
}

/// Whether S3 says that the object is in an archive storage class. A copy has a code of its own for it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_Errors>
pub(super) fn is_archived<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(code(error), Some("InvalidObjectState" | "ObjectNotInActiveTierError"))
}

#[cfg(test)]
mod tests;
