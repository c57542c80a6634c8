//! Problems: the answer to a request that is not carried out (RFC 9457). An internal cause is never in it.

use std::borrow::Cow;

use serde::Serialize;

/// The stable codes. Each has one status; a client decides by the code and shows the detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// The event or the path cannot be read.
    InvalidRequest,
    /// A query parameter is unknown, repeated or malformed.
    InvalidQuery,
    /// A header is repeated or malformed.
    InvalidHeader,
    /// The body is not what the operation takes.
    InvalidBody,
    /// The name of a file is not allowed.
    InvalidName,
    /// The key of a record does not fit the feed's contract.
    InvalidKey,
    /// The bytes do not have the checksum that a header announces.
    ChecksumMismatch,
    /// The credential is missing or unknown.
    Unauthorized,
    /// The credential does not allow this.
    Forbidden,
    /// Missing, or another partner's.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The same idempotent request is still running.
    RequestRunning,
    /// The file is not decided yet.
    NotTerminal,
    /// The file cannot be replayed as it is.
    NotReplayable,
    /// Another upload under the name finished at the same time.
    NameConflict,
    /// The current file of the name has, or may have, the announced bytes.
    SameBytes,
    /// The upload has landed, was aborted or has expired.
    UploadClosed,
    /// The newest versions of the record are not visible.
    TooManyVersions,
    /// The body or the file has too many bytes.
    TooLarge,
    /// The body is a form.
    UnsupportedMediaType,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// `corrects` names no file of this partner and feed.
    UnknownCorrection,
    /// The parts do not add up to the announced upload.
    PartsRejected,
    /// A limit is reached.
    TooManyRequests,
    /// The service has a defect.
    Internal,
    /// A service that is needed did not answer.
    Unavailable,
}

impl ProblemCode {
    /// All codes, by status.
    pub const ALL: [Self; 26] = [
        Self::InvalidRequest,
        Self::InvalidQuery,
        Self::InvalidHeader,
        Self::InvalidBody,
        Self::InvalidName,
        Self::InvalidKey,
        Self::ChecksumMismatch,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestRunning,
        Self::NotTerminal,
        Self::NotReplayable,
        Self::NameConflict,
        Self::SameBytes,
        Self::UploadClosed,
        Self::TooManyVersions,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyKeyReused,
        Self::UnknownCorrection,
        Self::PartsRejected,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest
            | Self::InvalidQuery
            | Self::InvalidHeader
            | Self::InvalidBody
            | Self::InvalidName
            | Self::InvalidKey
            | Self::ChecksumMismatch => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestRunning
            | Self::NotTerminal
            | Self::NotReplayable
            | Self::NameConflict
            | Self::SameBytes
            | Self::UploadClosed
            | Self::TooManyVersions => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::IdempotencyKeyReused | Self::UnknownCorrection | Self::PartsRejected => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// Returns the code and its title.
    #[must_use]
    pub fn code_and_title(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidRequest => ("invalid-request", "the request cannot be read"),
            Self::InvalidQuery => ("invalid-query", "a query parameter is not allowed"),
            Self::InvalidHeader => ("invalid-header", "a header is not allowed"),
            Self::InvalidBody => ("invalid-body", "the body does not have the expected form"),
            Self::InvalidName => ("invalid-name", "the file name is not allowed"),
            Self::InvalidKey => ("invalid-key", "the record key does not fit the primary key of the feed"),
            Self::ChecksumMismatch => ("checksum-mismatch", "the checksum does not match the bytes"),
            Self::Unauthorized => ("unauthorized", "missing or unknown credential"),
            Self::Forbidden => ("forbidden", "the credential does not allow this"),
            Self::NotFound => ("not-found", "not found"),
            Self::MethodNotAllowed => ("method-not-allowed", "the method is not allowed here"),
            Self::RequestRunning => ("request-running", "the same request is still running"),
            Self::NotTerminal => ("not-terminal", "the file is not decided yet"),
            Self::NotReplayable => ("not-replayable", "the file cannot be replayed"),
            Self::NameConflict => ("name-conflict", "another upload under this name finished first"),
            Self::SameBytes => ("same-bytes", "the file under this name has the same bytes"),
            Self::UploadClosed => ("upload-closed", "the upload is not open"),
            Self::TooManyVersions => ("too-many-versions", "the newest versions are not visible"),
            Self::TooLarge => ("too-large", "too many bytes"),
            Self::UnsupportedMediaType => ("unsupported-media-type", "the content type is not accepted"),
            Self::IdempotencyKeyReused => {
                ("idempotency-key-reused", "the idempotency key was used for another request")
            }
            Self::UnknownCorrection => ("unknown-correction", "the file to correct is unknown"),
            Self::PartsRejected => ("parts-rejected", "the parts do not add up to the announced upload"),
            Self::TooManyRequests => ("too-many-requests", "a limit is reached"),
            Self::Internal => ("internal", "the request failed"),
            Self::Unavailable => ("unavailable", "a service did not answer"),
        }
    }

