//! A fuse for each receiver: one that fails again and again is left alone for a while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Failures in a row that blow a fuse.
const FAILURES: u32 = 5;
/// How long a blown fuse stops posts, milliseconds. Then one post is let through; what becomes of it decides.
const BLOWN_MS: u64 = 60_000;

/// The fuses of this sandbox, by the name of who receives. Receivers that work have none.
#[derive(Default)]
pub struct Fuses(Mutex<HashMap<String, Fuse>>);

#[derive(Clone, Copy, Default)]
struct Fuse {
    failures: u32,
    blown_until_ms: u64,
}

impl Fuses {
    /// Whether a post may be tried now; if not, when (milliseconds since the epoch).
    pub fn ask(&self, receiver: &str, now_ms: u64) -> Result<(), u64> {
        let mut fuses = self.fuses();
        let Some(fuse) = fuses.get_mut(receiver).filter(|fuse| fuse.failures >= FAILURES) else {
            return Ok(());
        };
        if now_ms < fuse.blown_until_ms {
            return Err(fuse.blown_until_ms);
        }
        // The one that is let through; the others wait for what becomes of it.
        fuse.blown_until_ms = now_ms.saturating_add(BLOWN_MS);
        Ok(())
    }

    /// A receiver took a post.
    pub fn worked(&self, receiver: &str) {
        self.fuses().remove(receiver);
    }

    /// A receiver did not.
    pub fn failed(&self, receiver: &str, now_ms: u64) {
        let mut fuses = self.fuses();
        let fuse = fuses.entry(receiver.to_owned()).or_default();
        fuse.failures = fuse.failures.saturating_add(1);
        if fuse.failures >= FAILURES {
            fuse.blown_until_ms = now_ms.saturating_add(BLOWN_MS);
        }
    }

    fn fuses(&self) -> MutexGuard<'_, HashMap<String, Fuse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fuse_blows_after_five_failures_in_a_row_and_lets_one_through_after_a_minute() {
        let fuses = Fuses::default();
        for _ in 0..4 {
            fuses.failed("north", 1_000);
        }
        assert_eq!(fuses.ask("north", 1_000), Ok(()));
        fuses.failed("north", 1_000);
        assert_eq!(fuses.ask("north", 1_001), Err(61_000));
        assert_eq!(fuses.ask("south", 1_001), Ok(()), "another receiver's fuse");
        assert_eq!(fuses.ask("north", 61_000), Ok(()), "the one that is let through");
        assert_eq!(fuses.ask("north", 61_000), Err(121_000), "and no other");
        fuses.failed("north", 62_000);
        assert_eq!(fuses.ask("north", 121_999), Err(122_000));
        assert_eq!(fuses.ask("north", 122_000), Ok(()));
        fuses.worked("north");
        assert_eq!(fuses.ask("north", 122_001), Ok(()));
    }

    #[test]
    fn a_success_between_failures_starts_the_count_again() {
        let fuses = Fuses::default();
        for _ in 0..20 {
            (0..4).for_each(|_| fuses.failed("north", 0));
            fuses.worked("north");
        }
        assert_eq!(fuses.ask("north", 0), Ok(()));
    }
}
