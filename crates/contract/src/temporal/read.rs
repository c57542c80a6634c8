//! From a text to its fields, step by step, without allocation.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::civil::{self, NANOS_PER_SECOND, SECONDS_PER_DAY};
use super::{DateField, ISO_DATE, ISO_TIME, Moment, OffsetForm, PatternStep, TemporalKind};
use crate::{DatePart, Found};

const MONTHS: [&[u8]; 12] = [
    b"January",
    b"February",
    b"March",
    b"April",
    b"May",
    b"June",
    b"July",
    b"August",
    b"September",
    b"October",
    b"November",
    b"December",
];
const WEEKDAYS: [&[u8]; 7] =
    [b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday", b"Sunday"];
/// Letters of a short name.
const SHORT: usize = 3;
/// The largest offset, ±18:00 (`java.time.ZoneOffset`).
const LARGEST_OFFSET: i32 = 18 * 3600;

/// What a text said.
#[derive(Clone, Copy)]
pub(super) struct DateFields {
    year: i16,
    month: u8,
    day: u8,
    /// 0 is Monday.
    weekday: Option<u8>,
    hour: u8,
    minute: u8,
    second: u8,
    afternoon: bool,
    nanos: Option<u32>,
    offset: Option<i32>,
}

/// Where a text stops to follow its pattern, as a 0-based byte, and what the pattern has there.
#[derive(Clone, Copy)]
struct Stop {
    at: usize,
    wanted: DatePart,
}

impl Stop {
    /// Makes the one that is further on in the text; this one when both are at the same place.
    fn or_further(self, other: Option<Self>) -> Self {
        other.filter(|other| other.at > self.at).unwrap_or(self)
    }
}

/// A cursor in a text.
#[derive(Clone, Copy)]
struct DateReader<'a> {
    text: &'a [u8],
    at: usize,
    fields: DateFields,
    /// The last place at which an optional section did not fit.
    furthest: Option<Stop>,
}

/// Reads a whole text.
pub(super) fn read(steps: &[PatternStep], text: &[u8]) -> Result<DateFields, Found> {
    let fields = DateFields {
        year: 1970,
        month: 1,
        day: 1,
        weekday: None,
        hour: 0,
        minute: 0,
        second: 0,
        afternoon: false,
        nanos: None,
        offset: None,
    };
    let mut reader = DateReader { text, at: 0, fields, furthest: None };
    let stopped = match reader.run(steps) {
        Ok(()) if reader.at == text.len() => None,
        Ok(()) => Some(Stop { at: reader.at, wanted: DatePart::End }),
        Err(stop) => Some(stop),
    };
    if let Some(stop) = stopped {
        return Err(not_a_date(text, stop.or_further(reader.furthest)));
    }
    let fields = reader.fields;
    if fields.day > 28 && fields.day > civil::days_in(fields.year, fields.month) {
        return Err(Found::NoSuchDay);
    }
    if let Some(weekday) = fields.weekday
        && weekday != civil::weekday_of(civil::day_of(fields.year, fields.month, fields.day))
    {
        return Err(Found::OtherWeekday);
    }
    Ok(fields)
}

/// Positions count characters.
fn not_a_date(text: &[u8], stop: Stop) -> Found {
    let before = text.iter().take(stop.at).filter(|byte| !matches!(byte, 0x80..=0xBF)).count();
    Found::NotADate {
        wanted: stop.wanted,
        at: u32::try_from(before + 1).unwrap_or(u32::MAX),
        ended: stop.at >= text.len(),
    }
}

impl DateFields {
    /// Returns the point in time.
    pub(super) fn moment(self, kind: TemporalKind, zone: Option<&TimeZone>) -> Result<Moment, Found> {
        let hour = self.hour + if self.afternoon { 12 } else { 0 };
        let mut seconds = i64::from(hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        let mut universal = false;
        if kind != TemporalKind::Time {
            seconds += civil::day_of(self.year, self.month, self.day) * SECONDS_PER_DAY;
        }
        if kind == TemporalKind::Timestamp {
            let offset = match (self.offset, zone) {
                (Some(offset), _) => Some(offset),
                (None, Some(zone)) => Some(self.offset_in(zone, hour)?),
                (None, None) => None,
            };
            universal = offset.is_some();
            seconds -= i64::from(offset.unwrap_or(0));
            // An offset may lead out of the years 1 to 9999.
            if seconds < civil::day_of(1, 1, 1) * SECONDS_PER_DAY {
                return Err(Found::OutsideYears);
            }
            if seconds >= (civil::day_of(9999, 12, 31) + 1) * SECONDS_PER_DAY {
                return Err(Found::OutsideYears);
            }
        }
        let nanos = i128::from(seconds) * i128::from(NANOS_PER_SECOND) + i128::from(self.nanos.unwrap_or(0));
        Ok(Moment { nanos, universal })
    }

    /// Returns the zone's offset at this local time, in seconds.
    fn offset_in(&self, zone: &TimeZone, hour: u8) -> Result<i32, Found> {
        let [month, day, hour, minute, second] =
            [self.month, self.day, hour, self.minute, self.second].map(u8::cast_signed);
        let local =
            DateTime::new(self.year, month, day, hour, minute, second, 0).map_err(|_| Found::NoSuchDay)?;
        match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Ok(offset.seconds()),
            AmbiguousOffset::Gap { .. } => Err(Found::SkippedTime),
            AmbiguousOffset::Fold { .. } => Err(Found::RepeatedTime),
        }
    }
}

