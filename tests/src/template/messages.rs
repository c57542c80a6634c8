//! What people read of every alarm of the stack, when it goes off and when it is over: through the notifier itself, with
//! the mail and in the form of each channel.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use host::Host;
use notifier::alarm::Change;
use notifier::event::decode;
use notifier::files::Files;
use notifier::message::Message;
use notifier::{Notifier, Settings, render};
use outbound::Policy;
use serde_json::{Value, json};
use store::memory::Memory;
use store::{Incident, Incidents as _};

use super::ALARMS;
use super::cloudwatch::{Alarm, State};
use super::expanded::{Resource, scalar};

/// 21 November 2026, six o'clock in the morning (UTC), milliseconds since the epoch.
const BEGIN_MS: u64 = 1_795_240_800_000;
const MINUTE_MS: u64 = 60_000;

/// What CloudWatch publishes when an alarm changes its state.
fn event(resource: &Resource, state: State, minute: u64) -> Value {
    let name = scalar(resource.at("/AlarmName"));
    let word = if state == State::Alarm { "ALARM" } else { "OK" };
    let mut message = json!({
        "AlarmName": name,
        "AlarmDescription": scalar(resource.at("/AlarmDescription")),
        "AWSAccountId": "111122223333",
        "NewStateValue": word,
        "StateChangeTime": format!("2026-11-21T06:{minute:02}:00.000+0000"),
        "Region": "EU (Frankfurt)",
        "AlarmArn": format!("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:{name}"),
    });
    if resource.kind == "AWS::CloudWatch::CompositeAlarm" {
        message["AlarmRule"] = resource.at("/AlarmRule").clone();
    } else {
        let alarm = Alarm::read(resource);
        let value = alarm.threshold + if state == State::Alarm { 1.5 } else { 0.0 };
        message["NewStateReason"] =
            json!(format!("Threshold Crossed: 1 datapoint [{value:?} (21/11/26 05:55:00)] was compared"));
        message["Trigger"] = trigger(&alarm);
    }
    let sns =
        json!({"MessageId": "m", "Message": message.to_string(), "Timestamp": "2026-11-21T06:00:00.000Z"});
    json!({"Records": [{"EventSource": "aws:sns", "Sns": sns}]})
}

fn trigger(alarm: &Alarm) -> Value {
    let dimensions = |metric: &super::cloudwatch::Metric| -> Vec<Value> {
        metric.dimensions.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    };
    let mut trigger = json!({"ComparisonOperator": "GreaterThanThreshold", "Threshold": alarm.threshold});
    if let [metric] = alarm.metrics.as_slice() {
        trigger["MetricName"] = json!(metric.name);
        trigger["Dimensions"] = json!(dimensions(metric));
    } else {
        let stats = alarm.metrics.iter().map(|metric| {
            let inner = json!({"MetricName": metric.name, "Namespace": metric.namespace, "Dimensions": dimensions(metric)});
            json!({"Id": metric.id, "MetricStat": {"Metric": inner, "Stat": "Sum"}})
        });
        trigger["Metrics"] = stats.collect();
    }
    trigger
}

/// A notifier in memory, at this minute.
fn notifier(memory: &Memory, minute: &Arc<AtomicU64>) -> Notifier<Memory, Memory> {
    let clock = Arc::clone(minute);
    let host = Host {
        now_ms: Box::new(move || BEGIN_MS + clock.load(Ordering::Relaxed) * MINUTE_MS),
        random: Box::new(|| [0; 16]),
        metric: Box::new(|_| {}),
    };
    let settings = Settings { channels_secret: None, policy: Policy::Public, namespace: "n".to_owned() };
    Notifier::new(memory.clone(), memory.clone(), settings, host).expect("a notifier")
}

/// The alarms that the notifier hears of, metric alarms first.
fn heard() -> Vec<&'static Resource> {
    let kinds = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"];
    let all = kinds.iter().flat_map(|kind| ALARMS[0].of_kind(kind));
    all.filter(|alarm| scalar(&alarm.at("/AlarmActions")[0]) == "${AlarmTopic}").collect()
}

/// The alarm whose recovery ends an alarm's incident: its composite alarm, or itself.
fn closer(alarm: &Resource) -> &Resource {
    let description = scalar(alarm.at("/AlarmDescription"));
    let Some((_, incident)) = description.split_once("\nIncident: ") else { return alarm };
    let mut composites = ALARMS[0].of_kind("AWS::CloudWatch::CompositeAlarm");
    match composites.find(|composite| scalar(composite.at("/AlarmName")) == incident) {
        Some(composite) if composite.id != alarm.id => {
            heard().into_iter().find(|heard| heard.id == composite.id).expect("it is heard")
        }
        _ => alarm,
    }
}

#[tokio::test]
async fn every_alarm_is_one_page_and_one_recovery_however_often_it_is_delivered() {
    let mut told = String::new();
    for alarm in heard() {
        let (memory, minute) = (Memory::new(), Arc::new(AtomicU64::new(0)));
        let notifier = notifier(&memory, &minute);
        for (resource, state, at) in
            [(alarm, State::Alarm, 0), (alarm, State::Ok, 10), (closer(alarm), State::Ok, 10)]
        {
            minute.store(at, Ordering::Relaxed);
            for _ in 0..3 {
                notifier.handle(&event(resource, state, at)).await.expect("told");
            }
        }
        let mailed = memory.mailed();
        assert_eq!(mailed.len(), 2, "{}: {mailed:?}", alarm.id);
        let kept = memory.incident(&scalar(closer(alarm).at("/AlarmName"))).await.expect("memory");
        assert!(kept.is_some_and(|incident| !incident.open && incident.done), "{}", alarm.id);
        for (subject, text) in mailed {
            writeln!(told, "[{subject}]\n{text}\n").expect("a text takes everything");
        }
    }
    insta::assert_snapshot!("mail", told);
}

/// Every alarm in a channel's form, one line for each state.
fn lines(form: impl Fn(&Message) -> Value) -> String {
    let mut lines = Vec::new();
    for alarm in heard() {
        for (state, minute) in [(State::Alarm, 0), (State::Ok, 10)] {
            let notices = decode(&event(alarm, state, minute)).expect("a message");
            let change = Change::read(&notices[0]);
            let incident = Incident {
                open: state == State::Alarm,
                alarm: change.alarm.clone(),
                changed_ms: change.changed_ms,
                since_ms: BEGIN_MS,
                told: std::collections::BTreeSet::new(),
                done: false,
                lease_until_ms: 0,
                folded: 0,
            };
            lines.push(form(&Message::new(&change, &incident, &Files::NotAsked)).to_string());
        }
    }
    lines.join("\n")
}

#[test]
fn every_alarm_has_the_form_of_each_channel() {
    insta::assert_snapshot!("slack", lines(render::slack));
    insta::assert_snapshot!("pagerduty", lines(|message| render::pagerduty(message, "routing-key")));
    insta::assert_snapshot!("teams", lines(render::teams));
    insta::assert_snapshot!("webhook", lines(render::json));
}
