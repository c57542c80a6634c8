//! A watcher, and the processor behind the queue to which it sends.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ledger::{Entry, FileId, FileVersion, State};
use processor::{Processor, Response};
use runtime::Host;
use runtime::notification::{self, NotificationAuthor};
pub(super) use runtime::{DAY_MS, HOUR_MS, MINUTE_MS};
use serde_json::{Value, json};
use store::memory::Memory;
use store::{
    Credential, CredentialHash, Feeds, ListedVersion, Partner, PartnerLimits, Scope, WritePartners as _,
};
use telemetry::Metrics;

use crate::{Settings, WatchError, Watcher};

/// The first scheduled time, 21 November 2026, six o'clock (UTC).
pub(super) const BEGIN_MS: u64 = 1_795_240_800_000;

pub(super) struct Harness {
    pub(super) memory: Memory,
    pub(super) watcher: Watcher<Memory>,
    processor: Processor<Memory>,
    /// The clock of the sandbox, which follows the schedule.
    clock: Arc<AtomicU64>,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self::on(Memory::new(), 7)
    }

    pub(super) fn with_heartbeat() -> Self {
        Self::with_heartbeat_and(&Metrics::all("Test"))
    }

    /// Makes a harness that publishes these metrics.
    pub(super) fn with_heartbeat_and(metrics: &Metrics) -> Self {
        Self::made(Memory::new(), (true, 7), metrics)
    }

    /// Makes a harness without heartbeat on this store, which deletes rows after this number of days.
    pub(super) fn on(memory: Memory, clean_up_after_days: u64) -> Self {
        Self::made(memory, (false, clean_up_after_days), &Metrics::all("Test"))
    }

    fn made(memory: Memory, (heartbeat, clean_up_after_days): (bool, u64), metrics: &Metrics) -> Self {
        let clock = Arc::new(AtomicU64::new(BEGIN_MS));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let host = || {
            let (time, kept, counter) = (Arc::clone(&clock), Arc::clone(&lines), AtomicU64::new(1));
            Host {
                now_ms: Box::new(move || time.load(Ordering::SeqCst)),
                random: Box::new(move || u128::from(counter.fetch_add(1, Ordering::SeqCst)).to_be_bytes()),
                metric: Box::new(move |line| {
                    kept.lock().expect("lines").push(serde_json::from_str(line).expect("JSON"));
                }),
            }
        };
        let settings = Settings { metrics: metrics.clone(), heartbeat, clean_up_after_days };
        let watcher = Watcher::new(memory.clone(), settings, host());
        let of_processor = processor::Settings::new("inbox", "quarantine", metrics.clone());
        let processor = Processor::new(memory.clone(), of_processor, host());
        Self { memory, watcher, processor, clock, lines }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Does one run, with the scheduled time as the clock's.
    pub(super) async fn run(&self, at_ms: u64) -> Result<(), WatchError> {
        self.clock.store(at_ms, Ordering::SeqCst);
        self.run_until(at_ms, at_ms + 240_000).await
    }

    pub(super) async fn run_until(&self, at_ms: u64, deadline_ms: u64) -> Result<(), WatchError> {
        let event = json!({"detail-type": "Scheduled Event", "source": "aws.events", "time": runtime::format_instant(at_ms)});
        self.watcher.handle(&event, deadline_ms).await
    }

    /// Gives the processor what was sent to its queue; returns the different messages.
    pub(super) async fn process_sent(&self) -> BTreeSet<String> {
        let sent: BTreeSet<String> = self.memory.take_sent().into_iter().collect();
        for body in &sent {
            self.deliver(body).await;
        }
        sent
    }

    /// Delivers one message to the processor; returns whether it is acknowledged.
    pub(super) async fn deliver(&self, body: &str) -> bool {
        let record = json!({"eventSource": "aws:sqs", "messageId": "m", "receiptHandle": "r", "body": body});
        let answer = self.processor.handle(&json!({"Records": [record]}), self.now_ms() + 900_000).await;
        matches!(answer, Ok(Response::Batch(response)) if response.batch_item_failures.is_empty())
    }

    /// The event of a version arrives.
    pub(super) async fn arrive_as_it_is(&self, file: &FileVersion, made_ms: u64) {
        self.memory.made_at(file, made_ms);
        assert!(self.deliver(&event_of(file, made_ms)).await, "it is terminal");
    }

    /// Lands a file with this number of rows and loads it.
    pub(super) async fn arrive(&self, folder: &str, rows: u64, made_ms: u64) -> FileVersion {
        let lines: Vec<_> = (0..rows).map(|row| format!("{row},Ann\n")).collect();
        let bytes = format!("id,name\n{}", lines.concat());
        let file = self.memory.land("inbox", &format!("{folder}/{made_ms}.csv"), bytes);
        self.arrive_as_it_is(&file, made_ms).await;
        file
    }

    /// Adds a partner, with a credential that names these feeds.
    pub(super) async fn register(&self, name: &str, feeds: &str, created_ms: u64, active: bool) {
        let limits = PartnerLimits { requests_per_second: 1, burst: 1, bytes_per_day: 1 };
        let partner = Partner { name: name.to_owned(), active, limits, created_ms };
        self.memory.put_partner(&partner).await.expect("no planned fault");
        let credential = Credential {
            id: "0123456789ab".to_owned(),
            partner: name.to_owned(),
            feeds: Feeds::parse(feeds),
            scopes: BTreeSet::from([Scope::Submit]),
            created_ms,
            expires_ms: None,
            revoked_ms: None,
            gateway_key: None,
        };
        self.memory.put_credential(&CredentialHash::of(name), &credential).await.expect("no planned fault");
    }

    pub(super) fn entry(&self, file: &FileVersion) -> Option<Entry> {
        let id = FileId::of(file);
        self.memory.entries().into_iter().find(|entry| FileId::of(&entry.file) == id)
    }

    pub(super) fn state(&self, file: &FileVersion) -> Option<State> {
        self.entry(file).map(|entry| entry.state)
    }

    /// Returns the last line that has a metric.
    pub(super) fn last_with(&self, metric: &str) -> Value {
        let lines = self.lines.lock().expect("lines");
        lines.iter().rev().find(|line| !line[metric].is_null()).cloned().unwrap_or_default()
    }

    /// Returns a metric of the last run; `None` when the run did not publish it.
    pub(super) fn gauge(&self, metric: &str) -> Option<u64> {
        let lines = self.lines.lock().expect("lines");
        lines.iter().rev().find(|line| !line["Watches"].is_null())?[metric].as_u64()
    }

    /// Returns the highest value of a metric that any line published, as an alarm on its maximum sees it.
    pub(super) fn highest(&self, metric: &str) -> Option<u64> {
        let lines = self.lines.lock().expect("lines");
        let published = lines
            .iter()
            .filter(|line| line["_aws"]["CloudWatchMetrics"].to_string().contains(&format!("\"{metric}\"")));
        published.filter_map(|line| line[metric].as_u64()).max()
    }

    /// Missing, late, low and high files of a feed, as the last line of the feed has them.
    pub(super) fn feed(&self, feed: &str) -> Option<[u64; 4]> {
        let lines = self.lines.lock().expect("lines");
        let line = lines.iter().rev().find(|line| line["feed"] == feed && !line["FilesMissing"].is_null())?;
        Some(
            ["FilesMissing", "FilesLate", "FilesVolumeLow", "FilesVolumeHigh"]
                .map(|metric| line[metric].as_u64().unwrap_or(99)),
        )
    }

    /// Returns every metric under every set of dimensions that any line published, with the dimensions' values.
    pub(super) fn published(&self) -> BTreeSet<String> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut found = BTreeSet::new();
        for line in self.lines.lock().expect("lines").iter() {
            for directive in list(&line["_aws"]["CloudWatchMetrics"]) {
                for set in list(&directive["Dimensions"]) {
                    let values: Vec<String> = list(&set).iter().map(|name| text(&line[text(name)])).collect();
                    let name = |metric: &Value| format!("{} {}", text(&metric["Name"]), values.join(" "));
                    found.extend(list(&directive["Metrics"]).iter().map(name));
                }
            }
        }
        found
    }

    pub(super) fn forget_lines(&self) {
        self.lines.lock().expect("lines").clear();
    }

    pub(super) fn all_lines(&self) -> String {
        self.lines.lock().expect("lines").iter().map(Value::to_string).collect()
    }
}

/// Returns the event of a version that was made at this time.
pub(super) fn event_of(file: &FileVersion, made_ms: u64) -> String {
    let version = ListedVersion { file: file.clone(), last_modified_ms: made_ms, bytes: 1 };
    notification::write(&version, NotificationAuthor::Reconciliation)
}

/// Returns a contract on `id` and `name`, with more properties of the schema.
pub(super) fn contract(more: &str) -> String {
    format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: visits\nversion: 1.2.0\nstatus: active\n\
         servers:\n  - server: inbox\n    type: s3\n    location: s3://inbox/\n    format: csv\n\
         schema:\n  - name: visits\n    customProperties: [{more}]\n    properties:\n\
         \x20     - {{name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}}\n\
         \x20     - {{name: name, logicalType: string}}\n"
    )
}

/// Returns a property that makes a contract expect a file each day at six, with an hour of grace.
pub(super) fn daily(rows: &str) -> String {
    let value = format!("{{schedule: \"0 6 * * *\", timezone: UTC, grace: 1h{rows}}}");
    format!("{{property: expect, value: {value}, vendor: ingest}}")
}
