//! An HTTP client that answers from a list and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RuntimeComponents, SharedCredentialsProvider,
};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;

use super::{
    AuditTable, CloudWatch, Connection, ContractsBucket, InboxBucket, InboxBuckets, LedgerTable, MailTopic,
    MessageQueue, Meter, OutboxBucket, OutcomeTopic, PartnersTable, QuarantineBucket, QuarantineWriter,
    QueueUrls, RecordsTable, SecretsManager, SourceBuckets, StackQueues, WatchedQueues,
};

crate::resources! {
    /// All resources that are reached by clients of the SDK.
    pub(super) struct Stores {
        inboxes: InboxBuckets,
        inbox: InboxBucket,
        contracts: ContractsBucket,
        quarantine: QuarantineBucket,
        quarantine_writer: QuarantineWriter,
        outbox: OutboxBucket,
        sources: SourceBuckets,
        ledger: LedgerTable,
        records: RecordsTable,
        partners: PartnersTable,
        audit: AuditTable,
        queue: MessageQueue,
        watched: WatchedQueues,
        stack_queues: StackQueues,
        outcomes: OutcomeTopic,
        mail: MailTopic,
        secrets: SecretsManager,
        cloudwatch: CloudWatch,
        meter: Meter,
    }
}

pub(super) fn queue_url(name: &str) -> String {
    format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{name}")
}

impl Stores {
    fn new(connection: &Connection) -> Self {
        let (s3, dynamodb) = (connection.s3(Some("123456789012")), connection.dynamodb());
        let (sqs, sns) = (connection.sqs(), connection.sns());
        let inboxes = InboxBuckets::new(&s3, &["inbox".to_owned()]);
        let urls = QueueUrls {
            inbox: queue_url("inbox"),
            inbox_dead_letters: queue_url("inbox-dead-letters"),
            webhooks_dead_letters: queue_url("webhooks-dead-letters"),
        };
        Self {
            quarantine_writer: QuarantineWriter::new(&s3, "quarantine", &inboxes),
            inboxes,
            inbox: InboxBucket::new(&s3, "inbox"),
            contracts: ContractsBucket::new(&s3, "contracts"),
            quarantine: QuarantineBucket::new(&s3, "quarantine"),
            outbox: OutboxBucket::new(&s3, "outbox", "quarantine"),
            sources: SourceBuckets::new(&connection.s3(None), &InboxBucket::new(&s3, "inbox")),
            ledger: LedgerTable::new(&dynamodb, "ledger"),
            records: RecordsTable::new(&dynamodb, "records"),
            partners: PartnersTable::new(&dynamodb, "partners"),
            audit: AuditTable::new(&dynamodb, "audit"),
            queue: MessageQueue::new(&sqs, &queue_url("inbox")),
            watched: WatchedQueues::new(&sqs, urls),
            stack_queues: StackQueues::new(&sqs, "stack"),
            outcomes: OutcomeTopic::new(&sns, "arn:aws:sns:eu-central-1:123456789012:outcomes"),
            mail: MailTopic::new(&sns, "arn:aws:sns:eu-central-1:123456789012:mail"),
            secrets: SecretsManager::new(&connection.secrets()),
            cloudwatch: CloudWatch::new(&connection.cloudwatch()),
            meter: connection.meter(),
        }
    }
}

