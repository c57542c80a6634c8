use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;

use super::*;

/// `2026-03-29T01:00:00Z` in milliseconds since the epoch.
fn at(instant: &str) -> u64 {
    instant.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap()
}

fn shown(millisecond: u64) -> String {
    timestamp(millisecond.try_into().unwrap()).unwrap().to_string()
}

fn clock(expression: &str, zone: &str, grace_seconds: u64) -> Expectation {
    Expectation::by_clock(Cron::parse(expression).unwrap(), TimeZone::get(zone).unwrap(), grace_seconds)
}

/// The scheduled times in a span, by asking for one after the other.
fn due_times(expectation: &Expectation, after: &str, until: &str) -> Vec<String> {
    let mut now = at(after);
    let mut times = Vec::new();
    while let Some(due) = expectation.next_due_after(None, now).filter(|due| due.deadline_ms <= at(until)) {
        times.push(shown(due.due_ms));
        now = due.deadline_ms;
    }
    times
}

const HOUR: u64 = 60 * 60;

#[test]
fn a_window_opens_halfway_after_the_previous_deadline_and_ends_with_the_grace() {
    let daily = clock("0 6 * * *", "Europe/Berlin", 2 * HOUR);
    let due = daily.last_due_after(None, at("2026-11-21T07:00:00Z")).unwrap();
    assert_eq!(shown(due.due_ms), "2026-11-21T05:00:00Z");
    assert_eq!(shown(due.deadline_ms), "2026-11-21T07:00:00Z");
    assert_eq!(shown(due.opens_ms), "2026-11-20T18:00:00Z", "between 07:00 the day before and 05:00");
    assert_eq!(
        daily.last_due_after(None, at("2026-11-21T07:00:00Z") - 1).unwrap().due_ms,
        at("2026-11-20T05:00:00Z"),
        "the grace is not over"
    );
    assert_eq!(daily.next_due_after(None, at("2026-11-21T07:00:00Z") - 1), Some(due));
}

#[test]
fn what_came_is_judged_by_the_window() {
    let due = Due { opens_ms: 100, due_ms: 150, deadline_ms: 200 };
    assert_eq!(due.judge([]), Arrival::Missing);
    assert_eq!(due.judge([100]), Arrival::Missing, "the late file of the day before");
    assert_eq!(due.judge([101]), Arrival::OnTime);
    assert_eq!(due.judge([200]), Arrival::OnTime);
    assert_eq!(due.judge([201, 50]), Arrival::Late);
    assert_eq!(
        due.judge([300, 201, 120, 50]),
        Arrival::OnTime,
        "a second file does not make the first one late"
    );
}

#[test]
fn a_long_grace_does_not_push_the_window_behind_the_scheduled_time() {
    let daily = clock("0 6 * * *", "UTC", 20 * HOUR);
    let due = daily.next_due_after(None, at("2026-11-21T06:00:00Z")).unwrap();
    assert_eq!(shown(due.opens_ms), "2026-11-21T04:00:00Z");
    let overlapping =
        clock("0 * * * *", "UTC", 3 * HOUR).next_due_after(None, at("2026-11-21T06:00:00Z")).unwrap();
    assert_eq!(overlapping.opens_ms, overlapping.due_ms);
}

#[test]
fn a_schedule_by_the_newest_file_runs_from_file_to_file() {
    let daily = Expectation::every(24 * HOUR, HOUR);
    let came = at("2026-11-20T06:10:00Z");
    let due = Due { opens_ms: came, due_ms: came + 86_400_000, deadline_ms: came + 90_000_000 };
    assert_eq!(daily.last_due_after(None, came + 900_000_000), None, "no file, nothing to count from");
    assert_eq!(daily.last_due_after(Some(came), due.deadline_ms - 1), None);
    assert_eq!(daily.next_due_after(Some(came), due.deadline_ms - 1), Some(due));
    assert_eq!(daily.last_due_after(Some(came), due.deadline_ms), Some(due));
    assert_eq!(due.judge([came]), Arrival::Missing, "it does not answer for the next");
}

#[test]
fn a_time_that_the_clock_skips_runs_at_the_change_and_once() {
    let night = clock("*/20 2 * * *", "Europe/Berlin", 0);
    assert_eq!(
        due_times(&night, "2026-03-28T12:00:00Z", "2026-03-30T00:20:00Z"),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T00:20:00Z"]
    );
    let skipped_day = clock("0 8 30 * *", "Pacific/Apia", 0);
    assert_eq!(
        due_times(&skipped_day, "2011-12-01T00:00:00Z", "2012-01-31T00:00:00Z"),
        ["2011-12-30T10:00:00Z", "2012-01-29T18:00:00Z"],
        "30 December 2011 was not on Samoa: the day began as the 31st"
    );
}

