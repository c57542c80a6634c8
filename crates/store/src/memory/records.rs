//! Rows.

use super::{Memory, MemoryState};
use crate::records::{key_batches, waves};
use crate::{
    DeleteRecords, Error, ItemValue, Operation, ReadRecords, RecordItem, RecordPage, RecordVersion, RowKey,
    WriteRecords,
};

impl WriteRecords for Memory {
    async fn write(&self, items: Vec<RecordItem>) -> Result<(), Error> {
        for batch in waves(items).into_iter().flatten() {
            self.count_rows(&batch);
            self.call(Operation::WriteRows, |kept| kept.write(batch)).await?;
        }
        Ok(())
    }
}

impl DeleteRecords for Memory {
    async fn delete(&self, keys: Vec<RowKey>) -> Result<(), Error> {
        for batch in key_batches(keys) {
            self.call(Operation::DeleteRows, |kept| {
                for key in batch {
                    kept.rows.remove(&(key.partition, key.sort));
                }
            })
            .await?;
        }
        Ok(())
    }
}

impl ReadRecords for Memory {
    async fn record_versions(
        &self,
        partition: &str,
        after: Option<&str>,
        limit: u16,
    ) -> Result<RecordPage, Error> {
        let items = self
            .call(Operation::ReadRows, |kept| {
                let all = kept.rows.values().rev().filter(|item| item.partition == partition);
                let rest = all.filter(|item| after.is_none_or(|after| item.sort.as_str() < after));
                rest.take(usize::from(limit.max(1)) + 1).cloned().collect::<Vec<_>>()
            })
            .await?;
        let limit = usize::from(limit.max(1));
        let next =
            (items.len() > limit).then(|| items.get(limit - 1).map(|last| last.sort.clone())).flatten();
        let versions = items.into_iter().take(limit).map(RecordVersion::of);
        let versions = versions.collect::<Option<Vec<_>>>();
        let malformed = || Error::new(Operation::ReadRows, "malformed item");
        Ok(RecordPage { versions: versions.ok_or_else(malformed)?, next })
    }
}

impl MemoryState {
    fn write(&mut self, batch: Vec<RecordItem>) {
        for item in batch {
            self.rows.insert((item.partition.clone(), item.sort.clone()), item);
        }
    }
}

/// Returns a hash over the whole item.
pub(super) fn digest(item: &RecordItem) -> String {
    let mut parts = vec![item.partition.clone(), item.sort.clone()];
    for (name, value) in &item.attributes {
        parts.push(name.clone());
        flatten(value, &mut parts);
    }
    let parts: Vec<_> = parts.iter().map(String::as_bytes).collect();
    ledger::digest(&parts, 26)
}

fn flatten(value: &ItemValue, parts: &mut Vec<String>) {
    match value {
        ItemValue::Null => parts.push("null".to_owned()),
        ItemValue::Text(text) => parts.push(format!("text {text}")),
        ItemValue::Number(digits) => parts.push(format!("number {digits}")),
        ItemValue::Boolean(boolean) => parts.push(format!("boolean {boolean}")),
        ItemValue::Map(members) => {
            parts.push(format!("map {}", members.len()));
            for (name, member) in members {
                parts.push(name.clone());
                flatten(member, parts);
            }
        }
        ItemValue::List(items) => {
            parts.push(format!("list {}", items.len()));
            for item in items {
                flatten(item, parts);
            }
        }
    }
}
