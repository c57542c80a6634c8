//! One reading of a pinned version through one check, or through two side by side.

use std::sync::Arc;

use checker::{ContentHash, FaultCode, FileCheck, Finished, Summary, Verdict};
use contract::{Contract, Status};
use ledger::{Entry, State};
use runtime::Correction;
use store::{BodyChunks, Error, Opened, ReadInbox, ReadLedger};

use super::tally::{RecordBits, RowTally};
use super::{Before, ContentResult, FilePreview, PreviewCase, UNITS_OF_FILE, UNITS_OF_HIDING};

/// What is known of a file under one contract.
enum Tried {
    /// Nothing: the version is gone.
    Gone,
    /// It is quarantined before it is read.
    Unread(FaultCode),
    /// It was read.
    Read(Box<ReadContent>),
}

/// What becomes of each record; one in neither set is rejected.
#[derive(Clone, Default)]
struct RecordFates {
    /// The records that are rows.
    rows: RecordBits,
    /// The records that the contract leaves out.
    dropped: RecordBits,
}

impl RecordFates {
    /// Returns the records that are not rejected.
    fn kept(&self) -> RecordBits {
        self.rows.with(&self.dropped)
    }
}

/// What a reading found.
struct ReadContent {
    contract: Arc<Contract>,
    summary: Summary,
    fates: RecordFates,
    /// Write units of the rows.
    units: u64,
    /// Whether the units are those of a load; else a second reading knows.
    exact_units: bool,
}

/// A check that takes part in a reading.
struct PreviewLane<'a> {
    contract: &'a Arc<Contract>,
    check: FileCheck,
    tally: RowTally<'a>,
}

/// Reads a stored version under a contract and says what it becomes. `read` is told how many bytes were read each time
/// some were.
///
/// # Errors
///
/// What the inbox answers when it cannot be read. A version that is gone or archived is a result.
pub async fn preview<S: ReadInbox + ReadLedger>(
    store: &S,
    case: &PreviewCase<'_>,
    read: &mut impl FnMut(u64),
) -> Result<FilePreview, Error> {
    let PreviewCase { entry, contract, before } = case;
    let earlier = match before {
        Before::Ledger(earlier) => earlier.filter(|_| has_unknown_rejects(entry)),
        Before::Contract(earlier) => (!is_known_under(entry, earlier)).then_some(*earlier),
    };
    let (mut after, compared) = read_once(store, entry, contract, earlier, read).await?;
    if let Tried::Read(content) = &after
        && content.needs_another_reading()
    {
        after = read_again(store, entry, content, read).await?;
    }
    if let Tried::Read(content) = &after
        && cannot_be_taken(store, entry, content).await?
    {
        after = Tried::Unread(FaultCode::Correction);
    }
    Ok(compare(case, &after, compared.as_ref()))
}

/// Returns whether the version holds corrected rejects that cannot be taken. The ledger has what its sender named.
async fn cannot_be_taken<S: ReadLedger>(
    store: &S,
    entry: &Entry,
    content: &ReadContent,
) -> Result<bool, Error> {
    let ReadContent { contract, summary, .. } = content;
    let Some(corrects) = summary.corrects.as_ref().filter(|_| summary.verdict != Verdict::Rejected) else {
        return Ok(false);
    };
    let file = entry.load.file();
    let named = entry.outcome.as_ref().and_then(|outcome| outcome.corrects.as_ref());
    let (partner, feed) = (entry.partner.as_str(), entry.feed.as_str());
    let correction = Correction { corrects, partner, feed, file: Some(&file), named };
    Ok(correction.fault(store, contract).await?.is_some())
}

/// Returns whether the ledger's decision rejected records or left some out: which, only its contract tells.
fn has_unknown_rejects(entry: &Entry) -> bool {
    let counts = entry.outcome.as_ref().filter(|_| entry.state.is_terminal()).map(|outcome| outcome.counts);
    counts.is_some_and(|counts| counts.rejects > 0 || counts.dropped > 0)
}

/// Returns whether the ledger says all that a check under this contract would: every record is a row.
fn is_known_under(entry: &Entry, contract: &Contract) -> bool {
    let outcome = entry.outcome.as_ref().filter(|_| entry.state == State::Complete);
    outcome.is_some_and(|outcome| {
        outcome.counts.rejects == 0
            && outcome.counts.dropped == 0
            && outcome.contract_hash == hex::encode(contract.identity.hash)
            && contract.identity.status != Status::Inactive
    })
}

