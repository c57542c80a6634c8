//! The ledger: what the conditional writes of `aws::ledger` say, as plain code.

use super::{Memory, World};
use crate::{
    Claim, Claimed, Commit, Committed, ContentClaim, Entry, Error, Fence, Fenced, FileId, Head, Ledger,
    OpenFile, Operation, Outcome, ReadEntry, State,
};

impl ReadEntry for Memory {
    async fn entry(&self, file: &FileId) -> Result<Option<Entry>, Error> {
        self.call(Operation::ReadLedger, |world| world.entries.get(file).cloned()).await
    }
}

impl Ledger for Memory {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, Error> {
        self.call(Operation::Claim, |world| world.claim(claim)).await
    }

    async fn checkpoint(
        &self,
        fence: &Fence,
        rows_written: u64,
        lease_until_ms: u64,
    ) -> Result<Fenced, Error> {
        self.call(Operation::Checkpoint, |world| {
            world.fenced(fence, |entry| {
                entry.rows_written = rows_written;
                entry.lease_until_ms = lease_until_ms;
                entry.deaths = 0;
                entry.counted_fence = fence.fence.saturating_sub(1);
            })
        })
        .await
    }

    async fn release(&self, fence: &Fence) -> Result<Fenced, Error> {
        self.call(Operation::Release, |world| world.fenced(fence, |entry| entry.lease_until_ms = 0)).await
    }

    async fn died(&self, fence: &Fence) -> Result<(), Error> {
        self.call(Operation::RecordDeath, |world| {
            let counts = |entry: &&mut Entry| {
                !entry.state.is_terminal() && entry.counted_fence < fence.fence && fence.fence <= entry.fence
            };
            if let Some(entry) = world.entries.get_mut(&fence.file).filter(counts) {
                entry.counted_fence = fence.fence;
                entry.deaths += 1;
            }
        })
        .await
    }

    async fn finish(&self, fence: &Fence, outcome: &Outcome) -> Result<Fenced, Error> {
        self.call(Operation::Finish, |world| match world.entries.get_mut(&fence.file) {
            Some(entry) if entry.was_decided(fence, outcome) => Fenced::Kept,
            _ => world.fenced(fence, |entry| entry.decide(outcome)),
        })
        .await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, Error> {
        self.call(Operation::Commit, |world| world.commit(commit)).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        self.call(Operation::ReadLedger, |world| world.heads.get(key).cloned()).await
    }

    async fn announced(&self, file: &FileId, state: State) -> Result<(), Error> {
        let note = |entry: &mut Entry| entry.announced |= entry.state == state;
        self.count_write();
        let known =
            self.step(Operation::Announce, |world| world.entries.get_mut(file).map(note).is_some()).await?;
        if known { Ok(()) } else { Err(Error::new(Operation::Announce, "ConditionalCheckFailedException")) }
    }

    async fn open_of_name(&self, partner: &str, key: &str) -> Result<Vec<OpenFile>, Error> {
        self.call(Operation::ListOpen, |world| {
            let of_name =
                |entry: &Entry| entry.open && entry.listed_partner() == partner && entry.file.key == key;
            let open = world.entries.iter().filter(|(_, entry)| of_name(entry));
            open.map(|(file, entry)| OpenFile { file: file.clone(), order: entry.order.clone() }).collect()
        })
        .await
    }

    async fn close(&self, file: &FileId) -> Result<(), Error> {
        self.call(Operation::Close, |world| {
            if let Some(entry) = world.entries.get_mut(file) {
                entry.open = false;
            }
        })
        .await
    }
}

impl World {
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
        entry.fence += 1;
        entry.owner.clone_from(&claim.owner);
        entry.lease_until_ms = claim.lease_until_ms;
        Claimed::Mine(entry.clone())
    }

    fn fenced(&mut self, fence: &Fence, write: impl FnOnce(&mut Entry)) -> Fenced {
        let held = |entry: &&mut Entry| entry.is_held_by(fence) && !entry.state.is_terminal();
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
        if !entry.is_held_by(fence) || entry.state.is_terminal() {
            return Committed::Lost;
        }
        let holder = commit.content.as_ref().and_then(|content| self.holder(content, &fence.file));
        if let Some(holder) = holder {
            return Committed::Duplicate(holder);
        }
        if let Some(head) = &commit.head {
            let name = commit.file.key.clone();
            if self.heads.get(&name) != head.from.as_ref() {
                return Committed::HeadMoved;
            }
            self.heads.insert(name, head.to.clone());
            if let (Some(from), Some(receipt)) = (&head.from, &head.receipt) {
                self.supersede(&from.file, &fence.file, receipt);
            }
        }
        if let Some(content) = &commit.content {
            self.contents.insert(content_name(content), fence.file.clone());
        }
        self.fenced(fence, |entry| entry.decide(&commit.outcome));
        Committed::Done
    }

    /// The other complete file that has this content.
    fn holder(&self, content: &ContentClaim, claimant: &FileId) -> Option<FileId> {
        let holder = self.contents.get(&content_name(content)).filter(|holder| *holder != claimant)?;
        let complete = self.entries.get(holder).is_some_and(|entry| entry.state == State::Complete);
        complete.then(|| holder.clone())
    }

    fn supersede(&mut self, older: &FileId, newer: &FileId, receipt: &str) {
        let complete = |entry: &&mut Entry| older != newer && entry.state == State::Complete;
        if let Some(entry) = self.entries.get_mut(older).filter(complete) {
            entry.state = State::Superseded;
            entry.announced = false;
            if let Some(outcome) = &mut entry.outcome {
                outcome.state = State::Superseded;
                outcome.other = Some(newer.clone());
                receipt.clone_into(&mut outcome.receipt);
            }
        }
    }
}

fn unclaimed(claim: &Claim) -> Entry {
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
    }
}

fn content_name(content: &ContentClaim) -> (String, String, String) {
    (content.partner.clone(), content.feed.clone(), content.sha256.clone())
}
