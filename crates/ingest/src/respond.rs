//! Answers, in the form that a proxy integration takes.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

use std::collections::BTreeMap;

use serde::Serialize;

use crate::problem::ProblemDetails;

/// The security headers of every answer: a browser neither renders, frames, sniffs nor stores it.
const SECURITY: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
];

/// Methods that a page may use: those of the table of routes.
const PAGE_METHODS: &str = "GET, POST, DELETE";

/// Headers that a page may send: those that this service reads, those of a signed request (SigV4), and those that
/// tracing adds to every request of a page (W3C Trace Context).
const PAGE_HEADERS: &str = "authorization, content-digest, content-md5, content-type, digest, idempotency-key, \
    traceparent, tracestate, x-amz-checksum-sha256, x-amz-content-sha256, x-amz-date, x-amz-security-token, x-api-key";

/// How long a browser keeps the answer to a preflight, seconds. Chromium keeps none longer than two hours.
const PAGE_SECONDS: &str = "7200";

/// Headers that a page of an allowed origin may read.
const EXPOSED: &str = "allow, idempotency-replayed, location, retry-after, x-request-id";

/// The content type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// The response to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl ApiResponse {
    /// Makes a JSON answer.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).unwrap_or_default();
        Self::text(status, "application/json", body)
    }

    /// Makes an answer with a text.
    pub(crate) fn text(status: u16, content_type: &'static str, body: String) -> Self {
        Self { status, content_type: Some(content_type), body, headers: Vec::new() }
    }

    /// Makes an answer without a body, status 204.
    pub(crate) fn empty() -> Self {
        Self { status: 204, content_type: None, body: String::new(), headers: Vec::new() }
    }

    /// Answers a CORS preflight (<https://fetch.spec.whatwg.org/#http-cors-protocol>). Only [`ApiResponse::seal`]
    /// allows the page, by naming its origin.
    pub(crate) fn preflight() -> Self {
        Self::empty()
            .with("access-control-allow-methods", PAGE_METHODS)
            .with("access-control-allow-headers", PAGE_HEADERS)
            .with("access-control-max-age", PAGE_SECONDS)
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Makes the answer of a problem.
    pub(crate) fn problem(problem: &ProblemDetails, request: &str) -> Self {
        let mut response = Self::text(problem.code.status(), PROBLEM_JSON, problem.body(request));
        if let Some(seconds) = problem.retry_after {
            response = response.with("retry-after", seconds.to_string());
        }
        if let Some(methods) = &problem.allow {
            response = response.with("allow", methods.clone());
        }
        response
    }

    /// Puts the answer into the envelope of the proxy integration. `origin` is the caller's, when it is an allowed one.
    pub(crate) fn seal(self, request: &str, origin: Option<&str>) -> ProxyResponse {
        let mut headers: BTreeMap<&'static str, String> =
            SECURITY.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        headers.insert("x-request-id", request.to_owned());
        if let Some(content_type) = self.content_type {
            headers.insert("content-type", content_type.to_owned());
        }
        if let Some(origin) = origin {
            headers.insert("access-control-allow-origin", origin.to_owned());
            headers.insert("access-control-expose-headers", EXPOSED.to_owned());
        }
        headers.insert("vary", "origin".to_owned());
        headers.extend(self.headers);
        ProxyResponse { status: self.status, headers, body: self.body, is_base64: false }
    }
}

/// The response of the function to API Gateway.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ProxyResponse {
    /// The HTTP status.
    #[serde(rename = "statusCode")]
    pub status: u16,
    /// The headers, by lower-case name.
    pub headers: BTreeMap<&'static str, String>,
    /// The body. May hold a record of the caller's own, so the type has no `Debug`.
    pub body: String,
    /// Whether the body is base 64: never.
    #[serde(rename = "isBase64Encoded")]
    pub is_base64: bool,
}
