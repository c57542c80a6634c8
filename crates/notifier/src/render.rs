//! The forms of a message: mail, Slack, PagerDuty, Microsoft Teams, and JSON for a receiver of one's own. Each begins
//! with the message's title, and so with `ALARM` or `RESOLVED`.
//!
//! Each form escapes what its channel would read as a command, and keeps to its limits.

use runtime::format_instant;
use serde_json::{Value, json};

use crate::message::{AlarmMessage, MessageStatus};

/// SNS's limit for a subject, in characters. <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const SUBJECT: usize = 100;
/// The most of a mail, in characters; a message of SNS may have 256 KB.
const MAIL: usize = 20_000;
/// Where sentences in a mail are broken, in characters.
const MAIL_COLUMNS: usize = 80;
/// Slack's limits for a header and for the text of a section, in characters.
/// <https://docs.slack.dev/reference/block-kit/blocks/section-block/>
const SLACK_HEADER: usize = 150;
const SLACK_SECTION: usize = 3_000;
/// PagerDuty's limits for a summary and for a deduplication key, in characters.
/// <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>
const PAGERDUTY_SUMMARY: usize = 1_024;
const PAGERDUTY_KEY: usize = 255;
/// Teams rejects messages over 28 KB: three blocks of the one and 15 facts of the other, of 4 bytes a character at
/// most, are within it.
/// <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>
const TEAMS_BLOCK: usize = 1_000;
const TEAMS_FACT: usize = 200;
const TEAMS_FACTS: usize = 15;

/// Returns a mail: subject and text. The subject has printable ASCII characters only.
#[must_use]
pub fn mail(message: &AlarmMessage) -> (String, String) {
    let ascii = |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
    let subject = cut(&message.title(), SUBJECT).chars().map(ascii).collect();
    (subject, cut(&text(message), MAIL))
}

/// Returns the whole as plain text: sentences in lines of [`MAIL_COLUMNS`], facts and commands each on one line.
fn text(message: &AlarmMessage) -> String {
    let mut lines = vec![message.title()];
    lines.extend(wrapped(&message.meaning));
    lines.push(String::new());
    lines.extend(message.facts.iter().map(|(name, fact)| format!("{name}: {fact}")));
    if !message.advice.is_empty() {
        lines.push(String::new());
        lines.extend(wrapped(&format!("Do: {}", message.advice)));
    }
    if let Some(link) = &message.link {
        lines.extend([String::new(), link.clone()]);
    }
    lines.join("\n")
}

/// Breaks a text at blanks. A command in backticks stays whole, so that it can be copied; a line with one may be
/// longer.
fn wrapped(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_command = false;
    for word in text.split(' ') {
        match words.last_mut() {
            Some(command) if is_command => {
                command.push(' ');
                command.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        is_command ^= word.matches('`').count() % 2 == 1;
    }
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= MAIL_COLUMNS => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Renders a message for a Slack incoming webhook.
#[must_use]
pub fn slack(message: &AlarmMessage) -> Value {
    let section = |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "text": cut_escaped(text, SLACK_SECTION, escape)}});
    let facts: Vec<String> = message.facts.iter().map(|(name, fact)| format!("{name}: {fact}")).collect();
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": cut(&message.title(), SLACK_HEADER), "emoji": false}}),
    ];
    blocks.extend(
        [message.meaning.as_str(), &facts.join("\n")]
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| section(text)),
    );
    if !message.advice.is_empty() {
        blocks.push(section(&format!("Do: {}", message.advice)));
    }
    blocks.extend(message.link.iter().map(|link| section(link)));
    json!({"text": cut_escaped(&message.title(), SLACK_SECTION, escape), "blocks": blocks})
}

