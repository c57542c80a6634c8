//! An HTTP client that answers from a list and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

use super::{Aws, Backoff, Door, DoorNames, Names};

/// One request as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// The header of an answer that no service gave.
const IN_BETWEEN: &str = "via";

/// An answer of something that stands between the store and the service.
pub(super) fn in_between(status: u16) -> Answer {
    let headers = vec![(IN_BETWEEN, "1.1 proxy".to_owned()), ("content-type", "text/html".to_owned())];
    Answer { status, headers, body: "<html><body>not here</body></html>".into() }
}

pub(super) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status, headers: Vec::new(), body: body.into() }
}

/// An error of S3.
pub(super) fn s3_error(status: u16, code: &str) -> Answer {
    answer(status, format!("<Error><Code>{code}</Code><Message>secret</Message></Error>"))
}

/// An error of DynamoDB, with more members.
pub(super) fn dynamodb_error(code: &str, more: &str) -> Answer {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    answer(400, format!(r#"{{"__type":"{kind}","message":"secret"{more}}}"#))
}

/// What an asker gets when the list is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Rejection,
    Silence,
}

#[derive(Clone, Debug)]
pub(super) struct Replay(Arc<Mutex<(VecDeque<Answer>, Vec<Seen>)>>, End);

impl Replay {
    /// A store that is answered so.
    pub(super) fn store(answers: impl IntoIterator<Item = Answer>) -> (Aws, Self) {
        Self::ending(answers, End::Rejection)
    }

    /// A store that is answered so, and then never again.
    pub(super) fn store_then_silence(answers: impl IntoIterator<Item = Answer>) -> (Aws, Self) {
        Self::ending(answers, End::Silence)
    }

    fn ending(answers: impl IntoIterator<Item = Answer>, end: End) -> (Aws, Self) {
        let (config, replay) = Self::ending_configuration(answers, end);
        let names = Names {
            inboxes: vec!["inbox".into()],
            contracts_bucket: "contracts".into(),
            quarantine_bucket: "quarantine".into(),
            ledger_table: "ledger".into(),
            records_table: "records".into(),
            partners_table: "partners".into(),
            queue_url: "https://sqs.eu-central-1.amazonaws.com/123456789012/inbox".into(),
            outcome_topic: "arn:aws:sns:eu-central-1:123456789012:outcomes".into(),
            account: Some("123456789012".into()),
        };
        let mut aws = Aws::new(&config, names);
        aws.backoff = Backoff { unit: Duration::ZERO };
        (aws, replay)
    }

    /// A door that is answered so.
    pub(super) fn door(answers: impl IntoIterator<Item = Answer>) -> (Door, Self) {
        let (config, replay) = Self::configuration(answers);
        let names = DoorNames {
            inbox: "inbox".into(),
            contracts_bucket: "contracts".into(),
            quarantine_bucket: "quarantine".into(),
            ledger_table: "ledger".into(),
            records_table: "records".into(),
            partners_table: "partners".into(),
            account: Some("123456789012".into()),
        };
        (Door::new(&config, names), replay)
    }

    /// What makes clients that are answered so.
    pub(super) fn configuration(answers: impl IntoIterator<Item = Answer>) -> (SdkConfig, Self) {
        Self::ending_configuration(answers, End::Rejection)
    }

    fn ending_configuration(answers: impl IntoIterator<Item = Answer>, end: End) -> (SdkConfig, Self) {
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

    /// What was asked so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().1.clone()
    }
}

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let seen = Seen {
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
            if self.1 == End::Silence {
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

impl HttpClient for Replay {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
