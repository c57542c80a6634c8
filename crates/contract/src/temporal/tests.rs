use proptest::prelude::*;

use super::*;
use crate::DatePart;

fn pattern(source: &str, kind: TemporalKind) -> Pattern {
    Pattern::compile(source, kind).unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn date(text: &str) -> Result<i128, Found> {
    Pattern::iso(TemporalKind::Date).parse(text.as_bytes(), None)
}

/// Where a text stops to follow a pattern, and what the pattern has there.
fn stop(found: Result<i128, Found>) -> Option<(u32, DatePart, bool)> {
    match found {
        Err(Found::NotADate { wanted, at, ended }) => Some((at, wanted, ended)),
        _ => None,
    }
}

fn stops_at(found: Result<i128, Found>) -> Option<u32> {
    stop(found).map(|(at, ..)| at)
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn normal(source: &str, text: &str) -> Option<String> {
    pattern(source, TemporalKind::Timestamp).normal(text.as_bytes(), None)
}

#[test]
fn dates_have_the_digits_of_their_pattern() {
    // P21.
    assert_eq!(date("1970-01-02"), Ok(NANOS_PER_DAY));
    for (text, at) in [
        ("2024-2-3", 7),
        ("24-02-03", 3),
        (" 2024-02-03", 1),
        ("2024-02-03 ", 11),
        ("2024-02-3", 10),
        ("2024/02/03", 5),
        ("0000-01-01", 1),
        ("2024-13-01", 6),
        ("2024-00-01", 6),
        ("2024-01-00", 9),
        ("2024-01-32", 9),
        ("45292", 5),
        ("", 1),
        ("12024-01-01", 5),
        ("\u{662}024-01-01", 1),
    ] {
        assert_eq!(stops_at(date(text)), Some(at), "{text}");
    }
}

#[test]
fn the_calendar_is_the_real_one() {
    // P21.
    assert!(date("2024-02-29").is_ok());
    assert!(date("2000-02-29").is_ok());
    for text in ["2023-02-29", "1900-02-29", "2023-04-31", "2023-02-30"] {
        assert_eq!(date(text), Err(Found::NoSuchDay), "{text}");
    }
}

#[test]
fn there_is_no_hour_24_and_no_second_60() {
    // P21.
    let time = Pattern::iso(TemporalKind::Time);
    for (text, at) in [("24:00:00", 1), ("23:60:00", 4), ("23:59:60", 7), ("9:00:00", 2), ("09:00", 6)] {
        assert_eq!(stops_at(time.parse(text.as_bytes(), None)), Some(at), "{text}");
    }
    assert_eq!(time.parse(b"00:00:01.5", None), Ok(1_500_000_000));
    assert_eq!(time.normal(b"23:59:59.25", None).unwrap(), "23:59:59.250000000");
}

#[test]
fn day_and_month_stand_where_the_pattern_says() {
    // P21.
    let day_first = pattern("dd/MM/yyyy", TemporalKind::Date);
    let month_first = pattern("MM/dd/yyyy", TemporalKind::Date);
    assert_eq!(day_first.normal(b"03/02/2024", None).unwrap(), "2024-02-03");
    assert_eq!(month_first.normal(b"03/02/2024", None).unwrap(), "2024-03-02");
    assert_eq!(stop(day_first.parse(b"02/13/2024", None)), Some((4, DatePart::Month, false)));
}

#[test]
fn the_letters_of_the_jdk_are_read() {
    for (source, text, expected) in [
        ("d.M.yyyy H:mm", "5.1.2026 9:30", "2026-01-05T09:30:00"),
        ("d.M.yyyy H:mm", "15.12.2026 19:30", "2026-12-15T19:30:00"),
        ("dd-MMM-uuuu HH:mm:ss", "05-Jan-2026 09:30:15", "2026-01-05T09:30:15"),
        ("dd-MMM-yyyy HH", "29-JUN-2021 00", "2021-06-29T00:00:00"),
        ("dd-MMM-yyyy HH", "29-jun-2021 00", "2021-06-29T00:00:00"),
        ("d MMMM yyyy hh a", "29 jUNE 2021 01 pm", "2021-06-29T13:00:00"),
        ("E, dd MMM yyyy HH:mm:ss Z", "MON, 05 JAN 2026 09:30:15 +0000", "2026-01-05T09:30:15Z"),
        ("EEEE dd.MM.yyyy HH", "monday 05.01.2026 09", "2026-01-05T09:00:00"),
        ("MMMM d, yyyy hh:mm a", "March 5, 2026 12:05 AM", "2026-03-05T00:05:00"),
        ("MMMM d, yyyy h:mm a", "May 5, 2026 1:05 PM", "2026-05-05T13:05:00"),
        ("yyyyMMddHHmmssSSS", "20260105093015007", "2026-01-05T09:30:15.007"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2026-01-05T09:30:00+02:00", "2026-01-05T07:30:00Z"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2026-01-05T09:30:00Z", "2026-01-05T09:30:00Z"),
        ("yyyyMMddHHmmZ", "202601050930-0530", "2026-01-05T15:00:00Z"),
        ("yyyyMMddHHmmX", "202601050930+02", "2026-01-05T07:30:00Z"),
        ("yyyyMMddHHmmX", "202601050930+0230", "2026-01-05T07:00:00Z"),
        ("yyyy-MM-dd HH[:mm[:ss]]", "2026-01-05 09", "2026-01-05T09:00:00"),
        ("yyyy-MM-dd HH[:mm[:ss]]", "2026-01-05 09:30", "2026-01-05T09:30:00"),
        ("yyyy-MM-dd HH[:mm[:ss]]", "2026-01-05 09:30:59", "2026-01-05T09:30:59"),
        ("yyyy-MM-dd HH:mm:ss[.SSSSSS][.SSS]", "2026-01-05 09:30:59.125", "2026-01-05T09:30:59.125000"),
        ("yy'年'MM dd HH 'o''clock' ''", "26年01 05 09 o'clock '", "2026-01-05T09:00:00"),
    ] {
        assert_eq!(normal(source, text).as_deref(), Some(expected), "{source}");
    }
    assert_eq!(
        stop(pattern("yy'年'MM dd", TemporalKind::Date).parse("26年0x 05".as_bytes(), None)),
        Some((5, DatePart::Digit, false)),
        "positions count characters"
    );
}

#[test]
fn text_that_the_pattern_does_not_say_is_rejected() {
    for (source, text) in [
        ("dd-MMM-yyyy HH", "05-Sept-2026 09"),
        ("dd-MMM-yyyy HH", "05-June-2026 09"),
        ("dd-MMMM-yyyy HH", "05-Jun-2026 09"),
        ("EEE dd-MMM-yyyy HH", "Tue 05-Jan-2026 09"),
        ("dd-MMM-yyyy hh a", "05-Jan-2026 00 AM"),
        ("dd-MMM-yyyy hh a", "05-Jan-2026 13 AM"),
        ("yyyyMMddHHXXX", "2026010509+0200"),
        ("yyyyMMddHHXX", "2026010509+02:00"),
        ("yyyyMMddHHxx", "2026010509Z"),
        ("yyyyMMddHHXX", "2026010509+1801"),
        ("yyyyMMddHHXX", "2026010509+0160"),
        ("yyyyMMddHH[XXX][XX]", "2026010509+02:00+0200"),
        ("yyyyMMddHHmmss[.SSS][.SSSSSS]", "20260105093015.123.123456"),
    ] {
        assert_eq!(normal(source, text), None, "{source} {text}");
    }
}

#[test]
fn two_digit_years_are_after_2000_and_can_be_told() {
    let short = pattern("dd.MM.yy", TemporalKind::Date);
    assert!(short.two_digit_year());
    assert_eq!(short.normal(b"31.12.99", None).unwrap(), "2099-12-31");
    assert!(!Pattern::iso(TemporalKind::Date).two_digit_year());
}

#[test]
fn patterns_that_would_guess_are_rejected_with_advice() {
    for (source, kind, message) in [
        (
            "YYYY-MM-dd",
            TemporalKind::Date,
            "unsupported YYYY at character 1: Y is the year of a week: write yyyy for the year of a date",
        ),
        (
            "yyyy-MM-DD",
            TemporalKind::Date,
            "unsupported DD at character 9: D is the day of a year: write dd for the day of a month",
        ),
        (
            "yyyy-MM",
            TemporalKind::Date,
            "a pattern without a needed field at character 8: name year, month and day outside of optional sections",
        ),
        (
            "yyyy-MM-dd HH",
            TemporalKind::Date,
            "unsupported HH at character 12: a date has no time: make the property a timestamp",
        ),
        (
            "yyyy-MM-ddTHH:mm",
            TemporalKind::Timestamp,
            "unsupported T at character 11: put literal text in quotes, such as 'T'",
        ),
        (
            "yyyy-MM-dd hh:mm",
            TemporalKind::Timestamp,
            "a pattern without a needed field at character 17: use h and a together, outside of optional sections",
        ),
        (
            "yyyy-MM-dd HH:mm VV",
            TemporalKind::Timestamp,
            "unsupported VV at character 18: a zone's name is not read: write XXX for an offset, or give a defaultTimezone",
        ),
        (
            "yyyyMdd",
            TemporalKind::Date,
            "unsupported dd at character 6: a number of one or two digits comes before it: separate them, or double its letter",
        ),
        ("yyyy-MM-dd'", TemporalKind::Date, "an open quote at character 11: close it with a second quote"),
        ("yyyy-MM-dd[", TemporalKind::Date, "an open optional section at character 12: close it with ]"),
        (
            "yyyy-MM-dd]",
            TemporalKind::Date,
            "a closing bracket at character 11: open the optional section with [",
        ),
        ("yyyy-MM-dd MM", TemporalKind::Date, "unsupported MM at character 12: use each field once"),
        ("HH:mmXXX", TemporalKind::Time, "unsupported XXX at character 6: a time of day has no offset"),
        (
            "HH:ss",
            TemporalKind::Time,
            "a pattern without a needed field at character 6: name minutes before seconds, and seconds before their fraction",
        ),
        ("yyyy-MM-dd {", TemporalKind::Date, "{, which is reserved at character 12: put it in quotes"),
    ] {
        assert_eq!(Pattern::compile(source, kind).unwrap_err().to_string(), message, "{source}");
    }
}

#[test]
fn a_local_time_that_the_zone_skips_or_repeats_is_rejected() {
    // P22.
    let berlin = zone("Europe/Berlin");
    let iso = Pattern::iso(TemporalKind::Timestamp);
    let parse = |text: &str| iso.parse(text.as_bytes(), Some(&berlin));
    assert_eq!(parse("2026-03-29T02:30:00"), Err(Found::SkippedTime), "gap");
    assert_eq!(parse("2026-10-25T02:30:00"), Err(Found::RepeatedTime), "overlap");
    assert_eq!(parse("2026-10-25T02:30:00+01:00"), parse("2026-10-25T01:30:00Z"), "the offset says which");
    assert_eq!(iso.normal(b"2026-07-01T12:00:00", Some(&berlin)).unwrap(), "2026-07-01T10:00:00.000000000Z");
    assert_eq!(iso.normal(b"2026-07-01T12:00:00", None).unwrap(), "2026-07-01T12:00:00.000000000");
}

#[test]
fn an_offset_does_not_lead_out_of_the_years() {
    let iso = Pattern::iso(TemporalKind::Timestamp);
    assert_eq!(iso.parse(b"0001-01-01T00:00:00+00:01", None), Err(Found::OutsideYears));
    assert_eq!(iso.parse(b"9999-12-31T23:59:59.9-00:01", None), Err(Found::OutsideYears));
    assert_eq!(iso.normal(b"0001-01-01T00:00:00.5Z", None).unwrap(), "0001-01-01T00:00:00.500000000Z");
}

#[test]
fn the_position_is_that_of_the_last_section_that_began_to_fit() {
    let iso = Pattern::iso(TemporalKind::Timestamp);
    assert_eq!(stop(iso.parse(b"2026-01-05T10:00:00.x", None)), Some((21, DatePart::Digit, false)));
    assert_eq!(stop(iso.parse(b"2026-01-05T10:00:00+02:0", None)), Some((25, DatePart::Digit, true)));
    assert_eq!(stop(iso.parse(b"2026-01-05T10:00:00x", None)), Some((20, DatePart::End, false)));
}

#[test]
fn what_the_pattern_has_where_a_text_stops_is_said() {
    let month = pattern("dd-MMM-yyyy", TemporalKind::Date);
    for (text, expected) in [
        ("29-06-2021", (4, DatePart::MonthName { full: false }, false)),
        ("29 JUN 2021", (3, DatePart::Literal(b'-'), false)),
        ("32-JUN-2021", (1, DatePart::Day, false)),
        ("29-JUN-202", (11, DatePart::Digit, true)),
        ("29-JUN-20211", (12, DatePart::End, false)),
    ] {
        assert_eq!(stop(month.parse(text.as_bytes(), None)), Some(expected), "{text}");
    }
    let weekday = pattern("EEE yyyy-MM-dd", TemporalKind::Date);
    assert_eq!(weekday.parse(b"Tue 2026-01-05", None), Err(Found::OtherWeekday));
    assert_eq!(stop(weekday.parse(b"Tues 2026-01-06", None)), Some((4, DatePart::Literal(b' '), false)));
}

prop_compose! {
    fn any_datetime()(
        seconds in -62_135_596_800_i64..253_402_300_800,
        nanos in 0_i32..1_000_000_000,
    ) -> jiff::civil::DateTime {
        jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0)
            .checked_add(jiff::SignedDuration::new(seconds, nanos))
            .unwrap()
    }
}

proptest! {
    #[test]
    fn dates_agree_with_jiff(value in any_datetime()) {
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = i128::from(value.date().duration_since(epoch).as_hours() / 24);
        let text = value.date().to_string();
        prop_assert_eq!(date(&text), Ok(days * NANOS_PER_DAY));
        let written = value.strftime("%d.%m.%Y").to_string();
        prop_assert_eq!(pattern("dd.MM.yyyy", TemporalKind::Date).normal(written.as_bytes(), None).unwrap(), text);
    }

    #[test]
    fn timestamps_agree_with_jiff(value in any_datetime(), minutes in -720_i32..720) {
        let text = value.strftime("%Y-%m-%dT%H:%M:%S%.9f").to_string();
        let iso = Pattern::iso(TemporalKind::Timestamp);
        let nanos = value.duration_since(jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0)).as_nanos();
        prop_assert_eq!(iso.parse(text.as_bytes(), None), Ok(nanos));
        prop_assert_eq!(iso.normal(text.as_bytes(), None).unwrap(), text.clone());
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        let with_offset = format!("{text}{sign}{hours:02}:{rest:02}");
        let expected = nanos - i128::from(minutes) * 60_000_000_000;
        if let Ok(actual) = iso.parse(with_offset.as_bytes(), None) {
            prop_assert_eq!(actual, expected);
        } else {
            prop_assert!(value.year() == 1 || value.year() == 9999);
        }
    }

    #[test]
    fn a_standard_date_and_time_read_at_once_as_they_read_step_by_step(
        source in 0_usize..4,
        text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]",
        time in "[T ]?[0-2][0-9]:[0-6][0-9]:[0-6][0-9]",
        end in "(\\.[0-9]{1,3})?Z?",
        (place, byte) in (0_usize..60, any::<u8>()),
    ) {
        let at_once = match source {
            0 => Pattern::iso(TemporalKind::Date),
            1 => Pattern::iso(TemporalKind::Timestamp),
            2 => Pattern::iso(TemporalKind::Time),
            _ => pattern("yyyy-MM-dd HH:mm:ss", TemporalKind::Timestamp),
        };
        let text = match source {
            0 => text,
            2 => time + &end,
            _ => text + &time + &end,
        };
        let mut steps = Vec::new();
        for step in &at_once.steps {
            match step {
                PatternStep::IsoDate => steps.extend(ISO_DATE),
                PatternStep::IsoTime => steps.extend(ISO_TIME),
                other => steps.push(other.clone()),
            }
        }
        prop_assert!(steps.len() > at_once.steps.len());
        let by_step = Pattern { steps, is_normal: false, ..at_once.clone() };
        let mut spoiled = text.clone().into_bytes();
        if let Some(spot) = spoiled.get_mut(place) {
            *spot = byte;
        }
        for text in [text.as_bytes(), &spoiled] {
            prop_assert_eq!(at_once.parse(text, None), by_step.parse(text, None));
        }
    }

    #[test]
    fn a_date_that_is_none_is_rejected(year in 1_i16..=9999, month in 0_i8..=15, day in 0_i8..=35) {
        let text = format!("{year:04}-{month:02}-{day:02}");
        prop_assert_eq!(date(&text).is_ok(), jiff::civil::Date::new(year, month, day).is_ok());
    }

    #[test]
    fn the_order_of_stored_texts_is_the_order_of_times(one in any_datetime(), two in any_datetime(), dropped in 0_usize..9) {
        let iso = Pattern::iso(TemporalKind::Timestamp);
        let write = |value: &jiff::civil::DateTime| {
            let text = value.strftime("%Y-%m-%dT%H:%M:%S%.9f").to_string();
            let kept: String = text.chars().take(29 - dropped).collect();
            kept.trim_end_matches('.').to_owned() + "Z"
        };
        let (one, two) = (write(&one), write(&two));
        let times = iso.parse(one.as_bytes(), None).unwrap().cmp(&iso.parse(two.as_bytes(), None).unwrap());
        let texts = iso.normal(one.as_bytes(), None).unwrap().cmp(&iso.normal(two.as_bytes(), None).unwrap());
        prop_assert_eq!(texts, times);
    }

    #[test]
    fn no_pattern_and_no_text_panics(source in "[yuMEdHhmsSaXxZT'\\[\\]: .-]{0,24}|\\PC{0,12}", bytes: Vec<u8>, text in "[0-9+:.TZ -]{0,30}") {
        for kind in [TemporalKind::Date, TemporalKind::Timestamp, TemporalKind::Time] {
            let compiled = Pattern::compile(&source, kind).unwrap_or_else(|_| Pattern::iso(kind));
            for text in [bytes.as_slice(), text.as_bytes()] {
                prop_assert_eq!(compiled.parse(text, None).is_ok(), compiled.normal(text, None).is_some());
            }
        }
    }
}
