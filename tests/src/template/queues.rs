//! Queues and topics: hazards S19, S25, Q1, Q6, Q26, X2, X3, X6.

use serde_json::Value;

use super::expanded::{ExpandedTemplate, Resource, list, number, scalar};
use super::permissions::{denies_plain_http, statements};
use super::with_every_choice;

const QUEUE: &str = "AWS::SQS::Queue";
const TOPIC: &str = "AWS::SNS::Topic";

#[test]
fn a_message_stays_hidden_six_times_as_long_as_the_function_may_run() {
    with_every_choice(|stack| {
        let mappings: Vec<_> = stack.of_kind("AWS::Lambda::EventSourceMapping").collect();
        assert!(!mappings.is_empty());
        for mapping in mappings {
            let function = stack.resource_behind(&scalar(mapping.at("/FunctionName"))).expect("its function");
            let queue = stack.resource_behind(&scalar(mapping.at("/EventSourceArn"))).expect("its queue");
            let (hidden, timeout) = (number(queue.at("/VisibilityTimeout")), number(function.at("/Timeout")));
            assert!(hidden >= 6 * timeout, "{}: {hidden} s for a function of {timeout} s", queue.id);
        }
    });
}

#[test]
fn a_message_survives_throttling_and_then_waits_long_enough_to_be_seen() {
    with_every_choice(|stack| {
        let sources = stack.of_kind(QUEUE).filter(|queue| !queue.at("/RedrivePolicy").is_null());
        let mut count = 0;
        for queue in sources {
            count += 1;
            let receives = number(queue.at("/RedrivePolicy/maxReceiveCount"));
            assert!(receives >= 5, "{}: {receives} receives", queue.id);
            let target = scalar(queue.at("/RedrivePolicy/deadLetterTargetArn"));
            let dead = stack.resource_behind(&target).expect("a dead-letter queue");
            // The dead-letter queue counts from the first enqueue.
            assert!(
                number(dead.at("/MessageRetentionPeriod")) > number(queue.at("/MessageRetentionPeriod")),
                "{}",
                dead.id
            );
            let sources = list(dead.at("/RedriveAllowPolicy/sourceQueueArns"));
            let behind: Vec<_> =
                sources.iter().filter_map(|arn| stack.resource_behind(arn)).map(|queue| &queue.id).collect();
            assert_eq!(behind, [&queue.id], "who may send to {}", dead.id);
        }
        assert!(count > 0, "a queue has a dead-letter queue");
    });
}

#[test]
fn the_processor_takes_as_many_files_at_a_time_as_the_parameter_says_and_from_no_other_queue() {
    with_every_choice(|stack| {
        let mappings = stack.of_kind("AWS::Lambda::EventSourceMapping").filter_map(|mapping| {
            let queue = stack.resource_behind(&scalar(mapping.at("/EventSourceArn")))?;
            let function = stack.resource_behind(&scalar(mapping.at("/FunctionName")))?;
            let most = number(mapping.at("/ScalingConfig/MaximumConcurrency"));
            (function.id == "ProcessorFunction").then(|| (queue.id.clone(), most))
        });
        let chosen = stack.parameters["MaximumConcurrency"].parse().expect("a number");
        assert_eq!(mappings.collect::<Vec<_>>(), [("InboxQueue".to_owned(), chosen)]);
    });
}

#[test]
fn queues_and_topics_are_encrypted_with_a_key_that_their_senders_may_use() {
    with_every_choice(|stack| {
        for queue in stack.of_kind(QUEUE) {
            if stack.uses_customer_keys() {
                assert_customer_key(stack, queue, "/KmsMasterKeyId");
            } else {
                assert_eq!(queue.at("/SqsManagedSseEnabled"), true, "{}", queue.id);
            }
        }
        if stack.uses_customer_keys() {
            for topic in stack.of_kind(TOPIC) {
                assert_customer_key(stack, topic, "/KmsMasterKeyId");
            }
            let queue_key = key_of(stack, stack.resource("InboxQueue"));
            assert!(admits(queue_key, "s3.amazonaws.com"), "S3 could not deliver to the inbox queue");
            let topic_key = key_of(stack, stack.resource("AlarmTopic"));
            assert!(admits(topic_key, "cloudwatch.amazonaws.com"), "an alarm could not reach a topic");
            for queue in ["WebhookQueue", "OutboxQueue"] {
                let key = key_of(stack, stack.resource(queue));
                assert!(admits(key, "sns.amazonaws.com"), "the topic could not deliver to {queue}");
            }
        }
        for key in stack.of_kind("AWS::KMS::Key") {
            assert_eq!(key.at("/EnableKeyRotation"), true, "{}", key.id);
        }
    });
}

