//! A deployed stack: drop a file, deliver an event, wait for the outcome, read what is where.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use aws_smithy_http_client::Builder;
use serde_json::{Value, json};

use super::emulator::Emulator;
use super::files;
use super::http;
use super::tables::{AttributeMap, LedgerItem, all_items};

/// How long an outcome may take on a busy machine before the test fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at a queue's counts, which cannot be waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The emulator's name for the account's owner.
pub(super) const ACCOUNT: &str = "000000000001";
/// The feed of `fixtures/scans`.
const FEED: &str = "scans";

/// Builds the configuration of one SDK client: the emulator, its owner or a role, no TLS.
macro_rules! client {
    ($sdk:ident, $endpoint:expr, $credentials:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("us-east-1"))
                .endpoint_url($endpoint)
                .credentials_provider($credentials)
                .http_client(Builder::new().build_http())
                .build(),
        )
    };
}
pub(super) use client;

/// Names of the stack's outputs.
pub(super) struct OutputNames {
    pub(super) inbox: String,
    pub(super) contracts: String,
    pub(super) quarantine: String,
    pub(super) ledger: String,
    pub(super) records: String,
    pub(super) queue: String,
    pub(super) dead_letters: String,
    pub(super) topic: String,
    pub(super) function: String,
    pub(super) logs: String,
    pub(super) partners: String,
    pub(super) audit: String,
    /// The address of the partners' API, with its harness.
    pub(super) api: String,
    /// Logs of the functions behind the API and of the webhooks.
    pub(super) api_logs: [String; 3],
    pub(super) ingest: String,
    pub(super) authorizer: String,
    pub(super) webhook: String,
    pub(super) webhook_queue: String,
    pub(super) outbox: String,
    /// Those of the function that fills the outbox: empty in a stack without it.
    pub(super) outbox_function: String,
    pub(super) outbox_queue: String,
    pub(super) outbox_logs: String,
    pub(super) watcher: String,
    pub(super) watcher_logs: String,
    pub(super) alarm_topic: String,
    pub(super) mail_topic: String,
    pub(super) notifier_logs: String,
    pub(super) notifier_dead_letters: String,
}

pub(super) struct Harness {
    pub(super) emulator: Emulator,
    pub(super) names: OutputNames,
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) sns: aws_sdk_sns::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    /// Receives every announcement.
    listener: String,
    /// Gets what would be mailed.
    mailbox: String,
    heard: Mutex<Vec<Value>>,
}

impl Harness {
    /// Makes a new emulator with the template deployed, a listener on the outcomes, and the contract of
    /// `fixtures/scans`. No heartbeat is dropped, so that all that is there is the test's own, however long it takes.
    pub(super) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// Makes the same with parameters of the template, each `Name=Value`.
    pub(super) async fn open_with(parameters: &[String]) -> Self {
        Self::open_on(Emulator::start(), parameters).await
    }

