//! Counts what is asked of the services, where the SDK sends it and reads the answer: each attempt is a request, and
//! DynamoDB says itself how many units a call took, rows, items and index together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::{Metered, Usage};

/// Calls of S3 that are read by GET and billed like a PUT. <https://aws.amazon.com/s3/pricing/>
const LISTS: [&str; 1] = ["ListObjectVersions"];

/// Counters that the clients of a connection share.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Totals>);

#[derive(Debug, Default)]
struct Totals {
    write_tenths: AtomicU64,
    read_tenths: AtomicU64,
    object_writes: AtomicU64,
    object_reads: AtomicU64,
    queue_requests: AtomicU64,
    published: AtomicU64,
}

impl<T: AsRef<Meter>> Metered for T {
    fn usage(&self) -> Usage {
        let totals = &self.as_ref().0;
        let read = |total: &AtomicU64| total.load(Ordering::Relaxed);
        Usage {
            write_tenths: read(&totals.write_tenths),
            read_tenths: read(&totals.read_tenths),
            object_writes: read(&totals.object_writes),
            object_reads: read(&totals.object_reads),
            queue_requests: read(&totals.queue_requests),
            published: read(&totals.published),
        }
    }
}

impl Meter {
    /// Returns the counter of requests of an operation; DynamoDB bills none.
    fn requests(&self, service: &str, operation: &str, method: &str) -> Option<&AtomicU64> {
        match (service, method) {
            ("S3", "GET" | "HEAD") if LISTS.contains(&operation) => Some(&self.0.object_writes),
            ("S3", "GET" | "HEAD") => Some(&self.0.object_reads),
            // A DELETE, which gives an upload up, costs nothing.
            ("S3", "PUT" | "POST") => Some(&self.0.object_writes),
            ("SQS", _) => Some(&self.0.queue_requests),
            ("SNS", _) => Some(&self.0.published),
            _ => None,
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = config.load::<Metadata>() {
            let total = self.requests(metadata.service(), metadata.name(), context.request().method());
            total.map(|total| total.fetch_add(1, Ordering::Relaxed));
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        if let Some(output) = output.downcast_ref::<GetItemOutput>() {
            self.0.read_tenths.fetch_add(tenths(output.consumed_capacity()), Ordering::Relaxed);
        } else if let Some(output) = output.downcast_ref::<QueryOutput>() {
            self.0.read_tenths.fetch_add(tenths(output.consumed_capacity()), Ordering::Relaxed);
        } else if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
            self.0.write_tenths.fetch_add(tenths(output.consumed_capacity()), Ordering::Relaxed);
        } else if let Some(output) = output.downcast_ref::<BatchWriteItemOutput>() {
            self.0.write_tenths.fetch_add(tenths(output.consumed_capacity()), Ordering::Relaxed);
        } else if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
            self.0.write_tenths.fetch_add(tenths(output.consumed_capacity()), Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Units in tenths; nothing where the answer does not say, as an emulator's may not.
fn tenths<'c>(consumed: impl IntoIterator<Item = &'c ConsumedCapacity>) -> u64 {
    let units: f64 = consumed.into_iter().filter_map(ConsumedCapacity::capacity_units).sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a double ends at 0 and at the greatest number"
    )]
    {
        (units * 10.0).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::replay::{ScriptedService, answer, dynamodb_error, s3_error};
    use crate::{
        Error, Fence, FileId, FileVersion, Outcomes as _, Queue as _, ReadInbox as _, ReadLedger as _,
        RecordItem, WriteLedger as _, WriteQuarantine as _, WriteRecords as _,
    };

    fn file() -> FileVersion {
        FileVersion {
            bucket: "inbox".to_owned(),
            key: "a/b/c".to_owned(),
            version: "1".to_owned(),
            etag: None,
        }
    }

    #[tokio::test]
    async fn requests_to_s3_are_counted_by_their_price_and_every_attempt_is_one() -> Result<(), Error> {
        let listed = answer(200, "<ListVersionsResult></ListVersionsResult>");
        let (store, _) = ScriptedService::store([
            s3_error(404, "NoSuchVersion"),
            listed,
            s3_error(503, "SlowDown"),
            answer(200, ""),
        ]);
        drop(store.open(&file()).await?);
        store.versions("inbox", "a/b/c").await?;
        assert_eq!((store.usage().object_reads, store.usage().object_writes), (1, 1));
        store.put("key", "text/plain", "x".into()).await?;
        assert_eq!(store.usage(), Usage { object_reads: 1, object_writes: 3, ..Usage::default() });
        Ok(())
    }

    #[tokio::test]
    async fn dynamodb_says_itself_what_it_took() -> Result<(), Error> {
        let one = r#"{"ConsumedCapacity": {"CapacityUnits": 0.5}}"#;
        let two = r#"{"ConsumedCapacity": {"CapacityUnits": 2.0}, "Attributes": {}}"#;
        let rows = r#"{"ConsumedCapacity": [{"CapacityUnits": 7.0}, {"CapacityUnits": 1.0}]}"#;
        let rejected = dynamodb_error("ConditionalCheckFailedException", r#","Item":{"pk":{"S":"x"}}"#);
        let (store, replay) = ScriptedService::store([
            answer(200, one),
            answer(200, two),
            answer(200, rows),
            rejected,
            answer(200, "{}"),
        ]);
        let id = FileId::of(&file());
        assert!(store.entry(&id).await?.is_none());
        let fence = Fence { file: id, fence: 1, owner: "me".to_owned(), replay: None };
        store.checkpoint(&fence, 5, 9).await?;
        store
            .write(vec![RecordItem {
                partition: "p".to_owned(),
                sort: "s".to_owned(),
                attributes: Vec::new(),
            }])
            .await?;
        assert_eq!(store.usage(), Usage { read_tenths: 5, write_tenths: 100, ..Usage::default() });
        for seen in replay.seen() {
            assert_eq!(seen.json()["ReturnConsumedCapacity"], "TOTAL", "{}", seen.body);
        }
        store.checkpoint(&fence, 5, 9).await?;
        assert_eq!(store.usage().write_tenths, 100, "a write that was rejected says nothing");
        Ok(())
    }

    #[tokio::test]
    async fn messages_are_counted_on_clients_that_are_made_late() -> Result<(), Error> {
        let sent =
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";
        let (store, _) = ScriptedService::store([answer(200, "{}"), answer(200, sent)]);
        store.defer("receipt", 5).await?;
        store.publish(&crate::Announcement { body: "{}".to_owned(), attributes: Vec::new() }).await?;
        assert_eq!(store.usage(), Usage { queue_requests: 1, published: 1, ..Usage::default() });
        let before = store.usage();
        assert_eq!(store.usage().since(before), Usage::default());
        Ok(())
    }
}
