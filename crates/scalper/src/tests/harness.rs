//! A stack in memory: files are dropped, processed by the real processor, and read by the commands.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser as _;
use processor::{Processor, Response};
use runtime::{Host, encode_key, format_instant};
use serde_json::{Value, json};
use store::aws::Home;
use store::memory::{INBOX, Memory};
use store::{
    Claim, FileId, FileVersion, LoadId, Partner, PartnerLimits, StackQueue, WriteLedger as _,
    WritePartners as _,
};

use super::TERMINAL;
use crate::acknowledge::AckReport;
use crate::arguments::{Arguments, Command};
use crate::audited::{Audited, Auditor};
use crate::error::CommandError;
use crate::names::Stack;
use crate::reading::{Answer, FileView, Places, StackView};

/// 2026-11-20T12:00:00Z.
pub(super) const NOON_MS: u64 = 1_795_176_000_000;

pub(super) const CONTRACT: &str = "apiVersion: v3.1.0
kind: DataContract
id: FEED
version: 1.2.0
status: active
servers:
  - {server: inbox, type: s3, location: s3://inbox/, format: csv}
schema:
  - name: FEED
    customProperties:
      - {property: onError, value: skip_file_50%, vendor: ingest}
      - {property: onSameName, value: supersede, vendor: ingest}
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: name, logicalType: string, logicalTypeOptions: {maxLength: 5}}
";

pub(super) const GOOD: &str = "id,name\n1,Ann\n2,Bob\n";
/// One of three is rejected; its value is `Constantine`.
pub(super) const MIXED: &str = "id,name\n1,Ann\n2,Bob\n3,Constantine\n";
/// Two of three are rejected, which is too many.
pub(super) const BAD: &str = "id,name\n1,Ann\nx,Bob\n3,Constantine\n";

