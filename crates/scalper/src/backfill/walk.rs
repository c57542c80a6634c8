//! The versions below a prefix of the inbox, key by key.

use std::collections::{BTreeMap, VecDeque};

use ledger::FileId;
use store::{Entry, Error, InboxPlace, ListInbox, ListedVersion, MOST_ENTRIES, ReadLedger};

/// Walks through the keys below a prefix. It holds a page of the list and the versions of one key.
pub(super) struct KeyWalk<'w, S> {
    store: &'w S,
    prefix: &'w str,
    page: VecDeque<ListedVersion>,
    after: Option<InboxPlace>,
    pages: u64,
}

impl<'w, S: ListInbox> KeyWalk<'w, S> {
    pub(super) fn new(store: &'w S, prefix: &'w str) -> Self {
        Self { store, prefix, page: VecDeque::new(), after: None, pages: 0 }
    }

    /// Returns how many pages were listed so far.
    pub(super) fn pages(&self) -> u64 {
        self.pages
    }

    /// Returns the versions of some keys, each key whole and its oldest version first: as many as are looked up in
    /// the ledger at once, or more where a key has more. None at the end.
    pub(super) async fn next(&mut self) -> Result<Vec<ListedVersion>, Error> {
        let mut some: Vec<ListedVersion> = Vec::new();
        let mut begin = 0;
        while let Some(version) = self.version().await? {
            let is_new = some.last().is_none_or(|last| last.file.key != version.file.key);
            if is_new && some.len() >= MOST_ENTRIES {
                self.page.push_front(version);
                break;
            }
            if is_new {
                some[begin..].reverse();
                begin = some.len();
            }
            some.push(version);
        }
        some[begin..].reverse();
        Ok(some)
    }

    /// Returns the next version of the list, in which each key's newest version comes first.
    async fn version(&mut self) -> Result<Option<ListedVersion>, Error> {
        while self.page.is_empty() && (self.pages == 0 || self.after.is_some()) {
            let page = self.store.inbox_page(self.prefix, self.after.as_ref()).await?;
            self.page = page.versions.into();
            self.after = page.next;
            self.pages += 1;
        }
        Ok(self.page.pop_front())
    }
}

/// Returns what the ledger knows of each version.
pub(super) async fn entries<S: ReadLedger>(
    store: &S,
    versions: &[ListedVersion],
) -> Result<Vec<Option<Entry>>, Error> {
    let mut found = Vec::new();
    for some in versions.chunks(MOST_ENTRIES) {
        let ids: Vec<FileId> = some.iter().map(|version| FileId::of(&version.file)).collect();
        let mut entries: BTreeMap<FileId, Entry> = store.entries(&ids).await?;
        found.extend(ids.iter().map(|id| entries.remove(id)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use store::memory::{INBOX, Memory};

    use super::*;

    #[tokio::test]
    async fn each_key_is_whole_and_its_oldest_version_comes_first_whatever_the_pages() -> Result<(), Error> {
        for page in [1, 2, 3, 100] {
            let memory = Memory::new();
            memory.pages_of(page);
            for (key, text) in [("a/b/1", "x"), ("a/b/2", "x"), ("a/b/1", "y"), ("a/b2", "x"), ("a/a", "x")] {
                memory.land(INBOX, key, text);
            }
            for number in 0..150 {
                memory.land(INBOX, "a/b/2", format!("{number}"));
            }
            let mut walk = KeyWalk::new(&memory, "a/b/");
            let (mut seen, mut rounds) = (Vec::new(), 0);
            loop {
                let some = walk.next().await?;
                if some.is_empty() {
                    break;
                }
                rounds += 1;
                seen.extend(some.into_iter().map(|version| (version.file.key, version.last_modified_ms)));
            }
            assert!(seen.is_sorted(), "pages of {page}: {seen:?}");
            assert_eq!((seen.len(), rounds), (153, 1));
        }
        Ok(())
    }
}
