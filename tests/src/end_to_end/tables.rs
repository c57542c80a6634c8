//! Items of the two tables, read as plain JSON.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};

/// An item, its attributes typed as on the wire: `{"S": "…"}`, `{"N": "…"}`, …
pub(super) type AttributeMap = Value;

/// A ledger entry.
#[derive(Clone, Debug)]
pub(super) struct LedgerItem(pub(super) AttributeMap);

impl LedgerItem {
    /// Returns the file's id.
    pub(super) fn file(&self) -> &str {
        self.text("pk").strip_prefix("file#").expect("the key of an entry")
    }

    pub(super) fn state(&self) -> &str {
        self.text("state")
    }

    pub(super) fn fault(&self) -> &str {
        self.0["outcome"]["M"]["fault"]["S"].as_str().unwrap_or_default()
    }

    /// Records read, rows loaded, records rejected.
    pub(super) fn counts(&self) -> [u64; 3] {
        ["records", "rows", "rejects"].map(|name| {
            let number =
                self.0["outcome"]["M"][name]["N"].as_str().unwrap_or_else(|| panic!("no {name} in {self:?}"));
            number.parse().expect("a count")
        })
    }

    /// Returns the key of the receipt.
    pub(super) fn receipt(&self) -> &str {
        self.0["outcome"]["M"]["receipt"]["S"].as_str().unwrap_or_default()
    }

    /// Returns the prefix of the quarantine objects, without a slash at its end.
    pub(super) fn quarantine(&self) -> &str {
        self.0["outcome"]["M"]["quarantine"]["S"]
            .as_str()
            .unwrap_or_else(|| panic!("no quarantine in {self:?}"))
            .trim_end_matches('/')
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.0[name]["S"].as_str().unwrap_or_default()
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.text("pk").starts_with("file#") && self.state() != "PROCESSING"
    }
}

/// Returns every item of a table, in the order of their keys.
pub(super) async fn all_items(client: &Client, table: &str) -> Vec<AttributeMap> {
    let mut pages = client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
    let mut items = Vec::new();
    while let Some(item) = pages.next().await {
        items.push(plain_item(&item.expect("scan the table")));
    }
    items.sort_by_key(|item: &AttributeMap| (item["pk"].to_string(), item["sk"].to_string()));
    items
}

/// Deletes every item of the ledger, as if the table had been lost.
pub(super) async fn wipe(client: &Client, table: &str) {
    for item in all_items(client, table).await {
        let key = AttributeValue::S(item["pk"]["S"].as_str().expect("a key").to_owned());
        client.delete_item().table_name(table).key("pk", key).send().await.expect("delete an item");
    }
}

fn plain_item(item: &HashMap<String, AttributeValue>) -> AttributeMap {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>())
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(digits) => json!({ "N": digits }),
        AttributeValue::Bool(truth) => json!({ "BOOL": truth }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::M(members) => json!({ "M": plain_item(members) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::L(items) => json!({ "L": items.iter().map(plain).collect::<Vec<_>>() }),
        other => panic!("an attribute type that this system does not write: {other:?}"),
    }
}
