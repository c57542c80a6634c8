//! The order of a key's versions.

use std::fmt;

use jiff::Timestamp;

/// Digits of the place among the versions of one second: 4,000 million of them.
const OLDER_DIGITS: usize = 8;

/// The place in time of a version among the versions of its key, as the bucket lists them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// When it was made, milliseconds since the epoch, in whole seconds; never before an older version of the key.
    pub instant_ms: u64,
    /// How many older versions of the key have the same instant.
    pub older: u32,
}

/// The order of a version: `<ISO 8601 instant>/<place among the key's versions of this instant, hexadecimal>`. Sorts as
/// text. The sort key of rows begins with it.
///
/// It is a function of the bucket: events may be late, twice or lost, and the time that they tell differs from the
/// bucket's. Of two versions of one key the newer one has the greater order. Versions of different keys that were
/// made within one second have no order in S3; a contract's `versionFrom` gives their records one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Order {
    text: String,
    instant_ms: u64,
}

impl Order {
    /// Returns the order of a version that the bucket ranks so.
    #[must_use]
    pub fn new(rank: Rank) -> Self {
        let instant = format_instant(rank.instant_ms);
        let instant_ms = parse_instant(&instant).unwrap_or_default();
        Self { text: format!("{instant}/{:0OLDER_DIGITS$x}", rank.older), instant_ms }
    }

    /// Returns the order of a version that the bucket does not hold any more: the second of its event is all that is
    /// known.
    #[must_use]
    pub fn of_event(instant_ms: u64) -> Self {
        Self::new(Rank { instant_ms: instant_ms - instant_ms % 1_000, older: 0 })
    }

    /// Reads an order back; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (instant, place) = text.split_once('/')?;
        let is_place = !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_hexdigit());
        let instant_ms = parse_instant(instant).filter(|_| is_place)?;
        Some(Self { text: text.to_owned(), instant_ms })
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the instant, milliseconds since the epoch.
    #[must_use]
    pub fn instant_ms(&self) -> u64 {
        self.instant_ms
    }

    /// Returns the day (UTC) as it stands in quarantine keys: `2026/11/20`.
    #[must_use]
    pub fn day(&self) -> String {
        format_instant(self.instant_ms).split('T').next().unwrap_or_default().replace('-', "/")
    }
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl serde::Serialize for Order {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl TryFrom<String> for Order {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an order: expected <RFC 3339 instant>/<hexadecimal digits>")
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
        assert_eq!(order(1_795_161_600_000, 0).day(), "2026/11/20");
    }

    #[test]
    fn an_order_needs_an_instant_and_a_place() {
        let instant = "2026-11-20T08:00:00.000Z";
        assert_eq!(
            Order::parse(&format!("{instant}/0061")).map(|order| order.instant_ms()),
            Some(1_795_161_600_000)
        );
        for text in [
            "",
            "/",
            "2026/1",
            "2026-11-20T08:00:00.000Z",
            "2026-11-20T08:00:00.000Z/",
            "2026-11-20T08:00:00.000Z/x",
            "1969-12-31T23:59:59Z/0",
        ] {
            assert_eq!(Order::parse(text), None, "{text}");
        }
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
            prop_assert_eq!(Order::parse(orders.0.as_str()), Some(orders.0));
        }

        #[test]
        fn no_text_makes_it_panic(text: String, instant: u64, older: u32) {
            prop_assert!(Order::parse(&text).is_none_or(|order| order.as_str() == text && !order.day().contains('-')));
            prop_assert!(!order(instant, older).as_str().is_empty());
        }
    }
}
