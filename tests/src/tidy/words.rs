//! Phrases that nobody has to read twice: `docs/style.md` as a test. Searched are string literals and doc comments in Rust,
//! strings in Python, YAML without its comments, Markdown, and the Makefile.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::{assert_none, regex};
use crate::repository::{files, has_extension, text};

/// Each as it is written in a pattern; blanks match any white space.
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

/// The only use of the word: a value that a test plants and searches for.
static CANARY_VALUE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\bcanary[\s-]values?\b"));

/// These name the phrases.
const NAMING_THEM: [&str; 3] = ["docs/style.md", "tests/src/template/alarms.rs", "tests/src/tidy/words.rs"];

/// Phrases that are still there, by folder. A number may only fall: the test also fails when one is too high.
const LEFT: &[(&str, usize)] = &[];

#[test]
fn banned_phrases_are_in_no_text() {
    let pattern = regex(&format!(r"(?i)\b(?:{})\b", PHRASES.join("|").replace(' ', r"\s+")));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files().into_iter().filter(|path| !NAMING_THEM.contains(&path.as_str())) {
        let places = found.entry(folder_of(&path)).or_default();
        for part in texts(&path, &text_of(&path)) {
            places.extend(banned(&pattern, &part).into_iter().map(|place| format!("{path}:{place}")));
        }
    }
    let left: BTreeMap<&str, usize> = LEFT.iter().copied().collect();
    let wrong: Vec<String> = found
        .iter()
        .filter(|(folder, places)| places.len() != left.get(folder.as_str()).copied().unwrap_or(0))
        .flat_map(|(_, places)| places.iter().cloned())
        .collect();
    let gone: Vec<&&str> = left.keys().filter(|folder| !found.contains_key(**folder)).collect();
    let counts: Vec<String> = found
        .iter()
        .filter(|(_, places)| !places.is_empty())
        .map(|(folder, places)| format!("    (\"{folder}\", {}),", places.len()))
        .collect();
    assert!(
        wrong.is_empty()
            && gone.is_empty()
            && found.values().filter(|all| !all.is_empty()).count() == left.len(),
        "write another phrase (docs/style.md):\n  {}\nwhen phrases are gone, lower LEFT:\n{}",
        wrong.join("\n  "),
        counts.join("\n")
    );
}

/// Returns a crate, or the first folder of the path.
fn folder_of(path: &str) -> String {
    let mut names = path.split('/');
    match (names.next(), names.next(), names.next()) {
        (Some("crates"), Some(name), Some(_)) => format!("crates/{name}"),
        (Some(folder), Some(_), _) => folder.to_owned(),
        _ => ".".to_owned(),
    }
}

fn text_of(path: &str) -> String {
    let readable = ["rs", "py", "yaml", "yml", "md"].iter().any(|end| has_extension(path, end));
    if readable || path == "Makefile" { text(path) } else { String::new() }
}

/// A text that a person reads: the line where it begins, and its lines.
#[derive(Debug, PartialEq, Eq)]
struct Passage {
    line: usize,
    text: String,
}

fn texts(path: &str, source: &str) -> Vec<Passage> {
    match path.rsplit('.').next() {
        Some("rs") => Lexer::new(source).rust(),
        Some("py") => Lexer::new(source).python(),
        Some("yaml" | "yml") => vec![Passage { line: 1, text: without_comments(source) }],
        _ => vec![Passage { line: 1, text: source.to_owned() }],
    }
}

fn banned(pattern: &Regex, part: &Passage) -> Vec<String> {
    let text = CANARY_VALUE.replace_all(&part.text, "");
    let line_of = |at: usize| part.line + text.get(..at).unwrap_or_default().matches('\n').count();
    pattern.find_iter(&text).map(|found| format!("{}: {}", line_of(found.start()), found.as_str())).collect()
}

fn without_comments(yaml: &str) -> String {
    let comment = regex(r"(?m)(^|\s)#.*$");
    comment.replace_all(yaml, "").into_owned()
}

/// Reads the strings of a source file, and the doc comments of Rust.
struct Lexer<'s> {
    rest: &'s str,
    line: usize,
    parts: Vec<Passage>,
    /// The line of the last doc comment: the next line continues it.
    documented: usize,
}

impl<'s> Lexer<'s> {
    fn new(source: &'s str) -> Self {
        Self { rest: source, line: 1, parts: Vec::new(), documented: 0 }
    }

