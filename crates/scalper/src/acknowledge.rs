//! `ack`: writes down that no good file will replace a quarantined one, so that `status` no longer lists it.
//!
//! All files are read before anything is written. Each is one conditional write between two notes in the audit trail,
//! so an interrupted command can be repeated: an acknowledgement that was written stays as it is.

use serde::Serialize;
use store::{
    Acknowledge, Acknowledged, Acknowledgement, ActDetail, ActSubject, CallerIdentity, DetailName,
    DetailValue, Entry, State, Verb, WriteAudit,
};

use crate::arguments::AckArguments;
use crate::audited::{Auditor, Effect, PlannedAct};
use crate::error::CommandError;
use crate::reading::{AcknowledgedView, FileView, Readable, StackView};
use crate::report::{Style, paragraph};

/// The acknowledgements that were written, or would be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AckReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The files, in the order of the command.
    pub files: Vec<AckView>,
}

/// An acknowledged file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AckView {
    /// What was done, or would be.
    pub result: AckResult,
    /// Who acknowledged it, when and why: now, or before.
    pub acknowledged: AcknowledgedView,
    #[serde(flatten)]
    #[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
    pub file: FileView,
}

/// What an acknowledgement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AckResult {
    /// It was written.
    Acknowledged,
    /// It would be written.
    WouldBeAcknowledged,
    /// An operator acknowledged it before, and that stays.
    AlreadyAcknowledged,
}

impl<S: Readable + Acknowledge> StackView<S> {
    /// Acknowledges files in the name of the caller.
    pub async fn acknowledge<T: WriteAudit + CallerIdentity>(
        &self,
        arguments: &AckArguments,
        auditor: &Auditor<T>,
    ) -> Result<AckReport, CommandError> {
        let mut found = Vec::new();
        for word in &arguments.files {
            let (file, entry) = self.found(word).await?;
            if entry.state != State::Quarantined {
                return Err(self.not_quarantined(&file, entry.state));
            }
            found.push((file, entry));
        }
        let new = Acknowledgement {
            at_ms: self.host.now(),
            by: auditor.caller().await?.as_str().to_owned(),
            reason: arguments.reason.as_str().to_owned(),
        };
        let mut files = Vec::new();
        for (view, entry) in found {
            let (result, acknowledged) = match (arguments.dry_run, entry.acknowledged) {
                (true, Some(before)) => (AckResult::AlreadyAcknowledged, before),
                (true, None) => (AckResult::WouldBeAcknowledged, new.clone()),
                (false, _) => {
                    let subject = ActSubject::file(&view.file, &view.partner, &view.feed);
                    let reason = Some(arguments.reason.clone());
                    let planned = PlannedAct { verb: Verb::Ack, subject, reason };
                    auditor.audited(planned, self.note(&view, &new)).await?.finished()?
                }
            };
            files.push(AckView { result, acknowledged: AcknowledgedView::new(&acknowledged), file: view });
        }
        Ok(AckReport { dry_run: arguments.dry_run, files })
    }

    async fn found(&self, word: &str) -> Result<(FileView, Entry), CommandError> {
        let (file, entry) = self.entry_of(word).await?;
        Ok((FileView::of_entry(&self.stack, &file, &entry), entry))
    }

    async fn note(
        &self,
        view: &FileView,
        new: &Acknowledgement,
    ) -> Result<Effect<(AckResult, Acknowledgement)>, CommandError> {
        let unknown = || CommandError::NoSuchFile {
            found: view.file.to_string(),
            stack: self.stack.as_str().to_owned(),
            list: self.stack.command("files"),
        };
        match self.store.acknowledge(&view.file, new).await.map_err(CommandError::NotNoted)? {
            Acknowledged::Noted => {
                let closed = ActDetail::new(DetailName::Open, DetailValue::word("no"));
                Ok(Effect::new((AckResult::Acknowledged, new.clone()), [closed]))
            }
            Acknowledged::Before(before) => Ok(Effect::new((AckResult::AlreadyAcknowledged, before), [])),
            Acknowledged::NotQuarantined(state) => Err(self.not_quarantined(view, state)),
            Acknowledged::Unknown => Err(unknown()),
        }
    }

    fn not_quarantined(&self, view: &FileView, state: State) -> CommandError {
        CommandError::NotQuarantined {
            file: view.file.to_string(),
            state: state.as_str(),
            show: self.stack.command(&format!("show {}", view.file)),
        }
    }
}

impl AckReport {
    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        for AckView { result, acknowledged, file } in &self.files {
            let what = match result {
                AckResult::Acknowledged => "acknowledged",
                AckResult::WouldBeAcknowledged => "would be acknowledged",
                AckResult::AlreadyAcknowledged => "already acknowledged",
            };
            text.push_str(&paragraph("", &format!("{} {what}", file.file), style));
            text.push_str(&paragraph(
                "    ",
                &format!("{}, landed {}", file.shown_key(), file.landed_text()),
                style,
            ));
            text.push_str(&paragraph("    ", &acknowledged.to_text(), style));
        }
        if self.dry_run {
            text.push_str("nothing was changed\n");
        }
        text
    }
}
