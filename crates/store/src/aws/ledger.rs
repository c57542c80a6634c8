//! The ledger table: entries by conditional writes, and their lists.

mod dead;
mod entry;
mod holds;
mod incidents;
mod listing;
mod replay;
mod reversal;
mod transaction;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use super::dynamodb::{
    Attributes, ItemKey, ItemReader, Table, Update, Written, attributes, malformed, number, text,
};
use super::pause;
use crate::ledger::name_in;
use crate::{
    Acknowledge, Acknowledged, Acknowledgement, Claim, Claimed, Commit, Committed, Cursor, Entry, Error,
    Fence, Fenced, FileId, FileNames, FilePage, FileQuery, FileVersion, Head, InboxPlace, MOST_PAST,
    OpenFile, OpenFiles, Operation, Outcome, ReadLedger, Reconciliation, Replay, ReplayClaim, ReplayClaimed,
    Replayed, Reversal, ReverseLoads, Reversed, State, UNKNOWN, WriteLedger,
};

/// What every claim writes, but for the counters.
const CLAIMED: &str = "SET #state = :processing, #bucket = :bucket, #key = :key, #version = :version, \
    #owner = :owner, #lease_until_ms = :lease, #load = :load, \
    #order = if_not_exists(#order, :order), #announced = if_not_exists(#announced, :false), \
    #partner = :partner, #feed = :feed";

/// The usual claim: of an absent entry, of one that waited, or of one whose lease has ended and whose checkpoint is of
/// the same load. A claim that is already ours fails it, so that the fence is raised once though its answer was lost.
const FIRST_CONDITION: &str = "attribute_not_exists(#pk) OR ((#state = :processing OR #state = :held) AND \
    #lease_until_ms <= :now AND #owner <> :owner AND #load = :load)";
/// With the claim a file that waited leaves the index of files that wait.
const FIRST_COUNTERS: &str =
    "#rows_written = if_not_exists(#rows_written, :zero) ADD #fence :one REMOVE #open_for";

/// The claim that changes the load, after the first condition failed and showed the entry: one more write in the rare
/// case, so that the usual one needs one. The fence and nonce that were seen make sure that nobody claimed between.
const RELOAD_CONDITION: &str =
    "(#state = :processing OR #state = :held) AND #fence = :fence AND #owner = :seen";
const RELOAD_COUNTERS: &str =
    "#rows_written = :zero, #deaths = :zero, #counted_fence = :fence ADD #fence :one REMOVE #open_for";

/// The claim is still mine to write under.
pub(super) const FENCED: &str =
    "#fence = :fence AND #owner = :owner AND (#state = :processing OR attribute_exists(#replay))";
/// A terminal decision.
const DECIDE: &str = "SET #state = :state, #outcome = :outcome, #lease_until_ms = :zero, #announced = :false, \
    #loaded = :loaded";
/// The load of a replay takes the place of the one before.
const DECIDE_REPLAY: &str = ", #load = :load, #generation = :generation, #replayed = :replayed";

/// Puts a quarantined file into the index of open files. An entry that an earlier release claimed may name no partner.
const OPEN: &str = ", #open_for = if_not_exists(#partner, :unknown)";
const CLOSE: &str = "SET #closed = :closed REMOVE #open_for";
const IS_OPEN: &str = "attribute_exists(#open_for)";
/// The index of open files: partition key `open_for`, sort key `key`. Only open files and those that wait have both.
const BY_OPEN: &str = "open-by-partner";

const CHECKPOINT: &str =
    "SET #rows_written = :rows, #lease_until_ms = :lease, #deaths = :zero, #counted_fence = :earlier";
const RELEASE: &str = "SET #lease_until_ms = :zero";

/// A death. The condition makes it count once, whatever became of the answer.
const DIED: &str = "SET #counted_fence = :fence ADD #deaths :one";
const DIED_CONDITION: &str = "(#state = :processing OR attribute_exists(#replay)) AND #fence >= :fence AND \
    (attribute_not_exists(#counted_fence) OR #counted_fence < :fence)";

