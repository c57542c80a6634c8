//! What the service levels say about when files come.
//!
//! The standard says what a service level is called and leaves open how one is measured
//! (bitol-io/open-data-contract-standard, docs/service-level-agreement.md). What is run here: `frequency` is the
//! longest time between two files; a `schedule` of `scheduler: cron` says in UTC when one must come; `latency` is the
//! grace of either. Documents that other tools accept are not rejected for a service level: one that cannot be run is
//! listed with the reason, and a schedule or a unit that nobody can read is a warning too.

use jiff::tz::TimeZone;

use super::ExpectWords;
use crate::Expectation;
use crate::compile::Compilation;
use crate::document::{Place, ServiceLevel};
use crate::expectation::{Cron, LONGEST_SECONDS, Unscheduled};
use crate::finding::{Findings, quoted};

/// Units of time in seconds. The standard names days and years and says "etc."; those whose length varies count with
/// the longest, so that no file is missed too early.
const UNITS: [(&[&str], u64); 7] = [
    (&["s", "sec", "second", "seconds"], 1),
    (&["min", "minute", "minutes"], 60),
    (&["h", "hr", "hour", "hours"], 60 * 60),
    (&["d", "day", "days"], DAY),
    (&["w", "wk", "week", "weeks"], 7 * DAY),
    (&["mo", "month", "months"], 31 * DAY),
    (&["y", "yr", "year", "years"], 366 * DAY),
];

const DAY: u64 = 24 * 60 * 60;

/// What the service levels say about when files come, the first of each kind, and where.
#[derive(Default)]
pub(super) struct Promised<'document> {
    cron: Option<Said<'document, Cron>>,
    period_seconds: Option<Said<'document, u64>>,
    grace_seconds: Option<Said<'document, u64>>,
}

struct Said<'document, T> {
    value: T,
    place: &'document Place,
    level: &'document ServiceLevel,
}

/// A service level that says when files come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ServiceLevelKind {
    Frequency,
    Latency,
}

/// Why a part of a service level is not run, and where that part is.
struct Unusable<'document> {
    part: &'static str,
    place: &'document Place,
    expected: &'static str,
    why: &'static str,
}

/// Reads the service levels, and lists what is not run of them.
pub(super) fn read<'document>(
    levels: &'document [ServiceLevel],
    expect: bool,
    compilation: &mut Compilation,
) -> Promised<'document> {
    let mut promised = Promised::default();
    for level in levels {
        let Some(kind) = kind(&level.property.value) else {
            list(level, "it does not say when files must come", compilation);
            continue;
        };
        let schedule = cron(level).map(|said| said.is_some_and(|said| fill(&mut promised.cron, said)));
        let slot = match kind {
            ServiceLevelKind::Frequency => &mut promised.period_seconds,
            ServiceLevelKind::Latency => &mut promised.grace_seconds,
        };
        let amount = seconds(level, kind).map(|said| fill(slot, said));
        for unusable in [schedule.as_ref().err(), amount.as_ref().err()].into_iter().flatten() {
            let part = format!("{} of service level {}", unusable.part, quoted(&level.property.value));
            let found = format!("{part} ({})", unusable.why);
            compilation.findings.warning(unusable.place, found, unusable.expected, "it is kept and not run");
            compilation.not_run(&level.property.place, part, unusable.why);
        }
        if expect && (schedule.is_ok() || amount.is_ok()) {
            list(level, "`expect` says when files must come", compilation);
        } else if matches!(schedule, Ok(false)) && matches!(amount, Ok(false)) {
            list(level, "an earlier service level of this name takes precedence", compilation);
        }
    }
    if !expect {
        promised.list_idle(compilation);
    }
    promised
}

