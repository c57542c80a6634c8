//! Dates and times by JDK patterns, strictly.
//!
//! The pattern letters are those of `java.time.format.DateTimeFormatter` (Java SE 21 API), which ODCS names as the
//! language of `logicalTypeOptions.format`. Differences, all towards strictness: a field has exactly the digits of its
//! pattern, a year is from 1 to 9999, day 24:00 and second 60 do not exist, and letters whose value would be ignored
//! or guessed are rejected when the contract is compiled. One is towards what senders write: names of months and days
//! and `AM` and `PM` are read in letters of any case.

mod civil;
mod compile;
mod read;

use jiff::tz::TimeZone;

use crate::Found;
pub(crate) use civil::NANOS_PER_DAY;
use civil::NANOS_PER_SECOND;

/// What a pattern describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemporalKind {
    /// A calendar date.
    Date,
    /// A date and time of day.
    Timestamp,
    /// A time of day.
    Time,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {at}: {advice}")]
pub struct PatternError {
    /// 1-based position in the pattern.
    pub at: usize,
    /// What was found.
    pub problem: String,
    /// What to write instead.
    pub advice: &'static str,
}

/// A compiled JDK `DateTimeFormatter` pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    source: String,
    kind: TemporalKind,
    steps: Vec<PatternStep>,
    /// Digits of a second's fraction in the stored form.
    fraction: u8,
    two_digit_year: bool,
    has_offset: bool,
    /// Whether the text of a date already is its stored form.
    is_normal: bool,
}

/// One step of reading a text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum PatternStep {
    /// A number of `least` to `most` digits.
    Number { field: DateField, least: u8, most: u8 },
    /// One byte of literal text.
    Literal(u8),
    /// An English month name, in letters of any case.
    Month { full: bool },
    /// An English name of a day of the week, in letters of any case. It must be the date's.
    Weekday { full: bool },
    /// `AM` or `PM`, in letters of any case.
    HalfDay,
    /// `least` to `most` digits of a second's fraction.
    Fraction { least: u8, most: u8 },
    /// An offset from UTC.
    Offset { zulu: bool, form: OffsetForm },
    /// This number of next steps may be left out together.
    Optional(usize),
    /// The steps of `yyyy-MM-dd` at once.
    IsoDate,
    /// The steps of `HH:mm:ss` at once.
    IsoTime,
}

const fn two(field: DateField) -> PatternStep {
    PatternStep::Number { field, least: 2, most: 2 }
}

/// The steps of [`PatternStep::IsoDate`].
const ISO_DATE: [PatternStep; 5] = [
    PatternStep::Number { field: DateField::Year, least: 4, most: 4 },
    PatternStep::Literal(b'-'),
    two(DateField::Month),
    PatternStep::Literal(b'-'),
    two(DateField::Day),
];
/// The steps of [`PatternStep::IsoTime`].
const ISO_TIME: [PatternStep; 5] = [
    two(DateField::Hour),
    PatternStep::Literal(b':'),
    two(DateField::Minute),
    PatternStep::Literal(b':'),
    two(DateField::Second),
];

/// A number in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DateField {
    Year,
    /// The last two digits of a year from 2000 to 2099.
    ShortYear,
    Month,
    Day,
    Hour,
    /// 1 to 12, with `AM` or `PM`.
    HalfDayHour,
    Minute,
    Second,
}

/// How an offset's hours and minutes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OffsetForm {
    /// `+02`, or `+0530` when there are minutes.
    Short,
    /// `+0200`.
    Compact,
    /// `+02:00`.
    Extended,
}

/// A point in time that was read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moment {
    /// Nanoseconds since 1970-01-01T00:00:00, or since midnight.
    nanos: i128,
    /// Whether that is UTC, and not local time.
    universal: bool,
}

impl Pattern {
    /// Returns the form of a text when the contract gives none: date `yyyy-MM-dd`; timestamp as RFC 3339 section 5.6
    /// with `T`, an optional fraction of 1 to 9 digits and an optional offset; time `HH:mm:ss` with the same optional
    /// fraction.
    #[must_use]
    pub fn iso(kind: TemporalKind) -> Self {
        compile::iso(kind)
    }

