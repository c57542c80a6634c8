//! The ledger: what the conditional writes of `aws::ledger` say, as plain code.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Memory, MemoryState};
use crate::ledger::name_in;
use crate::{
    Acknowledge, Acknowledged, Acknowledgement, Claim, Claimed, ClosedBy, Commit, Committed, ContentClaim,
    Cursor, Entry, Error, Fence, Fenced, FileId, FileNames, FilePage, FilePlace, FileQuery, Head, ListedFile,
    MOST_ENTRIES, OpenFile, OpenFiles, Operation, Outcome, PastOfFile, ReadLedger, Reconciliation,
    ReplayClaim, ReplayClaimed, Replayed, Reversal, ReverseLoads, Reversed, State, StateChange, StateMove,
    UNKNOWN, WriteLedger,
};

impl ReadLedger for Memory {
    async fn entry(&self, file: &FileId) -> Result<Option<Entry>, Error> {
        self.call(Operation::ReadLedger, |kept| kept.entries.get(file).cloned()).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        self.call(Operation::ReadLedger, |kept| kept.heads.get(key).cloned()).await
    }

    async fn entries(&self, files: &[FileId]) -> Result<BTreeMap<FileId, Entry>, Error> {
        self.call(Operation::ReadLedger, |kept| {
            let known = files.iter().take(MOST_ENTRIES);
            known.filter_map(|file| Some((file.clone(), kept.entries.get(file)?.clone()))).collect()
        })
        .await
    }

    async fn files(&self, query: &FileQuery) -> Result<FilePage, Error> {
        self.call(Operation::ListFiles, |kept| {
            let asked = kept.entries.iter().filter(|(file, entry)| is_asked(query, file, entry));
            let mut files: Vec<_> = asked.map(|(file, entry)| listed(file, entry)).collect();
            files.sort_by(|a, b| Reverse((&a.order, &a.file)).cmp(&Reverse((&b.order, &b.file))));
            let limit = usize::from(query.limit.max(1));
            let more = files.len() > limit;
            files.truncate(limit);
            let last = files.last().filter(|_| more);
            let next = last.map(|last| FilePlace { order: last.order.clone(), file: last.file.clone() });
            FilePage { files, next }
        })
        .await
    }

    async fn open_of_name(&self, partner: &str, key: &str) -> Result<Vec<OpenFile>, Error> {
        self.call(Operation::ListOpen, |kept| {
            let of_name =
                |entry: &Entry| entry.open && entry.listed_partner() == partner && entry.file.key == key;
            let open = kept.entries.iter().filter(|(_, entry)| of_name(entry));
            open.map(|(file, entry)| OpenFile { file: file.clone(), order: entry.order.clone() }).collect()
        })
        .await
    }

    async fn open_files(&self, partner: Option<&str>, most: usize) -> Result<OpenFiles, Error> {
        self.call(Operation::ListOpen, |kept| {
            let open = kept.entries.iter().filter(|(_, entry)| entry.open);
            let mut open = open
                .map(|(file, entry)| (entry.listed_partner().to_owned(), listed(file, entry)))
                .filter(|(listed, _)| partner.is_none_or(|partner| partner == listed));
            let files = open.by_ref().take(most).collect();
            OpenFiles { files, complete: open.next().is_none() }
        })
        .await
    }
}

impl WriteLedger for Memory {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, Error> {
        self.call(Operation::Claim, |kept| kept.claim(claim)).await
    }

    async fn claim_replay(&self, claim: &ReplayClaim) -> Result<ReplayClaimed, Error> {
        self.call(Operation::ClaimReplay, |kept| kept.claim_replay(claim)).await
    }

    async fn end_replay(&self, fence: &Fence, ended: &Replayed, at_ms: u64) -> Result<Fenced, Error> {
        self.call(Operation::EndReplay, |kept| kept.end_replay(fence, ended, at_ms)).await
    }

    async fn checkpoint(
        &self,
        fence: &Fence,
        rows_written: u64,
        lease_until_ms: u64,
    ) -> Result<Fenced, Error> {
        self.call(Operation::Checkpoint, |kept| {
            kept.fenced(fence, |entry| {
                entry.rows_written = rows_written;
                entry.lease_until_ms = lease_until_ms;
                entry.deaths = 0;
                entry.counted_fence = fence.fence.saturating_sub(1);
            })
        })
        .await
    }

