//! Limits that hold: a bucket of requests and the bytes of a day, kept where all sandboxes see them.

use std::future::Future;

use crate::Error;

/// What a partner may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second, over time. At least 1.
    pub requests_per_second: u32,
    /// Requests at once, after a pause. At least 1.
    pub burst: u32,
    /// Bytes of files in a day (UTC).
    pub bytes_per_day: u64,
}

impl Limits {
    /// What a partner has unless told otherwise: 10 requests a second, 50 at once, 20 GiB a day.
    pub const DEFAULT: Self =
        Self { requests_per_second: 10, burst: 50, bytes_per_day: 20 * 1024 * 1024 * 1024 };

    /// Microseconds between requests at the steady rate, and how far ahead of it a burst may run.
    #[must_use]
    pub fn interval_and_tolerance_us(&self) -> (u64, u64) {
        let interval = 1_000_000 / u64::from(self.requests_per_second.clamp(1, 1_000_000));
        (interval, interval * u64::from(self.burst.max(1) - 1))
    }
}

/// Whether something was left to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It was, and now it is spent.
    Yes,
    /// It was not, and will be after so many milliseconds.
    Wait {
        /// Until the same request passes.
        milliseconds: u64,
    },
}

/// A day in milliseconds: days are counted in UTC, without leap seconds, as Unix time is.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The number of the day since the epoch, and how long it still lasts.
pub(crate) fn day(now_ms: u64) -> (u64, Spent) {
    (now_ms / DAY_MS, Spent::Wait { milliseconds: DAY_MS - now_ms % DAY_MS })
}

/// The wait until a bucket whose next arrival is due at `arrival_us` takes one more.
pub(crate) fn until_taken(arrival_us: u64, tolerance_us: u64, now_us: u64) -> Spent {
    let wait_us = arrival_us.saturating_sub(tolerance_us).saturating_sub(now_us);
    Spent::Wait { milliseconds: wait_us.div_ceil(1_000).max(1) }
}

/// Spends. Each call is one conditional write (two at most), and holds whichever sandbox makes it.
pub trait Limiter: Sync {
    /// Takes one request from the partner's bucket. The generic cell rate algorithm (ITU-T I.371): one number, the
    /// theoretical arrival time of the next request, moved on by the interval of each request and never further than
    /// the tolerance ahead of now.
    fn take_request(
        &self,
        partner: &str,
        limits: &Limits,
        now_ms: u64,
    ) -> impl Future<Output = Result<Spent, Error>> + Send;
    /// Takes bytes from the partner's day (of `now_ms`, UTC); all of them or none. More than a whole day's bytes never pass.
    fn take_bytes(
        &self,
        partner: &str,
        limits: &Limits,
        bytes: u64,
        now_ms: u64,
    ) -> impl Future<Output = Result<Spent, Error>> + Send;
}
