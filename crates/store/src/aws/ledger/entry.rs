//! Items of the ledger table. Entries, heads and contents are written and read in this one place.
//!
//! ```text
//! pk = file#<file id>                      an entry, in the index by-partner; while it is open or waits also in open-by-partner
//! pk = head#<hash of key>                  the load that has a key
//! pk = content#<partner>/<feed>#<sha256>   the file that has this content
//! pk = load#<load>                         a dead load (`dead.rs`), in the index dead-by-shard until its rows are deleted
//! pk = hold#<partner>/<feed>               a feed whose files wait (`holds.rs`), in the index by-partner
//! pk = incident#<name>                     an incident of the notifier (`incidents.rs`)
//! pk = reconciliation                      how far the watcher's round through the inbox got (`ledger.rs`)
//! ```

use aws_sdk_dynamodb::types::AttributeValue;
use checker::Counts;

use crate::aws::dynamodb::{Attributes, ItemKey, ItemReader, attributes, number, text};
use crate::{
    Acknowledgement, ContentClaim, Entry, FileId, FilePlace, FileVersion, Head, ListedFile, LoadId, OpenFile,
    Order, Outcome, Replay, ReplayResult, Replayed, State, UNKNOWN,
};
use ledger::{LineSum, digest};

mod past;

pub(super) use past::{closed_map, moved_values, past_name};

pub(super) fn file_key(file: &FileId) -> ItemKey {
    ItemKey::new(format!("file#{file}"))
}

/// By hash: a key may have any character. Without the bucket's name, as the file id: a replica in another region has
/// the same head.
pub(super) fn head_key(key: &str) -> ItemKey {
    ItemKey::new(format!("head#{}", digest(&[key.as_bytes()], 51)))
}

pub(super) fn content_key(content: &ContentClaim) -> ItemKey {
    ItemKey::new(format!("content#{}/{}#{}", content.partner, content.feed, content.sha256))
}

/// Whether the file that is corrected is so by its rejects only; left out where it is not.
const CORRECTS_REJECTS: &str = "corrects_rejects";
/// Records that the contract leaves out; left out where there are none.
const DROPPED: &str = "dropped";
/// Sums of lines; left out where there are none.
const REJECTED_LINES: &str = "rejected_lines";
const RETURNED_LINES: &str = "returned_lines";

/// When an outcome was decided, in its attribute.
pub(super) const DECIDED: &str = "at_ms";

/// Returns what an outcome is as an attribute.
pub(super) fn outcome_map(outcome: &Outcome, decided_ms: u64) -> AttributeValue {
    let mut map: Attributes = [
        ("state", text(outcome.state.as_str())),
        ("records", number(outcome.counts.records)),
        ("rows", number(outcome.counts.rows)),
        ("rejects", number(outcome.counts.rejects)),
        ("warnings", number(outcome.counts.warnings)),
        ("sha256", text(&outcome.sha256)),
        ("bytes", number(outcome.bytes)),
        (DECIDED, number(decided_ms)),
        ("contract_version", text(&outcome.contract_version)),
        ("contract_hash", text(&outcome.contract_hash)),
        ("receipt", text(&outcome.receipt)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let optional = [
        ("fault", outcome.fault.as_deref()),
        ("quarantine", outcome.quarantine.as_deref()),
        ("other", outcome.other.as_ref().map(FileId::as_str)),
        ("replaced", outcome.replaced.as_ref().map(FileId::as_str)),
        ("corrects", outcome.corrects.as_ref().map(FileId::as_str)),
    ];
    map.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value?)))));
    if outcome.counts.dropped > 0 {
        map.insert(DROPPED.to_owned(), number(outcome.counts.dropped));
    }
    if outcome.corrects_rejects {
        map.insert(CORRECTS_REJECTS.to_owned(), AttributeValue::Bool(true));
    }
    for (name, lines) in [(REJECTED_LINES, outcome.rejected_lines), (RETURNED_LINES, outcome.returned_lines)]
    {
        if lines != LineSum::default() {
            map.insert(name.to_owned(), number(lines.number()));
        }
    }
    AttributeValue::M(map)
}

/// Returns what a head is as an item.
pub(super) fn head_item(key: &str, head: &Head) -> Attributes {
    let item = [
        ("key", key.to_owned()),
        ("version", head.version.clone()),
        ("file", head.file.to_string()),
        ("load", head.load.to_string()),
    ];
    head_key(key).item(item.map(|(name, value)| (name.to_owned(), text(value))).into())
}

