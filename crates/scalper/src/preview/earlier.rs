//! The contracts of earlier decisions, found by the hash that the ledger keeps.

use std::collections::HashMap;
use std::sync::Arc;

use contract::Contract;
use ledger::Entry;
use store::{Error, ReadContracts};

/// Contracts by feed and the hash of their documents, as far as the contracts bucket lists their versions. Each is read
/// once.
#[derive(Default)]
pub struct EarlierContracts(HashMap<(String, String), Option<Arc<Contract>>>);

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
        let named = (entry.feed.clone(), hash);
        if let Some(known) = self.0.get(&named) {
            return Ok(known.clone());
        }
        let contract = runtime::contract_with_hash(store, &named.0, &named.1).await?.map(Arc::new);
        self.0.insert(named, contract.clone());
        Ok(contract)
    }
}
