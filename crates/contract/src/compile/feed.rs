//! The choices on the schema object that concern the file: policy words, expectation.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::compiled::{
    Duplicates, EmptyFile, Expectation, MissingColumn, OnError, OnSameName, Policy, UnknownColumn,
};
use crate::document::{Fields, Node, ScalarKind, Setting, text_of, unknown_setting, word_of};
use crate::finding::{Findings, quoted};

/// The custom properties of a schema object.
const SETTINGS: [&str; 9] = [
    "onError",
    "unknownColumn",
    "missingColumn",
    "emptyFile",
    "onSameName",
    "dedupeContent",
    "duplicates",
    "versionFrom",
    "expect",
];

/// What the settings of a feed say.
pub(super) struct Feed<'document> {
    pub(super) policy: Policy,
    pub(super) expectation: Option<Expectation>,
    pub(super) version_from: Option<&'document Node>,
}

pub(super) fn compile<'document>(settings: &'document [Setting], findings: &mut Findings) -> Feed<'document> {
    let mut feed = Feed { policy: default_policy(), expectation: None, version_from: None };
    let policy = &mut feed.policy;
    for setting in settings {
        let value = &setting.value;
        match setting.key.value.as_str() {
            "onError" => set(&mut policy.on_error, on_error(value, findings)),
            "unknownColumn" => choose(
                &mut policy.unknown_column,
                value,
                &[("ignore", UnknownColumn::Ignore), ("reject", UnknownColumn::Reject)],
                findings,
            ),
            "missingColumn" => choose(
                &mut policy.missing_column,
                value,
                &[("reject", MissingColumn::Reject), ("null", MissingColumn::Null)],
                findings,
            ),
            "emptyFile" => choose(
                &mut policy.empty_file,
                value,
                &[
                    ("rejectZeroBytes", EmptyFile::RejectZeroBytes),
                    ("reject", EmptyFile::Reject),
                    ("accept", EmptyFile::Accept),
                ],
                findings,
            ),
            "onSameName" => choose(
                &mut policy.on_same_name,
                value,
                &[
                    ("append", OnSameName::Append),
                    ("supersede", OnSameName::Supersede),
                    ("reject", OnSameName::Reject),
                ],
                findings,
            ),
            "dedupeContent" => match value.scalar().map(|scalar| scalar.kind) {
                Some(ScalarKind::Boolean(on)) => policy.dedupe_content = on,
                _ => findings.error(&value.place, value.describe(), "true or false", ""),
            },
            "duplicates" => choose(
                &mut policy.duplicates,
                value,
                &[
                    ("rejectRepeats", Duplicates::RejectRepeats),
                    ("rejectAll", Duplicates::RejectAll),
                    ("keepLast", Duplicates::KeepLast),
                ],
                findings,
            ),
            "versionFrom" => feed.version_from = Some(value),
            "expect" => feed.expectation = expectation(value, findings),
            _ => unknown_setting(setting, &SETTINGS, "a schema object", findings),
        }
    }
    refuse_lost_contents(settings, &feed.policy, findings);
    feed
}

/// Of two names with the same content one file would be the other's duplicate; a newer version of the other's name would
/// then take the content away from both.
fn refuse_lost_contents(settings: &[Setting], policy: &Policy, findings: &mut Findings) {
    if !policy.dedupe_content || policy.on_same_name != OnSameName::Supersede {
        return;
    }
    if let Some(dedupe) = settings.iter().find(|setting| setting.key.value == "dedupeContent") {
        findings.error(
            &dedupe.value.place,
            "`dedupeContent` with `onSameName: supersede`",
            "one of the two",
            "remove `dedupeContent`: a content that is a duplicate under one name would vanish when the other name is superseded",
        );
    }
}

