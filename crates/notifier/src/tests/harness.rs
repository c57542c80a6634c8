//! The ledger, and channels on this machine.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use checker::Counts;
use ledger::{Claim, Claimed, Commit, Fence, FileId, LoadId, Outcome, State};
use serde_json::{Value, json};
use store::memory::Memory;
use store::{
    Credential, CredentialHash, Feeds, Partner, PartnerLimits, WriteLedger as _, WritePartners as _,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// When the tests begin, milliseconds since the epoch.
pub(super) const BEGIN_MS: u64 = 1_795_240_800_000;
pub(super) const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// What is kept, sent by mail and counted.
#[derive(Default)]
pub(super) struct Harness {
    pub(super) memory: Memory,
    pub(super) metrics: Mutex<Vec<Value>>,
    /// Milliseconds since [`BEGIN_MS`].
    pub(super) elapsed: AtomicU64,
}

impl Harness {
    pub(super) fn notifier(self: &Arc<Self>, channels: Option<&str>) -> Notifier<Memory> {
        self.notifier_with(channels, AddressPolicy::Loopback)
    }

    pub(super) fn notifier_with(
        self: &Arc<Self>,
        channels: Option<&str>,
        policy: AddressPolicy,
    ) -> Notifier<Memory> {
        if let Some(channels) = channels {
            self.memory.keep_secret("arn:channels", channels);
        }
        self.made(channels.map(|_| "arn:channels".to_owned()), policy)
    }

    /// Makes a notifier whose secret may not exist.
    pub(super) fn notifier_of(self: &Arc<Self>, arn: &str) -> Notifier<Memory> {
        self.made(Some(arn.to_owned()), AddressPolicy::Loopback)
    }

    fn made(self: &Arc<Self>, channels_secret: Option<String>, policy: AddressPolicy) -> Notifier<Memory> {
        let (clock, meter) = (Arc::clone(self), Arc::clone(self));
        let host = Host {
            now_ms: Box::new(move || BEGIN_MS + clock.elapsed.load(Ordering::Relaxed)),
            random: Box::new(|| [0; 16]),
            metric: Box::new(move |line| {
                meter.metrics.lock().unwrap().push(serde_json::from_str(line).unwrap());
            }),
        };
        let settings =
            Settings { channels_secret, policy, stack: "s".to_owned(), metrics: Metrics::all("test") };
        Notifier::new(self.memory.clone(), settings, host).unwrap()
    }

    /// Returns the subjects that were mailed, in order.
    pub(super) fn subjects(&self) -> Vec<String> {
        self.memory.mailed().into_iter().map(|(subject, _)| subject).collect()
    }

    /// Returns the sum of a metric over all lines.
    pub(super) fn counted(&self, metric: &str) -> u64 {
        self.metrics.lock().unwrap().iter().filter_map(|line| line[metric].as_u64()).sum()
    }

    /// A partner with a credential that names one feed.
    pub(super) async fn add_partner(&self, name: &str, feed: &str) {
        self.register(name).await;
        let credential = Credential {
            id: format!("{name}-key"),
            partner: name.to_owned(),
            feeds: Feeds::parse(feed),
            scopes: BTreeSet::new(),
            created_ms: 1,
            expires_ms: None,
            revoked_ms: None,
            gateway_key: None,
        };
        self.memory.put_credential(&CredentialHash::of(name), &credential).await.unwrap();
    }

    pub(super) async fn register(&self, name: &str) {
        let limits = PartnerLimits { requests_per_second: 1, burst: 1, bytes_per_day: 1 };
        let partner = Partner { name: name.to_owned(), active: true, limits, created_ms: 1 };
        self.memory.put_partner(&partner).await.unwrap();
    }

    /// Adds a file of ten records with its partner.
    pub(super) async fn add_file(
        &self,
        partner: &str,
        feed: &str,
        name: &str,
        state: State,
        rejects: u64,
    ) -> FileId {
        self.register(partner).await;
        self.drop_file(partner, feed, name, state, rejects).await
    }

    /// Adds a file of a partner that is in no table.
    pub(super) async fn drop_file(
        &self,
        partner: &str,
        feed: &str,
        name: &str,
        state: State,
        rejects: u64,
    ) -> FileId {
        let counts = Counts { records: 10, rows: 10 - rejects, rejects, ..Counts::default() };
        let fault = (state == State::Quarantined).then(|| "HEADER".to_owned());
        self.decide(partner, feed, name, "2026-11-21T06:00:00.000Z", outcome(state, counts, fault)).await
    }

    /// Adds a good file of nine rows that arrived at this instant.
    pub(super) async fn drop_file_at(&self, partner: &str, feed: &str, at: &str) -> FileId {
        let counts = Counts { records: 9, rows: 9, ..Counts::default() };
        self.decide(partner, feed, at, at, outcome(State::Complete, counts, None)).await
    }

    /// Adds a file that was quarantined unread, with its partner.
    pub(super) async fn quarantine_file(&self, partner: &str, feed: &str, name: &str, fault: &str) -> FileId {
        self.register(partner).await;
        let rejected = outcome(State::Quarantined, Counts::default(), Some(fault.to_owned()));
        self.decide(partner, feed, name, "2026-11-21T06:00:00.000Z", rejected).await
    }

    /// Adds a file whose key names no partner and feed.
    pub(super) async fn misplace_file(&self, name: &str) -> FileId {
        let rejected = outcome(State::Quarantined, Counts::default(), Some("BAD_KEY".to_owned()));
        self.decide("", "", name, "2026-11-21T06:00:00.000Z", rejected).await
    }

    async fn decide(&self, partner: &str, feed: &str, name: &str, at: &str, outcome: Outcome) -> FileId {
        let file = self.memory.land("inbox", &format!("{partner}/{feed}/{name}"), "x");
        let id = FileId::of(&file);
        // Files of one instant are ordered by their names.
        let claim = Claim {
            file: file.clone(),
            partner: partner.to_owned(),
            feed: feed.to_owned(),
            load: LoadId::new(&id, &[0; 32], 1, 1),
            owner: name.to_owned(),
            order: ledger::Order::parse(&format!("{at}/{}", hex::encode(name))).unwrap(),
            now_ms: BEGIN_MS,
            lease_until_ms: BEGIN_MS + 1,
        };
        let Claimed::Mine(entry) = self.memory.claim(&claim).await.unwrap() else { panic!("a new file") };
        let fence = Fence::of(&entry);
        if outcome.state == State::Complete {
            let commit =
                Commit { fence, file, outcome, head: None, content: None, dead: Vec::new(), at_ms: 7 };
            self.memory.commit(&commit).await.unwrap();
        } else {
            self.memory.finish(&fence, &outcome, 7).await.unwrap();
        }
        id
    }
}

fn outcome(state: State, counts: Counts, fault: Option<String>) -> Outcome {
    // Of a feed without a contract there is none whose hash could be kept.
    let contract_hash = if fault.as_deref() == Some("NO_CONTRACT") { "" } else { "c0ffee" };
    Outcome { counts, fault, bytes: 1, contract_hash: contract_hash.to_owned(), ..Outcome::new(state) }
}

/// Returns an event with one message.
pub(super) fn event(subject: &str, message: &str) -> Value {
    let sns = json!({"MessageId": "8c1d", "Subject": subject, "Message": message, "Timestamp": "2026-11-21T06:00:00.000Z",
        "Type": "Notification", "TopicArn": "t", "SignatureVersion": "1",
        "Signature": "s", "SigningCertUrl": "c", "UnsubscribeUrl": "u"});
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "a", "Sns": sns}]})
}

