//! What woke the function: messages of the alarm topic.

use aws_lambda_events::sns::{SnsEvent, SnsMessage};
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

/// One message of the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicMessage {
    /// SNS's name for it, the same whenever it is delivered.
    pub message_id: String,
    /// Its subject, when it has one.
    pub subject: Option<String>,
    /// Its text.
    pub message: String,
    /// When it was published, milliseconds since the epoch.
    pub published_ms: u64,
}

/// The function was woken by something that it does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown event: expected messages of an SNS topic")]
pub struct UnknownEvent;

impl From<UnknownEvent> for Diagnostic {
    fn from(unknown: UnknownEvent) -> Self {
        Self { error_type: "UnknownEvent".to_owned(), error_message: unknown.to_string() }
    }
}

/// Decodes an invocation's event.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>
pub fn decode(event: &Value) -> Result<Vec<TopicMessage>, UnknownEvent> {
    // The error's text may repeat a part of the event, so it ends here.
    let event = SnsEvent::deserialize(event).map_err(|_| UnknownEvent)?;
    Ok(event.records.into_iter().map(|record| record.sns.into()).collect())
}

impl From<SnsMessage> for TopicMessage {
    fn from(sns: SnsMessage) -> Self {
        Self {
            message_id: sns.message_id,
            subject: sns.subject,
            message: sns.message,
            published_ms: u64::try_from(sns.timestamp.timestamp_millis()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Returns an event as Lambda passes it on, with one message.
    fn event(message: &Value) -> Value {
        let mut sns = json!({
            "Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-central-1:111122223333:s-alarms",
            "Subject": null, "Message": "{}", "Timestamp": "2026-11-21T06:00:00.500Z", "SignatureVersion": "1",
            "Signature": "c2ln", "SigningCertUrl": "https://sns.eu-central-1.amazonaws.com/a.pem",
            "UnsubscribeUrl": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe", "MessageAttributes": {},
        });
        for (name, value) in message.as_object().into_iter().flatten() {
            sns[name] = value.clone();
        }
        json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0",
            "EventSubscriptionArn": "arn:aws:sns:eu-central-1:111122223333:s-alarms:1", "Sns": sns}]})
    }

    #[test]
    fn a_message_is_read_with_and_without_a_subject() {
        for (subject, expected) in [(json!(null), None), (json!("Budget"), Some("Budget"))] {
            let notices = decode(&event(&json!({ "Subject": subject }))).unwrap();
            let [notice] = &notices[..] else { panic!("one message") };
            assert_eq!((notice.message_id.as_str(), notice.subject.as_deref()), ("m", expected));
            assert_eq!((notice.message.as_str(), notice.published_ms), ("{}", 1_795_240_800_500));
        }
    }

    #[test]
    fn what_is_no_message_is_rejected_without_a_word_of_it() {
        let other = [
            json!({"Records": [{"body": "canary-value"}]}),
            json!({"Records": "canary-value"}),
            event(&json!({"Timestamp": "canary-value"})),
        ];
        for other in other {
            let rejected = decode(&other).unwrap_err();
            assert!(!Diagnostic::from(rejected).error_message.contains("canary-value"));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let said = event(&json!({"MessageId": text, "Subject": text, "Message": text}));
            prop_assert_eq!(decode(&said).map(|notices| notices.len()), Ok(1));
            prop_assert_eq!(decode(&json!({ "Records": text })), Err(UnknownEvent));
        }
    }
}
