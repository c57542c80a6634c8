//! What people read of every alarm of the stack, when it goes off and when it is resolved: through the notifier itself,
//! with the mail and in the form of each channel.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger::{Claim, Claimed, Commit, Fence, FileId, LoadId, Outcome, State};
use notifier::alarm::AlarmChange;
use notifier::event::decode;
use notifier::files::AlarmFiles;
use notifier::message::{AlarmMessage, MessageContext};
use notifier::recent::Recent;
use notifier::{Notifier, Settings, render};
use outbound::AddressPolicy;
use runtime::Host;
use serde_json::{Value, json};
use store::memory::Memory;
use store::{
    AlarmNow, AlarmState, Incident, Incidents as _, MetricMeasure, MetricQuery, Partner, PartnerLimits,
    WriteLedger as _, WritePartners as _,
};

use super::ALARMS;
use super::cloudwatch::{AlarmDefinition, AlarmMetric};
use super::expanded::{Resource, scalar};

/// 21 November 2026, six o'clock in the morning (UTC), milliseconds since the epoch.
const BEGIN_MS: u64 = 1_795_240_800_000;
const MINUTE_MS: u64 = 60_000;

/// What CloudWatch publishes when an alarm changes its state.
fn event(resource: &Resource, state: AlarmState, minute: u64) -> Value {
    let name = scalar(resource.at("/AlarmName"));
    let word = if state == AlarmState::Alarm { "ALARM" } else { "OK" };
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
        let alarm = AlarmDefinition::read(resource);
        let value = alarm.threshold + if state == AlarmState::Alarm { 2.0 } else { 0.0 };
        message["NewStateReason"] =
            json!(format!("Threshold Crossed: 1 datapoint [{value:?} (21/11/26 05:55:00)] was compared"));
        message["Trigger"] = trigger(&alarm);
    }
    let sns = json!({"MessageId": "m", "Message": message.to_string(), "Timestamp": "2026-11-21T06:00:00.000Z",
        "Type": "Notification", "TopicArn": "t", "SignatureVersion": "1",
        "Signature": "s", "SigningCertUrl": "c", "UnsubscribeUrl": "u"});
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "a", "Sns": sns}]})
}

fn trigger(alarm: &AlarmDefinition) -> Value {
    let dimensions = |metric: &AlarmMetric| -> Vec<Value> {
        metric.dimensions.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    };
    let mut trigger = json!({"ComparisonOperator": "GreaterThanThreshold", "Threshold": alarm.threshold});
    if let [metric] = alarm.metrics.as_slice() {
        trigger["Namespace"] = json!(metric.namespace);
        trigger["MetricName"] = json!(metric.name);
        trigger["Dimensions"] = json!(dimensions(metric));
        trigger["Period"] = json!(metric.period);
        if metric.statistic.starts_with('p') {
            trigger["ExtendedStatistic"] = json!(metric.statistic);
        } else {
            trigger["Statistic"] = json!(metric.statistic.to_uppercase());
        }
    } else {
        let stats = alarm.metrics.iter().map(|metric| {
            let inner = json!({"MetricName": metric.name, "Namespace": metric.namespace, "Dimensions": dimensions(metric)});
            let stat = json!({"Metric": inner, "Stat": metric.statistic, "Period": metric.period});
            json!({"Id": metric.id, "MetricStat": stat, "ReturnData": false})
        });
        let computed = json!({"Id": "computed", "Expression": alarm.expression, "ReturnData": true});
        trigger["Metrics"] = stats.chain([computed]).collect();
    }
    trigger
}

/// A series of the only metric that memory has: quiet, over the threshold, quiet again.
fn measure(memory: &Memory, alarm: &Resource) {
    if alarm.kind == "AWS::CloudWatch::Alarm" {
        let alarm = AlarmDefinition::read(alarm);
        let period_ms = u64::from(alarm.metrics[0].period) * 1_000;
        for (periods, above) in [(4, 0.0), (3, 2.0), (1, 3.0)] {
            memory.measure(BEGIN_MS - periods * period_ms, alarm.threshold + above);
        }
        memory.measure(BEGIN_MS + 9 * MINUTE_MS, 0.0);
    }
}

