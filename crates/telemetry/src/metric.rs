//! The embedded metric format: a JSON log line that CloudWatch reads as metrics.
//!
//! Format: "Specification: Embedded metric format", Amazon CloudWatch User Guide: `_aws.Timestamp` in milliseconds,
//! `CloudWatchMetrics[].{Namespace, Dimensions, Metrics[].{Name, Unit}}`, values and dimensions as members of the root.

use serde_json::{Map, Value, json};

use crate::{Metrics, Monitoring};

/// Maximum length of one line, bytes. CloudWatch cuts at 256 KB, and a cut line holds no metric.
pub const LINE_BYTES: usize = 32 * 1024;

/// The unit of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricUnit {
    /// A number; the metric's words say of what.
    Count,
    /// Percent.
    Percent,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Things a second.
    CountPerSecond,
    /// Bytes a second.
    BytesPerSecond,
    /// Millionths of a US dollar.
    MicroDollars,
}

impl MetricUnit {
    /// Returns the word of CloudWatch, which has none for money.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Percent => "Percent",
            Self::Bytes => "Bytes",
            Self::Seconds => "Seconds",
            Self::Milliseconds => "Milliseconds",
            Self::CountPerSecond => "Count/Second",
            Self::BytesPerSecond => "Bytes/Second",
            Self::MicroDollars => "None",
        }
    }
}

/// The definition of a metric: name, unit and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetricDefinition {
    /// Its name in CloudWatch.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: MetricUnit,
    /// Its name in plain words, as written before a value.
    pub words: &'static str,
}

