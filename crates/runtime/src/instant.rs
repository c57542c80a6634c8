//! Instants in the words of users and reports. The codec itself, RFC 3339 with milliseconds, is the ledger's.

use ledger::{format_instant, parse_instant};

/// A minute, milliseconds.
pub const MINUTE_MS: u64 = 60_000;
/// An hour, milliseconds.
pub const HOUR_MS: u64 = 60 * MINUTE_MS;
/// A day, milliseconds.
pub const DAY_MS: u64 = 24 * HOUR_MS;

/// Reads an RFC 3339 instant, or a day (`2026-11-20`), which begins at midnight UTC; milliseconds since the epoch.
#[must_use]
pub fn parse_instant_or_day(text: &str) -> Option<u64> {
    let day = || parse_instant(&format!("{text}T00:00:00Z")).filter(|_| text.len() == 10);
    parse_instant(text).or_else(day)
}

/// Returns when a file landed, milliseconds since the epoch: its order begins with the instant.
#[must_use]
pub fn landed_ms(order: &str) -> Option<u64> {
    parse_instant(order.split('/').next()?)
}

/// Writes an instant to the second: `2026-11-20T08:15:00Z`. A number after the year 9999 stays a number.
#[must_use]
pub fn format_second(ms: u64) -> String {
    let text = format_instant(ms);
    if parse_instant(&text) == Some(ms) { up_to(&text, '.') + "Z" } else { ms.to_string() }
}

/// Writes an instant for readers: `2026-11-20 08:15:00 UTC`.
#[must_use]
pub fn format_readable(ms: u64) -> String {
    up_to(&format_instant(ms), '.').replace('T', " ") + " UTC"
}

/// Names the hour of an instant in UTC: `2026-11-20T08`.
#[must_use]
pub fn format_hour(ms: u64) -> String {
    up_to(&format_instant(ms), ':')
}

fn up_to(text: &str, mark: char) -> String {
    text.split(mark).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MORNING: u64 = 1_795_240_800_123;

    #[test]
    fn an_instant_has_a_text_for_each_reader() {
        assert_eq!(format_instant(MORNING), "2026-11-21T06:00:00.123Z");
        assert_eq!(format_second(MORNING), "2026-11-21T06:00:00Z");
        assert_eq!(format_second(MORNING + 876), "2026-11-21T06:00:00Z");
        assert_eq!(format_second(u64::MAX), u64::MAX.to_string());
        assert_eq!(format_readable(MORNING), "2026-11-21 06:00:00 UTC");
        assert_eq!(format_hour(1_795_244_399_999), "2026-11-21T06");
    }

    #[test]
    fn an_instant_is_read_in_any_zone_and_a_day_only_where_it_may_be_one() {
        for text in
            ["2026-11-21T06:00:00.123Z", "2026-11-21T06:00:00.123+0000", "2026-11-21T07:00:00.123+01:00"]
        {
            assert_eq!((parse_instant(text), parse_instant_or_day(text)), (Some(MORNING), Some(MORNING)));
        }
        assert_eq!(parse_instant("2026-11-21"), None);
        assert_eq!(parse_instant_or_day("2026-11-21"), Some(MORNING - 123 - 6 * HOUR_MS));
        for text in ["", "yesterday", "2026-13-01", "20261121", "1969-12-31T23:59:59Z"] {
            assert_eq!(parse_instant_or_day(text), None, "{text}");
        }
    }

    #[test]
    fn an_order_says_when_its_file_landed() {
        assert_eq!(landed_ms("2026-11-21T06:00:00.123Z/0061"), Some(MORNING));
        assert_eq!(landed_ms("yesterday/0061"), None);
    }

    proptest! {
        #[test]
        fn every_instant_reads_back(ms in 0..253_402_207_200_000_u64) {
            prop_assert_eq!(landed_ms(&format!("{}/0061", format_instant(ms))), Some(ms));
            prop_assert_eq!(parse_instant(&format_second(ms)), Some(ms - ms % 1_000));
        }

        #[test]
        fn no_text_and_no_number_panics(text: String, ms: u64) {
            drop((landed_ms(&text), parse_instant_or_day(&text), format_instant(ms), format_readable(ms)));
            prop_assert!(format_hour(ms).len() == 13 && !format_second(ms).is_empty());
        }
    }
}
