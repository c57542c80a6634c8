//! The environment, read once at start.

use outbound::AddressPolicy;
use runtime::Environment;
use store::aws::Access;

use crate::Settings;

/// The configuration of the function, from its stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The bucket into which files land: its folders are who sends.
    pub inbox: String,
    /// The bucket of contracts, which say what is expected.
    pub contracts_bucket: String,
    /// The ledger table, where incidents and files are.
    pub ledger_table: String,
    /// The table of partners.
    pub partners_table: String,
    /// The topic that becomes mail.
    pub mail_topic: String,
    /// What the notifier itself needs.
    pub settings: Settings,
    /// Where AWS is and who asks.
    pub access: Access,
}

impl Config {
    /// Reads the environment of the function.
    pub fn read(environment: &mut Environment) -> Self {
        let inbox = environment.required("INBOX_BUCKET");
        let contracts_bucket = environment.required("CONTRACTS_BUCKET");
        let ledger_table = environment.required("LEDGER_TABLE");
        let partners_table = environment.required("PARTNERS_TABLE");
        let mail_topic = environment.required("MAIL_TOPIC_ARN");
        let stack = environment.required("STACK_NAME");
        let metrics = environment.metrics();
        let channels_secret = environment.optional("CHANNELS_SECRET_ARN");
        let access = environment.access();
        // This machine's own addresses are posted to only when AWS is an emulator on it.
        let policy = if access.endpoint.is_some() { AddressPolicy::Loopback } else { AddressPolicy::Public };
        let settings = Settings { channels_secret, policy, stack, metrics };
        Self { inbox, contracts_bucket, ledger_table, partners_table, mail_topic, settings, access }
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
                "INBOX_BUCKET",
                "CONTRACTS_BUCKET",
                "LEDGER_TABLE",
                "PARTNERS_TABLE",
                "MAIL_TOPIC_ARN",
                "STACK_NAME",
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
    fn mail_is_the_only_channel_without_a_secret_and_this_machine_is_reached_only_beside_an_emulator() {
        let settings = |left_out: &'static str| {
            let read =
                Environment::new(move |name| (name != left_out).then(|| value(name))).read(Config::read);
            read.expect("complete").settings
        };
        assert_eq!(settings("CHANNELS_SECRET_ARN").channels_secret, None);
        assert_eq!(settings("LOG_LEVEL").channels_secret.as_deref(), Some("channels_secret_arn"));
        assert_eq!(settings("AWS_ENDPOINT_URL").policy, AddressPolicy::Public);
        assert_eq!(settings("LOG_LEVEL").policy, AddressPolicy::Loopback);
    }
}
