//! Alarms: hazards O1–O5, O7, O15, X6. What they do on series of datapoints is in `alarm_states`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use telemetry::{
    AccessRecord, DeliveryRecord, DeliveryResult, FeedWatchRecord, FileRecord, Label, Metrics, NoticeRecord,
    NoticeResult, Occurrence, OutboxRecord, OutboxResult, RequestRecord, WatchRecord,
};

use super::cloudwatch::{AlarmDefinition, AlarmMetric, alarms_of};
use super::expanded::{ExpandedTemplate, Resource, list, number, scalar};
use super::permissions::statements;
use super::{ALARMS, CHOICES, with_all_alarms, with_every_choice};
use crate::repository::{files, text};
use crate::tidy::regex;

/// What AWS writes: namespace, metric, the dimension, the resource that it names.
const OF_AWS: [(&str, &str, &str, &str); 8] = [
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "AWS::SQS::Queue"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "AWS::SQS::Queue"),
    ("AWS/Lambda", "Errors", "FunctionName", "AWS::Lambda::Function"),
    ("AWS/Lambda", "Throttles", "FunctionName", "AWS::Lambda::Function"),
    ("AWS/Lambda", "Duration", "FunctionName", "AWS::Lambda::Function"),
    ("AWS/DynamoDB", "ReadThrottleEvents", "TableName", "AWS::DynamoDB::Table"),
    ("AWS/DynamoDB", "WriteThrottleEvents", "TableName", "AWS::DynamoDB::Table"),
    ("AWS/ApiGateway", "5XXError", "ApiName", "AWS::ApiGateway::RestApi"),
];
/// The longest description of an alarm, in characters (PutMetricAlarm).
const DESCRIPTION: usize = 1_024;

#[test]
fn every_metric_is_written_with_the_dimensions_that_an_alarm_asks_for() {
    let written = written();
    with_all_alarms(|stack, nested| {
        for alarm in metric_alarms(nested) {
            for metric in &alarm.metrics {
                if metric.namespace == "SilentScalper/under-test" {
                    assert_is_ours(&alarm, metric, &written);
                } else {
                    assert_is_of_aws(stack, &alarm, metric);
                }
            }
        }
    });
}

fn assert_is_ours(
    alarm: &AlarmDefinition,
    metric: &AlarmMetric,
    written: &BTreeMap<String, Vec<BTreeSet<String>>>,
) {
    let sets = written.get(&metric.name);
    let sets = sets.unwrap_or_else(|| panic!("{}: no function writes {}", alarm.name, metric.name));
    let asked: BTreeSet<String> = metric.dimensions.keys().cloned().collect();
    assert!(sets.contains(&asked), "{}: {} is written by {sets:?}", alarm.name, metric.name);
    if let Some(state) = metric.dimensions.get("state") {
        assert_eq!(state, "COMPLETE", "{}", alarm.name);
    }
}

fn assert_is_of_aws(stack: &ExpandedTemplate, alarm: &AlarmDefinition, metric: &AlarmMetric) {
    let known =
        OF_AWS.iter().find(|(namespace, name, ..)| *namespace == metric.namespace && *name == metric.name);
    let (_, _, dimension, kind) = known.unwrap_or_else(|| panic!("{}: {metric:?}", alarm.name));
    let names: Vec<&str> = metric.dimensions.keys().map(String::as_str).collect();
    if let Some(index) = metric.dimensions.get("GlobalSecondaryIndexName") {
        assert_eq!(names, ["GlobalSecondaryIndexName", dimension], "{}", alarm.name);
        let indexes = stack.of_kind(kind).filter_map(|table| table.at("/GlobalSecondaryIndexes").as_array());
        assert!(indexes.flatten().any(|one| one["IndexName"] == index.as_str()), "there is no {index}");
    } else {
        assert_eq!(names, [*dimension], "{}", alarm.name);
    }
    let name = &metric.dimensions[*dimension];
    let exists = match *kind {
        "AWS::ApiGateway::RestApi" => stack.of_kind(kind).any(|api| api.at("/Name") == name.as_str()),
        _ => stack.resource_behind(name).is_some_and(|resource| resource.kind == *kind),
    };
    assert!(exists, "{}: there is no {name}", alarm.name);
}

