//! What the world is told about a terminal file: ids, counts and codes.

use checker::{Counts, Verdict};
use serde::Serialize;
use store::{Announcement, Entry, FileId, State};

/// The version of the announcement's form. Members may be added to it without a new version.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    version: u32,
    file_id: &'a str,
    load: &'a str,
    partner: &'a str,
    feed: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// Records that are visible.
    loaded: u64,
    /// Records by fate, as read.
    counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
    contract_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Location<'a>>,
}

#[derive(Serialize)]
struct Location<'a> {
    bucket: &'a str,
    key: &'a str,
}

/// The announcement of a terminal entry; `None` for one that is not terminal, and for clutter that nobody sent.
///
/// It is made from the entry alone, so that a later invocation says the same.
pub(crate) fn announcement(
    entry: &Entry,
    quarantine: &str,
) -> Result<Option<Announcement>, serde_json::Error> {
    let Some(outcome) = &entry.outcome else { return Ok(None) };
    if matches!(entry.state, State::Processing | State::Ignored) {
        return Ok(None);
    }
    let verdict = Verdict::told(entry.state.as_str(), Some(&outcome.counts)).map(Verdict::as_str);
    let load = entry.load.as_str();
    let body = Body {
        version: VERSION,
        file_id: load.split('-').next().unwrap_or_default(),
        load,
        partner: &entry.partner,
        feed: &entry.feed,
        state: entry.state.as_str(),
        verdict,
        loaded: if entry.state == State::Complete { outcome.counts.rows } else { 0 },
        counts: outcome.counts,
        fault: outcome.fault.as_deref(),
        contract_version: &outcome.contract_version,
        other: outcome.other.as_ref().map(FileId::as_str),
        corrects: outcome.corrects.as_ref().map(FileId::as_str),
        receipt: (!outcome.receipt.is_empty())
            .then_some(Location { bucket: quarantine, key: &outcome.receipt }),
    };
    // SNS refuses an attribute without a value, so what is not there is left out.
    let attributes = [
        ("partner", entry.partner.as_str()),
        ("feed", entry.feed.as_str()),
        ("state", entry.state.as_str()),
        ("verdict", verdict.unwrap_or_default()),
        ("fault", outcome.fault.as_deref().unwrap_or_default()),
    ];
    let attributes = attributes
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.to_owned()));
    Ok(Some(Announcement { body: serde_json::to_string(&body)?, attributes: attributes.collect() }))
}
