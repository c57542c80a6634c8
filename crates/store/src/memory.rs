//! The in-memory twin of what is on AWS: the same answers, and a fault plan.
//!
//! Every call of every trait is counted and named, from 1: each chunk of a body, each part of an upload, each batch
//! of rows. The fault plan makes the n-th call fail, before or after its effect, once ([`Memory::fail_at`]) or until
//! revived ([`Memory::die_at`]: the process is dead). A hook runs before the n-th call ([`Memory::before`]): a second
//! delivery, an overwrite, a deletion. [`Memory::state`] is what must be the same whatever the schedule was.

mod audit;
mod contracts;
mod dead;
mod holds;
mod inbox;
mod inbox_access;
mod incidents;
mod ledger;
mod letters;
mod metrics;
mod outbox;
mod partners;
mod quarantine;
mod queues;
mod records;
mod requests;
mod secrets;
mod signed;
mod source;
mod stack;
mod topics;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

pub use audit::CALLER;
pub use inbox::{INBOX, InboxVersion, MemoryBody};
pub use quarantine::MemoryUpload;
pub use signed::SignedAnswer;
pub use stack::Parts;

use crate::{
    ActRecord, AlarmNow, Announcement, Credential, CredentialHash, Cursor, Datapoint, DeadLetter, Depth,
    Entry, Error, FileId, FileVersion, Head, Hold, Incident, LoadId, MetricQuery, Operation, Partner,
    RecordItem, RequestKey, StackQueue, State, UploadId, UploadRecord, Usage, VersionId, WatchedQueue,
    Webhook,
};
use ::ledger::{NULL_VERSION, digest};

/// The code of an injected error.
pub const INJECTED: &str = "injected";

/// Bytes of a body's chunk unless [`Memory::chunks_of`] says otherwise.
const CHUNK_BYTES: usize = 64 * 1024;

/// When the planned fault comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call has no effect.
    BeforeEffect,
    /// The call has its effect, and the answer is lost.
    AfterEffect,
}

/// An object in the quarantine.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its content type; empty for a copied original.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Everything that a store keeps, in memory. Clones share it.
#[derive(Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    kept: Mutex<MemoryState>,
    wire: Mutex<Wire>,
}

/// What is kept.
#[derive(Default)]
struct MemoryState {
    inbox: BTreeMap<(String, String), Vec<Version>>,
    versions_made: u64,
    chunk_bytes: Option<usize>,
    part_bytes: Option<usize>,
    /// The versions of each feed's contract, newest first.
    contracts: BTreeMap<String, Vec<contracts::ContractVersion>>,
    quarantine: BTreeMap<String, StoredObject>,
    outbox_receipts: BTreeMap<String, outbox::MemoryReceipt>,
    outbox_rejects: BTreeMap<String, StoredObject>,
    source_bytes: BTreeMap<(String, String), u64>,
    /// Uploads in parts into the quarantine that were begun and neither completed nor given up.
    open_uploads: BTreeSet<String>,
    uploads_begun: u64,
    entries: BTreeMap<FileId, Entry>,
    heads: BTreeMap<String, Head>,
    /// Holds by partner and feed.
    holds: BTreeMap<(String, String), Hold>,
    /// Files that the list of waiting files has for this number of calls more, whatever their state.
    lagging: (usize, BTreeSet<FileId>),
    contents: BTreeMap<(String, String, String), FileId>,
    dead_loads: BTreeMap<LoadId, dead::DeadItem>,
    rows: BTreeMap<(String, String), RecordItem>,
    deferred: Vec<(String, u32)>,
    published: Vec<Announcement>,
    partners: BTreeMap<String, Partner>,
    credentials: BTreeMap<CredentialHash, Credential>,
    roles: BTreeMap<String, Credential>,
    webhooks: BTreeMap<String, Webhook>,
    /// Who may upload by S3, by partner.
    principals: BTreeMap<String, BTreeSet<String>>,
    /// When the next request of a partner is due, microseconds.
    arrivals: BTreeMap<String, u64>,
    /// Bytes of a partner's day.
    days: BTreeMap<(String, u64), u64>,
    requests: BTreeMap<RequestKey, requests::StoredRequest>,
    upload_records: BTreeMap<(String, UploadId), UploadRecord>,
    multiparts: BTreeMap<String, inbox::OpenMultipart>,
    signed: BTreeMap<String, signed::PresignedRequest>,
    /// Queues of which something was said.
    depths: BTreeMap<StackQueue, Option<Depth>>,
    incidents: BTreeMap<String, Incident>,
    /// Acts by their sort key.
    acts: BTreeMap<String, ActRecord>,
    secrets: BTreeMap<String, String>,
    mailed: Vec<(String, String)>,
    /// Values of the one metric that there is, and which metrics were asked for.
    measured: Vec<Datapoint>,
    asked: Vec<MetricQuery>,
    /// Alarms as CloudWatch has them now, by name.
    alarms: BTreeMap<String, AlarmNow>,
    cursor: Option<Cursor>,
    /// Messages that were sent, by queue.
    sent: BTreeMap<StackQueue, Vec<String>>,
    /// Messages that wait besides those that were sent.
    backlog: u64,
    dead: BTreeMap<WatchedQueue, Vec<DeadLetter>>,
    /// Dead letters that somebody took and that are hidden for a while.
    taken: BTreeMap<WatchedQueue, Vec<DeadLetter>>,
    page_versions: Option<usize>,
    bucket_policy: Option<String>,
    outbox_policy: Option<String>,
    no_outbox: bool,
    inbox_key: Option<String>,
    grants: BTreeMap<String, (String, String)>,
    no_stack: bool,
    parts: Parts,
}

