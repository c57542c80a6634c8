//! The contracts bucket: one document for each feed, in versions.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};

use super::bucket::{Bucket, Versions, found, is_key, versions_of};
use super::client::S3;
use super::failure::{code, failure};
use super::millis;
use crate::contracts::is_too_long;
use crate::{
    Condition, ContractObject, ContractPut, ContractText, Error, MOST_CONTRACT_VERSIONS, MOST_FEEDS,
    Operation, PublishedContract, ReadContracts, VersionId, WriteContracts,
};
use ledger::NULL_VERSION;

/// What the key of a contract ends in: `<feed>.odcs.yaml`.
const SUFFIX: &str = ".odcs.yaml";

/// Pages of a listing of contracts before it is given up.
const MOST_PAGES: usize = 10;

/// The bucket of contracts.
#[derive(Clone)]
pub struct ContractsBucket {
    bucket: Bucket,
}

impl ContractsBucket {
    /// Makes the bucket of this name.
    #[must_use]
    pub fn new(s3: &S3, name: &str) -> Self {
        Self { bucket: Bucket::new(s3, name) }
    }

    /// Returns the newest version of a feed's contract, or the one with this id; `None` when it does not exist.
    ///
    /// The length in the answer decides whether the body is read: a document that nobody would compile is never taken
    /// into memory, whatever its size.
    async fn read(&self, feed: &str, version: Option<&str>) -> Result<Option<ContractObject>, Error> {
        let operation = Operation::ReadContract;
        let request = self.bucket.get(&key(feed)).set_version_id(version.map(str::to_owned));
        let Some(output) = found(operation, request).await? else { return Ok(None) };
        let version = output.version_id().unwrap_or(NULL_VERSION).to_owned();
        let published_ms = millis(output.last_modified()).unwrap_or_default();
        let etag = output.e_tag().map(|etag| etag.trim_matches('"').to_owned()).unwrap_or_default();
        let length = output.content_length().and_then(|length| u64::try_from(length).ok());
        let length = length.ok_or_else(|| Error::new(operation, "no content length"))?;
        let text = if is_too_long(length) {
            ContractText::TooLong(length)
        } else {
            ContractText::Whole(body(output, length).await?)
        };
        Ok(Some(ContractObject { text, version, published_ms, etag }))
    }
}

impl<T: AsRef<ContractsBucket> + Sync> ReadContracts for T {
    async fn contract(&self, feed: &str) -> Result<Option<ContractObject>, Error> {
        self.as_ref().read(feed, None).await
    }

    /// S3 lists versions and delete markers apart from each other, so that their times decide which is newer. They
    /// have a resolution of a second: a version of the very second of a deletion counts as deleted.
    async fn contract_versions(&self, feed: &str) -> Result<Vec<VersionId>, Error> {
        let key = key(feed);
        let asked = Versions { prefix: Some(&key), ..Versions::default() };
        let page = self.as_ref().bucket.versions(Operation::ListContractVersions, asked).await?;
        let markers = page.delete_markers().iter().filter(|marker| is_key(&page, marker.key(), &key));
        let deleted_ms = markers.filter_map(|marker| millis(marker.last_modified())).max();
        let kept = versions_of(&page, &key).filter(|version| {
            let published_ms = millis(version.last_modified());
            deleted_ms.is_none_or(|deleted| published_ms.is_some_and(|published| published > deleted))
        });
        let ids = kept.map(|version| version.version_id().unwrap_or(NULL_VERSION).to_owned());
        Ok(ids.take(MOST_CONTRACT_VERSIONS).collect())
    }

    async fn contract_version(&self, feed: &str, version: &str) -> Result<Option<ContractObject>, Error> {
        self.as_ref().read(feed, Some(version)).await
    }

    async fn feeds(&self) -> Result<Vec<String>, Error> {
        let most = Some(i32::try_from(MOST_FEEDS).unwrap_or(i32::MAX));
        let page = self.as_ref().bucket.objects(Operation::ListContracts, None, most).await?;
        let keys = page.contents().iter().filter_map(|object| object.key());
        Ok(keys.filter_map(|key| key.strip_suffix(SUFFIX)).map(str::to_owned).collect())
    }

    async fn published(&self) -> Result<Vec<PublishedContract>, Error> {
        let mut found = Vec::new();
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = self.as_ref().bucket.objects(Operation::ListContracts, after, None).await?;
            found.extend(page.contents().iter().filter_map(|object| {
                let feed = object.key()?.strip_suffix(SUFFIX)?.to_owned();
                let etag = object.e_tag().map(str::to_owned);
                Some(PublishedContract { feed, published_ms: millis(object.last_modified())?, etag })
            }));
            after = page.next_continuation_token().map(str::to_owned);
            if page.is_truncated() != Some(true) || after.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

impl<T: AsRef<ContractsBucket> + Sync> WriteContracts for T {
    async fn put_contract(
        &self,
        feed: &str,
        bytes: Bytes,
        condition: &Condition,
    ) -> Result<ContractPut, Error> {
        let request = self.as_ref().bucket.put(&key(feed)).content_type("application/yaml");
        let request = match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Replaces(etag) => request.if_match(format!("\"{etag}\"")),
        };
        match request.body(ByteStream::from(bytes)).send().await {
            Ok(output) => Ok(ContractPut::Written(output.version_id().unwrap_or(NULL_VERSION).to_owned())),
            // 409: somebody publishes one at this moment. 404: the one to be replaced was deleted.
            Err(error)
                if matches!(
                    code(&error),
                    Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey")
                ) =>
            {
                Ok(ContractPut::Conflict)
            }
            Err(error) => Err(failure(Operation::PublishContract, &error)),
        }
    }
}

fn key(feed: &str) -> String {
    format!("{feed}{SUFFIX}")
}

/// Returns the whole body, which has this many bytes by the answer; never more of it.
async fn body(mut output: GetObjectOutput, length: u64) -> Result<Bytes, Error> {
    let broken_off = || Error::new(Operation::ReadContract, "body broke off");
    let mut bytes = BytesMut::new();
    while let Some(chunk) = output.body.try_next().await.map_err(|_| broken_off())? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > length {
            return Err(Error::new(Operation::ReadContract, "body too long"));
        }
    }
    if bytes.len() as u64 == length { Ok(bytes.freeze()) } else { Err(broken_off()) }
}

#[cfg(test)]
mod tests;
