//! Names of files, for what tells their own partner of them.

use std::future::Future;

use crate::{Error, FileId};

/// Reads how a partner called a file, and nothing else of it.
pub trait FileNames: Sync {
    /// The name of a file of this partner: its key without partner and feed. `None` when the ledger has no such file of this
    /// partner.
    fn name_of(
        &self,
        partner: &str,
        file: &FileId,
    ) -> impl Future<Output = Result<Option<String>, Error>> + Send;
}

/// The name in a key `<partner>/<feed>/<name>`, when it is this partner's.
pub(crate) fn name_in(key: &str, partner: &str) -> Option<String> {
    let (_feed, name) = key.strip_prefix(partner)?.strip_prefix('/')?.split_once('/')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn a_name_is_told_to_its_own_partner_only() {
        assert_eq!(name_in("north/labs/day.csv", "north").as_deref(), Some("day.csv"));
        assert_eq!(name_in("north/labs/2026/day 1.csv", "north").as_deref(), Some("2026/day 1.csv"));
        for (key, partner) in
            [("north/labs/day.csv", "nort"), ("north-clinic/labs/x", "north"), ("north/x", "north"), ("", "")]
        {
            assert_eq!(name_in(key, partner), None, "{key} {partner}");
        }
    }
}