/// One version of an inbox object; a key's versions stand newest first.
struct Version {
    id: VersionId,
    etag: String,
    bytes: Bytes,
    last_modified_ms: u64,
    archived: bool,
    content_type: String,
    upload: Option<UploadId>,
    corrects: Option<String>,
}

/// What happens on the way.
#[derive(Default)]
struct Wire {
    calls: Vec<Operation>,
    usage: Usage,
    fault: Option<Fault>,
    storm: Option<Storm>,
    dead: bool,
    hooks: BTreeMap<usize, Hook>,
}

#[derive(Clone, Copy)]
struct Fault {
    call: usize,
    when: When,
    deadly: bool,
}

/// Calls that fail at random, the same for the same seed.
#[derive(Clone, Copy)]
struct Storm {
    state: u64,
    percent: u64,
}

impl Storm {
    /// Returns whether the next call fails, and when. (SplitMix64, by Guy Steele, Doug Lea and Christine Flood.)
    fn strike(&mut self) -> Option<When> {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let mixed = mixed ^ (mixed >> 31);
        let when = if mixed & (1 << 63) == 0 { When::BeforeEffect } else { When::AfterEffect };
        (mixed % 100 < self.percent).then_some(when)
    }
}

type Hook = Box<dyn FnOnce(Memory) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// The fault plan, the hooks and the count of calls.
impl Memory {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes call `n` (from 1, over the life of the store) fail once.
    pub fn fail_at(&self, n: usize, when: When) {
        self.wire().fault = Some(Fault { call: n, when, deadly: false });
    }

    /// Makes call `n` and every later one fail, until [`Memory::revive`].
    pub fn die_at(&self, n: usize, when: When) {
        self.wire().fault = Some(Fault { call: n, when, deadly: true });
    }

    /// Makes `percent` of the calls fail, before or after their effect, until [`Memory::calm`]. The same seed gives the
    /// same failures.
    pub fn storm(&self, seed: u64, percent: u64) {
        self.wire().storm = Some(Storm { state: seed, percent });
    }

    /// Ends a storm.
    pub fn calm(&self) {
        self.wire().storm = None;
    }

