//! What a store in memory would have used: a request for each call, a unit for each kilobyte of a row that is begun,
//! and for a ledger entry one and another for its index where that changes.

use super::Memory;
use crate::{DeadLoad, Metered, Operation, RecordItem, Usage};

/// Bytes of a write unit.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>
const UNIT_BYTES: usize = 1_024;

impl Metered for Memory {
    fn usage(&self) -> Usage {
        self.wire().usage
    }
}

impl Memory {
    /// Counts rows by their size.
    pub(super) fn count_rows(&self, items: &[RecordItem]) {
        let units: usize = items.iter().map(|item| item.bytes().div_ceil(UNIT_BYTES)).sum();
        self.wire().usage.write_tenths += 10 * units as u64;
    }

    /// Counts loads that a transaction notes as dead: twice an item, and its index; and once more the entry.
    pub(super) fn count_hidden(&self, dead: &[DeadLoad]) {
        let entry = if dead.is_empty() { 0 } else { 10 };
        self.wire().usage.write_tenths += 30 * dead.len() as u64 + entry;
    }

    /// Counts a small item that no index has.
    pub(super) fn count_write(&self) {
        self.wire().usage.write_tenths += 10;
    }
}

impl Usage {
    /// Counts a call of which the size is nothing that matters.
    pub(super) fn count(&mut self, operation: Operation) {
        match operation {
            Operation::ReadObject | Operation::ReadContract | Operation::ReadOutbox => self.object_reads += 1,
            Operation::WriteObject
            | Operation::CopyObject
            | Operation::WriteOutbox
            | Operation::ReturnRejects
            | Operation::ListVersions
            | Operation::RankVersion
            | Operation::ListContractVersions => {
                self.object_writes += 1;
            }
            Operation::Claim | Operation::Finish | Operation::Commit | Operation::Close => {
                self.write_tenths += 20;
            }
            Operation::Checkpoint
            | Operation::Release
            | Operation::RecordDeath
            | Operation::CleanUp
            | Operation::GiveUp => self.write_tenths += 10,
            Operation::HoldFile => self.write_tenths += 40,
            Operation::ReadLedger | Operation::ReadDead | Operation::ReadPartner | Operation::ReadHold => {
                self.read_tenths += 10;
            }
            // An index is read at half the price: it may lag behind.
            Operation::ListOpen | Operation::ListDead | Operation::ListHeld => self.read_tenths += 5,
            Operation::Defer | Operation::SendMessages => self.queue_requests += 1,
            Operation::Announce => self.published += 1,
            _ => {}
        }
    }
}
