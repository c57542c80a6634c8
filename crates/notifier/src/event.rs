//! What woke the function: messages of the alarm topic.

use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

/// One message of the topic.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Notice {
    /// SNS's name for it, the same whenever it is delivered.
    pub message_id: String,
    /// Its subject, when it has one.
    #[serde(default)]
    pub subject: Option<String>,
    /// Its text.
    pub message: String,
    /// When it was published, ISO 8601.
    pub timestamp: String,
}

/// The function was woken by something that it does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is no message of an SNS topic")]
pub struct UnknownEvent;

impl From<UnknownEvent> for Diagnostic {
    fn from(unknown: UnknownEvent) -> Self {
        Self { error_type: "UnknownEvent".to_owned(), error_message: unknown.to_string() }
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "Sns")]
    sns: Notice,
}

/// Decodes an invocation's event.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>
pub fn decode(event: &Value) -> Result<Vec<Notice>, UnknownEvent> {
    let event = Event::deserialize(event).map_err(|_| UnknownEvent)?;
    Ok(event.records.into_iter().map(|record| record.sns).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_read_with_and_without_a_subject() {
        let sns = json!({"MessageId": "m", "Subject": null, "Message": "{}", "Timestamp": "2026-11-21T06:00:00.000Z"});
        let [notice] = &decode(&json!({"Records": [{"EventSource": "aws:sns", "Sns": sns}]})).unwrap()[..]
        else {
            panic!("one message")
        };
        assert_eq!((notice.message_id.as_str(), notice.subject.as_deref()), ("m", None));
        assert_eq!(decode(&json!({"Records": [{"body": "{}"}]})), Err(UnknownEvent));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let event = json!({"Records": [{"Sns": {"MessageId": text, "Message": text, "Timestamp": text}}]});
            prop_assert_eq!(decode(&event).map(|notices| notices.len()), Ok(1));
            prop_assert_eq!(decode(&json!({ "Records": text })), Err(UnknownEvent));
        }
    }
}
