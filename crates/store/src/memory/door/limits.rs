//! Limits: what the conditional writes of `aws::limits` say, as plain code.

use super::super::Memory;
use crate::door::{Limiter, Limits, Spent, day, until_taken};
use crate::{Error, Operation};

impl Limiter for Memory {
    async fn take_request(&self, partner: &str, limits: &Limits, now_ms: u64) -> Result<Spent, Error> {
        let (interval, tolerance) = limits.interval_and_tolerance_us();
        let now = now_ms.saturating_mul(1_000);
        self.call(Operation::Spend, |world| {
            let arrival = world.door.arrivals.entry(partner.to_owned()).or_default();
            if *arrival > now.saturating_add(tolerance) {
                return until_taken(*arrival, tolerance, now);
            }
            *arrival = (*arrival).max(now).saturating_add(interval);
            Spent::Yes
        })
        .await
    }

    async fn take_bytes(
        &self,
        partner: &str,
        limits: &Limits,
        bytes: u64,
        now_ms: u64,
    ) -> Result<Spent, Error> {
        let (day, tomorrow) = day(now_ms);
        self.call(Operation::Spend, |world| {
            let used = world.door.days.entry((partner.to_owned(), day)).or_default();
            match used.checked_add(bytes).filter(|used| *used <= limits.bytes_per_day) {
                Some(more) => {
                    *used = more;
                    Spent::Yes
                }
                None => tomorrow,
            }
        })
        .await
    }
}
