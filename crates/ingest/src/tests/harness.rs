use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use processor::Processor;
use runtime::Host;
use serde_json::{Map, Value, json};
use store::memory::{INBOX, Memory};

use super::schema;
use crate::route::{RouteMatch, find};
use crate::{Ingest, ProxyResponse, Settings};

/// When the first request comes, milliseconds since the epoch.
pub(super) const BEGIN: u64 = 1_795_161_600_000;

/// The API, a processor behind it, and their clock.
pub(super) struct Harness {
    pub(super) memory: Memory,
    pub(super) now: Arc<AtomicU64>,
    pub(super) metrics: Arc<Mutex<Vec<String>>>,
    pub(super) ingest: Ingest<Memory>,
    processor: Processor<Memory>,
}

/// A caller: the context of an authorizer.
#[derive(Clone)]
pub(super) struct AuthorizerContext(Map<String, Value>);

/// A request that is built.
pub(super) struct Ask<'b> {
    harness: &'b Harness,
    event: Value,
}

/// The reply to a request.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Map<String, Value>,
    pub(super) body: Value,
    pub(super) text: String,
}

impl AuthorizerContext {
    /// Makes a partner with every scope, every feed, and no limit that a test reaches.
    pub(super) fn of(partner: &str) -> Self {
        let words = json!({
            "partner": partner, "feeds": "*", "scopes": "submit read operate", "credential": "cred0000000a",
            "rate": "1000000", "burst": "1000000", "bytesPerDay": "1000000000000", "principalId": partner
        });
        Self(words.as_object().cloned().expect("an object"))
    }

    pub(super) fn with(mut self, word: &str, value: &str) -> Self {
        self.0.insert(word.to_owned(), json!(value));
        self
    }
}

impl Harness {
    pub(super) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let memory = Memory::new();
        let now = Arc::new(AtomicU64::new(BEGIN));
        let metrics = Arc::new(Mutex::new(Vec::new()));
        let host = || {
            let (clock, lines, counter) = (Arc::clone(&now), Arc::clone(&metrics), AtomicU64::new(1));
            Host {
                now_ms: Box::new(move || clock.load(Ordering::SeqCst)),
                random: Box::new(move || u128::from(counter.fetch_add(1, Ordering::SeqCst)).to_be_bytes()),
                metric: Box::new(move |line| lines.lock().expect("lines").push(line.to_owned())),
            }
        };
        let mut settings = Settings::new(telemetry::Metrics::all("Test"));
        change(&mut settings);
        let processor = Processor::new(
            memory.clone(),
            processor::Settings::new(INBOX, "quarantine", telemetry::Metrics::all("Test")),
            host(),
        );
        Self { ingest: Ingest::new(memory.clone(), settings, host()), processor, memory, now, metrics }
    }

    /// Makes a harness with the contracts of `visits` (one key column) and `labs` (two).
    pub(super) fn with_feeds() -> Self {
        let harness = Self::new();
        harness.memory.publish_contract("visits", contract("visits", &[("id", "integer")], ""));
        harness.memory.publish_contract("labs", contract("labs", &[("site", "string"), ("day", "date")], ""));
        harness
    }

    pub(super) fn wait(&self, milliseconds: u64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Returns a request of partner `north`.
    pub(super) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask_as(&AuthorizerContext::of("north"), method, path)
    }

    /// Returns a request with these words of the authorizer. The query follows a question mark, decoded.
    pub(super) fn ask_as(&self, words: &AuthorizerContext, method: &str, path: &str) -> Ask<'_> {
        let mut ask = self.ask_bare(method, path);
        ask.event["requestContext"]["authorizer"] = Value::Object(words.0.clone());
        ask
    }

    /// Returns a request that no authorizer has seen.
    pub(super) fn ask_bare(&self, method: &str, path: &str) -> Ask<'_> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut pairs = Map::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.insert(name.to_owned(), json!([value]));
        }
        let event = json!({
            "resource": "/v1/{proxy+}", "path": path, "httpMethod": method,
            "headers": { "x-api-key": "ssk_planted_key" },
            "multiValueHeaders": { "x-api-key": ["ssk_planted_key"] },
            "multiValueQueryStringParameters": pairs,
            "requestContext": {
                "requestId": "request-1", "path": format!("/api{path}"),
                "identity": { "apiKey": "ssk_planted_key", "sourceIp": "192.0.2.1" }
            },
            "body": null, "isBase64Encoded": false
        });
        Ask { harness: self, event }
    }

    /// Sends a file of partner `north` and gives its id.
    pub(super) async fn send(&self, path: &str, body: &str) -> String {
        self.send_as(&AuthorizerContext::of("north"), path, body).await
    }

    pub(super) async fn send_as(&self, words: &AuthorizerContext, path: &str, body: &str) -> String {
        let reply = self.ask_as(words, "POST", path).body(body.as_bytes()).reply().await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        reply.body["id"].as_str().expect("an id").to_owned()
    }

    /// Lets the processor take the messages that were sent to its queue.
    pub(super) async fn work_off(&self) {
        for body in self.memory.take_sent() {
            let event = json!({ "Records": [
                { "eventSource": "aws:sqs", "messageId": "m", "receiptHandle": "h", "body": body }
            ]});
            let deadline = self.now.load(Ordering::SeqCst) + 900_000;
            self.processor.handle(&event, deadline).await.expect("processed");
        }
    }

    /// Lets the processor follow every version in the inbox, as its queue does.
    pub(super) async fn process(&self) {
        for version in self.memory.inbox_versions() {
            let file = version.file;
            let number: String = file.version.chars().filter(char::is_ascii_digit).collect();
            let second = number.parse::<u64>().unwrap_or_default() % 60;
            self.memory.made_at(&file, BEGIN + 900_000 + second * 1_000);
            let event = json!({ "Records": [{
                "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                "eventTime": format!("2026-11-20T08:15:{second:02}.000Z"),
                "s3": { "bucket": { "name": file.bucket }, "object": {
                    "key": file.key.replace('%', "%25").replace('+', "%2B").replace(' ', "+"),
                    "versionId": file.version, "eTag": file.etag, "sequencer": "0061"
                }}
            }]});
            let deadline = self.now.load(Ordering::SeqCst) + 900_000;
            self.processor.handle(&event, deadline).await.expect("processed");
        }
    }
}

