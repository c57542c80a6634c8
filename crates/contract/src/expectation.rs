//! When a file must have come: scheduled times, their windows, and their outcome.
//!
//! ```text
//!     previous due    previous deadline      opens       due      deadline
//!  ───────┼───────────────────┼────────────────┼──────────┼───────────┼──────────▶
//!         └────── grace ──────┘◀── a half ────▶◀─ a half ─▶└─ grace ──┘
//!                                              (──── on time ─────────](── late ──
//! ```
//!
//! A file belongs to a scheduled time by when it came, for its name says nothing that a contract could rely on. So a
//! window opens halfway between the previous deadline and the scheduled time: yesterday's late file is before it,
//! today's early one is in it.

mod clock;
mod cron;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use clock::Clock;
pub(crate) use cron::{Cron, Unscheduled};

/// Days that a search for a scheduled time looks back or ahead: more than a year, so that a yearly file is found.
const MOST_DAYS: i64 = 400;

/// The longest period or grace, in seconds: what a search can see.
pub(crate) const LONGEST_SECONDS: u64 = MOST_DAYS.unsigned_abs() * 24 * 60 * 60;

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1_000;

/// When a file must have come.
#[derive(Clone, Debug)]
pub struct Expectation {
    schedule: Schedule,
    /// Milliseconds after the scheduled time in which a file is still on time.
    grace_ms: i64,
    /// Fewest and most rows of a usual file.
    pub rows: (Option<u64>, Option<u64>),
}

/// What makes a time a scheduled one.
#[derive(Clone, Debug)]
enum Schedule {
    /// The clock of a place.
    Clock(Box<Clock>),
    /// This number of milliseconds after the newest file.
    Every(i64),
}

/// One scheduled time. All times are milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Files after this moment are for this scheduled time.
    pub opens_ms: u64,
    /// The scheduled time.
    pub due_ms: u64,
    /// The last moment at which a file is on time.
    pub deadline_ms: u64,
}

/// The result of one scheduled time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Arrival {
    /// A file came in the window.
    OnTime,
    /// None came in the window, but one after it.
    Late,
    /// None came in the window or after it.
    Missing,
}

impl Due {
    /// Judges by the times at which a feed's files came, in any order.
    #[must_use]
    pub fn judge(&self, arrivals_ms: impl IntoIterator<Item = u64>) -> Arrival {
        let mut judged = Arrival::Missing;
        for came in arrivals_ms.into_iter().filter(|came| *came > self.opens_ms) {
            if came <= self.deadline_ms {
                return Arrival::OnTime;
            }
            judged = Arrival::Late;
        }
        judged
    }
}

impl Expectation {
    /// By the clock: at each time of a cron expression.
    pub(crate) fn by_clock(cron: Cron, zone: TimeZone, grace_seconds: u64) -> Self {
        let schedule = Schedule::Clock(Box::new(Clock { cron, zone }));
        Self { schedule, grace_ms: millis(grace_seconds), rows: (None, None) }
    }

    /// Expects a file at least once in this number of seconds.
    pub(crate) fn every(period_seconds: u64, grace_seconds: u64) -> Self {
        let schedule = Schedule::Every(millis(period_seconds));
        Self { schedule, grace_ms: millis(grace_seconds), rows: (None, None) }
    }

    /// Returns the newest scheduled time whose deadline has passed at `now_ms`.
    ///
    /// A schedule by the clock needs no file, and has none when nothing was scheduled within the last 400 days. One of
    /// the form "at least every day" counts from the newest file that came until now, and has none before the first
    /// file and while the next one has time.
    #[must_use]
    pub fn last_due_after(&self, newest_arrival_ms: Option<u64>, now_ms: u64) -> Option<Due> {
        match &self.schedule {
            Schedule::Clock(clock) => {
                let now = i64::try_from(now_ms).ok()?;
                let due = clock.latest(timestamp(now.checked_sub(self.grace_ms)?)?)?;
                self.window(clock, due)
            }
            Schedule::Every(period_ms) => {
                self.after(newest_arrival_ms?, *period_ms).filter(|due| due.deadline_ms <= now_ms)
            }
        }
    }

    /// Returns the scheduled time whose deadline is the next after `now_ms`, within 400 days; counted as in
    /// [`Self::last_due_after`].
    #[must_use]
    pub fn next_due_after(&self, newest_arrival_ms: Option<u64>, now_ms: u64) -> Option<Due> {
        match &self.schedule {
            Schedule::Clock(clock) => {
                let now = i64::try_from(now_ms).ok()?;
                let due = clock.earliest_after(timestamp(now.checked_sub(self.grace_ms)?)?)?;
                self.window(clock, due)
            }
            Schedule::Every(period_ms) => {
                self.after(newest_arrival_ms?, *period_ms).filter(|due| due.deadline_ms > now_ms)
            }
        }
    }

    /// Returns the window of a scheduled time of the clock.
    fn window(&self, clock: &Clock, due: Timestamp) -> Option<Due> {
        let due = due.as_millisecond();
        // Without an earlier one, as if it had been just out of sight.
        let previous = timestamp(due - 1)
            .and_then(|before| clock.latest(before))
            .map_or(due - MOST_DAYS * MILLIS_PER_DAY, Timestamp::as_millisecond);
        // A grace that reaches over the next scheduled time leaves no room before it.
        let previous_deadline = previous.checked_add(self.grace_ms)?.min(due);
        let opens = previous_deadline + (due - previous_deadline) / 2;
        Some(Due {
            opens_ms: u64::try_from(opens).unwrap_or(0),
            due_ms: u64::try_from(due).ok()?,
            deadline_ms: u64::try_from(due.checked_add(self.grace_ms)?).ok()?,
        })
    }

    /// Returns the window of the file that must follow one.
    fn after(&self, newest_arrival_ms: u64, period_ms: i64) -> Option<Due> {
        let due_ms = newest_arrival_ms.checked_add_signed(period_ms)?;
        let deadline_ms = due_ms.checked_add_signed(self.grace_ms)?;
        Some(Due { opens_ms: newest_arrival_ms, due_ms, deadline_ms })
    }
}

/// Milliseconds, of seconds that are at most [`LONGEST_SECONDS`].
fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds.min(LONGEST_SECONDS) * 1_000).unwrap_or(i64::MAX)
}

fn timestamp(millisecond: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millisecond).ok()
}

#[cfg(test)]
mod tests;