/// Escapes Slack's control characters. Without them no mention, channel or link can be written.
/// <https://docs.slack.dev/messaging/formatting-message-text/#escaping>
fn escape(letter: char) -> Option<&'static str> {
    match letter {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

/// Renders a message for PagerDuty's Events API v2. Opening and closing have the key of the incident.
#[must_use]
pub fn pagerduty(message: &AlarmMessage, routing_key: &str) -> Value {
    let action = if message.status == MessageStatus::Closed { "resolve" } else { "trigger" };
    let severity = if message.status == MessageStatus::Note { "info" } else { "error" };
    let details: Vec<String> = message.facts.iter().map(|(name, fact)| format!("{name}: {fact}")).collect();
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": cut(&message.incident, PAGERDUTY_KEY),
        "payload": {
            "summary": cut(&format!("{}: {}", message.title(), message.meaning), PAGERDUTY_SUMMARY),
            "source": message.incident,
            "severity": severity,
            "timestamp": format_instant(message.changed_ms),
            "custom_details": {"facts": cut(&details.join("\n"), MAIL), "do": message.advice},
        },
    });
    if let Some(link) = &message.link {
        event["links"] = json!([{"href": link, "text": "CloudWatch"}]);
    }
    event
}

/// Renders a message for a Microsoft Teams workflow that posts a card. Runs of text are shown as they are; a text
/// block would be read as Markdown. <https://adaptivecards.io/explorer/RichTextBlock.html>
#[must_use]
pub fn teams(message: &AlarmMessage) -> Value {
    let block = |text: &str, weight: &str| {
        json!({"type": "RichTextBlock", "inlines": [
            {"type": "TextRun", "text": cut(text, TEAMS_BLOCK), "weight": weight}]})
    };
    let mut body = vec![block(&message.title(), "Bolder")];
    body.extend(Some(&message.meaning).filter(|text| !text.is_empty()).map(|text| block(text, "Default")));
    let facts = message.facts.iter().take(TEAMS_FACTS).map(|(name, fact)| format!("{name}: {fact}"));
    body.extend(facts.map(|fact| block(&cut(&fact, TEAMS_FACT), "Default")));
    if !message.advice.is_empty() {
        body.push(block(&format!("Do: {}", message.advice), "Default"));
    }
    let actions: Vec<Value> = message
        .link
        .iter()
        .map(|link| json!({"type": "Action.OpenUrl", "title": "CloudWatch", "url": link}))
        .collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    });
    json!({"type": "message", "attachments": [
        {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card}]})
}

/// Renders a message as JSON for the operator's own receiver. Facts are a list, since several may have one name.
#[must_use]
pub fn json(message: &AlarmMessage) -> Value {
    let facts: Vec<Value> =
        message.facts.iter().map(|(name, fact)| json!({"name": name, "text": fact})).collect();
    json!({
        "version": 1,
        "status": match message.status { MessageStatus::Open => "alarm", MessageStatus::Closed => "resolved", MessageStatus::Note => "note" },
        "title": message.title(),
        "incident": message.incident,
        "alarm": message.alarm,
        "changedAt": format_instant(message.changed_ms),
        "meaning": message.meaning,
        "facts": facts,
        "do": message.advice,
        "link": message.link,
    })
}

/// Cuts a text to this number of characters; a longer one ends with an ellipsis.
fn cut(text: &str, characters: usize) -> String {
    cut_escaped(text, characters, |_| None)
}

/// Returns the same, counted after escaping, so that no escape is cut in two.
fn cut_escaped(text: &str, characters: usize, escape: fn(char) -> Option<&'static str>) -> String {
    let length = |letter: char| escape(letter).map_or(1, str::len);
    let whole: usize = text.chars().map(length).sum();
    let most = if whole <= characters { characters } else { characters.saturating_sub(1) };
    let mut kept = String::new();
    let mut used = 0;
    for letter in text.chars() {
        used += length(letter);
        if used > most {
            break;
        }
        match escape(letter) {
            Some(escaped) => kept.push_str(escaped),
            None => kept.push(letter),
        }
    }
    if whole > characters {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests;
