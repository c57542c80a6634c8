//! The outbox bucket, as it is written: receipts and rejected records come from the quarantine bucket.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::bucket::{Bucket, found, is_conflict, is_gone, seen};
use super::client::S3;
use super::failure::failure;
use super::keys;
use super::multipart::CopySource;
use super::quarantine::copy_of_length;
use crate::{Error, OpenUploads, Operation, Original, PostedReceipt, ReceiptMark, WriteOutbox};

/// The outbox bucket, and the quarantine bucket from which it is filled.
#[derive(Clone)]
pub struct OutboxBucket {
    outbox: Bucket,
    quarantine: Bucket,
}

impl OutboxBucket {
    /// Makes the bucket `outbox`, filled from the bucket `quarantine`.
    #[must_use]
    pub fn new(s3: &S3, outbox: &str, quarantine: &str) -> Self {
        Self { outbox: Bucket::new(s3, outbox), quarantine: Bucket::new(s3, quarantine) }
    }
}

impl<T: AsRef<OutboxBucket> + Sync> WriteOutbox for T {
    async fn receipt(&self, key: &str) -> Result<Option<Bytes>, Error> {
        let output = found(Operation::ReadDocument, self.as_ref().quarantine.get(key)).await?;
        let Some(output) = output else { return Ok(None) };
        let broken_off = |_| Error::new(Operation::ReadDocument, "body broke off");
        Ok(Some(output.body.collect().await.map_err(broken_off)?.into_bytes()))
    }

    async fn posted(&self, key: &str) -> Result<Option<PostedReceipt>, Error> {
        let operation = Operation::ReadOutbox;
        let Some(output) = seen(operation, self.as_ref().outbox.head(key)).await? else { return Ok(None) };
        let mark = output.metadata().and_then(ReceiptMark::from_metadata);
        let etag = output.e_tag.ok_or_else(|| Error::new(operation, "no entity tag"))?;
        Ok(Some(PostedReceipt { mark, etag }))
    }

    async fn post(
        &self,
        key: &str,
        mark: &ReceiptMark,
        body: Bytes,
        seen: Option<&PostedReceipt>,
    ) -> Result<bool, Error> {
        let mut request = self.as_ref().outbox.put(key).content_type("application/json");
        for (name, value) in mark.to_metadata() {
            request = request.metadata(name, value);
        }
        let request = match seen {
            Some(seen) => request.if_match(&seen.etag),
            None => request.if_none_match("*"),
        };
        match request.body(ByteStream::from(body)).send().await {
            Ok(_) => Ok(true),
            // Somebody else wrote at the same moment, or before. A lost answer to this write ends here too.
            Err(error) if is_gone(&error) || is_conflict(&error) => Ok(false),
            Err(error) => Err(failure(Operation::WriteOutbox, &error)),
        }
    }

    async fn return_rejects(&self, from: &str, to: &str) -> Result<bool, Error> {
        let operation = Operation::ReturnRejects;
        let OutboxBucket { outbox, quarantine } = self.as_ref();
        let Some(source) = seen(operation, quarantine.head(from)).await? else { return Ok(false) };
        let length = source.content_length().and_then(|length| u64::try_from(length).ok());
        let length = length.ok_or_else(|| Error::new(operation, "no content length"))?;
        let path = keys::copy_source(&quarantine.name, from, None);
        let etag = source.e_tag();
        // A copy in parts that fails is given up; that of a process that dies is left to the bucket's lifecycle rule.
        let open = OpenUploads::default();
        match copy_of_length(outbox, CopySource { path: &path, etag }, length, to, &open).await? {
            Original::Copied => Ok(true),
            Original::Gone | Original::Archived => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests;
