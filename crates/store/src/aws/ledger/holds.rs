//! Holds in the ledger table, and the files that wait for their release.

use super::listing::BY_PARTNER;
use super::transaction::{Blocked, TransactionPart, in_the_way};
use super::{BY_OPEN, LedgerTable, entry};
use crate::aws::dynamodb::{
    Attributes, ItemKey, ItemReader, TableQuery, Update, Written, attributes, malformed, number, text,
};
use crate::aws::pause;
use crate::holds::{HeldFiles, HoldFeeds, HoldFiles, ReadHolds};
use crate::{Claim, Error, FileHeld, FileId, FileVersion, Hold, HoldPut, Operation, State};
use ledger::{Arn, NO_OWNER, format_instant};

/// Attempts at the transaction by which a file waits: more than at others. Every file of a held feed writes the one
/// item of its hold, so that files that arrive together meet each other there; of each meeting one goes on, and the
/// others try again. The pauses between 16 attempts take 9 seconds on average and 18 seconds at most. A file that meets
/// others at each attempt is delivered again by the queue.
const HOLD_ATTEMPTS: u32 = 16;

/// The partition of the index `by-partner` that lists holds: no partner can be called so.
const HOLDS: &str = "_holds";

/// Notes that a file waits. The counters of an earlier claim stay: its rows need not be written again.
const WAIT: &str = "SET #state = :held, #bucket = :bucket, #key = :key, #version = :version, #owner = :nobody, \
    #lease_until_ms = :zero, #load = if_not_exists(#load, :load), #order = if_not_exists(#order, :order), \
    #announced = if_not_exists(#announced, :false), #partner = :partner, #feed = :feed, \
    #rows_written = if_not_exists(#rows_written, :zero), #fence = if_not_exists(#fence, :zero), #open_for = :place";
const MAY_WAIT: &str = "attribute_not_exists(#pk) OR #state = :held OR \
    (#state = :processing AND #lease_until_ms <= :now)";
/// Changes nothing, and fails where the feed is not held. A condition check would be one more permission.
const STAYS_HELD: &str = "SET #since_ms = if_not_exists(#since_ms, :zero)";
const IS_HELD: &str = "attribute_exists(#since_ms)";
const NOT_HELD: &str = "attribute_not_exists(#pk)";
const SAME_HOLD: &str = "attribute_not_exists(#pk) OR (#since_ms = :since AND #by = :by)";

/// Returns the name of a feed's hold, and of the partition of the index `open-by-partner` that lists the files that
/// wait: no partner's name has a slash.
fn place_of(partner: &str, feed: &str) -> String {
    format!("{partner}/{feed}")
}

fn hold_key(partner: &str, feed: &str) -> ItemKey {
    ItemKey::new(format!("hold#{}", place_of(partner, feed)))
}

fn hold_item(hold: &Hold) -> Attributes {
    let item = attributes([
        ("partner", text(HOLDS)),
        ("order", text(format_instant(hold.since_ms))),
        ("feed", text(place_of(&hold.partner, &hold.feed))),
        ("since_ms", number(hold.since_ms)),
        ("by", text(hold.by.as_str())),
        ("reason", text(&hold.reason)),
    ]);
    hold_key(&hold.partner, &hold.feed).item(item)
}

fn hold(item: &Attributes) -> Option<Hold> {
    let read = ItemReader(item);
    let (partner, feed) = held_feed(item)?;
    Some(Hold {
        partner,
        feed,
        since_ms: read.number("since_ms")?,
        by: Arn::parse(&read.text("by")?)?,
        reason: read.text("reason")?,
    })
}

/// Returns partner and feed of a hold, also as the index shows it.
fn held_feed(item: &Attributes) -> Option<(String, String)> {
    let place = ItemReader(item).text("feed")?;
    place.split_once('/').map(|(partner, feed)| (partner.to_owned(), feed.to_owned()))
}

impl<T: AsRef<LedgerTable> + Sync> ReadHolds for T {
    async fn hold(&self, partner: &str, feed: &str) -> Result<Option<Hold>, Error> {
        self.as_ref().table.read(Operation::ReadHold, hold_key(partner, feed), hold).await
    }

    async fn holds(&self) -> Result<Vec<Hold>, Error> {
        let query = TableQuery {
            operation: Operation::ReadHold,
            index: Some(BY_PARTNER),
            condition: "#partner = :holds",
            filter: None,
            values: attributes([(":holds", text(HOLDS))]),
            newest_first: false,
            limit: None,
        };
        let mut holds = Vec::new();
        for item in self.as_ref().table.all(&query).await? {
            let (partner, feed) = held_feed(&item).ok_or_else(|| malformed(Operation::ReadHold))?;
            holds.extend(self.hold(&partner, &feed).await?);
        }
        Ok(holds)
    }

