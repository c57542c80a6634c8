//! The state of one file, and the list of the partner's files, newest first.

use checker::Counts;
use ledger::{FileId, Outcome, State};
use runtime::{format_instant, parse_instant_or_day};
use serde::Serialize;
use store::{FilePage, ListedFile, UploadRecord};

use crate::ApiStore;
use crate::call::{ApiCall, name_of};
use crate::cursor;
use crate::files::received_as;
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;

/// The state of a file that landed and that the processor has not claimed yet.
pub(crate) const RECEIVED: &str = "RECEIVED";

/// The state of a file
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileStatus<'a> {
    /// The file's id
    #[cfg_attr(test, schemars(with = "crate::openapi::FileId"))]
    id: &'a str,
    /// The feed
    #[cfg_attr(test, schemars(with = "crate::openapi::FeedName"))]
    feed: &'a str,
    /// The file's name
    name: &'a str,
    /// The key of the object in the inbox
    key: &'a str,
    /// The file's state
    #[cfg_attr(test, schemars(with = "crate::openapi::State"))]
    state: &'static str,
    /// The order among the versions of the name; begins with the instant at which the file landed
    order: Option<&'a str>,
    /// Records by fate; null until the file was read
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::Counts>"))]
    counts: Option<Counts>,
    /// Records of this file that are visible now
    loaded: u64,
    /// The code of the fault, when the file is quarantined
    fault: Option<&'a str>,
    /// SHA-256 of the file, when it is known
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::Sha256>"))]
    sha256: Option<&'a str>,
    /// The length in bytes, when it is known
    bytes: Option<u64>,
    /// The version of the contract under which it was checked
    contract_version: Option<&'a str>,
    /// The file that is loaded in place of this one
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::FileId>"))]
    other: Option<&'a str>,
    /// The file that this one corrects
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::FileId>"))]
    corrects: Option<&'a str>,
    /// Where this state is read: a path on the same host
    status: String,
    /// Where the receipt is read; null until there is one
    receipt: Option<String>,
    /// Where the rejected records are fetched; null when there are none
    rejects: Option<String>,
}

/// A page of files, newest first
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FileList<'a> {
    /// The files of the page
    files: Vec<FileStatus<'a>>,
    /// The `cursor` of the next page; null on the last one
    next: Option<String>,
}

/// Handles `GET /v1/files/{file}`.
pub(crate) async fn read<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let file = call.file()?;
    if let Some(entry) = call.store.entry(&file).await? {
        if !call.caller.owns(&entry) {
            return Err(ProblemDetails::not_found().into());
        }
        let listed = ListedFile {
            file,
            feed: entry.feed,
            key: entry.file.key,
            state: entry.state,
            order: entry.order.to_string(),
            outcome: entry.outcome,
        };
        return Ok(ApiResponse::json(200, &status(call, &listed)));
    }
    let received = call.store.upload_record(call.caller.partner(), &received_as(&file)).await?;
    let record = call.caller.upload(received)?;
    Ok(ApiResponse::json(200, &not_claimed(call, &file, &record)))
}

/// Handles `GET /v1/files`.
pub(crate) async fn list<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let mut query = call.caller.file_query();
    query.limit = cursor::limit(call.request.parameter("limit"))?;
    query.after = call.request.parameter("cursor").map(cursor::read_file).transpose()?;
    query.from = call.request.parameter("from").map(|text| time("from", text)).transpose()?;
    query.before = call.request.parameter("before").map(|text| time("before", text)).transpose()?;
    if let Some(word) = call.request.parameter("state") {
        let detail = "the query parameter state is not allowed: expected a state of a file in capitals, for example COMPLETE";
        query.state =
            Some(State::parse(word).ok_or_else(|| ProblemDetails::new(ProblemCode::InvalidQuery, detail))?);
    }
    if let Some(feed) = call.request.parameter("feed") {
        query.feed = Some(call.caller.feed(feed)?.name().to_owned());
    }
    let FilePage { files, next } = call.store.files(&query).await?;
    let files = files.iter().filter(|listed| call.caller.opens(&listed.feed));
    let page = FileList {
        files: files.map(|listed| status(call, listed)).collect(),
        next: next.as_ref().map(cursor::of_file),
    };
    Ok(ApiResponse::json(200, &page))
}

