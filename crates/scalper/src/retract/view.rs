//! What `retract` answers.

use serde::Serialize;
use store::State;

use crate::reading::{FileView, counted, plain};
use crate::report::{Style, paragraph};

/// What was done, or would be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct RetractReport {
    pub dry_run: bool,
    pub result: RetractResult,
    /// The file, as it was before.
    #[serde(flatten)]
    pub file: FileView,
    /// The other version of the name that is shown or hidden in its place, as it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<FileView>,
    /// Whether the other version is loaded again, since its rows are not there.
    pub loads_again: bool,
    #[serde(skip)]
    pub(super) undo: String,
}

/// What was done with the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RetractResult {
    /// It is hidden.
    Retracted,
    /// It was hidden before.
    AlreadyRetracted,
    /// It is visible again.
    Shown,
    /// It is not retracted any more, or was not, and a newer version of its name is the visible one.
    ShownAsSuperseded,
    /// It was not retracted.
    NotRetracted,
}

impl RetractReport {
    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let rows = usize::try_from(self.file.rows.unwrap_or_default()).unwrap_or(usize::MAX);
        let be = if self.dry_run { "would be" } else { "is" };
        let what = match self.result {
            RetractResult::Retracted if rows == 0 => format!("{be} retracted; no row of it was visible"),
            RetractResult::Retracted => {
                let fate = if self.dry_run { "would be hidden" } else { "hidden" };
                format!("{be} retracted: {} {fate}", counted(rows, "row"))
            }
            RetractResult::AlreadyRetracted => "was retracted before".to_owned(),
            RetractResult::Shown if self.loads_again && self.other.is_none() => {
                format!("{be} loaded again: it is the version before one that is retracted")
            }
            RetractResult::Shown => format!("{be} visible again"),
            RetractResult::ShownAsSuperseded if self.file.state == State::Superseded => {
                format!("is superseded, not retracted: a newer version of its name {be} visible again")
            }
            RetractResult::ShownAsSuperseded => {
                format!("{be} no longer retracted; a newer version of its name stays the visible one")
            }
            RetractResult::NotRetracted => "is not retracted: nothing to do".to_owned(),
        };
        let mut text = paragraph("", &format!("{} {what}", self.file.file), style);
        text.push_str(&paragraph("    ", &plain(&self.file.key), style));
        if let Some(other) = &self.other {
            let fate = match self.result {
                RetractResult::Retracted | RetractResult::AlreadyRetracted if self.loads_again => {
                    format!("{} is the version before; it {be} loaded again", other.file)
                }
                RetractResult::Retracted | RetractResult::AlreadyRetracted => {
                    format!("{} is the version before; it {be} visible again", other.file)
                }
                RetractResult::ShownAsSuperseded if self.loads_again => {
                    format!("{} is the newer version; it {be} loaded again", other.file)
                }
                RetractResult::ShownAsSuperseded => format!("{} is the newer version", other.file),
                RetractResult::Shown | RetractResult::NotRetracted => {
                    format!("{} is the version before; it {be} replaced again", other.file)
                }
            };
            text.push_str(&paragraph("", &fate, style));
        }
        if self.result == RetractResult::Retracted && !self.dry_run {
            text.push_str(&paragraph("", "to take it back:", style));
            for part in ["    ", self.undo.as_str(), "\n"] {
                text.push_str(part);
            }
        }
        text
    }
}
