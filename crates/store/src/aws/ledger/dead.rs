//! Dead loads: `load#<load>`, and how far their clean-up got.

use aws_sdk_dynamodb::types::TransactWriteItem;
use ledger::{CleanUp, CleanUpRequest, DeadLoad, GivenUp, format_instant, parse_instant};

use super::{LedgerTable, entry};
use crate::aws::dynamodb::{
    Attributes, ItemKey, ItemReader, TableQuery, Update, Written, attributes, malformed, number, text,
};
use crate::{Error, ListDead, LoadId, Operation, State, WriteDead};

/// The index of loads whose rows are to be deleted: partition key `dead_shard`, sort key `dead_since`. Only these have
/// both.
const DEAD: &str = "dead-by-shard";
const GIVE_UP: &str = "SET #loaded = :false";
/// The file's entry has this load, and nobody sees it.
const IS_HIDDEN: &str = "#load = :load AND #state <> :complete";
const NOTE: &str = "SET #deleted = :deleted";
const END: &str = "REMOVE #dead_shard";
/// It was not hidden anew meanwhile, and its clean-up did not end.
const AS_SEEN: &str = "#dead_since = :since AND attribute_exists(#dead_shard)";

impl<T: AsRef<LedgerTable> + Sync> ListDead for T {
    async fn dead_loads(&self, shard: u32, until_ms: u64, most: u16) -> Result<Vec<CleanUpRequest>, Error> {
        let operation = Operation::ListDead;
        let query = TableQuery {
            operation,
            index: Some(DEAD),
            condition: "#dead_shard = :shard AND #dead_since <= :until",
            filter: None,
            values: attributes([
                (":shard", text(shard.to_string())),
                (":until", text(format_instant(until_ms))),
            ]),
            newest_first: false,
            limit: Some(i32::from(most.max(1))),
        };
        let page = self.as_ref().table.page(&query, None).await?;
        let requests = page.items.iter().map(|item| {
            let (load, since_ms) = load_of(item)?;
            Some(CleanUpRequest { load, since_ms })
        });
        requests.collect::<Option<_>>().ok_or_else(|| malformed(operation))
    }
}

impl<T: AsRef<LedgerTable> + Sync> WriteDead for T {
    async fn dead_load(&self, load: &LoadId) -> Result<Option<CleanUp>, Error> {
        let item = self.as_ref().table.get(Operation::ReadDead, dead_key(load)).await?;
        let Some(item) = item.filter(|item| item.contains_key("dead_shard")) else { return Ok(None) };
        clean_up(&item).map(Some).ok_or_else(|| malformed(Operation::ReadDead))
    }

    async fn give_up(&self, load: &LoadId) -> Result<GivenUp, Error> {
        let (ledger, operation, file) = (self.as_ref(), Operation::GiveUp, load.file());
        let mut update = Update::new(operation, entry::file_key(&file), GIVE_UP).only_if(IS_HIDDEN);
        update.value("false", aws_sdk_dynamodb::types::AttributeValue::Bool(false));
        update.value("load", text(load.as_str()));
        update.value("complete", text(State::Complete.as_str()));
        let Written::Rejected(item) = ledger.table.update(update).await? else { return Ok(GivenUp::Dead) };
        let seen = ledger.seen(operation, &file, item).await?;
        let is_visible = seen.is_some_and(|entry| entry.load == *load && entry.state == State::Complete);
        Ok(if is_visible { GivenUp::Visible } else { GivenUp::Dead })
    }

    async fn note_deleted(&self, dead: &DeadLoad, deleted: u64) -> Result<bool, Error> {
        let mut update = as_seen(dead, NOTE);
        update.value("deleted", number(deleted));
        self.as_ref().table.update(update).await.map(|written| written.is_made())
    }

    async fn end_clean_up(&self, dead: &DeadLoad) -> Result<(), Error> {
        self.as_ref().table.update(as_seen(dead, END)).await.map(drop)
    }
}

impl LedgerTable {
    /// Returns the writes that note loads as dead. Nothing can keep them from being made.
    pub(super) fn buries(
        &self,
        operation: Operation,
        dead: &[DeadLoad],
    ) -> Result<Vec<TransactWriteItem>, Error> {
        let part = |dead: &DeadLoad| self.table.put_part(operation, dead_item(dead), None, Attributes::new());
        dead.iter().map(part).collect()
    }
}

fn dead_key(load: &LoadId) -> ItemKey {
    ItemKey::new(format!("load#{load}"))
}

fn dead_item(dead: &DeadLoad) -> Attributes {
    dead_key(&dead.load).item(attributes([
        ("dead_shard", text(dead.shard().to_string())),
        ("dead_since", text(format_instant(dead.since_ms))),
        ("contract_hash", text(&dead.contract)),
        ("rows", number(dead.rows)),
        ("deleted", number(0_u64)),
    ]))
}

fn as_seen<'a>(dead: &DeadLoad, expression: &'a str) -> Update<'a> {
    let mut update = Update::new(Operation::CleanUp, dead_key(&dead.load), expression).only_if(AS_SEEN);
    update.value("since", text(format_instant(dead.since_ms)));
    update
}

/// Returns the load of an item and when it was hidden.
fn load_of(item: &Attributes) -> Option<(LoadId, u64)> {
    let read = ItemReader(item);
    let load = LoadId::parse(read.text("pk")?.strip_prefix("load#")?)?;
    Some((load, parse_instant(&read.text("dead_since")?)?))
}

fn clean_up(item: &Attributes) -> Option<CleanUp> {
    let read = ItemReader(item);
    let (load, since_ms) = load_of(item)?;
    let dead = DeadLoad { load, contract: read.text("contract_hash")?, rows: read.number("rows")?, since_ms };
    Some(CleanUp { dead, deleted: read.number("deleted")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_dead_load_reads_back() {
        let load = LoadId::parse("r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764").expect("a load");
        let dead = DeadLoad { load, contract: "ab".repeat(32), rows: 12, since_ms: 1_700_000_000_123 };
        let read = clean_up(&dead_item(&dead)).expect("an item");
        assert_eq!(read, CleanUp { dead, deleted: 0 });
    }
}
