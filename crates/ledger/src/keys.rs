//! Keys of the quarantine bucket. Each is a function of the load and of what was decided, so that a second run writes
//! the same bytes to the same places.
//!
//! Keys are made of the load's name and not of the file's key, which has up to 1,024 bytes and may hold a patient's
//! name.

use crate::{FileId, LoadId, Order, State};

/// Stands for a partner and feed that a file's key does not name: in keys of the quarantine, and in the index of a
/// partner's files. No partner and no feed can have this name.
pub const UNNAMED: &str = "_unknown";

/// Where receipts are, below a folder for each partner.
const RECEIPTS: &str = "_receipts";

words! {
    /// The form in which rejected records are kept, to be corrected and sent back: the one of their feed.
    RejectsForm {
        /// A table in the feed's dialect.
        Csv = "csv",
        /// One JSON object on each line.
        Ndjson = "ndjson",
    }
}

impl RejectsForm {
    /// Returns the name of their object: in the folder of the quarantine, and at the end of its key in the outbox.
    #[must_use]
    pub const fn object_name(self) -> &'static str {
        match self {
            Self::Csv => "rejects.csv",
            Self::Ndjson => "rejects.ndjson",
        }
    }
}

/// Returns the prefix of all receipts of a partner's files.
#[must_use]
pub fn receipts_of(partner: &str) -> String {
    format!("{RECEIPTS}/{partner}/")
}

/// Returns where the receipt of a load in this state is: `_receipts/<partner>/<feed>/<load>/<state>[.<other>].json`.
///
/// State and other file are part of the name, so that a receipt once written is never written over with another
/// decision by an invocation that was taken over meanwhile. The ledger's entry names the one that is valid.
#[must_use]
pub fn receipt_key(partner: &str, feed: &str, load: &LoadId, state: State, other: Option<&FileId>) -> String {
    let (partner, feed) = folder(partner, feed);
    let other = other.map(|other| format!(".{other}")).unwrap_or_default();
    format!("{}{feed}/{load}/{}{other}.json", receipts_of(partner), state_name(state))
}

/// Where the quarantined bytes, the rejects and the report of one load are:
/// `<partner>/<feed>/<yyyy>/<mm>/<dd>/<load>/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineFolder(String);

impl QuarantineFolder {
    /// Returns the folder of a load.
    #[must_use]
    pub fn new(partner: &str, feed: &str, order: &Order, load: &LoadId) -> Self {
        let (partner, feed) = folder(partner, feed);
        Self(format!("{partner}/{feed}/{}/{load}/", order.day()))
    }

    /// Returns the prefix of all its keys, with the slash at its end.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0
    }

    /// Returns the key of the copy of the original.
    #[must_use]
    pub fn original(&self) -> String {
        format!("{}original", self.0)
    }

    /// Returns the key of the rejects with their positions and violations, as compressed JSON lines.
    #[must_use]
    pub fn reject_lines(&self) -> String {
        format!("{}rejects.ndjson.gz", self.0)
    }

    /// Returns the key of the rejects that are to be corrected and sent back.
    #[must_use]
    pub fn rejects(&self, form: RejectsForm) -> String {
        format!("{}{}", self.0, form.object_name())
    }

    /// Returns the key of the report for a state. As with receipts, the state is part of the name.
    #[must_use]
    pub fn report(&self, state: State) -> String {
        format!("{}report.{}.json", self.0, state_name(state))
    }
}

/// Returns a state as it stands in keys.
fn state_name(state: State) -> String {
    state.as_str().to_lowercase()
}

/// Partner and feed as they stand in keys.
fn folder<'a>(partner: &'a str, feed: &'a str) -> (&'a str, &'a str) {
    if partner.is_empty() { (UNNAMED, UNNAMED) } else { (partner, feed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: &str = "r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764";

    #[test]
    fn keys_are_stable_across_releases() {
        let load = LoadId::parse(LOAD).expect("a load");
        let order = Order::parse("2026-11-20T08:15:00.000Z/0000001a").expect("an order");
        let other = load.file();
        let receipt = |partner, other| receipt_key(partner, "visits", &load, State::Superseded, other);
        assert_eq!(receipt("north", None), format!("_receipts/north/visits/{LOAD}/superseded.json"));
        assert_eq!(
            receipt("", Some(&other)),
            format!("_receipts/_unknown/_unknown/{LOAD}/superseded.{other}.json")
        );
        assert!(receipt("north", None).starts_with(&receipts_of("north")));

        let folder = QuarantineFolder::new("north", "visits", &order, &load);
        assert_eq!(folder.prefix(), format!("north/visits/2026/11/20/{LOAD}/"));
        assert_eq!(folder.original(), format!("north/visits/2026/11/20/{LOAD}/original"));
        assert_eq!(folder.reject_lines(), format!("north/visits/2026/11/20/{LOAD}/rejects.ndjson.gz"));
        assert_eq!(folder.rejects(RejectsForm::Csv), format!("north/visits/2026/11/20/{LOAD}/rejects.csv"));
        assert_eq!(
            folder.rejects(RejectsForm::Ndjson),
            format!("north/visits/2026/11/20/{LOAD}/rejects.ndjson")
        );
        assert_eq!(
            folder.report(State::Quarantined),
            format!("north/visits/2026/11/20/{LOAD}/report.quarantined.json")
        );
        let unnamed = QuarantineFolder::new("", "", &order, &load);
        assert_eq!(unnamed.prefix(), format!("_unknown/_unknown/2026/11/20/{LOAD}/"));
    }
}