#[test]
fn a_time_that_the_clock_shows_twice_runs_the_first_time() {
    let night = clock("0,30 2,3 * * *", "Europe/Berlin", 0);
    assert_eq!(
        due_times(&night, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"),
        ["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z"]
    );
    let last = night.last_due_after(None, at("2026-10-25T01:15:00Z")).unwrap();
    assert_eq!(shown(last.due_ms), "2026-10-25T00:30:00Z", "02:15 for the second time");
}

#[test]
fn nothing_is_due_that_was_scheduled_over_400_days_ago_or_will_be_in_more() {
    let leap_day = clock("0 0 29 2 *", "UTC", 0);
    assert!(leap_day.last_due_after(None, at("2025-03-01T00:00:00Z")).is_some());
    assert_eq!(leap_day.last_due_after(None, at("2026-03-01T00:00:00Z")), None);
    assert_eq!(leap_day.next_due_after(None, at("2026-03-01T00:00:00Z")), None);
    assert!(leap_day.next_due_after(None, at("2027-03-01T00:00:00Z")).is_some());
    assert_eq!(leap_day.last_due_after(None, 0), None);
    assert_eq!(leap_day.last_due_after(None, u64::MAX), None);
    assert_eq!(leap_day.next_due_after(None, u64::MAX), None);
}

#[test]
fn a_day_of_the_month_or_of_the_week_runs_when_both_are_given() {
    let either = clock("0 0 13 * fri", "UTC", 0);
    assert_eq!(
        due_times(&either, "2026-02-06T00:00:00Z", "2026-02-27T00:00:00Z"),
        ["2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z", "2026-02-27T00:00:00Z"]
    );
    let both = clock("0 0 13 * */5", "UTC", 0);
    assert_eq!(
        due_times(&both, "2026-02-06T00:00:00Z", "2026-04-30T00:00:00Z"),
        ["2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z"],
        "a field that begins with a star restricts the other (crontab(5))"
    );
}

#[test]
fn names_and_7_are_numbers() {
    for (named, numbered) in [
        ("0 6 * jan,Mar-MAY mon-fri", "0 6 * 1,3-5 1-5"),
        ("0 6 * * sun", "0 6 * * 0"),
        ("0 6 * * 7", "0 6 * * 0"),
        ("0 6 * * 5-7", "0 6 * * 0,5,6"),
        ("0 6 * * 0-7", "0 6 * * 0-6"),
        ("5-59/10 \t6 * * *", "5,15,25,35,45,55 6 * * *"),
    ] {
        assert_eq!(Cron::parse(named).map(bits), Cron::parse(numbered).map(bits), "{named}");
    }
}

/// All that a cron expression means.
fn bits(cron: Cron) -> String {
    format!("{cron:?}")
}

#[test]
fn a_cron_expression_has_five_fields_in_range() {
    for good in ["0 6 * * *", "*/15 0-5,12 1 1-12/2 7", "59 23 31 12 0", "0 0 30 2 1", "0 0 29 2 *"] {
        assert!(Cron::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "0 6 * *",
        "0 6 * * * *",
        "@daily",
        "60 6 * * *",
        "0 24 * * *",
        "0 6 0 * *",
        "0 6 * 13 *",
        "0 6 * * 8",
        "0 6 * mon *",
        "5-1 * * * *",
        "*/0 * * * *",
        "*/ * * * *",
        "5/15 * * * *",
        "+5 * * * *",
        "-5 * * * *",
        "1,,2 * * * *",
        "1- * * * *",
        "4294967296 * * * *",
        "99999999999999999999 * * * *",
        "a * * * *",
        "\u{663} * * * *",
    ] {
        assert!(matches!(Cron::parse(bad), Err(Unscheduled::Malformed(_))), "{bad}");
    }
    for never in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 31 feb-apr/2 */2"] {
        assert_eq!(Cron::parse(never), Err(Unscheduled::Never), "{never}");
    }
}

#[test]
fn the_gaps_of_a_schedule_are_the_shortest_and_the_longest() {
    let gaps = |expression| Cron::parse(expression).unwrap().gaps().unwrap();
    assert_eq!(gaps("0 6 * * *"), (24 * HOUR, 24 * HOUR));
    assert_eq!(gaps("0 6 * * 1-5"), (24 * HOUR, 72 * HOUR));
    assert_eq!(gaps("*/50 * * * *"), (600, 3_000));
    assert_eq!(gaps("0 0 1 * *"), (28 * 24 * HOUR, 31 * 24 * HOUR));
}

/// A part of a field, its text and the values that it names.
fn part(least: u32, most: u32) -> impl Strategy<Value = (String, Vec<u32>)> {
    let range =
        move |from: u32, to: u32, step: u32| (from.min(to)..=from.max(to)).step_by(step as usize).collect();
    prop_oneof![
        (least..=most).prop_map(move |at| (at.to_string(), vec![at])),
        (least..=most, least..=most)
            .prop_map(move |(a, b)| (format!("{}-{}", a.min(b), a.max(b)), range(a, b, 1))),
        (least..=most, least..=most, 1..=most)
            .prop_map(move |(a, b, step)| (format!("{}-{}/{step}", a.min(b), a.max(b)), range(a, b, step))),
        (1..=most).prop_map(move |step| (format!("*/{step}"), range(least, most, step))),
    ]
}

/// A field, its text and the values that it names.
fn field(least: u32, most: u32) -> impl Strategy<Value = (String, Vec<u32>)> {
    prop_oneof![
        2 => Just(("*".to_owned(), (least..=most).collect())),
        3 => proptest::collection::vec(part(least, most), 1..4).prop_map(|parts| {
            let texts: Vec<String> = parts.iter().map(|(text, _)| text.clone()).collect();
            (texts.join(","), parts.into_iter().flat_map(|(_, values)| values).collect())
        }),
    ]
}

/// An expression as the slow reading knows it.
#[derive(Clone, Debug)]
struct Slow {
    text: String,
    values: [Vec<u32>; 5],
    stars: [bool; 5],
}

impl Slow {
    fn runs_at(&self, local: DateTime) -> bool {
        let part = |value: i8| u32::try_from(value).unwrap();
        let has = |field: usize, value: u32| self.values[field].contains(&value);
        let weekday = part(local.weekday().to_sunday_zero_offset());
        let day = has(2, part(local.day()));
        let weekday = has(4, weekday) || (weekday == 0 && has(4, 7));
        let runs = if self.stars[2] || self.stars[4] { day && weekday } else { day || weekday };
        runs && has(0, part(local.minute())) && has(1, part(local.hour())) && has(3, part(local.month()))
    }

    /// Minute by minute: runs when the clock shows a scheduled time, or jumps over one, that it had not reached before.
    fn instants(&self, zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        // A day before, so that the clock was not just set back.
        let mut now = from.checked_sub(SignedDuration::from_hours(24)).unwrap();
        let mut reached = zone.to_datetime(now);
        let mut instants = Vec::new();
        while now <= until {
            let shown = zone.to_datetime(now);
            let mut runs = false;
            while reached < shown {
                reached = reached.checked_add(1.minute()).unwrap();
                runs |= self.runs_at(reached);
            }
            if runs && now > from {
                instants.push(now);
            }
            now = now.checked_add(SignedDuration::from_mins(1)).unwrap();
        }
        instants
    }
}

fn expression() -> impl Strategy<Value = Slow> {
    // Few days are left out of months and weeks, so that most expressions run within the days that are looked at.
    (
        field(0, 59),
        field(0, 23),
        field(1, 31),
        prop_oneof![9 => Just(("*".to_owned(), (1..=12).collect())), 1 => field(1, 12)],
        field(0, 7),
    )
        .prop_map(|(minutes, hours, days, months, weekdays)| {
            let fields = [minutes, hours, days, months, weekdays];
            let texts: Vec<&str> = fields.iter().map(|(text, _)| text.as_str()).collect();
            Slow {
                text: texts.join(" "),
                stars: fields.each_ref().map(|(text, _)| text.starts_with('*')),
                values: fields.map(|(_, values)| values),
            }
        })
}

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Asia/Gaza",
    "America/Caracas",
    "Antarctica/Troll",
];