/// Reads the version through one check or two.
async fn read_once<S: ReadInbox>(
    store: &S,
    entry: &Entry,
    contract: &Arc<Contract>,
    earlier: Option<&Arc<Contract>>,
    read: &mut impl FnMut(u64),
) -> Result<(Tried, Option<Tried>), Error> {
    let (length, mut body) = match store.open(&entry.file).await? {
        Opened::Gone => return Ok((Tried::Gone, earlier.map(|_| Tried::Gone))),
        Opened::Archived => {
            let archived = || Tried::Unread(FaultCode::Archived);
            return Ok((archived(), earlier.map(|_| archived())));
        }
        Opened::Body { length, body, .. } => (length, body),
    };
    let lane = |contract| PreviewLane::of(entry, contract, length);
    let mut after = lane(contract);
    let mut before = earlier.map(lane);
    if after.is_ok() || matches!(before, Some(Ok(_))) {
        while let Some(chunk) = body.next().await? {
            for lane in after.iter_mut().chain(before.iter_mut().flatten()) {
                lane.push(&chunk);
            }
            read(chunk.len() as u64);
        }
    }
    let end = |lane: Result<PreviewLane<'_>, FaultCode>| match lane {
        Ok(lane) => Tried::Read(Box::new(lane.finish())),
        Err(fault) => Tried::Unread(fault),
    };
    Ok((end(after), before.map(end)))
}

/// Reads the version a second time, for the exact size of what a load writes.
async fn read_again<S: ReadInbox>(
    store: &S,
    entry: &Entry,
    first: &ReadContent,
    read: &mut impl FnMut(u64),
) -> Result<Tried, Error> {
    let mut body = match store.open(&entry.file).await? {
        Opened::Gone => return Ok(Tried::Gone),
        Opened::Archived => return Ok(Tried::Unread(FaultCode::Archived)),
        Opened::Body { body, .. } => body,
    };
    let ReadContent { contract, summary, .. } = first;
    let mut lane = PreviewLane {
        check: FileCheck::again(Arc::clone(contract), seed(entry), summary),
        tally: RowTally::of_rows(entry, contract, summary.counts.rows),
        contract,
    };
    while let Some(chunk) = body.next().await? {
        lane.push(&chunk);
        read(chunk.len() as u64);
    }
    Ok(Tried::Read(Box::new(lane.finish())))
}

/// Returns the key of the hashes of what must not repeat.
fn seed(entry: &Entry) -> [u8; 16] {
    let mut seed = [0; 16];
    seed.iter_mut().zip(entry.load.as_str().bytes()).for_each(|(byte, from)| *byte = from);
    seed
}

impl<'a> PreviewLane<'a> {
    /// Makes the check of a version of this length, or says why it is not read.
    fn of(entry: &'a Entry, contract: &'a Arc<Contract>, length: u64) -> Result<Self, FaultCode> {
        if contract.identity.status == Status::Inactive {
            return Err(FaultCode::ContractInactive);
        }
        if length > contract.limits.file_bytes {
            return Err(FaultCode::TooLarge);
        }
        let check = FileCheck::new(Arc::clone(contract), seed(entry), ContentHash::Skipped);
        Ok(Self { contract, check, tally: RowTally::new(entry, contract) })
    }

    fn push(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        loop {
            let pushed = self.check.push(rest, &mut self.tally);
            rest = rest.get(pushed.consumed..).unwrap_or_default();
            if rest.is_empty() && !pushed.pending {
                return;
            }
        }
    }

    fn finish(mut self) -> ReadContent {
        loop {
            if let Finished::Done(summary) = self.check.finish(&mut self.tally) {
                let Self { contract, tally, .. } = self;
                let exact_units = tally.is_exact_for(contract, summary.counts.rows);
                let RowTally { mut rows, dropped, units, .. } = tally;
                // Rows of which a later record of the same key was found to reject them.
                rows.remove_all(&summary.rejected, summary.counts.records);
                let contract = Arc::clone(contract);
                let fates = RecordFates { rows, dropped };
                return ReadContent { contract, summary, fates, units, exact_units };
            }
        }
    }
}

impl ReadContent {
    /// Returns whether the first reading gave other rows than a load writes, or cannot know how long their names are.
    fn needs_another_reading(&self) -> bool {
        self.summary.verdict != Verdict::Rejected && !(self.exact_units && self.summary.rejected.is_empty())
    }
}

impl Tried {
    fn result(&self) -> ContentResult {
        match self {
            Self::Gone => ContentResult::default(),
            Self::Unread(fault) => ContentResult::unread(*fault),
            Self::Read(content) => ContentResult::of_summary(&content.contract, &content.summary),
        }
    }