#[test]
fn every_alarm_says_what_it_means_what_to_do_and_what_missing_data_are() {
    with_all_alarms(|_, nested| {
        let mut names = BTreeSet::new();
        for resource in alarms(nested) {
            let (name, description) =
                (scalar(resource.at("/AlarmName")), scalar(resource.at("/AlarmDescription")));
            assert!(name.starts_with("under-test-") && names.insert(name.clone()), "{name}");
            assert!(description.len() <= DESCRIPTION, "{name}: {} characters", description.len());
            let lines: Vec<&str> = description.lines().collect();
            assert!(lines.len() >= 3 && lines[0].ends_with('.') && lines[1].starts_with("Do: "), "{name}");
            assert!(description.contains('`'), "{name}: no command");
            assert!(lines[2].starts_with("Resolved: "), "{name}: {}", lines[2]);
            assert!(lines.get(3).is_none_or(|line| line.starts_with("Incident: ")) && lines.len() <= 4);
            for actions in ["/AlarmActions", "/OKActions"] {
                // The notifier cannot report itself.
                let topic = if name.contains("-notifier-") { "${MailTopic}" } else { "${AlarmTopic}" };
                assert_eq!(list(resource.at(actions)), [topic], "{name}");
            }
            assert!(resource.at("/InsufficientDataActions").is_null(), "{name}");
        }
        for alarm in metric_alarms(nested) {
            // Only a heartbeat is missed when there is none.
            let known =
                if alarm.name.ends_with("-heartbeat-missing") { "breaching" } else { "notBreaching ignore" };
            assert!(known.split(' ').any(|treatment| treatment == alarm.missing), "{}", alarm.name);
            assert!((1..=alarm.periods).contains(&alarm.datapoints), "{}", alarm.name);
        }
    });
}

/// Words of which a sentence that says what has happened has one.
const VERBS: [&str; 10] = ["is", "are", "was", "has", "have", "waits", "take", "fail", "come", "answers"];

#[test]
fn every_alarm_says_in_a_plain_sentence_what_has_happened_when_it_is_resolved() {
    // Full sentences: a capital at the beginning, a full stop at the end, no command, no placeholder, no metric's name.
    let sentence = regex(r"^[A-Z][a-z]+( [A-Za-z0-9%,'_-]+)+\.( [A-Z][a-z]* [A-Za-z0-9%,' _-]+\.)?$");
    let metric = regex(r"[a-z][A-Z]");
    with_all_alarms(|_, nested| {
        for alarm in alarms(nested) {
            let (name, description) = (scalar(alarm.at("/AlarmName")), scalar(alarm.at("/AlarmDescription")));
            let mut lines = description.lines();
            let meaning = lines.next().unwrap_or_default();
            let resolved = lines.find_map(|line| line.strip_prefix("Resolved: ")).expect("a sentence");
            assert!(sentence.is_match(resolved) && !metric.is_match(resolved), "{name}: {resolved}");
            let words: Vec<&str> = resolved.split([' ', '.']).collect();
            assert!((5..=30).contains(&words.len()), "{name}: {resolved}");
            assert!(VERBS.iter().any(|verb| words.contains(verb)), "{name}: no verb in {resolved}");
            assert_ne!(resolved, meaning, "{name}");
        }
    });
}

/// Words that an alarm's text does not use, by the style guide.
const BANNED: [&str; 17] = [
    "canary",
    "door",
    "refused",
    "whoever",
    "nobody",
    "none of",
    "so many",
    "told",
    "tells",
    "hears",
    "mend",
    "thin",
    "fat",
    "stands",
    "lets in",
    "of ours",
    "of our own",
];

#[test]
fn the_texts_of_alarms_use_the_words_of_the_style_guide() {
    for alarm in alarms(&ALARMS[0]) {
        let text = format!("{} {}", scalar(alarm.at("/AlarmName")), scalar(alarm.at("/AlarmDescription")));
        for word in BANNED {
            assert!(!regex(&format!(r"\b{word}\b")).is_match(&text), "{}: {word} in {text}", alarm.id);
        }
    }
}

#[test]
fn every_command_of_an_alarm_works_when_it_is_pasted() {
    let command = regex(r"`([^`]*)`");
    for alarm in alarms(&ALARMS[0]) {
        let description = scalar(alarm.at("/AlarmDescription"));
        let advice = description.lines().find_map(|line| line.strip_prefix("Do: ")).expect("advice");
        assert_eq!(advice.matches('`').count() % 2, 0, "{}", alarm.id);
        for found in command.captures_iter(advice) {
            let known =
                ["scalper --stack under-test ", "aws "].iter().any(|begin| found[1].starts_with(begin));
            assert!(known, "{}: {} is no command with its stack", alarm.id, &found[1]);
            // A placeholder would be a redirection of the shell, an ellipsis an argument.
            assert!(!found[1].contains(['<', '>', '…', '$', '{', '\n']), "{}: {}", alarm.id, &found[1]);
        }
    }
}

