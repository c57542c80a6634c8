//! The records table: rows by `BatchWriteItem`, several calls at a time, as many as DynamoDB takes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use tokio::task::JoinSet;

use super::dynamodb::{ItemKey, ItemReader, Table, TableQuery, attributes, malformed, text};
use super::pause;
use crate::records::{key_batches, waves};
use crate::{
    DeleteRecords, Error, ItemValue, Operation, ReadRecords, RecordItem, RecordPage, RecordVersion, RowKey,
    WriteRecords,
};

/// Most calls at a time.
const WIDEST: usize = 8;

/// Attempts at one batch. With full jitter and waits up to 1.6 s that is about 10 s on the mean: a table that takes
/// nothing for so long is the redelivery's matter, which goes on at the last checkpoint.
const ATTEMPTS: u32 = 16;

/// The records table: partition key `pk`, sort key `sk` (strings).
#[derive(Clone)]
pub struct RecordsTable {
    table: Table,
    pace: Arc<BatchConcurrency>,
}

/// How many calls may run at a time: one more after a batch that was taken whole, half after one that was not.
struct BatchConcurrency(AtomicUsize);

impl Default for BatchConcurrency {
    fn default() -> Self {
        Self(AtomicUsize::new(WIDEST))
    }
}

impl BatchConcurrency {
    fn width(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn taken_whole(&self) {
        self.0.store((self.width() + 1).min(WIDEST), Ordering::Relaxed);
    }

    fn held_back(&self) {
        self.0.store((self.width() / 2).max(1), Ordering::Relaxed);
    }
}

impl RecordsTable {
    /// Makes the table of this name.
    #[must_use]
    pub fn new(client: &Client, name: &str) -> Self {
        Self { table: Table::new(client, name), pace: Arc::default() }
    }

    /// Makes several calls at a time, as many as the table takes.
    async fn call_all(&self, operation: Operation, batches: Vec<Vec<WriteRequest>>) -> Result<(), Error> {
        // Dropped on an error, which aborts the calls under way: nothing runs on behind the caller's back.
        let mut calls = JoinSet::new();
        for batch in batches {
            while calls.len() >= self.pace.width() {
                joined(operation, calls.join_next().await)?;
            }
            let records = self.clone();
            calls.spawn(async move { records.call_until_taken(operation, batch).await });
        }
        while !calls.is_empty() {
            joined(operation, calls.join_next().await)?;
        }
        Ok(())
    }