    /// Makes the same on an emulator that may hold something already. The heartbeat is left out unless it is asked for.
    pub(super) async fn open_on(emulator: Emulator, parameters: &[String]) -> Self {
        let mut chosen = parameters.to_vec();
        if !parameters.iter().any(|parameter| parameter.starts_with("Heartbeat=")) {
            chosen.push("Heartbeat=Off".to_owned());
        }
        let outputs = emulator.deploy(&chosen);
        let output =
            |name: &str| outputs[name].as_str().unwrap_or_else(|| panic!("no output {name}")).to_owned();
        let some = |name: &str| outputs[name].as_str().unwrap_or_default().to_owned();
        let names = OutputNames {
            inbox: output("InboxBucketName"),
            contracts: output("ContractsBucketName"),
            quarantine: output("QuarantineBucketName"),
            ledger: output("LedgerTableName"),
            records: output("RecordsTableName"),
            queue: output("InboxQueueUrl"),
            dead_letters: output("InboxDeadLetterQueueUrl"),
            topic: output("OutcomeTopicArn"),
            function: output("ProcessorFunctionName"),
            logs: output("ProcessorLogGroupName"),
            partners: output("PartnersTableName"),
            audit: output("AuditTableName"),
            api: output("PartnerApiUrl"),
            api_logs: ["IngestLogGroupName", "AuthorizerLogGroupName", "WebhookLogGroupName"].map(output),
            ingest: output("IngestFunctionName"),
            authorizer: output("AuthorizerFunctionName"),
            webhook: output("WebhookFunctionName"),
            webhook_queue: output("WebhookQueueUrl"),
            outbox: output("OutboxBucketName"),
            outbox_function: some("OutboxFunctionName"),
            outbox_queue: some("OutboxQueueUrl"),
            outbox_logs: some("OutboxLogGroupName"),
            watcher: output("WatcherFunctionName"),
            watcher_logs: output("WatcherLogGroupName"),
            alarm_topic: output("AlarmTopicArn"),
            mail_topic: output("MailTopicArn"),
            notifier_logs: output("NotifierLogGroupName"),
            notifier_dead_letters: output("NotifierDeadLetterQueueUrl"),
        };
        let owner = || Credentials::new(ACCOUNT, "local", None, None, "the emulator's owner");
        let endpoint = emulator.endpoint.clone();
        let sqs = client!(aws_sdk_sqs, &endpoint, owner());
        let sns = client!(aws_sdk_sns, &endpoint, owner());
        let listener = listen(&sqs, &sns, &names.topic, "outcomes-heard").await;
        let mailbox = listen(&sqs, &sns, &names.mail_topic, "mail-heard").await;
        let harness = Self {
            s3: client!(aws_sdk_s3, &endpoint, owner()),
            dynamodb: client!(aws_sdk_dynamodb, &endpoint, owner()),
            sqs,
            sns,
            emulator,
            names,
            listener,
            mailbox,
            heard: Mutex::new(Vec::new()),
        };
        harness.publish(&files::contract()).await;
        harness
    }

    /// Publishes the contract of the feed of `fixtures/scans`.
    pub(super) async fn publish(&self, contract: &str) {
        self.publish_feed(FEED, contract).await;
    }

    /// Publishes the contract of a feed.
    pub(super) async fn publish_feed(&self, feed: &str, contract: &str) {
        let body = ByteStream::from(contract.as_bytes().to_vec());
        let put = self.s3.put_object().bucket(&self.names.contracts).key(format!("{feed}.odcs.yaml"));
        put.body(body).send().await.expect("publish the contract");
    }

    /// Lands a file; returns its version.
    pub(super) async fn land(&self, key: &str, bytes: impl Into<Vec<u8>>) -> String {
        let body = ByteStream::from(bytes.into());
        let put = self.s3.put_object().bucket(&self.names.inbox).key(key).body(body).send().await;
        put.expect("land the file").version_id.expect("the inbox keeps versions")
    }

    /// Lands a file and waits until it is terminal and announced.
    pub(super) async fn process(&self, key: &str, bytes: impl Into<Vec<u8>>) -> LedgerItem {
        let version = self.land(key, bytes).await;
        self.outcome(key, &version).await
    }

    /// Waits until the file version is terminal and announced; of clutter that nobody sent nothing is announced.
    pub(super) async fn outcome(&self, key: &str, version: &str) -> LedgerItem {
        let wait = async {
            loop {
                if let Some(entry) = self.entry(key, version).await.filter(LedgerItem::is_terminal)
                    && (entry.state() == "IGNORED" || self.announcement(entry.file()).is_some())
                {
                    return entry;
                }
                self.listen_once().await;
            }
        };
        let outcome = tokio::time::timeout(PATIENCE, wait).await;
        outcome
            .unwrap_or_else(|_| panic!("no outcome of {key:?}; the emulator said:\n{}", self.emulator.log()))
    }

    /// Returns the announcement of a file, if it was received.
    pub(super) fn announcement(&self, file: &str) -> Option<Value> {
        self.announcements().into_iter().find(|heard| heard["fileId"] == file)
    }