/// Claims that may fail because others claim at the same time, before the redelivery has to try again.
const CLAIM_ATTEMPTS: u32 = 4;

/// Notes what an operator said; the file leaves the index of open files in the same write.
const ACKNOWLEDGE: &str = "SET #acknowledged = :said REMOVE #open_for";

const MAY_ACKNOWLEDGE: &str = "#state = :quarantined AND attribute_not_exists(#acknowledged)";

/// What is read of an entry for its name. The webhook's role may read no more (`infra/processing.yaml`).
const NAME_ATTRIBUTES: &str = "#partner, #key";
/// Attempts at entries of which DynamoDB gave some and left others.
const READ_ATTEMPTS: u32 = 6;
/// The partition key of the cursor's item.
const CURSOR: &str = "reconciliation";

/// The ledger table: partition key `pk` (string), indexes `by-partner`, `open-by-partner` and
/// `dead-by-shard`.
#[derive(Clone)]
pub struct LedgerTable {
    table: Table,
}

impl LedgerTable {
    /// Makes the table of this name.
    #[must_use]
    pub fn new(client: &Client, name: &str) -> Self {
        Self { table: Table::new(client, name) }
    }
}

impl<T: AsRef<LedgerTable> + Sync> ReadLedger for T {
    async fn entry(&self, file: &FileId) -> Result<Option<Entry>, Error> {
        self.as_ref().read_entry(Operation::ReadLedger, file).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        self.as_ref().table.read(Operation::ReadLedger, entry::head_key(key), entry::head).await
    }

    async fn entries(&self, files: &[FileId]) -> Result<BTreeMap<FileId, Entry>, Error> {
        let (table, operation) = (&self.as_ref().table, Operation::ReadLedger);
        let mut found = BTreeMap::new();
        let mut pending: Vec<Attributes> =
            files.iter().map(|file| entry::file_key(file).item(Attributes::new())).collect();
        for attempt in 0..READ_ATTEMPTS {
            if pending.is_empty() {
                return Ok(found);
            }
            if attempt > 0 {
                pause(operation, attempt).await?;
            }
            let (items, left) = table.get_many(operation, pending).await?;
            for item in items {
                let file = entry::file_of(&item).zip(entry::entry(&item));
                found.extend([file.ok_or_else(|| malformed(operation))?]);
            }
            pending = left;
        }
        if pending.is_empty() { Ok(found) } else { Err(Error::new(operation, "unprocessed")) }
    }

    async fn files(&self, query: &FileQuery) -> Result<FilePage, Error> {
        self.as_ref().list_files(query).await
    }

    async fn open_of_name(&self, partner: &str, key: &str) -> Result<Vec<OpenFile>, Error> {
        self.as_ref().list_open_of_name(partner, key).await
    }

    async fn open_files(&self, partner: Option<&str>, most: usize) -> Result<OpenFiles, Error> {
        self.as_ref().list_open(partner, most).await
    }
}

