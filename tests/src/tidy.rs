//! The rules of the house as ordinary tests. Each failure lists every place, as `file:line`.

mod dependencies;
mod diagnostics;
mod names;
mod pages;
mod types;
mod words;

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;

use crate::repository::{files, has_extension, root, rust_files, text};

/// A file longer than this is two subjects.
const MAX_LINES: usize = 500;

/// Bytes in, decisions out: these crates could run in a browser.
const PURE: [&str; 3] = ["ledger", "contract", "checker"];

#[test]
fn a_pure_crate_asks_nobody_for_time_environment_or_network() {
    let outside = regex(
        r"\bstd::(env|net|process|thread)\b|\bSystemTime\b|\bInstant::now\b|\b(Timestamp|Zoned)::now\b",
    );
    let places =
        PURE.iter().flat_map(|name| code_matches(&outside, |path| path.starts_with(&sources_of(name))));
    assert_none("a pure crate reaches outside", places);
}

#[test]
fn only_the_start_of_a_program_reads_the_environment() {
    let read = regex(r"\benv::(vars?|vars?_os|set_var|remove_var)\b");
    let places = code_matches(&read, |path| {
        // `runtime::start` reads for every function, the command line for itself.
        !path.ends_with("/config.rs") && path != "crates/runtime/src/function.rs"
    });
    assert_none("the environment is read outside the start of a program", places);
}

#[test]
fn files_stay_within_500_lines() {
    let long = rust_files().into_iter().filter_map(|path| {
        let lines = text(&path).lines().count();
        (lines > MAX_LINES).then(|| format!("{path}: {lines} lines"))
    });
    assert_none("files over 500 lines", long);
}

#[test]
fn templates_stay_within_500_lines() {
    let found = templates();
    assert!(found.len() > 5, "{found:?}");
    let long = found.into_iter().filter_map(|path| {
        let lines = text(&path).lines().count();
        (lines > MAX_LINES).then(|| format!("{path}: {lines} lines"))
    });
    assert_none("templates over 500 lines: give the part a second file and a place in template.yaml", long);
}

#[test]
fn the_root_template_names_every_part() {
    let root = text("template.yaml");
    let parts = templates().into_iter().filter(|path| path != "template.yaml");
    assert_none(
        "a template that template.yaml does not deploy",
        parts.filter(|path| !root.contains(&format!("TemplateURL: {path}\n"))),
    );
}

#[test]
fn comments_fit_into_120_columns() {
    let long = |line: &str| {
        let comment = line.trim_start();
        // A drawing or a table, which cannot be broken.
        let is_drawn = comment.contains("──") || comment.contains("   ");
        comment.starts_with("//") && !is_drawn && line.chars().count() > 120
    };
    let places = rust_files().into_iter().flat_map(|path| {
        text(&path)
            .lines()
            .filter(|line| long(line))
            .map(|line| format!("{path}: {line}"))
            .collect::<Vec<_>>()
    });
    assert_none("a comment of more than 120 columns, which the formatter does not break", places);
}

#[test]
fn an_allowance_is_an_expectation_with_a_reason() {
    // The marks are written in two halves so that this file does not hold them.
    let allowance = regex(concat!(r"#!?\[all", r"ow\("));
    assert_none("expect(…, reason) instead", code_matches(&allowance, |_| true));
    let bare = regex(r"#!?\[expect\([^\]]*\)\]");
    let without_reason = rust_files().into_iter().flat_map(|path| {
        let source = text(&path);
        bare.find_iter(&source)
            .filter(|found| !found.as_str().contains("reason"))
            .map(|found| format!("{path}: {}", found.as_str()))
            .collect::<Vec<_>>()
    });
    assert_none("an expectation without a reason", without_reason);
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    // The third mark counts only behind a comment sign: it is also how a date pattern writes an offset.
    let marks = regex(concat!(
        r"\bTO",
        r"DO\b|\bFIX",
        r"ME\b|(//|#)\s*XX",
        r"X\b|todo",
        r"!|unimplemented",
        r"!|#\[igno",
        "re"
    ));
    let ours = files().into_iter().filter(|path| is_text(path) && !path.ends_with("Cargo.lock"));
    assert_none("an unfinished mark", ours.flat_map(|path| matches_in(&path, &marks, |_| true)));
}

