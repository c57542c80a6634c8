//! A finding of a check, with its level and advice.

use serde::Serialize;

use crate::report::Mark;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// Files are lost, late or unseen until somebody acts.
    Fail,
    /// It could not be checked.
    Unknown,
}

impl Level {
    /// Returns the word of the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "?",
        }
    }
}

/// A finding of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DoctorFinding {
    /// The check.
    pub check: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The command that does it, as it can be typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Level {
    /// Returns the mark of its word.
    pub(super) fn mark(self) -> Mark {
        match self {
            Self::Ok => Mark::Good,
            Self::Warn | Self::Unknown => Mark::Note,
            Self::Fail => Mark::Wrong,
        }
    }
}

impl DoctorFinding {
    fn new(check: &'static str, level: Level, what: impl Into<String>) -> Self {
        Self { check, level, what: what.into(), advice: None, command: None }
    }

    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, what)
    }

    pub(super) fn warn(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Warn, what)
    }

    pub(super) fn fail(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Fail, what)
    }

    pub(super) fn unknown(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Unknown, what)
    }

    pub(super) fn advice(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    pub(super) fn command(self, command: impl Into<String>) -> Self {
        Self { command: Some(command.into()), ..self }
    }
}
