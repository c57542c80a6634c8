//! Feeds and their contracts: whether those that a command names exist, and what is wrong with a contract that does
//! not compile.

use runtime::{BrokenContract, InForce, Terms};
use store::{Feeds, MOST_CONTRACT_VERSIONS, MOST_FEEDS, ReadContracts};

use crate::error::CommandError;
use crate::names;

/// Rejects a list of feeds with one that has no contract: a credential for a mistyped feed would open nothing. `*`
/// and feeds of a bucket with more contracts than are listed pass unchecked.
pub async fn check<R: ReadContracts>(store: &R, words: &str, contracts: &str) -> Result<(), CommandError> {
    let Feeds::Named(wanted) = names::feeds(words)? else { return Ok(()) };
    let known = store.feeds().await.map_err(CommandError::Read)?;
    if known.len() >= MOST_FEEDS {
        return Ok(());
    }
    match wanted.iter().find(|feed| !known.contains(feed)) {
        None => Ok(()),
        Some(feed) => Err(CommandError::NoSuchFeed {
            hint: names::hint(feed, known.iter().map(String::as_str)),
            feed: feed.clone(),
            contracts: contracts.to_owned(),
        }),
    }
}

/// A feed's newest contract, which does not compile, as `status` and `doctor` show it.
pub(crate) struct Broken {
    /// Where the first error is, what it is, and how many follow.
    pub(crate) problem: String,
    /// What happens to files until the contract is corrected.
    pub(crate) until_then: String,
}

/// Returns what is wrong with the newest contract of a feed, and which version is in force instead; `None` when it
/// compiles.
pub(crate) fn broken(feed: &str, held: &InForce) -> Option<Broken> {
    let BrokenContract { errors, place, problem, in_force, .. } = held.broken.as_ref()?;
    let place = place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    let more = match errors.saturating_sub(1) {
        0 => String::new(),
        several => format!(" (and {several} more)"),
    };
    let until_then = match (in_force, &held.terms) {
        (Some(version), Terms::Active(_)) => format!("until then version {version} stays in force"),
        (Some(version), Terms::Quarantine(_)) => format!(
            "until then version {version} is in force, which is not active: files of the feed are quarantined"
        ),
        (None, _) => format!(
            "until then files of the feed are quarantined: none of its newest versions compiles (at most {MOST_CONTRACT_VERSIONS} are \
             tried)"
        ),
    };
    Some(Broken { problem: format!("{feed}.odcs.yaml{place}: {problem}{more}"), until_then })
}

#[cfg(test)]
mod tests {
    use store::memory::Memory;

    use super::*;

    async fn checked(words: &str) -> Result<(), String> {
        let memory = Memory::new();
        memory.publish_contract("labs", "id: labs");
        memory.publish_contract("charges", "id: charges");
        check(&memory, words, "contracts").await.map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn a_feed_without_a_contract_is_rejected_with_the_name_that_was_meant() {
        assert_eq!(checked("*").await, Ok(()));
        assert_eq!(checked("labs,charges").await, Ok(()));
        let message = checked("labs,chargse").await.unwrap_err();
        assert_eq!(
            message,
            "feed `chargse` has no contract; did you mean `charges`? (a new feed needs its contract first: \
             `aws s3 cp chargse.odcs.yaml s3://contracts/`)"
        );
        assert!(
            checked("orders").await.unwrap_err().starts_with("feed `orders` has no contract (a new feed")
        );
    }
}
