//! Tables of large files and long names, on a terminal of 80 columns and off it.

use std::fmt::Write as _;

use serde_json::json;
use store::{FileId, FileVersion, ListedFile, Outcome, State};

use super::files::Files;
use super::status::{FeedView, StackStatus};
use super::tail::tail_heading;
use super::view::FileView;
use crate::names::{STACK, Stack};
use crate::report::Style;

const TERMINAL: Style = Style { colours: false, width: Some(80) };
/// 2026-11-20T12:00:00Z.
const NOON_MS: u64 = 1_795_176_000_000;

fn file(name: &str, state: State, fault: Option<&str>, records: u64, rejects: u64) -> FileView {
    let key = format!("north-clinic-of-the-lakes/laboratory-results/{name}");
    let version =
        FileVersion { bucket: "inbox".to_owned(), key: key.clone(), version: "v".to_owned(), etag: None };
    let outcome: Outcome = serde_json::from_value(json!({
        "state": state, "fault": fault, "sha256": "0".repeat(64), "bytes": 1_u64 << 33,
        "counts": { "records": records, "rows": records - rejects, "rejects": rejects, "warnings": 0 },
        "contract_version": "1.0.0", "contract_hash": "", "receipt": "",
    }))
    .expect("an outcome");
    let listed = ListedFile {
        file: FileId::of(&version),
        feed: "laboratory-results".to_owned(),
        key,
        state,
        order: "2026-11-20T11:00:00.000Z/00000000".to_owned(),
        outcome: Some(outcome),
    };
    let stack = Stack::parse(STACK).expect("a name");
    FileView::of_listed(&stack, "north-clinic-of-the-lakes", &listed)
}

fn files() -> Vec<FileView> {
    vec![
        file("2026-11-20-morning.csv", State::Complete, None, 7_654_321, 0),
        file("2026-11-19-evening.csv", State::Complete, None, 12_345_678, 1_234_567),
        file("2026-11-19.csv", State::Quarantined, Some("UNTERMINATED_QUOTE"), 4_000_000, 4_000_000),
        file("2026-11-18.csv", State::Quarantined, Some("PARTNER_SUSPENDED"), 0, 0),
    ]
}

/// The text of each command, in which no count, state, fault and id is shortened.
fn shown(style: Style) -> String {
    let mut text = String::new();
    let list = Files { partner: None, files: files(), more: false, now_ms: NOON_MS };
    writeln!(text, "$ scalper files\n{}", list.to_text(style)).expect("written");
    write!(text, "$ scalper tail\n{}", tail_heading(style)).expect("written");
    for file in files() {
        text.push_str(&file.to_line(false, style));
    }
    let feeds = files().iter().map(|file| FeedView::of_last(file.clone())).collect();
    let status = StackStatus::of_feeds(feeds, NOON_MS);
    writeln!(text, "\n$ scalper status\n{}", status.to_text(style)).expect("written");
    for whole in
        ["11111111/12345678", "7654321/7654321", "0/4000000", "UNTERMINATED_QUOTE", "PARTNER_SUSPENDED"]
    {
        assert!(text.matches(whole).count() >= 2, "{whole}: {text}");
    }
    for file in files() {
        assert_eq!(text.matches(&file.file.to_string()).count(), 2, "{text}");
    }
    text
}

#[test]
fn at_80_columns_keys_lose_their_middle() {
    let text = shown(TERMINAL);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn off_a_terminal_nothing_is_shortened() {
    let text = shown(Style::PLAIN);
    assert!(!text.contains('…'), "{text}");
    for file in files() {
        assert!(text.matches(&file.key).count() >= 2, "{text}");
    }
    insta::assert_snapshot!(text);
}