/// What holds when the contract does not say.
fn default_policy() -> Policy {
    Policy {
        on_error: OnError::Continue,
        unknown_column: UnknownColumn::Ignore,
        missing_column: MissingColumn::Reject,
        empty_file: EmptyFile::RejectZeroBytes,
        on_same_name: OnSameName::Append,
        dedupe_content: false,
        duplicates: Duplicates::RejectRepeats,
    }
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn choose<T: Copy>(target: &mut T, node: &Node, words: &[(&'static str, T)], findings: &mut Findings) {
    set(target, word_of(node, words, findings).map(|word| word.value));
}

/// `continue`, `abort`, `skip_file_<n>`, `skip_file_<n>%`.
fn on_error(node: &Node, findings: &mut Findings) -> Option<OnError> {
    let text = text_of(node, findings)?;
    let policy = match text.value.as_str() {
        "continue" => Some(OnError::Continue),
        "abort" => Some(OnError::Abort),
        other => other.strip_prefix("skip_file_").and_then(|number| match number.strip_suffix('%') {
            None => number.parse().ok().filter(|most| *most >= 1).map(OnError::SkipFile),
            Some(percent) if percent.starts_with(|first: char| first.is_ascii_digit()) => percent
                .parse()
                .ok()
                .filter(|share| (0.0..=100.0).contains(share))
                .map(OnError::SkipFilePercent),
            Some(_) => None,
        }),
    };
    if policy.is_none() {
        findings.error(
            &text.place,
            quoted(&text.value),
            "`continue`, `abort`, `skip_file_<n>` with n from 1, or `skip_file_<n>%` with n from 0 to 100",
            crate::finding::did_you_mean(&text.value, &["continue", "abort"], ""),
        );
    }
    policy
}

/// `expect: { schedule: "0 6 * * *", timezone: Europe/Berlin, grace: 2h, rows: { min: 1, max: 1000 } }`.
fn expectation(node: &Node, findings: &mut Findings) -> Option<Expectation> {
    let mut fields = Fields::open(node, "`expect`", findings)?;
    let schedule = fields.text("schedule", findings);
    let zone = fields.text("timezone", findings);
    let grace = fields.text("grace", findings);
    let rows = fields.take("rows").map(|node| row_band(node, findings));
    fields.close(findings);

    if let Some(zone) = zone.as_ref().filter(|zone| TimeZone::get(&zone.value).is_err()) {
        findings.error(
            &zone.place,
            quoted(&zone.value),
            "an IANA time zone name, such as `Europe/Berlin`",
            "",
        );
    }
    let grace_seconds = grace.map_or(Some(0), |grace| {
        let duration = grace.value.parse::<SignedDuration>().ok();
        let seconds = duration.and_then(|duration| u64::try_from(duration.as_secs()).ok());
        if seconds.is_none() {
            findings.error(
                &grace.place,
                quoted(&grace.value),
                "a duration, such as `90m`, `2h` or `PT2H`",
                "",
            );
        }
        seconds
    });
    let Some(schedule) = schedule else {
        findings.error(
            &node.place,
            "no `schedule`",
            "a cron expression with five fields, such as `0 6 * * *`",
            "",
        );
        return None;
    };
    if let Err(reason) = cron(&schedule.value) {
        findings.error(
            &schedule.place,
            format!("{} ({reason})", quoted(&schedule.value)),
            "a cron expression: minute, hour, day of month, month, day of week",
            "quote it, and use numbers, `*`, lists, ranges and steps",
        );
    }
    Some(Expectation {
        schedule: schedule.value,
        zone: zone.map_or_else(|| "UTC".to_owned(), |zone| zone.value),
        grace_seconds: grace_seconds?,
        rows: rows.unwrap_or((None, None)),
    })
}

fn row_band(node: &Node, findings: &mut Findings) -> (Option<u64>, Option<u64>) {
    let Some(mut fields) = Fields::open(node, "`rows`", findings) else { return (None, None) };
    let least = fields.whole("min", findings).map(|least| least.value);
    let most = fields.whole("max", findings).map(|most| most.value);
    fields.close(findings);
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        findings.error(&node.place, "`min` above `max`", "`min` at most `max`", "");
    }
    (least, most)
}

/// Checks a five-field cron expression (POSIX crontab, with steps; 7 is Sunday too).
fn cron(expression: &str) -> Result<(), &'static str> {
    const RANGES: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
    let fields: Vec<&str> = expression.split_ascii_whitespace().collect();
    if fields.len() != RANGES.len() {
        return Err("not five fields");
    }
    for (field, (least, most)) in fields.iter().zip(RANGES) {
        for part in field.split(',') {
            let (range, step) = part.split_once('/').map_or((part, "1"), |(range, step)| (range, step));
            if !step.parse::<u32>().is_ok_and(|step| (1..=most).contains(&step)) {
                return Err("a step out of range");
            }
            let (from, to) = match (range, range.split_once('-')) {
                ("*", _) => (least, most),
                (_, Some((from, to))) => (number(from)?, number(to)?),
                (at, None) => (number(at)?, number(at)?),
            };
            if from < least || to > most || from > to {
                return Err("a number out of range");
            }
        }
    }
    Ok(())
}

fn number(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cron_expression_has_five_fields_in_range() {
        for good in ["0 6 * * *", "*/15 0-5,12 1 1-12/2 7", "59 23 31 12 0"] {
            assert_eq!(cron(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "0 6 * *",
            "60 6 * * *",
            "0 24 * * *",
            "0 6 0 * *",
            "0 6 * 13 *",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
        ] {
            assert!(cron(bad).is_err(), "{bad}");
        }
    }
}
