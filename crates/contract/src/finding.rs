//! What is wrong with a document, where, and what to do about it.

use std::fmt;

use crate::document::Place;

/// Characters of a document that one message quotes at most.
const QUOTE_CHARACTERS: usize = 60;

/// Characters of a source line that [`Finding::render`] shows at most.
const LINE_CHARACTERS: usize = 120;

/// Findings that one document yields at most; a document with more is not worth reading on.
const MOST_FINDINGS: usize = 200;

/// Whether a finding keeps the contract from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingSeverity {
    /// The document is rejected.
    Error,
    /// The document is used as the finding says.
    Warning,
}

impl fmt::Display for FindingSeverity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that is wrong with a document. Holds text of the document, never of a partner's file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Whether the document is rejected.
    pub severity: FindingSeverity,
    /// The 1-based line of the node.
    pub line: u32,
    /// The 1-based column of the node, in characters.
    pub column: u32,
    /// The way to the node: `schema[0].properties[3].logicalTypeOptions.pattern`.
    pub path: String,
    /// What was found.
    pub found: String,
    /// What is expected.
    pub expected: String,
    /// What to do; empty when the expectation says it all.
    pub advice: String,
}

impl Finding {
    /// Returns the finding as one line without a position: `found …, expected …; advice`.
    #[must_use]
    pub fn message(&self) -> String {
        let mut message = format!("found {}, expected {}", self.found, self.expected);
        if !self.advice.is_empty() {
            message.push_str("; ");
            message.push_str(&self.advice);
        }
        message
    }

    /// Returns the finding as compilers print one: `file:line:column: error: …`, the path, the source line and a caret.
    #[must_use]
    pub fn render(&self, file: &str, source: &str) -> String {
        let mut text =
            format!("{file}:{}:{}: {}: {}\n", self.line, self.column, self.severity, self.message());
        if !self.path.is_empty() {
            text.push_str("  at ");
            text.push_str(&self.path);
            text.push('\n');
        }
        let number = self.line.to_string();
        let Some(line) = source.lines().nth(index_before(self.line)) else { return text };
        let caret = index_before(self.column);
        let first = if caret < LINE_CHARACTERS { 0 } else { caret - LINE_CHARACTERS / 2 };
        let shown: String = line.chars().skip(first).take(LINE_CHARACTERS).map(printable).collect();
        let blank = " ".repeat(number.len());
        let indent = " ".repeat((caret - first).min(LINE_CHARACTERS));
        for part in ["  ", &number, " | ", shown.trim_end(), "\n  ", &blank, " | ", &indent, "^\n"] {
            text.push_str(part);
        }
        text
    }
}

/// Returns every finding, rendered one after the other, and a last line that counts them.
#[must_use]
pub fn render_findings(findings: &[Finding], file: &str, source: &str) -> String {
    let mut text = String::new();
    for finding in findings {
        text.push_str(&finding.render(file, source));
    }
    let errors = findings.iter().filter(|finding| finding.severity == FindingSeverity::Error).count();
    let warnings = findings.len() - errors;
    let count = format!("{file}: {}, {}\n", counted(errors, "error"), counted(warnings, "warning"));
    text + &count
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn index_before(one_based: u32) -> usize {
    one_based.saturating_sub(1) as usize
}

/// Replaces control characters, which would move the reader's cursor.
pub(crate) fn printable(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

/// Returns the text in backquotes, cut to a length that fits in a message.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTE_CHARACTERS).map(printable).collect();
    if text.chars().nth(QUOTE_CHARACTERS).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Returns the words of a closed list, for an expectation: `one of a, b, c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [word] => quoted(word),
        _ => format!("one of {}", words.join(", ")),
    }
}

/// `did you mean …`, when one of the known words is near enough to be meant; else the fallback.
pub(crate) fn did_you_mean(word: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`"),
        None => otherwise.to_owned(),
    }
}

/// Returns the known word with the fewest edits, at most a third of its length, letter case not counted.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    const LONGEST: usize = 40;
    let word: Vec<char> = word.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if word.len() > LONGEST {
        return None;
    }
    known
        .iter()
        .map(|candidate| (edits(&word, &candidate.to_lowercase().chars().collect::<Vec<_>>()), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, row by row.
fn edits(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, a) in left.iter().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right) {
            let above = *cell;
            *cell = (diagonal + usize::from(a != b)).min(above + 1).min(before + 1);
            diagonal = above;
            before = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// The findings of one document while it is read and compiled.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds an error.
    pub(crate) fn error(
        &mut self,
        place: &Place,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(FindingSeverity::Error, place, found.into(), expected.into(), advice.into());
    }

    /// Adds a warning.
    pub(crate) fn warning(
        &mut self,
        place: &Place,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(FindingSeverity::Warning, place, found.into(), expected.into(), advice.into());
    }

    fn add(
        &mut self,
        severity: FindingSeverity,
        place: &Place,
        found: String,
        expected: String,
        advice: String,
    ) {
        // An error always gets in: a rejected document must say why.
        if self.list.len() >= MOST_FINDINGS && (severity == FindingSeverity::Warning || self.any_error()) {
            return;
        }
        let (line, column, path) = (place.line, place.column, place.path.to_string());
        self.list.push(Finding { severity, line, column, path, found, expected, advice });
    }

    /// Returns whether one of them is an error.
    pub(crate) fn any_error(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == FindingSeverity::Error)
    }

    /// Returns all of them in the order of the document.
    pub(crate) fn into_sorted(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|finding| (finding.line, finding.column));
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_has_a_near_name() {
        let known = ["required", "unique", "primaryKey", "minLength", "maxLength"];
        assert_eq!(nearest("requird", &known), Some("required"));
        assert_eq!(nearest("primarykey", &known), Some("primaryKey"));
        assert_eq!(nearest("minLenght", &known), Some("minLength"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), &known), None);
    }

    #[test]
    fn a_rendered_finding_points_at_the_character() {
        let finding = Finding {
            severity: FindingSeverity::Error,
            line: 2,
            column: 3,
            path: "schema".to_owned(),
            found: "`x`".to_owned(),
            expected: "`y`".to_owned(),
            advice: String::new(),
        };
        assert_eq!(
            finding.render("f.yaml", "a\n\u{e9}: x\n"),
            "f.yaml:2:3: error: found `x`, expected `y`\n  at schema\n  2 | \u{e9}: x\n    |   ^\n"
        );
        assert_eq!(finding.render("f.yaml", ""), "f.yaml:2:3: error: found `x`, expected `y`\n  at schema\n");
    }

    #[test]
    fn a_quoted_text_is_short_and_has_no_control_characters() {
        assert_eq!(quoted("a\u{1b}[2Jb"), "`a [2Jb`");
        assert_eq!(quoted(&"a".repeat(100)).chars().count(), QUOTE_CHARACTERS + 3);
    }
}