    /// Returns the code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.code_and_title().0
    }
}

/// The problem of a request (RFC 9457): what is wrong, where, what is expected and what to do. Holds text of this
/// repository, numbers and positions only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemDetails {
    /// The code.
    pub code: ProblemCode,
    /// What was found and expected, and what to do.
    pub detail: Cow<'static, str>,
    /// When the same request may pass, seconds from now.
    pub retry_after: Option<u64>,
    /// The methods that are allowed, for a wrong one.
    pub allow: Option<String>,
}

impl ProblemDetails {
    /// Makes a problem.
    #[must_use]
    pub fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), retry_after: None, allow: None }
    }

    /// Adds the time to wait, seconds.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Makes the one answer to what does not exist and to what belongs to another partner, so that they look alike.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            ProblemCode::NotFound,
            "nothing found here for this credential: check the path, the id and the feeds that the credential opens",
        )
    }

    /// Writes the JSON body.
    #[must_use]
    pub fn body(&self, request: &str) -> String {
        let (code, title) = self.code.code_and_title();
        let document = ProblemBody {
            problem_type: format!("urn:silent-scalper:problem:{code}"),
            title,
            status: self.code.status(),
            detail: &self.detail,
            code,
            request_id: request,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}

/// Why a request was not carried out (RFC 9457)
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Problem"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemBody<'a> {
    /// `urn:silent-scalper:problem:<code>`
    #[serde(rename = "type")]
    problem_type: String,
    /// What is wrong, the same for each code
    title: &'static str,
    /// The HTTP status
    #[cfg_attr(test, schemars(range(min = 400, max = 599)))]
    status: u16,
    /// What is wrong with this request, where, and what to do
    detail: &'a str,
    /// The stable code; decide by it
    code: &'static str,
    /// The id of the request, for the operator
    request_id: &'a str,
}

/// A request that was not carried out.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// The caller can fix it.
    Problem(ProblemDetails),
    /// A service failed. The cause is logged where the request is answered, and is not in the answer.
    Service(store::Error),
}

impl From<ProblemDetails> for RequestError {
    fn from(problem: ProblemDetails) -> Self {
        Self::Problem(problem)
    }
}

impl From<store::Error> for RequestError {
    fn from(error: store::Error) -> Self {
        Self::Service(error)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;

    /// The table of codes, a part of `docs/codes.md`, which a test of `checker` puts together.
    const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/problem/codes.md");

    #[test]
    fn the_kept_table_of_codes_is_that_of_the_enum() {
        let mut table = "| code | status | title |\n|---|---|---|\n".to_owned();
        for code in ProblemCode::ALL {
            let (word, title) = code.code_and_title();
            writeln!(table, "| `{word}` | {} | {title} |", code.status()).expect("a string takes every text");
        }
        if std::fs::read_to_string(KEPT).unwrap_or_default() != table {
            let fresh = Path::new(KEPT).with_extension("md.new");
            std::fs::write(&fresh, &table).expect("written next to the table");
            panic!(
                "problem/codes.md is not what the enum says: compare it with codes.md.new, then rename that"
            );
        }
    }

    #[test]
    fn every_code_has_its_own_word_and_a_status_of_an_error() {
        let words: BTreeSet<&str> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ProblemCode::ALL.len());
        for code in ProblemCode::ALL {
            let (word, title) = code.code_and_title();
            assert!((400..=503).contains(&code.status()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{word}");
            assert!(!title.ends_with('.') && !title.starts_with(char::is_uppercase), "{title}");
        }
    }

    #[test]
    fn a_body_is_the_standards_members_the_code_and_the_request() {
        let body = ProblemDetails::new(ProblemCode::TooLarge, "5 bytes").body("r-1");
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:silent-scalper:problem:too-large", "title": "too many bytes", "status": 413,
                "detail": "5 bytes", "code": "too-large", "requestId": "r-1"
            })
        );
    }
}