impl<T: AsRef<LedgerTable> + Sync> WriteLedger for T {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, Error> {
        let (ledger, file) = (self.as_ref(), FileId::of(&claim.file));
        let mut answer = ledger.claim_once(claim, None).await?;
        for _ in 0..CLAIM_ATTEMPTS {
            let seen = match answer {
                Written::Made(item) => {
                    let entry = entry::entry(&item).ok_or_else(|| malformed(Operation::Claim))?;
                    return Ok(Claimed::Mine(entry));
                }
                Written::Rejected(item) => match ledger.seen(Operation::Claim, &file, item).await? {
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
            answer = ledger.claim_once(claim, changes_load.then_some(&seen)).await?;
        }
        Err(Error::new(Operation::Claim, "contended"))
    }

    async fn claim_replay(&self, claim: &ReplayClaim) -> Result<ReplayClaimed, Error> {
        self.as_ref().claim_replay_of(claim).await
    }

    async fn end_replay(&self, fence: &Fence, ended: &Replayed, at_ms: u64) -> Result<Fenced, Error> {
        self.as_ref().end_replay_of(fence, ended, at_ms).await
    }

    async fn checkpoint(
        &self,
        fence: &Fence,
        rows_written: u64,
        lease_until_ms: u64,
    ) -> Result<Fenced, Error> {
        let mut update = fenced(Operation::Checkpoint, fence, CHECKPOINT);
        update.value("rows", number(rows_written));
        update.value("lease", number(lease_until_ms));
        update.value("zero", number(0_u64));
        update.value("earlier", number(fence.fence.saturating_sub(1)));
        self.as_ref().keep(update).await
    }

    async fn release(&self, fence: &Fence) -> Result<Fenced, Error> {
        let mut update = fenced(Operation::Release, fence, RELEASE);
        update.value("zero", number(0_u64));
        self.as_ref().keep(update).await
    }

    async fn died(&self, fence: &Fence) -> Result<(), Error> {
        let update = Update::new(Operation::RecordDeath, entry::file_key(&fence.file), DIED);
        let mut update = update.only_if(DIED_CONDITION);
        update.value("processing", text(State::Processing.as_str()));
        update.value("fence", number(fence.fence));
        update.value("one", number(1_u64));
        self.as_ref().table.update(update).await.map(drop)
    }

    async fn finish(&self, fence: &Fence, outcome: &Outcome, at_ms: u64) -> Result<Fenced, Error> {
        let decided = self.as_ref().decide(Operation::Finish, fence, (outcome, at_ms)).await?;
        Ok(if decided { Fenced::Kept } else { Fenced::Lost })
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, Error> {
        let depends =
            commit.head.is_some() || commit.outcome.superseded_by().is_some() || !commit.dead.is_empty();
        if depends || commit.content.is_some() {
            return self.as_ref().commit_together(commit).await;
        }
        let decision = (&commit.outcome, commit.at_ms);
        let decided = self.as_ref().decide(Operation::Commit, &commit.fence, decision).await?;
        Ok(if decided { Committed::Done } else { Committed::Lost })
    }

    async fn announced(&self, file: &FileId, state: State) -> Result<(), Error> {
        let (ledger, operation) = (self.as_ref(), Operation::Announce);
        let update = Update::new(operation, entry::file_key(file), "SET #announced = :true");
        let mut update = update.only_if("#state = :state");
        update.value("true", AttributeValue::Bool(true));
        update.value("state", text(state.as_str()));
        let Written::Rejected(item) = ledger.table.update(update).await? else { return Ok(()) };
        match ledger.seen(operation, file, item).await? {
            Some(_) => Ok(()),
            None => Err(Error::new(operation, "ConditionalCheckFailedException")),
        }
    }

    async fn close(&self, file: &FileId, by: &FileId, at_ms: u64) -> Result<(), Error> {
        let update = Update::new(Operation::Close, entry::file_key(file), CLOSE);
        let mut update = update.only_if(IS_OPEN);
        update.value("closed", entry::closed_map(by, at_ms));
        // A file that is not open, or closed by an attempt before: nothing to do.
        self.as_ref().table.update(update).await.map(drop)
    }
}

impl<T: AsRef<LedgerTable> + Sync> Acknowledge for T {
    async fn acknowledge(&self, file: &FileId, said: &Acknowledgement) -> Result<Acknowledged, Error> {
        let (ledger, operation) = (self.as_ref(), Operation::Acknowledge);
        let update = Update::new(operation, entry::file_key(file), ACKNOWLEDGE);
        let mut update = update.only_if(MAY_ACKNOWLEDGE);
        update.value("said", entry::acknowledgement_map(said));
        update.value("quarantined", text(State::Quarantined.as_str()));
        let Written::Rejected(item) = ledger.table.update(update).await? else {
            return Ok(Acknowledged::Noted);
        };
        Ok(match ledger.seen(operation, file, item).await? {
            None => Acknowledged::Unknown,
            Some(Entry { acknowledged: Some(before), .. }) if before == *said => Acknowledged::Noted,
            Some(Entry { acknowledged: Some(before), .. }) => Acknowledged::Before(before),
            Some(Entry { state, .. }) => Acknowledged::NotQuarantined(state),
        })
    }
}

impl<T: AsRef<LedgerTable> + Sync> ReverseLoads for T {
    async fn reverse(&self, reversal: &Reversal) -> Result<Reversed, Error> {
        self.as_ref().reverse_together(reversal).await
    }
}

impl<T: AsRef<LedgerTable> + Sync> FileNames for T {
    async fn name_of(&self, partner: &str, file: &FileId) -> Result<Option<String>, Error> {
        let (table, key) = (&self.as_ref().table, entry::file_key(file));
        let item = table.get_some(Operation::ReadLedger, key, Some(NAME_ATTRIBUTES)).await?;
        let own = item.filter(|item| ItemReader(item).text("partner").as_deref() == Some(partner));
        Ok(own.and_then(|item| name_in(&ItemReader(&item).text("key")?, partner)))
    }
}

impl<T: AsRef<LedgerTable> + Sync> Reconciliation for T {
    async fn cursor(&self) -> Result<Option<Cursor>, Error> {
        self.as_ref().table.read(Operation::ReadCursor, ItemKey::new(CURSOR), cursor).await
    }

    async fn put_cursor(&self, next: &Cursor, seen: Option<&Cursor>) -> Result<bool, Error> {
        let condition = if seen.is_some() { "#revision = :seen" } else { "attribute_not_exists(#revision)" };
        let seen = seen.map(|seen| (":seen".to_owned(), number(seen.revision)));
        let (table, item) = (&self.as_ref().table, cursor_item(next));
        let written = table.put_if(Operation::WriteCursor, item, condition, seen.into_iter().collect());
        written.await.map(|written| written.is_made())
    }
}

impl LedgerTable {
    /// Tries a claim by one conditional write; `reload` is the entry that was seen with another load.
    async fn claim_once(&self, claim: &Claim, reload: Option<&Entry>) -> Result<Written, Error> {
        let FileVersion { bucket, key, version, etag } = &claim.file;
        let mut clauses = CLAIMED.to_owned();
        if etag.is_some() {
            clauses.push_str(", #etag = :etag");
        }
        clauses.push_str(", ");
        clauses.push_str(if reload.is_some() { RELOAD_COUNTERS } else { FIRST_COUNTERS });
        let update = Update::new(Operation::Claim, entry::file_key(&FileId::of(&claim.file)), &clauses);
        let mut update = update.only_if(if reload.is_some() { RELOAD_CONDITION } else { FIRST_CONDITION });
        update.value("processing", text(State::Processing.as_str()));
        update.value("held", text(State::Held.as_str()));
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
        self.table.update(update).await
    }

    /// Makes a fenced write that says nothing more.
    async fn keep(&self, update: Update<'_>) -> Result<Fenced, Error> {
        let written = self.table.update(update).await?;
        Ok(if written.is_made() { Fenced::Kept } else { Fenced::Lost })
    }

    /// Writes a terminal state; whether it stands, now or since an earlier attempt.
    async fn decide(
        &self,
        operation: Operation,
        fence: &Fence,
        (outcome, at_ms): (&Outcome, u64),
    ) -> Result<bool, Error> {
        let expression = decision(fence, outcome.state);
        let update = fenced(operation, fence, &expression).values(decision_values(fence, outcome, at_ms));
        let Written::Rejected(item) = self.table.update(update).await? else { return Ok(true) };
        let old = self.seen(operation, &fence.file, item).await?;
        Ok(old.is_some_and(|entry| entry.was_decided(fence, outcome)))
    }

    async fn read_entry(&self, operation: Operation, file: &FileId) -> Result<Option<Entry>, Error> {
        self.table.read(operation, entry::file_key(file), entry::entry).await
    }

    /// Returns the entry that failed a condition.
    async fn seen(
        &self,
        operation: Operation,
        file: &FileId,
        item: Option<Attributes>,
    ) -> Result<Option<Entry>, Error> {
        self.table.seen(operation, entry::file_key(file), item, entry::entry).await
    }
}

/// Returns a write under a claim.
fn fenced<'a>(operation: Operation, fence: &Fence, expression: &'a str) -> Update<'a> {
    let update = Update::new(operation, entry::file_key(&fence.file), expression);
    update.only_if(FENCED).values(fence_values(fence))
}

/// Returns the values of [`FENCED`].
fn fence_values(fence: &Fence) -> Attributes {
    attributes([
        (":fence", number(fence.fence)),
        (":owner", text(&fence.owner)),
        (":processing", text(State::Processing.as_str())),
    ])
}

/// Returns the expression of a terminal decision. A replayed file that is quarantined again stays open or closed, as
/// it was; one that is loaded is open no longer.
fn decision(fence: &Fence, state: State) -> String {
    let quarantined = state == State::Quarantined;
    match (&fence.replay, quarantined) {
        (None, true) => format!("{DECIDE}{OPEN}"),
        (None, false) => DECIDE.to_owned(),
        (Some(replay), true) if replay.opens => {
            format!("{DECIDE}{OPEN}{DECIDE_REPLAY}{}", keeps_past(replay))
        }
        (Some(replay), true) => format!("{DECIDE}{DECIDE_REPLAY}{}", keeps_past(replay)),
        (Some(replay), false) => format!("{DECIDE}{DECIDE_REPLAY}{}, #open_for", keeps_past(replay)),
    }
}

/// Returns what keeps the outcome that a replay replaces, and removes the oldest one that is kept: the end of the
/// expression's `SET` and the beginning of its `REMOVE`.
fn keeps_past(replay: &Replay) -> String {
    let before = replay.generation.saturating_sub(1);
    let kept = entry::past_name(before);
    let oldest = before.checked_sub(MOST_PAST).map(entry::past_name);
    let removed = oldest.map(|name| format!(", #{name}")).unwrap_or_default();
    format!(", #{kept} = #outcome REMOVE #replay{removed}")
}

/// Returns the values of [`decision`].
fn decision_values(fence: &Fence, outcome: &Outcome, at_ms: u64) -> Attributes {
    let mut values = attributes([
        (":state", text(outcome.state.as_str())),
        (":outcome", entry::outcome_map(outcome, at_ms)),
        (":zero", number(0_u64)),
        (":false", AttributeValue::Bool(false)),
        (":loaded", AttributeValue::Bool(outcome.state == State::Complete)),
    ]);
    if let Some(replay) = &fence.replay {
        values.extend(attributes([
            (":load", text(replay.load.as_str())),
            (":generation", number(u64::from(replay.generation))),
            (":replayed", entry::replayed_map(&replay.decided())),
        ]));
    }
    let opens = fence.replay.as_ref().is_none_or(|replay| replay.opens);
    if outcome.state == State::Quarantined && opens {
        values.insert(":unknown".to_owned(), text(UNKNOWN));
    }
    values
}

fn cursor(item: &Attributes) -> Option<Cursor> {
    let read = ItemReader(item);
    let version = read.text("place_version");
    let place = read.text("place_key").map(|key| InboxPlace { key, version });
    Some(Cursor { revision: read.number("revision")?, begun_ms: read.number("begun_ms")?, place })
}

fn cursor_item(cursor: &Cursor) -> Attributes {
    let mut item = attributes([("revision", number(cursor.revision)), ("begun_ms", number(cursor.begun_ms))]);
    if let Some(place) = &cursor.place {
        item.insert("place_key".to_owned(), text(&place.key));
        item.extend(place.version.as_ref().map(|version| ("place_version".to_owned(), text(version))));
    }
    ItemKey::new(CURSOR).item(item)
}

#[cfg(test)]
mod tests;
