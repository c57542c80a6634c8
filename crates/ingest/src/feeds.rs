//! The feeds that a credential opens, and their contracts.

use serde::Serialize;
use store::ContractText;

use crate::ApiStore;
use crate::call::ApiCall;
use crate::problem::{ProblemDetails, RequestError};
use crate::respond::ApiResponse;

/// The feeds that the credential opens
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FeedList {
    /// By name
    feeds: Vec<FeedEntry>,
}

/// A feed that the credential opens
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FeedEntry {
    /// The feed's name
    #[cfg_attr(test, schemars(with = "crate::openapi::FeedName"))]
    feed: String,
    /// Where its contract is read: a path on the same host
    contract: String,
}

/// Handles `GET /v1/feeds`.
pub(crate) async fn list<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let opened = call.store.feeds().await?.into_iter().filter(|feed| call.caller.opens(feed));
    let entry = |feed: String| FeedEntry { contract: call.link(&format!("/v1/feeds/{feed}/contract")), feed };
    Ok(ApiResponse::json(200, &FeedList { feeds: opened.map(entry).collect() }))
}

/// Handles `GET /v1/feeds/{feed}/contract`: the document in force, as it was published; or the newest one, when no
/// version of the contract compiles.
pub(crate) async fn contract<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let feed = call.feed()?;
    let document = runtime::in_force(call.store, feed.name()).await?.document;
    match document.map(|document| document.text) {
        Some(ContractText::Whole(text)) => {
            Ok(ApiResponse::text(200, "application/yaml", String::from_utf8_lossy(&text).into_owned()))
        }
        Some(ContractText::TooLong(_)) | None => Err(ProblemDetails::not_found().into()),
    }
}
