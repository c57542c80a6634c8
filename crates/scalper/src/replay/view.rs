//! What `replay` says before and after.

use serde::Serialize;

use super::follow::ReplayWork;
use super::{ReplayCase, ReplayEnd, ReplayedFile};
use crate::error::CommandError;
use crate::interrupt;
use crate::preview::{FilePreview, PreviewTotals, changed_files};
use crate::reading::{FileView, counted, plain};
use crate::report::{Fit, Mark, Style, marked_table, paragraph};

/// Files of a list at most; `--json` has all of them.
const MOST_FILES: usize = 50;

/// A file that is not replayed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct LeftOut {
    #[serde(flatten)]
    pub file: FileView,
    pub why: &'static str,
}

/// What a replay would do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct ReplayPlan {
    pub totals: PreviewTotals,
    pub previews: Vec<FilePreview>,
    pub left_out: Vec<LeftOut>,
    /// Retracted files that would be visible again.
    pub shown_again: usize,
    /// Whether a loaded file that would be quarantined stays loaded.
    pub keeps_loaded: bool,
    #[serde(skip)]
    pub(super) cases: Vec<ReplayCase>,
}

/// What a replay did.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct ReplayReport {
    pub preview: ReplayPlan,
    /// How each ended that was asked for.
    pub files: Vec<ReplayedFile>,
    /// Files that were not asked for.
    pub not_asked: usize,
    /// Whether the operator ended the command before all was done.
    pub interrupted: bool,
    /// The command that goes on, where it is not the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go_on: Option<String>,
}

impl ReplayPlan {
    /// Returns how many files would be replayed.
    #[must_use]
    pub fn files(&self) -> usize {
        self.cases.len()
    }

    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let mut text = changed_files(&self.previews, style);
        if !text.is_empty() {
            text.push('\n');
        }
        if self.previews.is_empty() {
            text.push_str(&paragraph("", "no file to replay", style));
        } else {
            text.push_str(&paragraph("", &self.totals.rescue(), style));
            let newly = self.totals.newly_rejected;
            if newly > 0 {
                let rules: Vec<String> = self
                    .totals
                    .more_by_rule
                    .iter()
                    .map(|(rule, count)| format!("`{rule}` {count}"))
                    .collect();
                let newly = usize::try_from(newly).unwrap_or(usize::MAX);
                let are = if newly == 1 { "is a row" } else { "are rows" };
                let line =
                    format!("rejects {} that {are} now: {}", counted(newly, "record"), rules.join(", "));
                text.push_str(&paragraph("", &line, style));
            }
            if self.totals.newly_loaded > 0 {
                let loaded = usize::try_from(self.totals.newly_loaded).unwrap_or(usize::MAX);
                let are = if loaded == 1 { "is" } else { "are" };
                let line = format!("loads {} that {are} left out now (`dropIf`)", counted(loaded, "record"));
                text.push_str(&paragraph("", &line, style));
            }
            if self.totals.newly_dropped > 0 {
                let more = usize::try_from(self.totals.newly_dropped).unwrap_or(usize::MAX);
                let line = format!("leaves out {} (`dropIf`)", counted(more, "more record"));
                text.push_str(&paragraph("", &line, style));
            }
            text.push_str(&self.worse(style));
            if self.shown_again > 0 {
                let again = format!("{} would be visible again", counted(self.shown_again, "retracted file"));
                text.push_str(&paragraph("", &again, style));
            }
            text.push_str(&paragraph("", &self.totals.cost(), style));
        }
        text.push_str(&self.left_out_text(style));
        text
    }

    /// Says what becomes of loaded files that would be quarantined.
    fn worse(&self, style: Style) -> String {
        let Ok(worse @ 1..) = usize::try_from(self.totals.newly_quarantined) else { return String::new() };
        let fate = if self.keeps_loaded {
            "what is loaded stays visible; --quarantine would hide it"
        } else {
            "what is loaded is hidden then"
        };
        paragraph("", &format!("{} would be quarantined: {fate}", counted(worse, "loaded file")), style)
    }

    fn left_out_text(&self, style: Style) -> String {
        let mut reasons: Vec<(&str, usize)> = Vec::new();
        for LeftOut { why, .. } in &self.left_out {
            match reasons.iter_mut().find(|(known, _)| known == why) {
                Some((_, count)) => *count += 1,
                None => reasons.push((why, 1)),
            }
        }
        let line =
            |(why, count)| paragraph("", &format!("left out {}: {why}", counted(count, "file")), style);
        reasons.into_iter().map(line).collect()
    }
}