/// One request as it was sent.
#[derive(Clone, Debug)]
pub(super) struct SentRequest {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl SentRequest {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One response of a service, as a test plans it.
#[derive(Clone, Debug)]
pub(super) struct ReplayedResponse {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// The header of an answer that no service gave.
const IN_BETWEEN: &str = "via";

/// Returns an answer of something that stands between the store and the service.
pub(super) fn in_between(status: u16) -> ReplayedResponse {
    let headers = vec![(IN_BETWEEN, "1.1 proxy".to_owned()), ("content-type", "text/html".to_owned())];
    ReplayedResponse { status, headers, body: "<html><body>not here</body></html>".into() }
}

pub(super) fn answer(status: u16, body: impl Into<Vec<u8>>) -> ReplayedResponse {
    ReplayedResponse { status, headers: Vec::new(), body: body.into() }
}

/// Returns an error of S3.
pub(super) fn s3_error(status: u16, code: &str) -> ReplayedResponse {
    answer(status, format!("<Error><Code>{code}</Code><Message>secret</Message></Error>"))
}

/// Returns an error of DynamoDB, with more members.
pub(super) fn dynamodb_error(code: &str, more: &str) -> ReplayedResponse {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    answer(400, format!(r#"{{"__type":"{kind}","message":"secret"{more}}}"#))
}

/// What a request gets when all planned responses are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenExhausted {
    Rejection,
    Silence,
}

#[derive(Clone, Debug)]
pub(super) struct ScriptedService(Arc<Mutex<(VecDeque<ReplayedResponse>, Vec<SentRequest>)>>, WhenExhausted);

impl ScriptedService {
    /// Returns a store that is answered so.
    pub(super) fn store(answers: impl IntoIterator<Item = ReplayedResponse>) -> (Stores, Self) {
        Self::ending(answers, WhenExhausted::Rejection)
    }

    /// Returns a store that is answered so, and then never again.
    pub(super) fn store_then_silence(answers: impl IntoIterator<Item = ReplayedResponse>) -> (Stores, Self) {
        Self::ending(answers, WhenExhausted::Silence)
    }

    fn ending(answers: impl IntoIterator<Item = ReplayedResponse>, end: WhenExhausted) -> (Stores, Self) {
        let (config, replay) = Self::ending_configuration(answers, end);
        (Stores::new(&Connection::new(&config)), replay)
    }

    /// Returns what makes clients that are answered so.
    pub(super) fn configuration(answers: impl IntoIterator<Item = ReplayedResponse>) -> (SdkConfig, Self) {
        Self::ending_configuration(answers, WhenExhausted::Rejection)
    }

    fn ending_configuration(
        answers: impl IntoIterator<Item = ReplayedResponse>,
        end: WhenExhausted,
    ) -> (SdkConfig, Self) {
        let replay = Self(Arc::new(Mutex::new((answers.into_iter().collect(), Vec::new()))), end);
        let credentials = Credentials::new("id", "key", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(replay.clone())
            .build();
        (config, replay)
    }

    /// Returns what was asked so far.
    pub(super) fn seen(&self) -> Vec<SentRequest> {
        self.0.lock().unwrap().1.clone()
    }
}

impl HttpConnector for ScriptedService {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let seen = SentRequest {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        let mut state = self.0.lock().unwrap();
        state.1.push(seen);
        let Some(answer) = state.0.pop_front() else {
            if self.1 == WhenExhausted::Silence {
                return HttpConnectorFuture::new(std::future::pending());
            }
            let nothing = ConnectorError::other("no answer left".into(), None);
            return HttpConnectorFuture::ready(Err(nothing));
        };
        let status = answer.status.try_into().unwrap();
        let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
        if !answer.headers.iter().any(|(name, _)| *name == IN_BETWEEN) {
            response.headers_mut().insert("x-amz-request-id", "request");
        }
        for (name, value) in answer.headers {
            response.headers_mut().insert(name, value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl HttpClient for ScriptedService {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Every placeholder of the expressions is defined, and none that is defined is unused: DynamoDB rejects both.
pub(super) fn assert_well_formed(request: &SentRequest) {
    let json = request.json();
    let expressions =
        ["UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression"];
    let text = expressions.map(|name| json[name].to_string()).join(" ");
    let mut used: Vec<_> = text
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || "_#:".contains(letter)))
        .filter(|word| word.starts_with(['#', ':']))
        .collect();
    used.sort_unstable();
    used.dedup();
    let defined = ["ExpressionAttributeNames", "ExpressionAttributeValues"];
    let defined = defined.into_iter().filter_map(|name| json[name].as_object()).flat_map(|map| map.keys());
    let mut defined: Vec<_> = defined.map(String::as_str).collect();
    defined.sort_unstable();
    assert_eq!(used, defined, "{json}");
}
