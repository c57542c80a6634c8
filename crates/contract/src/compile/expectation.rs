//! When files must come: `expect` on the schema object, or else what the service levels say.

mod promised;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::Compilation;
use crate::Expectation;
use crate::document::{Fields, Located, Node, ServiceLevel};
use crate::expectation::{Cron, LONGEST_SECONDS, Unscheduled};
use crate::finding::{Findings, quoted};
use crate::words;

/// Reads `expect`, or else the service levels. Service levels next to `expect` are listed as not run; one that
/// differs is a warning.
pub(super) fn compile(
    expect: Option<&Node>,
    levels: &[ServiceLevel],
    compilation: &mut Compilation,
) -> Option<Expectation> {
    let promised = promised::read(levels, expect.is_some(), compilation);
    match expect {
        Some(node) => {
            let expected = read(node, &mut compilation.findings)?;
            promised.compare(&expected, &mut compilation.findings);
            Some(expected.expectation())
        }
        None => promised.expectation(),
    }
}

/// What `expect` says.
struct ExpectWords {
    cron: Cron,
    zone: TimeZone,
    grace_seconds: u64,
    rows: (Option<u64>, Option<u64>),
}

impl ExpectWords {
    fn expectation(self) -> Expectation {
        let mut expectation = Expectation::by_clock(self.cron, self.zone, self.grace_seconds);
        expectation.rows = self.rows;
        expectation
    }
}

/// Reads `expect: { schedule: "0 6 * * *", timezone: Europe/Berlin, grace: 2h, rows: { min: 1, max: 1000 } }`.
fn read(node: &Node, findings: &mut Findings) -> Option<ExpectWords> {
    let fields = Fields::open(node, &words::EXPECT, findings)?;
    let schedule = fields.text("schedule", findings);
    let zone = fields.text("timezone", findings);
    let grace = fields.text("grace", findings);
    let rows = fields.take("rows").map(|node| row_band(node, findings));
    fields.close(findings);

    let zone = zone.map_or(Some(TimeZone::UTC), |zone| time_zone(&zone, findings));
    let grace_seconds = grace.as_ref().map_or(Some(0), |grace| duration(grace, findings));
    if schedule.is_none() {
        findings.error(
            &node.place,
            "no `schedule`",
            "a cron expression with five fields, such as `0 6 * * *`",
            "",
        );
    }
    let cron = cron(&schedule?, findings)?;
    if let Some((grace, seconds)) = grace.as_ref().zip(grace_seconds)
        && cron.gaps().is_some_and(|(shortest, _)| seconds >= shortest)
    {
        findings.warning(
            &grace.place,
            format!("a grace of {} that reaches the next scheduled time", quoted(&grace.value)),
            "a grace shorter than the time between two files",
            "an early file counts for the scheduled time before",
        );
    }
    let rows = rows.unwrap_or((None, None));
    Some(ExpectWords { cron, zone: zone?, grace_seconds: grace_seconds?, rows })
}

fn row_band(node: &Node, findings: &mut Findings) -> (Option<u64>, Option<u64>) {
    let Some(fields) = Fields::open(node, &words::ROWS, findings) else { return (None, None) };
    let least = fields.whole("min", findings).map(|least| least.value);
    let most = fields.whole("max", findings).map(|most| most.value);
    fields.close(findings);
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        findings.error(&node.place, "`min` above `max`", "`min` at most `max`", "");
    }
    (least, most)
}

fn time_zone(name: &Located<String>, findings: &mut Findings) -> Option<TimeZone> {
    let zone = TimeZone::get(&name.value).ok();
    if zone.is_none() {
        findings.error(
            &name.place,
            quoted(&name.value),
            "an IANA time zone name, such as `Europe/Berlin`",
            "",
        );
    }
    zone
}

fn duration(text: &Located<String>, findings: &mut Findings) -> Option<u64> {
    let duration = text.value.parse::<SignedDuration>().ok();
    let seconds = duration
        .and_then(|duration| u64::try_from(duration.as_secs()).ok())
        .filter(|seconds| *seconds <= LONGEST_SECONDS);
    if seconds.is_none() {
        let days = LONGEST_SECONDS / (24 * 60 * 60);
        findings.error(
            &text.place,
            quoted(&text.value),
            format!("a duration of at most {days} days, such as `90m`, `2h` or `PT2H`"),
            "",
        );
    }
    seconds
}

fn cron(text: &Located<String>, findings: &mut Findings) -> Option<Cron> {
    match Cron::parse(&text.value) {
        Ok(cron) => return Some(cron),
        Err(Unscheduled::Malformed(reason)) => findings.error(
            &text.place,
            format!("{} ({reason})", quoted(&text.value)),
            "a cron expression: minute, hour, day of month, month, day of week",
            "quote it, and use numbers, `*`, lists, ranges and steps",
        ),
        Err(Unscheduled::Never) => findings.error(
            &text.place,
            format!("{}, which never happens", quoted(&text.value)),
            "a day that exists in one of the months",
            "",
        ),
    }
    None
}
