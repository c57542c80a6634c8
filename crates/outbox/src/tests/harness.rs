//! The ledger, the quarantine and the outbox in memory, and files whose decisions are in them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use ledger::{Claim, FileId, LoadId, Order, Outcome, QuarantineFolder, Rank, State, receipt_key};
use runtime::Host;
use serde_json::{Value, json};
use store::memory::{INBOX, Memory};
use store::{Claimed, Fence, ReceiptMark, S3Principals as _, WriteLedger as _};

use crate::OutboxWriter;

pub(super) const KEY: &str = "north/visits/day.csv";
pub(super) const RECEIPT: &str = "north/visits/day.csv.receipt.json";
/// A value of a record, in the rejected records only.
pub(super) const VALUE: &str = "canary-value";
/// When the tests happen, milliseconds since the epoch.
pub(super) const BEGIN_MS: u64 = 1_700_000_000_000;
pub(super) const DEADLINE_MS: u64 = BEGIN_MS + 60_000;

/// The stores and the metrics of a test.
#[derive(Clone, Default)]
pub(super) struct Harness {
    pub(super) memory: Memory,
    metrics: Arc<Mutex<Vec<Value>>>,
}

/// A file version that was decided.
#[derive(Clone, Debug)]
pub(super) struct DecidedFile {
    pub(super) partner: String,
    pub(super) id: FileId,
    pub(super) load: LoadId,
    pub(super) order: Order,
    pub(super) state: State,
    /// The receipt's key in the quarantine.
    pub(super) receipt: String,
}

impl DecidedFile {
    /// Returns the prefix of its objects in the quarantine.
    pub(super) fn folder(&self) -> String {
        QuarantineFolder::new(&self.partner, "visits", &self.order, &self.load).prefix().to_owned()
    }

    fn announcement(&self) -> Value {
        json!({ "version": 1, "fileId": self.id.as_str(), "load": self.load.to_string(), "partner": self.partner,
            "feed": "visits", "state": self.state.as_str(), "loaded": 1 })
    }
}

impl Harness {
    /// A stack in which the partner `north` has a principal.
    pub(super) async fn with_reader() -> Self {
        let harness = Self::default();
        let principals = BTreeSet::from(["arn:aws:iam::210987654321:role/sender".to_owned()]);
        harness.memory.put_s3_principals("north", &principals).await.expect("kept");
        harness
    }

    pub(super) fn writer(&self) -> OutboxWriter<Memory, Memory> {
        let metrics = Arc::clone(&self.metrics);
        let host = Host {
            now_ms: Box::new(|| BEGIN_MS),
            random: Box::new(|| [0; 16]),
            metric: Box::new(move |line| {
                let line = serde_json::from_str(line).expect("JSON");
                metrics.lock().expect("nobody panicked").push(line);
            }),
        };
        OutboxWriter::new(self.memory.clone(), self.memory.clone(), telemetry::Metrics::all("test"), host)
    }

    /// Lands a version of a name and decides it. `returned` is what its receipt says of rejected records.
    pub(super) async fn decided(&self, key: &str, state: State, returned: Option<&str>) -> DecidedFile {
        let receipt = |load: &LoadId| {
            receipt_key(key.split('/').next().unwrap_or_default(), "visits", load, state, None)
        };
        self.decided_with(key, state, returned, receipt).await
    }

    /// The same with this receipt.
    pub(super) async fn decided_as(
        &self,
        key: &str,
        receipt: &str,
        state: State,
        returned: Option<&str>,
    ) -> DecidedFile {
        self.decided_with(key, state, returned, |_| receipt.to_owned()).await
    }

    async fn decided_with(
        &self,
        key: &str,
        state: State,
        returned: Option<&str>,
        receipt: impl Fn(&LoadId) -> String,
    ) -> DecidedFile {
        let version = self.memory.land(INBOX, key, "x");
        let (id, versions) = (FileId::of(&version), self.memory.entries().len());
        let load = LoadId::new(&id, &[0; 32], 1, 0);
        let older = u32::try_from(versions).expect("few files");
        let file = DecidedFile {
            partner: key.split('/').next().unwrap_or_default().to_owned(),
            id,
            order: Order::new(Rank { instant_ms: BEGIN_MS, older }),
            state,
            receipt: receipt(&load),
            load,
        };
        let claim = Claim {
            partner: file.partner.clone(),
            feed: "visits".to_owned(),
            load: file.load.clone(),
            owner: "owner".to_owned(),
            order: file.order.clone(),
            now_ms: BEGIN_MS,
            lease_until_ms: BEGIN_MS + 1,
            file: version,
        };
        let Claimed::Mine(entry) = self.memory.claim(&claim).await.expect("claimed") else { panic!("held") };
        let outcome = self.keep(&file, state, &file.receipt, returned);
        let fence = Fence::of(&entry);
        self.memory.finish(&fence, &outcome, 7).await.expect("finished");
        file
    }

