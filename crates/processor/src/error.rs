//! Why work on a file ends before the file is terminal.

use store::Error;
use telemetry::Occurrence;

/// Why work on a file ends before the file is terminal. The file is delivered again.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Another invocation works on it.
    #[error("another invocation has the lease")]
    Held {
        /// End of the other's lease, milliseconds since the epoch.
        until_ms: u64,
    },
    /// An older version of its name is not decided yet, and a name belongs to the oldest good one.
    #[error("an older version of the name is not decided yet")]
    Behind,
    /// Another invocation took it over while this one worked.
    #[error("another invocation took the file over")]
    Lost,
    /// The invocation's time is nearly over.
    #[error("the invocation's time is nearly over")]
    OutOfTime,
    /// The invocation's time is nearly over, and rows were written since the file was claimed.
    #[error("the invocation's time is nearly over, and the file goes on from its checkpoint")]
    Advanced,
    /// The event names another bucket than the inbox.
    #[error("the event names a bucket that is not the inbox")]
    Foreign,
    /// The message is no event that this function knows.
    #[error("the message is no S3 event")]
    Unknown,
    /// A panic was caught.
    #[error("processing panicked")]
    Panicked,
    /// The two readings of one version do not agree.
    #[error("the second reading of the file differs from the first")]
    Differs,
    /// A receipt or report could not be written as JSON.
    #[error("a document could not be written")]
    Document(#[from] serde_json::Error),
    /// A service failed.
    #[error("a service failed")]
    Failed(#[from] Error),
}

impl ProcessError {
    /// Returns what is counted.
    pub(crate) fn occurrence(&self) -> Occurrence {
        match self {
            Self::Held { .. } => Occurrence::LeaseHeld,
            Self::Behind => Occurrence::OlderVersionAwaited,
            Self::Lost => Occurrence::FenceLost,
            Self::OutOfTime | Self::Advanced => Occurrence::Handover,
            Self::Foreign | Self::Unknown => Occurrence::ForeignMessage,
            Self::Panicked => Occurrence::Panic,
            Self::Failed(error) => Occurrence::service_failed(error.is_denied()),
            Self::Differs | Self::Document(_) => Occurrence::RetryableError,
        }
    }

    /// Returns whether the claim is still ours to release. That of a panic is released once its death is recorded.
    pub(crate) fn releases(&self) -> bool {
        matches!(self, Self::Behind | Self::OutOfTime | Self::Differs | Self::Document(_) | Self::Failed(_))
    }

    /// Returns whether this is a course of events that needs nobody's attention.
    pub(crate) fn is_usual(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::Behind | Self::Lost | Self::OutOfTime | Self::Advanced)
    }
}
