//! What woke the function: the schedule.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

/// A tick of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The scheduled time, milliseconds since the epoch: the "now" of the whole run.
    pub at_ms: u64,
}

/// The function was woken by something that it does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown event: expected a scheduled event of EventBridge with its time")]
pub struct UnknownEvent;

impl From<UnknownEvent> for Diagnostic {
    fn from(unknown: UnknownEvent) -> Self {
        Self { error_type: "UnknownEvent".to_owned(), error_message: unknown.to_string() }
    }
}

impl Tick {
    /// Decodes an invocation's event.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html>
    pub fn decode(event: &Value) -> Result<Self, UnknownEvent> {
        // The error's text may repeat a part of the event, so it ends here. A schedule has no details to speak of.
        let scheduled = EventBridgeEvent::<Option<Value>>::deserialize(event).map_err(|_| UnknownEvent)?;
        if scheduled.detail_type != "Scheduled Event" {
            return Err(UnknownEvent);
        }
        let at_ms = scheduled.time.and_then(|time| u64::try_from(time.timestamp_millis()).ok());
        Ok(Self { at_ms: at_ms.ok_or(UnknownEvent)? })
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
        for (member, value) in [
            ("time", json!("now")),
            ("time", json!(null)),
            ("time", json!(7)),
            ("detail-type", json!("Object Created")),
        ] {
            let mut other = event.clone();
            other[member] = value;
            assert_eq!(Tick::decode(&other), Err(UnknownEvent), "{other}");
        }
        assert_eq!(Tick::decode(&json!({})), Err(UnknownEvent));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_an_instant_reads_back(text: String, at_ms in 0_u64..200_000_000_000_000) {
            let event = |time: &str| json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": time});
            prop_assert!(Tick::decode(&event(&text)).is_err());
            prop_assert_eq!(Tick::decode(&event(&runtime::format_instant(at_ms))), Ok(Tick { at_ms }));
        }
    }
}
