//! The words of the ledger: what a file version is called, which state it has, why it is quarantined, and where its
//! receipt is.
//!
//! The crate is pure, and every other crate of files may depend on it. It knows no contract, no format and no service.

#[macro_use]
mod words;
mod act;
mod dead;
mod decision;
pub mod dynamodb;
mod entry;
mod fault;
mod file;
mod history;
mod hold;
mod key;
mod keys;
mod lines;
mod order;
mod outbox;
mod replay;
mod reversal;
mod state;

pub use act::{
    Act, ActDetail, ActEnd, ActId, ActReason, ActRecord, ActResult, ActSubject, ActWord, Actor, Arn,
    DetailName, DetailValue, Verb,
};
pub use dead::{CleanUp, CleanUpRequest, DEAD_SHARDS, DeadLoad, GivenUp};
pub use decision::{Decision, Replaced, Visible};
pub use entry::{
    Acknowledgement, Claim, Claimed, Commit, Committed, ContentClaim, Entry, Fence, Fenced, Head, HeadMove,
    OpenFile, Outcome,
};
pub use fault::{FaultCode, FileFault};
pub use file::{FileId, FileVersion, LoadId, NULL_VERSION, VersionId, digest, is_digest};
pub use history::{ClosedBy, FileEvent, FileEventKind, MOST_PAST, PastOfFile, PastOutcome, StateMove};
pub use hold::{FileHeld, Hold, HoldPut, NO_OWNER};
pub use key::{HEARTBEAT, Key, NAME_BYTES, UNKNOWN, is_name};
pub use keys::{QuarantineFolder, RejectsForm, UNNAMED, receipt_key, receipts_of};
pub use lines::LineSum;
pub use order::{Order, Rank, format_instant, parse_instant};
pub use outbox::{outbox_receipt_key, outbox_rejects_key};
pub use replay::{Replay, ReplayClaim, ReplayClaimed, ReplayRequest, ReplayResult, Replayed, Worse};
pub use reversal::{Reversal, Reversed, StateChange};
pub use state::{Counts, State, Verdict};
