//! The feeds that a credential opens, and their contracts.

use serde::Serialize;
use store::door::DoorStore;

use crate::call::Call;
use crate::problem::{Problem, Refused};
use crate::respond::Response;

#[derive(Serialize)]
struct FeedList {
    feeds: Vec<FeedEntry>,
}

#[derive(Serialize)]
struct FeedEntry {
    feed: String,
    contract: String,
}

/// `GET /v1/feeds`.
pub(crate) async fn list<S: DoorStore>(call: &Call<'_, S>) -> Result<Response, Refused> {
    let opened = call.store.feeds().await?.into_iter().filter(|feed| call.caller.opens(feed));
    let entry = |feed: String| FeedEntry { contract: call.link(&format!("/v1/feeds/{feed}/contract")), feed };
    Ok(Response::json(200, &FeedList { feeds: opened.map(entry).collect() }))
}

/// `GET /v1/feeds/{feed}/contract`: the document as it was published.
pub(crate) async fn contract<S: DoorStore>(call: &Call<'_, S>) -> Result<Response, Refused> {
    let feed = call.feed()?;
    let object = call.store.contract(feed.name()).await?.ok_or_else(Problem::not_found)?;
    Ok(Response::text(200, "application/yaml", String::from_utf8_lossy(&object.bytes).into_owned()))
}