#[test]
fn every_metric_that_an_alarm_compares_has_a_unit_and_a_name_in_words() {
    with_all_alarms(|_, nested| {
        for alarm in metric_alarms(nested) {
            for metric in &alarm.metrics {
                let known = telemetry::definition(&metric.namespace, &metric.name);
                assert!(known.is_some(), "{}: {metric:?}", alarm.name);
            }
        }
    });
}

#[test]
fn alarms_of_one_incident_are_the_composite_alarm_of_its_name() {
    let nested = &ALARMS[0];
    let mut parts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for resource in nested.of_kind("AWS::CloudWatch::Alarm") {
        let description = scalar(resource.at("/AlarmDescription"));
        if let Some((_, incident)) = description.split_once("\nIncident: ") {
            parts.entry(incident.to_owned()).or_default().insert(scalar(resource.at("/AlarmName")));
        }
    }
    let composites: BTreeMap<String, BTreeSet<String>> = nested
        .of_kind("AWS::CloudWatch::CompositeAlarm")
        .map(|resource| {
            let rule = scalar(resource.at("/AlarmRule"));
            let name = scalar(resource.at("/AlarmName"));
            assert!(scalar(resource.at("/AlarmDescription")).ends_with(&format!("\nIncident: {name}")));
            (name, alarms_of(&rule).into_iter().collect())
        })
        .collect();
    assert_eq!(parts, composites);
}

#[test]
fn each_function_queue_of_dead_letters_table_and_api_is_watched() {
    with_all_alarms(|stack, nested| {
        let by_metric: BTreeMap<(String, String), AlarmDefinition> = metric_alarms(nested)
            .into_iter()
            .flat_map(|alarm| {
                let metrics = alarm.metrics.clone().into_iter();
                metrics.filter_map(move |metric| {
                    let watched: Vec<String> = metric.dimensions.values().cloned().collect();
                    (!watched.is_empty()).then(|| ((metric.name, watched.join(" of ")), alarm.clone()))
                })
            })
            .collect();
        let watches = |metric: &str, name: &str| by_metric.get(&(metric.to_owned(), name.to_owned()));
        for function in stack.of_kind("AWS::Lambda::Function") {
            let name = scalar(function.at("/FunctionName"));
            // Each caller that is not known is an error of the authorizer.
            assert_eq!(watches("Errors", &name).is_none(), function.id == "AuthorizerFunction", "{name}");
            assert!(watches("Throttles", &name).is_some(), "{name}");
            let near = watches("Duration", &name).unwrap_or_else(|| panic!("{name} may time out unseen"));
            let seconds = u32::try_from(number(function.at("/Timeout"))).expect("seconds");
            let nine_tenths = f64::from(seconds * 900);
            assert!((near.threshold - nine_tenths).abs() < 0.5, "{name}: {}", near.threshold);
        }
        for queue in stack.of_kind("AWS::SQS::Queue") {
            let name = scalar(queue.at("/QueueName"));
            let dead = queue.at("/RedrivePolicy").is_null();
            let alarm = watches("ApproximateNumberOfMessagesVisible", &name);
            assert_eq!(alarm.is_some(), dead, "{name}");
            // Its metrics end when nobody touches it, its messages do not.
            assert!(alarm.is_none_or(|alarm| alarm.missing == "ignore"), "{name}");
        }
        for table in stack.of_kind("AWS::DynamoDB::Table") {
            let name = scalar(table.at("/TableName"));
            let used = stack.of_kind("AWS::Lambda::Function").any(|function| {
                let allowed = super::permissions::allowed(stack, function);
                let behind = |resource: &str| stack.resource_behind(resource).map(|found| found.id.clone());
                allowed.iter().any(|(_, resource)| behind(resource).as_ref() == Some(&table.id))
            });
            assert!(used, "no function uses {name}");
            for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] {
                assert!(watches(metric, &name).is_some(), "{metric} of {name}");
            }
            for index in table.at("/GlobalSecondaryIndexes").as_array().into_iter().flatten() {
                let name = format!("{} of {name}", scalar(&index["IndexName"]));
                assert!(watches("WriteThrottleEvents", &name).is_some(), "{name} may be throttled unseen");
            }
        }
        assert!(watches("5XXError", "under-test-partners").is_some());
        assert!(watches("ApproximateAgeOfOldestMessage", "under-test-inbox").is_some());
    });
}

