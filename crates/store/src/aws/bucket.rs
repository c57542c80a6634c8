//! Buckets: requests that say whose the bucket must be, one list of versions, and what an answer of S3 means.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::head_object::builders::HeadObjectFluentBuilder;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{EncodingType, ObjectVersion};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::client::S3;
use super::failure::{code, failure, status};
use super::keys;
use crate::{Error, InboxPlace, Operation};

/// A bucket and the client that reaches it.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) s3: Client,
    pub(super) name: String,
    /// The account that must own it.
    pub(super) account: Option<String>,
}

/// Which versions of a bucket.
#[derive(Clone, Copy, Default)]
pub(super) struct Versions<'a> {
    /// Keys that begin so. Sent also when it is empty: a role may be allowed to list one level and none below it.
    pub(super) prefix: Option<&'a str>,
    /// What ends a folder, where folders are asked for.
    pub(super) delimiter: Option<&'static str>,
    /// Those after this place.
    pub(super) after: Option<&'a InboxPlace>,
    /// Maximum number of versions; 1,000 for `None`, which is the most that S3 gives.
    pub(super) most: Option<i32>,
}

impl Bucket {
    pub(super) fn new(s3: &S3, name: &str) -> Self {
        Self { s3: s3.client.clone(), name: name.to_owned(), account: s3.account.clone() }
    }

    pub(super) fn get(&self, key: &str) -> GetObjectFluentBuilder {
        let request = self.s3.get_object().bucket(&self.name).key(key);
        request.set_expected_bucket_owner(self.account.clone())
    }

    pub(super) fn head(&self, key: &str) -> HeadObjectFluentBuilder {
        let request = self.s3.head_object().bucket(&self.name).key(key);
        request.set_expected_bucket_owner(self.account.clone())
    }

    pub(super) fn put(&self, key: &str) -> PutObjectFluentBuilder {
        let request = self.s3.put_object().bucket(&self.name).key(key);
        request.set_expected_bucket_owner(self.account.clone())
    }

    /// Returns a page of at most this number of objects.
    pub(super) async fn objects(
        &self,
        operation: Operation,
        after: Option<String>,
        most: Option<i32>,
    ) -> Result<ListObjectsV2Output, Error> {
        let request = self.s3.list_objects_v2().bucket(&self.name).set_max_keys(most);
        let request = request.set_continuation_token(after).set_expected_bucket_owner(self.account.clone());
        request.send().await.map_err(|error| failure(operation, &error))
    }

    /// Returns a page of versions.
    pub(super) async fn versions(
        &self,
        operation: Operation,
        asked: Versions<'_>,
    ) -> Result<ListObjectVersionsOutput, Error> {
        self.s3
            .list_object_versions()
            .bucket(&self.name)
            .set_prefix(asked.prefix.map(str::to_owned))
            .set_delimiter(asked.delimiter.map(str::to_owned))
            .set_max_keys(asked.most)
            // Without it a key with control characters would not be well-formed XML.
            .encoding_type(EncodingType::Url)
            .set_key_marker(asked.after.map(|place| place.key.clone()))
            .set_version_id_marker(asked.after.and_then(|place| place.version.clone()))
            .set_expected_bucket_owner(self.account.clone())
            .send()
            .await
            .map_err(|error| failure(operation, &error))
    }
}

/// Returns an object; `None` when it is gone.
pub(super) async fn found(
    operation: Operation,
    request: GetObjectFluentBuilder,
) -> Result<Option<GetObjectOutput>, Error> {
    match request.send().await {
        Ok(output) => require_s3(operation, &output).map(|()| Some(output)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(failure(operation, &error)),
    }
}

/// Returns what S3 says of an object without its bytes; `None` when it is gone.
pub(super) async fn seen(
    operation: Operation,
    request: HeadObjectFluentBuilder,
) -> Result<Option<HeadObjectOutput>, Error> {
    match request.send().await {
        Ok(output) => Ok(Some(output)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(failure(operation, &error)),
    }
}

/// Returns whether a listed key is this one.
pub(super) fn is_key(page: &ListObjectVersionsOutput, listed: Option<&str>, key: &str) -> bool {
    listed.and_then(|listed| listed_key(page, listed)).as_deref() == Some(key)
}

/// Returns the versions of exactly this key, newest first, delete markers left out.
pub(super) fn versions_of<'p>(
    page: &'p ListObjectVersionsOutput,
    key: &str,
) -> impl Iterator<Item = &'p ObjectVersion> {
    page.versions().iter().filter(move |version| is_key(page, version.key(), key))
}

pub(super) fn listed_key(page: &ListObjectVersionsOutput, listed: &str) -> Option<String> {
    if page.encoding_type() == Some(&EncodingType::Url) {
        keys::decode(listed)
    } else {
        Some(listed.to_owned())
    }
}

pub(super) fn next_place(
    operation: Operation,
    page: &ListObjectVersionsOutput,
) -> Result<Option<InboxPlace>, Error> {
    if page.is_truncated() != Some(true) {
        return Ok(None);
    }
    let key = page.next_key_marker().and_then(|key| listed_key(page, key));
    let version = page.next_version_id_marker().filter(|version| !version.is_empty()).map(str::to_owned);
    let place = key.map(|key| InboxPlace { key, version });
    place.map(Some).ok_or_else(|| Error::new(operation, "no marker"))
}

/// Checks that S3 itself answered: each of its answers has an id, and what stands in between has none to give.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html>
pub(super) fn require_s3(operation: Operation, answer: &impl RequestId) -> Result<(), Error> {
    match answer.request_id() {
        Some(_) => Ok(()),
        None => Err(Error::new(operation, "not answered by S3")),
    }
}

/// Returns whether S3 says that this version is not there: unknown, deleted, a delete marker (405), or replaced in a
/// bucket without versioning (412). A missing bucket and a denied access are our faults, and a status that did not
/// come from S3 says nothing about the version.
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

/// Returns whether this is S3's answer to a HEAD: without a body, and with what only S3 gives.
fn is_bare_answer<E>(error: &SdkError<E, HttpResponse>) -> bool {
    let body = error.raw_response().and_then(|response| response.body().bytes());
    let is_html = header(error, "content-type").is_some_and(|kind| !kind.starts_with("application/xml"));
    body.is_none_or(<[u8]>::is_empty) && !is_html && header(error, "x-amz-request-id").is_some()
}

fn header<'e, E>(error: &'e SdkError<E, HttpResponse>, name: &str) -> Option<&'e str> {
    error.raw_response()?.headers().get(name)
}

/// Returns whether S3 says that a conditional write met another one: 412, or 409 while the other one goes on.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
pub(super) fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match code(error) {
        Some(code) => matches!(code, "PreconditionFailed" | "ConditionalRequestConflict"),
        None => status(error) == Some(412),
    }
}

/// Returns whether S3 says that the object is in an archive storage class. A copy has a code of its own for it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_Errors>
pub(super) fn is_archived<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(code(error), Some("InvalidObjectState" | "ObjectNotInActiveTierError"))
}
