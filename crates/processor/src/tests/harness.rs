use std::future::{Future, poll_fn};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use std::task::Poll;

use runtime::Registration;
use serde_json::{Value, json};
use store::{Entry, FileId, FileVersion, State, memory::Memory};

use crate::{Failed, Processor, Response, Settings};
use runtime::Host;

pub(super) const INBOX: &str = "inbox";
/// When the first invocation begins, milliseconds since the epoch.
const BEGIN: u64 = 1_795_161_600_000;
/// The versions that land are made from then on, each a second after the one before.
const FIRST_MADE: u64 = BEGIN + 900_000;
/// How long an invocation may last, milliseconds.
pub(super) const INVOCATION: u64 = 900_000;

/// How many sandboxes and folders were made.
static MADE: AtomicU64 = AtomicU64::new(1);

/// A processor on a store in memory.
pub(super) struct Harness {
    pub(super) memory: Memory,
    pub(super) now: Arc<AtomicU64>,
    pub(super) metrics: Arc<Mutex<Vec<String>>>,
    pub(super) processor: Processor<Memory>,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(Memory::new(), change)
    }

    /// Another sandbox on the same store.
    pub(super) fn on(memory: Memory, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(INBOX, "quarantine", telemetry::Metrics::all("Test"));
        change(&mut settings);
        let now = Arc::new(AtomicU64::new(BEGIN));
        let metrics = Arc::new(Mutex::new(Vec::new()));
        let clock = Arc::clone(&now);
        let (lines, counter) = (Arc::clone(&metrics), AtomicU64::new(1));
        // No two sandboxes have the same nonces.
        let number = u128::from(MADE.fetch_add(1, Ordering::SeqCst)) << 32;
        let host = Host {
            now_ms: Box::new(move || clock.load(Ordering::SeqCst)),
            random: Box::new(move || {
                (number | u128::from(counter.fetch_add(1, Ordering::SeqCst))).to_be_bytes()
            }),
            metric: Box::new(move |line| lines.lock().expect("lines").push(line.to_owned())),
        };
        let processor = Processor::new(memory.clone(), settings, host);
        // The partner of most files is known without a look into the table, of which `senders` and `crashes` have
        // others.
        processor.registrations.keep("north", Registration::Active, u64::MAX);
        Self { memory, now, metrics, processor }
    }

    /// A harness that notes its claims in this folder.
    pub(super) fn journalling(memory: Memory, folder: &Folder) -> Self {
        Self::on(memory, |settings| settings.journal = Some(folder.0.clone()))
    }

    /// Lands a file of the sample contracts.
    pub(super) fn land(&self, key: &str, bytes: impl AsRef<[u8]>) -> FileVersion {
        let file = self.memory.land(INBOX, key, bytes.as_ref().to_vec());
        let number: String = file.version.chars().filter(char::is_ascii_digit).collect();
        let second = number.parse::<u64>().expect("versions are numbered");
        self.memory.made_at(&file, FIRST_MADE + second * 1_000);
        file
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(super) fn wait(&self, milliseconds: u64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// One invocation with one message for each file; the ids of the messages that come back.
    pub(super) async fn deliver(&self, files: &[&FileVersion]) -> Vec<String> {
        let bodies: Vec<String> = files.iter().map(|file| body_of(&[file])).collect();
        self.invoke(&bodies).await
    }

    /// One invocation with these messages; the ids of those that come back.
    pub(super) async fn invoke(&self, bodies: &[String]) -> Vec<String> {
        let deadline = self.now_ms() + INVOCATION;
        match self.processor.handle(&batch_of(bodies), deadline).await {
            Ok(Response::Batch(response)) => {
                response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
            }
            other => panic!("a batch is answered by a batch: {other:?}"),
        }
    }

    /// An invocation that has no file to work on.
    pub(super) async fn idle(&self) {
        let test = "{\"Event\":\"s3:TestEvent\",\"Bucket\":\"inbox\"}".to_owned();
        assert!(self.invoke(&[test]).await.is_empty());
    }

    pub(super) async fn invoke_direct(&self, event: &Value) -> Result<Response, Failed> {
        self.processor.handle(event, self.now_ms() + INVOCATION).await
    }

    /// One invocation with a message for this file, whose process dies before call `n` from now on. Gives whether it
    /// did: `false` when it had ended before.
    pub(super) async fn killed(&self, file: &FileVersion, n: usize) -> bool {
        self.killed_with(&body_of(&[file]), n).await
    }

    /// The same with this message.
    pub(super) async fn killed_with(&self, body: &str, n: usize) -> bool {
        let (armed, ended) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let (still_armed, dying) = (Arc::clone(&armed), Arc::clone(&ended));
        self.memory.before(self.memory.calls().len() + n, move |_| async move {
            if still_armed.load(Ordering::SeqCst) {
                dying.store(true, Ordering::SeqCst);
                std::future::pending::<()>().await;
            }
        });
        let bodies = [body.to_owned()];
        // What the process was doing is dropped where it stands, as its end would drop it: its locks are free.
        let mut invocation = pin!(self.invoke(&bodies));
        let killed = poll_fn(|context| {
            let is_over = invocation.as_mut().poll(context).is_ready();
            match (ended.load(Ordering::SeqCst), is_over) {
                (true, _) => Poll::Ready(true),
                (false, true) => Poll::Ready(false),
                (false, false) => Poll::Pending,
            }
        });
        let killed = killed.await;
        armed.store(false, Ordering::SeqCst);
        killed
    }

    /// Delivers again and again, an hour apart, as the queue does; a sandbox that died is replaced.
    pub(super) async fn until_terminal(&self, files: &[&FileVersion]) {
        for _ in 0..12 {
            if self.deliver(files).await.is_empty() && self.memory.take_sent().is_empty() {
                return;
            }
            if self.memory.is_dead() {
                self.memory.revive();
            }
            self.wait(3_600_000);
        }
        panic!("not terminal after twelve deliveries: {}", self.memory.state());
    }

    pub(super) fn entry(&self, file: &FileVersion) -> Entry {
        self.entry_of(file).expect("the file has an entry")
    }

    pub(super) fn entry_of(&self, file: &FileVersion) -> Option<Entry> {
        let id = FileId::of(file);
        self.memory.entries().into_iter().find(|entry| FileId::of(&entry.file) == id)
    }

    pub(super) fn state(&self, file: &FileVersion) -> State {
        self.entry(file).state
    }

    pub(super) fn fault(&self, file: &FileVersion) -> Option<String> {
        self.entry(file).outcome.and_then(|outcome| outcome.fault)
    }

    /// An object of the quarantine that ends so.
    pub(super) fn object(&self, ending: &str) -> Option<Vec<u8>> {
        let objects = self.memory.quarantine();
        objects.into_iter().find(|(key, _)| key.ends_with(ending)).map(|(_, object)| object.bytes.to_vec())
    }

    /// How often a metric was counted.
    pub(super) fn counted(&self, name: &str) -> usize {
        let lines = self.metrics.lock().expect("lines");
        let values =
            lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("a metric line is JSON"));
        values.filter(|line| line[name].as_f64().is_some_and(|value| value > 0.0)).count()
    }
}

