//! What a backfill would do, and what it did.

use std::collections::BTreeMap;

use serde::Serialize;
use store::{ActReason, State};
use telemetry::Used;

use super::copy::NotCopied;
use super::range::ModifiedRange;
use crate::arguments::BackfillArguments;
use crate::error::CommandError;
use crate::interrupt;
use crate::names::Stack;
use crate::preview::{counted, dollars};
use crate::reading::plain;
use crate::report::{Fit, Style, paragraph, table};

/// DynamoDB's write units of a million records: one each, of at most 1 KB.
const MILLION_RECORDS: Used = Used {
    memory_megabytes: 0,
    milliseconds: 0,
    invocations: 0,
    write_tenths: 10_000_000,
    read_tenths: 0,
    object_writes: 0,
    object_reads: 0,
    queue_requests: 0,
    published: 0,
};

/// What is there, and what it costs to process it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackfillSurvey {
    /// Where the files are.
    pub from: String,
    /// Where they are copied to, where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Since when they were last modified, where that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Before when they were last modified, where that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(skip)]
    pub(super) range: ModifiedRange,
    /// Why they are sent.
    pub reason: ActReason,
    /// Versions of files.
    pub files: u64,
    /// Those that the ledger has decided before: they are left out.
    pub decided_before: u64,
    /// Those that are to be sent.
    pub to_send: u64,
    /// Stored bytes of those.
    pub bytes: u64,
    /// Estimated cost in 10^-9 dollars at list prices, without records and Lambda's time.
    pub nano_dollars: u64,
    /// Objects that are not copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_copied: Option<NotCopied>,
}

impl BackfillSurvey {
    pub(super) fn new(arguments: &BackfillArguments, range: ModifiedRange) -> Self {
        let [since, until] = range.instants();
        Self {
            from: arguments.from.to_string(),
            to: arguments.to.as_ref().map(ToString::to_string),
            since,
            until,
            range,
            reason: arguments.reason.clone(),
            files: 0,
            decided_before: 0,
            to_send: 0,
            bytes: 0,
            nano_dollars: 0,
            not_copied: None,
        }
    }

