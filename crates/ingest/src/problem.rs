//! What a caller is told when a request is not carried out: problem details (RFC 9457), never an internal cause.

use std::borrow::Cow;

use serde::Serialize;

/// The stable codes. Each has one status; a client decides by the code and shows the detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The event or the path is none that a client of HTTP writes.
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
    /// The bytes are not those that a header announces.
    ChecksumMismatch,
    /// Nobody that is known asks.
    Unauthorized,
    /// Whoever asks may not do this.
    Forbidden,
    /// Not there, or not the caller's.
    NotFound,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// The same idempotent request is being carried out.
    RequestRunning,
    /// The file has no receipt yet.
    NotTerminal,
    /// Other bytes landed under the name at the same time.
    NameConflict,
    /// The upload has landed, was given up, or has expired.
    UploadClosed,
    /// No visible version among the newest of the record.
    TooManyVersions,
    /// More bytes than are taken in this way.
    TooLarge,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The corrected file is none of this partner and feed.
    UnknownCorrection,
    /// The parts do not make the announced upload.
    PartsRefused,
    /// A limit is used up.
    TooManyRequests,
    /// A defect of ours.
    Internal,
    /// A service did not answer.
    Unavailable,
}

impl Code {
    /// All of them, by status.
    pub const ALL: [Self; 23] = [
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
        Self::NameConflict,
        Self::UploadClosed,
        Self::TooManyVersions,
        Self::TooLarge,
        Self::IdempotencyKeyReused,
        Self::UnknownCorrection,
        Self::PartsRefused,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The HTTP status.
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
            | Self::NameConflict
            | Self::UploadClosed
            | Self::TooManyVersions => 409,
            Self::TooLarge => 413,
            Self::IdempotencyKeyReused | Self::UnknownCorrection | Self::PartsRefused => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// The code and the sentence that says it.
    #[must_use]
    pub fn code_and_title(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidRequest => ("invalid-request", "the request cannot be read"),
            Self::InvalidQuery => ("invalid-query", "a query parameter is not allowed"),
            Self::InvalidHeader => ("invalid-header", "a header is not allowed"),
            Self::InvalidBody => ("invalid-body", "the body is not what this operation takes"),
            Self::InvalidName => ("invalid-name", "the file name is not allowed"),
            Self::InvalidKey => ("invalid-key", "the record key does not fit the feed"),
            Self::ChecksumMismatch => ("checksum-mismatch", "the bytes are not those that were announced"),
            Self::Unauthorized => ("unauthorized", "the credential is missing or not valid"),
            Self::Forbidden => ("forbidden", "the credential does not allow this"),
            Self::NotFound => ("not-found", "not found"),
            Self::MethodNotAllowed => ("method-not-allowed", "the method is not allowed here"),
            Self::RequestRunning => ("request-running", "the same request is being carried out"),
            Self::NotTerminal => ("not-terminal", "the file is not decided yet"),
            Self::NameConflict => ("name-conflict", "another upload under this name was faster"),
            Self::UploadClosed => ("upload-closed", "the upload is not open"),
            Self::TooManyVersions => ("too-many-versions", "no visible version among the newest ones"),
            Self::TooLarge => ("too-large", "too many bytes"),
            Self::IdempotencyKeyReused => {
                ("idempotency-key-reused", "the idempotency key was used for another request")
            }
            Self::UnknownCorrection => ("unknown-correction", "the corrected file is not known"),
            Self::PartsRefused => ("parts-refused", "the parts do not make the announced upload"),
            Self::TooManyRequests => ("too-many-requests", "a limit is used up"),
            Self::Internal => ("internal", "the request failed"),
            Self::Unavailable => ("unavailable", "a service does not answer"),
        }
    }

    /// The code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.code_and_title().0
    }
}

/// A problem: what, where, and what to do next. Text of this repository, numbers and positions only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// What was found and expected, and what to do.
    pub detail: Cow<'static, str>,
    /// When the same request may pass, seconds from now.
    pub retry_after: Option<u64>,
    /// The methods that are allowed, for a wrong one.
    pub allow: Option<String>,
}

impl Problem {
    /// A problem.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), retry_after: None, allow: None }
    }

    /// The same, with the time to wait.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The one answer to what is not there and to what is another's: whoever asks cannot tell them apart.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            Code::NotFound,
            "there is nothing here for this credential: check the path, the id and the feed",
        )
    }

    /// The JSON body.
    #[must_use]
    pub fn body(&self, request: &str) -> String {
        let (code, title) = self.code.code_and_title();
        let document = Document {
            problem_type: format!("urn:silent-scalper:problem:{code}"),
            title,
            status: self.code.status(),
            detail: &self.detail,
            code,
            request,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    problem_type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(rename = "requestId")]
    request: &'a str,
}

/// Why a request was not carried out.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The caller can do something about it.
    Problem(Problem),
    /// A service failed: logged where it is answered, never told.
    Service(store::Error),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        Self::Service(error)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_its_own_word_and_a_status_of_an_error() {
        let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            let (word, title) = code.code_and_title();
            assert!((400..=503).contains(&code.status()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{word}");
            assert!(!title.ends_with('.') && !title.starts_with(char::is_uppercase), "{title}");
        }
    }

    #[test]
    fn a_body_is_the_standards_members_the_code_and_the_request() {
        let body = Problem::new(Code::TooLarge, "5 bytes").body("r-1");
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
