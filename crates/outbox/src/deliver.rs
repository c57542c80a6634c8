//! Deliveries: all messages of a batch at once; a message that failed is delivered again later.

use std::time::Duration;

use futures_util::future::join_all;
use runtime::{Deadline, Message, SqsBatchResponse, deliver_again};
use serde_json::Value;
use store::Queue;
use telemetry::{Label, OutboxRecord, OutboxResult};

use crate::error::{OutboxError, OutboxState};
use crate::event::{AnnouncedOutcome, UnknownEvent, decode};
use crate::{OutboxStore, OutboxWriter};

/// Pauses before the next attempts, seconds; the last one repeats. With the 12 receptions of the queue a service that
/// fails has some 8 hours to come back. Each is lengthened by up to a quarter, at random.
const PAUSES: [u32; 6] = [10, 60, 300, 900, 1_800, 3_600];
/// Time kept for giving messages back, milliseconds.
const RESERVE_MS: u64 = 10_000;

impl<S: OutboxStore, Q: Queue> OutboxWriter<S, Q> {
    /// Handles one invocation that ends at `deadline_ms` (milliseconds since the epoch). Every failure belongs to one
    /// message and is part of the response; an error is returned only for an event that is not a batch.
    pub async fn handle(&self, event: &Value, deadline_ms: u64) -> Result<SqsBatchResponse, UnknownEvent> {
        let messages = decode(event)?;
        let now_ms = self.host.now();
        let time = Deadline::new(deadline_ms, now_ms).less(RESERVE_MS).remaining(now_ms);
        let failed = join_all(messages.iter().map(|message| self.attend(message, time))).await;
        Ok(deliver_again(failed.into_iter().flatten()))
    }

    /// Delivers one message within its time; a panic concerns this message only. Returns it when it is to be
    /// delivered again.
    async fn attend<'m>(
        &self,
        message: &'m Message<Option<AnnouncedOutcome>>,
        time: Duration,
    ) -> Option<&'m Message<Option<AnnouncedOutcome>>> {
        let began_ms = self.host.now();
        let delivery = runtime::caught(self.deliver(message));
        let ended = match tokio::time::timeout(time, delivery).await {
            Ok(ended) => ended.unwrap_or(Err(OutboxError::Panicked)),
            Err(_) => Err(OutboxError::OutOfTime),
        };
        self.record(message, &ended, self.host.now().saturating_sub(began_ms));
        let error = ended.err()?;
        self.give_back(message, &error).await;
        Some(message)
    }

    async fn deliver(&self, message: &Message<Option<AnnouncedOutcome>>) -> Result<OutboxState, OutboxError> {
        let announced = message.body.as_ref().ok_or(OutboxError::Unknown)?;
        let Some(partner) = &announced.partner else { return Ok(OutboxState::NoReader) };
        let principals = self.store.s3_principals(partner).await?;
        if principals.is_none_or(|principals| principals.is_empty()) {
            return Ok(OutboxState::NoReader);
        }
        self.bring_up_to_date(partner, &announced.file).await
    }

    /// Makes the message visible again later each time, but soon each time where waiting changes nothing. A failure
    /// costs time only: the queue's own visibility time-out applies.
    async fn give_back(&self, message: &Message<Option<AnnouncedOutcome>>, cause: &OutboxError) {
        let attempt = usize::try_from(message.receive_count.saturating_sub(1)).unwrap_or(usize::MAX);
        let [first, .., last] = PAUSES;
        let later = PAUSES.get(attempt).copied().unwrap_or(last);
        let pause = if cause.stays() { first } else { later };
        let seconds = pause + self.host.jitter(pause / 4);
        if let Err(error) = self.queue.defer(&message.receipt_handle, seconds).await {
            tracing::warn!(
                error = telemetry::chain(&error),
                "the visibility of the message could not be changed: it returns after the visibility time-out of the queue"
            );
        }
    }

    /// Logs and counts the result of a message, once.
    fn record(
        &self,
        message: &Message<Option<AnnouncedOutcome>>,
        ended: &Result<OutboxState, OutboxError>,
        duration_ms: u64,
    ) {
        if matches!(ended, Ok(OutboxState::NoReader)) {
            return;
        }
        let announced = message.body.as_ref();
        let (result, detail) = match ended {
            Ok(done) => done.result(),
            Err(error) => (OutboxResult::Failed, error.code()),
        };
        let record = OutboxRecord {
            partner: Label::new(announced.and_then(|one| one.partner.as_deref()).unwrap_or_default()),
            file: Label::new(announced.map(|one| one.file.as_str()).unwrap_or_default()),
            state: announced.map(|one| one.state),
            result,
            detail,
            duration: duration_ms,
            receive_count: message.receive_count,
        };
        let warning = ended.as_ref().err().map(|error| telemetry::chain(error));
        record.log(warning.as_deref());
        let now_ms = self.host.now();
        let line = match ended.as_ref().err().and_then(OutboxError::occurrence) {
            Some(occurrence) => occurrence.metric(&self.metrics, now_ms),
            None => record.metric(&self.metrics, now_ms),
        };
        (self.host.metric)(&line);
    }
}
