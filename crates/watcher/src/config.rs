//! The environment, read once at start.

use runtime::Environment;
use store::aws::{Access, QueueUrls};

use crate::Settings;

/// The resources' names, as the stack made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The bucket into which files are written.
    pub inbox: String,
    /// The bucket of contracts.
    pub contracts_bucket: String,
    /// The ledger table.
    pub ledger_table: String,
    /// The partners table.
    pub partners_table: String,
    /// The queues that are looked at.
    pub queues: QueueUrls,
    /// The account that must own the buckets; `None` leaves the check out.
    pub account: Option<String>,
}

/// The configuration of the function, from its stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The names of the resources.
    pub names: Names,
    /// What the watcher itself needs.
    pub settings: Settings,
    /// Where AWS is and who asks.
    pub access: Access,
}

impl Config {
    /// Reads the environment of the function.
    pub fn read(environment: &mut Environment) -> Self {
        let names = Names {
            inbox: environment.required("INBOX_BUCKET"),
            contracts_bucket: environment.required("CONTRACTS_BUCKET"),
            ledger_table: environment.required("LEDGER_TABLE"),
            partners_table: environment.required("PARTNERS_TABLE"),
            queues: QueueUrls {
                inbox: environment.required("INBOX_QUEUE_URL"),
                inbox_dead_letters: environment.required("INBOX_DEAD_LETTERS_URL"),
                webhooks_dead_letters: environment.required("WEBHOOK_DEAD_LETTERS_URL"),
            },
            account: environment.optional("ACCOUNT_ID"),
        };
        let metrics = environment.metrics();
        let heartbeat = environment.optional("HEARTBEAT_FILES").as_deref() == Some("On");
        let clean_up_after_days = environment.whole_number("CLEAN_UP_AFTER_DAYS");
        let access = environment.access();
        Self { names, settings: Settings { metrics, heartbeat, clean_up_after_days }, access }
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
            "CLEAN_UP_AFTER_DAYS" => "7".to_owned(),
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
                "INBOX_QUEUE_URL",
                "INBOX_DEAD_LETTERS_URL",
                "WEBHOOK_DEAD_LETTERS_URL",
                "METRIC_NAMESPACE",
                "MONITORING",
                "PARTNER_METRICS",
                "CLEAN_UP_AFTER_DAYS",
                "AWS_REGION",
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY"
            ]
        );
    }

    #[test]
    fn days_that_are_no_number_do_not_switch_clean_up_off() {
        let days = |days: &'static str| {
            let environment = Environment::new(move |name| match name {
                "CLEAN_UP_AFTER_DAYS" => Some(days.to_owned()),
                other => Some(value(other)),
            });
            environment.read(Config::read).map(|config| config.settings.clean_up_after_days)
        };
        assert_eq!((days("7"), days("0")), (Ok(7), Ok(0)));
        for wrong in ["seven", "7.0", "-1", "7 "] {
            let error = days(wrong).expect_err("no number");
            let names: Vec<_> = error.wrong.iter().map(|wrong| (wrong.name, wrong.found.as_str())).collect();
            assert_eq!(names, [("CLEAN_UP_AFTER_DAYS", wrong)]);
        }
    }

    #[test]
    fn heartbeat_files_are_dropped_only_where_the_stack_says_so() {
        let heartbeat = |word: Option<&'static str>| {
            let read = Environment::new(move |name| match name {
                "HEARTBEAT_FILES" => word.map(str::to_owned),
                other => Some(value(other)),
            })
            .read(Config::read);
            read.expect("complete").settings.heartbeat
        };
        assert!(heartbeat(Some("On")) && !heartbeat(Some("Off")) && !heartbeat(None));
    }
}