    /// Compiles a pattern. It must give a whole date, a whole time of day, or both, as `kind` wants, outside of
    /// optional sections (minutes and seconds may be missing: they are 0).
    pub fn compile(source: &str, kind: TemporalKind) -> Result<Self, PatternError> {
        compile::compile(source, kind)
    }

    /// Returns the pattern as written in the contract.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns whether the pattern has a year of two digits, which is read as 2000 to 2099 (the JDK's base).
    #[must_use]
    pub fn two_digit_year(&self) -> bool {
        self.two_digit_year
    }

    /// Returns whether a text may or must say its offset from UTC.
    #[must_use]
    pub fn has_offset(&self) -> bool {
        self.has_offset
    }

    /// Nanoseconds since 1970-01-01T00:00:00 (UTC when the text has an offset or a zone is given, else local), or
    /// since midnight for a time. An offset in the text goes before `zone`. A local time that the zone skips or
    /// repeats is an error.
    pub fn parse(&self, text: &[u8], zone: Option<&TimeZone>) -> Result<i128, Found> {
        if let Some(day) = self.iso_day(text) {
            return Ok(i128::from(day) * NANOS_PER_DAY);
        }
        self.moment(text, zone).map(|moment| moment.nanos)
    }

    /// Returns the day since 1970-01-01, when texts are written `yyyy-MM-dd` and this one is.
    #[inline]
    pub(crate) fn iso_day(&self, text: &[u8]) -> Option<i64> {
        if self.is_normal { read::iso_day(text) } else { None }
    }

    /// Returns the stored form: ISO 8601 of one width for the whole column, so that the order of texts is the order
    /// of times. `2026-01-05`; `2026-01-05T09:30:00.250Z`, without `Z` when it is local; `09:30:00`. The fraction has
    /// as many digits as the pattern allows. `None` when the text does not follow the pattern.
    #[must_use]
    pub fn normal(&self, text: &[u8], zone: Option<&TimeZone>) -> Option<String> {
        let moment = self.moment(text, zone).ok()?;
        let day = i64::try_from(moment.nanos.div_euclid(NANOS_PER_DAY)).ok()?;
        let nanos = u64::try_from(moment.nanos.rem_euclid(NANOS_PER_DAY)).ok()?;
        let mut out = String::with_capacity(30);
        if self.kind != TemporalKind::Time {
            let (year, month, day) = civil::date_of(day);
            push_number(&mut out, year.unsigned_abs(), 4);
            out.push('-');
            push_number(&mut out, month.into(), 2);
            out.push('-');
            push_number(&mut out, day.into(), 2);
        }
        if self.kind == TemporalKind::Timestamp {
            out.push('T');
        }
        if self.kind != TemporalKind::Date {
            let second = nanos / NANOS_PER_SECOND;
            push_number(&mut out, second / 3600, 2);
            out.push(':');
            push_number(&mut out, second / 60 % 60, 2);
            out.push(':');
            push_number(&mut out, second % 60, 2);
            if self.fraction > 0 {
                out.push('.');
                let dropped = 10_u64.pow(u32::from(9 - self.fraction));
                push_number(&mut out, nanos % NANOS_PER_SECOND / dropped, self.fraction);
            }
        }
        if moment.universal {
            out.push('Z');
        }
        Some(out)
    }

    /// Returns whether the stored form of every text that follows the pattern is the text itself.
    pub(crate) fn is_normal(&self) -> bool {
        self.is_normal
    }

    fn moment(&self, text: &[u8], zone: Option<&TimeZone>) -> Result<Moment, Found> {
        read::read(&self.steps, text)?.moment(self.kind, zone)
    }
}

/// Writes a number with leading zeros.
fn push_number(out: &mut String, number: u64, width: u8) {
    let mut divisor = 10_u64.pow(u32::from(width.saturating_sub(1)));
    while divisor > 0 {
        // A remainder of a division by ten is below ten.
        out.push(char::from(b'0' + (number / divisor % 10).to_le_bytes()[0]));
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests;
