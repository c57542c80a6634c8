//! Where a stack is, and facts about its parts, from the services that it is made of.

use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use aws_sdk_s3::types::BucketVersioningStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use super::client::{Connection, Late};
use super::failure::{code, failure};
use super::signed::{SignedCall, SigningClient};
use super::{millis, queues};
use crate::{
    AccountConcurrency, AlarmFact, AlarmState, Checkup, Error, InboxQueue, Mapping, Notifications, Operation,
    QueueNotification, StackQueue, Subscription,
};

/// Where a stack is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// `aws`, or that of another part of AWS.
    pub partition: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
}

impl Home {
    /// Asks DynamoDB for the ARN of a table of the stack, which names all three; `None` when there is no such table.
    pub async fn find(connection: &Connection, table: &str) -> Result<Option<Self>, Error> {
        let found = connection.dynamodb().describe_table().table_name(table).send().await;
        let described = match found {
            Ok(described) => described,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(failure(Operation::FindStack, &error)),
        };
        let arn = described.table().and_then(|table| table.table_arn());
        let home = arn.and_then(Self::of_arn);
        home.map(Some).ok_or_else(|| Error::new(Operation::FindStack, "malformed table ARN"))
    }

    /// Reads `arn:<partition>:<service>:<region>:<account>:…`.
    pub(super) fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (arn, partition, _service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, _resource) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        (arn == "arn" && digits && plain(partition) && plain(region)).then(|| Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
        })
    }
}

/// Looks at a stack's parts.
pub struct StackParts {
    stack: String,
    home: Home,
    inbox: String,
    s3: aws_sdk_s3::Client,
    sqs: Late<aws_sdk_sqs::Client>,
    sns: Late<aws_sdk_sns::Client>,
    cloudwatch: Late<aws_sdk_cloudwatch::Client>,
    signed: SigningClient,
}

/// What is known of an alarm: the SDK has two types for it, with the same members.
macro_rules! fact {
    ($alarm:expr, $waits:expr) => {
        AlarmFact {
            name: $alarm.alarm_name().unwrap_or_default().to_owned(),
            state: state($alarm.state_value()),
            since_ms: $alarm
                .state_transitioned_timestamp()
                .or($alarm.state_updated_timestamp())
                .and_then(|instant| millis(Some(instant))),
            actions_enabled: $alarm.actions_enabled().unwrap_or(true),
            waits: $waits,
            actions: $alarm.alarm_actions().to_vec(),
        }
    };
}

impl StackParts {
    /// Makes the stack that is there.
    #[must_use]
    pub fn new(connection: &Connection, stack: &str, home: &Home) -> Self {
        Self {
            stack: stack.to_owned(),
            home: home.clone(),
            inbox: format!("{stack}-inbox-{}-{}", home.account, home.region),
            s3: connection.s3(None).client,
            sqs: connection.sqs(),
            sns: connection.sns(),
            cloudwatch: connection.cloudwatch(),
            signed: connection.signed(),
        }
    }

    async fn get(&self, operation: Operation, service: &'static str, path: &str) -> Result<Value, Error> {
        let call = SignedCall { operation, service, method: "GET", path, target: None, body: "" };
        self.signed.call(call).await
    }
}

impl Checkup for StackParts {
    async fn notifications(&self) -> Result<Notifications, Error> {
        let request = self.s3.get_bucket_notification_configuration().bucket(&self.inbox);
        let answer = request.expected_bucket_owner(&self.home.account).send().await;
        let answer = answer.map_err(|error| failure(Operation::ReadBucket, &error))?;
        let queues = answer.queue_configurations().iter().map(|queue| QueueNotification {
            queue: queue.queue_arn().to_owned(),
            events: queue.events().iter().map(|event| event.as_str().to_owned()).collect(),
            filtered: queue.filter().and_then(|filter| filter.key()).is_some_and(|key| {
                key.filter_rules().iter().any(|rule| rule.value().is_some_and(|value| !value.is_empty()))
            }),
        });
        let others = answer.topic_configurations().len()
            + answer.lambda_function_configurations().len()
            + usize::from(answer.event_bridge_configuration().is_some());
        Ok(Notifications { queues: queues.collect(), others })
    }

    async fn versioned(&self) -> Result<bool, Error> {
        let request = self.s3.get_bucket_versioning().bucket(&self.inbox);
        let answer = request.expected_bucket_owner(&self.home.account).send().await;
        let answer = answer.map_err(|error| failure(Operation::ReadBucket, &error))?;
        Ok(answer.status() == Some(&BucketVersioningStatus::Enabled))
    }

    async fn inbox_queue(&self) -> Result<Option<InboxQueue>, Error> {
        let sqs = self.sqs.get();
        let url = queues::url(sqs, StackQueue::Inbox, &self.stack).await?;
        let Some(url) = url else { return Ok(None) };
        let request = sqs.get_queue_attributes().queue_url(&url);
        let answer = request.attribute_names(QueueAttributeName::Policy).send().await;
        let answer = answer.map_err(|error| failure(Operation::ReadQueue, &error))?;
        let policy = answer.attributes().and_then(|all| all.get(&QueueAttributeName::Policy)).cloned();
        Ok(Some(InboxQueue { url, policy: policy.filter(|policy| !policy.is_empty()) }))
    }

