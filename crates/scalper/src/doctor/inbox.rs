//! Checks the way of a file into the queue: the queue's policy, the bucket's notification and versions.

use serde_json::{Value, json};
use store::{InboxQueue, Notifications, StackQueue};

use super::{DoctorFinding, Known, NOTIFICATION, QUEUE_POLICY, VERSIONS};

const EVERY_CREATION: &str = "s3:ObjectCreated:*";

/// Checks that every new file is announced to the inbox queue. A bucket has one configuration, which any tool may
/// replace.
pub(super) fn notification(known: &Known, facts: &Notifications) -> Vec<DoctorFinding> {
    let Known { stack, places, .. } = known;
    let queue = places.queue_arn(stack, StackQueue::Inbox);
    let ours: Vec<_> = facts.queues.iter().filter(|one| one.queue == queue).collect();
    let whole = |event: &String| event == EVERY_CREATION;
    if ours.iter().any(|one| !one.filtered && one.events.iter().any(whole)) {
        let what = format!("new files are announced to {}", StackQueue::Inbox.name(stack.as_str()));
        return vec![DoctorFinding::ok(NOTIFICATION.check, what)];
    }
    let what = if ours.is_empty() {
        "new files are not announced to the inbox queue: nothing is processed"
    } else {
        "only some new files are announced to the inbox queue"
    };
    let others = facts.others + facts.queues.len() - ours.len();
    let wanted = json!({ "QueueArn": queue, "Events": [EVERY_CREATION] });
    let finding = DoctorFinding::fail(NOTIFICATION.check, what);
    let found = if others > 0 {
        let advice = format!(
            "another tool replaced the configuration, {others} other notifications are set: add this to its QueueConfigurations: \
             {wanted}"
        );
        let command = format!("aws s3api get-bucket-notification-configuration --bucket {}", places.inbox);
        finding.advice(advice).command(command)
    } else {
        let configuration = json!({ "QueueConfigurations": [wanted] });
        let command = format!(
            "aws s3api put-bucket-notification-configuration --bucket {} --notification-configuration '{configuration}'",
            places.inbox
        );
        finding
            .advice("configure it again; files that arrived meanwhile are found within 70 minutes")
            .command(command)
    };
    vec![found]
}

pub(super) fn versions(known: &Known, versioned: bool) -> Vec<DoctorFinding> {
    let bucket = &known.places.inbox;
    if versioned {
        return vec![DoctorFinding::ok(VERSIONS.check, "the inbox keeps every version of a file")];
    }
    let what =
        "the inbox does not keep versions: a file that is sent again replaces the one that is being read";
    let command = format!(
        "aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
    );
    vec![DoctorFinding::fail(VERSIONS.check, what).advice("switch versioning on").command(command)]
}

/// Checks that the queue accepts messages of the bucket.
pub(super) fn queue_policy(known: &Known, facts: Option<&InboxQueue>) -> Vec<DoctorFinding> {
    let Known { stack, places, .. } = known;
    let name = StackQueue::Inbox.name(stack.as_str());
    let Some(queue) = facts else {
        let advice = "deploy the stack again";
        return vec![
            DoctorFinding::fail(QUEUE_POLICY.check, format!("the queue {name} is missing")).advice(advice),
        ];
    };
    let bucket = places.inbox_arn();
    let policy: Option<Value> = queue.policy.as_deref().and_then(|policy| serde_json::from_str(policy).ok());
    let statements = policy.as_ref().map(|policy| list(&policy["Statement"])).unwrap_or_default();
    if statements.iter().any(|statement| lets_send(statement, &bucket)) {
        return vec![DoctorFinding::ok(QUEUE_POLICY.check, format!("{name} takes messages of the inbox"))];
    }
    let own = json!({
        "Sid": "InboxBucketNotifies", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
        "Action": "sqs:SendMessage", "Resource": places.queue_arn(stack, StackQueue::Inbox),
        "Condition": {
            "StringEquals": { "aws:SourceAccount": places.home.account }, "ArnEquals": { "aws:SourceArn": bucket },
        },
    });
    let all: Vec<Value> = statements.into_iter().cloned().chain([own]).collect();
    let policy = json!({ "Version": "2012-10-17", "Statement": all }).to_string();
    let attributes = json!({ "Policy": policy });
    let command =
        format!("aws sqs set-queue-attributes --queue-url {} --attributes '{attributes}'", queue.url);
    let what = format!("{name} does not take messages of the inbox: nothing is processed");
    vec![
        DoctorFinding::fail(QUEUE_POLICY.check, what)
            .advice("add the statement to its policy")
            .command(command),
    ]
}

/// Returns the values of a list, or the one value that stands in its place.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

fn lets_send(statement: &Value, bucket: &str) -> bool {
    let has = |value: &Value, fits: &dyn Fn(&str) -> bool| {
        list(value).into_iter().filter_map(Value::as_str).any(fits)
    };
    let principal = &statement["Principal"];
    let s3 = has(&principal["Service"], &|name| name == "s3.amazonaws.com");
    let anybody = principal == "*" || has(&principal["AWS"], &|name| name == "*");
    let sends = has(&statement["Action"], &|action| {
        ["sqs:sendmessage", "sqs:*", "*"].contains(&action.to_ascii_lowercase().as_str())
    });
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    let mut sources = conditions.filter_map(|(_, keys)| {
        let keys = keys.as_object()?;
        keys.iter().find(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn")).map(|(_, value)| value)
    });
    let covers = |pattern: &str| {
        pattern.split_once('*').map_or(pattern == bucket, |(start, _)| bucket.starts_with(start))
    };
    statement["Effect"] == "Allow" && (s3 || anybody) && sends && sources.all(|source| has(source, &covers))
}
