//! The result of a delivery.

use runtime::announcement::Interruption;
use store::Error;
use telemetry::{Occurrence, OutboxResult};

/// What the outbox has for a file after a delivery, so that its message needs no other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutboxState {
    /// The partner has no S3 principals, or the file no registered partner.
    NoReader,
    /// The receipt was written, and rejected records with it or not.
    Written { rejects: bool },
    /// The outbox has this receipt already.
    Unchanged,
    /// The outbox has the receipt of a newer version of the name.
    Newer,
    /// The file has no receipt: it was ignored, or is processed again.
    NoReceipt,
    /// The receipt is not in the quarantine bucket any more.
    Expired,
    /// The file's key is so long that the outbox has no place for a receipt.
    KeyTooLong,
}

/// Why a message is to be delivered again. Nothing in it holds a name or a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboxError {
    /// The message is not an announcement.
    #[error(
        "the message is not an announcement of an outcome: only the outcome topic may send to this queue"
    )]
    Unknown,
    /// A service failed.
    #[error("the outbox could not be brought up to date")]
    Store(#[from] Error),
    /// A receipt is not JSON.
    #[error("the receipt of the file in the quarantine bucket is not a JSON object")]
    Malformed,
    /// Others wrote at each attempt.
    #[error("other deliveries wrote the same receipt at each attempt")]
    Contested,
    /// The invocation's time is nearly over.
    #[error("the invocation ends before the outbox is up to date: the outcome is delivered again later")]
    OutOfTime,
    /// A panic was caught.
    #[error("a defect in the outbox function: the delivery panicked")]
    Panicked,
}

impl From<Interruption> for OutboxError {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::OutOfTime => Self::OutOfTime,
            Interruption::Panicked => Self::Panicked,
        }
    }
}

impl OutboxError {
    /// Returns what is counted instead of a delivery, when it is more than a failed one.
    pub(crate) fn occurrence(&self) -> Option<Occurrence> {
        match self {
            Self::Unknown => Some(Occurrence::ForeignMessage),
            Self::Store(error) => Some(Occurrence::service_failed(error.is_denied())),
            Self::OutOfTime => Some(Occurrence::Handover),
            Self::Panicked => Some(Occurrence::Panic),
            Self::Malformed | Self::Contested => None,
        }
    }

    /// Returns whether every other delivery fails as well. A receipt is written once and cannot change: its message
    /// goes to the dead letters, and their alarm comes, after minutes and not after hours.
    pub(crate) fn stays(&self) -> bool {
        match self {
            Self::Malformed => true,
            Self::Unknown | Self::Store(_) | Self::Contested | Self::OutOfTime | Self::Panicked => false,
        }
    }

    /// Returns a code for logs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Store(_) => "store",
            Self::Malformed => "malformed-receipt",
            Self::Contested => "contested",
            Self::OutOfTime => "out-of-time",
            Self::Panicked => "panic",
        }
    }
}

impl OutboxState {
    /// Returns the result and a code for logs.
    pub(crate) fn result(self) -> (OutboxResult, &'static str) {
        match self {
            Self::NoReader => (OutboxResult::Nothing, "no-reader"),
            Self::Written { rejects: false } => (OutboxResult::Written, "receipt"),
            Self::Written { rejects: true } => (OutboxResult::Written, "receipt-and-rejects"),
            Self::Unchanged => (OutboxResult::Unchanged, "same"),
            Self::Newer => (OutboxResult::Unchanged, "newer-version"),
            Self::NoReceipt => (OutboxResult::Nothing, "no-receipt"),
            Self::Expired => (OutboxResult::Nothing, "expired"),
            Self::KeyTooLong => (OutboxResult::Nothing, "key-too-long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use store::Operation;

    use super::*;

    #[test]
    fn a_denied_call_is_counted_as_a_missing_permission() {
        let counted = |code: &str| OutboxError::from(Error::new(Operation::WriteOutbox, code)).occurrence();
        assert_eq!(counted("AccessDenied"), Some(Occurrence::AccessError));
        assert_eq!(counted("SlowDown"), Some(Occurrence::RetryableError));
    }
}
