//! The result of a post.

use outbound::signature::MalformedSecret;
use outbound::{PostError, TargetError};
use runtime::announcement::Interruption;
use store::Error;
use telemetry::Occurrence;

/// Why a message needs no further delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The partner has no webhook, or the file no registered partner.
    NoReceiver,
    /// The receiver accepted it: status 200 to 299.
    Delivered(u16),
    /// The receiver wants no more posts (status 410, Standard Webhooks 1.0.0, "Delivery success and failure"). The
    /// webhook stays in the table until the partner or an operator takes it out.
    Unwanted,
}

/// Why a message is to be delivered again. Nothing in it holds an address, a secret or a body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// The message is not an announcement.
    #[error(
        "the message is not an announcement of an outcome: only the outcome topic may send to this queue"
    )]
    Unknown,
    /// The partner's webhook or the file's name could not be read.
    #[error("the partner's webhook or the file's name could not be read")]
    Partners(#[from] Error),
    /// The partner's secret cannot sign.
    #[error("the secret of the partner's webhook is malformed: set the webhook again")]
    Secret(#[from] MalformedSecret),
    /// The address is not allowed.
    #[error("the address of the partner's webhook is not allowed: set the webhook again")]
    Address(#[from] TargetError),
    /// The post did not arrive.
    #[error("the outcome could not be posted")]
    Post(#[source] PostError),
    /// The receiver did not accept it.
    #[error("the receiver answered with status {status}")]
    Status {
        /// The status.
        status: u16,
        /// When it asks to be tried again, seconds.
        retry_after: Option<u32>,
    },
    /// The circuit of the partner's receiver is open.
    #[error(
        "the circuit of the partner's receiver is open after repeated failures: the outcome is not posted now"
    )]
    CircuitOpen {
        /// Until when, milliseconds since the epoch.
        until_ms: u64,
    },
    /// The invocation's time is nearly over.
    #[error("the invocation ends before the receiver answered: the outcome is posted again later")]
    OutOfTime,
    /// A panic was caught.
    #[error("a defect in the webhook function: the delivery panicked")]
    Panicked,
}

impl From<Interruption> for DeliveryError {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::OutOfTime => Self::OutOfTime,
            Interruption::Panicked => Self::Panicked,
        }
    }
}

impl From<PostError> for DeliveryError {
    fn from(failure: PostError) -> Self {
        match failure {
            PostError::TargetError(rejected) => Self::Address(rejected),
            other => Self::Post(other),
        }
    }
}

impl DeliveryError {
    /// Returns whether the receiver caused the failure, so that its circuit breaker counts it.
    pub(crate) fn is_the_receivers(&self) -> bool {
        matches!(self, Self::Address(_) | Self::Post(_) | Self::Status { .. })
    }

    /// Returns what is counted instead of a delivery, when the receiver did not cause the failure.
    pub(crate) fn occurrence(&self) -> Option<Occurrence> {
        match self {
            Self::Unknown => Some(Occurrence::ForeignMessage),
            Self::Partners(error) => Some(Occurrence::service_failed(error.is_denied())),
            Self::OutOfTime => Some(Occurrence::Handover),
            Self::Panicked => Some(Occurrence::Panic),
            Self::Secret(_)
            | Self::Address(_)
            | Self::Post(_)
            | Self::Status { .. }
            | Self::CircuitOpen { .. } => None,
        }
    }

    /// Returns a code for logs and metrics.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Partners(_) => "partners",
            Self::Secret(_) => "secret",
            Self::Address(rejected) => rejected.code(),
            Self::Post(failure) => failure.code(),
            Self::Status { status, .. } => status_class(*status),
            Self::CircuitOpen { .. } => "circuit-open",
            Self::OutOfTime => "out-of-time",
            Self::Panicked => "panic",
        }
    }
}

impl Done {
    /// Returns a code for logs and metrics.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NoReceiver => "no-receiver",
            Self::Delivered(status) => status_class(status),
            Self::Unwanted => "410",
        }
    }
}

fn status_class(status: u16) -> &'static str {
    match status {
        200..=299 => "2xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use store::Operation;

    use super::*;

    #[test]
    fn a_table_that_rejects_is_counted_as_a_missing_permission() {
        let counted = |code: &str| DeliveryError::from(Error::new(Operation::ReadPartner, code)).occurrence();
        assert_eq!(counted("AccessDeniedException"), Some(Occurrence::AccessError));
        assert_eq!(counted("ThrottlingException"), Some(Occurrence::RetryableError));
    }
}
