//! Dates and times by JDK patterns, strictly.

/// A compiled JDK `DateTimeFormatter` pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// As written in the contract.
    pub source: String,
}
