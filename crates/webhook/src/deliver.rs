//! Deliveries: all messages of a batch at once; a message that the receiver did not accept is delivered again later.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use outbound::signature::{self, Secret};
use outbound::{Target, TargetError};
use runtime::announcement::{self, UnknownEvent};
use runtime::{Message, SqsBatchResponse};
use serde_json::Value;
use store::{FileNames, Queue, ReadPartners, Webhook};
use telemetry::{DeliveryRecord, DeliveryResult, Label};

use crate::WebhookSender;
use crate::error::{DeliveryError, Done};
use crate::event::OutcomeMessage;

/// Pauses before the next attempts, seconds; the last one repeats. With the 12 receptions of the queue a receiver has
/// some 32 hours to come back. Each is lengthened by up to a quarter, at random, and all stay below the 12 hours for
/// which SQS hides a message at most.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>
const PAUSES: [u32; 9] = [10, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800];

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

impl<P: ReadPartners + FileNames, Q: Queue> WebhookSender<P, Q> {
    /// Handles one invocation that ends at `deadline_ms` (milliseconds since the epoch). Every failure belongs to one
    /// message and is part of the response; an error is returned only for an event that is not a batch.
    pub async fn handle(&self, event: &Value, deadline_ms: u64) -> Result<SqsBatchResponse, UnknownEvent> {
        let messages = announcement::decode(event, OutcomeMessage::read)?;
        let attend = |message, time| self.attend(message, time);
        Ok(announcement::deliver_all(&messages, deadline_ms, &self.host, attend).await)
    }

    /// Delivers one message within its time. Returns whether it is to be delivered again.
    async fn attend(&self, message: &Message<Option<OutcomeMessage>>, time: Duration) -> bool {
        let began_ms = self.host.now();
        let ended = announcement::within(time, self.deliver(message)).await;
        self.record(message, &ended, self.host.now().saturating_sub(began_ms));
        let Err(error) = ended else { return false };
        let pause = self.pause(message.receive_count, &error);
        announcement::give_back(&self.queue, &self.host, message, pause).await;
        true
    }

    async fn deliver(&self, message: &Message<Option<OutcomeMessage>>) -> Result<Done, DeliveryError> {
        let notice = message.body.as_ref().ok_or(DeliveryError::Unknown)?;
        let Some(partner) = &notice.partner else { return Ok(Done::NoReceiver) };
        let Some(webhook) = self.partners.webhook(partner).await? else { return Ok(Done::NoReceiver) };
        let name = self.partners.name_of(partner, &notice.file).await?;
        self.breakers
            .ask(partner, self.host.now())
            .map_err(|until_ms| DeliveryError::CircuitOpen { until_ms })?;
        let body = notice.post_body(name.as_deref(), &self.api_url);
        let ended = self.post(notice, body, &webhook).await;
        match &ended {
            Ok(_) => self.breakers.worked(partner),
            Err(error) if error.is_the_receivers() => self.breakers.failed(partner, self.host.now()),
            Err(_) => {}
        }
        ended
    }

    async fn post(
        &self,
        notice: &OutcomeMessage,
        body: Bytes,
        webhook: &Webhook,
    ) -> Result<Done, DeliveryError> {
        let target = Target::parse(&webhook.url, self.policy)?;
        let mut secrets = vec![Secret::parse(&webhook.secret)?];
        if let Some(previous) = &webhook.previous_secret {
            secrets.push(Secret::parse(previous)?);
        }
        let (id, timestamp) = (notice.id(), self.host.now() / 1_000);
        let signature = signature::header(&secrets, &id, timestamp, &body);
        // An id, a number and base64 are always fit for a header.
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| TargetError::Malformed);
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (ID, value(&id)?),
            (TIMESTAMP, HeaderValue::from(timestamp)),
            (SIGNATURE, value(&signature)?),
        ];
        let answer = self.client.post(&target, headers, body).await?;
        match answer.status {
            status @ 200..=299 => Ok(Done::Delivered(status)),
            410 => Ok(Done::Unwanted),
            status => Err(DeliveryError::Status { status, retry_after: answer.retry_after }),
        }
    }

    /// Returns seconds until the next delivery: later each time, and not before the circuit closes or the receiver
    /// asks for it.
    fn pause(&self, receive_count: u32, cause: &DeliveryError) -> u32 {
        let [.., last] = PAUSES;
        let at_least = match cause {
            DeliveryError::CircuitOpen { until_ms } => {
                let seconds = until_ms.saturating_sub(self.host.now()).div_ceil(1_000);
                u32::try_from(seconds).unwrap_or(last)
            }
            DeliveryError::Status { retry_after, .. } => retry_after.unwrap_or_default().min(last),
            _ => 0,
        };
        announcement::pause_after(receive_count, &PAUSES).max(at_least)
    }

    /// Logs and counts the result of a message, once.
    fn record(
        &self,
        message: &Message<Option<OutcomeMessage>>,
        ended: &Result<Done, DeliveryError>,
        duration_ms: u64,
    ) {
        if matches!(ended, Ok(Done::NoReceiver)) {
            return;
        }
        let notice = message.body.as_ref();
        let record = DeliveryRecord {
            partner: Label::new(notice.and_then(|notice| notice.partner.as_deref()).unwrap_or_default()),
            file: Label::new(notice.map(|notice| notice.file.as_str()).unwrap_or_default()),
            state: notice.map(|notice| notice.state),
            delivery: delivery(ended),
            answer: ended.as_ref().map_or_else(DeliveryError::code, |done| done.code()),
            duration: duration_ms,
            receive_count: message.receive_count,
        };
        match ended {
            Ok(_) => record.log(None),
            Err(error) => record.log(Some(&telemetry::chain(error))),
        }
        let now_ms = self.host.now();
        let line = match ended.as_ref().err().and_then(DeliveryError::occurrence) {
            Some(occurrence) => occurrence.metric(&self.metrics, now_ms),
            None => record.metric(&self.metrics, now_ms),
        };
        (self.host.metric)(&line);
    }
}

fn delivery(ended: &Result<Done, DeliveryError>) -> DeliveryResult {
    match ended {
        Ok(Done::Unwanted) => DeliveryResult::Unwanted,
        Ok(_) => DeliveryResult::Delivered,
        Err(DeliveryError::Address(_)) => DeliveryResult::Rejected,
        Err(DeliveryError::CircuitOpen { .. }) => DeliveryResult::Held,
        Err(_) => DeliveryResult::Failed,
    }
}
