//! Whether the feeds that a command names exist.

use store::{Feeds, MOST_FEEDS, ReadContracts};

use crate::error::CommandError;
use crate::names;

/// Rejects a list of feeds with one that has no contract: a credential for a mistyped feed would open nothing. `*` and feeds of a
/// bucket with more contracts than are listed pass unchecked.
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
