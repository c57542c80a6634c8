//! Dead loads.

use ledger::{CleanUp, CleanUpRequest, DeadLoad, GivenUp};

use super::{Memory, MemoryState};
use crate::{Error, ListDead, LoadId, Operation, State, WriteDead};

/// A dead load as it is kept; it stays when its rows are deleted.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct DeadItem {
    clean_up: CleanUp,
    listed: bool,
}

impl std::fmt::Debug for DeadItem {
    /// Without times, which differ from schedule to schedule.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let DeadLoad { load, contract, rows, .. } = &self.clean_up.dead;
        write!(formatter, "{load} {contract} rows {rows} listed {}", self.listed)
    }
}

impl ListDead for Memory {
    async fn dead_loads(&self, shard: u32, until_ms: u64, most: u16) -> Result<Vec<CleanUpRequest>, Error> {
        self.call(Operation::ListDead, |kept| {
            let listed = kept.dead_loads.values().filter(|item| item.listed).map(|item| &item.clean_up.dead);
            let due = listed.filter(|dead| dead.shard() == shard && dead.since_ms <= until_ms);
            let mut due: Vec<_> =
                due.map(|dead| CleanUpRequest { load: dead.load.clone(), since_ms: dead.since_ms }).collect();
            due.sort_by(|a, b| (a.since_ms, &a.load).cmp(&(b.since_ms, &b.load)));
            due.truncate(usize::from(most));
            due
        })
        .await
    }
}

impl WriteDead for Memory {
    async fn dead_load(&self, load: &LoadId) -> Result<Option<CleanUp>, Error> {
        self.call(Operation::ReadDead, |kept| {
            let item = kept.dead_loads.get(load).filter(|item| item.listed)?;
            Some(item.clean_up.clone())
        })
        .await
    }

    async fn give_up(&self, load: &LoadId) -> Result<GivenUp, Error> {
        self.call(Operation::GiveUp, |kept| match kept.entries.get_mut(&load.file()) {
            Some(entry) if entry.load == *load && entry.state == State::Complete => GivenUp::Visible,
            Some(entry) if entry.load == *load => {
                entry.loaded = false;
                GivenUp::Dead
            }
            _ => GivenUp::Dead,
        })
        .await
    }

    async fn note_deleted(&self, dead: &DeadLoad, deleted: u64) -> Result<bool, Error> {
        self.call(Operation::CleanUp, |kept| {
            kept.same_dead(dead).is_some_and(|item| {
                item.clean_up.deleted = deleted;
                true
            })
        })
        .await
    }

    async fn end_clean_up(&self, dead: &DeadLoad) -> Result<(), Error> {
        self.call(Operation::CleanUp, |kept| {
            if let Some(item) = kept.same_dead(dead) {
                item.listed = false;
            }
        })
        .await
    }
}

impl MemoryState {
    /// Notes a load as dead.
    pub(super) fn bury(&mut self, dead: &DeadLoad) {
        let clean_up = CleanUp { dead: dead.clone(), deleted: 0 };
        self.dead_loads.insert(dead.load.clone(), DeadItem { clean_up, listed: true });
    }

    fn same_dead(&mut self, dead: &DeadLoad) -> Option<&mut DeadItem> {
        self.dead_loads.get_mut(&dead.load).filter(|item| item.listed && item.clean_up.dead == *dead)
    }
}

/// What tests see of dead loads.
impl Memory {
    /// Returns the loads whose rows are still to be deleted.
    #[must_use]
    pub fn dead(&self) -> Vec<DeadLoad> {
        let kept = self.kept();
        let listed = kept.dead_loads.values().filter(|item| item.listed);
        listed.map(|item| item.clean_up.dead.clone()).collect()
    }
}
