//! The ledger by conditional writes.
//!
//! A write whose answer was lost is sent again by the SDK and then fails its own condition. So every condition asks for
//! the old item on failure, and an old item that already is what we wanted counts as success.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};

use super::Aws;
use super::entry::{self, Attributes, number, text};
use super::failure::failure;
use crate::{
    Claim, Claimed, Commit, Committed, Entry, Error, Fence, Fenced, FileId, FileVersion, Head, Ledger,
    OpenFile, Operation, Outcome, ReadEntry, State, UNKNOWN,
};

/// What every claim writes, but for the counters.
const CLAIMED: &str = "SET #state = :processing, #bucket = :bucket, #key = :key, #version = :version, \
    #owner = :owner, #lease_until_ms = :lease, #load = :load, \
    #order = if_not_exists(#order, :order), #announced = if_not_exists(#announced, :false), \
    #partner = :partner, #feed = :feed";

/// The usual claim: of an absent entry, or of one whose lease has ended and whose checkpoint is of the same load. A
/// claim that is already ours fails it, so that the fence is raised once whatever became of the answer.
const FIRST_CONDITION: &str = "attribute_not_exists(#pk) OR \
    (#state = :processing AND #lease_until_ms <= :now AND #owner <> :owner AND #load = :load)";
const FIRST_COUNTERS: &str = "#rows_written = if_not_exists(#rows_written, :zero) ADD #fence :one";

/// The claim that changes the load, after the first condition failed and showed the entry: one more write in the rare
/// case, so that the usual one needs one. The fence and nonce that were seen make sure that nobody claimed between.
const RELOAD_CONDITION: &str = "#state = :processing AND #fence = :fence AND #owner = :seen";
const RELOAD_COUNTERS: &str =
    "#rows_written = :zero, #deaths = :zero, #counted_fence = :fence ADD #fence :one";

/// The claim is still mine to write under.
pub(super) const FENCED: &str = "#fence = :fence AND #owner = :owner AND #state = :processing";
/// A terminal decision.
pub(super) const DECIDE: &str =
    "SET #state = :state, #outcome = :outcome, #lease_until_ms = :zero, #announced = :false";

/// Puts a quarantined file into the index of open files. An entry that an earlier release claimed may name no partner.
const OPEN: &str = ", #open_for = if_not_exists(#partner, :unknown)";
const CLOSE: &str = "REMOVE #open_for";
const IS_OPEN: &str = "attribute_exists(#open_for)";
/// The index of open files: partition key `open_for`, sort key `key`. Only open files have both.
pub(super) const BY_OPEN: &str = "open-by-partner";

const CHECKPOINT: &str =
    "SET #rows_written = :rows, #lease_until_ms = :lease, #deaths = :zero, #counted_fence = :earlier";
const RELEASE: &str = "SET #lease_until_ms = :zero";

/// A death. The condition makes it count once, whatever became of the answer.
const DIED: &str = "SET #counted_fence = :fence ADD #deaths :one";
const DIED_CONDITION: &str = "#state = :processing AND #fence >= :fence AND \
    (attribute_not_exists(#counted_fence) OR #counted_fence < :fence)";

/// Claims that may fail because others claim at the same time, before the redelivery has to try again.
const CLAIM_ATTEMPTS: u32 = 4;

/// What became of a conditional update: the new item, or the one that failed the condition.
enum Updated {
    New(Attributes),
    Rejected(Option<Attributes>),
}

struct Update<'a> {
    operation: Operation,
    key: String,
    expression: &'a str,
    condition: &'a str,
    values: HashMap<String, AttributeValue>,
}

impl ReadEntry for Aws {
    async fn entry(&self, file: &FileId) -> Result<Option<Entry>, Error> {
        self.read_entry(Operation::ReadLedger, file).await
    }
}

impl Ledger for Aws {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, Error> {
        let file = FileId::of(&claim.file);
        let mut answer = self.claim_once(claim, None).await?;
        for _ in 0..CLAIM_ATTEMPTS {
            let seen = match answer {
                Updated::New(item) => return read(Operation::Claim, &item).map(Claimed::Mine),
                Updated::Rejected(item) => match self.seen(Operation::Claim, &file, item).await? {
                    Some(entry) => entry,
                    None => return Err(Error::new(Operation::Claim, "entry vanished")),
                },
            };
            let mine = seen.owner == claim.owner;
            if seen.state.is_terminal() {
                return Ok(Claimed::Terminal(seen));
            }
            if mine && seen.load == claim.load {
                return Ok(Claimed::Mine(seen));
            }
            if !mine && seen.lease_until_ms > claim.now_ms {
                return Ok(Claimed::Held { until_ms: seen.lease_until_ms });
            }
            let changes_load = seen.load != claim.load;
            answer = self.claim_once(claim, changes_load.then_some(&seen)).await?;
        }
        Err(Error::new(Operation::Claim, "contended"))
    }

