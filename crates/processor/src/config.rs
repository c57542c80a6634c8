//! The environment, read once at start.

use std::path::PathBuf;

use crate::Settings;
use runtime::Environment;
use store::aws::Access;

/// The resources' names, as the stack made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The inbox buckets; objects of other buckets are never read.
    pub inboxes: Vec<String>,
    /// The bucket of contracts.
    pub contracts_bucket: String,
    /// The bucket of quarantined files, rejects and reports.
    pub quarantine_bucket: String,
    /// The ledger table.
    pub ledger_table: String,
    /// The records table.
    pub records_table: String,
    /// The partners table, of which only registrations are read.
    pub partners_table: String,
    /// The inbox queue.
    pub queue_url: String,
    /// The topic of outcomes.
    pub outcome_topic: String,
    /// The account that must own the buckets; `None` leaves the check out.
    pub account: Option<String>,
}

/// The configuration of the function, from its stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The names of the resources.
    pub names: Names,
    /// Where AWS is and who asks.
    pub access: Access,
    /// How to work.
    pub settings: Settings,
}

impl Config {
    /// Reads the environment of the function.
    pub fn read(environment: &mut Environment) -> Self {
        let inbox = environment.required("INBOX_BUCKET");
        let names = Names {
            inboxes: vec![inbox.clone()],
            contracts_bucket: environment.required("CONTRACTS_BUCKET"),
            quarantine_bucket: environment.required("QUARANTINE_BUCKET"),
            ledger_table: environment.required("LEDGER_TABLE"),
            records_table: environment.required("RECORDS_TABLE"),
            partners_table: environment.required("PARTNERS_TABLE"),
            queue_url: environment.required("INBOX_QUEUE_URL"),
            outcome_topic: environment.required("OUTCOME_TOPIC_ARN"),
            account: None,
        };
        let metrics = environment.metrics();
        // Lambda sets it; without it the estimate of costs lacks the function's own.
        let memory = environment.optional("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
        let memory_megabytes = memory.and_then(|megabytes| megabytes.parse().ok()).unwrap_or_default();
        let journal = Some(journal_folder(environment.optional("TMPDIR"), &names.ledger_table));
        let access = environment.access();
        let settings = Settings {
            memory_megabytes,
            journal,
            ..Settings::new(&inbox, &names.quarantine_bucket, metrics)
        };
        let names = Names { account: account_of(&names.outcome_topic), ..names };
        Self { names, access, settings }
    }
}

/// Returns the folder of claims that are worked on. Lambda's own place for files is `/tmp`; where stacks share one
/// (an emulator), the name of the ledger keeps their claims apart.
fn journal_folder(temporary: Option<String>, ledger_table: &str) -> PathBuf {
    let temporary = temporary.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    temporary.join(format!("{ledger_table}.claims"))
}

/// Returns the account of an ARN: `arn:<partition>:<service>:<region>:<account>:<resource>`. All resources are of one
/// stack, so a bucket of another account is not ours.
fn account_of(arn: &str) -> Option<String> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit())).then(|| account.to_owned())
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
        let lacking = Environment::new(|name| (name == "LEDGER_TABLE").then(String::new)).read(Config::read);
        let lacking = lacking.expect_err("nothing is set");
        assert_eq!(
            lacking.missing,
            [
                "INBOX_BUCKET",
                "CONTRACTS_BUCKET",
                "QUARANTINE_BUCKET",
                "LEDGER_TABLE",
                "RECORDS_TABLE",
                "PARTNERS_TABLE",
                "INBOX_QUEUE_URL",
                "OUTCOME_TOPIC_ARN",
                "METRIC_NAMESPACE",
                "MONITORING",
                "PARTNER_METRICS",
                "AWS_REGION",
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY"
            ]
        );
        assert!(lacking.to_string().contains("INBOX_BUCKET, CONTRACTS_BUCKET"));
    }

    #[test]
    fn the_account_comes_from_the_topic_and_secrets_are_not_shown() {
        let topic = "arn:aws:sns:eu-central-1:123456789012:outcomes";
        let read = || {
            Environment::new(move |name| match name {
                "OUTCOME_TOPIC_ARN" => Some(topic.to_owned()),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" => Some("1769".to_owned()),
                other => Some(value(other)),
            })
            .read(Config::read)
            .expect("complete")
        };
        assert_eq!(read().names.account.as_deref(), Some("123456789012"));
        let shown = format!("{:?}", read());
        assert!(!shown.contains("aws_secret_access_key") && !shown.contains("aws_session_token"), "{shown}");
        assert_eq!(read().names.inboxes, ["inbox_bucket"]);
        assert_eq!(read().settings.memory_megabytes, 1_769);
    }

    #[test]
    fn claims_are_noted_in_the_temporary_folder_by_ledger() {
        assert_eq!(journal_folder(None, "prod-ledger"), PathBuf::from("/tmp/prod-ledger.claims"));
        assert_eq!(journal_folder(Some("/x".into()), "l"), PathBuf::from("/x/l.claims"));
    }
}