    /// Returns whether a deadly fault has come.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.wire().dead
    }

    /// Lets calls through again and removes the fault plan.
    pub fn revive(&self) {
        let mut wire = self.wire();
        wire.dead = false;
        wire.fault = None;
    }

    /// Runs a hook before call `n`. Calls that the hook makes are counted after it.
    pub fn before<F>(&self, n: usize, hook: impl FnOnce(Self) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.wire().hooks.insert(n, Box::new(move |memory| Box::pin(hook(memory))));
    }

    /// Returns the calls so far, in order. Calls of a dead process are not among them.
    #[must_use]
    pub fn calls(&self) -> Vec<Operation> {
        self.wire().calls.clone()
    }

    /// Returns the newest call.
    #[must_use]
    pub fn last_call(&self) -> Option<Operation> {
        self.wire().calls.last().copied()
    }

    /// Makes a call that is a request of its own.
    async fn call<T>(
        &self,
        operation: Operation,
        effect: impl FnOnce(&mut MemoryState) -> T,
    ) -> Result<T, Error> {
        self.wire().usage.count(operation);
        self.step(operation, effect).await
    }

    /// Makes a call under the fault plan and the hooks.
    async fn step<T>(
        &self,
        operation: Operation,
        effect: impl FnOnce(&mut MemoryState) -> T,
    ) -> Result<T, Error> {
        let (call, hook, storm) = {
            let mut wire = self.wire();
            if wire.dead {
                return Err(Error::new(operation, INJECTED));
            }
            wire.calls.push(operation);
            let call = wire.calls.len();
            let storm = wire.storm.as_mut().and_then(Storm::strike);
            (call, wire.hooks.remove(&call), storm)
        };
        if let Some(hook) = hook {
            hook(self.clone()).await;
        }
        let fails = |when| self.blows(call, when) || storm == Some(when);
        if fails(When::BeforeEffect) {
            return Err(Error::new(operation, INJECTED));
        }
        let answer = effect(&mut self.kept());
        if fails(When::AfterEffect) { Err(Error::new(operation, INJECTED)) } else { Ok(answer) }
    }

    fn blows(&self, call: usize, when: When) -> bool {
        let mut wire = self.wire();
        let fault = wire.fault.take_if(|fault| fault.call == call && fault.when == when);
        wire.dead |= fault.is_some_and(|fault| fault.deadly);
        fault.is_some()
    }

    fn kept(&self) -> MutexGuard<'_, MemoryState> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What senders and operators do. None of it is a counted call.
impl Memory {
    /// Lands a version in a versioned bucket. Each is "last modified" one second after the one before.
    pub fn land(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> FileVersion {
        self.kept().land(bucket, key, bytes.into(), true)
    }

    /// Lands an object in a bucket without versioning: it replaces what was there, and only its entity tag tells.
    pub fn land_unversioned(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> FileVersion {
        self.kept().land(bucket, key, bytes.into(), false)
    }

    /// Deletes a version.
    pub fn delete(&self, file: &FileVersion) {
        let mut kept = self.kept();
        if let Some(versions) = kept.inbox.get_mut(&(file.bucket.clone(), file.key.clone())) {
            versions.retain(|version| version.id != file.version);
        }
    }

    /// Moves a version to an archive storage class.
    pub fn archive(&self, file: &FileVersion) {
        let mut kept = self.kept();
        let versions = kept.inbox.get_mut(&(file.bucket.clone(), file.key.clone()));
        for version in versions.into_iter().flatten().filter(|version| version.id == file.version) {
            version.archived = true;
        }
    }

    /// Makes bodies come in chunks of this number of bytes (at least 1).
    pub fn chunks_of(&self, bytes: usize) {
        self.kept().chunk_bytes = Some(bytes.max(1));
    }

    /// Sets the size of a part in bytes (at least 1), for uploads begun from now on.
    pub fn parts_of(&self, bytes: usize) {
        self.kept().part_bytes = Some(bytes.max(1));
    }

    /// Takes a complete load back, as an operator does.
    pub fn retract(&self, file: &FileId) {
        let mut kept = self.kept();
        if let Some(entry) = kept.entries.get_mut(file).filter(|entry| entry.state == State::Complete) {
            entry.state = State::Retracted;
        }
    }
}

/// What is there.
impl Memory {
    /// Returns the objects in the quarantine by key.
    #[must_use]
    pub fn quarantine(&self) -> BTreeMap<String, StoredObject> {
        self.kept().quarantine.clone()
    }

    /// Returns how many uploads into the quarantine have parts stored and were neither completed nor given up.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.kept().open_uploads.len()
    }

    /// Returns the entries of the ledger, by file id.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.kept().entries.values().cloned().collect()
    }

