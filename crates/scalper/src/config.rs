//! The environment, read once at start. `access` finds credentials.

use crate::arguments::Arguments;
use crate::error::CommandError;
use crate::names::{STACK, Stack};

/// Which stack, and where it is.
pub struct Config {
    /// The stack.
    pub stack: Stack,
    /// The region; `None`: that of the AWS profile.
    pub region: Option<String>,
    /// Whether text may have colours: <https://no-color.org>.
    pub colours: bool,
    /// Columns of text, where the environment says so.
    pub columns: Option<usize>,
}

impl Config {
    /// Reads arguments and environment.
    pub fn read(arguments: &Arguments) -> Result<Self, CommandError> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let lookup = |name: &str| std::env::var(name).ok();
        Self::from_lookup(arguments, lookup)
    }

    /// Reads variables from anywhere. An empty variable is none.
    pub fn from_lookup(
        arguments: &Arguments,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CommandError> {
        let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let stack = arguments.stack.clone().or_else(|| variable("SCALPER_STACK"));
        let stack = Stack::parse(stack.as_deref().unwrap_or(STACK))?;
        let region = arguments.region.clone();
        let region = region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
        Ok(Self { stack, region, colours: variable("NO_COLOR").is_none(), columns })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn read(line: &str, set: &[(&str, &str)]) -> Config {
        let arguments = Arguments::try_parse_from(line.split(' ')).expect("a command");
        let lookup =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Config::from_lookup(&arguments, lookup).expect("complete")
    }

    #[test]
    fn an_argument_goes_before_the_environment() {
        let set = [("AWS_DEFAULT_REGION", "eu-west-1"), ("SCALPER_STACK", "test"), ("NO_COLOR", "1")];
        let config = read("scalper partner list", &set);
        assert_eq!(
            (config.stack.table(), config.region.as_deref()),
            ("test-partners".to_owned(), Some("eu-west-1"))
        );
        assert!(!config.colours);
        let line = "scalper --stack other partner list --region eu-central-1";
        let config = read(line, &set);
        assert_eq!((config.stack.as_str(), config.region.as_deref()), ("other", Some("eu-central-1")));
        let config = read("scalper partner list", &[("AWS_REGION", "x")]);
        assert_eq!((config.stack.as_str(), config.colours), (STACK, true));
    }

    #[test]
    fn the_width_is_that_of_the_environment() {
        assert_eq!(read("scalper status", &[("COLUMNS", "120")]).columns, Some(120));
        assert_eq!(read("scalper status", &[("COLUMNS", "wide")]).columns, None);
    }

    #[test]
    fn without_a_region_here_the_profile_names_it() {
        assert_eq!(read("scalper partner list", &[("AWS_REGION", "")]).region, None);
        let both = [("AWS_DEFAULT_REGION", "eu-west-1"), ("AWS_REGION", "eu-west-2")];
        assert_eq!(read("scalper partner list", &both).region.as_deref(), Some("eu-west-2"));
    }
}
