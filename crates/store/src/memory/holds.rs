//! Holds: what the writes of `aws::ledger::holds` say, as plain code.

use std::collections::BTreeSet;

use super::ledger::{listed, unclaimed};
use super::{Memory, MemoryState};
use crate::{
    Claim, Error, FileHeld, FileId, HeldFiles, Hold, HoldFeeds, HoldFiles, HoldPut, Operation, ReadHolds,
    State,
};
use ledger::NO_OWNER;

impl ReadHolds for Memory {
    async fn hold(&self, partner: &str, feed: &str) -> Result<Option<Hold>, Error> {
        self.call(Operation::ReadHold, |kept| kept.holds.get(&named(partner, feed)).cloned()).await
    }

    async fn holds(&self) -> Result<Vec<Hold>, Error> {
        self.call(Operation::ReadHold, |kept| {
            let mut holds: Vec<Hold> = kept.holds.values().cloned().collect();
            holds.sort_by_key(|hold| hold.since_ms);
            holds
        })
        .await
    }

    async fn held_files(&self, partner: &str, feed: &str, most: usize) -> Result<HeldFiles, Error> {
        self.call(Operation::ListHeld, |kept| {
            let lagging = kept.lagging();
            let waiting = kept.entries.iter().filter(|(file, entry)| {
                let is_listed = entry.state == State::Held || lagging.contains(*file);
                is_listed && entry.partner == partner && entry.feed == feed
            });
            let mut files: Vec<_> = waiting.map(|(file, entry)| listed(file, entry)).collect();
            files.sort_by(|one, other| one.key.cmp(&other.key));
            let complete = files.len() <= most;
            files.truncate(most);
            HeldFiles { files, complete }
        })
        .await
    }
}

impl Memory {
    /// Lets the list of waiting files lag behind: for this number of calls it has the files that wait now.
    pub fn waiting_list_lags(&self, calls: usize) {
        let mut kept = self.kept();
        let waiting = kept.entries.iter().filter(|(_, entry)| entry.state == State::Held);
        kept.lagging = (calls, waiting.map(|(file, _)| file.clone()).collect());
    }
}

impl MemoryState {
    /// Returns the files that a list has which lags behind, and counts its call.
    fn lagging(&mut self) -> BTreeSet<FileId> {
        match self.lagging.0.checked_sub(1) {
            None => BTreeSet::new(),
            Some(left) => {
                self.lagging.0 = left;
                self.lagging.1.clone()
            }
        }
    }
}

impl HoldFiles for Memory {
    async fn hold_file(&self, claim: &Claim) -> Result<FileHeld, Error> {
        self.call(Operation::HoldFile, |kept| kept.hold_file(claim)).await
    }
}

impl HoldFeeds for Memory {
    async fn put_hold(&self, hold: &Hold) -> Result<HoldPut, Error> {
        self.call(Operation::WriteHold, |kept| {
            let place = named(&hold.partner, &hold.feed);
            let found = kept.holds.entry(place).or_insert_with(|| hold.clone());
            if found == hold { HoldPut::Made } else { HoldPut::Before(found.clone()) }
        })
        .await
    }

    async fn end_hold(&self, hold: &Hold) -> Result<bool, Error> {
        self.call(Operation::WriteHold, |kept| {
            let place = named(&hold.partner, &hold.feed);
            let same = |found: &Hold| found.since_ms == hold.since_ms && found.by == hold.by;
            let ends = kept.holds.get(&place).is_none_or(same);
            if ends {
                kept.holds.remove(&place);
            }
            ends
        })
        .await
    }
}

fn named(partner: &str, feed: &str) -> (String, String) {
    (partner.to_owned(), feed.to_owned())
}

impl MemoryState {
    fn hold_file(&mut self, claim: &Claim) -> FileHeld {
        if !self.holds.contains_key(&named(&claim.partner, &claim.feed)) {
            return FileHeld::Released;
        }
        let entry = self.entries.entry(FileId::of(&claim.file)).or_insert_with(|| unclaimed(claim));
        if entry.state.is_terminal() {
            return FileHeld::Decided(Box::new(entry.clone()));
        }
        if entry.lease_until_ms > claim.now_ms {
            return FileHeld::Leased { until_ms: entry.lease_until_ms };
        }
        entry.state = State::Held;
        NO_OWNER.clone_into(&mut entry.owner);
        entry.lease_until_ms = 0;
        FileHeld::Waits
    }
}
