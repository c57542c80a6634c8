//! The end of an invocation.

use std::time::Duration;

/// The time of an invocation whose deadline is not credible, milliseconds.
const UNKNOWN_TIME_MS: u64 = 60_000;

/// The instant at which Lambda ends an invocation, or an earlier one that keeps a reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    at_ms: u64,
}

impl Deadline {
    /// Takes the deadline of an invocation that runs now, both in milliseconds since the epoch. A deadline in the
    /// past is a constant of a local runtime (`cargo lambda watch` sends one), which sets no limit: the deadline then
    /// is one minute from now.
    #[must_use]
    pub fn new(at_ms: u64, now_ms: u64) -> Self {
        Self { at_ms: if at_ms < now_ms { now_ms.saturating_add(UNKNOWN_TIME_MS) } else { at_ms } }
    }

    /// Returns the instant, milliseconds since the epoch.
    #[must_use]
    pub fn at_ms(self) -> u64 {
        self.at_ms
    }

    /// Returns a deadline that is earlier by a reserve, milliseconds.
    #[must_use]
    pub fn less(self, reserve_ms: u64) -> Self {
        Self { at_ms: self.at_ms.saturating_sub(reserve_ms) }
    }

    /// Returns the time that is left now (milliseconds since the epoch); zero after the deadline.
    #[must_use]
    pub fn remaining(self, now_ms: u64) -> Duration {
        Duration::from_millis(self.at_ms.saturating_sub(now_ms))
    }

    /// Returns whether work that takes this long, milliseconds, ends in time when it begins now.
    #[must_use]
    pub fn allows(self, work_ms: u64, now_ms: u64) -> bool {
        now_ms.saturating_add(work_ms) <= self.at_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_in_the_past_is_a_minute_from_now() {
        assert_eq!(Deadline::new(900, 1_000).at_ms(), 61_000);
        assert_eq!(Deadline::new(1_000, 1_000).at_ms(), 1_000);
        assert_eq!(Deadline::new(0, u64::MAX).at_ms(), u64::MAX);
    }

    #[test]
    fn what_is_left_ends_at_zero_and_a_reserve_is_taken_off() {
        let deadline = Deadline::new(10_000, 1_000).less(4_000);
        assert_eq!(deadline.remaining(1_000), Duration::from_secs(5));
        assert_eq!(deadline.remaining(7_000), Duration::ZERO);
        assert!(deadline.allows(5_000, 1_000) && !deadline.allows(5_001, 1_000));
        assert_eq!(deadline.less(u64::MAX).remaining(0), Duration::ZERO);
    }
}
