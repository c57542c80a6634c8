//! Instants: as events and orders have them, and as the names of hours.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Minutes in milliseconds.
pub(crate) const MINUTE_MS: u64 = 60_000;
/// An hour.
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
/// A day.
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;

/// Reads an RFC 3339 instant from 1970 on; milliseconds since the epoch.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let instant: Timestamp = text.parse().ok()?;
    u64::try_from(instant.as_millisecond()).ok()
}

/// When a file landed, milliseconds since the epoch: its order begins with the instant.
pub(crate) fn landed(order: &str) -> Option<u64> {
    parse(order.split('/').next()?)
}

/// Milliseconds since the epoch as orders begin with them: ISO 8601 in UTC.
pub(crate) fn text(ms: u64) -> String {
    format!("{:.3}", timestamp(ms))
}

/// The hour of an instant in UTC: `2026-11-21T06`.
pub(crate) fn hour(ms: u64) -> String {
    timestamp(ms).to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H").to_string()
}

fn timestamp(ms: u64) -> Timestamp {
    i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_instant_reads_back_and_names_its_hour() {
        assert_eq!(text(1_795_240_800_123), "2026-11-21T06:00:00.123Z");
        assert_eq!(hour(1_795_244_399_999), "2026-11-21T06");
        assert_eq!(landed("2026-11-21T06:00:00.123Z/0061"), Some(1_795_240_800_123));
        assert_eq!(landed("yesterday/0061"), None);
    }

    proptest! {
        #[test]
        fn no_number_makes_it_panic_and_texts_read_back(ms: u64, near in 0_u64..200_000_000_000_000) {
            prop_assert_eq!(hour(ms).len() >= 13, true);
            prop_assert_eq!(parse(&text(near)), Some(near));
        }
    }
}
