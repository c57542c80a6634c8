//! Files of a feed that an operator holds: they wait in the ledger, and their messages are acknowledged.
//!
//! Each file asks whether its feed is held, so that a hold is in force for every file that is received after it. The
//! note that a file waits is a transaction that fails without the hold: a file either waits before the release, which
//! then finds it, or it is processed.

use ledger::{Claim, FileHeld, FileId, State};
use telemetry::Occurrence;

use crate::{Processor, ProcessorStore, error::ProcessError};

impl<S: ProcessorStore> Processor<S> {
    /// Lets a file wait when its feed is held. Returns how it is left; `None`: the file is to be claimed.
    pub(crate) async fn wait_if_held(&self, claim: &Claim) -> Result<Option<State>, ProcessError> {
        if self.store.hold(&claim.partner, &claim.feed).await?.is_none() {
            return Ok(None);
        }
        match self.store.hold_file(claim).await? {
            FileHeld::Waits => {
                let file = FileId::of(&claim.file);
                tracing::info!(file = file.as_str(), "the feed is held: the file waits for its release");
                Ok(Some(State::Held))
            }
            FileHeld::Released => Ok(None),
            FileHeld::Leased { until_ms } => Err(ProcessError::Held { until_ms }),
            FileHeld::Decided(entry) => {
                self.count(Occurrence::RedundantDelivery);
                self.publish_all(*entry).await.map(Some)
            }
        }
    }
}
