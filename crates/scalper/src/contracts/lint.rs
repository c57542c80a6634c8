//! `contract lint`: all findings of documents at once.

use std::io::Read;

use contract::{Finding, FindingSeverity, Published, render_findings};
use serde::Serialize;

use super::document::{Documents, feed_of, shown_name};

/// What is wrong with documents.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LintReport {
    /// The documents, in the order of the command.
    pub files: Vec<LintedFile>,
}

/// What is wrong with a document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LintedFile {
    /// Its path.
    pub file: String,
    /// Why it was not read; the rest is empty then.
    pub unread: Option<String>,
    /// Number of errors. A document without any can be published.
    pub errors: usize,
    /// Number of warnings.
    pub warnings: usize,
    /// Errors and warnings, in the order of the document.
    pub findings: Vec<Finding>,
    #[serde(skip)]
    source: String,
}

impl LintReport {
    /// Checks documents.
    #[must_use]
    pub fn of(files: &[String], documents: &Documents, input: &mut impl Read) -> Self {
        let file = |path: &String| match documents.text(path, input) {
            Ok(source) => LintedFile::of(&shown_name(path), feed_of(path), source),
            Err(failure) => LintedFile {
                file: shown_name(path),
                unread: Some(failure.to_string()),
                errors: 0,
                warnings: 0,
                findings: Vec::new(),
                source: String::new(),
            },
        };
        Self { files: files.iter().map(file).collect() }
    }

    /// Renders the findings as compilers do, and a line that counts them for each document.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.files.iter().map(LintedFile::to_text).collect()
    }

    /// Returns 2 when a document was not read, else 1 when one has errors.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.files.iter().any(|file| file.unread.is_some()) {
            2
        } else {
            u8::from(self.files.iter().any(|file| file.errors > 0))
        }
    }
}

impl LintedFile {
    pub(super) fn of(name: &str, feed: Option<&str>, source: String) -> Self {
        let findings = match contract::compile_published(&source, Published { feed, inbox: None }) {
            Ok((_, warnings)) => warnings,
            Err(findings) => findings,
        };
        let errors = findings.iter().filter(|finding| finding.severity == FindingSeverity::Error).count();
        let warnings = findings.len() - errors;
        Self { file: name.to_owned(), unread: None, errors, warnings, findings, source }
    }

    pub(super) fn to_text(&self) -> String {
        match &self.unread {
            Some(why) => format!("{}: error: {why}\n", self.file),
            None => render_findings(&self.findings, &self.file, &self.source),
        }
    }
}
