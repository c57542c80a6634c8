//! What woke the function: the schedule.

use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

use crate::instant::parse;

/// A tick of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The scheduled time, milliseconds since the epoch: the "now" of the whole run.
    pub at_ms: u64,
}

/// The function was woken by something that it does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is no scheduled event with its time")]
pub struct UnknownEvent;

impl From<UnknownEvent> for Diagnostic {
    fn from(unknown: UnknownEvent) -> Self {
        Self { error_type: "UnknownEvent".to_owned(), error_message: unknown.to_string() }
    }
}

#[derive(Deserialize)]
struct Scheduled {
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: String,
}

impl Tick {
    /// Decodes an invocation's event.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html>
    pub fn decode(event: &Value) -> Result<Self, UnknownEvent> {
        let scheduled = Scheduled::deserialize(event).map_err(|_| UnknownEvent)?;
        if scheduled.detail_type != "Scheduled Event" {
            return Err(UnknownEvent);
        }
        Ok(Self { at_ms: parse(&scheduled.time).ok_or(UnknownEvent)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tick_is_its_scheduled_time_and_other_events_are_unknown() {
        let event = json!({"version": "0", "source": "aws.events", "detail-type": "Scheduled Event",
            "time": "2026-11-21T06:00:00Z", "detail": {}});
        assert_eq!(Tick::decode(&event), Ok(Tick { at_ms: 1_795_240_800_000 }));
        for (member, value) in
            [("time", json!("now")), ("time", json!(7)), ("detail-type", json!("Object Created"))]
        {
            let mut other = event.clone();
            other[member] = value;
            assert_eq!(Tick::decode(&other), Err(UnknownEvent), "{other}");
        }
        assert_eq!(Tick::decode(&json!({})), Err(UnknownEvent));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let event = json!({"detail-type": "Scheduled Event", "time": text});
            prop_assert_eq!(Tick::decode(&event).is_ok(), parse(&text).is_some());
        }
    }
}
