//! Rows, deferred messages, announcements.

use super::{Memory, World};
use crate::file::name;
use crate::rows::waves;
use crate::{Announcement, Error, HandOver, Item, ItemValue, Operation, Outcomes, Queue, Rows};

impl Rows for Memory {
    async fn write(&self, items: Vec<Item>) -> Result<(), Error> {
        for batch in waves(items).into_iter().flatten() {
            self.count_rows(&batch);
            self.call(Operation::WriteRows, |world| world.write(batch)).await?;
        }
        Ok(())
    }
}

impl World {
    fn write(&mut self, batch: Vec<Item>) {
        for item in batch {
            self.rows.insert((item.partition.clone(), item.sort.clone()), item);
        }
    }
}

impl Queue for Memory {
    async fn defer(&self, receipt_handle: &str, seconds: u32) -> Result<(), Error> {
        self.call(Operation::Defer, |world| world.deferred.push((receipt_handle.to_owned(), seconds))).await
    }
}

impl HandOver for Memory {
    async fn hand_over(&self, body: &str) -> Result<(), Error> {
        self.call(Operation::SendMessages, |world| world.put_message(body)).await
    }
}

impl Outcomes for Memory {
    async fn publish(&self, announcement: &Announcement) -> Result<(), Error> {
        self.call(Operation::Announce, |world| world.published.push(announcement.clone())).await
    }
}

/// A hash over the whole item.
pub(super) fn digest(item: &Item) -> String {
    let mut parts = vec![item.partition.clone(), item.sort.clone()];
    for (name, value) in &item.attributes {
        parts.push(name.clone());
        flatten(value, &mut parts);
    }
    let parts: Vec<_> = parts.iter().map(String::as_bytes).collect();
    name(&parts, 26)
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