    async fn release(&self, fence: &Fence) -> Result<Fenced, Error> {
        self.call(Operation::Release, |kept| kept.fenced(fence, |entry| entry.lease_until_ms = 0)).await
    }

    async fn died(&self, fence: &Fence) -> Result<(), Error> {
        self.call(Operation::RecordDeath, |kept| {
            let counts = |entry: &&mut Entry| {
                entry.is_under_way() && entry.counted_fence < fence.fence && fence.fence <= entry.fence
            };
            if let Some(entry) = kept.entries.get_mut(&fence.file).filter(counts) {
                entry.counted_fence = fence.fence;
                entry.deaths += 1;
            }
        })
        .await
    }

    async fn finish(&self, fence: &Fence, outcome: &Outcome, at_ms: u64) -> Result<Fenced, Error> {
        self.call(Operation::Finish, |kept| match kept.entries.get_mut(&fence.file) {
            Some(entry) if entry.was_decided(fence, outcome) => Fenced::Kept,
            _ => kept.fenced(fence, |entry| entry.decide(outcome, at_ms)),
        })
        .await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, Error> {
        self.count_hidden(&commit.dead);
        self.call(Operation::Commit, |kept| kept.commit(commit)).await
    }

    async fn announced(&self, file: &FileId, state: State) -> Result<(), Error> {
        let note = |entry: &mut Entry| entry.announced |= entry.state == state;
        self.count_write();
        let known =
            self.step(Operation::Announce, |kept| kept.entries.get_mut(file).map(note).is_some()).await?;
        if known { Ok(()) } else { Err(Error::new(Operation::Announce, "ConditionalCheckFailedException")) }
    }

    async fn close(&self, file: &FileId, by: &FileId, at_ms: u64) -> Result<(), Error> {
        self.call(Operation::Close, |kept| {
            if let Some(entry) = kept.entries.get_mut(file).filter(|entry| entry.open) {
                entry.open = false;
                entry.past.closed = Some(ClosedBy { file: by.clone(), at_ms });
            }
        })
        .await
    }
}

impl Acknowledge for Memory {
    async fn acknowledge(&self, file: &FileId, said: &Acknowledgement) -> Result<Acknowledged, Error> {
        self.call(Operation::Acknowledge, |kept| {
            let Some(entry) = kept.entries.get_mut(file) else { return Acknowledged::Unknown };
            match &entry.acknowledged {
                Some(before) if before == said => Acknowledged::Noted,
                Some(before) => Acknowledged::Before(before.clone()),
                None if entry.state != State::Quarantined => Acknowledged::NotQuarantined(entry.state),
                None => {
                    entry.acknowledged = Some(said.clone());
                    entry.open = false;
                    Acknowledged::Noted
                }
            }
        })
        .await
    }
}

impl ReverseLoads for Memory {
    async fn reverse(&self, reversal: &Reversal) -> Result<Reversed, Error> {
        self.call(Operation::Reverse, |kept| kept.reverse(reversal)).await
    }
}

impl FileNames for Memory {
    async fn name_of(&self, partner: &str, file: &FileId) -> Result<Option<String>, Error> {
        self.call(Operation::ReadLedger, |kept| {
            let own = kept.entries.get(file).filter(|entry| entry.partner == partner);
            own.and_then(|entry| name_in(&entry.file.key, partner))
        })
        .await
    }
}

impl Reconciliation for Memory {
    async fn cursor(&self) -> Result<Option<Cursor>, Error> {
        self.call(Operation::ReadCursor, |kept| kept.cursor.clone()).await
    }

    async fn put_cursor(&self, next: &Cursor, seen: Option<&Cursor>) -> Result<bool, Error> {
        self.call(Operation::WriteCursor, |kept| {
            let revision = |cursor: &Cursor| cursor.revision;
            let same = kept.cursor.as_ref().map(revision) == seen.map(revision);
            if same {
                kept.cursor = Some(next.clone());
            }
            same
        })
        .await
    }
}

/// What tests see of the ledger.
impl Memory {
    /// Returns how far the reconciliation got.
    #[must_use]
    pub fn reconciled(&self) -> Option<Cursor> {
        self.kept().cursor.clone()
    }
}

impl MemoryState {
    fn claim(&mut self, claim: &Claim) -> Claimed {
        let entry = self.entries.entry(FileId::of(&claim.file)).or_insert_with(|| unclaimed(claim));
        let mine = entry.owner == claim.owner;
        if entry.state.is_terminal() {
            return Claimed::Terminal(entry.clone());
        }
        if mine && entry.load == claim.load {
            return Claimed::Mine(entry.clone());
        }
        if !mine && entry.lease_until_ms > claim.now_ms {
            return Claimed::Held { until_ms: entry.lease_until_ms };
        }
        if entry.load != claim.load {
            entry.load = claim.load.clone();
            entry.rows_written = 0;
            entry.deaths = 0;
            entry.counted_fence = entry.fence;
        }
        entry.state = State::Processing;
        entry.fence += 1;
        entry.owner.clone_from(&claim.owner);
        entry.lease_until_ms = claim.lease_until_ms;
        Claimed::Mine(entry.clone())
    }

