//! The states of the stack's alarms, set as CloudWatch would set them, and a receiver of their messages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::emulator::Emulator;
use super::harness::Harness;
use super::http;
use super::loopback::{Heard, Loopback};

/// The secret by which the notifier signs for the receiver: 32 bytes in base64.
pub(super) const SIGNING: &str = "whsec_c2lsZW50LXNjYWxwZXItZW5kLXRvLWVuZC10ZXN0cyE=";

/// An alarm of the stack.
pub(super) struct StackAlarm {
    pub(super) name: String,
    /// The incident of which it is a part.
    pub(super) incident: String,
    /// What it says to do.
    pub(super) advice: String,
    /// What has happened when it is resolved.
    pub(super) resolved: String,
    /// Whether its changes are sent to the notifier.
    pub(super) is_notified: bool,
    /// Whether the emulator knows what it compares: it keeps one metric, and neither metric math nor a rule over
    /// alarms.
    pub(super) has_metric: bool,
}

impl Harness {
    /// Makes a harness whose notifier posts to a receiver.
    pub(super) async fn open_telling(operators: &Loopback) -> Self {
        let emulator = Emulator::start();
        let channels = json!({"webhook": {"url": format!("{}/incidents", operators.url), "secret": SIGNING}});
        let request = json!({"Name": "channels", "SecretString": channels.to_string(), "ClientRequestToken": "0".repeat(32)});
        let kept = http::call(&emulator.endpoint, "secretsmanager", "secretsmanager.CreateSecret", &request);
        let arn = kept["ARN"].as_str().expect("the secret's ARN").to_owned();
        Self::open_on(
            emulator,
            &[format!("ChannelsSecretArn={arn}"), "Monitoring=Full".to_owned(), "Outbox=On".to_owned()],
        )
        .await
    }

    /// Returns every alarm that there is, those that compute from others last.
    pub(super) fn alarms(&self) -> Vec<StackAlarm> {
        let request = json!({"MaxRecords": 100, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]});
        let all = self.cloudwatch("DescribeAlarms", &request);
        let kinds = ["MetricAlarms", "CompositeAlarms"].into_iter();
        let alarms = kinds.flat_map(|kind| all[kind].as_array().cloned().unwrap_or_default());
        alarms.map(|alarm| self.alarm(&alarm)).collect()
    }

    fn alarm(&self, alarm: &Value) -> StackAlarm {
        let text = |name: &str| alarm[name].as_str().unwrap_or_default().to_owned();
        let (name, description) = (text("AlarmName"), text("AlarmDescription"));
        let line = |mark| description.lines().find_map(|line| line.strip_prefix(mark)).map(str::to_owned);
        let is_notified =
            alarm["AlarmActions"].as_array().is_some_and(|all| all.contains(&json!(self.names.alarm_topic)));
        StackAlarm {
            incident: line("Incident: ").unwrap_or_else(|| name.clone()),
            advice: line("Do: ").unwrap_or_else(|| panic!("{name} does not say what to do")),
            resolved: line("Resolved: ").unwrap_or_else(|| panic!("{name} does not say what has happened")),
            is_notified,
            has_metric: !text("MetricName").is_empty(),
            name,
        }
    }

    /// Changes an alarm's state, with a reason as CloudWatch writes it.
    pub(super) fn set_alarm(&self, name: &str, state: &str, value: f64) {
        let reason = format!("Threshold Crossed: 1 datapoint [{value:?} (21/11/26 05:55:00)] was compared");
        let request = json!({"AlarmName": name, "StateValue": state, "StateReason": reason});
        self.cloudwatch("SetAlarmState", &request);
    }

    fn cloudwatch(&self, operation: &str, request: &Value) -> Value {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        http::call(&self.emulator.endpoint, "monitoring", &target, request)
    }
}

/// Returns whether one of the signatures is of this secret: Standard Webhooks, written out once more for the tests.
pub(super) fn signed(heard: &Heard, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(format!("{}.{}.", heard.header("webhook-id"), heard.header("webhook-timestamp")).as_bytes());
    mac.update(&heard.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    heard.header("webhook-signature").split(' ').any(|signature| signature == expected)
}