    async fn held_files(&self, partner: &str, feed: &str, most: usize) -> Result<HeldFiles, Error> {
        let query = TableQuery {
            operation: Operation::ListHeld,
            index: Some(BY_OPEN),
            condition: "#open_for = :place",
            filter: None,
            values: attributes([(":place", text(place_of(partner, feed)))]),
            newest_first: false,
            limit: None,
        };
        let mut found = HeldFiles::default();
        let mut start = None;
        while found.files.len() < most {
            let page = self.as_ref().table.page(&query, start).await?;
            for item in &page.items {
                let file = entry::listed(item).ok_or_else(|| malformed(Operation::ListHeld))?;
                found.files.push(file);
            }
            start = page.next;
            if start.is_none() {
                found.complete = true;
                break;
            }
        }
        Ok(found)
    }
}

impl<T: AsRef<LedgerTable> + Sync> HoldFiles for T {
    async fn hold_file(&self, claim: &Claim) -> Result<FileHeld, Error> {
        let (ledger, operation) = (self.as_ref(), Operation::HoldFile);
        let mut last_code = String::new();
        for attempt in 0..HOLD_ATTEMPTS {
            let Some(blocked) = ledger.try_to_hold(claim).await? else { return Ok(FileHeld::Waits) };
            match blocked {
                Blocked::Head => return Ok(FileHeld::Released),
                Blocked::Entry(item) => {
                    let item = item.filter(|item| !item.is_empty());
                    let seen = ledger.seen(operation, &FileId::of(&claim.file), item).await?;
                    match seen {
                        Some(entry) if entry.state.is_terminal() => {
                            return Ok(FileHeld::Decided(Box::new(entry)));
                        }
                        Some(entry) if entry.lease_until_ms > claim.now_ms => {
                            return Ok(FileHeld::Leased { until_ms: entry.lease_until_ms });
                        }
                        // Its lease ended in between.
                        _ => pause(operation, attempt).await?,
                    }
                }
                Blocked::Passing(code) => {
                    last_code = code;
                    pause(operation, attempt).await?;
                }
                Blocked::Content(_) | Blocked::Older => return Err(Error::new(operation, "unexpected part")),
                Blocked::Other(code) => return Err(Error::new(operation, code)),
            }
        }
        Err(Error::new(operation, if last_code.is_empty() { "contended" } else { &last_code }))
    }
}

impl<T: AsRef<LedgerTable> + Sync> HoldFeeds for T {
    async fn put_hold(&self, wanted: &Hold) -> Result<HoldPut, Error> {
        let (table, operation) = (&self.as_ref().table, Operation::WriteHold);
        let written = table.put_if(operation, hold_item(wanted), NOT_HELD, Attributes::new()).await?;
        let Written::Rejected(item) = written else { return Ok(HoldPut::Made) };
        let key = hold_key(&wanted.partner, &wanted.feed);
        Ok(match table.seen(operation, key, item, hold).await? {
            Some(before) if before == *wanted => HoldPut::Made,
            Some(before) => HoldPut::Before(before),
            None => return Err(Error::new(operation, "contended")),
        })
    }

    async fn end_hold(&self, hold: &Hold) -> Result<bool, Error> {
        let key = hold_key(&hold.partner, &hold.feed);
        let values = attributes([(":since", number(hold.since_ms)), (":by", text(hold.by.as_str()))]);
        let deleted = self.as_ref().table.delete_if(Operation::WriteHold, key, SAME_HOLD, values).await?;
        Ok(deleted.is_made())
    }
}

impl LedgerTable {
    /// Writes the transaction. Returns `None` when it is committed, otherwise what was in its way: [`Blocked::Head`]
    /// means that the feed is not held.
    async fn try_to_hold(&self, claim: &Claim) -> Result<Option<Blocked>, Error> {
        let FileVersion { bucket, key, version, etag } = &claim.file;
        let mut values = attributes([
            (":held", text(State::Held.as_str())),
            (":processing", text(State::Processing.as_str())),
            (":bucket", text(bucket)),
            (":key", text(key)),
            (":version", text(version)),
            (":nobody", text(NO_OWNER)),
            (":zero", number(0_u64)),
            (":load", text(claim.load.as_str())),
            (":order", text(claim.order.as_str())),
            (":false", aws_sdk_dynamodb::types::AttributeValue::Bool(false)),
            (":partner", text(&claim.partner)),
            (":feed", text(&claim.feed)),
            (":place", text(place_of(&claim.partner, &claim.feed))),
            (":now", number(claim.now_ms)),
        ]);
        let mut expression = WAIT.to_owned();
        if let Some(etag) = etag {
            expression.push_str(", #etag = :etag");
            values.insert(":etag".to_owned(), text(etag));
        }
        let file = entry::file_key(&FileId::of(&claim.file));
        let waits = Update::new(Operation::HoldFile, file, &expression).only_if(MAY_WAIT).values(values);
        let held = Update::new(Operation::HoldFile, hold_key(&claim.partner, &claim.feed), STAYS_HELD);
        let held = held.only_if(IS_HELD).values(attributes([(":zero", number(0_u64))]));
        let writes = vec![self.table.update_part(waits)?, self.table.update_part(held)?];
        let Err(error) = self.table.transact(writes, None).await else { return Ok(None) };
        in_the_way(Operation::HoldFile, &[TransactionPart::Entry, TransactionPart::Hold], &error).map(Some)
    }
}

#[cfg(test)]
mod tests;
