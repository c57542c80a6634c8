//! Phrases that take two readings: `docs/style.md` as a test. Searched are all texts of the repository: code with its
//! names, comments and strings, templates, scripts and pages.

use std::sync::LazyLock;

use regex::Regex;

use super::{assert_none, regex};
use crate::repository::{files, has_extension, text};

/// Each as it is written in a pattern.
const PHRASES: [&str; 16] = [
    "is none of",
    "so many",
    "is told of",
    "whoever",
    "nobody that",
    "what became of",
    "what holds",
    "lets in",
    "of ours",
    "of our own",
    "refused",
    "doors?",
    "mend(?:s|ed)?",
    "canary",
    "blown",
    "hears",
];

/// A blank of a phrase is any white space, with the marks of a comment or of a string that goes on in the next line.
static PHRASE: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(r"(?i)\b(?:{})\b", PHRASES.join("|").replace(' ', r"[\s/!#\\]+"))));

/// The only use of the word: a value that a test plants and searches for.
static CANARY_VALUE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\bcanary[\s-]values?\b"));

/// These name the phrases.
const NAMING_THEM: [&str; 3] = ["docs/style.md", "tests/src/template/alarms.rs", "tests/src/tidy/words.rs"];

#[test]
fn banned_phrases_are_in_no_text() {
    let read = |path: &String| {
        let kinds = ["rs", "py", "yaml", "yml", "md", "toml", "txt"];
        let is_text = kinds.iter().any(|kind| has_extension(path, kind)) || path == "Makefile";
        is_text && !NAMING_THEM.contains(&path.as_str())
    };
    let places = files().into_iter().filter(read).flat_map(|path| {
        banned(&text(&path)).into_iter().map(|place| format!("{path}:{place}")).collect::<Vec<_>>()
    });
    assert_none("write another phrase (docs/style.md)", places);
}

/// Returns the line and the words of each phrase. The words of a name are those between its underscores.
fn banned(source: &str) -> Vec<String> {
    let words = source.replace('_', " ");
    let text = CANARY_VALUE.replace_all(&words, "");
    let line_of = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    PHRASE.find_iter(&text).map(|found| format!("{}: {}", line_of(found.start()), found.as_str())).collect()
}

#[test]
fn the_style_guide_lists_every_phrase() {
    let page = text("docs/style.md");
    let plain = PHRASES.map(|phrase| phrase.split("(?").next().unwrap_or_default().trim_end_matches("s?"));
    let missing = plain.into_iter().filter(|phrase| !page.contains(&format!("\"{phrase}\"")));
    assert_none("not in docs/style.md", missing.map(str::to_owned));
}

#[test]
fn a_phrase_is_found_in_names_and_across_lines_and_a_canary_value_is_allowed() {
    let check = |text: &str, expected: &[&str]| assert_eq!(banned(text), expected, "{text}");
    check("at most so\n many", &["1: so\n many"]);
    check("/// at most so\n/// many", &["1: so\n/// many"]);
    check("\"so \\\n many\"", &["1: so \\\n many"]);
    check("two\nlines: Refused # of ours", &["2: Refused", "2: of ours"]);
    check("fn a_door_that_hears() {}", &["1: door", "1: hears"]);
    check("a canary value, a canary-value, canary_values, a canary", &["1: canary"]);
    check("recommends the outdoors", &[]);
}