pub(super) struct Harness {
    pub(super) memory: Memory,
    pub(super) now: Arc<AtomicU64>,
    pub(super) view: StackView<Memory>,
    pub(super) auditor: Auditor<Memory>,
    processor: Processor<Memory>,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self::of_stack("silent-scalper")
    }

    pub(super) fn of_stack(stack: &str) -> Self {
        let memory = Memory::new();
        for feed in ["charges", "labs"] {
            memory.publish_contract(feed, CONTRACT.replace("FEED", feed));
        }
        let now = Arc::new(AtomicU64::new(NOON_MS));
        let host = || {
            let (clock, counter) = (Arc::clone(&now), AtomicU64::new(1));
            Host {
                now_ms: Box::new(move || clock.load(Ordering::SeqCst)),
                random: Box::new(move || u128::from(counter.fetch_add(1, Ordering::SeqCst)).to_be_bytes()),
                metric: Box::new(|_| ()),
            }
        };
        let stack = Stack::parse(stack).expect("a name");
        let home = Home {
            partition: "aws".to_owned(),
            region: "eu-central-1".to_owned(),
            account: "123456789012".to_owned(),
        };
        let processor = Processor::new(
            memory.clone(),
            processor::Settings::new(INBOX, "quarantine", telemetry::Metrics::all("Test")),
            host(),
        );
        let view =
            StackView { store: memory.clone(), places: Places::new(&stack, home), stack, host: host() };
        let auditor = Auditor::new(memory.clone(), host());
        Self { memory, now, view, auditor, processor }
    }

    /// Publishes a contract that says when files must come.
    pub(super) fn expect(&self, feed: &str, expect: &str) {
        let policy = "{property: onSameName, value: supersede, vendor: ingest}";
        let expect = format!("{policy}\n      - {{property: expect, value: {{{expect}}}, vendor: ingest}}");
        self.memory.publish_contract(feed, CONTRACT.replace("FEED", feed).replace(policy, &expect));
    }

    /// Publishes a contract with a service level.
    pub(super) fn promise(&self, feed: &str, level: &str) {
        let contract = CONTRACT.replace("FEED", feed);
        self.memory.publish_contract(feed, format!("{contract}slaProperties:\n  - {level}\n"));
    }

    pub(super) async fn partner(&self, name: &str, active: bool) {
        let partner =
            Partner { name: name.to_owned(), active, limits: PartnerLimits::DEFAULT, created_ms: NOON_MS };
        self.memory.put_partner(&partner).await.expect("kept");
    }

    /// Holds a feed.
    pub(super) async fn hold(&self, feed: &str) {
        let line = ["scalper", "hold", feed, "--reason", "a test"];
        let Ok(Arguments { command: Command::Hold(arguments), .. }) = Arguments::try_parse_from(line) else {
            panic!("hold")
        };
        let held = self.view.hold_feed(&arguments, &self.auditor).await;
        held.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
    }

    /// Drops a file this number of minutes before noon and lets the processor follow it.
    pub(super) async fn send(&self, key: &str, bytes: &str, minutes: u64) -> FileId {
        let file = self.memory.land(INBOX, key, bytes.to_owned());
        self.follow(&file, minutes).await;
        FileId::of(&file)
    }

    pub(super) async fn follow(&self, file: &FileVersion, minutes: u64) {
        self.memory.made_at(file, NOON_MS - minutes * 60_000);
        let event = json!({ "Records": [{
            "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "eventTime": format_instant(NOON_MS - minutes * 60_000),
            "s3": { "bucket": { "name": file.bucket }, "object": {
                "key": encode_key(&file.key), "versionId": file.version, "eTag": file.etag, "sequencer": "0061"
            }}
        }]});
        let deadline = self.now.load(Ordering::SeqCst) + 900_000;
        self.processor.handle(&event, deadline).await.expect("processed");
    }

    /// Gives a message of the inbox queue to the processor.
    pub(super) async fn deliver(&self, body: &str) {
        let event = json!({ "Records": [{
            "eventSource": "aws:sqs", "messageId": "m", "receiptHandle": "h", "body": body,
        }]});
        let deadline = self.now.load(Ordering::SeqCst) + 900_000;
        self.processor.handle(&event, deadline).await.expect("processed");
    }

    /// Lets the processor take what is in the inbox queue.
    pub(super) async fn work(&self) {
        self.take(self.memory.take_sent()).await;
    }

    /// Lets the processor take these messages of the inbox queue. Those that fail are in the queue again.
    pub(super) async fn take(&self, bodies: Vec<String>) {
        for body in bodies {
            let event = json!({ "Records": [{
                "eventSource": "aws:sqs", "messageId": "m", "receiptHandle": "r", "body": body,
                "attributes": { "ApproximateReceiveCount": "1" },
            }]});
            let deadline = self.now.load(Ordering::SeqCst) + 900_000;
            let answer = self.processor.handle(&event, deadline).await.expect("a batch");
            let Response::Batch(answer) = answer else { panic!("a batch is answered by a batch") };
            if !answer.batch_item_failures.is_empty() {
                self.memory.return_message(StackQueue::Inbox, &body);
            }
        }
    }

    /// Drops a file that a claim works on until a minute after noon.
    pub(super) async fn claimed(&self, key: &str, minutes: u64, lease_until_ms: u64) -> FileId {
        let file = self.memory.land(INBOX, key, "x");
        let id = FileId::of(&file);
        let (partner, feed) = key.split_once('/').expect("a partner");
        let claim = Claim {
            partner: partner.to_owned(),
            feed: feed.split('/').next().expect("a feed").to_owned(),
            load: LoadId::new(&id, &[0; 32], 1, 0),
            owner: "owner".to_owned(),
            order: store::Order::parse(&format!("{}/0061", format_instant(NOON_MS - minutes * 60_000)))
                .expect("an order"),
            now_ms: NOON_MS,
            lease_until_ms,
            file,
        };
        self.memory.claim(&claim).await.expect("claimed");
        id
    }

    /// A partner with a partial and a corrected file, one with a quarantined one, one that sent nothing.
    pub(super) async fn of_every_kind() -> Self {
        let harness = Self::new();
        harness.partner("north", true).await;
        harness.partner("west", false).await;
        harness.send("north/labs/monday.csv", BAD, 300).await;
        harness.send("north/labs/monday.csv", GOOD, 240).await;
        harness.send("north/labs/tuesday.csv", MIXED, 5).await;
        harness.send("north/charges/week.csv", GOOD, 60 * 24 * 9).await;
        harness.send("south/labs/a\u{1b}[31m b.csv", BAD, 90).await;
        harness.claimed("south/charges/stuck.csv", 200, 1).await;
        harness.claimed("south/charges/running.csv", 1, NOON_MS + 60_000).await;
        harness.memory.land(INBOX, "south/visits/unclaimed.csv", GOOD);
        harness.memory.land(INBOX, "Archive/x/y.csv", GOOD);
        harness
    }

    pub(super) async fn run(&self, line: &str) -> Result<Answer, CommandError> {
        let words = std::iter::once("scalper").chain(line.split(' ').filter(|word| !word.is_empty()));
        self.run_words(words).await
    }

    pub(super) async fn run_words<'w>(
        &self,
        words: impl Iterator<Item = &'w str>,
    ) -> Result<Answer, CommandError> {
        let arguments = Arguments::try_parse_from(words).expect("a command");
        let Command::Read(command) = arguments.command else { panic!("a reading command") };
        self.view.run(command).await
    }

    /// Acknowledges in the name of [`store::memory::CALLER`].
    pub(super) async fn ack(&self, words: &[&str]) -> Result<AckReport, CommandError> {
        let arguments = Arguments::try_parse_from(["scalper", "ack"].iter().chain(words)).expect("a command");
        let Command::Ack(arguments) = arguments.command else { panic!("ack") };
        self.view.acknowledge(&arguments, &self.auditor).await
    }

    /// The text of an answer, 80 columns wide.
    pub(super) async fn text(&self, line: &str) -> String {
        self.answer(line).await.to_text(TERMINAL)
    }

    pub(super) async fn answer(&self, line: &str) -> Answer {
        self.run(line).await.unwrap_or_else(|failure| panic!("{line}: {failure}"))
    }

    pub(super) async fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.answer(line).await.to_json()).expect("JSON")
    }

    /// What `tail` prints in this number of rounds, with something happening before each further one.
    pub(super) async fn tail(
        &self,
        line: &str,
        rounds: usize,
        mut between: impl AsyncFnMut(usize),
    ) -> (Vec<FileView>, usize, Result<(), CommandError>) {
        let Answer::Tail(arguments) = self.answer(line).await else { panic!("tail") };
        let mut round = 0;
        let pause = async || {
            round += 1;
            between(round).await;
            round < rounds
        };
        let (mut outcomes, mut failures) = (Vec::new(), 0);
        let emit = |outcome: &FileView| {
            outcomes.push(outcome.clone());
            Ok(())
        };
        let ended = self.view.tail(&arguments, pause, emit, |_| failures += 1).await;
        (outcomes, failures, ended)
    }
}
