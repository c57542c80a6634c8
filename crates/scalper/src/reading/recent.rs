//! The newest stored files of a feed.

use store::{Entry, FileId, FileQuery, MOST_ENTRIES, State};

use super::{Readable, StackView, find};
use crate::error::CommandError;

/// Pages of a partner's list that are looked through: 1,000 files.
const MOST_PAGES: usize = 10;

impl<S: Readable> StackView<S> {
    /// Returns the entries of the newest files of a feed that were decided by their content, of all partners, newest
    /// first.
    pub(crate) async fn recent_entries(&self, feed: &str, most: usize) -> Result<Vec<Entry>, CommandError> {
        let partners = self.known().await?.partners;
        let mut newest: Vec<(String, FileId)> = Vec::new();
        for partner in partners.into_keys() {
            let query =
                FileQuery { partner, feed: Some(feed.to_owned()), limit: find::PAGE, ..FileQuery::default() };
            let mut found = 0;
            let take = |listed: store::ListedFile| {
                if is_stored(listed.state) && found < most {
                    found += 1;
                    newest.push((listed.order, listed.file));
                }
                found < most
            };
            self.pages(query, MOST_PAGES, take).await?;
        }
        newest.sort_by(|one, other| other.cmp(one));
        newest.truncate(most);
        let files: Vec<FileId> = newest.into_iter().map(|(_, file)| file).collect();
        let mut entries = Vec::new();
        for files in files.chunks(MOST_ENTRIES) {
            let mut found = self.store.entries(files).await.map_err(CommandError::Read)?;
            entries.extend(files.iter().filter_map(|file| found.remove(file)));
        }
        Ok(entries)
    }
}

/// Returns whether a file in this state was a partner's file and was there when it was decided.
fn is_stored(state: State) -> bool {
    match state {
        State::Complete | State::Quarantined | State::Superseded | State::Duplicate | State::Retracted => {
            true
        }
        State::Processing | State::Held | State::Gone | State::Ignored => false,
    }
}
