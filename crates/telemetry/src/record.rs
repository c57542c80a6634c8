//! The record of a file, and of other occurrences.

use ledger::State;
use serde_json::{Map, Value, json};

use crate::{
    Label, Metrics, Monitoring,
    cost::Used,
    metric::{
        MetricDefinition, MetricValue, PLAIN, Sets, UNPUBLISHED, float, line, line_of, metric_names as names,
    },
};

/// A step of the processing of a file, whose time is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessingStep {
    /// Contract and claim.
    Claim,
    /// The first reading.
    Check,
    /// The second reading: rows written, rejects kept.
    Load,
    /// Quarantine, receipt and the terminal state.
    Decide,
}

impl ProcessingStep {
    /// All steps, in order.
    pub const ALL: [Self; 4] = [Self::Claim, Self::Check, Self::Load, Self::Decide];

    /// Returns the word of the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Check => "check",
            Self::Load => "load",
            Self::Decide => "decide",
        }
    }
}

/// One file that became terminal. Times are milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileRecord {
    /// The sender; a metric dimension.
    pub partner: Label,
    /// The feed, `unknown` when no contract of it was read; a metric dimension.
    pub feed: Label,
    /// The terminal state; a metric dimension.
    pub state: Option<State>,
    /// The file's id. In the log only: as a dimension it would cost by the file.
    pub file: Label,
    /// The load.
    pub load: Label,
    /// The fault's code, when quarantined.
    pub fault: Option<&'static str>,
    /// The contract's version, when it is made of label characters.
    pub contract_version: Label,
    /// Records read.
    pub records: u64,
    /// Rows loaded, or that could have been.
    pub rows: u64,
    /// Records rejected.
    pub rejects: u64,
    /// Records that the contract leaves out.
    pub dropped: u64,
    /// Violations of severity warn.
    pub warnings: u64,
    /// Violations by the class of their rule: its stable code.
    pub violations: Vec<(&'static str, u64)>,
    /// Stored bytes.
    pub bytes: u64,
    /// Bytes after decompression.
    pub decoded_bytes: u64,
    /// Time spent in each step.
    pub steps: [u64; 4],
    /// From the event to the claim, when the event has its time.
    pub queue_age: Option<u64>,
    /// How often the message was received, this time included.
    pub receive_count: u32,
    /// What it used.
    pub used: Used,
    /// Whether it is the stack's own hourly file, the heartbeat.
    pub is_heartbeat: bool,
    /// Whether an operator had it processed again. It did not arrive now, so only its cost is published.
    pub is_replay: bool,
}

/// Dimensions of metrics that are asked by feed.
const OF_EACH_FEED: Sets = &[&[], &["partner", "feed"], &["feed", "state"]];
/// Dimensions of metrics that are asked by partner.
const OF_EACH_PARTNER: Sets = &[&[], &["partner", "feed"]];
/// What is published of a heartbeat file in [`Monitoring::Full`].
const OF_A_HEARTBEAT: [MetricDefinition; 2] = [names::FILES_QUARANTINED, names::DURATION];

impl FileRecord {
    /// Adds to a step's time.
    pub fn spend(&mut self, step: ProcessingStep, milliseconds: u64) {
        if let Some(total) = self.steps.get_mut(step as usize) {
            *total = total.saturating_add(milliseconds);
        }
    }

    /// Returns the time from claim to terminal state, milliseconds.
    #[must_use]
    pub fn duration(&self) -> u64 {
        self.steps.iter().sum()
    }

    /// Writes one log line, with ids and counts.
    pub fn log(&self) {
        tracing::info!(
            file = self.file.as_str(),
            load = self.load.as_str(),
            partner = self.partner.as_str(),
            feed = self.feed.as_str(),
            state = self.state.map_or("", State::as_str),
            fault = self.fault.unwrap_or_default(),
            records = self.records,
            rows = self.rows,
            rejects = self.rejects,
            dropped = self.dropped,
            bytes = self.bytes,
            duration_ms = self.duration(),
            receive_count = self.receive_count,
            cost_micro_dollars = self.cost(),
            "file decided"
        );
    }

