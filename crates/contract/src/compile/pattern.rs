//! Patterns within a budget: what a contract compiles to must fit in a small function's memory.

use regex::Regex;
use regex::bytes::RegexBuilder;

use crate::TextPattern;

/// What all patterns of one contract may take together, as [`size`] measures.
const MOST_BYTES: usize = 16 << 20;

/// What one pattern may take at most.
const MOST_OF_ONE: usize = 1 << 20;

/// What one pattern may take; tried from the smallest, so that the budget is charged with what was needed.
const STEPS: [usize; 4] = [8 << 10, 32 << 10, 128 << 10, MOST_OF_ONE];

/// How much compiled patterns may still grow.
pub(super) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MOST_BYTES }
    }
}

/// Why a pattern was rejected, and what to do.
pub(super) struct UnusablePattern {
    pub(super) reason: &'static str,
    pub(super) advice: String,
}

/// Compiles a pattern and charges the budget.
pub(super) fn compile(source: &str, budget: &mut Budget) -> Result<TextPattern, UnusablePattern> {
    // Measured first: compiling without a limit is what the limit is for.
    let size = measured(size(source, false).or_else(|| size(source, true)))?;
    let pattern = TextPattern::compile(source).map_err(|message| rejected(&message))?;
    budget.charge(size)?;
    Ok(pattern)
}

/// Compiles a pattern whose matches are replaced, and charges the budget. Its classes are those of Unicode, so that no
/// match ends within a character.
pub(super) fn replaced(source: &str, budget: &mut Budget) -> Result<Regex, UnusablePattern> {
    let size = measured(size(source, true))?;
    let built = regex::RegexBuilder::new(source).size_limit(MOST_OF_ONE).build();
    let pattern = built.map_err(|error| rejected(&error.to_string()))?;
    budget.charge(size)?;
    Ok(pattern)
}

/// Rejects what fits no step. What is no pattern has no size; compiling it says why.
#[expect(clippy::option_option, reason = "no pattern and no step are two answers")]
fn measured(size: Option<Option<usize>>) -> Result<usize, UnusablePattern> {
    match size {
        Some(None) => {
            Err(too_large("a pattern that is too large", "shorten counted repetitions, such as `{1000}`"))
        }
        size => Ok(size.flatten().unwrap_or(0)),
    }
}

fn too_large(reason: &'static str, advice: &str) -> UnusablePattern {
    UnusablePattern { reason, advice: advice.to_owned() }
}

impl Budget {
    fn charge(&mut self, size: usize) -> Result<(), UnusablePattern> {
        let left = self.left.checked_sub(size);
        self.left = left.ok_or_else(|| {
            too_large("too many large patterns", "use fewer patterns, or shorter repetitions")
        })?;
        Ok(())
    }
}

/// Returns the smallest step into which the program for this pattern fits: `Some(None)` when none does, `None` when
/// the text is no pattern. Without Unicode, classes are ASCII as in [`TextPattern`], and any character counts as one
/// byte.
#[expect(clippy::option_option, reason = "no pattern and no step are two answers")]
fn size(source: &str, unicode: bool) -> Option<Option<usize>> {
    for step in STEPS {
        match RegexBuilder::new(source).unicode(unicode).size_limit(step).build() {
            Ok(_) => return Some(Some(step)),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(_) => return None,
        }
    }
    Some(None)
}

fn rejected(message: &str) -> UnusablePattern {
    let advice = |rest: &str| format!("this engine has none, so that no text can slow it down; {rest}");
    if message.contains("look-around") {
        return UnusablePattern { reason: "look-around", advice: advice("use two patterns, or `enum`") };
    }
    if message.contains("backreferences") {
        return UnusablePattern { reason: "a back-reference", advice: advice("write the part out") };
    }
    UnusablePattern { reason: "a syntax error", advice: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(pattern: &str) -> &'static str {
        compile(pattern, &mut Budget::default()).map_or_else(|rejected| rejected.reason, |_| "")
    }

    #[test]
    fn what_would_not_be_linear_is_rejected_with_a_reason() {
        assert_eq!(reason("^(?=a)b"), "look-around");
        assert_eq!(reason("(?<!a)b"), "look-around");
        assert_eq!(reason(r"(a)\1"), "a back-reference");
        assert_eq!(reason("("), "a syntax error");
        assert_eq!(reason("((a{100}){100}){100}"), "a pattern that is too large");
    }

    #[test]
    fn usual_patterns_fit() {
        for pattern in [r"^\w{1,64}$", r"^[^,]{0,200}$", r"\p{L}+", "^é+$", "^(A|B|C)[0-9]{4}$"] {
            assert_eq!(reason(pattern), "", "{pattern}");
        }
    }

    #[test]
    fn all_patterns_together_have_a_limit() {
        let mut budget = Budget { left: STEPS[0] };
        assert!(compile("^a$", &mut budget).is_ok());
        assert!(compile("^b$", &mut budget).is_err());
        assert!(replaced("^b$", &mut budget).is_err());
    }

    #[test]
    fn a_pattern_that_is_replaced_is_charged_with_the_classes_of_unicode() {
        // `\\w` of Unicode takes more than that of ASCII.
        let word = r"\w{2}";
        let charged = |by: fn(&str, &mut Budget) -> bool| {
            let mut budget = Budget::default();
            assert!(by(word, &mut budget));
            MOST_BYTES - budget.left
        };
        let as_rule = charged(|source, budget| compile(source, budget).is_ok());
        let as_replacement = charged(|source, budget| replaced(source, budget).is_ok());
        assert!(as_replacement > as_rule, "{as_replacement} {as_rule}");
        assert!(replaced(r"\w{1000}{1000}", &mut Budget::default()).is_err());
    }
}
