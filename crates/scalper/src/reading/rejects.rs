//! Rejected records: where they are and why by default, and themselves when asked for.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use store::{BodyChunks, Outcome};

use super::find::{ReceiptRead, RuleRead, ViolationRead, rejects_key};
use super::plain::{Harmless, plain};
use super::view::FileView;
use super::{Readable, StackView};
use crate::arguments::RejectsArguments;
use crate::error::CommandError;
use crate::report::{Fit, Style, table};

/// The notice that is shown before values are.
pub const WARNING: &str = "these are records as the partner sent them, personal data included: keep them out of tickets, logs and chats";

/// Which records were rejected and why, without their values.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct Rejects {
    #[serde(flatten)]
    pub file: FileView,
    rules: Vec<RuleRead>,
    /// The first violations of the file, at most 100.
    violations: Vec<ViolationRead>,
    /// Where the records themselves are.
    pub rejects_at: Option<String>,
    #[serde(skip)]
    command: String,
}

/// Rejected records themselves. Holds no content yet.
pub struct RejectedRecords {
    key: String,
    /// The file to write; standard output without one.
    pub download: Option<PathBuf>,
}

impl<S: Readable> StackView<S> {
    pub(super) async fn rejects(&self, word: &str) -> Result<Rejects, CommandError> {
        let found = self.find(word).await?;
        let outcome = self.decided(&found)?;
        let receipt = self.full_receipt(outcome).await?;
        let rejects_at = rejects_key(outcome, &receipt).map(|key| self.places.kept(&key));
        Ok(Rejects {
            file: FileView::of_entry(&self.stack, &found.file, &found.entry),
            rules: receipt.rules,
            violations: receipt.violations,
            rejects_at,
            command: self.stack.command(&format!("rejects {}", found.file)),
        })
    }

    /// Reads the receipt that lists what was rejected. That of a load that was visible names the one before it instead
    /// of repeating it.
    async fn full_receipt(&self, outcome: &Outcome) -> Result<ReceiptRead, CommandError> {
        let mut receipt = self.read_receipt(&outcome.receipt).await?.unwrap_or_default();
        if let Some(earlier) = receipt.earlier.take().filter(|_| receipt.rules.is_empty()) {
            receipt = self.read_receipt(&earlier).await?.unwrap_or_default();
        }
        Ok(receipt)
    }

    pub(super) async fn records(
        &self,
        arguments: &RejectsArguments,
    ) -> Result<RejectedRecords, CommandError> {
        let found = self.find(&arguments.file).await?;
        let outcome = self.decided(&found)?;
        let receipt = self.full_receipt(outcome).await?;
        let key = rejects_key(outcome, &receipt).ok_or_else(|| CommandError::NoRejects {
            file: found.file.to_string(),
            state: found.entry.state.as_str(),
        })?;
        Ok(RejectedRecords { key, download: arguments.download.clone() })
    }

    /// Copies rejected records to where they were asked for, with harmless bytes only when that is a terminal.
    pub async fn copy(
        &self,
        records: &RejectedRecords,
        terminal: bool,
        to: &mut impl Write,
    ) -> Result<(), CommandError> {
        let body = self.store.open_kept(&records.key).await.map_err(CommandError::Read)?;
        let mut body =
            body.ok_or_else(|| CommandError::RecordsGone { place: self.places.kept(&records.key) })?;
        let mut harmless = Harmless::default();
        while let Some(chunk) = body.next().await.map_err(CommandError::Read)? {
            let shown = if terminal { harmless.next(&chunk).into_bytes() } else { chunk.to_vec() };
            to.write_all(&shown).map_err(|error| not_written(&error))?;
        }
        to.write_all(harmless.end().as_bytes()).and_then(|()| to.flush()).map_err(|error| not_written(&error))
    }
}

fn not_written(error: &io::Error) -> CommandError {
    CommandError::NotWritten { kind: error.kind().to_string() }
}

/// Writes into a new file that only its owner may read. When `copy` fails nothing is left of it.
pub async fn save(
    path: &Path,
    copy: impl AsyncFnOnce(&mut std::fs::File) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path);
    let mut file = opened.map_err(|error| CommandError::NotOpened {
        path: plain(&path.display().to_string()).into_owned(),
        kind: error.kind().to_string(),
    })?;
    let copied = copy(&mut file).await;
    if copied.is_err() {
        drop(file);
        // What is left when even this fails is in the error.
        std::fs::remove_file(path).ok();
    }
    copied
}

impl Rejects {
    pub(super) fn to_text(&self, style: Style) -> String {
        let Self { file, rules, violations, .. } = self;
        let mut text = format!("{} {}\n\n", file.verdict(), plain(&file.key));
        let rejected = file.rejects.unwrap_or_default();
        // Writing to a string cannot fail.
        match (rejected, rules.is_empty()) {
            (0, true) => writeln!(text, "no records were rejected"),
            (0, false) => writeln!(text, "no records were rejected; rules of severity `warn` were broken"),
            _ => writeln!(text, "{rejected} of {} records were rejected", file.records.unwrap_or_default()),
        }
        .ok();
        if !rules.is_empty() {
            let rows = rules.iter().map(|rule| {
                [
                    plain(&rule.rule).into_owned(),
                    plain(&rule.severity).into_owned(),
                    rule.count.to_string(),
                    plain(&rule.expected).into_owned(),
                ]
            });
            let heads = ["rule", "severity", "broken", "expected"];
            write!(text, "\n{}", table(heads, &rows.collect::<Vec<_>>(), Fit::wrap_last(&[0]), style)).ok();
        }
        if !violations.is_empty() {
            let rows = violations.iter().map(|broken| {
                [
                    broken.line.map_or_else(|| "-".to_owned(), |line| line.to_string()),
                    broken.record.to_string(),
                    broken
                        .column
                        .as_deref()
                        .map_or_else(|| "-".to_owned(), |column| plain(column).into_owned()),
                    plain(&broken.rule).into_owned(),
                    plain(&broken.reason).into_owned(),
                ]
            });
            let heads = ["line", "record", "column", "rule", "reason"];
            write!(text, "\n{}", table(heads, &rows.collect::<Vec<_>>(), Fit::wrap_last(&[2, 3]), style))
                .ok();
        }
        let broken: u64 = rules.iter().map(|rule| rule.count).sum();
        let shown = u64::try_from(violations.len()).unwrap_or(u64::MAX);
        if broken > shown {
            writeln!(
                text,
                "\nonly the first {shown} of {broken} violations are shown: the receipt lists no more"
            )
            .ok();
        }
        if let Some(place) = &self.rejects_at {
            let name = place.rsplit('/').next().unwrap_or_default();
            writeln!(
                text,
                "\nthe rejected records with the partner's values:\n  {0} --download {name}\n  {0} --values",
                self.command
            )
            .ok();
        }
        text
    }
}
