//! Visible records: a row is visible if the ledger entry of its file is complete with the row's own load.

use std::collections::HashMap;

use checker::{KeyError, key_of};
use ledger::{LoadId, State};
use store::{ItemValue, RecordPage, RecordVersion};

use crate::ApiStore;
use crate::call::ApiCall;
use crate::caller::OpenFeed;
use crate::cursor;
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;

/// Maximum number of versions that are read for one answer, visible or not: each may cost a read of the ledger.
const MOST_VERSIONS: usize = 200;

/// Versions that are read at once when one is wanted: the newest is nearly always visible.
const FEW: u16 = 5;

/// Handles `GET /v1/records/{feed}/{key+}`.
pub(crate) async fn read<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let feed = call.feed()?;
    let history = match call.request.parameter("history") {
        None | Some("false") => false,
        Some("true" | "") => true,
        Some(_) => {
            let detail = "the query parameter history is not allowed: expected true or false";
            return Err(ProblemDetails::new(ProblemCode::InvalidQuery, detail).into());
        }
    };
    let limit = cursor::limit(call.request.parameter("limit"))?;
    let after = call.request.parameter("cursor").map(cursor::read_version).transpose()?;
    if !history && (call.request.parameter("limit").is_some() || after.is_some()) {
        let detail = "the query parameters limit and cursor go with history=true";
        return Err(ProblemDetails::new(ProblemCode::InvalidQuery, detail).into());
    }
    let partition = partition(call, feed).await?;
    let wanted = if history { usize::from(limit) } else { 1 };
    let walk = VersionWalk { call, feed, partition, known: HashMap::new() };
    let found = walk.run(wanted, after, if history { limit } else { FEW }).await?;
    if history {
        let versions: Vec<String> = found.versions.iter().map(json).collect();
        let next = found.next.map_or_else(|| "null".to_owned(), |sort| quoted(&cursor::of_version(&sort)));
        let body = format!(r#"{{"versions":[{}],"next":{next}}}"#, versions.join(","));
        return Ok(ApiResponse::text(200, "application/json", body));
    }
    match (found.versions.first(), found.next) {
        (Some(version), _) => Ok(ApiResponse::text(200, "application/json", json(version))),
        (None, None) => Err(ProblemDetails::not_found().into()),
        (None, Some(_)) => {
            let detail = format!(
                "the newest {MOST_VERSIONS} versions are not visible: send history=true and follow `next`"
            );
            Err(ProblemDetails::new(ProblemCode::TooManyVersions, detail).into())
        }
    }
}

/// Returns the partition of the record that the path names, by the key columns of the feed's contract.
async fn partition<S: ApiStore>(call: &ApiCall<'_, S>, feed: OpenFeed<'_>) -> Result<String, RequestError> {
    let terms = call.terms(feed).await?;
    let contract = terms.contract().ok_or_else(ProblemDetails::not_found)?;
    let segments = call.captured.get(1..).unwrap_or_default();
    let key = key_of(contract, segments).map_err(|error| {
        let detail = match error {
            KeyError::NoKey => "the contract of this feed has no primary key: its records cannot be read by key".to_owned(),
            KeyError::Parts { expected } => format!(
                "the key has {} parts, expected {expected}: write each value of the primary key as one path segment, percent-encoded",
                segments.len()
            ),
            KeyError::Null { part } => format!("part {part} of the key is null; a primary key has no null"),
            KeyError::Unstorable => "the contract's transform makes a value of the key that is too long: no record has it".to_owned(),
        };
        ProblemDetails::new(ProblemCode::InvalidKey, detail)
    })?;
    Ok(feed.partition(&key))
}

/// The result of a walk.
struct VisibleVersions {
    versions: Vec<RecordVersion>,
    /// The sort key after which to go on; `None` at the end.
    next: Option<String>,
}

/// A walk over the versions of one record, newest first.
struct VersionWalk<'a, S> {
    call: &'a ApiCall<'a, S>,
    feed: OpenFeed<'a>,
    partition: String,
    /// Loads whose visibility is known.
    known: HashMap<LoadId, bool>,
}

