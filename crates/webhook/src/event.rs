//! What woke the function: a batch of announcements, each as the processor published it (raw message delivery).

use bytes::Bytes;
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;
use store::{FileId, LoadId, State};

/// One message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, for the partial batch response.
    pub id: String,
    /// Its receipt handle, to change its visibility.
    pub receipt_handle: String,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// What it says; `None`: it is no announcement.
    pub notice: Option<Notice>,
}

/// An announcement: the ids that are needed to post it, and its text as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whose file it is; `None` for a file whose key names no partner.
    pub partner: Option<String>,
    /// The file.
    pub file: FileId,
    /// Its load: another one after a replay.
    pub load: LoadId,
    /// Its terminal state.
    pub state: State,
    /// The announcement, byte by byte.
    pub body: Bytes,
}

/// The function was woken by something that it does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is no SQS batch")]
pub struct UnknownEvent;

impl From<UnknownEvent> for Diagnostic {
    fn from(unknown: UnknownEvent) -> Self {
        Self { error_type: "UnknownEvent".to_owned(), error_message: unknown.to_string() }
    }
}

/// Decodes an invocation's event.
pub fn decode(event: &Value) -> Result<Vec<Message>, UnknownEvent> {
    let batch = Batch::deserialize(event).map_err(|_| UnknownEvent)?;
    Ok(batch.records.into_iter().map(Message::from).collect())
}

impl Notice {
    /// Reads an announcement; `None` for a text that is none.
    #[must_use]
    pub fn read(text: String) -> Option<Self> {
        let announced: Announced = serde_json::from_str(&text).ok()?;
        let state = State::parse(&announced.state)?;
        let partner = Some(announced.partner).filter(|partner| !partner.is_empty());
        if state == State::Processing || partner.as_deref().is_some_and(|partner| !feed::is_name(partner)) {
            return None;
        }
        let load = LoadId::parse(&announced.load).filter(|load| load.file() == announced.file_id)?;
        Some(Self { partner, file: announced.file_id, load, state, body: text.into() })
    }

    /// The value of `webhook-id`: `<load>-<state>`, the same however often the outcome is announced, another one when the
    /// file is processed again, and without a full stop, which separates what is signed.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}-{}", self.load, self.state.as_str())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Announced {
    file_id: FileId,
    load: String,
    #[serde(default)]
    partner: String,
    state: String,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<QueueRecord>,
}

/// Id and receipt handle are required: a message that cannot be named cannot be given back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueueRecord {
    message_id: String,
    receipt_handle: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    attributes: QueueAttributes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueAttributes {
    approximate_receive_count: Option<String>,
}

impl From<QueueRecord> for Message {
    fn from(record: QueueRecord) -> Self {
        let count = record.attributes.approximate_receive_count.and_then(|count| count.parse().ok());
        Self {
            id: record.message_id,
            receipt_handle: record.receipt_handle,
            receive_count: count.unwrap_or(1),
            notice: Notice::read(record.body),
        }
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
    fn an_announcement_is_kept_byte_by_byte_and_named_after_file_and_state() {
        let text = format!(" {}", announcement());
        let notice = Notice::read(text.clone()).expect("an announcement");
        assert_eq!(notice.id(), format!("{FILE}-ce8hmn7mrjtx6-QUARANTINED"));
        assert_eq!((notice.partner.as_deref(), &notice.body[..]), (Some("north-clinic"), text.as_bytes()));
    }

    #[test]
    fn a_file_of_nobody_is_an_announcement_for_nobody() {
        let mut nobody = announcement();
        nobody["partner"] = json!("");
        assert_eq!(Notice::read(nobody.to_string()).map(|notice| notice.partner), Some(None));
    }

    #[test]
    fn what_is_no_announcement_is_none() {
        for (member, value) in [
            ("fileId", json!("../x")),
            ("fileId", json!(7)),
            ("state", json!("PROCESSING")),
            ("state", json!("complete")),
            ("state", Value::Null),
            ("partner", json!("North Clinic")),
            ("partner", json!("a\r\nx: y")),
        ] {
            let mut changed = announcement();
            changed[member] = value.clone();
            assert_eq!(Notice::read(changed.to_string()), None, "{member} {value}");
        }
        for text in ["", "[]", "null", "\"x\"", "{\"Records\":[]}"] {
            assert_eq!(Notice::read(text.to_owned()), None, "{text}");
        }
    }

    #[test]
    fn a_batch_without_ids_is_unknown_and_a_message_without_a_body_is_only_no_announcement() {
        for event in
            [json!({}), json!({ "Records": [{}] }), json!({ "Records": [{ "messageId": "m" }] }), json!(1)]
        {
            assert_eq!(decode(&event), Err(UnknownEvent), "{event}");
        }
        let bare = json!({ "Records": [{ "messageId": "m", "receiptHandle": "h",
            "attributes": { "ApproximateReceiveCount": "many" } }] });
        let message = Message { id: "m".into(), receipt_handle: "h".into(), receive_count: 1, notice: None };
        assert_eq!(decode(&bare), Ok(vec![message]));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic_and_an_id_is_always_fit_for_a_header(text: String, state in "[A-Z]{0,12}|COMPLETE") {
            prop_assert!(Notice::read(text).is_none());
            let mut changed = announcement();
            changed["state"] = json!(state);
            if let Some(notice) = Notice::read(changed.to_string()) {
                prop_assert!(notice.id().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            }
        }
    }
}