/// A tag of somebody else's repository may be moved; a commit may not.
#[test]
fn an_action_of_ci_is_pinned_by_its_commit() {
    let used = regex(r"^\s*(?:- )?uses:");
    let pinned = regex(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$");
    let workflows: Vec<String> =
        files().into_iter().filter(|path| path.starts_with(".github/workflows/")).collect();
    assert!(!workflows.is_empty());
    let unpinned = workflows.iter().flat_map(|path| {
        let lines: Vec<String> = text(path).lines().map(str::to_owned).collect();
        lines.into_iter().filter(|line| used.is_match(line) && !pinned.is_match(line))
    });
    assert_none("uses: <action>@<commit> # <tag>", unpinned);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let machine = regex(concat!(r"(^|[\s\x22'`=(])/(wo", r"rk|ro", r"ot|home/\w|Use", r"rs/\w|far", "m)/"));
    let ours = files().into_iter().filter(|path| is_text(path));
    assert_none("a path of one machine", ours.flat_map(|path| matches_in(&path, &machine, |_| true)));
}

#[test]
fn every_rust_file_is_compiled() {
    let mut compiled = BTreeSet::new();
    for path in rust_files() {
        if is_crate_root(&path) {
            follow_modules(&path, &mut compiled);
        }
    }
    let stray = rust_files().into_iter().filter(|path| !compiled.contains(path));
    assert_none("no `mod` leads to this file", stray);
}

/// Cargo finds these by itself.
fn is_crate_root(path: &str) -> bool {
    regex(r"^((crates/)?\w+)/(src/(lib|main)|src/bin/\w+|(tests|benches|examples)/\w+|build)\.rs$")
        .is_match(path)
        && !path.starts_with("tests/tests/")
}

fn follow_modules(path: &str, compiled: &mut BTreeSet<String>) {
    if !compiled.insert(path.to_owned()) {
        return;
    }
    let folder = Path::new(path).parent().expect("a folder");
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).expect("a stem");
    let below = if is_crate_root(path) || stem == "mod" { folder.to_owned() } else { folder.join(stem) };
    let declaration = regex(r"(?m)^\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+);");
    for found in declaration.captures_iter(&text(path)) {
        let name = &found[1];
        let candidates = [below.join(format!("{name}.rs")), below.join(name).join("mod.rs")];
        let child = candidates.iter().find(|child| root().join(child).exists());
        let child = child.unwrap_or_else(|| panic!("{path} declares `mod {name};` without a file"));
        follow_modules(child.to_str().expect("a UTF-8 path"), compiled);
    }
}

fn sources_of(name: &str) -> String {
    format!("crates/{name}/src/")
}

/// Places in Rust code (comments left out) of the files that `chosen` admits.
fn code_matches(pattern: &Regex, chosen: impl Fn(&str) -> bool) -> Vec<String> {
    let code = |line: &str| !line.trim_start().starts_with("//");
    rust_files()
        .into_iter()
        .filter(|path| chosen(path))
        .flat_map(|path| matches_in(&path, pattern, code))
        .collect()
}

fn matches_in(path: &str, pattern: &Regex, considered: impl Fn(&str) -> bool) -> Vec<String> {
    let content = text(path);
    let lines = content.lines().enumerate();
    lines
        .filter(|(_, line)| considered(line) && pattern.is_match(line))
        .map(|(index, line)| format!("{path}:{}: {}", index + 1, line.trim()))
        .collect()
}

fn is_text(path: &str) -> bool {
    ["rs", "toml", "yaml", "yml", "md", "py", "json", "sh", "txt"].iter().any(|end| has_extension(path, end))
        || path.ends_with("Makefile")
        || path == ".ci/run"
}

pub(crate) fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

/// CloudFormation templates: the root and its parts.
fn templates() -> Vec<String> {
    let is_template =
        |path: &String| has_extension(path, "yaml") && text(path).starts_with("AWSTemplateFormatVersion");
    files().into_iter().filter(is_template).collect()
}

pub(crate) fn assert_none(what: &str, places: impl IntoIterator<Item = String>) {
    let places: Vec<String> = places.into_iter().collect();
    assert!(places.is_empty(), "{what}:\n  {}", places.join("\n  "));
}