    pub(super) fn announcements(&self) -> Vec<Value> {
        self.heard.lock().expect("nobody panicked while listening").clone()
    }

    async fn listen_once(&self) {
        for body in self.take(&self.listener, 1).await {
            let body = serde_json::from_str(&body).expect("an announcement is JSON");
            self.heard.lock().expect("nobody panicked while listening").push(body);
        }
    }

    /// What was mailed and is not read yet.
    pub(super) async fn mail(&self) -> Vec<String> {
        let mut mail = Vec::new();
        loop {
            match self.take(&self.mailbox, 0).await {
                some if some.is_empty() => return mail,
                some => mail.extend(some),
            }
        }
    }

    /// Takes up to ten messages of a queue, and waits for the first, at most this number of seconds.
    pub(super) async fn take(&self, queue: &str, seconds: i32) -> Vec<String> {
        let receive = self.sqs.receive_message().queue_url(queue).wait_time_seconds(seconds);
        let received = receive.max_number_of_messages(10).send().await.expect("listen to a queue");
        let mut bodies = Vec::new();
        for message in received.messages.unwrap_or_default() {
            let handle = message.receipt_handle.unwrap_or_default();
            let delete = self.sqs.delete_message().queue_url(queue).receipt_handle(handle);
            delete.send().await.expect("forget the message");
            bodies.push(message.body.unwrap_or_default());
        }
        bodies
    }

    /// Returns the ledger entry of a file version.
    pub(super) async fn entry(&self, key: &str, version: &str) -> Option<LedgerItem> {
        let entries = self.ledger().await.into_iter().map(LedgerItem);
        let mut own = entries.filter(|entry| entry.text("pk").starts_with("file#"));
        own.find(|entry| entry.text("key") == key && entry.text("version") == version)
    }

    pub(super) async fn ledger(&self) -> Vec<AttributeMap> {
        all_items(&self.dynamodb, &self.names.ledger).await
    }

    pub(super) async fn records(&self) -> Vec<AttributeMap> {
        all_items(&self.dynamodb, &self.names.records).await
    }

    /// Returns an object of the quarantine bucket.
    pub(super) async fn quarantined(&self, key: &str) -> Vec<u8> {
        let get = self.s3.get_object().bucket(&self.names.quarantine).key(key).send().await;
        let object = get.unwrap_or_else(|error| panic!("no quarantine object {key}: {error:?}"));
        object.body.collect().await.expect("read the object").to_vec()
    }

    /// Keys below a prefix of the quarantine bucket, without the prefix and its slash.
    pub(super) async fn quarantine_names(&self, prefix: &str) -> Vec<String> {
        let list = self.s3.list_objects_v2().bucket(&self.names.quarantine).prefix(format!("{prefix}/"));
        let found = list.send().await.expect("list the quarantine").contents.unwrap_or_default();
        let keys = found.into_iter().filter_map(|object| object.key);
        keys.filter_map(|key| Some(key.strip_prefix(prefix)?.trim_start_matches('/').to_owned())).collect()
    }

    /// Returns the receipt of an outcome.
    pub(super) async fn receipt(&self, entry: &LedgerItem) -> Value {
        serde_json::from_slice(&self.quarantined(entry.receipt()).await).expect("a receipt is JSON")
    }

    /// Stops the bucket's own events, so that a test decides what is delivered and when.
    pub(super) async fn silence(&self) {
        let nothing = aws_sdk_s3::types::NotificationConfiguration::builder().build();
        let put = self.s3.put_bucket_notification_configuration().bucket(&self.names.inbox);
        put.notification_configuration(nothing).send().await.expect("stop the events");
    }