    async fn mappings(&self) -> Result<Vec<Mapping>, Error> {
        let path =
            format!("/2015-03-31/event-source-mappings/?FunctionName={}-processor&MaxItems=100", self.stack);
        let answer = self.get(Operation::ReadFunction, "lambda", &path).await?;
        let mappings = answer["EventSourceMappings"].as_array().into_iter().flatten();
        Ok(mappings.map(mapping).collect())
    }

    async fn account_concurrency(&self) -> Result<AccountConcurrency, Error> {
        let answer = self.get(Operation::ReadAccount, "lambda", "/2016-08-19/account-settings/").await?;
        let limits = &answer["AccountLimit"];
        let number = |name: &str| limits[name].as_u64();
        let limit = number("ConcurrentExecutions");
        let limit = limit.ok_or_else(|| Error::new(Operation::ReadAccount, "no limit in the answer"))?;
        Ok(AccountConcurrency {
            limit,
            unreserved: number("UnreservedConcurrentExecutions").unwrap_or(limit),
        })
    }

    async fn has_channels_secret(&self) -> Result<bool, Error> {
        let path = format!("/2015-03-31/functions/{}-notifier/configuration", self.stack);
        let answer = self.get(Operation::ReadFunction, "lambda", &path).await?;
        let secret = answer["Environment"]["Variables"]["CHANNELS_SECRET_ARN"].as_str();
        Ok(secret.is_some_and(|secret| !secret.is_empty()))
    }

    async fn alarms(&self) -> Result<Vec<AlarmFact>, Error> {
        let request = self.cloudwatch.get().describe_alarms().alarm_name_prefix(format!("{}-", self.stack));
        let request = request.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
        let mut pages = request.into_paginator().send();
        let mut alarms = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure(Operation::ReadAlarms, &error))?;
            alarms.extend(
                page.metric_alarms()
                    .iter()
                    .map(|alarm| fact!(alarm, alarm.treat_missing_data() == Some("ignore"))),
            );
            alarms.extend(page.composite_alarms().iter().map(|alarm| fact!(alarm, false)));
        }
        Ok(alarms)
    }

    async fn mail_subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        let Home { partition, region, account } = &self.home;
        let topic = format!("arn:{partition}:sns:{region}:{account}:{}-mail", self.stack);
        let mut pages =
            self.sns.get().list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
        let mut subscriptions = Vec::new();
        while let Some(found) = pages.next().await {
            let found = found.map_err(|error| failure(Operation::ReadSubscriptions, &error))?;
            subscriptions.push(Subscription {
                protocol: found.protocol().unwrap_or_default().to_owned(),
                // Until then it has no ARN.
                pending: found.subscription_arn().is_none_or(|arn| arn == "PendingConfirmation"),
            });
        }
        Ok(subscriptions)
    }

    async fn gateway_log_role(&self) -> Result<Option<String>, Error> {
        let answer = self.get(Operation::ReadAccount, "apigateway", "/account").await?;
        let role = answer["cloudwatchRoleArn"].as_str().filter(|role| !role.is_empty());
        Ok(role.map(str::to_owned))
    }
}

fn mapping(found: &Value) -> Mapping {
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let mut types = found["FunctionResponseTypes"].as_array().into_iter().flatten();
    Mapping {
        id: text("UUID"),
        source: text("EventSourceArn"),
        state: text("State"),
        reports_failures: types.any(|kind| kind == "ReportBatchItemFailures"),
        maximum_concurrency: found["ScalingConfig"]["MaximumConcurrency"].as_u64(),
    }
}

