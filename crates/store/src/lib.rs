//! Where bytes, entries and rows are kept. The only crate that knows S3, DynamoDB, SQS, SNS and CloudWatch.
//!
//! One file for each resource, three times: the trait here, `aws` with the SDK, and `memory`, its twin, which can
//! fail at the n-th call, before or after the effect. A trait belongs to one resource, and what may only read and
//! what may write are two traits. Functions name the traits that they use, so that what they cannot do shows in their
//! signatures; on AWS they are composed of their resources by [`resources!`]. Every effect has a name computed from
//! its input, so doing it twice is doing it once.

mod audit;
pub mod aws;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod contracts;
mod dead;
mod document;
mod error;
mod holds;
mod inbox;
mod inbox_access;
mod incidents;
mod ledger;
pub mod memory;
mod metrics;
mod outbox;
mod partners;
mod quarantine;
mod queues;
mod rank;
mod records;
mod requests;
mod secrets;
mod source;
mod stack;
mod topics;
mod usage;

pub use self::ledger::{
    Acknowledge, Acknowledged, Cursor, FileNames, FilePage, FilePlace, FileQuery, ListedFile, MOST_ENTRIES,
    OpenFiles, ReadLedger, Reconciliation, ReverseLoads, WriteLedger,
};
pub use ::ledger::dynamodb::BATCH_ITEMS;
pub use ::ledger::{
    Acknowledgement, Claim, Claimed, CleanUp, CleanUpRequest, ClosedBy, Commit, Committed, ContentClaim,
    DeadLoad, Entry, Fence, Fenced, FileHeld, FileId, FileVersion, GivenUp, Head, HeadMove, Hold, HoldPut,
    LoadId, MOST_PAST, OpenFile, Order, Outcome, PastOfFile, PastOutcome, Rank, Replay, ReplayClaim,
    ReplayClaimed, ReplayResult, Replayed, Reversal, Reversed, State, StateChange, StateMove,
    UNNAMED as UNKNOWN, VersionId,
};
pub use ::ledger::{
    Act, ActDetail, ActEnd, ActId, ActReason, ActRecord, ActResult, ActSubject, ActWord, Actor, Arn,
    DetailName, DetailValue, Verb,
};
pub use audit::{AuditPage, AuditQuery, CallerIdentity, ReadAudit, WriteAudit};
pub use contracts::{
    ContractObject, ContractPut, ContractText, MOST_CONTRACT_VERSIONS, MOST_FEEDS, PublishedContract,
    ReadContracts, WriteContracts,
};
pub use dead::{ListDead, WriteDead};
pub use error::{Error, Operation};
pub use holds::{HeldFiles, HoldFeeds, HoldFiles, ReadHolds};
pub use inbox::{
    BodyChunks, Condition, Current, Folders, InboxPage, InboxPlace, Land, Landed, ListInbox, ListedVersion,
    Opened, Presigned, ReadInbox, SignedPart, SignedUpload, UploadId, UploadPart, WriteInbox,
};
pub use inbox_access::{BucketUse, InboxAccess, KeyGrant, PartnerBucket};
pub use incidents::{Incident, Incidents};
pub use metrics::{AlarmNow, Datapoint, MetricMeasure, MetricQuery, PeriodRange, ReadMetrics};
pub use outbox::{PostedReceipt, ReceiptMark, WriteOutbox};
pub use partners::{
    Credential, CredentialHash, Feeds, Partner, ReadPartners, ReadRegistrations, ReadS3Principals,
    S3Principals, Scope, Webhook, WritePartners, usage_key,
};
pub use quarantine::{OpenUploads, Original, ReadQuarantine, Upload, WriteQuarantine};
pub use queues::{
    CountMessages, DeadLetter, Depth, MOST_MESSAGES, Queue, Redrive, RedrivenQueue, SendMessages,
    SendToQueue, StackQueue, TakenLetter, WatchQueues, WatchedQueue,
};
pub use records::{
    DeleteRecords, ItemValue, ReadRecords, RecordItem, RecordPage, RecordVersion, RowKey, WriteRecords,
    row_bytes, row_item, row_key, shards,
};
pub use requests::{
    Begun, PartnerLimits, RequestKey, Requests, Spent, StoredResponse, UploadKind, UploadRecord,
};
pub use secrets::Secrets;
pub use source::{CopiedIn, CopyIntoInbox, MOST_COPIED_BYTES, SourceObject, SourcePage};
pub use stack::{
    AccountConcurrency, AlarmFact, AlarmState, Checkup, InboxQueue, Mapping, Notifications,
    QueueNotification, Subscription,
};
pub use topics::{Announcement, Mail, Outcomes};
pub use usage::{Metered, Usage};
