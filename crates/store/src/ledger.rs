//! The ledger table: one entry for each file version, the visible load of each key, and where incidents and the
//! reconciliation are.

use std::collections::BTreeMap;
use std::future::Future;

use crate::{
    Acknowledgement, Claim, Claimed, Commit, Committed, Entry, Error, Fence, Fenced, FileId, Head,
    InboxPlace, OpenFile, Outcome, ReplayClaim, ReplayClaimed, Replayed, Reversal, Reversed, State,
};

/// Most entries that are read at once (BatchGetItem).
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
pub const MOST_ENTRIES: usize = 100;

/// Which files of a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileQuery {
    /// From the authorizer.
    pub partner: String,
    /// Only this feed.
    pub feed: Option<String>,
    /// Only this state.
    pub state: Option<State>,
    /// Not older than this instant, ISO 8601 in UTC, compared with the beginning of the order.
    pub from: Option<String>,
    /// Older than this instant.
    pub before: Option<String>,
    /// Most files of the page, 1 to 100.
    pub limit: u16,
    /// Go on after this place.
    pub after: Option<FilePlace>,
}

/// A place in the list of a partner's files. It names no partner: a caller that presents it goes on in its own list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// The order of the last file.
    pub order: String,
    /// The last file.
    pub file: FileId,
}

/// A file in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedFile {
    /// Which.
    pub file: FileId,
    /// The feed.
    pub feed: String,
    /// The key in the inbox.
    pub key: String,
    /// Where it stands.
    pub state: State,
    /// `<ISO 8601 instant>/<number>`.
    pub order: String,
    /// What was decided, once terminal.
    pub outcome: Option<Outcome>,
}

/// A page of files, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePage {
    /// The files, fewer than the limit when a filter left some out.
    pub files: Vec<ListedFile>,
    /// Where to go on; `None` at the end.
    pub next: Option<FilePlace>,
}

/// Open files: quarantined, with no good file of their name since, not corrected, and not acknowledged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenFiles {
    /// The files, each with the partner under which it is listed, in no fixed order.
    pub files: Vec<(String, ListedFile)>,
    /// Whether these are all of them.
    pub complete: bool,
}

/// The answer to an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// Noted, now or by an earlier attempt.
    Noted,
    /// Somebody acknowledged it before; that stays.
    Before(Acknowledgement),
    /// It is not quarantined.
    NotQuarantined(State),
    /// The ledger has no such file.
    Unknown,
}

/// How far the reconciliation of the inbox with the ledger got.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Raised by each write, so that of two runs at a time one writes.
    pub revision: u64,
    /// When this round through the inbox began, milliseconds since the epoch.
    pub begun_ms: u64,
    /// Where to go on; `None`: the round is at its end.
    pub place: Option<InboxPlace>,
}

/// Reads and lists entries. A single entry and a head are read strongly consistent.
pub trait ReadLedger: Sync {
    /// Returns the entry of a file, strongly consistent.
    fn entry(&self, file: &FileId) -> impl Future<Output = Result<Option<Entry>, Error>> + Send;
    /// Returns the head of a key.
    fn head(&self, key: &str) -> impl Future<Output = Result<Option<Head>, Error>> + Send;
    /// Returns the entries of at most [`MOST_ENTRIES`] files, those that there are. Not strongly consistent: what was
    /// written a moment ago may be missing.
    fn entries(
        &self,
        files: &[FileId],
    ) -> impl Future<Output = Result<BTreeMap<FileId, Entry>, Error>> + Send;
    /// Returns a partner's files, newest first: one query of the index `by-partner`, never a scan.
    fn files(&self, query: &FileQuery) -> impl Future<Output = Result<FilePage, Error>> + Send;
    /// Returns the open files of a name: one query of the index `open-by-partner`, which may lag behind by moments.
    /// `partner` is the one that lists the file ([`Entry::listed_partner`]).
    fn open_of_name(
        &self,
        partner: &str,
        key: &str,
    ) -> impl Future<Output = Result<Vec<OpenFile>, Error>> + Send;
    /// Returns at most about `most` open files, of one partner or of all. Reads the sparse index of open files and
    /// nothing of the other entries.
    fn open_files(
        &self,
        partner: Option<&str>,
        most: usize,
    ) -> impl Future<Output = Result<OpenFiles, Error>> + Send;
}

