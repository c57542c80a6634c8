//! The environment, read once at start.

use runtime::Environment;
use store::aws::Access;

use crate::Settings;

/// The resources' names, as the stack made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The bucket into which files are written.
    pub inbox: String,
    /// The bucket of contracts.
    pub contracts_bucket: String,
    /// The bucket of receipts and rejects.
    pub quarantine_bucket: String,
    /// The ledger table.
    pub ledger_table: String,
    /// The records table.
    pub records_table: String,
    /// The partners table.
    pub partners_table: String,
    /// The audit table.
    pub audit_table: String,
    /// The queue of notifications.
    pub queue_url: String,
    /// The account that must own the buckets; `None` leaves the check out.
    pub account: Option<String>,
}

/// The configuration of the function, from its environment.
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
        let names = Names {
            inbox: environment.required("INBOX_BUCKET"),
            contracts_bucket: environment.required("CONTRACTS_BUCKET"),
            quarantine_bucket: environment.required("QUARANTINE_BUCKET"),
            ledger_table: environment.required("LEDGER_TABLE"),
            records_table: environment.required("RECORDS_TABLE"),
            partners_table: environment.required("PARTNERS_TABLE"),
            audit_table: environment.required("AUDIT_TABLE"),
            queue_url: environment.required("INBOX_QUEUE_URL"),
            account: environment.optional("ACCOUNT_ID"),
        };
        let metrics = environment.metrics();
        let access = environment.access();
        let settings = Settings {
            allow_roles: environment.optional("ALLOW_IAM").as_deref() == Some("true"),
            origins: origins(&environment.optional("ALLOWED_ORIGINS").unwrap_or_default()),
            ..Settings::new(metrics)
        };
        Self { names, access, settings }
    }
}

/// Origins separated by commas. Anything that is no `https` origin is left out, `*` too: no answer is for every page.
fn origins(list: &str) -> Vec<String> {
    let named = list.split(',').map(str::trim);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    let host = |origin: &&str| {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://localhost:"));
        host.is_some_and(|host| !host.is_empty() && host.bytes().all(plain))
    };
    named.filter(host).map(str::to_owned).collect()
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
                "QUARANTINE_BUCKET",
                "LEDGER_TABLE",
                "RECORDS_TABLE",
                "PARTNERS_TABLE",
                "AUDIT_TABLE",
                "INBOX_QUEUE_URL",
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
    fn roles_and_pages_are_allowed_only_by_the_environment() {
        let read = |iam: &'static str, pages: &'static str| {
            let lookup = move |name: &str| match name {
                "ALLOW_IAM" => Some(iam.to_owned()),
                "ALLOWED_ORIGINS" => Some(pages.to_owned()),
                other => Some(value(other)),
            };
            Environment::new(lookup).read(Config::read).expect("complete").settings
        };
        assert!(read("true", "").allow_roles);
        for word in ["", "false", "True", "1"] {
            assert!(!read(word, "").allow_roles, "{word}");
        }
        let pages =
            "https://portal.example, *,null,http://evil.example,https://,https://a/b,https://b.example:8443";
        assert_eq!(read("", pages).origins, ["https://portal.example", "https://b.example:8443"]);
    }
}