    pub(super) fn count(&mut self, bytes: u64, is_decided: bool) {
        self.files += 1;
        if is_decided {
            self.decided_before += 1;
        } else {
            self.to_send += 1;
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// Rejects a place without any file.
    pub(super) fn must_have_files(&self, arguments: &BackfillArguments) -> Result<(), CommandError> {
        let place = arguments.from.to_string();
        match (self.files, self.range.words()) {
            (0, range) if range.is_empty() => Err(CommandError::NothingThere { place }),
            (0, range) => Err(CommandError::NothingInRange { place, range }),
            _ => Ok(()),
        }
    }

    /// Returns whether there is nothing to send.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.to_send == 0
    }

    /// Estimates the cost: of each file, and of the lists and the ledger's entries that are read twice, before the
    /// question and after it.
    pub(super) fn estimate(&mut self, of_a_file: Used, pages: u64) {
        let times = |number: u64| number.saturating_mul(self.to_send);
        let used = Used {
            invocations: times(of_a_file.invocations),
            write_tenths: times(of_a_file.write_tenths),
            read_tenths: times(of_a_file.read_tenths).saturating_add(self.files.saturating_mul(10)),
            object_writes: times(of_a_file.object_writes).saturating_add(pages.saturating_mul(2)),
            object_reads: times(of_a_file.object_reads),
            queue_requests: times(of_a_file.queue_requests),
            published: times(of_a_file.published),
            ..Used::default()
        };
        self.nano_dollars = used.nano_dollars();
    }

    /// Returns the question before anything is sent.
    #[must_use]
    pub fn question(&self) -> String {
        let copy = if self.to.is_some() { "copy and " } else { "" };
        format!("{copy}process {}? [y/N] ", counted(self.to_send, "file"))
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
        let place = format!("{} in {}{}", counted(self.files, "file"), plain(&self.from), self.range.words());
        let mut text = paragraph("", &place, style);
        if self.decided_before > 0 {
            let before = format!("{} decided before: left out", counted(self.decided_before, "file"));
            text.push_str(&paragraph("", &before, style));
        }
        text.push_str(&self.not_copied.map(|not_copied| not_copied.to_text(style)).unwrap_or_default());
        if self.is_done() {
            text.push_str("nothing to process\n");
            return text;
        }
        let to = self.to.as_ref().map(|to| format!("copy to {to}/ and ")).unwrap_or_default();
        let send = format!("{} to {to}process, {}", counted(self.to_send, "file"), bytes(self.bytes));
        text.push_str(&paragraph("", &send, style));
        let cost = format!(
            "estimated cost: {} at list prices; for each million records {} more, and the processor's time",
            dollars(self.nano_dollars),
            dollars(MILLION_RECORDS.nano_dollars()),
        );
        text.push_str(&paragraph("", &cost, style));
        text
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackfillReport {
    #[serde(flatten)]
    #[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
    pub survey: BackfillSurvey,
    /// Files that were sent to the inbox queue.
    pub sent: u64,
    /// Decided files by state.
    pub states: BTreeMap<&'static str, u64>,
    /// Files that were not decided in time: their messages failed, or wait behind others.
    pub undecided: u64,
    /// Whether the operator ended the command before all was done.
    pub interrupted: bool,
    /// Files that were sent and were not decided at that moment: the stack goes on with them.
    pub under_way: u64,
}

impl BackfillReport {
    pub(super) fn new(survey: BackfillSurvey) -> Self {
        Self { survey, sent: 0, states: BTreeMap::new(), undecided: 0, interrupted: false, under_way: 0 }
    }

    pub(super) fn decided(&mut self, state: State) {
        *self.states.entry(state.as_str()).or_default() += 1;
    }

    /// Counts an object that was to be copied and was not.
    pub(super) fn leave_out(&mut self, count: impl FnOnce(&mut NotCopied)) {
        count(self.survey.not_copied.get_or_insert_default());
        self.survey.to_send = self.survey.to_send.saturating_sub(1);
    }

    pub(super) fn interrupt(&mut self, under_way: usize) {
        self.interrupted = true;
        self.under_way = under_way as u64;
    }

    /// Returns how many files of the survey were not sent.
    pub(super) fn left(&self) -> u64 {
        self.survey.to_send.saturating_sub(self.sent)
    }

    fn of(&self, state: State) -> u64 {
        self.states.get(state.as_str()).copied().unwrap_or_default()
    }

    /// Returns the exit code: 1 when a file was quarantined, not decided or not copied, 130 when the command was
    /// interrupted.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.interrupted {
            return interrupt::EXIT_CODE;
        }
        let not_copied = self.survey.not_copied.map_or(0, NotCopied::problems);
        u8::from(self.of(State::Quarantined) + self.undecided + not_copied > 0)
    }

    /// Returns one line of progress.
    #[must_use]
    pub fn progress(&self) -> String {
        let decided: u64 = self.states.values().sum();
        let all = self.survey.to_send.max(self.sent);
        format!("{decided} of {} decided, {} quarantined", counted(all, "file"), self.of(State::Quarantined))
    }

    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, stack: &Stack, style: Style) -> String {
        let mut rows: Vec<[String; 2]> =
            self.states.iter().map(|(state, files)| [(*state).to_owned(), files.to_string()]).collect();
        for (name, files) in
            [("not decided in 90 minutes", self.undecided), ("decided before", self.survey.decided_before)]
        {
            if files > 0 {
                rows.push([name.to_owned(), files.to_string()]);
            }
        }
        for (name, files) in [("under way", self.under_way), ("not sent", self.left())] {
            if self.interrupted && files > 0 {
                rows.push([name.to_owned(), files.to_string()]);
            }
        }
        let mut text = table(["outcome", "files"], &rows, Fit::shorten(&[]), style);
        if self.interrupted {
            let all = counted(self.survey.to_send.max(self.sent), "file");
            let line = format!(
                "interrupted: {} of {all} sent; what is under way is decided without this command. To go on, run the \
                 same command again: it leaves out what is decided",
                self.sent
            );
            text.push('\n');
            text.push_str(&paragraph("", &line, style));
        }
        if self.of(State::Quarantined) > 0 {
            let command = stack.command("files --state quarantined");
            text.push_str("\nthe quarantined files:\n  ");
            text.push_str(&command);
            text.push('\n');
        }
        text.push_str(
            &self.survey.not_copied.map(|not_copied| not_copied.to_text(style)).unwrap_or_default(),
        );
        if self.undecided > 0 {
            let command = stack.command("status");
            text.push_str("\nbefore you run the same command again, see what is in the way:\n  ");
            text.push_str(&command);
            text.push('\n');
        }
        text
    }
}

/// Writes a size in its largest unit with one decimal, rounded down.
fn bytes(number: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let fitting = units.into_iter().find(|(_, unit)| number >= *unit);
    fitting.map_or_else(
        || format!("{number} bytes"),
        |(name, unit)| format!("{}.{} {name}", number / unit, number % unit * 10 / unit),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_files_cost_what_the_page_on_costs_says() {
        let mut survey = BackfillSurvey {
            from: "s3://inbox/".to_owned(),
            since: None,
            until: None,
            range: ModifiedRange::default(),
            reason: ActReason::parse("r").expect("a reason"),
            files: 1_000_000,
            decided_before: 0,
            to_send: 1_000_000,
            bytes: 0,
            nano_dollars: 0,
            to: None,
            not_copied: None,
        };
        survey.estimate(super::super::OF_A_FILE, 0);
        // docs/cost.md has $15.62, rounded up; the entries that are read twice are $0.125 of these.
        assert_eq!(dollars(survey.nano_dollars), "$15.7375");
        assert_eq!(dollars(MILLION_RECORDS.nano_dollars()), "$0.6250");
    }

    #[test]
    fn a_size_is_short() {
        let shown = [0, 1_023, 1_024, 1_536 << 10, (5 << 30) + (900 << 20)].map(bytes);
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 MiB", "5.8 GiB"]);
    }
}
