//! Limits by conditional writes on one item each.

use super::super::entry::{Attributes, Reader, number};
use super::Door;
use super::table::{Key, Write, attributes};
use crate::door::{Limiter, Limits, Spent, day, kept_until_ms, until_taken};
use crate::{Error, Operation};

/// A bucket that is full or was never used: the next arrival is due an interval from now.
const FIRST: &str = "SET #arrival_us = :next, #ends = :ends";
const FIRST_CONDITION: &str = "attribute_not_exists(#arrival_us) OR #arrival_us <= :now";
/// A bucket that is partly used, and has room.
const NEXT: &str = "SET #ends = :ends ADD #arrival_us :interval";
const NEXT_CONDITION: &str = "#arrival_us <= :latest";

const BYTES: &str = "SET #ends = :ends ADD #bytes :bytes";
const BYTES_CONDITION: &str = "attribute_not_exists(#bytes) OR #bytes <= :room";

impl Limiter for Door {
    async fn take_request(&self, partner: &str, limits: &Limits, now_ms: u64) -> Result<Spent, Error> {
        let (interval, tolerance) = limits.interval_and_tolerance_us();
        let now = now_ms.saturating_mul(1_000);
        let latest = now.saturating_add(tolerance);
        let key = Key::new(format!("limit#{partner}"), "requests");
        let first = attributes([
            (":next", number(now.saturating_add(interval))),
            (":now", number(now)),
            (":ends", ends(now_ms)),
        ]);
        let Some(arrival) = self.spend(&key, FIRST, FIRST_CONDITION, first).await? else {
            return Ok(Spent::Yes);
        };
        if arrival > latest {
            return Ok(until_taken(arrival, tolerance, now));
        }
        let next = attributes([
            (":interval", number(interval)),
            (":latest", number(latest)),
            (":ends", ends(now_ms)),
        ]);
        // Others may have taken what was left in between.
        Ok(match self.spend(&key, NEXT, NEXT_CONDITION, next).await? {
            None => Spent::Yes,
            Some(arrival) => until_taken(arrival, tolerance, now),
        })
    }

    async fn take_bytes(
        &self,
        partner: &str,
        limits: &Limits,
        bytes: u64,
        now_ms: u64,
    ) -> Result<Spent, Error> {
        let (day, tomorrow) = day(now_ms);
        let Some(room) = limits.bytes_per_day.checked_sub(bytes) else { return Ok(tomorrow) };
        let key = Key::new(format!("limit#{partner}"), format!("day#{day}"));
        let values =
            attributes([(":bytes", number(bytes)), (":room", number(room)), (":ends", ends(now_ms))]);
        let write = self.table.update_if(Operation::Spend, key, BYTES, BYTES_CONDITION, values).await?;
        Ok(if matches!(write, Write::Made) { Spent::Yes } else { tomorrow })
    }
}

impl Door {
    /// `None`: spent. Otherwise when the next arrival is due.
    async fn spend(
        &self,
        key: &Key,
        update: &str,
        condition: &str,
        values: Attributes,
    ) -> Result<Option<u64>, Error> {
        let write = self.table.update_if(Operation::Spend, key.clone(), update, condition, values).await?;
        let Write::Rejected(item) = write else { return Ok(None) };
        let item = self.table.seen(Operation::Spend, key.clone(), item).await?;
        let arrival = item.and_then(|item| Reader(&item).number("arrival_us"));
        arrival.map(Some).ok_or_else(|| Error::new(Operation::Spend, "malformed item"))
    }
}

/// When an item ends by itself, in seconds, as DynamoDB wants it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html>
pub(super) fn ends(time_ms: u64) -> aws_sdk_dynamodb::types::AttributeValue {
    number(kept_until_ms(time_ms) / 1_000)
}
