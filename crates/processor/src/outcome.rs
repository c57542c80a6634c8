//! The outcome event of a terminal file: ids, counts and codes.

use checker::{Counts, FaultCode, Verdict};
use runtime::UNKNOWN;
use serde::Serialize;
use store::{Announcement, Entry, FileId, Outcome, State};

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

/// Returns the announcement of a terminal entry; `None` for one that is not terminal, and for clutter.
///
/// It is made from the entry and from whether its partner is registered, so that a later invocation says the same
/// unless an operator changed that. The sender's folder is not named: of a partner that is not registered and of a
/// feed without a contract it says `unknown`, and leaves out the receipt, whose key has both names. The ledger has
/// them.
pub(crate) fn announcement(
    entry: &Entry,
    quarantine: &str,
    is_registered: bool,
) -> Result<Option<Announcement>, serde_json::Error> {
    let Some(outcome) = &entry.outcome else { return Ok(None) };
    if matches!(entry.state, State::Processing | State::Held | State::Ignored) {
        return Ok(None);
    }
    // A key that names no partner and feed has no folders of them.
    let of_key = !entry.partner.is_empty();
    let tells_partner = is_registered || !of_key;
    let tells_feed = has_contract(outcome) || !of_key;
    let partner = if tells_partner { entry.partner.as_str() } else { UNKNOWN };
    let feed = if tells_feed { entry.feed.as_str() } else { UNKNOWN };
    let tells_receipt = tells_partner && tells_feed && !outcome.receipt.is_empty();
    let verdict = Verdict::of(entry.state, Some(&outcome.counts)).map(Verdict::as_str);
    let (file, load) = (entry.load.file(), entry.load.as_str());
    let body = Body {
        version: VERSION,
        file_id: file.as_str(),
        load,
        partner,
        feed,
        state: entry.state.as_str(),
        verdict,
        loaded: if entry.state == State::Complete { outcome.counts.rows } else { 0 },
        counts: outcome.counts,
        fault: outcome.fault.as_deref(),
        contract_version: &outcome.contract_version,
        other: outcome.other.as_ref().map(FileId::as_str),
        corrects: outcome.corrects.as_ref().map(FileId::as_str),
        receipt: tells_receipt.then_some(Location { bucket: quarantine, key: &outcome.receipt }),
    };
    // SNS rejects an attribute without a value, so what is not there is left out.
    let attributes = [
        ("partner", partner),
        ("feed", feed),
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

/// Returns whether a contract of the feed was published: one that was obeyed, or one that does not compile.
fn has_contract(outcome: &Outcome) -> bool {
    !outcome.contract_hash.is_empty() || outcome.fault.as_deref() == Some(FaultCode::ContractInvalid.as_str())
}
