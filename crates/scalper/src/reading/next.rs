//! The next steps for a file: the receipt's advice, and commands that can be copied.

use serde::Serialize;
use store::{Entry, Outcome, StackQueue, State};

use super::find::{PlaceRead, ReceiptRead, rejects_key};
use super::places::Places;
use super::plain::shell_word;
use super::problems::key_problem;
use super::view::FileView;
use crate::names::Stack;

/// A next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextStep {
    /// What to do, and why.
    pub what: String,
    /// The command, as it can be typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

fn say(what: impl Into<String>) -> NextStep {
    NextStep { what: what.into(), command: None }
}

fn with(what: &str, command: String) -> NextStep {
    NextStep { what: what.to_owned(), command: Some(command) }
}

/// Returns the next steps for a file in its state.
pub(super) fn steps(
    stack: &Stack,
    places: &Places,
    view: &FileView,
    entry: &Entry,
    held: bool,
    receipt: &ReceiptRead,
) -> Vec<NextStep> {
    let mut steps = Vec::new();
    match entry.state {
        State::Processing if held => steps.push(say("wait: it is being processed")),
        State::Processing => {
            steps.push(say(
                "wait: nothing processes it now; its message is delivered again automatically, at most ten times",
            ));
            let what = "if its message is already in the dead-letter queue, fix the cause, then send the messages of that queue again";
            steps.push(with(what, stack.redrive(StackQueue::InboxDeadLetters)));
        }
        State::Held => {
            let release = stack.command(&format!("release {}/{}", view.partner, view.feed));
            steps.push(with("wait for the release of its feed, or release it", release));
        }
        State::Complete if view.rejects.unwrap_or_default() == 0 => {
            steps.push(say(match view.dropped {
                None => "nothing: all of its records are visible",
                Some(_) => "nothing: all of its records but those that `dropIf` leaves out are visible",
            }));
        }
        State::Complete => steps.push(say("have the rejected records fixed and sent again")),
        State::Quarantined => steps.extend(about_quarantined(stack, view, entry, receipt)),
        State::Superseded => steps.push(say("nothing: a newer version is visible in its place")),
        State::Duplicate => steps.push(say("nothing: the same content is visible already")),
        State::Gone => steps.push(say("send it again if it is needed: it was deleted before it was read")),
        State::Ignored => {
            steps.push(say("nothing: folder markers and files of editors and file managers are not loaded"));
        }
        State::Retracted => steps.push(say("nothing: an operator retracted it")),
    }
    let other = entry.outcome.as_ref().and_then(|outcome| outcome.other.as_ref());
    if let Some(other) = other {
        steps.push(with("see the file that is visible", stack.command(&format!("show {other}"))));
    }
    steps.extend(look(stack, places, view, entry, receipt));
    steps
}

fn about_quarantined(stack: &Stack, view: &FileView, entry: &Entry, receipt: &ReceiptRead) -> Vec<NextStep> {
    if !entry.open {
        let why = if entry.acknowledged.is_some() {
            "nothing: an operator acknowledged it"
        } else {
            "nothing: a good file of its name, or a correction of it, has arrived since"
        };
        return vec![say(why)];
    }
    let advice = receipt.fault.as_ref().map(|fault| fault.advice.clone());
    let advice = advice.filter(|advice| !advice.is_empty()).unwrap_or_else(|| {
        "the receipt gives no advice: compare the file with its feed's contract".to_owned()
    });
    let key = key_problem(&view.key).filter(|_| entry.partner.is_empty());
    let advice = key.map_or(advice.clone(), |problem| format!("{advice}: {problem}"));
    let acknowledge =
        stack.command(&format!("ack {} --reason 'no good file is needed' --dry-run", view.file));
    let what =
        "if no good file will follow, acknowledge it with your reason; leave out --dry-run to write it";
    vec![say(advice), with(what, acknowledge)]
}

/// Returns where to look closer.
fn look(
    stack: &Stack,
    places: &Places,
    view: &FileView,
    entry: &Entry,
    receipt: &ReceiptRead,
) -> Vec<NextStep> {
    let mut steps = Vec::new();
    let Some(outcome) = entry.outcome.as_ref().filter(|_| entry.state.is_terminal()) else { return steps };
    if rejects_key(outcome, receipt).is_some() {
        let command = stack.command(&format!("rejects {}", view.file));
        steps.push(with("see which records were rejected and why, without their values", command));
    }
    steps.extend(original(places, view, entry, outcome, receipt));
    if !outcome.receipt.is_empty() {
        let command = stack.command(&format!("receipt {}", view.file));
        steps.push(with("read the sender's receipt", command));
    }
    steps
}

/// Returns how to fetch the bytes: a quarantined file's copy, else the version in the inbox.
fn original(
    places: &Places,
    view: &FileView,
    entry: &Entry,
    outcome: &Outcome,
    receipt: &ReceiptRead,
) -> Vec<NextStep> {
    let to = shell_word(&local_name(view));
    let fetch = "download the file as it was sent; it contains the partner's values";
    let version = format!(
        "--region {} --bucket {} --key {} --version-id {}",
        places.home.region,
        shell_word(&entry.file.bucket),
        shell_word(&entry.file.key),
        shell_word(&entry.file.version)
    );
    let get = with(fetch, format!("aws s3api get-object {version} {to}"));
    // Only an archived object has no copy.
    let is_archived = receipt.original.as_ref().is_some_and(PlaceRead::is_in_inbox);
    match (entry.state, &outcome.quarantine) {
        (State::Gone, _) => Vec::new(),
        (State::Quarantined, _) if is_archived => {
            let restore = format!("aws s3api restore-object {version} --restore-request Days=7");
            vec![with("restore the object from the archive for seven days; this takes hours", restore), get]
        }
        (State::Quarantined, Some(folder)) => {
            let from = shell_word(&places.kept(&format!("{folder}original")));
            vec![with(fetch, format!("aws s3 cp --region {} {from} {to}", places.home.region))]
        }
        _ => vec![get],
    }
}

/// Returns the name under which the bytes are saved here: of plain characters, and another one for each version.
fn local_name(view: &FileView) -> String {
    let name = view.key.rsplit('/').next().unwrap_or_default();
    let plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let name: String = name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    let id: String = view.file.to_string().chars().take(8).collect();
    format!("./{id}-{name}")
}
