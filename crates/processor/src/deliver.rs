//! Deliveries: each message of a batch on its own, and what becomes of one that did not end.

use std::time::Duration;

use lambda_runtime::Diagnostic;
use runtime::{Deadline, Message, SqsBatchResponse, caught, deliver_again};
use serde::Serialize;
use serde_json::Value;
use store::{Fence, FileId, OpenUploads};
use telemetry::Occurrence;

use crate::{
    Processor, ProcessorStore,
    attempt::{FileAttempt, OpenClaim},
    error::ProcessError,
    event::{Delivered, Event, Job, UnknownEvent},
    journal::{Death, Working},
    process::Delivery,
};

/// The delay before a first retry, seconds; each further one doubles it.
const FIRST_DELAY: u32 = 30;
/// The longest delay before a retry, seconds.
const LONGEST_DELAY: u32 = 900;
/// The longest time that SQS hides a message, seconds (12 hours).
const MOST_HIDDEN: u64 = 43_200;

/// What the function answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To a batch of the queue: the messages that are to be delivered again.
    Batch(SqsBatchResponse),
    /// To an event without a queue: how many files are terminal.
    Direct {
        /// Files.
        terminal: usize,
    },
}

/// An invocation that failed as a whole, so that its caller tries again.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The event is none that this function knows.
    #[error("the event could not be decoded")]
    Event(#[from] UnknownEvent),
    /// An event without a queue did not end.
    #[error("the file is not terminal")]
    File(#[from] ProcessError),
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        let error_type = match failed {
            Failed::Event(_) => "UnknownEvent",
            Failed::File(_) => "FileNotTerminal",
        };
        Self { error_type: error_type.to_owned(), error_message: telemetry::chain(&failed) }
    }
}

/// S3 sends a message once, and Lambda deletes it once and receives it each time: a request each, since a batch is one
/// message (`infra/processing.yaml`).
fn delivery_of(message: &Message<Delivered>, deadline_ms: u64) -> Delivery {
    let queue_requests = u64::from(message.receive_count).saturating_add(2);
    Delivery { deadline_ms, receive_count: message.receive_count, queue_requests }
}

impl<S: ProcessorStore> Processor<S> {
    /// Handles one invocation that ends at `deadline_ms` (milliseconds since the epoch).
    ///
    /// For a batch every failure belongs to one message and is returned in the response; an error is returned only
    /// for an event without a queue, whose sender tries again.
    pub async fn handle(&self, event: &Value, deadline_ms: u64) -> Result<Response, Failed> {
        let deadline_ms = Deadline::new(deadline_ms, self.host.now()).at_ms();
        self.record_deaths().await;
        match Event::decode(event)? {
            Event::Queue(messages) => Ok(self.batch(&messages, deadline_ms).await),
            Event::Direct(notices) => {
                let delivery = Delivery { deadline_ms, receive_count: 1, queue_requests: 0 };
                let jobs: Vec<_> = notices.iter().map(Job::File).collect();
                self.follow_all(&jobs, delivery).await?;
                Ok(Response::Direct { terminal: notices.len() })
            }
        }
    }

    async fn batch(&self, messages: &[Message<Delivered>], deadline_ms: u64) -> Response {
        let mut failed = Vec::new();
        for message in messages {
            let delivery = delivery_of(message, deadline_ms);
            let ended = if let Some(jobs) = message.body.jobs() {
                self.follow_all(&jobs, delivery).await
            } else {
                self.note(&ProcessError::Unknown, None);
                Err(ProcessError::Unknown)
            };
            if let Err(stop) = ended {
                if matches!(stop, ProcessError::Advanced) && self.hand_over(message).await {
                    continue;
                }
                self.give_back(message, &stop, deadline_ms).await;
                failed.push(message);
            }
        }
        Response::Batch(deliver_again(failed))
    }

    /// Records the deaths of processes that left evidence on this machine. What cannot be recorded now is found again
    /// by the next invocation.
    async fn record_deaths(&self) {
        for Death { fence, journal } in self.journal.deaths() {
            tracing::error!(file = fence.file.as_str(), "a process died while it worked on the file");
            if !self.record_death(&fence, Some(journal)).await {
                return;
            }
        }
    }

    /// Records the death of a claim, after which its evidence is no longer needed, and ends its lease. Gives whether
    /// it was recorded.
    async fn record_death(&self, fence: &Fence, journal: Option<Working>) -> bool {
        let recorded = self.store.died(fence).await;
        match &recorded {
            Ok(()) => journal.into_iter().for_each(Working::end),
            Err(error) => {
                let error = telemetry::chain(error);
                tracing::warn!(file = fence.file.as_str(), error, "a death was not recorded");
            }
        }
        self.release(fence).await;
        recorded.is_ok()
    }