/// Defines metrics, each as a constant and as a member of the list of all.
macro_rules! metrics {
    ($($(#[$doc:meta])+ $constant:ident = $name:literal, $unit:ident, $words:literal;)+) => {
        $($(#[$doc])+ pub const $constant: MetricDefinition =
            MetricDefinition { name: $name, unit: MetricUnit::$unit, words: $words };)+

        /// All of them.
        pub const ALL: &[MetricDefinition] = &[$($constant),+];
    };
}

/// Every metric that a function writes. An alarm on another metric in the stack's namespace would never go off.
pub mod metric_names {
    use super::{MetricDefinition, MetricUnit};

    metrics! {
        /// Files that became terminal.
        FILES = "Files", Count, "files decided";
        /// Files that were loaded.
        FILES_COMPLETE = "FilesComplete", Count, "files loaded";
        /// Files that were quarantined.
        FILES_QUARANTINED = "FilesQuarantined", Count, "files quarantined";
        /// Files that were deleted before they were read.
        FILES_GONE = "FilesGone", Count, "files deleted before they were read";
        /// Rows that were loaded.
        ROWS = "Rows", Count, "rows loaded";
        /// Records that were rejected.
        REJECTS = "Rejects", Count, "rejected records";
        /// Stored bytes of files that were read.
        BYTES = "Bytes", Bytes, "stored bytes read";
        /// From the claim to the terminal state, milliseconds.
        DURATION = "Duration", Milliseconds, "time from claim to outcome";
        /// From the event to the claim, milliseconds.
        QUEUE_AGE = "QueueAge", Milliseconds, "time in the queue";
        /// Percent of a file's records that were rejected, of files of which records were read.
        REJECT_PERCENT = "RejectPercent", Percent, "share of rejected records";
        /// Deliveries of a file before the one in which it became terminal.
        RETRIES = "Retries", Count, "repeated deliveries";
        /// Records of a file a second, from the claim to the terminal state.
        RECORDS_PER_SECOND = "RecordsPerSecond", CountPerSecond, "records a second";
        /// Decompressed bytes of a file a second, from the claim to the terminal state.
        BYTES_PER_SECOND = "BytesPerSecond", BytesPerSecond, "decompressed bytes a second";
        /// What a file cost at list prices, micro-dollars: an estimate.
        COST_MICRO_DOLLARS = "CostMicroDollars", MicroDollars, "cost at list prices";
        /// Deliveries of a file that was already terminal.
        REDUNDANT_DELIVERIES = "RedundantDeliveries", Count, "deliveries of decided files";
        /// Deliveries while another invocation had the lease.
        LEASES_HELD = "LeasesHeld", Count, "deliveries during another invocation's lease";
        /// Deliveries that wait for an older version of their name to be decided.
        OLDER_VERSIONS_AWAITED = "OlderVersionsAwaited", Count, "deliveries that wait for an older version";
        /// Claims that were taken over while they worked.
        FENCES_LOST = "FencesLost", Count, "claims taken over";
        /// Files handed over to the next invocation because time was short.
        HANDOVERS = "Handovers", Count, "files handed over to the next invocation";
        /// Failures of a service, to be retried.
        RETRYABLE_ERRORS = "RetryableErrors", Count, "service failures to be retried";
        /// Calls that a service denied: a permission or key is missing.
        ACCESS_ERRORS = "AccessErrors", Count, "calls denied by a service";
        /// Messages that are not an event of the inbox.
        FOREIGN_MESSAGES = "ForeignMessages", Count, "messages that are no event of the inbox";
        /// Panics that were caught.
        PANICS = "Panics", Count, "panics";
        /// Outcomes that a partner's receiver accepted.
        WEBHOOKS_DELIVERED = "WebhooksDelivered", Count, "webhooks delivered";
        /// Outcomes to which a receiver answered that it wants no more posts.
        WEBHOOKS_UNWANTED = "WebhooksUnwanted", Count, "webhooks that the receiver ended";
        /// Attempts that a receiver did not accept.
        WEBHOOKS_FAILED = "WebhooksFailed", Count, "webhook attempts failed";
        /// Attempts at an address that is not allowed.
        WEBHOOKS_REJECTED = "WebhooksRejected", Count, "webhook addresses not allowed";
        /// Attempts that were not made, because the receiver's circuit breaker is open.
        WEBHOOKS_HELD = "WebhooksHeld", Count, "webhooks held back";
        /// From an announcement's arrival to the receiver's answer, milliseconds.
        WEBHOOK_DURATION = "WebhookDuration", Milliseconds, "time until a webhook's receiver answers";
        /// Receipts that were written into the outbox.
        OUTBOX_WRITTEN = "OutboxWritten", Count, "receipts written to the outbox";
        /// Attempts to bring the outbox up to date that failed.
        OUTBOX_FAILED = "OutboxFailed", Count, "outbox attempts failed";
        /// From an announcement's arrival until the outbox is up to date, milliseconds.
        OUTBOX_DURATION = "OutboxDuration", Milliseconds, "time until the outbox is up to date";
        /// Messages of incidents that a channel accepted.
        NOTICES_SENT = "NoticesSent", Count, "messages to operators sent";
        /// Messages of incidents that a channel did not accept.
        NOTICES_FAILED = "NoticesFailed", Count, "messages to operators failed";
        /// Changes of alarms that were folded into an incident whose message was sent already.
        NOTICES_FOLDED = "NoticesFolded", Count, "alarm changes without a message of their own";
        /// Partners whose file is missing: it did not arrive by the newest deadline of the contract, nor since.
        FILES_MISSING = "FilesMissing", Count, "missing files";
        /// Partners whose file is late: it arrived after that deadline, a short while ago.
        FILES_LATE = "FilesLate", Count, "late files";
        /// Partners whose file is missing or late: one incident, from the deadline until the file is reported.
        FILES_OVERDUE = "FilesOverdue", Count, "overdue files";
        /// Feeds whose newest contract does not compile, so that an older version stays in force, or none.
        CONTRACTS_BROKEN = "ContractsBroken", Count, "contracts with errors";
        /// Partners whose newest file has a low volume: far fewer rows than usual.
        FILES_VOLUME_LOW = "FilesVolumeLow", Count, "newest files with too few rows";
        /// Partners whose newest file has a high volume: far more rows than usual.
        FILES_VOLUME_HIGH = "FilesVolumeHigh", Count, "newest files with too many rows";
        /// Loads whose lease has ended and that no invocation continues.
        LOADS_STUCK = "LoadsStuck", Count, "stuck loads";
        /// Versions of the inbox whose event was lost or given up, and that were sent to the queue again.
        FILES_RESENT = "FilesResent", Count, "files sent to the queue again";
        /// Messages among the dead letters: files that were given up, and outcomes that were not delivered.
        DEAD_LETTER_FILES = "DeadLetterFiles", Count, "files in the dead-letter queue";
        /// The age of the newest heartbeat file that is loaded, seconds.
        HEARTBEAT_AGE = "HeartbeatAge", Seconds, "age of the newest heartbeat file";
        /// Runs of the watcher of which no part failed.
        WATCHES = "Watches", Count, "complete runs of the watcher";
        /// Callers of the partner API that were checked.
        ACCESSES = "Accesses", Count, "callers checked";
        /// Callers that were denied: not known, or not allowed.
        ACCESSES_REJECTED = "AccessesRejected", Count, "callers denied";
        /// Callers that could not be looked up, because a service failed.
        ACCESSES_FAILED = "AccessesFailed", Count, "callers that could not be checked";
        /// From the request to the decision, milliseconds.
        ACCESS_DURATION = "AccessDuration", Milliseconds, "time to check a caller";
        /// Requests to the partner API.
        REQUESTS = "Requests", Count, "requests to the partner API";
        /// Requests that were rejected for the caller's reasons (4xx).
        REQUESTS_REJECTED = "RequestsRejected", Count, "requests answered with 4xx";
        /// Requests that were rejected because a limit was used up (429).
        REQUESTS_THROTTLED = "RequestsThrottled", Count, "requests answered with 429";
        /// Requests that failed (5xx).
        REQUESTS_FAILED = "RequestsFailed", Count, "requests answered with 5xx";
        /// From the event to the response, milliseconds.
        REQUEST_DURATION = "RequestDuration", Milliseconds, "time to answer a request";
    }
}

/// The metrics that AWS writes and an alarm reads.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html>
const OF_AWS: [(&str, MetricDefinition); 8] = [
    ("AWS/SQS", of_aws("ApproximateNumberOfMessagesVisible", MetricUnit::Count, "messages in the queue")),
    ("AWS/SQS", of_aws("ApproximateAgeOfOldestMessage", MetricUnit::Seconds, "age of the oldest message")),
    ("AWS/Lambda", of_aws("Errors", MetricUnit::Count, "failed invocations")),
    ("AWS/Lambda", of_aws("Throttles", MetricUnit::Count, "throttled invocations")),
    ("AWS/Lambda", of_aws("Duration", MetricUnit::Milliseconds, "longest invocation")),
    ("AWS/DynamoDB", of_aws("ReadThrottleEvents", MetricUnit::Count, "throttled reads")),
    ("AWS/DynamoDB", of_aws("WriteThrottleEvents", MetricUnit::Count, "throttled writes")),
    ("AWS/ApiGateway", of_aws("5XXError", MetricUnit::Count, "requests answered with 5xx")),
];

const fn of_aws(name: &'static str, unit: MetricUnit, words: &'static str) -> MetricDefinition {
    MetricDefinition { name, unit, words }
}

/// Returns the definition of a metric: of AWS where the namespace is one of AWS, else of the stack. `None` for a metric
/// that no alarm of the stack reads.
#[must_use]
pub fn definition(namespace: &str, name: &str) -> Option<MetricDefinition> {
    if namespace.starts_with("AWS/") {
        let known = OF_AWS.iter().find(|(of, known)| *of == namespace && known.name == name);
        return known.map(|(_, known)| *known);
    }
    metric_names::ALL.iter().find(|known| known.name == name).copied()
}

/// The metrics that [`Monitoring::Basic`] publishes, each without dimensions, because an alarm of Basic reads it. Every
/// further name is one more custom metric on the bill, so that no feed, partner or request may add one.
pub const BASIC_METRICS: [&str; 6] = [
    metric_names::FILES_QUARANTINED.name,
    metric_names::REJECT_PERCENT.name,
    metric_names::FILES_OVERDUE.name,
    metric_names::LOADS_STUCK.name,
    metric_names::HEARTBEAT_AGE.name,
    metric_names::ACCESS_ERRORS.name,
];

/// One metric: what it is, and its value.
pub(crate) type MetricValue = (MetricDefinition, f64);

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
    metrics: &[MetricValue],
    members: &[(&'static str, Value)],
    details: Vec<(&'static str, Value)>,
) -> String {
    let metrics: Vec<(MetricValue, Sets)> = metrics.iter().map(|metric| (*metric, sets)).collect();
    line_of(published, now_ms, &metrics, members, details)
}

/// Builds one line. Every value is a member, whatever is published of it. Members that are neither metrics nor
/// dimensions stay searchable in the log and cost nothing. A line that would be longer than [`LINE_BYTES`] loses
/// those members.
pub(crate) fn line_of(
    published: &Metrics,
    now_ms: u64,
    metrics: &[(MetricValue, Sets)],
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
    for ((metric, value), _) in metrics {
        root.insert(metric.name.to_owned(), number(*value));
    }
    let short = Value::Object(root.clone()).to_string();
    for (name, value) in details {
        root.insert(name.to_owned(), value);
    }
    let whole = Value::Object(root).to_string();
    if whole.len() <= LINE_BYTES { whole } else { short }
}

/// Returns one directive for the metrics of the same sets of dimensions.
fn directives(
    published: &Metrics,
    metrics: &[(MetricValue, Sets)],
    members: &[(&'static str, Value)],
) -> Vec<Value> {
    let mut groups: Vec<(Vec<&[&str]>, Vec<Value>)> = Vec::new();
    for ((metric, _), sets) in metrics {
        let sets = kept(published, metric.name, sets, members);
        if sets.is_empty() {
            continue;
        }
        let definition = json!({ "Name": metric.name, "Unit": metric.unit.as_str() });
        match groups.iter_mut().find(|(same, _)| *same == sets) {
            Some((_, definitions)) => definitions.push(definition),
            None => groups.push((sets, vec![definition])),
        }
    }
    let directive = |(sets, definitions): (Vec<&[&str]>, Vec<Value>)| json!({ "Namespace": published.namespace, "Dimensions": sets, "Metrics": definitions });
    groups.into_iter().map(directive).collect()
}

/// Returns the sets under which a metric is published. A set with an empty value is left out: CloudWatch has no empty
/// values (1 to 255 characters), so that the metric would be counted once more under what remains of the set.
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

/// Returns a count as a metric's value; above 2^53 it loses its last digits, as CloudWatch's own doubles do.
#[expect(clippy::cast_precision_loss, reason = "CloudWatch keeps doubles")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}