/// A folder of its own for journal files, removed in the end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        let number = MADE.fetch_add(1, Ordering::SeqCst);
        let name = format!("processor-claims-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// Names of the journal files in it.
    pub(super) fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.0).into_iter().flatten();
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect()
    }

    /// What a sandbox that is thrown away does.
    pub(super) fn lose(&self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.lose();
    }
}

pub(super) fn record_of(file: &FileVersion) -> Value {
    let number: String = file.version.chars().filter(char::is_ascii_digit).collect();
    let second = number.parse::<u64>().unwrap_or_default() % 60;
    json!({
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "eventTime": format!("2026-11-20T08:15:{second:02}.000Z"),
        "s3": { "bucket": { "name": file.bucket }, "object": {
            "key": file.key.replace('%', "%25").replace('+', "%2B").replace(' ', "+"),
            "versionId": file.version, "eTag": file.etag, "sequencer": "0061"
        }}
    })
}

pub(super) fn body_of(files: &[&FileVersion]) -> String {
    let records: Vec<_> = files.iter().map(|file| record_of(file)).collect();
    json!({ "Records": records }).to_string()
}

fn batch_of(bodies: &[String]) -> Value {
    let records = bodies.iter().enumerate().map(|(number, body)| {
        json!({
            "eventSource": "aws:sqs", "messageId": format!("m{number}"),
            "receiptHandle": format!("r{number}"), "body": body,
            "attributes": { "ApproximateReceiveCount": "1" }
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// A contract on `id` (integer, primary key) and `name` (at most five characters), with further settings of the schema.
pub(super) fn contract(format: &str, status: &str, settings: &[(&str, &str)]) -> String {
    let mut text = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: visits\nversion: 1.2.0\nstatus: {status}\n\
         servers:\n  - server: inbox\n    type: s3\n    location: s3://inbox/\n    format: {format}\n\
         schema:\n  - name: visits\n    properties:\n\
         \x20     - name: id\n        logicalType: integer\n        required: true\n        primaryKey: true\n        primaryKeyPosition: 1\n\
         \x20     - name: name\n        logicalType: string\n        logicalTypeOptions:\n          maxLength: 5\n"
    );
    if !settings.is_empty() {
        text.push_str("    customProperties:\n");
        for (property, value) in settings {
            for line in
                ["      - property: ", property, "\n        value: ", value, "\n        vendor: ingest\n"]
            {
                text.push_str(line);
            }
        }
    }
    text
}

/// Publishes a CSV contract for feed `visits` with these settings.
pub(super) fn visits(harness: &Harness, settings: &[(&str, &str)]) {
    harness.memory.publish_contract("visits", contract("csv", "active", settings));
}

pub(super) const GOOD: &str = "id,name\n1,Ann\n2,Bob\n3,Cid\n";
pub(super) const MIXED: &str = "id,name\n1,Ann\nx,Bob\n3,Constantine\n4,Dan\n";