    /// Follows each job, whatever becomes of the others; gives the stop that needs the longest wait. Among those
    /// that need none it is one that wrote a checkpoint.
    async fn follow_all(&self, jobs: &[Job<'_>], delivery: Delivery) -> Result<(), ProcessError> {
        let mut worst: Option<((u32, bool), ProcessError)> = None;
        for job in jobs {
            let Err(stop) = self.follow(*job, delivery).await else { continue };
            let weight = (self.delay(&stop, delivery), matches!(stop, ProcessError::Advanced));
            if worst.as_ref().is_none_or(|(most, _)| weight >= *most) {
                worst = Some((weight, stop));
            }
        }
        worst.map_or(Ok(()), |(_, stop)| Err(stop))
    }

    /// Follows one job if there is time to begin, and catches a panic: it concerns this file only.
    async fn follow(&self, job: Job<'_>, delivery: Delivery) -> Result<(), ProcessError> {
        let mut attempt = FileAttempt::default();
        let time_left = self.host.now().saturating_add(self.settings.reserve_ms) < delivery.deadline_ms;
        let ended = if time_left {
            caught(self.work_off(job, delivery, &mut attempt)).await.unwrap_or(Err(ProcessError::Panicked))
        } else {
            Err(ProcessError::OutOfTime)
        };
        if let Some(OpenClaim { fence, journal }) = attempt.died() {
            self.record_death(&fence, journal).await;
        }
        self.give_up(&attempt.uploads).await;
        if let Err(stop) = &ended {
            self.note(stop, attempt.id.as_ref());
        }
        ended
    }

    async fn work_off(
        &self,
        job: Job<'_>,
        delivery: Delivery,
        attempt: &mut FileAttempt,
    ) -> Result<(), ProcessError> {
        // Kept on the heap: the futures of all that may happen to a file are large.
        match job {
            Job::File(notice) => Box::pin(self.process(notice, delivery, attempt)).await.map(drop),
            Job::Replay(request) => Box::pin(self.replay(request, delivery, attempt)).await,
            Job::CleanUp(request) => {
                attempt.id = Some(request.load.file());
                Box::pin(self.clean_up(request, delivery)).await
            }
        }
    }

    /// Gives up what the attempt left of its uploads, as far as there is time: the message must be dealt with after it.
    async fn give_up(&self, uploads: &OpenUploads) {
        let time = Duration::from_millis(self.settings.reserve_ms / 4);
        if tokio::time::timeout(time, self.store.abort(uploads)).await.is_err() {
            tracing::warn!("uploads were left to the lifecycle rule");
        }
    }

    /// Logs and counts a stop, once, with its causes.
    fn note(&self, stop: &ProcessError, id: Option<&FileId>) {
        self.count(stop.occurrence());
        let file = id.map(FileId::as_str).unwrap_or_default();
        let error = telemetry::chain(stop);
        if stop.is_usual() {
            tracing::info!(file, error, "file will be delivered again");
        } else {
            tracing::error!(file, error, "file is not terminal");
        }
    }

    pub(crate) fn count(&self, occurrence: Occurrence) {
        (self.host.metric)(&occurrence.metric(&self.settings.metrics, self.host.now()));
    }

    /// Lets a fresh message go on with a file that advanced: this one's receives are for failures, and a file that
    /// takes many invocations would use them up. The message is sent before this one is acknowledged; when it is sent
    /// and the acknowledgement is lost, both are delivered, which is harmless. Gives whether it was sent.
    async fn hand_over(&self, message: &Message<Delivered>) -> bool {
        let sent = self.store.hand_over(&message.body.text).await;
        if let Err(error) = &sent {
            tracing::warn!(
                error = telemetry::chain(error),
                "the file was not handed over by a fresh message"
            );
        }
        sent.is_ok()
    }

    /// Makes the message visible again when it makes sense. A failure costs time only: the queue's own visibility
    /// time-out applies.
    async fn give_back(&self, message: &Message<Delivered>, stop: &ProcessError, deadline_ms: u64) {
        let delivery = delivery_of(message, deadline_ms);
        let seconds = self.delay(stop, delivery);
        if let Err(error) = self.store.defer(&message.receipt_handle, seconds).await {
            tracing::warn!(error = telemetry::chain(&error), "the message's visibility was not changed");
        }
    }

    /// Returns seconds until the next delivery.
    fn delay(&self, stop: &ProcessError, delivery: Delivery) -> u32 {
        match stop {
            ProcessError::OutOfTime | ProcessError::Advanced => 0,
            ProcessError::Held { until_ms } => self.seconds_until(*until_ms),
            ProcessError::Lost => FIRST_DELAY + self.host.jitter(FIRST_DELAY),
            ProcessError::Behind
            | ProcessError::Foreign
            | ProcessError::Unknown
            | ProcessError::Panicked
            | ProcessError::Differs
            | ProcessError::Document(_)
            | ProcessError::Failed(_) => {
                let doublings = delivery.receive_count.saturating_sub(1).min(5);
                let delay = (FIRST_DELAY << doublings).min(LONGEST_DELAY);
                (delay + self.host.jitter(delay / 4)).min(LONGEST_DELAY)
            }
        }
    }

    /// Until a lease has ended, and up to five seconds more, so that not all come back at once.
    fn seconds_until(&self, until_ms: u64) -> u32 {
        let seconds = until_ms.saturating_sub(self.host.now()).div_ceil(1000).saturating_add(1);
        let seconds = seconds.saturating_add(u64::from(self.host.jitter(5))).min(MOST_HIDDEN);
        u32::try_from(seconds).unwrap_or(LONGEST_DELAY)
    }
}
