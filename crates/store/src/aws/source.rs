//! Other buckets than those of the stack, as an operator reads them, and the inbox into which their objects are copied.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{EncodingType, MetadataDirective, TaggingDirective};

use super::bucket::{is_archived, is_conflict};
use super::client::{self, S3};
use super::failure::{code, failure};
use super::inbox::{InboxBucket, UPLOAD};
use super::{keys, millis};
use crate::{CopiedIn, CopyIntoInbox, Current, Error, Operation, SourceObject, SourcePage, UploadId};
use ledger::NULL_VERSION;

/// Buckets that may be another account's, and the inbox.
#[derive(Clone)]
pub struct SourceBuckets {
    s3: Client,
    inbox: InboxBucket,
}

impl SourceBuckets {
    /// Makes what copies into an inbox. `s3` may reach buckets of any account.
    #[must_use]
    pub fn new(s3: &S3, inbox: &InboxBucket) -> Self {
        Self { s3: s3.client.clone(), inbox: inbox.clone() }
    }
}

impl<T: AsRef<SourceBuckets> + Sync> CopyIntoInbox for T {
    async fn source_page(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<SourcePage, Error> {
        let operation = Operation::ListSource;
        let request = self.as_ref().s3.list_objects_v2().bucket(bucket).prefix(prefix);
        // Without it a key with control characters would not be well-formed XML.
        let request = request.encoding_type(EncodingType::Url);
        let request = request.set_continuation_token(after.map(str::to_owned));
        let page = request.send().await.map_err(|error| failure(operation, &error))?;
        let encoded = page.encoding_type() == Some(&EncodingType::Url);
        let objects = page.contents().iter().map(|object| {
            let key = object.key()?;
            Some(SourceObject {
                bucket: bucket.to_owned(),
                key: if encoded { keys::decode(key)? } else { key.to_owned() },
                etag: object.e_tag()?.trim_matches('"').to_owned(),
                bytes: u64::try_from(object.size()?).ok()?,
                last_modified_ms: millis(object.last_modified())?,
            })
        });
        let objects = objects.collect::<Option<Vec<_>>>();
        let objects = objects.ok_or_else(|| Error::new(operation, "malformed page"))?;
        let truncated = page.is_truncated() == Some(true);
        match page.next_continuation_token {
            None if truncated => Err(Error::new(operation, "no continuation token")),
            next => Ok(SourcePage { objects, next: next.filter(|_| truncated) }),
        }
    }

    async fn copied(&self, key: &str) -> Result<Option<Current>, Error> {
        self.as_ref().inbox.look(key, None).await
    }

    async fn copy_in(&self, source: &SourceObject, key: &str, upload: &UploadId) -> Result<CopiedIn, Error> {
        let operation = Operation::CopyIn;
        let answer = self
            .as_ref()
            .inbox
            .copy(key)
            .copy_source(keys::copy_source(&source.bucket, &source.key, None))
            .copy_source_if_match(format!("\"{}\"", source.etag))
            .if_none_match("*")
            .metadata_directive(MetadataDirective::Replace)
            .metadata(UPLOAD, upload.as_str())
            // Its tags stay behind: copying them would need another permission.
            .tagging_directive(TaggingDirective::Replace)
            .customize()
            .config_override(client::long_copy())
            .send()
            .await;
        match answer {
            Ok(output) => Ok(CopiedIn::Version(output.version_id.unwrap_or_else(|| NULL_VERSION.to_owned()))),
            Err(error) if is_archived(&error) => Ok(CopiedIn::Archived),
            // The key is taken, or the object is not what was listed: replaced (a conflict too) or deleted.
            Err(error) if is_conflict(&error) || code(&error) == Some("NoSuchKey") => Ok(CopiedIn::Conflict),
            Err(error) => Err(failure(operation, &error)),
        }
    }
}

#[cfg(test)]
mod tests;