    /// Returns the metric record: one line without its line end, at most [`crate::LINE_BYTES`] long.
    ///
    /// Dimensions: none (for alarms on everything), partner and feed, feed and state. Each combination is billed, so
    /// ids and codes are members of the line and not dimensions, and a value that is not asked by feed has none.
    ///
    /// The heartbeat keeps an idle stack's bill small: each of its metrics would be published every hour of the
    /// month. In Basic it publishes none, because the watcher's `HeartbeatAge` says whether it was loaded. In Full it
    /// publishes two, without dimensions: `FilesQuarantined`, whose alarm reports a quarantined heartbeat two hours
    /// before `HeartbeatAge` does, and `Duration`, which shows a slow pipeline while no partner sends.
    #[must_use]
    pub fn metric(&self, published: &Metrics, now_ms: u64) -> String {
        let members = [
            ("partner", json!(self.partner)),
            ("feed", json!(self.feed)),
            ("state", json!(self.state.map_or("", State::as_str))),
            ("file", json!(self.file)),
            ("load", json!(self.load)),
        ];
        let mut metrics: Vec<(MetricValue, Sets)> = Vec::new();
        metrics.extend(self.counted().into_iter().map(|metric| (metric, OF_EACH_FEED)));
        metrics.push(((names::COST_MICRO_DOLLARS, self.cost()), OF_EACH_PARTNER));
        metrics.extend(self.paced().into_iter().map(|metric| (metric, PLAIN)));
        for ((metric, _), sets) in &mut metrics {
            *sets = self.sets(*metric, sets, published.monitoring);
        }
        line_of(published, now_ms, &metrics, &members, self.details())
    }

    /// Returns the sets of dimensions of this file's metric, which has these in general.
    fn sets(&self, metric: MetricDefinition, sets: Sets, monitoring: Monitoring) -> Sets {
        match monitoring {
            Monitoring::Off => UNPUBLISHED,
            Monitoring::Basic | Monitoring::Full if self.is_replay && metric != names::COST_MICRO_DOLLARS => {
                UNPUBLISHED
            }
            Monitoring::Basic if self.is_heartbeat => UNPUBLISHED,
            // The alarm is about files that were loaded: it has no dimension in Basic that would say so.
            Monitoring::Basic if metric == names::REJECT_PERCENT && self.state != Some(State::Complete) => {
                UNPUBLISHED
            }
            Monitoring::Full if self.is_heartbeat && OF_A_HEARTBEAT.contains(&metric) => PLAIN,
            Monitoring::Full if self.is_heartbeat => UNPUBLISHED,
            Monitoring::Basic | Monitoring::Full => sets,
        }
    }

    /// Returns the metrics that are asked by feed.
    fn counted(&self) -> Vec<MetricValue> {
        let is = |state| if self.state == Some(state) { 1.0 } else { 0.0 };
        let loaded = if self.state == Some(State::Complete) { self.rows } else { 0 };
        let mut metrics: Vec<MetricValue> = vec![
            (names::FILES, 1.0),
            (names::FILES_COMPLETE, is(State::Complete)),
            (names::FILES_QUARANTINED, is(State::Quarantined)),
            (names::FILES_GONE, is(State::Gone)),
            (names::ROWS, float(loaded)),
            (names::REJECTS, float(self.rejects)),
            (names::BYTES, float(self.bytes)),
            (names::DURATION, float(self.duration())),
        ];
        if self.records > 0 {
            let percent = 100.0 * float(self.rejects) / float(self.records);
            metrics.push((names::REJECT_PERCENT, percent));
        }
        if let Some(age) = self.queue_age {
            metrics.push((names::QUEUE_AGE, float(age)));
        }
        metrics
    }

    /// Returns the metrics that are asked of all files together.
    fn paced(&self) -> Vec<MetricValue> {
        let mut metrics: Vec<MetricValue> = vec![(names::RETRIES, float(self.retries()))];
        if self.records > 0 {
            metrics.push((names::RECORDS_PER_SECOND, float(self.a_second(self.records))));
            metrics.push((names::BYTES_PER_SECOND, float(self.a_second(self.decoded_bytes))));
        }
        metrics
    }