fn status<'a, S: ApiStore>(call: &ApiCall<'_, S>, listed: &'a ListedFile) -> FileStatus<'a> {
    let ListedFile { file, feed, key, state, order, outcome } = listed;
    let link = call.file_link(file);
    let outcome = outcome.as_ref().filter(|_| state.is_terminal());
    let text = |part: fn(&Outcome) -> &str| outcome.map(part).filter(|text| !text.is_empty());
    let read = text(|outcome| &outcome.sha256).is_some();
    FileStatus {
        id: file.as_str(),
        feed,
        name: name_of(key),
        key,
        state: state.as_str(),
        order: Some(order),
        counts: outcome.filter(|_| read).map(|outcome| outcome.counts),
        loaded: outcome.filter(|_| *state == State::Complete).map_or(0, |outcome| outcome.counts.rows),
        fault: outcome.and_then(|outcome| outcome.fault.as_deref()),
        sha256: text(|outcome| &outcome.sha256),
        bytes: outcome.filter(|_| read).map(|outcome| outcome.bytes),
        contract_version: text(|outcome| &outcome.contract_version),
        other: outcome.and_then(|outcome| outcome.other.as_ref()).map(FileId::as_str),
        corrects: outcome.and_then(|outcome| outcome.corrects.as_ref()).map(FileId::as_str),
        receipt: text(|outcome| &outcome.receipt).map(|_| format!("{link}/receipt")),
        rejects: outcome
            .and_then(|outcome| call.caller.rejects_folder(outcome))
            .map(|_| format!("{link}/rejects")),
        status: link,
    }
}

/// Returns a file that is known from its upload only.
fn not_claimed<'a, S: ApiStore>(
    call: &ApiCall<'_, S>,
    file: &'a FileId,
    record: &'a UploadRecord,
) -> FileStatus<'a> {
    FileStatus {
        id: file.as_str(),
        feed: &record.feed,
        name: name_of(&record.key),
        key: &record.key,
        state: RECEIVED,
        order: None,
        counts: None,
        loaded: 0,
        fault: None,
        sha256: record.sha256.as_deref(),
        bytes: Some(record.bytes),
        contract_version: None,
        other: None,
        corrects: record.corrects.as_ref().map(FileId::as_str),
        status: call.file_link(file),
        receipt: None,
        rejects: None,
    }
}

/// Converts an instant or a day (its beginning in UTC) to the form in which orders begin: `2026-11-20T08:15:00.123Z`.
fn time(name: &str, text: &str) -> Result<String, ProblemDetails> {
    parse_instant_or_day(text).map(format_instant).ok_or_else(|| {
        let detail = format!(
            "the query parameter {name} is not a time: expected 2026-11-20 or 2026-11-20T08:15:00Z, percent-encoded"
        );
        ProblemDetails::new(ProblemCode::InvalidQuery, detail)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::time;

    #[test]
    fn a_time_is_written_as_orders_begin() {
        for (text, expected) in [
            ("2026-11-20", "2026-11-20T00:00:00.000Z"),
            ("2026-11-20T08:15:00Z", "2026-11-20T08:15:00.000Z"),
            ("2026-11-20T08:15:00.5+01:00", "2026-11-20T07:15:00.500Z"),
        ] {
            assert_eq!(time("from", text).as_deref(), Ok(expected));
        }
        for text in [
            "",
            "yesterday",
            "2026-11-20T08:15:00",
            "2026-13-01",
            "1969-12-31",
            "20261120",
            "2026-11-20T08:15:00 01:00",
        ] {
            assert!(time("from", text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            prop_assert!(time("from", &text).is_ok_and(|found| found.len() == 24) || time("from", &text).is_err());
        }
    }
}
