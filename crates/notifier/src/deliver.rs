//! A change of an alarm, from the event to the channels.

use futures_util::future::join_all;
use lambda_runtime::Diagnostic;
use serde_json::Value;
use store::door::{Partners, Reading};
use store::{Error, Incident, Incidents, Mail, Secrets};
use telemetry::{Label, Notice as Noticed, NoticeRecord};

use crate::alarm::Change;
use crate::channel::{Channel, Malformed, Trouble};
use crate::event::{UnknownEvent, decode};
use crate::incident::{Decision, decide};
use crate::message::Message;
use crate::{Notifier, files, render};

/// How often an incident is looked at again when somebody else wrote it meanwhile.
const LOOKS: usize = 8;

/// Why Lambda is to deliver a change again. Holds names and codes only.
#[derive(Debug, thiserror::Error)]
pub enum NotTold {
    /// It is no message of a topic.
    #[error(transparent)]
    Event(#[from] UnknownEvent),
    /// Where the incident stands was not read or written.
    #[error("where the incident stands was not read or written")]
    Ledger(#[from] Error),
    /// Another invocation is at the incident.
    #[error("another invocation tells of the incident")]
    Busy,
    /// These did not take it.
    #[error("not taken by {}", .0.join(", "))]
    Channels(Vec<&'static str>),
}

impl From<NotTold> for Diagnostic {
    fn from(not_told: NotTold) -> Self {
        let error_type = match not_told {
            NotTold::Event(_) => "UnknownEvent",
            NotTold::Ledger(_) => "Ledger",
            NotTold::Busy => "Busy",
            NotTold::Channels(_) => "Channels",
        };
        Self { error_type: error_type.to_owned(), error_message: telemetry::chain(&not_told) }
    }
}

/// Why the channels are not known.
#[derive(Debug, thiserror::Error)]
enum NoChannels {
    #[error("the secret of the channels was not read")]
    Read(#[from] Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl<D: Incidents + Secrets + Mail, R: Partners + Reading> Notifier<D, R> {
    /// Handles one invocation. An error asks Lambda to try again, and at last to keep the event among the dead letters.
    pub async fn handle(&self, event: &Value) -> Result<(), NotTold> {
        let mut ended = Ok(());
        for notice in decode(event)? {
            let one = self.attend(&Change::read(&notice)).await;
            ended = ended.and(one);
        }
        ended
    }

    async fn attend(&self, change: &Change) -> Result<(), NotTold> {
        for _ in 0..LOOKS {
            let seen = self.desk.incident(&change.incident).await?;
            match decide(seen.as_ref(), change, self.host.now()) {
                Decision::Nothing => return Ok(()),
                Decision::Later => return Err(NotTold::Busy),
                Decision::Fold => {
                    self.desk.fold(&change.incident).await?;
                    self.record(change, "none", Noticed::Folded, "");
                    return Ok(());
                }
                Decision::Tell(next) => {
                    if self.desk.put_incident(&change.incident, &next, seen.as_ref()).await? {
                        return self.tell(change, next).await;
                    }
                }
            }
        }
        Err(NotTold::Busy)
    }

    /// Tells every channel that was not told yet, all at once, and keeps which of them took it.
    async fn tell(&self, change: &Change, mine: Incident) -> Result<(), NotTold> {
        let message = Message::new(change, &mine, &files::of(&self.reading, change).await);
        let mut failed = Vec::new();
        let mut channels = vec![Channel::Mail];
        match self.channels().await {
            Ok(more) => channels.extend(more),
            Err(error) => {
                tracing::warn!(error = telemetry::chain(&error), "only mail is told");
                failed.push("channels");
            }
        }
        channels.retain(|channel| !mine.told.contains(channel.name()));
        let sent = join_all(channels.iter().map(|channel| self.send(channel, &message))).await;
        let mut told = mine.told.clone();
        for (channel, sent) in channels.iter().zip(sent) {
            match sent {
                Ok(()) => {
                    self.record(change, channel.name(), Noticed::Sent, "");
                    told.insert(channel.name().to_owned());
                }
                Err(trouble) => {
                    self.record(change, channel.name(), Noticed::Failed, trouble.code());
                    failed.push(channel.name());
                }
            }
        }
        let next = Incident { told, done: failed.is_empty(), lease_until_ms: 0, ..mine.clone() };
        // Not written: its lease is over and another invocation has it, which tells of it too.
        if !self.desk.put_incident(&change.incident, &next, Some(&mine)).await? {
            tracing::warn!("another invocation took the incident over");
        }
        if failed.is_empty() { Ok(()) } else { Err(NotTold::Channels(failed)) }
    }

    /// The channels of the secret, read each time: incidents are rare, and a new secret holds at once.
    async fn channels(&self) -> Result<Vec<Channel>, NoChannels> {
        match &self.settings.channels_secret {
            None => Ok(Vec::new()),
            Some(arn) => Ok(Channel::parse(&self.desk.secret(arn).await?)?),
        }
    }

    async fn send(&self, channel: &Channel, message: &Message) -> Result<(), Trouble> {
        let name = channel.name();
        self.fuses.ask(name, self.host.now()).map_err(|_| Trouble::Fuse)?;
        let ended = match channel {
            Channel::Mail => {
                let (subject, text) = render::mail(message);
                self.desk.mail(&subject, &text).await.map_err(Trouble::from)
            }
            other => other.post(&self.client, self.settings.policy, message, self.host.now()).await,
        };
        match &ended {
            Ok(()) => self.fuses.worked(name),
            Err(_) => self.fuses.failed(name, self.host.now()),
        }
        ended
    }

    fn record(&self, change: &Change, channel: &'static str, notice: Noticed, reason: &'static str) {
        let record = NoticeRecord {
            incident: Label::new(&change.incident),
            alarm: Label::new(&change.alarm),
            channel,
            notice,
            reason,
        };
        record.log();
        (self.host.metric)(&record.metric(&self.settings.namespace, self.host.now()));
    }
}
