//! The environment, read once at start.

use runtime::Environment;
use store::aws::Access;
use telemetry::Metrics;

/// The configuration of the function, from its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The account that must own the buckets; `None` leaves the check out.
    pub account: Option<String>,
    /// The bucket that partners read.
    pub outbox_bucket: String,
    /// The bucket where receipts and rejected records are.
    pub quarantine_bucket: String,
    /// The ledger.
    pub ledger_table: String,
    /// The table of partners, where their S3 principals are.
    pub partners_table: String,
    /// The queue that wakes the function.
    pub queue_url: String,
    /// What is published as metrics, and where.
    pub metrics: Metrics,
    /// Where AWS is and who asks.
    pub access: Access,
}

impl Config {
    /// Reads the environment of the function.
    pub fn read(environment: &mut Environment) -> Self {
        let account = environment.optional("ACCOUNT_ID");
        let outbox_bucket = environment.required("OUTBOX_BUCKET");
        let quarantine_bucket = environment.required("QUARANTINE_BUCKET");
        let ledger_table = environment.required("LEDGER_TABLE");
        let partners_table = environment.required("PARTNERS_TABLE");
        let queue_url = environment.required("OUTBOX_QUEUE_URL");
        let metrics = environment.metrics();
        let access = environment.access();
        Self {
            account,
            outbox_bucket,
            quarantine_bucket,
            ledger_table,
            partners_table,
            queue_url,
            metrics,
            access,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_name_is_reported_at_once() {
        let lacking = Environment::new(|_| None).read(Config::read).expect_err("nothing is set");
        assert_eq!(
            lacking.missing,
            [
                "OUTBOX_BUCKET",
                "QUARANTINE_BUCKET",
                "LEDGER_TABLE",
                "PARTNERS_TABLE",
                "OUTBOX_QUEUE_URL",
                "METRIC_NAMESPACE",
                "MONITORING",
                "PARTNER_METRICS",
                "AWS_REGION",
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY"
            ]
        );
    }
}
