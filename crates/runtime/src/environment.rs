//! The environment of a function, read once at start, everything that is missing or wrong reported together.

use store::aws::Access;
use telemetry::{Metrics, Monitoring};

/// The most characters of a wrong value that are shown.
const SHOWN: usize = 40;

/// A variable whose value is not one of those that are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongValue {
    /// The variable. Never one that holds a secret.
    pub name: &'static str,
    /// Its value, cut at 40 characters.
    pub found: String,
    /// The values that are allowed, or one text that says which.
    pub allowed: Vec<&'static str>,
}

/// Why a function cannot start: all variables that are not set, and all that have a wrong value.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct EnvironmentError {
    /// Variables that are not set.
    pub missing: Vec<&'static str>,
    /// Variables with a wrong value.
    pub wrong: Vec<WrongValue>,
}

impl EnvironmentError {
    fn text(&self) -> String {
        let missing = (!self.missing.is_empty()).then(|| {
            let names = self.missing.join(", ");
            format!("the environment lacks {names}: set each to the value that the template gives it")
        });
        let wrong = self.wrong.iter().map(|WrongValue { name, found, allowed }| match allowed.as_slice() {
            [only] => format!("`{name}` is {found:?}: set it to {only}"),
            many => format!("`{name}` is {found:?}: set it to one of {}", many.join(", ")),
        });
        missing.into_iter().chain(wrong).collect::<Vec<_>>().join("; ")
    }
}

/// Returns the value of a variable, `None` when it is not set.
type Lookup = dyn Fn(&str) -> Option<String>;

/// A reader of variables that remembers which it did not find. An empty variable counts as missing.
pub struct Environment {
    lookup: Box<Lookup>,
    found: EnvironmentError,
}

impl Environment {
    /// Makes a reader of variables from anywhere.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self { lookup: Box::new(lookup), found: EnvironmentError::default() }
    }

    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// All variables that the configuration needs and that are missing or have a wrong value.
    pub fn read<C>(mut self, read: impl FnOnce(&mut Self) -> C) -> Result<C, EnvironmentError> {
        let config = read(&mut self);
        let EnvironmentError { missing, wrong } = &self.found;
        if missing.is_empty() && wrong.is_empty() { Ok(config) } else { Err(self.found) }
    }

    /// Returns a variable that must be there; empty when it is not, which [`Environment::read`] reports.
    pub fn required(&mut self, name: &'static str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.found.missing.push(name);
            String::new()
        })
    }

    /// Returns a variable that may be there.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// Returns where AWS is and who asks, as Lambda says it.
    pub fn access(&mut self) -> Access {
        Access {
            region: self.required("AWS_REGION"),
            access_key: self.required("AWS_ACCESS_KEY_ID"),
            secret_key: self.required("AWS_SECRET_ACCESS_KEY"),
            session_token: self.optional("AWS_SESSION_TOKEN"),
            endpoint: self.optional("AWS_ENDPOINT_URL"),
        }
    }

    /// Returns the log level; `info` when the environment does not say.
    #[must_use]
    pub fn log_level(&self) -> String {
        self.optional("LOG_LEVEL").map_or_else(|| "info".to_owned(), |level| level.to_lowercase())
    }

    /// Returns what is published as metrics, and where: `METRIC_NAMESPACE`, `MONITORING` (`Off`, `Basic` or `Full`) and
    /// `PARTNER_METRICS` (`true` or `false`), all of which must be there.
    pub fn metrics(&mut self) -> Metrics {
        let levels = [("Off", Monitoring::Off), ("Basic", Monitoring::Basic), ("Full", Monitoring::Full)];
        Metrics {
            namespace: self.required("METRIC_NAMESPACE"),
            monitoring: self.one_of("MONITORING", &levels).unwrap_or(Monitoring::Off),
            partner_metrics: self
                .one_of("PARTNER_METRICS", &[("true", true), ("false", false)])
                .unwrap_or(false),
        }
    }

    /// Returns a variable that must be a whole number; 0 when it is not, which [`Environment::read`] reports.
    pub fn whole_number(&mut self, name: &'static str) -> u64 {
        let value = self.required(name);
        let number = value.parse().ok();
        if number.is_none() && !value.is_empty() {
            self.is_wrong(name, &value, vec!["a whole number, 0 or more"]);
        }
        number.unwrap_or_default()
    }

    fn is_wrong(&mut self, name: &'static str, value: &str, allowed: Vec<&'static str>) {
        self.found.wrong.push(WrongValue { name, found: value.chars().take(SHOWN).collect(), allowed });
    }

    /// Returns a variable that must have one of these values; `None` when it has not, which [`Environment::read`]
    /// reports.
    fn one_of<T: Copy>(&mut self, name: &'static str, allowed: &[(&'static str, T)]) -> Option<T> {
        let Some(value) = self.optional(name) else {
            self.found.missing.push(name);
            return None;
        };
        let meant = allowed.iter().find(|(known, _)| *known == value).map(|(_, meant)| *meant);
        if meant.is_none() {
            self.is_wrong(name, &value, allowed.iter().map(|(known, _)| *known).collect());
        }
        meant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(monitoring: &str, partners: &str) -> Result<Metrics, EnvironmentError> {
        let (monitoring, partners) = (monitoring.to_owned(), partners.to_owned());
        let environment = Environment::new(move |name: &str| match name {
            "METRIC_NAMESPACE" => Some("SilentScalper/prod".to_owned()),
            "MONITORING" => Some(monitoring.clone()),
            "PARTNER_METRICS" => Some(partners.clone()),
            _ => None,
        });
        environment.read(Environment::metrics)
    }

    #[test]
    fn each_level_of_monitoring_has_its_word() {
        for (word, monitoring) in
            [("Off", Monitoring::Off), ("Basic", Monitoring::Basic), ("Full", Monitoring::Full)]
        {
            for (partners, partner_metrics) in [("true", true), ("false", false)] {
                let namespace = "SilentScalper/prod".to_owned();
                assert_eq!(read(word, partners), Ok(Metrics { namespace, monitoring, partner_metrics }));
            }
        }
    }

    #[test]
    fn the_log_level_is_info_unless_it_is_set() {
        let level =
            |level: Option<&'static str>| Environment::new(move |_| level.map(str::to_owned)).log_level();
        assert_eq!((level(None), level(Some("DEBUG"))), ("info".to_owned(), "debug".to_owned()));
    }

    #[test]
    fn a_wrong_value_is_named_with_what_was_found_and_what_is_allowed() {
        let error = read("basic", "yes").expect_err("two wrong values").to_string();
        assert_eq!(
            error,
            "`MONITORING` is \"basic\": set it to one of Off, Basic, Full; \
             `PARTNER_METRICS` is \"yes\": set it to one of true, false"
        );
        let error = read("", "TRUE").expect_err("one is missing").to_string();
        assert_eq!(
            error,
            "the environment lacks MONITORING: set each to the value that the template gives it; \
             `PARTNER_METRICS` is \"TRUE\": set it to one of true, false"
        );
        let days = Environment::new(|_| Some("7 days".to_owned())).read(|read| read.whole_number("DAYS"));
        assert_eq!(
            days.expect_err("no number").to_string(),
            "`DAYS` is \"7 days\": set it to a whole number, 0 or more"
        );
        let long = read("Full", &"x".repeat(500)).expect_err("too long").to_string();
        assert!(long.len() < 150, "{long}");
    }
}
