//! The embedded metric format: a JSON log line that CloudWatch reads as metrics.
//!
//! Format: "Specification: Embedded metric format", Amazon CloudWatch User Guide: `_aws.Timestamp` in milliseconds,
//! `CloudWatchMetrics[].{Namespace, Dimensions, Metrics[].{Name, Unit}}`, values and dimensions as members of the root.

use serde_json::{Map, Value, json};

use crate::{Metrics, Monitoring};

/// The most bytes of one line. CloudWatch cuts at 256 KB, and a cut line is no metric.
pub const LINE_BYTES: usize = 32 * 1024;

/// Every metric's name. An alarm may name only these.
pub mod metric_names {
    /// Files that became terminal.
    pub const FILES: &str = "Files";
    /// Files that were loaded.
    pub const FILES_COMPLETE: &str = "FilesComplete";
    /// Files that were refused.
    pub const FILES_QUARANTINED: &str = "FilesQuarantined";
    /// Files that were deleted before they were read.
    pub const FILES_GONE: &str = "FilesGone";
    /// Rows that were loaded.
    pub const ROWS: &str = "Rows";
    /// Records that were refused.
    pub const REJECTS: &str = "Rejects";
    /// Stored bytes of files that were read.
    pub const BYTES: &str = "Bytes";
    /// From the claim to the terminal state, milliseconds.
    pub const DURATION: &str = "Duration";
    /// From the event to the claim, milliseconds.
    pub const QUEUE_AGE: &str = "QueueAge";
    /// Percent of a file's records that were refused, of files of which records were read.
    pub const REJECT_PERCENT: &str = "RejectPercent";
    /// Deliveries of a file before the one in which it became terminal.
    pub const RETRIES: &str = "Retries";
    /// Records of a file a second, from the claim to the terminal state.
    pub const RECORDS_PER_SECOND: &str = "RecordsPerSecond";
    /// Decompressed bytes of a file a second, from the claim to the terminal state.
    pub const BYTES_PER_SECOND: &str = "BytesPerSecond";
    /// What a file cost at list prices, micro-dollars: an estimate.
    pub const COST_MICRO_DOLLARS: &str = "CostMicroDollars";
    /// Deliveries of a file that was already terminal.
    pub const REDUNDANT_DELIVERIES: &str = "RedundantDeliveries";
    /// Deliveries while another invocation had the lease.
    pub const LEASES_HELD: &str = "LeasesHeld";
    /// Deliveries that wait for an older version of their name to be decided.
    pub const OLDER_VERSIONS_AWAITED: &str = "OlderVersionsAwaited";
    /// Claims that were taken over while they worked.
    pub const FENCES_LOST: &str = "FencesLost";
    /// Files handed over to the next invocation because time was short.
    pub const HANDOVERS: &str = "Handovers";
    /// Failures of a service, to be retried.
    pub const RETRYABLE_ERRORS: &str = "RetryableErrors";
    /// Failures of a service that refused for want of a permission or key.
    pub const ACCESS_ERRORS: &str = "AccessErrors";
    /// Messages that are no event for the inbox.
    pub const FOREIGN_MESSAGES: &str = "ForeignMessages";
    /// Panics that were caught.
    pub const PANICS: &str = "Panics";
    /// Outcomes that a partner's receiver took.
    pub const WEBHOOKS_DELIVERED: &str = "WebhooksDelivered";
    /// Outcomes to which a receiver answered that it wants no more.
    pub const WEBHOOKS_UNWANTED: &str = "WebhooksUnwanted";
    /// Attempts that a receiver did not take.
    pub const WEBHOOKS_FAILED: &str = "WebhooksFailed";
    /// Attempts at an address that is not connected to.
    pub const WEBHOOKS_REFUSED: &str = "WebhooksRefused";
    /// Attempts that were not made, since the receiver failed again and again.
    pub const WEBHOOKS_HELD: &str = "WebhooksHeld";
    /// From an announcement's arrival to the receiver's answer, milliseconds.
    pub const WEBHOOK_DURATION: &str = "WebhookDuration";
    /// Messages of incidents that a channel took.
    pub const NOTICES_SENT: &str = "NoticesSent";
    /// Messages of incidents that a channel did not take.
    pub const NOTICES_FAILED: &str = "NoticesFailed";
    /// Changes of alarms that were folded into an incident that was told already.
    pub const NOTICES_FOLDED: &str = "NoticesFolded";
    /// Partners whose file did not come by the newest deadline of the contract, and has not come since.
    pub const FILES_MISSING: &str = "FilesMissing";
    /// Partners whose file came after that deadline, a short while ago.
    pub const FILES_LATE: &str = "FilesLate";
    /// Partners whose file is missing or late: what one incident is about, from the deadline until the file was told of. With
    /// [`Monitoring::Basic`] also feeds whose newest contract does not compile.
    pub const FILES_OVERDUE: &str = "FilesOverdue";
    /// Feeds whose newest contract does not compile, so that an older version stays in force, or none.
    pub const CONTRACTS_BROKEN: &str = "ContractsBroken";
    /// Partners whose newest file has far fewer rows than usual.
    pub const FILES_THIN: &str = "FilesThin";
    /// Partners whose newest file has far more rows than usual.
    pub const FILES_FAT: &str = "FilesFat";
    /// Loads that nobody works on any more.
    pub const LOADS_STUCK: &str = "LoadsStuck";
    /// Versions of the inbox whose event was lost or given up, and that were sent to the queue again.
    pub const FILES_RESENT: &str = "FilesResent";
    /// Messages among the dead letters: files that were given up, and outcomes that were not taken.
    pub const DEAD_LETTER_FILES: &str = "DeadLetterFiles";
    /// The age of the newest canary file that is loaded, seconds.
    pub const CANARY_AGE: &str = "CanaryAge";
    /// Runs of the watcher whose every part ended well.
    pub const WATCHES: &str = "Watches";
    /// Callers that the partner's door was asked about.
    pub const ACCESSES: &str = "Accesses";
    /// Callers that were not let in: not known, or not allowed.
    pub const ACCESSES_REFUSED: &str = "AccessesRefused";
    /// Callers that could not be looked up, because a service failed.
    pub const ACCESSES_FAILED: &str = "AccessesFailed";
    /// From the question to the decision, milliseconds.
    pub const ACCESS_DURATION: &str = "AccessDuration";
    /// Requests to the door.
    pub const REQUESTS: &str = "Requests";
    /// Requests that were refused for the caller's reasons (4xx).
    pub const REQUESTS_REFUSED: &str = "RequestsRefused";
    /// Requests that were refused because a limit was used up (429).
    pub const REQUESTS_THROTTLED: &str = "RequestsThrottled";
    /// Requests that failed (5xx).
    pub const REQUESTS_FAILED: &str = "RequestsFailed";
    /// From the event to the response, milliseconds.
    pub const REQUEST_DURATION: &str = "RequestDuration";
}

