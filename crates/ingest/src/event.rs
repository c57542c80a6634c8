//! The proxy event of a REST API, decoded once into a [`ApiRequest`].
//!
//! The event holds the caller's key (`requestContext.identity.apiKey` and the header `x-api-key`), so that no type of
//! this file has a `Debug`, and none is ever logged. The path comes as it was sent, percent-encoded; query and headers
//! come decoded. <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::{ProblemCode, ProblemDetails};

/// Maximum length of a decoded body, bytes: base 64 in an event of at most 6 MB leaves 4.5 MB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MOST_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Maximum length of a request id, bytes; it is a UUID. Any other text is dropped.
const REQUEST_ID_BYTES: usize = 64;

/// The three trees of the same routes, one for each kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteTree {
    /// `/v1`: a key, checked by the authorizer.
    Key,
    /// `/oauth/v1`: a token, checked by the authorizer.
    Token,
    /// `/iam/v1`: a signature, checked by API Gateway.
    Role,
}

/// A decoded request.
pub struct ApiRequest {
    /// The HTTP method.
    pub method: String,
    /// The tree of the path.
    pub tree: RouteTree,
    /// The segments of the path behind the tree, each percent-decoded once.
    pub segments: Vec<String>,
    /// The query as decoded pairs, by name.
    pub query: Vec<(String, String)>,
    /// API Gateway's name for the request.
    pub id: String,
    /// The authorizer's context; `None` on the tree of roles, which has no authorizer.
    pub authorizer: Option<Map<String, Value>>,
    /// The ARN of the signer, on the tree of roles.
    pub signer: Option<String>,
    /// The prefix of `/v1` in this caller's addresses: the stage, and the tree.
    pub base: String,
    headers: Vec<(String, String)>,
    body: String,
    is_base64: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ProxyEvent {
    path: Option<String>,
    http_method: Option<String>,
    headers: Option<BTreeMap<String, Option<String>>>,
    multi_value_headers: Option<BTreeMap<String, Option<Vec<String>>>>,
    query_string_parameters: Option<BTreeMap<String, Option<String>>>,
    multi_value_query_string_parameters: Option<BTreeMap<String, Option<Vec<String>>>>,
    request_context: Option<Context>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Context {
    request_id: Option<String>,
    path: Option<String>,
    authorizer: Option<Map<String, Value>>,
    identity: Option<RequestIdentity>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RequestIdentity {
    user_arn: Option<String>,
}

impl ApiRequest {
    /// Decodes an event. A problem comes with the request id, so that it can be answered.
    pub fn decode(event: Value) -> Result<Self, (ProblemDetails, String)> {
        let unknown = || {
            ProblemDetails::new(
                ProblemCode::InvalidRequest,
                "the event is not one of a REST API's proxy integration",
            )
        };
        let event: ProxyEvent = serde_json::from_value(event).map_err(|_| (unknown(), String::new()))?;
        let context = event.request_context.unwrap_or_default();
        let id = context.request_id.filter(|id| is_plain_id(id)).unwrap_or_default();
        let (Some(path), Some(method)) = (event.path, event.http_method) else { return Err((unknown(), id)) };
        let Some((tree, root, segments)) = split(&path) else {
            let detail = "the path is not percent-encoded UTF-8: write each other byte as % and two hexadecimal digits";
            return Err((ProblemDetails::new(ProblemCode::InvalidRequest, detail), id));
        };
        let base = format!("{}{root}", stage(context.path.as_deref(), &path));
        let identity = context.identity.unwrap_or_default();
        let (authorizer, signer) = match tree {
            RouteTree::Role => (None, identity.user_arn),
            RouteTree::Key | RouteTree::Token => (context.authorizer, None),
        };
        Ok(Self {
            method,
            tree,
            segments,
            query: pairs(event.query_string_parameters, event.multi_value_query_string_parameters),
            id,
            authorizer,
            signer,
            base,
            headers: pairs(event.headers, event.multi_value_headers)
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
            body: event.body.unwrap_or_default(),
            is_base64: event.is_base64_encoded.unwrap_or_default(),
        })
    }

    /// Returns a header by its lower-case name. A repeated header is an error: which one counts is not known.
    pub fn header(&self, name: &'static str) -> Result<Option<&str>, ProblemDetails> {
        let mut values =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(ProblemDetails::new(
                ProblemCode::InvalidHeader,
                format!("the header {name} is repeated: send it once"),
            )),
        }
    }

    /// Returns a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Allows only these parameters, each once.
    pub fn allow_parameters(&self, allowed: &[&str]) -> Result<(), ProblemDetails> {
        for (place, (name, _)) in self.query.iter().enumerate() {
            if !allowed.contains(&name.as_str()) {
                let known = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
                let detail = format!(
                    "query parameter {} of this request is unknown; allowed here: {known}",
                    place + 1
                );
                return Err(ProblemDetails::new(ProblemCode::InvalidQuery, detail));
            }
            if self.query.iter().take(place).any(|(earlier, _)| earlier == name) {
                let detail = format!(
                    "query parameter {} of this request repeats an earlier one: send it once",
                    place + 1
                );
                return Err(ProblemDetails::new(ProblemCode::InvalidQuery, detail));
            }
        }
        Ok(())
    }

    /// Returns the bytes of the body. A body that is too large is rejected before it is decoded.
    pub fn take_body(&mut self) -> Result<Bytes, ProblemDetails> {
        let body = std::mem::take(&mut self.body);
        let least =
            if self.is_base64 { (body.len() / 4).saturating_mul(3).saturating_sub(2) } else { body.len() };
        if least > MOST_BODY_BYTES {
            return Err(too_large(least));
        }
        let bytes = if self.is_base64 {
            STANDARD.decode(body).map_err(|_| {
                ProblemDetails::new(ProblemCode::InvalidRequest, "the body of the event is not base64")
            })?
        } else {
            body.into_bytes()
        };
        if bytes.len() > MOST_BODY_BYTES { Err(too_large(bytes.len())) } else { Ok(bytes.into()) }
    }

    /// Reads a JSON body. The problem gives the place and never quotes. The type allows no unknown fields, so that
    /// nothing nests deeper than it does.
    pub fn json<T: DeserializeOwned>(body: &Bytes, expected: &str) -> Result<T, ProblemDetails> {
        serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let detail =
                format!("line {line}, column {column} of the body: expected a JSON object with {expected}");
            ProblemDetails::new(ProblemCode::InvalidBody, detail)
        })
    }
}

