//! The folders of the inbox.

use std::collections::BTreeSet;

use super::super::{INBOX, Memory};
use crate::door::{Folders, Senders};
use crate::{Error, Operation};

impl Senders for Memory {
    async fn senders(&self, partner: Option<&str>) -> Result<Folders, Error> {
        self.call(Operation::ListInbox, |world| {
            let prefix = partner.map(|partner| format!("{partner}/")).unwrap_or_default();
            let keys =
                world.inbox.iter().filter(|((bucket, _), versions)| bucket == INBOX && !versions.is_empty());
            let below = keys.filter_map(|((_, key), _)| key.strip_prefix(&prefix)?.split_once('/'));
            let names: BTreeSet<_> =
                below.map(|(folder, _)| folder).filter(|folder| !folder.is_empty()).collect();
            Folders { names: names.into_iter().map(str::to_owned).collect(), complete: true }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn senders_are_the_folders_of_the_inbox_and_feeds_those_below() -> Result<(), Error> {
        let memory = Memory::new();
        for key in ["north/labs/a.csv", "north/labs/b.csv", "north/charges/x/c.csv", "stray.csv", "/a"] {
            memory.land(INBOX, key, "x");
        }
        memory.land("other", "south/labs/a.csv", "x");
        assert_eq!(memory.senders(None).await?.names, ["north"]);
        assert_eq!(memory.senders(Some("north")).await?.names, ["charges", "labs"]);
        assert_eq!(memory.senders(Some("nort")).await?.names, [""; 0]);
        Ok(())
    }
}
