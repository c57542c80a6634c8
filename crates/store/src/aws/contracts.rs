//! Contracts by feed, and their versions.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::EncodingType;
use bytes::{Bytes, BytesMut};

use super::failure::failure;
use super::objects::{is_gone, listed_key, require_s3};
use crate::file::NULL_VERSION;
use crate::objects::is_too_long;
use crate::{ContractObject, ContractText, Error, MOST_CONTRACT_VERSIONS, Operation, VersionId};

/// What the key of a contract ends in: `<feed>.odcs.yaml`.
pub(super) const SUFFIX: &str = ".odcs.yaml";

/// The bucket of contracts.
pub(super) struct Bucket<'a> {
    pub(super) s3: &'a Client,
    pub(super) name: &'a str,
    /// The account that must own it.
    pub(super) account: Option<&'a str>,
}

impl Bucket<'_> {
    /// The newest version of a feed's contract, or the one with this id; `None` when it does not exist.
    ///
    /// The length in the answer decides whether the body is read: a document that nobody would compile is never taken into
    /// memory, whatever its size.
    pub(super) async fn read(
        &self,
        feed: &str,
        version: Option<&str>,
    ) -> Result<Option<ContractObject>, Error> {
        let answer = self
            .s3
            .get_object()
            .bucket(self.name)
            .key(format!("{feed}{SUFFIX}"))
            .set_version_id(version.map(str::to_owned))
            .set_expected_bucket_owner(self.account.map(str::to_owned))
            .send()
            .await;
        let output = match answer {
            Ok(output) => output,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(failure(Operation::ReadContract, &error)),
        };
        require_s3(Operation::ReadContract, &output)?;
        let version = output.version_id().unwrap_or(NULL_VERSION).to_owned();
        let published_ms = millis(output.last_modified()).unwrap_or_default();
        let length = output.content_length().and_then(|length| u64::try_from(length).ok());
        let length = length.ok_or_else(|| Error::new(Operation::ReadContract, "no content length"))?;
        let text = if is_too_long(length) {
            ContractText::TooLong(length)
        } else {
            ContractText::Whole(body(output, length).await?)
        };
        Ok(Some(ContractObject { text, version, published_ms }))
    }

    /// The versions of a feed's contract since its last deletion, newest first.
    ///
    /// S3 lists versions and delete markers apart from each other, so that their times decide which is newer. They have a
    /// resolution of a second: a version of the very second of a deletion counts as deleted.
    pub(super) async fn versions(&self, feed: &str) -> Result<Vec<VersionId>, Error> {
        let key = format!("{feed}{SUFFIX}");
        let page = self
            .s3
            .list_object_versions()
            .bucket(self.name)
            .prefix(&key)
            // Without it a key with control characters would not be well-formed XML.
            .encoding_type(EncodingType::Url)
            .set_expected_bucket_owner(self.account.map(str::to_owned))
            .send()
            .await
            .map_err(|error| failure(Operation::ListContractVersions, &error))?;
        let is_of_feed = |listed: Option<&str>| {
            listed.and_then(|listed| listed_key(&page, listed)).as_deref() == Some(key.as_str())
        };
        let markers = page.delete_markers().iter().filter(|marker| is_of_feed(marker.key()));
        let deleted_ms = markers.filter_map(|marker| millis(marker.last_modified())).max();
        let versions = page.versions().iter().filter(|version| is_of_feed(version.key()));
        let kept = versions.filter(|version| {
            let published_ms = millis(version.last_modified());
            deleted_ms.is_none_or(|deleted| published_ms.is_some_and(|published| published > deleted))
        });
        let ids = kept.map(|version| version.version_id().unwrap_or(NULL_VERSION).to_owned());
        Ok(ids.take(MOST_CONTRACT_VERSIONS).collect())
    }
}

/// The whole body, which has this many bytes by the answer; never more of it.
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

fn millis(instant: Option<&DateTime>) -> Option<u64> {
    u64::try_from(instant?.to_millis().ok()?).ok()
}

#[cfg(test)]
mod tests;