    fn claim_replay(&mut self, claim: &ReplayClaim) -> ReplayClaimed {
        let Some(entry) = self.entries.get_mut(&claim.file) else { return ReplayClaimed::Unknown };
        if entry.state != claim.state || entry.load != claim.seen {
            return ReplayClaimed::Over(entry.clone());
        }
        let is_mine = entry.owner == claim.owner;
        let is_same = entry.replay.as_ref() == Some(&claim.replay);
        if is_mine && is_same {
            return ReplayClaimed::Mine(entry.clone());
        }
        if !is_mine && entry.replay.is_some() && entry.lease_until_ms > claim.now_ms {
            return ReplayClaimed::Held { until_ms: entry.lease_until_ms };
        }
        if !is_same {
            entry.replay = Some(claim.replay.clone());
            entry.rows_written = 0;
            entry.deaths = 0;
            entry.counted_fence = entry.fence;
        }
        entry.fence += 1;
        entry.owner.clone_from(&claim.owner);
        entry.lease_until_ms = claim.lease_until_ms;
        ReplayClaimed::Mine(entry.clone())
    }

    fn end_replay(&mut self, fence: &Fence, ended: &Replayed, at_ms: u64) -> Fenced {
        let is_ended = |entry: &Entry| {
            entry.is_held_by(fence) && entry.replay.is_none() && entry.replayed.as_ref() == Some(ended)
        };
        if self.entries.get(&fence.file).is_some_and(is_ended) {
            return Fenced::Kept;
        }
        self.fenced(fence, |entry| {
            entry.replay = None;
            entry.replayed = Some(ended.clone());
            entry.past.kept_ms = at_ms;
            entry.lease_until_ms = 0;
        })
    }

    fn reverse(&mut self, reversal: &Reversal) -> Reversed {
        let all = |holds: &dyn Fn(&StateChange, &Entry) -> bool| {
            let found = |change: &StateChange| {
                self.entries.get(&change.file).is_some_and(|entry| holds(change, entry))
            };
            reversal.changes.iter().all(found)
        };
        let can = all(&StateChange::can_be_made);
        let head = reversal.head.as_ref();
        let is_head_seen = head.is_none_or(|head| self.heads.get(&reversal.key) == head.from.as_ref());
        if !can || !is_head_seen {
            let made = all(&|change, entry| change.is_made(entry, reversal.at_ms));
            return if made { Reversed::Done } else { Reversed::Changed };
        }
        let shown = reversal.changes.iter().find(|change| change.to == State::Complete);
        if let (Some(content), Some(shown)) = (&reversal.content, shown) {
            if let Some(holder) = self.holder(content, &shown.file) {
                return Reversed::Duplicate(holder);
            }
            self.contents.insert(content_name(content), shown.file.clone());
        }
        if let Some(head) = head {
            self.heads.insert(reversal.key.clone(), head.to.clone());
        }
        for change in &reversal.changes {
            if let Some(entry) = self.entries.get_mut(&change.file) {
                change.make(entry, reversal.at_ms);
            }
        }
        reversal.dead.iter().for_each(|dead| self.bury(dead));
        Reversed::Done
    }

    fn fenced(&mut self, fence: &Fence, write: impl FnOnce(&mut Entry)) -> Fenced {
        let held = |entry: &&mut Entry| entry.is_held_by(fence) && entry.is_under_way();
        match self.entries.get_mut(&fence.file).filter(held) {
            Some(entry) => {
                write(entry);
                Fenced::Kept
            }
            None => Fenced::Lost,
        }
    }

