//! The environment, read once at start.

use outbound::AddressPolicy;
use runtime::Environment;
use store::aws::Access;
use telemetry::Metrics;

/// The configuration of the function, from its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The table of partners, where their webhooks are.
    pub partners_table: String,
    /// The ledger, where the names of files are.
    pub ledger_table: String,
    /// The address of the partner API, `https://…/api`: receipts are below it.
    pub api_url: String,
    /// The queue that wakes the function.
    pub queue_url: String,
    /// What is published as metrics, and where.
    pub metrics: Metrics,
    /// Where AWS is and who asks.
    pub access: Access,
    /// Which addresses are posted to: this machine's own only when AWS is an emulator on it.
    pub policy: AddressPolicy,
}

impl Config {
    /// Reads the environment of the function.
    pub fn read(environment: &mut Environment) -> Self {
        let partners_table = environment.required("PARTNERS_TABLE");
        let ledger_table = environment.required("LEDGER_TABLE");
        let api_url = environment.required("PARTNER_API_URL");
        let queue_url = environment.required("WEBHOOK_QUEUE_URL");
        let metrics = environment.metrics();
        let access = environment.access();
        let policy = if access.endpoint.is_some() { AddressPolicy::Loopback } else { AddressPolicy::Public };
        Self { partners_table, ledger_table, api_url, queue_url, metrics, access, policy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a value for each variable.
    fn value(name: &str) -> String {
        match name {
            "MONITORING" => "Basic".to_owned(),
            "PARTNER_METRICS" => "false".to_owned(),
            other => other.to_lowercase(),
        }
    }

    #[test]
    fn every_missing_name_is_reported_at_once() {
        let lacking = Environment::new(|_| None).read(Config::read).expect_err("nothing is set");
        assert_eq!(
            lacking.missing,
            [
                "PARTNERS_TABLE",
                "LEDGER_TABLE",
                "PARTNER_API_URL",
                "WEBHOOK_QUEUE_URL",
                "METRIC_NAMESPACE",
                "MONITORING",
                "PARTNER_METRICS",
                "AWS_REGION",
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY"
            ]
        );
    }

    #[test]
    fn only_beside_an_emulator_are_addresses_of_this_machine_posted_to() {
        let policy = |endpoint: Option<&'static str>| {
            let read = Environment::new(move |name| match name {
                "AWS_ENDPOINT_URL" => endpoint.map(str::to_owned),
                other => Some(value(other)),
            })
            .read(Config::read);
            read.expect("complete").policy
        };
        assert_eq!(policy(None), AddressPolicy::Public);
        assert_eq!(policy(Some("")), AddressPolicy::Public);
        assert_eq!(policy(Some("http://127.0.0.1:4566")), AddressPolicy::Loopback);
    }
}
