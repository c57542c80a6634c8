//! The settings of the function: sizes and times, each with its source.

use telemetry::Metrics;

/// The settings of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which metrics are published, and where.
    pub metrics: Metrics,
    /// Whether callers may authenticate by an IAM signature.
    pub allow_roles: bool,
    /// Origins of pages that may read answers, each `https://<host>[:<port>]`; empty: none.
    pub origins: Vec<String>,
    /// How long a contract is used before it is read again, milliseconds. Default 60 s, as in the processor.
    pub contract_ttl_ms: u64,
    /// How long a signed address lasts, seconds. Default 15 minutes.
    pub signed_seconds: u32,
    /// How long an upload in parts may take, milliseconds. Default a day.
    pub parts_ms: u64,
    /// Time after which an idempotent request counts as abandoned, milliseconds. Default 30 s: API Gateway waits 29 s
    /// for a function. <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
    pub attempt_ms: u64,
    /// How long a dry run may read, milliseconds. Default 8 s: 4 MiB may expand without end.
    pub check_ms: u64,
}

impl Settings {
    /// Makes the default settings, with these metrics.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            allow_roles: false,
            origins: Vec::new(),
            contract_ttl_ms: 60_000,
            signed_seconds: 900,
            parts_ms: 24 * 60 * 60 * 1_000,
            attempt_ms: 30_000,
            check_ms: 8_000,
        }
    }
}
