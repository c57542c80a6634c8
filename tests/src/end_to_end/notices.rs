//! What operators read when alarms change, and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::alarms::{SIGNING, StackAlarm, signed};
use super::harness::{Harness, PATIENCE};
use super::loopback::{Heard, Loopback};

/// Messages of one incident.
const STORM: usize = 500;
/// How many of them are published before it is waited for: the emulator has a process for each that runs at once.
const WAVE: usize = 20;
const SECOND: Duration = Duration::from_secs(1);
/// Between two looks at what cannot be waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[tokio::test]
async fn every_alarm_is_told_once_when_it_goes_off_and_once_when_it_is_resolved() {
    let operators = Loopback::start("{}");
    let harness = Harness::open_telling(&operators).await;
    let alarms = harness.alarms();
    let sent: Vec<&StackAlarm> = alarms.iter().filter(|alarm| alarm.is_notified).collect();
    assert!(sent.len() >= 30, "{} alarms", sent.len());
    for alarm in &alarms {
        harness.set_alarm(&alarm.name, "OK", 0.0);
    }
    let mut by_incident: BTreeMap<&str, Vec<&StackAlarm>> = BTreeMap::new();
    for alarm in &sent {
        by_incident.entry(&alarm.incident).or_default().push(alarm);
    }
    let endings: BTreeMap<&str, &str> =
        alarms.iter().map(|alarm| (alarm.name.as_str(), alarm.resolved.as_str())).collect();
    let rounds = by_incident.values().map(Vec::len).max().unwrap_or_default();
    for round in 0..rounds {
        for (incident, alarms) in &by_incident {
            if let Some(alarm) = alarms.get(round) {
                one_page_and_one_recovery(&harness, &operators, alarm, endings[incident]).await;
            }
        }
        // The emulator stamps changes with whole seconds, and of two at the same time the second is no news.
        tokio::time::sleep(SECOND).await;
    }
    assert!(operators.all().is_empty(), "something was sent twice");
    assert_eq!(harness.messages(&harness.names.notifier_dead_letters).await, 0);
    let own: BTreeSet<&str> =
        alarms.iter().filter(|alarm| !alarm.is_notified).map(|alarm| alarm.name.as_str()).collect();
    mailed_without_the_notifier(&harness, &own).await;
    assert!(operators.all().is_empty(), "the notifier sent a message about itself");
    eprintln!(
        "{} alarms of {} incidents sent, {} mailed without the notifier",
        sent.len(),
        by_incident.len(),
        own.len()
    );
}

