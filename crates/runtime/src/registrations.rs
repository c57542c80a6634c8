//! Who is registered, kept warm for a short time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use store::{Error, ReadRegistrations};

use ledger::HEARTBEAT;

/// The most names that are kept: keys name partners, so a sender decides how many are asked for.
const MOST_NAMES: usize = 256;

/// What the partners table says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// A partner whose files are accepted.
    Active,
    /// A partner whose files are not accepted at present.
    Suspended,
    /// No partner that an operator added. Its files are accepted; its name is shown nowhere.
    Missing,
}

impl Registration {
    /// Returns whether an operator gave the name, so that it may be shown.
    #[must_use]
    pub fn is_known(self) -> bool {
        self != Self::Missing
    }
}

/// Registrations for a short time: a change holds when that time is over.
#[derive(Default)]
pub struct Registrations(Mutex<HashMap<String, (u64, Registration)>>);

impl Registrations {
    /// Returns what the partners table says at this time, read at most once in `ttl_ms` milliseconds. The stack's own
    /// partner of its hourly file is in no table and known all the same.
    pub async fn of<S: ReadRegistrations>(
        &self,
        store: &S,
        partner: &str,
        now_ms: u64,
        ttl_ms: u64,
    ) -> Result<Registration, Error> {
        if partner == HEARTBEAT {
            return Ok(Registration::Active);
        }
        if let Some(known) = self.warm(partner, now_ms) {
            return Ok(known);
        }
        let registration = match store.partner(partner).await? {
            Some(known) if known.active => Registration::Active,
            Some(_) => Registration::Suspended,
            None => Registration::Missing,
        };
        self.keep(partner, registration, now_ms.saturating_add(ttl_ms));
        Ok(registration)
    }

    /// Keeps what is known of a partner until this time, milliseconds since the epoch.
    pub fn keep(&self, partner: &str, registration: Registration, until_ms: u64) {
        let mut warm = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if warm.len() >= MOST_NAMES {
            warm.clear();
        }
        warm.insert(partner.to_owned(), (until_ms, registration));
    }

    fn warm(&self, partner: &str, now_ms: u64) -> Option<Registration> {
        let warm = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        warm.get(partner).filter(|(until_ms, _)| now_ms < *until_ms).map(|(_, registration)| *registration)
    }
}

#[cfg(test)]
mod tests {
    use store::memory::Memory;

    use super::*;

    #[tokio::test]
    async fn a_change_holds_when_what_was_read_is_a_minute_old() -> Result<(), Error> {
        let (memory, registrations) = (Memory::new(), Registrations::default());
        let mut seen = Vec::new();
        for (now_ms, change) in
            [(0, None), (1, Some(true)), (60_000, None), (60_001, Some(false)), (120_000, None)]
        {
            if let Some(active) = change {
                memory.register("north", active);
            }
            seen.push(registrations.of(&memory, "north", now_ms, 60_000).await?);
        }
        let [missing, active] = [Registration::Missing, Registration::Active];
        assert_eq!(seen, [missing, missing, active, active, Registration::Suspended]);
        assert_eq!(memory.calls().len(), 3);
        Ok(())
    }

    #[tokio::test]
    async fn the_stacks_own_partner_is_known_without_a_look_into_the_table() -> Result<(), Error> {
        let (memory, registrations) = (Memory::new(), Registrations::default());
        assert_eq!(registrations.of(&memory, HEARTBEAT, 0, 60_000).await?, Registration::Active);
        assert!(memory.calls().is_empty());
        Ok(())
    }

    #[tokio::test]
    async fn a_table_that_does_not_answer_is_a_failure_and_is_asked_again() -> Result<(), Error> {
        let (memory, registrations) = (Memory::new(), Registrations::default());
        memory.register("north", false);
        memory.fail_at(1, store::memory::When::BeforeEffect);
        assert!(registrations.of(&memory, "north", 0, 60_000).await.is_err());
        assert_eq!(registrations.of(&memory, "north", 0, 60_000).await?, Registration::Suspended);
        Ok(())
    }
}