    /// Returns the number of deliveries before this one.
    fn retries(&self) -> u64 {
        u64::from(self.receive_count.saturating_sub(1))
    }

    /// Returns a count per second of duration, which is at least a millisecond.
    fn a_second(&self, count: u64) -> u64 {
        count.saturating_mul(1_000) / self.duration().max(1)
    }

    /// Returns the estimated cost, micro-dollars.
    fn cost(&self) -> f64 {
        float(self.used.nano_dollars()) / 1_000.0
    }

    /// Returns the members that are searched in the log and are not metrics.
    fn details(&self) -> Vec<(&'static str, Value)> {
        let steps: Map<String, Value> = ProcessingStep::ALL
            .iter()
            .zip(self.steps)
            .map(|(step, milliseconds)| (step.as_str().to_owned(), json!(milliseconds)))
            .collect();
        let violations: Map<String, Value> =
            self.violations.iter().map(|(code, count)| ((*code).to_owned(), json!(count))).collect();
        let reading = self.steps.get(ProcessingStep::Check as usize).copied().unwrap_or_default().max(1);
        vec![
            ("fault", json!(self.fault)),
            ("contractVersion", json!(self.contract_version)),
            ("records", json!(self.records)),
            ("warnings", json!(self.warnings)),
            ("violations", Value::Object(violations)),
            ("decodedBytes", json!(self.decoded_bytes)),
            ("checkedBytesPerSecond", json!(self.decoded_bytes.saturating_mul(1000) / reading)),
            ("stepMilliseconds", Value::Object(steps)),
            ("used", json!(self.used)),
            ("receiveCount", json!(self.receive_count)),
            ("replay", json!(self.is_replay)),
        ]
    }
}

/// Something else that happens, counted for alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Occurrence {
    /// A file that was already terminal was delivered again.
    RedundantDelivery,
    /// Another invocation works on the file.
    LeaseHeld,
    /// An older version of the file's name is not decided yet.
    OlderVersionAwaited,
    /// Another invocation took the file over.
    FenceLost,
    /// Time was short; the next invocation continues.
    Handover,
    /// A service failed.
    RetryableError,
    /// A service denied a call: a permission is missing, or a key is disabled.
    AccessError,
    /// The message is not an event of the inbox.
    ForeignMessage,
    /// A panic was caught.
    Panic,
}

impl Occurrence {
    /// All occurrences.
    pub const ALL: [Self; 9] = [
        Self::RedundantDelivery,
        Self::LeaseHeld,
        Self::OlderVersionAwaited,
        Self::FenceLost,
        Self::Handover,
        Self::RetryableError,
        Self::AccessError,
        Self::ForeignMessage,
        Self::Panic,
    ];

    /// Returns the occurrence of a failed service: a denied call needs an operator, any other is retried.
    #[must_use]
    pub fn service_failed(is_denied: bool) -> Self {
        if is_denied { Self::AccessError } else { Self::RetryableError }
    }

    /// Returns the metric that counts it.
    #[must_use]
    pub fn definition(self) -> MetricDefinition {
        match self {
            Self::RedundantDelivery => names::REDUNDANT_DELIVERIES,
            Self::LeaseHeld => names::LEASES_HELD,
            Self::OlderVersionAwaited => names::OLDER_VERSIONS_AWAITED,
            Self::FenceLost => names::FENCES_LOST,
            Self::Handover => names::HANDOVERS,
            Self::RetryableError => names::RETRYABLE_ERRORS,
            Self::AccessError => names::ACCESS_ERRORS,
            Self::ForeignMessage => names::FOREIGN_MESSAGES,
            Self::Panic => names::PANICS,
        }
    }

    /// Returns the metric record: one line without its line end, without dimensions.
    #[must_use]
    pub fn metric(self, published: &Metrics, now_ms: u64) -> String {
        let metrics: [MetricValue; 1] = [(self.definition(), 1.0)];
        line(published, now_ms, PLAIN, &metrics, &[], Vec::new())
    }
}

#[cfg(test)]
mod tests;
