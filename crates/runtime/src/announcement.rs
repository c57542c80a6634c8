//! Announcements of outcomes, as the processor publishes them and a queue delivers them (raw message delivery): how one
//! is read, how a batch is delivered, and how a message is given back.

use std::future::Future;
use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use futures_util::future::join_all;
use lambda_runtime::Diagnostic;
use ledger::{FileId, State, UNKNOWN, is_name};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Queue;

use crate::{Deadline, Host, Message, batch, caught, deliver_again};

/// Time kept for giving messages back, milliseconds.
const RESERVE_MS: u64 = 10_000;

/// The part of an announcement that says which file was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncedOutcome {
    /// The partner whose file it is; `None` when the key names no registered partner.
    pub partner: Option<String>,
    /// The file.
    pub file: FileId,
    /// The terminal state that was announced. The ledger's may be another one by now.
    pub state: State,
}

/// The event is not a batch of a queue.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown event: expected a batch of an SQS queue")]
pub struct UnknownEvent;

impl From<UnknownEvent> for Diagnostic {
    fn from(unknown: UnknownEvent) -> Self {
        Self { error_type: "UnknownEvent".to_owned(), error_message: unknown.to_string() }
    }
}

/// Decodes an invocation's event. A message that `read` does not know as an announcement has the body `None`.
///
/// # Errors
///
/// The event is not a batch of a queue.
pub fn decode<A>(
    event: &Value,
    read: impl Fn(&str) -> Option<A>,
) -> Result<Vec<Message<Option<A>>>, UnknownEvent> {
    batch(event, |text: String| read(&text)).ok_or(UnknownEvent)
}

impl AnnouncedOutcome {
    /// Reads an announcement; `None` for any other text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::of(&serde_json::from_str(text).ok()?)
    }

    /// Reads the members of an announcement; `None` for those of anything else.
    #[must_use]
    pub fn of(members: &Map<String, Value>) -> Option<Self> {
        let AnnouncedMembers { file_id: file, partner, state } =
            AnnouncedMembers::deserialize(members).ok()?;
        let state = State::parse(&state).filter(|state| !matches!(state, State::Processing | State::Held))?;
        // `unknown` is published for every partner that is not registered.
        let partner = Some(partner).filter(|partner| !["", UNKNOWN].contains(&partner.as_str()));
        if partner.as_deref().is_some_and(|partner| !is_name(partner)) {
            return None;
        }
        Some(Self { partner, file, state })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnnouncedMembers {
    file_id: FileId,
    #[serde(default)]
    partner: String,
    state: String,
}

/// Delivers all messages of a batch at once, each within its own time, and returns the answer to the batch. `deliver`
/// returns whether its message is to be delivered again. The invocation ends at `deadline_ms` (milliseconds since the
/// epoch).
pub async fn deliver_all<'m, B, F: Future<Output = bool>>(
    messages: &'m [Message<B>],
    deadline_ms: u64,
    host: &Host,
    deliver: impl Fn(&'m Message<B>, Duration) -> F,
) -> SqsBatchResponse {
    let now_ms = host.now();
    let time = Deadline::new(deadline_ms, now_ms).less(RESERVE_MS).remaining(now_ms);
    let failed = join_all(messages.iter().map(|message| deliver(message, time))).await;
    deliver_again(messages.iter().zip(failed).filter(|(_, failed)| *failed).map(|(message, _)| message))
}

/// Why a delivery has no end of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The invocation's time is nearly over.
    OutOfTime,
    /// A panic was caught. It concerns this delivery only.
    Panicked,
}

/// Returns how a delivery ended that has this time.
///
/// # Errors
///
/// Those of the delivery, and its [`Interruption`].
pub async fn within<T, E: From<Interruption>>(
    time: Duration,
    delivery: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(time, caught(delivery)).await {
        Ok(Some(ended)) => ended,
        Ok(None) => Err(Interruption::Panicked.into()),
        Err(_) => Err(Interruption::OutOfTime.into()),
    }
}

/// Returns the pause before the next delivery of a message that was received so often. The last pause repeats.
#[must_use]
pub fn pause_after<const N: usize>(receive_count: u32, pauses: &[u32; N]) -> u32 {
    let attempt = usize::try_from(receive_count.saturating_sub(1)).unwrap_or(usize::MAX);
    pauses.get(attempt).or(pauses.last()).copied().unwrap_or_default()
}

/// Makes a message visible again after a pause, seconds, which is lengthened by up to a quarter, at random. A failure
/// costs time only: the queue's own visibility time-out applies.
pub async fn give_back<B>(queue: &impl Queue, host: &Host, message: &Message<B>, pause: u32) {
    let seconds = pause + host.jitter(pause / 4);
    if let Err(error) = queue.defer(&message.receipt_handle, seconds).await {
        tracing::warn!(
            error = telemetry::chain(&error),
            "the visibility of the message could not be changed: it returns after the visibility time-out of the queue"
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const FILE: &str = "r5g61a45bnmyhnp8sgqw0ymkjv";

    fn announcement() -> Value {
        json!({ "version": 1, "fileId": FILE, "load": format!("{FILE}-ce8hmn7mrjtx6"), "partner": "north-clinic",
            "feed": "visits", "state": "QUARANTINED", "loaded": 0, "fault": "HEADER" })
    }

    #[test]
    fn an_announcement_names_its_file_and_partner() {
        let read = |partner: &str| {
            let mut announcement = announcement();
            announcement["partner"] = json!(partner);
            AnnouncedOutcome::read(&announcement.to_string()).expect("an announcement")
        };
        let announced = read("north-clinic");
        assert_eq!(announced.partner.as_deref(), Some("north-clinic"));
        assert_eq!((announced.file.as_str(), announced.state), (FILE, State::Quarantined));
        for unregistered in ["", "unknown"] {
            assert_eq!(read(unregistered).partner, None, "{unregistered}");
        }
    }

    #[test]
    fn anything_but_an_announcement_is_none() {
        for (member, value) in [
            ("fileId", json!("../x")),
            ("fileId", json!(7)),
            ("state", json!("PROCESSING")),
            ("state", json!("complete")),
            ("state", Value::Null),
            ("partner", json!("North Clinic")),
            ("partner", json!("../south")),
        ] {
            let mut changed = announcement();
            changed[member] = value.clone();
            assert_eq!(AnnouncedOutcome::read(&changed.to_string()), None, "{member} {value}");
        }
        for text in ["", "[]", "null", "\"x\"", "{\"Records\":[]}"] {
            assert_eq!(AnnouncedOutcome::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_batch_without_ids_is_unknown_and_a_message_without_a_body_is_empty() {
        let decode = |event: &Value| decode(event, AnnouncedOutcome::read);
        assert_eq!(decode(&json!({ "Records": [{ "messageId": "m" }] })), Err(UnknownEvent));
        let bare = json!({ "Records": [{ "messageId": "m", "receiptHandle": "h" }] });
        let message = Message { id: "m".into(), receipt_handle: "h".into(), receive_count: 1, body: None };
        assert_eq!(decode(&bare), Ok(vec![message]));
    }

    #[test]
    fn pauses_become_longer_and_the_last_one_repeats() {
        let pauses =
            [0, 1, 2, 3, 4, u32::MAX].map(|receive_count| pause_after(receive_count, &[10, 60, 300]));
        assert_eq!(pauses, [10, 10, 60, 300, 300, 300]);
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(text: String) {
            prop_assert!(AnnouncedOutcome::read(&text).is_none());
        }
    }
}
