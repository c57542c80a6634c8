//! A circuit breaker for each receiver: while one keeps failing, nothing is posted to it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Number of failures in a row that open a circuit.
const FAILURES: u32 = 5;
/// How long an open circuit stops posts, milliseconds. Then one post is tried; its result closes or opens the circuit.
const OPEN_MS: u64 = 60_000;

/// The circuit breakers of this sandbox, by the name of the receiver. Receivers that work have none.
#[derive(Default)]
pub struct CircuitBreakers(Mutex<HashMap<String, Circuit>>);

#[derive(Clone, Copy, Default)]
struct Circuit {
    failures: u32,
    open_until_ms: u64,
}

impl CircuitBreakers {
    /// Checks whether a post may be tried now; the error is the time at which it may, milliseconds since the epoch.
    pub fn ask(&self, receiver: &str, now_ms: u64) -> Result<(), u64> {
        let mut breakers = self.breakers();
        let Some(circuit) = breakers.get_mut(receiver).filter(|circuit| circuit.failures >= FAILURES) else {
            return Ok(());
        };
        if now_ms < circuit.open_until_ms {
            return Err(circuit.open_until_ms);
        }
        // This post is tried; the others wait for its result.
        circuit.open_until_ms = now_ms.saturating_add(OPEN_MS);
        Ok(())
    }

    /// Records that a receiver accepted a post.
    pub fn worked(&self, receiver: &str) {
        self.breakers().remove(receiver);
    }

    /// Records that a receiver did not accept a post.
    pub fn failed(&self, receiver: &str, now_ms: u64) {
        let mut breakers = self.breakers();
        let circuit = breakers.entry(receiver.to_owned()).or_default();
        circuit.failures = circuit.failures.saturating_add(1);
        if circuit.failures >= FAILURES {
            circuit.open_until_ms = now_ms.saturating_add(OPEN_MS);
        }
    }

    fn breakers(&self) -> MutexGuard<'_, HashMap<String, Circuit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_opens_after_five_failures_in_a_row_and_tries_one_post_after_a_minute() {
        let breakers = CircuitBreakers::default();
        for _ in 0..4 {
            breakers.failed("north", 1_000);
        }
        assert_eq!(breakers.ask("north", 1_000), Ok(()));
        breakers.failed("north", 1_000);
        assert_eq!(breakers.ask("north", 1_001), Err(61_000));
        assert_eq!(breakers.ask("south", 1_001), Ok(()), "another receiver's circuit");
        assert_eq!(breakers.ask("north", 61_000), Ok(()), "the one that is let through");
        assert_eq!(breakers.ask("north", 61_000), Err(121_000), "and no other");
        breakers.failed("north", 62_000);
        assert_eq!(breakers.ask("north", 121_999), Err(122_000));
        assert_eq!(breakers.ask("north", 122_000), Ok(()));
        breakers.worked("north");
        assert_eq!(breakers.ask("north", 122_001), Ok(()));
    }

    #[test]
    fn a_success_between_failures_starts_the_count_again() {
        let breakers = CircuitBreakers::default();
        for _ in 0..20 {
            (0..4).for_each(|_| breakers.failed("north", 0));
            breakers.worked("north");
        }
        assert_eq!(breakers.ask("north", 0), Ok(()));
    }
}
