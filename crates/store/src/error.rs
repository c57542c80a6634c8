//! Failures of the services: ours, retryable, never the partner's.

/// What was being done when a service failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Reading an object.
    ReadObject,
    /// Writing an object into the quarantine bucket.
    WriteObject,
    /// Giving up an upload in parts into the quarantine bucket.
    AbortUpload,
    /// Copying the original into the quarantine bucket.
    CopyObject,
    /// Listing the versions of a key.
    ListVersions,
    /// Looking where a version stands among the versions of its key.
    RankVersion,
    /// Looking at a receipt of the outbox bucket.
    ReadOutbox,
    /// Writing a receipt into the outbox bucket.
    WriteOutbox,
    /// Copying rejected records into the outbox bucket.
    ReturnRejects,
    /// Listing another bucket, from which an operator copies.
    ListSource,
    /// Copying an object of another bucket into the inbox.
    CopyIn,
    /// Reading a contract.
    ReadContract,
    /// Listing the versions of a contract.
    ListContractVersions,
    /// Claiming a ledger entry.
    Claim,
    /// Claiming the replay of a file.
    ClaimReplay,
    /// Ending a replay that leaves the file as it was.
    EndReplay,
    /// Retracting a load, or showing it again.
    Reverse,
    /// Listing loads whose rows are to be deleted.
    ListDead,
    /// Reading how far the clean-up of a load got.
    ReadDead,
    /// Taking from a load the possibility to be shown again.
    GiveUp,
    /// Noting how far the clean-up of a load got.
    CleanUp,
    /// Deleting rows.
    DeleteRows,
    /// Writing a checkpoint.
    Checkpoint,
    /// Releasing a lease.
    Release,
    /// Recording that the process of a claim died.
    RecordDeath,
    /// Writing a terminal state.
    Finish,
    /// Committing a load.
    Commit,
    /// Reading a ledger entry.
    ReadLedger,
    /// Listing open files: quarantined, and neither sent again nor acknowledged.
    ListOpen,
    /// Noting that a file is open no longer.
    Close,
    /// Noting what an operator said of a quarantined file.
    Acknowledge,
    /// Reading which feeds are held.
    ReadHold,
    /// Holding a feed, or releasing it.
    WriteHold,
    /// Listing the files of a feed that wait.
    ListHeld,
    /// Noting that a file waits.
    HoldFile,
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
    /// Reading recent values of metrics.
    ReadMetrics,
    /// Reading a secret.
    ReadSecret,
    /// Sending mail.
    SendMail,
    /// Reading how far the reconciliation got.
    ReadCursor,
    /// Writing how far the reconciliation got.
    WriteCursor,
    /// Sending messages to a queue.
    SendMessages,
    /// Taking dead letters from their queue.
    TakeLetters,
    /// Removing a dead letter that was sent again.
    RemoveLetter,
    /// Making a dead letter visible again.
    PutBack,
    /// Publishing a contract.
    PublishContract,
    /// Reading how a bucket is configured.
    ReadBucket,
    /// Reading the bucket policy of the inbox.
    ReadBucketPolicy,
    /// Writing the bucket policy of the inbox.
    WriteBucketPolicy,
    /// Listing the grants of a key.
    ListGrants,
    /// Making or revoking a grant of a key.
    WriteGrant,
    /// Reading how a function or its event source is configured.
    ReadFunction,
    /// Reading what the account may use.
    ReadAccount,
    /// Reading alarms.
    ReadAlarms,
    /// Reading the subscriptions of a topic.
    ReadSubscriptions,
    /// Asking who calls.
    IdentifyCaller,
    /// Reading the audit trail.
    ReadAudit,
    /// Writing the audit trail.
    WriteAudit,
}

/// Codes by which S3, KMS and DynamoDB reject for want of a permission or an enabled key. The answer to a HEAD has no
/// body and so no code but its status.
const DENIALS: [&str; 5] =
    ["AccessDenied", "AccessDeniedException", "KMSAccessDeniedException", "Forbidden", "http 403"];

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
    /// Makes an error without a service's answer.
    #[must_use]
    pub fn new(operation: Operation, code: impl Into<String>) -> Self {
        Self { operation, code: code.into(), request_id: None }
    }

    /// Returns whether the service rejected: a permission is missing, or a key is disabled. To try again does not help.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        DENIALS.contains(&self.code.as_str()) || self.code.starts_with("KMS.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_and_a_disabled_key_are_rejections_and_a_throttled_call_is_none() {
        let is_denied = |code: &str| Error::new(Operation::ReadObject, code).is_denied();
        for code in ["AccessDenied", "AccessDeniedException", "http 403", "KMS.DisabledException"] {
            assert!(is_denied(code), "{code}");
        }
        for code in ["ThrottlingException", "timeout", "http 500", "injected"] {
            assert!(!is_denied(code), "{code}");
        }
    }
}
