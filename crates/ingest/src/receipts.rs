//! The decision on a file: its receipt, and where its rejected records are.

use ledger::{Entry, Outcome};
use serde::Serialize;

use crate::ApiStore;
use crate::call::ApiCall;
use crate::files::received_as;
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;

/// Seconds after which a request for an undecided file is worth repeating.
const NOT_YET_SECONDS: u64 = 2;

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
    let (object, ending) = match call.request.parameter("format") {
        None | Some("csv") => ("rejects.csv", "csv"),
        Some("ndjson") => ("rejects.ndjson.gz", "ndjson.gz"),
        Some(_) => {
            let detail = "the query parameter format is not allowed: expected csv or ndjson";
            return Err(ProblemDetails::new(ProblemCode::InvalidQuery, detail).into());
        }
    };
    let outcome = decided(call).await?;
    let folder = call.caller.rejects_folder(&outcome).ok_or_else(ProblemDetails::not_found)?;
    let file_name = format!("{}-rejects.{ending}", call.first());
    let seconds = call.settings.signed_seconds;
    let signed = call.store.sign_download(&format!("{folder}{object}"), &file_name, seconds).await?;
    let answer = SignedRejects { url: signed.url, expires_seconds: signed.expires_seconds, file_name };
    Ok(ApiResponse::json(200, &answer))
}

/// Reads the outcome of the file that the path names.
async fn decided<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<Outcome, RequestError> {
    let file = call.file()?;
    let entry = call.store.entry(&file).await?;
    let not_yet = || {
        let detail = "the file is not decided yet: ask again later";
        RequestError::Problem(ProblemDetails::new(ProblemCode::NotTerminal, detail).after(NOT_YET_SECONDS))
    };
    match entry {
        Some(entry) if !call.caller.owns(&entry) => Err(ProblemDetails::not_found().into()),
        Some(Entry { state, outcome: Some(outcome), .. }) if state.is_terminal() => Ok(outcome),
        Some(_) => Err(not_yet()),
        None => {
            let received = call.store.upload_record(call.caller.partner(), &received_as(&file)).await?;
            call.caller.upload(received)?;
            Err(not_yet())
        }
    }
}
