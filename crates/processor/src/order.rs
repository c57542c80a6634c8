//! The order of a key's versions, as far as an event tells it.

use jiff::Timestamp;

/// Digits of a sequencer after padding. S3 documents hexadecimal values of varying length that are compared as text
/// after the shorter one is padded on the right with zeros; 16 and 18 digits have been seen.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
const SEQUENCER_DIGITS: usize = 32;

/// `<ISO 8601 instant with milliseconds>/<sequencer>`: sorts as text. The sort key of rows begins with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(String);

impl Order {
    /// The order of a version created at `instant_ms` (milliseconds since the epoch). A sequencer that is not
    /// hexadecimal, or too long, counts as none.
    #[must_use]
    pub fn new(instant_ms: u64, sequencer: Option<&str>) -> Self {
        let known = sequencer.filter(|text| {
            text.len() <= SEQUENCER_DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        let sequencer = known.unwrap_or_default();
        Self(format!("{}/{sequencer:0<SEQUENCER_DIGITS$}", format_instant(instant_ms)))
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

    #[test]
    fn a_longer_sequencer_sorts_after_its_own_beginning() {
        let short = Order::new(1, Some("0055AED6DCD90281E5"));
        let long = Order::new(1, Some("0055AED6DCD90281E51"));
        assert!(short < long);
        assert_eq!(Order::new(1, Some("not hex")), Order::new(1, None));
    }

    #[test]
    fn a_day_is_three_folders() {
        assert_eq!(day_of(Order::new(1_795_161_600_000, None).as_str()), "2026/11/20");
    }

    proptest! {
        #[test]
        fn instants_sort_as_text_and_read_back(first in 0_u64..200_000_000_000_000, second in 0_u64..200_000_000_000_000) {
            let orders = (Order::new(first, None), Order::new(second, None));
            prop_assert_eq!(orders.0.cmp(&orders.1), first.cmp(&second));
            prop_assert_eq!(orders.0.instant_ms(), first);
        }

        #[test]
        fn no_text_makes_it_panic(text: String, instant: u64) {
            prop_assert_eq!(instant_of(&text).is_some(), text.split('/').next().and_then(parse_instant).is_some());
            prop_assert!(!day_of(&text).contains('-'));
            prop_assert!(!Order::new(instant, Some(&text)).as_str().is_empty());
        }
    }
}
