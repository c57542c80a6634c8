//! Terms of feeds, kept from one warm run to the next.
//!
//! The listing of contracts, which each run reads anyway, tells by its entity tags which documents are still the same. Only
//! the others are read and compiled again, so that a run sees what was published as if it had read all of them, and an idle
//! stack pays for one request in place of one for each contract.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use feed::Terms;
use store::watch::Published;

/// Maximum number of feeds to keep: compiled contracts lie in memory.
const MOST_FEEDS: usize = 1_000;

/// Terms with the listed document that they were read from, or an older one: a document that is published between the
/// listing and the reading is read once more by the next run.
#[derive(Default)]
pub(crate) struct Kept(Mutex<BTreeMap<String, (Published, Terms)>>);

impl Kept {
    /// The terms of a document that was read before; `None` for another one, and for one without an entity tag.
    pub(crate) fn get(&self, listed: &Published) -> Option<Terms> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, terms) = kept.get(&listed.feed)?;
        (listed.etag.is_some() && known == listed).then(|| terms.clone())
    }

    /// Keeps what was read.
    pub(crate) fn put(&self, listed: &Published, terms: &Terms) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_FEEDS || kept.contains_key(&listed.feed) {
            kept.insert(listed.feed.clone(), (listed.clone(), terms.clone()));
        }
    }

    /// Forgets the feeds that are listed no more.
    pub(crate) fn retain(&self, listed: &[Published]) {
        let feeds: BTreeSet<&str> = listed.iter().map(|one| one.feed.as_str()).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|feed, _| feeds.contains(feed.as_str()));
    }
}