    /// Writes receipt and rejected records of a decision into the quarantine; returns the outcome that names them.
    pub(super) fn keep(
        &self,
        file: &DecidedFile,
        state: State,
        receipt: &str,
        returned: Option<&str>,
    ) -> Outcome {
        let mut document = json!({ "fileId": file.id.as_str(), "load": file.load.to_string(), "state": state.as_str(), "receipt": receipt });
        if let Some(form) = returned {
            document["rejectsReturned"] = json!(form);
        }
        let folder = file.folder();
        if !receipt.is_empty() {
            self.memory.keep(receipt, document.to_string());
            for name in ["rejects.csv", "rejects.ndjson"] {
                self.memory.keep(&format!("{folder}{name}"), format!("{VALUE} of {}", file.load));
            }
        }
        Outcome { receipt: receipt.to_owned(), quarantine: Some(folder), ..Outcome::new(state) }
    }

    /// Changes the decision on a file, as an operator does; the outcome that is announced is the file's.
    pub(super) fn decide_again(&self, file: &DecidedFile, state: State) -> DecidedFile {
        let receipt = receipt_key(&file.partner, "visits", &file.load, state, None);
        let outcome = self.keep(file, state, &receipt, None);
        self.memory.decide_again(&file.id, &outcome);
        DecidedFile { state, receipt, ..file.clone() }
    }

    /// Delivers announcements as one batch; returns the places in it of those that are to be delivered again.
    pub(super) async fn deliver(&self, files: &[&DecidedFile]) -> Vec<String> {
        self.deliver_at(1, files).await
    }

    /// The same, received so often.
    pub(super) async fn deliver_at(&self, receive_count: u32, files: &[&DecidedFile]) -> Vec<String> {
        let attributes = json!({ "ApproximateReceiveCount": receive_count.to_string() });
        let record = |(number, file): (usize, &&DecidedFile)| {
            json!({ "messageId": number.to_string(), "receiptHandle": number.to_string(),
                "body": file.announcement().to_string(), "attributes": attributes })
        };
        let event = json!({ "Records": files.iter().enumerate().map(record).collect::<Vec<_>>() });
        let response = self.writer().handle(&event, DEADLINE_MS).await.expect("a batch");
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Delivers an announcement until it is taken.
    pub(super) async fn deliver_until_taken(&self, file: &DecidedFile) {
        for _ in 0..4 {
            if self.deliver(&[file]).await.is_empty() {
                return;
            }
        }
        panic!("never taken: {file:?}");
    }

    /// Returns the receipt of [`KEY`] in the outbox.
    pub(super) fn receipt(&self) -> Option<(ReceiptMark, Value)> {
        let (mark, body) = self.memory.outbox_receipts().remove(RECEIPT)?;
        Some((mark, serde_json::from_slice(&body).expect("JSON")))
    }

    /// Returns a file's receipt as the processor wrote it.
    pub(super) fn receipt_in_quarantine(&self, file: &DecidedFile) -> Value {
        serde_json::from_slice(&self.memory.quarantine()[&file.receipt].bytes).expect("JSON")
    }

    /// Checks that the outbox has the receipt that the ledger names for this file.
    pub(super) fn assert_shows(&self, file: &DecidedFile, case: &str) {
        let (mark, body) = self.receipt().unwrap_or_else(|| panic!("{case}: no receipt"));
        assert_eq!((mark.file, &body["receipt"]), (file.id.clone(), &json!(file.receipt)), "{case}");
    }

    /// Returns the sum of a metric over all lines.
    pub(super) fn counted(&self, metric: &str) -> u64 {
        let lines = self.metrics.lock().expect("nobody panicked");
        lines.iter().filter_map(|line| line[metric].as_u64()).sum()
    }
}