/// Returns what a taken content is as an item.
pub(super) fn content_item(content: &ContentClaim, file: &FileId) -> Attributes {
    let item = [
        ("partner", content.partner.clone()),
        ("feed", content.feed.clone()),
        ("sha256", content.sha256.clone()),
        ("file", file.to_string()),
    ];
    content_key(content).item(item.map(|(name, value)| (name.to_owned(), text(value))).into())
}

/// Reads an entry; `None` for an item that is none.
pub(super) fn entry(item: &Attributes) -> Option<Entry> {
    let read = ItemReader(item);
    // Releases before the index of open files left both out for a key that names none.
    let is_named = ["partner", "feed"].iter().any(|name| item.contains_key(*name));
    let (partner, feed) =
        if is_named { (read.text("partner")?, read.text("feed")?) } else { Default::default() };
    let (partner, feed) = if partner == UNKNOWN { Default::default() } else { (partner, feed) };
    let state = State::parse(&read.text("state")?)?;
    Some(Entry {
        file: FileVersion {
            bucket: read.text("bucket")?,
            key: read.text("key")?,
            version: read.text("version")?,
            etag: read.text("etag"),
        },
        partner,
        feed,
        state,
        fence: read.number("fence")?,
        owner: read.text("owner")?,
        lease_until_ms: read.number("lease_until_ms")?,
        deaths: counter(item, "deaths")?,
        counted_fence: counter(item, "counted_fence")?,
        order: Order::parse(&read.text("order")?)?,
        load: LoadId::parse(&read.text("load")?)?,
        rows_written: read.number("rows_written")?,
        outcome: decided(item)?,
        announced: read.is_true("announced"),
        open: item.contains_key(OPEN) && state != State::Held,
        acknowledged: optional_map(item, "acknowledged", acknowledgement)?,
        generation: counter(item, "generation")?,
        loaded: read.is_true("loaded"),
        replay: optional_map(item, "replay", replay)?,
        replayed: optional_map(item, "replayed", replayed)?,
        past: past::read(item)?,
    })
}

