//! One run: its concurrent parts and their results.

use std::future::Future;
use std::time::Duration;

use lambda_runtime::Diagnostic;
use serde_json::Value;
use store::{Error, FileId};
use telemetry::{Label, Occurrence, WatchRecord};

use crate::event::{Tick, UnknownEvent};
use crate::reconciliation::Reconciled;
use crate::{Watcher, WatcherStore};

/// Time that is kept for the record, milliseconds.
const RESERVE_MS: u64 = 5_000;

/// Why the invocation failed. What could be done was done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It is no tick of the schedule.
    #[error(transparent)]
    Event(#[from] UnknownEvent),
    /// These parts failed.
    #[error("failed: {}", .0.join(", "))]
    Parts(Vec<&'static str>),
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        let error_type = match failed {
            Failed::Event(_) => "UnknownEvent",
            Failed::Parts(_) => "Parts",
        };
        Self { error_type: error_type.to_owned(), error_message: failed.to_string() }
    }
}

/// What a part found out; `None`: it failed.
struct Part<T> {
    name: &'static str,
    found: Option<T>,
}

/// Returns the deadline, if it can be one. No invocation begins after its end: such a deadline is a constant of a local runtime (`cargo lambda watch` sends one),
/// which sets no limit. A minute then is what there is.
fn credible_deadline(deadline_ms: u64, now_ms: u64) -> u64 {
    if deadline_ms < now_ms { now_ms.saturating_add(60_000) } else { deadline_ms }
}

impl<S: WatcherStore> Watcher<S> {
    /// Handles one invocation that ends at `deadline_ms` (milliseconds since the epoch).
    pub async fn handle(&self, event: &Value, deadline_ms: u64) -> Result<(), Failed> {
        let now_ms = Tick::decode(event)?.at_ms;
        let until_ms = credible_deadline(deadline_ms, self.host.now()).saturating_sub(RESERVE_MS);
        let senders = self.part("senders", until_ms, self.senders()).await;
        let (mut reconciled, mut broken) = (Reconciled::default(), None);
        let (stuck, expected, dead, compared, heartbeat) = tokio::join!(
            self.part("stuck loads", until_ms, async {
                match &senders.found {
                    Some(senders) => {
                        let names: Vec<String> = senders.keys().cloned().collect();
                        self.stuck(&names, now_ms).await.map(Some)
                    }
                    None => Ok(None),
                }
            }),
            self.part("expected files", until_ms, self.expected(senders.found.as_ref(), now_ms, &mut broken)),
            self.part("dead letters", until_ms, self.dead_letters(senders.found.as_ref())),
            self.part("reconciliation", until_ms, self.reconcile(now_ms, until_ms, &mut reconciled)),
            self.part("heartbeat", until_ms, async {
                if self.settings.heartbeat { self.heartbeat(now_ms).await } else { Ok(None) }
            }),
        );
        let failed: Vec<&'static str> = [
            senders.failed(),
            stuck.failed(),
            expected.failed(),
            dead.failed(),
            compared.failed(),
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
        if failed.is_empty() { Ok(()) } else { Err(Failed::Parts(failed)) }
    }

    /// Does a part within the time that is left, and logs why it failed.
    async fn part<T>(
        &self,
        name: &'static str,
        until_ms: u64,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Part<T> {
        let time = Duration::from_millis(until_ms.saturating_sub(self.host.now()));
        let found = match tokio::time::timeout(time, work).await {
            Ok(Ok(found)) => Some(found),
            Ok(Err(error)) => {
                let failed = Occurrence::service_failed(error.is_denied());
                (self.host.metric)(&failed.metric(&self.settings.metrics, self.host.now()));
                tracing::error!(part = name, error = telemetry::chain(&error), "a part of the watch failed");
                None
            }
            Err(_) => {
                tracing::error!(part = name, "a part of the watch ran out of time");
                None
            }
        };
        Part { name, found }
    }
}

impl<T> Part<T> {
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
