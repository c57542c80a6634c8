//! Partners: those of the table, and those that only send files by S3.

use std::collections::BTreeMap;

use store::{MOST_FEEDS, Partner, UNKNOWN};

use super::{Readable, StackView};
use crate::error::CommandError;
use crate::names;

/// Maximum number of names that a message lists.
const MOST_NAMES: usize = 20;

/// The partners of a stack.
#[derive(Default)]
pub(crate) struct KnownPartners {
    /// By name; `None` for a partner that is not in the table.
    pub(crate) partners: BTreeMap<String, Option<Partner>>,
    /// Folders of the inbox whose names are not names of partners.
    pub(super) odd_folders: Vec<String>,
    /// Why partners that only send by S3 may be missing.
    pub(super) unlisted: Option<String>,
}

impl<S: Readable> StackView<S> {
    /// Returns the table's partners and the inbox's folders. Without the right to list the inbox the table's alone.
    pub(super) async fn known(&self) -> Result<KnownPartners, CommandError> {
        let mut known = KnownPartners::default();
        for partner in self.store.all_partners().await.map_err(CommandError::Read)? {
            if partner.name == runtime::HEARTBEAT {
                continue;
            }
            known.partners.insert(partner.name.clone(), Some(partner));
        }
        match self.store.senders(None).await {
            Ok(folders) => {
                if !folders.complete {
                    known.unlisted = Some("it has too many folders and objects".to_owned());
                }
                // The heartbeat is not a partner's file.
                for folder in folders.names.into_iter().filter(|folder| folder != runtime::HEARTBEAT) {
                    if runtime::is_name(&folder) {
                        known.partners.entry(folder).or_default();
                    } else {
                        known.odd_folders.push(folder);
                    }
                }
            }
            Err(error) => known.unlisted = Some(error.to_string()),
        }
        Ok(known)
    }

    /// Returns the partners that a command shows.
    pub(crate) async fn chosen(&self, named: Option<&str>) -> Result<KnownPartners, CommandError> {
        let Some(name) = named else { return self.known().await };
        let name = listed_partner(name)?;
        let partner = self.store.partner(name).await.map_err(CommandError::Read)?;
        Ok(KnownPartners {
            partners: BTreeMap::from([(name.to_owned(), partner)]),
            ..KnownPartners::default()
        })
    }

    /// Rejects the name of a partner that is not known and has no files.
    pub(crate) async fn must_be_known(&self, name: &str) -> Result<(), CommandError> {
        if name == UNKNOWN {
            return Ok(());
        }
        let known = self.known().await?;
        if known.partners.contains_key(name) || known.unlisted.is_some() {
            return Ok(());
        }
        let hint = names::hint(name, known.partners.keys().map(String::as_str));
        let names = listed(&known.partners.into_keys().collect::<Vec<_>>());
        let (name, stack) = (name.to_owned(), self.stack.as_str().to_owned());
        Err(CommandError::UnknownPartner { name, stack, names, hint })
    }

    /// Rejects the name of a feed that has no contract: of it no file was found. Contracts that cannot be listed
    /// reject nothing.
    pub(super) async fn feed_must_be_known(&self, feed: &str) -> Result<(), CommandError> {
        let Ok(mut known) = self.store.feeds().await else { return Ok(()) };
        if known.len() >= MOST_FEEDS || known.iter().any(|known| known == feed) {
            return Ok(());
        }
        known.retain(|known| runtime::is_name(known));
        let hint = names::hint(feed, known.iter().map(String::as_str));
        let names = listed(&known);
        Err(CommandError::UnknownFeed { feed: feed.to_owned(), names, hint })
    }
}

/// Returns names for a message: the first ones of many.
fn listed(names: &[String]) -> String {
    let first = names.iter().take(MOST_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 if first.is_empty() => "none yet".to_owned(),
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Reads a partner's name, or the one under which files are listed whose key names none.
fn listed_partner(name: &str) -> Result<&str, CommandError> {
    if name == UNKNOWN { Ok(name) } else { names::partner(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_a_message_lists_the_first() {
        let names: Vec<String> = (1..=23).map(|number| format!("p{number}")).collect();
        assert!(listed(&names).ends_with(", p19, p20 and 3 more"), "{}", listed(&names));
        assert_eq!(listed(&names[..2]), "p1, p2");
        assert_eq!(listed(&[]), "none yet");
    }
}
