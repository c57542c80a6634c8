//! What happened to a file, from what the ledger keeps of it.
//!
//! An operator's act is shown as what it did to the file. Who did it and why is in the audit trail, which this function
//! cannot read.

use checker::Counts;
use ledger::{FileEvent, FileEventKind, FileId, Replayed, State};
use runtime::format_instant;
use serde::Serialize;

use crate::ApiStore;
use crate::call::ApiCall;
use crate::files::received_as;
use crate::problem::{ProblemDetails, RequestError};
use crate::respond::ApiResponse;
use crate::status::RECEIVED;

/// Maximum number of events that are listed: the newest ones.
pub(crate) const MOST_EVENTS: usize = 100;

/// What happened to a file, oldest first
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileHistory {
    /// The file's id
    #[cfg_attr(test, schemars(with = "crate::openapi::FileId"))]
    id: String,
    /// The state that the file has now
    #[cfg_attr(test, schemars(with = "crate::openapi::State"))]
    state: &'static str,
    /// The events, oldest first, at most 100
    events: Vec<HistoryEvent>,
    /// Whether these are all events. Of a file that was replayed more than 10 times the oldest outcomes are not kept
    complete: bool,
    /// The newest replay; null when there was none
    replay: Option<NewestReplay>,
}

/// An event of a file's history. Members that do not apply are null
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct HistoryEvent {
    /// What happened: `received` (it landed), `decided` (the first load), `replayed` (another load took the place of
    /// the one before), `kept` (a replay left it as it was), `superseded` (a newer version is loaded instead),
    /// `retracted` (the operator took it back), `restored` (it is shown again), `resolved` (a good file of its name or
    /// a correction arrived), `acknowledged` (the operator waits for no good file)
    #[cfg_attr(test, schemars(with = "crate::openapi::HistoryWord"))]
    event: &'static str,
    /// When; null when it is not known yet, or was not noted by an earlier release
    at: Option<String>,
    /// The state from then on; null when it stayed
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::DecidedState>"))]
    state: Option<&'static str>,
    /// The number of the load: 0, and one more for each replay
    generation: Option<u32>,
    /// Records by fate
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::Counts>"))]
    counts: Option<Counts>,
    /// The version of the contract under which it was checked
    contract_version: Option<String>,
    /// The code of the fault
    fault: Option<String>,
    /// The other file: the one that is loaded instead, or the good one
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::FileId>"))]
    other: Option<String>,
}

/// The newest replay of a file
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NewestReplay {
    /// Its id
    id: String,
    /// How it is: `RUNNING`; `DECIDED` (its load took the place of the one before); `KEPT` (the file stays loaded,
    /// since it would have been quarantined); `GONE` (the file is stored no longer); `CONTRACT_CHANGED` (another
    /// contract came into force: ask again)
    #[cfg_attr(test, schemars(with = "crate::openapi::ReplayWord"))]
    state: &'static str,
    /// The code of the fault for which the file would have been quarantined
    fault: Option<String>,
}

/// The state of a replay that is under way.
pub(crate) const RUNNING: &str = "RUNNING";

/// Handles `GET /v1/files/{file}/history`.
pub(crate) async fn read<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let file = call.file()?;
    let Some(entry) = call.store.entry(&file).await? else {
        let received = call.store.upload_record(call.caller.partner(), &received_as(&file)).await?;
        call.caller.upload(received)?;
        return Ok(ApiResponse::json(200, &not_claimed(&file)));
    };
    if !call.caller.owns(&entry) {
        return Err(ProblemDetails::not_found().into());
    }
    let (events, whole) = entry.history();
    let left_out = events.len().saturating_sub(MOST_EVENTS);
    let running = entry.replay.as_ref().map(|replay| NewestReplay {
        id: replay.request.clone(),
        state: RUNNING,
        fault: None,
    });
    let history = FileHistory {
        id: file.to_string(),
        state: entry.state.as_str(),
        events: events.into_iter().skip(left_out).map(HistoryEvent::new).collect(),
        complete: whole && left_out == 0,
        replay: running.or_else(|| entry.replayed.map(NewestReplay::ended)),
    };
    Ok(ApiResponse::json(200, &history))
}

/// Returns the history of a file that is known from its upload only: it landed, and processing has not begun.
fn not_claimed(file: &FileId) -> FileHistory {
    FileHistory {
        id: file.to_string(),
        state: RECEIVED,
        events: vec![HistoryEvent {
            event: FileEventKind::Received.as_str(),
            at: None,
            state: None,
            generation: None,
            counts: None,
            contract_version: None,
            fault: None,
            other: None,
        }],
        complete: true,
        replay: None,
    }
}

impl HistoryEvent {
    fn new(event: FileEvent) -> Self {
        Self {
            event: event.kind.as_str(),
            at: event.at_ms.map(format_instant),
            state: event.state.map(State::as_str),
            generation: event.generation,
            counts: event.counts,
            contract_version: event.contract_version,
            fault: event.fault,
            other: event.other.map(|other| other.to_string()),
        }
    }
}

impl NewestReplay {
    fn ended(ended: Replayed) -> Self {
        let Replayed { request, result, fault } = ended;
        Self { id: request, state: result.as_str(), fault }
    }
}
