//! Rows: versions by key, append-only, unconditional, deterministic.

use std::future::Future;

use crate::Error;

/// One item of the records table.
#[derive(Clone, PartialEq)]
pub struct Item {
    /// `<partner>/<feed>#<key values>`, or `<partner>/<feed>#<load>#<shard>` without a primary key.
    pub partition: String,
    /// `<order>#<load>`, or the zero-padded ordinal without a primary key.
    pub sort: String,
    /// The contract's properties, then `_load` and `_line`.
    pub attributes: Vec<(String, ItemValue)>,
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

/// Writes rows.
pub trait Rows: Sync {
    /// Writes all of them, in calls of at most 25 items and 16 MB, with bounded concurrency; what a call leaves
    /// unprocessed is written again, paced. Returns when every row is confirmed. Keys within one call may not repeat;
    /// the implementation splits where they do.
    fn write(&self, items: Vec<Item>) -> impl Future<Output = Result<(), Error>> + Send;
}