    /// Returns the event that S3 sends for a version, the same at every call.
    pub(super) fn event(&self, key: &str, version: &str, sequencer: &str) -> String {
        let object = json!({"key": runtime::encode_key(key), "size": 1, "eTag": "0", "versionId": version, "sequencer": sequencer});
        let bucket = json!({"name": self.names.inbox, "arn": format!("arn:aws:s3:::{}", self.names.inbox)});
        let record = json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
            "eventTime": "2026-03-05T06:07:08.000Z", "userIdentity": {"principalId": "sender"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"}, "responseElements": {},
            "s3": {"s3SchemaVersion": "1.0", "configurationId": "inbox", "bucket": bucket, "object": object},
        });
        json!({"Records": [record]}).to_string()
    }

    /// Puts a message into the inbox queue, as S3 would.
    pub(super) async fn deliver(&self, body: &str) {
        self.sqs
            .send_message()
            .queue_url(&self.names.queue)
            .message_body(body)
            .send()
            .await
            .expect("send the message");
    }

    /// Waits until the inbox queue holds nothing, visible or not. The dead-letter queue must be empty then.
    pub(super) async fn settle(&self) {
        let wait = async {
            while self.messages(&self.names.queue).await > 0 {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let settled = tokio::time::timeout(PATIENCE, wait).await;
        assert!(settled.is_ok(), "the inbox queue is not empty; the emulator said:\n{}", self.emulator.log());
        assert_eq!(self.messages(&self.names.dead_letters).await, 0, "dead letters");
    }

    /// Waits until every outcome so far is in the outbox, or needs no place there.
    pub(super) async fn settle_outbox(&self) {
        let wait = async {
            while self.messages(&self.names.outbox_queue).await > 0 {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let settled = tokio::time::timeout(PATIENCE, wait).await;
        assert!(
            settled.is_ok(),
            "the outbox queue is not empty; the emulator said:\n{}",
            self.emulator.log()
        );
    }

    pub(super) async fn messages(&self, queue: &str) -> u64 {
        let counts = [
            Attribute::ApproximateNumberOfMessages,
            Attribute::ApproximateNumberOfMessagesNotVisible,
            Attribute::ApproximateNumberOfMessagesDelayed,
        ];
        let get = self.sqs.get_queue_attributes().queue_url(queue).set_attribute_names(Some(counts.to_vec()));
        let attributes = get.send().await.expect("count the messages").attributes.unwrap_or_default();
        counts.iter().filter_map(|count| attributes.get(count)?.parse::<u64>().ok()).sum()
    }

    /// Returns everything that is in a log group, one event a line.
    pub(super) fn logs_of(&self, group: &str) -> String {
        let mut lines = String::new();
        let mut request = json!({ "logGroupName": group });
        loop {
            let page = self.logs_call("FilterLogEvents", &request);
            for event in page["events"].as_array().into_iter().flatten() {
                lines.push_str(event["message"].as_str().unwrap_or_default().trim_end());
                lines.push('\n');
            }
            match page["nextToken"].as_str() {
                Some(token) => request["nextToken"] = token.into(),
                None => return lines,
            }
        }
    }

    fn logs_call(&self, operation: &str, request: &Value) -> Value {
        http::call(&self.emulator.endpoint, "logs", &format!("Logs_20140328.{operation}"), request)
    }
}

async fn listen(sqs: &aws_sdk_sqs::Client, sns: &aws_sdk_sns::Client, topic: &str, name: &str) -> String {
    let created = sqs.create_queue().queue_name(name).send().await.expect("a queue for the listener");
    let url = created.queue_url.expect("its address");
    let get = sqs.get_queue_attributes().queue_url(&url).attribute_names(Attribute::QueueArn).send().await;
    let arn = get
        .expect("its attributes")
        .attributes
        .and_then(|mut all| all.remove(&Attribute::QueueArn))
        .expect("its ARN");
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }]});
    let set = sqs.set_queue_attributes().queue_url(&url).attributes(Attribute::Policy, policy.to_string());
    set.send().await.expect("let the topic write to the listener");
    let subscribe = sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(arn);
    subscribe.attributes("RawMessageDelivery", "true").send().await.expect("subscribe the listener");
    url
}
