//! CloudWatch: alarms as they are now, and what was measured lately.

use std::future::Future;

use crate::Error;

/// What an alarm compares, or computes with.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricMeasure {
    /// A metric under one statistic.
    Metric {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its dimensions, name and value.
        dimensions: Vec<(String, String)>,
        /// `Sum`, `Maximum`, `p95`, … as `GetMetricData` has them.
        statistic: String,
    },
    /// Metric math over other measures of the same request, by their ids.
    Expression(String),
}

/// A measure under the id that expressions call it by.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricQuery {
    /// A lower-case letter, then letters, digits and underscores.
    pub id: String,
    /// What is asked for.
    pub measure: MetricMeasure,
    /// Whether its values are the answer; of the queries of a request one is.
    pub returned: bool,
}

/// A range of time in whole periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodRange {
    /// The first period's beginning, milliseconds since the epoch.
    pub from_ms: u64,
    /// The last period's end.
    pub until_ms: u64,
    /// Seconds of a period.
    pub period_seconds: u32,
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Datapoint {
    /// The beginning of its period, milliseconds since the epoch.
    pub at_ms: u64,
    /// The value.
    pub value: f64,
}

/// A metric alarm as CloudWatch has it now.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmNow {
    /// Its name.
    pub name: String,
    /// Its description, line by line as the template wrote it.
    pub description: String,
    /// Whether it is in the state `ALARM`.
    pub is_on: bool,
    /// Why it is in its state, in CloudWatch's words; it holds the values that were compared.
    pub reason: String,
    /// What it compares: one metric, or several with an expression over them.
    pub queries: Vec<MetricQuery>,
    /// Seconds of a period.
    pub period_seconds: Option<u32>,
    /// How it compares, for example `GreaterThanThreshold`.
    pub comparison: String,
    /// What it compares with; `None` for a band.
    pub threshold: Option<f64>,
}

/// Reads alarms and metrics.
pub trait ReadMetrics: Sync {
    /// Returns the metric alarms whose names begin like this.
    fn alarms_now(&self, prefix: &str) -> impl Future<Output = Result<Vec<AlarmNow>, Error>> + Send;
    /// Returns the values of the query that is returned, oldest first; a period without data has none.
    fn measured(
        &self,
        queries: &[MetricQuery],
        span: PeriodRange,
    ) -> impl Future<Output = Result<Vec<Datapoint>, Error>> + Send;
}