/// Claims files and decides them: what only the processor does.
pub trait WriteLedger: ReadLedger {
    /// Claims a file by one conditional write: fence + 1, lease, nonce; order pinned if it was not. Allowed when the
    /// entry is absent, or processing with an expired lease (or a released one). A claim that is already ours by
    /// nonce is answered as it stands, so that a lost response costs nothing; with another load it is claimed again.
    /// A claim of another load than the entry's begins anew: no rows written, no deaths counted.
    fn claim(&self, claim: &Claim) -> impl Future<Output = Result<Claimed, Error>> + Send;
    /// Claims the replay of a file that was decided, by one conditional write: fence + 1, lease, nonce. Allowed while
    /// the entry is as it was seen and no other invocation has a live lease. State, load and outcome stay as they are:
    /// what was visible stays visible until [`WriteLedger::commit`] or [`WriteLedger::finish`] decides the replay.
    fn claim_replay(&self, claim: &ReplayClaim) -> impl Future<Output = Result<ReplayClaimed, Error>> + Send;
    /// Ends a replay that leaves the file as it was, and notes how it ended.
    fn end_replay(
        &self,
        fence: &Fence,
        ended: &Replayed,
        at_ms: u64,
    ) -> impl Future<Output = Result<Fenced, Error>> + Send;
    /// Records that the first `rows_written` rows of the load are written, extends the lease, and begins the count of
    /// deaths anew: claims before this one no longer count.
    fn checkpoint(
        &self,
        fence: &Fence,
        rows_written: u64,
        lease_until_ms: u64,
    ) -> impl Future<Output = Result<Fenced, Error>> + Send;
    /// Ends the lease early, so that a redelivery can go on at once.
    fn release(&self, fence: &Fence) -> impl Future<Output = Result<Fenced, Error>> + Send;
    /// Records that the process of a claim died while it worked on the file. It counts once for each claim, also when
    /// the file was claimed again meanwhile, and not at all when a later death was recorded before, when a later
    /// claim wrote a checkpoint or changed the load, or when the file is terminal or unknown.
    fn died(&self, fence: &Fence) -> impl Future<Output = Result<(), Error>> + Send;
    /// Writes a terminal state without visible rows. A quarantined file is open from then on. Under the fence of a
    /// replay it also takes the replay's load and generation, as a commit does.
    fn finish(
        &self,
        fence: &Fence,
        outcome: &Outcome,
        at_ms: u64,
    ) -> impl Future<Output = Result<Fenced, Error>> + Send;
    /// Writes the terminal state that makes rows visible. A content whose holder is no longer complete is free to take.
    /// When several things stand in the way, the answer is the first of: lost, duplicate, head moved.
    fn commit(&self, commit: &Commit) -> impl Future<Output = Result<Committed, Error>> + Send;
    /// Notes that the outcome was published with this state; nothing is noted when the state has changed since, for who
    /// changed it announces it. An unknown file is an error.
    fn announced(&self, file: &FileId, state: State) -> impl Future<Output = Result<(), Error>> + Send;
    /// Notes that a file is open no longer; nothing is noted for a file that is not open. Closing twice is closing
    /// once.
    fn close(&self, file: &FileId, by: &FileId, at_ms: u64)
    -> impl Future<Output = Result<(), Error>> + Send;
}

/// Notes what an operator says of a file.
pub trait Acknowledge: Sync {
    /// Notes an acknowledgement by one conditional write, after which the file is open no longer. Allowed for a
    /// quarantined file without an acknowledgement; a repetition of the same one is answered as noted.
    fn acknowledge(
        &self,
        file: &FileId,
        said: &Acknowledgement,
    ) -> impl Future<Output = Result<Acknowledged, Error>> + Send;
}

/// Hides loads and shows them again: what only an operator does.
pub trait ReverseLoads: Sync {
    /// Changes the states of one or two entries, and the head of their name, in one transaction. A replay that is
    /// under way loses its claim. Both files are to be announced again.
    fn reverse(&self, reversal: &Reversal) -> impl Future<Output = Result<Reversed, Error>> + Send;
}

/// Reads how a partner called a file, and nothing else of it: the webhook's role may read no other attribute.
pub trait FileNames: Sync {
    /// Returns the name of a file of this partner: its key without partner and feed. `None` when the ledger has no
    /// such file of this partner.
    fn name_of(
        &self,
        partner: &str,
        file: &FileId,
    ) -> impl Future<Output = Result<Option<String>, Error>> + Send;
}

/// Keeps how far the reconciliation of the inbox with the ledger got.
pub trait Reconciliation: Sync {
    /// Returns how far the reconciliation got; `None` when it never ran.
    fn cursor(&self) -> impl Future<Output = Result<Option<Cursor>, Error>> + Send;
    /// Writes how far it got, if it still is what was seen. `false`: it is not.
    fn put_cursor(
        &self,
        next: &Cursor,
        seen: Option<&Cursor>,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Returns the name in a key `<partner>/<feed>/<name>`, when it is this partner's.
pub(crate) fn name_in(key: &str, partner: &str) -> Option<String> {
    let (_feed, name) = key.strip_prefix(partner)?.strip_prefix('/')?.split_once('/')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn a_name_is_returned_to_its_own_partner_only() {
        assert_eq!(name_in("north/labs/day.csv", "north").as_deref(), Some("day.csv"));
        assert_eq!(name_in("north/labs/2026/day 1.csv", "north").as_deref(), Some("2026/day 1.csv"));
        for (key, partner) in
            [("north/labs/day.csv", "nort"), ("north-clinic/labs/x", "north"), ("north/x", "north"), ("", "")]
        {
            assert_eq!(name_in(key, partner), None, "{key} {partner}");
        }
    }
}
