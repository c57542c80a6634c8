//! What a message of the topic says: the change of an alarm's state, or something else.
//!
//! CloudWatch publishes a change as JSON ("Amazon SNS notifications from alarms", CloudWatch User Guide). The
//! description of an alarm of the stack has on lines of their own what the alarm means, what to do (`Do: …`), what
//! has happened when it is resolved (`Resolved: …`), and of which incident it is a part (`Incident: …`). An alarm
//! without the last line is an incident of its own.

use runtime::parse_instant;
use serde::Deserialize;
use store::AlarmState;

use crate::event::TopicMessage;
use crate::quantity::Quantity;
use crate::recent::Compared;
use crate::trigger::Trigger;

/// The most of a text that is no change of an alarm, in characters.
const OTHER_CHARACTERS: usize = 2_000;
/// The longest name that is taken for one, in characters: CloudWatch's own limit for alarms.
const NAME_CHARACTERS: usize = 255;
/// The number of recent values in a message.
const VALUES: usize = 5;

/// A change of an alarm's state, or another message, which is passed on as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmChange {
    /// The alarm.
    pub alarm: String,
    /// The incident of which it is a part.
    pub incident: String,
    /// Whether its description names the incident, which then may have several alarms.
    pub is_part: bool,
    /// What it changed to; `None` for another message.
    pub state: Option<AlarmState>,
    /// When, milliseconds since the epoch.
    pub changed_ms: u64,
    /// What the alarm means.
    pub meaning: String,
    /// What to do; empty when the description does not say it.
    pub advice: String,
    /// What has happened when it is resolved; empty when the description does not say it.
    pub resolved: String,
    /// The values that CloudWatch gave as its reason, newest first.
    pub values: Vec<f64>,
    /// What the alarm compares; `None` for a composite alarm, and where the message does not say it whole.
    pub compared: Option<Compared>,
    /// The same in words; `None` for a composite alarm.
    pub quantity: Option<Quantity>,
    /// The metrics that the alarm reads.
    pub metrics: Vec<String>,
    /// The dimensions of the metrics: partner, feed, function, queue.
    pub places: Vec<(String, String)>,
    /// The alarms that set off a composite one.
    pub because_of: Vec<String>,
    /// The region, from the alarm's ARN.
    pub region: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmNotification {
    alarm_name: String,
    #[serde(default)]
    alarm_description: Option<String>,
    new_state_value: String,
    #[serde(default)]
    new_state_reason: String,
    state_change_time: String,
    #[serde(default)]
    alarm_arn: String,
    #[serde(default)]
    trigger: Trigger,
    #[serde(default)]
    triggering_children: Vec<Child>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Child {
    arn: String,
}

impl AlarmChange {
    /// Reads a message. A message that is not a change of an alarm is passed on as it is, under its own id.
    #[must_use]
    pub fn read(notice: &TopicMessage) -> Self {
        let published: Option<AlarmNotification> = serde_json::from_str(&notice.message).ok();
        published.and_then(Self::of).unwrap_or_else(|| Self::other(notice))
    }

    fn of(published: AlarmNotification) -> Option<Self> {
        let alarm = Some(plain(&published.alarm_name, NAME_CHARACTERS)).filter(|name| !name.is_empty())?;
        let state = match published.new_state_value.as_str() {
            "ALARM" => AlarmState::Alarm,
            "OK" => AlarmState::Ok,
            "INSUFFICIENT_DATA" => AlarmState::InsufficientData,
            _ => return None,
        };
        let description = Description::read(&published.alarm_description.unwrap_or_default());
        let name = |text: &str| plain(text, NAME_CHARACTERS);
        let places = published.trigger.places().into_iter();
        Some(Self {
            is_part: description.incident.is_some(),
            incident: description.incident.unwrap_or_else(|| alarm.clone()),
            state: Some(state),
            changed_ms: parse_instant(&published.state_change_time)?,
            meaning: description.meaning,
            advice: description.advice,
            resolved: description.resolved,
            values: values(&published.new_state_reason),
            compared: compared(&published.trigger),
            quantity: published.trigger.quantity(),
            metrics: published.trigger.metrics().into_iter().map(name).collect(),
            places: places.map(|(dimension, value)| (name(dimension), name(value))).collect(),
            because_of: published
                .triggering_children
                .iter()
                .filter_map(|child| name_of(&child.arn))
                .collect(),
            region: region(&published.alarm_arn),
            alarm,
        })
    }

    fn other(notice: &TopicMessage) -> Self {
        let name = format!("message-{}", plain(&notice.message_id, 64));
        Self {
            alarm: notice.subject.as_deref().map_or_else(|| name.clone(), |text| plain(text, 100)),
            incident: name,
            is_part: false,
            state: None,
            changed_ms: notice.published_ms,
            meaning: plain(&notice.message, OTHER_CHARACTERS),
            advice: String::new(),
            resolved: String::new(),
            values: Vec::new(),
            compared: None,
            quantity: None,
            metrics: Vec::new(),
            places: Vec::new(),
            because_of: Vec::new(),
            region: None,
        }
    }

    /// Returns the value of a dimension.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<&str> {
        self.places.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An alarm's description, line by line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Description {
    /// What the alarm means.
    pub(crate) meaning: String,
    /// What to do.
    pub(crate) advice: String,
    /// What has happened when it is resolved.
    pub(crate) resolved: String,
    /// The incident of which the alarm is a part, when it says one.
    pub(crate) incident: Option<String>,
}

impl Description {
    pub(crate) fn read(text: &str) -> Self {
        let after = |mark: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(mark));
            found.map(|text| plain(text, OTHER_CHARACTERS)).unwrap_or_default()
        };
        let meaning = text.lines().next().filter(|line| !line.starts_with("Do: ")).unwrap_or_default();
        Self {
            meaning: plain(meaning, OTHER_CHARACTERS),
            advice: after("Do: "),
            resolved: after("Resolved: "),
            incident: Some(after("Incident: ")).filter(|name| !name.is_empty()),
        }
    }
}