    async fn call_until_taken(
        &self,
        operation: Operation,
        mut pending: Vec<WriteRequest>,
    ) -> Result<(), Error> {
        for attempt in 0..ATTEMPTS {
            pending = self.table.write_many(operation, pending).await?;
            if pending.is_empty() {
                if attempt == 0 {
                    self.pace.taken_whole();
                }
                return Ok(());
            }
            self.pace.held_back();
            pause(operation, attempt).await?;
        }
        Err(Error::new(operation, "unprocessed"))
    }
}

impl<T: AsRef<RecordsTable> + Sync> WriteRecords for T {
    async fn write(&self, items: Vec<RecordItem>) -> Result<(), Error> {
        for wave in waves(items) {
            let batches = wave.into_iter().map(|batch| requests(Operation::WriteRows, batch, write_request));
            let batches = batches.collect::<Result<Vec<_>, _>>()?;
            self.as_ref().call_all(Operation::WriteRows, batches).await?;
        }
        Ok(())
    }
}

impl<T: AsRef<RecordsTable> + Sync> DeleteRecords for T {
    async fn delete(&self, keys: Vec<RowKey>) -> Result<(), Error> {
        let operation = Operation::DeleteRows;
        let batches = key_batches(keys).into_iter().map(|batch| requests(operation, batch, delete_request));
        self.as_ref().call_all(operation, batches.collect::<Result<Vec<_>, _>>()?).await
    }
}

impl<T: AsRef<RecordsTable> + Sync> ReadRecords for T {
    async fn record_versions(
        &self,
        partition: &str,
        after: Option<&str>,
        limit: u16,
    ) -> Result<RecordPage, Error> {
        let operation = Operation::ReadRows;
        let start = after.filter(|after| !after.is_empty());
        let start = start.map(|after| ItemKey::sorted(partition, after).item(HashMap::new()));
        let query = TableQuery {
            operation,
            index: None,
            condition: "#pk = :pk",
            filter: None,
            values: attributes([(":pk", text(partition))]),
            newest_first: true,
            limit: Some(i32::from(limit.max(1))),
        };
        let page = self.as_ref().table.page(&query, start).await?;
        let versions = page.items.into_iter().map(|found| RecordVersion::of(item(found)?));
        let versions = versions.collect::<Option<_>>().ok_or_else(|| malformed(operation))?;
        Ok(RecordPage { versions, next: page.next.and_then(|key| ItemReader(&key).text("sk")) })
    }
}

fn joined(
    operation: Operation,
    call: Option<Result<Result<(), Error>, tokio::task::JoinError>>,
) -> Result<(), Error> {
    match call {
        Some(Ok(result)) => result,
        Some(Err(_)) => Err(Error::new(operation, "call aborted")),
        None => Ok(()),
    }
}

fn requests<T>(
    operation: Operation,
    batch: Vec<T>,
    request: fn(T) -> Option<WriteRequest>,
) -> Result<Vec<WriteRequest>, Error> {
    let requests = batch.into_iter().map(request).collect::<Option<Vec<_>>>();
    requests.ok_or_else(|| Error::new(operation, "request not built"))
}

fn delete_request(key: RowKey) -> Option<WriteRequest> {
    let delete =
        DeleteRequest::builder().set_key(Some(ItemKey::sorted(key.partition, key.sort).item(HashMap::new())));
    Some(WriteRequest::builder().delete_request(delete.build().ok()?).build())
}

fn write_request(item: RecordItem) -> Option<WriteRequest> {
    let keys = [("pk", item.partition), ("sk", item.sort)];
    let keys = keys.into_iter().map(|(name, key)| (name.to_owned(), AttributeValue::S(key)));
    let attributes = item.attributes.into_iter().map(|(name, value)| (name, attribute(value)));
    // The keys come last: a property of the same name must not move the item.
    let put = PutRequest::builder().set_item(Some(attributes.chain(keys).collect())).build().ok()?;
    Some(WriteRequest::builder().put_request(put).build())
}

fn attribute(value: ItemValue) -> AttributeValue {
    match value {
        ItemValue::Null => AttributeValue::Null(true),
        ItemValue::Text(text) => AttributeValue::S(text),
        ItemValue::Number(digits) => AttributeValue::N(digits),
        ItemValue::Boolean(boolean) => AttributeValue::Bool(boolean),
        ItemValue::Map(members) => {
            let members: HashMap<_, _> =
                members.into_iter().map(|(name, value)| (name, attribute(value))).collect();
            AttributeValue::M(members)
        }
        ItemValue::List(items) => AttributeValue::L(items.into_iter().map(attribute).collect()),
    }
}

/// Reads a row back, its attributes in the order of their names; `None` for an item that is not a row.
fn item(mut attributes: HashMap<String, AttributeValue>) -> Option<RecordItem> {
    let mut key = |name: &str| match attributes.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    };
    let (partition, sort) = (key("pk")?, key("sk")?);
    Some(RecordItem { partition, sort, attributes: members(attributes)? })
}

fn members(map: HashMap<String, AttributeValue>) -> Option<Vec<(String, ItemValue)>> {
    let mut members =
        map.into_iter().map(|(name, one)| Some((name, value(one)?))).collect::<Option<Vec<_>>>()?;
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(members)
}

fn value(attribute: AttributeValue) -> Option<ItemValue> {
    Some(match attribute {
        AttributeValue::Null(_) => ItemValue::Null,
        AttributeValue::S(text) => ItemValue::Text(text),
        AttributeValue::N(digits) => ItemValue::Number(digits),
        AttributeValue::Bool(boolean) => ItemValue::Boolean(boolean),
        AttributeValue::M(map) => ItemValue::Map(members(map)?),
        AttributeValue::L(list) => ItemValue::List(list.into_iter().map(value).collect::<Option<_>>()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
