//! Dead loads: loads whose rows are in the records table, and which nobody sees any more.
//!
//! A load is noted as dead in the write that hides it: by a newer version's commit, a replay's, or a retraction. After
//! a grace period its rows are deleted. Until that begins a retracted or superseded load can be shown again.

use serde::{Deserialize, Serialize};

use crate::{Entry, LoadId};

/// The member of a message that holds a request, so that no notification of S3 is taken for one.
const MEMBER: &str = "cleanUp";

/// Over how many partitions the index of dead loads is spread: each takes 1,000 writes a second.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
pub const DEAD_SHARDS: u32 = 16;

/// A load that is not visible any more. It says how the keys of its rows are found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLoad {
    /// The load.
    pub load: LoadId,
    /// SHA-256 of the contract document under which it was made, lower-case hexadecimal.
    pub contract: String,
    /// Its rows.
    pub rows: u64,
    /// When it was hidden, milliseconds since the epoch.
    pub since_ms: u64,
}

impl DeadLoad {
    /// Makes what is noted when the load of an entry is hidden; `None` when its rows are not in the records table.
    #[must_use]
    pub fn of(entry: &Entry, since_ms: u64) -> Option<Self> {
        let outcome = entry.outcome.as_ref().filter(|_| entry.loaded)?;
        let contract = outcome.contract_hash.clone();
        Some(Self { load: entry.load.clone(), contract, rows: outcome.counts.rows, since_ms })
    }

    /// Returns its partition in the index of dead loads.
    #[must_use]
    pub fn shard(&self) -> u32 {
        // The hash of names, which spreads evenly (FNV-1a).
        let hash = self
            .load
            .as_str()
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        hash % DEAD_SHARDS
    }
}

/// How far the clean-up of a dead load got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanUp {
    /// The load.
    pub dead: DeadLoad,
    /// Rows, in the order of the file, that are deleted.
    pub deleted: u64,
}

/// A request to delete the rows of a dead load, as a message for the processor. One that is delivered twice, or late,
/// does nothing more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CleanUpRequest {
    /// The load.
    pub load: LoadId,
    /// When it was hidden, milliseconds since the epoch: a load that was shown and hidden again since has another time.
    pub since_ms: u64,
}

impl CleanUpRequest {
    /// Returns the message that asks for it.
    #[must_use]
    pub fn message(&self) -> String {
        serde_json::json!({ MEMBER: self }).to_string()
    }

    /// Returns whether a message asks for a clean-up, readable or not.
    #[must_use]
    pub fn is_in(message: &serde_json::Value) -> bool {
        message.get(MEMBER).is_some()
    }

    /// Reads the request of a message; `None` for one that cannot be read.
    #[must_use]
    pub fn read(message: &serde_json::Value) -> Option<Self> {
        Self::deserialize(message.get(MEMBER)?).ok()
    }
}

/// The answer to the wish to delete the rows of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// Nothing can show the load any more: its rows may be deleted.
    Dead,
    /// It is visible: it was shown again since it was noted as dead.
    Visible,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: &str = "r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764";

    #[test]
    fn a_request_reads_back_and_its_form_is_stable() {
        let request = CleanUpRequest { load: LoadId::parse(LOAD).expect("a load"), since_ms: 7 };
        let message = request.message();
        assert_eq!(message, format!(r#"{{"cleanUp":{{"load":"{LOAD}","sinceMs":7}}}}"#));
        let value = serde_json::from_str(&message).expect("JSON");
        assert_eq!(CleanUpRequest::read(&value), Some(request));
    }

    #[test]
    fn what_cannot_be_read_is_known_to_be_a_request() {
        for text in [r#"{"cleanUp":{}}"#, r#"{"cleanUp":{"load":"../x","sinceMs":1}}"#, r#"{"cleanUp":null}"#]
        {
            let value = serde_json::from_str(text).expect("JSON");
            assert_eq!((CleanUpRequest::is_in(&value), CleanUpRequest::read(&value)), (true, None), "{text}");
        }
    }

    #[test]
    fn loads_are_spread_over_all_shards() {
        let mut counts = [0_u32; DEAD_SHARDS as usize];
        for number in 0..1_600_u32 {
            let file = crate::FileId::of(&crate::FileVersion {
                bucket: "inbox".into(),
                key: format!("north/visits/{number}.csv"),
                version: "v1".into(),
                etag: None,
            });
            let load = LoadId::new(&file, &[0; 32], 1, 0);
            let dead = DeadLoad { load, contract: String::new(), rows: 1, since_ms: 0 };
            counts[dead.shard() as usize] += 1;
        }
        assert!(counts.iter().all(|count| (60..160).contains(count)), "{counts:?}");
    }
}