/// Returns a text without control characters, which would make lines of their own, and not longer than this.
pub(crate) fn plain(text: &str, characters: usize) -> String {
    let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().map(shown).take(characters).collect::<String>().trim().to_owned()
}

/// Reads the values in `… datapoints [3.0 (21/11/26 06:00:00), 2.0 (…)] was greater than …`.
pub(crate) fn values(reason: &str) -> Vec<f64> {
    let inside = reason.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inside, _)| inside);
    let words = inside.unwrap_or_default().split(',').filter_map(|part| part.split_whitespace().next());
    let numbers = words.filter_map(|word| word.parse::<f64>().ok());
    numbers.filter(|value| value.is_finite()).take(VALUES).collect()
}

fn compared(trigger: &Trigger) -> Option<Compared> {
    let (queries, period_seconds) = (trigger.queries(), trigger.period_seconds()?);
    (!queries.is_empty()).then_some(Compared { queries, period_seconds })
}

/// Returns the alarm of `arn:<partition>:cloudwatch:<region>:<account>:alarm:<name>`.
fn name_of(arn: &str) -> Option<String> {
    arn.splitn(7, ':').nth(6).map(|name| plain(name, NAME_CHARACTERS)).filter(|name| !name.is_empty())
}

fn region(arn: &str) -> Option<String> {
    let region = arn.split(':').nth(3)?;
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (!region.is_empty() && region.bytes().all(letters)).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn notice(message: impl Into<String>) -> TopicMessage {
        TopicMessage {
            message_id: "5f".to_owned(),
            subject: Some("AWS Budgets: a limit".to_owned()),
            message: message.into(),
            published_ms: 1_795_240_800_500,
        }
    }

    #[test]
    fn a_change_is_read_as_cloudwatch_publishes_it() {
        let message = json!({
            "AlarmName": "s-reject-ratio-labs", "AWSAccountId": "111122223333", "NewStateValue": "ALARM",
            "AlarmDescription": "Too many.\nDo: read them.\nResolved: Few again.\nIncident: s-quality",
            "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [6.25 (21/11/26 05:55:00)] was greater than the threshold (5.0).",
            "StateChangeTime": "2026-11-21T06:00:00.123+0000", "Region": "EU (Frankfurt)", "OldStateValue": "OK",
            "AlarmArn": "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:s-reject-ratio-labs",
            "Trigger": {"Period": 300, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0, "Metrics": [
                {"Id": "percent", "Expression": "100 * rejects / (rejects + rows)", "ReturnData": true},
                {"Id": "rejects", "MetricStat": {"Metric": {"MetricName": "Rejects", "Namespace": "N",
                    "Dimensions": [{"value": "labs", "name": "feed"}]}, "Period": 300, "Stat": "Sum"}}]},
        });
        let change = AlarmChange::read(&notice(message.to_string()));
        assert_eq!((change.alarm.as_str(), change.incident.as_str()), ("s-reject-ratio-labs", "s-quality"));
        assert_eq!((change.state, change.changed_ms), (Some(AlarmState::Alarm), 1_795_240_800_123));
        assert_eq!((change.meaning.as_str(), change.advice.as_str()), ("Too many.", "read them."));
        assert_eq!((change.resolved.as_str(), change.values.as_slice()), ("Few again.", &[6.25][..]));
        assert_eq!(change.quantity.expect("a metric").name, "rejected records");
        assert_eq!(
            (change.metrics, change.places),
            (vec!["Rejects".to_owned()], vec![("feed".to_owned(), "labs".to_owned())])
        );
        assert_eq!(change.region.as_deref(), Some("eu-central-1"));
    }

    #[test]
    fn a_dimension_is_read_in_both_spellings() {
        for (name, value) in [("name", "value"), ("Name", "Value")] {
            let dimension = json!({name: "feed", value: "labs"});
            let trigger = json!({"MetricName": "Rejects", "Dimensions": [dimension], "Threshold": 5.0});
            let message = json!({"AlarmName": "s-a", "NewStateValue": "ALARM", "Trigger": trigger,
                "StateChangeTime": "2026-11-21T06:00:00.000+0000"});
            let change = AlarmChange::read(&notice(message.to_string()));
            assert_eq!((change.alarm.as_str(), change.place("feed")), ("s-a", Some("labs")));
        }
    }

    #[test]
    fn a_composite_alarm_names_what_set_it_off() {
        let message = json!({
            "AlarmName": "s-partner-api", "NewStateValue": "OK", "StateChangeTime": "2026-11-21T06:00:00.000+0000",
            "AlarmRule": "ALARM(\"s-a\")",
            "TriggeringChildren": [{"Arn": "arn:aws:cloudwatch:eu-central-1:1:alarm:s-a", "State": {"Value": "OK"}}],
        });
        let change = AlarmChange::read(&notice(message.to_string()));
        assert_eq!((change.state, change.because_of), (Some(AlarmState::Ok), vec!["s-a".to_owned()]));
        assert_eq!((change.incident.as_str(), change.quantity), ("s-partner-api", None));
    }

    #[test]
    fn anything_else_is_passed_on_as_it_is_under_its_own_id() {
        let change = AlarmChange::read(&notice("You spent\n100 dollars"));
        assert_eq!((change.alarm.as_str(), change.incident.as_str()), ("AWS Budgets: a limit", "message-5f"));
        assert_eq!((change.state, change.meaning.as_str()), (None, "You spent 100 dollars"));
    }

    #[test]
    fn a_missing_datapoint_is_no_value() {
        assert!(values("no datapoints were received, missing is [NonBreaching]").is_empty());
        assert_eq!(values("[3.0 (21/11/26 05:55:00), 2.5 (21/11/26 05:50:00)]"), [3.0, 2.5]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let message = json!({"AlarmName": text, "NewStateValue": "ALARM", "NewStateReason": text,
                "StateChangeTime": text, "AlarmDescription": text, "AlarmArn": text}).to_string();
            for message in [text.clone(), message] {
                let change = AlarmChange::read(&notice(message));
                prop_assert!(!change.meaning.chars().any(char::is_control));
            }
            prop_assert!(parse_instant(&text).is_none_or(|at| at > 0 || text.contains("1970")));
        }
    }
}
