//! Files of a preview, as a table of what changes.

use checker::Verdict;

use super::totals::listed;
use super::{ContentResult, FilePreview};
use crate::reading::plain;
use crate::report::{Fit, Mark, Style, marked_table};

/// Files that a table lists at most.
const MOST_FILES: usize = 50;

/// Renders the files that change: what they are, what they become, how many records are rescued and how many newly
/// rejected, and by which rules. Nothing when no file changes.
#[must_use]
pub fn changed_files(files: &[FilePreview], style: Style) -> String {
    let changed: Vec<&FilePreview> = files.iter().filter(|file| file.gone || file.changes()).collect();
    if changed.is_empty() {
        return String::new();
    }
    let rows = changed.iter().take(MOST_FILES).map(|file| {
        let rules = file.more_by_rule.as_deref().unwrap_or_default();
        let rules = rules.iter().map(|rule| (rule.rule.clone(), rule.count)).collect();
        let sign = if file.exact { "" } else { "~" };
        let cells = [
            plain(&file.key).into_owned(),
            words(&file.before),
            if file.gone { "gone".to_owned() } else { words(&file.after) },
            format!("{sign}{}", file.rescued),
            format!("{sign}{}", file.newly_rejected),
            listed(&rules),
        ];
        (cells, mark(file))
    });
    let heads = ["file", "now", "then", "rescued", "rejected", "by rule"];
    let table = marked_table(heads, &rows.collect::<Vec<_>>(), Fit::wrap_last(&[0]), style);
    match changed.len().saturating_sub(MOST_FILES) {
        0 => table,
        more => format!("{table}… and {more} more; --json lists all of them\n"),
    }
}

/// Returns a result in one cell: `accepted`, `partial`, or the fault of a file that is quarantined.
fn words(result: &ContentResult) -> String {
    match (&result.fault, result.verdict) {
        (Some(fault), _) => plain(fault).into_owned(),
        (None, Some(verdict)) => verdict.as_str().to_owned(),
        (None, None) => "-".to_owned(),
    }
}

fn mark(file: &FilePreview) -> Mark {
    match (file.before.is_loaded(), file.after.verdict) {
        (true, Some(Verdict::Rejected) | None) => Mark::Wrong,
        _ if file.newly_rejected > 0 => Mark::Note,
        (false, Some(Verdict::Accepted | Verdict::Partial)) => Mark::Good,
        _ => Mark::None,
    }
}
