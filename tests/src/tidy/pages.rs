//! What pages say of the repository is true: links, paths, parameters, alarms, and the length of the front page.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{assert_none, regex, templates};
use crate::repository::{files, has_extension, root, text};

/// More does not fit on a few screens.
const FRONT_PAGE_LINES: usize = 150;

#[test]
fn the_front_page_is_short() {
    let lines = text("README.md").lines().count();
    assert!(lines <= FRONT_PAGE_LINES, "README.md has {lines} lines; at most {FRONT_PAGE_LINES}");
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let link = regex(r"\]\(([^)\s]+)\)");
    let mut broken = Vec::new();
    for page in pages() {
        for found in link.captures_iter(&prose(&text(&page))) {
            let (path, heading) = found[1].split_once('#').unwrap_or((&found[1], ""));
            if path.contains("://") {
                continue;
            }
            let target = if path.is_empty() { page.clone() } else { beside(&page, path) };
            let is_there = root().join(&target).exists();
            if !is_there || !(heading.is_empty() || headings(&target).contains(heading)) {
                broken.push(format!("{page}: {}", &found[1]));
            }
        }
    }
    assert_none("a link that leads nowhere", broken);
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let page = text("crates/ARCHITECTURE.md");
    let (_, invariants) = page.split_once("## Invariants").expect("the section");
    let (invariants, _) = invariants.split_once("\n## ").expect("the section behind it");
    let name = regex(r"(?:::|\.rs: )([a-z0-9_]+)`");
    let named: BTreeSet<&str> =
        name.captures_iter(invariants).filter_map(|found| found.get(1)).map(|found| found.as_str()).collect();
    assert!(named.len() > 25, "the page names {} tests", named.len());
    let code: String =
        files().iter().filter(|path| has_extension(path, "rs")).map(|path| text(path)).collect();
    let missing = named.into_iter().filter(|name| !code.contains(&format!("fn {name}(")));
    assert_none("a test that does not exist", missing.map(str::to_owned));
}

#[test]
fn every_path_on_a_page_exists() {
    let path = regex(r"`((?:crates|tests|infra|docs|bench|events)/[\w./-]*\w)/?(?:`|: )");
    let missing = pages().flat_map(|page| {
        let named: BTreeSet<String> =
            path.captures_iter(&text(&page)).map(|found| found[1].to_owned()).collect();
        let missing = named.into_iter().filter(|path| !root().join(path).exists());
        missing.map(|path| format!("{page}: {path}")).collect::<Vec<_>>()
    });
    assert_none("a path that does not exist", missing);
}

#[test]
fn every_parameter_on_a_page_is_one_of_the_template() {
    let declared = regex(r"(?m)^  ([A-Z]\w+):(?:\n    | \{)Type: ");
    let parameters: BTreeSet<String> =
        declared.captures_iter(&text("template.yaml")).map(|found| found[1].to_owned()).collect();
    assert!(parameters.contains("Monitoring"), "{parameters:?}");
    let set = regex(r#"[`" ]([A-Z][a-z]\w+)=[\w*{<"]"#);
    let unknown = pages().filter(|page| page != "CHANGELOG.md").flat_map(|page| {
        let named: BTreeSet<String> =
            set.captures_iter(&text(&page)).map(|found| found[1].to_owned()).collect();
        named.difference(&parameters).map(|name| format!("{page}: {name}")).collect::<Vec<_>>()
    });
    assert_none("a parameter that the template does not have", unknown);
}

#[test]
fn every_alarm_is_on_the_page_for_operators() {
    let named = regex(r#"AlarmName: !Sub "\$\{Prefix\}-([a-z-]+?)(?:-\$\{Feed\})?""#);
    let files = templates().into_iter().filter(|path| path.starts_with("infra/alarms-"));
    let written: String = files.map(|path| text(&path)).collect();
    let alarms: BTreeSet<String> = named.captures_iter(&written).map(|found| found[1].to_owned()).collect();
    for one in ["files-quarantined", "panics", "notifier-errors", "partner-api"] {
        assert!(alarms.contains(one), "{one} is not in {alarms:?}");
    }
    let page = text("docs/operate.md");
    let missing = alarms.into_iter().filter(|alarm| !page.contains(&format!("`{alarm}`")));
    assert_none("an alarm that docs/operate.md does not name", missing);
}

#[test]
fn a_heading_has_the_address_that_github_gives_it() {
    let check = |heading: &str, expected: &str| assert_eq!(address(heading), expected);
    check("Deploy to AWS", "deploy-to-aws");
    check("A page's `code`, and more", "a-pages-code-and-more");
}

fn pages() -> impl Iterator<Item = String> {
    // What lies next to code is a part of a page: a test writes the whole one to docs/.
    files().into_iter().filter(|path| has_extension(path, "md") && !path.contains("/src/"))
}

/// Returns the page without its blocks of code.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

fn headings(page: &str) -> BTreeSet<String> {
    let lines = prose(&text(page));
    lines
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| address(line.trim_start_matches('#')))
        .collect()
}

/// Lower case, blanks as hyphens, without other signs.
fn address(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// Returns a path as a page names it, from the root.
fn beside(page: &str, path: &str) -> String {
    let mut target = PathBuf::new();
    for part in Path::new(page).parent().unwrap_or(Path::new("")).join(path).components() {
        match part {
            Component::ParentDir => drop(target.pop()),
            other => target.push(other),
        }
    }
    target.to_str().expect("a UTF-8 path").to_owned()
}