/// The metrics that [`Monitoring::Basic`] publishes, each without dimensions, because an alarm of Basic reads it. Every
/// further name is one more custom metric on the bill, so that no feed, partner or request may add one.
pub const BASIC_METRICS: [&str; 6] = [
    metric_names::FILES_QUARANTINED,
    metric_names::REJECT_PERCENT,
    metric_names::FILES_OVERDUE,
    metric_names::LOADS_STUCK,
    metric_names::CANARY_AGE,
    metric_names::ACCESS_ERRORS,
];

/// One metric: name, unit, value.
pub(crate) type Metric = (&'static str, &'static str, f64);

/// The sets of dimensions under which a metric is published, each of which is billed. The empty set means "without
/// dimensions"; a metric that has no set at all is a member of the line only.
pub(crate) type Sets = &'static [&'static [&'static str]];

/// Metrics without dimensions.
pub(crate) const PLAIN: Sets = &[&[]];
/// Values that are members of the line and are not published.
pub(crate) const UNPUBLISHED: Sets = &[];

/// Builds one line, of metrics that all have the same sets of dimensions.
pub(crate) fn line(
    published: &Metrics,
    now_ms: u64,
    sets: Sets,
    metrics: &[Metric],
    members: &[(&'static str, Value)],
    details: Vec<(&'static str, Value)>,
) -> String {
    let metrics: Vec<(Metric, Sets)> = metrics.iter().map(|metric| (*metric, sets)).collect();
    line_of(published, now_ms, &metrics, members, details)
}

/// Builds one line. Every value is a member, whatever is published of it. Members that are neither metrics nor dimensions
/// stay searchable in the log and cost nothing. A line that would be longer than [`LINE_BYTES`] loses those members.
pub(crate) fn line_of(
    published: &Metrics,
    now_ms: u64,
    metrics: &[(Metric, Sets)],
    members: &[(&'static str, Value)],
    details: Vec<(&'static str, Value)>,
) -> String {
    let mut root = Map::new();
    let directives = directives(published, metrics, members);
    if !directives.is_empty() {
        root.insert("_aws".to_owned(), json!({ "Timestamp": now_ms, "CloudWatchMetrics": directives }));
    }
    for (name, value) in members {
        root.insert((*name).to_owned(), value.clone());
    }
    for ((name, _, value), _) in metrics {
        root.insert((*name).to_owned(), number(*value));
    }
    let short = Value::Object(root.clone()).to_string();
    for (name, value) in details {
        root.insert(name.to_owned(), value);
    }
    let whole = Value::Object(root).to_string();
    if whole.len() <= LINE_BYTES { whole } else { short }
}

/// One directive for the metrics of the same sets of dimensions.
fn directives(
    published: &Metrics,
    metrics: &[(Metric, Sets)],
    members: &[(&'static str, Value)],
) -> Vec<Value> {
    let mut groups: Vec<(Vec<&[&str]>, Vec<Value>)> = Vec::new();
    for ((name, unit, _), sets) in metrics {
        let sets = kept(published, name, sets, members);
        if sets.is_empty() {
            continue;
        }
        let definition = json!({ "Name": name, "Unit": unit });
        match groups.iter_mut().find(|(same, _)| *same == sets) {
            Some((_, definitions)) => definitions.push(definition),
            None => groups.push((sets, vec![definition])),
        }
    }
    let directive = |(sets, definitions): (Vec<&[&str]>, Vec<Value>)| json!({ "Namespace": published.namespace, "Dimensions": sets, "Metrics": definitions });
    groups.into_iter().map(directive).collect()
}

/// The sets under which a metric is published. A set with an empty value is left out: CloudWatch has no empty values
/// (1 to 255 characters), so that the metric would be counted once more under what remains of the set.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html>
fn kept(
    published: &Metrics,
    name: &str,
    sets: Sets,
    members: &[(&'static str, Value)],
) -> Vec<&'static [&'static str]> {
    let has_value = |dimension: &&str| {
        let value =
            members.iter().find(|(member, _)| member == dimension).and_then(|(_, value)| value.as_str());
        value.is_some_and(|value| !value.is_empty())
    };
    let is_kept = |set: &&[&'static str]| match published.monitoring {
        Monitoring::Off => false,
        Monitoring::Basic => set.is_empty() && BASIC_METRICS.contains(&name),
        Monitoring::Full => {
            set.iter().all(has_value) && (published.partner_metrics || !set.contains(&"partner"))
        }
    };
    sets.iter().copied().filter(is_kept).collect()
}

/// Whole numbers without a fraction, as counts are read.
fn number(value: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "guarded: a whole number from 0 to 2^53"
    )]
    if value.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&value) {
        Value::from(value as u64)
    } else {
        Value::from(value)
    }
}

/// A count as a metric's value; above 2^53 it loses its last digits, as CloudWatch's own doubles do.
#[expect(clippy::cast_precision_loss, reason = "CloudWatch keeps doubles")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}
