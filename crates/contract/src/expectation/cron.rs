//! Cron expressions of five fields, as bits.
//!
//! The text is that of POSIX (crontab, IEEE Std 1003.1-2024) with what Vixie's cron added and everyone uses
//! (crontab(5)): steps, 7 for Sunday, names of three letters for months and weekdays.

use jiff::civil::{Date, DateTime, Time, date};

use super::MOST_DAYS;

/// Days of the months in a leap year.
const LONGEST_MONTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A cron expression: of each field the values, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Sunday is 0.
    weekdays: u64,
    /// Day of month and day of week are both given: a day of either runs. Else a day must be in both, of which one is
    /// every day.
    either_day: bool,
}

/// Why a text schedules nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unscheduled {
    /// It is no cron expression.
    Malformed(&'static str),
    /// None of its days exists, such as 30 February.
    Never,
}

/// One of the five fields: its range and the names of its values.
struct CronField {
    least: u32,
    most: u32,
    /// Names of the values from `least`.
    names: &'static [&'static str],
}

const FIELDS: [CronField; 5] = [
    CronField { least: 0, most: 59, names: &[] },
    CronField { least: 0, most: 23, names: &[] },
    CronField { least: 1, most: 31, names: &[] },
    CronField {
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    CronField { least: 0, most: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

impl Cron {
    /// Reads minute, hour, day of month, month and day of week.
    pub(crate) fn parse(expression: &str) -> Result<Self, Unscheduled> {
        let texts = expression.split_ascii_whitespace();
        if texts.clone().count() != FIELDS.len() {
            return Err(Unscheduled::Malformed("not five fields"));
        }
        let mut bits = [0_u64; FIELDS.len()];
        let mut every = [false; FIELDS.len()];
        for (((field, text), bits), every) in FIELDS.iter().zip(texts).zip(&mut bits).zip(&mut every) {
            *bits = field.parse(text).map_err(Unscheduled::Malformed)?;
            *every = text.starts_with('*');
        }
        let [minutes, hours, days, months, weekdays] = bits;
        let weekdays = (weekdays | (weekdays >> 7)) & 0b111_1111;
        let [.., every_day, _, every_weekday] = every;
        let cron = Self { minutes, hours, days, months, weekdays, either_day: !every_day && !every_weekday };
        if cron.ever_runs() { Ok(cron) } else { Err(Unscheduled::Never) }
    }

    /// Returns whether one of its days exists. Every weekday comes round on every day of a year, 29 February included.
    fn ever_runs(&self) -> bool {
        let first_day = self.days.trailing_zeros();
        self.either_day
            || (1_u32..).zip(LONGEST_MONTHS).any(|(month, days)| has(self.months, month) && first_day <= days)
    }

    /// Returns the last local time until this one, itself included, that runs; none within [`MOST_DAYS`].
    pub(super) fn latest(&self, until: DateTime) -> Option<DateTime> {
        let mut date = until.date();
        if self.runs_on(date)
            && let Some(time) = self.latest_time(bit(until.hour()), bit(until.minute()))
        {
            return Some(date.to_datetime(time));
        }
        for _ in 0..MOST_DAYS {
            date = date.yesterday().ok()?;
            if self.runs_on(date) {
                return self.latest_time(23, 59).map(|time| date.to_datetime(time));
            }
        }
        None
    }

    /// Returns the first local time after the minute of this one that runs; none within [`MOST_DAYS`].
    pub(super) fn earliest_after(&self, after: DateTime) -> Option<DateTime> {
        let mut date = after.date();
        if self.runs_on(date)
            && let Some(time) = self.earliest_time(bit(after.hour()), bit(after.minute()) + 1)
        {
            return Some(date.to_datetime(time));
        }
        for _ in 0..MOST_DAYS {
            date = date.tomorrow().ok()?;
            if self.runs_on(date) {
                return self.earliest_time(0, 0).map(|time| date.to_datetime(time));
            }
        }
        None
    }

    /// Returns the shortest and the longest time between two scheduled times, in seconds, of the first few hundred of
    /// a calendar that begins with a leap year.
    pub(crate) fn gaps(&self) -> Option<(u64, u64)> {
        const TIMES: usize = 400;
        let first = self.earliest_after(date(2024, 1, 1).at(0, 0, 0, 0))?;
        let times = std::iter::successors(Some(first), |time| self.earliest_after(*time)).take(TIMES);
        let gaps = times.clone().zip(times.skip(1)).map(|(time, next)| next.duration_since(time));
        gaps.filter_map(|gap| u64::try_from(gap.as_secs()).ok())
            .map(|gap| (gap, gap))
            .reduce(|(shortest, longest), (gap, _)| (shortest.min(gap), longest.max(gap)))
    }

    fn runs_on(&self, date: Date) -> bool {
        let in_month = has(self.days, bit(date.day()));
        let in_week = has(self.weekdays, bit(date.weekday().to_sunday_zero_offset()));
        let day = if self.either_day { in_month || in_week } else { in_month && in_week };
        day && has(self.months, bit(date.month()))
    }

    fn latest_time(&self, hour: u32, minute: u32) -> Option<Time> {
        let in_hour = if has(self.hours, hour) { highest(self.minutes, minute) } else { None };
        match in_hour {
            Some(minute) => time(hour, minute),
            None => time(highest(self.hours, hour.checked_sub(1)?)?, highest(self.minutes, 59)?),
        }
    }

    fn earliest_time(&self, hour: u32, minute: u32) -> Option<Time> {
        let in_hour = if has(self.hours, hour) { lowest(self.minutes, minute) } else { None };
        match in_hour {
            Some(minute) => time(hour, minute),
            None => time(lowest(self.hours, hour + 1)?, lowest(self.minutes, 0)?),
        }
    }
}

impl CronField {
    /// Reads a list of values, ranges and steps.
    fn parse(&self, text: &str) -> Result<u64, &'static str> {
        text.split(',').try_fold(0, |bits, part| Ok(bits | self.part(part)?))
    }

    /// Returns `*`, `6`, `1-5`, `*/15`, `0-30/10`.
    fn part(&self, text: &str) -> Result<u64, &'static str> {
        let (range, step) = text.split_once('/').map_or((text, None), |(range, step)| (range, Some(step)));
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None if step.is_some() => return Err("a step of a single value"),
            None => (self.value(range)?, self.value(range)?),
        };
        if from > to {
            return Err("a range that runs backwards");
        }
        let step = match step {
            None => 1,
            Some(step) => {
                number(step).filter(|step| (1..=self.most).contains(step)).ok_or("a step out of range")?
            }
        };
        Ok((from..=to).step_by(step as usize).fold(0, |bits, value| bits | (1 << value)))
    }

    fn value(&self, text: &str) -> Result<u32, &'static str> {
        let named = self.names.iter().zip(self.least..).find(|(name, _)| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some((_, value)) => value,
            None => number(text).ok_or("not a number")?,
        };
        if (self.least..=self.most).contains(&value) { Ok(value) } else { Err("a number out of range") }
    }
}

/// Digits only: no sign, no blank. More than fit are no number of any field.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

fn time(hour: u32, minute: u32) -> Option<Time> {
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}

/// Returns a part of a date or time, none of which is negative.
fn bit(part: i8) -> u32 {
    u32::from(part.unsigned_abs())
}

fn has(bits: u64, value: u32) -> bool {
    (bits >> value) & 1 == 1
}

/// Returns the highest value of at most `most`, which is below 63.
fn highest(bits: u64, most: u32) -> Option<u32> {
    (bits & ((2 << most) - 1)).checked_ilog2()
}

/// Returns the lowest value of at least `least`, which is below 64.
fn lowest(bits: u64, least: u32) -> Option<u32> {
    let left = bits >> least << least;
    (left != 0).then(|| left.trailing_zeros())
}
