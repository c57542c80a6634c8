//! One claimed file: what every step needs to know.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use ledger::{DeadLoad, Fence, FileId, FileVersion, LoadId, Order, QuarantineFolder};
use sha2::{Digest, Sha256};
use store::OpenUploads;

use crate::{ProcessorStore, error::ProcessError, replay::ReplayTerms, settings::Settings};
use runtime::Host;

/// One claimed file.
pub(crate) struct Work<'a, S> {
    pub(crate) store: &'a S,
    pub(crate) host: &'a Host,
    pub(crate) settings: &'a Settings,
    /// End of the invocation, milliseconds since the epoch.
    pub(crate) deadline_ms: u64,
    pub(crate) file: FileVersion,
    pub(crate) id: FileId,
    pub(crate) partner: String,
    pub(crate) feed: String,
    /// The order that the first claim pinned.
    pub(crate) order: Order,
    pub(crate) load: LoadId,
    /// What was asked for, when the file is replayed.
    pub(crate) replay: Option<ReplayTerms>,
    /// The load that a replay hides when it is decided: its rows are there.
    pub(crate) hides: Option<DeadLoad>,
    /// Rows that an earlier claim confirmed.
    pub(crate) rows_written: u64,
    pub(crate) fence: Fence,
    /// The uploads that this attempt began and did not end.
    pub(crate) uploads: OpenUploads,
    /// Whether this attempt wrote a checkpoint.
    pub(crate) advanced: AtomicBool,
    /// The file that this one corrects, once the version was opened and its metadata seen.
    pub(crate) corrects: OnceLock<FileId>,
}

/// Returns the key of the hash sets for a load.
pub(crate) fn seed_of(load: &LoadId) -> [u8; 16] {
    let mut seed = [0; 16];
    let digest = Sha256::digest(load.as_str());
    seed.iter_mut().zip(digest).for_each(|(byte, from)| *byte = from);
    seed
}

impl<S: ProcessorStore> Work<'_, S> {
    /// The key of the hash sets: the same load always decides the same.
    pub(crate) fn seed(&self) -> [u8; 16] {
        seed_of(&self.load)
    }

    /// Checks that there is time to continue; the error says that there is none.
    pub(crate) fn time_left(&self) -> Result<(), ProcessError> {
        if self.host.now().saturating_add(self.settings.reserve_ms) < self.deadline_ms {
            Ok(())
        } else {
            Err(ProcessError::OutOfTime)
        }
    }

    /// Notes that a checkpoint was written: the next attempt begins behind this one's beginning.
    pub(crate) fn note_advance(&self) {
        self.advanced.store(true, Ordering::Relaxed);
    }

    /// Returns why work ended, with what was reached until then.
    pub(crate) fn ended_by(&self, stop: ProcessError) -> ProcessError {
        match stop {
            ProcessError::OutOfTime if self.advanced.load(Ordering::Relaxed) => ProcessError::Advanced,
            other => other,
        }
    }

    /// Returns the end of a lease given now.
    pub(crate) fn lease_until_ms(&self) -> u64 {
        self.deadline_ms.saturating_add(self.settings.lease_margin_ms)
    }

    /// Returns the folder of this load's original, rejects and report.
    pub(crate) fn quarantine(&self) -> QuarantineFolder {
        QuarantineFolder::new(&self.partner, &self.feed, &self.order, &self.load)
    }

    /// Keeps what an opened version says about the file that it corrects. It says the same each time.
    pub(crate) fn note_corrected(&self, corrects: Option<FileId>) {
        if let Some(corrects) = corrects {
            self.corrects.get_or_init(|| corrects);
        }
    }
}
