//! Deliveries: all messages of a batch at once; a message that failed is delivered again later.

use std::time::Duration;

use runtime::announcement::{self, AnnouncedOutcome, UnknownEvent};
use runtime::{Message, SqsBatchResponse};
use serde_json::Value;
use store::Queue;
use telemetry::{Label, OutboxRecord, OutboxResult};

use crate::error::{OutboxError, OutboxState};
use crate::{OutboxStore, OutboxWriter};

/// Pauses before the next attempts, seconds; the last one repeats. With the 12 receptions of the queue a service that
/// fails has some 8 hours to come back. Each is lengthened by up to a quarter, at random.
const PAUSES: [u32; 6] = [10, 60, 300, 900, 1_800, 3_600];

impl<S: OutboxStore, Q: Queue> OutboxWriter<S, Q> {
    /// Handles one invocation that ends at `deadline_ms` (milliseconds since the epoch). Every failure belongs to one
    /// message and is part of the response; an error is returned only for an event that is not a batch.
    pub async fn handle(&self, event: &Value, deadline_ms: u64) -> Result<SqsBatchResponse, UnknownEvent> {
        let messages = announcement::decode(event, AnnouncedOutcome::read)?;
        let attend = |message, time| self.attend(message, time);
        Ok(announcement::deliver_all(&messages, deadline_ms, &self.host, attend).await)
    }

    /// Delivers one message within its time. Returns whether it is to be delivered again.
    async fn attend(&self, message: &Message<Option<AnnouncedOutcome>>, time: Duration) -> bool {
        let began_ms = self.host.now();
        let ended = announcement::within(time, self.deliver(message)).await;
        self.record(message, &ended, self.host.now().saturating_sub(began_ms));
        let Err(error) = ended else { return false };
        let [soon, ..] = PAUSES;
        // Later each time, but soon each time where waiting changes nothing.
        let pause =
            if error.stays() { soon } else { announcement::pause_after(message.receive_count, &PAUSES) };
        announcement::give_back(&self.queue, &self.host, message, pause).await;
        true
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
