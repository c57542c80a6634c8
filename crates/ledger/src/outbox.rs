//! Keys of the outbox bucket: what a partner who only uses S3 reads of its files.
//!
//! ```text
//! <partner>/<feed>/<name>.receipt.json           the receipt of the newest version of the name
//! <partner>/<feed>/<name>.<load>.rejects.csv     rejected records of one load, where the contract returns them;
//!                                                `.rejects.ndjson` of a JSON feed
//! ```
//!
//! A receipt is replaced when its name has a newer decision. Rejected records have their load in the key and are
//! never replaced, so that the records that a receipt names are those that it counts.

use crate::{LoadId, RejectsForm};

/// Longest key of an object, bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const KEY_BYTES: usize = 1_024;
const RECEIPT: &str = ".receipt.json";

/// Returns where the receipt of a file's name is. `None` when the key is so long that the outbox has no place for it.
#[must_use]
pub fn outbox_receipt_key(key: &str) -> Option<String> {
    Some(format!("{key}{RECEIPT}")).filter(|key| key.len() <= KEY_BYTES)
}

/// Returns where the rejected records of a load are. `None` when the key is so long that the outbox has no place for
/// them.
#[must_use]
pub fn outbox_rejects_key(key: &str, load: &LoadId, form: RejectsForm) -> Option<String> {
    Some(format!("{key}.{load}.{}", form.object_name())).filter(|key| key.len() <= KEY_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: &str = "r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764";

    #[test]
    fn keys_are_below_the_partner_and_no_two_are_the_same() {
        let load = LoadId::parse(LOAD).expect("a load");
        let receipt = |key: &str| outbox_receipt_key(key).expect("a place");
        assert_eq!(receipt("north/visits/day.csv"), "north/visits/day.csv.receipt.json");
        let rejects = outbox_rejects_key("north/visits/day.csv", &load, RejectsForm::Csv).expect("a place");
        assert_eq!(rejects, format!("north/visits/day.csv.{LOAD}.rejects.csv"));
        // A sender may call a file like an object of the outbox.
        assert_ne!(receipt(&rejects), rejects);
        assert_ne!(receipt("north/visits/day.csv.receipt.json"), receipt("north/visits/day.csv"));
    }

    #[test]
    fn a_key_that_is_too_long_has_no_place() {
        let load = LoadId::parse(LOAD).expect("a load");
        let key = |bytes: usize| format!("north/visits/{}", "x".repeat(bytes - "north/visits/".len()));
        assert!(outbox_receipt_key(&key(1_011)).is_some_and(|key| key.len() == 1_024));
        assert_eq!(outbox_receipt_key(&key(1_012)), None);
        assert!(outbox_rejects_key(&key(968), &load, RejectsForm::Ndjson).is_some());
        assert_eq!(outbox_rejects_key(&key(969), &load, RejectsForm::Ndjson), None);
    }
}
