//! Has one of the partner's files processed again, under the contract in force.
//!
//! ```text
//! entry ─▶ contract ─▶ may it be? ─▶ bytes of the day ─▶ note ─▶ message ─▶ note ─▶ 202: follow it in the history
//! ```
//!
//! The work is the processor's, and never takes rows away: a loaded file that would be quarantined stays loaded. A
//! request is named by the file, its generation and the contract, so that the same request twice is one replay. What
//! an operator decided stays: a retracted file is not shown again by its partner.

use contract::Contract;
use ledger::{
    Act, ActDetail, ActEnd, ActId, ActRecord, ActResult, ActSubject, ActWord, DetailName, DetailValue, Entry,
    FaultCode, FileId, ReplayRequest, ReplayResult, State, Verb, Worse, digest,
};
use runtime::Terms;
use serde::Serialize;

use crate::ApiStore;
use crate::call::ApiCall;
use crate::files::spend_bytes;
use crate::history::RUNNING;
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::receipts::decided_entry;
use crate::respond::ApiResponse;

/// Characters of the name of a request: 130 bits.
const NAME_CHARACTERS: usize = 26;

/// Seconds after which a file that is replayed is worth asking for again.
const RUNNING_SECONDS: u64 = 10;

/// The state of a replay that no one has begun.
pub(crate) const ASKED: &str = "ASKED";

/// A replay that was asked for, now or before
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AskedReplay {
    /// The file's id
    #[cfg_attr(test, schemars(with = "crate::openapi::FileId"))]
    id: String,
    /// The replay's id: the history names it when it has begun
    replay: String,
    /// `ASKED` when it was asked for now, else the state that the history shows
    #[cfg_attr(test, schemars(with = "crate::openapi::AskedWord"))]
    state: &'static str,
    /// Path of the history on the same host, which shows the replay's progress
    history: String,
    /// Where the file's state is read: a path on the same host
    status: String,
}

/// Handles `POST /v1/files/{file}/replay`.
pub(crate) async fn ask<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let file = call.file()?;
    let entry = decided_entry(call, &file).await?;
    cannot_be_replayed(&entry)?;
    // Read now and not as it is kept here: the contract may have been published a moment ago.
    let in_force = runtime::in_force(call.store, &entry.feed).await?;
    let Terms::Active(contract) = in_force.terms else {
        return Err(rejected("its feed has no contract that accepts files: ask the operator").into());
    };
    let id = request_name(&file, entry.generation, &contract);
    if let Some(known) = known_replay(&entry, &id) {
        return Ok(accepted(call, &file, &id, known));
    }
    if entry.replay.is_some() {
        return Err(rejected("another replay of it is running: ask again later")
            .after(RUNNING_SECONDS)
            .into());
    }
    if entry.is_decided_by(&hex::encode(contract.identity.hash)) {
        let before = entry.generation.checked_sub(1).map(|before| request_name(&file, before, &contract));
        let asked_for = entry.replayed.as_ref().map(|ended| &ended.request);
        return match before.filter(|before| asked_for == Some(before)) {
            Some(before) => Ok(accepted(call, &file, &before, ReplayResult::Decided.as_str())),
            None => Err(rejected(
                "it was decided under the contract in force, and the same bytes give the same result: send a corrected file",
            )
            .into()),
        };
    }
    // A replay reads and writes as much as a file that is sent.
    spend_bytes(call, entry.outcome.as_ref().map_or(0, |outcome| outcome.bytes)).await?;
    send(call, &file, &entry, &id, &contract).await?;
    Ok(accepted(call, &file, &id, ASKED))
}

/// Notes the act, sends the request to the processor, and notes that it was sent. Without the first note nothing is
/// sent.
async fn send<S: ApiStore>(
    call: &ApiCall<'_, S>,
    file: &FileId,
    entry: &Entry,
    id: &str,
    contract: &Contract,
) -> Result<(), RequestError> {
    let by = call.caller.actor().ok_or_else(|| {
        let detail = "the audit trail cannot name this credential: ask the operator for another one";
        ProblemDetails::new(ProblemCode::Forbidden, detail)
    })?;
    let act = Act {
        id: ActId::of((call.host.random)()),
        at_ms: call.now_ms,
        by,
        verb: Verb::Replay,
        subject: ActSubject::file(file, &entry.partner, &entry.feed),
        reason: None,
    };
    call.store.note(&ActRecord { act: act.clone(), end: None }).await?;
    let request = ReplayRequest::new(id, entry, &hex::encode(contract.identity.hash), Worse::Keep);
    let sent = call.store.hand_over(&request.message()).await;
    let (result, error, details) = match &sent {
        Ok(()) => (ActResult::Done, None, vec![ActDetail::new(DetailName::Files, DetailValue::Count(1))]),
        Err(_) => (ActResult::Failed, ActWord::parse("NotAsked"), Vec::new()),
    };
    let end = ActEnd { at_ms: call.host.now(), result, error, details };
    // It was sent: an act without an end is shown as one that may have been interrupted, which is true.
    if let Err(error) = call.store.note(&ActRecord { act, end: Some(end) }).await {
        call.overlook(&error);
    }
    Ok(sent?)
}

/// Rejects a file of which nothing could become by a replay, or about which an operator decided.
fn cannot_be_replayed(entry: &Entry) -> Result<(), ProblemDetails> {
    let fault = entry.outcome.as_ref().and_then(|outcome| outcome.fault.as_deref());
    let was_gone = entry.replayed.as_ref().is_some_and(|ended| ended.result == ReplayResult::Gone);
    match entry.state {
        State::Retracted => Err(rejected("the operator took it back: ask the operator")),
        State::Superseded => Err(rejected("a newer file is loaded in its place")),
        State::Gone => Err(rejected("it was deleted before it was read: send it again")),
        State::Ignored => Err(rejected("it is not a file of a feed")),
        _ if !entry.state.can_be_replayed() => Err(rejected("it is not decided")),
        _ if was_gone => Err(rejected("it is stored no longer: send it again")),
        _ if fault == Some(FaultCode::Archived.as_str()) => {
            Err(rejected("it is archived: send it again, or ask the operator"))
        }
        _ => Ok(()),
    }
}

/// Returns how this request's replay is, when the ledger knows of it and asking again would change nothing.
fn known_replay(entry: &Entry, id: &str) -> Option<&'static str> {
    if entry.replay.as_ref().is_some_and(|replay| replay.request == id) {
        return Some(RUNNING);
    }
    let ended = entry.replayed.as_ref().filter(|ended| ended.request == id)?;
    (ended.result == ReplayResult::Kept).then(|| ended.result.as_str())
}

/// Names the request to replay this generation of a file under a contract.
fn request_name(file: &FileId, generation: u32, contract: &Contract) -> String {
    let parts: [&[u8]; 4] =
        [b"replay", file.as_str().as_bytes(), &generation.to_be_bytes(), &contract.identity.hash];
    digest(&parts, NAME_CHARACTERS)
}

fn rejected(why: &'static str) -> ProblemDetails {
    ProblemDetails::new(ProblemCode::NotReplayable, why)
}

fn accepted<S: ApiStore>(call: &ApiCall<'_, S>, file: &FileId, id: &str, state: &'static str) -> ApiResponse {
    let status = call.file_link(file);
    let history = format!("{status}/history");
    let asked =
        AskedReplay { id: file.to_string(), replay: id.to_owned(), state, history: history.clone(), status };
    ApiResponse::json(202, &asked).with("location", history)
}