    fn content(&self) -> Option<&ReadContent> {
        match self {
            Self::Read(content) => Some(content),
            Self::Gone | Self::Unread(_) => None,
        }
    }
}

fn compare(case: &PreviewCase<'_>, tried: &Tried, compared: Option<&Tried>) -> FilePreview {
    let entry = case.entry;
    let (before, fates_before) = before(case, compared);
    let after = tried.result();
    let moves = RecordMoves::between((&before, fates_before), (&after, tried.content()));
    let outcome = entry.outcome.as_ref().filter(|_| entry.state == State::Complete);
    let gone = matches!(tried, Tried::Gone);
    let (written_rows, units) = match tried.content().filter(|_| after.is_loaded()) {
        Some(content) => (after.counts.rows, content.units),
        None => (0, 0),
    };
    let hiding = if entry.loaded && after.is_loaded() { UNITS_OF_HIDING } else { 0 };
    FilePreview {
        file: entry.load.file(),
        key: entry.file.key.clone(),
        state: entry.state,
        gone,
        rescued: if after.is_loaded() { moves.rescued } else { 0 },
        newly_rejected: moves.newly_rejected,
        newly_dropped: moves.newly_dropped,
        newly_loaded: if after.is_loaded() { moves.newly_loaded } else { 0 },
        dropped_rejects: moves.dropped_rejects,
        exact: moves.exact,
        more_by_rule: after.more_than(&before),
        visible_rows: outcome.map_or(0, |outcome| outcome.counts.rows),
        written_rows,
        write_units: if gone { 0 } else { units + UNITS_OF_FILE + hiding },
        before,
        after,
    }
}

/// How many records are decided otherwise than before.
#[derive(Default)]
struct RecordMoves {
    /// Rejected before, rows now.
    rescued: u64,
    /// Not rejected before, rejected now.
    newly_rejected: u64,
    /// Not left out before, left out now.
    newly_dropped: u64,
    /// Rejected before, left out now.
    dropped_rejects: u64,
    /// Left out before, rows now.
    newly_loaded: u64,
    /// Whether these are exact, and not the differences of totals.
    exact: bool,
}

impl RecordMoves {
    fn between(
        (before, fates_before): (&ContentResult, Option<RecordFates>),
        (after, read): (&ContentResult, Option<&ReadContent>),
    ) -> Self {
        let Some(read) = read else {
            return Self { exact: true, ..Self::default() };
        };
        let Some(earlier) = fates_before else {
            let more = |now: u64, then: u64| now.saturating_sub(then);
            return Self {
                rescued: more(before.counts.rejects, after.counts.rejects),
                newly_rejected: more(after.counts.rejects, before.counts.rejects),
                newly_dropped: more(after.counts.dropped, before.counts.dropped),
                dropped_rejects: 0,
                newly_loaded: more(before.counts.dropped, after.counts.dropped),
                exact: false,
            };
        };
        let (last_before, last_after) = (before.counts.records, after.counts.records);
        let now = &read.fates;
        let rescued = now.rows.without(&earlier.kept(), last_before);
        Self {
            rescued,
            newly_loaded: now.rows.without(&earlier.rows, last_before).saturating_sub(rescued),
            newly_rejected: earlier.kept().without(&now.kept(), last_after),
            newly_dropped: now.dropped.without(&earlier.dropped, last_before),
            dropped_rejects: now.dropped.without(&earlier.kept(), last_before),
            exact: true,
        }
    }
}

/// Returns what the file is before, and the fate of each record, where that is known.
fn before(case: &PreviewCase<'_>, compared: Option<&Tried>) -> (ContentResult, Option<RecordFates>) {
    let known = ContentResult::of_entry(case.entry);
    let read = compared.and_then(Tried::content);
    match (case.before, compared) {
        (Before::Contract(_), Some(tried)) => {
            (tried.result(), Some(read.map(|content| content.fates.clone()).unwrap_or_default()))
        }
        (Before::Ledger(_), Some(tried)) if tried.result().counts == known.counts => {
            let rules = tried.result().rules;
            (ContentResult { rules, ..known }, read.map(|content| content.fates.clone()))
        }
        _ if known.counts.rejects == 0 && known.counts.dropped == 0 => {
            let rows = RecordBits::up_to(known.counts.records);
            (known, Some(RecordFates { rows, dropped: RecordBits::default() }))
        }
        _ => (known, None),
    }
}
