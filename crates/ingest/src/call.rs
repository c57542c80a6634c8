//! One request of a known caller: what every handler needs.

use std::sync::Arc;

use bytes::Bytes;
use checker::FaultCode;
use contract::Contract;
use ledger::FileId;
use runtime::{Contracts, Host, QuarantineReason, Terms};

use crate::ApiStore;
use crate::caller::{Caller, OpenFeed};
use crate::event::ApiRequest;
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::settings::Settings;

/// One request of a known caller.
pub(crate) struct ApiCall<'a, S> {
    pub(crate) store: &'a S,
    pub(crate) contracts: &'a Contracts,
    pub(crate) settings: &'a Settings,
    pub(crate) host: &'a Host,
    pub(crate) caller: &'a Caller,
    pub(crate) request: &'a ApiRequest,
    pub(crate) operation: &'static str,
    /// The segments of the path for each `{name}` of the route.
    pub(crate) captured: &'a [&'a str],
    pub(crate) body: Bytes,
    pub(crate) now_ms: u64,
}

/// Whether a feed accepts files, and under which contract.
pub(crate) enum FeedTerms {
    /// Files are accepted under this contract.
    Active(Arc<Contract>),
    /// There is a document, and files are quarantined; with the contract when it could be compiled.
    Quarantine(QuarantineReason),
}

impl FeedTerms {
    pub(crate) fn contract(&self) -> Option<&Arc<Contract>> {
        match self {
            Self::Active(contract) => Some(contract),
            Self::Quarantine(reason) => reason.contract.as_ref(),
        }
    }

    /// Rejects a file that the contract would reject for its size, before a byte of it is stored.
    pub(crate) fn within_limit(&self, bytes: u64) -> Result<(), ProblemDetails> {
        let Some(contract) = self.contract() else { return Ok(()) };
        let most = contract.limits.file_bytes;
        if bytes <= most {
            return Ok(());
        }
        let detail =
            format!("the file has {bytes} bytes; the contract of the feed allows at most {most}: split it");
        Err(ProblemDetails::new(ProblemCode::TooLarge, detail))
    }
}

impl<'a, S: ApiStore> ApiCall<'a, S> {
    /// Returns the first variable of the path.
    pub(crate) fn first(&self) -> &'a str {
        self.captured.first().copied().unwrap_or_default()
    }

    /// Returns the feed that the path names, if the credential opens it.
    pub(crate) fn feed(&self) -> Result<OpenFeed<'a>, ProblemDetails> {
        self.caller.feed(self.first())
    }

    /// Returns the file that the path names.
    pub(crate) fn file(&self) -> Result<FileId, ProblemDetails> {
        FileId::parse(self.first()).ok_or_else(ProblemDetails::not_found)
    }

    /// Reads the terms of a feed. A feed without a contract is not found.
    pub(crate) async fn terms(&self, feed: OpenFeed<'_>) -> Result<FeedTerms, RequestError> {
        let ttl_ms = self.settings.contract_ttl_ms;
        match self.contracts.terms(self.store, feed.name(), self.now_ms, ttl_ms).await? {
            Terms::Active(contract) => Ok(FeedTerms::Active(contract)),
            Terms::Quarantine(rejection) if rejection.fault.code == FaultCode::NoContract => {
                Err(ProblemDetails::not_found().into())
            }
            Terms::Quarantine(rejection) => Ok(FeedTerms::Quarantine(rejection)),
        }
    }

    /// Checks that a correction names a file of this partner and feed.
    pub(crate) async fn corrected(
        &self,
        feed: OpenFeed<'_>,
        id: Option<&str>,
    ) -> Result<Option<FileId>, RequestError> {
        let Some(id) = id else { return Ok(None) };
        let unknown = || {
            let detail =
                "`corrects` names no file of yours in this feed: give the `id` of the file to correct";
            ProblemDetails::new(ProblemCode::UnknownCorrection, detail)
        };
        let file = FileId::parse(id).ok_or_else(unknown)?;
        let entry = self.store.entry(&file).await?;
        match entry.filter(|entry| self.caller.owns(entry) && entry.feed == feed.name()) {
            Some(_) => Ok(Some(file)),
            None => Err(unknown().into()),
        }
    }

    /// Returns an address of this API, as a path on the same host.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.request.base)
    }

    /// Returns the address of a file's state.
    pub(crate) fn file_link(&self, file: &FileId) -> String {
        self.link(&format!("/v1/files/{file}"))
    }

    /// Logs a failure that does not change the answer.
    pub(crate) fn overlook(&self, error: &store::Error) {
        tracing::warn!(
            operation = self.operation,
            failed = ?error.operation,
            code = error.code.as_str(),
            "an optional call failed: the response is sent without its result"
        );
    }
}

/// Returns the name of a file: the part of its key after partner and feed.
pub(crate) fn name_of(key: &str) -> &str {
    key.splitn(3, '/').nth(2).unwrap_or_default()
}

/// Returns the whole seconds that cover a wait, at least 1.
pub(crate) fn seconds(milliseconds: u64) -> u64 {
    milliseconds.div_ceil(1_000).max(1)
}