/// A zone, and a minute of 2000 to 2040 in it; half of them up to a day before a change of its clock, if it has one.
fn zone_and_minute() -> impl Strategy<Value = (TimeZone, Timestamp)> {
    let minutes = 60 * 24 * 366_i64;
    (proptest::sample::select(&ZONES), 30 * minutes..70 * minutes, any::<bool>(), 0..60 * 24_i64).prop_map(
        |(zone, minute, near, before)| {
            let zone = TimeZone::get(zone).unwrap();
            let minute = Timestamp::from_second(minute * 60).unwrap();
            let change = zone.following(minute).next().map(|change| change.timestamp()).filter(|_| near);
            let minute = change
                .map_or(minute, |change| change.checked_sub(SignedDuration::from_mins(before)).unwrap());
            (zone, minute)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_scheduled_times_are_those_of_a_walk_minute_by_minute(
        slow in expression(),
        (zone, from) in zone_and_minute(),
        look_ms in 0..20 * 60_000_i64,
    ) {
        let cron = match Cron::parse(&slow.text) {
            Ok(cron) => cron,
            Err(error) => { prop_assert_eq!(error, Unscheduled::Never); return Ok(()) }
        };
        let until = from.checked_add(SignedDuration::from_hours(48)).unwrap();
        let expected = slow.instants(&zone, from, until);
        let clock = Clock { cron, zone };
        let mut found = Vec::new();
        let mut now = from;
        while let Some(next) = clock.earliest_after(now).filter(|next| *next <= until) {
            prop_assert!(next > now);
            found.push(next);
            now = next;
        }
        prop_assert_eq!(&found, &expected, "{} in {:?}", slow.text, clock.zone.iana_name());

        for look in (look_ms..48 * 60 * 60_000).step_by(20 * 60_000) {
            let look = from.checked_add(SignedDuration::from_millis(look)).unwrap();
            let latest = clock.latest(look).filter(|latest| *latest > from);
            let next = clock.earliest_after(look).filter(|next| *next <= until);
            prop_assert_eq!(latest, expected.iter().rfind(|time| **time <= look).copied(), "at {}", look);
            prop_assert_eq!(next, expected.iter().find(|time| **time > look).copied(), "at {}", look);
        }
    }

    #[test]
    fn a_later_look_never_sees_an_earlier_due_and_windows_never_overlap(
        slow in expression(),
        (zone, now) in zone_and_minute(),
        grace in prop_oneof![0..HOUR, 0..3 * 24 * HOUR],
        later_ms in 0..40 * 24 * 60 * 60_000_u64,
    ) {
        let Ok(cron) = Cron::parse(&slow.text) else { return Ok(()) };
        let expectation = Expectation::by_clock(cron, zone, grace);
        let now: u64 = now.as_millisecond().try_into().unwrap();
        let (last, next) = (expectation.last_due_after(None, now), expectation.next_due_after(None, now));
        for due in last.iter().chain(&next) {
            prop_assert!(due.opens_ms <= due.due_ms && due.due_ms <= due.deadline_ms);
            prop_assert_eq!(due.deadline_ms - due.due_ms, grace * 1_000);
            prop_assert_eq!(due.judge([due.due_ms + 1]), if grace > 0 { Arrival::OnTime } else { Arrival::Late });
            prop_assert_eq!(expectation.last_due_after(None, due.deadline_ms), Some(*due), "found again at its deadline");
        }
        if let (Some(last), Some(next)) = (last, next) {
            prop_assert!(last.deadline_ms <= now && now < next.deadline_ms);
            prop_assert!(last.due_ms < next.due_ms && last.opens_ms <= next.opens_ms);
            prop_assert!(next.opens_ms >= last.deadline_ms.min(next.due_ms), "yesterday's late file is not today's");
        }
        let later = expectation.last_due_after(None, now + later_ms);
        prop_assert!(last.is_none() || later.is_none_or(|later| Some(later.due_ms) >= last.map(|last| last.due_ms)));
    }

    #[test]
    fn no_text_and_no_instant_makes_the_search_panic(
        text in prop_oneof!["\\PC{0,40}", "([0-9a-z*/,-]{0,6} ){0,6}", "(([0-9]{1,2}|\\*)(/[0-9])?[ ,-]){5}"],
        now in any::<u64>(),
        newest in any::<Option<u64>>(),
        shift in 0..64_u32,
        seconds in any::<u64>(),
        zone in proptest::sample::select(&ZONES),
    ) {
        let mut expectations = vec![Expectation::every(seconds, seconds)];
        if let Ok(cron) = Cron::parse(&text) {
            let _ = cron.gaps();
            expectations.push(Expectation::by_clock(cron, TimeZone::get(zone).unwrap(), seconds));
        }
        for expectation in expectations {
            for now in [now, now >> shift] {
                let last = expectation.last_due_after(newest, now);
                prop_assert!(last.is_none_or(|due| due.deadline_ms <= now && due.opens_ms <= due.due_ms));
                let next = expectation.next_due_after(newest, now);
                prop_assert!(next.is_none_or(|due| due.deadline_ms > now && due.opens_ms <= due.due_ms));
            }
        }
    }
}
