//! The records table: rows as versions by key, append-only, unconditional, deterministic.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;

use contract::Value;
use ledger::dynamodb::{self, BATCH_ITEMS, CONTAINER_BYTES, ELEMENT_BYTES, WORD_BYTES};

use crate::{Error, LoadId, document};

/// Maximum bytes of items in one call: DynamoDB's limit less what the request's JSON may add around them.
const BATCH_BYTES: usize = dynamodb::BATCH_BYTES * 3 / 4;

/// Most shards of a load without a primary key.
const SHARDS: u32 = 64;

/// Rows of one shard before another is opened: a partition takes 1,000 writes a second.
const ROWS_PER_SHARD: u64 = 500;

/// One item of the records table.
#[derive(Clone, PartialEq)]
pub struct RecordItem {
    /// `<partner>/<feed>#<key values>`, or `<partner>/<feed>#<load>#<shard>` without a primary key.
    pub partition: String,
    /// `<order>#<load>`, or the zero-padded ordinal without a primary key. The order is the one that the claim pinned,
    /// after the row's own version and a slash where the contract has `versionFrom`.
    pub sort: String,
    /// The contract's properties, then `_load` and `_line`.
    pub attributes: Vec<(String, ItemValue)>,
}

impl RecordItem {
    /// Returns what the item takes by DynamoDB's rules, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let keys = "pk".len() + self.partition.len() + "sk".len() + self.sort.len();
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + value.bytes());
        keys + attributes.sum::<usize>()
    }
}

/// A typed attribute. Deliberately without `Debug`: it holds content.
#[derive(Clone, PartialEq)]
pub enum ItemValue {
    /// `NULL`.
    Null,
    /// `S`.
    Text(String),
    /// `N`: at most 38 digits.
    Number(String),
    /// `BOOL`.
    Boolean(bool),
    /// `M`, from a JSON object, in its order.
    Map(Vec<(String, ItemValue)>),
    /// `L`, from a JSON array.
    List(Vec<ItemValue>),
}

impl ItemValue {
    fn bytes(&self) -> usize {
        match self {
            Self::Null | Self::Boolean(_) => WORD_BYTES,
            Self::Text(text) => text.len(),
            Self::Number(digits) => dynamodb::number_bytes(digits.as_bytes()),
            Self::Map(members) => {
                let member = |(name, value): &(String, Self)| ELEMENT_BYTES + name.len() + value.bytes();
                CONTAINER_BYTES + members.iter().map(member).sum::<usize>()
            }
            Self::List(items) => {
                CONTAINER_BYTES + items.iter().map(|item| ELEMENT_BYTES + item.bytes()).sum::<usize>()
            }
        }
    }
}

impl From<Value<'_>> for ItemValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Text(text) => Self::Text(text.into_owned()),
            Value::Number(digits) => Self::Number(digits.into_owned()),
            Value::Boolean(boolean) => Self::Boolean(boolean),
            Value::Document(source) => document::parse(source),
        }
    }
}

/// Returns the item of a good row.
///
/// With a primary key its sort key begins with the row's own version (`versionFrom`), where it has one, and goes on
/// with the order that the claim pinned: of two rows with one version the later file's is the newer. Without one it
/// is numbered by its record, spread over `shards` partitions (see [`shards`]). A null property has no attribute:
/// absent and null mean the same to readers, and absent costs nothing.
#[must_use]
pub fn row_item(
    partner: &str,
    feed: &str,
    load: &LoadId,
    order: &str,
    row: &checker::Row<'_>,
    shards: u32,
) -> RecordItem {
    let RowKey { partition, sort } = row_key(partner, feed, load, order, row, shards);
    let own = [
        ("_load".to_owned(), ItemValue::Text(load.to_string())),
        ("_line".to_owned(), ItemValue::Number(row.record.position.line.to_string())),
    ];
    let attributes = row
        .values()
        .filter(|(_, value)| !matches!(value, Value::Null))
        .map(|(name, value)| (name.to_owned(), ItemValue::from(value)))
        .chain(own)
        .collect();
    RecordItem { partition, sort, attributes }
}

/// Returns what the item of a good row takes, in bytes, without making it: [`RecordItem::bytes`] of [`row_item`].
#[must_use]
pub fn row_bytes(
    partner: &str,
    feed: &str,
    load: &LoadId,
    order: &str,
    row: &checker::Row<'_>,
    shards: u32,
) -> usize {
    let prefix = partner.len() + "/".len() + feed.len() + "#".len();
    let load_bytes = load.as_str().len();
    let keys = if let Some(key) = row.key() {
        let version = row.version().map_or(0, |version| version.len() + "/".len());
        prefix + key.len() + version + order.len() + "#".len() + load_bytes
    } else {
        let (partition, sort) = numbered("", load, row.record.position.record, shards);
        prefix + partition.len() + sort.len()
    };
    let line = dynamodb::number_bytes(row.record.position.line.to_string().as_bytes());
    let values = row.values().filter(|(_, value)| !matches!(value, Value::Null));
    let attributes: usize = values.map(|(name, value)| name.len() + checker::value_bytes(&value)).sum();
    "pk".len() + "sk".len() + keys + attributes + "_load".len() + load_bytes + "_line".len() + line
}