impl Promised<'_> {
    /// Returns what the service levels ask for by themselves.
    pub(super) fn expectation(&self) -> Option<Expectation> {
        let grace_seconds = self.grace_seconds.as_ref().map_or(0, |grace| grace.value);
        match (&self.cron, &self.period_seconds) {
            (Some(cron), _) => Some(Expectation::by_clock(cron.value, TimeZone::UTC, grace_seconds)),
            (None, Some(period)) => Some(Expectation::every(period.value, grace_seconds)),
            (None, None) => None,
        }
    }

    /// Lists service levels that have no effect next to the others.
    fn list_idle(&self, compilation: &mut Compilation) {
        match (&self.cron, &self.period_seconds, &self.grace_seconds) {
            (Some(cron), Some(period), _) if !std::ptr::eq(cron.level, period.level) => {
                list(period.level, "a `schedule` says more exactly when files must come", compilation);
            }
            (None, None, Some(grace)) => {
                let why = "it needs a schedule: add `expect`, or a `frequency`";
                list(grace.level, why, compilation);
            }
            _ => {}
        }
    }

    /// Warns of what is something else than `expect` says.
    pub(super) fn compare(&self, expected: &ExpectWords, findings: &mut Findings) {
        let mut differs = |place: &Place, what: &str| {
            findings.warning(
                place,
                format!("a service level whose {what} is not that of `expect`"),
                "the same in both",
                "`expect` takes precedence",
            );
        };
        if let Some(cron) = self.cron.as_ref().filter(|cron| cron.value != expected.cron) {
            differs(cron.place, "schedule");
        }
        let gaps = expected.cron.gaps();
        let fits =
            |period: u64| gaps.is_none_or(|(shortest, longest)| (shortest..=longest).contains(&period));
        if let Some(period) = self.period_seconds.as_ref().filter(|period| !fits(period.value)) {
            differs(period.place, "frequency");
        }
        // A latency alone may be that of anything.
        let timed = self.cron.is_some() || self.period_seconds.is_some();
        let grace = self.grace_seconds.as_ref().filter(|grace| grace.value != expected.grace_seconds);
        if let Some(grace) = grace.filter(|_| timed) {
            differs(grace.place, "grace");
        }
    }
}

fn list(level: &ServiceLevel, why: &str, compilation: &mut Compilation) {
    let what = format!("service level {}", quoted(&level.property.value));
    compilation.not_run(&level.property.place, what, why);
}

/// Returns the names and synonyms of the standard, in any case.
fn kind(property: &str) -> Option<ServiceLevelKind> {
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(property));
    if is(&["frequency", "fy"]) {
        Some(ServiceLevelKind::Frequency)
    } else if is(&["latency", "ly", "freshness"]) {
        Some(ServiceLevelKind::Latency)
    } else {
        None
    }
}

/// Takes the first; whether it was.
fn fill<'document, T>(slot: &mut Option<Said<'document, T>>, said: Said<'document, T>) -> bool {
    let first = slot.is_none();
    slot.get_or_insert(said);
    first
}

fn cron(level: &ServiceLevel) -> Result<Option<Said<'_, Cron>>, Unusable<'_>> {
    let Some(schedule) = &level.schedule else { return Ok(None) };
    let unusable = |why| Unusable {
        part: "the schedule",
        place: &schedule.place,
        expected: "`scheduler: cron` and a cron expression with five fields",
        why,
    };
    if !level.scheduler.as_ref().is_some_and(|scheduler| scheduler.value.eq_ignore_ascii_case("cron")) {
        return Err(unusable("another scheduler"));
    }
    match Cron::parse(&schedule.value) {
        Ok(cron) => Ok(Some(Said { value: cron, place: &schedule.place, level })),
        Err(Unscheduled::Malformed(why)) => Err(unusable(why)),
        Err(Unscheduled::Never) => Err(unusable("it never happens")),
    }
}

fn seconds(level: &ServiceLevel, kind: ServiceLevelKind) -> Result<Said<'_, u64>, Unusable<'_>> {
    let place = level.value.as_ref().map_or(&level.property.place, |node| &node.place);
    let of_value =
        |why| Unusable { part: "the value", place, expected: "a whole number of at most 400 days", why };
    let number = level.value.as_ref().ok_or_else(|| of_value("none is given"))?;
    let number = number.scalar().and_then(|scalar| scalar.text.parse::<u64>().ok());
    let number = number.ok_or_else(|| of_value("not a whole number"))?;
    if number == 0 && kind == ServiceLevelKind::Frequency {
        return Err(of_value("0 is not allowed"));
    }
    let of_unit = |place, why| Unusable {
        part: "the unit",
        place,
        expected: "a unit of time: s, min, h, d, w, month or y",
        why,
    };
    let unit = level.unit.as_ref().ok_or_else(|| of_unit(place, "none is given"))?;
    let named = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(&unit.value));
    if named(&["m"]) {
        return Err(of_unit(&unit.place, "`m` may be a minute or a month"));
    }
    let seconds_of_unit = UNITS.iter().find(|(names, _)| named(names)).map(|(_, seconds)| *seconds);
    let seconds_of_unit = seconds_of_unit.ok_or_else(|| of_unit(&unit.place, "not one that is known"))?;
    let value = number.checked_mul(seconds_of_unit).filter(|seconds| *seconds <= LONGEST_SECONDS);
    let value = value.ok_or_else(|| of_value("more than 400 days"))?;
    Ok(Said { value, place, level })
}
