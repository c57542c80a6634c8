//! Instants: as users write them, and as ages.

use runtime::{DAY_MS, HOUR_MS, MINUTE_MS, parse_instant_or_day};

/// Returns how long ago, to one unit.
pub(super) fn ago(then_ms: u64, now_ms: u64) -> String {
    let (number, unit) = in_one_unit(then_ms, now_ms);
    format!("{number} {unit} ago")
}

/// Returns how old, to one unit, for a cell of a table: `5m`, `9d`.
pub(super) fn age(then_ms: u64, now_ms: u64) -> String {
    let (number, unit) = in_one_unit(then_ms, now_ms);
    number.to_string() + unit.get(..1).unwrap_or_default()
}

/// Returns the day and the minute of an instant: `2026-11-21T08:00:00Z` is `11-21 08:00`. Another text stays as it is.
pub(super) fn short(instant: &str) -> String {
    match (instant.get(5..10), instant.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time}"),
        _ => instant.to_owned(),
    }
}

fn in_one_unit(then_ms: u64, now_ms: u64) -> (u64, &'static str) {
    let age = now_ms.saturating_sub(then_ms);
    match age {
        0..MINUTE_MS => (age / 1_000, "s"),
        MINUTE_MS..HOUR_MS => (age / MINUTE_MS, "min"),
        HOUR_MS..DAY_MS => (age / HOUR_MS, "h"),
        _ => (age / DAY_MS, "d"),
    }
}

/// Reads `30m`, `12h`, `7d`, a day (its beginning in UTC) or an instant with its zone.
pub(crate) fn since(text: &str, now_ms: u64) -> Option<u64> {
    back(text).map(|back| now_ms.saturating_sub(back)).or_else(|| parse_instant_or_day(text))
}

fn back(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        'm' => MINUTE_MS,
        'h' => HOUR_MS,
        'd' => DAY_MS,
        _ => return None,
    };
    let number = text.get(..text.len() - 1)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<u64>().ok().filter(|_| digits)?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: u64 = 1_795_262_400_000;

    #[test]
    fn an_age_has_one_unit() {
        for (age, shown) in [
            (0, "0 s ago"),
            (59_999, "59 s ago"),
            (60_000, "1 min ago"),
            (3_599_999, "59 min ago"),
            (3_600_000, "1 h ago"),
            (86_400_000, "1 d ago"),
        ] {
            assert_eq!(ago(NOON - age, NOON), shown);
        }
        assert_eq!(ago(NOON + 5_000, NOON), "0 s ago", "a clock that is ahead");
        assert_eq!((short("2026-11-21T08:00:00Z"), short("-")), ("11-21 08:00".into(), "-".into()));
        assert_eq!((age(NOON - 300_000, NOON), age(NOON - 9 * DAY_MS, NOON)), ("5m".into(), "9d".into()));
    }

    #[test]
    fn a_beginning_is_a_time_back_a_day_or_an_instant() {
        for (text, back) in
            [("30m", 1_800_000), ("12h", 43_200_000), ("1d", DAY_MS), ("2026-11-21", 43_200_000)]
        {
            assert_eq!(since(text, NOON), Some(NOON - back), "{text}");
        }
        assert_eq!(since("2026-11-21T13:00:00+01:00", NOON), Some(NOON));
        for text in ["", "m", "-1h", "+1h", "1w", "yesterday", "2026-13-01", "20261121", "1é", "é"] {
            assert_eq!(since(text, NOON), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, now_ms: u64) {
            drop((since(&text, now_ms), ago(now_ms, 0)));
        }
    }
}
