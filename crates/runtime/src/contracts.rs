//! Contracts, kept warm for a short time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contract::Contract;
use ledger::VersionId;
use store::{Error, ReadContracts};

use crate::in_force::{Terms, in_force_of};

/// The most feeds that are kept: keys name feeds, so a sender decides how many are asked for.
const MOST_FEEDS: usize = 256;
/// The version id of an object in a bucket without versioning: each has the same.
const NULL_VERSION: &str = "null";

/// Contracts that accept files, for a short time. What is missing, broken or inactive is asked for each time, so that
/// its publication is seen at once.
#[derive(Default)]
pub struct Contracts(Mutex<CachedTerms>);

#[derive(Default)]
struct CachedTerms {
    warm: HashMap<String, CachedContract>,
    /// What a search behind a newest version that does not compile ended with, by feed: it ends so again while that
    /// version is the newest, and is not made again for each file.
    searched: HashMap<String, (VersionId, Terms)>,
}

struct CachedContract {
    until_ms: u64,
    contract: Arc<Contract>,
}

impl Contracts {
    /// Returns the feed's terms at this time, read at most once in `ttl_ms` milliseconds.
    pub async fn terms<S: ReadContracts>(
        &self,
        store: &S,
        feed: &str,
        now_ms: u64,
        ttl_ms: u64,
    ) -> Result<Terms, Error> {
        if let Some(contract) = self.warm(feed, now_ms) {
            return Ok(Terms::Active(contract));
        }
        self.read(store, feed, now_ms, ttl_ms).await
    }

    /// Returns the same, read now whatever is kept, and keeps it.
    pub async fn read<S: ReadContracts>(
        &self,
        store: &S,
        feed: &str,
        now_ms: u64,
        ttl_ms: u64,
    ) -> Result<Terms, Error> {
        let newest = store.contract(feed).await?;
        let version = newest.as_ref().map(|newest| newest.version.clone());
        if let Some(terms) = self.searched(feed, version.as_deref()) {
            self.keep(feed, &terms, now_ms.saturating_add(ttl_ms));
            return Ok(terms);
        }
        let found = in_force_of(store, feed, newest).await?;
        self.keep(feed, &found.terms, now_ms.saturating_add(ttl_ms));
        if let (Some(_), Some(version)) = (&found.broken, version.filter(|version| version != NULL_VERSION)) {
            insert(&mut self.kept().searched, feed, (version, found.terms.clone()));
        }
        Ok(found.terms)
    }

    fn warm(&self, feed: &str, now_ms: u64) -> Option<Arc<Contract>> {
        let kept = self.kept();
        kept.warm.get(feed).filter(|kept| now_ms < kept.until_ms).map(|kept| Arc::clone(&kept.contract))
    }

    fn searched(&self, feed: &str, newest: Option<&str>) -> Option<Terms> {
        let kept = self.kept();
        let (version, terms) = kept.searched.get(feed)?;
        (Some(version.as_str()) == newest).then(|| terms.clone())
    }

    fn keep(&self, feed: &str, terms: &Terms, until_ms: u64) {
        if let Terms::Active(contract) = terms {
            let contract = Arc::clone(contract);
            insert(&mut self.kept().warm, feed, CachedContract { until_ms, contract });
        }
    }

    fn kept(&self) -> MutexGuard<'_, CachedTerms> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert<T>(map: &mut HashMap<String, T>, feed: &str, value: T) {
    if map.len() >= MOST_FEEDS {
        map.clear();
    }
    map.insert(feed.to_owned(), value);
}