impl ReplayReport {
    /// Makes it, with whether all of it was noted in the audit trail.
    pub(super) fn new(preview: ReplayPlan, work: ReplayWork) -> (Self, Result<(), CommandError>) {
        let ReplayWork { files, not_asked, interrupted, noted } = work;
        (Self { preview, files, not_asked, interrupted, go_on: None }, noted)
    }

    /// Returns the exit code: 1 when a file is not loaded, 130 when the command was interrupted.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.interrupted { interrupt::EXIT_CODE } else { u8::from(!self.is_good()) }
    }

    /// Returns whether every file is loaded now.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.files.iter().all(ReplayedFile::is_good)
    }

    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders what came of it, for a reader who has seen the plan.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        if self.preview.files() == 0 {
            return String::new();
        }
        let heads = ["file", "key", "end", "outcome", "rows"];
        let rows = self.files.iter().take(MOST_FILES).map(|file| {
            let outcome = file.fault.clone().unwrap_or_else(|| file.state.as_str().to_owned());
            let mark = if file.is_good() { Mark::None } else { Mark::Wrong };
            let rows = format!("{} of {}", file.counts.rows, file.counts.records);
            (
                [
                    file.file.to_string(),
                    plain(&file.key).into_owned(),
                    words(file.end).to_owned(),
                    outcome,
                    rows,
                ],
                mark,
            )
        });
        let table = marked_table(heads, &rows.collect::<Vec<_>>(), Fit::shorten(&[1]), style);
        let mut text = format!("\n{table}");
        let loaded = self.files.iter().filter(|file| file.is_good()).count();
        let all = counted(self.files.len(), "file");
        text.push('\n');
        text.push_str(&paragraph("", &format!("loaded anew: {loaded} of {all}"), style));
        let waiting = self.files.iter().filter(|file| file.end == ReplayEnd::Waiting).count();
        if waiting > 0 {
            let line = format!("{} not decided yet; `scalper status` shows why", counted(waiting, "file"));
            text.push_str(&paragraph("", &line, style));
        }
        if self.interrupted {
            text.push_str(&self.how_to_go_on(style));
        }
        text
    }

    /// Says how far it came, and how the rest is asked for.
    fn how_to_go_on(&self, style: Style) -> String {
        let all = counted(self.preview.files(), "file");
        let asked = self.preview.files().saturating_sub(self.not_asked);
        let so_far = format!(
            "interrupted: {asked} of {all} asked for; what is under way is decided without this command"
        );
        match &self.go_on {
            _ if self.not_asked == 0 => paragraph("", &so_far, style),
            Some(command) => paragraph("", &format!("{so_far}. To go on:"), style) + "    " + command + "\n",
            None => {
                let same = "To go on, run the same command again: it leaves out what is done";
                paragraph("", &format!("{so_far}. {same}"), style)
            }
        }
    }
}

fn words(end: ReplayEnd) -> &'static str {
    match end {
        ReplayEnd::Decided => "replayed",
        ReplayEnd::Kept => "kept",
        ReplayEnd::Gone => "version gone",
        ReplayEnd::ContractChanged => "contract changed",
        ReplayEnd::Changed => "changed meanwhile",
        ReplayEnd::Waiting => "waiting",
        ReplayEnd::Asked => "under way",
    }
}
