//! Names that stand in two places and must agree: folders, binaries, the template, the Makefile, the README.

use std::collections::BTreeSet;

use super::{assert_none, regex, templates};
use crate::repository::{files, has_extension, text};

#[test]
fn a_crate_is_called_like_its_folder() {
    let differing = manifests().into_iter().filter_map(|path| {
        let folder = path.trim_end_matches("/Cargo.toml").rsplit('/').next().expect("a folder").to_owned();
        let name =
            regex(r#"(?m)^name = "([^"]+)""#).captures(&text(&path)).expect("a package name")[1].to_owned();
        (name != folder).then(|| format!("{path}: {name}"))
    });
    assert_none("crate and folder differ", differing);
}

#[test]
fn every_function_of_the_template_is_a_binary_of_its_folder() {
    let functions = all(&template(), r"(?m)^\s+CodeUri:\s*(?:\S*/)?([\w-]+)/?\s*$");
    assert!(!functions.is_empty(), "the templates have functions with a CodeUri");
    let binaries: BTreeSet<String> = binaries().into_iter().collect();
    assert_none("CodeUri without a binary of that name", functions.difference(&binaries).cloned());
    let command_lines = BTreeSet::from(["scalper".to_owned()]);
    let undeployed =
        binaries.iter().filter(|name| !functions.contains(*name) && !command_lines.contains(*name));
    assert_none("a function's binary that the template does not deploy", undeployed.cloned());
}

#[test]
fn every_environment_name_is_set_by_the_template_and_read_by_a_config() {
    let set: BTreeSet<String> = environment_blocks(&template());
    // The command line's environment is its user's.
    let function = |path: &String| {
        // What every function has besides, `runtime` reads for all of them.
        path.ends_with("/src/config.rs") && !path.starts_with("crates/scalper/")
            || path == "crates/runtime/src/environment.rs"
    };
    let configs: Vec<String> = files().into_iter().filter(function).collect();
    let read: BTreeSet<String> = configs
        .iter()
        .flat_map(|path| all(&without_tests(&text(path)), r#""(MONITORING|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)""#))
        .collect();
    // Lambda sets these itself.
    let provided = |name: &&String| name.starts_with("AWS_");
    assert_none(
        "read by a config.rs, not set in a template",
        read.difference(&set).filter(|name| !provided(name)).cloned(),
    );
    assert_none(
        "set in a template, read by no config.rs",
        set.difference(&read).filter(|name| !provided(name)).cloned(),
    );
}

#[test]
fn the_benchmark_sets_every_environment_name_that_a_function_requires() {
    let set = all(&text("bench/src/start.rs"), r#"\("([A-Z][A-Z0-9_]+)", ""#);
    let started = ["processor", "ingest", "authorizer", "webhook"];
    let missing = started.into_iter().flat_map(|function| {
        let config = without_tests(&text(&format!("crates/{function}/src/config.rs")));
        let required = all(&config, r#"required\("([A-Z][A-Z0-9_]+)"\)"#);
        assert!(!required.is_empty(), "{function} requires names");
        required.difference(&set).map(|name| format!("{function}: {name}")).collect::<Vec<_>>()
    });
    assert_none("a name that `make bench` does not set", missing);
}

#[test]
fn every_make_target_says_what_it_does() {
    let makefile = text("Makefile");
    let targets = all(&makefile, r"(?m)^([a-z][a-z0-9-]*):(?:[^=]|$)");
    let helped = all(&makefile, r"(?m)^([a-z][a-z0-9-]*):[^=\n]*## \S");
    assert!(helped.contains("help"), "`make help` is there");
    assert_none("a target without `##` help", targets.difference(&helped).cloned());
}

#[test]
fn every_make_command_in_the_documents_exists() {
    let targets = all(&text("Makefile"), r"(?m)^([a-z][a-z0-9-]*):(?:[^=]|$)");
    let documents = files()
        .into_iter()
        .filter(|path| has_extension(path, "md") || path.contains(".github/") || path == ".ci/run");
    let missing = documents.flat_map(|path| {
        let named = all(&text(&path), r"(?m)(?:`|^\s*|run: |&& )make ([a-z][a-z0-9-]*)");
        named.difference(&targets).map(|name| format!("{path}: make {name}")).collect::<Vec<_>>()
    });
    assert_none("a make command without a target", missing);
}

#[test]
fn the_map_of_the_crates_names_each_of_them() {
    let map = text("crates/ARCHITECTURE.md");
    let crates = manifests()
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix("crates/")?.split('/').next()?.to_owned()));
    assert_none(
        "not on the map",
        crates
            .filter(|name| !map.contains(&format!("`{name}`")) && !map.contains(&format!("`crates/{name}`"))),
    );
}

/// Folders below `crates/` with a `main.rs`: the functions and the command line.
pub(super) fn binaries() -> Vec<String> {
    let main = regex(r"^crates/([\w-]+)/src/main\.rs$");
    files().iter().filter_map(|path| Some(main.captures(path)?[1].to_owned())).collect()
}

/// The text of the root template and its parts.
fn template() -> String {
    templates().iter().map(|path| text(path)).collect()
}

fn manifests() -> Vec<String> {
    files().into_iter().filter(|path| path.ends_with("/Cargo.toml")).collect()
}

/// Returns every key directly below a `Variables:` line, by indentation.
fn environment_blocks(template: &str) -> BTreeSet<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut names = BTreeSet::new();
    let mut block: Option<usize> = None;
    for line in template.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    {
        if line.trim() == "Variables:" {
            block = Some(depth(line));
        } else if let Some(outer) = block {
            if depth(line) <= outer {
                block = None;
            } else if let Some((name, _)) = line.trim().split_once(':')
                && depth(line) == outer + 2
                // A variable of the API's stage is no function's.
                && !name.contains(|letter: char| letter.is_ascii_lowercase())
            {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

fn without_tests(source: &str) -> String {
    source.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// Returns the first group of every match.
fn all(content: &str, pattern: &str) -> BTreeSet<String> {
    regex(pattern).captures_iter(content).map(|found| found[1].to_owned()).collect()
}
