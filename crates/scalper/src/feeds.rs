//! Feeds and their contracts: whether those that a command names exist, and what is wrong with a contract that does
//! not compile.

use runtime::{BrokenContract, InForce, Terms};
use store::{Error, Feeds, MOST_CONTRACT_VERSIONS, MOST_FEEDS, ReadContracts};

use crate::error::CommandError;
use crate::names;

/// A feed without a contract.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownFeed {
    pub(crate) feed: String,
    /// `; did you mean <name>?`, or nothing.
    pub(crate) hint: String,
}

/// Returns the first of these feeds that has no contract. In a bucket with more contracts than are listed none is known
/// to have none.
pub(crate) async fn without_contract<'f, R: ReadContracts>(
    store: &R,
    wanted: impl IntoIterator<Item = &'f str>,
) -> Result<Option<UnknownFeed>, Error> {
    let known = store.feeds().await?;
    if known.len() >= MOST_FEEDS {
        return Ok(None);
    }
    let found = wanted.into_iter().find(|feed| !known.iter().any(|known| known == feed));
    Ok(found.map(|feed| UnknownFeed {
        hint: names::hint(feed, known.iter().map(String::as_str)),
        feed: feed.to_owned(),
    }))
}

/// Rejects a list of feeds with one that has no contract: a credential for a mistyped feed would open nothing. `*`
/// passes unchecked.
pub async fn check<R: ReadContracts>(store: &R, words: &str, contracts: &str) -> Result<(), CommandError> {
    let Feeds::Named(wanted) = names::feeds(words)? else { return Ok(()) };
    match without_contract(store, wanted.iter().map(String::as_str)).await.map_err(CommandError::Read)? {
        None => Ok(()),
        Some(UnknownFeed { feed, hint }) => {
            Err(CommandError::NoSuchFeed { feed, hint, contracts: contracts.to_owned() })
        }
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

    #[tokio::test]
    async fn in_a_bucket_with_more_contracts_than_are_listed_every_feed_may_have_one() {
        let memory = Memory::new();
        for number in 1..MOST_FEEDS {
            memory.publish_contract(&format!("feed-{number}"), "id: x");
        }
        let unknown = async || without_contract(&memory, ["feed-1", "zebra"]).await.expect("no fault");
        assert_eq!(unknown().await.map(|unknown| unknown.feed).as_deref(), Some("zebra"));
        memory.publish_contract("labs", "id: labs");
        assert_eq!(unknown().await, None);
        assert!(check(&memory, "zebra", "contracts").await.is_ok());
    }
}
