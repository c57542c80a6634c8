//! The table and the queue, and receivers on this machine.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger::{Claim, FileId, LoadId};
use runtime::SqsBatchResponse;
use serde_json::{Value, json};
use store::memory::{INBOX, Memory};
use store::{Webhook, WriteLedger as _, WritePartners as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Base64 of 32 bytes of 7, and of 24 bytes of 9.
pub(super) const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
pub(super) const OLD_SECRET: &str = "whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ";
pub(super) const FILE: &str = "r5g61a45bnmyhnp8sgqw0ymkjv";
/// The address of the partner API.
pub(super) const API: &str = "https://api.example.org/api";
/// When the tests begin, milliseconds since the epoch.
pub(super) const BEGIN_MS: u64 = 1_700_000_000_000;

/// The tables, the queue and the metrics of a test.
#[derive(Default)]
pub(super) struct Harness {
    pub(super) memory: Memory,
    pub(super) metrics: Mutex<Vec<Value>>,
    /// Milliseconds since [`BEGIN_MS`].
    pub(super) elapsed: AtomicU64,
}

impl Harness {
    /// One counted call.
    pub(super) async fn set(&self, partner: &str, url: &str) {
        self.set_with(partner, url, SECRET, None).await;
    }

    pub(super) async fn set_with(&self, partner: &str, url: &str, secret: &str, previous: Option<&str>) {
        let (url, secret) = (url.to_owned(), secret.to_owned());
        let webhook = Webhook { url, secret, previous_secret: previous.map(str::to_owned) };
        self.memory.put_webhook(partner, Some(&webhook)).await.unwrap();
    }

    /// Adds a file to the ledger; returns its id.
    pub(super) async fn claimed(&self, key: &str) -> String {
        let file = self.memory.land(INBOX, key, "x");
        let id = FileId::of(&file);
        let claim = Claim {
            partner: "north".to_owned(),
            feed: "visits".to_owned(),
            load: LoadId::new(&id, &[0; 32], 1, 0),
            owner: "owner".to_owned(),
            order: ledger::Order::parse("2026-11-20T08:15:00.000Z/0061").expect("an order"),
            now_ms: BEGIN_MS,
            lease_until_ms: BEGIN_MS + 1,
            file,
        };
        self.memory.claim(&claim).await.unwrap();
        id.to_string()
    }

    /// Returns the last pause of each message.
    pub(super) fn deferred(&self) -> BTreeMap<String, u32> {
        self.memory.deferred().into_iter().collect()
    }

    /// Returns the sum of a metric over all lines.
    pub(super) fn counted(&self, metric: &str) -> u64 {
        self.metrics.lock().unwrap().iter().filter_map(|line| line[metric].as_u64()).sum()
    }

    /// Makes the function in this harness, without jitter.
    pub(super) fn sender(self: &Arc<Self>, policy: AddressPolicy) -> WebhookSender<Memory, Memory> {
        let (clock, meter) = (Arc::clone(self), Arc::clone(self));
        let host = Host {
            now_ms: Box::new(move || BEGIN_MS + clock.elapsed.load(Ordering::Relaxed)),
            random: Box::new(|| [0; 16]),
            metric: Box::new(move |line| {
                meter.metrics.lock().unwrap().push(serde_json::from_str(line).unwrap());
            }),
        };
        let (partners, queue) = (self.memory.clone(), self.memory.clone());
        WebhookSender::new(partners, queue, policy, API.to_owned(), telemetry::Metrics::all("test"), host)
            .unwrap()
    }
}

/// A partner's own server, on a port of its own.
pub(super) struct WebhookReceiver {
    listener: TcpListener,
    said: Mutex<Vec<String>>,
}

impl WebhookReceiver {
    pub(super) async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), said: Mutex::default() }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.listener.local_addr().unwrap())
    }

    /// What was posted here, oldest first.
    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Answers every post with the same status line and headers.
    pub(super) async fn serve(&self, answer: &str) -> Infallible {
        loop {
            self.take(answer).await;
        }
    }

    /// Takes one post.
    pub(super) async fn take(&self, answer: &str) {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut said = Vec::new();
        while !is_whole(&said) && stream.read_buf(&mut said).await.unwrap() > 0 {}
        self.said.lock().unwrap().push(String::from_utf8(said).unwrap());
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
        drop(stream.write_all(answer.as_bytes()).await);
        drop(stream.shutdown().await);
    }
}

fn is_whole(said: &[u8]) -> bool {
    let text = String::from_utf8_lossy(said);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

/// Returns the value of a header of a request.
pub(super) fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let prefix = format!("{name}: ");
    request.lines().find_map(|line| line.strip_prefix(prefix.as_str())).unwrap_or_default()
}

pub(super) fn announcement(partner: &str) -> String {
    format!(
        r#"{{"version":1,"fileId":"{FILE}","load":"{FILE}-ce8hmn7mrjtx6","partner":"{partner}","feed":"visits","state":"COMPLETE","loaded":3}}"#
    )
}

/// Returns the body that is posted for [`announcement`], when the ledger does not know the file.
pub(super) fn posted(partner: &str) -> String {
    format!(
        r#"{{"feed":"visits","fileId":"{FILE}","load":"{FILE}-ce8hmn7mrjtx6","loaded":3,"name":null,"partner":"{partner}","state":"COMPLETE","version":1}}"#
    )
}

/// Returns a message with this body, called like its receipt handle.
pub(super) fn message(id: &str, receive_count: u32, body: &str) -> Value {
    json!({ "messageId": id, "receiptHandle": id, "body": body, "eventSource": "aws:sqs",
        "attributes": { "ApproximateReceiveCount": receive_count.to_string() } })
}

pub(super) fn batch(messages: &[Value]) -> Value {
    json!({ "Records": messages })
}

pub(super) fn ids(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}