impl<S: ApiStore> VersionWalk<'_, S> {
    async fn run(
        mut self,
        wanted: usize,
        mut after: Option<String>,
        page: u16,
    ) -> Result<VisibleVersions, RequestError> {
        let mut versions = Vec::new();
        let mut seen = 0;
        loop {
            let RecordPage { versions: found, next } =
                self.call.store.record_versions(&self.partition, after.as_deref(), page).await?;
            for version in found {
                seen += 1;
                let sort = version.item.sort.clone();
                if self.is_visible(&version.load).await? {
                    versions.push(version);
                }
                if versions.len() == wanted || seen == MOST_VERSIONS {
                    return Ok(VisibleVersions { versions, next: Some(sort) });
                }
            }
            match next {
                None => return Ok(VisibleVersions { versions, next: None }),
                next => after = next,
            }
        }
    }

    async fn is_visible(&mut self, load: &LoadId) -> Result<bool, RequestError> {
        if let Some(known) = self.known.get(load) {
            return Ok(*known);
        }
        let entry = self.call.store.entry(&load.file()).await?;
        let visible = entry.is_some_and(|entry| {
            entry.state == State::Complete
                && entry.load == *load
                && entry.feed == self.feed.name()
                && self.call.caller.owns(&entry)
        });
        self.known.insert(load.clone(), visible);
        Ok(visible)
    }
}

/// `{"record": {…}, "load": …, "file": …, "line": …}`. Written by hand, so that a number keeps its digits.
fn json(version: &RecordVersion) -> String {
    let own = |name: &str| name == "_load" || name == "_line";
    let members = version.item.attributes.iter().filter(|(name, _)| !own(name));
    let line = version.item.attributes.iter().find(|(name, _)| name == "_line");
    let mut text = r#"{"record":"#.to_owned();
    write_members(members, &mut text);
    text.push_str(r#","load":"#);
    text.push_str(&quoted(version.load.as_str()));
    text.push_str(r#","file":"#);
    text.push_str(&quoted(version.load.file().as_str()));
    text.push_str(r#","line":"#);
    write(line.map_or(&ItemValue::Null, |(_, value)| value), &mut text);
    text.push('}');
    text
}

fn write(value: &ItemValue, out: &mut String) {
    match value {
        ItemValue::Null => out.push_str("null"),
        ItemValue::Text(text) => out.push_str(&quoted(text)),
        ItemValue::Number(digits) if is_json_number(digits) => out.push_str(digits),
        ItemValue::Number(digits) => out.push_str(&quoted(digits)),
        ItemValue::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        ItemValue::Map(members) => write_members(members.iter(), out),
        ItemValue::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
    }
}

fn write_members<'v>(members: impl Iterator<Item = &'v (String, ItemValue)>, out: &mut String) {
    out.push('{');
    for (place, (name, value)) in members.enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_json_number(digits: &str) -> bool {
    let numeric = digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    numeric && serde_json::from_str::<serde::de::IgnoredAny>(digits).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_its_digits_its_order_and_its_nesting() {
        let load = LoadId::parse("r5g61a45bnmyhnp8sgqw0ymkjv-ce8hmn7mrjtx6").expect("a load");
        let attributes = [
            ("b", ItemValue::Number("12345678901234567890.123456789".into())),
            ("a", ItemValue::Text("x\"\n".into())),
            (
                "m",
                ItemValue::Map(vec![(
                    "z".into(),
                    ItemValue::List(vec![ItemValue::Null, ItemValue::Boolean(true)]),
                )]),
            ),
            ("n", ItemValue::Number("nan".into())),
            ("_load", ItemValue::Text(load.to_string())),
            ("_line", ItemValue::Number("7".into())),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let item = store::RecordItem { partition: String::new(), sort: String::new(), attributes };
        assert_eq!(
            json(&RecordVersion { load, item }),
            r#"{"record":{"b":12345678901234567890.123456789,"a":"x\"\n","m":{"z":[null,true]},"n":"nan"},"#
                .to_owned()
                + r#""load":"r5g61a45bnmyhnp8sgqw0ymkjv-ce8hmn7mrjtx6","file":"r5g61a45bnmyhnp8sgqw0ymkjv","line":7}"#
        );
    }
}
