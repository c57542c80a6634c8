//! What people read, before it takes the form of a channel.

use jiff::Timestamp;
use store::Incident;

use crate::alarm::Change;
use crate::files::Files;
use crate::recent::{Recent, each};

/// Whether something begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// An incident begins.
    Open,
    /// It is over.
    Closed,
    /// A message that is no alarm.
    Note,
}

impl Status {
    /// The word in titles.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "ALARM",
            Self::Closed => "OVER",
            Self::Note => "NOTE",
        }
    }
}

/// A message: the same for every channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether something begins or ends.
    pub status: Status,
    /// The incident: what a channel recognizes its messages by.
    pub incident: String,
    /// The alarm that began or ended it.
    pub alarm: String,
    /// When its state changed, milliseconds since the epoch.
    pub changed_ms: u64,
    /// What it means.
    pub meaning: String,
    /// What is known: name and text, in order.
    pub facts: Vec<(&'static str, String)>,
    /// What to do; empty when it is over, or when nobody said.
    pub advice: String,
    /// Where to look.
    pub link: Option<String>,
}

impl Message {
    /// The message of a change that began or ended this incident.
    #[must_use]
    pub fn new(change: &Change, incident: &Incident, files: &Files, recent: Option<&Recent>) -> Self {
        let status = match (change.state, incident.open) {
            (None, _) => Status::Note,
            (Some(_), true) => Status::Open,
            (Some(_), false) => Status::Closed,
        };
        let mut facts = vec![("since", instant(incident.since_ms))];
        if status == Status::Closed {
            facts.push(("until", instant(incident.changed_ms)));
            facts.push(("lasted", lasted(incident)));
        }
        facts.extend(values(change, recent).map(|values| ("recent values", values)));
        facts.extend(
            Some(&change.limit).filter(|limit| !limit.is_empty()).map(|limit| ("alarm at", limit.clone())),
        );
        for (name, value) in &change.places {
            facts.extend(known_place(name).map(|name| (name, value.clone())));
        }
        if !change.because_of.is_empty() {
            facts.push(("alarms", change.because_of.join(", ")));
        }
        if incident.folded > 0 {
            facts.push(("further changes", incident.folded.to_string()));
        }
        if status == Status::Open {
            facts.extend(told(files));
        }
        Self {
            status,
            incident: change.incident.clone(),
            alarm: change.alarm.clone(),
            changed_ms: change.changed_ms,
            meaning: change.meaning.clone(),
            facts,
            advice: if status == Status::Closed { String::new() } else { change.advice.clone() },
            link: link(change),
        }
    }

    /// The first line: what, and which.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.status.as_str(), self.alarm)
    }
}

/// The recent values, else those that CloudWatch gave as its reason, in the same order.
fn values(change: &Change, recent: Option<&Recent>) -> Option<String> {
    if let Some(recent) = recent {
        return Some(recent.line());
    }
    let values: Vec<&str> = change.values.iter().rev().map(String::as_str).collect();
    let period = change.compared.as_ref().map(|compared| format!("{}, ", each(compared.period_seconds)));
    let line = format!("{} ({}newest last)", values.join(", "), period.unwrap_or_default());
    (!values.is_empty()).then_some(line)
}

/// What is said of files.
fn told(files: &Files) -> Vec<(&'static str, String)> {
    match files {
        Files::NotAsked => Vec::new(),
        Files::Unknown => vec![("files", "the ledger did not answer".to_owned())],
        Files::Bad(bad) if bad.is_empty() => {
            vec![("files", "none in the ledger since the day before".to_owned())]
        }
        Files::Bad(bad) => {
            let lines = bad.iter().map(|file| ("file", file.line.clone()));
            let commands = bad.iter().take(1).flat_map(|file| &file.commands);
            lines.chain(commands.map(|command| ("command", command.clone()))).collect()
        }
        Files::Newest(lines) if lines.is_empty() => {
            vec![("newest file", "no partner's in the ledger".to_owned())]
        }
        Files::Overdue(overdue) => {
            let mut told: Vec<_> =
                overdue.files.iter().map(|file| ("overdue file", file.line.clone())).collect();
            if overdue.more > 0 {
                told.push(("further overdue files", overdue.more.to_string()));
            }
            told.extend(overdue.contracts.iter().map(|line| ("broken contract", line.clone())));
            let first = overdue.files.iter().take(1).map(|file| file.command.clone());
            let first = first.filter(|command| *command != overdue.command);
            told.extend(first.chain([overdue.command.clone()]).map(|command| ("command", command)));
            told
        }
        Files::Newest(lines) => lines.iter().map(|line| ("newest file", line.clone())).collect(),
        Files::Contracts(lines) => lines.iter().map(|line| ("broken contract", line.clone())).collect(),
    }
}

/// The dimensions that a reader knows what to do with.
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

/// An instant in UTC.
pub(crate) fn instant(ms: u64) -> String {
    let instant = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    instant.unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn lasted(incident: &Incident) -> String {
    let seconds = incident.changed_ms.saturating_sub(incident.since_ms) / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min"),
        (_, _) => format!("{hours} h {minutes} min"),
    }
}

/// The alarm in CloudWatch's console, for a name that needs no encoding.
fn link(change: &Change) -> Option<String> {
    let region = change.region.as_deref()?;
    let name = &change.alarm;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let place = format!("https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}");
    (change.state.is_some() && name.bytes().all(plain)).then(|| format!("{place}#alarmsV2:alarm/{name}"))
}
