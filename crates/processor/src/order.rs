//! The order of a key's versions.

use jiff::Timestamp;
use store::Rank;

/// Digits of the place among the versions of one second: 4,000 million of them.
const OLDER_DIGITS: usize = 8;

/// `<ISO 8601 instant>/<place among the key's versions of this instant, hexadecimal>`: sorts as text. The sort key of rows
/// begins with it.
///
/// It is a function of the bucket: events may be late, twice or lost, and what they tell of time differs from what the bucket
/// tells. Of two versions of one key the newer one has the greater order. Versions of different keys that were made within
/// one second have no order in S3; a contract's `versionFrom` gives their records one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(String);

impl Order {
    /// The order of a version that the bucket ranks so.
    #[must_use]
    pub fn new(rank: Rank) -> Self {
        let Rank { instant_ms, older } = rank;
        Self(format!("{}/{older:0OLDER_DIGITS$x}", format_instant(instant_ms)))
    }

    /// The order of a version that the bucket does not hold any more: the second of its event is all that is known.
    #[must_use]
    pub fn of_event(instant_ms: u64) -> Self {
        Self::new(Rank { instant_ms: instant_ms - instant_ms % 1_000, older: 0 })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The instant, milliseconds since the epoch.
    #[must_use]
    pub fn instant_ms(&self) -> u64 {
        instant_of(&self.0).unwrap_or_default()
    }
}

/// Reads an RFC 3339 instant from 1970 on; milliseconds since the epoch.
#[must_use]
pub fn parse_instant(text: &str) -> Option<u64> {
    let instant: Timestamp = text.parse().ok()?;
    u64::try_from(instant.as_millisecond()).ok()
}

/// Writes milliseconds since the epoch as `2026-11-20T08:15:00.123Z`.
#[must_use]
pub fn format_instant(instant_ms: u64) -> String {
    let milliseconds = i64::try_from(instant_ms).unwrap_or(i64::MAX);
    let instant = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
    format!("{instant:.3}")
}

/// The instant at the beginning of a pinned order.
#[must_use]
pub fn instant_of(order: &str) -> Option<u64> {
    parse_instant(order.split('/').next()?)
}

/// The day of a pinned order, as it stands in quarantine keys: `2026/11/20`.
#[must_use]
pub fn day_of(order: &str) -> String {
    let day = order.split('T').next().unwrap_or_default();
    day.replace('-', "/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(instant_ms: u64, older: u32) -> Order {
        Order::new(Rank { instant_ms, older })
    }

    #[test]
    fn an_order_says_second_and_place() {
        assert_eq!(order(1_795_161_600_000, 26).as_str(), "2026-11-20T08:00:00.000Z/0000001a");
        assert_eq!(Order::of_event(1_795_161_600_999), order(1_795_161_600_000, 0));
    }

    #[test]
    fn a_day_is_three_folders() {
        assert_eq!(day_of(order(1_795_161_600_000, 0).as_str()), "2026/11/20");
    }

    proptest! {
        #[test]
        fn orders_sort_as_text_and_read_back(
            first in (0_u64..200_000_000_000_000, any::<u32>()),
            second in (0_u64..200_000_000_000_000, any::<u32>()),
        ) {
            let orders = (order(first.0, first.1), order(second.0, second.1));
            prop_assert_eq!(orders.0.cmp(&orders.1), first.cmp(&second));
            prop_assert_eq!(orders.0.instant_ms(), first.0);
        }

        #[test]
        fn no_text_makes_it_panic(text: String, instant: u64, older: u32) {
            prop_assert_eq!(instant_of(&text).is_some(), text.split('/').next().and_then(parse_instant).is_some());
            prop_assert!(!day_of(&text).contains('-'));
            prop_assert!(!order(instant, older).as_str().is_empty());
        }
    }
}
