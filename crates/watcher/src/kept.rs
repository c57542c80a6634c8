//! Contracts of feeds, kept from one warm run to the next.
//!
//! The listing of contracts, which each run reads anyway, shows by its entity tags which documents are still the
//! same. Only the others are read and compiled again, so that a run sees what was published as if it had read all of
//! them, and an idle stack pays for one request in place of one for each contract.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use runtime::{BrokenContract, InForce, Terms};
use store::PublishedContract;

/// Maximum number of feeds to keep: compiled contracts lie in memory.
const MOST_FEEDS: usize = 1_000;

/// The terms of a feed, without the document itself.
#[derive(Clone)]
pub(crate) struct ContractInForce {
    pub(crate) terms: Terms,
    /// What is wrong with the newest version, when it does not compile.
    pub(crate) broken: Option<BrokenContract>,
    /// When the version that is in force was published, milliseconds since the epoch.
    pub(crate) published_ms: u64,
}

impl ContractInForce {
    /// Returns what was read for a listed document.
    pub(crate) fn new(listed: &PublishedContract, read: InForce) -> Self {
        // The listing's time is that of the newest version.
        let older = read.document.filter(|_| read.broken.is_some());
        let published_ms = older.map_or(listed.published_ms, |older| older.published_ms);
        Self { terms: read.terms, broken: read.broken, published_ms }
    }
}

/// What was found with the listed document that it was read for, or an older one: a document that is published
/// between the listing and the reading is read once more by the next run.
#[derive(Default)]
pub(crate) struct ContractCache(Mutex<BTreeMap<String, (PublishedContract, ContractInForce)>>);

impl ContractCache {
    /// Returns what was found for a document that was read before; `None` for another one, and for one without an
    /// entity tag.
    pub(crate) fn get(&self, listed: &PublishedContract) -> Option<ContractInForce> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, found) = kept.get(&listed.feed)?;
        (listed.etag.is_some() && known == listed).then(|| found.clone())
    }

    /// Keeps what was found.
    pub(crate) fn put(&self, listed: &PublishedContract, found: &ContractInForce) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_FEEDS || kept.contains_key(&listed.feed) {
            kept.insert(listed.feed.clone(), (listed.clone(), found.clone()));
        }
    }

    /// Forgets the feeds that are listed no more.
    pub(crate) fn retain(&self, listed: &[PublishedContract]) {
        let feeds: BTreeSet<&str> = listed.iter().map(|one| one.feed.as_str()).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|feed, _| feeds.contains(feed.as_str()));
    }
}