/// Returns what a map of the item says. Outer `None`: what stands there does not say it.
#[expect(clippy::option_option, reason = "malformed and absent are two answers")]
fn optional_map<T>(
    item: &Attributes,
    name: &str,
    read: impl FnOnce(ItemReader<'_>) -> Option<T>,
) -> Option<Option<T>> {
    let Some(found) = item.get(name) else { return Some(None) };
    read(ItemReader(found.as_m().ok()?)).map(Some)
}

/// Returns what a replay is as an attribute.
pub(super) fn replay_map(replay: &Replay) -> AttributeValue {
    let map = [
        ("load", text(replay.load.as_str())),
        ("generation", number(u64::from(replay.generation))),
        ("request", text(&replay.request)),
        ("opens", AttributeValue::Bool(replay.opens)),
    ];
    AttributeValue::M(map.map(|(name, value)| (name.to_owned(), value)).into())
}

fn replay(read: ItemReader<'_>) -> Option<Replay> {
    Some(Replay {
        load: LoadId::parse(&read.text("load")?)?,
        generation: read.number("generation")?,
        request: read.text("request")?,
        opens: read.is_true("opens"),
    })
}

/// Returns what the end of a replay is as an attribute.
pub(super) fn replayed_map(ended: &Replayed) -> AttributeValue {
    let mut map = attributes([("request", text(&ended.request)), ("result", text(ended.result.as_str()))]);
    map.extend(ended.fault.iter().map(|fault| ("fault".to_owned(), text(fault))));
    AttributeValue::M(map)
}

fn replayed(read: ItemReader<'_>) -> Option<Replayed> {
    let result = ReplayResult::parse(&read.text("result")?)?;
    Some(Replayed { request: read.text("request")?, result, fault: read.text("fault") })
}

/// Returns a number that is 0 where nothing was counted; `None` where there is something that is no number.
fn counter<T: std::str::FromStr + Default>(item: &Attributes, name: &str) -> Option<T> {
    if item.contains_key(name) { ItemReader(item).number(name) } else { Some(T::default()) }
}

/// The attribute that puts an entry into the index of open files: its partner, or partner and feed of a file that
/// waits. No other item of the table may have
/// it: an index takes no other type of it (incidents have `open`, a truth value).
pub(super) const OPEN: &str = "open_for";

/// Returns what an acknowledgement is as an attribute.
pub(super) fn acknowledgement_map(said: &Acknowledgement) -> AttributeValue {
    let map = [("at_ms", number(said.at_ms)), ("by", text(&said.by)), ("reason", text(&said.reason))];
    AttributeValue::M(map.map(|(name, value)| (name.to_owned(), value)).into())
}

fn acknowledgement(read: ItemReader<'_>) -> Option<Acknowledgement> {
    Some(Acknowledgement { at_ms: read.number("at_ms")?, by: read.text("by")?, reason: read.text("reason")? })
}

/// Reads what the index of open files shows of an entry; `None` for an item that is none.
pub(super) fn open_file(item: &Attributes) -> Option<OpenFile> {
    let FilePlace { order, file } = place(item)?;
    Some(OpenFile { file, order: Order::parse(&order)? })
}

/// Returns the outcome of an item that has one; nothing for an item whose outcome is none.
#[expect(clippy::option_option, reason = "absent is not malformed")]
fn decided(item: &Attributes) -> Option<Option<Outcome>> {
    match item.get("outcome") {
        Some(AttributeValue::M(map)) => outcome(map).map(Some),
        Some(_) => None,
        None => Some(None),
    }
}

fn outcome(map: &Attributes) -> Option<Outcome> {
    let read = ItemReader(map);
    Some(Outcome {
        state: State::parse(&read.text("state")?)?,
        counts: Counts {
            records: read.number("records")?,
            rows: read.number("rows")?,
            rejects: read.number("rejects")?,
            dropped: read.number(DROPPED).unwrap_or(0),
            warnings: read.number("warnings")?,
        },
        fault: read.text("fault"),
        sha256: read.text("sha256")?,
        bytes: read.number("bytes")?,
        contract_version: read.text("contract_version")?,
        contract_hash: read.text("contract_hash")?,
        receipt: read.text("receipt")?,
        quarantine: read.text("quarantine"),
        other: optional_file(map, "other")?,
        replaced: optional_file(map, "replaced")?,
        corrects: optional_file(map, "corrects")?,
        corrects_rejects: matches!(map.get(CORRECTS_REJECTS), Some(AttributeValue::Bool(true))),
        rejected_lines: LineSum::of_number(read.number(REJECTED_LINES).unwrap_or_default()),
        returned_lines: LineSum::of_number(read.number(RETURNED_LINES).unwrap_or_default()),
    })
}

/// Outer `None`: there is something that is no file id.
#[expect(clippy::option_option, reason = "malformed and absent are two answers")]
fn optional_file(map: &Attributes, name: &str) -> Option<Option<FileId>> {
    match map.get(name) {
        Some(_) => ItemReader(map).file(name).map(Some),
        None => Some(None),
    }
}

/// Reads an entry as the index of a partner's files shows it; `None` for an item that is none.
pub(super) fn listed(item: &Attributes) -> Option<ListedFile> {
    let read = ItemReader(item);
    let FilePlace { order, file } = place(item)?;
    Some(ListedFile {
        file,
        feed: read.text("feed")?,
        key: read.text("key")?,
        state: State::parse(&read.text("state")?)?,
        order,
        outcome: decided(item)?,
    })
}

/// Reads where an item stands in the index of a partner's files.
pub(super) fn place(item: &Attributes) -> Option<FilePlace> {
    Some(FilePlace { order: ItemReader(item).text("order")?, file: file_of(item)? })
}

/// Returns the file of an entry's key.
pub(super) fn file_of(item: &Attributes) -> Option<FileId> {
    FileId::parse(ItemReader(item).text("pk")?.strip_prefix("file#")?)
}

/// Reads a head; `None` for an item that is none.
pub(super) fn head(item: &Attributes) -> Option<Head> {
    let read = ItemReader(item);
    Some(Head {
        version: read.text("version")?,
        file: read.file("file")?,
        load: LoadId::parse(&read.text("load")?)?,
    })
}

/// Reads the file that has a content; `None` for an item that is none.
pub(super) fn holder(item: &Attributes) -> Option<FileId> {
    ItemReader(item).file("file")
}

#[cfg(test)]
mod tests;
