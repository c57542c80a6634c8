//! Constants that are written as text: dates, times and durations.

use crate::{Pattern, TemporalKind};

use super::operand::InstantKind;

/// Units of a duration with their nanoseconds, the longer words first (cel-spec, `duration`).
const UNITS: [(&str, i128); 6] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];
/// The longest duration: 10,000 years of seconds, in nanoseconds (google.protobuf.Duration).
const LONGEST_DURATION: i128 = 315_576_000_000 * 1_000_000_000;
/// Digits of a duration's number at most.
const DURATION_DIGITS: usize = 18;

/// Reads `2026-01-31`.
pub(super) fn date(text: &str) -> Option<i128> {
    Pattern::iso(TemporalKind::Date).parse(text.as_bytes(), None).ok()
}

/// Reads `08:00:00`.
pub(super) fn time(text: &str) -> Option<i128> {
    Pattern::iso(TemporalKind::Time).parse(text.as_bytes(), None).ok()
}

/// Reads `2026-01-31T08:00:00Z`, or the same without an offset as a local time.
pub(super) fn timestamp(text: &str) -> Option<(InstantKind, i128)> {
    let pattern = Pattern::iso(TemporalKind::Timestamp);
    let nanos = pattern.parse(text.as_bytes(), None).ok()?;
    let universal = pattern.normal(text.as_bytes(), None)?.ends_with('Z');
    Some((if universal { InstantKind::Timestamp } else { InstantKind::LocalTimestamp }, nanos))
}

/// Reads `36h`, `1h30m`, `-1.5s`.
pub(super) fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut total = 0_i128;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (whole, behind) = digits(rest);
        let (fraction, behind) = match behind.strip_prefix('.') {
            Some(behind) => digits(behind),
            None => ("", behind),
        };
        if whole.is_empty() && fraction.is_empty() || whole.len() + fraction.len() > DURATION_DIGITS {
            return None;
        }
        let (unit, nanos) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        let number: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        total += number * nanos / scale;
        rest = behind.get(unit.len()..)?;
    }
    (total <= LONGEST_DURATION).then_some(if negative { -total } else { total })
}

/// Returns the digits at the beginning of a text, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let length = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit_or_several() {
        const SECOND: i128 = 1_000_000_000;
        assert_eq!(duration("36h"), Some(36 * 3600 * SECOND));
        assert_eq!(duration("1h30m"), Some(5400 * SECOND));
        assert_eq!(duration("-1.5s"), Some(-1_500_000_000));
        assert_eq!(duration("1ms2us3ns"), Some(1_002_003));
        assert_eq!(duration("0s"), Some(0));
        for text in ["", "-", "36", "h", "1d", "1h ", "1..5s", "9999999999999999999h", "999999999999h", "+1h"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_timestamp_without_an_offset_is_local() {
        let day = 86_400 * 1_000_000_000;
        assert_eq!(timestamp("1970-01-02T00:00:00Z"), Some((InstantKind::Timestamp, day)));
        assert_eq!(timestamp("1970-01-02T02:00:00+02:00"), Some((InstantKind::Timestamp, day)));
        assert_eq!(timestamp("1970-01-02T00:00:00"), Some((InstantKind::LocalTimestamp, day)));
        assert_eq!(timestamp("1970-01-02"), None);
        assert_eq!(date("1970-01-02"), Some(day));
        assert_eq!(time("00:00:01"), Some(1_000_000_000));
    }
}
