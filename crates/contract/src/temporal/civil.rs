//! Days of the proleptic Gregorian calendar, counted from 1970-01-01.
//!
//! The arithmetic counts years from 1 March, so that the leap day ends a year: Howard Hinnant, "chrono-Compatible
//! Low-Level Date Algorithms", `days_from_civil` and `civil_from_days`.

/// Seconds of a day.
pub(super) const SECONDS_PER_DAY: i64 = 86_400;
/// Nanoseconds of a second.
pub(super) const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a day.
pub(crate) const NANOS_PER_DAY: i128 = SECONDS_PER_DAY as i128 * NANOS_PER_SECOND as i128;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Days of 400 years.
const ERA: i64 = 146_097;

/// Returns the day of a date. Years 1 to 9999, months 1 to 12, days of that month.
pub(super) fn day_of(year: i16, month: u8, day: u8) -> i64 {
    let (january, month) = if month <= 2 { (1, u32::from(month) + 9) } else { (0, u32::from(month) - 3) };
    // Year 0 begins on 1 March before the first of January of year 1.
    let year = u32::from(year.unsigned_abs()) - january;
    let century = year / 100;
    let day_of_year = (153 * month + 2) / 5 + u32::from(day) - 1;
    i64::from(year * 365 + year / 4 - century + century / 4 + day_of_year) - EPOCH
}

/// Year, month and day of a day.
pub(super) fn date_of(day: i64) -> (i64, u8, u8) {
    let shifted = day + EPOCH;
    let era = shifted.div_euclid(ERA);
    let day_of_era = shifted.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.to_le_bytes()[0], day.to_le_bytes()[0])
}

/// Returns the day of the week of a day: 0 is Monday.
pub(super) fn weekday_of(day: i64) -> u8 {
    // 1970-01-01 was a Thursday.
    (day + 3).rem_euclid(7).to_le_bytes()[0]
}

/// Returns the number of days of a month.
pub(super) fn days_in(year: i16, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
