//! The contracts of earlier decisions, found by the hash that the ledger keeps.

use std::collections::HashMap;
use std::sync::Arc;

use contract::Contract;
use ledger::Entry;
use sha2::{Digest, Sha256};
use store::{ContractText, Error, ReadContracts};

/// Contracts by the hash of their documents, as far as the contracts bucket lists their versions. Each feed is read
/// once.
#[derive(Default)]
pub struct EarlierContracts {
    /// The documents of the feeds that were read, by feed and hash.
    documents: HashMap<String, HashMap<String, Vec<u8>>>,
    /// Those that were asked for, compiled.
    compiled: HashMap<String, Option<Arc<Contract>>>,
}

impl EarlierContracts {
    /// Returns the contract under which the ledger says that a file was decided; `None` when it was decided without
    /// one, and when its version is not among those that are listed.
    ///
    /// # Errors
    ///
    /// What the contracts bucket answers when it cannot be read.
    pub async fn of<S: ReadContracts>(
        &mut self,
        store: &S,
        entry: &Entry,
    ) -> Result<Option<Arc<Contract>>, Error> {
        let outcome = entry.outcome.as_ref().filter(|outcome| !outcome.contract_hash.is_empty());
        let Some(hash) = outcome.map(|outcome| outcome.contract_hash.clone()) else { return Ok(None) };
        if let Some(known) = self.compiled.get(&hash) {
            return Ok(known.clone());
        }
        if !self.documents.contains_key(&entry.feed) {
            let documents = documents(store, &entry.feed).await?;
            self.documents.insert(entry.feed.clone(), documents);
        }
        let document = self.documents.get(&entry.feed).and_then(|documents| documents.get(&hash));
        let text = document.and_then(|document| std::str::from_utf8(document).ok());
        let contract = text.and_then(|text| contract::compile(text).ok());
        let contract = contract.map(|(contract, _)| Arc::new(contract));
        self.compiled.insert(hash, contract.clone());
        Ok(contract)
    }
}

async fn documents<S: ReadContracts>(store: &S, feed: &str) -> Result<HashMap<String, Vec<u8>>, Error> {
    let mut documents = HashMap::new();
    for version in store.contract_versions(feed).await? {
        let object = store.contract_version(feed, &version).await?;
        if let Some(ContractText::Whole(bytes)) = object.map(|object| object.text) {
            documents.insert(hex::encode(Sha256::digest(&bytes)), bytes.to_vec());
        }
    }
    Ok(documents)
}