fn change(name: &str, state: &str, changed_ms: u64, trigger: &Value) -> Value {
    change_of(name, state, changed_ms, trigger, "\nIncident: s-processing")
}

/// Returns a change of an alarm of Basic on a metric without dimensions: its description names no incident.
pub(super) fn basic(name: &str, state: &str, changed_ms: u64, metric: &str) -> Value {
    let trigger = json!({"MetricName": metric, "Namespace": "test", "Statistic": "MAXIMUM", "Period": 300,
        "Dimensions": [], "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.0});
    change_of(name, state, changed_ms, &trigger, "")
}

fn change_of(name: &str, state: &str, changed_ms: u64, trigger: &Value, incident: &str) -> Value {
    let message = json!({
        "AlarmName": name,
        "AlarmDescription": format!("Something is wrong.\nDo: look at it.{incident}"),
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 1 datapoint [3.0 (21/11/26 05:55:00)] was greater than the threshold (0.0).",
        "StateChangeTime": runtime::format_instant(changed_ms).replace('Z', "+0000"),
        "AlarmArn": format!("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:{name}"),
        "Trigger": trigger,
    });
    event("a change", &message.to_string())
}

/// Returns the event of an alarm of the incident `s-processing` that goes off.
pub(super) fn alarm(name: &str, changed_ms: u64) -> Value {
    let trigger = json!({"MetricName": "Duration", "Namespace": "test", "StatisticType": "ExtendedStatistic",
        "ExtendedStatistic": "p95", "Period": 300, "Dimensions": [], "Threshold": 0.0});
    change(name, "ALARM", changed_ms, &trigger)
}

/// Returns the event of an alarm that is resolved; the composite alarm is called like the incident.
pub(super) fn recovery(name: &str, changed_ms: u64) -> Value {
    change(name, "OK", changed_ms, &json!({}))
}

pub(super) fn quarantine_alarm() -> Value {
    change(
        "s-files-quarantined",
        "ALARM",
        BEGIN_MS,
        &json!({"MetricName": "FilesQuarantined", "Threshold": 0.0}),
    )
}

/// Returns the event of an alarm on a file that did not arrive as expected.
pub(super) fn missing_alarm(metric: &str) -> Value {
    let place = json!([{"name": "feed", "value": "labs"}]);
    let trigger = json!({"MetricName": metric, "Dimensions": place, "Threshold": 0.0});
    change("s-files-missing-labs", "ALARM", BEGIN_MS, &trigger)
}

/// All channels, on a port of its own.
pub(super) struct ChannelReceiver {
    listener: TcpListener,
    said: Mutex<Vec<String>>,
}

impl ChannelReceiver {
    pub(super) async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), said: Mutex::default() }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    /// Returns the secret that leads all channels here.
    pub(super) fn channels(&self) -> String {
        let url = self.url();
        json!({
            "slack": {"url": format!("{url}/slack")},
            "pagerduty": {"url": format!("{url}/pagerduty"), "routingKey": "key"},
            "teams": {"url": format!("{url}/teams")},
            "webhook": {"url": format!("{url}/hook"), "secret": SECRET},
        })
        .to_string()
    }

    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Returns the bodies that were posted to a path, in order.
    pub(super) fn bodies(&self, wanted: &str) -> Vec<Value> {
        let said = self.said();
        let posts = said.iter().filter(|request| path(request) == wanted);
        posts.map(|post| serde_json::from_str(post.split_once("\r\n\r\n").unwrap().1).unwrap()).collect()
    }

    /// Answers every post like this until the work is done.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>, answer: &str) -> T {
        tokio::select! {
            done = work => done,
            _ = self.serve(answer) => panic!("the receiver ended"),
        }
    }

    async fn serve(&self, answer: &str) -> Infallible {
        loop {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut said = Vec::new();
            while !is_whole(&said) && stream.read_buf(&mut said).await.unwrap() > 0 {}
            self.said.lock().unwrap().push(String::from_utf8(said).unwrap());
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            drop(stream.write_all(answer.as_bytes()).await);
            drop(stream.shutdown().await);
        }
    }
}

fn is_whole(said: &[u8]) -> bool {
    let text = String::from_utf8_lossy(said);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

/// Returns the path of a request.
pub(super) fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

/// Returns the value of a header of a request.
pub(super) fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let prefix = format!("{name}: ");
    request.lines().find_map(|line| line.strip_prefix(prefix.as_str())).unwrap_or_default()
}
