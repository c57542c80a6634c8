//! Which files are replayed, and which are left out and why.

use std::collections::HashMap;
use std::sync::Arc;

use contract::Contract;
use ledger::{Entry, FileId, State};
use runtime::Terms;
use store::{FileQuery, MOST_ENTRIES, UNKNOWN};

use super::{CanReplay, LeftOut, ReplayCase};
use crate::arguments::ReplayArguments;
use crate::error::CommandError;
use crate::reading::{FileView, StackView, since};

/// Most open files that are looked through.
const MOST_OPEN: usize = 10_000;

impl<S: CanReplay> StackView<S> {
    /// Returns the files that the command means, as the ledger has them now.
    pub(super) async fn select(
        &self,
        arguments: &ReplayArguments,
    ) -> Result<Vec<(FileId, Entry)>, CommandError> {
        if !arguments.files.is_empty() {
            let mut named: Vec<(FileId, Entry)> = Vec::new();
            for word in &arguments.files {
                let found = self.entry_of(word).await?;
                // An id and a key can name one file.
                if named.iter().all(|(file, _)| *file != found.0) {
                    named.push(found);
                }
            }
            return Ok(named);
        }
        let listed = match arguments.state {
            None | Some(State::Quarantined) => self.open_ids(arguments).await?,
            Some(state) => self.listed_ids(arguments, state).await?,
        };
        let mut entries = Vec::new();
        for some in listed.chunks(MOST_ENTRIES) {
            let found = self.store.entries(some).await.map_err(CommandError::Read)?;
            entries.extend(found);
        }
        entries.sort_by(|one, other| one.1.order.cmp(&other.1.order).then_with(|| one.0.cmp(&other.0)));
        entries.truncate(usize::from(arguments.limit));
        Ok(entries)
    }

    /// Returns the open files that fit.
    async fn open_ids(&self, arguments: &ReplayArguments) -> Result<Vec<FileId>, CommandError> {
        let since = self.since_ms(arguments)?;
        let open = self.store.open_files(arguments.partner.as_deref(), MOST_OPEN).await;
        let open = open.map_err(CommandError::Read)?.files.into_iter();
        Ok(open
            .map(|(partner, listed)| (FileView::of_listed(&self.stack, &partner, &listed), listed))
            .filter(|(view, _)| {
                arguments.feed.as_ref().is_none_or(|feed| *feed == view.feed)
                    && arguments.fault.is_none_or(|fault| view.fault.as_deref() == Some(fault.as_str()))
                    && since.is_none_or(|since| view.landed_ms.is_some_and(|landed| landed >= since))
            })
            .map(|(_, listed)| listed.file)
            .collect())
    }

    /// Returns files in another state, from the list of each partner's files.
    async fn listed_ids(
        &self,
        arguments: &ReplayArguments,
        state: State,
    ) -> Result<Vec<FileId>, CommandError> {
        let from = self.since_ms(arguments)?.map(runtime::format_instant);
        let partners = match &arguments.partner {
            Some(partner) => vec![partner.clone()],
            None => self.chosen(None).await?.partners.into_keys().collect(),
        };
        let mut files = Vec::new();
        for partner in partners {
            let mut query = FileQuery {
                partner,
                feed: arguments.feed.clone(),
                state: Some(state),
                from: from.clone(),
                limit: 100,
                ..FileQuery::default()
            };
            loop {
                let page = self.store.files(&query).await.map_err(CommandError::Read)?;
                files.extend(page.files.into_iter().map(|listed| listed.file));
                query.after = page.next;
                if query.after.is_none() || files.len() >= usize::from(arguments.limit) {
                    break;
                }
            }
        }
        Ok(files)
    }

    fn since_ms(&self, arguments: &ReplayArguments) -> Result<Option<u64>, CommandError> {
        let read = |text: &String| {
            since(text, self.host.now()).ok_or_else(|| CommandError::NotATime { found: text.clone() })
        };
        arguments.since.as_ref().map(read).transpose()
    }

    /// Tells the files that can be replayed from those that are left out.
    pub(super) async fn sort_out(
        &self,
        selected: Vec<(FileId, Entry)>,
        arguments: &ReplayArguments,
    ) -> Result<(Vec<ReplayCase>, Vec<LeftOut>), CommandError> {
        let mut contracts: HashMap<String, Option<Arc<Contract>>> = HashMap::new();
        let (mut cases, mut left_out) = (Vec::new(), Vec::new());
        for (file, entry) in selected {
            let feed = if entry.feed.is_empty() { UNKNOWN } else { &entry.feed };
            if !contracts.contains_key(feed) {
                let found = self.contract_in_force(feed).await?;
                contracts.insert(feed.to_owned(), found);
            }
            let contract = contracts.get(feed).cloned().flatten();
            let why = why_left_out(&entry, contract.as_deref(), arguments.again);
            match (why, contract) {
                (None, Some(contract)) => cases.push(ReplayCase { file, entry, contract }),
                (why, _) => left_out.push(LeftOut {
                    file: FileView::of_entry(&self.stack, &file, &entry),
                    why: why.unwrap_or("its feed has no contract that accepts files"),
                }),
            }
        }
        Ok((cases, left_out))
    }

    async fn contract_in_force(&self, feed: &str) -> Result<Option<Arc<Contract>>, CommandError> {
        let in_force = runtime::in_force(&self.store, feed).await.map_err(CommandError::Read)?;
        Ok(match in_force.terms {
            Terms::Active(contract) => Some(contract),
            Terms::Quarantine(_) => None,
        })
    }
}

/// Returns why a file is not replayed.
fn why_left_out(entry: &Entry, contract: Option<&Contract>, again: bool) -> Option<&'static str> {
    if !entry.state.can_be_replayed() {
        return Some(match entry.state {
            State::Processing => "it is being processed",
            State::Held => "it waits for the release of its feed",
            State::Gone => "it was deleted before it was read",
            _ => "it is not a partner's file",
        });
    }
    let hash = hex::encode(contract?.identity.hash);
    (entry.is_decided_by(&hash) && !again).then_some("it was decided under the contract in force")
}
