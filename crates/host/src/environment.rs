//! The environment of a function, read once at start, every missing name reported together.

use store::aws::Access;

/// Variables that are not set, all of them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment lacks {}: set each to the resource that the template names", .0.join(", "))]
pub struct Missing(pub Vec<&'static str>);

/// A reader of variables that remembers which it did not find. An empty variable counts as missing.
pub struct Environment<L> {
    lookup: L,
    missing: Vec<&'static str>,
}

impl<L: Fn(&str) -> Option<String>> Environment<L> {
    /// Reads variables from anywhere.
    pub fn new(lookup: L) -> Self {
        Self { lookup, missing: Vec::new() }
    }

    /// A variable that must be there; empty when it is not, which [`Environment::finish`] reports.
    pub fn required(&mut self, name: &'static str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.missing.push(name);
            String::new()
        })
    }

    /// A variable that may be there.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// Where AWS is and who asks, as Lambda says it.
    pub fn access(&mut self) -> Access {
        Access {
            region: self.required("AWS_REGION"),
            access_key: self.required("AWS_ACCESS_KEY_ID"),
            secret_key: self.required("AWS_SECRET_ACCESS_KEY"),
            session_token: self.optional("AWS_SESSION_TOKEN"),
            endpoint: self.optional("AWS_ENDPOINT_URL"),
        }
    }

    /// The log level; `info` when the environment does not say.
    pub fn log_level(&self) -> String {
        self.optional("LOG_LEVEL").map_or_else(|| "info".to_owned(), |level| level.to_lowercase())
    }

    /// Whether everything was there.
    pub fn finish(self) -> Result<(), Missing> {
        if self.missing.is_empty() { Ok(()) } else { Err(Missing(self.missing)) }
    }
}
