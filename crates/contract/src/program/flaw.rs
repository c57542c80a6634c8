//! What is wrong with an expression, and at which of its bytes.

/// One flaw. Holds text of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExpressionFlaw {
    /// The byte of the expression at which it begins.
    pub(crate) at: usize,
    /// What was found.
    pub(crate) found: String,
    /// What is expected.
    pub(crate) expected: String,
    /// What to do; empty when the expectation says it all.
    pub(crate) advice: String,
}

impl ExpressionFlaw {
    pub(super) fn new(
        at: usize,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { at, found: found.into(), expected: expected.into(), advice: advice.into() }
    }
}
