//! Failures of the services: ours, retryable, never the partner's.

/// What was being done when a service failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Reading an object.
    ReadObject,
    /// Writing an object into the quarantine bucket.
    WriteObject,
    /// Copying the original into the quarantine bucket.
    CopyObject,
    /// Listing the versions of a key.
    ListVersions,
    /// Reading a contract.
    ReadContract,
    /// Claiming a ledger entry.
    Claim,
    /// Writing a checkpoint.
    Checkpoint,
    /// Releasing a lease.
    Release,
    /// Writing a terminal state.
    Finish,
    /// Committing a load.
    Commit,
    /// Reading a ledger entry.
    ReadLedger,
    /// Writing rows.
    WriteRows,
    /// Changing a message's visibility.
    Defer,
    /// Publishing an outcome.
    Announce,
    /// Reading a partner, a credential or a webhook.
    ReadPartner,
    /// Writing a partner, a credential or a webhook.
    WritePartner,
    /// Spending of a partner's limits.
    Spend,
    /// Beginning, answering or forgetting an idempotent request.
    KeepRequest,
    /// Reading or writing the record of a promised upload.
    KeepUpload,
    /// Looking for the version of a key that is current, or that an upload made.
    FindVersion,
    /// Writing a file into the inbox.
    Land,
    /// Beginning an upload in parts, completing it or giving it up.
    LandParts,
    /// Signing a request for a sender.
    Sign,
    /// Listing a partner's files.
    ListFiles,
    /// Reading a receipt.
    ReadDocument,
    /// Listing the contracts.
    ListContracts,
    /// Reading versions of a record.
    ReadRows,
    /// Listing the folders of the inbox.
    ListInbox,
    /// Counting the messages of a queue.
    ReadQueue,
    /// Looking for the tables of a stack.
    FindStack,
    /// Reading where an incident stands.
    ReadIncident,
    /// Writing where an incident stands.
    WriteIncident,
    /// Reading a secret.
    ReadSecret,
    /// Sending mail.
    SendMail,
    /// Reading how far the reconciliation got.
    ReadCursor,
    /// Writing how far the reconciliation got.
    WriteCursor,
    /// Sending messages to the inbox queue.
    SendMessages,
    /// Publishing a contract.
    PublishContract,
}

/// A call to a service that did not succeed. Never holds content: only the operation, the service's own code and
/// request id.
#[derive(Debug, thiserror::Error)]
#[error("{operation:?} failed: {code}")]
pub struct Error {
    /// What was being done.
    pub operation: Operation,
    /// The service's error code, or the kind of transport failure, e.g. `ThrottlingException`, `timeout`.
    pub code: String,
    /// The service's request id, when it answered.
    pub request_id: Option<String>,
}

impl Error {
    /// An error without a service's answer.
    #[must_use]
    pub fn new(operation: Operation, code: impl Into<String>) -> Self {
        Self { operation, code: code.into(), request_id: None }
    }
}
