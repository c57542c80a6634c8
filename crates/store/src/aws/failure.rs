//! What went wrong, without what the service says about it: a message may repeat a key or a value.

use aws_sdk_s3::operation::RequestId as _;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::{Error, Operation};

/// Longest code that is taken over.
const CODE_BYTES: usize = 64;

/// Converts the failed call to an error of the store.
pub(super) fn failure<E>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata,
{
    let code = match (code(error), error) {
        (Some(code), _) => code.to_owned(),
        (None, SdkError::TimeoutError(_)) => "timeout".to_owned(),
        (None, SdkError::DispatchFailure(dispatch)) if dispatch.is_timeout() => "timeout".to_owned(),
        (None, SdkError::DispatchFailure(dispatch)) if dispatch.is_io() => "connection".to_owned(),
        (None, SdkError::DispatchFailure(_)) => "dispatch".to_owned(),
        (None, SdkError::ConstructionFailure(_)) => "request not built".to_owned(),
        (None, _) => status(error).map_or_else(|| "no answer".to_owned(), |status| format!("http {status}")),
    };
    Error { operation, code, request_id: error.request_id().filter(|id| is_word(id)).map(str::to_owned) }
}

/// Returns the service's own code, when it is one.
pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.code().filter(|code| is_word(code))
}

/// Returns the HTTP status, when there was an answer.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

pub(super) fn is_word(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= CODE_BYTES && !text.is_empty() && text.bytes().all(letters)
}