impl Ask<'_> {
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = json!(value);
        self.event["multiValueHeaders"][name] = json!([value]);
        self
    }

    pub(super) fn body(mut self, body: &[u8]) -> Self {
        self.event["body"] = json!(STANDARD.encode(body));
        self.event["isBase64Encoded"] = json!(true);
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.body(body.to_string().as_bytes())
    }

    pub(super) fn signer(mut self, arn: &str) -> Self {
        self.event["requestContext"]["identity"]["userArn"] = json!(arn);
        self
    }

    /// Returns the answer; it keeps what the OpenAPI document promises of the route, and never names a cause.
    pub(super) async fn reply(self) -> Reply {
        let (method, path) = (self.event["httpMethod"].clone(), self.event["path"].clone());
        let response = self.harness.ingest.handle(self.event).await;
        let reply = Reply::of(&response);
        let path = path.as_str().expect("a path");
        let path = path.trim_start_matches("/oauth").trim_start_matches("/iam");
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        let definition = match find(method.as_str().expect("a method"), &segments) {
            RouteMatch::Route(definition, _) => Some(definition),
            _ => None,
        };
        schema::assert_promised(definition, &reply);
        reply
    }
}

impl Reply {
    fn of(response: &ProxyResponse) -> Self {
        let envelope = serde_json::to_value(response).expect("JSON");
        let text = envelope["body"].as_str().expect("a body").to_owned();
        Self {
            status: response.status,
            headers: envelope["headers"].as_object().cloned().expect("headers"),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    pub(super) fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.as_str()
    }
}

/// Returns a CSV contract whose key is these columns, with a `name` of at most five characters; `more` is added to
/// the schema.
pub(super) fn contract(feed: &str, key: &[(&str, &str)], more: &str) -> String {
    let mut text = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: {feed}\nversion: 1.2.0\nstatus: active\nservers:\n  - server: inbox\n    \
         type: s3\n    location: s3://inbox/\n    format: csv\n    customProperties:\n      - property: limits\n        \
         value: {{maxFileBytes: 3000000}}\n        vendor: ingest\nschema:\n  - name: {feed}\n{more}    properties:\n"
    );
    for (place, (name, kind)) in (1..).zip(key) {
        let column = format!(
            "      - {{name: {name}, logicalType: {kind}, required: true, primaryKey: true, primaryKeyPosition: {place}}}\n"
        );
        text.push_str(&column);
    }
    text + "      - {name: name, logicalType: string, logicalTypeOptions: {maxLength: 5}}\n"
}

pub(super) const GOOD: &str = "id,name\n1,Ann\n2,Bob\n";
pub(super) const MIXED: &str = "id,name\n1,Ann\nx,Bob\n3,Constantine\n";