/// Sets a metric alarm as CloudWatch would have it now.
fn set(memory: &Memory, resource: &Resource, state: AlarmState, value: f64) {
    let alarm = AlarmDefinition::read(resource);
    let mut queries: Vec<MetricQuery> = alarm.metrics.iter().map(query).collect();
    if let [only] = queries.as_mut_slice() {
        only.returned = true;
    } else {
        let measure = MetricMeasure::Expression(alarm.expression.clone());
        queries.push(MetricQuery { id: "computed".to_owned(), measure, returned: true });
    }
    memory.set_alarm(AlarmNow {
        name: alarm.name,
        description: scalar(resource.at("/AlarmDescription")),
        is_on: state == AlarmState::Alarm,
        reason: format!("Threshold Crossed: 1 datapoint [{value:?} (21/11/26 05:55:00)] was compared"),
        queries,
        period_seconds: Some(alarm.metrics[0].period),
        comparison: "GreaterThanThreshold".to_owned(),
        threshold: Some(alarm.threshold),
    });
}

fn query(metric: &AlarmMetric) -> MetricQuery {
    let measure = MetricMeasure::Metric {
        namespace: metric.namespace.clone(),
        name: metric.name.clone(),
        dimensions: metric.dimensions.clone().into_iter().collect(),
        statistic: metric.statistic.clone(),
    };
    MetricQuery { id: metric.id.clone(), measure, returned: false }
}

/// Returns the values that the alarm compared, as CloudWatch has them.
fn recent(change: &AlarmChange) -> Option<Recent> {
    let values = [0.0, 2.0, 14.5].map(Some);
    let compared = change.compared.as_ref()?;
    Some(Recent { values: values.into(), period_seconds: compared.period_seconds })
}

/// Makes a notifier in memory, at this minute.
fn notifier(memory: &Memory, minute: &Arc<AtomicU64>) -> Notifier<Memory> {
    let clock = Arc::clone(minute);
    let host = Host {
        now_ms: Box::new(move || BEGIN_MS + clock.load(Ordering::Relaxed) * MINUTE_MS),
        random: Box::new(|| [0; 16]),
        metric: Box::new(|_| {}),
    };
    let settings = Settings {
        channels_secret: None,
        policy: AddressPolicy::Public,
        stack: "under-test".to_owned(),
        metrics: telemetry::Metrics::all("n"),
    };
    Notifier::new(memory.clone(), settings, host).expect("a notifier")
}

/// Returns the alarms whose changes the notifier receives, metric alarms first.
fn heard() -> Vec<&'static Resource> {
    let kinds = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"];
    let all = kinds.iter().flat_map(|kind| ALARMS[0].of_kind(kind));
    all.filter(|alarm| scalar(&alarm.at("/AlarmActions")[0]) == "${AlarmTopic}").collect()
}

/// Returns the alarm whose recovery ends an alarm's incident: its composite alarm, or itself.
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
    let mut texts = String::new();
    for alarm in heard() {
        let (memory, minute) = (Memory::new(), Arc::new(AtomicU64::new(0)));
        measure(&memory, alarm);
        if alarm.kind == "AWS::CloudWatch::Alarm" {
            set(&memory, alarm, AlarmState::Alarm, AlarmDefinition::read(alarm).threshold + 2.0);
        }
        let notifier = notifier(&memory, &minute);
        for (resource, state, at) in
            [(alarm, AlarmState::Alarm, 0), (alarm, AlarmState::Ok, 10), (closer(alarm), AlarmState::Ok, 10)]
        {
            minute.store(at, Ordering::Relaxed);
            for _ in 0..3 {
                notifier.handle(&event(resource, state, at)).await.expect("sent");
            }
        }
        let mailed = memory.mailed();
        assert_eq!(mailed.len(), 2, "{}: {mailed:?}", alarm.id);
        let kept = memory.incident(&scalar(closer(alarm).at("/AlarmName"))).await.expect("memory");
        assert!(kept.is_some_and(|incident| !incident.open && incident.done), "{}", alarm.id);
        let resolved = resolved(closer(alarm));
        assert!(mailed[0].0.starts_with("ALARM ") && mailed[1].0.starts_with("RESOLVED "), "{mailed:?}");
        assert!(unwrapped(&mailed[1].1).contains(&resolved), "{}: {}", alarm.id, mailed[1].1);
        for (subject, text) in mailed {
            assert!(text.starts_with(&subject), "{text}");
            writeln!(texts, "[{subject}]\n{text}\n").expect("a text takes everything");
        }
    }
    insta::assert_snapshot!("mail", texts);
}

