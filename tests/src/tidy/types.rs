//! A type name has one meaning in the workspace, so that a reader who meets it in another crate knows what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::{assert_none, regex};
use crate::repository::{rust_files, text};

/// Names that are defined more than once, by the reason. A name leaves the list when one definition is left.
const REPEATED: &[(&str, &[&str])] = &[
    (
        "each function has one, and they are read alike",
        &["Config", "Harness", "Names", "Resources", "Settings", "UnknownEvent"],
    ),
    (
        "the schema in the API document of the type of this name",
        &["Counts", "FileFault", "Findings", "Outcome", "Receipt", "RecordVersion", "Verdict"],
    ),
    ("the same thing in two crates, neither of which depends on the other", &["PartnerFeed", "RouteTree"]),
];

/// A definition, and the first name in `words!`, which defines an enum. An associated type is indented and is none.
static DEFINITION: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?mx)
        ^\s*(?:pub(?:\([^)]*\))?\ )?(?:struct|enum|trait|union)\ ([A-Z]\w*)
        | ^(?:pub(?:\([^)]*\))?\ )?type\ ([A-Z]\w*)
        | ^words!\ \{\n(?:\s*(?://|\#).*\n)*\s*(?:pub(?:\([^)]*\))?\ )?([A-Z]\w*)",
    )
});

#[test]
fn a_type_name_has_one_meaning() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in rust_files() {
        for (line, name) in defined(&text(&path)) {
            places.entry(name).or_default().push(format!("{path}:{line}"));
        }
    }
    places.retain(|_, places| places.len() > 1);
    let listed: BTreeSet<&str> = REPEATED.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    assert_none(
        "a type name that is defined already: take another (docs/style.md)",
        places
            .iter()
            .filter(|(name, _)| !listed.contains(name.as_str()))
            .map(|(name, places)| format!("{name}: {}", places.join(", "))),
    );
    assert_none(
        "defined once: take the name off REPEATED",
        listed.into_iter().filter(|name| !places.contains_key(*name)).map(str::to_owned),
    );
}

/// Returns the types that a source file defines, with their lines.
fn defined(source: &str) -> Vec<(usize, String)> {
    let found = DEFINITION.captures_iter(source);
    found
        .filter_map(|found| found.iter().skip(1).flatten().next())
        .map(|name| {
            (
                source.get(..name.start()).unwrap_or_default().matches('\n').count() + 1,
                name.as_str().to_owned(),
            )
        })
        .collect()
}

#[test]
fn types_are_found_and_associated_types_are_not() {
    let check = |source: &str, expected: &[(usize, &str)]| {
        let expected: Vec<_> = expected.iter().map(|(line, name)| (*line, (*name).to_owned())).collect();
        assert_eq!(defined(source), expected, "{source}");
    };
    check(
        "pub struct A;\nenum B {}\npub(crate) trait C {}\npub type D = u8;",
        &[(1, "A"), (2, "B"), (3, "C"), (4, "D")],
    );
    check("mod tests {\n    struct A<'a>(&'a str);\n}", &[(2, "A")]);
    check("impl Iterator for A {\n    type Item = u8;\n}\n// struct B;", &[]);
    check(
        "words! {\n    /// What.\n    #[derive(Hash)]\n    pub A {\n        B = \"b\",\n    }\n}",
        &[(4, "A")],
    );
}
