//! The environment, read once at start.

use store::aws::Access;

use crate::access;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::names::{STACK, Stack};

/// Which stack, and how to reach it.
pub struct Config {
    /// The stack.
    pub stack: Stack,
    /// Where AWS is and who asks.
    pub access: Access,
    /// Whether text may have colours: <https://no-color.org>.
    pub colours: bool,
}

impl Config {
    /// Reads arguments and environment; without keys in the environment, asks the user's AWS CLI.
    pub fn read(arguments: &Arguments) -> Result<Self, Failure> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let lookup = |name: &str| std::env::var(name).ok();
        Self::from_lookup(arguments, lookup, access::from_aws_cli)
    }

    /// Reads variables from anywhere. An empty variable is none.
    pub fn from_lookup(
        arguments: &Arguments,
        lookup: impl Fn(&str) -> Option<String>,
        aws_cli: impl FnOnce(String) -> Result<Access, Failure>,
    ) -> Result<Self, Failure> {
        let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let stack = arguments.stack.clone().or_else(|| variable("SCALPER_STACK"));
        let stack = Stack::parse(stack.as_deref().unwrap_or(STACK))?;
        let region = arguments.region.clone();
        let region = region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = region.ok_or(Failure::NoRegion)?;
        let access = match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key), Some(secret_key)) => Access {
                region,
                access_key,
                secret_key,
                session_token: variable("AWS_SESSION_TOKEN"),
                endpoint: None,
            },
            _ => aws_cli(region)?,
        };
        let access = Access { endpoint: variable("AWS_ENDPOINT_URL"), ..access };
        Ok(Self { stack, access, colours: variable("NO_COLOR").is_none() })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn read(line: &str, set: &[(&str, &str)]) -> Result<Config, Failure> {
        let arguments = Arguments::try_parse_from(line.split(' ')).expect("a command");
        let lookup =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Config::from_lookup(&arguments, lookup, |region| {
            let access = access::parse(br#"{"Version":1,"AccessKeyId":"cli","SecretAccessKey":"s"}"#, region);
            access.map_err(|problem| Failure::NoAccess { problem })
        })
    }

    #[test]
    fn an_argument_goes_before_the_environment() {
        let set = [("AWS_DEFAULT_REGION", "eu-west-1"), ("SCALPER_STACK", "test"), ("NO_COLOR", "1")];
        let config = read("scalper partner list", &set).expect("complete");
        assert_eq!(
            (config.stack.table(), config.access.region),
            ("test-partners".to_owned(), "eu-west-1".to_owned())
        );
        assert!(!config.colours);
        let line = "scalper --stack other partner list --region eu-central-1";
        let config = read(line, &set).expect("complete");
        assert_eq!((config.stack.as_str(), config.access.region.as_str()), ("other", "eu-central-1"));
        let config = read("scalper partner list", &[("AWS_REGION", "x")]).expect("complete");
        assert_eq!((config.stack.as_str(), config.colours), (STACK, true));
    }

    #[test]
    fn keys_of_the_environment_go_before_those_of_the_aws_cli() {
        let region = ("AWS_REGION", "eu-west-1");
        let config = read("scalper partner list", &[region, ("AWS_ACCESS_KEY_ID", "a")]).expect("complete");
        assert_eq!(config.access.access_key, "cli");
        let set = [
            region,
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
            ("AWS_ENDPOINT_URL", "http://e"),
        ];
        let access = read("scalper partner list", &set).expect("complete").access;
        assert_eq!((access.access_key.as_str(), access.endpoint.as_deref()), ("a", Some("http://e")));
        assert!(matches!(read("scalper partner list", &[]), Err(Failure::NoRegion)));
    }
}
