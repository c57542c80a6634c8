//! The decision on a file: its receipt, and where its rejected records are.

use ledger::{Entry, FileId, Outcome, RejectsForm};
use serde::{Deserialize, Serialize};

use crate::ApiStore;
use crate::call::ApiCall;
use crate::files::received_as;
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;

/// Seconds after which a request for an undecided file is worth repeating.
const NOT_YET_SECONDS: u64 = 2;

/// Receipts of one load that are read: it can be loaded, superseded, retracted, and shown again.
const MOST_RECEIPTS: usize = 8;

/// A signed GET of the rejected records
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedRejects {
    /// The address, with the signature: a secret while it lasts
    url: String,
    /// Seconds until the signature ends
    expires_seconds: u32,
    /// The file name under which a browser saves it
    file_name: String,
}

/// Handles `GET /v1/files/{file}/receipt`: the document that the processor wrote.
pub(crate) async fn receipt<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let outcome = decided(call).await?;
    let key = call.caller.receipt_key(&outcome).ok_or_else(ProblemDetails::not_found)?;
    let document = call.store.document(key).await?.ok_or_else(ProblemDetails::not_found)?;
    let text = String::from_utf8_lossy(&document).into_owned();
    Ok(ApiResponse::text(200, "application/json", text))
}

/// Handles `GET /v1/files/{file}/rejects`: a signed GET, for these rejected records only.
pub(crate) async fn rejects<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let invalid = |detail: &'static str| Err(ProblemDetails::new(ProblemCode::InvalidQuery, detail).into());
    let wanted = call.request.parameter("format");
    if !matches!(wanted, None | Some("csv" | "ndjson")) {
        return invalid("the query parameter format is not allowed: expected csv or ndjson");
    }
    let outcome = decided(call).await?;
    let folder = call.caller.rejects_folder(&outcome).ok_or_else(ProblemDetails::not_found)?;
    let (object, ending) = match wanted {
        Some("ndjson") => ("rejects.ndjson.gz", "ndjson.gz"),
        _ => match (feeds_form(call, &outcome).await?, wanted) {
            (form @ RejectsForm::Csv, _) | (form @ RejectsForm::Ndjson, None) => {
                (form.object_name(), form.as_str())
            }
            (RejectsForm::Ndjson, Some(_)) => {
                return invalid(
                    "the feed takes JSON, and its rejects are JSON: leave the query parameter format out",
                );
            }
        },
    };
    let file_name = format!("{}-rejects.{ending}", call.first());
    let seconds = call.settings.signed_seconds;
    let signed = call.store.sign_download(&format!("{folder}{object}"), &file_name, seconds).await?;
    let answer = SignedRejects { url: signed.url, expires_seconds: signed.expires_seconds, file_name };
    Ok(ApiResponse::json(200, &answer))
}

/// Returns the form in which the rejects of a decided file can be corrected and sent back, as its receipt says; a
/// table of those that were decided before receipts said it.
async fn feeds_form<S: ApiStore>(
    call: &ApiCall<'_, S>,
    outcome: &Outcome,
) -> Result<RejectsForm, RequestError> {
    let mut outcome = outcome.clone();
    for _ in 0..MOST_RECEIPTS {
        let Some(key) = call.caller.receipt_key(&outcome) else { break };
        let Some(document) = call.store.document(key).await? else { break };
        let Ok(members) = serde_json::from_slice::<RejectsMembers>(&document) else { break };
        match members {
            RejectsMembers { rejects_form: Some(form), .. } => return Ok(form),
            // A load that was visible has a later receipt, which does not repeat the one before.
            RejectsMembers { earlier: Some(earlier), .. } => outcome.receipt = earlier,
            RejectsMembers { .. } => break,
        }
    }
    Ok(RejectsForm::Csv)
}

/// What a receipt says of the rejects that are kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RejectsMembers {
    #[serde(default)]
    rejects_form: Option<RejectsForm>,
    #[serde(default)]
    earlier: Option<String>,
}

/// Reads the outcome of the file that the path names.
async fn decided<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<Outcome, RequestError> {
    let entry = decided_entry(call, &call.file()?).await?;
    entry.outcome.ok_or_else(not_yet)
}

/// Reads the entry of a file that is decided.
pub(crate) async fn decided_entry<S: ApiStore>(
    call: &ApiCall<'_, S>,
    file: &FileId,
) -> Result<Entry, RequestError> {
    match call.store.entry(file).await? {
        Some(entry) if !call.caller.owns(&entry) => Err(ProblemDetails::not_found().into()),
        Some(entry) if entry.state.is_terminal() => Ok(entry),
        Some(_) => Err(not_yet()),
        None => {
            let received = call.store.upload_record(call.caller.partner(), &received_as(file)).await?;
            call.caller.upload(received)?;
            Err(not_yet())
        }
    }
}

fn not_yet() -> RequestError {
    let detail = "the file is not decided yet: ask again later";
    ProblemDetails::new(ProblemCode::NotTerminal, detail).after(NOT_YET_SECONDS).into()
}
