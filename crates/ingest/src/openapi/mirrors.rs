//! Schemas of what serde sees as a plain text, and mirrors of bodies that are not written by a type of this crate.
//!
//! Every answer in the tests of this crate is compared with these schemas (`tests/schema.rs`), so that a mirror
//! cannot lack a member.

#![expect(dead_code, reason = "only the schemas of these types are used")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use ledger::{FileEventKind, ReplayResult, State as Known};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::operations::name_schema;
use crate::history::RUNNING;
use crate::replay::ASKED;
use crate::status::RECEIVED;

/// The states of the ledger.
const STATES: [Known; 9] = [
    Known::Processing,
    Known::Held,
    Known::Complete,
    Known::Quarantined,
    Known::Superseded,
    Known::Duplicate,
    Known::Gone,
    Known::Ignored,
    Known::Retracted,
];

/// Defines a text by its schema: `named` ones are components of the document, `inline` ones stand where they are used.
macro_rules! texts {
    ($($kind:ident $name:ident $schema:expr;)+) => {$(
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                stringify!($kind) == "inline"
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                Schema::try_from($schema).expect("a schema is an object")
            }
        }
    )+};
}

texts! {
    named FeedName json!({ "type": "string", "description": "The name of a feed", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$" });
    named FileId id("The id of a file: of one version of one object");
    named UploadId id("The id of an upload");
    named DecidedState words("The state of a file that processing has begun", &STATES.map(Known::as_str));
    named State words(STATE, &[&[RECEIVED][..], &STATES.map(Known::as_str)[..]].concat());
    inline HistoryWord words("What happened", &FileEventKind::ALL.map(FileEventKind::as_str));
    inline ReplayWord words("How a replay is", &[&[RUNNING][..], &ReplayResult::ALL.map(ReplayResult::as_str)[..]].concat());
    inline AskedWord words("How a replay is", &[ASKED, RUNNING, ReplayResult::Decided.as_str(), ReplayResult::Kept.as_str()]);
    inline DryRunState words("A state", &[Known::Complete, Known::Quarantined].map(Known::as_str));
    inline False json!({ "type": "boolean", "enum": [false] });
    inline Sha256 json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" });
    inline FileName name_schema();
    inline MediaType json!({
        "type": "string", "pattern": r"^[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}$", "examples": ["text/csv"]
    });
    inline EntityTag json!({ "type": "string", "pattern": r#"^"?[0-9A-Za-z-]{1,128}"?$"# });
    inline HeaderValue json!({ "type": "string", "description": "The header's value" });
    inline Warning json!({ "type": "string", "description": "A warning" });
}

const STATE: &str = "The state of a file: `RECEIVED` (landed, processing has not begun), `PROCESSING`, `HELD` (it waits until the operator releases its feed), `COMPLETE` (its good records \
    are loaded), `QUARANTINED` (not loaded; the receipt says why), `SUPERSEDED` (a newer file is loaded instead), `DUPLICATE` (the \
    same content is already loaded), `GONE` (deleted before it was read), `IGNORED` (a desktop's own file), `RETRACTED` (taken back \
    by the operator)";

fn id(what: &str) -> Value {
    json!({ "type": "string", "description": what, "pattern": "^[0-9a-hjkmnp-tv-z]{26}$" })
}

fn words(what: &str, words: &[&str]) -> Value {
    json!({ "type": "string", "description": what, "enum": words })
}

#[expect(clippy::zero_sized_map_values, reason = "only its schema is used")]
pub(crate) type Headers = BTreeMap<String, HeaderValue>;

/// Any JSON object
#[derive(JsonSchema)]
pub(super) struct Anything(Map<String, Value>);

/// The service answers
#[derive(JsonSchema)]
pub(super) struct Health {
    /// Always `ok`
    status: HealthStatus,
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
enum HealthStatus {
    Ok,
}

/// Records by fate
#[derive(JsonSchema)]
pub(crate) struct Counts {
    /// Records that were read
    records: u64,
    /// Good records
    rows: u64,
    /// Rejected records
    rejects: u64,
    /// Records that the contract leaves out (`dropIf`), where there are any
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<u64>,
    /// Broken rules that reject nothing
    warnings: u64,
}

/// The verdict on the content of a file
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Accepted,
    Partial,
    Rejected,
}

/// What the check found
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Findings {
    /// The verdict on the content
    verdict: Option<Verdict>,
    /// Why the file as a whole is not loaded; null when it is
    fault: Option<FileFault>,
    /// Records by fate; null when the file was not read
    counts: Option<Counts>,
    /// SHA-256 of the file; null when it was not read
    sha256: Option<Sha256>,
    /// The contract; null when there is none that can be used
    contract: Option<CheckedContract>,
    /// The rules that were broken, in the contract's order
    rules: Vec<BrokenRule>,
    /// The records that the contract leaves out, by condition, where there are any
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<Vec<LeftOutRecords>>,
    /// The first violations, at most 100
    violations: Vec<RecordViolation>,
    /// What the contract says and is not checked
    not_run: Vec<NotChecked>,
    /// What the sender should know though it rejects nothing
    warnings: Vec<Warning>,
}

/// Why the file as a whole is not loaded
#[derive(JsonSchema)]
struct FileFault {
    /// The stable code of the fault
    code: String,
    /// The line, from 1, where one is known
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// The column of the header, from 1, where one is meant
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    /// What was found
    found: String,
    /// What was expected
    expected: String,
    /// What is wrong, as one sentence. A receipt of an earlier release may lack it
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    /// What to do
    advice: String,
}

/// The contract under which the file was checked
#[derive(JsonSchema)]
struct CheckedContract {
    /// The contract's id
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Its version
    version: String,
    /// SHA-256 of the document
    hash: String,
}

/// Records that one condition of the contract leaves out
#[derive(JsonSchema)]
struct LeftOutRecords {
    /// The condition, as the contract says it
    condition: String,
    /// How many records make it true
    records: u64,
}

/// A rule that records broke
#[derive(JsonSchema)]
struct BrokenRule {
    /// The rule's id: the column and what it asks
    rule: String,
    /// The code of the reason
    code: String,
    /// What breaking it does
    severity: String,
    /// The column, where the rule is about one
    column: Option<String>,
    /// How often it was broken
    count: u64,
    /// What it expects
    expected: String,
}

/// A rule that one record broke
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RecordViolation {
    /// The line on which the record begins, from 1
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// The number of the record, from 1
    record: u64,
    /// Where the record begins in the decoded text, in bytes from 0
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_offset: Option<u64>,
    /// The column, where the rule is about one
    column: Option<String>,
    /// The rule's id
    rule: String,
    /// The code of the reason
    code: String,
    /// What is wrong. No value is in it
    reason: String,
}

/// Something in the contract that is not checked
#[derive(JsonSchema)]
struct NotChecked {
    /// Where the contract says it
    path: String,
    /// What it says
    what: String,
    /// Why it is not checked
    why: String,
}

/// The decision on a file. No value of the file is in it
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    /// The version of this form
    format_version: u32,
    /// The file's id
    file_id: String,
    /// The name of the load
    load: String,
    /// The partner who sent the file
    partner: String,
    /// The feed
    feed: String,
    /// The key of the object in the inbox
    key: String,
    /// The version of the object
    version: String,
    /// The order among the versions of the name
    order: String,
    /// The file that this one corrects
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<String>,
    /// The file that is loaded in place of this one
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<String>,
    /// The key of the receipt before this one, which lists rules and violations
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier: Option<String>,
    /// Where the bytes of a quarantined file are kept
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<KeptObject>,
    /// The form in which rejected records are returned to a sender who only uses S3, in the outbox
    #[serde(skip_serializing_if = "Option::is_none")]
    rejects_returned: Option<ReturnedRejects>,
    /// The form in which rejected records are kept, to be corrected and sent back
    #[serde(skip_serializing_if = "Option::is_none")]
    rejects_form: Option<ReturnedRejects>,
    /// The decision
    state: DecidedState,
    /// Records that are loaded
    loaded: u64,
    /// The length in bytes; null when the file was not read
    bytes: Option<u64>,
    #[serde(flatten)]
    findings: Findings,
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
enum ReturnedRejects {
    Csv,
    Ndjson,
}

/// Where the bytes of a quarantined file are kept, for the operator
#[derive(JsonSchema)]
struct KeptObject {
    /// The bucket, by its part in the system
    bucket: KeptBucket,
    /// The key of the object
    key: String,
    /// The version of the object, when it is not the newest
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
enum KeptBucket {
    Inbox,
    Quarantine,
}

/// A version of a record, or with `history` its visible versions
#[derive(JsonSchema)]
#[serde(untagged)]
pub(super) enum RecordAnswer {
    Version(RecordVersion),
    History(RecordHistory),
}

/// A version of a record
#[derive(JsonSchema)]
pub(super) struct RecordVersion {
    /// The record by the contract's column names
    record: Map<String, Value>,
    /// The load that wrote it
    load: String,
    /// The file that it came in
    file: FileId,
    /// The line of that file on which it begins, from 1
    line: Option<u64>,
}

/// The visible versions of a record, newest first
#[derive(JsonSchema)]
pub(super) struct RecordHistory {
    /// The versions of the page
    versions: Vec<RecordVersion>,
    /// The `cursor` of the next page; null on the last one
    next: Option<String>,
}

/// The outcome of a file. No value of the file is in it. Members may be added
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    /// The version of this form: 1
    version: u64,
    /// The file's id
    file_id: FileId,
    /// The file's name, as it was sent
    name: Option<String>,
    /// The name of the load; another one when the file is processed again
    load: String,
    /// The partner: you
    partner: String,
    /// The feed
    feed: String,
    /// The decision; never `PROCESSING` or `IGNORED`
    state: DecidedState,
    /// The verdict on the content, where there is one
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// Records of this file that are visible
    loaded: u64,
    /// Records by fate
    counts: Counts,
    /// The code of the fault, when the file is quarantined
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// The version of the contract; empty when there was none
    contract_version: String,
    /// The file that is loaded in place of this one
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<FileId>,
    /// The file that this one corrects
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<FileId>,
    /// The address of the receipt in this API: read it with your credential. Missing when there is no receipt
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
}
