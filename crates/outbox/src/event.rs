//! The event of the function: a batch of announcements, each as the processor published it (raw message delivery).

use lambda_runtime::Diagnostic;
use ledger::{FileId, State};
use runtime::{Message, batch};
use serde::Deserialize;
use serde_json::Value;

/// An announcement, as far as it is needed here: which file to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnnouncedOutcome {
    /// The partner whose file it is; `None` when the key names no registered partner.
    pub(crate) partner: Option<String>,
    pub(crate) file: FileId,
    /// The state that was announced. The ledger's may be another one by now.
    pub(crate) state: State,
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

/// Decodes an invocation's event. A message that is not an announcement has the body `None`.
pub(crate) fn decode(event: &Value) -> Result<Vec<Message<Option<AnnouncedOutcome>>>, UnknownEvent> {
    batch(event, |text: String| AnnouncedOutcome::read(&text)).ok_or(UnknownEvent)
}

impl AnnouncedOutcome {
    /// Reads an announcement; `None` for any other text.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let AnnouncedMembers { file_id: file, partner, state } = serde_json::from_str(text).ok()?;
        let state = State::parse(&state).filter(|state| !matches!(state, State::Processing | State::Held))?;
        // `unknown` is published for every partner that is not registered.
        let partner = Some(partner).filter(|partner| !["", runtime::UNKNOWN].contains(&partner.as_str()));
        if partner.as_deref().is_some_and(|partner| !runtime::is_name(partner)) {
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
        assert_eq!(decode(&json!({ "Records": [{ "messageId": "m" }] })), Err(UnknownEvent));
        let bare = json!({ "Records": [{ "messageId": "m", "receiptHandle": "h" }] });
        let message = Message { id: "m".into(), receipt_handle: "h".into(), receive_count: 1, body: None };
        assert_eq!(decode(&bare), Ok(vec![message]));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(text: String) {
            prop_assert!(AnnouncedOutcome::read(&text).is_none());
        }
    }
}