#[test]
fn the_feeds_of_the_sample_contracts_are_watched_by_default() {
    let contracts = files().into_iter().filter_map(|path| {
        path.strip_prefix("infra/contracts/")?.strip_suffix(".odcs.yaml").map(str::to_owned)
    });
    assert_eq!(CHOICES[0].parameters["AlarmFeeds"], contracts.collect::<Vec<_>>().join(","));
}

#[test]
fn only_alarms_of_this_stack_publish_to_a_topic_of_alarms() {
    with_every_choice(|stack| {
        assert_only_alarms_publish(stack, "AlarmTopic", "under-test-*");
        assert_only_alarms_publish(stack, "MailTopic", "under-test-notifier-*");
    });
}

fn assert_only_alarms_publish(stack: &ExpandedTemplate, topic: &str, alarms: &str) {
    let allowing: Vec<Value> = statements(stack.resource(&format!("{topic}Policy")).at("/PolicyDocument"))
        .into_iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .collect();
    let [statement] = allowing.as_slice() else { panic!("one statement: {allowing:?}") };
    assert_eq!(statement["Principal"]["Service"], "cloudwatch.amazonaws.com");
    assert_eq!(list(&statement["Action"]), ["sns:Publish"]);
    assert_eq!(scalar(&statement["Resource"]), format!("${{{topic}}}"));
    assert_eq!(statement["Condition"]["StringEquals"]["aws:SourceAccount"], "111122223333");
    let source = scalar(&statement["Condition"]["ArnLike"]["aws:SourceArn"]);
    assert_eq!(source, format!("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:{alarms}"));
}

#[test]
fn the_notifier_is_told_every_change_and_keeps_what_it_could_not_send() {
    with_every_choice(|stack| {
        let mut subscriptions = stack.of_kind("AWS::SNS::Subscription");
        let alarm =
            subscriptions.find(|one| scalar(one.at("/TopicArn")) == "${AlarmTopic}").expect("a subscription");
        assert_eq!(
            (alarm.at("/Protocol"), scalar(alarm.at("/Endpoint"))),
            (&"lambda".into(), "${NotifierFunction.Arn}".to_owned())
        );
        assert!(alarm.at("/FilterPolicy").is_null(), "a filter would leave changes untold");
        let mut retries = stack.of_kind("AWS::Lambda::EventInvokeConfig");
        let retry = retries.find(|one| scalar(one.at("/FunctionName")) == "${NotifierFunction}");
        let retry = retry.expect("retries of the notifier");
        assert_eq!(number(retry.at("/MaximumRetryAttempts")), 2);
        assert_eq!(
            scalar(retry.at("/DestinationConfig/OnFailure/Destination")),
            "${NotifierDeadLetterQueue.Arn}"
        );
        // Two invocations of the same change never overlap: Lambda waits a minute.
        assert!(number(stack.resource("NotifierFunction").at("/Timeout")) < 55);
    });
}

/// Returns the metric alarms of a nested stack, as CloudWatch reads them.
pub(super) fn metric_alarms(nested: &ExpandedTemplate) -> Vec<AlarmDefinition> {
    nested.of_kind("AWS::CloudWatch::Alarm").map(AlarmDefinition::read).collect()
}

/// Returns all alarms of a nested stack.
fn alarms(nested: &ExpandedTemplate) -> impl Iterator<Item = &Resource> {
    nested.of_kind("AWS::CloudWatch::Alarm").chain(nested.of_kind("AWS::CloudWatch::CompositeAlarm"))
}