fn state(state: Option<&StateValue>) -> AlarmState {
    match state {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::http::SharedHttpConnector;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, dynamodb_error};

    fn parts(answers: impl IntoIterator<Item = ReplayedResponse>) -> (StackParts, ScriptedService) {
        let (config, replay) = ScriptedService::configuration(answers);
        let home = Home::of_arn("arn:aws:dynamodb:eu-central-1:123456789012:table/s-ledger").expect("a home");
        let mut parts = StackParts::new(&Connection::new(&config), "s", &home);
        parts.signed = SigningClient::over(&config, SharedHttpConnector::new(replay.clone()));
        (parts, replay)
    }

    #[tokio::test]
    async fn the_bucket_says_what_it_announces_and_whether_it_keeps_versions() -> Result<(), Error> {
        let filter =
            "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>a/</Value></FilterRule></S3Key></Filter>";
        let queue = |more: &str| {
            format!(
                "<QueueConfiguration><Queue>arn:aws:sqs:r:1:q</Queue><Event>s3:ObjectCreated:*</Event>{more}</QueueConfiguration>"
            )
        };
        let configured = format!(
            "<NotificationConfiguration>{}{}<EventBridgeConfiguration/></NotificationConfiguration>",
            queue(""),
            queue(filter)
        );
        let versioned = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let answers =
            [configured.as_str(), versioned, "<VersioningConfiguration/>"].map(|body| answer(200, body));
        let (parts, replay) = parts(answers);
        let found = parts.notifications().await?;
        assert_eq!(found.others, 1);
        assert_eq!(found.queues.iter().map(|queue| queue.filtered).collect::<Vec<_>>(), [false, true]);
        assert_eq!(found.queues[0].events, ["s3:ObjectCreated:*"]);
        assert!(parts.versioned().await?);
        assert!(!parts.versioned().await?);
        assert!(
            replay.seen()[0].uri.contains("s-inbox-123456789012-eu-central-1"),
            "{}",
            replay.seen()[0].uri
        );
        Ok(())
    }

    #[tokio::test]
    async fn lambda_says_what_calls_the_processor_and_how_much_may_run() -> Result<(), Error> {
        let mapping = json!({
            "UUID": "u", "EventSourceArn": "arn:aws:sqs:r:1:q", "State": "Enabled", "BatchSize": 1,
            "FunctionResponseTypes": ["ReportBatchItemFailures"], "ScalingConfig": { "MaximumConcurrency": 7 },
        });
        let bare = json!({ "UUID": "v", "EventSourceArn": "arn:aws:sqs:r:1:q", "State": "Disabled" });
        let account =
            json!({ "AccountLimit": { "ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 9 } });
        let with = json!({ "Environment": { "Variables": { "CHANNELS_SECRET_ARN": "arn" } } });
        let without = json!({ "Environment": { "Variables": { "CHANNELS_SECRET_ARN": "" } } });
        let answers = [json!({ "EventSourceMappings": [mapping, bare] }), account, json!({}), with, without];
        let (parts, replay) = parts(answers.map(|body| answer(200, body.to_string())));
        let found = parts.mappings().await?;
        assert_eq!((found[0].reports_failures, found[0].maximum_concurrency), (true, Some(7)));
        assert_eq!((found[1].reports_failures, found[1].maximum_concurrency), (false, None));
        let allowed = AccountConcurrency { limit: 10, unreserved: 9 };
        assert_eq!(parts.account_concurrency().await?, allowed);
        assert!(parts.account_concurrency().await.is_err(), "no limit in the answer");
        assert!(parts.has_channels_secret().await?);
        assert!(!parts.has_channels_secret().await?);
        let asked = &replay.seen()[0].uri;
        assert!(asked.ends_with("/event-source-mappings/?FunctionName=s-processor&MaxItems=100"), "{asked}");
        Ok(())
    }

    #[tokio::test]
    async fn a_subscription_is_pending_until_it_has_an_arn() -> Result<(), Error> {
        let member = |arn: &str| {
            format!("<member><Protocol>email</Protocol><SubscriptionArn>{arn}</SubscriptionArn></member>")
        };
        let body = format!(
            "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>{}{}</Subscriptions>\
             </ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>",
            member("PendingConfirmation"),
            member("arn:aws:sns:eu-central-1:123456789012:s-mail:1")
        );
        let account = json!({ "cloudwatchRoleArn": "arn:aws:iam::1:role/r" }).to_string();
        let (parts, replay) = parts([answer(200, body), answer(200, account), answer(200, "{}")]);
        let pending: Vec<_> = parts.mail_subscriptions().await?.iter().map(|one| one.pending).collect();
        assert_eq!(pending, [true, false]);
        assert!(replay.seen()[0].body.contains("s-mail"), "{}", replay.seen()[0].body);
        assert_eq!(parts.gateway_log_role().await?.as_deref(), Some("arn:aws:iam::1:role/r"));
        assert_eq!(parts.gateway_log_role().await?, None);
        assert_eq!(replay.seen()[1].uri, "https://apigateway.eu-central-1.amazonaws.com/account");
        Ok(())
    }

    #[tokio::test]
    async fn a_stack_is_where_its_ledger_is() -> Result<(), Error> {
        let described =
            r#"{"Table":{"TableArn":"arn:aws-cn:dynamodb:cn-north-1:123456789012:table/s-ledger"}}"#;
        let answers = [
            answer(200, described),
            dynamodb_error("ResourceNotFoundException", ""),
            answer(200, r#"{"Table":{"TableArn":"ddblocal"}}"#),
        ];
        let (config, replay) = ScriptedService::configuration(answers);
        let connection = Connection::new(&config);
        let home = Home::find(&connection, "s-ledger").await?.expect("a home");
        let Home { partition, region, account } = home;
        assert_eq!(
            (partition.as_str(), region.as_str(), account.as_str()),
            ("aws-cn", "cn-north-1", "123456789012")
        );
        assert_eq!(replay.seen()[0].json()["TableName"], "s-ledger");
        assert_eq!(Home::find(&connection, "s-ledger").await?, None);
        assert_eq!(Home::find(&connection, "s-ledger").await.unwrap_err().code, "malformed table ARN");
        Ok(())
    }

    proptest! {
        #[test]
        fn no_arn_panics(arn: String) {
            prop_assert!(Home::of_arn(&arn).is_none_or(|home| home.account.len() == 12));
        }
    }
}
