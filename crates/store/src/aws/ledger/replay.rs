//! The claim of a replay, and the end of one that leaves the file as it was.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{CLAIM_ATTEMPTS, LedgerTable, entry, fenced};
use crate::aws::dynamodb::{Attributes, Update, Written, attributes, malformed, number, text};
use crate::{Entry, Error, Fence, Fenced, Operation, ReplayClaim, ReplayClaimed, Replayed};

/// What every claim of a replay writes, but for the counters.
const CLAIMED: &str = "SET #replay = :replay, #owner = :owner, #lease_until_ms = :lease";

/// The usual claim: of a file that is as it was seen, with no replay under way.
const BEGIN_CONDITION: &str = "#state = :state AND #load = :seen AND attribute_not_exists(#replay)";
/// The claim that goes on with this replay from its checkpoint.
const RESUME_CONDITION: &str = "#state = :state AND #load = :seen AND #replay = :replay AND \
    #fence = :fence AND #owner = :holder";
/// The claim in place of another replay, of which nothing is kept.
const REPLACE_CONDITION: &str =
    "#state = :state AND #load = :seen AND #replay = :other AND #fence = :fence AND #owner = :holder";

const NEW_COUNTERS: &str =
    ", #rows_written = :zero, #deaths = :zero, #counted_fence = #fence ADD #fence :one";
const KEPT_COUNTERS: &str = " ADD #fence :one";

const END: &str = "SET #replayed = :replayed, #kept_ms = :now, #lease_until_ms = :zero REMOVE #replay";

/// What is seen of a replay that is under way.
enum UnderWay<'a> {
    Nothing,
    Same(&'a Entry),
    Other(&'a Entry),
}

impl LedgerTable {
    pub(super) async fn claim_replay_of(&self, claim: &ReplayClaim) -> Result<ReplayClaimed, Error> {
        let mut answer = self.claim_replay_once(claim, &UnderWay::Nothing).await?;
        for _ in 0..CLAIM_ATTEMPTS {
            let seen = match answer {
                Written::Made(item) => {
                    let entry = entry::entry(&item).ok_or_else(|| malformed(Operation::ClaimReplay))?;
                    return Ok(ReplayClaimed::Mine(entry));
                }
                Written::Rejected(item) => {
                    match self.seen(Operation::ClaimReplay, &claim.file, item).await? {
                        Some(entry) => entry,
                        None => return Ok(ReplayClaimed::Unknown),
                    }
                }
            };
            if seen.state != claim.state || seen.load != claim.seen {
                return Ok(ReplayClaimed::Over(seen));
            }
            let is_same = seen.replay.as_ref() == Some(&claim.replay);
            let is_mine = seen.owner == claim.owner;
            if is_mine && is_same {
                return Ok(ReplayClaimed::Mine(seen));
            }
            if !is_mine && seen.replay.is_some() && seen.lease_until_ms > claim.now_ms {
                return Ok(ReplayClaimed::Held { until_ms: seen.lease_until_ms });
            }
            let seen = match &seen.replay {
                None => UnderWay::Nothing,
                Some(_) if is_same => UnderWay::Same(&seen),
                Some(_) => UnderWay::Other(&seen),
            };
            answer = self.claim_replay_once(claim, &seen).await?;
        }
        Err(Error::new(Operation::ClaimReplay, "contended"))
    }

    async fn claim_replay_once(&self, claim: &ReplayClaim, seen: &UnderWay<'_>) -> Result<Written, Error> {
        let (condition, counters) = match seen {
            UnderWay::Nothing => (BEGIN_CONDITION, NEW_COUNTERS),
            UnderWay::Same(_) => (RESUME_CONDITION, KEPT_COUNTERS),
            UnderWay::Other(_) => (REPLACE_CONDITION, NEW_COUNTERS),
        };
        let expression = format!("{CLAIMED}{counters}");
        let update = Update::new(Operation::ClaimReplay, entry::file_key(&claim.file), &expression);
        let mut update = update.only_if(condition).values(values(claim));
        if !matches!(seen, UnderWay::Same(_)) {
            update.value("zero", number(0_u64));
        }
        if let UnderWay::Same(holder) | UnderWay::Other(holder) = seen {
            update.value("fence", number(holder.fence));
            update.value("holder", text(&holder.owner));
        }
        if let UnderWay::Other(Entry { replay: Some(other), .. }) = seen {
            update.value("other", entry::replay_map(other));
        }
        self.table.update(update).await
    }

    pub(super) async fn end_replay_of(
        &self,
        fence: &Fence,
        ended: &Replayed,
        at_ms: u64,
    ) -> Result<Fenced, Error> {
        let mut update = fenced(Operation::EndReplay, fence, END);
        update.value("replayed", entry::replayed_map(ended));
        update.value("now", number(at_ms));
        update.value("zero", number(0_u64));
        let Written::Rejected(item) = self.table.update(update).await? else { return Ok(Fenced::Kept) };
        let seen = self.seen(Operation::EndReplay, &fence.file, item).await?;
        let is_ended = |entry: Entry| {
            entry.is_held_by(fence) && entry.replay.is_none() && entry.replayed.as_ref() == Some(ended)
        };
        Ok(if seen.is_some_and(is_ended) { Fenced::Kept } else { Fenced::Lost })
    }
}

fn values(claim: &ReplayClaim) -> Attributes {
    let one: AttributeValue = number(1_u64);
    attributes([
        (":replay", entry::replay_map(&claim.replay)),
        (":owner", text(&claim.owner)),
        (":lease", number(claim.lease_until_ms)),
        (":state", text(claim.state.as_str())),
        (":seen", text(claim.seen.as_str())),
        (":one", one),
    ])
}
