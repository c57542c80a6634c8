//! What to do about a file: the receipt's advice, and commands that can be copied.

use serde::Serialize;
use store::operator::StackQueue;
use store::{Entry, State};

use super::find::{ReceiptRead, rejects_key};
use super::places::Places;
use super::plain::shell_word;
use super::view::FileView;
use crate::names::Stack;

/// A next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What to do, and why.
    pub what: String,
    /// How, as it can be typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

fn say(what: impl Into<String>) -> Step {
    Step { what: what.into(), command: None }
}

fn with(what: &str, command: String) -> Step {
    Step { what: what.to_owned(), command: Some(command) }
}

/// What to do about a file in its state.
pub(super) fn steps(
    stack: &Stack,
    places: &Places,
    view: &FileView,
    entry: &Entry,
    held: bool,
    receipt: &ReceiptRead,
) -> Vec<Step> {
    let mut steps = Vec::new();
    match entry.state {
        State::Processing if held => steps.push(say("wait: a claim works on it")),
        State::Processing => {
            steps.push(say(
                "wait: no claim holds it now, and its message is delivered again by itself, ten times in all",
            ));
            let what = "if its message is in the dead-letter queue by now, mend the cause and send what lies there again";
            steps.push(with(what, places.redrive(stack, StackQueue::InboxDeadLetters)));
        }
        State::Complete if view.rejects.unwrap_or_default() == 0 => {
            steps.push(say("nothing: all of its records are visible"));
        }
        State::Complete => steps.push(say("have the refused records mended and sent again")),
        State::Quarantined => {
            let advice = receipt.fault.as_ref().map(|fault| fault.advice.clone());
            steps.push(say(advice.filter(|advice| !advice.is_empty()).unwrap_or_else(|| {
                "the receipt gives no advice: compare the file with its feed's contract".to_owned()
            })));
        }
        State::Superseded => steps.push(say("nothing: a newer version is visible in its place")),
        State::Duplicate => steps.push(say("nothing: the same content is visible already")),
        State::Gone => steps.push(say("send it again if it was meant: it was deleted before it was read")),
        State::Ignored => steps.push(say("nothing: it is no file of a partner")),
        State::Retracted => steps.push(say("nothing: an operator took it back")),
    }
    let other = entry.outcome.as_ref().and_then(|outcome| outcome.other.as_ref());
    if let Some(other) = other {
        steps.push(with("see the file that is visible", stack.command(&format!("show {other}"))));
    }
    steps.extend(look(stack, entry, view, receipt));
    steps
}

/// Where to look closer.
fn look(stack: &Stack, entry: &Entry, view: &FileView, receipt: &ReceiptRead) -> Vec<Step> {
    let mut steps = Vec::new();
    let Some(outcome) = entry.outcome.as_ref().filter(|_| entry.state.is_terminal()) else { return steps };
    if rejects_key(outcome).is_some() {
        let command = stack.command(&format!("rejects {}", view.file));
        steps.push(with("see which records were refused and why, without their values", command));
    }
    if let Some(original) = &receipt.original {
        let words = [&original.bucket, &original.key].map(|word| shell_word(word));
        let version = original.version.as_deref().map(shell_word);
        if let ([Some(bucket), Some(key)], None | Some(Some(_))) = (words, &version) {
            let place = format!("--bucket {bucket} --key {key}");
            steps.push(match version.flatten() {
                // Only an archived object is left where it was.
                Some(version) => with(
                    "bring the bytes back from the archive, for seven days",
                    format!(
                        "aws s3api restore-object {place} --version-id {version} --restore-request Days=7"
                    ),
                ),
                None => with(
                    "fetch the bytes as they were sent: they hold the partner's values",
                    format!("aws s3api get-object {place} original"),
                ),
            });
        }
    }
    if !outcome.receipt.is_empty() {
        let command = stack.command(&format!("receipt {}", view.file));
        steps.push(with("read what its sender was told", command));
    }
    steps
}
