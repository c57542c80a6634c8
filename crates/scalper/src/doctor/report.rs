//! The findings of all checks, as text or as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::{DoctorFinding, Level};
use crate::reading::plain;
use crate::report::Style;

/// Where the text of a finding begins.
const INDENT: usize = 21;
/// Columns that the text of a finding has at least.
const LEAST: usize = 16;

/// The findings on a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The stack.
    pub stack: String,
    /// The findings, in the order of the checks.
    pub findings: Vec<DoctorFinding>,
}

impl Diagnosis {
    /// Returns the exit code: 0 no problem, 1 a problem, 2 something could not be checked.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let has = |level| self.findings.iter().any(|finding| finding.level == level);
        if has(Level::Fail) { 1 } else { u8::from(has(Level::Unknown)) * 2 }
    }

    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders text for a reader. Commands have a line of their own and are never broken.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let DoctorFinding { check, level, what, advice, command } = finding;
            let head = format!("{:<4}  {check:<14} ", level.as_str());
            let mut lines = String::new();
            push(&mut lines, &head, &plain(what), style);
            text.push_str(&style.mark(level.as_str(), level.mark()));
            text.push_str(lines.strip_prefix(level.as_str()).unwrap_or(&lines));
            if let Some(advice) = advice {
                push(&mut text, "", &plain(&format!("to do: {advice}")), style);
            }
            if let Some(command) = command {
                // Writing to a string cannot fail.
                writeln!(text, "        {}", plain(command)).ok();
            }
        }
        let count = |level| self.findings.iter().filter(|finding| finding.level == level).count();
        let (ok, warn, fail) = (count(Level::Ok), count(Level::Warn), count(Level::Fail));
        let unknown = match count(Level::Unknown) {
            0 => String::new(),
            several => format!(", {several} not checked"),
        };
        let order = if fail > 0 { " (start at the top)" } else { "" };
        let all = format!(
            "{fail} failed{order}, {warn} {}{unknown}, {ok} ok",
            if warn == 1 { "warning" } else { "warnings" }
        );
        writeln!(text, "\n{}: {all}", self.stack).ok();
        text
    }
}

/// Appends a text behind its head, broken at blanks, or inside a word where it must be.
fn push(text: &mut String, head: &str, words: &str, style: Style) {
    let width = style.prose().saturating_sub(INDENT).max(LEAST);
    let mut line = format!("{head:<INDENT$}");
    let mut room = width;
    let mut begun = false;
    for word in words.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let needed = word.len() + usize::from(begun);
            if needed <= room {
                if begun {
                    line.push(' ');
                }
                line.extend(&word);
                room -= needed;
                begun = true;
                break;
            }
            if !begun {
                let rest = word.split_off(room);
                line.extend(&word);
                word = rest;
            }
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(INDENT);
            (room, begun) = (width, false);
        }
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_but_a_command_is_wider_than_a_terminal() {
        let long = "x".repeat(150) + " and words " + &"word ".repeat(40);
        let finding = DoctorFinding::fail("notification", long.clone()).advice(long).command("y".repeat(120));
        let diagnosis = Diagnosis { stack: "s".to_owned(), findings: vec![finding] };
        for (width, columns) in [(None, 80), (Some(80), 80), (Some(120), 120), (Some(40), 40), (Some(0), 37)]
        {
            let text = diagnosis.to_text(Style { colours: false, width });
            for line in text.lines().filter(|line| !line.contains('y') && !line.starts_with("s: ")) {
                assert!(line.chars().count() <= columns, "{width:?}: {line}");
            }
            assert_eq!(text.matches('x').count(), 300);
            assert!(text.contains(&"y".repeat(120)));
        }
    }

    #[test]
    fn what_is_wrong_goes_before_what_is_not_known() {
        let of = |findings: &[DoctorFinding]| {
            Diagnosis { stack: "s".to_owned(), findings: findings.to_vec() }.exit_code()
        };
        let (fail, unknown) = (DoctorFinding::fail("a", "b"), DoctorFinding::unknown("a", "b"));
        let (ok, warn) = (DoctorFinding::ok("a", "b"), DoctorFinding::warn("a", "b"));
        assert_eq!(of(&[ok.clone(), warn.clone()]), 0);
        assert_eq!(of(&[ok, warn, unknown.clone()]), 2);
        assert_eq!(of(&[unknown, fail]), 1);
    }
}
