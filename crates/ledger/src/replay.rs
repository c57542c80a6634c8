//! Replays: a file version that was decided is processed again, as a new load that takes the place of the old one.

use serde::{Deserialize, Serialize};

use crate::{Entry, FileId, FileVersion, LoadId, State};

/// The member of a message that holds a request, so that no notification of S3 is taken for one.
const MEMBER: &str = "replay";

/// A replay that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Its load, which is not visible before it is committed.
    pub load: LoadId,
    /// Its generation: one more than that of the entry's load.
    pub generation: u32,
    /// The request: [`ReplayRequest::id`].
    pub request: String,
    /// Whether the file is open from then on if the replay quarantines it: it was loaded. A file that was quarantined
    /// before stays open or closed, as it was.
    pub opens: bool,
}

impl Replay {
    /// Returns how it ended when its load took the place of the old one.
    #[must_use]
    pub fn decided(&self) -> Replayed {
        Replayed { request: self.request.clone(), result: ReplayResult::Decided, fault: None }
    }
}

/// How a replay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The request.
    pub request: String,
    /// How it ended.
    pub result: ReplayResult,
    /// The code of the fault for which the file would have been quarantined, when it was kept as it was.
    pub fault: Option<String>,
}

words! {
    /// How a replay ended, as it stands in the ledger.
    ReplayResult {
        /// The new load took the place of the old one: the entry's state and outcome are those of the replay.
        Decided = "DECIDED",
        /// The file stays as it was, since the new load would have taken its rows away.
        Kept = "KEPT",
        /// The file stays as it was, since the inbox does not hold the version any more.
        Gone = "GONE",
        /// The file stays as it was, since another contract is in force than the one that was asked for.
        ContractChanged = "CONTRACT_CHANGED",
    }
}

words! {
    /// What is done with a loaded file whose replay would quarantine it.
    Worse {
        /// It stays as it is. No replay takes rows away unasked.
        Keep = "keep",
        /// It is quarantined, and its rows are visible no longer.
        Quarantine = "quarantine",
    }
}

/// A request to replay one file, as a message for the processor.
///
/// It names what was seen when it was made. A file that has changed since is left alone, so that a request that is
/// delivered twice, or late, does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayRequest {
    /// The request's own name, the same for all files of one command.
    pub id: String,
    /// The inbox bucket.
    pub bucket: String,
    /// The file's key.
    pub key: String,
    /// The file's version id; `null` in a bucket without versioning, then pinned by `etag`.
    pub version: String,
    /// The entity tag, where one pins the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The state that was seen.
    pub state: State,
    /// The load that was seen.
    pub load: LoadId,
    /// SHA-256 of the contract document under which the file is to be checked, lower-case hexadecimal.
    pub contract: String,
    /// What is done with a loaded file that would be quarantined.
    pub worse: Worse,
}

impl ReplayRequest {
    /// Makes the request to replay a file whose entry was seen.
    #[must_use]
    pub fn new(id: &str, entry: &Entry, contract: &str, worse: Worse) -> Self {
        let FileVersion { bucket, key, version, etag } = entry.file.clone();
        let (state, load) = (entry.state, entry.load.clone());
        Self {
            id: id.to_owned(),
            bucket,
            key,
            version,
            etag,
            state,
            load,
            contract: contract.to_owned(),
            worse,
        }
    }

    /// Returns the file version.
    #[must_use]
    pub fn file(&self) -> FileVersion {
        FileVersion {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            version: self.version.clone(),
            etag: self.etag.clone(),
        }
    }

    /// Returns the message that asks for it.
    #[must_use]
    pub fn message(&self) -> String {
        serde_json::json!({ MEMBER: self }).to_string()
    }

    /// Returns whether a message asks for a replay, readable or not.
    #[must_use]
    pub fn is_in(message: &serde_json::Value) -> bool {
        message.get(MEMBER).is_some()
    }

    /// Reads the request of a message; `None` for one that cannot be read.
    #[must_use]
    pub fn read(message: &serde_json::Value) -> Option<Self> {
        Self::deserialize(message.get(MEMBER)?).ok()
    }

    /// Returns whether the entry is still as it was seen, with nothing decided since.
    #[must_use]
    pub fn is_current(&self, entry: &Entry) -> bool {
        entry.state == self.state && entry.load == self.load
    }
}

impl State {
    /// Returns whether a file in this state can be replayed. What is gone or no partner's file has nothing to read,
    /// and what is not decided yet is processed anyway.
    #[must_use]
    pub fn can_be_replayed(self) -> bool {
        match self {
            Self::Complete | Self::Quarantined | Self::Superseded | Self::Duplicate | Self::Retracted => true,
            Self::Processing | Self::Held | Self::Gone | Self::Ignored => false,
        }
    }
}

/// A request to work on a replay.
#[derive(Clone, Debug)]
pub struct ReplayClaim {
    /// The file.
    pub file: FileId,
    /// The state that the entry must have.
    pub state: State,
    /// The load that the entry must have.
    pub seen: LoadId,
    /// The replay. A checkpoint of another one is ignored: `rows_written` starts at 0.
    pub replay: Replay,
    /// Fresh random nonce of this invocation.
    pub owner: String,
    /// Now, milliseconds since the epoch.
    pub now_ms: u64,
    /// End of the lease.
    pub lease_until_ms: u64,
}

/// The answer to the claim of a replay.
#[derive(Clone, Debug)]
pub enum ReplayClaimed {
    /// Mine to work on; the entry after the claim.
    Mine(Entry),
    /// Another invocation has a live lease until then (milliseconds since the epoch).
    Held {
        /// End of the other's lease.
        until_ms: u64,
    },
    /// The entry is not as it was seen: the replay was decided before, or something else happened to the file.
    Over(Entry),
    /// The ledger has no such file.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ReplayRequest {
        ReplayRequest {
            id: "r1".into(),
            bucket: "inbox".into(),
            key: "north/visits/ä b.csv".into(),
            version: "v1".into(),
            etag: None,
            state: State::Quarantined,
            load: LoadId::parse("r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764").expect("a load"),
            contract: "ab".repeat(32),
            worse: Worse::Keep,
        }
    }

    #[test]
    fn a_request_reads_back_and_its_form_is_stable() {
        let message = request().message();
        assert_eq!(
            message,
            format!(
                r#"{{"replay":{{"bucket":"inbox","contract":"{}","id":"r1","key":"north/visits/ä b.csv","load":"r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764","state":"QUARANTINED","version":"v1","worse":"keep"}}}}"#,
                "ab".repeat(32)
            )
        );
        let value = serde_json::from_str(&message).expect("JSON");
        assert_eq!(ReplayRequest::read(&value), Some(request()));
    }

    #[test]
    fn what_cannot_be_read_is_known_to_be_a_request() {
        for text in [r#"{"replay":{}}"#, r#"{"replay":null}"#, r#"{"replay":{"id":"x","more":1}}"#] {
            let value = serde_json::from_str(text).expect("JSON");
            assert_eq!((ReplayRequest::is_in(&value), ReplayRequest::read(&value)), (true, None), "{text}");
        }
        assert!(!ReplayRequest::is_in(&serde_json::json!({ "Records": [] })));
    }

    #[test]
    fn only_what_was_decided_and_can_be_read_can_be_replayed() {
        let can: Vec<_> = State::ALL.into_iter().filter(|state| state.can_be_replayed()).collect();
        let expected =
            [State::Complete, State::Quarantined, State::Superseded, State::Duplicate, State::Retracted];
        assert_eq!(can, expected);
    }
}