    async fn checkpoint(
        &self,
        fence: &Fence,
        rows_written: u64,
        lease_until_ms: u64,
    ) -> Result<Fenced, Error> {
        let mut update = fenced(Operation::Checkpoint, fence, CHECKPOINT, FENCED);
        update.value("rows", number(rows_written));
        update.value("lease", number(lease_until_ms));
        update.value("zero", number(0_u64));
        update.value("earlier", number(fence.fence.saturating_sub(1)));
        match self.update(update).await? {
            Updated::New(_) => Ok(Fenced::Kept),
            Updated::Rejected(_) => Ok(Fenced::Lost),
        }
    }

    async fn release(&self, fence: &Fence) -> Result<Fenced, Error> {
        let mut update = fenced(Operation::Release, fence, RELEASE, FENCED);
        update.value("zero", number(0_u64));
        match self.update(update).await? {
            Updated::New(_) => Ok(Fenced::Kept),
            Updated::Rejected(_) => Ok(Fenced::Lost),
        }
    }

    async fn died(&self, fence: &Fence) -> Result<(), Error> {
        let mut update = Update {
            operation: Operation::RecordDeath,
            key: entry::file_key(&fence.file),
            expression: DIED,
            condition: DIED_CONDITION,
            values: HashMap::new(),
        };
        update.value("processing", text(State::Processing.as_str()));
        update.value("fence", number(fence.fence));
        update.value("one", number(1_u64));
        match self.update(update).await? {
            Updated::New(_) | Updated::Rejected(_) => Ok(()),
        }
    }

    async fn finish(&self, fence: &Fence, outcome: &Outcome) -> Result<Fenced, Error> {
        let decided = self.decide(Operation::Finish, fence, outcome).await?;
        Ok(if decided { Fenced::Kept } else { Fenced::Lost })
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, Error> {
        if commit.head.is_some() || commit.content.is_some() {
            return self.commit_together(commit).await;
        }
        let decided = self.decide(Operation::Commit, &commit.fence, &commit.outcome).await?;
        Ok(if decided { Committed::Done } else { Committed::Lost })
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        let item = self.get_item(Operation::ReadLedger, entry::head_key(key)).await?;
        let read =
            |item| entry::head(&item).ok_or_else(|| Error::new(Operation::ReadLedger, "malformed item"));
        item.map(read).transpose()
    }

    async fn announced(&self, file: &FileId, state: State) -> Result<(), Error> {
        let mut update = Update {
            operation: Operation::Announce,
            key: entry::file_key(file),
            expression: "SET #announced = :true",
            condition: "#state = :state",
            values: HashMap::new(),
        };
        update.value("true", AttributeValue::Bool(true));
        update.value("state", text(state.as_str()));
        let changed = match self.update(update).await? {
            Updated::New(_) => return Ok(()),
            Updated::Rejected(item) => self.seen(Operation::Announce, file, item).await?,
        };
        match changed {
            Some(_) => Ok(()),
            None => Err(Error::new(Operation::Announce, "ConditionalCheckFailedException")),
        }
    }

    async fn open_of_name(&self, partner: &str, key: &str) -> Result<Vec<OpenFile>, Error> {
        let condition = "#open_for = :open AND #key = :key";
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .dynamodb
                .query()
                .table_name(&self.names.ledger_table)
                .index_name(BY_OPEN)
                .key_condition_expression(condition)
                .set_expression_attribute_names(Some(entry::names(&[condition])))
                .expression_attribute_values(":open", text(partner))
                .expression_attribute_values(":key", text(key))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| failure(Operation::ListOpen, &error))?;
            let malformed = || Error::new(Operation::ListOpen, "malformed item");
            for item in page.items() {
                found.push(entry::open_file(item).ok_or_else(malformed)?);
            }
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    async fn close(&self, file: &FileId) -> Result<(), Error> {
        let update = Update {
            operation: Operation::Close,
            key: entry::file_key(file),
            expression: CLOSE,
            condition: IS_OPEN,
            values: HashMap::new(),
        };
        // A file that is not open, or closed by an attempt before: nothing to do.
        self.update(update).await.map(drop)
    }
}

impl Aws {
    /// One conditional write of a claim; `reload` is the entry that was seen with another load.
    async fn claim_once(&self, claim: &Claim, reload: Option<&Entry>) -> Result<Updated, Error> {
        let FileVersion { bucket, key, version, etag } = &claim.file;
        let mut clauses = CLAIMED.to_owned();
        if etag.is_some() {
            clauses.push_str(", #etag = :etag");
        }
        clauses.push_str(", ");
        clauses.push_str(if reload.is_some() { RELOAD_COUNTERS } else { FIRST_COUNTERS });
        let mut update = Update {
            operation: Operation::Claim,
            key: entry::file_key(&FileId::of(&claim.file)),
            expression: &clauses,
            condition: if reload.is_some() { RELOAD_CONDITION } else { FIRST_CONDITION },
            values: HashMap::new(),
        };
        update.value("processing", text(State::Processing.as_str()));
        // The index of a partner's files takes no empty text.
        let listed = |name: &str| text(if claim.partner.is_empty() { UNKNOWN } else { name });
        update.value("partner", listed(&claim.partner));
        update.value("feed", listed(&claim.feed));
        let texts = [
            ("bucket", bucket.as_str()),
            ("key", key),
            ("version", version),
            ("owner", &claim.owner),
            ("order", claim.order.as_str()),
        ];
        for (name, value) in texts {
            update.value(name, text(value));
        }
        if let Some(etag) = etag {
            update.value("etag", text(etag));
        }
        update.value("load", text(claim.load.as_str()));
        update.value("lease", number(claim.lease_until_ms));
        update.value("false", AttributeValue::Bool(false));
        update.value("zero", number(0_u64));
        update.value("one", number(1_u64));
        match reload {
            None => update.value("now", number(claim.now_ms)),
            Some(seen) => {
                update.value("fence", number(seen.fence));
                update.value("seen", text(&seen.owner));
            }
        }
        self.update(update).await
    }