/// Drives the notifier's own alarms to ALARM and back: what is mailed is CloudWatch's message itself.
async fn mailed_without_the_notifier(harness: &Harness, own: &BTreeSet<&str>) {
    let is_own = |name: &&str| name.starts_with("silent-scalper-dev-notifier-");
    assert!(own.len() >= 4 && own.iter().all(is_own), "{own:?}");
    harness.mail().await;
    let mut expected = BTreeSet::new();
    for name in own {
        for (state, value) in [("ALARM", 97.5), ("OK", 0.0)] {
            harness.set_alarm(name, state, value);
            expected.insert(((*name).to_owned(), state.to_owned()));
        }
    }
    let mut mailed = BTreeSet::new();
    let all_come = async {
        while mailed != expected {
            for mail in harness.mail().await {
                let change: Value = serde_json::from_str(&mail).expect("CloudWatch's message");
                let member = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
                assert!(mailed.insert((member("AlarmName"), member("NewStateValue"))), "twice: {mail}");
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, all_come).await.is_ok(), "not all were mailed");
}

/// Drives an alarm to ALARM and back. The composite alarm of its incident follows it, and is the same page.
async fn one_page_and_one_recovery(
    harness: &Harness,
    operators: &Loopback,
    alarm: &StackAlarm,
    ending: &str,
) {
    let incident = alarm.incident.as_str();
    harness.set_alarm(&alarm.name, "ALARM", 97.5);
    let opened = payload(&operators.next());
    assert_eq!(
        (&opened["status"], &opened["incident"]),
        (&json!("alarm"), &json!(incident)),
        "{}: {opened}",
        alarm.name
    );
    let advice = opened["do"].as_str().expect("what to do");
    assert!(advice.contains('`') && !opened["meaning"].as_str().unwrap_or_default().is_empty(), "{opened}");
    let is_own = opened["alarm"] == alarm.name.as_str();
    assert!(is_own || opened["alarm"] == incident, "{}: {opened}", alarm.name);
    assert!(!is_own || advice == alarm.advice, "{opened}");
    assert_eq!(opened["title"], format!("ALARM {}", opened["alarm"].as_str().unwrap_or_default()));
    // A composite alarm has no metric: where it opens its incident, it names the alarm that is on.
    let has_reading = |fact: &Value| {
        let text = fact["text"].as_str().unwrap_or_default();
        text.contains("alarm above ") && (is_own || text.starts_with(&alarm.name))
    };
    let facts = opened["facts"].as_array().expect("facts");
    assert!(!alarm.has_metric || facts.iter().any(has_reading), "no value and threshold: {opened}");
    until_told(harness, incident, true).await;
    harness.set_alarm(&alarm.name, "OK", 0.0);
    let closed = payload(&operators.next());
    until_told(harness, incident, false).await;
    let expected = (&json!("resolved"), &json!(incident), &json!(incident), &json!(""));
    assert_eq!(
        (&closed["status"], &closed["incident"], &closed["alarm"], &closed["do"]),
        expected,
        "{}: {closed}",
        alarm.name
    );
    let title = closed["title"].as_str().unwrap_or_default();
    assert!(title.starts_with(&format!("RESOLVED {incident}")), "{closed}");
    assert_eq!(closed["meaning"], ending, "{closed}");
}

/// Waits until the ledger says that every channel took the message.
async fn until_told(harness: &Harness, incident: &str, open: bool) {
    let key = json!({"S": format!("incident#{incident}")});
    let is_notified =
        |item: &Value| item["pk"] == key && item["open"]["BOOL"] == open && item["done"]["BOOL"] == true;
    let wait = async {
        while !harness.ledger().await.iter().any(is_notified) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let ended = tokio::time::timeout(PATIENCE, wait).await;
    assert!(ended.is_ok(), "{incident} is not sent on every channel:\n{}", harness.emulator.log());
}

fn payload(heard: &Heard) -> Value {
    assert!(signed(heard, SIGNING), "the signature is that of the secret");
    let payload: Value = serde_json::from_slice(&heard.body).expect("JSON");
    assert_eq!(payload["version"], 1);
    payload
}

#[tokio::test]
async fn a_storm_of_one_incident_is_one_page_and_one_recovery() {
    let operators = Loopback::start("{}");
    let harness = Harness::open_telling(&operators).await;
    let change = |alarm: &str, state: &str, second: usize| {
        json!({
            "AlarmName": alarm, "NewStateValue": state, "OldStateValue": "OK", "AlarmDescription": "Files wait.\nDo: `look`.\nResolved: Files no longer wait.\nIncident: storm",
            "NewStateReason": "Threshold Crossed: 1 datapoint [7.0 (21/11/26 05:55:00)] was greater than the threshold (0.0).",
            "StateChangeTime": format!("2026-11-21T06:{:02}:{:02}.000+0000", second / 60, second % 60),
        })
        .to_string()
    };
    for wave in 0..STORM / WAVE {
        for number in wave * WAVE..(wave + 1) * WAVE {
            publish(&harness, &change(&format!("part-{}", number % 7), "ALARM", number)).await;
        }
        until_handled(&harness, (wave + 1) * WAVE).await;
    }
    let opened = payload(&operators.next());
    assert_eq!((&opened["status"], &opened["incident"]), (&json!("alarm"), &json!("storm")), "{opened}");
    until_told(&harness, "storm", true).await;
    publish(&harness, &change("storm", "OK", STORM)).await;
    let closed = payload(&operators.next());
    assert_eq!(closed["status"], "resolved", "{closed}");
    assert_eq!(closed["title"], "RESOLVED storm after 8 minutes", "{closed}");
    assert_eq!(closed["meaning"], "Files no longer wait.", "{closed}");
    let folded = closed["facts"]
        .as_array()
        .and_then(|facts| facts.iter().find(|fact| fact["name"] == "further changes"));
    assert_eq!(folded.map(|fact| &fact["text"]), Some(&json!((STORM - 1).to_string())), "{closed}");
    until_handled(&harness, STORM + 1).await;
    assert!(operators.all().is_empty(), "a page too many");
    assert_eq!(harness.messages(&harness.names.notifier_dead_letters).await, 0);
}

async fn publish(harness: &Harness, message: &str) {
    let publish = harness.sns.publish().topic_arn(&harness.names.alarm_topic).message(message);
    publish.send().await.expect("publish to the alarm topic");
}

/// Waits until this number of changes was sent or folded.
async fn until_handled(harness: &Harness, changes: usize) {
    let wait = async {
        loop {
            let logs = harness.logs_of(&harness.names.notifier_logs);
            let folded = logs.matches("folded into its incident").count();
            let sent = logs
                .lines()
                .filter(|line| line.contains("incident notified") && line.contains("\"webhook\""))
                .count();
            if folded + sent >= changes {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let handled = tokio::time::timeout(PATIENCE, wait).await;
    assert!(handled.is_ok(), "the notifier is not done with {changes} changes:\n{}", harness.emulator.log());
}
