//! A change of an alarm, from the event to the channels.

use std::time::Duration;

use futures_util::future::{join_all, join3};
use lambda_runtime::Diagnostic;
use serde_json::Value;
use store::{Error, Incident};
use telemetry::{Label, NoticeRecord, NoticeResult, Occurrence};

use crate::alarm::AlarmChange;
use crate::channel::{Channel, ChannelError, MalformedChannels};
use crate::event::{UnknownEvent, decode};
use crate::files::AlarmFiles;
use crate::incident::{IncidentStep, decide};
use crate::message::{AlarmMessage, MessageContext};
use crate::{Notifier, NotifierStore, files, members, recent, render};

/// Maximum number of attempts to write an incident that another invocation changes meanwhile.
const ATTEMPTS: usize = 8;
/// Maximum time for each optional look-up of a message: a message without it is better than none.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why Lambda is to deliver a change again. Holds names and codes only.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The event is not a message of an SNS topic.
    #[error(transparent)]
    Event(#[from] UnknownEvent),
    /// The incident was not read or written.
    #[error("the incident could not be read or written in the ledger table")]
    Ledger(#[from] Error),
    /// Another invocation is sending the messages of the incident.
    #[error("another invocation sends the messages of the incident")]
    Busy,
    /// A panic was caught.
    #[error("a defect in the notifier: the handling of the change panicked")]
    Panicked,
    /// These channels did not accept the message.
    #[error("not accepted by the channels: {}", .0.join(", "))]
    Channels(Vec<&'static str>),
}

impl From<NotifyError> for Diagnostic {
    fn from(error: NotifyError) -> Self {
        let error_type = match error {
            NotifyError::Event(_) => "UnknownEvent",
            NotifyError::Ledger(_) => "Ledger",
            NotifyError::Busy => "Busy",
            NotifyError::Panicked => "Panicked",
            NotifyError::Channels(_) => "Channels",
        };
        Self { error_type: error_type.to_owned(), error_message: telemetry::chain(&error) }
    }
}

/// Why the channels are not known.
#[derive(Debug, thiserror::Error)]
enum NoChannels {
    #[error("the secret of the channels could not be read")]
    Read(#[from] Error),
    #[error(transparent)]
    Malformed(#[from] MalformedChannels),
}

/// Why something that a message may do without is not in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("a service failed")]
    Service(#[from] Error),
    #[error("the service did not answer within {} seconds", LOOKUP_TIMEOUT.as_secs())]
    Late,
}

impl LookupError {
    /// Waits for an answer, for a limited time.
    pub(crate) async fn within<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, Self> {
        Ok(tokio::time::timeout(LOOKUP_TIMEOUT, asked).await.map_err(|_| Self::Late)??)
    }

    fn occurrence(&self) -> Occurrence {
        match self {
            Self::Service(error) => Occurrence::service_failed(error.is_denied()),
            Self::Late => Occurrence::RetryableError,
        }
    }
}

impl<S: NotifierStore> Notifier<S> {
    /// Handles one invocation. An error asks Lambda to try again, and at last to keep the event among the dead letters.
    pub async fn handle(&self, event: &Value) -> Result<(), NotifyError> {
        let mut ended = Ok(());
        for notice in decode(event)? {
            let attended = runtime::caught(self.attend(&AlarmChange::read(&notice))).await;
            let one = attended.unwrap_or(Err(NotifyError::Panicked));
            match &one {
                Err(NotifyError::Ledger(error)) => self.count(Occurrence::service_failed(error.is_denied())),
                Err(NotifyError::Panicked) => self.count(Occurrence::Panic),
                _ => {}
            }
            ended = ended.and(one);
        }
        ended
    }

    async fn attend(&self, change: &AlarmChange) -> Result<(), NotifyError> {
        for _ in 0..ATTEMPTS {
            let seen = self.store.incident(&change.incident).await?;
            match decide(seen.as_ref(), change, self.host.now()) {
                IncidentStep::Nothing => return Ok(()),
                IncidentStep::Later => return Err(NotifyError::Busy),
                IncidentStep::Fold => {
                    self.store.fold(&change.incident, &change.alarm).await?;
                    self.record(change, "none", NoticeResult::Folded, "");
                    return Ok(());
                }
                IncidentStep::Notify(next) => {
                    if self.store.put_incident(&change.incident, &next, seen.as_ref()).await? {
                        return self.notify(change, next).await;
                    }
                }
            }
        }
        Err(NotifyError::Busy)
    }

    /// Notifies every channel that was not notified yet, all at once, and notes which of them accepted the message.
    async fn notify(&self, change: &AlarmChange, claimed: Incident) -> Result<(), NotifyError> {
        let message = self.message(change, &claimed).await;
        let mut failed = Vec::new();
        let mut channels = vec![Channel::Mail];
        match self.channels().await {
            Ok(more) => channels.extend(more),
            Err(error) => {
                if let NoChannels::Read(error) = &error {
                    self.count(Occurrence::service_failed(error.is_denied()));
                }
                tracing::warn!(
                    error = telemetry::chain(&error),
                    "the channels of the secret are not known: only mail is sent"
                );
                failed.push("channels");
            }
        }
        channels.retain(|channel| !claimed.notified.contains(channel.name()));
        let sent = join_all(channels.iter().map(|channel| self.send(channel, &message))).await;
        let mut notified = claimed.notified.clone();
        for (channel, sent) in channels.iter().zip(sent) {
            match sent {
                Ok(()) => {
                    self.record(change, channel.name(), NoticeResult::Sent, "");
                    notified.insert(channel.name().to_owned());
                }
                Err(error) => {
                    self.record(change, channel.name(), NoticeResult::Failed, error.code());
                    failed.push(channel.name());
                }
            }
        }
        let next = Incident { notified, done: failed.is_empty(), lease_until_ms: 0, ..claimed.clone() };
        // Not written: its lease is over and another invocation has it, which notifies too.
        if !self.store.put_incident(&change.incident, &next, Some(&claimed)).await? {
            tracing::warn!("another invocation has taken over the incident");
        }
        if failed.is_empty() { Ok(()) } else { Err(NotifyError::Channels(failed)) }
    }

    /// Returns the message of a change, with what the ledger and CloudWatch say within their time.
    async fn message(&self, change: &AlarmChange, incident: &Incident) -> AlarmMessage {
        let stack = &self.settings.stack;
        let (files, recent, members) = join3(
            files::of(&self.store, change, stack),
            recent::of(&self.store, change, self.host.now()),
            members::of(&self.store, change, stack),
        )
        .await;
        let files = files.unwrap_or_else(|error| {
            self.miss(&error, "files");
            AlarmFiles::Unknown
        });
        let recent = recent.unwrap_or_else(|error| {
            self.miss(&error, "recent values");
            None
        });
        let members = members.unwrap_or_else(|error| {
            self.miss(&error, "alarms");
            Vec::new()
        });
        AlarmMessage::new(change, incident, &MessageContext { files, recent, members })
    }

    fn miss(&self, error: &LookupError, what: &'static str) {
        tracing::warn!(
            what,
            error = telemetry::chain(error),
            "a message is sent without a part that could not be read"
        );
        self.count(error.occurrence());
    }

    fn count(&self, occurrence: Occurrence) {
        (self.host.metric)(&occurrence.metric(&self.settings.metrics, self.host.now()));
    }

    /// Returns the channels of the secret, read each time: incidents are rare, and a new secret holds at once.
    async fn channels(&self) -> Result<Vec<Channel>, NoChannels> {
        match &self.settings.channels_secret {
            None => Ok(Vec::new()),
            Some(arn) => Ok(Channel::parse(&self.store.secret(arn).await?)?),
        }
    }

    async fn send(&self, channel: &Channel, message: &AlarmMessage) -> Result<(), ChannelError> {
        let name = channel.name();
        self.breakers.ask(name, self.host.now()).map_err(|_| ChannelError::CircuitOpen)?;
        let ended = match channel {
            Channel::Mail => {
                let (subject, text) = render::mail(message);
                self.store.mail(&subject, &text).await.map_err(ChannelError::from)
            }
            other => other.post(&self.client, self.settings.policy, message, self.host.now()).await,
        };
        match &ended {
            Ok(()) => self.breakers.worked(name),
            Err(error) => {
                if let ChannelError::Mail(error) = error {
                    self.count(Occurrence::service_failed(error.is_denied()));
                }
                self.breakers.failed(name, self.host.now());
            }
        }
        ended
    }

    fn record(
        &self,
        change: &AlarmChange,
        channel: &'static str,
        notice: NoticeResult,
        reason: &'static str,
    ) {
        let record = NoticeRecord {
            incident: Label::new(&change.incident),
            alarm: Label::new(&change.alarm),
            channel,
            notice,
            reason,
        };
        record.log();
        (self.host.metric)(&record.metric(&self.settings.metrics, self.host.now()));
    }
}
