//! What people read, before it takes the form of a channel.

use std::borrow::Cow;

use runtime::format_readable;
use store::Incident;

use crate::alarm::AlarmChange;
use crate::files::AlarmFiles;
use crate::members::Member;
use crate::recent::Recent;

/// The most alarms of an incident that are named.
const MEMBERS: usize = 10;
/// What is said of an alarm that is resolved and does not say what has happened.
const RESOLVED: &str = "What the alarm watches is within its limit again.";

/// Whether a message opens or closes an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageStatus {
    /// An incident begins.
    Open,
    /// It is resolved.
    Closed,
    /// A message that is no alarm.
    Note,
}

impl MessageStatus {
    /// Returns the word in titles.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "ALARM",
            Self::Closed => "RESOLVED",
            Self::Note => "NOTE",
        }
    }
}

/// A fact: its name, and what it is.
pub type MessageFact = (Cow<'static, str>, String);

/// A message: the same for every channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmMessage {
    /// Whether something begins or ends.
    pub status: MessageStatus,
    /// The incident: what a channel recognizes its messages by.
    pub incident: String,
    /// The alarm that began or ended it.
    pub alarm: String,
    /// When its state changed, milliseconds since the epoch.
    pub changed_ms: u64,
    /// How long it lasted, milliseconds; of an incident that is resolved.
    pub lasted_ms: Option<u64>,
    /// What it means; of an incident that is resolved what has happened.
    pub meaning: String,
    /// What is known: name and text, in order.
    pub facts: Vec<MessageFact>,
    /// What to do; empty when it is resolved, or when the alarm does not say it.
    pub advice: String,
    /// Where to look.
    pub link: Option<String>,
}

/// What a message says besides the change itself.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageContext {
    /// The files that it is about.
    pub files: AlarmFiles,
    /// What the alarm compared lately.
    pub recent: Option<Recent>,
    /// The alarms of its incident.
    pub members: Vec<Member>,
}

impl AlarmMessage {
    /// Makes the message of a change that began or ended this incident.
    #[must_use]
    pub fn new(change: &AlarmChange, incident: &Incident, known: &MessageContext) -> Self {
        let status = match (change.state, incident.open) {
            (None, _) => MessageStatus::Note,
            (Some(_), true) => MessageStatus::Open,
            (Some(_), false) => MessageStatus::Closed,
        };
        let is_closed = status == MessageStatus::Closed;
        let mut facts: Vec<MessageFact> = vec![("since".into(), format_readable(incident.since_ms))];
        if is_closed {
            facts.push(("until".into(), format_readable(incident.changed_ms)));
        }
        if status == MessageStatus::Open && change.incident != change.alarm {
            facts.push(("incident".into(), change.incident.clone()));
        }
        facts.extend(measured(change, known.recent.as_ref()));
        facts.extend(
            change.places.iter().filter_map(|(name, value)| Some((known_place(name)?.into(), value.clone()))),
        );
        match status {
            MessageStatus::Open => facts.extend(alarms_on(change, &known.members)),
            MessageStatus::Closed => facts.extend(alarms_ended(change, incident, &known.members)),
            MessageStatus::Note => {}
        }
        if incident.folded > 0 {
            facts.push(("further changes".into(), incident.folded.to_string()));
        }
        if status == MessageStatus::Open {
            facts.extend(about(&known.files).into_iter().map(|(name, text)| (name.into(), text)));
        }
        let resolved = || if change.resolved.is_empty() { RESOLVED } else { &change.resolved };
        Self {
            status,
            incident: change.incident.clone(),
            alarm: change.alarm.clone(),
            changed_ms: change.changed_ms,
            lasted_ms: is_closed.then(|| incident.changed_ms.saturating_sub(incident.since_ms)),
            meaning: if is_closed { resolved().to_owned() } else { change.meaning.clone() },
            facts,
            advice: if is_closed { String::new() } else { change.advice.clone() },
            link: link(change),
        }
    }

    /// Returns the first line: what, which, and how long it lasted.
    #[must_use]
    pub fn title(&self) -> String {
        let lasted = self.lasted_ms.and_then(lasted).map(|lasted| format!(" after {lasted}"));
        format!("{} {}{}", self.status.as_str(), self.alarm, lasted.unwrap_or_default())
    }
}

/// Returns the metric with its value and threshold, and the values before. The value is the one that CloudWatch gave
/// as its reason, since the newest period may have just begun.
fn measured(change: &AlarmChange, recent: Option<&Recent>) -> Vec<MessageFact> {
    let Some(quantity) = &change.quantity else { return Vec::new() };
    let value = change.values.first().copied().or_else(|| recent.and_then(Recent::newest));
    let line = recent.and_then(|recent| recent.line(quantity)).map(|line| ("recent values".into(), line));
    [(quantity.name.clone(), quantity.reading(value))].into_iter().chain(line).collect()
}

