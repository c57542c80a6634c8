//! The text of `status`: problems grouped by fault, then the feeds, then the queues.

use std::fmt::Write as _;

use super::expected::Expected;
use super::plain::plain;
use super::problems::{BAD_KEY, Problem, Weight, counted, key_problem};
use super::status::{FeedView, StackStatus};
use super::view::{FileView, count, of};
use crate::report::{Fit, Mark, Style, marked_table, paragraph};

/// Problems that are shown: the first of those that somebody has to act on, and of the notes.
const MOST_PROBLEMS: usize = 20;
/// Files of a problem that are shown.
const MOST_FILES: usize = 3;

impl StackStatus {
    pub(super) fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        let found = match self.wrong() {
            0 => style.mark("no problems", Mark::Good),
            some => style.mark(&counted(some, "problem"), Mark::Wrong),
        };
        // Writing to a string cannot fail.
        writeln!(text, "{} at {}: {found}\n", self.stack, self.at).ok();
        for weight in [Weight::Wrong, Weight::Note] {
            let of_weight: Vec<_> = self.problems.iter().filter(|problem| problem.weight == weight).collect();
            for problem in of_weight.iter().take(MOST_PROBLEMS) {
                text.push_str(&shown(problem, self.now_ms, style));
            }
            let more = of_weight.len().saturating_sub(MOST_PROBLEMS);
            if more > 0 {
                writeln!(text, "and {more} more: --json lists all").ok();
            }
            if !of_weight.is_empty() {
                text.push('\n');
            }
        }
        if !self.all_open {
            text.push_str(&paragraph(
                "",
                "more files are quarantined than were read: the counts are too low",
                style,
            ));
            text.push('\n');
        }
        text.push_str(&self.tables(style));
        text
    }

    fn tables(&self, style: Style) -> String {
        let mut text = String::new();
        if !self.feeds.is_empty() {
            let heads = ["feed", "last file", "state", "age", "rows", "24 h", "expected"];
            let rows: Vec<_> = self.feeds.iter().map(|feed| feed.row(self.now_ms)).collect();
            text = marked_table(heads, &rows, Fit::shorten(&[0, 1]), style) + "\n";
        }
        let rows = self
            .queues
            .iter()
            .map(|queue| ([queue.name.clone(), count(queue.waiting), count(queue.in_flight)], Mark::None));
        let heads = ["queue", "waiting", "in flight"];
        text + &marked_table(heads, &rows.collect::<Vec<_>>(), Fit::shorten(&[0]), style)
    }
}

/// Returns a problem with what to do about it. Commands have a line of their own and are never broken.
fn shown(problem: &Problem, now_ms: u64, style: Style) -> String {
    let Problem { weight, code, what, todo, next, files, all } = problem;
    let (head, mark) = match weight {
        Weight::Wrong => (format!("{code}  "), Mark::Wrong),
        Weight::Note => ("- ".to_owned(), Mark::Note),
    };
    let first = paragraph(&head, &plain(what), style);
    let mut text: String = first.lines().map(|line| style.mark(line, mark) + "\n").collect();
    if let Some(todo) = todo {
        text.push_str(&paragraph("    ", todo, style));
    }
    for file in files.iter().take(MOST_FILES) {
        text.push_str(&named(file, code, now_ms, style));
        // Writing to a string cannot fail.
        writeln!(text, "        {}", file.show).ok();
    }
    let more = files.len().saturating_sub(MOST_FILES);
    if let Some(all) = all.as_ref().filter(|_| more > 0) {
        writeln!(text, "    and {more} more:\n        {all}").ok();
    }
    if let Some(next) = next {
        writeln!(text, "    {next}").ok();
    }
    text
}

/// Renders a file of a problem, with the fault of its key when that is the problem.
fn named(file: &FileView, code: &str, now_ms: u64, style: Style) -> String {
    let landed = format!("landed {}", file.ago(now_ms));
    let why = key_problem(&file.key).filter(|_| code == BAD_KEY);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let name = file.name();
    let room =
        style.width.map_or(usize::MAX, |width| width.saturating_sub(landed.chars().count() + 6).max(16));
    let name = crate::report::shorten(&name, room);
    paragraph("    ", &format!("{name}, {landed}{why}"), style)
}

impl FeedView {
    fn row(&self, now_ms: u64) -> ([String; 7], Mark) {
        let last = self.last.as_ref();
        let dash = || "-".to_owned();
        let mark = match self.worst {
            Some(Weight::Wrong) => Mark::Wrong,
            Some(Weight::Note) => Mark::Note,
            None => Mark::None,
        };
        let feed = self
            .feed
            .as_deref()
            .map_or_else(|| self.partner.clone(), |feed| format!("{}/{feed}", self.partner));
        let in_day: u64 = self.last_day.values().sum();
        let row = [
            feed,
            last.map_or_else(|| "nothing yet".to_owned(), FileView::name),
            last.map_or_else(dash, |last| last.state.as_str().to_owned()),
            last.map_or_else(dash, |last| last.age(now_ms)),
            last.filter(|last| last.state.is_terminal()).map_or_else(dash, of),
            format!("{in_day}{}", if self.counted_all { "" } else { "+" }),
            self.expected.as_ref().map_or_else(dash, Expected::cell),
        ];
        (row, mark)
    }
}
