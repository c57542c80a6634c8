//! Contracts by feed, with all their versions.

use bytes::Bytes;

use super::{Memory, MemoryState};
use crate::contracts::is_too_long;
use crate::{
    Condition, ContractObject, ContractPut, ContractText, Error, MOST_CONTRACT_VERSIONS, MOST_FEEDS,
    Operation, PublishedContract, ReadContracts, VersionId, WriteContracts,
};

/// A version of a contract, or the marker that it was deleted.
pub(super) struct ContractVersion {
    pub(super) version: VersionId,
    /// When it was published; 0 unless a test said otherwise.
    pub(super) published_ms: u64,
    /// `None`: a delete marker.
    bytes: Option<Bytes>,
}

/// What operators do. None of it is a counted call.
impl Memory {
    /// Publishes a version of a feed's contract and returns its id.
    pub fn publish_contract(&self, feed: &str, bytes: impl Into<Bytes>) -> VersionId {
        self.kept().add_contract(feed, Some(bytes.into()))
    }

    /// Deletes a feed's contract: a marker hides its versions.
    pub fn delete_contract(&self, feed: &str) {
        self.kept().add_contract(feed, None);
    }

    /// Says when the newest version of a contract was published, milliseconds since the epoch.
    pub fn published_at(&self, feed: &str, published_ms: u64) {
        let mut kept = self.kept();
        if let Some(newest) = kept.contracts.get_mut(feed).and_then(|versions| versions.first_mut()) {
            newest.published_ms = published_ms;
        }
    }
}

impl ContractVersion {
    fn object(&self) -> Option<ContractObject> {
        let bytes = self.bytes.clone()?;
        let length = bytes.len() as u64;
        let text =
            if is_too_long(length) { ContractText::TooLong(length) } else { ContractText::Whole(bytes) };
        let (version, etag) = (self.version.clone(), self.version.clone());
        Some(ContractObject { text, version, published_ms: self.published_ms, etag })
    }
}

impl MemoryState {
    pub(super) fn add_contract(&mut self, feed: &str, bytes: Option<Bytes>) -> VersionId {
        let version = self.next_version();
        let added = ContractVersion { version: version.clone(), published_ms: 0, bytes };
        self.contracts.entry(feed.to_owned()).or_default().insert(0, added);
        version
    }

    /// Returns the newest version of each contract that is not deleted, by feed.
    pub(super) fn newest_contracts(&self) -> impl Iterator<Item = (&String, &ContractVersion)> {
        let newest = self.contracts.iter().filter_map(|(feed, versions)| Some((feed, versions.first()?)));
        newest.filter(|(_, version)| version.bytes.is_some())
    }

    /// Returns whether a feed has a contract that is not deleted.
    pub(super) fn has_contract(&self, feed: &str) -> bool {
        self.contracts
            .get(feed)
            .and_then(|versions| versions.first())
            .is_some_and(|newest| newest.bytes.is_some())
    }
}

impl ReadContracts for Memory {
    async fn contract(&self, feed: &str) -> Result<Option<ContractObject>, Error> {
        self.call(Operation::ReadContract, |kept| kept.contracts.get(feed)?.first()?.object()).await
    }

    async fn contract_versions(&self, feed: &str) -> Result<Vec<VersionId>, Error> {
        self.call(Operation::ListContractVersions, |kept| {
            let versions = kept.contracts.get(feed).into_iter().flatten();
            let kept = versions.take_while(|version| version.bytes.is_some());
            kept.map(|version| version.version.clone()).take(MOST_CONTRACT_VERSIONS).collect()
        })
        .await
    }

    async fn contract_version(&self, feed: &str, version: &str) -> Result<Option<ContractObject>, Error> {
        self.call(Operation::ReadContract, |kept| {
            kept.contracts.get(feed)?.iter().find(|one| one.version == version)?.object()
        })
        .await
    }

    async fn feeds(&self) -> Result<Vec<String>, Error> {
        self.call(Operation::ListContracts, |kept| {
            kept.newest_contracts().map(|(feed, _)| feed.clone()).take(MOST_FEEDS).collect()
        })
        .await
    }

    async fn published(&self) -> Result<Vec<PublishedContract>, Error> {
        self.call(Operation::ListContracts, |kept| {
            let published = kept.newest_contracts().map(|(feed, newest)| PublishedContract {
                feed: feed.clone(),
                published_ms: newest.published_ms,
                etag: Some(newest.version.clone()),
            });
            published.collect()
        })
        .await
    }
}

impl WriteContracts for Memory {
    async fn put_contract(
        &self,
        feed: &str,
        bytes: Bytes,
        condition: &Condition,
    ) -> Result<ContractPut, Error> {
        self.call(Operation::PublishContract, |kept| {
            let holds = match condition {
                Condition::Absent => !kept.has_contract(feed),
                Condition::Replaces(etag) => {
                    let newest = kept.contracts.get(feed).and_then(|versions| versions.first()?.object());
                    newest.is_some_and(|newest| newest.etag == *etag)
                }
            };
            if holds {
                ContractPut::Written(kept.add_contract(feed, Some(bytes)))
            } else {
                ContractPut::Conflict
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn versions_are_listed_newest_first_and_none_from_before_a_deletion() -> Result<(), Error> {
        let memory = Memory::new();
        memory.publish_contract("labs", "deleted");
        memory.delete_contract("labs");
        assert_eq!(memory.contract("labs").await?, None);
        assert!(memory.contract_versions("labs").await?.is_empty());
        let older = memory.publish_contract("labs", "a");
        let newer = memory.publish_contract("labs", "b");
        assert_eq!(memory.contract_versions("labs").await?, [newer.clone(), older.clone()]);
        let newest = memory.contract("labs").await?.expect("a contract");
        assert_eq!((&newest.text, newest.version), (&ContractText::Whole("b".into()), newer));
        let read = memory.contract_version("labs", &older).await?.expect("a version");
        assert_eq!(read.text, ContractText::Whole("a".into()));
        assert_eq!(memory.contract_version("labs", "other").await?, None);
        for _ in 0..30 {
            memory.publish_contract("labs", "c");
        }
        assert_eq!(memory.contract_versions("labs").await?.len(), MOST_CONTRACT_VERSIONS);
        Ok(())
    }

    #[tokio::test]
    async fn a_document_that_is_too_long_is_not_given() -> Result<(), Error> {
        let memory = Memory::new();
        memory.publish_contract("labs", vec![b'x'; contract::MOST_DOCUMENT_BYTES + 1]);
        let length = contract::MOST_DOCUMENT_BYTES as u64 + 1;
        let text = memory.contract("labs").await?.map(|object| object.text);
        assert_eq!(text, Some(ContractText::TooLong(length)));
        Ok(())
    }
}