fn too_large(bytes: usize) -> ProblemDetails {
    let detail = format!(
        "the body has at least {bytes} bytes; at most {MOST_BODY_BYTES} are allowed: open an upload at /v1/feeds/{{feed}}/uploads"
    );
    ProblemDetails::new(ProblemCode::TooLarge, detail)
}

fn is_plain_id(id: &str) -> bool {
    id.len() <= REQUEST_ID_BYTES && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Splits a path into the tree, its root, and the decoded segments after it.
fn split(path: &str) -> Option<(RouteTree, &'static str, Vec<String>)> {
    let (tree, root) = match path.split('/').nth(1) {
        Some("oauth") => (RouteTree::Token, "/oauth"),
        Some("iam") => (RouteTree::Role, "/iam"),
        _ => (RouteTree::Key, ""),
    };
    let rest = path.strip_prefix(root)?;
    let segments = rest.strip_prefix('/').unwrap_or(rest).split('/').map(runtime::decode_segment);
    Some((tree, root, segments.collect::<Option<_>>()?))
}

/// Returns the prefix that the stage adds before the path.
fn stage(whole: Option<&str>, path: &str) -> String {
    let stage = whole.and_then(|whole| whole.strip_suffix(path)).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
    if stage.starts_with('/') && stage.bytes().all(plain) { stage.to_owned() } else { String::new() }
}

/// Returns names with their values: all of them where API Gateway gives all, else the last of each.
fn pairs(
    single: Option<BTreeMap<String, Option<String>>>,
    multiple: Option<BTreeMap<String, Option<Vec<String>>>>,
) -> Vec<(String, String)> {
    match multiple {
        Some(all) if !all.is_empty() => all
            .into_iter()
            .flat_map(|(name, values)| {
                values.unwrap_or_default().into_iter().map(move |value| (name.clone(), value))
            })
            .collect(),
        _ => {
            let single = single.unwrap_or_default().into_iter();
            single.filter_map(|(name, value)| Some((name, value?))).collect()
        }
    }
}

#[cfg(test)]
mod tests;
