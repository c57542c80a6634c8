//! Who sends: the partners of the table, and those that only drop files into the inbox.

use std::collections::{BTreeMap, BTreeSet};

use runtime::{HEARTBEAT, UNKNOWN};
use store::{Error, Feeds, Partner};
use telemetry::Label;

use crate::{Watcher, WatcherStore};

/// The senders by name: partners of the table, and `None` for a folder of the inbox that no operator registered.
pub(crate) type Senders = BTreeMap<String, Option<Partner>>;

/// Returns a partner's name as a log may show it: a folder that no operator named may be a patient.
pub(crate) fn label(senders: Option<&Senders>, name: &str) -> Label {
    let registered = senders.and_then(|senders| senders.get(name)).is_some_and(Option::is_some);
    let is_known = registered || name == HEARTBEAT || name.is_empty();
    Label::new(if is_known { name } else { UNKNOWN })
}

/// The feeds of a partner.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sending {
    /// Those that it ever dropped a file of.
    pub(crate) dropped: BTreeSet<String>,
    /// Those that one of its credentials names, and since when, milliseconds since the epoch. A credential that opens
    /// every feed names none.
    pub(crate) named: BTreeMap<String, u64>,
}

impl<S: WatcherStore> Watcher<S> {
    pub(crate) async fn senders(&self) -> Result<Senders, Error> {
        let mut senders = Senders::new();
        for partner in self.store.all_partners().await? {
            senders.insert(partner.name.clone(), Some(partner));
        }
        let folders = self.store.senders(None).await?;
        if !folders.complete {
            tracing::warn!(
                "the inbox has more partner folders than are listed: the files of the others are not checked"
            );
        }
        for name in folders.names.into_iter().filter(|name| runtime::is_name(name)) {
            senders.entry(name).or_default();
        }
        Ok(senders)
    }

    /// Returns the feeds of a partner at this time.
    pub(crate) async fn sending(
        &self,
        name: &str,
        registered: Option<&Partner>,
        now_ms: u64,
    ) -> Result<Sending, Error> {
        let dropped = self.store.senders(Some(name)).await?.names.into_iter().collect();
        let mut named: BTreeMap<String, u64> = BTreeMap::new();
        if registered.is_some() {
            let credentials = self.store.credentials(name).await?.into_iter();
            for credential in credentials.map(|(_, credential)| credential).filter(|one| one.is_valid(now_ms))
            {
                let Feeds::Named(feeds) = credential.feeds else { continue };
                for feed in feeds {
                    let since = named.entry(feed).or_insert(u64::MAX);
                    *since = credential.created_ms.min(*since);
                }
            }
        }
        Ok(Sending { dropped, named })
    }
}
