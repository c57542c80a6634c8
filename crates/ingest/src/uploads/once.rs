//! A signed PUT lands once: `If-None-Match: *` or `If-Match` ties it to the version that was current under its name
//! when it was signed.
//!
//! When the current version already has the announced bytes, its entity tag would stay the same, and the PUT could be
//! repeated. So no PUT is signed: the answer says that the file is there. Where that file was not loaded, and sending
//! it again may help, the problem names a request that lands once.
//!
//! The limit of this: when other bytes replace those of a PUT, and bytes with the first entity tag replace them in
//! turn, all within the minutes of the first signature, that PUT lands again.

use ledger::{Entry, FileId, State};
use serde::Serialize;
use store::{Current, StoredResponse, UploadRecord};

use crate::ApiStore;
use crate::call::{ApiCall, name_of};
use crate::files::{self, file_of};
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;
use crate::status::RECEIVED;

/// Seconds after which a request for an undecided file is worth repeating.
const NOT_YET_SECONDS: u64 = 2;

/// The current file of the name, which has the announced bytes already
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PresentFile<'a> {
    /// The file's id
    #[cfg_attr(test, schemars(with = "crate::openapi::FileId"))]
    id: &'a str,
    /// The feed
    #[cfg_attr(test, schemars(with = "crate::openapi::FeedName"))]
    feed: &'a str,
    /// The file's name
    name: &'a str,
    /// The length in bytes
    bytes: u64,
    /// SHA-256, as announced
    #[cfg_attr(test, schemars(with = "crate::openapi::Sha256"))]
    sha256: &'a str,
    /// The file's state
    #[cfg_attr(test, schemars(with = "crate::openapi::State"))]
    state: &'static str,
    /// Where the file's state is read: a path on the same host
    status: String,
    /// Where its receipt is read once it is decided: a path on the same host
    receipt: String,
}

/// How the current version under a name compares with the announced upload.
enum CurrentContent {
    /// Other bytes.
    Other,
    /// The same bytes, as far as can be known only later.
    Unknown,
    /// The same bytes, in a file that was loaded or may still be.
    There(FileId, &'static str),
    /// The same bytes, in a file that was not loaded, or as another correction.
    Again,
}

/// Compares the announced upload with the current version under its name. Returns the answer when the file is already
/// there; `None` when the upload is to be promised.
pub(super) async fn present<S: ApiStore>(
    call: &ApiCall<'_, S>,
    wanted: &UploadRecord,
    in_parts: bool,
    current: &Current,
) -> Result<Option<(ApiResponse, StoredResponse)>, RequestError> {
    match compare(call, wanted, current).await? {
        CurrentContent::Other => Ok(None),
        CurrentContent::There(file, state) => Ok(Some(there(call, wanted, &file, state))),
        // Parts become one object once: S3 then knows the upload no more.
        CurrentContent::Unknown | CurrentContent::Again if in_parts => Ok(None),
        CurrentContent::Unknown => Err(ProblemDetails::new(
            ProblemCode::SameBytes,
            "the current file of this name may have the same bytes and is not decided yet: ask again later",
        )
        .after(NOT_YET_SECONDS)
        .into()),
        CurrentContent::Again => Err(ProblemDetails::new(
            ProblemCode::SameBytes,
            "the current file of this name has the same bytes and is not loaded, and a signed PUT of them would work more than \
             once: send them as the body to /v1/feeds/{feed}/files, in parts (`parts: true`), or under another name",
        )
        .into()),
    }
}

async fn compare<S: ApiStore>(
    call: &ApiCall<'_, S>,
    wanted: &UploadRecord,
    current: &Current,
) -> Result<CurrentContent, RequestError> {
    let Some(announced) = wanted.sha256.as_deref().filter(|_| current.bytes == wanted.bytes) else {
        return Ok(CurrentContent::Other);
    };
    let file = file_of(call, &wanted.key, current);
    let entry = call.store.entry(&file).await?;
    let outcome = entry.as_ref().and_then(|entry| entry.outcome.as_ref());
    let (sha256, corrects) = match outcome.filter(|outcome| !outcome.sha256.is_empty()) {
        Some(outcome) => (Some(outcome.sha256.clone()), outcome.corrects.clone()),
        None => match brought_by(call, wanted, current).await? {
            Some(record) => {
                if entry.is_none() {
                    // From now on the file's state can be read by its id.
                    files::note(call, &record, current).await;
                }
                (record.sha256, record.corrects)
            }
            None => (None, None),
        },
    };
    Ok(match sha256 {
        Some(sha256) if sha256 != announced => CurrentContent::Other,
        Some(_) if corrects == wanted.corrects => match current_state(entry.as_ref()) {
            Some(state) => CurrentContent::There(file, state),
            None => CurrentContent::Again,
        },
        Some(_) => CurrentContent::Again,
        None => CurrentContent::Unknown,
    })
}

/// Reads the record of the upload that made the current version, if it came by this API.
async fn brought_by<S: ApiStore>(
    call: &ApiCall<'_, S>,
    wanted: &UploadRecord,
    current: &Current,
) -> Result<Option<UploadRecord>, RequestError> {
    let Some(upload) = &current.upload else { return Ok(None) };
    let record = call.store.upload_record(&wanted.partner, upload).await?;
    Ok(record.filter(|record| record.key == wanted.key && record.bytes == current.bytes))
}

/// Returns the state of a file that is loaded, or may be; `None` when sending its bytes again may help.
fn current_state(entry: Option<&Entry>) -> Option<&'static str> {
    let Some(entry) = entry else { return Some(RECEIVED) };
    match entry.state {
        State::Processing | State::Held | State::Complete | State::Duplicate => Some(entry.state.as_str()),
        State::Quarantined | State::Superseded | State::Gone | State::Ignored | State::Retracted => None,
    }
}

fn there<S: ApiStore>(
    call: &ApiCall<'_, S>,
    wanted: &UploadRecord,
    file: &FileId,
    state: &'static str,
) -> (ApiResponse, StoredResponse) {
    let status = call.file_link(file);
    let present = PresentFile {
        id: file.as_str(),
        feed: &wanted.feed,
        name: name_of(&wanted.key),
        bytes: wanted.bytes,
        sha256: wanted.sha256.as_deref().unwrap_or_default(),
        state,
        receipt: format!("{status}/receipt"),
        status: status.clone(),
    };
    let response = ApiResponse::json(200, &present).with("location", status);
    let answer = StoredResponse { status: 200, body: response.body.clone() };
    (response, answer)
}