/// Returns a mail's text without the breaks between its words.
fn unwrapped(text: &str) -> String {
    text.replace('\n', " ")
}

/// What has happened when an alarm is resolved, by its description.
fn resolved(resource: &Resource) -> String {
    let description = scalar(resource.at("/AlarmDescription"));
    let resolved = description.lines().find_map(|line| line.strip_prefix("Resolved: "));
    resolved.expect("what has happened").to_owned()
}

#[tokio::test]
async fn a_page_of_an_incident_names_every_alarm_that_is_on_and_its_end_what_has_happened() {
    let (memory, minute) = (Memory::new(), Arc::new(AtomicU64::new(0)));
    let alarm = |id: &str| heard().into_iter().find(|alarm| alarm.id == id).expect("an alarm");
    for (id, state, value) in [
        ("ErrorsProcessor", AlarmState::Alarm, 3.0),
        ("DeadLettersInbox", AlarmState::Alarm, 12.0),
        ("InboxOldest", AlarmState::Alarm, 2_440.0),
        ("TableThrottlesLedger", AlarmState::Alarm, 1_040.0),
        ("LoadsStuck", AlarmState::Ok, 0.0),
        // Of another incident.
        ("ErrorsIngest", AlarmState::Alarm, 5.0),
    ] {
        set(&memory, alarm(id), state, value);
    }
    let notifier = notifier(&memory, &minute);
    let mut events = vec![event(alarm("ErrorsProcessor"), AlarmState::Alarm, 0)];
    events.push(event(alarm("DeadLettersInbox"), AlarmState::Alarm, 1));
    events.push(event(alarm("Processing"), AlarmState::Alarm, 1));
    events.push(event(alarm("Processing"), AlarmState::Ok, 25));
    for event in &events {
        notifier.handle(event).await.expect("sent");
    }
    let mailed = memory.mailed();
    let [(_, page), (_, end)] = mailed.as_slice() else { panic!("one page and one end: {mailed:?}") };
    for line in [
        "failed invocations: 2 in 5 minutes (alarm above 0)\n",
        "also on: under-test-inbox-dead-letters, messages in the queue: 12 (alarm above 0)\n",
        "also on: under-test-inbox-oldest, age of the oldest message: 2,440 seconds (40 min 40 s; alarm above 30 min)\n",
        "also on: under-test-ledger-table-throttles, throttled reads and throttled writes: 1,040 in 5 minutes (alarm above 0)\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
    assert!(!page.contains("stuck") && !page.contains("ingest"), "{page}");
    for line in [
        "RESOLVED under-test-processing after 25 minutes\n",
        "alarm: under-test-inbox-dead-letters: The dead-letter queue is empty again.\n",
        "alarm: under-test-processor-errors: Invocations of the function processor no longer fail.\n",
    ] {
        assert!(end.contains(line), "{line}{end}");
    }
    insta::assert_snapshot!("incident", format!("{page}\n\n{end}"));
}

#[tokio::test]
async fn an_incident_that_its_composite_alarm_opens_names_every_alarm_that_is_on() {
    let (memory, minute) = (Memory::new(), Arc::new(AtomicU64::new(0)));
    let alarm = |id: &str| heard().into_iter().find(|alarm| alarm.id == id).expect("an alarm");
    set(&memory, alarm("ApiErrors"), AlarmState::Alarm, 7.0);
    let opening = event(alarm("PartnerApi"), AlarmState::Alarm, 0);
    notifier(&memory, &minute).handle(&opening).await.expect("sent");
    let page = memory.mailed()[0].1.clone();
    let line =
        "alarm on: under-test-api-errors, requests answered with 5xx: 7 in 5 minutes (alarm above 0)\n";
    assert!(page.contains(line), "{page}");
}

/// A file that ended so, of ten records.
async fn end_file(memory: &Memory, place: &str, state: State, fault: Option<&str>, rejects: u64) {
    let file = memory.land("inbox", &format!("{place}/jane-doe.csv"), place.to_owned());
    let (partner, feed) = place.split_once('/').expect("a partner and a feed");
    let order = ledger::Order::parse("2026-11-21T05:58:00.000Z/1").expect("an order");
    let id = FileId::of(&file);
    let claim = Claim {
        load: LoadId::new(&id, &[0; 32], 1, 1),
        file: file.clone(),
        partner: partner.to_owned(),
        feed: feed.to_owned(),
        owner: "o".to_owned(),
        order,
        now_ms: BEGIN_MS,
        lease_until_ms: BEGIN_MS + 1,
    };
    let Ok(Claimed::Mine(entry)) = memory.claim(&claim).await else { panic!("a new file") };
    let limits = PartnerLimits { requests_per_second: 1, burst: 1, bytes_per_day: 1 };
    let known = Partner { name: partner.to_owned(), active: true, limits, created_ms: 1 };
    memory.put_partner(&known).await.expect("memory");
    let counts = json!({"records": 10, "rows": 10 - rejects, "rejects": rejects, "warnings": 0});
    let outcome = json!({"state": state.as_str(), "counts": counts, "fault": fault, "sha256": "", "bytes": 1,
        "contract_version": "", "contract_hash": "c0ffee", "receipt": "r"});
    let outcome: Outcome = serde_json::from_value(outcome).expect("an outcome");
    let fence = Fence::of(&entry);
    if state == State::Complete {
        let commit = Commit { fence, file, outcome, head: None, content: None, dead: Vec::new(), at_ms: 7 };
        memory.commit(&commit).await.expect("memory");
    } else {
        memory.finish(&fence, &outcome, 7).await.expect("memory");
    }
}

#[tokio::test]
async fn of_every_outcome_of_a_file_operators_read_what_is_not_good_and_how_to_look_closer() {
    let mut texts = String::new();
    let alarm = heard().into_iter().find(|alarm| alarm.id == "FilesQuarantined").expect("the alarm");
    for (state, fault, rejects) in [
        (State::Quarantined, Some("HEADER"), 0),
        (State::Quarantined, None, 7),
        (State::Complete, None, 2),
        (State::Complete, None, 0),
        (State::Superseded, None, 0),
        (State::Duplicate, None, 0),
        (State::Gone, None, 0),
        (State::Ignored, None, 0),
    ] {
        let (memory, minute) = (Memory::new(), Arc::new(AtomicU64::new(0)));
        end_file(&memory, "north/labs", state, fault, rejects).await;
        notifier(&memory, &minute).handle(&event(alarm, AlarmState::Alarm, 0)).await.expect("sent");
        let text = memory.mailed()[0].1.clone();
        assert!(!text.contains("jane"), "{text}");
        let about = ["file: ", "files: ", "command: "];
        let about_files = text.lines().filter(|line| about.iter().any(|begin| line.starts_with(begin)));
        let lines: Vec<&str> = about_files.collect();
        writeln!(texts, "[{} {fault:?} {rejects}]\n{}\n", state.as_str(), lines.join("\n"))
            .expect("a text takes everything");
    }
    insta::assert_snapshot!("outcomes", texts);
}

/// Returns every alarm in a channel's form, one line for each state.
fn lines(form: impl Fn(&AlarmMessage) -> Value) -> String {
    let mut lines = Vec::new();
    for alarm in heard() {
        for (state, minute) in [(AlarmState::Alarm, 0), (AlarmState::Ok, 10)] {
            let notices = decode(&event(alarm, state, minute)).expect("a message");
            let change = AlarmChange::read(&notices[0]);
            let incident = Incident {
                open: state == AlarmState::Alarm,
                alarm: change.alarm.clone(),
                changed_ms: change.changed_ms,
                since_ms: BEGIN_MS,
                notified: std::collections::BTreeSet::new(),
                done: false,
                lease_until_ms: 0,
                folded: 0,
                alarms: std::collections::BTreeSet::new(),
            };
            let known =
                MessageContext { files: AlarmFiles::NotAsked, recent: recent(&change), members: Vec::new() };
            let form = form(&AlarmMessage::new(&change, &incident, &known)).to_string();
            let word = if state == AlarmState::Alarm { "ALARM under-test-" } else { "RESOLVED under-test-" };
            assert!(form.contains(&format!("\"{word}")), "{form}");
            lines.push(form);
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