/// Returns every metric that a function writes, with its sets of dimensions: read off the records themselves.
pub(super) fn written() -> BTreeMap<String, Vec<BTreeSet<String>>> {
    let delivery = DeliveryRecord {
        partner: Label::new("north"),
        file: Label::new("file"),
        state: Some(ledger::State::Complete),
        delivery: DeliveryResult::Delivered,
        answer: "2xx",
        duration: 1,
        receive_count: 1,
    };
    let outbox = OutboxRecord {
        partner: Label::new("north"),
        file: Label::new("file"),
        state: Some(ledger::State::Complete),
        result: OutboxResult::Written,
        detail: "receipt",
        duration: 1,
        receive_count: 1,
    };
    // A set of dimensions of which one is empty is left out: each has a value here.
    let file = FileRecord {
        partner: Label::new("north"),
        feed: Label::new("labs"),
        state: Some(ledger::State::Complete),
        queue_age: Some(1),
        records: 1,
        ..FileRecord::default()
    };
    let feed = FeedWatchRecord { feed: Label::new("labs"), ..FeedWatchRecord::default() };
    let metrics = Metrics::all("n");
    let notice = NoticeRecord {
        incident: Label::default(),
        alarm: Label::default(),
        channel: "mail",
        notice: NoticeResult::Sent,
        reason: "",
    };
    let watch = WatchRecord {
        contracts_broken: Some(1),
        stuck: Some(1),
        dead_letters: Some(1),
        heartbeat_age: Some(1),
        ..WatchRecord::default()
    };
    let mut lines = vec![
        watch.metric(&metrics, 1),
        feed.metric(&metrics, 1),
        notice.metric(&metrics, 1),
        file.metric(&metrics, 1),
        RequestRecord { operation: "sendFile", status: 200, ..RequestRecord::default() }.metric(&metrics, 1),
        AccessRecord::default().metric(&metrics, 1),
        delivery.metric(&metrics, 1),
        outbox.metric(&metrics, 1),
    ];
    lines.extend(Occurrence::ALL.map(|occurrence| occurrence.metric(&metrics, 1)));
    let mut written = BTreeMap::new();
    for line in lines {
        let line: Value = serde_json::from_str(&line).expect("a record is JSON");
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().expect("directives") {
            let sets = directive["Dimensions"].as_array().expect("sets").iter();
            let sets: Vec<BTreeSet<String>> = sets.map(|set| list(set).into_iter().collect()).collect();
            for metric in directive["Metrics"].as_array().expect("metrics") {
                written.insert(scalar(&metric["Name"]), sets.clone());
            }
        }
    }
    written
}

#[test]
fn every_metric_that_has_a_name_is_written() {
    let named = telemetry::metric_names::ALL.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(written().into_keys().collect::<BTreeSet<_>>(), named);
}

/// Returns the metrics of the stack that an alarm reads.
pub(super) fn watched() -> BTreeSet<String> {
    let ours = |metric: &AlarmMetric| metric.namespace.starts_with("SilentScalper/");
    let metrics = metric_alarms(&ALARMS[0]).into_iter().flat_map(|alarm| alarm.metrics);
    metrics.filter(ours).map(|metric| metric.name).collect()
}

#[test]
fn every_scalper_command_of_an_alarm_exists() {
    let commands = regex(r"`scalper --stack [\w-]+ ([^`]+)`");
    let mut found = 0;
    for alarm in alarms(&ALARMS[0]) {
        let description = scalar(alarm.at("/AlarmDescription"));
        let named = description.matches("`scalper").count();
        for command in commands.captures_iter(&description) {
            let words: Vec<&str> = command[1].split_whitespace().collect();
            assert!(is_command(&words), "{}: {}", alarm.id, &command[1]);
            found += 1;
        }
        assert_eq!(named, commands.captures_iter(&description).count(), "{}: which stack?", alarm.id);
    }
    assert!(found > 3);
    for wrong in [
        "partner lost",
        "partners list",
        "partner webhook <partner> --uri <address>",
        "replay <file>",
        "files --parter <partner>",
        "shows <file>",
        "files --whose x",
    ] {
        assert!(!is_command(&wrong.split_whitespace().collect::<Vec<_>>()), "{wrong}");
    }
}

/// Returns whether the command line has these words, read off its own tables (`clap` makes names of them: lower case).
fn is_command(words: &[&str]) -> bool {
    let both = text("crates/scalper/src/arguments.rs");
    let reading = text("crates/scalper/src/arguments/files.rs");
    let variant = |table: &str, name: &str| {
        let (first, rest) = name.split_at(1);
        regex(&format!(r"(?m)^    {}{rest}(,|\(| \{{)", first.to_uppercase())).is_match(table)
    };
    let option = |table: &str, name: &str| {
        regex(&format!(r"(?m)^    pub {}: ", name.replace('-', "_"))).is_match(table)
    };
    let (table, arguments) = match words {
        ["partner", command, arguments @ ..] if variant(&both, command) => (&both, arguments),
        ["doctor"] if variant(&both, "doctor") => (&both, &[][..]),
        [command, arguments @ ..] if variant(&reading, command) => (&reading, arguments),
        _ => return false,
    };
    arguments.iter().filter_map(|argument| argument.strip_prefix("--")).all(|name| option(table, name))
}