    /// Writes a terminal state; whether it stands, now or since an earlier attempt of ours.
    async fn decide(&self, operation: Operation, fence: &Fence, outcome: &Outcome) -> Result<bool, Error> {
        let opens = outcome.state == State::Quarantined;
        let expression = if opens { format!("{DECIDE}{OPEN}") } else { DECIDE.to_owned() };
        let mut update = fenced(operation, fence, &expression, FENCED);
        update.values.extend(decision_values(outcome));
        if opens {
            update.value("unknown", text(UNKNOWN));
        }
        let old = match self.update(update).await? {
            Updated::New(_) => return Ok(true),
            Updated::Rejected(item) => self.seen(operation, &fence.file, item).await?,
        };
        Ok(old.is_some_and(|entry| entry.was_decided(fence, outcome)))
    }

    async fn update(&self, update: Update<'_>) -> Result<Updated, Error> {
        let answer = self
            .dynamodb
            .update_item()
            .table_name(&self.names.ledger_table)
            .key("pk", text(update.key))
            .update_expression(update.expression)
            .condition_expression(update.condition)
            .set_expression_attribute_names(Some(entry::names(&[update.expression, update.condition])))
            .set_expression_attribute_values(Some(update.values).filter(|values| !values.is_empty()))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(output) => Ok(Updated::New(output.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(rejected)) => {
                    Ok(Updated::Rejected(rejected.item.clone()))
                }
                _ => Err(failure(update.operation, &error)),
            },
        }
    }

    pub(super) async fn get_item(
        &self,
        operation: Operation,
        key: String,
    ) -> Result<Option<Attributes>, Error> {
        get_item(&self.dynamodb, &self.names.ledger_table, operation, key).await
    }

    pub(super) async fn read_entry(
        &self,
        operation: Operation,
        file: &FileId,
    ) -> Result<Option<Entry>, Error> {
        read_entry(&self.dynamodb, &self.names.ledger_table, operation, file).await
    }

    /// The entry that failed a condition: from the answer, or read when the answer has none.
    pub(super) async fn seen(
        &self,
        operation: Operation,
        file: &FileId,
        item: Option<Attributes>,
    ) -> Result<Option<Entry>, Error> {
        match item.filter(|item| !item.is_empty()) {
            Some(item) => read(operation, &item).map(Some),
            None => self.read_entry(operation, file).await,
        }
    }
}

impl Update<'_> {
    fn value(&mut self, name: &str, value: AttributeValue) {
        self.values.insert(format!(":{name}"), value);
    }
}

/// The entry of a file.
pub(super) async fn read_entry(
    dynamodb: &Client,
    table: &str,
    operation: Operation,
    file: &FileId,
) -> Result<Option<Entry>, Error> {
    let item = get_item(dynamodb, table, operation, entry::file_key(file)).await?;
    item.map(|item| read(operation, &item)).transpose()
}

/// The one read of the ledger's table by key: strongly consistent.
async fn get_item(
    dynamodb: &Client,
    table: &str,
    operation: Operation,
    key: String,
) -> Result<Option<Attributes>, Error> {
    let request = dynamodb.get_item().table_name(table).key("pk", text(key)).consistent_read(true);
    let answer = request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
    Ok(answer.map_err(|error| failure(operation, &error))?.item)
}

fn read(operation: Operation, item: &Attributes) -> Result<Entry, Error> {
    entry::entry(item).ok_or_else(|| Error::new(operation, "malformed item"))
}

fn fenced<'a>(operation: Operation, fence: &Fence, expression: &'a str, condition: &'a str) -> Update<'a> {
    let key = entry::file_key(&fence.file);
    Update { operation, key, expression, condition, values: fence_values(fence) }
}

/// The values of [`FENCED`].
pub(super) fn fence_values(fence: &Fence) -> HashMap<String, AttributeValue> {
    [
        (":fence", number(fence.fence)),
        (":owner", text(&fence.owner)),
        (":processing", text(State::Processing.as_str())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The values of [`DECIDE`].
pub(super) fn decision_values(outcome: &Outcome) -> HashMap<String, AttributeValue> {
    [
        (":state", text(outcome.state.as_str())),
        (":outcome", entry::outcome_map(outcome)),
        (":zero", number(0_u64)),
        (":false", AttributeValue::Bool(false)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[cfg(test)]
mod tests;
