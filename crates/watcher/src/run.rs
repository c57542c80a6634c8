//! One run: its concurrent parts and their results.

use std::future::Future;

use lambda_runtime::Diagnostic;
use ledger::FileId;
use runtime::Deadline;
use serde_json::Value;
use store::Error;
use telemetry::{Label, Occurrence, WatchRecord};

use crate::event::{Tick, UnknownEvent};
use crate::reconciliation::Reconciled;
use crate::{Watcher, WatcherStore};

/// Time that is kept for the record, milliseconds.
const RESERVE_MS: u64 = 5_000;

/// Why the invocation failed. What could be done was done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// The event is not one of the schedule.
    #[error(transparent)]
    Event(#[from] UnknownEvent),
    /// These parts failed.
    #[error("these parts of the watch failed: {}", .0.join(", "))]
    Parts(Vec<&'static str>),
}

impl From<WatchError> for Diagnostic {
    fn from(failed: WatchError) -> Self {
        let error_type = match failed {
            WatchError::Event(_) => "UnknownEvent",
            WatchError::Parts(_) => "Parts",
        };
        Self { error_type: error_type.to_owned(), error_message: failed.to_string() }
    }
}

/// The result of a part of a run; `None`: it failed.
struct TaskResult<T> {
    name: &'static str,
    found: Option<T>,
}

impl<S: WatcherStore> Watcher<S> {
    /// Handles one invocation that ends at `deadline_ms` (milliseconds since the epoch).
    pub async fn handle(&self, event: &Value, deadline_ms: u64) -> Result<(), WatchError> {
        let now_ms = Tick::decode(event)?.at_ms;
        let until = Deadline::new(deadline_ms, self.host.now()).less(RESERVE_MS);
        let senders = self.part("senders", until, self.senders()).await;
        let (mut reconciled, mut broken) = (Reconciled::default(), None);
        let (stuck, expected, dead, compared, cleaned, heartbeat) = tokio::join!(
            self.part("stuck loads", until, async {
                match &senders.found {
                    Some(senders) => {
                        let names: Vec<String> = senders.keys().cloned().collect();
                        self.stuck(&names, now_ms).await.map(Some)
                    }
                    None => Ok(None),
                }
            }),
            self.part("expected files", until, self.expected(senders.found.as_ref(), now_ms, &mut broken)),
            self.part("dead letters", until, self.dead_letters(senders.found.as_ref())),
            self.part("reconciliation", until, self.reconcile(now_ms, until, &mut reconciled)),
            self.part("clean-up", until, self.clean_up(now_ms)),
            self.part("heartbeat", until, async {
                if self.settings.heartbeat { self.heartbeat(now_ms).await } else { Ok(None) }
            }),
        );
        let failed: Vec<&'static str> = [
            senders.failed(),
            stuck.failed(),
            expected.failed(),
            dead.failed(),
            compared.failed(),
            cleaned.failed(),
            heartbeat.failed(),
        ]
        .into_iter()
        .flatten()
        .collect();
        let stuck = stuck.found.flatten();
        let record = WatchRecord {
            stuck: stuck.as_ref().map(|files| files.len() as u64),
            stuck_files: labels(&stuck.unwrap_or_default()),
            dead_letters: dead.found.as_ref().map(|dead| dead.count),
            dead_files: dead
                .found
                .iter()
                .flat_map(|dead| &dead.files)
                .map(|dead| label(&dead.file))
                .collect(),
            contracts_broken: broken.as_ref().map(|feeds| feeds.len() as u64),
            broken_feeds: broken.unwrap_or_default(),
            compared: reconciled.compared,
            resent: reconciled.resent.len() as u64,
            resent_files: labels(&reconciled.resent),
            heartbeat_age: heartbeat.found.flatten(),
            failed: failed.len() as u64,
        };
        record.log();
        (self.host.metric)(&record.metric(&self.settings.metrics, self.host.now()));
        if failed.is_empty() { Ok(()) } else { Err(WatchError::Parts(failed)) }
    }

    /// Does a part within the time that is left, and logs why it failed.
    async fn part<T>(
        &self,
        name: &'static str,
        until: Deadline,
        work: impl Future<Output = Result<T, Error>>,
    ) -> TaskResult<T> {
        let time = until.remaining(self.host.now());
        let found = match tokio::time::timeout(time, work).await {
            Ok(Ok(found)) => Some(found),
            Ok(Err(error)) => {
                let failed = Occurrence::service_failed(error.is_denied());
                (self.host.metric)(&failed.metric(&self.settings.metrics, self.host.now()));
                tracing::error!(
                    part = name,
                    error = telemetry::chain(&error),
                    "a part of the watch failed; the next run repeats it"
                );
                None
            }
            Err(_) => {
                tracing::error!(
                    part = name,
                    "a part of the watch did not end before the deadline of the invocation; the next run repeats it"
                );
                None
            }
        };
        TaskResult { name, found }
    }
}

impl<T> TaskResult<T> {
    fn failed(&self) -> Option<&'static str> {
        self.found.is_none().then_some(self.name)
    }
}

fn labels(files: &[FileId]) -> Vec<Label> {
    files.iter().map(label).collect()
}

fn label(file: &FileId) -> Label {
    Label::new(file.as_str())
}
