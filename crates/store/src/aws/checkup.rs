//! Facts about a deployed stack, from the services that it is made of.

use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use aws_sdk_s3::types::BucketVersioningStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use serde_json::Value;

use super::clients;
use super::failure::{code, failure};
use super::operator::{Home, is_no_queue};
use super::signed::{Call, Signed};
use crate::checkup::{
    AccountConcurrency, AlarmFact, AlarmState, Checkup, InboxQueue, Mapping, Notifications,
    QueueNotification, Subscription,
};
use crate::operator::StackQueue;
use crate::{Error, Operation};

/// Looks at a stack's parts.
pub struct Examiner {
    stack: String,
    home: Home,
    inbox: String,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    signed: Signed,
}

impl Examiner {
    /// Looks at the stack that is there, with these credentials, region, endpoint and HTTP client.
    #[must_use]
    pub fn new(config: &SdkConfig, stack: &str, home: &Home) -> Self {
        Self {
            stack: stack.to_owned(),
            home: home.clone(),
            inbox: format!("{stack}-inbox-{}-{}", home.account, home.region),
            s3: clients::s3(config),
            sqs: clients::sqs(config),
            sns: clients::sns(config),
            cloudwatch: clients::cloudwatch(config),
            signed: Signed::new(config),
        }
    }

    async fn get(&self, operation: Operation, service: &'static str, path: &str) -> Result<Value, Error> {
        let call = Call { operation, service, method: "GET", path, target: None, body: "" };
        self.signed.call(call).await
    }
}

impl Checkup for Examiner {
    async fn notifications(&self) -> Result<Notifications, Error> {
        let request = self.s3.get_bucket_notification_configuration().bucket(&self.inbox);
        let answer = request.expected_bucket_owner(&self.home.account).send().await;
        let answer = answer.map_err(|error| failure(Operation::ReadBucket, &error))?;
        let queues = answer.queue_configurations().iter().map(|told| QueueNotification {
            queue: told.queue_arn().to_owned(),
            events: told.events().iter().map(|event| event.as_str().to_owned()).collect(),
            filtered: told.filter().and_then(|filter| filter.key()).is_some_and(|key| {
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
        let name = StackQueue::Inbox.name(&self.stack);
        let url = match self.sqs.get_queue_url().queue_name(name).send().await {
            Ok(found) => found.queue_url.unwrap_or_default(),
            Err(error) if is_no_queue(code(&error)) => return Ok(None),
            Err(error) => return Err(failure(Operation::ReadQueue, &error)),
        };
        let request = self.sqs.get_queue_attributes().queue_url(&url);
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
        let request = self.cloudwatch.describe_alarms().alarm_name_prefix(format!("{}-", self.stack));
        let request = request.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
        let mut pages = request.into_paginator().send();
        let mut alarms = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure(Operation::ReadAlarms, &error))?;
            alarms.extend(page.metric_alarms().iter().map(|alarm| {
                AlarmFact {
                    name: alarm.alarm_name().unwrap_or_default().to_owned(),
                    state: state(alarm.state_value()),
                    since_ms: alarm
                        .state_transitioned_timestamp()
                        .or(alarm.state_updated_timestamp())
                        .and_then(milliseconds),
                    actions_enabled: alarm.actions_enabled().unwrap_or(true),
                    actions: alarm.alarm_actions().to_vec(),
                }
            }));
            alarms.extend(page.composite_alarms().iter().map(|alarm| {
                AlarmFact {
                    name: alarm.alarm_name().unwrap_or_default().to_owned(),
                    state: state(alarm.state_value()),
                    since_ms: alarm
                        .state_transitioned_timestamp()
                        .or(alarm.state_updated_timestamp())
                        .and_then(milliseconds),
                    actions_enabled: alarm.actions_enabled().unwrap_or(true),
                    actions: alarm.alarm_actions().to_vec(),
                }
            }));
        }
        Ok(alarms)
    }

    async fn mail_subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        let Home { partition, region, account } = &self.home;
        let topic = format!("arn:{partition}:sns:{region}:{account}:{}-mail", self.stack);
        let mut pages =
            self.sns.list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
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

fn milliseconds(instant: &aws_smithy_types::DateTime) -> Option<u64> {
    u64::try_from(instant.to_millis().ok()?).ok()
}
