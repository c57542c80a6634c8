//! What is known of an attempt at a file outside of it, whatever becomes of it.

use store::{Fence, FileId, OpenUploads};

use crate::journal::Working;

/// An attempt at a file: what is left to do when it ended, also when it panicked or was stopped at an await.
#[derive(Debug, Default)]
pub(crate) struct FileAttempt {
    /// The file version, as soon as it is known: for the log.
    pub(crate) id: Option<FileId>,
    /// Uploads that must not outlive the attempt.
    pub(crate) uploads: OpenUploads,
    claim: Option<OpenClaim>,
}

/// The claim that is worked on.
#[derive(Debug)]
pub(crate) struct OpenClaim {
    pub(crate) fence: Fence,
    pub(crate) journal: Option<Working>,
}

impl FileAttempt {
    /// Work on the claimed file begins.
    pub(crate) fn begin(&mut self, fence: Fence, journal: Option<Working>) {
        self.claim = Some(OpenClaim { fence, journal });
    }

    /// Work on the claimed file ended in an orderly way: nothing that fails from here on is a death.
    pub(crate) fn end(&mut self) {
        if let Some(journal) = self.claim.take().and_then(|claim| claim.journal) {
            journal.end();
        }
    }

    /// Returns the claim whose work did not end in an orderly way: it panicked.
    pub(crate) fn died(&mut self) -> Option<OpenClaim> {
        self.claim.take()
    }
}