#[test]
fn only_our_inbox_may_send_to_its_queue_and_only_our_topic_to_webhooks_and_outbox() {
    with_every_choice(|stack| {
        let policies = stack.of_kind("AWS::SQS::QueuePolicy");
        let mut allowing: Vec<Value> = policies
            .flat_map(|policy| statements(policy.at("/PolicyDocument")))
            .filter(|one| one["Effect"] == "Allow")
            .collect();
        allowing.sort_by_key(|statement| scalar(&statement["Resource"]));
        let expected = [
            ("InboxQueue", "s3.amazonaws.com", "InboxBucket"),
            ("OutboxQueue", "sns.amazonaws.com", "OutcomeTopic"),
            ("WebhookQueue", "sns.amazonaws.com", "OutcomeTopic"),
        ];
        assert_eq!(allowing.len(), expected.len(), "{allowing:?}");
        for (statement, (queue, service, source)) in allowing.iter().zip(expected) {
            let id = |reference: &str| stack.resource_behind(reference).map(|found| found.id.as_str());
            assert_eq!(statement["Principal"]["Service"], service);
            assert_eq!(list(&statement["Action"]), ["sqs:SendMessage"]);
            assert_eq!(id(&scalar(&statement["Resource"])), Some(queue));
            let arn = condition(statement, "aws:SourceArn").expect("a source ARN");
            assert_eq!(id(&arn), Some(source));
            // The ARN of a bucket names no account, the ARN of a topic does.
            let account = condition(statement, "aws:SourceAccount");
            assert!(source != "InboxBucket" || account.as_deref() == Some("111122223333"), "{account:?}");
        }
    });
}

#[test]
fn webhooks_and_outbox_receive_every_outcome_and_keep_what_was_not_taken() {
    with_every_choice(|stack| {
        for part in ["Webhook", "Outbox"] {
            let subscription = stack.resource(&format!("{part}Subscription"));
            let id = |pointer: &str| {
                stack.resource_behind(&scalar(subscription.at(pointer))).map(|found| found.id.clone())
            };
            let queue = format!("{part}Queue");
            assert_eq!(
                (id("/TopicArn").as_deref(), id("/Endpoint")),
                (Some("OutcomeTopic"), Some(queue.clone()))
            );
            assert_eq!(subscription.at("/Protocol"), "sqs");
            assert_eq!(
                subscription.at("/RawMessageDelivery"),
                true,
                "the message is the announcement itself"
            );
            assert!(subscription.at("/FilterPolicy").is_null(), "a filter would leave outcomes unheard");
            let dead = scalar(stack.resource(&queue).at("/RedrivePolicy/deadLetterTargetArn"));
            let dead = stack.resource_behind(&dead).map(|queue| queue.id.clone());
            assert_eq!(dead, Some(format!("{part}DeadLetterQueue")));
        }
    });
}

#[test]
fn without_the_outbox_no_queue_of_it_is_polled_and_its_bucket_stays() {
    let stack = ExpandedTemplate::expand(&[super::FULL]);
    let of_outbox = |kind: &str| stack.of_kind(kind).filter(|one| one.id.starts_with("Outbox")).count();
    for kind in [QUEUE, "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::SNS::Subscription"]
    {
        assert_eq!(of_outbox(kind), 0, "{kind}");
    }
    assert_eq!(of_outbox("AWS::S3::Bucket"), 1);
    let alarms = stack.alarms();
    assert!(alarms.of_kind("AWS::CloudWatch::Alarm").all(|alarm| !alarm.id.ends_with("Outbox")));
}

#[test]
fn every_queue_and_topic_rejects_plain_http() {
    with_every_choice(|stack| {
        for queue in stack.of_kind(QUEUE) {
            let covered = [format!("${{{}.Arn}}", queue.id)];
            let mut policies = stack.of_kind("AWS::SQS::QueuePolicy");
            assert!(policies.any(|policy| denies_plain_http(policy, "sqs:*", &covered)), "{}", queue.id);
        }
        for topic in stack.of_kind(TOPIC) {
            let covered = [format!("${{{}}}", topic.id)];
            let mut policies = stack.of_kind("AWS::SNS::TopicPolicy");
            assert!(
                policies.any(|policy| denies_plain_http(policy, "sns:Publish", &covered)),
                "{}",
                topic.id
            );
        }
    });
}

fn assert_customer_key(stack: &ExpandedTemplate, resource: &Resource, pointer: &str) {
    let key = stack.resource_behind(&scalar(resource.at(pointer)));
    assert_eq!(key.map(|key| key.kind.as_str()), Some("AWS::KMS::Key"), "{}", resource.id);
}

fn key_of<'s>(stack: &'s ExpandedTemplate, resource: &Resource) -> &'s Resource {
    stack.resource_behind(&scalar(resource.at("/KmsMasterKeyId"))).expect("a key")
}

/// Returns whether a key's policy lets the service make data keys, for this account only.
fn admits(key: &Resource, service: &str) -> bool {
    statements(key.at("/KeyPolicy")).iter().any(|statement| {
        let actions = list(&statement["Action"]);
        statement["Effect"] == "Allow"
            && statement["Principal"]["Service"] == service
            && ["kms:GenerateDataKey", "kms:Decrypt"]
                .iter()
                .all(|needed| actions.iter().any(|action| action == needed))
            && condition(statement, "aws:SourceAccount").is_some()
    })
}

/// What a condition compares a key of the request with, under any operator.
fn condition(statement: &Value, key: &str) -> Option<String> {
    let operators = statement["Condition"].as_object()?;
    operators.values().find_map(|keys| keys.get(key)).map(scalar)
}