    fn rust(mut self) -> Vec<Passage> {
        let (raw, character) = (regex(r#"^b?r(#*)""#), regex(r"^'(?:\\.[^']*|[^\\'])'"));
        while !self.rest.is_empty() {
            if self.rest.starts_with("//") {
                let comment = self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
                self.document(comment);
            } else if let Some(found) = raw.captures(self.rest) {
                let end = format!("\"{}", &found[1]);
                self.take(found[0].len());
                self.string(|rest| rest.find(&end), end.len());
            } else if self.rest.starts_with('"') {
                self.take(1);
                self.string(|rest| unescaped(rest, "\""), 1);
            } else if let Some(found) = character.find(self.rest) {
                self.take(found.len());
            } else {
                self.word();
            }
        }
        self.parts
    }

    fn python(mut self) -> Vec<Passage> {
        while !self.rest.is_empty() {
            let quotes = [r#"""""#, "'''", "\"", "'"];
            if self.rest.starts_with('#') {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if let Some(quote) = quotes.into_iter().find(|quote| self.rest.starts_with(quote)) {
                self.take(quote.len());
                self.string(|rest| unescaped(rest, quote), quote.len());
            } else {
                self.word();
            }
        }
        self.parts
    }

    /// Takes a whole name, so that the `r` at its end begins no raw string; or one other character.
    fn word(&mut self) {
        let name = self
            .rest
            .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .unwrap_or(self.rest.len());
        let is_raw = self.rest.starts_with("r\"") || self.rest.starts_with("br\"");
        let one = self.rest.chars().next().map_or(0, char::len_utf8);
        self.take(if is_raw { 1 } else { name.max(one) });
    }

    fn string(&mut self, end: impl Fn(&str) -> Option<usize>, mark: usize) {
        let line = self.line;
        let length = end(self.rest).unwrap_or(self.rest.len());
        let content = self.take(length).replace("\\\n", "\n").replace("\\n", " ");
        self.take(mark.min(self.rest.len()));
        self.parts.push(Passage { line, text: content });
    }

    fn document(&mut self, comment: &str) {
        let Some(content) = comment.strip_prefix("///").or_else(|| comment.strip_prefix("//!")) else {
            return;
        };
        if self.documented + 1 == self.line
            && let Some(part) = self.parts.last_mut()
        {
            part.text = format!("{}\n{content}", part.text);
        } else {
            self.parts.push(Passage { line: self.line, text: content.to_owned() });
        }
        self.documented = self.line;
    }

    fn take(&mut self, length: usize) -> &'s str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }
}

/// Where the first mark is that no backslash precedes.
fn unescaped(rest: &str, mark: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let text = rest.get(at..)?;
        if text.starts_with(mark) {
            return Some(at);
        }
        let mut letters = text.chars();
        let first = letters.next()?;
        at += first.len_utf8() + if first == '\\' { letters.next().map_or(0, char::len_utf8) } else { 0 };
    }
}

#[test]
fn the_style_guide_lists_every_phrase() {
    let page = text("docs/style.md");
    let plain = PHRASES.map(|phrase| phrase.split("(?").next().unwrap_or_default().trim_end_matches("s?"));
    let missing = plain.into_iter().filter(|phrase| !page.contains(&format!("\"{phrase}\"")));
    assert_none("not in docs/style.md", missing.map(str::to_owned));
}

#[test]
fn strings_and_doc_comments_are_read_and_code_is_not() {
    let check = |path: &str, source: &str, expected: &[(usize, &str)]| {
        let expected: Vec<Passage> =
            expected.iter().map(|(line, text)| Passage { line: *line, text: (*text).to_owned() }).collect();
        assert_eq!(texts(path, source), expected, "{source}");
    };
    check("a.rs", "/// One\n/// two.\nfn door() {} // refused", &[(1, " One\n two.")]);
    check("a.rs", "let a = \"x \\\" y\";\nlet b: &'static str = \"z\";", &[(1, "x \\\" y"), (2, "z")]);
    check("a.rs", "let a = ['\"', '\\'', 'b']; f(\"one \\\n  two\")", &[(1, "one \n  two")]);
    check("a.rs", "for_br\"\"; r#\"a \" b\"#; br\"c\"", &[(1, ""), (1, "a \" b"), (1, "c")]);
    check("a.py", "# no\nx = f'a' + \"b\"\n\"\"\"c\nd\"\"\"", &[(2, "a"), (2, "b"), (3, "c\nd")]);
    check("a.yaml", "# no\nDescription: yes # no", &[(1, "\nDescription: yes")]);
}

#[test]
fn a_phrase_is_found_across_lines_and_a_canary_value_is_allowed() {
    let pattern = regex(&format!(r"(?i)\b(?:{})\b", PHRASES.join("|").replace(' ', r"\s+")));
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(banned(&pattern, &Passage { line: 7, text: text.to_owned() }), expected, "{text}");
    };
    check("at most so\n many", &["7: so\n many"]);
    check("two\nlines: Refused", &["8: Refused"]);
    check("a canary value, a canary-value, a canary", &["7: canary"]);
    check("door_lock.rs recommends the outdoors", &[]);
}