    /// Returns all rows, visible or not, by partition and sort key.
    #[must_use]
    pub fn rows(&self) -> Vec<RecordItem> {
        self.kept().rows.values().cloned().collect()
    }

    /// Returns the receipt handles that were deferred and by how many seconds, in order.
    #[must_use]
    pub fn deferred(&self) -> Vec<(String, u32)> {
        self.kept().deferred.clone()
    }

    /// Returns what was published, in order, repeats included.
    #[must_use]
    pub fn published(&self) -> Vec<Announcement> {
        self.kept().published.clone()
    }

    /// Returns the final state as text: entries without what the schedule decides (fence, nonce, lease, deaths), heads,
    /// contents, quarantine, rows, and announcements without repeats. Bytes and rows stand as hashes, so that it can
    /// be printed.
    #[must_use]
    pub fn state(&self) -> String {
        self.kept().describe().unwrap_or_default()
    }
}

impl MemoryState {
    fn land(&mut self, bucket: &str, key: &str, bytes: Bytes, versioned: bool) -> FileVersion {
        let made = self.next_version();
        let etag = digest(&[&bytes], 32);
        let version = if versioned { made } else { NULL_VERSION.to_owned() };
        let versions = self.inbox.entry((bucket.to_owned(), key.to_owned())).or_default();
        if !versioned {
            versions.clear();
        }
        let last_modified_ms = self.versions_made * 1_000;
        let landed = Version {
            id: version.clone(),
            etag: etag.clone(),
            bytes,
            last_modified_ms,
            archived: false,
            content_type: String::new(),
            upload: None,
            corrects: None,
        };
        versions.insert(0, landed);
        FileVersion { bucket: bucket.to_owned(), key: key.to_owned(), version, etag: Some(etag) }
    }

    fn next_version(&mut self) -> VersionId {
        self.versions_made += 1;
        format!("version-{:06}", self.versions_made)
    }

    fn version(&self, file: &FileVersion) -> Option<&Version> {
        let versions = self.inbox.get(&(file.bucket.clone(), file.key.clone()))?;
        let pinned = |version: &&Version| {
            version.id == file.version && file.pinning_etag().is_none_or(|etag| version.etag == etag)
        };
        versions.iter().find(pinned)
    }

    fn describe(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        for (id, entry) in &self.entries {
            let Entry { state, partner, feed, order, load, outcome, announced, open, .. } = entry;
            let Entry { generation, loaded, replay, replayed, .. } = entry;
            writeln!(
                text,
                "entry {id} {state:?} {partner}/{feed} order {order} load {load} announced {announced} open {open} \
                 generation {generation} loaded {loaded} {replay:?} {replayed:?} {outcome:?}"
            )?;
        }
        for (partner, feed) in self.holds.keys() {
            writeln!(text, "hold {partner}/{feed}")?;
        }
        for (key, Head { version, load, .. }) in &self.heads {
            writeln!(text, "head {key:?} {version} {load}")?;
        }
        for ((partner, feed, sha256), file) in &self.contents {
            writeln!(text, "content {partner}/{feed} {sha256} {file}")?;
        }
        for item in self.dead_loads.values() {
            writeln!(text, "dead {item:?}")?;
        }
        for (key, StoredObject { content_type, bytes }) in &self.quarantine {
            writeln!(text, "object {key:?} {content_type} {} bytes {}", bytes.len(), digest(&[bytes], 26))?;
        }
        for item in self.rows.values() {
            writeln!(text, "row {}", records::digest(item))?;
        }
        let mut published: Vec<_> = self.published.iter().map(|one| format!("{one:?}")).collect();
        published.sort();
        published.dedup();
        published.iter().try_for_each(|one| writeln!(text, "published {one}"))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