/// Partition and sort key of a row with a primary key.
fn keyed(prefix: &str, key: &str, order: &str, load: &LoadId) -> (String, String) {
    (format!("{prefix}{key}"), format!("{order}#{load}"))
}

/// Partition and sort key of a row without one: the sort key has room for 10^12 records.
fn numbered(prefix: &str, load: &LoadId, record: u64, shards: u32) -> (String, String) {
    (format!("{prefix}{load}#{}", record % u64::from(shards.max(1))), format!("{record:012}"))
}

/// Returns the partitions over which a load of this number of rows without a primary key is spread: 1 to 64.
#[must_use]
pub fn shards(rows: u64) -> u32 {
    u32::try_from(rows / ROWS_PER_SHARD).unwrap_or(SHARDS).clamp(1, SHARDS)
}

/// Splits items into calls: waves to be written one after the other, each of batches that may be written at the same
/// time. No key stands twice in a wave, so that a repeated key is never twice in a call and its last item wins.
#[must_use]
pub(crate) fn waves(items: Vec<RecordItem>) -> Vec<Vec<Vec<RecordItem>>> {
    let mut seen: HashMap<(&str, &str), usize> = HashMap::with_capacity(items.len());
    let wave_of: Vec<usize> = items
        .iter()
        .map(|item| {
            let next = seen.entry((&item.partition, &item.sort)).or_default();
            *next += 1;
            *next - 1
        })
        .collect();
    let count = wave_of.iter().max().map_or(0, |last| last + 1);
    let mut waves: Vec<Vec<RecordItem>> = std::iter::repeat_with(Vec::new).take(count).collect();
    for (item, wave) in items.into_iter().zip(wave_of) {
        waves[wave].push(item);
    }
    waves.into_iter().map(batches).collect()
}

fn batches(items: Vec<RecordItem>) -> Vec<Vec<RecordItem>> {
    let mut batches = Vec::with_capacity(items.len().div_ceil(BATCH_ITEMS));
    let mut batch = Vec::new();
    let mut bytes = 0;
    for item in items {
        let size = item.bytes();
        if !batch.is_empty() && (batch.len() == BATCH_ITEMS || bytes + size > BATCH_BYTES) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += size;
        batch.push(item);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Splits keys into batches of a call; no key stands twice.
#[must_use]
pub(crate) fn key_batches(keys: Vec<RowKey>) -> Vec<Vec<RowKey>> {
    let once: Vec<RowKey> = keys.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    once.chunks(BATCH_ITEMS).map(<[RowKey]>::to_vec).collect()
}

/// Writes rows.
pub trait WriteRecords: Sync {
    /// Writes all of them, in calls of at most 25 items and 16 MB, with bounded concurrency; what a call leaves
    /// unprocessed is written again, paced. Returns when every row is confirmed. Keys within one call may not repeat;
    /// the implementation splits where they do.
    fn write(&self, items: Vec<RecordItem>) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The key of a row. Deliberately without `Debug`: it may hold the value of a primary key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The partition key.
    pub partition: String,
    /// The sort key.
    pub sort: String,
}

/// Returns the key under which [`row_item`] writes a row.
#[must_use]
pub fn row_key(
    partner: &str,
    feed: &str,
    load: &LoadId,
    order: &str,
    row: &checker::Row<'_>,
    shards: u32,
) -> RowKey {
    let prefix = format!("{partner}/{feed}#");
    let (partition, sort) = match row.key() {
        Some(key) => match row.version() {
            Some(version) => keyed(&prefix, &key, &format!("{version}/{order}"), load),
            None => keyed(&prefix, &key, order, load),
        },
        None => numbered(&prefix, load, row.record.position.record, shards),
    };
    RowKey { partition, sort }
}

/// Deletes rows that nobody sees.
pub trait DeleteRecords: Sync {
    /// Deletes all of them, in calls of at most 25 items, with bounded concurrency; what a call leaves unprocessed is
    /// deleted again, paced. A row that is not there is deleted.
    fn delete(&self, keys: Vec<RowKey>) -> impl Future<Output = Result<(), Error>> + Send;
}

/// One version of a record. Deliberately without `Debug`: it holds content.
pub struct RecordVersion {
    /// The load that wrote it.
    pub load: LoadId,
    /// The row.
    pub item: RecordItem,
}

impl RecordVersion {
    /// Makes the version that a row is; `None` for a row that does not name its load.
    pub(crate) fn of(item: RecordItem) -> Option<Self> {
        let load = item.attributes.iter().find_map(|(name, value)| match value {
            ItemValue::Text(load) if name == "_load" => LoadId::parse(load),
            _ => None,
        })?;
        Some(Self { load, item })
    }
}

/// Versions of a record, newest first.
pub struct RecordPage {
    /// The versions, visible or not.
    pub versions: Vec<RecordVersion>,
    /// The sort key after which to go on; `None` at the end.
    pub next: Option<String>,
}

/// Reads rows back.
pub trait ReadRecords: Sync {
    /// Returns versions of the record with this partition key, newest first, at most `limit`.
    fn record_versions(
        &self,
        partition: &str,
        after: Option<&str>,
        limit: u16,
    ) -> impl Future<Output = Result<RecordPage, Error>> + Send;
}

#[cfg(test)]
mod tests;