    fn commit(&mut self, commit: &Commit) -> Committed {
        let fence = &commit.fence;
        let Some(entry) = self.entries.get(&fence.file) else {
            return Committed::Lost;
        };
        if entry.was_decided(fence, &commit.outcome) {
            return Committed::Done;
        }
        if !entry.is_held_by(fence) || !entry.is_under_way() {
            return Committed::Lost;
        }
        let newer = commit.outcome.superseded_by().and_then(|newer| self.entries.get(newer));
        if newer.is_some_and(|newer| newer.state == State::Retracted) {
            return Committed::HeadMoved;
        }
        let holder = commit.content.as_ref().and_then(|content| self.holder(content, &fence.file));
        if let Some(holder) = holder {
            return Committed::Duplicate(holder);
        }
        if let Some(head) = &commit.head {
            let name = commit.file.key.clone();
            let stays_retracted = |from: &Head| {
                self.entries.get(&from.file).is_some_and(|entry| entry.state == State::Retracted)
            };
            let moved = self.heads.get(&name) != head.from.as_ref();
            if moved || (head.retracted && !head.from.as_ref().is_some_and(stays_retracted)) {
                return Committed::HeadMoved;
            }
            self.heads.insert(name, head.to.clone());
            if let (Some(from), Some(receipt)) = (&head.from, &head.receipt) {
                self.supersede(&from.file, &fence.file, receipt, commit.at_ms);
            }
        }
        if let Some(content) = &commit.content {
            self.contents.insert(content_name(content), fence.file.clone());
        }
        for dead in &commit.dead {
            self.bury(dead);
        }
        self.fenced(fence, |entry| entry.decide(&commit.outcome, commit.at_ms));
        Committed::Done
    }

    /// Returns the other complete file that has this content.
    fn holder(&self, content: &ContentClaim, claimant: &FileId) -> Option<FileId> {
        let holder = self.contents.get(&content_name(content)).filter(|holder| *holder != claimant)?;
        let complete = self.entries.get(holder).is_some_and(|entry| entry.state == State::Complete);
        complete.then(|| holder.clone())
    }

    fn supersede(&mut self, older: &FileId, newer: &FileId, receipt: &str, at_ms: u64) {
        let complete = |entry: &&mut Entry| older != newer && entry.state == State::Complete;
        if let Some(entry) = self.entries.get_mut(older).filter(complete) {
            entry.state = State::Superseded;
            let other = Some(newer.clone());
            entry.past.moves.push(StateMove { at_ms, to: State::Superseded, other });
            entry.announced = false;
            entry.replay = None;
            if let Some(outcome) = &mut entry.outcome {
                outcome.state = State::Superseded;
                outcome.other = Some(newer.clone());
                receipt.clone_into(&mut outcome.receipt);
            }
        }
    }
}

pub(super) fn unclaimed(claim: &Claim) -> Entry {
    Entry {
        file: claim.file.clone(),
        partner: claim.partner.clone(),
        feed: claim.feed.clone(),
        state: State::Processing,
        fence: 0,
        owner: String::new(),
        lease_until_ms: 0,
        deaths: 0,
        counted_fence: 0,
        order: claim.order.clone(),
        load: claim.load.clone(),
        rows_written: 0,
        outcome: None,
        announced: false,
        open: false,
        acknowledged: None,
        generation: 0,
        loaded: false,
        replay: None,
        replayed: None,
        past: PastOfFile::default(),
    }
}

fn content_name(content: &ContentClaim) -> (String, String, String) {
    (content.partner.clone(), content.feed.clone(), content.sha256.clone())
}

fn is_asked(query: &FileQuery, file: &FileId, entry: &Entry) -> bool {
    let order = entry.order.as_str();
    entry.listed_partner() == query.partner
        && query.feed.as_ref().is_none_or(|feed| feed == listed_feed(entry))
        && query.state.is_none_or(|state| state == entry.state)
        && query.from.as_deref().is_none_or(|from| order >= from)
        && query.before.as_deref().is_none_or(|before| order < before)
        && query.after.as_ref().is_none_or(|after| (order, file) < (after.order.as_str(), &after.file))
}

/// Returns the feed under which the index lists an entry.
fn listed_feed(entry: &Entry) -> &str {
    if entry.partner.is_empty() { UNKNOWN } else { &entry.feed }
}

pub(super) fn listed(file: &FileId, entry: &Entry) -> ListedFile {
    ListedFile {
        file: file.clone(),
        feed: listed_feed(entry).to_owned(),
        key: entry.file.key.clone(),
        state: entry.state,
        order: entry.order.to_string(),
        outcome: entry.outcome.clone(),
    }
}