/// Returns the alarms of the incident that are on, each with its value and threshold. The alarm of the message has
/// its own above.
fn alarms_on(change: &AlarmChange, members: &[Member]) -> Vec<MessageFact> {
    let others = members.iter().filter(|member| member.is_on && member.name != change.alarm);
    let line = |member: &Member| match &member.reading {
        Some(reading) => format!("{}, {reading}", member.name),
        None => member.name.clone(),
    };
    let lines: Vec<String> = others.map(line).collect();
    // Without an answer of CloudWatch: the names that the change itself has.
    let lines = if members.is_empty() { change.because_of.clone() } else { lines };
    let name = if change.alarm == change.incident { "alarm on" } else { "also on" };
    limited(name, lines)
}

/// Returns the alarms that went off in an incident that is resolved, each with what has happened.
fn alarms_ended(change: &AlarmChange, incident: &Incident, members: &[Member]) -> Vec<MessageFact> {
    let went_off = incident.alarms.iter().filter(|name| **name != change.alarm);
    let line = |name: &String| {
        let member = members.iter().find(|member| member.name == *name && !member.resolved.is_empty());
        member.map_or_else(|| name.clone(), |member| format!("{name}: {}", member.resolved))
    };
    limited("alarm", went_off.map(line).collect())
}

fn limited(name: &'static str, mut lines: Vec<String>) -> Vec<MessageFact> {
    let more = lines.len().saturating_sub(MEMBERS);
    lines.truncate(MEMBERS);
    let mut facts: Vec<MessageFact> = lines.into_iter().map(|line| (name.into(), line)).collect();
    if more > 0 {
        facts.push(("further alarms".into(), more.to_string()));
    }
    facts
}

/// Returns what is known of files.
fn about(files: &AlarmFiles) -> Vec<(&'static str, String)> {
    match files {
        AlarmFiles::NotAsked => Vec::new(),
        AlarmFiles::Unknown => vec![("files", "not known, because the ledger did not answer".to_owned())],
        AlarmFiles::Bad(bad) if bad.is_empty() => {
            vec![("files", "no file of the last 24 hours is quarantined or has rejected records".to_owned())]
        }
        AlarmFiles::Bad(bad) => {
            let lines = bad.iter().map(|file| ("file", file.line.clone()));
            let commands = bad.iter().take(1).flat_map(|file| &file.commands);
            lines.chain(commands.map(|command| ("command", command.clone()))).collect()
        }
        AlarmFiles::Newest(lines) if lines.is_empty() => {
            vec![("newest file", "no partner has sent one yet".to_owned())]
        }
        AlarmFiles::Overdue(overdue) => {
            let mut facts: Vec<_> =
                overdue.files.iter().map(|file| ("overdue file", file.line.clone())).collect();
            if overdue.more > 0 {
                facts.push(("further overdue files", overdue.more.to_string()));
            }
            facts.extend(overdue.contracts.iter().map(|line| ("broken contract", line.clone())));
            let first = overdue.files.iter().take(1).map(|file| file.command.clone());
            let first = first.filter(|command| *command != overdue.command);
            facts.extend(first.chain([overdue.command.clone()]).map(|command| ("command", command)));
            facts
        }
        AlarmFiles::Newest(lines) => lines.iter().map(|line| ("newest file", line.clone())).collect(),
        AlarmFiles::Contracts(lines) => lines.iter().map(|line| ("broken contract", line.clone())).collect(),
    }
}

/// Returns the dimensions that a reader knows what to do with.
fn known_place(dimension: &str) -> Option<&'static str> {
    Some(match dimension {
        "partner" => "partner",
        "feed" => "feed",
        "FunctionName" => "function",
        "QueueName" => "queue",
        "TableName" => "table",
        "ApiName" => "API",
        _ => return None,
    })
}

/// Returns a span of time in words; `None` for less than a second.
fn lasted(milliseconds: u64) -> Option<String> {
    let words = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let seconds = milliseconds / 1_000;
    let (larger, smaller) = match seconds {
        0 => return None,
        1..60 => ((seconds, "second"), (0, "")),
        60..3_600 => ((seconds / 60, "minute"), (0, "")),
        3_600..172_800 => ((seconds / 3_600, "hour"), (seconds / 60 % 60, "minute")),
        _ => ((seconds / 86_400, "day"), (seconds / 3_600 % 24, "hour")),
    };
    let first = words(larger.0, larger.1);
    Some(if smaller.0 == 0 { first } else { format!("{first} {}", words(smaller.0, smaller.1)) })
}

/// Returns the alarm in CloudWatch's console, for a name that needs no encoding.
fn link(change: &AlarmChange) -> Option<String> {
    let region = change.region.as_deref()?;
    let name = &change.alarm;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let place = format!("https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}");
    (change.state.is_some() && name.bytes().all(plain)).then(|| format!("{place}#alarmsV2:alarm/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_the_two_units_that_matter() {
        let words = [999, 1_000, 59_000, 60_000, 1_540_000, 3_600_000, 3_900_000, 172_800_000, 180_000_000]
            .map(|milliseconds| lasted(milliseconds).unwrap_or_default());
        let expected = [
            "",
            "1 second",
            "59 seconds",
            "1 minute",
            "25 minutes",
            "1 hour",
            "1 hour 5 minutes",
            "2 days",
            "2 days 2 hours",
        ];
        assert_eq!(words, expected);
    }
}