/// Returns the day that a whole text of the form `yyyy-MM-dd` names, as [`civil::day_of`] counts. `None`: it does not
/// follow the form, or there is no such day.
pub(super) fn iso_day(text: &[u8]) -> Option<i64> {
    let (year, month, day) = iso_date(text.try_into().ok()?)?;
    (day <= 28 || day <= civil::days_in(year, month)).then(|| civil::day_of(year, month, day))
}

/// Year, month and a day from 1 to 31, which the month may lack.
fn iso_date(text: &[u8; 10]) -> Option<(i16, u8, u8)> {
    let [y1, y2, y3, y4, dash, m1, m2, last_dash, d1, d2] = *text;
    // Digits become their values and dashes zero, all at once.
    let head = u64::from_le_bytes([y1, y2, y3, y4, dash, m1, m2, last_dash]) ^ ISO_DATE_ZEROS;
    if ((head.wrapping_add(ISO_DATE_MARGINS)) | head) & HIGH_BITS != 0 {
        return None;
    }
    let [y1, y2, y3, y4, _, m1, m2, _] = head.to_le_bytes();
    let year = i16::from(y1 * 10 + y2) * 100 + i16::from(y3 * 10 + y4);
    let (month, day) = (m1 * 10 + m2, two_digits(d1, d2)?);
    (year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// The first eight bytes of a date, all digits zero.
const ISO_DATE_ZEROS: u64 = u64::from_le_bytes(*b"0000-00-");
/// What brings a byte to 128 when it is above 9, or above 0 for a dash.
const ISO_DATE_MARGINS: u64 = u64::from_le_bytes([118, 118, 118, 118, 127, 118, 118, 127]);

/// Returns a number of two ASCII digits.
fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

impl DateReader<'_> {
    /// The pattern has something here that the text has not.
    fn wants(&self, wanted: DatePart) -> Stop {
        Stop { at: self.at, wanted }
    }

    fn run(&mut self, steps: &[PatternStep]) -> Result<(), Stop> {
        let mut rest = steps;
        while let [step, after @ ..] = rest {
            rest = after;
            match *step {
                PatternStep::Number { field, least, most } => self.number(field, least, most)?,
                PatternStep::Literal(byte) => self.literal(byte)?,
                PatternStep::Month { full } => {
                    let month = self.name(&MONTHS, full, DatePart::MonthName { full })?;
                    self.fields.month = month + 1;
                }
                PatternStep::Weekday { full } => {
                    self.fields.weekday = Some(self.name(&WEEKDAYS, full, DatePart::Weekday { full })?);
                }
                PatternStep::HalfDay => self.half_day()?,
                PatternStep::Fraction { least, most } => self.fraction(least, most)?,
                PatternStep::Offset { zulu, form } => self.offset(zulu, form)?,
                PatternStep::Optional(count) => {
                    let (section, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
                    let (at, fields) = (self.at, self.fields);
                    if let Err(stop) = self.run(section) {
                        self.furthest = Some(stop.or_further(self.furthest));
                        (self.at, self.fields) = (at, fields);
                    }
                    rest = after;
                }
                // Step by step where it does not fit, for the position of the mistake.
                PatternStep::IsoDate if self.iso_date().is_some() => {}
                PatternStep::IsoDate => self.run(&ISO_DATE)?,
                PatternStep::IsoTime if self.iso_time().is_some() => {}
                PatternStep::IsoTime => self.run(&ISO_TIME)?,
            }
        }
        Ok(())
    }

    /// Takes `yyyy-MM-dd`, or nothing.
    fn iso_date(&mut self) -> Option<()> {
        let date = iso_date(self.text.get(self.at..)?.first_chunk()?)?;
        (self.fields.year, self.fields.month, self.fields.day) = date;
        self.at += 10;
        Some(())
    }

    /// Takes `HH:mm:ss`, or nothing.
    fn iso_time(&mut self) -> Option<()> {
        let [h1, h2, b':', m1, m2, b':', s1, s2] = *self.text.get(self.at..)?.first_chunk()? else {
            return None;
        };
        let (hour, minute, second) = (two_digits(h1, h2)?, two_digits(m1, m2)?, two_digits(s1, s2)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        (self.fields.hour, self.fields.minute, self.fields.second) = (hour, minute, second);
        self.at += 8;
        Some(())
    }

    fn literal(&mut self, byte: u8) -> Result<(), Stop> {
        if self.text.get(self.at) != Some(&byte) {
            return Err(self.wants(if byte.is_ascii() {
                DatePart::Literal(byte)
            } else {
                DatePart::OtherLiteral
            }));
        }
        self.at += 1;
        Ok(())
    }

    /// Takes `least` to `most` digits, at most nine, as many as there are.
    fn digits(&mut self, least: u8, most: u8) -> Result<(u32, u8), Stop> {
        let mut number = 0_u32;
        let mut count = 0;
        while count < most {
            let digit = self.text.get(self.at).map_or(0xFF, |byte| byte.wrapping_sub(b'0'));
            if digit > 9 {
                break;
            }
            number = number * 10 + u32::from(digit);
            count += 1;
            self.at += 1;
        }
        if count < least { Err(self.wants(DatePart::Digit)) } else { Ok((number, count)) }
    }

    fn number(&mut self, field: DateField, least: u8, most: u8) -> Result<(), Stop> {
        let begin = self.at;
        let (number, _) = self.digits(least, most)?;
        let (lowest, highest, wanted) = match field {
            DateField::Year => (1, 9999, DatePart::Year),
            DateField::ShortYear => (0, 99, DatePart::Year),
            DateField::Month => (1, 12, DatePart::Month),
            DateField::HalfDayHour => (1, 12, DatePart::HalfDayHour),
            DateField::Day => (1, 31, DatePart::Day),
            DateField::Hour => (0, 23, DatePart::Hour),
            DateField::Minute | DateField::Second => (0, 59, DatePart::Sixty),
        };
        if number < lowest || number > highest {
            return Err(Stop { at: begin, wanted });
        }
        let [small, high, ..] = number.to_le_bytes();
        match field {
            DateField::Year => self.fields.year = i16::from_le_bytes([small, high]),
            DateField::ShortYear => self.fields.year = 2000 + i16::from(small),
            DateField::Month => self.fields.month = small,
            DateField::Day => self.fields.day = small,
            DateField::Hour => self.fields.hour = small,
            DateField::HalfDayHour => self.fields.hour = small % 12,
            DateField::Minute => self.fields.minute = small,
            DateField::Second => self.fields.second = small,
        }
        Ok(())
    }

    /// Takes one of the names, in letters of any case: in full, or its first three letters. Returns its place.
    fn name(&mut self, names: &[&[u8]], full: bool, wanted: DatePart) -> Result<u8, Stop> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (place, name) in (0_u8..).zip(names) {
            let name = if full { name } else { name.get(..SHORT).unwrap_or(name) };
            if rest.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name)) {
                self.at += name.len();
                return Ok(place);
            }
        }
        Err(self.wants(wanted))
    }

    fn half_day(&mut self) -> Result<(), Stop> {
        let word = self.text.get(self.at..self.at + 2).unwrap_or_default();
        self.fields.afternoon = word.eq_ignore_ascii_case(b"PM");
        if !self.fields.afternoon && !word.eq_ignore_ascii_case(b"AM") {
            return Err(self.wants(DatePart::HalfDay));
        }
        self.at += 2;
        Ok(())
    }

    fn fraction(&mut self, least: u8, most: u8) -> Result<(), Stop> {
        if self.fields.nanos.is_some() {
            return Err(self.wants(DatePart::End));
        }
        let (number, count) = self.digits(least, most)?;
        self.fields.nanos = Some(number * 10_u32.pow(u32::from(9 - count)));
        Ok(())
    }

    fn offset(&mut self, zulu: bool, form: OffsetForm) -> Result<(), Stop> {
        let begin = self.at;
        let sign = match self.text.get(begin) {
            Some(b'Z') if zulu && self.fields.offset.is_none() => {
                self.fields.offset = Some(0);
                self.at += 1;
                return Ok(());
            }
            Some(b'+') if self.fields.offset.is_none() => 1,
            Some(b'-') if self.fields.offset.is_none() => -1,
            _ => return Err(self.wants(DatePart::Offset)),
        };
        self.at += 1;
        let (hours, _) = self.digits(2, 2)?;
        let minutes = match form {
            OffsetForm::Short if !self.text.get(self.at).is_some_and(u8::is_ascii_digit) => 0,
            OffsetForm::Short | OffsetForm::Compact => self.digits(2, 2)?.0,
            OffsetForm::Extended => {
                self.literal(b':')?;
                self.digits(2, 2)?.0
            }
        };
        let seconds = (hours * 3600 + minutes * 60).cast_signed();
        if minutes > 59 || seconds > LARGEST_OFFSET {
            return Err(Stop { at: begin, wanted: DatePart::Offset });
        }
        self.fields.offset = Some(sign * seconds);
        Ok(())
    }
}
